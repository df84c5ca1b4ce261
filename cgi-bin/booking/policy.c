/* policy - what booking does when others report something, and what each of its own events says (docs/events.md). */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"

#include "domain/event_types.h"
#include "lib/base/clock.h"

#include <string.h>

const struct db_role booking_role = {
	.name = "booking",
	.owns = "booking booking_line booking_car booking_extra booking_delivery slot position event_retry",
};

/* --- what our events say ------------------------------------------------------------------------------------------------ */

/* The shapes share struct booking: an event says as much of it as its readers need. */
struct booking_event {
	const char *code, *currency, *reason;
	int64_t customer_id, car_id, starts_at, ends_at, amount, charge_id, refund_due, refunded_amount, n_cars;
	struct booking_car *cars;               /* the second and further ones */
	int n_more_cars;
	struct booking_extra *extras;
	int n_extras;
};
static const struct member paid_extra_members[] = {
	SHAPE_INT(booking_extra, line_no), SHAPE_STATE(booking_extra, kind, extra_kind_words), SHAPE_INT(booking_extra, ref_id),
	SHAPE_INT(booking_extra, quantity), SHAPE_AMOUNT(booking_extra, amount), SHAPE_TEXT(booking_extra, label),
	SHAPE_TEXT(booking_extra, label_ko),
};
static const struct shape paid_extra_shape = SHAPE(booking_extra, paid_extra_members);
static const struct member paid_members[] = {
	SHAPE_TEXT(booking_event, code), SHAPE_INT(booking_event, customer_id), SHAPE_INT(booking_event, car_id),
	SHAPE_TIME(booking_event, starts_at), SHAPE_TIME(booking_event, ends_at), SHAPE_AMOUNT(booking_event, amount),
	SHAPE_TEXT(booking_event, currency), SHAPE_INT(booking_event, charge_id), SHAPE_INT(booking_event, n_cars),
	SHAPE_LIST_AS(booking_event, cars, cars, n_more_cars, booking_car_shape),
	SHAPE_LIST(booking_event, extras, paid_extra_shape),
};
static const struct member ended_members[] = {
	SHAPE_TEXT(booking_event, code), SHAPE_INT(booking_event, customer_id), SHAPE_INT(booking_event, car_id),
	SHAPE_AMOUNT(booking_event, refund_due), SHAPE_AMOUNT(booking_event, refunded_amount), SHAPE_TEXT(booking_event, currency),
	SHAPE_TEXT(booking_event, reason),
};
static const struct member step_members[] = {
	SHAPE_TEXT(booking_event, code), SHAPE_INT(booking_event, customer_id), SHAPE_INT(booking_event, car_id),
	SHAPE_TIME(booking_event, starts_at), SHAPE_TIME(booking_event, ends_at),
};
static const struct shape paid_shape = SHAPE(booking_event, paid_members);
static const struct shape ended_shape = SHAPE(booking_event, ended_members);
static const struct shape step_shape = SHAPE(booking_event, step_members);

static const struct member held_members[] = {
	SHAPE_TEXT(booking, code), SHAPE_INT(booking, customer_id), SHAPE_INT(booking, car_id), SHAPE_TEXT(booking, car_name),
	SHAPE_TEXT(booking, plate), SHAPE_TEXT(booking, body), SHAPE_INT(booking, branch_id), SHAPE_TEXT(booking, branch_name),
	SHAPE_TEXT(booking, branch_name_ko), SHAPE_TIME(booking, starts_at), SHAPE_TIME(booking, ends_at), SHAPE_AMOUNT(booking, amount),
	SHAPE_AMOUNT(booking, vat_amount), SHAPE_TEXT(booking, currency), SHAPE_TIME(booking, hold_until), SHAPE_INT(booking, model_id),
	SHAPE_INT(booking, n_cars), SHAPE_LIST_AS(booking, cars, more_cars, n_more_cars, booking_car_shape),
	SHAPE_LIST(booking, lines, booking_line_shape),
};
static const struct shape held_shape = SHAPE(booking, held_members);

