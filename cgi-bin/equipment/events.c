/* events - what equipment reports, and the tables it may write. */
#include "equipment_inside.h"

#include "domain/choices.h"
#include "domain/event_types.h"

const struct db_role equipment_role = { .name = "equipment",
	.owns = "item equipment_order stock_entry position event_retry" };

static const struct word ended_by_word[] = {
	[ENDED_BY_CUSTOMER] = { "customer", "customer" },
	[ENDED_BY_MANAGER]  = { "manager",  "manager" },
	[ENDED_BY_BOOKING]  = { "booking",  "booking" },
	[ENDED_BY_NONE]     = { "nobody",   "nobody" },
};
const struct words ended_by_words = WORDS(ended_by_word);

/* --- of an order -------------------------------------------------------------------------------------------------- */

struct order_payload {
	const char *order_code, *booking_code, *item_name, *item_name_ko, *category, *currency, *reason, *note,
		*review_mode, *by;
	int64_t line_no, customer_id, item_id, quantity, starts_at, ends_at, amount, lost;
};
#define ORDER_MEMBERS \
	SHAPE_TEXT(order_payload, order_code), SHAPE_TEXT(order_payload, booking_code), \
	SHAPE_INT(order_payload, line_no), \
	SHAPE_INT(order_payload, customer_id), SHAPE_INT(order_payload, item_id), \
	SHAPE_TEXT(order_payload, item_name), \
	SHAPE_TEXT(order_payload, item_name_ko), SHAPE_INT(order_payload, quantity)
static const struct member ordered_members[] = {
	ORDER_MEMBERS, SHAPE_TEXT(order_payload, category), SHAPE_TIME(order_payload, starts_at),
	SHAPE_TIME(order_payload, ends_at), SHAPE_AMOUNT(order_payload, amount), SHAPE_TEXT(order_payload, currency),
	SHAPE_TEXT(order_payload, review_mode),
};
static const struct member approved_members[] = { ORDER_MEMBERS };
static const struct member rejected_members[] = {
	ORDER_MEMBERS, SHAPE_TEXT(order_payload, reason), SHAPE_TEXT(order_payload, note),
};
static const struct member cancelled_members[] = {
	ORDER_MEMBERS, SHAPE_TEXT(order_payload, reason), SHAPE_TEXT(order_payload, by),
};
static const struct member moved_members[] = { ORDER_MEMBERS, SHAPE_INT(order_payload, lost) };
static const struct shape ordered_shape = SHAPE(order_payload, ordered_members),
	approved_shape = SHAPE(order_payload, approved_members),
	rejected_shape = SHAPE(order_payload, rejected_members),
		cancelled_shape = SHAPE(order_payload, cancelled_members),
	moved_shape = SHAPE(order_payload, moved_members);

static const struct { enum event_type_id type; const struct shape *shape; } order_events[] = {
	[EQUIPMENT_ORDERED]    = { EVENT_EQUIPMENT_ORDERED,    &ordered_shape },
	[EQUIPMENT_APPROVED]   = { EVENT_EQUIPMENT_APPROVED,   &approved_shape },
	[EQUIPMENT_HANDED_OUT] = { EVENT_EQUIPMENT_HANDED_OUT, &moved_shape },
	[EQUIPMENT_RETURNED]   = { EVENT_EQUIPMENT_RETURNED,   &moved_shape },
	[EQUIPMENT_REJECTED]   = { EVENT_EQUIPMENT_REJECTED,   &rejected_shape },
	[EQUIPMENT_CANCELLED]  = { EVENT_EQUIPMENT_CANCELLED,  &cancelled_shape },
};

const char *
equipment_subject(const struct equipment_order *o)
{
	return *o->booking_code ? o->booking_code : o->code;
}

