/*
 * steps - the steps of an order: approved or rejected, handed out, back, ended.
 *
 * An order has pieces out of the stock while it is APPROVED or HANDED_OUT, and only then. Each step is one write
 * transaction with its event and its lines of the ledger.
 */
#include "equipment_inside.h"

#include "domain/choices.h"
#include "domain/review_client.h"
#include "lib/base/clock.h"

#include <string.h>

/* --- review has answered ------------------------------------------------------------------------------------------ */

void
order_report_late(struct db *db, struct equipment_order *o, int64_t causation_id)
{
	if (db_do(db,
		    "UPDATE equipment_order SET asked_at = 0 WHERE order_id = $1 AND asked_at > 0"
		    " AND state = 'ORDERED'",
		    o->order_id)
		!= 1)
		return;
	o->asked_at = 0;
	o->state = EQUIPMENT_ORDERED;
	order_report(db, o, ENDED_BY_NONE, causation_id, o->customer_id);
}

bool
order_approve(struct db *db, struct equipment_order *o, int64_t causation_id)
{
	order_report_late(db, o, causation_id);
	if (!db_do(db,
		    "UPDATE equipment_order SET state = 'APPROVED', approved_at = $2 WHERE order_id = $1"
		    " AND state = 'ORDERED'",
		    o->order_id, clock_now()))
		return false;
	order_reload(db, o);
	order_report(db, o, ENDED_BY_NONE, causation_id, 0);
	stock_distribute(db, o->item_id, causation_id);
	return order_reload(db, o);
}

bool
order_reject(struct db *db, struct equipment_order *o, const char *reason, int64_t causation_id)
{
	order_report_late(db, o, causation_id);
	if (!db_do(db,
		    "UPDATE equipment_order SET state = 'REJECTED', end_reason = $3, ended_at = $2 WHERE order_id = $1"
		    " AND state = 'ORDERED'",
		    o->order_id, clock_now(), reason && *reason ? reason : "rejected"))
		return false;
	order_reload(db, o);
	order_report(db, o, ENDED_BY_NONE, causation_id, 0);
	return true;
}

/* --- ended before it was handed out ------------------------------------------------------------------------------- */

bool
order_end(struct db *db, struct equipment_order *o, enum ended_by by, const char *reason, int64_t causation_id,
	int64_t actor_id)
{
	if (!order_reload(db, o) || (o->state != EQUIPMENT_ORDERED && o->state != EQUIPMENT_APPROVED))
		return false;
	order_gives_back(db, o, o->taken, causation_id);
	db_do(db,
		"UPDATE equipment_order SET state = 'CANCELLED', end_reason = $3, ended_at = $2, asked_at = 0"
		" WHERE order_id = $1 AND state IN ('ORDERED', 'APPROVED')",
		o->order_id, clock_now(), reason);
	order_reload(db, o);
	order_report(db, o, by, causation_id, actor_id);
	stock_distribute(db, o->item_id, causation_id);
	return true;
}

/* A courier is delivering the car, and the equipment with it. */
static bool
is_being_delivered(struct db *db, const struct equipment_order *o)
{
	return db_exists(db,
		"SELECT 1 FROM v_delivery WHERE booking_code = $1 AND direction = 'delivery'"
		" AND state IN ('SHIPPED', 'DELIVERED')",
		o->booking_code);
}

bool
equipment_may_cancel(struct db *db, const struct equipment_order *o, int64_t now, bool is_manager)
{
	if (o->asked_at || (o->state != EQUIPMENT_ORDERED && o->state != EQUIPMENT_APPROVED))
		return false;
	return is_manager || !*o->booking_code || (now < o->starts_at && !is_being_delivered(db, o));
}

/* Where review was asked first, its case is closed first; otherwise review reacts to equipment.cancelled. */
static bool
can_close_case(struct db *db, const struct equipment_order *o, enum ended_by by)
{
	return !category_is_sync(o->category)
		|| review_client->cancel(db, o->code, words_code(&ended_by_words, (int)by)) == REVIEW_ANSWER_CLOSED;
}

enum order_cancel_outcome
equipment_cancel(struct db *db, struct equipment_order *o, int64_t actor_id, bool is_manager)
{
	enum ended_by by = o->customer_id == actor_id ? ENDED_BY_CUSTOMER : ENDED_BY_MANAGER;
	bool done;

	if (o->state == EQUIPMENT_CANCELLED)
		return ORDER_CANCEL_DONE;
	if (!equipment_may_cancel(db, o, clock_now(), is_manager))
		return ORDER_CANCEL_NOT_POSSIBLE;
	if (!can_close_case(db, o, by))
		return ORDER_CANCEL_LATER;
	db_begin(db);
	done = equipment_may_cancel(db, o, clock_now(), is_manager)
		&& order_end(db, o, by, words_code(&ended_by_words, (int)by), 0, actor_id);
	if (!db_commit(db))
		return ORDER_CANCEL_LATER;
	return done || o->state == EQUIPMENT_CANCELLED ? ORDER_CANCEL_DONE : ORDER_CANCEL_NOT_POSSIBLE;
}

