/*
 * policy - what equipment does when others report something, and what each of its own events says (docs/events.md).
 *
 * A booking's equipment was promised in booking's own transaction; here it becomes an order for each kind, which then goes the same way
 * as one that was ordered alone. Whatever ends the booking ends them, and their pieces come back. Each reaction leaves the same behind
 * when an event comes twice, and nothing when its order has ended otherwise.
 */
#include "equipment.h"
#include "equipment_steps.h"

#include "domain/event_types.h"
#include "domain/choices.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <string.h>

const struct db_role equipment_role = { .name = "equipment", .owns = "item equipment_order stock_entry position event_retry" };

/* --- what our events say: of an order ------------------------------------------------------------------------------------ */

struct order_event {
	const char *order_code, *booking_code, *item_name, *item_name_ko, *category, *currency, *reason, *review_mode, *by;
	int64_t line_no, customer_id, item_id, quantity, starts_at, ends_at, amount, lost;
};
#define WHICH_ORDER \
	SHAPE_TEXT(order_event, order_code), SHAPE_TEXT(order_event, booking_code), SHAPE_INT(order_event, line_no), \
	SHAPE_INT(order_event, customer_id), SHAPE_INT(order_event, item_id), SHAPE_TEXT(order_event, item_name), \
	SHAPE_TEXT(order_event, item_name_ko), SHAPE_INT(order_event, quantity)
static const struct member ordered_members[] = {
	WHICH_ORDER, SHAPE_TEXT(order_event, category), SHAPE_TIME(order_event, starts_at), SHAPE_TIME(order_event, ends_at),
	SHAPE_AMOUNT(order_event, amount), SHAPE_TEXT(order_event, currency), SHAPE_TEXT(order_event, review_mode),
};
static const struct member approved_members[] = { WHICH_ORDER };
static const struct member rejected_members[] = { WHICH_ORDER, SHAPE_TEXT(order_event, reason) };
static const struct member cancelled_members[] = { WHICH_ORDER, SHAPE_TEXT(order_event, reason), SHAPE_TEXT(order_event, by) };
static const struct member moved_members[] = { WHICH_ORDER, SHAPE_INT(order_event, lost) };
static const struct shape ordered_shape = SHAPE(order_event, ordered_members), approved_shape = SHAPE(order_event, approved_members),
	rejected_shape = SHAPE(order_event, rejected_members), cancelled_shape = SHAPE(order_event, cancelled_members),
	moved_shape = SHAPE(order_event, moved_members);

static const struct { const char *type; const struct shape *shape; } says[] = {
	{ "equipment.ordered", &ordered_shape },
	{ "equipment.approved", &approved_shape },
	{ "equipment.rejected", &rejected_shape },
	{ "equipment.cancelled", &cancelled_shape },
	{ "equipment.handed_out", &moved_shape },
	{ "equipment.returned", &moved_shape },
};

const char *
equipment_subject(const struct equipment_order *o)
{
	return *o->booking_code ? o->booking_code : o->code;
}

void
equipment_emit(struct db *db, const struct equipment_order *o, const char *type, enum ended_by by, int64_t causation_id, int64_t actor_id)
{
	struct event e = { .type = type, .subject_id = equipment_subject(o), .causation_id = causation_id, .actor_id = actor_id };
	struct order_event said = {
		.order_code = o->code, .booking_code = o->booking_code, .item_name = o->item_name, .item_name_ko = o->item_name_ko,
		.category = o->category, .currency = o->currency, .reason = o->end_reason, .by = words_code(&ended_by_words, (int)by),
		.review_mode = category_is_sync(o->category) ? "sync" : "async", .line_no = o->line_no, .customer_id = o->customer_id,
		.item_id = o->item_id, .quantity = o->quantity, .starts_at = o->starts_at, .ends_at = o->ends_at, .amount = o->amount, .lost = o->lost,
	};

	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		if (strcmp(says[i].type, type) == 0)
			event_emit(db, &e, says[i].shape, &said);
}

/* --- … of an item and its stock --------------------------------------------------------------------------------------------- */

static const struct member registered_members[] = {
	SHAPE_INT(item, item_id), SHAPE_TEXT(item, name), SHAPE_TEXT(item, name_ko), SHAPE_TEXT(item, category), SHAPE_AMOUNT(item, daily_price),
	SHAPE_BOOL(item, is_offered),
};
static const struct member low_members[] = {
	SHAPE_INT(item, item_id), SHAPE_TEXT(item, name), SHAPE_TEXT(item, name_ko), SHAPE_INT(item, stock), SHAPE_INT(item, low_stock),
};
static const struct shape registered_shape = SHAPE(item, registered_members), low_shape = SHAPE(item, low_members);

