/*
 * backup.c - `motorpool backup`: everything that a new machine needs, in one file, made while the programs run.
 *
 * It is written in a folder beside the file, motorpool-backup.part, and renamed when it is complete, checked and
 * synced: a file of that name is always a complete backup. The rest of an interrupted one is removed by the next.
 *
 * Photos are named by their contents and may be added or removed meanwhile: those that exist before the databases are
 * copied are included, then those added since, so all photos that the copy refers to are included. The read models are
 * not: they are rebuilt.
 */
#include "archive.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/folder.h"
#include "lib/base/json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool backup FILE [--leave MIB]\n"
	"       motorpool backup --into DIR [--keep N] [--leave MIB]\n"
	"\n"
	"Writes everything needed to restore the installation elsewhere into one tar file: a consistent snapshot of the"
	" databases,\n"
	"photos, settings and keys. Everything else may be running. The file contains all secrets of the state"
	" directory; only its\n"
	"owner can read it. `motorpool restore FILE` restores it, `motorpool rehearse FILE` tests that this works.\n"
	"\n"
	"  --into DIR   write to a new file in that directory: motorpool-20260131T031000Z.tar\n"
	"  --keep N     … and keep the newest N of these files, removing older ones\n"
	"  --leave MIB  refuse if less than this would remain free on that disk (default 256)\n";

#define PART "motorpool-backup.part"
#define OURS "motorpool-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z.tar"

struct work {
	struct cli *c;
	const struct backup_order *o;
	const char *dir, *part;         /* where the file goes; where it is made */
	int folder;                     /* dir, locked: one backup into it at a time */
	struct archive a;
	struct db_copy copies[2];
	int n_copies;
	struct manifest *m;
	struct buf photos;              /* "\nFOLDER/NAME\n": those that are in */
	const char *why;
};

static bool
fail(struct work *w, const char *what)
{
	w->why = arena_printf(w->c->m, "%s: %s", what, strerror(errno));
	return false;
}

/* --- where -------------------------------------------------------------------------------------------------------- */

static const char *
folder_of(struct arena *m, const char *file)
{
	const char *slash = strrchr(file, '/');

	return !slash ? "." : slash == file ? "/" : arena_strndup(m, file, (size_t)(slash - file));
}

static bool
open_folder(struct work *w)
{
	w->dir = folder_of(w->c->m, w->o->file);
	w->part = cli_path(w->c, w->dir, PART);
	w->folder = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->folder < 0)
		return fail(w, w->dir);
	if (flock(w->folder, LOCK_EX | LOCK_NB) != 0) {
		w->why = arena_printf(w->c->m, "another backup is being written to %s", w->dir);
		return false;
	}
	if (access(w->o->file, F_OK) == 0) {
		w->why = arena_printf(w->c->m, "%s already exists; a backup does not overwrite files", w->o->file);
		return false;
	}
	folder_remove(w->part);
	return mkdir(w->part, 0700) == 0 || fail(w, w->part);
}

/* --- room --------------------------------------------------------------------------------------------------------- */

static int64_t
bytes_of(struct work *w, const char *name)
{
	struct stat st;

	return stat(cli_path(w->c, w->c->var, name), &st) == 0 ? st.st_size : 0;
}

static int64_t
bytes_of_folder(struct work *w, const char *folder)
{
	DIR *d = opendir(cli_path(w->c, w->c->var, folder));
	int64_t n = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;

		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			n += st.st_size + 1024;
	}
	if (d)
		closedir(d);
	return n;
}

static int64_t
bytes_of_photos(struct work *w)
{
	int64_t n = 0;

	for (const char *const *folder = photo_folders; *folder; folder++)
		n += bytes_of_folder(w, *folder);
	return n;
}

bool
archive_room(struct cli *c, const char *dir, int64_t n_bytes, int64_t leave_mib, const char **why)
{
	struct statvfs fs;
	int64_t there;

	if (statvfs(dir, &fs) != 0) {
		*why = arena_printf(c->m, "%s: %s", dir, strerror(errno));
		return false;
	}
	there = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	if (there >= n_bytes + (leave_mib << 20))
		return true;
	*why = arena_printf(c->m, "the disk of %s has %lld MiB free, but %lld are needed%s", dir,
		(long long)(there >> 20), (long long)(n_bytes >> 20) + 1,
		leave_mib ? arena_printf(c->m, ", plus %lld that must remain free", (long long)leave_mib) : "");
	return false;
}

