/* replay.c - `motorpool replay`: rebuilds the read models from the event log. Pages show the old rows until it has
 * committed. */
#include "cli.h"

#include "cgi-bin/mypage/mypage.h"

#include <stdio.h>

static const char usage[] =
	"usage: motorpool replay\n"
	"\n"
	"Rebuilds the read models (view.db: My bookings, Fleet status) from the event log in one transaction; readers"
	" see the old\n"
	"rows until it commits. A missing view.db is created. Everything else may be running.\n";

bool
cli_replay(struct cli *c, const char *what, const char **why)
{
	struct progress p;
	int64_t n;

	progress_begin(&p, what);
	n = view_replay(c->root, c->var, progress_at, &p, why);
	progress_end(&p, n < 0 ? "failed" : "%lld events", (long long)n);
	if (n < 0 && !*why)
		*why = "cannot rebuild the read models";
	return n >= 0;
}

static int
replay(struct cli *c, int argc, char **argv)
{
	const char *why = NULL;

	(void)argv;
	if (argc != 1)
		return cli_usage(c);
	if (!cli_setup(c))
		return 1;
	if (!cli_replay(c, "Replaying the event log", &why))
		return cli_fail("%s", why);
	return 0;
}

const struct command replay_command = {
	.name = "replay", .summary = "rebuilds the read models from the event log", .usage = usage, .run = replay,
};
