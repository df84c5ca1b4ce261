/*
 * consumer.c - one context's policies applied to the log, each event once, in its subject's order.
 *
 * The effect of a policy and the context's position commit together, so a crash repeats nothing and loses nothing, and two
 * processes doing the same work find each other's position when their turn comes. Events are taken many to a transaction.
 * When one fails, all of them are rolled back and taken again one by one; the one that fails is parked in event_retry, later
 * events of its subject are parked behind it, other subjects go on. Parked events are tried again after growing pauses; the
 * twelfth failure is the last, and a person decides (redrive).
 */
#include "event.h"

#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

#define MAX_PAUSE_S 300
#define MAX_TRIES   12
#define LOOK_AHEAD  2000        /* events of no interest passed over in one step */

static struct arena *memory;    /* of one step: whatever the policies make is gone with the next */

struct batch {
	struct event *event;
	int n;
};

struct parked {
	int64_t event_id, tries;
};
static const struct member parked_members[] = { SHAPE_INT(parked, event_id), SHAPE_INT(parked, tries) };
static const struct shape parked_shape = SHAPE(parked, parked_members);

/* --- one event ---------------------------------------------------------------------------------------------------- */

static const struct policy *
policy_for(const struct consumer *c, const char *type)
{
	for (const struct policy *p = c->policy; p->type; p++)
		if (strcmp(p->type, type) == 0)
			return p;
	return NULL;
}

/* NULL: done. Else why not. */
static const char *
react(struct db *db, const struct consumer *c, const struct event *e)
{
	const struct policy *p = policy_for(c, e->type);

	if (!p || (p->react(db, e) && !db_failed(db)))
		return NULL;
	return db_failed(db) ? db_error(db) : "the policy answered no";
}

/* 1 s, 2, 4 … 256, 300, 300 */
static int64_t
pause_after(int64_t tries)
{
	return tries > 9 ? MAX_PAUSE_S : (int64_t)1 << (tries - 1);
}

/* Ends the transaction: commits unless something was wrong. NULL: committed. Else why not. */
static const char *
settle(struct db *db, const char *wrong)
{
	if (wrong) {
		db_rollback(db);
		return wrong;
	}
	if (db_commit(db))
		return NULL;
	return db_failed(db) ? db_error(db) : "the policy rolled back";
}

/* --- the position ------------------------------------------------------------------------------------------------- */

static int64_t
position(struct db *db, const struct consumer *c)
{
	return db_int(db, "SELECT event_id FROM position WHERE consumer = $1", c->name);
}

static void
move_position(struct db *db, const struct consumer *c, int64_t event_id)
{
	db_do(db, "INSERT INTO position (consumer, event_id, moved_at) VALUES ($1, $2, $3)"
	          " ON CONFLICT (consumer) DO UPDATE SET event_id = excluded.event_id, moved_at = excluded.moved_at",
	      c->name, event_id, clock_now());
}

/* --- parking ------------------------------------------------------------------------------------------------------ */

static bool
has_parked(struct db *db, const struct consumer *c)
{
	return db_exists(db, "SELECT 1 FROM event_retry WHERE consumer = $1 LIMIT 1", c->name);
}

static bool
is_held(struct db *db, const struct consumer *c, const struct event *e)
{
	return db_exists(db, "SELECT 1 FROM event_retry WHERE consumer = $1 AND subject_id = $2 LIMIT 1", c->name, e->subject_id);
}

static void
park(struct db *db, const struct consumer *c, const struct event *e, int64_t tries, const char *error)
{
	db_do(db, "INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, error) VALUES ($1, $2, $3, $4, $5, $6)",
	      c->name, e->event_id, e->subject_id, tries, clock_now() + (tries ? pause_after(tries) : 0), error);
}

static void
park_again(struct db *db, const struct consumer *c, const struct parked *was, const char *error)
{
	int64_t tries = was->tries + 1;

	db_do(db, "UPDATE event_retry SET tries = $3, next_at = $4, error = $5, dead = $6 WHERE consumer = $1 AND event_id = $2",
	      c->name, was->event_id, tries, clock_now() + pause_after(tries), error, tries >= MAX_TRIES);
}

/* What failed is kept as a text before the failure is forgotten: the page of errors shows it. */
static const char *
forget(struct db *db, const struct consumer *c, const struct event *e, const char *why)
{
	const char *kept = arena_strdup(memory, why);

	log_warn("consumer", "%s: event %lld %s failed: %s", c->name, (long long)e->event_id, e->type, kept);
	db_fresh(db);
	return kept;
}

/* --- new events --------------------------------------------------------------------------------------------------- */

/*
 * How far the position may move over events nobody here wants, and whether one follows that is wanted. The log never changes,
 * so this needs no lock.
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

static struct batch
events_after(struct db *db, int64_t event_id, int limit)
{
	struct batch b = { .n = 0 };

	db_list(db, &event_shape, &b.event, &b.n,
	        "SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload, prev_hash, hash"
	        " FROM event WHERE event_id > $1 ORDER BY event_id LIMIT $2", event_id, limit);
	return b;
}

/* Reacts to one, or parks it behind an earlier one of its subject. NULL: done. */
static const char *
take(struct db *db, const struct consumer *c, const struct event *e, bool some_are_parked)
{
	if (some_are_parked && policy_for(c, e->type) && is_held(db, c, e)) {
		park(db, c, e, 0, "");
		return NULL;
	}
	return react(db, c, e);
}

