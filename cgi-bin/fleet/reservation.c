/*
 * reservation - what fleet keeps of the bookings of its cars; a car's status is made from it.
 *
 * booking has sold the cars before booking.paid arrives; fleet answers whether they can be given. Several cars of one
 * booking are reserved together or not at all: one answer, and a row for each car. Each function has the same effect
 * when it is called twice.
 */
#include "fleet.h"

#include "lib/base/clock.h"

/* --- a paid booking ----------------------------------------------------------------------------------------------- */

/* The answer is in the log, or not yet given. */
static bool
is_answered(struct db *db, const char *code)
{
	return db_exists(
		db, "SELECT 1 FROM v_event WHERE subject_id = $1 AND type IN ('car.reserved', 'car.refused')", code);
}

/* Why a car cannot be given; NULL: it can. */
static const char *
refusal_reason(struct db *db, int64_t car_id)
{
	const char *service = db_text(db, "SELECT service FROM car WHERE car_id = $1", car_id);

	switch (words_find(&service_words, service)) {
	case SERVICE_IN_SERVICE: return NULL;
	case SERVICE_OUT_OF_SERVICE: return "out_of_service";
	case SERVICE_RETIRED: return "retired";
	}
	return "gone";
}

/* The first of the cars that cannot be given, and why; false: all can. */
static bool
is_refused(struct db *db, const struct reservation *r, struct reservation *refusal)
{
	*refusal = *r;
	refusal->reason = refusal_reason(db, r->car_id);
	for (int i = 0; i < r->n_more_cars && !refusal->reason; i++) {
		refusal->car_id = r->more_cars[i].car_id;
		refusal->reason = refusal_reason(db, refusal->car_id);
	}
	return refusal->reason != NULL;
}

static void
reserve_car(struct db *db, const struct reservation *r, int64_t car_id)
{
	db_do(db,
		"INSERT INTO reservation (booking_code, car_id, starts_at, ends_at, state, changed_at)"
		" VALUES ($1, $2, $3, $4, 'RESERVED', $5)",
		r->code, car_id, r->starts_at, r->ends_at, clock_now());
}

void
reservation_make(struct db *db, struct reservation *r, int64_t causation_id)
{
	struct reservation refusal;

	if (is_answered(db, r->code))
		return;
	if (is_refused(db, r, &refusal)) {
		fleet_report_reservation(db, EVENT_CAR_REFUSED, &refusal, causation_id);
		return;
	}
	reserve_car(db, r, r->car_id);
	for (int i = 0; i < r->n_more_cars; i++)
		reserve_car(db, r, r->more_cars[i].car_id);
	r->n_cars = 1 + r->n_more_cars;
	r->plate = db_text(db, "SELECT plate FROM car WHERE car_id = $1", r->car_id);
	fleet_report_reservation(db, EVENT_CAR_RESERVED, r, causation_id);
}

/* --- hand-over and end -------------------------------------------------------------------------------------------- */

void
reservation_release(struct db *db, struct reservation *r, int64_t causation_id)
{
	if (!db_do(db,
		    "UPDATE reservation SET state = 'RELEASED', changed_at = $2 WHERE booking_code = $1"
		    " AND state IN ('RESERVED', 'OUT')",
		    r->code, clock_now()))
		return;
	if (!r->car_id)
		r->car_id = db_int(db, "SELECT MIN(car_id) FROM reservation WHERE booking_code = $1", r->code);
	fleet_report_reservation(db, EVENT_CAR_RELEASED, r, causation_id);
}

void
reservation_hand_out(struct db *db, const char *code)
{
	db_do(db,
		"UPDATE reservation SET state = 'OUT', changed_at = $2 WHERE booking_code = $1 AND state = 'RESERVED'",
		code, clock_now());
}

void
reservation_end(struct db *db, const char *code)
{
	db_do(db,
		"UPDATE reservation SET state = 'ENDED', changed_at = $2 WHERE booking_code = $1"
		" AND state IN ('RESERVED', 'OUT')",
		code, clock_now());
}
