/*
 * delivery 배송 - its routes and what they need. Managers assign jobs, couriers see and do their own.
 * pages_jobs.c shows many jobs, pages.c one of them, pages_step.c moves it on, pages_call.c answers booking
 * (docs/calls.md); the rules are in job.c and step.c.
 */
#include "delivery.h"
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	{ GET,  "/deliveries",                          page_deliveries, ROLE_MANAGER | ROLE_COURIER },
	{ GET,  "/deliveries/sheet",                    page_sheet,      ROLE_MANAGER | ROLE_COURIER },
	{ GET,  "/deliveries/:delivery_id",             page_delivery,   ROLE_MANAGER | ROLE_COURIER },
	{ GET,  "/deliveries/:delivery_id/photo",       page_handover_photo, ROUTE_SIGNED_IN },
	{ POST, "/deliveries/:delivery_id/assign",      do_assign,       ROLE_MANAGER },
	{ POST, "/deliveries/:delivery_id/unassign",    do_unassign,     ROLE_MANAGER },
	{ POST, "/deliveries/:delivery_id/ship",        do_ship,         ROLE_MANAGER | ROLE_COURIER },
	{ POST, "/deliveries/:delivery_id/deliver",     do_deliver,      ROLE_MANAGER | ROLE_COURIER | ROUTE_UPLOAD },
	{ POST, "/deliveries/:delivery_id/come-back",   do_come_back,    ROLE_MANAGER | ROLE_COURIER },
	{ POST, "/deliveries/:delivery_id/back",        do_bring_in,     ROLE_MANAGER | ROLE_COURIER },
	{ POST, "/deliveries/:delivery_id/cancel",      do_job_cancel,   ROLE_MANAGER },
	{ POST, "/deliveries/:delivery_id/cancel/undo", do_job_undo_cancel, ROLE_MANAGER },

	{ POST, "/internal/deliveries/:code/cancel",    do_booking_cancel, ROUTE_INTERNAL | ROUTE_RAW_BODY },
	{ 0 },
};

static const struct program delivery = {
	.name = "delivery",
	.site = &rental_site, .prefix = "/deliveries",
	.routes = routes,
	.role = &delivery_role,
	.internal = true,
	.jail = JAIL_EXECUTE,           /* the program that redraws pictures (domain/photo.h) */
	.executes = photo_program,
	.before = counts_show,
};

int
main(int argc, char **argv)
{
	return program_main(&delivery, argc, argv);
}
