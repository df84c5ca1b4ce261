/*
 * consumer.c - applies one context's policies to the log: each event once, in order per subject.
 *
 * The effect of a policy and the context's position commit together, so a crash repeats nothing and loses nothing, and
 * a second process doing the same work sees the new position. Events are handled in batches, one transaction each. When
 * one fails, the batch is rolled back and handled again one by one; the failing event is parked in event_retry, later
 * events of its subject are parked behind it, other subjects go on. Parked events are retried after growing pauses;
 * after the twelfth failure a person decides (redrive or discard). A policy that crashes the process counts as failed,
 * too (consumer_crash.c).
 */
#include "consumer_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <stdio.h>
#include <string.h>

#define LOOK_AHEAD  2000        /* events without a policy skipped in one step */

static struct arena *memory;    /* of one step; reset at the next */

/* --- one event ---------------------------------------------------------------------------------------------------- */

const struct policy *
policy_for(const struct consumer *c, const char *type)
{
	for (const struct policy *p = c->policy; p->type; p++)
		if (strcmp(p->type, type) == 0)
			return p;
	return NULL;
}

/* Written once its effect is committed. */
static void
log_handled(const struct consumer *c, const struct event *e, int64_t began_us)
{
	struct log_line l;

	log_begin_about(&l, e->subject_id, "handled");
	log_text(&l, "consumer", c->name);
	log_int(&l, "event_id", e->event_id);
	log_text(&l, "type", e->type);
	log_ms(&l, "ms", clock_us() - began_us);
	log_hold(&l);
}

/* NULL: done. Else the error. */
static const char *
call_policy(struct db *db, const struct consumer *c, const struct event *e)
{
	const struct policy *p = policy_for(c, e->type);
	int64_t began_us;
	bool is_done;

	if (!p)
		return NULL;
	poison_act(c, e);
	began_us = clock_us();
	log_request(arena_printf(memory, "event-%lld", (long long)e->event_id));
	log_subject(e->subject_id);
	is_done = p->react(db, e) && !db_failed(db);
	if (is_done)
		log_handled(c, e, began_us);
	log_request(NULL);
	return is_done ? NULL : db_failed(db) ? db_error(db) : "the policy answered no";
}

/* Begins a transaction. false: the consumer is paused. Checked inside it, so that nothing is done after the pause is
 * committed. */
static bool
begin_work(struct db *db, const struct consumer *c)
{
	db_begin(db);
	if (!consumer_is_paused(db, c))
		return true;
	db_rollback(db);
	return false;
}

/* Ends the transaction: commits unless `wrong` is set. NULL: committed. Else the error. */
static const char *
commit_or_undo(struct db *db, const char *wrong)
{
	bool is_done = false;

	if (wrong)
		db_rollback(db);
	else
		is_done = db_commit(db);
	in_flight_end(consumer_in_flight);
	if (is_done || wrong)
		return wrong;
	return db_failed(db) ? db_error(db) : "the policy rolled back";
}

static void
log_failed(const struct consumer *c, const struct event *e, const char *why)
{
	struct log_line l;

	log_request(NULL);
	log_subject(e->subject_id);
	log_begin(&l, LOG_WARN_, "not_handled");
	log_text(&l, "consumer", c->name);
	log_int(&l, "event_id", e->event_id);
	log_text(&l, "type", e->type);
	log_text(&l, "text", why);
	log_end(&l);
	log_request(NULL);
}

/* Keeps the text of the failure, for /ops, before the failure is cleared. */
static const char *
forget(struct db *db, const struct consumer *c, const struct event *e, const char *why)
{
	const char *kept = arena_strdup(db_memory(db), why);

	log_failed(c, e, kept);
	db_fresh(db);
	return kept;
}

/* --- new events --------------------------------------------------------------------------------------------------- */

/*
 * How far the position may move over events without a policy, and whether one with a policy follows. The log is
 * append-only, so this needs no lock.
 */
