/*
 * db_inside - what the db_*.c files share; no other file includes it.
 *
 *	db.c        the vocabulary: bind, step, fill
 *	db_stmt.c   prepared statements by the address of their literal; the lint of query plans
 *	db_write.c  transactions
 *	db_wal.c    durability and the checkpoint
 *	db_fail.c   failures, and refusals by a constraint
 *	db_guard.c  what a role may touch, how long a statement may take
 *	db_open.c   opening and its PRAGMAs; db_make.c making the files; db_copy.c copying them for a backup
 *	db_admin.c  what the motorpool command asks of the engine: integrity, a second file, writing in bulk
 */
#ifndef MP_DB_INSIDE_H
#define MP_DB_INSIDE_H

#include "db.h"
#include "lock.h"

#include <sqlite3.h>
#include <sys/types.h>

#define DB_MAX_ARGS     30
#define DB_LOCK_WAIT_MS 5000    /* longest wait in the writers' queue */
#define DB_BUSY_MS      3000    /* SQLite's own waiting, which the queue should make unnecessary */
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
	bool is_whole_tx;                       /* began outside a transaction: it is one by itself */
	const struct shape *shape;              /* whose members these are: */
	const struct member **column;
	struct rows rows;
};

struct db {
	sqlite3 *sqlite;
	const struct db_role *role;
	struct lock *lock;
	struct arena *m;
	pid_t pid; /* of the process that opened it: a connection must not be used after fork() */

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
	bool is_held;                           /* a long reader blocked the last checkpoint */
	int n_moved;                            /* pages of the WAL that were in the main file then */
	uint64_t ticket;                        /* of our last commit */
	int64_t n_commits;
	void (*on_commit)(void *arg);
	void *on_commit_arg;

	bool failed, later, dead;                      /* dead: the disk has failed; db_fresh() does not clear it */
	struct db_at at;                        /* the call that runs */
	int64_t deadline;                       /* 0: the statement has just begun */
	char error[400];
	char refusal[100];
};

/* db_fail.c */
void db_mistake(struct db *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* db_is_later(): may pass by itself */
void db_fail_for_now(struct db *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void db_fail_sql(struct db *db, int rc);             /* SQLite's error code and message */
void db_fail_for_good(struct db *db, const char *what);
bool db_take_refusal(struct db *db, int rc);            /* false: no constraint that normal use can violate */
void db_abandon(struct db *db); /* rolls back and releases the lock; depth stays for the calls that return */

/* db_guard.c */
void db_guard(struct db *db);                           /* sets authorizer and time limit; once */

/* db_stmt.c */
struct stmt *db_stmt(struct db *db, const char *sql);   /* NULL: it failed, which is logged */
bool db_stmt_shape(struct db *db, struct stmt *st, const struct shape *shape);
void db_stmts_reset(struct db *db);
void db_stmts_free(struct db *db);

/* db_make.c */
bool db_path(char *path, size_t room, const char *var_dir, const char *name);
/* a text for *why, valid until the next call */
const char *db_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int64_t db_pragma(sqlite3 *sqlite, const char *sql);    /* its answer, a number; -1: none */

#endif
