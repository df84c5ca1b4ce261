/*
 * policy_extras - the read models of what goes with a booking: deliveries, equipment, refunds of extras, and messages.
 * Each event names its row by an id or code; a member that is missing changes nothing.
 */
#include "reactions.h"

#include <string.h>

/* --- delivery ----------------------------------------------------------------------------------------------------- */

/* A step back (the courier is removed, or returned without completing the job) clears the times of the later steps. An
 * event without a courier leaves the courier as it is, except delivery.requested. */
static void
write_delivery(
	struct db *db, const struct event *e, const struct view_payload *p, const char *state, const char *reason)
{
	db_do(db,
		"INSERT INTO my_delivery (delivery_id, code, customer_id, direction, state, zone, window_from,"
		" window_to, courier_id, reason,"
		" ended_by, odometer_km, fuel_percent, requested_at, scheduled_at, shipped_at, delivered_at, ended_at,"
		" updated_at, event_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, CASE $5 WHEN 'REQUESTED' THEN $14"
		" ELSE 0 END,"
		"  CASE $5 WHEN 'SCHEDULED' THEN $14 ELSE 0 END, CASE $5 WHEN 'SHIPPED' THEN $14 ELSE 0 END,"
		"  CASE $5 WHEN 'DELIVERED' THEN $14 ELSE 0 END, CASE $5 WHEN 'CANCELLED' THEN $14 ELSE 0 END, $14,"
		" $15)"
		" ON CONFLICT (delivery_id) DO UPDATE SET state = $5, reason = $10, ended_by = $11,"
		" window_from = CASE $7 WHEN 0 THEN my_delivery.window_from ELSE $7 END,"
		" window_to = CASE $8 WHEN 0 THEN my_delivery.window_to ELSE $8 END,"
		" courier_id = CASE WHEN $5 <> 'REQUESTED' AND $9 = 0 THEN my_delivery.courier_id ELSE $9 END,"
		" odometer_km = $12, fuel_percent = $13,"
		" scheduled_at = CASE $5 WHEN 'SCHEDULED' THEN $14 WHEN 'REQUESTED' THEN 0 ELSE"
		" my_delivery.scheduled_at END,"
		" shipped_at = CASE $5 WHEN 'SHIPPED' THEN $14 WHEN 'REQUESTED' THEN 0 WHEN 'SCHEDULED' THEN 0 ELSE"
		" my_delivery.shipped_at END,"
		" delivered_at = CASE $5 WHEN 'DELIVERED' THEN $14 ELSE my_delivery.delivered_at END,"
		" ended_at = CASE $5 WHEN 'CANCELLED' THEN $14 ELSE my_delivery.ended_at END, updated_at = $14,"
		" event_id = $15",
		p->delivery_id, e->subject_id, p->customer_id, *p->direction ? p->direction : "delivery", state,
		p->zone, p->window_from, p->window_to, p->courier_id, reason, p->by, p->odometer_km, p->fuel_percent,
		e->occurred_at, e->event_id);
}

/* A courier's note (delivery.scheduled) is for the staff; why a delivery was cancelled is for the customer. */
bool
mypage_on_delivery(struct db *db, const struct event *e)
{
	const char *state = row_change_of(e)->state, *reason;
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	reason = strcmp(state, "CANCELLED") == 0 ? payload_reason(&p) : p.reason;
	if (p.delivery_id > 0)
		write_delivery(db, e, &p, state, reason);
	return history_add_known(db, e,
		&(struct history_line){
			.reason = reason,
			.courier_id = p.courier_id,
		});
}

/* --- equipment ---------------------------------------------------------------------------------------------------- */

/* "2 × Child seat" */
static const char *
quantity_and_name(struct db *db, const struct view_payload *p, const char *name)
{
	return *name && p->quantity > 0 ? arena_printf(db_memory(db), "%lld × %s", (long long)p->quantity, name) : name;
}

static bool
add_order_line(struct db *db, const struct event *e, const struct view_payload *p)
{
	return history_add_known(db, e,
		&(struct history_line){
			.reason = payload_reason(p),
			.label = quantity_and_name(db, p, p->item_name),
			.label_ko = quantity_and_name(db, p, p->item_name_ko),
		});
}

