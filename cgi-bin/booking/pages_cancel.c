/* pages_cancel - cancelling a booking: the refund is shown before it is confirmed. */
#include "booking.h"
#include "orders.h"
#include "pages.h"

#include "domain/roles.h"
#include "lib/web/form.h"

/* A manager's form comes back with what was typed. */
static enum status
show_cancel(struct web *w, const void *booking, enum status status, const char *message)
{
	return show_booking(w, status, CANCEL_PAGE, booking, message);
}

enum status
page_cancel(struct web *w)
{
	struct booking b;

	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (b.cancel_asked_at && !w->json) /* it is under way */
		return web_redirect(w, "/bookings/%s", b.code);
	return answer_booking(w, CANCEL_PAGE, &b);
}

static enum status
refuse_cancel(struct web *w)
{
	return web_refuse(w, HTTP_CONFLICT, "not_cancellable",
		_("This booking can no longer be cancelled. Please call the branch and we will help you."));
}

/* The message says what to do instead: return the car early. */
static enum status
already_shipped(struct web *w, const struct booking *b)
{
	struct booking_contact a = { 0 };

	booking_contact(w->db, b, &a);
	return web_refuse(w, HTTP_CONFLICT, "delivery_shipped",
		a.branch_phone && *a.branch_phone
			? arena_printf(w->m,
				_("The car is on its way to you, so this booking can no longer be cancelled. You can"
				  " accept the car and return it early, or call the branch: %s."),
				a.branch_phone)
			: _("The car is on its way to you, so this booking can no longer be cancelled. You can accept"
			    " the car and return it early, or call the branch."));
}

static enum status
answer_cancel(struct web *w, enum cancel_outcome outcome, struct booking *b)
{
	switch (outcome) {
	case CANCEL_DONE: return booking_done(w, HTTP_OK, b, booking_url(w, b));
	case CANCEL_PENDING: return booking_done(w, HTTP_ACCEPTED, b, booking_url(w, b));
	case CANCEL_SHIPPED: return already_shipped(w, b);
	case CANCEL_LATER:
		return web_later(w, booking_later_s(CALLEE_DELIVERY),
			_("The delivery has to be stopped first, and delivery is not responding right now. Nothing has"
			  " changed; please cancel again in a moment."));
	case CANCEL_NOT_POSSIBLE: return refuse_cancel(w);
	}
	return web_broken(w);
}

/* by=firm {reason, note}: a manager, of another person's booking. */
static enum status
cancel_by_firm(struct web *w, struct booking *b)
{
	struct firm_cancel f;

	if (!web_is(w, ROLE_MANAGER))
		return web_refuse(
			w, HTTP_FORBIDDEN, "forbidden", _("Only managers can cancel a booking on the company's side."));
	if (b->customer_id == w->user.id)
		return refuse_own_booking(w);
	f = firm_form_read(w);
	web_form(w, show_cancel, b);
	return form_bad(w) ? web_invalid(w) : answer_cancel(w, booking_cancel_by_firm(w->db, b, &f), b);
}

/* POST /bookings/:code/cancel {by, reason, note}. A second click leads to the same page as the first; a program gets
 * 409. */
enum status
do_cancel_booking(struct web *w)
{
	int by = form_has(w, "by") ? form_choice(w, "by", &cancel_by_words) : CANCEL_BY_CUSTOMER;
	struct booking b;

	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (w->json && (b.state == BOOKING_CANCELLED || b.state == BOOKING_EXPIRED))
		return refuse_cancel(w);
	if (by == CANCEL_BY_FIRM)
		return cancel_by_firm(w, &b);
	if (form_bad(w))
		return web_invalid(w);
	return answer_cancel(
		w, booking_cancel(w->db, &b, w->user.id, b.customer_id == w->user.id ? "customer" : "manager"), &b);
}
