/*
 * db - a small vocabulary over SQLite that reads like English.
 *
 * SQL is a literal with $1 placeholders (the compiler refuses anything else); its address is the key of the prepared
 * statement. Values bind by their C type. Failures are sticky: the first one is logged with file:line, later calls do
 * nothing, db_commit() refuses, and the request ends as 500. A change that a constraint may refuse in normal use is
 * made with db_try(), which returns the outcome.
 *
 *	int64_t id = db_int(db, "INSERT INTO branch (name) VALUES ($1) RETURNING branch_id", name);
 *	if (db_one(db, &car_shape, &car, "SELECT car_id, plate, status FROM car WHERE car_id = $1", id)) …
 *	db_list(db, &line_shape, &b->lines, &b->n_lines, "SELECT rule, amount FROM booking_line WHERE booking_id = $1",
 *		id);
 *
 * Writers queue on one robust priority-inheriting mutex (lock.h) before BEGIN IMMEDIATE; SQLite's own busy handler
 * polls and lets some writers starve. A commit is written without fsync under the lock; db_durable() then syncs the
 * WAL once for all waiting processes. Nothing may leave the machine before db_durable(): web_serve and every outside
 * call make sure of that. Checkpoints happen in the relay only, under the writers' lock.
 */
#ifndef MP_DB_H
#define MP_DB_H

#include "lib/base/arena.h"
#include "lib/base/shape.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

#define DB_SCHEMA_VERSION 6     /* PRAGMA user_version of db/schema.sql; db/migrate/NNNN-*.sql lead up to it */
#define VIEW_SCHEMA_VERSION 5   /* of db/view.sql */

/*
 * The rights of a program: it may write its own tables, append events, and read other tables only through published
 * views v_*. One authorizer, set once at open, enforces this. owns: table names separated by blanks; "*" for the
 * motorpool command. (SQLite names the CTE a table is read through, so a CTE inside a published view is called v_… as
 * well.)
 */
struct db_role {
	const char *name;
	const char *owns;
	bool on_view; /* main is the read-model file $VAR/view.db, and motorpool.db is attached read-only as "log" */
	const char *own_db;     /* "sandbox": $VAR/sandbox.db and nothing else; NULL: the shared file */
};

/*
 * Opens $VAR/motorpool.db for a role (or view.db: unqualified names find their table in either file, `position` in
 * view.db first). Rows, texts and lists come from *m, which the caller may change with db_arena(). NULL: it is
 * missing or has another version; *why says "being upgraded" or what else. A connection must not be used after
 * fork().
 */
struct db *db_open(const char *var_dir, const struct db_role *role, struct arena *m, const char **why);
void db_close(struct db *db);
void db_arena(struct db *db, struct arena *m);
struct arena *db_memory(struct db *db);
const struct db_role *db_role_of(const struct db *db);

/* a statement has failed since db_fresh(); stays true when the disk has failed: the process must be replaced */
bool db_failed(const struct db *db);
/* a failure found by the caller: sticky like the others */
void db_fail(struct db *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The failure is no defect of the program and may pass: the disk is full or fails, the writers' lock is held. The last
 * change was not made. */
bool db_is_later(const struct db *db);
const char *db_error(const struct db *db);
void db_fresh(struct db *db);           /* start of a request: rolls back what was left open, forgets the failure */
void db_read_only(struct db *db, bool on);      /* while on (GET), a statement that writes is a failure */

/* --- values ------------------------------------------------------------------------------------------------------- */

struct db_arg {
	enum { ARG_END, ARG_INT, ARG_TEXT } kind;
	int64_t i;
	const char *s;
};

static inline struct db_arg db_arg_int(int64_t i) { return (struct db_arg){ .kind = ARG_INT, .i = i }; }
/* NULL binds NULL */
static inline struct db_arg db_arg_text(const char *s) { return (struct db_arg){ .kind = ARG_TEXT, .s = s }; }

#define DB_ARG(x) _Generic((x), char *: db_arg_text, const char *: db_arg_text, default: db_arg_int)(x)

/* DB_ARGS(a, b, c) -> (struct db_arg[]){ DB_ARG(a), DB_ARG(b), DB_ARG(c), {ARG_END} }, up to 30 arguments */
#define DB_ARGS(...) ((const struct db_arg[]){ __VA_OPT__(DB_MAP(__VA_ARGS__)) { .kind = ARG_END } })
#define DB_MAP(...) DB_PICK(__VA_ARGS__, DB_30, DB_29, DB_28, DB_27, DB_26, DB_25, DB_24, DB_23, DB_22, DB_21, \
	DB_20, DB_19, DB_18, DB_17, DB_16, DB_15, DB_14, DB_13, DB_12, \
	DB_11, DB_10, DB_9, DB_8, DB_7, DB_6, DB_5, DB_4, DB_3, DB_2, DB_1)(__VA_ARGS__)
