/*
 * demo_desks.c - the work at the desks, each deed at its time: cars given to couriers, brought and fetched; things
 * bought, lent, counted and lost; orders decided by the examiner.
 */
#include "demo.h"

#include "cgi-bin/booking/booking.h"
#include "cgi-bin/delivery/delivery.h"
#include "cgi-bin/equipment/equipment.h"
#include "cgi-bin/review/review.h"
#include "domain/rental.h"
#include "lib/base/clock.h"

/* --- things to be lent -------------------------------------------------------------------------------------------- */

void
world_items(struct world *w)
{
	for (int i = 0; i < DEMO_ITEMS && !w->why; i++) {
		const struct demo_item *from = &demo_items[i];
		struct item item = {
			.name = from->name,
			.name_ko = from->name_ko,
			.category = from->category,
			.daily_price = from->daily_price,
			.low_stock = from->low_stock,
			.is_offered = true,
		};

		if (item_add(w->db, &item, from->n_pieces, w->manager_id) != ITEM_OK || db_failed(w->db))
			world_stop(w, "%s was not added", from->name);
		w->item_id[i] = item.item_id;
	}
}

/* STOCK_TOO_FEW: at that time all pieces are promised, so none can be lost. It depends on the time of day at which the
 * demo is made. */
static bool
note_stock(struct world *w, const struct demo_stock *from)
{
	enum stock_change_outcome outcome = stock_change(w->db,
		&(struct stock_change){
			.item_id = w->item_id[from->item],
			.actor_id = w->manager_id,
			.kind = words_find(&stock_kind_words, from->kind),
			.quantity = from->quantity,
			.note = from->note,
			.request_key = "",
		});

	/* at some times of day all units are reserved when one is to be lost: then none is */
	return outcome == STOCK_CHANGE_DONE || outcome == STOCK_CHANGE_TOO_FEW;
}

/* --- cars brought and fetched ------------------------------------------------------------------------------------- */

static bool
find_job(struct world *w, const struct plan *p, enum delivery_direction direction, struct delivery *d)
{
	int64_t id = db_int(w->db, "SELECT delivery_id FROM v_delivery WHERE booking_code = $1 AND direction = $2",
		p->code, words_code(&delivery_direction_words, (int)direction));

	return delivery_read(w->db, id, d);
}

/* The older the demo's year, the fewer kilometres; fetched, it has gone some hundred more. */
static struct handover
record_of(const struct plan *p, const struct script *s, const struct delivery *d)
{
	int64_t km = 9000 + 613 * (p->car % 40) + (p->out_at - (s->now - 366 * DAY)) / DAY * 55;
	bool is_fetched = d->direction == JOB_COLLECTION;

	return (struct handover){
		.odometer_km = km + (is_fetched ? (p->back_at - p->out_at) / HOUR * 6 : 0),
		.fuel_percent = is_fetched ? 35 + p->car * 7 % 60 : 100,
		.received_by = d->customer_name,
		.photo = "",
		.note = p->car % 9 == 4 && is_fetched ? "조수석 문에 작은 흠집" : "",
	};
}

/* Long ago: there is nothing left to undo. */
static bool
call_off(struct world *w, struct delivery *d, const char *reason, const struct delivery_actor *manager)
{
	int64_t window_s = rental.undo_window_s;
	bool done;

	rental.undo_window_s = 0;
	done = delivery_cancel(w->db, d, reason, manager) == DELIVERY_OK;
	rental.undo_window_s = window_s;
	return done;
}

static bool
drive(struct world *w, const struct script *s, const struct plan *p, enum deed_kind kind)
{
	bool fetches =
		kind == DEED_FETCH_ASSIGN || kind == DEED_FETCH_SHIP || kind == DEED_FETCH || kind == DEED_BRING_IN;
	const struct delivery_actor manager = { w->manager_id, true },
				    courier = { w->staff_id[p->trip.courier], false };
	struct handover h;
	struct delivery d;

	if (!find_job(w, p, fetches ? JOB_COLLECTION : JOB_DELIVERY, &d))
		return false;
	if (kind == DEED_ASSIGN || kind == DEED_FETCH_ASSIGN)
		return delivery_assign(w->db, &d, courier.user_id, 0, &manager) == DELIVERY_OK;
	if (kind == DEED_SHIP || kind == DEED_FETCH_SHIP)
		return delivery_ship(w->db, &d, &courier) == DELIVERY_OK;
	if (kind == DEED_CALL_OFF)
		return call_off(w, &d, demo_call_offs[p->car % DEMO_REASONS], &manager);
	if (kind == DEED_BRING_IN)
		return delivery_bring_in(w->db, &d, &courier) == DELIVERY_OK;
	h = record_of(p, s, &d);
	return delivery_deliver(w->db, &d, &h, &courier) == DELIVERY_OK;
}

