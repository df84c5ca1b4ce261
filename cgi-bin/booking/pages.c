/* pages - booking a car: the order form and the order. pages_pay.c has what pays for a held one, pages_booking.c shows
 * the booking. */
#include "booking.h"
#include "calendar.h"
#include "model.h"
#include "orders.h"
#include "pages.h"
#include "pages_extra.h"
#include "price.h"
#include "terms.h"

#include "domain/rental.h"
#include "domain/rental_form.h"
#include "domain/menu.h"
#include "lib/web/form.h"
#include "lib/base/settings.h"

#include <string.h>

/* --- the order form ----------------------------------------------------------------------------------------------- */

struct new_booking_page {
	struct car_facts car;
	struct form_problems problems;
	struct field starts_at, ends_at, card_id, agreed_amount, terms_version;
	struct saved_card *cards;
	int n_cards;
	bool is_new_card, is_taken;
	int64_t model_id, qty, branch_id;       /* so many cars of a model; 0: a certain car */
	bool is_several;
	const char *own_code;           /* the customer's own booking that is in the way; NULL: none */
	struct price *price;            /* NULL: no good interval yet */
	int64_t shown_amount;           /* its total, which the form sends as agreed_amount */
	int64_t terms_in_force;         /* which the form sends as terms_version */
	struct extras_form extras;
	int64_t from, until, hold_minutes;
};
static const struct member new_booking_page_members[] = {
	SHAPE_STRUCT(new_booking_page, car, car_facts_shape),
	SHAPE_STRUCT(new_booking_page, problems, form_problems_shape),
	SHAPE_STRUCT(new_booking_page, starts_at, field_shape), SHAPE_STRUCT(new_booking_page, ends_at, field_shape),
	SHAPE_STRUCT(new_booking_page, card_id, field_shape), SHAPE_INT(new_booking_page, shown_amount),
	SHAPE_STRUCT(new_booking_page, agreed_amount, field_shape),
	SHAPE_STRUCT(new_booking_page, terms_version, field_shape), SHAPE_INT(new_booking_page, terms_in_force),
	SHAPE_LIST(new_booking_page, cards, saved_card_shape), SHAPE_BOOL(new_booking_page, is_new_card),
	SHAPE_BOOL(new_booking_page, is_taken),
	SHAPE_MAYBE(new_booking_page, price, shown_price_shape), SHAPE_TIME(new_booking_page, from),
	SHAPE_TIME(new_booking_page, until), SHAPE_INT(new_booking_page, hold_minutes),
	SHAPE_INT(new_booking_page, model_id), SHAPE_INT(new_booking_page, qty), SHAPE_INT(new_booking_page, branch_id),
	SHAPE_BOOL(new_booking_page, is_several), SHAPE_TEXT(new_booking_page, own_code),
	SHAPE_STRUCT(new_booking_page, extras, extras_form_shape),
};
static const struct shape new_booking_page_shape = SHAPE(new_booking_page, new_booking_page_members);
PAGE(booking_form, "booking/order", new_booking_page_shape)

static void
choose_card(struct web *w, struct new_booking_page *p)
{
	const char *typed = form_raw(w, "card_id");

	p->n_cards = cards_of(w->db, w->user.id, &p->cards);
	p->is_new_card = p->n_cards == 0 || strcmp(typed, "new") == 0;
	for (int i = 0; i < p->n_cards; i++)
		p->cards[i].is_chosen = *typed ? p->cards[i].card_id == atoll(typed) : i == 0;
}

static void
price_order(struct web *w, struct new_booking_page *p, int64_t starts_at, int64_t ends_at)
{
	const char *field;

	if (!starts_at || !ends_at || interval_problem(starts_at, ends_at, w->now, &field))
		return;
	p->price = price_make(w->m, starts_at, ends_at, p->car.daily_price, p->car.hourly_price);
	price_times(p->price, p->qty);
	p->from = starts_at;
	p->until = ends_at;
}

/* Delivery and equipment as ordered, and what they add to the price. */
static void
add_extras(struct web *w, struct new_booking_page *p, const struct booking_order *o)
{
	if (!p->price)
		return;
	extras_price(w, o, p->price);
	p->shown_amount = p->price->amount;
	extras_show(w, o, &p->extras);
}

/* An order as its form sends it, read once. */
struct booking_form {
	struct booking_order order;
	bool has_which;                 /* its car or model is given, without mistakes */
	bool is_taken;                  /* not available at that time: other cars are offered, and no button pays */
	const char *own_code;           /* … because of this booking of their own */
};

