/* pages_pay - paying for a held booking: on the provider's page, with a saved card, and again after a decline. */
#include "booking.h"
#include "orders.h"
#include "pages.h"
#include "payment_client.h"

#include "domain/decline_words.h"
#include "domain/rental.h"
#include "lib/base/settings.h"
#include "lib/web/form.h"

#include <string.h>

/* --- the provider's page ------------------------------------------------------------------------------------------ */

/* With the customer's key a card can be saved there; while payment does not answer it cannot. */
static const char *
customer_key_of(struct web *w, const struct booking *b)
{
	const char *key = payment_client->customer_key ? payment_client->customer_key(w->db, b->customer_id) : NULL;

	return *text_or_empty(key) ? key : "ANONYMOUS";
}

/* It takes the card and sends the customer back to …/paid. */
enum status
go_to_payment_page(struct web *w, const struct booking *b)
{
	const char *back = web_encode(w, arena_printf(w->m, "%s/bookings/%s", settings.base_url, b->code));
	const char *name = lang_pick(lang_now(), b->car_name, b->car_name_ko);

	if (b->n_cars > 1)
		name = arena_printf(w->m, "%lld × %s", (long long)b->n_cars, name);
	return web_redirect_out(w,
		arena_printf(w->m,
			"%s/pay?customerKey=%s&orderId=%s&amount=%lld&orderName=%s"
			"&successUrl=%s%%2Fpaid&failUrl=%s",
			rental.provider_public_url, web_encode(w, customer_key_of(w, b)), booking_charge_key(w->m, b),
			(long long)b->amount, web_encode(w, name), back, back));
}

/* --- declined, and still held ------------------------------------------------------------------------------------- */

/* What a program needs to try again. */
struct declined_details { const char *code, *url, *reason, *pay_url; int64_t hold_until, tries_left, try_no; };
static const struct member declined_details_members[] = {
	SHAPE_TEXT(declined_details, code), SHAPE_TEXT(declined_details, url), SHAPE_TEXT(declined_details, pay_url),
	SHAPE_TEXT(declined_details, reason), SHAPE_TIME(declined_details, hold_until),
	SHAPE_INT(declined_details, try_no), SHAPE_INT(declined_details, tries_left),
};
static const struct shape declined_details_shape = SHAPE(declined_details, declined_details_members);

/* The booking's page says why, and takes another card. */
enum status
show_declined(struct web *w, struct booking *b)
{
	struct declined_details *d = arena_new_of(w->m, struct declined_details);

	if (!w->json)
		return web_redirect(w, "/bookings/%s", b->code);
	booking_find(w->db, b->code, 0, b);
	*d = (struct declined_details){
		.code = b->code,
		.url = booking_url(w, b),
		.pay_url = arena_printf(w->m, "/bookings/%s/pay", b->code),
		.reason = text_or_empty(b->declined_reason),
		.hold_until = b->hold_until,
		.try_no = b->try_no,
		.tries_left = b->tries_left,
	};
	web_set_header(w, "Location", d->url);
	web_error_details(w, &declined_details_shape, d);
	return web_refuse(w, HTTP_PAYMENT_REQUIRED, "declined",
		arena_printf(w->m, "%s %s", decline_in_words(b->declined_reason),
			_("Nothing was charged. The booking is still held; you can try another card.")));
}

/* --- paying ------------------------------------------------------------------------------------------------------- */

/* The payment is prepared at the provider and nothing was charged. While the car is held, the same address can be asked
 * again. */
static enum status
show_not_paid(struct web *w, const struct booking *b)
{
	return web_later(w, booking_later_s(CALLEE_PAYMENT),
		b->state == BOOKING_HELD ? _(
			"Payments are not available right now. Nothing was charged, and we are still holding the car"
			" for you. Please reload this page in a moment.")
					 : _("Payments are not available right now. Nothing was booked or charged."));
}

