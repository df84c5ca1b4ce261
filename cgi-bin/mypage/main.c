/* mypage - my bookings and the car screen, from the read models alone: the routes and what they need. */
#include "mypage.h"
#include "pages.h"

#include "domain/menu.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	{ GET, "/my",                page_my,         ROUTE_SIGNED_IN },
	{ GET, "/my/bookings",       page_my_list,    ROUTE_SIGNED_IN },
	{ GET, "/my/bookings/:code", page_my_booking, ROUTE_SIGNED_IN },
	{ GET, "/my/equipment",      page_my_equipment, ROUTE_SIGNED_IN },
	{ GET, "/view",              page_view,       ROLE_MANAGER },
	{ GET, "/view/cars",         page_view_cars,  ROLE_MANAGER },
	{ 0 },
};

static const struct program program = {
	.name = "mypage", .site = &rental_site, .prefix = "/my", .routes = routes, .role = &mypage_role,
		.open = mypage_open, .before = mypage_before,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
