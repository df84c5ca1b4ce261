/*
 * event - the append-only log, which is also the outbox.
 *
 * event_emit() belongs inside the transaction of the change it reports: both are committed or neither. Each subject's
 * events form a hash chain (BLAKE2b over the envelope and the hash before). The relay is woken after the commit. The
 * payloads are listed in docs/events.md; a consumer reads only the members it needs (its own shape).
 */
#ifndef MP_EVENT_H
#define MP_EVENT_H

#include "lib/db/db.h"

struct event {
	int64_t event_id;
	const char *type;               /* "booking.paid" */
	const char *subject_id;         /* correlation key: booking code, "car:12", … ; order is kept per subject */
	int64_t causation_id;           /* the event that led to this one; 0: a person or the clock */
	int64_t actor_id;               /* user_id; 0: the system */
	int64_t occurred_at, recorded_at;
	const char *payload;            /* JSON */
	const char *prev_hash, *hash;
};
extern const struct shape event_shape;

/* Appends {type, subject_id, causation_id, actor_id, occurred_at (0: now)} with the payload written from data's shape.
 * Answers event_id. */
int64_t event_emit(struct db *db, const struct event *e, const struct shape *shape, const void *data);

/* Reads the payload into a struct (members missing in the JSON keep what they hold; STATE from its code, TIME from RFC
 * 3339). false: not readable. */
bool event_read(struct arena *m, const struct event *e, const struct shape *shape, void *out);

/* Every subject's chain, recomputed. 0: intact; else the first event_id that does not follow (changed, replaced, or one
 * before it is missing; only a truncated end cannot be detected). */
int64_t event_chain_broken(struct db *db, int64_t *n_events);

void event_open(struct db *db, const char *var_dir);    /* the wake-up socket; once per connection */

/* --- consuming: one context's policies ---------------------------------------------------------------------------- */

/*
 * A policy runs inside one BEGIN IMMEDIATE together with its context's position. true: done; false (or a sticky
 * failure) rolls back, and the event is retried with growing pauses, holding back only its own subject.
 */
struct policy {
	const char *type;
	bool (*react)(struct db *db, const struct event *e);
};

struct consumer {
	const char *name;               /* the context: booking, fleet … */
	const struct db_role *role;
	const struct policy *policy;    /* ends in an empty one */
	/* Periodic work (holds that expire, refunds to retry): called at least every second, outside a transaction.
	 * true: call it again immediately. May be NULL. */
	bool (*sweep)(struct db *db);
	/* made once per process, before its first event: templates. false: it cannot work now. May be NULL */
	bool (*open)(void);
};

/* NULL: it does not react to such an event */
const struct policy *policy_for(const struct consumer *c, const char *type);

struct in_flight;

/* Handles up to a batch of pending events. Answers how many were handled (0: caught up, or paused). relay and
 * `motorpool demo` call it. */
int consumer_step(struct db *db, const struct consumer *c, int batch);
/* Runs the sweep unless the consumer is paused. true: call it again immediately. */
bool consumer_sweep(struct db *db, const struct consumer *c);
/* Paused by a person (relay_pause in schema.sql): no events and no sweeps until it is resumed. */
bool consumer_is_paused(struct db *db, const struct consumer *c);
/* From now on this process records in h what it handles (in_flight.h; NULL: it does not). First counts the crash that h
 * reports. */
void consumer_watch(struct db *db, const struct consumer *c, struct in_flight *h);
int64_t consumer_lag(struct db *db, const struct consumer *c);  /* events not yet handled */

/* Long work (a whole replay) calls consumer_alive() now and then; the relay's child registers for it, so that its
 * parent does not consider it hung. */
void consumer_alive(void);
void consumer_on_alive(void (*fn)(void *arg), void *arg);

#endif
