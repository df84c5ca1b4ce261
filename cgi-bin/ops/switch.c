/* switch - pause, resume, redrive and discard. */
#include "switch.h"

#include "lib/base/clock.h"
#include "lib/event/event.h"
#include "lib/base/utf8.h"
#include "ops.h"

#include <string.h>

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

/* --- pause and resume --------------------------------------------------------------------------------------------- */

enum switch_outcome
relay_pause(struct db *db, const char *consumer, int64_t actor_id, const char *reason)
{
	struct switch_payload p = { .consumer = consumer, .note = reason };
	bool on_view;
	int n;

	if (!ops_is_consumer(consumer, &on_view))
		return SWITCH_UNKNOWN;
	if (!is_reason(reason))
		return SWITCH_NO_REASON;
	db_begin(db);
	n = db_do(db,
		"INSERT INTO relay_pause (consumer, paused_at, paused_by, reason) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (consumer) DO NOTHING",
		consumer, clock_now(), actor_id, reason);
	if (n == 1)
		ops_report_switch(db, EVENT_OPS_PAUSED, actor_id, &p);
	return db_commit(db) && n == 1 ? SWITCH_DONE : SWITCH_ALREADY;
}

enum switch_outcome
relay_resume(struct db *db, const char *consumer, int64_t actor_id)
{
	struct switch_payload p = { .consumer = consumer };
	bool on_view;
	int n;

	if (!ops_is_consumer(consumer, &on_view))
		return SWITCH_UNKNOWN;
	db_begin(db);
	p.note = db_text(db, "SELECT reason FROM relay_pause WHERE consumer = $1", consumer);
	n = db_do(db, "DELETE FROM relay_pause WHERE consumer = $1", consumer);
	if (n == 1)
		ops_report_switch(db, EVENT_OPS_RESUMED, actor_id, &p);
	return db_commit(db) && n == 1 ? SWITCH_DONE : SWITCH_ALREADY;
}

/* --- an event that waits ------------------------------------------------------------------------------------------ */

static const struct member waits_members[] = {
	SHAPE_TEXT(switch_payload, type), SHAPE_TEXT(switch_payload, subject_id), SHAPE_INT(switch_payload, tries),
	SHAPE_TEXT(switch_payload, error),
};
static const struct shape waits_shape = SHAPE(switch_payload, waits_members);

/* Of the file the connection is on. */
static bool
find_waiting(struct db *at, struct switch_payload *p)
{
	return db_one(at, &waits_shape, p,
		"SELECT e.type, r.subject_id, r.tries, r.error FROM event_retry r JOIN v_event e"
		" ON e.event_id = r.event_id"
		" WHERE r.consumer = $1 AND r.event_id = $2",
		p->consumer, p->event_id);
}

static void
reset_retry(struct db *at, const struct switch_payload *p)
{
	db_do(at, "UPDATE event_retry SET dead = 0, tries = 0, next_at = 0 WHERE consumer = $1 AND event_id = $2",
		p->consumer, p->event_id);
}

static void
delete_retry(struct db *at, const struct switch_payload *p)
{
	db_do(at, "DELETE FROM event_retry WHERE consumer = $1 AND event_id = $2", p->consumer, p->event_id);
}

/* Changes the file where the event waits, and reports it in the log: in one transaction when that is one file, else in
 * two. */
static enum switch_outcome
change_retry(struct db *db, struct switch_payload *p, int64_t actor_id,
	void (*change)(struct db *at, const struct switch_payload *), enum event_type_id type)
{
	struct db *at = db;
	bool on_view, found;

	if (!ops_is_consumer(p->consumer, &on_view))
		return SWITCH_UNKNOWN;
	if (on_view && !(at = ops_view(db)))
		return SWITCH_LATER;
	db_begin(at);
	found = find_waiting(at, p);
	if (found)
		change(at, p);
	if (at != db) {
		found = db_commit(at) && found;
		db_begin(db);
	}
	if (found)
		ops_report_switch(db, type, actor_id, p);
	return db_commit(db) && found ? SWITCH_DONE : SWITCH_ALREADY;
}

enum switch_outcome
consumer_redrive(struct db *db, const char *consumer, int64_t event_id, int64_t actor_id)
{
	struct switch_payload p = { .consumer = consumer, .event_id = event_id, .note = "" };

	return change_retry(db, &p, actor_id, reset_retry, EVENT_OPS_REDRIVEN);
}

enum switch_outcome
consumer_discard(struct db *db, const char *consumer, int64_t event_id, int64_t actor_id, const char *reason)
{
	struct switch_payload p = { .consumer = consumer, .event_id = event_id, .note = reason };

	if (!is_reason(reason))
		return SWITCH_NO_REASON;
	return change_retry(db, &p, actor_id, delete_retry, EVENT_OPS_DISCARDED);
}