/* The databases stand there twice for a while: the copy, and the copy in the file. */
static bool
disk_has_room(struct work *w)
{
	int64_t databases = bytes_of(w, "motorpool.db") + bytes_of(w, "motorpool.db-wal") + bytes_of(w, "sandbox.db");

	return archive_room(w->c, w->part, 2 * databases + bytes_of_photos(w), w->o->leave_mib, &w->why);
}

/* --- what goes in ------------------------------------------------------------------------------------------------- */

static bool
add_photo(struct work *w, const char *folder, const char *name)
{
	const char *path = arena_printf(w->c->m, "%s/%s", folder, name), *line = arena_printf(w->c->m, "\n%s\n", path);

	if (name[0] == '.' || strstr(w->photos.s, line))
		return true;
	if (!archive_add(&w->a, path, cli_path(w->c, w->c->var, path)))
		return errno == ENOENT || fail(w, path);
	buf_puts(&w->photos, line + 1);
	w->m->n_photos++;
	return true;
}

static bool
add_folder(struct work *w, const char *folder)
{
	DIR *d = opendir(cli_path(w->c, w->c->var, folder));
	bool ok = true;

	for (struct dirent *e; d && ok && (e = readdir(d));)
		ok = add_photo(w, folder, e->d_name);
	if (d)
		closedir(d);
	return ok;
}

static bool
add_photos(struct work *w)
{
	bool ok = true;

	if (!w->photos.n)
		buf_puts(&w->photos, "\n");
	for (const char *const *folder = photo_folders; ok && *folder; folder++)
		ok = add_folder(w, *folder);
	return ok;
}

static void
want_copy(struct work *w, const char *name)
{
	w->copies[w->n_copies++] =
		(struct db_copy){ .name = name, .to = arena_printf(w->c->m, "%s/%s.db", w->part, name) };
}

static bool
copy_databases(struct work *w)
{
	struct progress p;
	bool ok;

	want_copy(w, "motorpool");
	if (rental.sandbox && access(cli_path(w->c, w->c->var, "sandbox.db"), F_OK) == 0)
		want_copy(w, "sandbox");
	w->m->made_at = clock_now();
	progress_begin(&p, "Copying the databases");
	ok = db_copy_all(w->c->var, w->copies, w->n_copies, progress_at, &p, &w->why)
		&& unpack_facts(w->c, w->part, w->m, &w->why);
	if (ok)
		progress_end(&p, "%.1f MB, complete", (double)(w->copies[0].n_bytes + w->copies[1].n_bytes) / 1e6);
	else
		progress_end(&p, "failed");
	return ok;
}

static bool
add_copies(struct work *w)
{
	for (int i = 0; i < w->n_copies; i++) {
		if (!archive_add(&w->a, arena_printf(w->c->m, "%s.db", w->copies[i].name), w->copies[i].to))
			return fail(w, w->o->file);
		unlink(w->copies[i].to);
	}
	return true;
}

static bool
add_small_files(struct work *w)
{
	static const char *const names[] = { "secret.key", "payment.key", "motorpool.conf", "demo-logins.txt" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!archive_add(&w->a, names[i], cli_path(w->c, w->c->var, names[i])) && errno != ENOENT)
			return fail(w, names[i]);
	return true;
}

static bool
add_manifest(struct work *w)
{
	struct buf text = { .m = w->c->m };

	w->m->format = ARCHIVE_FORMAT;
	json_put(&text, &manifest_shape, w->m);
	buf_puts(&text, "\n");
	return archive_add_text(&w->a, ARCHIVE_FACTS, text.s) || fail(w, w->o->file);
}

