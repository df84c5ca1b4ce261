/*
 * db_inside - what the db_*.c files share and nobody else sees.
 *
 *	db.c        the vocabulary: bind, step, fill
 *	db_stmt.c   prepared statements by the address of their literal; the lint of query plans
 *	db_write.c  transactions, durability, the checkpoint
 *	db_guard.c  what a role may touch, how long a statement may take, what a refusal is called, what becomes of a failure
 *	db_open.c   opening and its PRAGMAs; db_make.c making the files; db_copy.c copying them for a backup
 *	db_admin.c  what the motorpool command asks of the engine: integrity, a second file, writing in bulk
 */
#ifndef MP_DB_INSIDE_H
#define MP_DB_INSIDE_H

#include "db.h"
#include "lock.h"

#include <sqlite3.h>
#include <sys/types.h>

#define DB_MAX_ARGS     24
#define DB_LOCK_WAIT_MS 5000    /* longest wait in the writers' queue */
#define DB_BUSY_MS      3000    /* the net under it: SQLite's own waiting */
#define DB_STATEMENT_MS 2000    /* longest run of one statement between two rows */

struct rows {
	struct db *db;
	struct stmt *st;
};

/* One prepared statement: for the life of the connection. */
struct stmt {
	const char *sql;                        /* the key */
	sqlite3_stmt *stmt;
	int n_args;
	unsigned char bind[DB_MAX_ARGS];        /* SQLite's index of $1, $2 … */
	bool reads_only;
	bool is_walking;                        /* between db_each() and its end */
	bool is_whole_tx;                       /* began outside a transaction: it is one of its own */
	const struct shape *shape;              /* whose members these are: */
	const struct member **column;
	struct rows rows;
};

struct db {
	sqlite3 *sqlite;
	const struct db_role *role;
	struct lock *lock;
	struct arena *m;
	pid_t pid;                              /* who opened it: it never crosses fork() */

	struct stmt **table;                    /* open addressing; NULL: free */
	unsigned n_table, n_stmts, n_walks;
	sqlite3_stmt *begin, *commit, *rollback, *version[2];
	bool is_linted;                         /* DB_LINT=1 */

	bool is_read_only;
	bool is_offline;                        /* db_offline() */
	int depth;                              /* of db_begin() */
	bool is_open;                           /* the transaction has begun, and the writers' lock is ours */
	bool is_doomed;                         /* an inner rollback: the outermost commit will refuse */
	bool wrote_events;
	bool is_held;                           /* a reader stood in the way of the last checkpoint, and not only for a moment */
	int n_moved;                            /* pages of the WAL that were in the main file then */
	uint64_t ticket;                        /* of our last commit */
	int64_t n_commits;
	void (*on_commit)(void *arg);
	void *on_commit_arg;

	bool failed, later, dead;                      /* dead: the disk refused; db_fresh() does not forgive that */
	struct db_at at;                        /* the call in hand */
	int64_t deadline;                       /* 0: the statement has just begun */
	char error[400];
	char refusal[100];
};

/* db_guard.c */
void db_mistake(struct db *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void db_trouble(struct db *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));     /* no mistake: db_is_later() */
void db_sql_mistake(struct db *db, int rc);             /* what SQLite said */
void db_die(struct db *db, const char *what);
bool db_take_refusal(struct db *db, int rc);            /* false: not a constraint people can run into */
void db_guard(struct db *db);                           /* sets authorizer and time limit; once */

/* db_stmt.c */
struct stmt *db_stmt(struct db *db, const char *sql);   /* NULL: a mistake, already told */
bool db_stmt_shape(struct db *db, struct stmt *st, const struct shape *shape);
void db_stmts_reset(struct db *db);
void db_stmts_free(struct db *db);

/* db_write.c */
void db_abandon(struct db *db);                         /* rolls back and gives the lock up; depth stays for those who unwind */

/* db_make.c */
bool db_path(char *path, size_t room, const char *var_dir, const char *name);
const char *db_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));        /* for *why: until the next one */
int64_t db_pragma(sqlite3 *sqlite, const char *sql);    /* its answer, a number; -1: none */

#endif
