/* booking - a customer's bookings: the list by tabs, and one with all that goes with it. */
#include "mypage.h"

#include "lib/base/json.h"
#include "lib/base/lang.h"

#include <string.h>

/* --- shapes ------------------------------------------------------------------------------------------------------- */

static const struct member event_members[] = {
	SHAPE_STATE(my_event, type, customer_event_words), SHAPE_INT(my_event, event_id),
	SHAPE_TIME(my_event, occurred_at), SHAPE_AMOUNT(my_event, amount), SHAPE_TEXT(my_event, reason),
	SHAPE_TEXT(my_event, label), SHAPE_TEXT(my_event, label_ko),
};
static const struct shape my_event_shape = SHAPE(my_event, event_members);

static const struct member line_members[] = {
	SHAPE_INT(my_line, line_no), SHAPE_STATE(my_line, rule, price_rule_words), SHAPE_INT(my_line, version),
	SHAPE_TEXT(my_line, unit), SHAPE_INT(my_line, quantity), SHAPE_AMOUNT(my_line, unit_amount),
	SHAPE_AMOUNT(my_line, amount), SHAPE_TEXT_KO(my_line, label), SHAPE_TIME(my_line, ended_at),
	SHAPE_TEXT(my_line, end_reason), SHAPE_AMOUNT(my_line, refund_due), SHAPE_AMOUNT(my_line, refunded_amount),
};
static const struct shape my_line_shape = SHAPE(my_line, line_members);

static const struct member car_members[] = {
	SHAPE_INT(my_car, car_id), SHAPE_TEXT_KO(my_car, car_name), SHAPE_TEXT(my_car, plate),
};
static const struct shape my_car_shape = SHAPE(my_car, car_members);

/* What the list and the page of a booking both have. */
#define LISTED_MEMBERS \
	SHAPE_TEXT(my_booking, code), SHAPE_STATE(my_booking, state, booking_state_words), \
	SHAPE_INT(my_booking, car_id), SHAPE_TEXT_KO(my_booking, car_name), SHAPE_TEXT(my_booking, plate), \
	SHAPE_STATE(my_booking, body, body_words), SHAPE_INT(my_booking, branch_id), \
	SHAPE_TEXT_KO(my_booking, branch_name), SHAPE_TIME(my_booking, starts_at), SHAPE_TIME(my_booking, ends_at), \
	SHAPE_AMOUNT(my_booking, amount), SHAPE_AMOUNT(my_booking, vat_amount), SHAPE_TEXT(my_booking, currency), \
	SHAPE_STATE(my_booking, payment_state, my_payment_words), SHAPE_TEXT(my_booking, brand), \
	SHAPE_TEXT(my_booking, last4), SHAPE_AMOUNT(my_booking, refund_due), SHAPE_AMOUNT(my_booking, refunded_amount)

static const struct member listed_members[] = {
	LISTED_MEMBERS,
	SHAPE_INT(my_booking, n_cars), SHAPE_INT(my_booking, n_equipment), SHAPE_BOOL(my_booking, is_brought),
	SHAPE_TIME(my_booking, updated_at),
};
const struct shape my_listed_shape = SHAPE(my_booking, listed_members);

static const struct member booking_members[] = {
	LISTED_MEMBERS,
	SHAPE_TEXT(my_booking, end_reason), SHAPE_TIME(my_booking, hold_until), SHAPE_TIME(my_booking, held_at),
	SHAPE_TIME(my_booking, charged_at), SHAPE_TIME(my_booking, paid_at), SHAPE_TIME(my_booking, confirmed_at),
	SHAPE_TIME(my_booking, out_at), SHAPE_TIME(my_booking, returned_at), SHAPE_TIME(my_booking, completed_at),
	SHAPE_TIME(my_booking, ended_at), SHAPE_TIME(my_booking, undo_until),
	SHAPE_TIME(my_booking, refunded_at), SHAPE_TIME(my_booking, updated_at),
	SHAPE_INT(my_booking, n_cars), SHAPE_INT(my_booking, n_equipment), SHAPE_BOOL(my_booking, is_brought),
	SHAPE_LIST_AS(my_booking, cars, cars, n_further, my_car_shape), SHAPE_LIST(my_booking, lines, my_line_shape),
	SHAPE_LIST(my_booking, deliveries, my_delivery_shape), SHAPE_LIST(my_booking, orders, my_order_shape),
	SHAPE_LIST(my_booking, messages, my_message_shape), SHAPE_LIST(my_booking, events, my_event_shape),
};
const struct shape my_booking_shape = SHAPE(my_booking, booking_members);

/* --- my bookings -------------------------------------------------------------------------------------------------- */

void
my_count(struct db *db, int64_t customer_id, int64_t n[N_MY_TABS])
{
	struct rows *r =
		db_each(db, "SELECT tab, COUNT(*) FROM my_booking WHERE customer_id = $1 GROUP BY tab", customer_id);

	memset(n, 0, sizeof(n[0]) * N_MY_TABS);
	while (db_next(r)) {
		int tab = words_find(&my_tab_words, row_peek(r, 0));

		if (tab >= 0)
			n[tab] = row_int(r, 1);
		n[MY_TAB_ALL] += row_int(r, 1);
	}
}

