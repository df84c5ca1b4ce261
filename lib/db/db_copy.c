/*
 * db_copy.c - copies of whole database files, for a backup, while other processes read and write.
 *
 * All files are copied as they are at one moment, so that a charge is in ours and in the sandbox's or in neither. The
 * writers' locks of all files are held together for the microseconds it takes to begin a read transaction on each.
 *
 * The read transactions stay open to the end: without one, SQLite's backup starts again after every commit of another
 * process and would never end. They prevent the WALs from being restarted, so nothing is synced or verified
 * meanwhile: the writes go to the page cache, and a gigabyte takes a few seconds.
 */
#include "db_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_COPIES 4
#define PATH_ROOM  4200
#define AT_ONCE    256          /* pages between two calls of progress() */

struct source {
	sqlite3 *from, *to;
	struct lock *lock;
	int64_t n_pages, page_bytes;
};

static bool
copy_error(const char **why, const char *name, sqlite3 *sqlite)
{
	*why = db_say("%s.db: %s", name, sqlite ? sqlite3_errmsg(sqlite) : strerror(errno));
	return false;
}

static bool
open_both(const char *var_dir, const struct db_copy *copy, struct source *s, const char **why)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	char path[PATH_ROOM];

	s->lock = lock_open(var_dir, copy->name);
	if (!s->lock || !db_path(path, sizeof(path), var_dir, copy->name))
		return copy_error(why, copy->name, NULL);
	if (sqlite3_open_v2(path, &s->from, flags, NULL) != SQLITE_OK)
		return copy_error(why, copy->name, s->from);
	sqlite3_db_config(s->from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(s->from, DB_BUSY_MS);
	if (sqlite3_exec(s->from, "PRAGMA mmap_size=0", NULL, NULL, NULL) != SQLITE_OK)
		return copy_error(why, copy->name, s->from);
	if (sqlite3_open_v2(copy->to, &s->to, flags | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK
		|| sqlite3_exec(s->to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL)
			!= SQLITE_OK)
		return copy_error(why, copy->name, s->to);
	return true;
}

/* --- the moment --------------------------------------------------------------------------------------------------- */

static bool
begin_reading(const struct db_copy *copy, struct source *s, const char **why)
{
	if (sqlite3_exec(s->from, "BEGIN; SELECT COUNT(*) FROM sqlite_master", NULL, NULL, NULL) == SQLITE_OK)
		return true;
	return copy_error(why, copy->name, s->from);
}

static bool
one_moment(const struct db_copy *copies, struct source *s, int n, const char **why)
{
	bool ok = true;
	int held = 0;

	while (ok && held < n) {
		ok = lock_writer(s[held].lock, DB_LOCK_WAIT_MS);
		held += ok;
		if (!ok)
			*why = "the writers' lock was held for too long";
	}
	for (int i = 0; ok && i < n; i++)
		ok = begin_reading(&copies[i], &s[i], why);
	while (held > 0)
		unlock_writer(s[--held].lock);
	return ok;
}

/* --- the copying -------------------------------------------------------------------------------------------------- */

struct copy_report {
	void (*progress)(void *arg, int64_t done, int64_t total);
	void *arg;
	int64_t before, total;
};

static bool
copy_one(struct db_copy *copy, struct source *s, const struct copy_report *report, const char **why)
{
	sqlite3_backup *work = sqlite3_backup_init(s->to, "main", s->from, "main");
	int rc = SQLITE_OK;

	while (work && rc == SQLITE_OK) {
		rc = sqlite3_backup_step(work, AT_ONCE);
		if (report->progress)
			report->progress(report->arg,
				report->before + sqlite3_backup_pagecount(work) - sqlite3_backup_remaining(work),
				report->total);
	}
	if (sqlite3_backup_finish(work) != SQLITE_OK || rc != SQLITE_DONE)
		return copy_error(why, copy->name, s->to);
	sqlite3_exec(s->from, "COMMIT", NULL, NULL, NULL);
	copy->n_bytes = s->n_pages * s->page_bytes;
	return true;
}

static void
close_both(struct source *s)
{
	sqlite3_close(s->to);
	sqlite3_close(s->from);
	if (s->lock)
		lock_close(s->lock);
}

bool
db_copy_all(const char *var_dir, struct db_copy *copies, int n,
	void (*progress)(void *arg, int64_t done, int64_t total), void *arg, const char **why)
{
	struct source s[MAX_COPIES] = { 0 };
	struct copy_report report = { .progress = progress, .arg = arg };
	bool ok = n <= MAX_COPIES;

	for (int i = 0; ok && i < n; i++)
		ok = open_both(var_dir, &copies[i], &s[i], why);
	ok = ok && one_moment(copies, s, n, why);
	for (int i = 0; ok && i < n; i++) {
		s[i].n_pages = db_pragma(s[i].from, "PRAGMA page_count");
		s[i].page_bytes = db_pragma(s[i].from, "PRAGMA page_size");
		report.total += s[i].n_pages;
	}
	for (int i = 0; ok && i < n; i++) {
		ok = copy_one(&copies[i], &s[i], &report, why);
		report.before += s[i].n_pages;
	}
	for (int i = 0; i < n && i < MAX_COPIES; i++)
		close_both(&s[i]);
	return ok;
}
