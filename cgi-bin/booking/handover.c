/* handover - the car is handed over, comes back, or is not picked up. */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "custody.h"
#include "gone.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

static bool
advance(struct db *db, struct booking *b, const char *from, int to, enum event_type_id event, int64_t causation_id,
	int64_t actor_id)
{
	int n = db_do(db, "UPDATE booking SET state = $3 WHERE booking_id = $1 AND state = $2", b->booking_id, from,
		words_code(&booking_state_words, to));

	if (n == 1) {
		b->state = to;
		booking_report(db, event, b, causation_id, actor_id);
	}
	return n == 1;
}

bool
booking_set_out(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	return advance(db, b, "CONFIRMED", BOOKING_OUT, EVENT_BOOKING_HANDED_OUT, causation_id, actor_id);
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
booking_mark_returned(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	int64_t now = clock_now();

	custody_end(db, b, CUSTODY_CUSTOMER, "returned");
	if (!advance(db, b, "OUT", BOOKING_RETURNED, EVENT_BOOKING_RETURNED, causation_id, actor_id))
		return false;
	calendar_end(db, b->booking_id, now);
	db_do(db, "UPDATE booking SET ended_at = $2 WHERE booking_id = $1", b->booking_id, now);
	return advance(db, b, "RETURNED", BOOKING_COMPLETED, EVENT_BOOKING_COMPLETED, causation_id, actor_id);
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

/* --- not picked up ------------------------------------------------------------------------------------------------ */

/* The booking that is OUT with one of its cars, which it should have returned before this one's end; NULL: none. */
static const char *
who_has_its_car(struct db *db, const struct booking *b)
{
	return db_text(db,
		"SELECT o.code FROM slot s JOIN slot t ON t.car_id = s.car_id AND t.kind <> 'RELEASED'"
		" JOIN booking o ON o.booking_id = t.booking_id AND o.booking_id <> s.booking_id"
		" WHERE s.booking_id = $1 AND s.booking_id <> 0 AND o.state = 'OUT' AND o.starts_at < $2 LIMIT 1",
		b->booking_id, b->ends_at);
}

static int64_t
later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Since when all its cars were there for the customer: the start, or later if fleet confirmed it or another customer
 * returned one of them later. */
static int64_t
was_there_from(struct db *db, const struct booking *b)
{
	int64_t confirmed_at = db_int(db,
		"SELECT MAX(occurred_at) FROM v_event WHERE subject_id = $1 AND type = 'booking.confirmed'", b->code);
	int64_t returned_at = db_int(db,
		"SELECT MAX(o.ended_at) FROM slot s JOIN slot t ON t.car_id = s.car_id AND t.kind <> 'RELEASED'"
		" JOIN booking o ON o.booking_id = t.booking_id AND o.booking_id <> s.booking_id"
		" WHERE s.booking_id = $1 AND s.booking_id <> 0 AND o.state IN ('RETURNED', 'COMPLETED')"
		" AND o.starts_at < $2",
		b->booking_id, b->ends_at);

	return later_of(b->starts_at, later_of(confirmed_at, returned_at));
}

int64_t
booking_no_show_wait_s(int64_t actor_id)
{
	return actor_id ? rental.no_show_grace_s : later_of(rental.no_show_grace_s, rental.no_show_after_s);
}

/* wait_s: how long its cars must have been there. */
static enum no_show
check_no_show(struct db *db, const struct booking *b, int64_t wait_s, int64_t *from, const char **with)
{
	int64_t now = clock_now(), there_from;
	struct car_gone gone;

	*with = NULL;
	*from = b->starts_at + wait_s;
	if (b->state != BOOKING_CONFIRMED || !booking_is_at_counter(db, b))
		return NO_SHOW_WRONG_STATE;
	if (now < *from)
		return NO_SHOW_TOO_EARLY;
	*with = who_has_its_car(db, b);
	if (*with)
		return NO_SHOW_CAR_AWAY;
	if (booking_car_gone(db, b, &gone))
		return NO_SHOW_CAR_GONE;
	there_from = was_there_from(db, b);
	if (there_from >= b->ends_at)
		return NO_SHOW_NEVER_THERE;
	*from = there_from + wait_s;
	return now < *from ? NO_SHOW_TOO_EARLY : NO_SHOW_MAY;
}

enum no_show
booking_may_no_show(struct db *db, const struct booking *b, int64_t *from, const char **with)
{
	return check_no_show(db, b, rental.no_show_grace_s, from, with);
}

bool
booking_no_show(struct db *db, struct booking *b, int64_t actor_id)
{
	int64_t from, wait_s = booking_no_show_wait_s(actor_id);
	const char *with;
	bool done;

	db_begin(db);
	done = check_no_show(db, b, wait_s, &from, &with) == NO_SHOW_MAY
		&& advance(db, b, "CONFIRMED", BOOKING_NO_SHOW, EVENT_BOOKING_NO_SHOW, 0, actor_id);
	if (done) {
		db_do(db, "UPDATE booking SET ended_at = $2, end_reason = 'no_show' WHERE booking_id = $1",
			b->booking_id, clock_now());
		calendar_release(db, b->booking_id);
	}
	return db_commit(db) && done;
}