/* --- orders decided ----------------------------------------------------------------------------------------------- */

/* Cases approved by the rule are skipped. */
static bool
decide_case(struct world *w, const char *key, bool is_refused, int reason)
{
	struct review_case c;

	if (!case_by_key(w->db, key, &c))
		return false;
	if (c.state != CASE_ASSIGNED)
		return true;
	return case_decide(w->db, c.case_id, is_refused ? CASE_REJECTED : CASE_APPROVED,
		       is_refused ? demo_refusals[reason % DEMO_REASONS] : "", w->staff_id[POST_EXAMINER], &c)
		== DECIDE_DONE;
}

static bool
decide_plan(struct world *w, const struct plan *p)
{
	struct booking b;
	bool ok = booking_find(w->db, p->code, 0, &b);

	for (int i = 0; ok && i < b.n_extras; i++)
		if (b.extras[i].kind == EXTRA_EQUIPMENT)
			ok = decide_case(w, arena_printf(w->m, "%s-%lld", p->code, (long long)b.extras[i].line_no),
				p->is_refused, p->car);
	return ok;
}

/* Said at the desk before the car is taken back; what is not said is there. */
bool
world_lose(struct world *w, const struct plan *p)
{
	struct equipment_order *orders = NULL;
	int n = 0;

	if (!p->n_lent || !p->lent[0].lost)
		return true;
	db_list(w->db, &equipment_order_shape, &orders, &n,
		"SELECT order_id FROM v_equipment_order WHERE booking_code = $1 AND state = 'HANDED_OUT'"
		" AND item_id = $2",
		p->code, w->item_id[p->lent[0].item]);
	return n == 0 || equipment_take_back(w->db, &orders[0], p->lent[0].lost, 0, w->manager_id);
}

/* --- errands ------------------------------------------------------------------------------------------------------ */

static bool
order_errand(struct world *w, struct errand *e)
{
	struct equipment_request request = {
		.customer_id = w->staff_id[POST_EMPLOYEE],
		.item_id = w->item_id[e->lent.item],
		.quantity = e->lent.quantity,
		.starts_at = e->starts_at,
		.ends_at = e->ends_at,
	};
	struct equipment_order o;
	int64_t n_free;

	if (equipment_place(w->db, &request, &o, &n_free) != ORDER_OK)
		return false;
	e->order_id = o.order_id;
	return true;
}

static bool
see_to_errand(struct world *w, struct errand *e, int number, enum deed_kind kind)
{
	struct equipment_order o;

	if (kind == DEED_ORDER)
		return order_errand(w, e);
	if (!equipment_find(w->db, e->order_id, 0, &o))
		return false;
	if (kind == DEED_ORDER_DECIDE)
		return decide_case(w, o.code, e->is_refused, number);
	if (kind == DEED_ORDER_OUT)
		return equipment_hand_out(w->db, &o, 0, w->manager_id);
	if (kind == DEED_ORDER_BACK)
		return equipment_take_back(w->db, &o, e->lent.lost, 0, w->manager_id);
	return equipment_cancel(w->db, &o, o.customer_id, false) == ORDER_CANCEL_DONE;
}

/* --- a deed ------------------------------------------------------------------------------------------------------- */

bool
world_desk(struct world *w, struct script *s, const struct deed *deed)
{
	if (deed->kind == DEED_STOCK)
		return note_stock(w, &demo_stocks[deed->plan]);
	if (deed->kind >= DEED_ORDER)
		return see_to_errand(w, &s->errands[deed->plan], deed->plan, deed->kind);
	if (deed->kind == DEED_DECIDE)
		return decide_plan(w, &s->plans[deed->plan]);
	return drive(w, s, &s->plans[deed->plan], deed->kind);
}
