/*
 * db.c - the vocabulary; db.h says what each function means.
 *
 * Every function has three parts: stmt_start() finds the prepared statement by its literal, refuses what may not run
 * now and binds; stmt_step() fetches rows; stmt_finish() resets. A change outside a transaction is a transaction by
 * itself.
 */
#include "db_inside.h"

#include <string.h>

/* --- one statement's life ----------------------------------------------------------------------------------------- */

static bool
may_start(struct db *db, const struct stmt *st, int n_args)
{
	if (st->is_walking)
		db_mistake(db, "rows of this statement are walked already");
	else if (db->is_read_only && !st->reads_only)
		db_mistake(db, "a GET request tried to write");
	else if (n_args != st->n_args)
		db_mistake(db, "%d values for %d placeholders", n_args, st->n_args);
	return !db->failed;
}

static int
count_args(const struct db_arg *args)
{
	int n = 0;

	while (args[n].kind != ARG_END)
		n++;
	return n;
}

/* Texts are not copied: the caller's live until the statement is reset, and each stmt_start() binds all of them
 * again. */
static void
stmt_bind(struct stmt *st, const struct db_arg *args)
{
	for (int i = 0; i < st->n_args; i++) {
		if (args[i].kind == ARG_INT)
			sqlite3_bind_int64(st->stmt, st->bind[i], args[i].i);
		else
			sqlite3_bind_text(st->stmt, st->bind[i], args[i].s, -1, SQLITE_STATIC);
	}
}

static struct stmt *
stmt_start(struct db *db, struct db_at at, const struct db_arg *args)
{
	struct stmt *st;

	if (db->failed)
		return NULL;
	db->at = at;
	st = db_stmt(db, at.sql);
	if (!st || !may_start(db, st, count_args(args)))
		return NULL;
	st->is_whole_tx = !st->reads_only && db->depth == 0;
	if (st->is_whole_tx) {
		db_begin(db);
		if (db->failed) {
			db_rollback(db);
			return NULL;
		}
	}
	stmt_bind(st, args);
	return st;
}

/* true: there is a row. A constraint violation is a failure here; db_try() steps by itself. */
static bool
stmt_step(struct db *db, struct stmt *st)
{
	int rc;

	db->deadline = 0;
	rc = sqlite3_step(st->stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		db_fail_sql(db, rc);
	return rc == SQLITE_ROW;
}

static void
stmt_finish(struct db *db, struct stmt *st)
{
	sqlite3_reset(st->stmt);
	db->n_walks -= st->is_walking;
	st->is_walking = false;
	if (st->is_whole_tx) {
		st->is_whole_tx = false;
		db_commit(db);
	}
}

/* A change runs to its end even when the caller wants only one row. */
static void
stmt_finish_change(struct db *db, struct stmt *st)
{
	while (!st->reads_only && !db->failed && stmt_step(db, st))
		;
	stmt_finish(db, st);
}

static const char *
column_copy(struct db *db, struct stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st->stmt, i);

	return s ? arena_strndup(db->m, s, (size_t)sqlite3_column_bytes(st->stmt, i)) : NULL;
}

/* --- changes ------------------------------------------------------------------------------------------------------ */

int
db_do_(struct db *db, struct db_at at, const struct db_arg *args)
{
	struct stmt *st = stmt_start(db, at, args);
	int n;

	if (!st)
		return 0;
	while (stmt_step(db, st))
		;
	n = db->failed || st->reads_only ? 0 : sqlite3_changes(db->sqlite);
	stmt_finish(db, st);
	return db->failed ? 0 : n;
}

/* SQLite undoes a refused statement by itself; the transaction around it continues. */
bool
db_try_(struct db *db, struct db_at at, const struct db_arg *args)
{
	struct stmt *st = stmt_start(db, at, args);
	int rc;

	if (!st)
		return false;
	db->refusal[0] = '\0';
	db->deadline = 0;
	do
		rc = sqlite3_step(st->stmt);
	while (rc == SQLITE_ROW);
	if (rc != SQLITE_DONE && !db_take_refusal(db, rc))
		db_fail_sql(db, rc);
	stmt_finish(db, st);
	return rc == SQLITE_DONE && !db->failed;
}

const char *
db_refusal(const struct db *db)
{
	return db->refusal;
}

/* --- single values ------------------------------------------------------------------------------------------------ */

int64_t
db_int_(struct db *db, struct db_at at, const struct db_arg *args)
{
	struct stmt *st = stmt_start(db, at, args);
	int64_t value = 0;

	if (!st)
		return 0;
	if (stmt_step(db, st))
		value = sqlite3_column_int64(st->stmt, 0);
	stmt_finish_change(db, st);
	return db->failed ? 0 : value;
}