/* The marks of a booking in the list: cars, pieces of equipment, delivery. */
#define MARKS " n_cars, (SELECT COALESCE(SUM(o.quantity), 0) FROM my_order o WHERE o.booking_code = my_booking.code" \
	" AND o.booking_code <> ''" \
	"  AND o.state NOT IN ('REJECTED', 'CANCELLED')) AS n_equipment," \
	" EXISTS (SELECT 1 FROM my_booking_line l WHERE l.code = my_booking.code AND l.rule = 'delivery'" \
	" AND l.ended_at = 0) AS is_brought"

#define LISTED \
	"SELECT code, state, car_id, car_name, car_name_ko, plate, body, branch_id, branch_name, branch_name_ko," \
	" starts_at, ends_at," \
	" amount, vat_amount, currency, payment_state, brand, last4, refund_due, refunded_amount," \
	" updated_at," MARKS " FROM my_booking"

int
my_list(struct db *db, int64_t customer_id, enum my_tab tab, int64_t offset, int64_t limit,
	struct my_booking **bookings)
{
	int n = 0;

	if (tab == MY_TAB_UPCOMING)
		return db_list(db, &my_booking_shape, bookings, &n,
			LISTED
			" WHERE customer_id = $1 AND tab = 'upcoming' ORDER BY starts_at, code LIMIT $2 OFFSET $3",
			customer_id, limit, offset);
	if (tab == MY_TAB_ALL)
		return db_list(db, &my_booking_shape, bookings, &n,
			LISTED " WHERE customer_id = $1 ORDER BY starts_at DESC, code DESC LIMIT $2 OFFSET $3",
			customer_id, limit, offset);
	return db_list(db, &my_booking_shape, bookings, &n,
		LISTED " WHERE customer_id = $1 AND tab = $2 ORDER BY starts_at DESC, code DESC LIMIT $3 OFFSET $4",
		customer_id, words_code(&my_tab_words, tab), limit, offset);
}

#define LAST_MESSAGES 5

static void
add_rest(struct db *db, struct my_booking *b, int64_t customer_id)
{
	db_list(db, &my_line_shape, &b->lines, &b->n_lines,
		"SELECT line_no, rule, version, unit, quantity, unit_amount, amount, label, label_ko, ended_at,"
		" end_reason, refund_due, refunded_amount"
		" FROM my_booking_line WHERE code = $1 ORDER BY line_no",
		b->code);
	db_list(db, &my_event_shape, &b->events, &b->n_events,
		"SELECT e.type, e.event_id, e.occurred_at, e.amount, e.reason, e.label_ko,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = e.courier_id), e.label) AS label"
		" FROM my_event e WHERE e.code = $1 ORDER BY e.event_id DESC",
		b->code);
	if (b->n_cars > 1)
		db_list(db, &my_car_shape, &b->cars, &b->n_further,
			"SELECT car_id, car_name, car_name_ko, plate FROM my_booking_car WHERE code = $1"
			" ORDER BY car_no",
			b->code);
	b->n_deliveries = my_deliveries(db, b->code, &b->deliveries);
	b->n_orders = my_orders(db, b->code, &b->orders);
	b->n_messages = my_messages(db, b->code, customer_id, LAST_MESSAGES, &b->messages);
}

struct held_payload { int64_t customer_id; };
static const struct member held_payload_members[] = { SHAPE_INT(held_payload, customer_id) };
static const struct shape held_payload_shape = SHAPE(held_payload, held_payload_members);

/* This customer's booking is in the log, and its event is about to be handled here. */
static bool
is_in_the_log(struct db *db, const char *code, int64_t customer_id)
{
	const char *payload = db_text(db,
		"SELECT payload FROM v_event WHERE subject_id = $1 AND type = 'booking.held' ORDER BY event_id LIMIT 1",
		code);
	struct held_payload h = { 0 };

	return payload && json_into(db_memory(db), payload, &held_payload_shape, &h) && h.customer_id == customer_id;
}

enum my_found
my_find(struct db *db, const char *code, int64_t customer_id, struct my_booking *b)
{
	*b = (struct my_booking){ 0 };
	if (db_one(db, &my_booking_shape, b,
		    "SELECT code, state, car_id, car_name, car_name_ko, plate, body, branch_id, branch_name,"
		    " branch_name_ko, starts_at, ends_at,"
		    " amount, vat_amount, currency, payment_state, brand, last4, refund_due, refunded_amount,"
		    " end_reason, hold_until, held_at,"
		    " charged_at, paid_at, confirmed_at, out_at, returned_at, completed_at, ended_at, refunded_at,"
		    " undo_until, updated_at," MARKS " FROM my_booking WHERE code = $1 AND customer_id = $2",
		    code, customer_id)) {
		add_rest(db, b, customer_id);
		return MY_FOUND;
	}
	return is_in_the_log(db, code, customer_id) ? MY_PREPARING : MY_UNKNOWN;
}
