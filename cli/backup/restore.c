/*
 * restore.c - `motorpool restore`: a backup becomes the state of this machine.
 *
 * It is unpacked and verified in a scratch folder inside the state folder before the existing state is changed. Then
 * the old state is moved to before-restore-…, and the new one is moved in, motorpool.db last: while that is missing no
 * program starts, and repeating the restore completes it. The read models are replayed.
 *
 * No process may have the old files open meanwhile: the locks of `motorpool run` and of the relay are held from before
 * the first until after the last move, so neither can start in between.
 */
#include "archive.h"

#include "lib/base/clock.h"
#include "lib/base/folder.h"
#include "cli/run/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool restore FILE [--replace]\n"
	"\n"
	"Verifies a backup written by `motorpool backup` and installs it as the state directory, which must be empty or"
	" missing. Its\n"
	"programs must not be running. A backup of an older version is upgraded. The read models are rebuilt from the"
	" events.\n"
	"\n"
	"  --replace   the state directory may contain data: all of it is kept in DIR/before-restore-TIME\n"
	"\n"
	"After an interruption, run it again.\n";

#define RELAY_WAIT_MS 75000             /* cron's relay works for a minute */
#define LOOK_MS       100

/* --- nothing runs ------------------------------------------------------------------------------------------------- */

static const char *
who_runs(struct cli *c)
{
	for (const struct context *p = contexts; p->name; p++) {
		pid_t pid = program_parent(c, p);

		if (pid)
			return arena_printf(
				c->m, "%s is running on this state directory (process %d)", p->name, (int)pid);
	}
	return NULL;
}

