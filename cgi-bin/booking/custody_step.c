/*
 * custody_step - a courier's step with the cars of a booking, which delivery asks for before it takes it. Custody and
 * the booking's state change in one transaction. The request's key is the key of the custody that it begins, so the
 * same request again finds it done.
 */
#include "booking_steps.h"
#include "custody.h"

#include "lib/base/clock.h"

static const struct word step_word[] = {
	[CUSTODY_LEAVE]     = { "leave",     "leave" },
	[CUSTODY_HAND_OVER] = { "hand_over", "hand_over" },
	[CUSTODY_COLLECT]   = { "collect",   "collect" },
	[CUSTODY_BACK]      = { "back",      "back" },
};
const struct words custody_step_words = WORDS(step_word);

static bool
has_begun(struct db *db, const struct custody_request *q, const struct booking *b)
{
	return db_exists(db, "SELECT 1 FROM custody WHERE key = $1",
		arena_printf(db_memory(db), "%s:%lld", q->key, (long long)b->car_id));
}

/* Also while it is to be cancelled: delivery, which has noted that the courier wants to leave, refuses that. */
static enum custody_outcome
leave(struct db *db, struct booking *b, const struct custody_request *q, struct custody_refusal *why)
{
	if (b->state != BOOKING_CONFIRMED)
		return CUSTODY_WRONG_STATE;
	if (custody_in_use(db, b, false, &why->other))
		return CUSTODY_IN_USE;
	if (booking_car_gone(db, b, &why->gone))
		return CUSTODY_OUT_OF_SERVICE;
	custody_end(db, b, CUSTODY_STAFF, "handed_on");
	custody_begin(db, b, CUSTODY_STAFF, q->user_id, q->key);
	return CUSTODY_DONE;
}

static enum custody_outcome
hand_over(struct db *db, struct booking *b, const struct custody_request *q, struct custody_refusal *why)
{
	if (b->state != BOOKING_CONFIRMED)
		return CUSTODY_WRONG_STATE;
	if (custody_in_use(db, b, false, &why->other))
		return CUSTODY_IN_USE;
	if (booking_car_gone(db, b, &why->gone))
		return CUSTODY_OUT_OF_SERVICE;
	custody_end(db, b, CUSTODY_STAFF, "handed_on");
	custody_begin(db, b, CUSTODY_CUSTOMER, b->customer_id, q->key);
	return booking_set_out(db, b, 0, q->user_id) ? CUSTODY_DONE : CUSTODY_WRONG_STATE;
}

/* A car that another customer has by now cannot have been collected. */
static enum custody_outcome
collect(struct db *db, struct booking *b, const struct custody_request *q, struct custody_refusal *why)
{
	if (b->state != BOOKING_OUT)
		return CUSTODY_WRONG_STATE;
	if (b->taken_over_at && custody_in_use(db, b, true, &why->other))
		return CUSTODY_IN_USE;
	if (!booking_mark_returned(db, b, 0, q->user_id))
		return CUSTODY_WRONG_STATE;
	custody_begin(db, b, CUSTODY_STAFF, q->user_id, q->key);
	return CUSTODY_DONE;
}

/* Of this way alone: a request that arrives late does not end the next one. */
static enum custody_outcome
back(struct db *db, const struct booking *b, const struct custody_request *q)
{
	db_do(db,
		"UPDATE custody SET to_at = CASE WHEN from_at > $3 THEN from_at ELSE $3 END, ended_by = 'returned'"
		" WHERE booking_id = $1 AND kind = 'staff' AND to_at IS NULL AND key = $2 || ':' || car_id",
		b->booking_id, q->begun_key, clock_now());
	return CUSTODY_DONE;
}

static enum custody_outcome
take_step(struct db *db, struct booking *b, const struct custody_request *q, struct custody_refusal *why)
{
	switch ((enum custody_step)q->step) {
	case CUSTODY_LEAVE: return leave(db, b, q, why);
	case CUSTODY_HAND_OVER: return hand_over(db, b, q, why);
	case CUSTODY_COLLECT: return collect(db, b, q, why);
	case CUSTODY_BACK: return back(db, b, q);
	}
	return CUSTODY_WRONG_STATE;
}

enum custody_outcome
custody_take_step(struct db *db, const struct custody_request *q, struct custody_refusal *why)
{
	enum custody_outcome outcome = CUSTODY_WRONG_STATE;
	struct booking b;

	db_begin(db);
	if (booking_find(db, q->booking_code, 0, &b))
		outcome = has_begun(db, q, &b) ? CUSTODY_DONE : take_step(db, &b, q, why);
	return db_commit(db) ? outcome : CUSTODY_WRONG_STATE;
}
