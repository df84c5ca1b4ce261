/* order - an order's row: writing, finding and listing orders. What happens to one is in place.c and steps.c. */
#include "equipment_inside.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/proc.h"

static const struct member equipment_order_members[] = {
	SHAPE_INT(equipment_order, order_id), SHAPE_TEXT(equipment_order, code),
	SHAPE_STATE(equipment_order, state, equipment_state_words), SHAPE_TEXT(equipment_order, booking_code),
	SHAPE_INT(equipment_order, line_no), SHAPE_INT(equipment_order, customer_id),
	SHAPE_INT(equipment_order, item_id), SHAPE_TEXT(equipment_order, item_name),
	SHAPE_TEXT(equipment_order, item_name_ko), SHAPE_TEXT(equipment_order, category),
	SHAPE_INT(equipment_order, quantity), SHAPE_TIME(equipment_order, starts_at),
	SHAPE_TIME(equipment_order, ends_at), SHAPE_AMOUNT(equipment_order, daily_price),
	SHAPE_AMOUNT(equipment_order, amount), SHAPE_TEXT(equipment_order, currency), SHAPE_INT(equipment_order, taken),
	SHAPE_INT(equipment_order, lost), SHAPE_TEXT(equipment_order, end_reason),
	SHAPE_TIME(equipment_order, ordered_at), SHAPE_TIME(equipment_order, approved_at),
	SHAPE_TIME(equipment_order, handed_out_at), SHAPE_TIME(equipment_order, returned_at),
	SHAPE_TIME(equipment_order, ended_at), SHAPE_BOOL(equipment_order, is_late), SHAPE_BOOL(equipment_order, lacks),
	SHAPE_TEXT(equipment_order, customer_name), SHAPE_TEXT(equipment_order, label),
	SHAPE_TIME(equipment_order, asked_at),
};
#define N_JSON 26
const struct shape equipment_order_shape = SHAPE(equipment_order, equipment_order_members);
const struct shape equipment_order_json_shape = {
	.name = "equipment_order", .size = sizeof(struct equipment_order), .member = equipment_order_members,
		.n = N_JSON,
};

/* --- finding ------------------------------------------------------------------------------------------------------ */

#define ORDER_COLUMNS \
	"o.order_id, o.code, o.booking_code, o.line_no, o.customer_id, o.item_id, o.item_name, o.item_name_ko," \
	" i.category, o.quantity," \
	" o.starts_at, o.ends_at, o.daily_price, o.amount, o.currency, o.state, o.taken, o.lost, o.end_reason," \
	" o.ordered_at, o.asked_at," \
	" o.approved_at, o.handed_out_at, o.returned_at, o.ended_at, COALESCE(u.name, '') AS customer_name"
#define ORDER_FROM \
	" FROM equipment_order o JOIN item i ON i.item_id = o.item_id LEFT JOIN v_user u ON u.user_id = o.customer_id"

static void
complete_order(struct equipment_order *o)
{
	o->label = lang_pick(lang_now(), o->item_name, o->item_name_ko);
	o->is_late = o->state == EQUIPMENT_HANDED_OUT && o->ends_at < clock_now();
	o->lacks = o->state == EQUIPMENT_APPROVED && o->taken < o->quantity;
}

static bool
if_found(struct equipment_order *o, bool found)
{
	if (!found)
		return false;
	complete_order(o);
	log_subject(equipment_subject(o));
	return true;
}

bool
equipment_find(struct db *db, int64_t order_id, int64_t customer_id, struct equipment_order *o)
{
	*o = (struct equipment_order){ .order_id = 0 };
	return if_found(o,
		db_one(db, &equipment_order_shape, o,
			"SELECT " ORDER_COLUMNS ORDER_FROM " WHERE o.order_id = $1 AND ($2 = 0 OR o.customer_id = $2)",
			order_id, customer_id));
}

bool
equipment_find_code(struct db *db, const char *code, int64_t customer_id, struct equipment_order *o)
{
	return equipment_find(
		db, db_int(db, "SELECT order_id FROM equipment_order WHERE code = $1", code), customer_id, o);
}

bool
order_reload(struct db *db, struct equipment_order *o)
{
	return equipment_find(db, o->order_id, 0, o);
}