static int
open_lock(struct cli *c, const char *name)
{
	return open(cli_path(c, c->var, arena_printf(c->m, "run/%s", name)), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static bool
relay_lock(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fd >= 0 && fcntl(fd, F_OFD_SETLK, &l) == 0;
}

/* As the next relay would: the place to wait in, then the work. Held until this process ends. */
static bool
stop_relay(struct cli *c)
{
	int standby = open_lock(c, "relay.standby"), active = open_lock(c, "relay.active");
	int64_t until = clock_ms() + RELAY_WAIT_MS;
	bool told = false, ours = false;

	while (clock_ms() < until && !(ours = (ours || relay_lock(standby)) && relay_lock(active))) {
		if (!told)
			fprintf(stderr, "Waiting for the relay to finish its run of one minute\n");
		told = true;
		usleep(LOOK_MS * 1000);
	}
	return ours;
}

static bool
stop_all(struct cli *c, const char **why)
{
	int run = open_lock(c, "run.lock");

	*why = run < 0 || flock(run, LOCK_EX | LOCK_NB) != 0 ? "motorpool is running on this state directory"
							     : who_runs(c);
	if (!*why && !stop_relay(c))
		*why = "the relay is still running";
	return !*why;
}

/* --- moving ------------------------------------------------------------------------------------------------------- */

/* What belongs to the state; logs, caches and what runs do not. The pages of locks go too: they know the old files. */
static const char *const old_names[] = {
	"motorpool.db", "motorpool.db-wal", "motorpool.db-shm", "view.db", "view.db-wal", "view.db-shm", "sandbox.db",
	"sandbox.db-wal", "sandbox.db-shm", "secret.key", "payment.key", "motorpool.conf", "demo-logins.txt", "photos",
	"handover",
};
static const char *const new_names[] = {
	"photos", "handover", "secret.key", "payment.key", "motorpool.conf", "demo-logins.txt", "sandbox.db",
	"motorpool.db",
};
static const char *const old_locks[] = { "run/motorpool.lock", "run/view.lock", "run/sandbox.lock" };

static bool
move(struct cli *c, const char *from, const char *to, const char *name, const char **why)
{
	if (rename(cli_path(c, from, name), cli_path(c, to, name)) == 0 || errno == ENOENT)
		return true;
	*why = arena_printf(c->m, "%s: %s", name, strerror(errno));
	return false;
}

/* The installation's, not the business's. */
static bool
is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static bool
has_state(struct cli *c)
{
	return access(cli_path(c, c->var, "motorpool.db"), F_OK) == 0;
}

/* A new name, also if two restores run within one second. */
static const char *
aside(struct cli *c)
{
	time_t now = (time_t)clock_now();
	const char *path, *name;
	struct tm t;

	gmtime_r(&now, &t);
	path = name = arena_printf(c->m, "%s/before-restore-%04d%02d%02dT%02d%02d%02dZ", c->var, t.tm_year + 1900,
		t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
	for (int n = 2; access(name, F_OK) == 0; n++)
		name = arena_printf(c->m, "%s-%d", path, n);
	return name;
}

/*
 * Moves the old state into a folder that gets its final name at the end. While it has the temporary name, nothing new
 * has been moved in, so a repeated restore continues with it, and a database stays with its WAL. Also without a
 * database: then a restore was interrupted later.
 */
static bool
move_old_aside(struct cli *c, const char **kept, const char **why)
{
	const char *part = cli_path(c, c->var, "before-restore.part"), *to = aside(c);
	bool ok = mkdir(part, 0700) == 0 || errno == EEXIST;

	if (!ok)
		*why = arena_printf(c->m, "%s: %s", part, strerror(errno));
	for (size_t i = 0; ok && i < sizeof(old_names) / sizeof(old_names[0]); i++)
		ok = is_link(cli_path(c, c->var, old_names[i])) || move(c, c->var, part, old_names[i], why);
	for (size_t i = 0; ok && i < sizeof(old_locks) / sizeof(old_locks[0]); i++)
		unlink(cli_path(c, c->var, old_locks[i]));
	if (!ok || !folder_sync(part))
		return false;
	if (rmdir(part) == 0) /* nothing was there */
		return true;
	*kept = to;
	return rename(part, to) == 0 && folder_sync(c->var);
}

/* Where motorpool.conf is a link, this machine's settings are kept elsewhere and are its own; the backup's lie beside
 * it. */
static void
keep_settings(struct cli *c, const char *from)
{
	const char *settings_there = cli_path(c, c->var, "motorpool.conf"),
		   *beside = arena_printf(c->m, "%s.restored", settings_there);

	if (!is_link(settings_there) || rename(cli_path(c, from, "motorpool.conf"), beside) != 0)
		return;
	fprintf(stderr, "This machine's settings are kept; the settings of the backup are in %s\n", beside);
}

static bool
move_in(struct cli *c, const char *from, const char **why)
{
	bool ok = folder_sync(cli_path(c, from, "photos")) && folder_sync(cli_path(c, from, "handover"));

	keep_settings(c, from);
	for (size_t i = 0; ok && i < sizeof(new_names) / sizeof(new_names[0]); i++)
		ok = move(c, from, c->var, new_names[i], why);
	if (ok && !folder_sync(c->var)) {
		*why = strerror(errno);
		ok = false;
	}
	return ok;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static int64_t
file_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

static bool
restore_into(struct cli *c, const char *file, const char *part, struct manifest *m, const char **why)
{
	const char *kept = NULL;

	folder_remove(part);
	if (!archive_room(c, c->var, 3 * file_bytes(file), 0, why)) /* itself, the read models, the replay's WAL */
		return false;
	if (mkdir(part, 0700) != 0) {
		*why = arena_printf(c->m, "%s: %s", part, strerror(errno));
		return false;
	}
	if (!unpack(c, file, part, m, why) || !move_old_aside(c, &kept, why) || !move_in(c, part, why)) {
		folder_remove(part);
		return false;
	}
	folder_remove(part);
	if (kept)
		fprintf(stderr, "The previous state is in %s\n", kept);
	return cli_setup(c) && cli_migrate(c, why) && cli_replay(c, "Replaying the event log", why);
}

static int
restore(struct cli *c, int argc, char **argv)
{
	bool replaces = cli_flag(&argc, argv, "--replace");
	char made[32], file[PATH_MAX];
	const char *why = NULL;
	struct manifest m;
	time_t at;

	if (argc != 2)
		return cli_usage(c);
	if (!realpath(argv[1], file)) /* cli_enter() may change the folder we are in */
		return cli_fail("%s: %s", argv[1], strerror(errno));
	if (!cli_enter(c))
		return 1;
	if (has_state(c) && !replaces)
		return cli_fail("%s already contains data; use --replace to move it aside", c->var);
	mkdir(cli_path(c, c->var, "run"), 0755);
	if (!stop_all(c, &why))
		return cli_fail("nothing was changed: %s; please stop it first", why);
	if (!restore_into(c, file, cli_path(c, c->var, "restore.part"), &m, &why))
		return cli_fail("%s: %s", argv[1], why ? why : "cannot install the backup");
	at = (time_t)m.made_at;
	strftime(made, sizeof(made), "%Y-%m-%d %H:%M:%S UTC", gmtime(&at));
	printf("%s restored to the state of %s: %lld bookings, %lld events, %lld photos\n", c->var, made,
		(long long)m.n_bookings, (long long)m.n_events, (long long)m.n_photos);
	return 0;
}

const struct command restore_command = {
	.name = "restore", .summary = "restores a backup", .usage = usage, .run = restore,
};
