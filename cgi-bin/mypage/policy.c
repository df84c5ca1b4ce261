/*
 * policy - how the read models are made: one reaction for each event, each a single change of the row it speaks of.
 *
 * A booking's rows follow from the events under its code alone, a car's from those under car:ID; nothing else is looked at and
 * nothing of the moment goes in, so a replay makes the same rows. Events about bookings we never heard of change nothing.
 */
#include "mypage.h"
#include "reactions.h"

#include "domain/event_types.h"
#include "lib/base/log.h"

#include <string.h>

const struct db_role mypage_role = {
	.name = "mypage",
	.owns = "my_booking my_booking_car my_booking_line my_delivery my_order my_message my_event view_car position event_retry",
	.on_view = true,
};

/* A price line as it is told; its rule may be one we have no words for. */
struct news_line { const char *rule, *unit, *label, *label_ko; int64_t version, quantity, unit_amount, amount; };
static const struct member news_line_members[] = {
	SHAPE_TEXT(news_line, rule), SHAPE_INT(news_line, version), SHAPE_TEXT(news_line, unit), SHAPE_INT(news_line, quantity),
	SHAPE_AMOUNT(news_line, unit_amount), SHAPE_AMOUNT(news_line, amount), SHAPE_TEXT_KO(news_line, label),
};
static const struct shape news_line_shape = SHAPE(news_line, news_line_members);

/* What we read of the payloads (docs/events.md), all in one struct. */
struct news {
	const char *car_name, *car_name_ko, *plate, *name, *name_ko, *body, *branch_name, *branch_name_ko, *currency, *service, *brand, *last4, *reason, *paid_by,
	           *refund_key;
	int64_t customer_id, car_id, branch_id, starts_at, ends_at, amount, vat_amount, hold_until, refund_due, refunded_amount, n_cars;
	struct news_line *lines;
	struct my_car *cars;
	int n_lines;
	int n_further;          /* cars: the second and further ones */
};
static const struct member news_members[] = {
	SHAPE_TEXT_KO(news, car_name), SHAPE_TEXT(news, plate), SHAPE_TEXT_KO(news, name), SHAPE_TEXT(news, body),
	SHAPE_TEXT_KO(news, branch_name), SHAPE_TEXT(news, currency), SHAPE_TEXT(news, service),
	SHAPE_TEXT(news, brand), SHAPE_TEXT(news, last4), SHAPE_TEXT(news, reason), SHAPE_TEXT(news, paid_by), SHAPE_INT(news, customer_id),
	SHAPE_INT(news, car_id), SHAPE_INT(news, branch_id), SHAPE_TIME(news, starts_at), SHAPE_TIME(news, ends_at),
	SHAPE_AMOUNT(news, amount), SHAPE_AMOUNT(news, vat_amount), SHAPE_TIME(news, hold_until), SHAPE_AMOUNT(news, refund_due),
	SHAPE_AMOUNT(news, refunded_amount), SHAPE_LIST(news, lines, news_line_shape), SHAPE_TEXT(news, refund_key),
	{ .name = "cars", .kind = KIND_LIST, .offset = offsetof(struct news, cars), .n_offset = offsetof(struct news, n_further), .of = &my_car_shape },
};
static const struct shape news_shape = SHAPE(news, news_members);

static bool
read_news(struct db *db, const struct event *e, struct news *n)
{
	*n = (struct news){ 0 };
	return event_read(db_memory(db), e, &news_shape, n);
}

static const char *
text(const char *s)
{
	return s ? s : "";
}

static bool
write_event(struct db *db, const struct event *e, const struct reaction_line *line)
{
	db_do(db,
		"INSERT INTO my_event (code, event_id, type, occurred_at, amount, reason, label, label_ko, courier_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
		e->subject_id, e->event_id, e->type, e->occurred_at, line->amount, text(line->reason), text(line->label),
		text(line->label_ko), line->courier_id);
	return !db_failed(db);
}

