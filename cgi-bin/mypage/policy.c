/*
 * policy - how the read models are made: one reaction for each event, which changes the row the event is about.
 *
 * A booking's rows follow from the events under its code alone, a car's from those under car:ID. Nothing else is read,
 * nor the clock, so a replay makes the same rows. Events about unknown bookings change nothing.
 */
#include "mypage.h"
#include "reactions.h"

#include "domain/event_types.h"

#include <string.h>

const struct db_role mypage_role = {
	.name = "mypage",
	.owns = "my_booking my_booking_car my_booking_line my_delivery my_order my_message my_event view_car position"
		" event_retry",
	.on_view = true,
};

/* The last thing each reaction does: the line in the booking's history, if the booking is known (n_rows). */
static bool
history_of(struct db *db, const struct event *e, int n_rows, int64_t amount, const char *reason)
{
	return n_rows > 0 ? history_add(db, e, &(struct history_line){ .amount = amount, .reason = reason })
			  : !db_failed(db);
}

/* --- a booking begins --------------------------------------------------------------------------------------------- */

static void
write_lines(struct db *db, const char *code, const struct view_payload *p)
{
	for (int i = 0; i < p->n_lines; i++)
		db_do(db,
			"INSERT INTO my_booking_line (code, line_no, rule, version, unit, quantity, unit_amount,"
			" amount, label, label_ko)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			code, i + 1, p->lines[i].rule, p->lines[i].version, p->lines[i].unit, p->lines[i].quantity,
			p->lines[i].unit_amount, p->lines[i].amount, p->lines[i].label, p->lines[i].label_ko);
}

/* The car screen shows a booking of several cars at each of them. */
static void
write_cars(struct db *db, const char *code, const struct view_payload *p)
{
	for (int i = 0; i < p->n_further; i++)
		db_do(db,
			"INSERT INTO my_booking_car (code, car_no, car_id, car_name, car_name_ko, plate)"
			" VALUES ($1, $2, $3, $4, $5, $6)",
			code, i + 2, p->cars[i].car_id, p->cars[i].car_name, p->cars[i].car_name_ko, p->cars[i].plate);
}

static bool
mypage_on_booking_held(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db,
		"INSERT INTO my_booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name,"
		" branch_name_ko, state,"
		" tab, starts_at, ends_at, amount, vat_amount, currency, hold_until, held_at, updated_at, event_id,"
		" n_cars, car_name_ko)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'HELD', 'upcoming', $10, $11, $12, $13, $14, $15, $16,"
		" $16, $17, $18, $19)",
		e->subject_id, p.customer_id, p.car_id, p.car_name, p.plate, p.body, p.branch_id, p.branch_name,
		p.branch_name_ko, p.starts_at, p.ends_at, p.amount, p.vat_amount, p.currency, p.hold_until,
		e->occurred_at, e->event_id, p.n_further + 1, p.car_name_ko);
	write_lines(db, e->subject_id, &p);
	write_cars(db, e->subject_id, &p);
	return history_of(db, e, 1, p.amount, "");
}

/* --- its steps ---------------------------------------------------------------------------------------------------- */

/* Applies the table (reactions.c). Under another tab than "upcoming" the booking no longer has its cars. With each
 * further state ends what could be undone before. Answers the rows changed. */
