/* pages - booking a car: the order form, the order, and paying on the provider's page. What becomes of it is in pages_booking.c. */
#include "booking.h"
#include "calendar.h"
#include "model.h"
#include "orders.h"
#include "pages.h"
#include "pages_extra.h"
#include "price.h"

#include "domain/rental.h"
#include "domain/menu.h"
#include "lib/web/form.h"
#include "lib/base/settings.h"

#include <string.h>

/* --- the order form --------------------------------------------------------------------------------------------------------- */

static const struct member saved_card_members[] = {
	SHAPE_INT(saved_card, card_id), SHAPE_TEXT(saved_card, brand), SHAPE_TEXT(saved_card, last4), SHAPE_BOOL(saved_card, is_chosen),
};
static const struct shape saved_card_shape = SHAPE(saved_card, saved_card_members);

struct order_page {
	struct car_facts car;
	struct form_problems problems;
	struct field starts_at, ends_at, card_id;
	struct saved_card *cards;
	int n_cards;
	bool is_new_card, is_taken;     /* taken: other cars are offered */
	int64_t model_id, qty, branch_id;       /* so many cars of a model; 0: this very car */
	bool is_several;
	struct price *price;            /* NULL: no good interval yet */
	struct extras_form extras;
	int64_t from, until, hold_minutes;
};
static const struct member order_page_members[] = {
	SHAPE_STRUCT(order_page, car, car_facts_shape), SHAPE_STRUCT(order_page, problems, form_problems_shape),
	SHAPE_STRUCT(order_page, starts_at, field_shape), SHAPE_STRUCT(order_page, ends_at, field_shape),
	SHAPE_STRUCT(order_page, card_id, field_shape), SHAPE_LIST(order_page, cards, saved_card_shape),
	SHAPE_BOOL(order_page, is_new_card), SHAPE_BOOL(order_page, is_taken), SHAPE_MAYBE(order_page, price, shown_price_shape), SHAPE_TIME(order_page, from),
	SHAPE_TIME(order_page, until), SHAPE_INT(order_page, hold_minutes), SHAPE_INT(order_page, model_id), SHAPE_INT(order_page, qty),
	SHAPE_INT(order_page, branch_id), SHAPE_BOOL(order_page, is_several), SHAPE_STRUCT(order_page, extras, extras_form_shape),
};
static const struct shape order_page_shape = SHAPE(order_page, order_page_members);
PAGE(order_form, "booking/order", order_page_shape)

static void
choose_card(struct web *w, struct order_page *p)
{
	const char *typed = form_raw(w, "card_id");

	p->n_cards = cards_of(w->db, w->user.id, &p->cards);
	p->is_new_card = p->n_cards == 0 || strcmp(typed, "new") == 0;
	for (int i = 0; i < p->n_cards; i++)
		p->cards[i].is_chosen = *typed ? p->cards[i].card_id == atoll(typed) : i == 0;
}

static void
price_order(struct web *w, struct order_page *p, int64_t starts_at, int64_t ends_at)
{
	const char *field;

	if (!starts_at || !ends_at || interval_problem(starts_at, ends_at, w->now, &field))
		return;
	p->price = price_make(w->m, starts_at, ends_at, p->car.daily_price, p->car.hourly_price);
	price_times(p->price, p->qty);
	p->from = starts_at;
	p->until = ends_at;
}

static const char *
input_time(struct web *w, int64_t at)
{
	struct buf b = { .m = w->m };

	time_input(&b, at);
	return b.s ? b.s : "";
}

/* Delivery and equipment as they were asked for, and what they add to the price. */
static void
add_extras(struct web *w, struct order_page *p, struct booking_order o)
{
	if (!p->price)
		return;
	extras_read(w, &o);
	extras_price(w, &o, p->price);
	extras_show(w, &o, &p->extras);
}

