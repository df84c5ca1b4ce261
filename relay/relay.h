/*
 * relay - cron's program: it carries the events of the log to every context's policies.
 *
 *	main.c    whenever X, do Y: the consumers, and how it is started
 *	turn.c    taking turns with the next one that cron starts
 *	relay.c   the parent: its minute; the children, replaced when they die
 *	once.c    all that is there, in one process
 *	wake.c    the socket that a commit knocks on
 *	child.c   one consumer's life: react, sweep, wait
 *	checkpointer.c  the child that moves the WALs into the database files
 */
#ifndef MP_RELAY_H
#define MP_RELAY_H

#include "lib/event/event.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct in_flight;

struct relay {
	const char *root, *var;
	const struct consumer *const *consumers;        /* ends in NULL */
	int64_t work_ms, grace_ms;      /* how long it works; how much longer while nobody waits to take over */
};

/* relay.c: works its time. The exit status. */
int relay_run(const struct relay *r);
/* once.c: reacts to all there is, in this process, and leaves. */
int relay_once(const struct relay *r);

/* turn.c */
bool turn_take(const struct relay *r);          /* false: there is one waiting already, or SIGTERM came before our turn */
bool turn_is_wanted(void);                      /* the next one waits */
void turn_beat(void);                           /* the parent moves */
void turn_has(int place, pid_t pid);            /* who is at work: 0 the parent, then its children; pid 0: nobody */
void turn_forget_standby(void);                 /* in a child */

/* wake.c */
int  wake_open(const char *var_dir);            /* $VAR/run/relay.wake; -1: none, the children look for themselves */
bool wake_drain(int fd);                        /* takes all that has arrived; was there any? */

/* child.c. hand: where it notes what it has in hand; beat: the clock of the last sign of life, for the parent.
 * The exit status; 0: nothing is wrong, it only begins anew */
int child_run(const struct relay *r, const struct consumer *c, struct in_flight *hand, int wake_fd, _Atomic int64_t *beat);
/* Opens a consumer's database, making the read models' file when it is missing. NULL: it cannot be used now. */
struct db *child_open(const struct relay *r, const struct consumer *c, struct arena *m);
/* Reacts until there is nothing left. Answers how many events were handled. */
int child_catch_up(struct db *db, const struct consumer *c, bool *is_sweep_done);

/* checkpointer.c */
int checkpointer_run(const struct relay *r, _Atomic int64_t *beat);
void checkpointer_once(const struct relay *r);

void relay_catch_term(void);                    /* relay.c: from now on SIGTERM and SIGINT set this: */
/* relay.c: SIGTERM has come, or the parent is gone: finish and leave. */
extern volatile sig_atomic_t relay_is_ending;

#endif