static enum status
show_booking_form(struct web *w, const void *form, enum status status, const char *message)
{
	const struct booking_form *f = form;
	const struct booking_order *o = &f->order;
	struct new_booking_page p = {
		.model_id = o->model_id,
		.branch_id = o->branch_id,
		.qty = o->model_id ? o->qty : 1,
		.is_taken = f->is_taken,
		.own_code = f->own_code,
		.hold_minutes = rental.hold_s / 60,
	};

	if (!f->has_which)
		return show_offer(w, o->model_id, status, message);
	if (o->model_id ? !offer_facts(w, o, &p.car) : !car_facts(w->db, o->car_id, &p.car))
		return web_not_found(w);
	p.is_several = p.qty > 1;
	price_order(w, &p, o->starts_at, o->ends_at);
	add_extras(w, &p, o);
	choose_card(w, &p);
	p.starts_at = form_field_time(w, "starts_at", o->starts_at);
	p.ends_at = form_field_time(w, "ends_at", o->ends_at);
	p.card_id = form_field(w, "card_id", "");
	p.agreed_amount = form_field(w, "agreed_amount", "");
	p.terms_version = form_field(w, "terms_version", "");
	p.terms_in_force = terms_in_force(w->db, TERMS_TERMS, w->now);
	p.problems = form_problems(w, message);
	menu_of(w)->nav_search = true;
	return web_page(w, status, &booking_form, &p);
}

/* Which booking is in the way, for a program. */
static const struct member own_hold_members[] = { SHAPE_TEXT(booking, code), SHAPE_TIME(booking, hold_until) };
static const struct shape own_hold_shape = SHAPE(booking, own_hold_members);
static const struct member own_booking_members[] = { SHAPE_TEXT(booking, code) };
static const struct shape own_booking_shape = SHAPE(booking, own_booking_members);

/* The customer has booked it themselves, or holds it and has not paid. */
static enum status
refuse_own(struct web *w, struct booking_form *f, const struct booking *own)
{
	bool is_hold = booking_is_hold(own);

	f->is_taken = true;
	f->own_code = own->code;
	web_error_details(w, is_hold ? &own_hold_shape : &own_booking_shape, own);
	return web_refuse(w, HTTP_CONFLICT, is_hold ? "own_hold" : "own_booking", own_booking_in_words(w->m, own));
}

/* The form is not lost: it is shown with a new key, and sent again it makes another booking. */
static enum status
refuse_key(struct web *w, struct booking_form *f, const struct booking *made)
{
	f->own_code = made->code;
	return web_refuse(w, HTTP_UNPROCESSABLE, "key_reused",
		w->json ? _("This key was already used for another request.")
			: _("You have already made a booking with this form. To make another one, please check the form"
			    " and submit it again."));
}

static enum status
refuse_taken(struct web *w, struct booking_form *f, const char *message)
{
	f->is_taken = true;
	return web_refuse(w, HTTP_CONFLICT, "taken", message);
}

static enum status
refuse_fewer_cars(struct web *w, struct booking_form *f, const char *message)
{
	f->is_taken = true;
	return web_refuse(w, HTTP_CONFLICT, "out_of_stock", message);
}

/* GET /bookings/new?car_id=&starts_at=&ends_at= - what will be booked and charged. Or ?model_id=&qty=&branch_id=… */
enum status
page_new_booking(struct web *w)
{
	struct booking *own = arena_new_of(w->m, struct booking);
	struct booking_form f = {
		.order.customer_id = w->user.id,
		.order.starts_at = form_has(w, "starts_at") ? form_rental_time(w, "starts_at") : 0,
		.order.ends_at = form_has(w, "ends_at") ? form_rental_time(w, "ends_at") : 0,
	};
	struct booking_order *o = &f.order;
	const char *field, *problem;

	f.has_which = read_which(w, o);
	if (!f.has_which && !o->model_id)
		return web_not_found(w);
	web_form(w, show_booking_form, &f);
	if (o->starts_at && o->ends_at && (problem = interval_problem(o->starts_at, o->ends_at, w->now, &field)))
		form_error(w, field, problem);
	if (form_n_errors(w))
		return web_invalid(w);
	if (!o->starts_at || !o->ends_at)
		return show_booking_form(w, &f, HTTP_OK, NULL);

	extras_read(w, o);
	if (o->model_id ? offer_n_free(w, o) >= o->qty : calendar_is_free(w->db, o->car_id, o->starts_at, o->ends_at))
		return show_booking_form(w, &f, HTTP_OK, NULL);
	if (booking_find_own(w->db, o, own))
		return refuse_own(w, &f, own);
	if (o->model_id)
		return refuse_fewer_cars(w, &f,
			_("Not enough cars of this model are available for these dates. Please choose fewer cars, other"
			  " dates, or another model."));
	return refuse_taken(
		w, &f, _("This car is already booked for these dates. Please choose other dates or another car."));
}

