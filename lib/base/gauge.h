/*
 * gauge - what the workers of one program say of themselves, on a board (shm.h) in $VAR/run/NAME.gauge: their parent sees who
 * hangs and how busy they are, /ops and /metrics show it. Atomics only; counters never fall while the machine is up.
 *
 * Times are milliseconds of the monotonic clock (clock_ms) unless the name says otherwise.
 */
#ifndef MP_GAUGE_H
#define MP_GAUGE_H

#include "shm.h"

#include <stdatomic.h>

#define GAUGE_KIND     "motorpool gauge 2"
#define GAUGE_SLOTS    384      /* as many places as the parent has for workers */
#define GAUGE_WINDOWS  7        /* six whole ones make "the last minute", the seventh is being filled */
#define GAUGE_WINDOW_MS 10000
#define GAUGE_BUCKETS  17

/* Upper bounds of the buckets of how long requests took, in µs; what took longer than the last is counted in one more. */
extern const int32_t gauge_bounds_us[GAUGE_BUCKETS];    /* 100, 200, 500, 1,000 … 5,000,000 */

struct gauge_worker {
	_Atomic int32_t pid;            /* 0: nobody in this place */
	_Atomic int32_t generation;
	_Atomic bool internal, ready, draining;
	_Atomic int64_t started_ms, n_requests;
	_Atomic int64_t busy_since_ms;  /* 0: it waits for a request */
};

/* Requests of one time: counted under their window's number, emptied by whoever comes first in a new one. */
struct gauge_window {
	_Atomic int64_t number;         /* clock_ms() / GAUGE_WINDOW_MS */
	_Atomic int64_t n, n_failed;    /* answered; with a 5xx other than 503 */
	_Atomic int64_t bucket[GAUGE_BUCKETS + 1];
};

struct gauge {
	struct shm_header shm;
	_Atomic int32_t parent_pid, generation, n_wanted, n_min, n_max; /* public workers: wanted now, fewest, most */
	_Atomic int64_t started_at;     /* unix seconds: when the parent started */
	_Atomic int64_t n_requests[6];  /* by status / 100: [2] 2xx … [5] 5xx */
	_Atomic int64_t n_failed;       /* of those with 5xx: ours, not the 503 that says when to come back */
	_Atomic int64_t n_shed;         /* 503 because too many waited */
	_Atomic int64_t sum_us, bucket[GAUGE_BUCKETS + 1];      /* since boot, for /metrics */
	_Atomic int64_t n_died, n_hung, n_fat, n_recycled;      /* workers replaced: they ended, were killed after the limit, had too much memory, had served enough */
	_Atomic int64_t n_deployed, n_rolled_back;              /* generations that took over; that were never ready */
	struct gauge_window window[GAUGE_WINDOWS];
	struct gauge_worker worker[GAUGE_SLOTS];
};

struct gauge *gauge_open(const char *var_dir, const char *program);             /* for those who count. NULL: errno */
const struct gauge *gauge_look(const char *var_dir, const char *program);       /* for those who only look; NULL: it never ran since boot */
void gauge_close(const struct gauge *g);

void gauge_begin(struct gauge *g, int slot);                            /* this worker takes a request */
void gauge_end(struct gauge *g, int slot, int status, int64_t took_us); /* … and has answered it */

/* The last whole minute, for people. */
struct gauge_minute { double per_s; int64_t n, n_failed, p50_us, p99_us; int n_workers, n_busy; };
struct gauge_minute gauge_minute(const struct gauge *g);

#endif
