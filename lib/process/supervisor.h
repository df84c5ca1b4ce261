/*
 * supervisor - the child processes of this process: starts them, reaps them, restarts those that end, kills those that
 * do not end.
 *
 * A child that ends is restarted: at once the first time, then after a pause that doubles from 100 ms to 10 s, until
 * one has lived for 5 s. Signals are read from a file descriptor, so that one loop handles everything in order:
 *
 *	supervisor_open(&s);
 *	while (!s.is_stopping) {
 *		int64_t next_ms = supervisor_run(clock_ms());
 *		poll(s.signal_fd and what else there is, until next_ms)
 *		supervisor_read_signals();
 *	}
 *
 * A process has one supervisor. lib/process/parent.c, relay/relay.c and cli/run/run.c use it.
 */
#ifndef MP_SUPERVISOR_H
#define MP_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_NEVER INT64_MAX

enum child_state { CHILD_OFF, CHILD_DUE, CHILD_RUNNING, CHILD_ENDING }; /* DUE: to be started; ENDING: asked to end */
/* NOW: without a pause, and the next pauses are short again */
enum child_restart { CHILD_RESTART, CHILD_RESTART_NOW, CHILD_NO_RESTART };

struct child {
	enum child_state state;
	const char *name;               /* in the pid file and the log */
	pid_t pid;                      /* 0: not running */
	bool is_killed;                 /* by child_kill(): restarted at once */
	int64_t started_ms;             /* clock_ms() of the last start */
	int64_t due_ms;                 /* CHILD_DUE: when to start it; CHILD_ENDING: when to kill it */
	int64_t pause_ms;               /* before the next restart but one */
};

struct supervisor {
	void *children;                 /* n structs of so many bytes; each has a struct child as its first member */
	size_t size;
	int n;
	void (*start)(struct child *c);                                 /* calls child_fork() */
	/* its pid and state are still set; status as of waitpid() */
	enum child_restart (*ended)(struct child *c, int status);
	int death_signal;               /* the kernel sends it to the children when this process dies */
	bool has_sessions; /* each child leads a session of its own and is killed with all processes in it */
	bool reloads;                   /* SIGHUP sets is_reload_asked; else it stops, as SIGTERM and SIGINT do */
	const char *pid_file; /* this process's pid, then "PID NAME" for each child, until it stops; NULL: none */
	/* set by supervisor_open() and supervisor_read_signals() */
	int signal_fd;
	bool is_stopping;               /* also set by the caller: no child is started any more */
	bool is_hurried;                /* a second signal to stop has come */
	bool is_reload_asked;           /* cleared by the caller */
	bool has_changed;               /* the pid file is out of date */
};

bool supervisor_open(struct supervisor *s);             /* blocks the four signals. false: errno */
/* Starts, restarts and kills the children that are due, and writes the pid file. Returns when the next is due, or
 * CHILD_NEVER. */
int64_t supervisor_run(int64_t now);
void supervisor_read_signals(void);                     /* handles the signals that have arrived, and reaps */
int supervisor_n_running(void);

/* For start(): forks. 0: this is the child, with all signals unblocked. -1: it failed (logged) and is tried again a
 * second later. */
pid_t child_fork(struct child *c);
/* asks it to end, for good; kills it when it takes longer */
void child_end(struct child *c, int signal, int64_t grace_ms);
void child_kill(struct child *c);                       /* SIGKILL, then a restart */
const char *child_status(int status);                   /* "signal 9" or "status 1", until the next call */

#endif
