/*
 * steps - what becomes of an order: approved or rejected, handed out, back, cancelled. The story is in equipment.h.
 *
 * Pieces are out of the stock while an order is APPROVED or HANDED_OUT, and only then. Each step is one write transaction with its
 * event and its lines of the ledger, and does nothing when the order is not in a state for it.
 */
#include "equipment.h"
#include "equipment_steps.h"

#include "domain/choices.h"
#include "domain/review_client.h"
#include "lib/base/clock.h"

#include <string.h>

static const struct word ended_by_word[] = {
	[ENDED_BY_CUSTOMER] = { "customer", "customer" },
	[ENDED_BY_MANAGER]  = { "manager",  "manager" },
	[ENDED_BY_BOOKING]  = { "booking",  "booking" },
	[ENDED_BY_NONE]   = { "nobody",   "nobody" },
};
const struct words ended_by_words = WORDS(ended_by_word);

/* --- review has answered ---------------------------------------------------------------------------------------------- */

/* From now on others know of it. */
void
equipment_tell(struct db *db, struct equipment_order *o, int64_t causation_id)
{
	if (db_do(db, "UPDATE equipment_order SET asked_at = 0 WHERE order_id = $1 AND asked_at > 0 AND state = 'ORDERED'", o->order_id) != 1)
		return;
	o->asked_at = 0;
	equipment_emit(db, o, "equipment.ordered", ENDED_BY_NONE, causation_id, o->customer_id);
}

bool
equipment_approve(struct db *db, struct equipment_order *o, int64_t causation_id)
{
	equipment_tell(db, o, causation_id);
	if (!db_do(db, "UPDATE equipment_order SET state = 'APPROVED', approved_at = $2 WHERE order_id = $1 AND state = 'ORDERED'", o->order_id, clock_now()))
		return false;
	equipment_reload(db, o);
	equipment_emit(db, o, "equipment.approved", ENDED_BY_NONE, causation_id, 0);
	stock_settle(db, o->item_id, causation_id);
	return equipment_reload(db, o);
}

bool
equipment_reject(struct db *db, struct equipment_order *o, const char *reason, int64_t causation_id)
{
	equipment_tell(db, o, causation_id);
	if (!db_do(db, "UPDATE equipment_order SET state = 'REJECTED', end_reason = $3, ended_at = $2 WHERE order_id = $1 AND state = 'ORDERED'",
	           o->order_id, clock_now(), reason && *reason ? reason : "rejected"))
		return false;
	equipment_reload(db, o);
	equipment_emit(db, o, "equipment.rejected", ENDED_BY_NONE, causation_id, 0);
	return true;
}

void
equipment_heed_review(struct db *db, struct equipment_order *o, int64_t causation_id)
{
	const char *state = db_text(db, "SELECT state FROM v_review_case WHERE key = $1", o->code);

	if (state && strcmp(state, "APPROVED") == 0)
		equipment_approve(db, o, causation_id);
	else if (state && strcmp(state, "REJECTED") == 0)
		equipment_reject(db, o, db_text(db, "SELECT reason FROM v_review_case WHERE key = $1", o->code), causation_id);
}

/* --- it ends before it began ------------------------------------------------------------------------------------------ */

bool
equipment_end(struct db *db, struct equipment_order *o, enum ended_by by, const char *reason, int64_t causation_id, int64_t actor_id)
{
	if (!equipment_reload(db, o) || (o->state != EQUIPMENT_ORDERED && o->state != EQUIPMENT_APPROVED))
		return false;
	order_gives_back(db, o, o->taken, causation_id);
	db_do(db, "UPDATE equipment_order SET state = 'CANCELLED', end_reason = $3, ended_at = $2, asked_at = 0"
		" WHERE order_id = $1 AND state IN ('ORDERED', 'APPROVED')", o->order_id, clock_now(), reason);
	equipment_reload(db, o);
	equipment_emit(db, o, "equipment.cancelled", by, causation_id, actor_id);
	stock_settle(db, o->item_id, causation_id);
	return true;
}

/* A courier is bringing the car, and this with it. */
static bool
is_on_its_way(struct db *db, const struct equipment_order *o)
{
	return db_exists(db, "SELECT 1 FROM v_delivery WHERE booking_code = $1 AND direction = 'delivery' AND state IN ('SHIPPED', 'DELIVERED')",
		o->booking_code);
}

bool
equipment_may_cancel(struct db *db, const struct equipment_order *o, int64_t now, bool is_manager)
{
	if (o->asked_at || (o->state != EQUIPMENT_ORDERED && o->state != EQUIPMENT_APPROVED))
		return false;
	return is_manager || !*o->booking_code || (now < o->starts_at && !is_on_its_way(db, o));
}

/* Where review was asked before the order was taken, it is asked to close the case before the order is given up; else it hears of it. */
static bool
review_lets_go(struct db *db, const struct equipment_order *o, enum ended_by by)
{
	return !category_is_sync(o->category) || review_client->cancel(db, o->code, words_code(&ended_by_words, (int)by)) == REVIEW_ANSWER_CLOSED;
}

