/*
 * consumer_park.c - a consumer's position in the log, and its parked events: those that failed, until their pause is
 * over, and those held back behind them (event_retry in schema.sql). All inside the caller's transaction.
 */
#include "consumer_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <stdlib.h>

static const struct member parked_members[] = { SHAPE_INT(parked, event_id), SHAPE_INT(parked, tries) };
const struct shape parked_shape = SHAPE(parked, parked_members);

/* --- the position ------------------------------------------------------------------------------------------------- */

int64_t
consumer_position(struct db *db, const struct consumer *c)
{
	return db_int(db, "SELECT event_id FROM position WHERE consumer = $1", c->name);
}

void
consumer_move(struct db *db, const struct consumer *c, int64_t event_id)
{
	db_do(db,
		"INSERT INTO position (consumer, event_id, moved_at) VALUES ($1, $2, $3)"
		" ON CONFLICT (consumer) DO UPDATE SET event_id = excluded.event_id, moved_at = excluded.moved_at",
		c->name, event_id, clock_now());
}

struct batch
consumer_events_after(struct db *db, int64_t event_id, int limit)
{
	struct batch b = { .n = 0 };

	db_list(db, &event_shape, &b.event, &b.n,
		"SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload,"
		" prev_hash, hash"
		" FROM event WHERE event_id > $1 ORDER BY event_id LIMIT $2",
		event_id, limit);
	return b;
}

int64_t
consumer_lag(struct db *db, const struct consumer *c)
{
	return db_int(db,
		"SELECT coalesce(max(event_id), 0) - coalesce((SELECT event_id FROM position WHERE consumer = $1), 0)"
		" + (SELECT count(*) FROM event_retry WHERE consumer = $1) FROM event",
		c->name);
}

/* --- a person's switch -------------------------------------------------------------------------------------------- */

bool
consumer_is_paused(struct db *db, const struct consumer *c)
{
	return db_exists(db, "SELECT 1 FROM v_relay_pause WHERE consumer = $1", c->name);
}

/* --- events that wait --------------------------------------------------------------------------------------------- */

bool
consumer_has_parked(struct db *db, const struct consumer *c)
{
	return db_exists(db, "SELECT 1 FROM event_retry WHERE consumer = $1 LIMIT 1", c->name);
}

bool
consumer_holds(struct db *db, const struct consumer *c, const struct event *e)
{
	return db_exists(db, "SELECT 1 FROM event_retry WHERE consumer = $1 AND subject_id = $2 LIMIT 1", c->name,
		e->subject_id);
}

/* 1 s, 2, 4 … 256, 300, 300. Shorter in fault experiments. */
static int64_t
pause_after(int64_t tries)
{
#ifdef MOTORPOOL_FAULTS
	if (getenv("MOTORPOOL_SHORT_PAUSES"))
		return 0;
#endif
	return tries > 9 ? MAX_PAUSE_S : (int64_t)1 << (tries - 1);
}

void
consumer_park(struct db *db, const struct consumer *c, const struct event *e, int64_t tries, const char *error)
{
	db_do(db,
		"INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, error)"
		" VALUES ($1, $2, $3, $4, $5, $6)",
		c->name, e->event_id, e->subject_id, tries, clock_now() + (tries ? pause_after(tries) : 0), error);
}

void
consumer_park_again(struct db *db, const struct consumer *c, const struct parked *was, int n_tries, const char *error)
{
	int64_t tries = was->tries + n_tries;

	db_do(db,
		"UPDATE event_retry SET tries = $3, next_at = $4, error = $5, dead = $6 WHERE consumer = $1"
		" AND event_id = $2",
		c->name, was->event_id, tries, clock_now() + pause_after(tries), error, tries >= MAX_TRIES);
	if (tries >= MAX_TRIES)
		log_error("consumer", "%s: event %lld is given up: %s", c->name, (long long)was->event_id, error);
}

void
consumer_unpark(struct db *db, const struct consumer *c, int64_t event_id)
{
	db_do(db, "DELETE FROM event_retry WHERE consumer = $1 AND event_id = $2", c->name, event_id);
}
