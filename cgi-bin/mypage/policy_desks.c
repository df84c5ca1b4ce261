/*
 * policy_desks - the read models of what goes with a booking: its delivery, its equipment, what became of the extras' money, and the
 * messages that were sent about it. Each event names its row by a number or code of its own; a member that is missing changes nothing.
 */
#include "reactions.h"

#include <string.h>

/* What we read of the payloads (docs/events.md), all in one struct. */
struct desk_news {
	const char *direction, *zone, *reason, *note, *by, *order_code, *booking_code, *item_name, *item_name_ko,
	           *category, *currency, *kind, *about, *channel, *title, *title_ko, *label, *label_ko;
	int64_t customer_id, delivery_id, courier_id, window_from, window_to, odometer_km, fuel_percent, line_no, item_id, quantity,
	        starts_at, ends_at, amount, lost, refund_due, refunded_amount, message_id, recipient_id, tries;
};
static const struct member desk_news_members[] = {
	SHAPE_TEXT(desk_news, direction), SHAPE_TEXT(desk_news, zone), SHAPE_TEXT(desk_news, reason), SHAPE_TEXT(desk_news, note),
	SHAPE_TEXT(desk_news, by), SHAPE_TEXT(desk_news, order_code), SHAPE_TEXT(desk_news, booking_code),
	SHAPE_TEXT(desk_news, item_name), SHAPE_TEXT(desk_news, item_name_ko), SHAPE_TEXT(desk_news, category), SHAPE_TEXT(desk_news, currency),
	SHAPE_TEXT(desk_news, kind), SHAPE_TEXT(desk_news, about), SHAPE_TEXT(desk_news, channel), SHAPE_TEXT(desk_news, title),
	SHAPE_TEXT(desk_news, title_ko), SHAPE_TEXT(desk_news, label), SHAPE_TEXT(desk_news, label_ko), SHAPE_INT(desk_news, customer_id),
	SHAPE_INT(desk_news, delivery_id), SHAPE_INT(desk_news, courier_id), SHAPE_TIME(desk_news, window_from), SHAPE_TIME(desk_news, window_to),
	SHAPE_INT(desk_news, odometer_km), SHAPE_INT(desk_news, fuel_percent), SHAPE_INT(desk_news, line_no), SHAPE_INT(desk_news, item_id),
	SHAPE_INT(desk_news, quantity), SHAPE_TIME(desk_news, starts_at), SHAPE_TIME(desk_news, ends_at), SHAPE_AMOUNT(desk_news, amount),
	SHAPE_INT(desk_news, lost), SHAPE_AMOUNT(desk_news, refund_due), SHAPE_AMOUNT(desk_news, refunded_amount),
	SHAPE_INT(desk_news, message_id), SHAPE_INT(desk_news, recipient_id), SHAPE_INT(desk_news, tries),
};
static const struct shape desk_news_shape = SHAPE(desk_news, desk_news_members);

static bool
read_news(struct db *db, const struct event *e, struct desk_news *n)
{
	*n = (struct desk_news){ 0 };
	if (!event_read(db_memory(db), e, &desk_news_shape, n))
		return false;
	for (size_t i = 0; i < sizeof(desk_news_members) / sizeof(desk_news_members[0]); i++)
		if (desk_news_members[i].kind == KIND_TEXT) {
			const char **text = (const char **)((char *)n + desk_news_members[i].offset);

			*text = *text ? *text : "";
		}
	return true;
}

/* "2 × Child seat", as the history says it. */
static const char *
pieces(struct db *db, const struct desk_news *n, const char *name)
{
	return *name && n->quantity > 0 ? arena_printf(db_memory(db), "%lld × %s", (long long)n->quantity, name) : name;
}

/* --- delivery ------------------------------------------------------------------------------------------------------------ */

