/* job - where jobs come from and how they end, and what is told of them. The story is in delivery.h. */
#include "delivery.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct word state_word[] = {
	[JOB_REQUESTED] = { "REQUESTED", N_("Unassigned") },
	[JOB_SCHEDULED] = { "SCHEDULED", N_("Assigned") },
	[JOB_SHIPPED]   = { "SHIPPED",   N_("On the way") },
	[JOB_DELIVERED] = { "DELIVERED", N_("Done") },
	[JOB_CANCELLED] = { "CANCELLED", N_("Cancelled") },
};
const struct words delivery_state_words = WORDS(state_word);

static const struct word direction_word[] = {
	[JOB_DELIVERY]   = { "delivery",   N_("Delivery") },
	[JOB_COLLECTION] = { "collection", N_("Collection") },
};
const struct words delivery_direction_words = WORDS(direction_word);

#define ITS_NUMBERS \
	SHAPE_INT(delivery, delivery_id), SHAPE_TEXT(delivery, code), SHAPE_STATE(delivery, direction, delivery_direction_words)
#define ITS_WINDOW \
	SHAPE_INT(delivery, customer_id), SHAPE_TEXT(delivery, zone), SHAPE_TIME(delivery, window_from), SHAPE_TIME(delivery, window_to)
#define ITS_COURIER SHAPE_INT(delivery, courier_id), SHAPE_TEXT(delivery, courier_name)
#define ITS_HANDOVER \
	SHAPE_INT(delivery, odometer_km), SHAPE_INT(delivery, fuel_percent), SHAPE_TEXT(delivery, received_by)
#define ITS_WAY \
	ITS_NUMBERS, SHAPE_STATE(delivery, state, delivery_state_words), ITS_WINDOW, ITS_COURIER, ITS_HANDOVER, \
	SHAPE_TEXT(delivery, note), SHAPE_TEXT(delivery, customer_name), SHAPE_TEXT(delivery, customer_phone), \
	SHAPE_TEXT_KO(delivery, car_name), SHAPE_TEXT(delivery, plates), SHAPE_TEXT(delivery, address), SHAPE_TEXT(delivery, place), \
	SHAPE_TIME(delivery, requested_at), SHAPE_TIME(delivery, scheduled_at), SHAPE_TIME(delivery, shipped_at), \
	SHAPE_TIME(delivery, delivered_at), SHAPE_TIME(delivery, ended_at), SHAPE_TEXT(delivery, ended_by), \
	SHAPE_TEXT(delivery, end_reason), SHAPE_BOOL(delivery, has_photo), SHAPE_BOOL(delivery, is_late), SHAPE_BOOL(delivery, overlaps)

static const struct member json_members[] = { ITS_WAY };
const struct shape delivery_json_shape = SHAPE(delivery, json_members);
static const struct member page_members[] = {
	ITS_WAY, SHAPE_TEXT(delivery, zone_name), SHAPE_TEXT(delivery, goods), SHAPE_TEXT(delivery, photo), SHAPE_BOOL(delivery, is_open),
};
const struct shape delivery_shape = SHAPE(delivery, page_members);

/* --- what is told: never an address or a telephone number ------------------------------------------------------------ */

static const struct member requested_members[] = { ITS_NUMBERS, ITS_WINDOW };
static const struct member scheduled_members[] = { ITS_NUMBERS, ITS_WINDOW, ITS_COURIER };
static const struct member came_back_members[] = { ITS_NUMBERS, ITS_WINDOW, ITS_COURIER, SHAPE_TEXT(delivery, note) };
static const struct member delivered_members[] = { ITS_NUMBERS, ITS_WINDOW, ITS_COURIER, ITS_HANDOVER };
static const struct shape requested_shape = SHAPE(delivery, requested_members);
static const struct shape scheduled_shape = SHAPE(delivery, scheduled_members);
static const struct shape came_back_shape = SHAPE(delivery, came_back_members);
static const struct shape delivered_shape = SHAPE(delivery, delivered_members);

struct job_ended {
	int64_t delivery_id, customer_id, window_from, window_to, courier_id;
	const char *code, *zone, *courier_name, *reason, *by;
	int direction;
};
static const struct member ended_members[] = {
	SHAPE_INT(job_ended, delivery_id), SHAPE_TEXT(job_ended, code), SHAPE_STATE(job_ended, direction, delivery_direction_words),
	SHAPE_INT(job_ended, customer_id), SHAPE_TEXT(job_ended, zone), SHAPE_TIME(job_ended, window_from),
	SHAPE_TIME(job_ended, window_to), SHAPE_INT(job_ended, courier_id), SHAPE_TEXT(job_ended, courier_name),
	SHAPE_TEXT(job_ended, reason), SHAPE_TEXT(job_ended, by),
};
static const struct shape ended_shape = SHAPE(job_ended, ended_members);

