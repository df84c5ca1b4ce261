/* mypage - words, shapes and the customer's side of the read models. The story is in mypage.h; cars.c is the manager's side. */
#include "mypage.h"

#include "lib/base/json.h"
#include "lib/base/lang.h"

#include <string.h>

/* --- words ---------------------------------------------------------------------------------------------------------- */

static const struct word payment_word[] = {
	[PAYMENT_NONE]       = { "NONE",             N_("Not paid yet") },
	[PAYMENT_APPROVED]   = { "APPROVED",         N_("Paid") },
	[PAYMENT_FAILED]     = { "FAILED",           N_("Payment failed") },
	[PAYMENT_GOING_BACK] = { "CANCEL_REQUESTED", N_("Refund in progress") },
	[PAYMENT_BACK]       = { "CANCELLED",        N_("Refunded") },
};
const struct words my_payment_words = WORDS(payment_word);

static const struct word reason_word[] = {
	{ "customer",       N_("At your request.") },
	{ "manager",        N_("By our staff.") },
	{ "bank",           N_("By bank transfer.") },
	{ "retired",        N_("The car has been retired.") },
	{ "out_of_service", N_("The car is out of service.") },
	{ "gone",           N_("The car is no longer with us.") },
	{ "dispatcher",     N_("By our staff.") },
	{ "booking",        N_("The booking has ended.") },
	{ "later",          N_("It could not be approved at that time.") },
	{ "at_branch",      N_("The car was picked up at the branch.") },
};
static const struct words reason_words = WORDS(reason_word);

const char *
my_reason_in_words(const char *code)
{
	const char *ended = end_reason_in_words(code);
	int i = words_find(&reason_words, code);

	return ended ? ended : i < 0 ? "" : _(reason_word[i].label);
}

/* Codes are small letters and low lines; people write otherwise. */
const char *
my_reason_said(const char *reason)
{
	const char *words = my_reason_in_words(reason);

	if (*words || !strchr(reason, '_'))
		return *words ? words : reason;
	return strspn(reason, "abcdefghijklmnopqrstuvwxyz_") == strlen(reason) ? "" : reason;
}

static const struct word shelf_word[] = {
	[SHELF_UPCOMING]  = { "upcoming",  N_("Upcoming") },
	[SHELF_PAST]      = { "past",      N_("Past") },
	[SHELF_CANCELLED] = { "cancelled", N_("Cancelled") },
	[SHELF_NONE]      = { "none",      N_("Not completed") },
	[SHELF_ALL]       = { "all",       N_("All") },
};
const struct words my_shelf_words = WORDS(shelf_word);

/* --- shapes --------------------------------------------------------------------------------------------------------- */

static const struct member event_members[] = {
	SHAPE_STATE(my_event, type, customer_event_words), SHAPE_INT(my_event, event_id), SHAPE_TIME(my_event, occurred_at),
	SHAPE_AMOUNT(my_event, amount), SHAPE_TEXT(my_event, reason), SHAPE_TEXT(my_event, label), SHAPE_TEXT(my_event, label_ko),
};
const struct shape my_event_shape = SHAPE(my_event, event_members);

static const struct member line_members[] = {
	SHAPE_INT(my_line, line_no), SHAPE_STATE(my_line, rule, price_rule_words), SHAPE_INT(my_line, version), SHAPE_TEXT(my_line, unit),
	SHAPE_INT(my_line, quantity), SHAPE_AMOUNT(my_line, unit_amount), SHAPE_AMOUNT(my_line, amount), SHAPE_TEXT_KO(my_line, label),
	SHAPE_TIME(my_line, ended_at), SHAPE_TEXT(my_line, end_reason), SHAPE_AMOUNT(my_line, refund_due),
	SHAPE_AMOUNT(my_line, refunded_amount),
};
const struct shape my_line_shape = SHAPE(my_line, line_members);

static const struct member car_members[] = { SHAPE_INT(my_car, car_id), SHAPE_TEXT_KO(my_car, car_name), SHAPE_TEXT(my_car, plate) };
const struct shape my_car_shape = SHAPE(my_car, car_members);