/* --- out and back ------------------------------------------------------------------------------------------------- */

/* Takes all its pieces, from the stock or from orders that can wait. */
static void
take_all_pieces(struct db *db, struct equipment_order *o, int64_t causation_id)
{
	int64_t lacking = o->quantity - o->taken;

	if (lacking > stock_of(db, o->item_id))
		stock_reclaim(db, o->item_id, lacking - stock_of(db, o->item_id), o->starts_at, causation_id);
	order_takes(db, o, lacking, causation_id);
}

static bool
hand_out_order(struct db *db, struct equipment_order *o, int64_t causation_id, int64_t actor_id)
{
	if (o->state != EQUIPMENT_APPROVED)
		return false;
	take_all_pieces(db, o, causation_id);
	db_do(db,
		"UPDATE equipment_order SET state = 'HANDED_OUT', handed_out_at = $2 WHERE order_id = $1"
		" AND state = 'APPROVED'",
		o->order_id, clock_now());
	order_reload(db, o);
	order_report(db, o, ENDED_BY_NONE, causation_id, actor_id);
	stock_check_low(db, o->item_id, true);
	return true;
}

/* Are enough pieces in stock or with orders that can wait? Before its start they must also be free until then; after
 * its end, never. */
static bool
has_enough_pieces(struct db *db, const struct equipment_order *o, int64_t now)
{
	if (now >= o->ends_at
		|| (now < o->starts_at && stock_free(db, o->item_id, now, o->starts_at, now) < o->quantity))
		return false;
	return o->quantity - o->taken <= stock_of(db, o->item_id) + stock_reclaimable(db, o->item_id, o->starts_at);
}

/* Equipment of a booking is handed out with the car: until then the booking can be cancelled. */
bool
equipment_car_is_out(struct db *db, const struct equipment_order *o)
{
	return !*o->booking_code
		|| db_exists(db, "SELECT 1 FROM v_booking WHERE code = $1 AND state = 'OUT'", o->booking_code);
}

/* With causation_id booking has reported that the car was handed out; it may be back by now. */
bool
equipment_hand_out(struct db *db, struct equipment_order *o, int64_t causation_id, int64_t actor_id)
{
	bool done;

	db_begin(db);
	done = order_reload(db, o) && (causation_id || equipment_car_is_out(db, o))
		&& has_enough_pieces(db, o, clock_now()) && hand_out_order(db, o, causation_id, actor_id);
	return db_commit(db) && done;
}

/* All pieces return to the stock; the lost ones are then written off. */
static bool
take_back_order(struct db *db, struct equipment_order *o, int64_t lost, int64_t causation_id, int64_t actor_id)
{
	if (!order_reload(db, o) || o->state != EQUIPMENT_HANDED_OUT || lost < 0 || lost > o->quantity)
		return false;
	stock_enter(db,
		&(struct stock_move){
			.item_id = o->item_id,
			.kind = STOCK_RETURN,
			.quantity = o->taken,
			.order_id = o->order_id,
			.order_code = o->code,
			.causation_id = causation_id,
			.actor_id = actor_id,
		});
	if (lost)
		stock_enter(db,
			&(struct stock_move){
				.item_id = o->item_id,
				.kind = STOCK_LOSS,
				.quantity = -lost,
				.order_id = o->order_id,
				.order_code = o->code,
				.causation_id = causation_id,
				.actor_id = actor_id,
			});
	db_do(db,
		"UPDATE equipment_order SET state = 'RETURNED', taken = 0, lost = $3, returned_at = $2"
		" WHERE order_id = $1 AND state = 'HANDED_OUT'",
		o->order_id, clock_now(), lost);
	order_reload(db, o);
	order_report(db, o, ENDED_BY_NONE, causation_id, actor_id);
	stock_distribute(db, o->item_id, causation_id);
	return true;
}

bool
equipment_take_back(struct db *db, struct equipment_order *o, int64_t lost, int64_t causation_id, int64_t actor_id)
{
	bool done;

	db_begin(db);
	done = take_back_order(db, o, lost, causation_id, actor_id);
	return db_commit(db) && done;
}
