/*
 * replay - making the read models again from the log.
 *
 * A replay runs inside the file in use, in one write transaction: until it commits, everybody sees the old rows, and nobody has to
 * open anything again. The relay's own reactions queue behind it and then go on from the new position.
 */
#include "replay.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 1000            /* events in memory */

/* --- one event ------------------------------------------------------------------------------------------------------ */

static const struct policy *
policy_for(const char *type)
{
	for (const struct policy *p = mypage_consumer.policy; p->type; p++)
		if (strcmp(p->type, type) == 0)
			return p;
	return NULL;
}

static void
set_aside(struct replay *r, const struct event *e, int tries, const char *error)
{
	r->n_aside++;
	db_do(r->db,
		"INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, error) VALUES ($1, $2, $3, $4, $5, $6)",
		mypage_consumer.name, e->event_id, e->subject_id, tries, clock_now(), error);
}

static bool
waits_behind(struct replay *r, const struct event *e)
{
	return r->n_aside > 0 && db_exists(r->db,
		"SELECT 1 FROM event_retry WHERE consumer = $1 AND subject_id = $2", mypage_consumer.name, e->subject_id);
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
take(struct replay *r, const struct event *e)
{
	const struct policy *p = policy_for(e->type);

	if (!p || is_skipped(r, e->event_id))
		return;
	if (waits_behind(r, e))
		set_aside(r, e, 0, "");
	else if (!p->react(r->db, e) && !db_failed(r->db))
		set_aside(r, e, 1, "the policy answered no");
}

/* --- the log, batch by batch ---------------------------------------------------------------------------------------- */

/* 0: the log is at its end. */
static int
take_batch(struct replay *r)
{
	struct event *e = NULL;
	int n = 0;

	arena_reset(r->m);
	db_list(r->db, &event_shape, &e, &n,
		"SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload FROM v_event"
		" WHERE event_id > $1 AND event_id <= $2 ORDER BY event_id LIMIT $3", r->at, r->upto, AT_ONCE);
	for (int i = 0; i < n && !db_failed(r->db); i++) {
		take(r, &e[i]);
		r->at = e[i].event_id;
	}
	r->n_events += n;
	return db_failed(r->db) ? 0 : n;
}

void
replay_take_all(struct replay *r)
{
	while (take_batch(r) > 0)
		if (r->progress)
			r->progress(r->arg, r->at, r->upto);
}

static int64_t
log_end(struct db *db)
{
	return db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event");
}

static void
forget_all(struct db *db)
{
	db_do(db, "DELETE FROM my_event");
	db_do(db, "DELETE FROM my_booking_line");
	db_do(db, "DELETE FROM my_booking_car");
	db_do(db, "DELETE FROM my_delivery");
	db_do(db, "DELETE FROM my_order");
	db_do(db, "DELETE FROM my_message");
	db_do(db, "DELETE FROM my_booking");
	db_do(db, "DELETE FROM view_car");
	db_do(db, "DELETE FROM event_retry WHERE consumer = $1", mypage_consumer.name);
}

static void
stand_at(struct db *db, int64_t event_id)
{
	db_do(db,
		"INSERT INTO position (consumer, event_id, moved_at) VALUES ($1, $2, $3)"
		" ON CONFLICT (consumer) DO UPDATE SET event_id = $2, moved_at = $3", mypage_consumer.name, event_id, clock_now());
}

/* --- replay ---------------------------------------------------------------------------------------------------------- */

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
	static char said[400];

	snprintf(said, sizeof(said), "%s", db_error(db));
	return said;
}

/* One transaction: the old rows or the new ones. -1: the old ones. */
static int64_t
remake(struct replay *r)
{
	db_begin(r->db);
	r->upto = log_end(r->db);
	forget_all(r->db);
	replay_take_all(r);
	stand_at(r->db, r->at);
	return db_commit(r->db) ? r->n_events : -1;
}

int64_t
view_replay(const char *root_dir, const char *var_dir, view_progress_fn *progress, void *arg, const char **why)
{
	struct replay r = { .m = arena_new((size_t)256 << 20), .progress = progress, .arg = arg };
	int64_t n;

	if (!replay_make_file(root_dir, var_dir, why) || !(r.db = db_open(var_dir, &mypage_role, r.m, why)))
		return -1;
	n = remake(&r);
	if (n < 0)
		*why = replay_error(r.db);
	db_close(r.db);
	return n;
}

/* The relay takes whoever is silent for a minute for dead, and a long log takes longer. */
static void
sign_of_life(void *arg, int64_t done, int64_t total)
{
	(void)arg, (void)done, (void)total;
	consumer_alive();
}

int64_t
view_remake(struct db *db)
{
	static struct arena *m;
	struct replay r = { .db = db, .progress = sign_of_life };
	struct arena *callers = db_memory(db);
	int64_t n;

	if (!m)
		m = arena_new((size_t)256 << 20);
	r.m = m;
	db_arena(db, m);
	n = remake(&r);
	db_arena(db, callers);
	arena_reset(m);
	return n;
}
