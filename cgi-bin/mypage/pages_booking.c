/*
 * pages_booking - one booking as its customer sees it: how far it has come, what goes with it, its price and payment, what has happened.
 */
#include "pages.h"

#include "domain/choices.h"
#include "domain/rental.h"
#include "domain/menu.h"
#include "lib/base/lang.h"

#include <string.h>
#include <unistd.h>

/* --- GET /my/bookings/:code ------------------------------------------------------------------------------------------- */

/* What templates/steps, price_lines and timeline show. */
struct step { const char *title, *detail; bool done, now, bad; };
static const struct member step_members[] = {
	SHAPE_TEXT(step, title), SHAPE_TEXT(step, detail), SHAPE_BOOL(step, done), SHAPE_BOOL(step, now), SHAPE_BOOL(step, bad),
};
static const struct shape step_shape = SHAPE(step, step_members);

struct happening { int64_t at; const char *title, *detail; };
static const struct member happening_members[] = {
	SHAPE_TIME(happening, at), SHAPE_TEXT(happening, title), SHAPE_TEXT(happening, detail),
};
static const struct shape happening_shape = SHAPE(happening, happening_members);

/* A courier's trip, with steps of its own. */
struct trip {
	struct my_delivery delivery;
	struct step *steps;
	int n_steps;
	const char *zone_name, *why;
	bool has_keys;                          /* they changed hands: the record shows */
};
static const struct member trip_members[] = {
	SHAPE_STRUCT(trip, delivery, my_delivery_shape), SHAPE_LIST(trip, steps, step_shape), SHAPE_TEXT(trip, zone_name), SHAPE_TEXT(trip, why),
	SHAPE_BOOL(trip, has_keys),
};
static const struct shape trip_shape = SHAPE(trip, trip_members);

/* An extra that will not be had. */
struct ended { const char *name, *why; int64_t refund_due, refunded_amount; };
static const struct member ended_members[] = {
	SHAPE_TEXT(ended, name), SHAPE_TEXT(ended, why), SHAPE_AMOUNT(ended, refund_due), SHAPE_AMOUNT(ended, refunded_amount),
};
static const struct shape ended_shape = SHAPE(ended, ended_members);

struct letter { struct my_message message; const char *title; };
static const struct member letter_members[] = { SHAPE_STRUCT(letter, message, my_message_shape), SHAPE_TEXT(letter, title) };
static const struct shape letter_shape = SHAPE(letter, letter_members);

struct booking_page {
	struct my_booking booking;
	struct step *steps;
	int n_steps;
	struct happening *events;
	int n_events;
	struct trip *trips;
	struct order_shown *goods;
	struct ended *ended;
	struct letter *letters;
	struct price price;
	int n_trips, n_goods, n_ended, n_letters;
	const char *why;                        /* why it ended, for people, or "" */
	int64_t brought_from, brought_to;       /* when a courier comes with the car; 0: nobody does, or it is not known yet */
	int64_t fetched_from, fetched_to;       /* … comes to fetch it */
	bool is_moving, can_pay, can_cancel, has_receipt, is_refund_due, is_refunded, has_goods, has_ended, has_letters;
	struct freshness fresh;
};
static const struct member page_members[] = {
	SHAPE_STRUCT(booking_page, booking, my_booking_shape), SHAPE_LIST(booking_page, steps, step_shape),
	SHAPE_LIST(booking_page, events, happening_shape), SHAPE_LIST(booking_page, trips, trip_shape),
	SHAPE_LIST(booking_page, goods, order_shown_shape), SHAPE_LIST(booking_page, ended, ended_shape),
	SHAPE_LIST(booking_page, letters, letter_shape), SHAPE_STRUCT(booking_page, price, shown_price_shape), SHAPE_TEXT(booking_page, why), SHAPE_TIME(booking_page, brought_from),
	SHAPE_TIME(booking_page, brought_to), SHAPE_TIME(booking_page, fetched_from), SHAPE_TIME(booking_page, fetched_to),
	SHAPE_BOOL(booking_page, is_moving),
	SHAPE_BOOL(booking_page, can_pay), SHAPE_BOOL(booking_page, can_cancel), SHAPE_BOOL(booking_page, has_receipt),
	SHAPE_BOOL(booking_page, is_refund_due), SHAPE_BOOL(booking_page, is_refunded), SHAPE_BOOL(booking_page, has_goods),
	SHAPE_BOOL(booking_page, has_ended), SHAPE_BOOL(booking_page, has_letters), SHAPE_STRUCT(booking_page, fresh, freshness_shape),
};
static const struct shape booking_page_shape = SHAPE(booking_page, page_members);
PAGE(booking_template, "mypage/booking", booking_page_shape);

