/* replay.c - `motorpool replay`: rebuilds the read models from the event log. Pages show the old rows until it has
 * committed. */
#include "cli.h"

#include "cgi-bin/mypage/mypage.h"

#include <stdio.h>

static const char usage[] =
	"usage: motorpool replay\n"
	"\n"
	"Rebuilds the read models (view.db: My bookings, Fleet status) from the event log in one transaction; readers see the old\n"
	"rows until it commits. A missing view.db is created. Everything else may be running.\n";

static int
replay(struct cli *c, int argc, char **argv)
{
	struct progress p;
	const char *why = NULL;
	int64_t n;

	(void)argv;
	if (argc != 1)
		return cli_usage(c);
	if (!cli_setup(c))
		return 1;
	progress_begin(&p, "Replaying the event log");
	n = view_replay(c->root, c->var, progress_at, &p, &why);
	if (n < 0) {
		progress_end(&p, "failed");
		return cli_fail("%s", why ? why : "cannot rebuild the read models");
	}
	progress_end(&p, "%lld events", (long long)n);
	return 0;
}

const struct command replay_command = {
	.name = "replay", .summary = "rebuilds the read models from the event log", .usage = usage, .run = replay,
};
