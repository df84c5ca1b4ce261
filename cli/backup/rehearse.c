/*
 * rehearse.c - `motorpool rehearse`: tests that a backup can be restored. It is restored into a scratch folder, every
 * invariant is recomputed there, the read models are rebuilt from its events, and they are compared, row by row, with
 * those in use.
 *
 * For the comparison the events since the backup are added to its log, which also shows that it is the beginning of the
 * log in use.
 *
 * The result is the event ops.rehearsed with the subject ops:backup; /ops shows the last one.
 */
#include "archive.h"
#include "cli/check/check.h"

#include "cgi-bin/mypage/mypage.h"
#include "lib/base/clock.h"
#include "lib/event/event.h"
#include "lib/base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool rehearse [FILE | --newest DIR]\n"
	"\n"
	"Tests a restore: unpacks a backup into a temporary directory, runs `check` on it, rebuilds the read models"
	" from its events\n"
	"and compares them with the ones in use. The result is recorded as the event ops.rehearsed and shown on /ops."
	" The exit status\n"
	"is 1 if a problem was found. Everything else may be running; the directory is removed afterwards.\n"
	"\n"
	"  FILE          the backup to test (default: a new one)\n"
	"  --newest DIR  the newest backup written by `motorpool backup --into DIR`\n";

#define FAILURES_MAX 1000               /* bytes */

struct rehearsed {
	const char *backup, *said;      /* said: the failures in words */
	int64_t made_at, n_events, n_bookings, took_ms, failures;
	bool ok;
};
static const struct member rehearsed_members[] = {
	SHAPE_TEXT(rehearsed, backup), SHAPE_TIME(rehearsed, made_at), SHAPE_INT(rehearsed, n_events),
	SHAPE_INT(rehearsed, n_bookings), SHAPE_INT(rehearsed, took_ms), SHAPE_BOOL(rehearsed, ok),
	SHAPE_INT(rehearsed, failures), SHAPE_TEXT(rehearsed, said),
};
static const struct shape rehearsed_shape = SHAPE(rehearsed, rehearsed_members);

struct rehearsal {
	struct cli *c;
	struct cli copy;                /* the same command on the scratch folder */
	const char *part, *file;
	struct manifest m;
	struct buf failures;            /* in words */
	int64_t n_failures, n_rows;
	bool is_fresh;                  /* the backup was made for this */
};

static bool
failed(struct rehearsal *r, const char *what)
{
	r->n_failures++;
	buf_printf(&r->failures, "%s%s", r->failures.n ? "; " : "", what);
	return false;
}

/* --- restored aside ----------------------------------------------------------------------------------------------- */

static bool
make_backup(struct rehearsal *r)
{
	struct backup_order o = { .file = cli_path(r->c, r->part, "backup.tar"), .leave_mib = BACKUP_LEAVE_MIB };
	struct manifest m;

	r->file = o.file;
	return backup_make(r->c, &o, &m) || failed(r, "could not write a backup");
}

static bool
restore_aside(struct rehearsal *r)
{
	const char *why = NULL;
	struct stat st;

	if (stat(r->file, &st) != 0)
		return failed(r, strerror(errno));
	if (!archive_room(r->c, r->part, 4 * st.st_size, BACKUP_LEAVE_MIB, &why) || mkdir(r->copy.var, 0700) != 0
		|| !unpack(r->c, r->file, r->copy.var, &r->m, &why))
		return failed(r, why ? why : strerror(errno));
	return true;
}

static bool
rebuild_views(struct rehearsal *r)
{
	const char *why = NULL;

	if (!cli_setup(&r->copy))
		return failed(r, "its settings or keys cannot be used");
	return (cli_migrate(&r->copy, &why) && cli_replay(&r->copy, "Rebuilding the read models", &why))
		|| failed(r, why ? why : "cannot rebuild the read models");
}

/* --- as it must be ------------------------------------------------------------------------------------------------ */

static bool
check_copy(struct rehearsal *r)
{
	struct inspection in;
	bool ok;

	if (!check_open(&in, &r->copy))
		return failed(r, "cannot open the restored database");
	in.as_of = r->m.made_at;
	ok = check_all(&in, false, stdout);
	check_close(&in);
	if (ok)
		return true;
	failed(r, in.failures.s);
	r->n_failures += in.n_failures - 1;
	return false;
}

/* --- as the one in use -------------------------------------------------------------------------------------------- */

struct carry { struct db *from, *to; const struct manifest *m; int64_t at; };

/* The last event of the backup is the event of that number in the log in use, or this is another log. */
static bool
is_beginning(struct carry *y)
{
	const char *hash;

	if (y->m->n_events == 0)
		return true;
	hash = db_text(y->from, "SELECT hash FROM event WHERE event_id = $1", y->m->n_events);
	return hash && strcmp(hash, y->m->last_hash) == 0;
}

static bool
carry_on(void *arg, int64_t upto, const char **why)
{
	struct carry *y = arg;
	bool ok = true;

	db_begin(y->to);
	for (struct rows *e = db_each(y->from,
		     "SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload,"
		     " prev_hash, hash FROM event"
		     " WHERE event_id > $1 AND event_id <= $2 ORDER BY event_id",
		     y->at, upto);
		db_next(e);)
		ok = ok
			&& db_try(y->to,
				"INSERT INTO event (event_id, type, subject_id, causation_id, actor_id, occurred_at,"
				" recorded_at, payload, prev_hash, hash)"
				" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
				row_int(e, 0), row_peek(e, 1), row_peek(e, 2), row_int(e, 3), row_int(e, 4),
				row_int(e, 5), row_int(e, 6), row_peek(e, 7), row_peek(e, 8), row_peek(e, 9));
	ok = db_commit(y->to) && ok && !db_failed(y->from);
	if (!ok)
		*why = "the current event log does not continue from the end of the backup";
	return ok;
}