bool
mypage_on_equipment_ordered(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p) || !*p.order_code)
		return false;
	db_do(db,
		"INSERT INTO my_order (order_code, booking_code, line_no, customer_id, item_id, item_name,"
		" item_name_ko, category, quantity,"
		" starts_at, ends_at, amount, currency, state, ordered_at, updated_at, event_id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'ORDERED', $14, $14, $15)"
		" ON CONFLICT (order_code) DO NOTHING",
		p.order_code, p.booking_code, p.line_no, p.customer_id, p.item_id, p.item_name, p.item_name_ko,
		p.category, p.quantity, p.starts_at, p.ends_at, p.amount, p.currency, e->occurred_at, e->event_id);
	return add_order_line(db, e, &p);
}

/* Approved, rejected, cancelled, handed out, returned. */
bool
mypage_on_equipment_moved(struct db *db, const struct event *e)
{
	const struct row_change *c = row_change_of(e);
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db,
		"UPDATE my_order SET state = $4, updated_at = $2, event_id = $3,"
		" approved_at = CASE $5 WHEN 'approved' THEN $2 ELSE approved_at END,"
		" handed_out_at = CASE $5 WHEN 'handed_out' THEN $2 ELSE handed_out_at END,"
		" returned_at = CASE $5 WHEN 'returned' THEN $2 ELSE returned_at END, lost = CASE $5 WHEN 'returned'"
		" THEN $6 ELSE lost END,"
		" ended_at = CASE $5 WHEN 'ended' THEN $2 ELSE ended_at END, reason = CASE $5 WHEN 'ended' THEN $7 ELSE"
		" reason END,"
		" ended_by = CASE $5 WHEN 'ended' THEN $8 ELSE ended_by END WHERE order_code = $1",
		p.order_code, e->occurred_at, e->event_id, c->state, c->stamp, p.lost, payload_reason(&p), p.by);
	return add_order_line(db, e, &p);
}

/* A reviewer must decide, so approval takes longer. The decision itself is in equipment.approved and .rejected. */
bool
mypage_on_review_assigned(struct db *db, const struct event *e)
{
	struct view_payload p;

	return payload_read(db, e, &p)
		&& history_add_known(db, e, &(struct history_line){ .label = p.title, .label_ko = p.title_ko });
}

/* --- an extra that ended, and its refund -------------------------------------------------------------------------- */

bool
mypage_on_extra_ended(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db,
		"UPDATE my_booking_line SET ended_at = $3, end_reason = $4, refund_due = $5 WHERE code = $1"
		" AND line_no = $2",
		e->subject_id, p.line_no, e->occurred_at, payload_reason(&p), p.refund_due);
	return history_add_known(db, e,
		&(struct history_line){
			.amount = p.refund_due,
			.reason = payload_reason(&p),
			.label = p.label,
			.label_ko = p.label_ko,
		});
}

bool
mypage_on_extra_refunded(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	db_do(db, "UPDATE my_booking_line SET refunded_amount = $3 WHERE code = $1 AND line_no = $2", e->subject_id,
		p.line_no, p.refunded_amount);
	return history_add_known(
		db, e, &(struct history_line){ .amount = p.refunded_amount, .label = p.label, .label_ko = p.label_ko });
}

/* --- messages: subjects of their own, so they add no line to a booking's history ---------------------------------- */

bool
mypage_on_message(struct db *db, const struct event *e)
{
	struct view_payload p;

	if (!payload_read(db, e, &p))
		return false;
	if (p.message_id > 0)
		db_do(db,
			"INSERT INTO my_message (message_id, recipient_id, kind, about, channel, state, tries,"
			" updated_at, event_id)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (message_id) DO UPDATE"
			" SET channel = $5, state = $6, tries = $7,"
			" updated_at = $8, event_id = $9",
			p.message_id, p.recipient_id, p.kind, p.about, p.channel, row_change_of(e)->state, p.tries,
			e->occurred_at, e->event_id);
	return !db_failed(db);
}
