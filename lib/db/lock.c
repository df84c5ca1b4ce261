/* lock.c - the page of shared memory (shm.h) with the writers' queue; lock.h says what it holds. */
#include "lock.h"

#include "lib/base/shm.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define PAGE_SIZE_ 4096
#define MOMENT_MS  100

struct lock {
	struct shm_header shm;
	pthread_mutex_t writer;         /* held from before BEGIN IMMEDIATE until after COMMIT */
	pthread_mutex_t sync;           /* held by the process that syncs for all */
	_Atomic uint64_t committed;     /* tickets given out; written under the writers' lock only */
	_Atomic uint64_t synced;        /* every ticket up to here is on disk */
	_Atomic uint64_t safe;
	_Atomic int64_t held_ms;        /* clock_ms() since which the writers' lock is held; 0: it is free */
	_Atomic int broken;
	_Atomic int n_pages, n_frames;
};
_Static_assert(sizeof(struct lock) <= PAGE_SIZE_, "one page holds it all");

/* --- the page ----------------------------------------------------------------------------------------------------- */

static int
mutex_make(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t a;
	int rc;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	rc = pthread_mutex_init(mutex, &a);
	pthread_mutexattr_destroy(&a);
	return rc;
}

static bool
page_begin(void *page)
{
	struct lock *l = page;

	errno = mutex_make(&l->writer);
	if (errno == 0)
		errno = mutex_make(&l->sync);
	return errno == 0;
}

struct lock *
lock_open(const char *var_dir, const char *name)
{
	char file[128];

	snprintf(file, sizeof(file), "%.100s.lock", name);
	return shm_map(var_dir, file, "motorpool lock 3", PAGE_SIZE_, page_begin);
}

void
lock_close(struct lock *l)
{
	shm_unmap(l, PAGE_SIZE_);
}

/* --- the mutexes -------------------------------------------------------------------------------------------------- */

/* The mutex of a process that died passes on, and what it guards is consistent: SQLite rolls back, counters only
 * grow. */
static bool
mutex_taken(pthread_mutex_t *mutex, int rc)
{
	if (rc == EOWNERDEAD) {
		log_warn("lock", "a process died holding the lock; the next one has taken it over");
		rc = pthread_mutex_consistent(mutex);
	}
	errno = rc;
	return rc == 0;
}

static struct timespec
after(clockid_t clock, int ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* If the lock is already overdue, a new waiter gives up after a moment: its process can do nothing else while it
 * waits. */
static int
wait_limit_ms(const struct lock *l, int timeout_ms)
{
	int64_t since_ms = atomic_load(&l->held_ms),
		left_ms = since_ms ? since_ms + timeout_ms - clock_ms() : timeout_ms;
	int least_ms = timeout_ms < MOMENT_MS ? timeout_ms : MOMENT_MS;

	return left_ms < least_ms ? least_ms : left_ms > timeout_ms ? timeout_ms : (int)left_ms;
}

/* Waits by the monotonic clock, which never jumps; kernels before 5.14 cannot do that for these mutexes (EINVAL). */
bool
lock_writer(struct lock *l, int timeout_ms)
{
	pthread_mutex_t *mutex = &l->writer;
	struct timespec until;
	int rc;

	timeout_ms = wait_limit_ms(l, timeout_ms);
	until = after(CLOCK_MONOTONIC, timeout_ms);
	rc = pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);
	if (rc == EINVAL) {
		until = after(CLOCK_REALTIME, timeout_ms);
		rc = pthread_mutex_timedlock(mutex, &until);
	}
	if (!mutex_taken(mutex, rc))
		return false;
	atomic_store(&l->held_ms, clock_ms());
	return true;
}

void
unlock_writer(struct lock *l)
{
	atomic_store(&l->held_ms, 0);
	pthread_mutex_unlock(&l->writer);
}

/* --- syncing for all ---------------------------------------------------------------------------------------------- */

uint64_t
lock_committed(struct lock *l)
{
	return atomic_fetch_add(&l->committed, 1) + 1;
}

uint64_t
lock_latest(const struct lock *l)
{
	return atomic_load(&l->committed);
}

/* Every ticket read here was issued after its commit was written, so the sync that follows covers it. */
static void
sync_for_all(struct lock *l, bool (*sync)(void *arg), void *arg)
{
	uint64_t upto = atomic_load(&l->committed);

	if (sync(arg))
		atomic_store(&l->synced, upto);
	else
		lock_break(l);
}

bool
lock_synced(struct lock *l, uint64_t ticket, bool (*sync)(void *arg), void *arg)
{
	if (atomic_load(&l->synced) >= ticket)
		return true;
	if (!mutex_taken(&l->sync, pthread_mutex_lock(&l->sync)))
		return false;
	if (atomic_load(&l->synced) < ticket && !atomic_load(&l->broken))
		sync_for_all(l, sync, arg);
	pthread_mutex_unlock(&l->sync);
	return atomic_load(&l->synced) >= ticket;
}

void
lock_break(struct lock *l)
{
	atomic_store(&l->broken, 1);
}

bool
lock_broken(const struct lock *l)
{
	return atomic_load(&l->broken) != 0;
}

void
lock_mended(struct lock *l)
{
	atomic_store(&l->synced, atomic_load(&l->committed));
	atomic_store(&l->broken, 0);
}

bool
lock_sync_again(struct lock *l, bool (*sync)(void *arg), void *arg)
{
	bool ok;

	if (!mutex_taken(&l->sync, pthread_mutex_lock(&l->sync)))
		return false;
	ok = sync(arg);
	pthread_mutex_unlock(&l->sync);
	return ok;
}

void
lock_set_safe(struct lock *l, uint64_t safe)
{
	atomic_store(&l->safe, safe);
}

uint64_t
lock_safe(const struct lock *l)
{
	return atomic_load(&l->safe);
}

void
lock_set_pages(struct lock *l, int n_pages)
{
	atomic_store_explicit(&l->n_pages, n_pages, memory_order_relaxed);
	if (n_pages > 0)
		atomic_store(&l->n_frames, n_pages);
}

int
lock_frames(const struct lock *l)
{
	return atomic_load(&l->n_frames);
}

int
lock_pages(const struct lock *l)
{
	return atomic_load_explicit(&l->n_pages, memory_order_relaxed);
}
