/* breaker_inside - the shared memory of a breaker, for breaker.c (its state) and breaker_permit.c (concurrent
 * calls). */
#ifndef MP_BREAKER_INSIDE_H
#define MP_BREAKER_INSIDE_H

#include "breaker.h"

#include "lib/base/shm.h"

#include <stdatomic.h>

#define PERMITS      64         /* the most calls_at_once can be */
#define BUCKETS      16         /* a power of two above breaker.c's WINDOW_S */

struct breaker_permit {
	_Atomic uint64_t holder;        /* the caller's process (process_id()); 0: free */
	_Atomic int64_t since_ms;
	_Atomic int64_t lease_ms;       /* a probe: the end of its lease, which identifies it; 0: an ordinary call */
};

struct breaker {
	struct shm_header shm;
	_Atomic uint64_t packed_state;  /* struct packed_state */
	_Atomic int64_t opened_at;
	_Atomic int32_t n_in_a_row;     /* failures */
	_Atomic uint32_t n_left;        /* calls that returned: a futex that calls waiting for a permit sleep on */
	_Atomic int32_t n_waiting; /* may stay too high if a waiting process dies: then there are needless wake-ups */
	_Atomic uint32_t from_s;        /* failures before this second do not count any more */
	_Atomic int64_t reaped_ms;      /* when permits of dead callers were looked for last */
	_Atomic int32_t took_ms16;      /* moving average of a call's duration, in sixteenths of a ms */
	_Atomic int64_t n_calls, n_failed, n_refused, n_full, n_opened;
	_Atomic uint64_t second[BUCKETS];       /* second << 32 | failed << 16 | calls */
	struct breaker_permit permit[PERMITS];
	char callee[16];
};

/* The index of a permit, of the first in_flight_max; -1: all are taken. */
int permit_acquire(struct breaker *b, int in_flight_max, int64_t now);
void permit_release(struct breaker *b, int permit);
bool permit_is_mine(struct breaker *b, int permit);
int permits_in_use(const struct breaker *b);            /* by living processes */
/* While all are taken: waits until n_left is no longer `seen`, at most until end_ms, and only while calls return.
 * false: it has not changed. */
bool permit_wait(struct breaker *b, uint32_t seen, int64_t now, int64_t end_ms);
void permit_wake_all(struct breaker *b);

#endif