static int64_t
pass_over(struct db *db, const struct consumer *c, int64_t from, bool *is_wanted)
{
	struct rows *r = db_each(db, "SELECT event_id, type FROM event WHERE event_id > $1 ORDER BY event_id LIMIT $2",
		from, LOOK_AHEAD);

	*is_wanted = false;
	while (!*is_wanted && db_next(r)) {
		*is_wanted = policy_for(c, row_peek(r, 1)) != NULL;
		if (!*is_wanted)
			from = row_int(r, 0);
	}
	db_done(r);
	return from;
}

/* Handles one, or parks it behind an earlier one of its subject. NULL: done. */
static const char *
consume_event(struct db *db, const struct consumer *c, const struct event *e, bool some_are_parked)
{
	if (some_are_parked && policy_for(c, e->type) && consumer_holds(db, c, e)) {
		consumer_park(db, c, e, 0, "");
		return NULL;
	}
	return call_policy(db, c, e);
}

/* A whole batch in one transaction. -1: one failed, and nothing was done. */
static int
take_together(struct db *db, const struct consumer *c, int64_t passed, int batch)
{
	const char *why = NULL;
	struct batch b;
	int64_t at;

	if (!begin_work(db, c))
		return 0;
	at = consumer_position(db, c);
	if (at < passed)
		at = passed;
	b = consumer_events_after(db, at, batch);
	bool some_are_parked = consumer_has_parked(db, c);
	for (int i = 0; i < b.n && !why; i++) {
		in_flight_begin(consumer_in_flight, b.event[i].event_id, b.n > 1 ? b.event[b.n - 1].event_id : 0);
		why = consume_event(db, c, &b.event[i], some_are_parked);
		at = b.event[i].event_id;
	}
	consumer_move(db, c, at);
	if (!commit_or_undo(db, why))
		return b.n;
	db_fresh(db);
	return -1;
}

/* If the position has moved meanwhile, another process has handled it. */
static bool
park_new(struct db *db, const struct consumer *c, const struct event *e, const char *why)
{
	why = forget(db, c, e, why);
	db_begin(db);
	if (consumer_position(db, c) < e->event_id) {
		consumer_park(db, c, e, 1, why);
		consumer_move(db, c, e->event_id);
	}
	return db_commit(db);
}

/* The next one alone: handled, or parked when it fails. false: none is left, or not even parking worked. */
static bool
take_alone(struct db *db, const struct consumer *c)
{
	const char *why;
	struct batch b;

	if (!begin_work(db, c))
		return false;
	b = consumer_events_after(db, consumer_position(db, c), 1);
	if (b.n == 0) {
		db_rollback(db);
		return false;
	}
	in_flight_begin(consumer_in_flight, b.event[0].event_id, 0);
	why = consume_event(db, c, &b.event[0], consumer_has_parked(db, c));
	consumer_move(db, c, b.event[0].event_id);
	why = commit_or_undo(db, why);
	return !why || park_new(db, c, &b.event[0], why);
}

static int
take_new(struct db *db, const struct consumer *c, int batch)
{
	bool is_wanted;
	int64_t from = consumer_position(db, c), passed = pass_over(db, c, from, &is_wanted);
	int n;

	if (db_failed(db) || (passed == from && !is_wanted))
		return 0;
	n = from < consumer_careful_upto() ? -1 : take_together(db, c, passed, batch);
	if (n >= 0)
		return n + (int)(passed - from);
	for (n = 0; n < batch && take_alone(db, c); n++)
		;
	return n;
}

/* --- parked events ------------------------------------------------------------------------------------------------ */

/*
 * The oldest of each subject that is due. A pause longer than the longest possible one comes from a clock that was set
 * back, and is over.
 */