#define DB_PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, _20, _21, _22, \
	_23, _24, _25, _26, _27, _28, _29, _30, N, ...) N
#define DB_1(a)       DB_ARG(a),
#define DB_2(a, ...)  DB_ARG(a), DB_1(__VA_ARGS__)
#define DB_3(a, ...)  DB_ARG(a), DB_2(__VA_ARGS__)
#define DB_4(a, ...)  DB_ARG(a), DB_3(__VA_ARGS__)
#define DB_5(a, ...)  DB_ARG(a), DB_4(__VA_ARGS__)
#define DB_6(a, ...)  DB_ARG(a), DB_5(__VA_ARGS__)
#define DB_7(a, ...)  DB_ARG(a), DB_6(__VA_ARGS__)
#define DB_8(a, ...)  DB_ARG(a), DB_7(__VA_ARGS__)
#define DB_9(a, ...)  DB_ARG(a), DB_8(__VA_ARGS__)
#define DB_10(a, ...) DB_ARG(a), DB_9(__VA_ARGS__)
#define DB_11(a, ...) DB_ARG(a), DB_10(__VA_ARGS__)
#define DB_12(a, ...) DB_ARG(a), DB_11(__VA_ARGS__)
#define DB_13(a, ...) DB_ARG(a), DB_12(__VA_ARGS__)
#define DB_14(a, ...) DB_ARG(a), DB_13(__VA_ARGS__)
#define DB_15(a, ...) DB_ARG(a), DB_14(__VA_ARGS__)
#define DB_16(a, ...) DB_ARG(a), DB_15(__VA_ARGS__)
#define DB_17(a, ...) DB_ARG(a), DB_16(__VA_ARGS__)
#define DB_18(a, ...) DB_ARG(a), DB_17(__VA_ARGS__)
#define DB_19(a, ...) DB_ARG(a), DB_18(__VA_ARGS__)
#define DB_20(a, ...) DB_ARG(a), DB_19(__VA_ARGS__)
#define DB_21(a, ...) DB_ARG(a), DB_20(__VA_ARGS__)
#define DB_22(a, ...) DB_ARG(a), DB_21(__VA_ARGS__)
#define DB_23(a, ...) DB_ARG(a), DB_22(__VA_ARGS__)
#define DB_24(a, ...) DB_ARG(a), DB_23(__VA_ARGS__)
#define DB_25(a, ...) DB_ARG(a), DB_24(__VA_ARGS__)
#define DB_26(a, ...) DB_ARG(a), DB_25(__VA_ARGS__)
#define DB_27(a, ...) DB_ARG(a), DB_26(__VA_ARGS__)
#define DB_28(a, ...) DB_ARG(a), DB_27(__VA_ARGS__)
#define DB_29(a, ...) DB_ARG(a), DB_28(__VA_ARGS__)
#define DB_30(a, ...) DB_ARG(a), DB_29(__VA_ARGS__)

struct db_at { const char *sql, *file; int line; };
#define DB_AT(literal) ((struct db_at){ "" literal, __FILE__, __LINE__ })

/* --- the vocabulary ----------------------------------------------------------------------------------------------- */

/* Runs a change; answers the rows changed. A constraint violation is a failure. */
#define db_do(db, sql, ...)          db_do_((db), DB_AT(sql), DB_ARGS(__VA_ARGS__))
/* Runs a change that a constraint may refuse: true done; false refused, and db_refusal() names what refused it
 * ("car.plate" for a unique column, a trigger's own word such as "slot_taken", "check", "foreign_key"). Nothing was
 * changed. */
#define db_try(db, sql, ...)         db_try_((db), DB_AT(sql), DB_ARGS(__VA_ARGS__))
/* First column of the first row: 0 / NULL when there is none. Text lives in the arena. INSERT … RETURNING is fine
 * too. */
#define db_int(db, sql, ...)         db_int_((db), DB_AT(sql), DB_ARGS(__VA_ARGS__))
#define db_text(db, sql, ...)        db_text_((db), DB_AT(sql), DB_ARGS(__VA_ARGS__))
#define db_exists(db, sql, ...)      db_exists_((db), DB_AT(sql), DB_ARGS(__VA_ARGS__))
/* Fills a struct by column names; members without a column keep what they hold. false: no row. An unknown column is a
 * failure. */
#define db_one(db, shape, out, sql, ...)      db_one_((db), (shape), (out), DB_AT(sql), DB_ARGS(__VA_ARGS__))
/* Fills an array in the arena: *(type **)rows, *n. Answers n. */
#define db_list(db, shape, rows, n, sql, ...) db_list_((db), (shape), (void *)(rows), (n), DB_AT(sql), \
	DB_ARGS(__VA_ARGS__))
/* Walks rows one by one: for (struct rows *r = db_each(db, "SELECT …", a); db_next(r);) row_int(r, 0) … No nesting of
 * the same literal. Outside a transaction a change is a transaction of its own, queued like any other. */
