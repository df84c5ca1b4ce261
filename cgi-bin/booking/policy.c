/* policy - what booking does when other programs report something. */
#include "booking.h"
#include "booking_steps.h"
#include "custody.h"

#include "lib/base/clock.h"

#include <string.h>

/* --- fleet, payment ----------------------------------------------------------------------------------------------- */

/* PAID → CONFIRMED. Otherwise it was cancelled meanwhile, or this event came before. */
static bool
booking_on_car_reserved(struct db *db, const struct event *e)
{
	struct booking b;

	if (booking_find(db, e->subject_id, 0, &b))
		booking_confirm_or_reject(db, &b, e->event_id);
	return true;
}

/* The customer gets a full refund; the sweep asks payment for it. */
static bool
booking_on_car_refused(struct db *db, const struct event *e)
{
	struct booking b;

	if (booking_find(db, e->subject_id, 0, &b))
		booking_reject(db, &b, e->event_id, 0);
	return true;
}

struct payment_cancelled { int64_t refunded_amount, charge_id; const char *refund_key; };
static const struct member payment_cancelled_members[] = {
	SHAPE_AMOUNT(payment_cancelled, refunded_amount), SHAPE_TEXT(payment_cancelled, refund_key),
	SHAPE_INT(payment_cancelled, charge_id),
};
static const struct shape payment_cancelled_shape = SHAPE(payment_cancelled, payment_cancelled_members);

static void
retry_refund(struct db *db, const char *code)
{
	db_do(db,
		"UPDATE booking SET refund_next_at = $2 WHERE code = $1 AND refund_state = 'PENDING'"
		" AND refund_next_at > $2",
		code, clock_now());
}

/* A refund that was pending is done: of the booking, of one of its extras, or of a part. */
static bool
booking_on_payment_cancelled(struct db *db, const struct event *e)
{
	struct payment_cancelled p = { 0 };
	struct booking_extra *x;
	struct part_refund *part;
	struct booking b;

	if (!event_read(db_memory(db), e, &payment_cancelled_shape, &p))
		return false;
	if (!booking_find(db, e->subject_id, 0, &b))
		return true;
	if (b.charge_id && p.charge_id && p.charge_id != b.charge_id)
		return true; /* of an earlier try, which was voided */
	x = booking_extra_of_refund(&b, p.refund_key);
	part = booking_part_of_refund(&b, p.refund_key);
	if (!x && !part && b.state == BOOKING_EXPIRED && b.try_no > 1)
		retry_refund(db, b.code); /* one of its tries is voided; the others are asked about */
	else if (x)
		booking_extra_refund_done(db, &b, x, e->event_id);
	else if (part)
		booking_part_refund_done(db, &b, part, e->event_id);
	else if (b.refund_state == REFUND_PENDING)
		booking_refund_done(db, &b, b.refund_due ? b.refund_due : p.refunded_amount, e->event_id);
	return true;
}

/* Nothing was charged: what waits for this outcome is asked for now instead of after its pause. */
static bool
booking_on_payment_failed(struct db *db, const struct event *e)
{
	retry_refund(db, e->subject_id);
	db_do(db, "UPDATE booking SET ask_next_at = $2 WHERE code = $1 AND state = 'HELD' AND ask_next_at > $2",
		e->subject_id, clock_now());
	return true;
}

/* --- delivery, equipment ------------------------------------------------------------------------------------------ */

struct extra_event { int64_t line_no; const char *direction, *booking_code, *by, *reason, *note; };
static const struct member extra_event_members[] = {
	SHAPE_INT(extra_event, line_no), SHAPE_TEXT(extra_event, direction), SHAPE_TEXT(extra_event, booking_code),
	SHAPE_TEXT(extra_event, by), SHAPE_TEXT(extra_event, reason), SHAPE_TEXT(extra_event, note),
};
static const struct shape extra_event_shape = SHAPE(extra_event, extra_event_members);

static bool
read_extra_event(struct db *db, const struct event *e, struct extra_event *x)
{
	*x = (struct extra_event){ 0 };
	if (!event_read(db_memory(db), e, &extra_event_shape, x))
		return false;
	x->direction = text_or_empty(x->direction);
	x->booking_code = text_or_empty(x->booking_code);
	x->by = text_or_empty(x->by);
	x->reason = text_or_empty(x->reason);
	return true;
}

