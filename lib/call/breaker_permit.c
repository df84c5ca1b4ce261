/*
 * breaker_permit.c - the bulkhead: permits for concurrent calls to a callee; breaker.h describes it.
 *
 * A permit is one word, its holder's pid and start time, so that a dead holder is distinguished from a later process
 * with the same pid; permits of dead holders are reclaimed when none is free. Calls that wait for one sleep on a
 * counter of the calls that have returned (a futex in shared memory); if a waiting process dies, that costs at most a
 * needless wake-up.
 */
#include "breaker_inside.h"

#include "lib/base/proc.h"
#include "lib/base/log.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HELD_MAX_MS  70000      /* longer than any deadline: a permit held for so long is reclaimed */
#define STALL_MS     50         /* if no call has returned for so long, waiting for a permit is pointless */
#define REAP_MS      100        /* at most so often it is checked whether holders live, which reads /proc */
#define PID_BITS     22

/* --- processes -------------------------------------------------------------------------------------------------- */

static uint64_t own_id;         /* reset after fork */

static void
forget_own_id(void)
{
	own_id = 0;
}

static uint64_t
process_id(pid_t pid, int64_t started)
{
	return (uint64_t)started << PID_BITS | (uint64_t)pid;
}

static pid_t
pid_of(uint64_t id)
{
	return (pid_t)(id & ((1 << PID_BITS) - 1));
}

static uint64_t
own_process_id(void)
{
	static bool is_reset_at_fork;

	if (!is_reset_at_fork)
		is_reset_at_fork = pthread_atfork(NULL, NULL, forget_own_id) == 0;
	if (!own_id)
		own_id = process_id(getpid(), proc_started(getpid()));
	return own_id;
}

/*
 * A process that exists but is not visible in /proc is taken for the holder, until HELD_MAX_MS: hidepid (systemd's
 * ProtectProc=) hides even processes of the same user from a jailed one.
 */
static bool
is_dead(uint64_t holder)
{
	pid_t pid = pid_of(holder);
	int64_t started;

	if (kill(pid, 0) != 0 && errno == ESRCH)
		return true;
	started = proc_started(pid);
	return started && holder >> PID_BITS && process_id(pid, started) != holder;
}

/* --- permits ---------------------------------------------------------------------------------------------------- */

/* Reclaims the permits of processes that died during a call. */
static void
reap_permits(struct breaker *b, int64_t now)
{
	int64_t last = atomic_load(&b->reaped_ms);

	if (now - last < REAP_MS || !atomic_compare_exchange_strong(&b->reaped_ms, &last, now))
		return;
	for (int i = 0; i < PERMITS; i++) {
		uint64_t holder = atomic_load(&b->permit[i].holder);

		if (holder && (is_dead(holder) || now - atomic_load(&b->permit[i].since_ms) > HELD_MAX_MS)
			&& atomic_compare_exchange_strong(&b->permit[i].holder, &holder, 0))
			log_warn("breaker", "%s: the permit of process %d, which is gone, is reclaimed", b->callee,
				(int)pid_of(holder));
	}
}

static int
take_free_permit(struct breaker *b, int in_flight_max, int64_t now)
{
	for (int i = 0; i < in_flight_max; i++) {
		uint64_t free = 0;

		if (atomic_load_explicit(&b->permit[i].holder, memory_order_relaxed) == 0
			&& atomic_compare_exchange_strong(&b->permit[i].holder, &free, own_process_id())) {
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
	int permit = take_free_permit(b, in_flight_max, now);

	if (permit >= 0)
		return permit;
	reap_permits(b, now);
	return take_free_permit(b, in_flight_max, now);
}

static long
futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *limit)
{
	return syscall(SYS_futex, word, op, value, limit, NULL, 0);
}

void
permit_release(struct breaker *b, int permit)
{
	uint64_t mine = own_process_id();

	atomic_compare_exchange_strong(&b->permit[permit].holder, &mine, 0);
	atomic_fetch_add(&b->n_left, 1);
	if (atomic_load(&b->n_waiting) > 0)
		futex(&b->n_left, FUTEX_WAKE, 1, NULL);
}

/* When the permit taken last was taken. */
static int64_t
last_taken_ms(const struct breaker *b)
{
	int64_t last = 0;

	for (int i = 0; i < PERMITS; i++) {
		int64_t since = atomic_load(&b->permit[i].holder) ? atomic_load(&b->permit[i].since_ms) : 0;

		last = since > last ? since : last;
	}
	return last;
}

/* If no call has returned for STALL_MS, none waits: each waiting call blocks a process. */
bool
permit_wait(struct breaker *b, uint32_t seen, int64_t now, int64_t end_ms)
{
	int64_t stalled = last_taken_ms(b) + STALL_MS - now, left = end_ms - now;
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
	return atomic_load(&b->permit[permit].holder) == own_process_id();
}

int
permits_in_use(const struct breaker *b)
{
	int n = 0;

	for (int i = 0; i < PERMITS; i++) {
		uint64_t holder = atomic_load(&b->permit[i].holder);

		n += holder && !is_dead(holder);
	}
	return n;
}
