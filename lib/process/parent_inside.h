/*
 * parent_inside - what the files of the prefork parent share. No other file includes it. Each calls only those below
 * it:
 *
 *	parent.c       start, end, the loop
 *	generation.c   a new release takes over, or is given up
 *	watchdog.c     replaces hung, bloated and worn workers; adapts their number to the load
 *	workers.c      the slots: starts and ends workers
 *	sockets.c      the listening sockets and the pid file
 */
#ifndef MP_PARENT_INSIDE_H
#define MP_PARENT_INSIDE_H

#include "lib/base/gauge.h"
#include "listener.h"
#include "parent.h"
#include "supervisor.h"

#include <limits.h>

#define MAX_SLOTS     GAUGE_SLOTS /* two generations of 64 public and 64 internal workers, and one still draining */
#define EARLY_DEATHS  3                 /* so many deaths among a new generation's workers: it is given up */

struct worker_slot {
	struct child child;             /* CHILD_OFF: a free slot, unless is_stray; CHILD_ENDING: drains */
	bool ready, has_all;            /* has_all: it has sent PARENT_READY */
	bool is_stray; /* holds a worker of an earlier parent, which serves its old socket until ours has the name */
	enum duty duty;
	int generation, ready_fd;       /* ready_fd: -1: nothing more to read */
	struct worker_slot *replaces;   /* drained when this one is ready; NULL */
};

/* The release a generation's workers come from: symlinks are resolved when it starts, so that two releases never
 * mix. */
struct generation {
	int number;                     /* 0: there is none */
	int64_t began_ms;
	int n_died;                     /* of its workers, before they were ready */
	bool is_short;                  /* no slot was free for some of its workers: earlier generations still drain */
	char exe[PATH_MAX], root[PATH_MAX];     /* root "": the worker derives it from its own path */
};

struct parent {
	const struct parent_plan *plan;
	struct supervisor supervisor;
	struct gauge *gauge;            /* NULL: it cannot be mapped, and the watchdog does nothing */
	struct listener listener[2];    /* public, internal */
	struct worker_slot worker[MAX_SLOTS];
	struct generation serving, coming;
	int newest;                     /* the number given last */
	int n_wanted[2];
	bool is_asked_again;            /* for another generation, while one is coming */
	char pid_file[108];
};
extern struct parent parent;            /* workers.c */

#define for_each_worker(w) \
	for (struct worker_slot *w = parent.worker; w < parent.worker + MAX_SLOTS; w++) \
		if (w->child.state != CHILD_OFF)

static inline bool is_refusing(enum duty d) { return d >= DUTY_REFUSE_PUBLIC; }
static inline int  listener_of(enum duty d) { return d == DUTY_SERVE_INTERNAL || d == DUTY_REFUSE_INTERNAL; }
static inline bool is_draining(const struct worker_slot *w) { return w->child.state == CHILD_ENDING; }

/* sockets.c */
bool sockets_open(void);                                /* bound and listening under temporary names. false: errno */
void sockets_publish(void);                             /* gives them their names */
void sockets_close(void);

/* workers.c */
bool workers_open(void);
struct worker_slot *worker_add(enum duty duty, const struct generation *g);     /* NULL: no slot is free */
void worker_drain(struct worker_slot *w);
void worker_read_ready(struct worker_slot *w);                /* ready_fd can be read */
void workers_adopt(void);                               /* marks the slots of an earlier parent's workers as stray */
struct gauge_worker *worker_gauge(const struct worker_slot *w);                 /* NULL: there is no gauge */
bool stray_is_alive(const struct gauge_worker *g);
void generation_resolve(struct generation *g);          /* its paths, as the symlinks are now */

/* watchdog.c: checks the workers if that is due; returns when it is next. */
int64_t watchdog_run(int64_t now);

/* generation.c */
void generation_start(void);
void generation_check(void);                            /* has it taken over, or failed? */
int64_t generation_due(void);                           /* when it will have failed; CHILD_NEVER */

#endif
