/*
 * db_write.c - transactions, durability and the checkpoint.
 *
 * A write transaction: queue for the writers' lock, BEGIN IMMEDIATE, … COMMIT, take a ticket, give the lock up. COMMIT at
 * synchronous=NORMAL writes the WAL without syncing it; db_durable() syncs it afterwards, once for all who wait. The WAL is a
 * prefix, so a sync covers every commit before it. Checkpoints hold the same lock: SQLite 3.40.1 can lose commits that restart
 * the WAL beside one (GROUND SQLite 1).
 *
 * A mistake inside a transaction rolls it back and gives the lock up at once; the calls that follow only unwind.
 */
#include "db_inside.h"

#include "log.h"

#include <string.h>
#include <unistd.h>

#define WAL_TOO_LONG    (16 * 1024 * 1024)      /* bytes: cut the file off instead of reusing it */
#define WAL_FRAME       (4096 + 24)
#define TRUNCATE_MS     100                     /* how long readers may keep us, while writers wait, when it must be … */
#define RESTART_MS      3                       /* … and when it would only be good */
#define MOMENT_US       50

/* --- begin, commit, rollback -------------------------------------------------------------------------------------- */

static int
run(sqlite3_stmt *stmt)
{
	int rc;

	sqlite3_step(stmt);
	rc = sqlite3_reset(stmt);
	return rc;
}

static bool
may_begin(struct db *db)
{
	if (db->is_read_only)
		db_mistake(db, "a page that only shows began a transaction");
	else if (db->pid != getpid())
		db_mistake(db, "the connection crossed fork()");
	else if (lock_broken(db->lock))
		db_mistake(db, "a sync has failed: nothing is written until the relay has saved what is there");
	else if (!lock_writer(db->lock, DB_LOCK_WAIT_MS))
		db_mistake(db, "waited %d ms for the writers' lock", DB_LOCK_WAIT_MS);
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
	rc = run(db->begin);
	if (rc == SQLITE_OK) {
		db->is_open = true;
	} else {
		unlock_writer(db->lock);
		db_sql_mistake(db, rc);
	}
}

void
db_abandon(struct db *db)
{
	if (!db->is_open)
		return;
	db->is_open = false;
	if (!sqlite3_get_autocommit(db->sqlite))        /* some errors have rolled back already */
		run(db->rollback);
	unlock_writer(db->lock);
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
	int rc = run(db->commit);

	if (rc != SQLITE_OK) {
		db_sql_mistake(db, rc);         /* rolls back and unlocks */
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

/* --- durable ------------------------------------------------------------------------------------------------------ */

static sqlite3_file *
wal_file(struct db *db)
{
	sqlite3_file *f = NULL;

	sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f);
	return f && f->pMethods ? f : NULL;
}

static bool
sync_wal(void *arg)
{
	sqlite3_file *f = wal_file(arg);

	return f && f->pMethods->xSync(f, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

bool
db_durable(struct db *db)
{
	uint64_t ticket = db->is_read_only ? db->ticket : lock_latest(db->lock);

	if (db->failed || db->is_offline)       /* failed: what should be safe may never have been committed */
		return !db->failed;
	if (db->depth > 0) {
		db_mistake(db, "something was to leave the house in the middle of a transaction");
		return false;
	}
	if (db->role->on_view || lock_synced(db->lock, ticket, sync_wal, db))   /* read models can be made again */
		return true;
	db_die(db, "the WAL could not be synced");
	return false;
}

void
db_offline(struct db *db)
{
	db->is_offline = true;
}

int64_t
db_data_version(struct db *db)
{
	int64_t sum = 0;

	for (int i = 0; i < 2; i++)
		if (db->version[i]) {
			sqlite3_step(db->version[i]);
			sum += sqlite3_column_int64(db->version[i], 0);
			sqlite3_reset(db->version[i]);
		}
	return sum + db->n_commits;     /* data_version leaves out what we commit ourselves */
}

/* --- the checkpoint ----------------------------------------------------------------------------------------------- */

int
db_wal_pages(const struct db *db)
{
	return lock_pages(db->lock);
}

static sqlite3_int64
wal_bytes(struct db *db)
{
	sqlite3_file *f = wal_file(db);
	sqlite3_int64 n = 0;

	if (f)
		f->pMethods->xFileSize(f, &n);
	return n;
}

/* Everything in the WAL is in the main file, synced: also what a failed sync had put in doubt. */
static void
all_moved(struct db *db, bool was_truncated)
{
	lock_set_pages(db->lock, 0);
	if (was_truncated && lock_broken(db->lock)) {
		log_warn("db", "the WAL is saved after a failed sync; writing goes on");
		lock_mended(db->lock);
	}
}

/* SQLite's own waiting sleeps for milliseconds; a page's query is over in a few dozen microseconds. */
static int
wait_for_readers(void *arg, int n_waits)
{
	int most_ms = *(const int *)arg;

	usleep(MOMENT_US);
	return n_waits < most_ms * 1000 / MOMENT_US;
}

/*
 * RESTART, not PASSIVE: the next commit begins at the WAL's start again. Left to chance, with programs reading all the time, it
 * never would: the file grew until it was cut off, and every sync paid for new blocks.
 */
int
db_checkpoint(struct db *db)
{
	int rc, in_wal = 0, moved = 0, before, how, most_ms;
	bool cuts;

	if (db->failed || db->depth > 0 || !lock_writer(db->lock, DB_LOCK_WAIT_MS))
		return -1;
	before = (int)(wal_bytes(db) / WAL_FRAME);
	cuts = wal_bytes(db) > WAL_TOO_LONG || lock_broken(db->lock);
	how = cuts ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART;
	most_ms = cuts ? TRUNCATE_MS : RESTART_MS;
	sqlite3_busy_handler(db->sqlite, wait_for_readers, &most_ms);
	rc = sqlite3_wal_checkpoint_v2(db->sqlite, "main", how, &in_wal, &moved);
	sqlite3_busy_timeout(db->sqlite, DB_BUSY_MS);
	if (rc == SQLITE_OK && moved == in_wal)
		all_moved(db, cuts);
	else if ((rc & 0xFF) == SQLITE_IOERR)
		lock_break(db->lock);
	unlock_writer(db->lock);
	if (rc != SQLITE_OK && rc != SQLITE_BUSY) {     /* busy: readers were in the way, the next time will do */
		log_error("db", "checkpoint: %s", sqlite3_errmsg(db->sqlite));
		return -1;
	}
	return cuts || in_wal < 0 ? before : in_wal;
}