const char *
db_text_(struct db *db, struct db_at at, const struct db_arg *args)
{
	struct stmt *st = stmt_start(db, at, args);
	const char *value = NULL;

	if (!st)
		return NULL;
	if (stmt_step(db, st))
		value = column_copy(db, st, 0);
	stmt_finish_change(db, st);
	return db->failed ? NULL : value;
}

bool
db_exists_(struct db *db, struct db_at at, const struct db_arg *args)
{
	struct stmt *st = stmt_start(db, at, args);
	bool is_there;

	if (!st)
		return false;
	is_there = stmt_step(db, st);
	stmt_finish_change(db, st);
	return is_there && !db->failed;
}

/* --- structs ------------------------------------------------------------------------------------------------------ */

/* Only these kinds pass db_stmt_shape(). */
static void
fill_member(struct db *db, struct stmt *st, int i, const struct member *mb, char *at)
{
	switch (mb->kind) {
	case KIND_TEXT:
	case KIND_RAW: *(const char **)at = column_copy(db, st, i); break;
	case KIND_INT:
	case KIND_AMOUNT:
	case KIND_TIME: *(int64_t *)at = sqlite3_column_int64(st->stmt, i); break;
	case KIND_BOOL: *(bool *)at = sqlite3_column_int64(st->stmt, i) != 0; break;
	case KIND_STATE: *(int *)at = words_find(mb->words, (const char *)sqlite3_column_text(st->stmt, i)); break;
	case KIND_STRUCT:
	case KIND_MAYBE:
	case KIND_LIST: break;
	}
}

static void
fill(struct db *db, struct stmt *st, void *out)
{
	int n = sqlite3_column_count(st->stmt);

	for (int i = 0; i < n; i++)
		fill_member(db, st, i, st->column[i], (char *)out + st->column[i]->offset);
}

bool
db_one_(struct db *db, const struct shape *shape, void *out, struct db_at at, const struct db_arg *args)
{
	struct stmt *st = stmt_start(db, at, args);
	bool is_there = false;

	if (!st)
		return false;
	if (db_stmt_shape(db, st, shape) && stmt_step(db, st)) {
		fill(db, st, out);
		is_there = true;
	}
	stmt_finish_change(db, st);
	return is_there && !db->failed;
}

int
db_list_(struct db *db, const struct shape *shape, void *rows, int *n, struct db_at at, const struct db_arg *args)
{
	struct stmt *st = stmt_start(db, at, args);
	char *array = NULL;
	size_t room = 0, count = 0;

	if (st) {
		while (db_stmt_shape(db, st, shape) && stmt_step(db, st)) {
			if (count == room) {
				array = arena_grow(
					db->m, array, room * shape->size, (room ? room * 2 : 16) * shape->size);
				room = room ? room * 2 : 16;
			}
			fill(db, st, array + count++ * shape->size);
		}
		stmt_finish(db, st);
	}
	if (db->failed)
		count = 0;
	memcpy(rows, &array, sizeof(array));
	*n = (int)count;
	return *n;
}

/* --- walks -------------------------------------------------------------------------------------------------------- */

struct rows *
db_each_(struct db *db, struct db_at at, const struct db_arg *args)
{
	struct stmt *st = stmt_start(db, at, args);

	if (!st)
		return NULL;
	st->is_walking = true;
	db->n_walks++;
	st->rows = (struct rows){ .db = db, .st = st };
	return &st->rows;
}

bool
db_next(struct rows *r)
{
	if (!r || !r->st->is_walking)
		return false;
	if (!r->db->failed) {
		r->db->at.sql = r->st->sql;
		if (stmt_step(r->db, r->st))
			return true;
	}
	stmt_finish(r->db, r->st);
	return false;
}

void
db_done(struct rows *r)
{
	if (r && r->st->is_walking)
		stmt_finish(r->db, r->st);
}

int64_t
row_int(struct rows *r, int column)
{
	return sqlite3_column_int64(r->st->stmt, column);
}

const char *
row_text(struct rows *r, int column)
{
	return column_copy(r->db, r->st, column);
}

const char *
row_peek(struct rows *r, int column)
{
	return (const char *)sqlite3_column_text(r->st->stmt, column);
}

/* --- patterns ----------------------------------------------------------------------------------------------------- */

static const char *
like(struct db *db, const char *before, const char *text)
{
	struct buf b = { .m = db->m };

	buf_puts(&b, before);
	for (const char *s = text ? text : ""; *s; s++) {
		char c = *s >= 'A' && *s <= 'Z' ? (char)(*s + 'a' - 'A') : *s;

		if (c == '%' || c == '_' || c == '\\')
			buf_puts(&b, "\\");
		buf_put(&b, &c, 1);
	}
	buf_puts(&b, "%");
	return b.s;
}

const char *
db_contains(struct db *db, const char *text)
{
	return text && *text ? like(db, "%", text) : "%";
}

const char *
db_begins(struct db *db, const char *text)
{
	return like(db, "", text);
}
