/* extras - what goes with a booking: its deliveries, its equipment and the messages about it. */
#include "mypage.h"

static const struct member delivery_members[] = {
	SHAPE_INT(my_delivery, delivery_id), SHAPE_STATE(my_delivery, direction, my_direction_words),
	SHAPE_STATE(my_delivery, state, my_delivery_words), SHAPE_TEXT(my_delivery, zone),
	SHAPE_TIME(my_delivery, window_from), SHAPE_TIME(my_delivery, window_to), SHAPE_TEXT(my_delivery, courier_name),
	SHAPE_INT(my_delivery, odometer_km), SHAPE_INT(my_delivery, fuel_percent), SHAPE_TEXT(my_delivery, received_by),
	SHAPE_TEXT(my_delivery, reason), SHAPE_TEXT(my_delivery, ended_by), SHAPE_TIME(my_delivery, requested_at),
	SHAPE_TIME(my_delivery, scheduled_at), SHAPE_TIME(my_delivery, shipped_at),
	SHAPE_TIME(my_delivery, delivered_at), SHAPE_TIME(my_delivery, ended_at),
};
const struct shape my_delivery_shape = SHAPE(my_delivery, delivery_members);

static const struct member order_members[] = {
	SHAPE_TEXT(my_order, order_code), SHAPE_STATE(my_order, state, equipment_state_words),
	SHAPE_TEXT(my_order, booking_code), SHAPE_INT(my_order, line_no), SHAPE_INT(my_order, item_id),
	SHAPE_TEXT(my_order, item_name), SHAPE_TEXT(my_order, item_name_ko), SHAPE_TEXT(my_order, category),
	SHAPE_INT(my_order, quantity), SHAPE_TIME(my_order, starts_at), SHAPE_TIME(my_order, ends_at),
	SHAPE_AMOUNT(my_order, amount), SHAPE_TEXT(my_order, currency), SHAPE_TEXT(my_order, reason),
	SHAPE_TEXT(my_order, ended_by), SHAPE_INT(my_order, lost), SHAPE_TIME(my_order, ordered_at),
	SHAPE_TIME(my_order, approved_at), SHAPE_TIME(my_order, handed_out_at), SHAPE_TIME(my_order, returned_at),
	SHAPE_TIME(my_order, ended_at),
};
const struct shape my_order_shape = SHAPE(my_order, order_members);

static const struct member message_members[] = {
	SHAPE_INT(my_message, message_id), SHAPE_TEXT(my_message, kind),
	SHAPE_STATE(my_message, state, my_message_words), SHAPE_TEXT(my_message, channel), SHAPE_INT(my_message, tries),
	SHAPE_TIME(my_message, updated_at),
};
const struct shape my_message_shape = SHAPE(my_message, message_members);

/* The courier's name is read from v_user, the receiver's from v_delivery. */
int
my_deliveries(struct db *db, const char *code, struct my_delivery **deliveries)
{
	int n = 0;

	return db_list(db, &my_delivery_shape, deliveries, &n,
		"SELECT d.delivery_id, d.direction, d.state, d.zone, d.window_from, d.window_to, d.odometer_km,"
		" d.fuel_percent, d.reason, d.ended_by,"
		" d.requested_at, d.scheduled_at, d.shipped_at, d.delivered_at, d.ended_at,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = d.courier_id), '') AS courier_name,"
		" COALESCE((SELECT j.received_by FROM v_delivery j WHERE j.delivery_id = d.delivery_id"
		" AND d.state = 'DELIVERED'), '')"
		"  AS received_by FROM my_delivery d WHERE d.code = $1 ORDER BY d.delivery_id",
		code);
}

#define ORDERS \
	"SELECT order_code, state, booking_code, line_no, item_id, item_name, item_name_ko, category, quantity," \
	" starts_at, ends_at," \
	" amount, currency, reason, ended_by, lost, ordered_at, approved_at, handed_out_at, returned_at, ended_at" \
	" FROM my_order"

int
my_orders(struct db *db, const char *code, struct my_order **orders)
{
	int n = 0;

	return db_list(db, &my_order_shape, orders, &n,
		ORDERS " WHERE booking_code = $1 AND booking_code <> '' ORDER BY line_no", code);
}

int
my_messages(struct db *db, const char *about, int64_t recipient_id, int64_t limit, struct my_message **messages)
{
	int n = 0;

	return db_list(db, &my_message_shape, messages, &n,
		"SELECT message_id, kind, state, channel, tries, updated_at FROM my_message WHERE about = $1"
		" AND recipient_id = $2"
		" ORDER BY message_id DESC LIMIT $3",
		about, recipient_id, limit);
}

int64_t
my_orders_alone_count(struct db *db, int64_t customer_id)
{
	return db_int(
		db, "SELECT COUNT(*) FROM my_order WHERE customer_id = $1 AND length(booking_code) = 0", customer_id);
}

int
my_orders_alone(struct db *db, int64_t customer_id, int64_t offset, int64_t limit, struct my_order **orders)
{
	int n = 0;

	return db_list(db, &my_order_shape, orders, &n,
		ORDERS " WHERE customer_id = $1 AND length(booking_code) = 0 ORDER BY starts_at DESC, order_code DESC"
		       " LIMIT $2 OFFSET $3",
		customer_id, limit, offset);
}
