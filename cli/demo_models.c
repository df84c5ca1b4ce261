/*
 * demo_models.c - bookings of several cars of a model: a company's outing, two families on Jeju, a film crew that is on the road now, one that was
 * cancelled. They are placed last, into what the single bookings have left free, so each takes the first model that has enough.
 */
#include "demo.h"

#include "../cgi-bin/booking/booking.h"
#include "../lib/clock.h"

struct outing {
	int customer, model, qty, from_hours, hours;    /* model: the one that is asked for first */
	enum { OUTING_BOOKED, OUTING_OUT, OUTING_CANCELLED } becomes;
};

static const struct outing outings[] = {
	{ 0, 0, 2, 12 * 24, 50, OUTING_BOOKED },        /* both who can sign in have one to look at */
	{ 1, 6, 3, 9 * 24, 28, OUTING_BOOKED },
	{ 7, 2, 5, 23 * 24, 9, OUTING_BOOKED },
	{ 11, 3, 2, 0, 31, OUTING_OUT },
	{ 14, 4, 3, 31 * 24, 72, OUTING_CANCELLED },
};

static int64_t
begins_at(const struct outing *o, int64_t now)
{
	return o->from_hours ? day_start(now + o->from_hours * HOUR) + 10 * HOUR : now - now % STEP;
}

/* The model it would have, or the next one of which so many are free together; fewer of them when no model has so many. */
static enum booking_outcome
place(struct world *w, const struct outing *from, int64_t now, struct booking *b)
{
	struct booking_order o = {
		.customer_id = w->customer_id[from->customer], .card_id = w->good_card[from->customer], .starts_at = begins_at(from, now),
	};
	enum booking_outcome outcome = BOOKING_FEWER_CARS;

	o.ends_at = o.starts_at + from->hours * HOUR;
	for (o.qty = from->qty; o.qty > 1; o.qty--)
		for (int i = 0; i < DEMO_MODELS; i++) {
			o.model_id = w->model_id[(from->model + i) % DEMO_MODELS];
			db_begin(w->db);
			outcome = booking_place(w->db, &o, b);
			if (db_commit(w->db) && outcome == BOOKING_OK)
				return BOOKING_OK;
			if (outcome != BOOKING_FEWER_CARS)
				return outcome;
		}
	return outcome;
}

static void
happen(struct world *w, const struct outing *o, int64_t now)
{
	struct booking b;

	if (place(w, o, now, &b) != BOOKING_OK) {
		world_stop(w, "%d cars of one model were not booked", o->qty);
		return;
	}
	world_policies(w);
	if (!booking_find(w->db, b.code, 0, &b) || b.state != CONFIRMED)
		world_stop(w, "booking %s of %d cars was not confirmed", b.code, (int)b.n_cars);
	else if (o->becomes == OUTING_OUT && !booking_hand_out(w->db, &b, w->manager_id))
		world_stop(w, "booking %s was not handed out", b.code);
	else if (o->becomes == OUTING_CANCELLED && booking_cancel(w->db, &b, b.customer_id, "customer") != CANCEL_DONE)
		world_stop(w, "booking %s was not cancelled", b.code);
	world_policies(w);
}

void
world_models(struct world *w, int64_t now)
{
	for (size_t i = 0; i < sizeof(outings) / sizeof(outings[0]) && !w->why; i++) {
		clock_set(now + (int64_t)i);
		happen(w, &outings[i], now);
		arena_reset(w->m);
	}
}