/* A step back (the courier is taken off, or came back in vain) takes back when the later ones were reached. */
static void
write_delivery(struct db *db, const struct event *e, const struct desk_news *n, const char *state)
{
	db_do(db,
		"INSERT INTO my_delivery (delivery_id, code, customer_id, direction, state, zone, window_from, window_to, courier_id, reason,"
		" ended_by, odometer_km, fuel_percent, requested_at, scheduled_at, shipped_at, delivered_at, ended_at, updated_at, event_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, CASE $5 WHEN 'REQUESTED' THEN $14 ELSE 0 END,"
		"  CASE $5 WHEN 'SCHEDULED' THEN $14 ELSE 0 END, CASE $5 WHEN 'SHIPPED' THEN $14 ELSE 0 END,"
		"  CASE $5 WHEN 'DELIVERED' THEN $14 ELSE 0 END, CASE $5 WHEN 'CANCELLED' THEN $14 ELSE 0 END, $14, $15)"
		" ON CONFLICT (delivery_id) DO UPDATE SET state = $5, reason = $10, ended_by = $11,"
		" window_from = CASE $7 WHEN 0 THEN my_delivery.window_from ELSE $7 END, window_to = CASE $8 WHEN 0 THEN my_delivery.window_to ELSE $8 END,"
		" courier_id = CASE WHEN $5 <> 'REQUESTED' AND $9 = 0 THEN my_delivery.courier_id ELSE $9 END,"
		" odometer_km = $12, fuel_percent = $13,"
		" scheduled_at = CASE $5 WHEN 'SCHEDULED' THEN $14 WHEN 'REQUESTED' THEN 0 ELSE my_delivery.scheduled_at END,"
		" shipped_at = CASE $5 WHEN 'SHIPPED' THEN $14 WHEN 'REQUESTED' THEN 0 WHEN 'SCHEDULED' THEN 0 ELSE my_delivery.shipped_at END,"
		" delivered_at = CASE $5 WHEN 'DELIVERED' THEN $14 ELSE my_delivery.delivered_at END,"
		" ended_at = CASE $5 WHEN 'CANCELLED' THEN $14 ELSE my_delivery.ended_at END, updated_at = $14, event_id = $15",
		n->delivery_id, e->subject_id, n->customer_id, *n->direction ? n->direction : "delivery", state, n->zone, n->window_from,
		n->window_to, n->courier_id, n->reason, n->by, n->odometer_km, n->fuel_percent, e->occurred_at, e->event_id);
}

static bool
on_delivery(struct db *db, const struct event *e, const char *state)
{
	struct desk_news n;

	if (!read_news(db, e, &n))
		return false;
	if (strcmp(state, "CANCELLED") == 0 && *n.note)         /* the dispatcher's words; in older events they are the reason */
		n.reason = n.note;
	if (n.delivery_id > 0)
		write_delivery(db, e, &n, state);
	return reaction_tell(db, e, &(struct reaction_line){ .reason = n.reason, .courier_id = n.courier_id });
}

bool
mypage_on_delivery_requested(struct db *db, const struct event *e)
{
	return on_delivery(db, e, "REQUESTED");
}

bool
mypage_on_delivery_scheduled(struct db *db, const struct event *e)
{
	return on_delivery(db, e, "SCHEDULED");
}

bool
mypage_on_delivery_shipped(struct db *db, const struct event *e)
{
	return on_delivery(db, e, "SHIPPED");
}

bool
mypage_on_delivery_delivered(struct db *db, const struct event *e)
{
	return on_delivery(db, e, "DELIVERED");
}

bool
mypage_on_delivery_cancelled(struct db *db, const struct event *e)
{
	return on_delivery(db, e, "CANCELLED");
}

/* --- equipment ----------------------------------------------------------------------------------------------------------- */

static bool
tell_order(struct db *db, const struct event *e, const struct desk_news *n)
{
	return reaction_tell(db, e, &(struct reaction_line){
		.reason = n->reason, .label = pieces(db, n, n->item_name), .label_ko = pieces(db, n, n->item_name_ko),
	});
}

bool
mypage_on_equipment_ordered(struct db *db, const struct event *e)
{
	struct desk_news n;

	if (!read_news(db, e, &n) || !*n.order_code)
		return false;
	db_do(db,
		"INSERT INTO my_order (order_code, booking_code, line_no, customer_id, item_id, item_name, item_name_ko, category, quantity,"
		" starts_at, ends_at, amount, currency, state, ordered_at, updated_at, event_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'ORDERED', $14, $14, $15) ON CONFLICT (order_code) DO NOTHING",
		n.order_code, n.booking_code, n.line_no, n.customer_id, n.item_id, n.item_name, n.item_name_ko, n.category, n.quantity,
		n.starts_at, n.ends_at, n.amount, n.currency, e->occurred_at, e->event_id);
	return tell_order(db, e, &n);
}