static bool
compare_views(struct rehearsal *r, struct carry *y)
{
	struct view_log log = { .var_dir = r->copy.var, .more = carry_on, .arg = y };
	struct view_comparison found;
	const char *why = NULL;

	if (!is_beginning(y))
		return failed(r, "the current event log is not the one the backup was made from");
	if (!view_compare_log(r->c->root, r->c->var, &log, &found, &why))
		return failed(r, why ? why : "cannot compare the read models");
	r->n_rows = found.n_rows;
	return !found.n_different
		|| failed(r,
			arena_printf(r->c->m,
				"%lld rows of the read models in use differ from those rebuilt from the backup: %s",
				(long long)found.n_different, found.first));
}

static bool
compare_with_use(struct rehearsal *r)
{
	struct carry y = { .m = &r->m, .at = r->m.n_events };
	const char *why = NULL;
	struct progress p;
	bool ok;

	if (access(cli_path(r->c, r->c->var, "view.db"), F_OK) != 0)
		return failed(r, "no read models in use to compare with");
	progress_begin(&p, "Comparing with the read models in use");
	y.from = db_open(r->c->var, &cli_role, r->c->m, &why);
	y.to = y.from ? db_open(r->copy.var, &cli_role, r->c->m, &why) : NULL;
	ok = y.to ? compare_views(r, &y) : failed(r, why ? why : "cannot open a database");
	if (y.to)
		db_close(y.to);
	if (y.from)
		db_close(y.from);
	progress_end(&p, ok ? "%lld rows, identical" : "%lld rows, DIFFERENT", (long long)r->n_rows);
	return ok;
}

/* --- the proof ---------------------------------------------------------------------------------------------------- */

static bool
record(struct rehearsal *r, const struct rehearsed *done)
{
	struct db *db = cli_open(r->c);
	bool ok;

	if (!db)
		return false;
	event_open(db, r->c->var);
	db_begin(db);
	event_emit(db, &(struct event){ .type = "ops.rehearsed", .subject_id = "ops:backup" }, &rehearsed_shape, done);
	ok = db_commit(db) && db_durable(db);
	db_close(db);
	return ok || (cli_fail("could not record the result"), false);
}

/* An event is no place for thousands of them; and half a character is none. */
static const char *
in_short(struct rehearsal *r)
{
	size_t n = r->failures.n;

	if (n > FAILURES_MAX)
		for (n = FAILURES_MAX; ((unsigned char)r->failures.s[n] & 0xC0) == 0x80; n--)
			;
	return n ? arena_strndup(r->c->m, r->failures.s, n) : "";
}

static bool
rehearse_steps(struct rehearsal *r)
{
	return (!r->is_fresh || make_backup(r)) && restore_aside(r) && rebuild_views(r)
		&& (int)check_copy(r) + (int)compare_with_use(r) == 2;
}

static int
perform(struct rehearsal *r)
{
	struct rehearsed done = { .backup = "" };
	int64_t began_ms = clock_ms();
	const char *name;

	folder_remove(r->part);
	done.ok = !r->failures.n && (mkdir(r->part, 0700) == 0 || failed(r, strerror(errno))) && rehearse_steps(r);
	folder_remove(r->part);
	name = r->file ? strrchr(r->file, '/') : NULL;
	done.backup = r->is_fresh ? "fresh" : name ? name + 1 : r->file ? r->file : "";
	done.failures = r->n_failures;
	done.said = in_short(r);
	done.made_at = r->m.made_at;
	done.n_events = r->m.n_events;
	done.n_bookings = r->m.n_bookings;
	done.took_ms = clock_ms() - began_ms;
	if (!record(r, &done))
		return 1;
	if (!done.ok)
		return cli_fail("the restore test FAILED: %s", done.said);
	printf("the backup can be restored: %lld bookings, %lld events, all invariants hold, %lld rows of the read"
	       " models identical (%.1f s)\n",
		(long long)done.n_bookings, (long long)done.n_events, (long long)r->n_rows,
		(double)done.took_ms / 1000);
	return 0;
}

static int
rehearse(struct cli *c, int argc, char **argv)
{
	bool bad = false;
	const char *dir = cli_option(&argc, argv, "--newest", &bad);
	struct rehearsal r = {
		.c = c, .copy = *c, .part = cli_path(c, c->var, "rehearse.part"), .failures = { .m = c->m }
	};
	struct db *db;
	int guard;

	if (bad || argc > (dir ? 1 : 2))
		return cli_usage(c);
	r.copy.var = cli_path(c, r.part, "state");
	r.file = dir ? backup_newest(c, dir) : argv[1];
	r.is_fresh = !dir && !r.file;
	if (dir && !r.file)
		failed(&r, arena_printf(c->m, "no backup in %s", dir));
	db = cli_open(c);
	if (!db)
		return 1;
	db_close(db);
	guard = open(cli_path(c, c->var, "run/rehearse.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (guard < 0 || flock(guard, LOCK_EX | LOCK_NB) != 0)
		return cli_fail("another restore test is running");
	return perform(&r);
}

const struct command rehearse_command = {
	.name = "rehearse", .summary = "tests that a backup can be restored", .usage = usage, .run = rehearse,
};
