/* pages_booking - one booking as its customer sees it: progress, what goes with it, price and payment, history. */
#include "pages.h"

#include "domain/choices.h"
#include "domain/rental.h"
#include "domain/menu.h"
#include "lib/base/lang.h"

#include <string.h>
#include <unistd.h>

/* A delivery with steps of its own. */
struct shown_delivery {
	struct my_delivery delivery;
	struct progress_step *steps;
	int n_steps;
	const char *zone_name, *why;
	bool has_keys;                          /* the keys were handed over: the record is shown */
};
static const struct member shown_delivery_members[] = {
	SHAPE_STRUCT(shown_delivery, delivery, my_delivery_shape),
	SHAPE_LIST(shown_delivery, steps, progress_step_shape), SHAPE_TEXT(shown_delivery, zone_name),
	SHAPE_TEXT(shown_delivery, why), SHAPE_BOOL(shown_delivery, has_keys),
};
static const struct shape shown_delivery_shape = SHAPE(shown_delivery, shown_delivery_members);

/* An extra that ended before it was used. */
struct ended_extra { const char *name, *why; int64_t refund_due, refunded_amount; };
static const struct member ended_extra_members[] = {
	SHAPE_TEXT(ended_extra, name), SHAPE_TEXT(ended_extra, why), SHAPE_AMOUNT(ended_extra, refund_due),
	SHAPE_AMOUNT(ended_extra, refunded_amount),
};
static const struct shape ended_extra_shape = SHAPE(ended_extra, ended_extra_members);

struct shown_message { struct my_message message; const char *title; };
static const struct member shown_message_members[] = {
	SHAPE_STRUCT(shown_message, message, my_message_shape), SHAPE_TEXT(shown_message, title),
};
static const struct shape shown_message_shape = SHAPE(shown_message, shown_message_members);

struct my_booking_page {
	struct my_booking booking;
	struct progress_step *steps;
	struct timeline_event *events;
	struct shown_delivery *deliveries;
	struct order_shown *orders;
	struct ended_extra *ended;
	struct shown_message *messages;
	struct price price;
	int n_steps, n_events, n_deliveries, n_orders, n_ended, n_messages;
	const char *why;                        /* why it ended, or "" */
	int64_t brought_from, brought_to;       /* when a courier delivers the car; 0: no delivery, or not known yet */
	int64_t fetched_from, fetched_to;       /* when it is collected */
	bool is_moving, can_pay, can_cancel, has_receipt, is_refund_due, is_refunded, has_orders, has_ended,
		has_messages;
	struct freshness fresh;
};
static const struct member my_booking_page_members[] = {
	SHAPE_STRUCT(my_booking_page, booking, my_booking_shape),
	SHAPE_LIST(my_booking_page, steps, progress_step_shape),
	SHAPE_LIST(my_booking_page, events, timeline_event_shape),
	SHAPE_LIST(my_booking_page, deliveries, shown_delivery_shape),
	SHAPE_LIST(my_booking_page, orders, order_shown_shape), SHAPE_LIST(my_booking_page, ended, ended_extra_shape),
	SHAPE_LIST(my_booking_page, messages, shown_message_shape),
	SHAPE_STRUCT(my_booking_page, price, shown_price_shape), SHAPE_TEXT(my_booking_page, why),
	SHAPE_TIME(my_booking_page, brought_from), SHAPE_TIME(my_booking_page, brought_to),
	SHAPE_TIME(my_booking_page, fetched_from), SHAPE_TIME(my_booking_page, fetched_to),
	SHAPE_BOOL(my_booking_page, is_moving), SHAPE_BOOL(my_booking_page, can_pay),
	SHAPE_BOOL(my_booking_page, can_cancel), SHAPE_BOOL(my_booking_page, has_receipt),
	SHAPE_BOOL(my_booking_page, is_refund_due), SHAPE_BOOL(my_booking_page, is_refunded),
	SHAPE_BOOL(my_booking_page, has_orders), SHAPE_BOOL(my_booking_page, has_ended),
	SHAPE_BOOL(my_booking_page, has_messages), SHAPE_STRUCT(my_booking_page, fresh, freshness_shape),
};
static const struct shape my_booking_page_shape = SHAPE(my_booking_page, my_booking_page_members);
PAGE(booking_template, "mypage/booking", my_booking_page_shape);