static int
take_step(struct db *db, const struct event *e, const struct view_payload *p)
{
	const struct row_change *c = row_change_of(e);

	if (*c->tab)
		db_do(db, "UPDATE my_booking_car SET is_open = $2 WHERE code = $1 AND is_open <> $2", e->subject_id,
			strcmp(c->tab, "upcoming") == 0);
	return db_do(db,
		"UPDATE my_booking SET updated_at = $2, event_id = $3, state = CASE $4 WHEN '' THEN state ELSE $4 END,"
		" tab = CASE $5 WHEN '' THEN tab ELSE $5 END, reservation = CASE $6 WHEN '' THEN reservation ELSE $6"
		" END,"
		" paid_at = CASE $7 WHEN 'paid' THEN $2 ELSE paid_at END, confirmed_at = CASE $7 WHEN 'confirmed' THEN"
		" $2 ELSE confirmed_at END,"
		" out_at = CASE $7 WHEN 'out' THEN $2 ELSE out_at END, returned_at = CASE $7 WHEN 'returned' THEN $2"
		" WHEN 'undone' THEN 0 ELSE returned_at END,"
		" completed_at = CASE $7 WHEN 'completed' THEN $2 ELSE completed_at END,"
		" ended_at = CASE WHEN $7 = 'ended' OR ($7 = 'cancelled' AND ended_at = 0) THEN $2"
		" WHEN $7 = 'undone' THEN 0 ELSE ended_at END,"
		" end_reason = CASE $7 WHEN 'ended' THEN $8 WHEN 'undone' THEN '' ELSE end_reason END,"
		" undo_until = CASE WHEN $9 > 0 OR $4 <> '' THEN $9 ELSE undo_until END WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, c->state, c->tab, c->reservation, c->stamp, p->reason,
		p->undo_until);
}

static bool
mypage_on_booking_step(struct db *db, const struct event *e)
{
	struct view_payload p;

	return payload_read(db, e, &p) && history_of(db, e, take_step(db, e, &p), 0, p.reason);
}

/* A payment that was taken for it nevertheless is refunded in full. */
static bool
mypage_on_booking_expired(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db,
		"UPDATE my_booking SET payment_state = 'CANCEL_REQUESTED', refund_due = amount WHERE code = $1"
		" AND payment_state = 'APPROVED'",
		e->subject_id);
	return history_of(db, e, take_step(db, e, &p), 0, p.reason);
}

/* Cancelled by a person, rejected, or finally not picked up: what is to be refunded is in the event. */
static bool
mypage_on_booking_given_up(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db,
		"UPDATE my_booking SET refund_due = $2,"
		" payment_state = CASE WHEN payment_state = 'APPROVED' AND $2 > 0 THEN 'CANCEL_REQUESTED'"
		" ELSE payment_state END WHERE code = $1",
		e->subject_id, p.refund_due);
	return history_of(db, e, take_step(db, e, &p), p.refund_due, p.reason);
}

/* It is picked up at another branch. */
static bool
mypage_on_booking_moved(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db, "UPDATE my_booking SET branch_id = $2, branch_name = $3, branch_name_ko = $4 WHERE code = $1",
		e->subject_id, p.branch_id, p.branch_name, p.branch_name_ko);
	return history_of(db, e, take_step(db, e, &p), 0, "");
}

/* --- the money ---------------------------------------------------------------------------------------------------- */

/* What an earlier try to pay turned out to be, after a later one, is in the history only. rows: changed for the last
 * one. */
static bool
money_history(struct db *db, const struct event *e, int rows, int64_t amount, const char *reason)
{
	bool is_known = rows > 0 || db_exists(db, "SELECT 1 FROM my_booking WHERE code = $1", e->subject_id);

	return history_of(db, e, is_known, amount, reason);
}

/* An approval after the booking has expired is refunded at once. */
static bool
mypage_on_payment_approved(struct db *db, const struct event *e)
{
	struct view_payload p;
	int rows;

	if (!payload_read(db, e, &p))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET brand = $4, last4 = $5, charged_at = $2, updated_at = $2, event_id = $3,"
		" refunded_amount = CASE WHEN try_no < $6 THEN 0 ELSE refunded_amount END, try_no = $6,"
		" payment_state = CASE state WHEN 'EXPIRED' THEN 'CANCEL_REQUESTED' ELSE 'APPROVED' END,"
		" refund_due = CASE state WHEN 'EXPIRED' THEN amount ELSE refund_due END WHERE code = $1"
		" AND try_no <= $6",
		e->subject_id, e->occurred_at, e->event_id, p.brand, p.last4, p.try_no);
	return money_history(db, e, rows, p.amount, "");
}

static bool
mypage_on_payment_failed(struct db *db, const struct event *e)
{
	struct view_payload p;
	int rows;

	if (!payload_read(db, e, &p))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET payment_state = 'FAILED', updated_at = $2, event_id = $3, try_no = $4"
		" WHERE code = $1 AND try_no <= $4",
		e->subject_id, e->occurred_at, e->event_id, p.try_no);
	return money_history(db, e, rows, 0, p.reason);
}

