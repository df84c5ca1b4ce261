/*
 * db_stmt.c - prepared statements, found by the address of their literal.
 *
 * A statement is prepared the first time its line runs and kept for the life of the connection. Whether it only
 * reads, where $1, $2 … are and which struct member each column fills is found out once. With DB_LINT=1 in the
 * environment (tests) its query plan is checked too: a scan or a sort without the marker comment in the SQL is a
 * failure.
 */
#include "db_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the table ---------------------------------------------------------------------------------------------------- */

static void *
must(void *p)
{
	if (!p)
		abort(); /* out of memory: the process is replaced */
	return p;
}

static void *
zeroed(size_t n)
{
	return memset(must(sqlite3_malloc64(n)), 0, n);
}

/* Fibonacci hashing of the address, whose low bits hardly differ. */
static struct stmt **
slot(struct stmt **table, unsigned n_table, const char *sql)
{
	unsigned i = (unsigned)(((uintptr_t)sql * 0x9E3779B97F4A7C15u) >> 40);

	for (;; i++) {
		struct stmt **s = &table[i & (n_table - 1)];

		if (!*s || (*s)->sql == sql)
			return s;
	}
}

static void
grow(struct db *db)
{
	unsigned n = db->n_table ? db->n_table * 2 : 256;
	struct stmt **table = zeroed(n * sizeof(*table));

	for (unsigned i = 0; i < db->n_table; i++)
		if (db->table[i])
			*slot(table, n, db->table[i]->sql) = db->table[i];
	sqlite3_free(db->table);
	db->table = table;
	db->n_table = n;
}

void
db_stmts_reset(struct db *db)
{
	for (unsigned i = 0; i < db->n_table; i++)
		if (db->table[i]) {
			sqlite3_reset(db->table[i]->stmt);
			db->table[i]->is_walking = false;
			db->table[i]->is_whole_tx = false;
		}
	db->n_walks = 0;
}

static void
stmt_free(struct stmt *st)
{
	sqlite3_finalize(st->stmt);
	sqlite3_free(st->column);
	sqlite3_free(st);
}

void
db_stmts_free(struct db *db)
{
	for (unsigned i = 0; i < db->n_table; i++)
		if (db->table[i])
			stmt_free(db->table[i]);
	sqlite3_free(db->table);
	db->table = NULL;
	db->n_table = db->n_stmts = 0;
}

/* --- the lint of query plans -------------------------------------------------------------------------------------- */

#define MAX_MADE 32

/* Names of the temporary results of a plan (subqueries, CTEs): reading those is not a scan of a table. */
struct made {
	const char *sql;
	char name[MAX_MADE][64];
	int n;
};

/* A plan materializes "paid" and scans "p" when the SQL says FROM paid p or FROM paid AS p. */
static bool
is_called(const char *sql, const char *name, const char *alias)
{
	char as[160], blank[160];

	snprintf(as, sizeof(as), "%s AS %s", name, alias);
	snprintf(blank, sizeof(blank), "%s %s", name, alias);
	return strcmp(name, alias) == 0 || strcasestr(sql, as) || strcasestr(sql, blank);
}

static bool
is_made(const struct made *made, const char *name)
{
	for (int i = 0; i < made->n; i++)
		if (is_called(made->sql, made->name[i], name))
			return true;
	return name[0] == '(' || strcmp(name, "CONSTANT") == 0;
}

static void
note_made(struct made *made, const char *line)
{
	if (made->n < MAX_MADE
		&& (sscanf(line, "MATERIALIZE %63s", made->name[made->n]) == 1
			|| sscanf(line, "CO-ROUTINE %63s", made->name[made->n]) == 1))
		made->n++;
}

/* The marker that a line of the plan requires in the SQL; NULL: none. */
static const char *
required_marker(const struct made *made, const char *line)
{
	char name[64];

	if (strstr(line, "USE TEMP B-TREE"))
		return "/*sort*/";
	if (strstr(line, "VIRTUAL TABLE"))
		return NULL;
	if (sscanf(line, "SCAN %63s", name) == 1 && !is_made(made, name))
		return "/*scan*/";
	if (sscanf(line, "SEARCH %63s", name) == 1 && strstr(line, " AUTOMATIC ") && !is_made(made, name))
		return "/*scan*/";
	return NULL;
}