bool
mypage_on_equipment_approved(struct db *db, const struct event *e)
{
	struct desk_news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db, "UPDATE my_order SET state = 'APPROVED', approved_at = $2, updated_at = $2, event_id = $3 WHERE order_code = $1",
		n.order_code, e->occurred_at, e->event_id);
	return tell_order(db, e, &n);
}

static bool
on_order_ended(struct db *db, const struct event *e, const char *state)
{
	struct desk_news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db,
		"UPDATE my_order SET state = $2, reason = $3, ended_by = $4, ended_at = $5, updated_at = $5, event_id = $6 WHERE order_code = $1",
		n.order_code, state, n.reason, n.by, e->occurred_at, e->event_id);
	return tell_order(db, e, &n);
}

bool
mypage_on_equipment_rejected(struct db *db, const struct event *e)
{
	return on_order_ended(db, e, "REJECTED");
}

bool
mypage_on_equipment_cancelled(struct db *db, const struct event *e)
{
	return on_order_ended(db, e, "CANCELLED");
}

bool
mypage_on_equipment_handed_out(struct db *db, const struct event *e)
{
	struct desk_news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db, "UPDATE my_order SET state = 'HANDED_OUT', handed_out_at = $2, updated_at = $2, event_id = $3 WHERE order_code = $1",
		n.order_code, e->occurred_at, e->event_id);
	return tell_order(db, e, &n);
}

bool
mypage_on_equipment_returned(struct db *db, const struct event *e)
{
	struct desk_news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db, "UPDATE my_order SET state = 'RETURNED', returned_at = $2, lost = $4, updated_at = $2, event_id = $3 WHERE order_code = $1",
		n.order_code, e->occurred_at, e->event_id, n.lost);
	return tell_order(db, e, &n);
}

/* A person must decide: the customer sees that it takes longer. What was decided is told by equipment.approved and .rejected. */
bool
mypage_on_review_assigned(struct db *db, const struct event *e)
{
	struct desk_news n;

	return read_news(db, e, &n) && reaction_tell(db, e, &(struct reaction_line){ .label = n.title, .label_ko = n.title_ko });
}

/* --- an extra that will not be had, and its money -------------------------------------------------------------------------- */

bool
mypage_on_extra_ended(struct db *db, const struct event *e)
{
	struct desk_news n;
	const char *why;

	if (!read_news(db, e, &n))
		return false;
	why = *n.note ? n.note : n.reason;      /* events from before there was `note` have the words in `reason` */
	db_do(db, "UPDATE my_booking_line SET ended_at = $3, end_reason = $4, refund_due = $5 WHERE code = $1 AND line_no = $2",
		e->subject_id, n.line_no, e->occurred_at, why, n.refund_due);
	return reaction_tell(db, e, &(struct reaction_line){ .amount = n.refund_due, .reason = why, .label = n.label, .label_ko = n.label_ko });
}

bool
mypage_on_extra_refunded(struct db *db, const struct event *e)
{
	struct desk_news n;

	if (!read_news(db, e, &n))
		return false;
	db_do(db, "UPDATE my_booking_line SET refunded_amount = $3 WHERE code = $1 AND line_no = $2", e->subject_id, n.line_no, n.refunded_amount);
	return reaction_tell(db, e, &(struct reaction_line){ .amount = n.refunded_amount, .label = n.label, .label_ko = n.label_ko });
}

/* --- messages: subjects of their own, so they leave no line in a booking's history; they are shown beside it ------------------ */

static bool
on_message(struct db *db, const struct event *e, const char *state)
{
	struct desk_news n;

	if (!read_news(db, e, &n))
		return false;
	if (n.message_id > 0)
		db_do(db,
			"INSERT INTO my_message (message_id, recipient_id, kind, about, channel, state, tries, updated_at, event_id)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (message_id) DO UPDATE SET channel = $5, state = $6, tries = $7,"
			" updated_at = $8, event_id = $9",
			n.message_id, n.recipient_id, n.kind, n.about, n.channel, state, n.tries, e->occurred_at, e->event_id);
	return !db_failed(db);
}

bool
mypage_on_message_sent(struct db *db, const struct event *e)
{
	return on_message(db, e, "SENT");
}

bool
mypage_on_message_dead(struct db *db, const struct event *e)
{
	return on_message(db, e, "DEAD");
}
