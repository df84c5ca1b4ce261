/* review 승인 - what can be asked of it, and what it may write. */
#include "review.h"
#include "pages.h"

#include "../stuck.h"
#include "../../lib/program.h"

static const struct route routes[] = {
	{ GET, "/reviews", page_reviews, MANAGER | EXAMINER },
	{ 0 },
};

static const struct program program = {
	.name = "review", .prefix = "/reviews", .routes = routes, .role = &review_role, .internal = true, .before = stuck_show_count,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