struct stock_event {
	const char *order_code;
	int64_t item_id, quantity, stock;
	int kind;
};
static const struct member stock_members[] = {
	SHAPE_INT(stock_event, item_id), SHAPE_STATE(stock_event, kind, stock_kind_words), SHAPE_INT(stock_event, quantity),
	SHAPE_INT(stock_event, stock), SHAPE_TEXT(stock_event, order_code),
};
static const struct shape stock_shape = SHAPE(stock_event, stock_members);

static const char *
item_subject(struct db *db, int64_t item_id)
{
	return arena_printf(db_memory(db), "item:%lld", (long long)item_id);
}

void
item_emit(struct db *db, const struct item *item, const char *type, int64_t actor_id)
{
	event_emit(db, &(struct event){ .type = type, .subject_id = item_subject(db, item->item_id), .actor_id = actor_id }, &registered_shape, item);
}

void
stock_emit(struct db *db, const struct stock_move *m, int64_t balance)
{
	struct stock_event said = {
		.item_id = m->item_id, .kind = m->kind, .quantity = m->quantity, .stock = balance, .order_code = m->order_code ? m->order_code : "",
	};

	event_emit(db, &(struct event){
		.type = "stock.changed", .subject_id = item_subject(db, m->item_id), .causation_id = m->causation_id, .actor_id = m->actor_id,
	}, &stock_shape, &said);
}

void
stock_emit_low(struct db *db, const struct item *item)
{
	event_emit(db, &(struct event){ .type = "stock.low", .subject_id = item_subject(db, item->item_id) }, &low_shape, item);
}

/* --- a booking with equipment is paid ------------------------------------------------------------------------------------------ */

struct extra_told {
	const char *kind;
	int64_t line_no, ref_id, quantity, amount;
};
static const struct member extra_members[] = {
	SHAPE_TEXT(extra_told, kind), SHAPE_INT(extra_told, line_no), SHAPE_INT(extra_told, ref_id), SHAPE_INT(extra_told, quantity),
	SHAPE_AMOUNT(extra_told, amount),
};
static const struct shape extra_shape = SHAPE(extra_told, extra_members);
struct paid_told {
	const char *code, *currency;
	int64_t customer_id, starts_at, ends_at;
	struct extra_told *extras;
	int n_extras;
};
static const struct member paid_members[] = {
	SHAPE_TEXT(paid_told, code), SHAPE_TEXT(paid_told, currency), SHAPE_INT(paid_told, customer_id), SHAPE_TIME(paid_told, starts_at),
	SHAPE_TIME(paid_told, ends_at), SHAPE_LIST(paid_told, extras, extra_shape),
};
static const struct shape paid_shape = SHAPE(paid_told, paid_members);

/* What was paid for a piece and a day, as booking has frozen it. */
static int64_t
price_paid(const struct paid_told *p, const struct extra_told *x)
{
	int64_t pieces_and_days = x->quantity * equipment_days(p->starts_at, p->ends_at);

	return pieces_and_days > 0 ? x->amount / pieces_and_days : 0;
}

static bool
order_for(struct db *db, const struct paid_told *p, const struct extra_told *x, int64_t causation_id)
{
	struct equipment_order o;
	struct item item;

	if (db_exists(db, "SELECT 1 FROM equipment_order WHERE booking_code = $1 AND line_no = $2 AND booking_code <> ''", p->code, x->line_no))
		return true;
	if (!item_find(db, x->ref_id, &item))
		return false;
	o = (struct equipment_order){
		.code = arena_printf(db_memory(db), "%s-%lld", p->code, (long long)x->line_no), .booking_code = p->code, .line_no = x->line_no,
		.customer_id = p->customer_id, .item_id = item.item_id, .item_name = item.name, .item_name_ko = item.name_ko, .quantity = x->quantity,
		.starts_at = p->starts_at, .ends_at = p->ends_at, .daily_price = price_paid(p, x), .amount = x->amount, .currency = p->currency,
	};
	equipment_write(db, &o, "", "", causation_id);
	equipment_heed_review(db, &o, causation_id);
	return true;
}

static bool
equipment_on_booking_paid(struct db *db, const struct event *e)
{
	struct paid_told p = { .code = "", .currency = "" };

	if (!event_read(db_memory(db), e, &paid_shape, &p))
		return false;
	for (int i = 0; i < p.n_extras; i++)
		if (p.extras[i].kind && strcmp(p.extras[i].kind, "equipment") == 0 && !order_for(db, &p, &p.extras[i], e->event_id))
			return false;
	return true;
}

/* --- what becomes of it, and of them --------------------------------------------------------------------------------------------- */

