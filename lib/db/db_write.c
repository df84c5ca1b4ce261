/*
 * db_write.c - transactions, durability and the checkpoint.
 *
 * A write transaction: queue for the writers' lock, BEGIN IMMEDIATE, … COMMIT, take a ticket, give the lock up. COMMIT at
 * synchronous=NORMAL writes the WAL without syncing it; db_durable() syncs it afterwards, once for all who wait. The WAL is a
 * prefix, so a sync covers every commit before it. Checkpoints hold the same lock: SQLite 3.40.1 can lose commits that restart
 * the WAL beside one.
 *
 * A mistake inside a transaction rolls it back and gives the lock up at once; the calls that follow only unwind.
 */
#include "db_inside.h"

#include "lib/base/log.h"

#include <string.h>
#include <unistd.h>

#define WAL_TOO_LONG    (16 * 1024 * 1024)      /* bytes: cut the file off instead of reusing it */
#define PAGE_BYTES      4096
#define WAL_HEADER      32
#define WAL_FRAME       (PAGE_BYTES + 24)
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
is_broken(struct db *db)
{
	if (lock_broken(db->lock))
		db_trouble(db, "a sync has failed: nothing is written until the relay has saved what is there");
	return db->failed;
}

/* true: the writers' lock is ours. A sync may have failed while we stood in the queue: a WAL in doubt must not begin anew. */
static bool
may_begin(struct db *db)
{
	if (db->is_read_only)
		db_mistake(db, "a page that only shows began a transaction");
	else if (db->pid != getpid())
		db_mistake(db, "the connection crossed fork()");
	else if (!is_broken(db) && !lock_writer(db->lock, DB_LOCK_WAIT_MS))
		db_trouble(db, "the writers' lock was held for too long");
	if (db->failed)
		return false;
	if (is_broken(db))
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

/* Another one each time the WAL begins anew. */
static uint32_t
wal_salt(sqlite3_file *f)
{
	uint32_t salt[2] = { 0, 0 };

	f->pMethods->xRead(f, salt, sizeof(salt), 16);
	return salt[0] ^ salt[1];
}

/* The salt before the number of frames: should the WAL begin anew between the two, they fit no WAL. */
static bool
sync_wal(void *arg)
{
	struct db *db = arg;
	sqlite3_file *f = wal_file(db);
	uint64_t safe = f ? (uint64_t)wal_salt(f) << 32 : 0;

	safe |= (uint32_t)lock_frames(db->lock);
	if (!f || f->pMethods->xSync(f, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return false;
	lock_set_safe(db->lock, safe);
	return true;
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

/*
 * What a failed sync should have written counts as clean: the next sync says yes, and the disk does not hold it. A checkpoint on
 * top of that, cut off in its middle by a power cut, leaves a main file that no WAL can repair. Written once more, it is dirty again.
 */
static bool
write_again(sqlite3_file *f, sqlite3_int64 from, sqlite3_int64 end)
{
	static char part[1 << 16];
	bool ok = true;

	for (sqlite3_int64 at = from; ok && at < end; at += (sqlite3_int64)sizeof(part)) {
		int n = end - at < (sqlite3_int64)sizeof(part) ? (int)(end - at) : (int)sizeof(part);

		ok = f->pMethods->xRead(f, part, n, at) == SQLITE_OK && f->pMethods->xWrite(f, part, n, at) == SQLITE_OK;
	}
	return ok;
}

/* Only what no sync has covered: a write that a power cut tears must not hit what was promised. */
static bool
write_wal_again(struct db *db)
{
	sqlite3_file *f = wal_file(db);
	uint64_t safe = lock_safe(db->lock);
	sqlite3_int64 n_safe = f && (uint32_t)(safe >> 32) == wal_salt(f) ? (sqlite3_int64)(uint32_t)safe : 0;

	return f && write_again(f, n_safe ? WAL_HEADER + n_safe * WAL_FRAME : 0, wal_bytes(db))
	         && lock_sync_again(db->lock, sync_wal, db);
}

/*
 * The pages of the main file that stand in the WAL's first n frames, which are safe by now: an earlier checkpoint may have moved
 * some and left their sync to a later one, and SQLite does not move them again.
 */
static bool
write_pages_again(struct db *db, int n_frames)
{
	sqlite3_file *wal = wal_file(db), *f = NULL;
	sqlite3_int64 size = 0;
	unsigned char n[4];
	bool ok;

	sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &f);
	ok = wal && f && f->pMethods && f->pMethods->xFileSize(f, &size) == SQLITE_OK;
	for (int i = 0; ok && i < n_frames; i++) {
		ok = wal->pMethods->xRead(wal, n, sizeof(n), WAL_HEADER + i * (sqlite3_int64)WAL_FRAME) == SQLITE_OK;
		sqlite3_int64 page = (sqlite3_int64)n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3];

		if (ok && page > 0 && page * PAGE_BYTES <= size)
			ok = write_again(f, (page - 1) * PAGE_BYTES, page * PAGE_BYTES);
	}
	return ok && f->pMethods->xSync(f, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

/* The WAL first: with all of it on the disk the main file may be in any state. */
static bool
save_again(struct db *db)
{
	int in_wal = 0, moved = 0, rc;

	if (!write_wal_again(db))
		return false;
	rc = sqlite3_wal_checkpoint_v2(db->sqlite, "main", SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
	return (rc == SQLITE_OK || rc == SQLITE_BUSY) && write_pages_again(db, in_wal);
}

/* Before a page of it goes into the main file, all of the WAL must be on the disk. Nothing is added to it meanwhile. */
static bool
is_wal_safe(struct db *db)
{
	if (!lock_broken(db->lock) && lock_synced(db->lock, lock_latest(db->lock), sync_wal, db))
		return true;
	return save_again(db);
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
 * Somebody reads for long (a backup, a person's query): nothing more has been moved since the last time, though there is more. To wait
 * for him would only keep all writers waiting, again and again; as soon as something moves, he is gone.
 */
static void
note_reader(struct db *db, int rc, int in_wal, int moved)
{
	db->is_held = rc == SQLITE_BUSY && moved < in_wal && moved == db->n_moved;
	db->n_moved = moved;
}

/*
 * RESTART, not PASSIVE: the next commit begins at the WAL's start again. Left to chance, with programs reading all the time, it
 * never would: the file grew until it was cut off, and every sync paid for new blocks.
 * false: it could not. *in_wal: the WAL's frames; -1: readers were in the way, the next time will do.
 */
static bool
move_wal(struct db *db, bool cuts, int *in_wal)
{
	int moved = 0, most_ms = db->is_held ? 0 : cuts ? TRUNCATE_MS : RESTART_MS, rc;

	sqlite3_busy_handler(db->sqlite, wait_for_readers, &most_ms);
	rc = sqlite3_wal_checkpoint_v2(db->sqlite, "main", cuts ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART, in_wal, &moved);
	sqlite3_busy_timeout(db->sqlite, DB_BUSY_MS);
	note_reader(db, rc, *in_wal, moved);
	if (rc == SQLITE_OK && moved == *in_wal)
		all_moved(db, cuts);
	else if ((rc & 0xFF) == SQLITE_IOERR)
		lock_break(db->lock);
	if (rc == SQLITE_OK || rc == SQLITE_BUSY)
		return true;
	log_error("db", "checkpoint: %s", sqlite3_errmsg(db->sqlite));
	return false;
}

int
db_checkpoint(struct db *db)
{
	int in_wal = -1, before;
	bool cuts, ok;

	if (db->failed || db->depth > 0 || !lock_writer(db->lock, DB_LOCK_WAIT_MS))
		return -1;
	before = (int)(wal_bytes(db) / WAL_FRAME);
	ok = is_wal_safe(db);
	cuts = wal_bytes(db) > WAL_TOO_LONG || lock_broken(db->lock);
	if (ok)
		ok = move_wal(db, cuts, &in_wal);
	else
		log_error("db", "checkpoint: the WAL could not be synced");
	unlock_writer(db->lock);
	if (!ok)
		return -1;
	return cuts || in_wal < 0 ? before : in_wal;
}
