/* ops - consumers, retries, files, the log. The story is in ops.h. */
#include "ops.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

const struct db_role ops_role = { .name = "ops", .owns = "event_retry relay_pause" };
static const struct db_role view_role = { .name = "ops", .owns = "event_retry", .on_view = true };

static const char *
var_dir(void)
{
	return settings.var_dir;
}

static const char *
var_path(struct arena *m, const char *name)
{
	return arena_printf(m, "%s/%s", var_dir(), name);
}

/* --- the read models' file ------------------------------------------------------------------------------------------- */

/* A second connection, which may be missing, and is opened again when the file has been replaced. */
struct db *
ops_view(struct db *db)
{
	static struct db *view;
	static ino_t opened;
	struct stat st = { 0 };
	const char *why;

	if (stat(var_path(db_memory(db), "view.db"), &st) != 0)
		st.st_ino = 0;
	if (view && (st.st_ino != opened || db_failed(view))) {
		db_close(view);
		view = NULL;
	}
	if (!view && st.st_ino)
		view = db_open(var_dir(), &view_role, db_memory(db), &why);
	opened = st.st_ino;
	if (view) {
		db_fresh(view);
		db_arena(view, db_memory(db));
	}
	return view;
}

/* --- consumers ----------------------------------------------------------------------------------------------------------- */

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

/* Unqualified, position and event_retry are those of the file the connection is on. */
static void
look_at(struct db *db, int64_t now, struct ops_consumer *c)
{
	struct rows *r = db_each(db, "SELECT event_id, moved_at FROM position WHERE consumer = $1", c->name);
	int64_t oldest;

	if (db_next(r)) {
		c->event_id = row_int(r, 0);
		c->moved_at = row_int(r, 1);
	}
	db_done(r);
	c->n_behind = db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event") - c->event_id;
	oldest = db_int(db, "SELECT recorded_at FROM v_event WHERE event_id > $1 ORDER BY event_id LIMIT 1", c->event_id);
	c->behind_s = oldest && now > oldest ? now - oldest : 0;
	c->n_waiting = db_int(db, "SELECT COUNT(*) FROM event_retry WHERE consumer = $1 AND dead = 0", c->name);
	c->n_dead = db_int(db, "SELECT COUNT(*) FROM event_retry WHERE consumer = $1 AND dead = 1", c->name);
	c->is_known = !db_failed(db);
}

static void
look_at_pause(struct db *db, struct ops_consumer *c)
{
	struct rows *r = db_each(db, "SELECT paused_at, paused_by, reason FROM v_relay_pause WHERE consumer = $1", c->name);

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
		look_at_pause(db, c);
		if (!context->on_view || view)
			look_at(context->on_view ? view : db, now, c);
	}
	return n;
}

/* --- mail ---------------------------------------------------------------------------------------------------------------- */

struct ops_mails
ops_mails(struct db *db, int64_t now)
{
	struct ops_mails mails = {
		.n_waiting = db_int(db, "SELECT COUNT(*) FROM v_message WHERE state IN ('QUEUED', 'RETRYING') /*scan*/"),
		.oldest_s = db_int(db, "SELECT COALESCE($1 - MIN(created_at), 0) FROM v_message WHERE state IN ('QUEUED', 'RETRYING') /*scan*/", now),
		.n_dead = db_int(db, "SELECT COUNT(*) FROM v_message WHERE state = 'DEAD' /*scan*/"),
	};

	mails.oldest_s = mails.oldest_s < 0 ? 0 : mails.oldest_s;
	return mails;
}

/* --- retries -------------------------------------------------------------------------------------------------------------- */

static const struct member retry_members[] = {
	SHAPE_TEXT(ops_retry, consumer), SHAPE_INT(ops_retry, event_id), SHAPE_TEXT(ops_retry, type), SHAPE_TEXT(ops_retry, subject_id),
	SHAPE_INT(ops_retry, tries), SHAPE_TIME(ops_retry, next_at), SHAPE_TEXT(ops_retry, error), SHAPE_BOOL(ops_retry, dead),
};
const struct shape ops_retry_shape = SHAPE(ops_retry, retry_members);

