/*
 * deploy.c - `motorpool deploy`: another release takes over without downtime, program by program, or everything stays
 * as it was.
 *
 *	BASE/releases/1.2.0/bin/booking …       each a whole release
 *	BASE/current -> releases/1.2.0          the one that runs: parents start workers from it (generation.c)
 *	BASE/previous -> releases/1.1.0         the one before it, for --rollback
 *
 * The link is switched first, atomically; then one parent after the other is asked for a new generation, and its gauge
 * shows the outcome. If one fails, the link is switched back, and the programs that have changed are changed back.
 */
#include "process.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/gauge.h"
#include "lib/base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool deploy [RELEASE] [PROGRAM…]\n"
	"       motorpool deploy --rollback\n"
	"\n"
	"Deploys another release without downtime: points the link \"current\" beside RELEASE's directory to it and"
	" makes each program\n"
	"(or those named) start new workers from it; the old workers finish their requests. If a program does not"
	" become ready, all\n"
	"programs are rolled back, and the command prints the reason and exits with status 1. Without RELEASE the"
	" current release\n"
	"is restarted.\n"
	"\n"
	"  RELEASE      a directory …/releases/VERSION as installed by `make install`\n"
	"  --rollback   deploy the release before the last deployment\n"
	"\n"
	"The relay follows within a minute. The parent processes keep running until they are restarted.\n";

#define OUTCOME_MS 30000        /* a parent gives up a generation after 10 s, or 20 if it was busy with another one */
#define LOG_LINES  5

struct deploy {
	struct cli *c;
	const char *link, *previous;    /* BASE/current, BASE/previous; NULL: there are none */
	const char *from, *to;          /* where `current` leads before and after; NULL: it does not change */
	const char *release;            /* the path of `to`; NULL */
	char *const *only;              /* these programs; ends with NULL; empty: all */
};

/* --- the links -------------------------------------------------------------------------------------------------- */

static const char *
link_target(struct cli *c, const char *path)
{
	char to[PATH_MAX];
	ssize_t n = path ? readlink(path, to, sizeof(to) - 1) : -1;

	return n > 0 ? arena_strndup(c->m, to, (size_t)n) : NULL;
}

static bool
set_link(struct cli *c, const char *path, const char *to)
{
	const char *temp = arena_printf(c->m, "%s.%d", path, (int)getpid());

	unlink(temp);
	if (symlink(to, temp) == 0 && rename(temp, path) == 0)
		return true;
	cli_fail("%s: %s", path, strerror(errno));
	unlink(temp);
	return false;
}

/* BASE of BASE/releases/VERSION; NULL: it is not such a path. */
static const char *
base_of(struct cli *c, const char *release)
{
	char *base = arena_strdup(c->m, release), *slash = strrchr(base, '/');

	if (slash)
		*slash = '\0';
	slash = strrchr(base, '/');
	if (!slash || strcmp(slash, "/releases") != 0)
		return NULL;
	*slash = '\0';
	return base;
}

const char *
cli_release_link(struct cli *c)
{
	const char *base = base_of(c, c->root), *link = base ? cli_path(c, base, "current") : NULL;
	char whole[PATH_MAX];

	return link && link_target(c, link) && realpath(link, whole) && strcmp(whole, c->root) == 0 ? link : NULL;
}

/* --- one program ------------------------------------------------------------------------------------------------ */

static bool
is_selected(const struct deploy *d, const struct context *p)
{
	if (!context_is_wanted(p))
		return false;
	for (char *const *name = d->only; *name; name++)
		if (strcmp(*name, p->name) == 0)
			return true;
	return !*d->only;
}

/* Do its newest workers come from the release? true if that cannot be seen. */
static bool
is_from(const struct gauge *g, const char *release)
{
	for (int i = 0; release && i < GAUGE_SLOTS; i++) {
		const struct gauge_worker *w = &g->worker[i];
		char path[64], exe[PATH_MAX];
		ssize_t n;

		if (!atomic_load(&w->pid) || atomic_load(&w->draining)
			|| atomic_load(&w->generation) != atomic_load(&g->generation))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/exe", (int)atomic_load(&w->pid));
		n = readlink(path, exe, sizeof(exe));
		if (n > 0)
			return (size_t)n > strlen(release) && strncmp(exe, release, strlen(release)) == 0
				&& exe[strlen(release)] == '/';
	}
	return true;
}

/* Waits until the new generation has taken over or was given up. */
static bool
wait_for_outcome(const struct gauge *g, int64_t n_good, int64_t n_bad, const char *release)
{
	int64_t until = clock_ms() + OUTCOME_MS;

	while (clock_ms() < until) {
		if (atomic_load(&g->n_deployed) > n_good && is_from(g, release))
			return true;
		if (atomic_load(&g->n_rolled_back) > n_bad)
			return false;
		poll(NULL, 0, 20);
	}
	return false;
}

static int64_t
log_length(struct cli *c, const char *program)
{
	struct stat st;

	return stat(cli_path(c, c->var, arena_printf(c->m, "log/%s.log", program)), &st) == 0 ? st.st_size : 0;
}

/* The last lines since then, without those of level info. */
static void
show_log(struct cli *c, const char *program, int64_t from)
{
	FILE *f = fopen(cli_path(c, c->var, arena_printf(c->m, "log/%s.log", program)), "re");
	char line[1024], last[LOG_LINES][1024];
	int n = 0;

	if (!f || fseek(f, (long)from, SEEK_SET) != 0) {
		fprintf(stderr, "  (see its log: journalctl -u motorpool@%s)\n", program);
	} else {
		while (fgets(line, sizeof(line), f))
			if (!strstr(line, "\"level\":\"info\""))
				snprintf(last[n++ % LOG_LINES], sizeof(last[0]), "%s", line);
		for (int i = n > LOG_LINES ? n - LOG_LINES : 0; i < n; i++)
			fprintf(stderr, "  %s", last[i % LOG_LINES]);
	}
	if (f)
		fclose(f);
}