/* All orders of the event's booking. */
static int
orders_of(struct db *db, const struct event *e, struct equipment_order **orders)
{
	int n = 0;

	return db_list(db, &equipment_order_shape, orders, &n,
		"SELECT order_id FROM equipment_order WHERE booking_code = $1 AND booking_code <> '' ORDER BY line_no", e->subject_id);
}

/* Cancelled, rejected, expired, nobody came: nobody needs them any more. What is out with the car comes back with it. */
static bool
equipment_on_booking_over(struct db *db, const struct event *e)
{
	struct equipment_order *orders = NULL;
	int n = orders_of(db, e, &orders);

	for (int i = 0; i < n; i++)
		equipment_end(db, &orders[i], ENDED_BY_BOOKING, "booking", e->event_id, 0);
	return true;
}

/* What is not in the house goes later, by a manager's hand. */
static bool
equipment_on_booking_handed_out(struct db *db, const struct event *e)
{
	struct equipment_order *orders = NULL;
	int n = orders_of(db, e, &orders);

	for (int i = 0; i < n; i++)
		if (!equipment_hand_out(db, &orders[i], e->event_id, 0) && orders[i].state == EQUIPMENT_APPROVED)
			log_warn("not_handed_out", "%s: not enough units in stock", orders[i].code);
	return true;
}

/* The desk says what was lost before it takes the car back; else all is there. What was paid for and never given is our doing, so it is refunded. */
static bool
equipment_on_booking_returned(struct db *db, const struct event *e)
{
	struct equipment_order *orders = NULL;
	int n = orders_of(db, e, &orders);

	for (int i = 0; i < n; i++)
		if (!equipment_take_back(db, &orders[i], 0, e->event_id, 0))
			equipment_end(db, &orders[i], ENDED_BY_MANAGER, "not_handed_out", e->event_id, 0);
	return true;
}

/* --- review has decided --------------------------------------------------------------------------------------------------------- */

struct review_told { const char *key, *kind, *reason, *note; };
static const struct member review_members[] = {
	SHAPE_TEXT(review_told, key), SHAPE_TEXT(review_told, kind), SHAPE_TEXT(review_told, reason),
	SHAPE_TEXT(review_told, note),
};
static const struct shape review_shape = SHAPE(review_told, review_members);

/* The order a case is about. false: none of ours, or we have not heard of it yet (then equipment_heed_review() will). */
static bool
order_of_case(struct db *db, const struct event *e, struct review_told *r, struct equipment_order *o)
{
	*r = (struct review_told){ .reason = "" };
	return event_read(db_memory(db), e, &review_shape, r) && r->key && equipment_find_code(db, r->key, 0, o);
}

static bool
equipment_on_review_approved(struct db *db, const struct event *e)
{
	struct equipment_order o;
	struct review_told r;

	if (order_of_case(db, e, &r, &o))
		equipment_approve(db, &o, e->event_id);
	return true;
}

static bool
equipment_on_review_rejected(struct db *db, const struct event *e)
{
	struct equipment_order o;
	struct review_told r;

	if (order_of_case(db, e, &r, &o))
		equipment_reject(db, &o, r.note && *r.note ? r.note : r.reason, e->event_id);
	return true;
}

/* A case that a person's cancelling has closed, and that person's worker died before it could write so: it is finished here. */
static bool
equipment_on_review_cancelled(struct db *db, const struct event *e)
{
	struct equipment_order o;
	struct review_told r;
	int by;

	if (!order_of_case(db, e, &r, &o) || o.asked_at)
		return true;
	by = words_find(&ended_by_words, r.reason);
	if (by == ENDED_BY_CUSTOMER || by == ENDED_BY_MANAGER)
		equipment_end(db, &o, (enum ended_by)by, r.reason, e->event_id, 0);
	return true;
}

static const struct policy policies[] = {
	ON(BOOKING_PAID, equipment_on_booking_paid),
	ON(BOOKING_CANCEL_REQUESTED, equipment_on_booking_over),
	ON(BOOKING_CANCELLED, equipment_on_booking_over),
	ON(BOOKING_REJECTED, equipment_on_booking_over),
	ON(BOOKING_EXPIRED, equipment_on_booking_over),
	ON(BOOKING_NO_SHOW, equipment_on_booking_over),
	ON(BOOKING_HANDED_OUT, equipment_on_booking_handed_out),
	ON(BOOKING_RETURNED, equipment_on_booking_returned),
	ON(REVIEW_APPROVED, equipment_on_review_approved),
	ON(REVIEW_REJECTED, equipment_on_review_rejected),
	ON(REVIEW_CANCELLED, equipment_on_review_cancelled),
	{ 0 },
};

const struct consumer equipment_consumer = {
	.name = "equipment", .role = &equipment_role, .policy = policies, .sweep = equipment_sweep,
};
