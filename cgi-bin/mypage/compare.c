/*
 * compare - does the file hold what a replay would make?
 *
 * The log is replayed into a file of its own, in a scratch folder with a link to the log, up to the real file's
 * position; then both are compared row by row. The real one is locked only for the last few events and the comparison.
 */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The rows of a table in the order of their key, which is the first columns. A missing row is a difference, and so is a
 * column. */
struct view_table {
	const char *table;
	int n_keys, n_columns;
	struct rows *(*each)(struct db *db);
};

static struct rows *
each_booking(struct db *db)
{
	return db_each(db,
		"SELECT code, customer_id, car_id, car_name, car_name_ko, plate, body, branch_id, branch_name,"
		" branch_name_ko, state, tab, reservation,"
		" starts_at, ends_at, amount, vat_amount, currency, hold_until, payment_state, brand, last4,"
		" refund_due, refunded_amount,"
		" end_reason, held_at, charged_at, paid_at, confirmed_at, out_at, returned_at, completed_at, ended_at,"
		" refunded_at,"
		" updated_at, event_id, n_cars, undo_until, try_no FROM my_booking /*scan*/ ORDER BY code");
}

static struct rows *
each_line(struct db *db)
{
	return db_each(db,
		"SELECT code, line_no, rule, version, unit, quantity, unit_amount, amount, label, label_ko, ended_at,"
		" end_reason, refund_due,"
		" refunded_amount FROM my_booking_line /*scan*/ ORDER BY code, line_no");
}

static struct rows *
each_further_car(struct db *db)
{
	return db_each(db,
		"SELECT code, car_no, car_id, car_name, car_name_ko, plate, is_open FROM my_booking_car /*scan*/"
		" ORDER BY code, car_no");
}

static struct rows *
each_delivery(struct db *db)
{
	return db_each(db,
		"SELECT delivery_id, code, customer_id, direction, state, zone, window_from, window_to, courier_id,"
		" reason, ended_by,"
		" odometer_km, fuel_percent, requested_at, scheduled_at, shipped_at, delivered_at, ended_at,"
		" updated_at, event_id"
		" FROM my_delivery /*scan*/ ORDER BY delivery_id");
}

static struct rows *
each_order(struct db *db)
{
	return db_each(db,
		"SELECT order_code, booking_code, line_no, customer_id, item_id, item_name, item_name_ko, category,"
		" quantity, starts_at, ends_at,"
		" amount, currency, state, reason, ended_by, lost, ordered_at, approved_at, handed_out_at, returned_at,"
		" ended_at, updated_at, event_id"
		" FROM my_order /*scan*/ ORDER BY order_code");
}

static struct rows *
each_message(struct db *db)
{
	return db_each(db,
		"SELECT message_id, recipient_id, kind, about, channel, state, tries, updated_at, event_id"
		" FROM my_message /*scan*/ ORDER BY message_id");
}

static struct rows *
each_event(struct db *db)
{
	return db_each(db,
		"SELECT code, event_id, type, occurred_at, amount, reason, label, label_ko, courier_id"
		" FROM my_event /*scan*/ ORDER BY code, event_id");
}

static struct rows *
each_car(struct db *db)
{
	return db_each(db,
		"SELECT car_id, plate, name, name_ko, body, branch_id, branch_name, branch_name_ko, service,"
		" updated_at, event_id"
		" FROM view_car /*scan*/ ORDER BY car_id");
}

static const struct view_table tables[] = {
	{ "my_booking", 1, 39, each_booking },
	{ "my_booking_car", 2, 7, each_further_car },
	{ "my_booking_line", 2, 14, each_line },
	{ "my_delivery", 1, 20, each_delivery },
	{ "my_order", 1, 24, each_order },
	{ "my_message", 1, 9, each_message },
	{ "my_event", 2, 9, each_event },
	{ "view_car", 1, 11, each_car },
};

static bool
looks_like_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* Keys in the order the tables sort them: numbers by value, words byte by byte. */
static int
compare_keys(const struct view_table *t, struct rows *a, struct rows *b)
{
	for (int i = 0; i < t->n_keys; i++) {
		const char *x = row_peek(a, i), *y = row_peek(b, i);
		int64_t p = row_int(a, i), q = row_int(b, i);
		int order = looks_like_number(x) && looks_like_number(y) ? (p > q) - (p < q) : strcmp(x, y);

		if (order)
			return order;
	}
	return 0;
}

static void
add_difference(struct view_comparison *c, const struct view_table *t, struct rows *at, const char *what)
{
	c->n_different++;
	if (!c->first[0])
		snprintf(c->first, sizeof(c->first), "%s %s%s%s: %s", t->table, row_peek(at, 0),
			t->n_keys > 1 ? " " : "", t->n_keys > 1 ? row_peek(at, 1) : "", what);
}

static void
compare_columns(struct view_comparison *c, const struct view_table *t, struct rows *real, struct rows *made)
{
	char what[160];

	for (int i = t->n_keys; i < t->n_columns; i++) {
		const char *x = row_peek(real, i), *y = row_peek(made, i);

		if (strcmp(x, y) == 0)
			continue;
		snprintf(what, sizeof(what), "column %d is '%.40s', a replay makes '%.40s'", i + 1, x, y);
		add_difference(c, t, real, what);
		return;
	}
}