/* true: its new workers serve, or it is not running. */
static bool
change_program(const struct deploy *d, const struct context *p, const char *release)
{
	struct cli *c = d->c;
	const struct gauge *g = gauge_open_readonly(c->var, p->name);
	pid_t pid = program_parent(c, p);
	int64_t length = log_length(c, p->name), began = clock_ms();
	int64_t n_good = g ? atomic_load(&g->n_deployed) : 0, n_bad = g ? atomic_load(&g->n_rolled_back) : 0;
	bool ok = false;

	if (!pid) {
		printf("%-10s is not running\n", p->name);
		gauge_close(g);
		return true;
	}
	if (!g)
		cli_fail("%s has no gauge, so its state cannot be observed", p->name);
	else if (kill(pid, SIGHUP) != 0)
		cli_fail("%s, process %d: %s", p->name, (int)pid, strerror(errno));
	else
		ok = wait_for_outcome(g, n_good, n_bad, release);
	if (ok) {
		printf("%-10s generation %d is serving after %.1f s\n", p->name, (int)atomic_load(&g->generation),
			(double)(clock_ms() - began) / 1000);
	} else {
		fflush(stdout);
		cli_fail("%s: the new workers did not become ready; the old ones keep serving", p->name);
		show_log(c, p->name, length);
	}
	gauge_close(g);
	return ok;
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

/* Restores the link, and the programs that have changed. */
static void
roll_back(const struct deploy *d, const struct context *failed)
{
	char whole[PATH_MAX];

	if (!d->to || !set_link(d->c, d->link, d->from))
		return;
	for (const struct context *p = contexts; p != failed; p++)
		if (is_selected(d, p) && !change_program(d, p, realpath(d->link, whole)))
			cli_fail("%s could not be rolled back", p->name);
	fprintf(stderr, "motorpool: rolled back: %s -> %s\n", d->link, d->from);
}

static bool
is_complete_release(const struct deploy *d)
{
	struct cli *c = d->c;

	if (!d->release)
		return true;
	if (access(cli_path(c, d->release, "motorpool.conf"), R_OK) != 0)
		return cli_fail("%s is not a release: motorpool.conf is missing", d->release), false;
	for (const struct context *p = contexts; p->name; p++)
		if (is_selected(d, p) && access(arena_printf(c->m, "%s/bin/%s", d->release, p->name), X_OK) != 0)
			return cli_fail("%s/bin/%s is missing", d->release, p->name), false;
	return true;
}

static int
change_programs(const struct deploy *d)
{
	if (!is_complete_release(d) || (d->to && !set_link(d->c, d->link, d->to)))
		return 1;
	for (const struct context *p = contexts; p->name; p++)
		if (is_selected(d, p) && !change_program(d, p, d->release)) {
			roll_back(d, p);
			return 1;
		}
	if (d->to && strcmp(d->to, d->from) != 0 && !set_link(d->c, d->previous, d->from))
		return 1;
	if (d->to)
		printf("%s -> %s\n", d->link, d->to);
	return 0;
}

/* One deploy at a time on a state folder; the lock ends with the process. O_NOFOLLOW: the folder may belong to another
 * user than root. */
static bool
lock_deploy(struct cli *c)
{
	int lock = open(cli_path(c, c->var, "run/deploy.lock"), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	return cli_fail(
		       lock < 0 ? "the state directory is missing or not accessible" : "another deployment is running"),
	       false;
}

/* The named release, or the previous one, or none: then the current release is restarted. */
static bool
find_release(struct deploy *d, const char *asked, bool back)
{
	struct cli *c = d->c;
	char whole[PATH_MAX];
	const char *base;

	if (!asked && !back)
		return true;
	if (asked && !realpath(asked, whole))
		return cli_fail("%s: %s", asked, strerror(errno)), false;
	base = base_of(c, asked ? whole : c->root);
	if (!base)
		return cli_fail("%s is not in a directory \"releases\" (docs/operate.md)", asked ? whole : c->root),
		       false;
	d->link = cli_path(c, base, "current");
	d->previous = cli_path(c, base, "previous");
	d->from = link_target(c, d->link);
	if (!d->from)
		return cli_fail("%s is not a link to a release", d->link), false;
	if (back && !realpath(d->previous, whole))
		return cli_fail("there is no release to roll back to"), false;
	d->release = arena_strdup(c->m, whole);
	d->to = arena_printf(c->m, "releases%s", strrchr(whole, '/'));
	return true;
}

static bool
is_program(const char *name)
{
	for (const struct context *p = contexts; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return true;
	return false;
}

static int
deploy(struct cli *c, int argc, char **argv)
{
	bool back = cli_flag(&argc, argv, "--rollback");
	const char *asked = argc > 1 && !is_program(argv[1]) ? argv[1] : NULL, *why = NULL;
	struct deploy d = { .c = c, .only = argv + (asked ? 2 : 1) };

	for (char *const *name = d.only; *name; name++)
		if (!is_program(*name))
			return cli_fail("unknown program \"%s\"", *name);
	if (back && argc != 1)
		return cli_usage(c);
	if (!find_release(&d, asked, back) || !cli_enter(c))
		return 1;
	if (!rental_settings_open(c->root, c->var, &why))
		return cli_fail("%s", why ? why : "cannot read the settings");
	return lock_deploy(c) ? change_programs(&d) : 1;
}

const struct command deploy_command = {
	.name = "deploy", .summary = "deploys another release without downtime, or rolls back", .usage = usage,
		.run = deploy,
	.keeps_root = true,             /* the links are root's */
};
