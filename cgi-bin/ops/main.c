/* ops 운영 - the operator's pages: the routes and what they need. */
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	{ GET,  "/ops",                                     page_ops,        ROLE_ADMIN },
	{ GET,  "/ops/events",                              page_events,     ROLE_ADMIN },
	{ GET,  "/ops/audit",                               page_audit,      ROLE_ADMIN },
	{ GET,  "/ops/consumers/:consumer/pause",           page_pause,      ROLE_ADMIN },
	{ POST, "/ops/consumers/:consumer/pause",           do_pause,        ROLE_ADMIN },
	{ POST, "/ops/consumers/:consumer/resume",          do_resume,       ROLE_ADMIN },
	{ POST, "/ops/retries/:consumer/:event_id/redrive", do_redrive,      ROLE_ADMIN },
	{ GET,  "/ops/retries/:consumer/:event_id/discard", page_discard,    ROLE_ADMIN },
	{ POST, "/ops/retries/:consumer/:event_id/discard", do_discard,      ROLE_ADMIN },
	{ GET,  "/ops/faults",                              page_ops_faults, ROLE_ADMIN },
	{ POST, "/ops/faults",                              do_ops_faults,   ROLE_ADMIN },
	{ GET,  "/ops/mail",                                page_ops_mails,  ROLE_ADMIN },
	{ GET,  "/ops/mail/:message_id",                    page_ops_mail,   ROLE_ADMIN },
	{ GET,  "/metrics",                                 page_metrics,    ROUTE_OWN_KEY },
	{ 0 },
};

static const struct program program = { .name = "ops", .site = &rental_site, .prefix = "/ops", .routes = routes,
	.role = &ops_role,
	.before = counts_show,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