/* --- the order ---------------------------------------------------------------------------------------------------- */

static enum status
show_booked(struct web *w, struct booking *b)
{
	if (w->json)
		web_set_header(w, "Location", booking_url(w, b));
	else if (b->state == BOOKING_HELD && !b->asked_at)
		return go_to_payment_page(w, b);
	return booking_done(w, HTTP_CREATED, b, booking_url(w, b));
}

/* The form always sends the total and the terms it showed; one without them has agreed to nothing. */
static void
read_agreed(struct web *w, struct booking_order *o)
{
	bool has_total = form_has(w, "agreed_amount"), has_terms = form_has(w, "terms_version");

	o->has_agreed = has_total || !w->json;
	o->agreed_amount = has_total ? form_int(w, "agreed_amount", 0, INT64_MAX / 2) : -1;
	o->has_terms = has_terms || !w->json;
	o->terms_version = has_terms ? form_int(w, "terms_version", 1, INT64_MAX / 2) : -1;
}

static void
read_booking_form(struct web *w, struct booking_form *f)
{
	bool is_new_card = !w->json && strcmp(form_raw(w, "card_id"), "new") == 0;
	struct booking_order *o = &f->order;

	*f = (struct booking_form){
		.order.customer_id = w->user.id,
		.order.starts_at = form_rental_time(w, "starts_at"),
		.order.ends_at = form_rental_time(w, "ends_at"),
		.order.card_id = is_new_card ? 0 : form_id(w, "card_id"),
		.order.request_key = form_request_key(w),
		.order.request_hash = web_body_hash(w),
		.order.is_form = !w->json,
	};
	/* a card that is typed on the provider's page is declined on a page */
	o->keeps_hold = !w->json || form_tick(w, "keep_hold") || !o->card_id;
	f->has_which = read_which(w, o);
	extras_read(w, o);
	read_agreed(w, o);
}

/* What happened to the money, and that it is safe to book again. */
static const char *
later_message(const struct booking_order *o, enum booking_outcome outcome)
{
	if (outcome == BOOKING_UNANSWERED)
		return _("Your card company did not respond in time, so the booking was not made. We keep checking; if"
			 " you were charged, we refund you automatically. You can book again.");
	if (!o->card_id)
		return _("Payments are not available right now. Nothing was booked or charged.");
	return _("Payments are not available right now. Nothing was booked and your card was not charged.");
}

static enum status
refuse_booking_field(struct web *w, const char *field, const char *message)
{
	form_error(w, field, message);
	return web_invalid(w);
}

static enum status
refuse_interval(struct web *w, const struct booking_order *o)
{
	const char *field = "starts_at", *problem = interval_problem(o->starts_at, o->ends_at, w->now, &field);

	return refuse_booking_field(w, field, problem ? problem : _("Please choose other dates."));
}

static enum status
refuse_no_car(struct web *w, const struct booking_order *o)
{
	if (!w->json)
		return web_not_found(w);
	form_error(w, o->model_id ? "model_id" : "car_id", _("This car cannot be booked."));
	return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("This car is not available for rent."));
}

/* What a program needs to agree to the order as it is now. */
struct new_deal { int64_t total_amount, terms_version; const char *currency; };
static const struct member new_deal_members[] = {
	SHAPE_AMOUNT(new_deal, total_amount), SHAPE_TEXT(new_deal, currency), SHAPE_INT(new_deal, terms_version),
};
static const struct shape new_deal_shape = SHAPE(new_deal, new_deal_members);

/* Marks the total, if it is not the one that was agreed to. */
static const char *
mark_new_total(struct web *w, const struct booking_order *o, const struct booking *b)
{
	struct buf total = { .m = w->m };
	const char *message;

	if (!o->has_agreed || o->agreed_amount == b->amount)
		return NULL;
	money_put(&total, lang_now(), b->amount);
	message = arena_printf(w->m, _("The total is now %s. Please check it and pay again."), total.s);
	form_error(w, "agreed_amount", message);
	return message;
}

/* The same of the terms. */
static const char *
mark_new_terms(struct web *w, const struct booking_order *o, const struct booking *b)
{
	const char *message;

	if (!o->has_terms || o->terms_version == b->terms_version)
		return NULL;
	message = arena_printf(w->m, _("Version %lld of our terms now applies. Please read it and pay again."),
		(long long)b->terms_version);
	form_error(w, "terms_version", message);
	return message;
}

