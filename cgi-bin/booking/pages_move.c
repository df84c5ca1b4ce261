/* pages_move - a booking whose cars were moved is handed over at their new branch: the question, and the answer. */
#include "booking.h"
#include "gone.h"
#include "pages.h"

#include "domain/menu.h"
#include "lib/web/form.h"

struct move_page {
	struct booking booking;
	struct new_branch *moved_to;            /* NULL: there is nothing to change */
};
static const struct member move_page_members[] = {
	SHAPE_STRUCT(move_page, booking, booking_shape), SHAPE_MAYBE(move_page, moved_to, new_branch_shape),
};
static const struct shape move_page_shape = SHAPE(move_page, move_page_members);
PAGE(move_shown, "booking/move", move_page_shape)

/* GET /bookings/CODE/move */
enum status
page_move(struct web *w)
{
	struct move_page p = { .moved_to = NULL };
	struct new_branch at;

	if (!find_path_booking(w, &p.booking))
		return web_not_found(w);
	if (p.booking.state == BOOKING_CONFIRMED && booking_cars_place(w->db, &p.booking, &at) == CARS_AT_OTHER)
		p.moved_to = &at;
	menu_of(w)->nav_bookings = true;
	return web_page(w, HTTP_OK, &move_shown, &p);
}

/* POST /bookings/CODE/move {branch_id} */
enum status
do_move(struct web *w)
{
	int64_t branch_id = form_id(w, "branch_id");
	struct booking b;

	if (form_bad(w))
		return web_invalid(w);
	if (!find_path_booking(w, &b))
		return web_not_found(w);
	switch (booking_move(w->db, &b, branch_id, w->user.id)) {
	case MOVE_DONE: break;
	case MOVE_WRONG_STATE: return refuse_step(w);
	case MOVE_ELSEWHERE:
		return web_refuse(w, HTTP_CONFLICT, "car_elsewhere",
			_("The car is not at that branch. Nothing has changed; please check the booking again."));
	}
	booking_find(w->db, b.code, 0, &b);
	return booking_done(w, HTTP_OK, &b, booking_url(w, &b));
}