static const char *
time_in_words(struct web *w, int64_t at)
{
	struct buf b = { .m = w->m };

	if (at == 0)
		return "";
	time_put(&b, lang_now(), at);
	return b.s;
}

/* "2 × Child seat · 30,000원 · At your request.": whatever there is of it. */
static const char *
event_detail(struct web *w, const struct my_event *e)
{
	const char *part[] = {
		lang_pick(lang_now(), e->label, e->label_ko), e->amount ? money_in_words(w, e->amount) : "", my_reason_said(e->reason),
	};
	struct buf said = { .m = w->m };

	buf_puts(&said, "");
	for (int i = 0; i < 3; i++)
		if (*part[i])
			buf_printf(&said, "%s%s", *said.s ? " · " : "", part[i]);
	return said.s;
}

static struct step *
steps_in_words(struct web *w, const struct my_progress *progress)
{
	struct step *steps = arena_array(w->m, struct step, progress->n_steps + 1);

	for (int i = 0; i < progress->n_steps; i++) {
		const struct my_progress_step *s = &progress->step[i];

		steps[i] = (struct step){
			.title = _(my_step_words.word[s->step].label), .detail = time_in_words(w, s->at),
			.done = s->mark == MARK_DONE, .now = s->mark == MARK_NOW, .bad = s->mark == MARK_BAD,
		};
	}
	return steps;
}

static void
make_steps(struct web *w, struct booking_page *p)
{
	struct my_progress progress;

	my_progress(&p->booking, &progress);
	p->is_moving = progress.is_moving;
	p->n_steps = progress.n_steps;
	p->steps = steps_in_words(w, &progress);
	for (int i = 0; i < p->n_steps; i++)
		if (p->steps[i].now)
			p->steps[i].title = my_step_to_do(&p->booking, progress.step[i].step);
}

static void
make_history(struct web *w, struct booking_page *p)
{
	p->n_events = p->booking.n_events;
	p->events = arena_array(w->m, struct happening, p->n_events ? p->n_events : 1);
	for (int i = 0; i < p->n_events; i++) {
		const struct my_event *e = &p->booking.events[i];

		p->events[i] = (struct happening){
			.at = e->occurred_at, .title = _(customer_event_words.word[e->type].label), .detail = event_detail(w, e),
		};
	}
}

/* --- what goes with it --- */

static const char *
zone_in_words(const char *zone)
{
	const struct choice *c = choice_find(rental.delivery_zones, zone);

	return c ? choice_name(c) : zone;
}

static void
make_trips(struct web *w, struct booking_page *p)
{
	p->n_trips = p->booking.n_deliveries;
	p->trips = arena_array(w->m, struct trip, p->n_trips + 1);
	for (int i = 0; i < p->n_trips; i++) {
		const struct my_delivery *d = &p->booking.deliveries[i];
		struct my_progress progress;

		my_trip_progress(d, &progress);
		p->trips[i] = (struct trip){
			.delivery = *d, .steps = steps_in_words(w, &progress), .n_steps = progress.n_steps, .zone_name = zone_in_words(d->zone),
			.why = d->state == TRIP_CANCELLED ? my_reason_said(*d->reason ? d->reason : d->ended_by) : "",
			.has_keys = d->state == TRIP_DELIVERED && *d->received_by,
		};
		if (d->direction == TRIP_TO_CUSTOMER && d->state != TRIP_CANCELLED) {
			p->brought_from = d->window_from;
			p->brought_to = d->window_to;
		} else if (d->state != TRIP_CANCELLED) {
			p->fetched_from = d->window_from;
			p->fetched_to = d->window_to;
		}
	}
}

static void
make_goods(struct web *w, struct booking_page *p)
{
	p->n_goods = p->booking.n_orders;
	p->has_goods = p->n_goods > 0;
	p->goods = orders_in_words(w, p->booking.orders, p->n_goods);
}

static void
make_price(struct web *w, struct booking_page *p)
{
	const struct my_booking *b = &p->booking;

	p->price = (struct price){ .n_lines = b->n_lines, .amount = b->amount, .vat_amount = b->vat_amount };
	p->price.lines = arena_array(w->m, struct booking_line, b->n_lines + 1);
	for (int i = 0; i < b->n_lines; i++)
		p->price.lines[i] = (struct booking_line){
			.rule = b->lines[i].rule, .label = b->lines[i].label, .quantity = b->lines[i].quantity,
			.unit_amount = b->lines[i].unit_amount, .amount = b->lines[i].amount,
		};
	booking_lines_in_words(p->price.lines, b->n_lines, b->starts_at, b->ends_at);
}