static int64_t
tell_ended(struct db *db, const struct event *e, const struct delivery *d)
{
	const struct job_ended said = {
		.delivery_id = d->delivery_id, .code = d->code, .direction = d->direction, .customer_id = d->customer_id, .zone = d->zone,
		.window_from = d->window_from, .window_to = d->window_to, .courier_id = d->courier_id, .courier_name = d->courier_name,
		.reason = d->end_reason, .by = d->ended_by,
	};

	return event_emit(db, e, &ended_shape, &said);
}

int64_t
job_tell(struct db *db, const struct delivery *d, const char *type, int64_t causation_id, int64_t actor_id)
{
	const struct event e = { .type = type, .subject_id = d->code, .causation_id = causation_id, .actor_id = actor_id };

	switch ((enum delivery_state)d->state) {
	case JOB_REQUESTED: return event_emit(db, &e, &requested_shape, d);
	case JOB_SCHEDULED: return event_emit(db, &e, *d->note ? &came_back_shape : &scheduled_shape, d);
	case JOB_SHIPPED:   return event_emit(db, &e, &scheduled_shape, d);
	case JOB_DELIVERED: return event_emit(db, &e, &delivered_shape, d);
	case JOB_CANCELLED: return tell_ended(db, &e, d);
	}
	return 0;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

bool
job_read(struct db *db, int64_t delivery_id, struct delivery *d)
{
	const struct delivery_actor anybody = { .is_manager = true };

	return delivery_find(db, delivery_id, &anybody, d);
}

bool
job_booking_is_over(struct db *db, const struct delivery *d)
{
	return db_exists(db,
		"SELECT 1 FROM v_booking WHERE code = $1"
		" AND (state IN ('CANCEL_REQUESTED', 'CANCELLED', 'EXPIRED', 'REJECTED', 'NO_SHOW', 'RETURNED', 'COMPLETED')"
		" OR ($2 = 1 AND state = 'OUT'))", d->code, d->direction == JOB_DELIVERY ? 1 : 0);
}

/* --- how they begin -------------------------------------------------------------------------------------------------- */

/* What the customer asked for when he booked. */
struct wish {
	int64_t customer_id, n_cars, starts_at, ends_at, window_from, window_to;
	const char *code, *booking_state, *car_name, *car_name_ko, *plate, *zone, *address, *place;
	bool collects;
};
static const struct member wish_members[] = {
	SHAPE_INT(wish, customer_id), SHAPE_INT(wish, n_cars), SHAPE_TIME(wish, starts_at), SHAPE_TIME(wish, ends_at),
	SHAPE_TIME(wish, window_from), SHAPE_TIME(wish, window_to), SHAPE_TEXT(wish, code), SHAPE_TEXT(wish, booking_state),
	SHAPE_TEXT_KO(wish, car_name), SHAPE_TEXT(wish, plate), SHAPE_TEXT(wish, zone), SHAPE_TEXT(wish, address),
	SHAPE_TEXT(wish, place), SHAPE_BOOL(wish, collects),
};
static const struct shape wish_shape = SHAPE(wish, wish_members);

static bool
wish_of(struct db *db, const char *code, struct wish *wish)
{
	return db_one(db, &wish_shape, wish,
		"SELECT code, customer_id, booking_state, car_name, car_name_ko, plate, n_cars, starts_at, ends_at, zone, address, place,"
		" window_from, window_to, collects FROM v_booking_delivery WHERE code = $1", code);
}

static bool
there_was_one(struct db *db, const char *code, const char *direction)
{
	return db_exists(db, "SELECT 1 FROM delivery WHERE booking_code = $1 AND direction = $2", code, direction);
}

/* "12가 3456, 34나 5678": all the courier has to bring. */
static const char *
plates_of(struct db *db, const struct wish *wish)
{
	struct buf plates = { .m = db_memory(db) };
	struct rows *r;

	buf_puts(&plates, wish->plate);
	r = db_each(db,
		"SELECT c.plate FROM v_booking_car c JOIN v_booking b ON b.booking_id = c.booking_id WHERE b.code = $1 ORDER BY c.car_no", wish->code);
	while (wish->n_cars > 1 && db_next(r))
		buf_printf(&plates, ", %s", row_peek(r, 0));
	db_done(r);
	return plates.s;
}

static void
begin_job(struct db *db, const struct wish *wish, enum delivery_direction direction, int64_t from, int64_t to, int64_t causation_id)
{
	struct delivery d;
	int64_t id = db_int(db,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, car_name, plates, zone, address, place, window_from,"
		" window_to, requested_at, car_name_ko)"
		" VALUES ($1, $2, 'REQUESTED', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING delivery_id",
		wish->code, words_code(&delivery_direction_words, (int)direction), wish->customer_id, wish->car_name, plates_of(db, wish),
		wish->zone, wish->address, wish->place, from, to, clock_now(), wish->car_name_ko);

	if (job_read(db, id, &d))
		job_tell(db, &d, "delivery.requested", causation_id, 0);
}

void
job_request(struct db *db, const char *code, int64_t causation_id)
{
	struct wish wish;

	if (!wish_of(db, code, &wish) || there_was_one(db, code, "delivery"))
		return;
	if (strcmp(wish.booking_state, "CONFIRMED") != 0)       /* we hear of it late: it was fetched at the branch, or is over */
		return;
	begin_job(db, &wish, JOB_DELIVERY, wish.window_from, wish.window_to, causation_id);
}

/* The price for it went back with the delivery's, or will when booking hears of that: then it is not fetched either. */
static bool
collection_has_ended(struct db *db, const char *code)
{
	return db_exists(db, "SELECT 1 FROM v_booking_extra WHERE code = $1 AND kind = 'collection' AND state = 'ENDED'", code)
	    || db_exists(db, "SELECT 1 FROM delivery WHERE booking_code = $1 AND state = 'CANCELLED' AND ended_by = 'dispatcher'", code);
}

void
job_request_collection(struct db *db, const char *code, int64_t causation_id)
{
	struct wish wish;

	if (!wish_of(db, code, &wish) || !wish.collects || there_was_one(db, code, "collection") || collection_has_ended(db, code))
		return;
	begin_job(db, &wish, JOB_COLLECTION, wish.ends_at - rental.delivery_window_s, wish.ends_at, causation_id);
}

/* --- how they end ------------------------------------------------------------------------------------------------------ */

bool
job_end(struct db *db, int64_t delivery_id, const char *by, const char *reason, int64_t causation_id, int64_t actor_id)
{
	struct delivery d;

	if (!db_do(db,
	           "UPDATE delivery SET state = 'CANCELLED', ended_at = $2, ended_by = $3, end_reason = $4"
	           " WHERE delivery_id = $1 AND state IN ('REQUESTED', 'SCHEDULED')", delivery_id, clock_now(), by, reason))
		return false;
	if (job_read(db, delivery_id, &d))
		job_tell(db, &d, "delivery.cancelled", causation_id, actor_id);
	return true;
}

void
job_not_needed(struct db *db, const char *code, enum delivery_direction direction, const char *why, int64_t causation_id)
{
	int64_t id = db_int(db,
		"SELECT delivery_id FROM delivery WHERE booking_code = $1 AND direction = $2 AND state IN ('REQUESTED', 'SCHEDULED')",
		code, words_code(&delivery_direction_words, (int)direction));

	if (id)
		job_end(db, id, "booking", why, causation_id, 0);
}

/* Nothing was requested and nothing will be: the row is there so that a confirmation heard late makes no job. Nobody is told. */
static void
remember_as_cancelled(struct db *db, const char *code, const char *reason)
{
	struct wish wish = { .car_name = "", .car_name_ko = "", .plate = "", .zone = "", .address = "", .place = "" };

	wish_of(db, code, &wish);
	db_do(db,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, car_name, plates, zone, address, place, window_from, window_to,"
		" requested_at, ended_at, ended_by, end_reason, car_name_ko)"
		" VALUES ($1, 'delivery', 'CANCELLED', $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, 'customer', $11, $12)",
		code, wish.customer_id, wish.car_name, wish.plate, wish.zone, wish.address, wish.place, wish.window_from, wish.window_to,
		clock_now(), reason, wish.car_name_ko);
}

enum job_cancelled
job_cancel(struct db *db, const char *code, const char *reason)
{
	bool has_left = false;
	int64_t id;

	db_begin(db);
	id = db_int(db, "SELECT delivery_id FROM delivery WHERE booking_code = $1 AND direction = 'delivery' AND state <> 'CANCELLED'", code);
	if (id)
		has_left = !job_end(db, id, "customer", reason, 0, 0);
	else if (!there_was_one(db, code, "delivery"))
		remember_as_cancelled(db, code, reason);
	db_commit(db);
	return has_left ? JOB_HAS_LEFT : JOB_IS_CANCELLED;
}