/* The form with what was typed. A JSON client gets the same outcome as an error. */
static enum status
show_order(struct web *w, int64_t car_id, int64_t starts_at, int64_t ends_at, enum status status, const char *code, const char *message)
{
	struct order_page p = { .hold_minutes = rental.hold_s / 60 };
	struct booking_order o = { .car_id = car_id, .starts_at = starts_at, .ends_at = ends_at };

	if (w->json)
		return web_refuse(w, status, code, message);
	if (!read_which(w, &o))
		return show_offer(w, o.model_id, status, message);
	if (o.model_id ? !offer_facts(w, &o, &p.car) : !car_facts(w->db, car_id, &p.car))
		return web_not_found(w);
	p.model_id = o.model_id;
	p.branch_id = o.branch_id;
	p.qty = o.model_id ? o.qty : 1;
	p.is_several = p.qty > 1;
	price_order(w, &p, starts_at, ends_at);
	add_extras(w, &p, o);
	choose_card(w, &p);
	p.is_taken = code && (strcmp(code, "taken") == 0 || (strcmp(code, "out_of_stock") == 0 && !form_n_errors(w)));
	p.starts_at = form_field(w, "starts_at", input_time(w, starts_at));
	p.ends_at = form_field(w, "ends_at", input_time(w, ends_at));
	p.card_id = form_field(w, "card_id", "");
	p.problems = form_problems(w, message);
	menu_of(w)->nav_search = true;
	return web_page(w, status, &order_form, &p);
}