/* The last thing each reaction does: the line in the booking's history, if it is a booking we know. */
static bool
told(struct db *db, const struct event *e, int n_rows, int64_t amount, const char *reason)
{
	return n_rows > 0 ? write_event(db, e, &(struct reaction_line){ .amount = amount, .reason = reason }) : !db_failed(db);
}

bool
reaction_tell(struct db *db, const struct event *e, const struct reaction_line *line)
{
	if (db_do(db, "UPDATE my_booking SET updated_at = $2, event_id = $3 WHERE code = $1", e->subject_id, e->occurred_at, e->event_id) > 0
	    || db_exists(db, "SELECT 1 FROM my_order WHERE order_code = $1", e->subject_id))
		return write_event(db, e, line);
	return !db_failed(db);
}

/* --- a booking begins --------------------------------------------------------------------------------------------- */

static void
write_lines(struct db *db, const char *code, const struct news *n)
{
	for (int i = 0; i < n->n_lines; i++)
		db_do(db,
			"INSERT INTO my_booking_line (code, line_no, rule, version, unit, quantity, unit_amount, amount, label, label_ko)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			code, i + 1, text(n->lines[i].rule), n->lines[i].version, text(n->lines[i].unit), n->lines[i].quantity,
			n->lines[i].unit_amount, n->lines[i].amount, text(n->lines[i].label), text(n->lines[i].label_ko));
}

/* A booking of several: the car screen shows it at each of its cars. */
static void
write_cars(struct db *db, const char *code, const struct news *n)
{
	for (int i = 0; i < n->n_further; i++)
		db_do(db, "INSERT INTO my_booking_car (code, car_no, car_id, car_name, car_name_ko, plate) VALUES ($1, $2, $3, $4, $5, $6)",
			code, i + 2, n->cars[i].car_id, text(n->cars[i].car_name), text(n->cars[i].car_name_ko), text(n->cars[i].plate));
}

/* … until it needs them no more. */
static void
let_cars_go(struct db *db, const struct event *e)
{
	db_do(db, "UPDATE my_booking_car SET is_open = 0 WHERE code = $1 AND is_open = 1", e->subject_id);
}

static bool
mypage_on_booking_held(struct db *db, const struct event *e)
{
	struct news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db,
		"INSERT INTO my_booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, branch_name_ko, state,"
		" shelf, starts_at, ends_at, amount, vat_amount, currency, hold_until, held_at, updated_at, event_id, n_cars, car_name_ko)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'HELD', 'upcoming', $10, $11, $12, $13, $14, $15, $16, $16, $17, $18, $19)",
		e->subject_id, n.customer_id, n.car_id, text(n.car_name), text(n.plate), text(n.body), n.branch_id,
		text(n.branch_name), text(n.branch_name_ko), n.starts_at, n.ends_at, n.amount, n.vat_amount, text(n.currency),
		n.hold_until, e->occurred_at, e->event_id, n.n_further + 1, text(n.car_name_ko));
	write_lines(db, e->subject_id, &n);
	write_cars(db, e->subject_id, &n);
	return told(db, e, 1, n.amount, "");
}

/* --- the way it should go ------------------------------------------------------------------------------------------ */

