/* ops 운영 - the operator's pages. What each shows stands in pages.c, where it comes from in ops.c. */
#include "ops.h"

#include "../stuck.h"
#include "../../lib/program.h"

handler page_ops, page_events, do_redrive;

static const struct route routes[] = {
	{ GET,  "/ops",                                     page_ops,    ADMIN },
	{ GET,  "/ops/events",                              page_events, ADMIN },
	{ POST, "/ops/retries/:consumer/:event_id/redrive", do_redrive,  ADMIN },
	{ 0 },
};

static const struct program program = { .name = "ops", .prefix = "/ops", .routes = routes, .role = &ops_role,
	.before = stuck_show_count,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