/* All of them in one transaction. -1: one failed, and nothing was done. */
static int
take_together(struct db *db, const struct consumer *c, int64_t passed, int batch)
{
	const char *why = NULL;
	struct batch b;
	int64_t at;

	db_begin(db);
	at = position(db, c);
	if (at < passed)
		at = passed;
	b = events_after(db, at, batch);
	bool some_are_parked = has_parked(db, c);
	for (int i = 0; i < b.n && !why; i++) {
		why = take(db, c, &b.event[i], some_are_parked);
		at = b.event[i].event_id;
	}
	move_position(db, c, at);
	if (!settle(db, why))
		return b.n;
	db_fresh(db);
	return -1;
}

/* The position may have moved meanwhile: then somebody else came by. */
static bool
park_new(struct db *db, const struct consumer *c, const struct event *e, const char *why)
{
	why = forget(db, c, e, why);
	db_begin(db);
	if (position(db, c) < e->event_id) {
		park(db, c, e, 1, why);
		move_position(db, c, e->event_id);
	}
	return db_commit(db);
}

/* The next one alone: handled, or parked when it fails. false: none is left, or not even parking worked. */
static bool
take_alone(struct db *db, const struct consumer *c)
{
	const char *why;
	struct batch b;

	db_begin(db);
	b = events_after(db, position(db, c), 1);
	if (b.n == 0) {
		db_rollback(db);
		return false;
	}
	why = take(db, c, &b.event[0], has_parked(db, c));
	move_position(db, c, b.event[0].event_id);
	why = settle(db, why);
	return !why || park_new(db, c, &b.event[0], why);
}

static int
take_new(struct db *db, const struct consumer *c, int batch)
{
	bool is_wanted;
	int64_t from = position(db, c), passed = pass_over(db, c, from, &is_wanted);
	int n;

	if (db_failed(db) || (passed == from && !is_wanted))
		return 0;
	n = take_together(db, c, passed, batch);
	if (n >= 0)
		return n + (int)(passed - from);
	for (n = 0; n < batch && take_alone(db, c); n++)
		;
	return n;
}

/* --- parked events ------------------------------------------------------------------------------------------------ */

/*
 * The oldest of each subject that is due. A pause longer than the longest there is comes from a clock that was set back:
 * it is over.
 */
static int
due(struct db *db, const struct consumer *c, struct parked **list, int *n, int limit)
{
	int64_t now = clock_now();

	return db_list(db, &parked_shape, list, n,
		"SELECT r.event_id, r.tries FROM event_retry r WHERE r.consumer = $1 AND r.dead = 0"
		" AND (r.next_at <= $2 OR r.next_at > $3)"
		" AND NOT EXISTS (SELECT 1 FROM event_retry o WHERE o.consumer = r.consumer AND o.subject_id = r.subject_id"
		"  AND o.event_id < r.event_id)"
		" ORDER BY r.event_id LIMIT $4", c->name, now, now + MAX_PAUSE_S, limit);
}

/* Inside the transaction: is it still the oldest of its subject, still as often tried? */
static bool
is_still_due(struct db *db, const struct consumer *c, const struct parked *p)
{
	return db_exists(db,
		"SELECT 1 FROM event_retry r WHERE r.consumer = $1 AND r.event_id = $2 AND r.tries = $3 AND r.dead = 0"
		" AND NOT EXISTS (SELECT 1 FROM event_retry o WHERE o.consumer = r.consumer AND o.subject_id = r.subject_id"
		"  AND o.event_id < r.event_id)", c->name, p->event_id, p->tries);
}

static void
unpark(struct db *db, const struct consumer *c, int64_t event_id)
{
	db_do(db, "DELETE FROM event_retry WHERE consumer = $1 AND event_id = $2", c->name, event_id);
}

static void
note_failure(struct db *db, const struct consumer *c, const struct parked *p, const struct event *e, const char *why)
{
	why = forget(db, c, e, why);
	db_begin(db);
	if (is_still_due(db, c, p)) {
		park_again(db, c, p, why);
		if (p->tries + 1 >= MAX_TRIES)
			log_error("consumer", "%s: event %lld %s is given up", c->name, (long long)e->event_id, e->type);
	}
	db_commit(db);
}

/* true: it took effect, so the next of its subject may be tried at once. */
static bool
take_parked(struct db *db, const struct consumer *c, const struct parked *p, struct event *e)
{
	const char *why;
	struct batch b;

	db_begin(db);
	b = events_after(db, p->event_id - 1, 1);
	if (db_failed(db) || b.n == 0 || !is_still_due(db, c, p)) {
		db_rollback(db);
		return false;
	}
	*e = b.event[0];
	why = react(db, c, e);
	unpark(db, c, p->event_id);
	why = settle(db, why);
	if (why)
		note_failure(db, c, p, e, why);
	return !why;
}

/* The one waiting behind: the oldest of the subject now. */
static bool
next_of(struct db *db, const struct consumer *c, const struct event *e, struct parked *p)
{
	return db_one(db, &parked_shape, p,
		"SELECT event_id, tries FROM event_retry WHERE consumer = $1 AND subject_id = $2 AND dead = 0 ORDER BY event_id LIMIT 1",
		c->name, e->subject_id);
}

static int
take_due(struct db *db, const struct consumer *c, int batch)
{
	struct parked *list, p;
	int n, done = 0;
	struct event e;

	if (!has_parked(db, c))
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
	n = take_due(db, c, batch);
	n += take_new(db, c, batch);
	db_fresh(db);
	db_arena(db, callers);
	return n;
}

int64_t
consumer_lag(struct db *db, const struct consumer *c)
{
	return db_int(db, "SELECT coalesce(max(event_id), 0) - coalesce((SELECT event_id FROM position WHERE consumer = $1), 0)"
	                  " + (SELECT count(*) FROM event_retry WHERE consumer = $1) FROM event", c->name);
}
