/* log - the event log, by type or subject. */
#include "ops.h"

#define SEARCHED_EVENTS 200000  /* at a time, for a rare type */

#define COLUMNS \
	"SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload, prev_hash," \
	" hash FROM v_event"

static int
read_log_page(struct db *db, const struct ops_query *q, int64_t before, int64_t limit, struct event **events)
{
	const char *type = db_begins(db, q->type);
	int n = 0;

	if (*q->subject)
		return db_list(db, &event_shape, events, &n,
			COLUMNS " WHERE subject_id = $1 AND event_id < $2 AND lower(type) LIKE $3 ESCAPE '\\'"
				" ORDER BY event_id DESC LIMIT $4",
			q->subject, before, type, limit);
	return db_list(db, &event_shape, events, &n,
		COLUMNS
		" WHERE event_id < $1 AND event_id >= $2 AND lower(type) LIKE $3 ESCAPE '\\' ORDER BY event_id DESC"
		" LIMIT $4",
		before, before - SEARCHED_EVENTS, type, limit);
}

int
ops_events(struct db *db, const struct ops_query *q, struct event **events, int64_t *next_before)
{
	int64_t before = q->before > 0 ? q->before : db_int(db, "SELECT COALESCE(MAX(event_id), 0) + 1 FROM v_event");
	int n = read_log_page(db, q, before, q->limit + 1, events);

	*next_before = 0;
	if (n > q->limit) {
		n = (int)q->limit;
		*next_before = (*events)[n - 1].event_id;
	} else if (!*q->subject && before > SEARCHED_EVENTS + 1) {
		*next_before = before - SEARCHED_EVENTS;
	}
	return n;
}
