/*
 * booking - a booking's row: how it is read, and the steps from one state to the next, each with its event. Described
 * in booking.h; place.c takes bookings and their payment.
 */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "model.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

static const struct member booking_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_STATE(booking, state, booking_state_words), SHAPE_INT(booking, booking_id),
	SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id), SHAPE_TEXT_KO(booking, car_name),
	SHAPE_TEXT(booking, plate), SHAPE_TEXT(booking, body), SHAPE_INT(booking, branch_id),
	SHAPE_TEXT_KO(booking, branch_name), SHAPE_TIME(booking, starts_at), SHAPE_TIME(booking, ends_at),
	SHAPE_INT(booking, model_id), SHAPE_INT(booking, n_cars),
	SHAPE_LIST_AS(booking, cars, cars, n_all_cars, booking_car_shape),
	SHAPE_LIST_AS(booking, more_cars, more_cars, n_more_cars, booking_car_shape), SHAPE_AMOUNT(booking, amount),
	SHAPE_AMOUNT(booking, vat_amount), SHAPE_TEXT(booking, currency), SHAPE_INT(booking, card_id),
	SHAPE_INT(booking, charge_id), SHAPE_TIME(booking, held_at), SHAPE_TIME(booking, hold_until),
	SHAPE_TIME(booking, asked_at), SHAPE_TIME(booking, paid_at), SHAPE_TIME(booking, ended_at),
	SHAPE_TIME(booking, undo_until),
	SHAPE_TEXT(booking, end_reason), SHAPE_STATE(booking, refund_state, refund_state_words),
	SHAPE_AMOUNT(booking, refund_due), SHAPE_AMOUNT(booking, refunded_amount), SHAPE_INT(booking, ask_tries),
	SHAPE_AMOUNT(booking, kept_amount), SHAPE_AMOUNT(booking, kept_vat_amount),
	SHAPE_INT(booking, refund_tries), SHAPE_TEXT(booking, last_error), SHAPE_TIME(booking, cancel_asked_at),
	SHAPE_INT(booking, cancel_asked_by), SHAPE_INT(booking, cancel_tries), SHAPE_INT(booking, cancel_full_before_s),
	SHAPE_INT(booking, cancel_grace_s), SHAPE_INT(booking, cancel_late_percent),
	SHAPE_STRUCT(booking, cancellation, cancel_terms_shape), SHAPE_INT(booking, terms_version),
	SHAPE_INT(booking, try_no), SHAPE_INT(booking, tries_left), SHAPE_BOOL(booking, keeps_hold),
	SHAPE_TEXT(booking, asked_by), SHAPE_TEXT(booking, declined_reason),
	SHAPE_STATE(booking, cancel_by, cancel_by_words),
	SHAPE_TEXT(booking, cancel_reason), SHAPE_TEXT(booking, cancel_note), SHAPE_AMOUNT(booking, compensation_due),
	SHAPE_STATE(booking, compensation_state, refund_state_words), SHAPE_INT(booking, compensation_tries),
	SHAPE_LIST(booking, lines, shown_line_shape), SHAPE_LIST(booking, extras, booking_extra_shape),
	SHAPE_LIST(booking, refunds, part_refund_shape), SHAPE_TIME(booking, no_car_since),
	SHAPE_MAYBE(booking, delivery, booking_delivery_shape),
};
const struct shape booking_shape = SHAPE(booking, booking_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

#define BOOKING_COLUMNS \
	"booking_id, code, customer_id, car_id, car_name, car_name_ko, plate, body, branch_id, branch_name," \
	" branch_name_ko, state, starts_at, ends_at, amount, vat_amount, currency, card_id," \
	" COALESCE(charge_id, 0) AS charge_id, held_at, hold_until, asked_at, paid_at, ended_at, end_reason," \
	" refund_state, refund_due, refunded_amount, ask_tries, refund_tries, last_error, cancel_asked_at," \
	" cancel_asked_by, cancel_tries, model_id, n_cars, cancel_full_before_s, cancel_grace_s, cancel_late_percent," \
	" terms_version, try_no, keeps_hold, asked_by, undo_until, cancel_by, cancel_reason, cancel_note," \
	" compensation_due, compensation_state, compensation_tries"

/* What cancelling costs as of now: by its own rule, once it is paid. */
static void
fill_cancellation(struct booking *b)
{
	const struct cancel_rule rule = { b->cancel_full_before_s, b->cancel_grace_s, b->cancel_late_percent };

	b->cancellation = b->paid_at ? cancel_terms_booked(&rule, b->starts_at, b->paid_at, clock_now())
				     : cancel_terms_offered(&rule, b->starts_at, clock_now());
}

/* Others have one of its cars though its time has begun, or had it until its end (as in v_stuck_booking). */
static int64_t
no_car_since(struct db *db, const struct booking *b)
{
	if (b->state != BOOKING_CONFIRMED || b->starts_at > clock_now())
		return 0;
	return db_exists(db, "SELECT 1 FROM v_booking_without_car WHERE booking_id = $1", b->booking_id) ? b->starts_at
													 : 0;
}

static void
read_custody(struct db *db, struct booking *b)
{
	b->no_car_since = no_car_since(db, b);
	b->taken_over_at = b->state != BOOKING_OUT
		? 0
		: db_int(db,
			"SELECT COALESCE(MAX(to_at), 0) FROM custody WHERE booking_id = $1"
			" AND ended_by = 'taken_over'",
			b->booking_id);
}

static void
read_tries(struct db *db, struct booking *b)
{
	b->tries_left = b->state == BOOKING_HELD ? booking_tries_left(b) : 0;
	b->declined_reason = b->state == BOOKING_HELD ? booking_last_decline(db, b) : NULL;
}

static bool
read_parts(struct db *db, struct booking *b, bool found)
{
	if (!found)
		return false;
	log_subject(b->code);
	booking_read_cars(db, b);
	read_custody(db, b);
	read_tries(db, b);
	db_list(db, &booking_line_shape, &b->lines, &b->n_lines,
		"SELECT rule, version, unit, quantity, unit_amount, amount, label, label_ko FROM booking_line"
		" WHERE booking_id = $1 ORDER BY line_no",
		b->booking_id);
	booking_extras_read(db, b);
	booking_refunds_read(db, b);
	fill_cancellation(b);
	return true;
}

bool
booking_find(struct db *db, const char *code, int64_t customer_id, struct booking *b)
{
	*b = (struct booking){ 0 };
	if (customer_id)
		return read_parts(db, b,
			db_one(db, &booking_shape, b,
				"SELECT " BOOKING_COLUMNS " FROM booking WHERE code = $1 AND customer_id = $2", code,
				customer_id));
	return read_parts(
		db, b, db_one(db, &booking_shape, b, "SELECT " BOOKING_COLUMNS " FROM booking WHERE code = $1", code));
}

bool
booking_find_by_request(struct db *db, int64_t customer_id, const char *request_key, struct booking *b)
{
	*b = (struct booking){ 0 };
	return read_parts(db, b,
		db_one(db, &booking_shape, b,
			"SELECT " BOOKING_COLUMNS
			" FROM booking WHERE customer_id = $1 AND request_key = $2 AND request_key <> ''"
			" AND state <> 'EXPIRED'",
			customer_id, request_key));
}

bool
booking_find_own(struct db *db, const struct booking_order *o, struct booking *b)
{
	*b = (struct booking){ 0 };
	if (o->model_id)
		return read_parts(db, b,
			db_one(db, &booking_shape, b,
				"SELECT " BOOKING_COLUMNS " FROM booking WHERE customer_id = $1 AND state = 'HELD'"
				" AND asked_at = 0 AND model_id = $2 AND ends_at > $3 AND starts_at < $4 LIMIT 1",
				o->customer_id, o->model_id, o->starts_at, o->ends_at));
	return read_parts(db, b,
		db_one(db, &booking_shape, b,
			"SELECT " BOOKING_COLUMNS " FROM booking WHERE customer_id = $1 AND booking_id IN"
			" (SELECT s.booking_id FROM slot s WHERE s.car_id = $2 AND s.kind <> 'RELEASED'"
			" AND s.busy_until > $3 AND s.starts_at < $4) LIMIT 1",
			o->customer_id, o->car_id, o->starts_at, o->ends_at + rental.turnaround_s));
}

bool
booking_is_hold(const struct booking *b)
{
	return b->state == BOOKING_HELD && !b->asked_at;
}

bool
booking_reload(struct db *db, struct booking *b)
{
	if (!db_one(db, &booking_shape, b, "SELECT " BOOKING_COLUMNS " FROM booking WHERE booking_id = $1",
		    b->booking_id))
		return false;
	fill_cancellation(b);
	booking_read_cars(db, b);
	read_custody(db, b);
	read_tries(db, b);
	return true;
}

void
booking_note_error(struct db *db, const struct booking *b, const char *error)
{
	db_do(db, "UPDATE booking SET last_error = $2 WHERE booking_id = $1 AND last_error <> $2", b->booking_id,
		error);
}

/* --- from one state to the next ----------------------------------------------------------------------------------- */

bool
booking_mark_paid(struct db *db, struct booking *b, int64_t charge_id)
{
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE booking SET state = 'PAID', charge_id = $2, paid_at = $3 WHERE booking_id = $1"
		" AND state = 'HELD' AND try_no = $4",
		b->booking_id, charge_id, clock_now(), b->try_no);
	if (n == 1) {
		b->state = BOOKING_PAID;
		b->charge_id = charge_id;
		b->paid_at = clock_now();
		calendar_book(db, b->booking_id);
		booking_report(db, EVENT_BOOKING_PAID, b, 0, b->customer_id);
	}
	return db_commit(db) && n == 1;
}

