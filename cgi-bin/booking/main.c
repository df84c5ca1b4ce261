/*
 * booking 예약·접수 - finding a car, booking and paying for it, changing nothing but its own tables and the calendar.
 *
 *	pages_search.c  cars          search.c, calendar.c   who has which car when   extra.c      delivery, equipment
 *	pages_model.c   models        model.c                any cars of a model      extra_end.c  … not provided
 *	pages.c         the order     place.c, price.c       hold, price, charge      refund.c     what goes back
 *	pages_pay.c     paying        tries.c                one charge for each try
 *	pages_booking.c one booking   booking.c              its states               sweep.c      what is due
 *	pages_details.c … its facts   kept.c                 what was kept            events.c     what is reported
 *	pages_cancel.c  … cancelled   cancel.c               its terms, delivery first
 *	pages_list.c    a manager's   handover.c, custody.c  hand over, take back     stuck.c      what needs attention
 *	pages_terms.c   documents     terms.c, terms_text.c  their versions, layout
 *	pages_move.c    … moved       gone.c                 a car not at the branch
 *	pages_undo.c    … acts        no_show.c, undo.c      not picked up; undoing
 *	pages_firm.c    what managers give back: firm.c (cancelled by the firm), part_refund.c
 */
#include "booking.h"
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	{ GET,  "/",                         page_home,         0 },
	{ GET,  "/cars",                     page_search,       0 },
	{ GET,  "/cars/:car_id",             page_rental_car,   0 },

	{ GET,  "/models",                   page_offers,       0 },
	{ GET,  "/models/:model_id",         page_offer,        0 },

	{ GET,  "/bookings/new",             page_new_booking,  ROUTE_SIGNED_IN },
	{ POST, "/bookings",                 do_book,           ROUTE_SIGNED_IN },
	{ GET,  "/bookings",                 page_bookings,     ROUTE_SIGNED_IN },
	{ GET,  "/bookings/stuck",           page_stuck,        ROLE_MANAGER },
	{ GET,  "/bookings/:code",           page_booking,      ROUTE_SIGNED_IN },
	{ GET,  "/bookings/:code/receipt",   page_receipt,      ROUTE_SIGNED_IN },
	{ GET,  "/bookings/:code/cancel",    page_cancel,       ROUTE_SIGNED_IN },
	{ POST, "/bookings/:code/cancel",    do_cancel_booking, ROUTE_SIGNED_IN },

	{ GET,  "/bookings/:code/refund",    page_refund_part,  ROLE_MANAGER },
	{ POST, "/bookings/:code/refund",    do_refund_part,    ROLE_MANAGER },

	{ POST, "/bookings/:code/pay",       do_pay_booking,    ROUTE_SIGNED_IN },
	{ GET,  "/bookings/:code/paid",      do_paid,           ROUTE_SIGNED_IN | ROUTE_WRITES },

	{ POST, "/bookings/:code/hand-out",  do_hand_over_car,  ROLE_MANAGER },
	{ GET,  "/bookings/:code/take-back", page_take_back,    ROLE_MANAGER },
	{ POST, "/bookings/:code/take-back", do_take_back_car,  ROLE_MANAGER },
	{ POST, "/bookings/:code/take-back/undo", do_undo_return, ROLE_MANAGER },
	{ GET,  "/bookings/:code/no-show",   page_no_show,      ROLE_MANAGER },
	{ POST, "/bookings/:code/no-show",   do_no_show,        ROLE_MANAGER },
	{ POST, "/bookings/:code/no-show/undo", do_undo_no_show, ROLE_MANAGER },
	{ GET,  "/bookings/:code/move",      page_move,         ROLE_MANAGER },
	{ POST, "/bookings/:code/move",      do_move,           ROLE_MANAGER },
	{ POST, "/bookings/:code/retry",     do_retry,          ROLE_MANAGER },
	{ GET,  "/bookings/:code/resolve",   page_resolve,      ROLE_MANAGER },
	{ POST, "/bookings/:code/resolve",   do_resolve,        ROLE_MANAGER },

	{ GET,  "/terms",                    page_terms,        0 },
	{ GET,  "/privacy",                  page_privacy,      0 },
	{ GET,  "/company",                  page_company,      0 },
	{ GET,  "/terms/edit",               page_terms_edit,   ROLE_ADMIN },
	{ POST, "/terms/edit",               do_terms_publish,  ROLE_ADMIN },

	{ POST, "/internal/custody",         do_custody,        ROUTE_INTERNAL | ROUTE_RAW_BODY },
	{ 0 },
};

static const struct program booking = {
	.name = "booking",
	.site = &rental_site, .prefix = "",
	.routes = routes,
	.role = &booking_role,
	.internal = true,
	.before = counts_show,
	/* a booking waits for payment and the disk; meanwhile others search, and share the disk's sync */
	.worker_factor = 2,
};

int
main(int argc, char **argv)
{
	return program_main(&booking, argc, argv);
}