#define db_each(db, sql, ...)        db_each_((db), DB_AT(sql), DB_ARGS(__VA_ARGS__))

/* A search text as a pattern for lower(column) LIKE $n ESCAPE '\\': in lower case, with its % and _ escaped. NULL or ""
 * finds all. */
const char *db_contains(struct db *db, const char *text);       /* "%text%" */
const char *db_begins(struct db *db, const char *text);         /* "text%" */

int db_do_(struct db *db, struct db_at at, const struct db_arg *args);
bool db_try_(struct db *db, struct db_at at, const struct db_arg *args);
int64_t db_int_(struct db *db, struct db_at at, const struct db_arg *args);
const char *db_text_(struct db *db, struct db_at at, const struct db_arg *args);
bool db_exists_(struct db *db, struct db_at at, const struct db_arg *args);
bool db_one_(struct db *db, const struct shape *shape, void *out, struct db_at at, const struct db_arg *args);
int db_list_(struct db *db, const struct shape *shape, void *rows, int *n, struct db_at at, const struct db_arg *args);

struct rows;
struct rows *db_each_(struct db *db, struct db_at at, const struct db_arg *args);
bool db_next(struct rows *r);           /* false: no more; the statement is reset */
void db_done(struct rows *r);           /* leaving a walk early */
int64_t row_int(struct rows *r, int column);
const char *row_text(struct rows *r, int column);       /* copied into the arena; NULL stays NULL */
const char *row_peek(struct rows *r, int column);       /* not copied: until the next db_next() */

const char *db_refusal(const struct db *db);

/* --- transactions ------------------------------------------------------------------------------------------------- */

/*
 * One write transaction. Nested calls join the outer one (so a context function can be called alone or inside a batch);
 * only the outermost commits, and a rollback inside makes the outermost commit refuse.
 * db_commit answers false when nothing was committed: a failure (sticky) or an inner rollback.
 */
void db_begin(struct db *db);
bool db_commit(struct db *db);
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);
/* Promises that the row cannot change under us: nothing to do on SQLite (one writer), a row lock elsewhere. */
void db_lock(struct db *db, const char *table, int64_t id);

/*
 * Waits until everything this connection has committed is on disk; and, unless it is read-only (GET), everything it
 * can have read: the second click of a form must not report the first one's booking before that is on disk. Never
 * inside a transaction. false: the disk failed and the process must be replaced. Also false after any failure: the
 * row that should be on disk, such as a charge, may not exist at all, so no outside call may be made.
 */
bool db_durable(struct db *db);
/*
 * For the demo generator, whose card provider runs in the same process: nothing leaves the machine, so db_durable()
 * returns true at once, also inside a transaction.
 */
void db_offline(struct db *db);
/* Counts up whenever any connection has committed a change this one can now see (PRAGMA data_version, 1 µs). */
int64_t db_data_version(struct db *db);
/* Called after each outermost commit that wrote events, with nothing held (event.c wakes the relay with it). */
void db_on_commit(struct db *db, void (*fn)(void *arg), void *arg);
void db_mark_events(struct db *db);     /* event.c: this transaction wrote events */

/* The relay's checkpointer only: moves the WAL into the main file under the writers' lock. Answers the WAL's size in
 * pages before; -1: failed. */
int db_checkpoint(struct db *db);
int db_wal_pages(const struct db *db);  /* how long the WAL is, free to ask: 1,000 are worth a checkpoint */

/* The motorpool command: schema, migrations and whole-script SQL. */
bool db_create(const char *var_dir, const char *schema_file, const char *view_file, const char **why);
/* $VAR/NAME.db of a role's own_db */
bool db_create_own(const char *var_dir, const char *name, const char *schema_file, const char **why);
bool db_script(struct db *db, const char *sql);

/* The motorpool command again (db_admin.c): what each engine does in its own way. */
/* Is the main file whole? Answers how many faults the engine finds in it (100 at most); *first describes one. */
int64_t db_verify(struct db *db, const char **first);
/* Rows that refer to one that does not exist; *first is one of them: "slot row 12". */
int64_t db_verify_references(struct db *db, const char **first);
/* The database at path can be read as NAME.table from now on. false: there is none, or a failure. */
bool db_beside(struct db *db, const char *path, const char *name);
/* On: many writes are fast, and other connections are locked out; a power cut may leave a broken file. Off: the others
 * are let in. */
void db_bulk(struct db *db, bool on);

/*
 * Copies several $VAR/NAME.db as they all are at one moment into new files, while other processes read and write
 * (db_copy.c). false: *why is the error; incomplete files are left behind.
 */
struct db_copy {
	const char *name, *to;
	int64_t n_bytes;                /* the copy's */
};
bool db_copy_all(const char *var_dir, struct db_copy *copies, int n,
	void (*progress)(void *arg, int64_t done, int64_t total), void *arg,
                 const char **why);

#endif