/* GET /bookings/new?car_id=&starts_at=&ends_at= - what will be promised and paid, before it is. Or ?model_id=&qty=&branch_id=… */
enum status
page_order(struct web *w)
{
	struct booking_order o = { 0 };
	int64_t car_id = form_has(w, "model_id") ? 0 : form_id(w, "car_id");
	int64_t starts_at = form_has(w, "starts_at") ? form_time(w, "starts_at") : 0;
	int64_t ends_at = form_has(w, "ends_at") ? form_time(w, "ends_at") : 0;
	const char *field = NULL, *problem = NULL;

	if (!read_which(w, &o) && !o.model_id)
		return web_not_found(w);
	if (starts_at && ends_at)
		problem = interval_problem(starts_at, ends_at, w->now, &field);
	if (problem)
		form_error(w, field, problem);
	if (form_n_errors(w))
		return show_order(w, car_id, starts_at, ends_at, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	o.starts_at = starts_at;
	o.ends_at = ends_at;
	if (starts_at && ends_at && o.model_id && offer_n_free(w, &o) < o.qty)
		return show_order(w, 0, starts_at, ends_at, HTTP_CONFLICT, "out_of_stock", _("Not enough cars of this model are available for these dates. Please choose fewer cars, other dates, or another model."));
	if (starts_at && ends_at && !o.model_id && !calendar_is_free(w->db, car_id, starts_at, ends_at))
		return show_order(w, car_id, starts_at, ends_at, HTTP_CONFLICT, "taken", calendar_is_own(w->db, car_id, starts_at, ends_at, w->user.id)
			? _("You have already booked this car for these dates. Please choose other dates or another car.")
			: _("This car is already booked for these dates. Please choose other dates or another car."));
	return show_order(w, car_id, starts_at, ends_at, HTTP_OK, NULL, NULL);
}

/* The provider's page takes the card; it sends the customer back to …/paid. */
static enum status
go_and_pay(struct web *w, const struct booking *b)
{
	const char *back = web_encode(w, arena_printf(w->m, "%s/bookings/%s", settings.base_url, b->code));
	const char *name = lang_pick(lang_now(), b->car_name, b->car_name_ko);

	if (b->n_cars > 1)
		name = arena_printf(w->m, "%lld × %s", (long long)b->n_cars, name);
	return web_redirect_out(w, arena_printf(w->m,
		"%s/pay?customerKey=ANONYMOUS&orderId=%s&amount=%lld&orderName=%s&successUrl=%s%%2Fpaid&failUrl=%s",
		rental.provider_public_url, b->code, (long long)b->amount, web_encode(w, name), back, back));
}

static enum status
show_booked(struct web *w, const struct booking *b)
{
	if (w->json) {
		web_set_header(w, "Location", arena_printf(w->m, "/bookings/%s", b->code));
		return web_json(w, HTTP_CREATED, &booking_json_shape, b);
	}
	if (b->state == BOOKING_HELD && !b->asked_at)
		return go_and_pay(w, b);
	return web_redirect(w, "/bookings/%s", b->code);
}

static void
read_order(struct web *w, struct booking_order *o)
{
	bool new_card = !w->json && (strcmp(form_raw(w, "card_id"), "new") == 0);

	*o = (struct booking_order){
		.customer_id = w->user.id,
		.starts_at = form_time(w, "starts_at"),
		.ends_at = form_time(w, "ends_at"),
		.card_id = new_card ? 0 : form_id(w, "card_id"),
		.request_key = web_idempotency_key(w),
		.request_hash = web_body_hash(w),
	};
	read_which(w, o);
	extras_read(w, o);
	if (strlen(o->request_key) > 200)
		form_error(w, "form_key", _("The idempotency key is longer than 200 characters."));
}

/* Whoever pays must know what became of the money, and that asking again is safe. */
static const char *
what_became_of_it(const struct booking_order *o, enum booking_outcome outcome)
{
	if (outcome == BOOKING_UNANSWERED)
		return _("Your card company did not respond in time, so the booking was not made. We keep checking; if you were charged, we refund you automatically. You can book again.");
	if (!o->card_id)
		return _("Payments are not available right now. Nothing was booked or charged.");
	return _("Payments are not available right now. Nothing was booked and your card was not charged.");
}

/* The form as it was, to be sent again when the one who must be asked can be. */
static enum status
show_later(struct web *w, const struct booking_order *o, enum booking_callee callee, const char *message)
{
	int s = booking_later_s(callee);

	if (w->json)
		return web_later(w, s, message);
	web_set_header(w, "Retry-After", arena_printf(w->m, "%d", s));
	message = arena_printf(w->m, "%s %s", message, arena_printf(w->m, _n("Please try again in %d second.", "Please try again in %d seconds.", s), s));
	return show_order(w, o->car_id, o->starts_at, o->ends_at, HTTP_BUSY, "later", message);
}

/* The price with what was chosen, and nothing booked: for browsers without JavaScript. */
static bool
wants_price_alone(struct web *w)
{
	return form_has(w, "update") && !w->json;
}

/* POST /bookings - promise a car to the customer and take the money for it. */
enum status
do_book(struct web *w)
{
	struct booking_order o;
	struct booking b = { 0 };
	enum booking_outcome outcome;
	const char *field = "starts_at", *problem;

	read_order(w, &o);
	if (wants_price_alone(w))
		return show_order(w, o.car_id, o.starts_at, o.ends_at, HTTP_OK, NULL, NULL);
	if (form_bad(w))
		return show_order(w, o.car_id, o.starts_at, o.ends_at, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));

#define AGAIN(status, code, message) show_order(w, o.car_id, o.starts_at, o.ends_at, (status), (code), (message))
	outcome = booking_place(w->db, &o, &b);
	switch (outcome) {
	case BOOKING_OK:
	case BOOKING_AGAIN:
		return show_booked(w, &b);
	case BOOKING_TAKEN:
		return AGAIN(HTTP_CONFLICT, "taken", calendar_is_own(w->db, o.car_id, o.starts_at, o.ends_at, o.customer_id)
			? _("You have already booked this car for these dates. Please choose other dates or another car.")
			: _("Another customer has just booked this car for these dates. Nothing was charged. Please choose other dates or another car."));
	case BOOKING_FEWER_CARS:
		return AGAIN(HTTP_CONFLICT, "out_of_stock", _("Not enough cars of this model are available for these dates. Nothing was charged. Please choose fewer cars, other dates, or another model."));
	case BOOKING_QUOTA:
		return AGAIN(HTTP_CONFLICT, "quota", _("You have reached the maximum number of open bookings. Please finish or cancel one first."));
	case BOOKING_HOLDS:
		return AGAIN(HTTP_CONFLICT, "holds", _("You already have several unpaid bookings. Please pay for or cancel one of them first."));
	case BOOKING_DECLINED:
		return AGAIN(HTTP_PAYMENT_REQUIRED, "declined", _("Your card was declined. Nothing was charged and nothing is booked. Please try another card."));
	case BOOKING_LATER:
	case BOOKING_UNANSWERED:
		return show_later(w, &o, CALLEE_PAYMENT, what_became_of_it(&o, outcome));
	case BOOKING_NO_CAR:
		if (w->json)
			form_error(w, o.model_id ? "model_id" : "car_id", _("This car cannot be booked."));
		return w->json ? AGAIN(HTTP_UNPROCESSABLE, "invalid", _("This car is not available for rent.")) : web_not_found(w);
	case BOOKING_BAD_INTERVAL:
		problem = interval_problem(o.starts_at, o.ends_at, w->now, &field);
		form_error(w, field, problem ? problem : _("Please choose other dates."));
		return AGAIN(HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	case BOOKING_BAD_CARD:
		form_error(w, "card_id", _("This is not one of your cards. Please choose another."));
		return AGAIN(HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	case BOOKING_BAD_DELIVERY:
	case BOOKING_NO_ITEM:
		return AGAIN(HTTP_UNPROCESSABLE, "invalid", extras_refused(w, &o, &b, outcome));
	case BOOKING_OUT_OF_STOCK:
		return AGAIN(HTTP_CONFLICT, "out_of_stock", extras_refused(w, &o, &b, outcome));
	case BOOKING_NOT_APPROVED:
		return AGAIN(HTTP_CONFLICT, "rejected", extras_refused(w, &o, &b, outcome));
	case BOOKING_REVIEW_LATER:
		return show_later(w, &o, CALLEE_REVIEW, _("Your equipment has to be approved first, and approvals are not available right now. Nothing was booked or charged."));
	case BOOKING_KEY_REUSED:
		return AGAIN(HTTP_UNPROCESSABLE, "key_reused", _("This form was already used for another booking. Please check it and submit it again."));
	case BOOKING_IN_PROGRESS:
		if (!w->json)
			return web_redirect(w, "/bookings/%s", b.code);
		web_set_header(w, "Retry-After", "1");
		return web_refuse(w, HTTP_CONFLICT, "in_progress", _("The first request with this key is still being processed."));
	}
#undef AGAIN
	return web_broken(w);
}

/* --- paying on the provider's page ---------------------------------------------------------------------------------------------- */

enum status
do_pay(struct web *w)
{
	struct booking b;

	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	if (!booking_find(w->db, web_param(w, "code"), w->user.id, &b))
		return web_not_found(w);
	if (b.state == BOOKING_HELD && !b.asked_at && b.hold_until > w->now)
		return go_and_pay(w, &b);
	return web_redirect(w, "/bookings/%s", b.code);
}

/* The provider's page has prepared the payment and nothing has been taken. While the car is held this address can be asked again. */
static enum status
show_not_paid(struct web *w, const struct booking *b)
{
	if (b->state == BOOKING_HELD)
		return web_later(w, booking_later_s(CALLEE_PAYMENT), _("Payments are not available right now. Nothing was charged, and we are still holding the car for you. Please reload this page in a moment."));
	return web_later(w, booking_later_s(CALLEE_PAYMENT), _("Payments are not available right now. Nothing was booked or charged."));
}

/* The customer comes back: the payment key is the provider's, good once and for this order and amount alone. */
enum status
do_paid(struct web *w)
{
	const char *payment_key = form_text(w, "paymentKey", 200);
	int64_t amount = form_amount(w, "amount", 1, INT64_MAX / 2);
	struct booking b;

	if (!booking_find(w->db, web_param(w, "code"), w->user.id, &b))
		return web_not_found(w);
	if (!*payment_key || amount != b.amount || strcmp(form_raw(w, "orderId"), b.code) != 0)
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("This payment does not belong to this booking. Nothing was charged."));
	switch (booking_pay(w->db, &b, payment_key)) {
	case BOOKING_LATER:
		return show_not_paid(w, &b);
	case BOOKING_UNANSWERED:
	case BOOKING_OK:
	case BOOKING_AGAIN:
	case BOOKING_DECLINED:
	case BOOKING_TAKEN:
	case BOOKING_FEWER_CARS:
	case BOOKING_QUOTA:
	case BOOKING_HOLDS:
	case BOOKING_NO_CAR:
	case BOOKING_BAD_INTERVAL:
	case BOOKING_BAD_CARD:
	case BOOKING_BAD_DELIVERY:
	case BOOKING_NO_ITEM:
	case BOOKING_OUT_OF_STOCK:
	case BOOKING_NOT_APPROVED:
	case BOOKING_REVIEW_LATER:
	case BOOKING_KEY_REUSED:
	case BOOKING_IN_PROGRESS:
		break;          /* the booking's page says what became of it */
	}
	return web_redirect(w, "/bookings/%s", b.code);
}
