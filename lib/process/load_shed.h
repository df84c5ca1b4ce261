/*
 * load_shed - whom to turn away when more come than can be served: those who would wait longer for a worker than queue_limit_ms.
 *
 * How long the newest would wait is the length of the line divided by how fast it is served: what a worker gets done while there is
 * a line, as remembered from the last half second of such times, multiplied by the workers there are. So a short rush or a moment's
 * pause just waits. When the line is too long, people at its head, who have waited longest, are told so until it is as short as a
 * tenth of the limit, and it is kept that short until it has stayed so for a while: whoever is served then waits little, and
 * whoever is not hears it at once.
 */
#ifndef MP_LOAD_SHED_H
#define MP_LOAD_SHED_H

#include <stdbool.h>
#include <stdint.h>

struct load_shed {
	int64_t limit_ms;               /* the longest anybody should wait; 0: everybody waits */
	bool is_refusing;
	/* what it remembers */
	int64_t began_ms, seen_ms, quiet_ms, n_done;
	double measured_ms, per_worker_ms;      /* for how long, and what one worker gets done in a millisecond of those */
};

/* What is to be seen at the line. */
struct load_shed_sample {
	int64_t now_ms, n_done;         /* n_done: requests served since whenever */
	int n_waiting, n_workers, n_most;       /* workers now, and at most: while more could come, a line has the time they need */
};

int load_shed_excess(struct load_shed *b, const struct load_shed_sample *l);     /* how many at the head are to be turned away now */

#define LOAD_SHED_IDLE_MS 50       /* look so often while nobody waits */
#define LOAD_SHED_ACTIVE_MS  4        /* … and so often while somebody does */

#endif