/* A program gets the answer; a person the booking's page, which shows it. */
static enum status
answer_program(struct web *w, struct booking *b, enum booking_outcome outcome)
{
	switch (outcome) {
	case BOOKING_OK:
	case BOOKING_AGAIN: booking_find(w->db, b->code, 0, b); return booking_done(w, HTTP_OK, b, booking_url(w, b));
	case BOOKING_DECLINED_HELD: return show_declined(w, b);
	case BOOKING_DECLINED:
		return web_refuse(w, HTTP_PAYMENT_REQUIRED, "declined",
			_("The card was declined. Nothing was charged, and the booking is no longer held."));
	case BOOKING_UNANSWERED:
		return web_later(w, booking_later_s(CALLEE_PAYMENT),
			_("The card company did not respond in time, so the booking was not made. Anything charged is"
			  " refunded automatically."));
	case BOOKING_IN_PROGRESS:
		web_set_header(w, "Retry-After", "1");
		return web_refuse(w, HTTP_CONFLICT, "in_progress", _("A payment for this booking is under way."));
	case BOOKING_KEY_REUSED:
		return web_refuse(
			w, HTTP_UNPROCESSABLE, "key_reused", _("This key was already used for another request."));
	case BOOKING_BAD_CARD:
	case BOOKING_TAKEN: /* the hold is over */
	case BOOKING_LATER:
	case BOOKING_OWN:
	case BOOKING_PRICE_CHANGED:
	case BOOKING_TERMS_CHANGED:
	case BOOKING_FEWER_CARS:
	case BOOKING_QUOTA:
	case BOOKING_HOLDS:
	case BOOKING_NO_CAR:
	case BOOKING_BAD_INTERVAL:
	case BOOKING_BAD_DELIVERY:
	case BOOKING_NO_ITEM:
	case BOOKING_OUT_OF_STOCK:
	case BOOKING_NOT_APPROVED:
	case BOOKING_REVIEW_LATER: break; /* of an order only */
	}
	return web_refuse(w, HTTP_CONFLICT, "not_held", _("This booking is no longer waiting for a payment."));
}

static enum status
answer_payment(struct web *w, struct booking *b, const struct booking_payment *p)
{
	enum booking_outcome outcome = booking_pay(w->db, b, p);

	if (outcome == BOOKING_BAD_CARD) {
		form_error(w, "card_id", _("This is not one of your cards. Please choose another."));
		return w->json ? web_invalid(w) : show_booking(w, HTTP_UNPROCESSABLE, BOOKING_PAGE, b, NULL);
	}
	if (outcome == BOOKING_LATER)
		return show_not_paid(w, b);
	return w->json ? answer_program(w, b, outcome) : web_redirect(w, "/bookings/%s", b->code);
}

/* The card of the form: "new" or none, for a person: the provider's page. */
static bool
is_new_card(struct web *w)
{
	return !w->json && (!form_has(w, "card_id") || strcmp(form_raw(w, "card_id"), "new") == 0);
}

/* POST /bookings/:code/pay {card_id, try_no} - with a saved card. Else: on the provider's page. */
enum status
do_pay_booking(struct web *w)
{
	bool is_new = is_new_card(w);
	struct booking_payment p = {
		.card_id = is_new ? 0 : form_id(w, "card_id"),
		.try_no = form_has(w, "try_no") ? form_int(w, "try_no", 1, 99) : 0,
		.request_key = w->json ? form_request_key(w) : "",
	};
	struct booking b;

	if (!booking_find(w->db, web_param(w, "code"), w->user.id, &b))
		return web_not_found(w);
	if (form_bad(w))
		return w->json ? web_invalid(w) : show_booking(w, HTTP_UNPROCESSABLE, BOOKING_PAGE, &b, NULL);
	if (!is_new)
		return answer_payment(w, &b, &p);
	if (booking_is_hold(&b) && b.hold_until > w->now)
		return go_to_payment_page(w, &b);
	return web_redirect(w, "/bookings/%s", b.code);
}

/* GET /bookings/:code/paid - back from the provider's page. Its payment key is good once, for this order and amount
 * alone. With authKey the customer wants the card to be saved. */
enum status
do_paid(struct web *w)
{
	const char *order_id = form_raw(w, "orderId"), *card_token = form_raw(w, "authKey");
	int64_t amount;
	struct booking_payment p = {
		.payment_key = form_text(w, "paymentKey", 200),
		.card_token = strlen(card_token) <= 300 ? card_token : "",
	};
	struct booking b;

	amount = form_int(w, "amount", 1, INT64_MAX / 2); /* the provider's: in the smallest unit */
	if (!booking_find(w->db, web_param(w, "code"), w->user.id, &b))
		return web_not_found(w);
	p.try_no = booking_try_of_key(w->m, &b, order_id);
	if (!*p.payment_key || amount != b.amount || !p.try_no)
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid",
			_("This payment does not belong to this booking. Nothing was charged."));
	if (booking_pay(w->db, &b, &p) == BOOKING_LATER)
		return show_not_paid(w, &b);
	return web_redirect(w, "/bookings/%s", b.code); /* whose page shows the outcome */
}
