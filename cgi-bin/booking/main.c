/*
 * booking 예약·접수 - what can be asked of it, and what it may write. It sells: search, hold, pay, cancel.
 * pages_search.c finds cars, pages_model.c models, pages.c books them, pages_booking.c shows and cancels them; the rules are in
 * booking.c, extra.c, calendar.c, search.c, model.c, price.c, cancel.c, desk.c.
 */
#include "booking.h"
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	{ GET,  "/",                         page_home,          0 },
	{ GET,  "/cars",                     page_search,        0 },
	{ GET,  "/cars/:car_id",             page_car,           0 },

	{ GET,  "/models",                   page_offers,        0 },
	{ GET,  "/models/:model_id",         page_offer,         0 },

	{ GET,  "/bookings/new",             page_order,         ROUTE_SIGNED_IN },
	{ POST, "/bookings",                 do_book,            ROUTE_SIGNED_IN },
	{ GET,  "/bookings",                 page_bookings,      ROUTE_SIGNED_IN },
	{ GET,  "/bookings/stuck",           page_stuck,         ROLE_MANAGER },
	{ GET,  "/bookings/:code",           page_booking,       ROUTE_SIGNED_IN },
	{ GET,  "/bookings/:code/receipt",   page_receipt,       ROUTE_SIGNED_IN },
	{ GET,  "/bookings/:code/cancel",    page_cancel,        ROUTE_SIGNED_IN },
	{ POST, "/bookings/:code/cancel",    do_cancel,          ROUTE_SIGNED_IN },

	{ POST, "/bookings/:code/pay",       do_pay,             ROUTE_SIGNED_IN },
	{ GET,  "/bookings/:code/paid",      do_paid,            ROUTE_SIGNED_IN | ROUTE_WRITES },

	{ POST, "/bookings/:code/hand-out",  do_hand_out,        ROLE_MANAGER },
	{ POST, "/bookings/:code/take-back", do_take_back,       ROLE_MANAGER },
	{ POST, "/bookings/:code/no-show",   do_no_show,         ROLE_MANAGER },
	{ POST, "/bookings/:code/retry",     do_retry,           ROLE_MANAGER },
	{ GET,  "/bookings/:code/resolve",   page_resolve,       ROLE_MANAGER },
	{ POST, "/bookings/:code/resolve",   do_resolve,         ROLE_MANAGER },
	{ 0 },
};

static const struct program booking = {
	.name = "booking",
	.site = &rental_site, .prefix = "",
	.routes = routes,
	.role = &booking_role,
	.before = counts_show,
	.worker_factor = 2,              /* a booking waits for payment and the disk; meanwhile others search, and share the disk's sync */
};

int
main(int argc, char **argv)
{
	return program_main(&booking, argc, argv);
}
