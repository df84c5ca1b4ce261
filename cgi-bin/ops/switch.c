/* switch - pause, resume, redrive, discard. The story is in switch.h. */
#include "switch.h"

#include "lib/base/clock.h"
#include "lib/event/event.h"
#include "lib/base/utf8.h"
#include "ops.h"

#include <string.h>

/* --- the record ----------------------------------------------------------------------------------------------------------- */

struct switch_said {
	const char *consumer, *type, *subject_id, *reason, *error;
	int64_t event_id, tries;
};
static const struct member pause_members[] = { SHAPE_TEXT(switch_said, consumer), SHAPE_TEXT(switch_said, reason) };
static const struct member event_members[] = {
	SHAPE_TEXT(switch_said, consumer), SHAPE_INT(switch_said, event_id), SHAPE_TEXT(switch_said, type),
	SHAPE_TEXT(switch_said, subject_id), SHAPE_INT(switch_said, tries), SHAPE_TEXT(switch_said, error), SHAPE_TEXT(switch_said, reason),
};
static const struct shape pause_shape = SHAPE(switch_said, pause_members);
static const struct shape event_said_shape = SHAPE(switch_said, event_members);

static void
record(struct db *db, const char *type, int64_t actor_id, const struct switch_said *said)
{
	event_emit(db, &(struct event){ .type = type, .subject_id = "ops:relay", .actor_id = actor_id },
	           said->event_id ? &event_said_shape : &pause_shape, said);
}

static bool
is_reason(const char *reason)
{
	int n = 0;

	if (!reason || !*reason || !utf8_is_visible_line(reason))
		return false;
	for (const char *s = reason; *s; s += utf8_length(s))
		n++;
	return n <= SWITCH_REASON_MAX;
}

/* --- pause and resume ----------------------------------------------------------------------------------------------------- */

enum switched
relay_pause(struct db *db, const char *consumer, int64_t actor_id, const char *reason)
{
	struct switch_said said = { .consumer = consumer, .reason = reason };
	bool on_view;
	int n;

	if (!ops_is_consumer(consumer, &on_view))
		return SWITCH_UNKNOWN;
	if (!is_reason(reason))
		return SWITCH_NO_REASON;
	db_begin(db);
	n = db_do(db, "INSERT INTO relay_pause (consumer, paused_at, paused_by, reason) VALUES ($1, $2, $3, $4)"
	              " ON CONFLICT (consumer) DO NOTHING", consumer, clock_now(), actor_id, reason);
	if (n == 1)
		record(db, "ops.paused", actor_id, &said);
	return db_commit(db) && n == 1 ? SWITCH_DONE : SWITCH_ALREADY;
}

enum switched
relay_resume(struct db *db, const char *consumer, int64_t actor_id)
{
	struct switch_said said = { .consumer = consumer };
	bool on_view;
	int n;

	if (!ops_is_consumer(consumer, &on_view))
		return SWITCH_UNKNOWN;
	db_begin(db);
	said.reason = db_text(db, "SELECT reason FROM relay_pause WHERE consumer = $1", consumer);
	n = db_do(db, "DELETE FROM relay_pause WHERE consumer = $1", consumer);
	if (n == 1)
		record(db, "ops.resumed", actor_id, &said);
	return db_commit(db) && n == 1 ? SWITCH_DONE : SWITCH_ALREADY;
}

/* --- one event that waits --------------------------------------------------------------------------------------------------- */

static const struct member waits_members[] = {
	SHAPE_TEXT(switch_said, type), SHAPE_TEXT(switch_said, subject_id), SHAPE_INT(switch_said, tries), SHAPE_TEXT(switch_said, error),
};
static const struct shape waits_shape = SHAPE(switch_said, waits_members);

/* Of the file the connection is on. */
static bool
find_waiting(struct db *at, struct switch_said *said)
{
	return db_one(at, &waits_shape, said,
		"SELECT e.type, r.subject_id, r.tries, r.error FROM event_retry r JOIN v_event e ON e.event_id = r.event_id"
		" WHERE r.consumer = $1 AND r.event_id = $2", said->consumer, said->event_id);
}

static void
try_anew(struct db *at, const struct switch_said *said)
{
	db_do(at, "UPDATE event_retry SET dead = 0, tries = 0, next_at = 0 WHERE consumer = $1 AND event_id = $2", said->consumer, said->event_id);
}

static void
let_go(struct db *at, const struct switch_said *said)
{
	db_do(at, "DELETE FROM event_retry WHERE consumer = $1 AND event_id = $2", said->consumer, said->event_id);
}

/* Does it where the event waits and records it in the log: one transaction when that is one file, else one after the other. */
static enum switched
change(struct db *db, struct switch_said *said, int64_t actor_id, void (*act)(struct db *at, const struct switch_said *), const char *type)
{
	struct db *at = db;
	bool on_view, found;

	if (!ops_is_consumer(said->consumer, &on_view))
		return SWITCH_UNKNOWN;
	if (on_view && !(at = ops_view(db)))
		return SWITCH_LATER;
	db_begin(at);
	found = find_waiting(at, said);
	if (found)
		act(at, said);
	if (at != db) {
		found = db_commit(at) && found;
		db_begin(db);
	}
	if (found)
		record(db, type, actor_id, said);
	return db_commit(db) && found ? SWITCH_DONE : SWITCH_ALREADY;
}

enum switched
consumer_redrive(struct db *db, const char *consumer, int64_t event_id, int64_t actor_id)
{
	struct switch_said said = { .consumer = consumer, .event_id = event_id, .reason = "" };

	return change(db, &said, actor_id, try_anew, "ops.redriven");
}

enum switched
consumer_discard(struct db *db, const char *consumer, int64_t event_id, int64_t actor_id, const char *reason)
{
	struct switch_said said = { .consumer = consumer, .event_id = event_id, .reason = reason };

	if (!is_reason(reason))
		return SWITCH_NO_REASON;
	return change(db, &said, actor_id, let_go, "ops.discarded");
}