static const struct { const char *type; const struct shape *shape; } says[] = {
	{ "booking.held", &held_shape },
	{ "booking.paid", &paid_shape },
	{ "booking.expired", &ended_shape },
	{ "booking.cancel_requested", &ended_shape },
	{ "booking.cancelled", &ended_shape },
	{ "booking.rejected", &ended_shape },
	{ "booking.refunded", &ended_shape },
};

void
booking_emit(struct db *db, const struct booking *b, const char *type, int64_t causation_id, int64_t actor_id)
{
	struct event e = { .type = type, .subject_id = b->code, .causation_id = causation_id, .actor_id = actor_id };
	struct booking_event said = {
		.code = b->code, .currency = b->currency, .reason = b->end_reason, .customer_id = b->customer_id, .car_id = b->car_id,
		.starts_at = b->starts_at, .ends_at = b->ends_at, .amount = b->amount, .charge_id = b->charge_id,
		.refund_due = b->refund_due, .refunded_amount = b->refunded_amount,
		.n_cars = b->n_cars, .cars = b->more_cars, .n_more_cars = b->n_more_cars,
		.extras = b->extras, .n_extras = b->n_extras,
	};
	const struct shape *shape = &step_shape;

	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		if (strcmp(says[i].type, type) == 0)
			shape = says[i].shape;
	event_emit(db, &e, shape, shape == &held_shape ? (const void *)b : (const void *)&said);
}

/* --- what we do --------------------------------------------------------------------------------------------------------- */

bool
booking_confirm(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	if (!db_do(db, "UPDATE booking SET state = 'CONFIRMED' WHERE booking_id = $1 AND state = 'PAID'", b->booking_id))
		return false;
	b->state = BOOKING_CONFIRMED;
	booking_emit(db, b, "booking.confirmed", causation_id, actor_id);
	return true;
}

bool
booking_reject(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id)
{
	if (!db_do(db,
	           "UPDATE booking SET state = 'REJECTED', end_reason = 'car_refused', ended_at = $2, refund_state = 'PENDING',"
	           " refund_due = amount - (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x WHERE x.booking_id = $1), refund_next_at = $2"
	           " WHERE booking_id = $1 AND state = 'PAID'", b->booking_id, clock_now()))
		return false;
	booking_reload(db, b);
	calendar_release(db, b->booking_id);
	booking_emit(db, b, "booking.rejected", causation_id, actor_id);
	return true;
}

/* What we could only confirm when its time was over, nobody could come for: it is rejected, and no no-show. */
void
booking_reserved(struct db *db, struct booking *b, int64_t causation_id)
{
	if (clock_now() >= b->ends_at)
		booking_reject(db, b, causation_id, 0);
	else
		booking_confirm(db, b, causation_id, 0);
}

/* The car stands ready for the interval: PAID → CONFIRMED. Else cancelled meanwhile, or heard before. */
static bool
booking_on_car_reserved(struct db *db, const struct event *e)
{
	struct booking b;

	if (booking_find(db, e->subject_id, 0, &b))
		booking_reserved(db, &b, e->event_id);
	return true;
}

/* Fleet cannot give the car: the customer gets all the money back (the sweep asks payment). */
static bool
booking_on_car_refused(struct db *db, const struct event *e)
{
	struct booking b;

	if (booking_find(db, e->subject_id, 0, &b))
		booking_reject(db, &b, e->event_id, 0);
	return true;
}

struct payment_cancelled { int64_t refunded_amount; const char *refund_key; };
static const struct member payment_cancelled_members[] = {
	SHAPE_AMOUNT(payment_cancelled, refunded_amount), SHAPE_TEXT(payment_cancelled, refund_key),
};
static const struct shape payment_cancelled_shape = SHAPE(payment_cancelled, payment_cancelled_members);

