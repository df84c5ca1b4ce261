/* review 승인 - its routes and what they need. */
#include "review.h"
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	/* other programs */
	{ POST, "/internal/cases",             do_open_case,   ROUTE_INTERNAL | ROUTE_RAW_BODY },
	{ POST, "/internal/cases/:key/cancel", do_cancel_case, ROUTE_INTERNAL | ROUTE_RAW_BODY },
	/* reviewers */
	{ GET,  "/reviews",                    page_reviews,   ROLE_MANAGER | ROLE_EXAMINER },
	{ GET,  "/reviews/:case_id",           page_review,    ROLE_MANAGER | ROLE_EXAMINER },
	{ POST, "/reviews/:case_id/approve",   do_approve,     ROLE_MANAGER | ROLE_EXAMINER },
	{ POST, "/reviews/:case_id/reject",    do_reject,      ROLE_MANAGER | ROLE_EXAMINER },
	{ 0 },
};

static const struct program program = {
	.name = "review", .site = &rental_site, .prefix = "/reviews", .routes = routes, .role = &review_role,
		.internal = true, .before = counts_show,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
