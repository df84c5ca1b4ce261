/*
 * gauge - what the workers of one program count, in shared memory (shm.h), $VAR/run/NAME.gauge: their parent finds hung
 * workers and how busy they are from it; /ops and /metrics show it. Counters never decrease until the next boot.
 *
 * Times are milliseconds of the monotonic clock (clock_ms) unless the name says otherwise.
 */
#ifndef MP_GAUGE_H
#define MP_GAUGE_H

#include "shm.h"

#include <stdatomic.h>

#define GAUGE_KIND     "motorpool gauge 2"
#define GAUGE_SLOTS    384      /* one for each of the parent's slots */
#define GAUGE_WINDOWS  7        /* six whole ones make "the last minute"; the seventh is being filled */
#define GAUGE_WINDOW_MS 10000
#define GAUGE_BUCKETS  17

/* Upper bounds of the buckets of request durations, in µs; longer ones are counted in one more bucket. */
extern const int32_t gauge_bounds_us[GAUGE_BUCKETS];    /* 100, 200, 500, 1,000 … 5,000,000 */

struct gauge_worker {
	_Atomic int32_t pid;            /* 0: the slot is free */
	_Atomic int32_t generation;
	_Atomic bool internal, ready, draining;
	_Atomic int64_t started_ms, n_requests;
	_Atomic int64_t busy_since_ms;  /* 0: it waits for a request */
};

/* The requests of ten seconds. The first request of a new window empties it. */
struct gauge_window {
	_Atomic int64_t number;         /* clock_ms() / GAUGE_WINDOW_MS */
	_Atomic int64_t n, n_failed;    /* answered; with a 5xx other than 503 */
	_Atomic int64_t bucket[GAUGE_BUCKETS + 1];
};

struct gauge {
	struct shm_header shm;
	/* public workers: wanted now, at least, at most */
	_Atomic int32_t parent_pid, generation, n_wanted, n_min, n_max;
	_Atomic int64_t started_at;     /* unix seconds: when the parent started */
	_Atomic int64_t n_requests[6];  /* by status / 100: [2] 2xx … [5] 5xx */
	_Atomic int64_t n_failed;       /* 5xx other than 503 */
	_Atomic int64_t n_shed;         /* 503 because too many waited */
	_Atomic int64_t sum_us, bucket[GAUGE_BUCKETS + 1];      /* since boot, for /metrics */
	/* workers replaced because they ended, were busy for too long, had too much memory, had served enough
	 * requests */
	_Atomic int64_t n_died, n_hung, n_bloated, n_recycled;
	_Atomic int64_t n_deployed, n_rolled_back;              /* generations that took over; that were given up */
	struct gauge_window window[GAUGE_WINDOWS];
	struct gauge_worker worker[GAUGE_SLOTS];
};

struct gauge *gauge_open(const char *var_dir, const char *program);             /* to count. NULL: errno */
/* NULL: the program has not run since boot */
const struct gauge *gauge_open_readonly(const char *var_dir, const char *program);
void gauge_close(const struct gauge *g);

void gauge_begin(struct gauge *g, int slot);                            /* the worker in this slot begins a request */
void gauge_end(struct gauge *g, int slot, int status, int64_t took_us); /* … and has answered it */

/* The last six whole windows together. */
struct gauge_minute { double per_s; int64_t n, n_failed, p50_us, p99_us; int n_workers, n_busy; };
struct gauge_minute gauge_minute(const struct gauge *g);

#endif