int
orders_of_booking(struct db *db, const char *booking_code, struct equipment_order **orders)
{
	int n = 0;

	return db_list(db, &equipment_order_shape, orders, &n,
		"SELECT order_id FROM equipment_order WHERE booking_code = $1 AND booking_code <> '' ORDER BY line_no",
		booking_code);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

void
order_insert(struct db *db, struct equipment_order *o, const char *request_key, const char *request_hash,
	int64_t causation_id)
{
	o->order_id = db_int(db,
		"INSERT INTO equipment_order (code, booking_code, line_no, customer_id, item_id, item_name,"
		" item_name_ko, quantity, starts_at, ends_at,"
		" daily_price, amount, currency, state, ordered_at, asked_at, request_key, request_hash,"
		" asked_by)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'ORDERED', $14, $15, $16, $17, $18)"
		" RETURNING order_id",
		o->code, o->booking_code, o->line_no, o->customer_id, o->item_id, o->item_name, o->item_name_ko,
		o->quantity, o->starts_at, o->ends_at, o->daily_price, o->amount, o->currency, clock_now(), o->asked_at,
		request_key, request_hash, o->asked_at ? proc_stamp(db_memory(db)) : "");
	order_reload(db, o);
	if (!o->asked_at)
		order_report(db, o, ENDED_BY_NONE, causation_id, causation_id ? 0 : o->customer_id);
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static const struct word orders_view_word[] = {
	[ORDERS_ALL]      = { "all",      N_("All orders") },
	[ORDERS_HAND_OUT] = { "hand-out", N_("To hand out today") },
	[ORDERS_DUE]      = { "due",      N_("Due back today") },
	[ORDERS_LATE]     = { "late",     N_("Overdue") },
	[ORDERS_OUT]      = { "out",      N_("With customers") },
	[ORDERS_WAITING]  = { "waiting",  N_("Waiting for approval") },
};
const struct words orders_view_words = WORDS(orders_view_word);

/* $1 view, $2 state or '', $3 pattern, $4 customer (0: all), $5 item (0: any), $6 today, $7 tomorrow, $8 now. Earlier
 * orders that were not collected yet are listed with today's. */
#define WANTED \
	ORDER_FROM \
	" WHERE ($4 = 0 OR o.customer_id = $4) AND ($5 = 0 OR o.item_id = $5) AND ($2 = '' OR o.state = $2)" \
	" AND ($3 = '%' OR lower(o.code) LIKE $3 ESCAPE '\\' OR lower(o.item_name) LIKE $3 ESCAPE '\\' OR" \
	" lower(o.item_name_ko) LIKE $3 ESCAPE '\\'" \
	"  OR u.email LIKE $3 ESCAPE '\\' OR lower(u.name) LIKE $3 ESCAPE '\\')" \
	" AND ($1 = 'all'" \
	"  OR ($1 = 'hand-out' AND o.state = 'APPROVED' AND o.starts_at < $7)" \
	"  OR ($1 = 'due' AND o.state = 'HANDED_OUT' AND o.ends_at >= $6 AND o.ends_at < $7)" \
	"  OR ($1 = 'late' AND o.state = 'HANDED_OUT' AND o.ends_at < $8)" \
	"  OR ($1 = 'out' AND o.state = 'HANDED_OUT')" \
	"  OR ($1 = 'waiting' AND o.state = 'ORDERED')) /*scan*/ /*sort*/"
#define VALUES(q) \
	words_code(&orders_view_words, (q)->view), words_code(&equipment_state_words, (q)->state), \
		db_contains(db, (q)->text), (q)->customer_id, \
	(q)->item_id, (q)->today, (q)->tomorrow, (q)->now

int64_t
orders_count(struct db *db, const struct orders_query *q)
{
	return db_int(db, "SELECT COUNT(*)" WANTED, VALUES(q));
}

/* Views of things to do are by time, the others newest first. */
int
orders_list(struct db *db, const struct orders_query *q, int64_t offset, int64_t limit, struct equipment_order **orders,
	int *n)
{
	if (q->view == ORDERS_ALL || q->view == ORDERS_WAITING)
		db_list(db, &equipment_order_shape, orders, n,
			"SELECT " ORDER_COLUMNS WANTED " ORDER BY o.order_id DESC LIMIT $9 OFFSET $10", VALUES(q),
			limit, offset);
	else if (q->view == ORDERS_HAND_OUT)
		db_list(db, &equipment_order_shape, orders, n,
			"SELECT " ORDER_COLUMNS WANTED " ORDER BY o.starts_at, o.order_id LIMIT $9 OFFSET $10",
			VALUES(q), limit, offset);
	else
		db_list(db, &equipment_order_shape, orders, n,
			"SELECT " ORDER_COLUMNS WANTED " ORDER BY o.ends_at, o.order_id LIMIT $9 OFFSET $10", VALUES(q),
			limit, offset);
	for (int i = 0; i < *n; i++)
		complete_order(&(*orders)[i]);
	return *n;
}

int
item_orders(struct db *db, int64_t item_id, int limit, struct equipment_order **orders, int *n)
{
	db_list(db, &equipment_order_shape, orders, n,
		"SELECT " ORDER_COLUMNS ORDER_FROM
		" WHERE o.item_id = $1 AND o.state IN ('ORDERED', 'APPROVED', 'HANDED_OUT')"
		" ORDER BY o.starts_at, o.order_id LIMIT $2 /*sort*/",
		item_id, limit);
	for (int i = 0; i < *n; i++)
		complete_order(&(*orders)[i]);
	return *n;
}
