/*
 * no_show - the car is not picked up. For rental.undo_window_s a manager can undo that (undo.c): the booking keeps its
 * car, and nothing is refunded. Then it is final: the car is free, and all but the late fee is refunded.
 */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "custody.h"
#include "gone.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

static int64_t
later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
last_event_at(struct db *db, const struct booking *b, const char *type)
{
	return db_int(db, "SELECT MAX(occurred_at) FROM v_event WHERE subject_id = $1 AND type = $2", b->code, type);
}

int64_t
booking_no_show_wait_s(int64_t actor_id)
{
	return actor_id ? rental.no_show_grace_s : later_of(rental.no_show_grace_s, rental.no_show_after_s);
}

/*
 * Since when all its cars were there for the customer: the start, or later if fleet confirmed it later or another
 * person had one of them until later. After an undone no-show the sweep waits as long again; a manager need not.
 */
static int64_t
was_there_from(struct db *db, const struct booking *b, int64_t free_from, int64_t actor_id)
{
	int64_t from = later_of(b->starts_at, free_from);

	from = later_of(from, last_event_at(db, b, event_name_BOOKING_CONFIRMED));
	return actor_id ? from : later_of(from, last_event_at(db, b, event_name_BOOKING_NO_SHOW_UNDONE));
}

static enum no_show
check_no_show(struct db *db, const struct booking *b, int64_t actor_id, int64_t *from, struct custody *other)
{
	int64_t now = clock_now(), wait_s = booking_no_show_wait_s(actor_id), free_from = 0, there_from;
	struct car_gone gone;

	*from = b->starts_at + wait_s;
	if (b->state != BOOKING_CONFIRMED || !booking_is_at_counter(db, b))
		return NO_SHOW_WRONG_STATE;
	if (now < *from)
		return NO_SHOW_TOO_EARLY;
	if (custody_of_others(db, b, &free_from, other))
		return NO_SHOW_CAR_AWAY;
	if (booking_car_gone(db, b, &gone))
		return NO_SHOW_CAR_GONE;
	there_from = was_there_from(db, b, free_from, actor_id);
	if (free_from >= b->ends_at)
		return NO_SHOW_NEVER_THERE;
	*from = there_from + wait_s;
	return now < *from ? NO_SHOW_TOO_EARLY : NO_SHOW_MAY;
}

#define A_MANAGER 1     /* any of them */

enum no_show
booking_may_no_show(struct db *db, const struct booking *b, int64_t *from, struct custody *other)
{
	return check_no_show(db, b, A_MANAGER, from, other);
}

/* --- recorded, and final ------------------------------------------------------------------------------------------ */

bool
booking_no_show_end(struct db *db, struct booking *b)
{
	int64_t now = clock_now();
	struct cancel_preview p;

	if (!booking_find(db, b->code, 0, b))
		return false;
	no_show_preview(b, &p);
	if (!db_do(db,
		    "UPDATE booking SET undo_until = 0, ended_at = $2, refund_due = $3, refund_state = $4,"
		    " refund_next_at = $2 WHERE booking_id = $1 AND state = 'NO_SHOW' AND undo_until > 0",
		    b->booking_id, now, p.refund, p.refund ? "PENDING" : "NONE"))
		return false;
	booking_reload(db, b);
	calendar_release(db, b->booking_id);
	booking_report(db, EVENT_BOOKING_NO_SHOW_FINAL, b, 0, 0);
	return true;
}

static bool
record(struct db *db, struct booking *b, int64_t actor_id)
{
	int64_t now = clock_now();

	if (!db_do(db,
		    "UPDATE booking SET state = 'NO_SHOW', end_reason = 'no_show', ended_at = $2, undo_until = $3"
		    " WHERE booking_id = $1 AND state = 'CONFIRMED'",
		    b->booking_id, now, now + rental.undo_window_s))
		return false;
	booking_reload(db, b);
	booking_report(db, EVENT_BOOKING_NO_SHOW, b, 0, actor_id);
	return rental.undo_window_s > 0 || booking_no_show_end(db, b);
}

bool
booking_no_show(struct db *db, struct booking *b, int64_t actor_id)
{
	struct custody other;
	int64_t from;
	bool done;

	db_begin(db);
	done = check_no_show(db, b, actor_id, &from, &other) == NO_SHOW_MAY && record(db, b, actor_id);
	return db_commit(db) && done;
}
