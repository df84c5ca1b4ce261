/* pages_booking - one booking: its page, its receipt, its JSON. pages_details.c fills the pages. */
#include "booking.h"
#include "pages.h"

#include "domain/roles.h"

static const struct member extra_json_members[] = {
	SHAPE_INT(booking_extra, line_no), SHAPE_STATE(booking_extra, kind, extra_kind_words),
	SHAPE_STATE(booking_extra, state, extra_state_words), SHAPE_INT(booking_extra, ref_id),
	SHAPE_INT(booking_extra, quantity), SHAPE_AMOUNT(booking_extra, amount), SHAPE_TEXT_KO(booking_extra, label),
	SHAPE_TEXT(booking_extra, end_reason), SHAPE_STATE(booking_extra, refund_state, refund_state_words),
	SHAPE_AMOUNT(booking_extra, refund_due), SHAPE_AMOUNT(booking_extra, refunded_amount),
	SHAPE_AMOUNT(booking_extra, refund_share),
};
static const struct shape extra_json_shape = SHAPE(booking_extra, extra_json_members);

static const struct member part_json_members[] = {
	SHAPE_INT(part_refund, refund_no), SHAPE_AMOUNT(part_refund, amount), SHAPE_TEXT(part_refund, reason),
	SHAPE_TEXT(part_refund, note), SHAPE_STATE(part_refund, refund_state, refund_state_words),
	SHAPE_TIME(part_refund, asked_at),
};
static const struct shape part_json_shape = SHAPE(part_refund, part_json_members);

static const struct member booking_json_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_STATE(booking, state, booking_state_words), SHAPE_INT(booking, car_id),
	SHAPE_TEXT_KO(booking, car_name), SHAPE_TEXT(booking, plate), SHAPE_INT(booking, model_id),
	SHAPE_INT(booking, n_cars), SHAPE_LIST_AS(booking, cars, cars, n_all_cars, booking_car_shape),
	SHAPE_INT(booking, branch_id), SHAPE_TEXT(booking, branch_name), SHAPE_TIME(booking, starts_at),
	SHAPE_TIME(booking, ends_at),
	SHAPE_AMOUNT(booking, amount), SHAPE_AMOUNT(booking, vat_amount), SHAPE_TEXT(booking, currency),
	SHAPE_STATE(booking, refund_state, refund_state_words), SHAPE_AMOUNT(booking, refund_due),
	SHAPE_AMOUNT(booking, refunded_amount), SHAPE_AMOUNT(booking, kept_amount),
	SHAPE_AMOUNT(booking, kept_vat_amount), SHAPE_TIME(booking, held_at), SHAPE_TIME(booking, hold_until),
	SHAPE_TIME(booking, paid_at), SHAPE_TEXT(booking, end_reason), SHAPE_TIME(booking, undo_until),
	SHAPE_LIST(booking, lines, booking_line_shape),
	SHAPE_LIST(booking, extras, extra_json_shape), SHAPE_MAYBE(booking, delivery, booking_delivery_shape),
	SHAPE_TIME(booking, cancel_asked_at), SHAPE_STRUCT(booking, cancellation, cancel_terms_json_shape),
	SHAPE_INT(booking, terms_version),
	SHAPE_INT(booking, try_no), SHAPE_INT(booking, tries_left), SHAPE_TEXT(booking, declined_reason),
	SHAPE_STATE(booking, cancel_by, cancel_by_words), SHAPE_TEXT(booking, cancel_reason),
	SHAPE_TEXT(booking, cancel_note), SHAPE_AMOUNT(booking, compensation_due),
	SHAPE_STATE(booking, compensation_state, refund_state_words), SHAPE_LIST(booking, refunds, part_json_shape),
};
static const struct shape booking_json_shape = SHAPE(booking, booking_json_members);

/* --- the booking of the address ----------------------------------------------------------------------------------- */

const char *
booking_url(struct web *w, const struct booking *b)
{
	return arena_printf(w->m, "/bookings/%s", b->code);
}

enum status
booking_done(struct web *w, enum status json_status, struct booking *b, const char *page)
{
	b->tries_left = b->state == BOOKING_HELD ? booking_tries_left(b) : 0;
	booking_sum_up(b, w->m);
	return web_done(w, json_status, &booking_json_shape, b, "%s", page);
}

bool
find_path_booking(struct web *w, struct booking *b)
{
	return booking_find(w->db, web_param(w, "code"), web_is(w, ROLE_MANAGER) ? 0 : w->user.id, b);
}

enum status
answer_booking(struct web *w, enum booking_page page, struct booking *b)
{
	if (!w->json)
		return show_booking(w, HTTP_OK, page, b, NULL);
	booking_sum_up(b, w->m);
	return web_json(w, HTTP_OK, &booking_json_shape, b);
}

enum status
page_booking(struct web *w)
{
	struct booking b;

	return find_path_booking(w, &b) ? answer_booking(w, BOOKING_PAGE, &b) : web_not_found(w);
}

enum status
page_receipt(struct web *w)
{
	struct booking b;

	return find_path_booking(w, &b) && b.paid_at ? answer_booking(w, RECEIPT_PAGE, &b) : web_not_found(w);
}
