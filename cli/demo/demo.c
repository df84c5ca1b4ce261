/*
 * demo.c - `motorpool demo`: fills an empty state folder with a year of demo data. `motorpool run` does it on its first
 * start.
 *
 * The files are made in a scratch folder and moved into the state folder when they are complete and synced,
 * motorpool.db last. An interrupted run leaves the scratch folder behind, and the next one starts again.
 */
#include "demo.h"

#include "cgi-bin/mypage/mypage.h"
#include "lib/base/clock.h"
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
	"usage: motorpool demo [--seed N]\n"
	"\n"
	"Fills an empty state directory: 8 branches, 24 models, 200 cars, 40 customers, a year of bookings with their"
	" payments and\n"
	"events, and the next two months; some with delivery and collection, some with equipment; and equipment orders"
	" of employees.\n"
	"The same seed gives the same data (at the same time of day); codes and passwords are always new.\n"
	"The log-ins are written to DIR/demo-logins.txt, one per line: role email password.\n";

#define SEED 20260101

bool
demo_is_wanted(const struct cli *c)
{
	return access(cli_path(c, c->var, "motorpool.db"), F_OK) != 0;
}

/* --- the folder --------------------------------------------------------------------------------------------------- */

/* Whole and on disk first; the file whose being there says that all is there comes last. */
static bool
move_into_place(struct cli *c, const char *dir)
{
	static const char *const names[] = { "demo-logins.txt", "sandbox.db", "view.db", "motorpool.db" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!file_sync(cli_path(c, dir, names[i])))
			return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rename(cli_path(c, dir, names[i]), cli_path(c, c->var, names[i])) != 0)
			return false;
	return folder_sync(c->var);
}

/* --- who may sign in ---------------------------------------------------------------------------------------------- */

static bool
write_log_ins(struct world *w)
{
	int fd = open(cli_path(w->c, w->dir, "demo-logins.txt"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!f)
		return false;
	for (int i = 0; i < DEMO_LOGINS; i++)
		fprintf(f, "customer %s %s\n", demo_customers[i].email, w->password[i]);
	for (int i = 0; i < DEMO_STAFF; i++)
		fprintf(f, "%s %s %s\n", demo_staff[i].role, demo_staff[i].person.email, w->password[DEMO_LOGINS + i]);
	return fclose(f) == 0;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static bool
do_deeds(struct world *w, struct script *s, struct progress *p)
{
	int64_t first = s->n_deeds ? s->deeds[0].at : s->now;

	world_fleet(w, s);
	world_people(w, first - 3 * DAY);
	world_cards(w);
	for (int i = 0; i < s->n_deeds && !w->why; i++) {
		world_do(w, s, &s->deeds[i]);
		progress_at(p, i, s->n_deeds + s->n_deeds / 4);
	}
	world_end(w, s);
	world_messages(w, s->now);
	return !w->why;
}

static bool
make_views(struct world *w)
{
	return w->why ? false : view_replay(w->c->root, w->dir, NULL, NULL, &w->why) >= 0;
}

static bool
finish_views(struct world *w)
{
	return world_finish(db_open(w->dir, &mypage_role, w->m, &w->why));
}

static bool
make_all(struct cli *c, const char *dir, uint64_t seed)
{
	struct dice d = { .state = seed };
	struct progress p;
	struct script s;
	struct world w;
	bool ok;

	progress_begin(&p, "Creating demo data");
	script_write(&s, c->m, &d, clock_now());
	ok = world_open(&w, c, dir) && do_deeds(&w, &s, &p);
	ok = make_views(&w) && ok;
	ok = world_close(&w) && ok && finish_views(&w) && write_log_ins(&w) && move_into_place(c, dir);
	if (ok)
		progress_end(&p, "%d bookings, %d cars, %d customers, seed %llu", s.n_plans, s.n_cars, DEMO_CUSTOMERS,
			(unsigned long long)seed);
	else
		progress_end(&p, "failed: %s", w.why ? w.why : strerror(errno));
	return ok;
}

bool
cli_demo(struct cli *c, uint64_t seed)
{
	const char *dir = cli_path(c, c->var, "demo.new"), *guard = cli_path(c, c->var, "run/demo.lock");
	int fd = open(guard, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool ok = false;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
		return cli_fail("%s: %s", guard, strerror(errno)), false;
	folder_remove(dir);
	if (mkdir(dir, 0700) == 0)
		ok = make_all(c, dir, seed ? seed : SEED);
	folder_remove(dir);
	close(fd);
	return ok;
}

static int
demo(struct cli *c, int argc, char **argv)
{
	bool bad = false;
	const char *seed = cli_option(&argc, argv, "--seed", &bad), *why = NULL;
	int64_t n = 0;

	if (bad || argc != 1 || (seed && !cli_number(seed, 1, INT64_MAX, &n)))
		return cli_usage(c);
	if (mkdir(c->var, 0755) != 0 && errno != EEXIST)
		return cli_fail("%s: %s", c->var, strerror(errno));
	if (!demo_is_wanted(c))
		return cli_fail("%s already has a database; demo data needs an empty directory", c->var);
	if (!cli_setup(c) || !cli_demo(c, (uint64_t)n))
		return 1;
	return cli_migrate(c, &why) ? 0 : cli_fail("%s", why);
}

const struct command demo_command = {
	.name = "demo", .summary = "fills an empty state directory with demo data", .usage = usage, .run = demo,
};
