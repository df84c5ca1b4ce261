/* pages_firm - what managers give back: cancelling a booking for the firm, and refunding a part of its price. */
#include "booking.h"
#include "orders.h"
#include "pages.h"

#include "domain/menu.h"

#include <string.h>

enum status
refuse_own_booking(struct web *w)
{
	return web_refuse(w, HTTP_FORBIDDEN, "own_booking",
		_("This is your own booking. Another manager has to decide about money for it."));
}

/* --- cancelling by the firm --------------------------------------------------------------------------------------- */

static const struct member firm_form_members[] = {
	SHAPE_BOOL(firm_form, is_possible), SHAPE_BOOL(firm_form, is_own), SHAPE_AMOUNT(firm_form, refund),
	SHAPE_AMOUNT(firm_form, compensation), SHAPE_AMOUNT(firm_form, gone),
	SHAPE_STRUCT(firm_form, reason, field_shape),
	SHAPE_STRUCT(firm_form, note, field_shape), SHAPE_STRUCT(firm_form, problems, form_problems_shape),
};
const struct shape firm_form_shape = SHAPE(firm_form, firm_form_members);

void
firm_form_fill(struct web *w, const struct booking *b, struct firm_form *f, const char *message)
{
	struct cancel_preview p;

	*f = (struct firm_form){ .is_own = b->customer_id == w->user.id };
	f->is_possible = !f->is_own && firm_cancel_preview(b, &p);
	f->reason = form_field_choice(w, "reason", &firm_reason_words, -1, _("Please choose"));
	f->note = form_field(w, "note", "");
	f->problems = form_problems(w, message);
	if (!f->is_possible)
		return;
	f->refund = p.refund;
	f->compensation = p.compensation;
	f->gone = p.gone;
}

struct firm_cancel
firm_form_read(struct web *w)
{
	int reason = form_choice(w, "reason", &firm_reason_words);

	return (struct firm_cancel){
		.actor_id = w->user.id,
		.reason = words_code(&firm_reason_words, reason),
		.note = form_text(w, "note", FIRM_NOTE_MAX),
	};
}

/* --- a part of the price ------------------------------------------------------------------------------------------ */

struct part_page {
	struct form_problems problems;
	struct booking booking;
	const char *customer_name;
	struct field amount, reason, note;
	int64_t left;
	bool is_possible;
};
static const struct member part_page_members[] = {
	SHAPE_STRUCT(part_page, problems, form_problems_shape), SHAPE_STRUCT(part_page, booking, booking_shape),
	SHAPE_TEXT(part_page, customer_name), SHAPE_STRUCT(part_page, amount, field_shape),
	SHAPE_STRUCT(part_page, reason, field_shape), SHAPE_STRUCT(part_page, note, field_shape),
	SHAPE_AMOUNT(part_page, left), SHAPE_BOOL(part_page, is_possible),
};
static const struct shape part_page_shape = SHAPE(part_page, part_page_members);
PAGE(part_html, "booking/refund", part_page_shape)

static const struct member part_json_members[] = {
	SHAPE_TEXT_AS(part_page, code, booking.code), SHAPE_AMOUNT(part_page, left),
};
static const struct shape part_json_shape = SHAPE(part_page, part_json_members);

static enum status
show_part(struct web *w, const void *form, enum status status, const char *message)
{
	struct part_page p = { .booking = *(const struct booking *)form, .problems = form_problems(w, message) };
	const char *email;

	booking_sum_up(&p.booking, w->m);
	customer_of(w->db, p.booking.customer_id, &p.customer_name, &email);
	p.left = part_refund_left(&p.booking);
	p.is_possible = p.left > 0;
	p.amount = form_field_amount(w, "amount", 0);
	p.reason = form_field_choice(w, "reason", &refund_reason_words, -1, _("Please choose"));
	p.note = form_field(w, "note", "");
	menu_of(w)->nav_bookings = true;
	return web_answer(w, status, &part_json_shape, &part_html, &p);
}

/* GET /bookings/:code/refund */
enum status
page_refund_part(struct web *w)
{
	struct booking b;

	if (!find_path_booking(w, &b) || !b.paid_at)
		return web_not_found(w);
	if (b.customer_id == w->user.id)
		return refuse_own_booking(w);
	return show_part(w, &b, HTTP_OK, NULL);
}

static struct part_refund_order
read_part(struct web *w)
{
	struct part_refund_order o = {
		.actor_id = w->user.id,
		.amount = form_amount(w, "amount", 1, INT64_MAX / 200),
		.request_key = form_request_key(w),
	};

	o.reason = words_code(&refund_reason_words, form_choice(w, "reason", &refund_reason_words));
	o.note = form_text(w, "note", PART_NOTE_MAX);
	return o;
}

static enum status
refuse_too_much(struct web *w, const struct booking *b)
{
	struct buf left = { .m = w->m };

	money_put(&left, lang_now(), part_refund_left(b));
	return form_refuse(w, HTTP_CONFLICT, "too_much", "amount",
		arena_printf(w->m, _("Only %s of this booking is left to refund."), left.s));
}

/* POST /bookings/:code/refund {amount, reason, note} */
enum status
do_refund_part(struct web *w)
{
	struct part_refund_order o = read_part(w);
	enum part_refund_outcome outcome;
	struct booking b;

	if (!find_path_booking(w, &b) || !b.paid_at)
		return web_not_found(w);
	if (b.customer_id == w->user.id)
		return refuse_own_booking(w);
	web_form(w, show_part, &b);
	if (form_bad(w))
		return web_invalid(w);
	outcome = booking_refund_part(w->db, &b, &o);
	switch (outcome) {
	case PART_REFUND_DONE: return booking_done(w, HTTP_OK, &b, booking_url(w, &b));
	case PART_REFUND_PENDING: return booking_done(w, HTTP_ACCEPTED, &b, booking_url(w, &b));
	case PART_REFUND_TOO_MUCH: return refuse_too_much(w, &b);
	case PART_REFUND_WRONG_STATE:
		return web_refuse(w, HTTP_CONFLICT, "wrong_state",
			_("A part can be refunded from the start of the rental on, and not while another refund of the"
			  " booking is being made. Before its start you can cancel the booking."));
	case PART_REFUND_KEY_REUSED:
		return web_refuse(w, HTTP_UNPROCESSABLE, "key_reused",
			_("This form was sent before with other values. Please check the booking and open the form"
			  " again."));
	}
	return web_broken(w);
}