/* A refund that payment finished by itself ends the booking, or the extra, that waits for it. */
static bool
booking_on_payment_cancelled(struct db *db, const struct event *e)
{
	struct payment_cancelled p = { 0 };
	struct booking_extra *x;
	struct booking b;

	if (!event_read(db_memory(db), e, &payment_cancelled_shape, &p))
		return false;
	if (!booking_find(db, e->subject_id, 0, &b))
		return true;
	x = booking_extra_of_refund(&b, p.refund_key);
	if (x)
		booking_extra_refunded(db, &b, x, e->event_id);
	else if (b.refund_state == REFUND_PENDING)
		booking_refund_done(db, &b, b.refund_due ? b.refund_due : p.refunded_amount, e->event_id);
	return true;
}

/* Payment has settled that nothing was taken: what waits for that is asked for now, and not after its pause. */
static bool
booking_on_payment_failed(struct db *db, const struct event *e)
{
	db_do(db, "UPDATE booking SET refund_next_at = $2 WHERE code = $1 AND refund_state = 'PENDING' AND refund_next_at > $2",
		e->subject_id, clock_now());
	db_do(db, "UPDATE booking SET ask_next_at = $2 WHERE code = $1 AND state = 'HELD' AND ask_next_at > $2", e->subject_id, clock_now());
	return true;
}

/* --- what was booked with the car --------------------------------------------------------------------------------------- */

struct job_told { const char *direction, *by, *reason; };
static const struct member job_told_members[] = {
	SHAPE_TEXT(job_told, direction), SHAPE_TEXT(job_told, by), SHAPE_TEXT(job_told, reason),
};
static const struct shape job_told_shape = SHAPE(job_told, job_told_members);

static bool
is(const char *said, const char *word)
{
	return said && strcmp(said, word) == 0;
}

/* The courier has handed the keys over, or has taken them back: as at the counter. */
static bool
booking_on_delivery_delivered(struct db *db, const struct event *e)
{
	struct job_told t = { 0 };
	struct booking b;

	if (!event_read(db_memory(db), e, &job_told_shape, &t))
		return false;
	if (!booking_find(db, e->subject_id, 0, &b))
		return true;
	if (is(t.direction, "delivery"))
		booking_keys_given(db, &b, e->event_id, e->actor_id);
	else if (is(t.direction, "collection"))
		booking_keys_back(db, &b, e->event_id, e->actor_id);
	return true;
}

/* The dispatcher does not send anybody: the car waits at the branch, and is not fetched from where it never was. */
static bool
booking_on_delivery_cancelled(struct db *db, const struct event *e)
{
	struct job_told t = { 0 };
	struct booking b;

	if (!event_read(db_memory(db), e, &job_told_shape, &t))
		return false;
	if (!is(t.by, "dispatcher") || !booking_find(db, e->subject_id, 0, &b))
		return true;
	if (is(t.direction, "delivery"))
		booking_extras_end(db, &b, EXTRA_DELIVERY, t.reason ? t.reason : "", e->event_id);
	booking_extras_end(db, &b, EXTRA_COLLECTION, t.reason ? t.reason : "", e->event_id);
	return true;
}

struct order_told { int64_t line_no; const char *booking_code, *by, *reason; };
static const struct member order_told_members[] = {
	SHAPE_INT(order_told, line_no), SHAPE_TEXT(order_told, booking_code), SHAPE_TEXT(order_told, by), SHAPE_TEXT(order_told, reason),
};
static const struct shape order_told_shape = SHAPE(order_told, order_told_members);

/* The order of equipment that came from one of our lines ended, and not because the booking did. */
static bool
booking_on_equipment_ended(struct db *db, const struct event *e)
{
	struct order_told t = { 0 };
	struct booking_extra *x;
	struct booking b;

	if (!event_read(db_memory(db), e, &order_told_shape, &t))
		return false;
	if (is(t.by, "booking") || !is(t.booking_code, e->subject_id) || !booking_find(db, e->subject_id, 0, &b))
		return true;
	x = booking_extra_of_line(&b, t.line_no);
	if (x && x->kind == EXTRA_EQUIPMENT)
		booking_extra_end(db, &b, x, t.reason ? t.reason : "", e->event_id);
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