static const struct member booking_members[] = {
	SHAPE_TEXT(my_booking, code), SHAPE_STATE(my_booking, state, booking_state_words), SHAPE_INT(my_booking, car_id),
	SHAPE_TEXT_KO(my_booking, car_name), SHAPE_TEXT(my_booking, plate), SHAPE_STATE(my_booking, body, body_words), SHAPE_INT(my_booking, branch_id),
	SHAPE_TEXT_KO(my_booking, branch_name), SHAPE_TIME(my_booking, starts_at),
	SHAPE_TIME(my_booking, ends_at), SHAPE_AMOUNT(my_booking, amount), SHAPE_AMOUNT(my_booking, vat_amount),
	SHAPE_TEXT(my_booking, currency), SHAPE_STATE(my_booking, payment_state, my_payment_words), SHAPE_TEXT(my_booking, brand),
	SHAPE_TEXT(my_booking, last4), SHAPE_AMOUNT(my_booking, refund_due), SHAPE_AMOUNT(my_booking, refunded_amount),
	SHAPE_TEXT(my_booking, end_reason), SHAPE_TIME(my_booking, hold_until), SHAPE_TIME(my_booking, held_at),
	SHAPE_TIME(my_booking, charged_at), SHAPE_TIME(my_booking, paid_at), SHAPE_TIME(my_booking, confirmed_at),
	SHAPE_TIME(my_booking, out_at), SHAPE_TIME(my_booking, returned_at), SHAPE_TIME(my_booking, completed_at),
	SHAPE_TIME(my_booking, ended_at), SHAPE_TIME(my_booking, refunded_at), SHAPE_TIME(my_booking, updated_at),
	SHAPE_INT(my_booking, n_cars), SHAPE_INT(my_booking, n_equipment), SHAPE_BOOL(my_booking, is_brought),
	{ .name = "cars", .kind = KIND_LIST, .offset = offsetof(struct my_booking, cars), .n_offset = offsetof(struct my_booking, n_further), .of = &my_car_shape },
	SHAPE_LIST(my_booking, lines, my_line_shape), SHAPE_LIST(my_booking, deliveries, my_delivery_shape),
	SHAPE_LIST(my_booking, orders, my_order_shape), SHAPE_LIST(my_booking, messages, my_message_shape),
	SHAPE_LIST(my_booking, events, my_event_shape),
};
const struct shape my_booking_shape = SHAPE(my_booking, booking_members);

/* --- my bookings ---------------------------------------------------------------------------------------------------- */

void
my_count(struct db *db, int64_t customer_id, int64_t n[SHELF_ALL + 1])
{
	struct rows *r = db_each(db, "SELECT shelf, COUNT(*) FROM my_booking WHERE customer_id = $1 GROUP BY shelf", customer_id);

	memset(n, 0, sizeof(n[0]) * (SHELF_ALL + 1));
	while (db_next(r)) {
		int shelf = words_find(&my_shelf_words, row_peek(r, 0));

		if (shelf >= 0)
			n[shelf] = row_int(r, 1);
		n[SHELF_ALL] += row_int(r, 1);
	}
}

/* What goes with it, as the list's marks say it. */
#define MARKS " n_cars, (SELECT COALESCE(SUM(o.quantity), 0) FROM my_order o WHERE o.booking_code = my_booking.code AND o.booking_code <> ''" \
	"  AND o.state NOT IN ('REJECTED', 'CANCELLED')) AS n_equipment," \
	" EXISTS (SELECT 1 FROM my_booking_line l WHERE l.code = my_booking.code AND l.rule = 'delivery' AND l.ended_at = 0) AS is_brought"

#define LISTED "SELECT code, state, car_id, car_name, car_name_ko, plate, body, branch_id, branch_name, branch_name_ko, starts_at, ends_at," \
	" amount, vat_amount, currency, payment_state, brand, last4, refund_due, refunded_amount, updated_at," MARKS " FROM my_booking"

int
my_list(struct db *db, int64_t customer_id, enum my_shelf shelf, int64_t offset, int64_t limit, struct my_booking **bookings)
{
	int n = 0;

	if (shelf == SHELF_UPCOMING)
		return db_list(db, &my_booking_shape, bookings, &n, LISTED
			" WHERE customer_id = $1 AND shelf = 'upcoming' ORDER BY starts_at, code LIMIT $2 OFFSET $3", customer_id, limit, offset);
	if (shelf == SHELF_ALL)
		return db_list(db, &my_booking_shape, bookings, &n, LISTED
			" WHERE customer_id = $1 ORDER BY starts_at DESC, code DESC LIMIT $2 OFFSET $3", customer_id, limit, offset);
	return db_list(db, &my_booking_shape, bookings, &n, LISTED
		" WHERE customer_id = $1 AND shelf = $2 ORDER BY starts_at DESC, code DESC LIMIT $3 OFFSET $4",
		customer_id, words_code(&my_shelf_words, shelf), limit, offset);
}

#define LAST_MESSAGES 5