enum order_cancel_outcome
equipment_give_up(struct db *db, struct equipment_order *o, int64_t actor_id, bool is_manager)
{
	enum ended_by by = o->customer_id == actor_id ? ENDED_BY_CUSTOMER : ENDED_BY_MANAGER;
	bool done;

	if (o->state == EQUIPMENT_CANCELLED)
		return ORDER_CANCEL_DONE;
	if (!equipment_may_cancel(db, o, clock_now(), is_manager))
		return ORDER_CANCEL_NOT_POSSIBLE;
	if (!review_lets_go(db, o, by))
		return ORDER_CANCEL_LATER;
	db_begin(db);
	done = equipment_may_cancel(db, o, clock_now(), is_manager) && equipment_end(db, o, by, words_code(&ended_by_words, (int)by), 0, actor_id);
	if (!db_commit(db))
		return ORDER_CANCEL_LATER;
	return done || o->state == EQUIPMENT_CANCELLED ? ORDER_CANCEL_DONE : ORDER_CANCEL_NOT_POSSIBLE;
}

/* --- out and back ----------------------------------------------------------------------------------------------------- */

/* All its pieces, from the stock or out of the hands of those who can wait. */
static void
gather(struct db *db, struct equipment_order *o, int64_t causation_id)
{
	int64_t lacking = o->quantity - o->taken;

	if (lacking > stock_of(db, o->item_id))
		stock_reclaim(db, o->item_id, lacking - stock_of(db, o->item_id), o->starts_at, causation_id);
	order_takes(db, o, lacking, causation_id);
}

static bool
hand_out(struct db *db, struct equipment_order *o, int64_t causation_id, int64_t actor_id)
{
	if (o->state != EQUIPMENT_APPROVED)
		return false;
	gather(db, o, causation_id);
	db_do(db, "UPDATE equipment_order SET state = 'HANDED_OUT', handed_out_at = $2 WHERE order_id = $1 AND state = 'APPROVED'",
		o->order_id, clock_now());
	equipment_reload(db, o);
	equipment_emit(db, o, "equipment.handed_out", ENDED_BY_NONE, causation_id, actor_id);
	stock_watch(db, o->item_id, true);
	return true;
}

/*
 * Known before anything is moved: are so many pieces in the stock or with others who can wait? And before its start only what nobody
 * else has been promised until then is given away; after its end, nothing.
 */
static bool
can_be_had(struct db *db, const struct equipment_order *o, int64_t now)
{
	if (now >= o->ends_at || (now < o->starts_at && stock_free(db, o->item_id, now, o->starts_at, now) < o->quantity))
		return false;
	return o->quantity - o->taken <= stock_of(db, o->item_id) + stock_reclaimable(db, o->item_id, o->starts_at);
}

/* What goes with a car goes when the car does: until then its booking can be cancelled. */
bool
equipment_may_go(struct db *db, const struct equipment_order *o)
{
	return !*o->booking_code || db_exists(db, "SELECT 1 FROM v_booking WHERE code = $1 AND state = 'OUT'", o->booking_code);
}

/* When booking has said that the car went, that stands, though it may be back by now. */
bool
equipment_hand_out(struct db *db, struct equipment_order *o, int64_t causation_id, int64_t actor_id)
{
	bool done;

	db_begin(db);
	done = equipment_reload(db, o) && (causation_id || equipment_may_go(db, o)) && can_be_had(db, o, clock_now()) && hand_out(db, o, causation_id, actor_id);
	return db_commit(db) && done;
}

/* All pieces come back into the stock; those that did not are then lost from it. */
static bool
take_back(struct db *db, struct equipment_order *o, int64_t lost, int64_t causation_id, int64_t actor_id)
{
	if (!equipment_reload(db, o) || o->state != EQUIPMENT_HANDED_OUT || lost < 0 || lost > o->quantity)
		return false;
	stock_enter(db, &(struct stock_move){
		.item_id = o->item_id, .kind = STOCK_RETURN, .quantity = o->taken, .order_id = o->order_id, .order_code = o->code,
		.causation_id = causation_id, .actor_id = actor_id,
	});
	if (lost)
		stock_enter(db, &(struct stock_move){
			.item_id = o->item_id, .kind = STOCK_LOSS, .quantity = -lost, .order_id = o->order_id, .order_code = o->code,
			.causation_id = causation_id, .actor_id = actor_id,
		});
	db_do(db, "UPDATE equipment_order SET state = 'RETURNED', taken = 0, lost = $3, returned_at = $2 WHERE order_id = $1 AND state = 'HANDED_OUT'",
		o->order_id, clock_now(), lost);
	equipment_reload(db, o);
	equipment_emit(db, o, "equipment.returned", ENDED_BY_NONE, causation_id, actor_id);
	stock_settle(db, o->item_id, causation_id);
	return true;
}

bool
equipment_take_back(struct db *db, struct equipment_order *o, int64_t lost, int64_t causation_id, int64_t actor_id)
{
	bool done;

	db_begin(db);
	done = take_back(db, o, lost, causation_id, actor_id);
	return db_commit(db) && done;
}
