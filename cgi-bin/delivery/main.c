/* delivery 배송 - what can be asked of it, and what it may write. */
#include "delivery.h"
#include "pages.h"

#include "../stuck.h"
#include "../../lib/program.h"

static const struct route routes[] = {
	{ GET, "/deliveries", page_deliveries, MANAGER | COURIER },
	{ 0 },
};

static const struct program program = {
	.name = "delivery", .prefix = "/deliveries", .routes = routes, .role = &delivery_role, .internal = true, .before = stuck_show_count,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