static void
add_rest(struct db *db, struct my_booking *b, int64_t customer_id)
{
	db_list(db, &my_line_shape, &b->lines, &b->n_lines,
		"SELECT line_no, rule, version, unit, quantity, unit_amount, amount, label, label_ko, ended_at, end_reason, refund_due, refunded_amount"
		" FROM my_booking_line WHERE code = $1 ORDER BY line_no", b->code);
	db_list(db, &my_event_shape, &b->events, &b->n_events,
		"SELECT e.type, e.event_id, e.occurred_at, e.amount, e.reason, e.label_ko,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = e.courier_id), e.label) AS label"
		" FROM my_event e WHERE e.code = $1 ORDER BY e.event_id DESC", b->code);
	if (b->n_cars > 1)
		db_list(db, &my_car_shape, &b->cars, &b->n_further,
			"SELECT car_id, car_name, car_name_ko, plate FROM my_booking_car WHERE code = $1 ORDER BY car_no", b->code);
	b->n_deliveries = my_deliveries(db, b->code, &b->deliveries);
	b->n_orders = my_orders(db, b->code, &b->orders);
	b->n_messages = my_messages(db, b->code, customer_id, LAST_MESSAGES, &b->messages);
}

struct held { int64_t customer_id; };
static const struct member held_members[] = { SHAPE_INT(held, customer_id) };
static const struct shape held_shape = SHAPE(held, held_members);

/* The log already says that this customer has booked it: the relay is about to tell us too. */
static bool
is_on_its_way(struct db *db, const char *code, int64_t customer_id)
{
	const char *payload = db_text(db,
		"SELECT payload FROM v_event WHERE subject_id = $1 AND type = 'booking.held' ORDER BY event_id LIMIT 1", code);
	struct held h = { 0 };

	return payload && json_into(db_memory(db), payload, &held_shape, &h) && h.customer_id == customer_id;
}

enum my_found
my_find(struct db *db, const char *code, int64_t customer_id, struct my_booking *b)
{
	*b = (struct my_booking){ 0 };
	if (db_one(db, &my_booking_shape, b,
	           "SELECT code, state, car_id, car_name, car_name_ko, plate, body, branch_id, branch_name, branch_name_ko, starts_at, ends_at,"
	           " amount, vat_amount, currency, payment_state, brand, last4, refund_due, refunded_amount, end_reason, hold_until, held_at,"
	           " charged_at, paid_at, confirmed_at, out_at, returned_at, completed_at, ended_at, refunded_at, updated_at," MARKS
	           " FROM my_booking WHERE code = $1 AND customer_id = $2", code, customer_id)) {
		add_rest(db, b, customer_id);
		return MY_FOUND;
	}
	return is_on_its_way(db, code, customer_id) ? MY_PREPARING : MY_UNKNOWN;
}

/* --- how fresh ------------------------------------------------------------------------------------------------------ */

void
my_fresh(struct db *db, int64_t now, struct my_fresh *f)
{
	int64_t at = db_int(db, "SELECT event_id FROM position WHERE consumer = 'mypage'");

	f->n_behind = consumer_lag(db, &mypage_consumer);
	f->as_of = now;
	if (f->n_behind > 0)
		f->as_of = db_int(db, "SELECT recorded_at FROM v_event WHERE event_id = $1", at);
	if (f->n_behind < 0)
		f->n_behind = 0;
}

/*
 * Is the event with this number another one than we took? Each event of a booking we know left its line here, or waits. It is
 * another when the log has lost its end in a power cut and has grown past our position since.
 */
static bool
is_another(struct db *db, int64_t event_id)
{
	const char *type = db_text(db, "SELECT type FROM v_event WHERE event_id = $1", event_id);

	return type && words_find(&customer_event_words, type) >= 0 && db_exists(db,
		"SELECT 1 FROM v_event e WHERE e.event_id = $1"
		" AND (e.type = 'booking.held' OR EXISTS (SELECT 1 FROM my_booking b WHERE b.code = e.subject_id))"
		" AND NOT EXISTS (SELECT 1 FROM my_event m WHERE m.code = e.subject_id AND m.event_id = e.event_id AND m.type = e.type"
		"  AND m.occurred_at = e.occurred_at)"
		" AND NOT EXISTS (SELECT 1 FROM event_retry r WHERE r.consumer = 'mypage' AND r.event_id = e.event_id)", event_id);
}

/* Our position first: while we look, both only grow. */
bool
view_is_ahead(struct db *db)
{
	int64_t at = db_int(db, "SELECT event_id FROM position WHERE consumer = 'mypage'");

	return db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event") < at || is_another(db, at);
}
