/*
 * policy - what fleet does when others report something.
 *
 * booking has sold the car already when booking.paid arrives; fleet says whether it can really be given: car.reserved, or
 * car.refused when the car is gone, retired or out of service (booking then gives the money back). What it learns is kept as
 * the reservation, which the shown status is made from. Each reaction leaves the same behind when an event comes twice.
 *
 * Several cars of one booking are given together or not at all: one answer for all of them, a reservation for each.
 */
#include "fleet.h"

#include "domain/event_types.h"
#include "lib/base/clock.h"

const struct db_role fleet_role = { .name = "fleet", .owns = "branch car_model car reservation position event_retry" };

/* What we read of a booking's events, and what we answer. */
struct told_car { int64_t car_id; };
static const struct member told_car_members[] = { SHAPE_INT(told_car, car_id) };
static const struct shape told_car_shape = SHAPE(told_car, told_car_members);

struct booking_told {
	const char *code, *plate, *reason;
	int64_t car_id, starts_at, ends_at, n_cars;
	struct told_car *cars;                  /* the second and further ones */
	int n_more_cars;
};

static const struct member heard_members[] = {
	SHAPE_TEXT(booking_told, code), SHAPE_INT(booking_told, car_id), SHAPE_TIME(booking_told, starts_at), SHAPE_TIME(booking_told, ends_at),
	SHAPE_LIST_AS(booking_told, cars, cars, n_more_cars, told_car_shape),
};
static const struct shape heard_shape = SHAPE(booking_told, heard_members);
static const struct member reserved_members[] = {
	SHAPE_TEXT(booking_told, code), SHAPE_INT(booking_told, car_id), SHAPE_TEXT(booking_told, plate),
	SHAPE_TIME(booking_told, starts_at), SHAPE_TIME(booking_told, ends_at), SHAPE_INT(booking_told, n_cars),
};
static const struct shape reserved_shape = SHAPE(booking_told, reserved_members);
static const struct member refused_members[] = {
	SHAPE_TEXT(booking_told, code), SHAPE_INT(booking_told, car_id), SHAPE_TEXT(booking_told, reason),
};
static const struct shape refused_shape = SHAPE(booking_told, refused_members);
static const struct member released_members[] = { SHAPE_TEXT(booking_told, code), SHAPE_INT(booking_told, car_id) };
static const struct shape released_shape = SHAPE(booking_told, released_members);

static void
answer(struct db *db, const struct event *e, const char *type, const struct shape *shape, const struct booking_told *b)
{
	const struct event reply = { .type = type, .subject_id = b->code, .causation_id = e->event_id };

	event_emit(db, &reply, shape, b);
}

/* --- booking.paid ------------------------------------------------------------------------------------------------- */

/* Answered means: the answer is in the log. */
static bool
is_answered(struct db *db, const char *code)
{
	return db_exists(db, "SELECT 1 FROM v_event WHERE subject_id = $1 AND type IN ('car.reserved', 'car.refused')", code);
}

/* Why a car cannot be given; NULL: it can. */
static const char *
why_not(struct db *db, int64_t car_id)
{
	const char *service = db_text(db, "SELECT service FROM car WHERE car_id = $1", car_id);

	switch (words_find(&service_words, service)) {
	case SERVICE_IN_SERVICE:     return NULL;
	case SERVICE_OUT_OF_SERVICE: return "out_of_service";
	case SERVICE_RETIRED:        return "retired";
	}
	return "gone";
}

/* The first of its cars that cannot be given, and why; false: all can. */
static bool
is_refused(struct db *db, const struct booking_told *b, struct booking_told *refusal)
{
	*refusal = *b;
	refusal->reason = why_not(db, b->car_id);
	for (int i = 0; i < b->n_more_cars && !refusal->reason; i++) {
		refusal->car_id = b->cars[i].car_id;
		refusal->reason = why_not(db, refusal->car_id);
	}
	return refusal->reason != NULL;
}

static void
reserve(struct db *db, const struct booking_told *b, int64_t car_id)
{
	db_do(db,
		"INSERT INTO reservation (booking_code, car_id, starts_at, ends_at, state, changed_at) VALUES ($1, $2, $3, $4, 'RESERVED', $5)",
		b->code, car_id, b->starts_at, b->ends_at, clock_now());
}

static void
reserve_all(struct db *db, const struct booking_told *b)
{
	reserve(db, b, b->car_id);
	for (int i = 0; i < b->n_more_cars; i++)
		reserve(db, b, b->cars[i].car_id);
}

static bool
fleet_on_booking_paid(struct db *db, const struct event *e)
{
	struct booking_told b = { .code = NULL }, refusal;

	if (!event_read(db_memory(db), e, &heard_shape, &b) || !b.code)
		return false;
	if (is_answered(db, b.code))
		return true;
	if (is_refused(db, &b, &refusal)) {
		answer(db, e, "car.refused", &refused_shape, &refusal);
		return true;
	}
	reserve_all(db, &b);
	b.n_cars = 1 + b.n_more_cars;
	b.plate = db_text(db, "SELECT plate FROM car WHERE car_id = $1", b.car_id);
	answer(db, e, "car.reserved", &reserved_shape, &b);
	return true;
}

/* --- what ends a reservation -------------------------------------------------------------------------------------- */

/* Cancelled, rejected, nobody came: the cars are not needed, told once. A refused booking has no reservation to release. */
static bool
fleet_on_booking_over(struct db *db, const struct event *e)
{
	struct booking_told b = { .code = NULL };

	if (!event_read(db_memory(db), e, &heard_shape, &b) || !b.code)
		return false;
	if (db_do(db, "UPDATE reservation SET state = 'RELEASED', changed_at = $2 WHERE booking_code = $1 AND state IN ('RESERVED', 'OUT')",
	          b.code, clock_now()) > 0) {
		if (!b.car_id)
			b.car_id = db_int(db, "SELECT MIN(car_id) FROM reservation WHERE booking_code = $1", b.code);
		answer(db, e, "car.released", &released_shape, &b);
	}
	return true;
}

static bool
fleet_on_booking_handed_out(struct db *db, const struct event *e)
{
	db_do(db, "UPDATE reservation SET state = 'OUT', changed_at = $2 WHERE booking_code = $1 AND state = 'RESERVED'",
	      e->subject_id, clock_now());
	return true;
}

static bool
fleet_on_booking_returned(struct db *db, const struct event *e)
{
	db_do(db, "UPDATE reservation SET state = 'ENDED', changed_at = $2 WHERE booking_code = $1 AND state IN ('RESERVED', 'OUT')",
	      e->subject_id, clock_now());
	return true;
}

static const struct policy policies[] = {
	ON(BOOKING_PAID, fleet_on_booking_paid),
	ON(BOOKING_CANCEL_REQUESTED, fleet_on_booking_over),
	ON(BOOKING_CANCELLED, fleet_on_booking_over),
	ON(BOOKING_REJECTED, fleet_on_booking_over),
	ON(BOOKING_NO_SHOW, fleet_on_booking_over),
	ON(BOOKING_HANDED_OUT, fleet_on_booking_handed_out),
	ON(BOOKING_RETURNED, fleet_on_booking_returned),
	{ 0 },
};

const struct consumer fleet_consumer = { .name = "fleet", .role = &fleet_role, .policy = policies };