/* A rejection's end_reason is what the reviewer typed; the other reasons are codes. */
void
order_report(struct db *db, const struct equipment_order *o, enum ended_by by, int64_t causation_id, int64_t actor_id)
{
	bool is_rejected = o->state == EQUIPMENT_REJECTED;
	struct order_payload p = {
		.order_code = o->code,
		.booking_code = o->booking_code,
		.item_name = o->item_name,
		.item_name_ko = o->item_name_ko,
		.category = o->category,
		.currency = o->currency,
		.reason = is_rejected ? "rejected" : o->end_reason,
		.note = o->end_reason,
		.by = words_code(&ended_by_words, (int)by),
		.review_mode = category_is_sync(o->category) ? "sync" : "async",
		.line_no = o->line_no,
		.customer_id = o->customer_id,
		.item_id = o->item_id,
		.quantity = o->quantity,
		.starts_at = o->starts_at,
		.ends_at = o->ends_at,
		.amount = o->amount,
		.lost = o->lost,
	};

	event_report(db, order_events[o->state].type,
		&(struct event){
			.subject_id = equipment_subject(o),
			.causation_id = causation_id,
			.actor_id = actor_id,
		},
		order_events[o->state].shape, &p);
}

/* --- of an item and its stock ------------------------------------------------------------------------------------- */

static const struct member registered_members[] = {
	SHAPE_INT(item, item_id), SHAPE_TEXT(item, name), SHAPE_TEXT(item, name_ko), SHAPE_TEXT(item, category),
	SHAPE_AMOUNT(item, daily_price), SHAPE_BOOL(item, is_offered),
};
static const struct member low_members[] = {
	SHAPE_INT(item, item_id), SHAPE_TEXT(item, name), SHAPE_TEXT(item, name_ko), SHAPE_INT(item, stock),
	SHAPE_INT(item, low_stock),
};
static const struct shape registered_shape = SHAPE(item, registered_members), low_shape = SHAPE(item, low_members);

struct stock_payload {
	const char *order_code;
	int64_t item_id, quantity, stock;
	int kind;
};
static const struct member stock_payload_members[] = {
	SHAPE_INT(stock_payload, item_id), SHAPE_STATE(stock_payload, kind, stock_kind_words),
	SHAPE_INT(stock_payload, quantity), SHAPE_INT(stock_payload, stock), SHAPE_TEXT(stock_payload, order_code),
};
static const struct shape stock_payload_shape = SHAPE(stock_payload, stock_payload_members);

static const char *
item_subject(struct db *db, int64_t item_id)
{
	return arena_printf(db_memory(db), "item:%lld", (long long)item_id);
}

static void
item_report(
	struct db *db, enum event_type_id type, const struct item *item, const struct shape *shape, int64_t actor_id)
{
	event_report(db, type, &(struct event){ .subject_id = item_subject(db, item->item_id), .actor_id = actor_id },
		shape, item);
}

void
item_report_registered(struct db *db, const struct item *item, int64_t actor_id)
{
	item_report(db, EVENT_EQUIPMENT_REGISTERED, item, &registered_shape, actor_id);
}

void
item_report_modified(struct db *db, const struct item *item, int64_t actor_id)
{
	item_report(db, EVENT_EQUIPMENT_MODIFIED, item, &registered_shape, actor_id);
}

void
stock_report_low(struct db *db, const struct item *item)
{
	item_report(db, EVENT_STOCK_LOW, item, &low_shape, 0);
}

void
stock_report(struct db *db, const struct stock_move *m, int64_t balance)
{
	struct stock_payload p = {
		.item_id = m->item_id,
		.kind = m->kind,
		.quantity = m->quantity,
		.stock = balance,
		.order_code = text_or_empty(m->order_code),
	};

	event_report(db, EVENT_STOCK_CHANGED,
		&(struct event){
			.subject_id = item_subject(db, m->item_id),
			.causation_id = m->causation_id,
			.actor_id = m->actor_id,
		},
		&stock_payload_shape, &p);
}
