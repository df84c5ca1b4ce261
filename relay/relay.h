/*
 * relay - the program that cron starts each minute: it gives the events of the log to the policies of all contexts.
 *
 *	main.c           the consumers, and the command line
 *	relay.c          the parent: runs for a minute and supervises a child for each consumer, and the checkpointer
 *	run_once.c       `relay VAR --once`: handles what there is in one process
 *	leader.c         at most one relay is active; the next one waits as standby
 *	consumer_loop.c  a child's work: react to events, sweep, wait
 *	checkpointer.c   a child that moves the WALs into the database files
 *	wakeup.c         the socket that tells of new events
 *	stop.c           SIGTERM
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
	const struct consumer *const *consumers;        /* ends with NULL */
	int64_t work_ms, grace_ms;      /* how long it runs; how much longer while no standby waits to take over */
};

/* relay.c, run_once.c: return the exit status. */
int relay_run(const struct relay *r);
int relay_run_once(const struct relay *r);

/* leader.c */
/* waits to become the active relay. false: a standby waits already, or SIGTERM came */
bool leader_acquire(const struct relay *r);
bool leader_has_standby(void);                  /* another relay waits to take over */
void leader_heartbeat(void);
void leader_set_member(int i, pid_t pid);       /* 0: the parent, then its children; pid 0: none */
void leader_close_standby(void);                /* in a child */

/* wakeup.c */
int  wakeup_open(const char *var_dir);          /* $VAR/run/relay.wake; -1: none, children find new events by polling */
bool wakeup_drain(int fd);                      /* reads all datagrams; was there any? */

/* consumer_loop.c */

/*
 * Runs one consumer until SIGTERM. in_flight: the record of what it handles (in_flight.h); heartbeat: set to clock_ms()
 * at intervals, for the parent. Returns the exit status; 0: nothing failed, it only has to be restarted.
 */
int consumer_loop(const struct relay *r, const struct consumer *c, struct in_flight *in_flight, int wakeup_fd,
	_Atomic int64_t *heartbeat);
/* Opens a consumer's database; creates the read models' file when it is missing. NULL: it cannot be used now. */
struct db *consumer_db_open(const struct relay *r, const struct consumer *c, struct arena *m);
/* Handles all events there are, then sweeps. Returns the number of events. */
int consumer_catch_up(struct db *db, const struct consumer *c, bool *is_sweep_done);

/* checkpointer.c */
int checkpointer_run(const struct relay *r, _Atomic int64_t *heartbeat);
void checkpointer_run_once(const struct relay *r);

/* stop.c */
void relay_catch_term(void);                    /* from now on SIGTERM and SIGINT set relay_is_stopping */
extern volatile sig_atomic_t relay_is_stopping; /* finish the work in progress and end */

#endif
