/*
 * demo_deeds.c - does the deeds of the script: every row comes from the function a program would have called, at its
 * time of the past. After each deed the policies run as the relay would have run them, a second later.
 */
#include "demo.h"

#include "cgi-bin/booking/booking.h"
#include "cgi-bin/sandbox/sandbox.h"
#include "domain/choices.h"
#include "domain/rental.h"
#include "lib/base/clock.h"

#include <stdio.h>

#define WAL_PAGES   20000       /* then it is moved into the file */
#define DEEDS       1000        /* … of a transaction: a commit for each would take a third of the time */

/* --- one deed -------------------------------------------------------------------------------------------------- */

static const char *
zone_code(int n)
{
	const struct choice *zones;
	int n_zones = choices_of(rental.delivery_zones, &zones);

	return n_zones ? zones[n % n_zones].code : "";
}

static struct booking_order
order_of(struct world *w, const struct script *s, const struct plan *p)
{
	const struct demo_place *place = &demo_places[p->trip.place];
	const struct demo_car *car = &s->cars[p->car];
	struct booking_order o = {
		.customer_id = w->customer_id[p->customer],
		.car_id = car->car_id,
		.starts_at = p->starts_at,
		.ends_at = p->ends_at,
		.card_id = p->fate == FATE_DECLINED ? w->bad_card[p->customer] : w->good_card[p->customer],
	};

	if (p->n_cars > 1) {
		o.car_id = 0;
		o.model_id = w->model_id[car->model];
		o.qty = p->n_cars;
		o.branch_id = w->branch_id[car->branch];
	}
	o.delivery.is_wanted = p->trip.is_wanted;
	o.delivery.collects = p->trip.collects;
	o.delivery.zone = zone_code(place->zone);
	o.delivery.address = place->address;
	o.delivery.place = place->place;
	o.delivery.window_from = p->trip.window_from;
	for (o.n_items = 0; o.n_items < p->n_lent; o.n_items++) {
		o.items[o.n_items].item_id = w->item_id[p->lent[o.n_items].item];
		o.items[o.n_items].quantity = p->lent[o.n_items].quantity;
	}
	return o;
}

/* One transaction instead of six: no other process reads in between. */
static void
place(struct world *w, struct script *s, struct plan *p)
{
	struct booking_order o = order_of(w, s, p);
	enum booking_outcome outcome, wanted = p->fate == FATE_DECLINED ? BOOKING_DECLINED : BOOKING_OK;
	struct booking b = { .code = "" };

	db_begin(w->db);
	outcome = booking_place(w->db, &o, &b);
	if (outcome != wanted || !db_commit(w->db))
		world_stop(w, "a booking of %s came out as %d", s->cars[p->car].plate, (int)outcome);
	else if (outcome == BOOKING_OK)
		snprintf(p->code, sizeof(p->code), "%s", b.code);
}

static bool
act(struct world *w, struct booking *b, enum deed_kind kind)
{
	if (kind == DEED_CANCEL)
		return booking_cancel(w->db, b, b->customer_id, "customer") == CANCEL_DONE;
	if (kind == DEED_HAND_OUT)
		return booking_hand_out(w->db, b, w->manager_id);
	if (kind == DEED_TAKE_BACK)
		return booking_take_back(w->db, b, w->manager_id);
	return booking_no_show(w->db, b, w->manager_id);
}

static void
do_later(struct world *w, struct plan *p, enum deed_kind kind)
{
	struct booking b;

	db_begin(w->db);
	if ((kind == DEED_TAKE_BACK && !world_lose(w, p)) || !booking_find(w->db, p->code, 0, &b) || !act(w, &b, kind)
		|| !db_commit(w->db))
		world_stop(w, "deed %d of booking %s was refused", (int)kind, p->code);
}

static void
do_at_desk(struct world *w, struct script *s, const struct deed *deed)
{
	db_begin(w->db);
	if (!world_desk(w, s, deed) || !db_commit(w->db))
		world_stop(w, "deed %d of %d was refused", (int)deed->kind, deed->plan);
}

