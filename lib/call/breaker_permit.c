/*
 * breaker_permit.c - the bulkhead's places: who is under way to a callee now. The story is in breaker.h.
 *
 * A place is one word, its holder's process number and the time that process began, so that a dead holder is told from a later
 * process of its number; his place is taken back when the places run out. Those who wait for one sleep on the count of those who
 * came back (a futex on the shared page), so nobody polls, and a waiter that dies costs a needless wake-up at most.
 */
#include "breaker_inside.h"

#include "lib/base/proc.h"
#include "lib/base/proc.h"
#include "lib/base/log.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HELD_MAX_MS  70000      /* longer than any deadline can be: whoever holds a place for so long has lost it */
#define STALL_MS     50         /* nobody came back for so long: waiting for a place is in vain */
#define BURY_MS      100        /* how often it is looked whether holders live: that reads /proc */

/* --- who -------------------------------------------------------------------------------------------------------------- */

static uint64_t me;             /* a fork is somebody else */

static void
forget_me(void)
{
	me = 0;
}

static uint64_t
who(pid_t pid, int64_t born)
{
	return (uint64_t)born << 22 | (uint64_t)pid;
}

static uint64_t
who_am_i(void)
{
	static bool is_forgotten_at_fork;

	if (!is_forgotten_at_fork)
		is_forgotten_at_fork = pthread_atfork(NULL, NULL, forget_me) == 0;
	if (!me)
		me = who(getpid(), proc_started(getpid()));
	return me;
}

/*
 * Somebody who is there but not to be seen in /proc (hidepid, as systemd's ProtectProc= has it, hides even those of our own user from
 * one who is locked up) is taken for the holder, until HELD_MAX_MS.
 */
static bool
is_gone(uint64_t holder)
{
	pid_t pid = (pid_t)(holder & ((1 << 22) - 1));
	int64_t born;

	if (kill(pid, 0) != 0 && errno == ESRCH)
		return true;
	born = proc_started(pid);
	return born && holder >> 22 && who(pid, born) != holder;
}

/* --- places ------------------------------------------------------------------------------------------------------------ */

/* Takes back the places of those who died in the middle of a call. */
static void
reap(struct breaker *b, int64_t now)
{
	int64_t last = atomic_load(&b->reaped_ms);

	if (now - last < BURY_MS || !atomic_compare_exchange_strong(&b->reaped_ms, &last, now))
		return;
	for (int i = 0; i < PERMITS; i++) {
		uint64_t holder = atomic_load(&b->permit[i].holder);

		if (holder && (is_gone(holder) || now - atomic_load(&b->permit[i].since_ms) > HELD_MAX_MS)
		    && atomic_compare_exchange_strong(&b->permit[i].holder, &holder, 0))
			log_warn("breaker", "%s: the place of process %d, which is gone, is free again", breaker_name(b), (int)(holder & ((1 << 22) - 1)));
	}
}

static int
take_free(struct breaker *b, int in_flight_max, int64_t now)
{
	for (int i = 0; i < in_flight_max; i++) {
		uint64_t nobody = 0;

		if (atomic_load_explicit(&b->permit[i].holder, memory_order_relaxed) == 0
		    && atomic_compare_exchange_strong(&b->permit[i].holder, &nobody, who_am_i())) {
			atomic_store_explicit(&b->permit[i].since_ms, now, memory_order_relaxed);
			atomic_store_explicit(&b->permit[i].lease_ms, 0, memory_order_relaxed);
			return i;
		}
	}
	return -1;
}

int
permit_acquire(struct breaker *b, int in_flight_max, int64_t now)
{
	int permit = take_free(b, in_flight_max, now);

	if (permit >= 0)
		return permit;
	reap(b, now);
	return take_free(b, in_flight_max, now);
}

static long
futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *limit)
{
	return syscall(SYS_futex, word, op, value, limit, NULL, 0);
}

void
permit_release(struct breaker *b, int permit)
{
	uint64_t mine = who_am_i();

	atomic_compare_exchange_strong(&b->permit[permit].holder, &mine, 0);
	atomic_fetch_add(&b->n_left, 1);
	if (atomic_load(&b->n_waiting) > 0)
		futex(&b->n_left, FUTEX_WAKE, 1, NULL);
}

/* All places are taken, the last of them then. */
static int64_t
last_taken(const struct breaker *b)
{
	int64_t last = 0;

	for (int i = 0; i < PERMITS; i++) {
		int64_t since = atomic_load(&b->permit[i].holder) ? atomic_load(&b->permit[i].since_ms) : 0;

		last = since > last ? since : last;
	}
	return last;
}

/* When everybody has stood still for STALL_MS those who come now do not wait to see it again: each that waits is a process that waits. */
bool
permit_wait(struct breaker *b, uint32_t seen, int64_t now, int64_t end_ms)
{
	int64_t stalled = last_taken(b) + STALL_MS - now, left = end_ms - now;
	struct timespec limit = { 0 };

	left = left < stalled ? left : stalled;
	left = left < STALL_MS ? left : STALL_MS;
	if (left <= 0)
		return now < end_ms && atomic_load(&b->n_left) != seen;
	limit.tv_nsec = left * 1000000;
	atomic_fetch_add(&b->n_waiting, 1);
	futex(&b->n_left, FUTEX_WAIT, seen, &limit);
	atomic_fetch_sub(&b->n_waiting, 1);
	return atomic_load(&b->n_left) != seen;
}

void
permit_wake_all(struct breaker *b)
{
	futex(&b->n_left, FUTEX_WAKE, PERMITS, NULL);
}

bool
permit_is_mine(struct breaker *b, int permit)
{
	return atomic_load(&b->permit[permit].holder) == who_am_i();
}

int
permits_in_use(const struct breaker *b)
{
	int n = 0;

	for (int i = 0; i < PERMITS; i++) {
		uint64_t holder = atomic_load(&b->permit[i].holder);

		n += holder && !is_gone(holder);
	}
	return n;
}
