/*
 * db_wal.c - durability and the checkpoint: what happens to the write-ahead log after a commit.
 *
 * One sync covers every commit before it, since the WAL is written in order: one of those who wait for their ticket
 * syncs for all. Checkpoints hold the writers' lock: SQLite 3.40.1 can lose a commit that restarts the WAL during a
 * checkpoint.
 */
#include "db_inside.h"

#include "lib/base/log.h"

#include <unistd.h>

#define WAL_TOO_LONG    (16 * 1024 * 1024)      /* bytes: truncate the file instead of reusing it */
#define PAGE_BYTES      4096
#define WAL_HEADER      32
#define WAL_FRAME       (PAGE_BYTES + 24)
#define TRUNCATE_MS     100 /* longest wait for readers, while writers wait too, when the WAL must be truncated … */
#define RESTART_MS      3                       /* … and otherwise */
#define MOMENT_US       50

/* --- durable ------------------------------------------------------------------------------------------------------ */

static sqlite3_file *
wal_file(struct db *db)
{
	sqlite3_file *f = NULL;

	sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f);
	return f && f->pMethods ? f : NULL;
}

/* Changes each time the WAL is restarted. */
static uint32_t
wal_salt(sqlite3_file *f)
{
	uint32_t salt[2] = { 0, 0 };

	f->pMethods->xRead(f, salt, sizeof(salt), 16);
	return salt[0] ^ salt[1];
}

/* The salt is read before the number of frames: if the WAL is restarted in between, the two match no WAL. */
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

	if (db->failed || db->is_offline) /* failed: what should be durable may never have been committed */
		return !db->failed;
	if (db->depth > 0) {
		db_mistake(db, "db_durable() was called inside a transaction");
		return false;
	}
	if (db->role->on_view || lock_synced(db->lock, ticket, sync_wal, db)) /* read models can be rebuilt */
		return true;
	db_fail_for_good(db, "the WAL could not be synced");
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
	return sum + db->n_commits; /* data_version leaves out what we commit ourselves */
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
 * After a failed sync the kernel counts the unwritten pages as clean: the next sync succeeds, although the disk does
 * not have them. A checkpoint after that, cut off by a power failure, leaves a main file that no WAL can repair.
 * Writing the bytes again makes the pages dirty again.
 */
static bool
write_again(sqlite3_file *f, sqlite3_int64 from, sqlite3_int64 end)
{
	static char part[1 << 16];
	bool ok = true;

	for (sqlite3_int64 at = from; ok && at < end; at += (sqlite3_int64)sizeof(part)) {
		int n = end - at < (sqlite3_int64)sizeof(part) ? (int)(end - at) : (int)sizeof(part);

		ok = f->pMethods->xRead(f, part, n, at) == SQLITE_OK
			&& f->pMethods->xWrite(f, part, n, at) == SQLITE_OK;
	}
	return ok;
}

/* Only what no sync has covered: a write torn by a power failure must not damage what was reported as durable. */
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
 * The pages of the main file that are in the WAL's first n frames, which are on disk by now: an earlier checkpoint
 * may have copied some without syncing them, and SQLite does not copy them again.
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

/* The WAL first: once all of it is on disk, the main file may be in any state. */
static bool
save_again(struct db *db)
{
	int in_wal = 0, moved = 0, rc;

	if (!write_wal_again(db))
		return false;
	rc = sqlite3_wal_checkpoint_v2(db->sqlite, "main", SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
	return (rc == SQLITE_OK || rc == SQLITE_BUSY) && write_pages_again(db, in_wal);
}

/* Before a page goes into the main file, all of the WAL must be on disk. The writers' lock is held, so nothing is added
 * to it. */
static bool
is_wal_safe(struct db *db)
{
	if (!lock_broken(db->lock) && lock_synced(db->lock, lock_latest(db->lock), sync_wal, db))
		return true;
	return save_again(db);
}

/* Everything in the WAL is in the main file and synced, also what a failed sync had left in doubt. */
static void
all_moved(struct db *db, bool was_truncated)
{
	lock_set_pages(db->lock, 0);
	if (was_truncated && lock_broken(db->lock)) {
		log_warn("db", "the WAL was written again after a failed sync; writing continues");
		lock_mended(db->lock);
	}
}

/* SQLite's own busy handler sleeps for milliseconds; a page's query ends after some 50 µs. */
static int
wait_for_readers(void *arg, int n_waits)
{
	int most_ms = *(const int *)arg;

	usleep(MOMENT_US);
	return n_waits < most_ms * 1000 / MOMENT_US;
}

/*
 * Detects a long reader (a backup, a query by hand): nothing has been moved since the last checkpoint, although there
 * is more. Waiting for it would block all writers each time; once something is moved again, the reader has ended.
 */
static void
note_reader(struct db *db, int rc, int in_wal, int moved)
{
	db->is_held = rc == SQLITE_BUSY && moved < in_wal && moved == db->n_moved;
	db->n_moved = moved;
}

/*
 * RESTART, not PASSIVE: the next commit writes from the WAL's start again. With programs reading all the time PASSIVE
 * never gets there: the file grew until it was truncated, and each sync had to allocate new blocks. false: it failed.
 * *in_wal: the WAL's frames; -1: readers blocked it, which the next checkpoint makes up for.
 */
static bool
move_wal(struct db *db, bool cuts, int *in_wal)
{
	int moved = 0, most_ms = db->is_held ? 0 : cuts ? TRUNCATE_MS : RESTART_MS, rc;

	sqlite3_busy_handler(db->sqlite, wait_for_readers, &most_ms);
	rc = sqlite3_wal_checkpoint_v2(
		db->sqlite, "main", cuts ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART, in_wal, &moved);
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