/* "2 × Child seat · 30,000원 · At your request.": the parts there are. */
static const char *
my_event_detail(struct web *w, const struct my_event *e)
{
	const char *part[] = {
		lang_pick(lang_now(), e->label, e->label_ko),
		e->amount ? money_in_words(w->m, e->amount) : "",
		my_reason_in_words(e->reason),
	};
	struct buf detail = { .m = w->m };

	buf_puts(&detail, "");
	for (int i = 0; i < 3; i++)
		if (*part[i])
			buf_printf(&detail, "%s%s", *detail.s ? " · " : "", part[i]);
	return detail.s;
}

static struct progress_step *
steps_in_words(struct web *w, const struct my_progress *progress)
{
	struct progress_step *steps = arena_array(w->m, struct progress_step, progress->n_steps + 1);

	for (int i = 0; i < progress->n_steps; i++) {
		const struct my_progress_step *s = &progress->step[i];

		steps[i] = (struct progress_step){
			.title = _(my_step_words.word[s->step].label),
			.detail = time_in_words(w->m, s->at),
			.done = s->mark == MARK_DONE,
			.now = s->mark == MARK_NOW,
			.bad = s->mark == MARK_BAD,
		};
	}
	return steps;
}

static void
fill_steps(struct web *w, struct my_booking_page *p)
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
fill_events(struct web *w, struct my_booking_page *p)
{
	p->n_events = p->booking.n_events;
	p->events = arena_array(w->m, struct timeline_event, p->n_events + 1);
	for (int i = 0; i < p->n_events; i++) {
		const struct my_event *e = &p->booking.events[i];

		p->events[i] = (struct timeline_event){ e->occurred_at, _(customer_event_words.word[e->type].label),
			my_event_detail(w, e) };
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
fill_deliveries(struct web *w, struct my_booking_page *p)
{
	p->n_deliveries = p->booking.n_deliveries;
	p->deliveries = arena_array(w->m, struct shown_delivery, p->n_deliveries + 1);
	for (int i = 0; i < p->n_deliveries; i++) {
		const struct my_delivery *d = &p->booking.deliveries[i];
		bool is_cancelled = d->state == MY_DELIVERY_CANCELLED;
		struct my_progress progress;

		my_delivery_progress(d, &progress);
		p->deliveries[i] = (struct shown_delivery){
			.delivery = *d,
			.steps = steps_in_words(w, &progress),
			.n_steps = progress.n_steps,
			.zone_name = zone_in_words(d->zone),
			.why = is_cancelled ? my_reason_in_words(*d->reason ? d->reason : d->ended_by) : "",
			.has_keys = d->state == MY_DELIVERY_DELIVERED && *d->received_by,
		};
		if (is_cancelled)
			continue;
		*(d->direction == MY_DIRECTION_DELIVERY ? &p->brought_from : &p->fetched_from) = d->window_from;
		*(d->direction == MY_DIRECTION_DELIVERY ? &p->brought_to : &p->fetched_to) = d->window_to;
	}
}

static void
fill_price(struct web *w, struct my_booking_page *p)
{
	const struct my_booking *b = &p->booking;

	p->price = (struct price){ .n_lines = b->n_lines, .amount = b->amount, .vat_amount = b->vat_amount };
	p->price.lines = arena_array(w->m, struct booking_line, b->n_lines + 1);
	for (int i = 0; i < b->n_lines; i++)
		p->price.lines[i] = (struct booking_line){
			.rule = b->lines[i].rule,
			.label = lang_pick(lang_now(), b->lines[i].label, b->lines[i].label_ko),
			.quantity = b->lines[i].quantity,
			.unit_amount = b->lines[i].unit_amount,
			.amount = b->lines[i].amount,
		};
	booking_lines_in_words(p->price.lines, b->n_lines, b->starts_at, b->ends_at);
}

static const char *
line_name(const struct my_line *l)
{
	if (*l->label)
		return lang_pick(lang_now(), l->label, l->label_ko);
	return l->rule >= 0 ? _(price_rule_words.word[l->rule].label) : "";
}

/* The lines of extras that ended are listed once more with their refund. */
static void
fill_ended(struct web *w, struct my_booking_page *p)
{
	p->ended = arena_array(w->m, struct ended_extra, p->booking.n_lines + 1);
	for (int i = 0; i < p->booking.n_lines; i++) {
		const struct my_line *l = &p->booking.lines[i];

		if (l->ended_at)
			p->ended[p->n_ended++] = (struct ended_extra){
				.name = line_name(l),
				.why = my_reason_in_words(l->end_reason),
				.refund_due = l->refund_due,
				.refunded_amount = l->refunded_amount,
			};
	}
	p->has_ended = p->n_ended > 0;
}

static void
fill_messages(struct web *w, struct my_booking_page *p)
{
	p->n_messages = p->booking.n_messages;
	p->has_messages = p->n_messages > 0;
	p->messages = arena_array(w->m, struct shown_message, p->n_messages + 1);
	for (int i = 0; i < p->n_messages; i++)
		p->messages[i] = (struct shown_message){ p->booking.messages[i],
			my_message_in_words(p->booking.messages[i].kind, &customer_event_words) };
}

/* --- GET /my/bookings/:code --------------------------------------------------------------------------------------- */

/* Booking refuses to cancel once the courier has left with the car. */
static bool
has_courier_left(const struct my_booking *b)
{
	for (int i = 0; i < b->n_deliveries; i++)
		if (b->deliveries[i].direction == MY_DIRECTION_DELIVERY
			&& (b->deliveries[i].state == MY_DELIVERY_SHIPPED
				|| b->deliveries[i].state == MY_DELIVERY_DELIVERED))
			return true;
	return false;
}

static bool
can_cancel(const struct my_booking *b, int64_t now)
{
	if (b->state == BOOKING_PAID || b->state == BOOKING_CONFIRMED)
		return b->starts_at > now && !has_courier_left(b);
	return b->state == BOOKING_HELD;
}

static enum status
show_my_booking(struct web *w, const struct my_booking *b)
{
	struct my_booking_page p = {
		.booking = *b,
		.fresh = freshness(w),
		.why = my_code_in_words(b->end_reason),
		.n_orders = b->n_orders,
		.has_orders = b->n_orders > 0,
		.orders = orders_in_words(w, b->orders, b->n_orders),
		.can_pay = b->state == BOOKING_HELD && b->hold_until > w->now,
		.can_cancel = can_cancel(b, w->now),
		.has_receipt = b->paid_at > 0,
		.is_refund_due = b->payment_state == MY_PAYMENT_REFUND_DUE,
		.is_refunded = b->refunded_amount > 0,
	};

	fill_steps(w, &p);
	fill_events(w, &p);
	fill_deliveries(w, &p);
	fill_ended(w, &p);
	fill_price(w, &p);
	fill_messages(w, &p);
	return web_page(w, HTTP_OK, &booking_template, &p);
}

/* Booked a moment ago; its event has not been handled here yet. */
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
		return web_refuse(w, HTTP_NOT_FOUND, "preparing",
			_("This booking is being prepared. Please try again in a second."));
	return web_page(w, HTTP_OK, &preparing_template, &p);
}

/* The relay needs some milliseconds, so a customer who has just paid rarely sees "being prepared". */
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
	case MY_FOUND: return w->json ? web_json(w, HTTP_OK, &my_booking_shape, &b) : show_my_booking(w, &b);
	case MY_PREPARING: return show_preparing(w, code);
	case MY_UNKNOWN: return web_not_found(w);
	}
	return web_broken(w);
}
