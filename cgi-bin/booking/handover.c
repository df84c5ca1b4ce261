/* handover - the car is handed over, and comes back. no_show.c: it is not picked up; undo.c: that is taken back. */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "custody.h"
#include "gone.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

bool
booking_set_out(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	if (!db_do(db, "UPDATE booking SET state = 'OUT' WHERE booking_id = $1 AND state = 'CONFIRMED'", b->booking_id))
		return false;
	b->state = BOOKING_OUT;
	booking_report(db, EVENT_BOOKING_HANDED_OUT, b, causation_id, actor_id);
	return true;
}

/* The custodies first: the schema accepts OUT only with them. The caller has checked that no car is in use. */
bool
booking_mark_out(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	int64_t n =
		db_int(db, "SELECT COUNT(*) FROM custody WHERE booking_id = $1 AND kind = 'customer'", b->booking_id);

	if (!db_exists(db, "SELECT 1 FROM booking WHERE booking_id = $1 AND state = 'CONFIRMED'", b->booking_id))
		return false;
	custody_begin(db, b, CUSTODY_CUSTOMER, b->customer_id,
		arena_printf(db_memory(db), "%s:%lld", b->code, (long long)n + 1));
	return booking_set_out(db, b, causation_id, actor_id);
}

bool
booking_complete(struct db *db, struct booking *b)
{
	if (!db_do(db,
		    "UPDATE booking SET state = 'COMPLETED', undo_until = 0 WHERE booking_id = $1"
		    " AND state = 'RETURNED'",
		    b->booking_id))
		return false;
	b->state = BOOKING_COMPLETED;
	b->undo_until = 0;
	calendar_end(db, b->booking_id, b->ended_at);
	booking_report(db, EVENT_BOOKING_COMPLETED, b, 0, 0);
	return true;
}

bool
booking_mark_returned(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	int64_t now = clock_now();

	custody_end(db, b, CUSTODY_CUSTOMER, "returned");
	if (!db_do(db,
		    "UPDATE booking SET state = 'RETURNED', ended_at = $2, undo_until = $3 WHERE booking_id = $1"
		    " AND state = 'OUT'",
		    b->booking_id, now, now + rental.undo_window_s))
		return false;
	b->state = BOOKING_RETURNED;
	b->ended_at = now;
	b->undo_until = now + rental.undo_window_s;
	booking_report(db, EVENT_BOOKING_RETURNED, b, causation_id, actor_id);
	return rental.undo_window_s > 0 || booking_complete(db, b);
}

/* Its cancellation waits for delivery's answer. Inside the transaction of the step. */
static bool
is_being_cancelled(struct db *db, const struct booking *b)
{
	return db_exists(db, "SELECT 1 FROM booking WHERE booking_id = $1 AND cancel_asked_at > 0", b->booking_id);
}

/* Binding only inside the transaction of a step. */
bool
booking_is_with_courier(struct db *db, const struct booking *b)
{
	return custody_is_with_courier(db, b)
		|| db_exists(db,
			"SELECT 1 FROM v_delivery WHERE booking_code = $1 AND direction = 'delivery'"
			" AND state IN ('SHIPPED', 'DELIVERED')",
			b->code);
}

bool
booking_is_at_counter(struct db *db, const struct booking *b)
{
	return !is_being_cancelled(db, b) && !booking_is_with_courier(db, b);
}

/* From the turnaround before the start until the end: earlier or later the car may be another customer's. */
bool
booking_may_hand_out(struct db *db, const struct booking *b)
{
	int64_t now = clock_now();

	return b->state == BOOKING_CONFIRMED && now >= b->starts_at - rental.turnaround_s && now < b->ends_at
		&& booking_is_at_counter(db, b);
}

/* When the car was to be delivered, the delivery is refunded. */
bool
booking_hand_out(struct db *db, struct booking *b, int64_t actor_id)
{
	struct car_gone gone;
	struct custody other;
	bool done;

	db_begin(db);
	done = booking_may_hand_out(db, b) && !custody_in_use(db, b, true, &other) && !booking_car_gone(db, b, &gone)
		&& booking_mark_out(db, b, 0, actor_id);
	if (done)
		booking_extras_end(db, b, EXTRA_DELIVERY, "at_branch", "", 0);
	return db_commit(db) && done;
}

bool
booking_take_back(struct db *db, struct booking *b, int64_t actor_id)
{
	bool done;

	db_begin(db);
	done = booking_mark_returned(db, b, 0, actor_id);
	return db_commit(db) && done;
}
