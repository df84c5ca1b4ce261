/* job - where jobs come from and how they end. The overview is in delivery.h. */
#include "delivery.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

#include <string.h>

/* --- requested ---------------------------------------------------------------------------------------------------- */

/* What the customer booked (v_booking_delivery). */
struct job_order {
	int64_t customer_id, n_cars, starts_at, ends_at, window_from, window_to;
	const char *code, *booking_state, *car_name, *car_name_ko, *plate, *zone, *address, *place;
	bool collects;
};
static const struct member job_order_members[] = {
	SHAPE_INT(job_order, customer_id), SHAPE_INT(job_order, n_cars), SHAPE_TIME(job_order, starts_at),
	SHAPE_TIME(job_order, ends_at), SHAPE_TIME(job_order, window_from), SHAPE_TIME(job_order, window_to),
	SHAPE_TEXT(job_order, code), SHAPE_TEXT(job_order, booking_state), SHAPE_TEXT_KO(job_order, car_name),
	SHAPE_TEXT(job_order, plate), SHAPE_TEXT(job_order, zone), SHAPE_TEXT(job_order, address),
	SHAPE_TEXT(job_order, place), SHAPE_BOOL(job_order, collects),
};
static const struct shape job_order_shape = SHAPE(job_order, job_order_members);

static bool
find_order(struct db *db, const char *code, struct job_order *b)
{
	return db_one(db, &job_order_shape, b,
		"SELECT code, customer_id, booking_state, car_name, car_name_ko, plate, n_cars, starts_at, ends_at,"
		" zone, address, place,"
		" window_from, window_to, collects FROM v_booking_delivery WHERE code = $1",
		code);
}

static bool
job_exists(struct db *db, const char *code, const char *direction)
{
	return db_exists(db, "SELECT 1 FROM delivery WHERE booking_code = $1 AND direction = $2", code, direction);
}

/* "12가 3456, 34나 5678": all the cars of the booking. */
static const char *
plates_of(struct db *db, const struct job_order *b)
{
	struct buf plates = { .m = db_memory(db) };
	struct rows *r;

	buf_puts(&plates, b->plate);
	r = db_each(db,
		"SELECT c.plate FROM v_booking_car c JOIN v_booking b ON b.booking_id = c.booking_id WHERE b.code = $1"
		" ORDER BY c.car_no",
		b->code);
	while (b->n_cars > 1 && db_next(r))
		buf_printf(&plates, ", %s", row_peek(r, 0));
	db_done(r);
	return plates.s;
}

static void
insert_job(struct db *db, const struct job_order *b, enum delivery_direction direction, int64_t from, int64_t to,
	int64_t causation_id)
{
	struct delivery d;
	int64_t id = db_int(db,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, car_name, plates, zone, address,"
		" place, window_from,"
		" window_to, requested_at, car_name_ko)"
		" VALUES ($1, $2, 'REQUESTED', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING delivery_id",
		b->code, words_code(&delivery_direction_words, (int)direction), b->customer_id, b->car_name,
		plates_of(db, b), b->zone, b->address, b->place, from, to, clock_now(), b->car_name_ko);

	if (delivery_read(db, id, &d))
		delivery_report(db, &d, causation_id, 0);
}

void
job_request(struct db *db, const char *code, int64_t causation_id)
{
	struct job_order b;

	if (!find_order(db, code, &b) || job_exists(db, code, "delivery"))
		return;
	if (strcmp(b.booking_state, "CONFIRMED") != 0) /* reported late: the booking went on without us, or is over */
		return;
	insert_job(db, &b, JOB_DELIVERY, b.window_from, b.window_to, causation_id);
}

/* Its price was refunded with the delivery's, or will be when booking handles our event. */
static bool
collection_has_ended(struct db *db, const char *code)
{
	return db_exists(db,
		       "SELECT 1 FROM v_booking_extra WHERE code = $1 AND kind = 'collection' AND state = 'ENDED'",
		       code)
		|| db_exists(db,
			"SELECT 1 FROM delivery WHERE booking_code = $1 AND state = 'CANCELLED'"
			" AND ended_by = 'dispatcher'",
			code);
}

void
job_request_collection(struct db *db, const char *code, int64_t causation_id)
{
	struct job_order b;

	if (!find_order(db, code, &b) || !b.collects || job_exists(db, code, "collection")
		|| collection_has_ended(db, code))
		return;
	insert_job(db, &b, JOB_COLLECTION, b.ends_at - rental.delivery_window_s, b.ends_at, causation_id);
}

/* --- cancelled ---------------------------------------------------------------------------------------------------- */

bool
job_end(struct db *db, int64_t delivery_id, const char *by, const char *reason, int64_t causation_id, int64_t actor_id)
{
	struct delivery d;

	if (!db_do(db,
		    "UPDATE delivery SET state = 'CANCELLED', ended_at = $2, ended_by = $3, end_reason = $4,"
		    " cancel_at = 0, cancel_by = 0, cancel_reason = ''"
		    " WHERE delivery_id = $1 AND state IN ('REQUESTED', 'SCHEDULED') AND asked_step = ''",
		    delivery_id, clock_now(), by, reason))
		return false;
	if (delivery_read(db, delivery_id, &d))
		delivery_report(db, &d, causation_id, actor_id);
	return true;
}

void
job_not_needed(
	struct db *db, const char *code, enum delivery_direction direction, const char *why, int64_t causation_id)
{
	int64_t id = db_int(db,
		"SELECT delivery_id FROM delivery WHERE booking_code = $1 AND direction = $2"
		" AND state IN ('REQUESTED', 'SCHEDULED')",
		code, words_code(&delivery_direction_words, (int)direction));

	if (id)
		job_end(db, id, "booking", why, causation_id, 0);
}

/* No job was requested yet: the row keeps a late booking.confirmed from making one. Nothing is reported. */
static void
remember_as_cancelled(struct db *db, const char *code, const char *reason)
{
	struct job_order b = { .car_name = "", .car_name_ko = "", .plate = "", .zone = "", .address = "", .place = "" };

	find_order(db, code, &b);
	db_do(db,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, car_name, plates, zone, address,"
		" place, window_from, window_to,"
		" requested_at, ended_at, ended_by, end_reason, car_name_ko)"
		" VALUES ($1, 'delivery', 'CANCELLED', $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, 'customer', $11, $12)",
		code, b.customer_id, b.car_name, b.plate, b.zone, b.address, b.place, b.window_from, b.window_to,
		clock_now(), reason, b.car_name_ko);
}

enum job_cancelled
job_cancel(struct db *db, const char *code, const char *reason)
{
	bool has_left = false;
	int64_t id;

	db_begin(db);
	id = db_int(db,
		"SELECT delivery_id FROM delivery WHERE booking_code = $1 AND direction = 'delivery'"
		" AND state <> 'CANCELLED'",
		code);
	if (id)
		has_left = !job_end(db, id, "customer", reason, 0, 0);
	else if (!job_exists(db, code, "delivery"))
		remember_as_cancelled(db, code, reason);
	db_commit(db);
	return has_left ? JOB_HAS_LEFT : JOB_IS_CANCELLED;
}