/* Lines in the reader's language; those of extras that ended stand once more with their money. */
static void
make_lines(struct web *w, struct booking_page *p)
{
	p->ended = arena_array(w->m, struct ended, p->booking.n_lines + 1);
	for (int i = 0; i < p->booking.n_lines; i++) {
		struct my_line *l = &p->booking.lines[i];

		l->label = lang_pick(lang_now(), l->label, l->label_ko);
		if (l->ended_at)
			p->ended[p->n_ended++] = (struct ended){
				.name = *l->label ? l->label : l->rule >= 0 ? _(price_rule_words.word[l->rule].label) : "", .why = my_reason_said(l->end_reason),
				.refund_due = l->refund_due, .refunded_amount = l->refunded_amount,
			};
	}
	p->has_ended = p->n_ended > 0;
}

static void
make_letters(struct web *w, struct booking_page *p)
{
	p->n_letters = p->booking.n_messages;
	p->has_letters = p->n_letters > 0;
	p->letters = arena_array(w->m, struct letter, p->n_letters + 1);
	for (int i = 0; i < p->n_letters; i++)
		p->letters[i] = (struct letter){
			.message = p->booking.messages[i], .title = my_message_in_words(p->booking.messages[i].kind, &customer_event_words),
		};
}

/* The courier has left with it: then booking does not take it back any more. */
static bool
is_on_its_way(const struct my_booking *b)
{
	for (int i = 0; i < b->n_deliveries; i++)
		if (b->deliveries[i].direction == TRIP_TO_CUSTOMER && (b->deliveries[i].state == TRIP_SHIPPED || b->deliveries[i].state == TRIP_DELIVERED))
			return true;
	return false;
}

static enum status
show_booking(struct web *w, struct my_booking *b)
{
	struct booking_page p = { .booking = *b, .fresh = freshness(w), .why = my_reason_in_words(b->end_reason) };

	make_steps(w, &p);
	make_history(w, &p);
	make_trips(w, &p);
	make_goods(w, &p);
	make_lines(w, &p);
	make_price(w, &p);
	make_letters(w, &p);
	p.can_pay = b->state == BOOKING_HELD && b->hold_until > w->now;
	p.can_cancel = b->state == BOOKING_HELD || ((b->state == BOOKING_PAID || b->state == BOOKING_CONFIRMED) && b->starts_at > w->now && !is_on_its_way(b));
	p.has_receipt = b->paid_at > 0;
	p.is_refund_due = b->payment_state == PAYMENT_GOING_BACK;
	p.is_refunded = b->refunded_amount > 0;
	return web_page(w, HTTP_OK, &booking_template, &p);
}

/* Booked a moment ago, and the news is on its way: nothing to worry about. */
struct preparing_page { const char *code; };
static const struct member preparing_members[] = { SHAPE_TEXT(preparing_page, code) };
static const struct shape preparing_shape = SHAPE(preparing_page, preparing_members);
PAGE(preparing_template, "mypage/preparing", preparing_shape);

static enum status
show_preparing(struct web *w, const char *code)
{
	struct preparing_page p = { .code = code };

	web_set_header(w, "Retry-After", "1");
	if (w->json)
		return web_refuse(w, HTTP_NOT_FOUND, "preparing", _("This booking is being prepared. Please try again in a second."));
	return web_page(w, HTTP_OK, &preparing_template, &p);
}

/* The relay needs some milliseconds: a customer who has just paid rather waits for them than reads "being prepared". */
static enum my_found
find_soon(struct web *w, const char *code, struct my_booking *b)
{
	enum my_found found = my_find(w->db, code, w->user.id, b);

	for (int i = 0; found == MY_PREPARING && i < 15; i++) {
		usleep(10000);
		found = my_find(w->db, code, w->user.id, b);
	}
	return found;
}

static bool
looks_like_code(const char *s)
{
	size_t n = strlen(s);

	return n >= 6 && n <= 20 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

enum status
page_my_booking(struct web *w)
{
	const char *code = web_param(w, "code");
	struct my_booking b;

	if (!looks_like_code(code))
		return web_not_found(w);
	menu_of(w)->nav_my = true;
	switch (find_soon(w, code, &b)) {
	case MY_FOUND:     return w->json ? web_json(w, HTTP_OK, &my_booking_shape, &b) : show_booking(w, &b);
	case MY_PREPARING: return show_preparing(w, code);
	case MY_UNKNOWN:   return web_not_found(w);
	}
	return web_broken(w);
}