static bool
add_the_rest(struct work *w)
{
	struct progress p;
	bool ok;

	progress_begin(&p, "Writing the file");
	w->a.done = 0;
	w->a.total = w->copies[0].n_bytes + w->copies[1].n_bytes;
	w->a.progress = progress_at;
	w->a.arg = &p;
	ok = add_photos(w) && add_copies(w) && add_small_files(w) && add_manifest(w)
		&& (archive_end(&w->a) || fail(w, w->o->file));
	if (ok)
		progress_end(&p, "%lld bookings, %lld events, %lld photos", (long long)w->m->n_bookings,
			(long long)w->m->n_events, (long long)w->m->n_photos);
	else
		progress_end(&p, "failed");
	return ok;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static bool
write_file(struct work *w, const char *whole)
{
	bool ok;

	w->a.fd = open(whole, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->a.fd < 0)
		return fail(w, whole);
	w->a.made_at = clock_now();
	ok = add_photos(w) && copy_databases(w) && add_the_rest(w);
	close(w->a.fd);
	return ok;
}

bool
backup_make(struct cli *c, const struct backup_order *o, struct manifest *made)
{
	struct work w = { .c = c, .o = o, .m = made, .a.sums = { .m = c->m }, .photos = { .m = c->m }, .folder = -1 };
	const char *whole;
	bool ok;

	*made = (struct manifest){ .last_hash = "" };
	ok = open_folder(&w);
	whole = cli_path(c, w.part, "whole.tar");
	if (ok) {
		ok = disk_has_room(&w) && write_file(&w, whole);
		if (ok && (renameat2(AT_FDCWD, whole, AT_FDCWD, o->file, RENAME_NOREPLACE) != 0 || !folder_sync(w.dir)))
			ok = fail(&w, o->file);
		folder_remove(w.part);
	}
	if (w.folder >= 0)
		close(w.folder);
	return ok || (cli_fail("the backup failed: %s", w.why), false);
}

/* --- a folder of them --------------------------------------------------------------------------------------------- */

static const char *
name_of_now(struct cli *c, const char *dir)
{
	time_t now = (time_t)clock_now();
	struct tm t;

	gmtime_r(&now, &t);
	return arena_printf(c->m, "%s/motorpool-%04d%02d%02dT%02d%02d%02dZ.tar", dir, t.tm_year + 1900, t.tm_mon + 1,
		t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

/* By their names, which is by their age. */
static int
find_ours(struct cli *c, const char *dir, glob_t *found)
{
	struct buf pattern = { .m = c->m };

	for (const char *s = dir; *s; s++)
		buf_printf(&pattern, strchr("*?[\\", *s) ? "\\%c" : "%c", *s);
	buf_puts(&pattern, "/" OURS);
	return glob(pattern.s, 0, NULL, found) == 0 ? (int)found->gl_pathc : 0;
}

const char *
backup_newest(struct cli *c, const char *dir)
{
	glob_t found = { 0 };
	int n = find_ours(c, dir, &found);
	const char *newest = n ? arena_strdup(c->m, found.gl_pathv[n - 1]) : NULL;

	globfree(&found);
	return newest;
}

static int
remove_older(struct cli *c, const char *dir, int64_t keep)
{
	glob_t found = { 0 };
	int n = find_ours(c, dir, &found), removed = 0;

	for (int i = 0; i < n - keep; i++)
		removed += unlink(found.gl_pathv[i]) == 0;
	globfree(&found);
	folder_sync(dir);
	return removed;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static int
backup(struct cli *c, int argc, char **argv)
{
	bool bad = false;
	const char *into = cli_option(&argc, argv, "--into", &bad), *keep = cli_option(&argc, argv, "--keep", &bad);
	const char *leave = cli_option(&argc, argv, "--leave", &bad);
	struct backup_order o = { .leave_mib = BACKUP_LEAVE_MIB };
	int64_t n_kept = 0;
	struct manifest m;
	int n_removed;
	struct db *db;

	if (bad || argc != (into ? 1 : 2) || (keep && (!into || !cli_number(keep, 1, 10000, &n_kept)))
		|| (leave && !cli_number(leave, 0, INT64_C(1) << 40, &o.leave_mib)))
		return cli_usage(c);
	db = cli_open(c); /* it is there, and of our version */
	if (!db)
		return 1;
	db_close(db);
	o.file = into ? name_of_now(c, into) : argv[1];
	if (!backup_make(c, &o, &m))
		return 1;
	printf("%s\n", o.file);
	n_removed = keep ? remove_older(c, into, n_kept) : 0;
	if (n_removed)
		fprintf(stderr, "%d older backups removed\n", n_removed);
	return 0;
}

const struct command backup_command = {
	.name = "backup", .summary = "writes everything into one file while the programs run", .usage = usage,
		.run = backup,
};
