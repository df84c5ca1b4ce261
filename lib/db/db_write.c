/*
 * db_write.c - transactions: wait for the writers' lock, BEGIN IMMEDIATE, …, COMMIT, take a ticket, release the lock.
 *
 * COMMIT at synchronous=NORMAL writes the WAL without syncing it; db_durable() (db_wal.c) syncs it later. After a
 * failure inside a transaction (db_fail.c) the calls that follow only count the nesting down.
 */
#include "db_inside.h"

#include "lib/base/log.h"

#include <unistd.h>

/* --- begin, commit, rollback -------------------------------------------------------------------------------------- */

static int
run_prepared(sqlite3_stmt *stmt)
{
	int rc;

	sqlite3_step(stmt);
	rc = sqlite3_reset(stmt);
	return rc;
}

static bool
has_failed_sync(struct db *db)
{
	if (lock_broken(db->lock))
		db_fail_for_now(db, "a sync has failed: nothing is written until the relay has written the WAL again");
	return db->failed;
}

/* true: this process holds the writers' lock. A sync may have failed during the wait: then the WAL must not be
 * restarted. */
static bool
may_begin(struct db *db)
{
	if (db->is_read_only)
		db_mistake(db, "a GET request began a transaction");
	else if (db->pid != getpid())
		db_mistake(db, "the connection was used after fork()");
	else if (!has_failed_sync(db) && !lock_writer(db->lock, DB_LOCK_WAIT_MS))
		db_fail_for_now(db, "the writers' lock was held for too long");
	if (db->failed)
		return false;
	if (has_failed_sync(db))
		unlock_writer(db->lock);
	return !db->failed;
}

void
db_begin(struct db *db)
{
	int rc;

	if (db->depth++ > 0 || db->failed)
		return;
	db->is_doomed = db->wrote_events = false;
	log_drop();
	if (!may_begin(db))
		return;
	rc = run_prepared(db->begin);
	if (rc == SQLITE_OK) {
		db->is_open = true;
	} else {
		unlock_writer(db->lock);
		db_fail_sql(db, rc);
	}
}

void
db_rollback(struct db *db)
{
	if (db->depth == 0)
		return;
	db->is_doomed = true;
	if (--db->depth == 0)
		db_abandon(db);
}

static bool
commit(struct db *db)
{
	int rc = run_prepared(db->commit);

	if (rc != SQLITE_OK) {
		db_fail_sql(db, rc); /* rolls back and unlocks */
		return false;
	}
	db->ticket = lock_committed(db->lock);
	db->n_commits++;
	db->is_open = false;
	unlock_writer(db->lock);
	log_release();
	if (db->wrote_events && db->on_commit)
		db->on_commit(db->on_commit_arg);
	return true;
}

bool
db_commit(struct db *db)
{
	if (db->depth == 0) {
		db_mistake(db, "commit without begin");
		return false;
	}
	if (--db->depth > 0)
		return !db->failed && !db->is_doomed;
	if (db->failed || db->is_doomed) {
		db_abandon(db);
		return false;
	}
	return commit(db);
}

bool
db_in_transaction(const struct db *db)
{
	return db->depth > 0;
}

void
db_lock(struct db *db, const char *table, int64_t id)
{
	if (db->depth == 0)
		db_mistake(db, "%s %lld locked outside a transaction", table, (long long)id);
}

void
db_on_commit(struct db *db, void (*fn)(void *arg), void *arg)
{
	db->on_commit = fn;
	db->on_commit_arg = arg;
}

void
db_mark_events(struct db *db)
{
	db->wrote_events = true;
}