/* Only while asked_at is as the caller read it: a charge that was begun since then would otherwise not be refunded.
 * Earlier tries are voided even if they were declined: should one be approved after all, it is refunded. */
bool
booking_expire(struct db *db, struct booking *b, const char *reason, bool money_may_have_moved)
{
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE booking SET state = 'EXPIRED', end_reason = $2, ended_at = $3,"
		" refund_state = CASE WHEN $4 = 1 OR try_no > 1 THEN 'PENDING' ELSE 'NONE' END,"
		" refund_next_at = $3"
		" WHERE booking_id = $1 AND state = 'HELD' AND asked_at = $5",
		b->booking_id, reason, clock_now(), money_may_have_moved ? 1 : 0, b->asked_at);
	if (n == 1) {
		b->state = BOOKING_EXPIRED;
		b->end_reason = reason;
		calendar_release(db, b->booking_id);
		booking_report(db, EVENT_BOOKING_EXPIRED, b, 0, 0);
	}
	return db_commit(db) && n == 1;
}

bool
booking_confirm(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	if (!db_do(db, "UPDATE booking SET state = 'CONFIRMED' WHERE booking_id = $1 AND state = 'PAID'",
		    b->booking_id))
		return false;
	b->state = BOOKING_CONFIRMED;
	booking_report(db, EVENT_BOOKING_CONFIRMED, b, causation_id, actor_id);
	return true;
}

bool
booking_reject(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	if (!db_do(db,
		    "UPDATE booking SET state = 'REJECTED', end_reason = 'car_refused', ended_at = $2,"
		    " refund_state = 'PENDING',"
		    " refund_due = amount - (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x"
		    " WHERE x.booking_id = $1), refund_next_at = $2, compensation_due = $3,"
		    " compensation_state = CASE WHEN $3 > 0 THEN 'PENDING' ELSE 'NONE' END, compensation_next_at = $2"
		    " WHERE booking_id = $1 AND state = 'PAID'",
		    b->booking_id, clock_now(), rental.firm_compensation_refused ? compensation_of(b) : (int64_t)0))
		return false;
	booking_reload(db, b);
	calendar_release(db, b->booking_id);
	booking_report(db, EVENT_BOOKING_REJECTED, b, causation_id, actor_id);
	return true;
}

/* A booking that could only be confirmed after its end is rejected: the customer could not have picked the car up. */
void
booking_confirm_or_reject(struct db *db, struct booking *b, int64_t causation_id)
{
	if (clock_now() >= b->ends_at)
		booking_reject(db, b, causation_id, 0);
	else
		booking_confirm(db, b, causation_id, 0);
}