/* What a person typed. Events from before there was `note` have it in `reason`, and no code. */
static const char *
note_of(const struct extra_event *x)
{
	return x->note ? x->note : x->reason;
}

static const char *
code_of(const struct extra_event *x, const char *usual)
{
	return x->note && *x->reason ? x->reason : usual;
}

/* The courier has handed the car over to the customer, no matter who had it in our record. */
static void
hand_over_reported(struct db *db, struct booking *b, const struct event *e)
{
	if (b->state != BOOKING_CONFIRMED)
		return;
	custody_end(db, b, CUSTODY_STAFF, "handed_on");
	custody_take_over(db, b);
	booking_mark_out(db, b, e->event_id, e->actor_id);
}

/* The courier has handed the car over, or collected it: as at the counter. */
static bool
booking_on_delivery_delivered(struct db *db, const struct event *e)
{
	struct extra_event x;
	struct booking b;

	if (!read_extra_event(db, e, &x))
		return false;
	if (!booking_find(db, e->subject_id, 0, &b))
		return true;
	if (strcmp(x.direction, "delivery") == 0)
		hand_over_reported(db, &b, e);
	else if (strcmp(x.direction, "collection") == 0)
		booking_mark_returned(db, &b, e->event_id, e->actor_id);
	return true;
}

/* The dispatcher has cancelled it: the car waits at the branch. Without a delivery there is no collection either. */
static bool
booking_on_delivery_cancelled(struct db *db, const struct event *e)
{
	struct extra_event x;
	struct booking b;

	if (!read_extra_event(db, e, &x))
		return false;
	if (strcmp(x.by, "dispatcher") != 0 || !booking_find(db, e->subject_id, 0, &b))
		return true;
	if (strcmp(x.direction, "delivery") == 0)
		booking_extras_end(db, &b, EXTRA_DELIVERY, code_of(&x, x.by), note_of(&x), e->event_id);
	booking_extras_end(db, &b, EXTRA_COLLECTION, code_of(&x, x.by), note_of(&x), e->event_id);
	return true;
}

/* The extra that an equipment order belongs to. NULL: the order belongs to no booking, or ended because the booking
 * did. */
static struct booking_extra *
extra_of_order(struct db *db, const struct event *e, const struct extra_event *ended, struct booking *b)
{
	struct booking_extra *x;

	if (strcmp(ended->by, "booking") == 0 || strcmp(ended->booking_code, e->subject_id) != 0
		|| !booking_find(db, e->subject_id, 0, b))
		return NULL;
	x = booking_extra_of_line(b, ended->line_no);
	return x && x->kind == EXTRA_EQUIPMENT ? x : NULL;
}

static bool
booking_on_equipment_ended(struct db *db, const struct event *e)
{
	bool is_rejected = strcmp(e->type, event_name_EQUIPMENT_REJECTED) == 0; /* by a person, who gives the reason */
	struct extra_event ended;
	struct booking_extra *x;
	struct booking b;

	if (!read_extra_event(db, e, &ended))
		return false;
	x = extra_of_order(db, e, &ended, &b);
	if (x && is_rejected)
		booking_extra_end(db, &b, x, code_of(&ended, "rejected"), note_of(&ended), e->event_id);
	else if (x)
		booking_extra_end(db, &b, x, ended.reason, text_or_empty(ended.note), e->event_id);
	return true;
}

static const struct policy policies[] = {
	ON(CAR_RESERVED, booking_on_car_reserved),
	ON(CAR_REFUSED, booking_on_car_refused),
	ON(PAYMENT_CANCELLED, booking_on_payment_cancelled),
	ON(PAYMENT_FAILED, booking_on_payment_failed),
	ON(DELIVERY_DELIVERED, booking_on_delivery_delivered),
	ON(DELIVERY_CANCELLED, booking_on_delivery_cancelled),
	ON(EQUIPMENT_REJECTED, booking_on_equipment_ended),
	ON(EQUIPMENT_CANCELLED, booking_on_equipment_ended),
	{ 0 },
};

const struct consumer booking_consumer = {
	.name = "booking", .role = &booking_role, .policy = policies, .sweep = booking_sweep,
};
