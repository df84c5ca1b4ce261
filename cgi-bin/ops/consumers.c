/* consumers - the consumers of events: how far each is, what waits for a retry, and dead letters. */
#include "ops.h"

#include "lib/base/clock.h"
#include "lib/base/settings.h"

#include <string.h>
#include <sys/stat.h>

static const struct db_role view_role = { .name = "ops", .owns = "event_retry", .on_view = true };

/* --- the read models' file ---------------------------------------------------------------------------------------- */

/* A second connection; NULL while the file is missing, and opened again when the file has been replaced. */
struct db *
ops_view(struct db *db)
{
	static struct db *view;
	static ino_t opened;
	struct stat st = { 0 };
	const char *why;

	if (stat(arena_printf(db_memory(db), "%s/view.db", settings.var_dir), &st) != 0)
		st.st_ino = 0;
	if (view && (st.st_ino != opened || db_failed(view))) {
		db_close(view);
		view = NULL;
	}
	if (!view && st.st_ino)
		view = db_open(settings.var_dir, &view_role, db_memory(db), &why);
	opened = st.st_ino;
	if (view) {
		db_fresh(view);
		db_arena(view, db_memory(db));
	}
	return view;
}

/* --- consumers ---------------------------------------------------------------------------------------------------- */

static const struct member consumer_members[] = {
	SHAPE_TEXT(ops_consumer, name), SHAPE_BOOL(ops_consumer, is_known), SHAPE_INT(ops_consumer, event_id),
	SHAPE_TIME(ops_consumer, moved_at), SHAPE_INT(ops_consumer, n_behind), SHAPE_INT(ops_consumer, behind_s),
	SHAPE_INT(ops_consumer, n_waiting), SHAPE_INT(ops_consumer, n_dead), SHAPE_BOOL(ops_consumer, is_paused),
	SHAPE_TIME(ops_consumer, paused_at), SHAPE_INT(ops_consumer, paused_by), SHAPE_TEXT(ops_consumer, pause_reason),
};
const struct shape ops_consumer_shape = SHAPE(ops_consumer, consumer_members);

bool
ops_is_consumer(const char *name, bool *on_view)
{
	const struct context *c = context_find(name);

	if (!c || !c->reacts)
		return false;
	if (on_view)
		*on_view = c->on_view;
	return true;
}

/* position and event_retry are the tables of the file the connection is on. */
static void
read_consumer(struct db *db, int64_t now, struct ops_consumer *c)
{
	struct rows *r = db_each(db, "SELECT event_id, moved_at FROM position WHERE consumer = $1", c->name);
	int64_t oldest;

	if (db_next(r)) {
		c->event_id = row_int(r, 0);
		c->moved_at = row_int(r, 1);
	}
	db_done(r);
	c->n_behind = db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event") - c->event_id;
	oldest = db_int(
		db, "SELECT recorded_at FROM v_event WHERE event_id > $1 ORDER BY event_id LIMIT 1", c->event_id);
	c->behind_s = oldest && now > oldest ? now - oldest : 0;
	c->n_waiting = db_int(db, "SELECT COUNT(*) FROM event_retry WHERE consumer = $1 AND dead = 0", c->name);
	c->n_dead = db_int(db, "SELECT COUNT(*) FROM event_retry WHERE consumer = $1 AND dead = 1", c->name);
	c->is_known = !db_failed(db);
}

static void
read_pause(struct db *db, struct ops_consumer *c)
{
	struct rows *r =
		db_each(db, "SELECT paused_at, paused_by, reason FROM v_relay_pause WHERE consumer = $1", c->name);

	c->pause_reason = "";
	if (db_next(r)) {
		c->is_paused = true;
		c->paused_at = row_int(r, 0);
		c->paused_by = row_int(r, 1);
		c->pause_reason = row_text(r, 2);
	}
	db_done(r);
}

int
ops_consumers(struct db *db, int64_t now, struct ops_consumer **consumers)
{
	struct db *view = ops_view(db);
	int n = 0;

	*consumers = arena_array(db_memory(db), struct ops_consumer, N_CONTEXTS);
	for (const struct context *context = contexts; context->name; context++) {
		struct ops_consumer *c = &(*consumers)[n];

		if (!context->reacts)
			continue;
		n++;
		c->name = context->name;
		read_pause(db, c);
		if (!context->on_view || view)
			read_consumer(context->on_view ? view : db, now, c);
	}
	return n;
}

/* --- retries ------------------------------------------------------------------------------------------------------ */

static const struct member retry_members[] = {
	SHAPE_TEXT(ops_retry, consumer), SHAPE_INT(ops_retry, event_id), SHAPE_TEXT(ops_retry, type),
	SHAPE_TEXT(ops_retry, subject_id), SHAPE_INT(ops_retry, tries), SHAPE_TIME(ops_retry, next_at),
	SHAPE_TEXT(ops_retry, error), SHAPE_BOOL(ops_retry, dead),
};
const struct shape ops_retry_shape = SHAPE(ops_retry, retry_members);

static int
retries_in(struct db *db, int64_t limit, struct ops_retry **retries)
{
	int n = 0;

	return db_list(db, &ops_retry_shape, retries, &n,
		"SELECT r.consumer, r.event_id, e.type, r.subject_id, r.tries, r.next_at, r.error, r.dead"
		" FROM event_retry r /*scan*/ JOIN v_event e ON e.event_id = r.event_id"
		" ORDER BY r.dead DESC, r.event_id /*sort*/ LIMIT $1",
		limit);
}

int
ops_retries(struct db *db, int64_t limit, struct ops_retry **retries)
{
	struct db *view = ops_view(db);
	struct ops_retry *a = NULL, *b = NULL;
	int n_a = retries_in(db, limit, &a), n_b = view ? retries_in(view, limit, &b) : 0;

	*retries = arena_array(db_memory(db), struct ops_retry, n_a + n_b + 1);
	if (n_a)
		memcpy(*retries, a, sizeof(*a) * (size_t)n_a);
	if (n_b)
		memcpy(*retries + n_a, b, sizeof(*b) * (size_t)n_b);
	return n_a + n_b;
}

bool
ops_retry(struct db *db, const char *consumer, int64_t event_id, struct ops_retry *retry)
{
	bool on_view = false;

	if (!ops_is_consumer(consumer, &on_view) || (on_view && !(db = ops_view(db))))
		return false;
	return db_one(db, &ops_retry_shape, retry,
		"SELECT r.consumer, r.event_id, e.type, r.subject_id, r.tries, r.next_at, r.error, r.dead"
		" FROM event_retry r JOIN v_event e ON e.event_id = r.event_id WHERE r.consumer = $1"
		" AND r.event_id = $2",
		consumer, event_id);
}
