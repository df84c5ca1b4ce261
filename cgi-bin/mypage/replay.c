/*
 * replay - makes the read models again from the event log.
 *
 * A replay runs in the file in use, in one write transaction: until it commits, readers see the old rows, and no
 * connection has to be opened again. The relay's reactions wait for the lock and then continue from the new position.
 */
#include "replay.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 1000            /* events in memory */

/* --- one event ---------------------------------------------------------------------------------------------------- */

static const struct policy *
reaction_to(const char *type)
{
	for (const struct policy *p = mypage_policies; p->type; p++)
		if (strcmp(p->type, type) == 0)
			return p;
	return NULL;
}

static void
put_aside(struct replay *r, const struct event *e, int tries, const char *error)
{
	r->n_aside++;
	db_do(r->db,
		"INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, error)"
		" VALUES ('mypage', $1, $2, $3, $4, $5)",
		e->event_id, e->subject_id, tries, clock_now(), error);
}

static bool
waits_behind(struct replay *r, const struct event *e)
{
	return r->n_aside > 0
		&& db_exists(r->db, "SELECT 1 FROM event_retry WHERE consumer = 'mypage' AND subject_id = $1",
			e->subject_id);
}

static int
by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
is_skipped(const struct replay *r, int64_t event_id)
{
	return r->n_skipped && bsearch(&event_id, r->skipped, (size_t)r->n_skipped, sizeof(event_id), by_number);
}

static void
replay_event(struct replay *r, const struct event *e)
{
	const struct policy *p = reaction_to(e->type);

	if (!p || is_skipped(r, e->event_id))
		return;
	if (waits_behind(r, e))
		put_aside(r, e, 0, "");
	else if (!p->react(r->db, e) && !db_failed(r->db))
		put_aside(r, e, 1, "the reaction failed");
}

/* --- the log, batch by batch -------------------------------------------------------------------------------------- */

/* 0: the log is at its end. */
static int
replay_batch(struct replay *r)
{
	struct event *e = NULL;
	int n = 0;

	arena_reset(r->m);
	db_list(r->db, &event_shape, &e, &n,
		"SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload"
		" FROM v_event"
		" WHERE event_id > $1 AND event_id <= $2 ORDER BY event_id LIMIT $3",
		r->at, r->upto, AT_ONCE);
	for (int i = 0; i < n && !db_failed(r->db); i++) {
		replay_event(r, &e[i]);
		r->at = e[i].event_id;
	}
	r->n_events += n;
	return db_failed(r->db) ? 0 : n;
}

void
replay_events(struct replay *r)
{
	while (replay_batch(r) > 0)
		if (r->progress)
			r->progress(r->arg, r->at, r->upto);
}

static int64_t
last_event_id(struct db *db)
{
	return db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event");
}

static void
delete_rows(struct db *db)
{
	db_do(db, "DELETE FROM my_event");
	db_do(db, "DELETE FROM my_booking_line");
	db_do(db, "DELETE FROM my_booking_car");
	db_do(db, "DELETE FROM my_delivery");
	db_do(db, "DELETE FROM my_order");
	db_do(db, "DELETE FROM my_message");
	db_do(db, "DELETE FROM my_booking");
	db_do(db, "DELETE FROM view_car");
	db_do(db, "DELETE FROM event_retry WHERE consumer = 'mypage'");
}

static void
move_to(struct db *db, int64_t event_id)
{
	db_do(db,
		"INSERT INTO position (consumer, event_id, moved_at) VALUES ('mypage', $1, $2)"
		" ON CONFLICT (consumer) DO UPDATE SET event_id = $1, moved_at = $2",
		event_id, clock_now());
}

/* --- replay ------------------------------------------------------------------------------------------------------- */

bool
replay_make_file(const char *root_dir, const char *var_dir, const char **why)
{
	char schema[4096], view[4096];

	snprintf(schema, sizeof(schema), "%s/db/schema.sql", root_dir);
	snprintf(view, sizeof(view), "%s/db/view.sql", root_dir);
	return db_create(var_dir, schema, view, why);
}

const char *
replay_error(struct db *db)
{
	static char error[400];

	snprintf(error, sizeof(error), "%s", db_error(db));
	return error;
}

/* In one transaction. -1: it failed, and the old rows stay. */
static int64_t
replay_all(struct replay *r)
{
	db_begin(r->db);
	r->upto = last_event_id(r->db);
	delete_rows(r->db);
	replay_events(r);
	move_to(r->db, r->at);
	return db_commit(r->db) ? r->n_events : -1;
}

int64_t
view_replay(const char *root_dir, const char *var_dir, view_progress_fn *progress, void *arg, const char **why)
{
	struct replay r = { .m = arena_new(REPLAY_ARENA), .progress = progress, .arg = arg };
	int64_t n;

	if (!replay_make_file(root_dir, var_dir, why) || !(r.db = db_open(var_dir, &mypage_role, r.m, why)))
		return -1;
	n = replay_all(&r);
	if (n < 0)
		*why = replay_error(r.db);
	db_close(r.db);
	return n;
}

/* The relay kills a child that is silent for a minute; a long log takes longer. */
static void
heartbeat(void *arg, int64_t done, int64_t total)
{
	(void)arg, (void)done, (void)total;
	consumer_alive();
}

int64_t
view_remake(struct db *db)
{
	static struct arena *m;
	struct replay r = { .db = db, .progress = heartbeat };
	struct arena *callers = db_memory(db);
	int64_t n;

	if (!m)
		m = arena_new(REPLAY_ARENA);
	r.m = m;
	db_arena(db, m);
	n = replay_all(&r);
	db_arena(db, callers);
	arena_reset(m);
	return n;
}

/* --- is the log behind? ------------------------------------------------------------------------------------------- */

/*
 * Is the event with this number another one than the rows were made from? Each event of a known booking left its line
 * in my_event, or waits. It is another when the log lost its end in a power cut and has grown past mypage's position
 * since.
 */
static bool
is_another_event(struct db *db, int64_t event_id)
{
	const char *type = db_text(db, "SELECT type FROM v_event WHERE event_id = $1", event_id);

	return type && words_find(&customer_event_words, type) >= 0
		&& db_exists(db,
			"SELECT 1 FROM v_event e WHERE e.event_id = $1"
			" AND (e.type = 'booking.held' OR EXISTS (SELECT 1 FROM my_booking b"
			" WHERE b.code = e.subject_id))"
			" AND NOT EXISTS (SELECT 1 FROM my_event m WHERE m.code = e.subject_id"
			" AND m.event_id = e.event_id AND m.type = e.type"
			"  AND m.occurred_at = e.occurred_at)"
			" AND NOT EXISTS (SELECT 1 FROM event_retry r WHERE r.consumer = 'mypage'"
			" AND r.event_id = e.event_id)",
			event_id);
}

/* The position is read first: both only grow meanwhile. */
bool
view_is_ahead(struct db *db)
{
	int64_t at = db_int(db, "SELECT event_id FROM position WHERE consumer = 'mypage'");

	return db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event") < at || is_another_event(db, at);
}