/* The refund of an extra, or of a part of the price: the booking stays paid. */
static bool
is_of_a_part(const struct event *e, const struct view_payload *p)
{
	size_t len = strlen(e->subject_id);

	return strncmp(p->refund_key, e->subject_id, len) == 0
		&& (strncmp(p->refund_key + len, "-extra-", 7) == 0
			|| strncmp(p->refund_key + len, "-refund-", 8) == 0);
}

static bool
mypage_on_payment_cancelled(struct db *db, const struct event *e)
{
	struct view_payload p;
	int rows;

	if (!payload_read(db, e, &p))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET payment_state = CASE $5 WHEN 1 THEN payment_state"
		" ELSE 'CANCELLED' END, refunded_amount = $4,"
		" refunded_at = $2, updated_at = $2, event_id = $3 WHERE code = $1 AND try_no <= $6",
		e->subject_id, e->occurred_at, e->event_id, p.refunded_amount, is_of_a_part(e, &p), p.try_no);
	return money_history(db, e, rows, p.amount, strcmp(p.paid_by, "bank") == 0 ? "bank" : "");
}

/* It was refunded in the provider's dashboard: the booking goes on. */
static bool
mypage_on_refunded_outside(struct db *db, const struct event *e)
{
	struct view_payload p;
	int rows;

	if (!payload_read(db, e, &p))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET refunded_amount = $4, refunded_at = $2, updated_at = $2, event_id = $3"
		" WHERE code = $1 AND try_no <= $5",
		e->subject_id, e->occurred_at, e->event_id, p.refunded_amount, p.try_no);
	return money_history(db, e, rows, p.amount, "");
}

/* The amount is in the history already, from payment.cancelled. */
static void
note_refund(struct db *db, const struct event *e, const struct view_payload *p)
{
	db_do(db,
		"UPDATE my_booking SET payment_state = 'CANCELLED', refunded_at = CASE refunded_at WHEN 0 THEN $2"
		" ELSE refunded_at END,"
		" refunded_amount = CASE WHEN refunded_amount < $3 THEN $3 ELSE refunded_amount END WHERE code = $1",
		e->subject_id, e->occurred_at, p->refunded_amount);
}

static bool
mypage_on_booking_cancelled(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	if (p.refunded_amount > 0)
		note_refund(db, e, &p);
	return history_of(db, e, take_step(db, e, &p), 0, "");
}

static bool
mypage_on_booking_refunded(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	note_refund(db, e, &p);
	return history_of(db, e, take_step(db, e, &p), 0, "");
}

/* What we pay beyond refunds is in the booking's history only. */
static bool
mypage_on_payout(struct db *db, const struct event *e)
{
	struct view_payload p;

	return payload_read(db, e, &p) && history_of(db, e, take_step(db, e, &p), p.amount, "");
}

/* A manager gives back a part of the price: granted with its amount; the refund itself is in payment.cancelled. */
static bool
mypage_on_part(struct db *db, const struct event *e)
{
	struct view_payload p;
	bool is_granted = strcmp(e->type, event_name_BOOKING_REFUND_GRANTED) == 0;

	bool has_words;

	if (!payload_read(db, e, &p))
		return false;
	has_words = is_granted && strcmp(p.reason, "other") != 0;
	return history_of(db, e, take_step(db, e, &p), is_granted ? p.amount : 0, has_words ? p.reason : "");
}

/* --- cars --------------------------------------------------------------------------------------------------------- */

static bool
mypage_on_car_written(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db,
		"INSERT INTO view_car (car_id, plate, name, body, branch_id, branch_name, branch_name_ko, service,"
		" updated_at, event_id, name_ko)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
		" ON CONFLICT (car_id) DO UPDATE SET plate = $2, name = $3, body = $4, branch_id = $5,"
		" branch_name = $6,"
		" branch_name_ko = $7, service = $8, updated_at = $9, event_id = $10, name_ko = $11",
		p.car_id, p.plate, p.name, p.body, p.branch_id, p.branch_name, p.branch_name_ko,
		*p.service ? p.service : "IN_SERVICE", e->occurred_at, e->event_id, p.name_ko);
	return !db_failed(db);
}