static void
lint(struct db *db, const char *sql)
{
	char *explain = must(sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql));
	struct made made = { .sql = sql };
	sqlite3_stmt *plan = NULL;

	if (sqlite3_prepare_v2(db->sqlite, explain, -1, &plan, NULL) == SQLITE_OK) {
		while (sqlite3_step(plan) == SQLITE_ROW)
			note_made(&made, (const char *)sqlite3_column_text(plan, 3));
		sqlite3_reset(plan);
		while (!db->failed && sqlite3_step(plan) == SQLITE_ROW) {
			const char *line = (const char *)sqlite3_column_text(plan, 3),
				   *marker = required_marker(&made, line);

			if (marker && !strstr(sql, marker))
				db_mistake(db, "lint: %s (write %s in the SQL if that is intended)", line, marker);
		}
	}
	sqlite3_finalize(plan);
	sqlite3_free(explain);
}

/* --- preparing ---------------------------------------------------------------------------------------------------- */

/* To SQLite $1 is only a name, numbered by where it first occurs: looked up once. */
static void
number_args(struct db *db, struct stmt *st)
{
	char name[8];

	st->n_args = sqlite3_bind_parameter_count(st->stmt);
	if (st->n_args > DB_MAX_ARGS) {
		db_mistake(db, "more than %d placeholders", DB_MAX_ARGS);
		return;
	}
	for (int i = 0; i < st->n_args; i++) {
		snprintf(name, sizeof(name), "$%d", i + 1);
		st->bind[i] = (unsigned char)sqlite3_bind_parameter_index(st->stmt, name);
		if (st->bind[i] == 0)
			db_mistake(db, "placeholders must be $1 to $%d; %s is missing", st->n_args, name);
	}
}

static struct stmt *
prepare(struct db *db, const char *sql)
{
	struct stmt *st = zeroed(sizeof(*st));
	const char *rest = NULL;
	int rc;

	st->sql = sql;
	rc = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->stmt, &rest);
	if (rc != SQLITE_OK)
		db_fail_sql(db, rc);
	else if (!st->stmt || rest[strspn(rest, " \t\n;")])
		db_mistake(db, "not one statement: %.40s", sql);
	else
		number_args(db, st);
	if (!db->failed && db->is_linted)
		lint(db, sql);
	if (db->failed) {
		stmt_free(st);
		return NULL;
	}
	st->reads_only = sqlite3_stmt_readonly(st->stmt) != 0;
	return st;
}

struct stmt *
db_stmt(struct db *db, const char *sql)
{
	struct stmt **s;

	if (4 * (db->n_stmts + 1) > 3 * db->n_table)
		grow(db);
	s = slot(db->table, db->n_table, sql);
	if (!*s) {
		*s = prepare(db, sql);
		if (*s)
			db->n_stmts++;
	}
	return *s;
}

/* --- columns and members ------------------------------------------------------------------------------------------ */

static bool
is_column_kind(enum kind kind)
{
	return kind != KIND_STRUCT && kind != KIND_MAYBE && kind != KIND_LIST;
}

/* Finds the member each column fills; kept as long as the same struct is asked for. */
bool
db_stmt_shape(struct db *db, struct stmt *st, const struct shape *shape)
{
	int n = sqlite3_column_count(st->stmt);

	if (st->shape == shape)
		return true;
	st->shape = NULL;
	sqlite3_free(st->column);
	st->column = zeroed((size_t)(n ? n : 1) * sizeof(*st->column));
	for (int i = 0; i < n; i++) {
		const char *name = sqlite3_column_name(st->stmt, i);

		st->column[i] = shape_member(shape, name, strlen(name));
		if (!st->column[i] || !is_column_kind(st->column[i]->kind)) {
			db_mistake(db, "struct %s has no member for column %s", shape->name, name);
			return false;
		}
	}
	st->shape = shape;
	return true;
}
