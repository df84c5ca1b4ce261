/*
 * parent_inside - what the files of the prefork parent share. Nothing else includes it.
 *
 *	parent.c       begin and end, sockets and their names, signals, the loop        workers.c   starting and ending workers
 *	generation.c   a new release takes over, or goes back                           watchdog.c   who hangs, is fat or worn; how many are needed
 */
#ifndef MP_PARENT_INSIDE_H
#define MP_PARENT_INSIDE_H

#include "listener.h"
#include "lib/base/gauge.h"
#include "parent.h"

#include <limits.h>
#include <sys/types.h>

#define MAX_SLOTS     GAUGE_SLOTS       /* two generations of 64 public and 64 internal workers, and one still draining */
#define READY_MS      10000             /* a generation that needs longer is given up */
#define DRAIN_MS      15000             /* then a worker is killed */
#define WHOLE_MS      3000              /* … and one whose workers all answer, but not all have what they need, after that */
#define EARLY_DEATHS  3                 /* of a new generation's workers: enough to give it up */

struct worker {                         /* a place for a worker; empty while pid is 0 and it waits for start_ms */
	pid_t pid;
	bool used, ready, has_all, draining, killed;    /* has_all: has said PARENT_READY; killed: by us, so its place is filled at once */
	bool stray;                     /* an earlier parent's: serves its old socket until ours is in place */
	enum duty duty;
	int generation, ready_fd;
	struct worker *instead_of;      /* drained when this one is ready; NULL */
	int64_t started_ms, start_ms, pause_ms, kill_ms;
};

/* Where a generation's workers come from: as the symlinks stood when it began, so that two releases never mix. */
struct generation {
	int number;                     /* 0: there is none */
	int64_t began_ms;
	int n_died;                     /* of its workers, before they were ready */
	bool is_short;                  /* those of many generations before it still drain: there was no place for all of its own */
	char exe[PATH_MAX], root[PATH_MAX];     /* root "": the worker finds it from its own place */
};

struct parent {
	const struct parent_plan *plan;
	struct gauge *gauge;            /* NULL: nobody counts, so nobody is found hanging */
	struct listener listener[2];            /* public, internal */
	struct worker worker[MAX_SLOTS];
	struct generation serving, coming;
	int newest;                     /* number given last */
	int n_wanted[2];
	int signals, lock;
	bool ending, is_asked_again;    /* for another generation, while one is coming */
	char pid_file[108];
};
extern struct parent parent;

#define for_each_worker(w) for (struct worker *w = parent.worker; w < parent.worker + MAX_SLOTS; w++) if (w->used && !w->stray)
#define NEVER INT64_MAX

static inline bool is_refusing(enum duty d) { return d >= DUTY_REFUSE_PUBLIC; }
static inline int  listener_of(enum duty d) { return d == DUTY_SERVE_INTERNAL || d == DUTY_REFUSE_INTERNAL; }

/* workers.c */
struct worker *worker_add(enum duty duty, const struct generation *g);  /* NULL: there is no place left */
void worker_start(struct worker *w);
void worker_drain(struct worker *w);
void worker_kill(struct worker *w);                     /* it does not end by itself: its place is filled at once */
void worker_gone(struct worker *w, int status);
void worker_hear(struct worker *w);                     /* there is something to read on ready_fd */
int64_t workers_due(int64_t now);                          /* starts and kills who is due; when the next is */
void workers_adopt(void);                                  /* whose gauge places are taken by an earlier parent's workers */
int64_t process_born_ms(pid_t pid);                     /* clock_ms() of its start; 0: it is gone */

/* generation.c */
void generation_start(void);
void generation_pin(struct generation *g);              /* to where the symlinks point now */
void generation_look(void);                             /* has it taken over, or failed? */
int64_t generation_due(void);                           /* when it will have failed */

/* watchdog.c */
int64_t watchdog_due(int64_t now);                          /* looks after the workers when it is time; when it is again */

/* parent.c */
void publish_listeners(void);
void write_pids(void);

#endif