static bool
mypage_on_car_retired(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db, "UPDATE view_car SET service = 'RETIRED', updated_at = $2, event_id = $3 WHERE car_id = $1", p.car_id,
		e->occurred_at, e->event_id);
	return !db_failed(db);
}

static bool
mypage_on_car_deleted(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db, "DELETE FROM view_car WHERE car_id = $1", p.car_id);
	return !db_failed(db);
}

const struct policy mypage_policies[] = {
	ON(BOOKING_HELD, mypage_on_booking_held),
	ON(PAYMENT_APPROVED, mypage_on_payment_approved),
	ON(BOOKING_PAID, mypage_on_booking_step),
	ON(CAR_RESERVED, mypage_on_booking_step),
	ON(BOOKING_CONFIRMED, mypage_on_booking_step),
	ON(BOOKING_HANDED_OUT, mypage_on_booking_step),
	ON(BOOKING_RETURNED, mypage_on_booking_step),
	ON(BOOKING_RETURN_UNDONE, mypage_on_booking_step),
	ON(BOOKING_COMPLETED, mypage_on_booking_step),
	ON(BOOKING_CANCEL_REQUESTED, mypage_on_booking_given_up),
	ON(PAYMENT_CANCELLED, mypage_on_payment_cancelled),
	ON(PAYMENT_REFUNDED_OUTSIDE, mypage_on_refunded_outside),
	ON(PAYOUT_ASSIGNED, mypage_on_payout),
	ON(PAYOUT_COMPLETED, mypage_on_payout),
	ON(BOOKING_CANCELLED, mypage_on_booking_cancelled),
	ON(CAR_RELEASED, mypage_on_booking_step),
	ON(BOOKING_EXPIRED, mypage_on_booking_expired),
	ON(PAYMENT_FAILED, mypage_on_payment_failed),
	ON(CAR_REFUSED, mypage_on_booking_step),
	ON(BOOKING_REJECTED, mypage_on_booking_given_up),
	ON(BOOKING_REFUNDED, mypage_on_booking_refunded),
	ON(BOOKING_NO_SHOW, mypage_on_booking_step),
	ON(BOOKING_NO_SHOW_UNDONE, mypage_on_booking_step),
	ON(BOOKING_NO_SHOW_FINAL, mypage_on_booking_given_up),
	ON(BOOKING_MOVED, mypage_on_booking_moved),
	ON(BOOKING_REFUND_GRANTED, mypage_on_part),
	ON(BOOKING_PART_REFUNDED, mypage_on_part),
	ON(BOOKING_EXTRA_ENDED, mypage_on_extra_ended),
	ON(BOOKING_EXTRA_REFUNDED, mypage_on_extra_refunded),
	ON(DELIVERY_REQUESTED, mypage_on_delivery),
	ON(DELIVERY_SCHEDULED, mypage_on_delivery),
	ON(DELIVERY_SHIPPED, mypage_on_delivery),
	ON(DELIVERY_DELIVERED, mypage_on_delivery),
	ON(DELIVERY_CANCELLED, mypage_on_delivery),
	ON(EQUIPMENT_ORDERED, mypage_on_equipment_ordered),
	ON(REVIEW_ASSIGNED, mypage_on_review_assigned),
	ON(EQUIPMENT_APPROVED, mypage_on_equipment_moved),
	ON(EQUIPMENT_REJECTED, mypage_on_equipment_moved),
	ON(EQUIPMENT_CANCELLED, mypage_on_equipment_moved),
	ON(EQUIPMENT_HANDED_OUT, mypage_on_equipment_moved),
	ON(EQUIPMENT_RETURNED, mypage_on_equipment_moved),
	ON(MESSAGE_SENT, mypage_on_message),
	ON(MESSAGE_DEAD, mypage_on_message),
	ON(CAR_REGISTERED, mypage_on_car_written),
	ON(CAR_MODIFIED, mypage_on_car_written),
	ON(CAR_RETIRED, mypage_on_car_retired),
	ON(CAR_DELETED, mypage_on_car_deleted),
	{ 0 },
};
