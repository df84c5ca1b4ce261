/*
 * lock.c - the page of memory that all processes share; lock.h tells what it holds.
 *
 * The page is made under a temporary name, its mutexes initialised, then renamed into place, all under the flock of
 * $VAR/run/NAME.lock.make: nobody ever sees half a page. A page from before the last boot is replaced, because a mutex in it
 * may be held by a process number that means somebody else now; so is a copy (another inode) for the same reason.
 */
#include "lock.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE_SIZE_ 4096
#define PAGE_MAGIC "motorpool lock 1"

struct lock {
	char magic[24];
	char boot[40];                  /* the boot it was made in */
	uint64_t inode;
	pthread_mutex_t writer;         /* held from before BEGIN IMMEDIATE until after COMMIT */
	pthread_mutex_t sync;           /* held by whoever syncs for all */
	_Atomic uint64_t committed;     /* tickets given out; written under the writers' lock only */
	_Atomic uint64_t synced;        /* every ticket up to here is on disk */
	_Atomic int broken;
	_Atomic int n_pages;
};
_Static_assert(sizeof(struct lock) <= PAGE_SIZE_, "one page holds it all");

/* --- making the page ---------------------------------------------------------------------------------------------- */

static void
boot_id(char id[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, id, 36) : 0;

	if (fd >= 0)
		close(fd);
	id[n > 0 ? n : 0] = '\0';
}

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

static struct lock *
page_map(int fd)
{
	void *l = mmap(NULL, PAGE_SIZE_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return l == MAP_FAILED ? NULL : l;
}

static bool
page_fill(int fd)
{
	struct lock *l = page_map(fd);
	struct stat st;
	int rc;

	if (!l || fstat(fd, &st) != 0)
		return false;
	rc = mutex_make(&l->writer);
	if (rc == 0)
		rc = mutex_make(&l->sync);
	strcpy(l->magic, PAGE_MAGIC);
	boot_id(l->boot);
	l->inode = st.st_ino;
	munmap(l, PAGE_SIZE_);
	errno = rc;
	return rc == 0;
}

/* posix_fallocate: on a full disk the page fails here and not as SIGBUS at its first use. */
static bool
page_make(const char *path)
{
	char temp[4200];
	int fd, rc;
	bool ok;

	snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return false;
	rc = posix_fallocate(fd, 0, PAGE_SIZE_);
	if (rc != 0)
		errno = rc;
	ok = rc == 0 && page_fill(fd) && rename(temp, path) == 0;
	if (!ok)
		unlink(temp);
	close(fd);
	return ok;
}

/* --- opening it --------------------------------------------------------------------------------------------------- */

static bool
page_is_ours(const struct lock *l, int fd)
{
	struct stat st;
	char boot[40];

	boot_id(boot);
	return fstat(fd, &st) == 0 && l->inode == st.st_ino && strcmp(l->magic, PAGE_MAGIC) == 0 && strcmp(l->boot, boot) == 0;
}

/* NULL with errno 0: what is there is not a page of this boot. */
static struct lock *
page_open(const char *path)
{
	struct lock *l = NULL;
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		if (errno == ENOENT)
			errno = 0;
		return NULL;
	}
	if (fstat(fd, &st) == 0 && st.st_size == PAGE_SIZE_)
		l = page_map(fd);
	if (l && !page_is_ours(l, fd)) {
		munmap(l, PAGE_SIZE_);
		l = NULL;
		errno = 0;
	}
	close(fd);
	return l;
}

/* Looks, and makes the page when it is missing or stale: one process at a time. */
static struct lock *
page_get(const char *path)
{
	char guard[4200];
	struct lock *l;
	int fd;

	snprintf(guard, sizeof(guard), "%s.make", path);
	fd = open(guard, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
		;
	errno = 0;
	l = page_open(path);
	if (!l && errno == 0 && page_make(path))
		l = page_open(path);
	close(fd);
	return l;
}

struct lock *
lock_open(const char *var_dir, const char *name)
{
	char path[4128];

	if (strlen(var_dir) + strlen(name) > 4000) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/run", var_dir);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return NULL;
	snprintf(path, sizeof(path), "%s/run/%s.lock", var_dir, name);
	return page_get(path);
}

void
lock_close(struct lock *l)
{
	munmap(l, PAGE_SIZE_);
}

/* --- the mutexes -------------------------------------------------------------------------------------------------- */

/* A mutex whose holder died is ours, and what it guarded is whole: SQLite rolls back, the counters only grow. */
static bool
taken(pthread_mutex_t *mutex, int rc)
{
	if (rc == EOWNERDEAD) {
		log_warn("lock", "a process died holding the lock; it goes on");
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

/* Waits by the monotonic clock, which never jumps; a kernel before 5.14 cannot do that for these mutexes (EINVAL). */
bool
lock_writer(struct lock *l, int timeout_ms)
{
	pthread_mutex_t *mutex = &l->writer;
	struct timespec until = after(CLOCK_MONOTONIC, timeout_ms);
	int rc = pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);

	if (rc == EINVAL) {
		until = after(CLOCK_REALTIME, timeout_ms);
		rc = pthread_mutex_timedlock(mutex, &until);
	}
	return taken(mutex, rc);
}

void
unlock_writer(struct lock *l)
{
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

/* Every ticket read here was given after its commit was written, so the sync that follows covers it. */
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
	if (!taken(&l->sync, pthread_mutex_lock(&l->sync)))
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

void
lock_set_pages(struct lock *l, int n_pages)
{
	atomic_store_explicit(&l->n_pages, n_pages, memory_order_relaxed);
}

int
lock_pages(const struct lock *l)
{
	return atomic_load_explicit(&l->n_pages, memory_order_relaxed);
}
