/* breaker_inside - the board that breaker.c (how it stands) and breaker_permit.c (who is under way) share. The story is in breaker.h. */
#ifndef MP_BREAKER_INSIDE_H
#define MP_BREAKER_INSIDE_H

#include "breaker.h"

#include "lib/base/shm.h"

#include <stdatomic.h>

#define PERMITS       64         /* the most calls_at_once can be */
#define BUCKETS      16         /* a power of two above breaker.c's WINDOW_S */

struct permit {
	_Atomic uint64_t holder;        /* 0: free; else who_am_i() of the caller */
	_Atomic int64_t since_ms;
	_Atomic int64_t lease_ms;       /* a probe: the end of its lease, by which it is known; 0: an ordinary call */
};

struct breaker {
	struct shm_header shm;
	_Atomic uint64_t standing;      /* struct standing, packed */
	_Atomic int64_t opened_at;
	_Atomic int32_t run;            /* failures in a row */
	_Atomic uint32_t n_left;        /* calls that came back: those who wait for a place sleep on it */
	_Atomic int32_t n_waiting;      /* may stay too high when one of them dies: then somebody is woken for nothing */
	_Atomic uint32_t from_s;        /* what failed before this second has been atoned for */
	_Atomic int64_t reaped_ms;
	_Atomic int32_t took_ms16;      /* how long a call takes of late, in sixteenths of a ms: a mean that forgets */
	_Atomic int64_t n_calls, n_failed, n_refused, n_full, n_opened;
	_Atomic uint64_t second[BUCKETS];       /* second << 32 | failed << 16 | calls */
	struct permit permit[PERMITS];
};

/* A place among the `flying`, or -1: all are taken. */
int permit_acquire(struct breaker *b, int in_flight_max, int64_t now);
void permit_release(struct breaker *b, int permit);
bool permit_is_mine(struct breaker *b, int permit);
int permits_in_use(const struct breaker *b);              /* by the living */
/* Has anybody come back since n_left was `seen`? Waits for it, not beyond end_ms and not where nobody moves. All places are taken. */
bool permit_wait(struct breaker *b, uint32_t seen, int64_t now, int64_t end_ms);
void permit_wake_all(struct breaker *b);

const char *breaker_name(const struct breaker *b);      /* of the callee */

#endif
