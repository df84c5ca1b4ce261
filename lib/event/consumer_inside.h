/*
 * consumer_inside - what the consumer_*.c files share. Not included elsewhere.
 *
 *	consumer.c        one step: events that are due again, then new ones
 *	consumer_park.c   the position, and the events that wait
 *	consumer_crash.c  a policy that crashed its process; sweeps
 *	poison.c          in builds with FAULTS=1: policies that break on purpose
 */
#ifndef MP_CONSUMER_INSIDE_H
#define MP_CONSUMER_INSIDE_H

#include "event.h"
#include "in_flight.h"

#define MAX_PAUSE_S 300
#define MAX_TRIES   12

struct batch {
	struct event *event;
	int n;
};

struct parked {
	int64_t event_id, tries;
};
extern const struct shape parked_shape;

/* consumer_park.c */
int64_t consumer_position(struct db *db, const struct consumer *c);
void consumer_move(struct db *db, const struct consumer *c, int64_t event_id);
struct batch consumer_events_after(struct db *db, int64_t event_id, int limit);
bool consumer_has_parked(struct db *db, const struct consumer *c);
/* an earlier event of its subject is parked */
bool consumer_holds(struct db *db, const struct consumer *c, const struct event *e);
void consumer_park(struct db *db, const struct consumer *c, const struct event *e, int64_t tries, const char *error);
/* n_tries: how many tries this failure counts as. */
void consumer_park_again(struct db *db, const struct consumer *c, const struct parked *was, int n_tries,
	const char *error);
void consumer_unpark(struct db *db, const struct consumer *c, int64_t event_id);

/* consumer_crash.c: where this process records what it handles; NULL: nowhere. */
extern struct in_flight *consumer_in_flight;
/* Up to this event one by one; 0: in batches. */
int64_t consumer_careful_upto(void);

/* poison.c */
#ifdef MOTORPOOL_FAULTS
void poison_act(const struct consumer *c, const struct event *e);
#else
static inline void poison_act(const struct consumer *c, const struct event *e) { (void)c; (void)e; }
#endif

#endif