static bool
mypage_on_booking_paid(struct db *db, const struct event *e)
{
	int rows = db_do(db,
		"UPDATE my_booking SET state = 'PAID', paid_at = $2, updated_at = $2, event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id);

	return told(db, e, rows, 0, "");
}

static bool
mypage_on_booking_confirmed(struct db *db, const struct event *e)
{
	int rows = db_do(db,
		"UPDATE my_booking SET state = 'CONFIRMED', confirmed_at = $2, updated_at = $2, event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id);

	return told(db, e, rows, 0, "");
}

static bool
mypage_on_booking_handed_out(struct db *db, const struct event *e)
{
	int rows = db_do(db,
		"UPDATE my_booking SET state = 'OUT', reservation = 'OUT', out_at = $2, updated_at = $2, event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id);

	return told(db, e, rows, 0, "");
}

static bool
mypage_on_booking_returned(struct db *db, const struct event *e)
{
	int rows = db_do(db,
		"UPDATE my_booking SET state = 'RETURNED', shelf = 'past', reservation = 'ENDED', returned_at = $2, updated_at = $2,"
		" event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id);

	let_cars_go(db, e);
	return told(db, e, rows, 0, "");
}

static bool
mypage_on_booking_completed(struct db *db, const struct event *e)
{
	int rows = db_do(db,
		"UPDATE my_booking SET state = 'COMPLETED', shelf = 'past', completed_at = $2, updated_at = $2, event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id);

	return told(db, e, rows, 0, "");
}

/* --- the side ways -------------------------------------------------------------------------------------------------- */

/* Money that was taken for it nevertheless is on its way back. */
static bool
mypage_on_booking_expired(struct db *db, const struct event *e)
{
	struct news n;
	int rows;

	if (!read_news(db, e, &n))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET state = 'EXPIRED', shelf = 'none', end_reason = $4, ended_at = $2, updated_at = $2, event_id = $3,"
		" payment_state = CASE payment_state WHEN 'APPROVED' THEN 'CANCEL_REQUESTED' ELSE payment_state END,"
		" refund_due = CASE payment_state WHEN 'APPROVED' THEN amount ELSE refund_due END WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, text(n.reason));
	let_cars_go(db, e);
	return told(db, e, rows, 0, n.reason);
}

static bool
mypage_on_booking_cancel_requested(struct db *db, const struct event *e)
{
	struct news n;
	int rows;

	if (!read_news(db, e, &n))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET state = 'CANCEL_REQUESTED', shelf = 'cancelled', end_reason = $4, ended_at = $2, refund_due = $5,"
		" updated_at = $2, event_id = $3,"
		" payment_state = CASE WHEN payment_state = 'APPROVED' AND $5 > 0 THEN 'CANCEL_REQUESTED' ELSE payment_state END WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, text(n.reason), n.refund_due);
	let_cars_go(db, e);
	return told(db, e, rows, n.refund_due, n.reason);
}

static bool
mypage_on_booking_cancelled(struct db *db, const struct event *e)
{
	struct news n;
	int rows;

	if (!read_news(db, e, &n))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET state = 'CANCELLED', shelf = 'cancelled', updated_at = $2, event_id = $3,"
		" ended_at = CASE ended_at WHEN 0 THEN $2 ELSE ended_at END,"
		" refunded_amount = CASE WHEN refunded_amount < $4 THEN $4 ELSE refunded_amount END,"
		" refunded_at = CASE WHEN $4 > 0 AND refunded_at = 0 THEN $2 ELSE refunded_at END,"
		" payment_state = CASE WHEN $4 > 0 THEN 'CANCELLED' ELSE payment_state END WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, n.refunded_amount);
	let_cars_go(db, e);
	return told(db, e, rows, 0, "");        /* the money is told by payment.cancelled */
}

static bool
mypage_on_booking_rejected(struct db *db, const struct event *e)
{
	struct news n;
	int rows;

	if (!read_news(db, e, &n))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET state = 'REJECTED', shelf = 'cancelled', end_reason = $4, ended_at = $2, refund_due = $5,"
		" updated_at = $2, event_id = $3,"
		" payment_state = CASE WHEN payment_state = 'APPROVED' AND $5 > 0 THEN 'CANCEL_REQUESTED' ELSE payment_state END WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, text(n.reason), n.refund_due);
	let_cars_go(db, e);
	return told(db, e, rows, n.refund_due, n.reason);
}

static bool
mypage_on_booking_no_show(struct db *db, const struct event *e)
{
	int rows = db_do(db,
		"UPDATE my_booking SET state = 'NO_SHOW', shelf = 'past', ended_at = $2, updated_at = $2, event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id);

	let_cars_go(db, e);
	return told(db, e, rows, 0, "");
}

/* --- the money ------------------------------------------------------------------------------------------------------ */

/* Approved after the booking had been given up: it goes straight back. */
static bool
mypage_on_payment_approved(struct db *db, const struct event *e)
{
	struct news n;
	int rows;

	if (!read_news(db, e, &n))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET brand = $4, last4 = $5, charged_at = $2, updated_at = $2, event_id = $3,"
		" payment_state = CASE state WHEN 'EXPIRED' THEN 'CANCEL_REQUESTED' ELSE 'APPROVED' END,"
		" refund_due = CASE state WHEN 'EXPIRED' THEN amount ELSE refund_due END WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, text(n.brand), text(n.last4));
	return told(db, e, rows, n.amount, "");
}

static bool
mypage_on_payment_failed(struct db *db, const struct event *e)
{
	struct news n;
	int rows;

	if (!read_news(db, e, &n))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET payment_state = 'FAILED', updated_at = $2, event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id);
	return told(db, e, rows, 0, n.reason);
}

/* An extra's money goes back while the booking goes on and stays paid. */
static bool
is_of_an_extra(const struct event *e, const struct news *n)
{
	size_t len = strlen(e->subject_id);

	return n->refund_key && strncmp(n->refund_key, e->subject_id, len) == 0 && strncmp(n->refund_key + len, "-extra-", 7) == 0;
}

static bool
mypage_on_payment_cancelled(struct db *db, const struct event *e)
{
	struct news n;
	int rows;

	if (!read_news(db, e, &n))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET payment_state = CASE $5 WHEN 1 THEN payment_state ELSE 'CANCELLED' END, refunded_amount = $4,"
		" refunded_at = $2, updated_at = $2, event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, n.refunded_amount, is_of_an_extra(e, &n));
	return told(db, e, rows, n.amount, n.paid_by && strcmp(n.paid_by, "bank") == 0 ? "bank" : "");
}

/* A rejected booking's money is back. */
static bool
mypage_on_booking_refunded(struct db *db, const struct event *e)
{
	struct news n;
	int rows;

	if (!read_news(db, e, &n))
		return false;
	rows = db_do(db,
		"UPDATE my_booking SET payment_state = 'CANCELLED', updated_at = $2, event_id = $3,"
		" refunded_amount = CASE WHEN refunded_amount < $4 THEN $4 ELSE refunded_amount END,"
		" refunded_at = CASE refunded_at WHEN 0 THEN $2 ELSE refunded_at END WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, n.refunded_amount);
	return told(db, e, rows, 0, "");        /* the money is told by payment.cancelled */
}

/* --- what fleet says of the car -------------------------------------------------------------------------------------- */

static bool
reservation(struct db *db, const struct event *e, const char *state, const char *reason)
{
	int rows = db_do(db, "UPDATE my_booking SET reservation = $4, updated_at = $2, event_id = $3 WHERE code = $1",
		e->subject_id, e->occurred_at, e->event_id, state);

	return told(db, e, rows, 0, reason);
}

static bool
mypage_on_car_reserved(struct db *db, const struct event *e)
{
	return reservation(db, e, "RESERVED", "");
}

static bool
mypage_on_car_refused(struct db *db, const struct event *e)
{
	struct news n;

	return read_news(db, e, &n) && reservation(db, e, "REFUSED", n.reason);
}

static bool
mypage_on_car_released(struct db *db, const struct event *e)
{
	return reservation(db, e, "RELEASED", "");
}

/* --- cars ------------------------------------------------------------------------------------------------------------ */

static bool
mypage_on_car_written(struct db *db, const struct event *e)
{
	struct news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db,
		"INSERT INTO view_car (car_id, plate, name, body, branch_id, branch_name, branch_name_ko, service, updated_at, event_id, name_ko)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
		" ON CONFLICT (car_id) DO UPDATE SET plate = $2, name = $3, body = $4, branch_id = $5, branch_name = $6,"
		" branch_name_ko = $7, service = $8, updated_at = $9, event_id = $10, name_ko = $11",
		n.car_id, text(n.plate), text(n.name), text(n.body), n.branch_id, text(n.branch_name), text(n.branch_name_ko),
		n.service && *n.service ? n.service : "IN_SERVICE", e->occurred_at, e->event_id, text(n.name_ko));
	return !db_failed(db);
}

static bool
mypage_on_car_retired(struct db *db, const struct event *e)
{
	struct news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db, "UPDATE view_car SET service = 'RETIRED', updated_at = $2, event_id = $3 WHERE car_id = $1",
		n.car_id, e->occurred_at, e->event_id);
	return !db_failed(db);
}

static bool
mypage_on_car_deleted(struct db *db, const struct event *e)
{
	struct news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db, "DELETE FROM view_car WHERE car_id = $1", n.car_id);
	return !db_failed(db);
}

static const struct policy policies[] = {
	ON(BOOKING_HELD, mypage_on_booking_held),
	ON(PAYMENT_APPROVED, mypage_on_payment_approved),
	ON(BOOKING_PAID, mypage_on_booking_paid),
	ON(CAR_RESERVED, mypage_on_car_reserved),
	ON(BOOKING_CONFIRMED, mypage_on_booking_confirmed),
	ON(BOOKING_HANDED_OUT, mypage_on_booking_handed_out),
	ON(BOOKING_RETURNED, mypage_on_booking_returned),
	ON(BOOKING_COMPLETED, mypage_on_booking_completed),
	ON(BOOKING_CANCEL_REQUESTED, mypage_on_booking_cancel_requested),
	ON(PAYMENT_CANCELLED, mypage_on_payment_cancelled),
	ON(BOOKING_CANCELLED, mypage_on_booking_cancelled),
	ON(CAR_RELEASED, mypage_on_car_released),
	ON(BOOKING_EXPIRED, mypage_on_booking_expired),
	ON(PAYMENT_FAILED, mypage_on_payment_failed),
	ON(CAR_REFUSED, mypage_on_car_refused),
	ON(BOOKING_REJECTED, mypage_on_booking_rejected),
	ON(BOOKING_REFUNDED, mypage_on_booking_refunded),
	ON(BOOKING_NO_SHOW, mypage_on_booking_no_show),
	ON(BOOKING_EXTRA_ENDED, mypage_on_extra_ended),
	ON(BOOKING_EXTRA_REFUNDED, mypage_on_extra_refunded),
	ON(DELIVERY_REQUESTED, mypage_on_delivery_requested),
	ON(DELIVERY_SCHEDULED, mypage_on_delivery_scheduled),
	ON(DELIVERY_SHIPPED, mypage_on_delivery_shipped),
	ON(DELIVERY_DELIVERED, mypage_on_delivery_delivered),
	ON(DELIVERY_CANCELLED, mypage_on_delivery_cancelled),
	ON(EQUIPMENT_ORDERED, mypage_on_equipment_ordered),
	ON(REVIEW_ASSIGNED, mypage_on_review_assigned),
	ON(EQUIPMENT_APPROVED, mypage_on_equipment_approved),
	ON(EQUIPMENT_REJECTED, mypage_on_equipment_rejected),
	ON(EQUIPMENT_CANCELLED, mypage_on_equipment_cancelled),
	ON(EQUIPMENT_HANDED_OUT, mypage_on_equipment_handed_out),
	ON(EQUIPMENT_RETURNED, mypage_on_equipment_returned),
	ON(MESSAGE_SENT, mypage_on_message_sent),
	ON(MESSAGE_DEAD, mypage_on_message_dead),
	ON(CAR_REGISTERED, mypage_on_car_written),
	ON(CAR_MODIFIED, mypage_on_car_written),
	ON(CAR_RETIRED, mypage_on_car_retired),
	ON(CAR_DELETED, mypage_on_car_deleted),
	{ 0 },
};

/* The log was taken back to before what we have read (a restored backup, a power cut): nothing here can be trusted any more. */
static bool
mypage_sweep(struct db *db)
{
	if (view_is_ahead(db)) {
		log_warn("view", "the read models are ahead of the log and are made anew");
		view_remake(db);
	}
	return false;
}

const struct consumer mypage_consumer = { .name = "mypage", .role = &mypage_role, .policy = policies, .sweep = mypage_sweep };