/* The form again shows the new total and names the new terms; to send it again is to agree to them. */
static enum status
refuse_deal(struct web *w, const struct booking_order *o, const struct booking *b)
{
	struct new_deal *d = arena_new_of(w->m, struct new_deal);
	const char *new_terms = mark_new_terms(w, o, b), *new_total = mark_new_total(w, o, b);

	*d = (struct new_deal){ b->amount, b->terms_version, b->currency };
	web_error_details(w, &new_deal_shape, d);
	if (new_terms)
		return web_refuse(w, HTTP_CONFLICT, "terms_changed",
			w->json ? new_terms : _("Our terms have changed. Nothing was booked or charged."));
	return web_refuse(w, HTTP_CONFLICT, "price_changed",
		w->json ? new_total : _("The price has changed. Nothing was booked or charged."));
}

/* The first request with this key holds the car and waits for payment. */
static enum status
refuse_in_progress(struct web *w, const struct booking *b)
{
	if (!w->json)
		return web_redirect(w, "/bookings/%s", b->code);
	web_set_header(w, "Retry-After", "1");
	return web_refuse(
		w, HTTP_CONFLICT, "in_progress", _("The first request with this key is still being processed."));
}

/* For browsers without JavaScript: the price of what is chosen is shown, and nothing is booked. */
static bool
wants_price_alone(struct web *w)
{
	return form_has(w, "update") && !w->json;
}

/* POST /bookings - hold the car for the customer and charge the card. */
enum status
do_book(struct web *w)
{
	enum booking_outcome outcome;
	struct booking b = { 0 };
	struct booking_form f;

	read_booking_form(w, &f);
	web_form(w, show_booking_form, &f);
	if (wants_price_alone(w))
		return show_booking_form(w, &f, HTTP_OK, NULL);
	if (form_bad(w))
		return web_invalid(w);

	outcome = booking_place(w->db, &f.order, &b);
	switch (outcome) {
	case BOOKING_OK:
	case BOOKING_AGAIN: return show_booked(w, &b);
	case BOOKING_OWN: return refuse_own(w, &f, &b);
	case BOOKING_TAKEN:
		return refuse_taken(w, &f,
			_("Another customer has just booked this car for these dates. Nothing was charged. Please"
			  " choose other dates or another car."));
	case BOOKING_FEWER_CARS:
		return refuse_fewer_cars(w, &f,
			_("Not enough cars of this model are available for these dates. Nothing was charged. Please"
			  " choose fewer cars, other dates, or another model."));
	case BOOKING_TERMS_CHANGED:
	case BOOKING_PRICE_CHANGED: return refuse_deal(w, &f.order, &b);
	case BOOKING_QUOTA:
		return web_refuse(w, HTTP_CONFLICT, "quota",
			_("You have reached the maximum number of open bookings. Please finish or cancel one first."));
	case BOOKING_HOLDS:
		return web_refuse(w, HTTP_CONFLICT, "holds",
			_("You already have several unpaid bookings. Please pay for or cancel one of them first."));
	case BOOKING_DECLINED:
		return web_refuse(w, HTTP_PAYMENT_REQUIRED, "declined",
			_("Your card was declined. Nothing was charged and nothing is booked. Please try another"
			  " card."));
	case BOOKING_DECLINED_HELD: return show_declined(w, &b);
	case BOOKING_LATER:
	case BOOKING_UNANSWERED: return web_later(w, booking_later_s(CALLEE_PAYMENT), later_message(&f.order, outcome));
	case BOOKING_NO_CAR: return refuse_no_car(w, &f.order);
	case BOOKING_BAD_INTERVAL: return refuse_interval(w, &f.order);
	case BOOKING_BAD_CARD:
		return refuse_booking_field(w, "card_id", _("This is not one of your cards. Please choose another."));
	case BOOKING_BAD_DELIVERY:
	case BOOKING_NO_ITEM:
	case BOOKING_OUT_OF_STOCK:
	case BOOKING_NOT_APPROVED: return extras_refuse(w, &f.order, &b, outcome);
	case BOOKING_REVIEW_LATER:
		return web_later(w, booking_later_s(CALLEE_REVIEW),
			_("Your equipment has to be approved first, and approvals are not available right now. Nothing"
			  " was booked or charged."));
	case BOOKING_KEY_REUSED: return refuse_key(w, &f, &b);
	case BOOKING_IN_PROGRESS: return refuse_in_progress(w, &b);
	}
	return web_broken(w);
}