static int
due(struct db *db, const struct consumer *c, struct parked **list, int *n, int limit)
{
	int64_t now = clock_now();

	return db_list(db, &parked_shape, list, n,
		"SELECT r.event_id, r.tries FROM event_retry r WHERE r.consumer = $1 AND r.dead = 0"
		" AND (r.next_at <= $2 OR r.next_at > $3)"
		" AND NOT EXISTS (SELECT 1 FROM event_retry o WHERE o.consumer = r.consumer"
		" AND o.subject_id = r.subject_id"
		"  AND o.event_id < r.event_id)"
		" ORDER BY r.event_id LIMIT $4",
		c->name, now, now + MAX_PAUSE_S, limit);
}

/* Inside the transaction: is it still the oldest of its subject, with the same number of tries? */
static bool
is_still_due(struct db *db, const struct consumer *c, const struct parked *p)
{
	return db_exists(db,
		"SELECT 1 FROM event_retry r WHERE r.consumer = $1 AND r.event_id = $2 AND r.tries = $3 AND r.dead = 0"
		" AND NOT EXISTS (SELECT 1 FROM event_retry o WHERE o.consumer = r.consumer"
		" AND o.subject_id = r.subject_id"
		"  AND o.event_id < r.event_id)",
		c->name, p->event_id, p->tries);
}

static void
note_failure(struct db *db, const struct consumer *c, const struct parked *p, const struct event *e, const char *why)
{
	why = forget(db, c, e, why);
	db_begin(db);
	if (is_still_due(db, c, p))
		consumer_park_again(db, c, p, 1, why);
	db_commit(db);
}

/* true: it took effect, so the next of its subject may be tried at once. */
static bool
take_parked(struct db *db, const struct consumer *c, const struct parked *p, struct event *e)
{
	const char *why;
	struct batch b;

	if (!begin_work(db, c))
		return false;
	b = consumer_events_after(db, p->event_id - 1, 1);
	if (db_failed(db) || b.n == 0 || !is_still_due(db, c, p)) {
		db_rollback(db);
		return false;
	}
	*e = b.event[0];
	in_flight_begin(consumer_in_flight, e->event_id, 0);
	why = call_policy(db, c, e);
	consumer_unpark(db, c, p->event_id);
	why = commit_or_undo(db, why);
	if (why)
		note_failure(db, c, p, e, why);
	return !why;
}

/* The next one of the subject. */
static bool
next_of(struct db *db, const struct consumer *c, const struct event *e, struct parked *p)
{
	return db_one(db, &parked_shape, p,
		"SELECT event_id, tries FROM event_retry WHERE consumer = $1 AND subject_id = $2 AND dead = 0"
		" ORDER BY event_id LIMIT 1",
		c->name, e->subject_id);
}

static int
take_due(struct db *db, const struct consumer *c, int batch)
{
	struct parked *list, p;
	int n, done = 0;
	struct event e;

	if (!consumer_has_parked(db, c))
		return 0;
	due(db, c, &list, &n, batch);
	for (int i = 0; i < n && done < batch && !db_failed(db); i++) {
		p = list[i];
		while (done < batch && take_parked(db, c, &p, &e)) {
			done++;
			if (!next_of(db, c, &e, &p))
				break;
		}
	}
	return done;
}

/* --- what the relay calls ----------------------------------------------------------------------------------------- */

int
consumer_step(struct db *db, const struct consumer *c, int batch)
{
	struct arena *callers = db_memory(db);
	int n;

	if (!memory)
		memory = arena_new(64 << 20);
	arena_reset(memory);
	db_fresh(db);
	db_arena(db, memory);
	if (consumer_is_paused(db, c)) {
		n = 0;
	} else {
		n = take_new(db, c, batch); /* first: a retry that may crash the process comes last */
		n += take_due(db, c, batch);
	}
	db_fresh(db);
	db_arena(db, callers);
	return n;
}

/* --- a sign of life ----------------------------------------------------------------------------------------------- */

static struct {
	void (*fn)(void *arg);
	void *arg;
} listener;

void
consumer_on_alive(void (*fn)(void *arg), void *arg)
{
	listener.fn = fn;
	listener.arg = arg;
}

void
consumer_alive(void)
{
	if (listener.fn)
		listener.fn(listener.arg);
}