static void
compare_table(struct view_comparison *c, const struct view_table *t, struct db *real_db, struct db *made_db)
{
	struct rows *real = t->each(real_db), *made = t->each(made_db);
	bool has_real = db_next(real), has_made = db_next(made);

	while (has_real || has_made) {
		int order = !has_real ? 1 : !has_made ? -1 : compare_keys(t, real, made);

		c->n_rows++;
		if (order < 0)
			add_difference(c, t, real, "a replay does not make it");
		else if (order > 0)
			add_difference(c, t, made, "missing; a replay makes it");
		else
			compare_columns(c, t, real, made);
		if (order <= 0)
			has_real = db_next(real);
		if (order >= 0)
			has_made = db_next(made);
	}
}

/* --- the scratch file --------------------------------------------------------------------------------------------- */

/* A state folder with a view.db of its own and a link to the real log. */
static bool
make_scratch(char *dir, size_t room, const char *root_dir, const char *var_dir, const char **why)
{
	char from[4096], to[4200];

	snprintf(dir, room, "%s/run/compare.XXXXXX", var_dir);
	snprintf(to, sizeof(to), "%s/run", var_dir);
	mkdir(to, 0755);
	if (!mkdtemp(dir) || !realpath(var_dir, from) || strlen(from) > sizeof(from) - 20) {
		*why = "cannot make a scratch copy in the state folder";
		return false;
	}
	strcat(from, "/motorpool.db");
	snprintf(to, sizeof(to), "%s/motorpool.db", dir);
	if (symlink(from, to) != 0) {
		*why = strerror(errno);
		return false;
	}
	return replay_make_file(root_dir, dir, why);
}

static void
remove_scratch(const char *dir)
{
	static const char *const names[] = {
		"motorpool.db",
		"view.db",
		"view.db-wal",
		"view.db-shm",
		"run/view.lock",
		"run/view.lock.make",
		"run/view.create",
		"run/motorpool.lock",
		"run/motorpool.lock.make",
		"run/motorpool.create",
		"run",
	};
	char path[4300];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	rmdir(dir);
}

/* Events that the real file has put aside: a replay up to its position must leave them out too. */
static void
read_skipped(struct db *db, struct replay *r, struct arena *m)
{
	int64_t *list = NULL;
	int n = 0, room = (int)db_int(db, "SELECT COUNT(*) FROM event_retry WHERE consumer = 'mypage'");
	struct rows *rows = db_each(db, "SELECT event_id FROM event_retry WHERE consumer = 'mypage' ORDER BY event_id");

	list = arena_array(m, int64_t, room ? room : 1);
	while (n < room && db_next(rows))
		list[n++] = row_int(rows, 0);
	db_done(rows);
	r->skipped = list;
	r->n_skipped = n;
}

static int64_t
position_of(struct db *real)
{
	return db_int(real, "SELECT event_id FROM position WHERE consumer = 'mypage'");
}

/* The real file may move on during the replay, so the last events are replayed while it is locked, in a second
 * transaction: one that has begun to read the log sees no more of it. */
static bool
compare_files(struct db *real, struct replay *r, const struct view_log *log, struct arena *m, struct view_comparison *c,
	const char **why)
{
	bool ok;

	r->upto = position_of(real);
	read_skipped(real, r, m);
	db_begin(r->db);
	replay_events(r);
	db_commit(r->db);
	db_begin(real);
	r->upto = position_of(real);
	ok = !log->more || log->more(log->arg, r->upto, why);
	db_begin(r->db);
	replay_events(r);
	for (size_t i = 0; ok && i < sizeof(tables) / sizeof(tables[0]); i++)
		compare_table(c, &tables[i], real, r->db);
	db_rollback(real);
	db_rollback(r->db);
	c->n_events = r->n_events;
	if (ok && (db_failed(real) || db_failed(r->db)))
		*why = replay_error(db_failed(real) ? real : r->db);
	return ok && !db_failed(real) && !db_failed(r->db);
}

static bool
compare(const char *root_dir, const char *var_dir, const struct view_log *log, struct replay *r,
	struct view_comparison *c, const char **why)
{
	struct arena *m = arena_new(REPLAY_ARENA);
	struct db *real = NULL;
	char dir[4096];
	bool ok = false;

	r->m = arena_new(REPLAY_ARENA);
	*c = (struct view_comparison){ 0 };
	if (strlen(var_dir) > 3900 || strlen(log->var_dir) > 3900) {
		*why = "the state folder's name is too long";
		return false;
	}
	if (make_scratch(dir, sizeof(dir), root_dir, log->var_dir, why)
		&& (r->db = db_open(dir, &mypage_role, r->m, why)) && (real = db_open(var_dir, &mypage_role, m, why)))
		ok = compare_files(real, r, log, m, c, why);
	if (real)
		db_close(real);
	if (r->db)
		db_close(r->db);
	remove_scratch(dir);
	return ok;
}

bool
view_compare(const char *root_dir, const char *var_dir, view_progress_fn *progress, void *arg,
	struct view_comparison *c, const char **why)
{
	struct view_log log = { .var_dir = var_dir };
	struct replay r = { .progress = progress, .arg = arg };

	return compare(root_dir, var_dir, &log, &r, c, why);
}

bool
view_compare_log(const char *root_dir, const char *var_dir, const struct view_log *log, struct view_comparison *c,
	const char **why)
{
	struct replay r = { 0 };

	return compare(root_dir, var_dir, log, &r, c, why);
}
