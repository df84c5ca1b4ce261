/*
 * policy - what equipment does when bookings and reviews report something.
 *
 * A booking's equipment was promised in booking's own transaction; here it becomes an order for each item, with the
 * same steps as one that was ordered alone. The end of the booking ends them. An event handled twice changes nothing.
 */
#include "equipment_inside.h"

#include "domain/event_types.h"
#include "domain/undo.h"
#include "lib/base/log.h"

#include <string.h>

/* --- a booking ---------------------------------------------------------------------------------------------------- */

struct extra_payload {
	const char *kind;
	int64_t line_no, ref_id, quantity, amount;
};
static const struct member extra_payload_members[] = {
	SHAPE_TEXT(extra_payload, kind), SHAPE_INT(extra_payload, line_no), SHAPE_INT(extra_payload, ref_id),
	SHAPE_INT(extra_payload, quantity), SHAPE_AMOUNT(extra_payload, amount),
};
static const struct shape extra_payload_shape = SHAPE(extra_payload, extra_payload_members);
struct paid_payload {
	const char *code, *currency;
	int64_t customer_id, starts_at, ends_at;
	struct extra_payload *extras;
	int n_extras;
};
static const struct member paid_payload_members[] = {
	SHAPE_TEXT(paid_payload, code), SHAPE_TEXT(paid_payload, currency), SHAPE_INT(paid_payload, customer_id),
	SHAPE_TIME(paid_payload, starts_at), SHAPE_TIME(paid_payload, ends_at),
	SHAPE_LIST(paid_payload, extras, extra_payload_shape),
};
static const struct shape paid_payload_shape = SHAPE(paid_payload, paid_payload_members);

static bool
equipment_on_booking_paid(struct db *db, const struct event *e)
{
	struct paid_payload p = { .code = "", .currency = "" };
	struct equipment_order booking;

	if (!event_read(db_memory(db), e, &paid_payload_shape, &p))
		return false;
	booking = (struct equipment_order){
		.booking_code = p.code,
		.customer_id = p.customer_id,
		.currency = p.currency,
		.starts_at = p.starts_at,
		.ends_at = p.ends_at,
	};
	for (int i = 0; i < p.n_extras; i++) {
		const struct extra_payload *x = &p.extras[i];
		const struct booked_equipment booked = { x->line_no, x->ref_id, x->quantity, x->amount };

		if (strcmp(text_or_empty(x->kind), "equipment") == 0
			&& !order_place_booked(db, &booking, &booked, e->event_id))
			return false;
	}
	return true;
}

/* Cancelled, rejected, expired, not picked up. What is out with the car comes back with it. */
static bool
equipment_on_booking_over(struct db *db, const struct event *e)
{
	struct equipment_order *orders = NULL;
	int n = orders_of_booking(db, e->subject_id, &orders);

	for (int i = 0; i < n; i++)
		order_end(db, &orders[i], ENDED_BY_BOOKING, "booking", e->event_id, 0);
	return true;
}

/* Reported before a no-show could be undone. */
static bool
equipment_on_booking_no_show(struct db *db, const struct event *e)
{
	return !undo_was_final(db, e) || equipment_on_booking_over(db, e);
}

/* What is not in stock is handed out later, by a manager. */
static bool
equipment_on_booking_handed_out(struct db *db, const struct event *e)
{
	struct equipment_order *orders = NULL;
	int n = orders_of_booking(db, e->subject_id, &orders);

	for (int i = 0; i < n; i++)
		if (!equipment_hand_out(db, &orders[i], e->event_id, 0) && orders[i].state == EQUIPMENT_APPROVED)
			log_warn("not_handed_out", "%s: not enough units in stock", orders[i].code);
	return true;
}

/* Losses are entered while the return can be undone; otherwise all pieces are there. What was paid for but never handed
 * out is refunded. */
static bool
equipment_on_booking_completed(struct db *db, const struct event *e)
{
	struct equipment_order *orders = NULL;
	int n = orders_of_booking(db, e->subject_id, &orders);

	for (int i = 0; i < n; i++)
		if (!equipment_take_back(db, &orders[i], 0, e->event_id, 0))
			order_end(db, &orders[i], ENDED_BY_MANAGER, "not_handed_out", e->event_id, 0);
	return true;
}

/* --- a review ----------------------------------------------------------------------------------------------------- */

struct review_payload { const char *key, *kind, *reason, *note; };
static const struct member review_payload_members[] = {
	SHAPE_TEXT(review_payload, key), SHAPE_TEXT(review_payload, kind), SHAPE_TEXT(review_payload, reason),
	SHAPE_TEXT(review_payload, note),
};
static const struct shape review_payload_shape = SHAPE(review_payload, review_payload_members);

/* The order of a case. false: another context's case, or the order is not written yet (order_place_booked() then reads
 * the decision). */
static bool
order_of_case(struct db *db, const struct event *e, struct review_payload *r, struct equipment_order *o)
{
	*r = (struct review_payload){ .reason = "" };
	return event_read(db_memory(db), e, &review_payload_shape, r) && r->key
		&& equipment_find_code(db, r->key, 0, o);
}

static bool
equipment_on_review_approved(struct db *db, const struct event *e)
{
	struct equipment_order o;
	struct review_payload r;

	if (order_of_case(db, e, &r, &o))
		order_approve(db, &o, e->event_id);
	return true;
}

/* Older events have what the reviewer typed in `reason`. */
static bool
equipment_on_review_rejected(struct db *db, const struct event *e)
{
	struct equipment_order o;
	struct review_payload r;

	if (order_of_case(db, e, &r, &o))
		order_reject(db, &o, r.note ? r.note : r.reason, e->event_id);
	return true;
}

/* Review closed the case for a cancellation whose worker died before it wrote the order: the cancellation is completed
 * here. */
static bool
equipment_on_review_cancelled(struct db *db, const struct event *e)
{
	struct equipment_order o;
	struct review_payload r;
	int by;

	if (!order_of_case(db, e, &r, &o) || o.asked_at)
		return true;
	by = words_find(&ended_by_words, r.reason);
	if (by == ENDED_BY_CUSTOMER || by == ENDED_BY_MANAGER)
		order_end(db, &o, (enum ended_by)by, r.reason, e->event_id, 0);
	return true;
}

static const struct policy policies[] = {
	ON(BOOKING_PAID, equipment_on_booking_paid),
	ON(BOOKING_CANCEL_REQUESTED, equipment_on_booking_over),
	ON(BOOKING_CANCELLED, equipment_on_booking_over),
	ON(BOOKING_REJECTED, equipment_on_booking_over),
	ON(BOOKING_EXPIRED, equipment_on_booking_over),
	ON(BOOKING_NO_SHOW, equipment_on_booking_no_show),
	ON(BOOKING_NO_SHOW_FINAL, equipment_on_booking_over),
	ON(BOOKING_HANDED_OUT, equipment_on_booking_handed_out),
	ON(BOOKING_COMPLETED, equipment_on_booking_completed),
	ON(REVIEW_APPROVED, equipment_on_review_approved),
	ON(REVIEW_REJECTED, equipment_on_review_rejected),
	ON(REVIEW_CANCELLED, equipment_on_review_cancelled),
	{ 0 },
};

const struct consumer equipment_consumer = {
	.name = "equipment", .role = &equipment_role, .policy = policies, .sweep = equipment_sweep,
};
