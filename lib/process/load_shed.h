/*
 * load_shed - which requests to refuse when more come than can be served: those that would wait longer for a worker
 * than queue_limit_ms.
 *
 * How long the newest would wait is the number of waiting connections divided by the rate at which they are served:
 * what a worker gets done while connections wait, averaged over the last half second of such times, multiplied by the
 * number of workers. So a short burst or a short pause just waits. When the wait is too long, connections at the head,
 * which have waited longest, are refused until the backlog is a tenth of the limit, and it is kept that short until it
 * has stayed so for a while: requests that are served then wait little, and the others are refused at once.
 */
#ifndef MP_LOAD_SHED_H
#define MP_LOAD_SHED_H

#include <stdbool.h>
#include <stdint.h>

struct load_shed {
	int64_t limit_ms;               /* the longest a request may wait; 0: no limit */
	bool is_refusing;
	/* load_shed.c's own */
	int64_t began_ms, seen_ms, calm_ms, n_done;
	double measured_ms, per_worker_ms; /* the time measured; what one worker gets done in a millisecond of it */
};

/* What is observed. */
struct load_shed_sample {
	int64_t now_ms, n_done;         /* n_done: requests served since some moment in the past */
	/* n_workers of at most n_most: while more can be started, connections wait for them */
	int n_waiting, n_workers, n_most;
};

/* how many connections at the head to refuse now */
int load_shed_excess(struct load_shed *s, const struct load_shed_sample *l);

#define LOAD_SHED_IDLE_MS   50  /* between two samples while no connection waits */
#define LOAD_SHED_ACTIVE_MS 4   /* … and while some do */

#endif