static int
retries_in(struct db *db, int64_t limit, struct ops_retry **retries)
{
	int n = 0;

	return db_list(db, &ops_retry_shape, retries, &n,
		"SELECT r.consumer, r.event_id, e.type, r.subject_id, r.tries, r.next_at, r.error, r.dead"
		" FROM event_retry r /*scan*/ JOIN v_event e ON e.event_id = r.event_id"
		" ORDER BY r.dead DESC, r.event_id /*sort*/ LIMIT $1", limit);
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
		" FROM event_retry r JOIN v_event e ON e.event_id = r.event_id WHERE r.consumer = $1 AND r.event_id = $2", consumer, event_id);
}

/* --- the machine ------------------------------------------------------------------------------------------------------------ */

static const struct member file_members[] = {
	SHAPE_TEXT(ops_file, name), SHAPE_INT(ops_file, bytes), SHAPE_INT(ops_file, wal_bytes),
};
const struct shape ops_file_shape = SHAPE(ops_file, file_members);

static const struct member house_members[] = {
	SHAPE_INT(ops_house, n_events), SHAPE_INT(ops_house, relay_age_s), SHAPE_INT(ops_house, disk_free), SHAPE_INT(ops_house, disk_total),
	SHAPE_LIST(ops_house, files, ops_file_shape),
};
const struct shape ops_house_shape = SHAPE(ops_house, house_members);

/* Sizes by stat() alone: a database file is never opened by hand (its locks would be lost at close). */
static int64_t
size_of(struct arena *m, const char *name)
{
	struct stat st;

	return stat(var_path(m, name), &st) == 0 ? (int64_t)st.st_size : -1;
}

static void
look_at_files(struct arena *m, struct ops_house *h)
{
	static const char *const names[] = { "motorpool.db", "view.db", "sandbox.db" };

	h->files = arena_array(m, struct ops_file, 3);
	for (int i = 0; i < 3; i++) {
		struct ops_file f = { .name = names[i], .bytes = size_of(m, names[i]) };

		if (f.bytes < 0)
			continue;
		f.wal_bytes = size_of(m, arena_printf(m, "%s-wal", names[i]));
		f.wal_bytes = f.wal_bytes < 0 ? 0 : f.wal_bytes;
		h->files[h->n_files++] = f;
	}
}

void
ops_house(struct db *db, struct ops_house *h)
{
	struct arena *m = db_memory(db);
	struct statvfs disk;
	struct stat alive;

	*h = (struct ops_house){ .relay_age_s = -1 };
	h->n_events = db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event");
	if (stat(var_path(m, "run/relay.alive"), &alive) == 0)
		h->relay_age_s = clock_now() > alive.st_mtim.tv_sec ? clock_now() - alive.st_mtim.tv_sec : 0;
	if (statvfs(var_dir(), &disk) == 0) {
		h->disk_free = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
		h->disk_total = (int64_t)disk.f_blocks * (int64_t)disk.f_frsize;
	}
	look_at_files(m, h);
}

/* --- the log ---------------------------------------------------------------------------------------------------------------- */

#define LOOKED_AT 200000        /* a rare type is searched for piece by piece */

#define COLUMNS "SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload, prev_hash, hash FROM v_event"

static int
page_of_log(struct db *db, const struct ops_query *q, int64_t before, int64_t limit, struct event **events)
{
	const char *type = db_begins(db, q->type);
	int n = 0;

	if (*q->subject)
		return db_list(db, &event_shape, events, &n, COLUMNS
			" WHERE subject_id = $1 AND event_id < $2 AND lower(type) LIKE $3 ESCAPE '\\' ORDER BY event_id DESC LIMIT $4",
			q->subject, before, type, limit);
	return db_list(db, &event_shape, events, &n, COLUMNS
		" WHERE event_id < $1 AND event_id >= $2 AND lower(type) LIKE $3 ESCAPE '\\' ORDER BY event_id DESC LIMIT $4",
		before, before - LOOKED_AT, type, limit);
}

int
ops_events(struct db *db, const struct ops_query *q, struct event **events, int64_t *next_before)
{
	int64_t before = q->before > 0 ? q->before : db_int(db, "SELECT COALESCE(MAX(event_id), 0) + 1 FROM v_event");
	int n = page_of_log(db, q, before, q->limit + 1, events);

	*next_before = 0;
	if (n > q->limit) {
		n = (int)q->limit;
		*next_before = (*events)[n - 1].event_id;
	} else if (!*q->subject && before > LOOKED_AT + 1) {
		*next_before = before - LOOKED_AT;
	}
	return n;
}

const char *
ops_metrics_key(struct arena *m)
{
	return secret_sign(m, "metrics", "scrape");
}
