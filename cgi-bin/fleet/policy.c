/*
 * policy - what fleet does when others report something.
 *
 * booking has sold the car already when booking.paid arrives; fleet says whether it can really be given: car.reserved, or
 * car.refused when the car is gone, retired or out of service (booking then gives the money back). What it learns is kept as
 * the reservation, which the shown status is made from. Each reaction leaves the same behind when an event comes twice.
 */
#include "fleet.h"

#include "../../lib/clock.h"

const struct db_role fleet_role = { .name = "fleet", .owns = "branch car_model car reservation position event_retry" };

/* What we read of a booking's events, and what we answer. */
struct booking_told {
	const char *code, *plate, *reason;
	int64_t car_id, starts_at, ends_at;
};

static const struct member heard_members[] = {
	SHAPE_TEXT(booking_told, code), SHAPE_INT(booking_told, car_id), SHAPE_TIME(booking_told, starts_at), SHAPE_TIME(booking_told, ends_at),
};
static const struct shape heard_shape = SHAPE(booking_told, heard_members);
static const struct member reserved_members[] = {
	SHAPE_TEXT(booking_told, code), SHAPE_INT(booking_told, car_id), SHAPE_TEXT(booking_told, plate),
	SHAPE_TIME(booking_told, starts_at), SHAPE_TIME(booking_told, ends_at),
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

/* Why the car cannot be given; NULL: it can. */
static const char *
why_not(struct db *db, const struct booking_told *b)
{
	const char *service = db_text(db, "SELECT service FROM car WHERE car_id = $1", b->car_id);

	switch (words_find(&service_words, service)) {
	case IN_SERVICE:     return NULL;
	case OUT_OF_SERVICE: return "out_of_service";
	case RETIRED:        return "retired";
	}
	return "gone";
}

static void
reserve(struct db *db, const struct booking_told *b)
{
	db_do(db,
		"INSERT INTO reservation (booking_code, car_id, starts_at, ends_at, state, changed_at) VALUES ($1, $2, $3, $4, 'RESERVED', $5)",
		b->code, b->car_id, b->starts_at, b->ends_at, clock_now());
}

static bool
fleet_on_booking_paid(struct db *db, const struct event *e)
{
	struct booking_told b = { .code = NULL };

	if (!event_read(db_memory(db), e, &heard_shape, &b) || !b.code)
		return false;
	if (is_answered(db, b.code))
		return true;
	b.reason = why_not(db, &b);
	if (b.reason) {
		answer(db, e, "car.refused", &refused_shape, &b);
		return true;
	}
	reserve(db, &b);
	b.plate = db_text(db, "SELECT plate FROM car WHERE car_id = $1", b.car_id);
	answer(db, e, "car.reserved", &reserved_shape, &b);
	return true;
}

/* --- what ends a reservation -------------------------------------------------------------------------------------- */

/* Cancelled, rejected, nobody came: the car is not needed, told once. A refused booking has no reservation to release. */
static bool
fleet_on_booking_over(struct db *db, const struct event *e)
{
	struct booking_told b = { .code = NULL };

	if (!event_read(db_memory(db), e, &heard_shape, &b) || !b.code)
		return false;
	if (db_do(db, "UPDATE reservation SET state = 'RELEASED', changed_at = $2 WHERE booking_code = $1 AND state IN ('RESERVED', 'OUT')",
	          b.code, clock_now()) == 1) {
		b.car_id = db_int(db, "SELECT car_id FROM reservation WHERE booking_code = $1", b.code);
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
	{ "booking.paid",             fleet_on_booking_paid },
	{ "booking.cancel_requested", fleet_on_booking_over },
	{ "booking.cancelled",        fleet_on_booking_over },
	{ "booking.rejected",         fleet_on_booking_over },
	{ "booking.no_show",          fleet_on_booking_over },
	{ "booking.handed_out",       fleet_on_booking_handed_out },
	{ "booking.returned",         fleet_on_booking_returned },
	{ 0 },
};

const struct consumer fleet_consumer = { .name = "fleet", .role = &fleet_role, .policy = policies };