/*
 * Runs the policies on which the next deed builds: a booking is confirmed, a car is free again within a second. The
 * others may run later: a car's status, the courier of a job.
 */
static void
run_policies(struct world *w, const struct script *s, const struct deed *deed)
{
	clock_set(deed->at + 1);
	switch (deed->kind) {
	case DEED_PLACE:
	case DEED_CANCEL:
	case DEED_NO_SHOW:
		if (plan_has_extras(&s->plans[deed->plan]))
			world_desk_policies(w);
		else
			world_policies(w);
		break;
	case DEED_HAND_OUT:
	case DEED_TAKE_BACK:
		if (s->plans[deed->plan].n_lent)
			world_desk_policies(w);
		break;
	case DEED_ASSIGN:
	case DEED_SHIP:
	case DEED_FETCH_ASSIGN:
	case DEED_FETCH_SHIP:
	case DEED_STOCK: break;
	case DEED_CALL_OFF:
	case DEED_DECIDE:
		world_desk_policies(w);
		while (booking_sweep(w->db)) /* what will not be had is paid back */
			;
		break;
	case DEED_DELIVER:
	case DEED_FETCH:
	case DEED_BRING_IN:
	case DEED_ORDER:
	case DEED_ORDER_DECIDE:
	case DEED_ORDER_OUT:
	case DEED_ORDER_BACK:
	case DEED_ORDER_CANCEL: world_desk_policies(w);
	}
}

/* --- what can no longer be undone ------------------------------------------------------------------------------- */

/* Returns and no-shows become final at their time, as by the sweep of the relay, and what is due is refunded. */
static void
end_windows(struct world *w, int64_t until)
{
	int64_t at;

	while (!w->why && (at = booking_next_window(w->db)) && at <= until) {
		clock_set(at);
		if (!booking_end_windows(w->db, at))
			world_stop(w, "what can no longer be undone is not final");
		while (db_exists(w->db, "SELECT 1 FROM booking WHERE refund_state = 'PENDING'") && booking_sweep(w->db))
			;
		clock_set(at + 1);
		world_desk_policies(w);
	}
}

/* --- many in a transaction -------------------------------------------------------------------------------------- */

static void
trim_wal(struct db *db)
{
	if (db_wal_pages(db) > WAL_PAGES)
		db_checkpoint(db);
}

/* Deeds are committed many at a time. */
static void
commit_deeds(struct world *w)
{
	if (!db_commit(w->db) || !db_commit(w->sandbox))
		world_stop(w, "the deeds were not committed");
	w->n_uncommitted = 0;
	trim_wal(w->db);
	trim_wal(w->sandbox);
}

void
world_do(struct world *w, struct script *s, const struct deed *deed)
{
	if (w->why)
		return;
	if (w->n_uncommitted++ == 0) {
		db_begin(w->db);
		db_begin(w->sandbox);
	}
	end_windows(w, deed->at);
	clock_set(deed->at);
	if (deed->kind == DEED_PLACE)
		place(w, s, &s->plans[deed->plan]);
	else if (deed->kind <= DEED_NO_SHOW)
		do_later(w, &s->plans[deed->plan], deed->kind);
	else
		do_at_desk(w, s, deed);
	if (!w->why)
		run_policies(w, s, deed);
	if (w->n_uncommitted == DEEDS)
		commit_deeds(w);
	arena_reset(w->m);
}

void
world_end(struct world *w, struct script *s)
{
	end_windows(w, s->now);
	if (w->n_uncommitted)
		commit_deeds(w);
	world_fleet_end(w, s);
	clock_set(0);
	if (w->why)
		return;
	db_begin(w->db);
	world_desk_policies(w);
	world_policies_end(w);
	if (w->why || !db_commit(w->db))
		return world_stop(w, "the end of the policies");
	sandbox_forget_old(w->sandbox);
	db_bulk(w->db, false); /* the read models are made from it next, by another connection */
	if (db_failed(w->db))
		world_stop(w, "the end");
	arena_reset(w->m);
}
