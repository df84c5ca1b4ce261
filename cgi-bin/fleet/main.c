/*
 * fleet 차량관리 - its routes and what they need. Managers only.
 * pages.c shows cars, pages_custody.c who has had one, pages_edit.c adds and changes them, pages_end.c retires and
 * deletes them, pages_photo.c has their photos, pages_model.c and pages_branch.c are the models and branches; fleet.h
 * lists the rules.
 */
#include "fleet.h"
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

#include <stdlib.h>

static const struct route routes[] = {
	{ GET,        "/fleet",                        page_fleet,        ROLE_MANAGER },

	{ GET,        "/fleet/cars",                   page_cars,         ROLE_MANAGER },
	{ POST,       "/fleet/cars",                   do_car_add,        ROLE_MANAGER },
	{ GET,        "/fleet/cars/new",               page_car_new,      ROLE_MANAGER },
	{ GET,        "/fleet/cars/:car_id",           page_car,          ROLE_MANAGER },
	{ POST | PUT, "/fleet/cars/:car_id",           do_car_change,     ROLE_MANAGER },
	{ DELETE,     "/fleet/cars/:car_id",           do_car_delete,     ROLE_MANAGER },
	{ GET,        "/fleet/cars/:car_id/edit",      page_car_edit,     ROLE_MANAGER },
	{ GET,        "/fleet/cars/:car_id/retire",    page_car_retire,   ROLE_MANAGER },
	{ POST,       "/fleet/cars/:car_id/retire",    do_car_retire,     ROLE_MANAGER },
	{ POST,       "/fleet/cars/:car_id/retire/undo", do_car_undo_retire, ROLE_MANAGER },
	{ GET,        "/fleet/cars/:car_id/delete",    page_car_delete,   ROLE_MANAGER },
	{ POST,       "/fleet/cars/:car_id/delete",    do_car_delete,     ROLE_MANAGER },
	{ GET,        "/fleet/cars/:car_id/custody",   page_car_custody,  ROLE_MANAGER },
	{ GET,        "/fleet/cars/:car_id/service",   page_car_service,  ROLE_MANAGER },
	{ POST,       "/fleet/cars/:car_id/service",   do_car_service,    ROLE_MANAGER },
	{ GET,        "/fleet/cars/:car_id/photo",     page_photo,        ROLE_MANAGER },
	{ POST,       "/fleet/cars/:car_id/photo",     do_photo,          ROLE_MANAGER | ROUTE_UPLOAD },
	{ POST,       "/fleet/cars/:car_id/photo/remove", do_photo_remove, ROLE_MANAGER },

	{ GET,        "/fleet/models",                 page_models,       ROLE_MANAGER },
	{ POST,       "/fleet/models",                 do_model_add,      ROLE_MANAGER },
	{ GET,        "/fleet/models/new",             page_model_new,    ROLE_MANAGER },
	{ GET,        "/fleet/models/:model_id",       page_model,        ROLE_MANAGER },
	{ POST | PUT, "/fleet/models/:model_id",       do_model_change,   ROLE_MANAGER },
	{ POST,       "/fleet/models/:model_id/state", do_model_state,    ROLE_MANAGER },

	{ GET,        "/fleet/branches",               page_branches,     ROLE_MANAGER },
	{ POST,       "/fleet/branches",               do_branch_add,     ROLE_MANAGER },
	{ GET,        "/fleet/branches/new",           page_branch_new,   ROLE_MANAGER },
	{ GET,        "/fleet/branches/:branch_id",    page_branch,       ROLE_MANAGER },
	{ POST | PUT, "/fleet/branches/:branch_id",    do_branch_change,  ROLE_MANAGER },
	{ GET,        "/fleet/branches/:branch_id/close", page_branch_close, ROLE_MANAGER },
	{ POST,       "/fleet/branches/:branch_id/close", do_branch_close, ROLE_MANAGER },
	{ POST,       "/fleet/branches/:branch_id/open",  do_branch_open, ROLE_MANAGER },
	{ 0 },
};

static const struct program fleet = {
	.name = "fleet",
	.site = &rental_site, .prefix = "/fleet",
	.routes = routes,
	.role = &fleet_role,
	.jail = JAIL_EXECUTE,           /* the program that redraws pictures (domain/photo.h) */
	.executes = photo_program,
	.before = counts_show,
};

/* Photos are beside the database, whose folder is in the arguments or, for a single request as CGI, in the
 * environment. */
int
main(int argc, char **argv)
{
	const char *var = argc > 2 ? argv[2] : getenv("MOTORPOOL_VAR");

	photo_open(var && *var ? var : "var");
	return program_main(&fleet, argc, argv);
}
