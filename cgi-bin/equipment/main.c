/* equipment 장비 - what can be asked of it, and what it may write. */
#include "equipment.h"
#include "pages.h"

#include "../stuck.h"
#include "../../lib/program.h"

static const struct route routes[] = {
	{ GET, "/equipment", page_items, SIGNED_IN },
	{ 0 },
};

static const struct program program = {
	.name = "equipment", .prefix = "/equipment", .routes = routes, .role = &equipment_role, .before = stuck_show_count,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
