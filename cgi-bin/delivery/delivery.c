/* delivery - one job as its table holds it: the words, the shapes, and reading it. The overview is in delivery.h. */
#include "delivery.h"

#include "domain/choices.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

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

#define JSON_MEMBERS \
	SHAPE_INT(delivery, delivery_id), SHAPE_TEXT(delivery, code), \
	SHAPE_STATE(delivery, direction, delivery_direction_words), \
	SHAPE_STATE(delivery, state, delivery_state_words), SHAPE_INT(delivery, customer_id), \
	SHAPE_TEXT(delivery, zone), \
	SHAPE_TIME(delivery, window_from), SHAPE_TIME(delivery, window_to), SHAPE_INT(delivery, courier_id), \
	SHAPE_TEXT(delivery, courier_name), SHAPE_INT(delivery, odometer_km), SHAPE_INT(delivery, fuel_percent), \
	SHAPE_TEXT(delivery, received_by), SHAPE_TEXT(delivery, note), SHAPE_TEXT(delivery, customer_name), \
	SHAPE_TEXT(delivery, customer_phone), SHAPE_TEXT_KO(delivery, car_name), SHAPE_TEXT(delivery, plates), \
	SHAPE_TEXT(delivery, address), SHAPE_TEXT(delivery, place), SHAPE_TIME(delivery, requested_at), \
	SHAPE_TIME(delivery, scheduled_at), SHAPE_TIME(delivery, shipped_at), SHAPE_TIME(delivery, delivered_at), \
	SHAPE_TIME(delivery, ended_at), SHAPE_TEXT(delivery, ended_by), SHAPE_TEXT(delivery, end_reason), \
	SHAPE_BOOL(delivery, has_photo), SHAPE_BOOL(delivery, is_late), SHAPE_BOOL(delivery, overlaps), \
	SHAPE_STATE(delivery, asked_step, delivery_step_words), SHAPE_TIME(delivery, back_at), \
	SHAPE_TIME(delivery, cancel_at), SHAPE_TEXT(delivery, cancel_reason)

static const struct member json_members[] = { JSON_MEMBERS };
const struct shape delivery_json_shape = SHAPE(delivery, json_members);
static const struct member page_members[] = {
	JSON_MEMBERS, SHAPE_TEXT(delivery, zone_name), SHAPE_TEXT(delivery, goods), SHAPE_TEXT(delivery, photo),
	SHAPE_BOOL(delivery, is_open), SHAPE_INT(delivery, asked_by), SHAPE_INT(delivery, ask_tries),
	SHAPE_INT(delivery, trip_no), SHAPE_INT(delivery, cancel_by),
};
const struct shape delivery_shape = SHAPE(delivery, page_members);

/* The booking's equipment in the reader's language; it is in the car both ways. */
static const char *
goods_of(struct db *db, const char *code)
{
	struct buf goods = { .m = db_memory(db) };
	struct rows *r = db_each(db,
		"SELECT quantity, label, label_ko FROM v_booking_extra WHERE code = $1 AND kind = 'equipment'"
		" AND state = 'BOOKED'"
		" ORDER BY line_no",
		code);

	buf_puts(&goods, "");
	while (db_next(r))
		buf_printf(&goods, "%s%lld × %s", goods.n ? ", " : "", (long long)row_int(r, 0),
			lang_pick(lang_now(), row_peek(r, 1), row_peek(r, 2)));
	db_done(r);
	return goods.s;
}

bool
delivery_find(struct db *db, int64_t delivery_id, const struct delivery_actor *by, struct delivery *d)
{
	const struct choice *zone;

	*d = (struct delivery){ .delivery_id = delivery_id };
	if (!db_one(db, &delivery_shape, d,
		    "SELECT d.delivery_id, d.booking_code AS code, d.direction, d.state, d.customer_id, d.car_name,"
		    " d.car_name_ko,"
		    " d.plates, d.zone, d.address, d.place, d.window_from, d.window_to, d.courier_id, d.requested_at,"
		    " d.scheduled_at,"
		    " d.shipped_at, d.delivered_at, d.ended_at, d.ended_by, d.end_reason, d.odometer_km,"
		    " d.fuel_percent, d.received_by,"
		    " d.photo, d.note, d.asked_step, d.asked_by, d.ask_tries, d.trip_no, d.back_at,"
		    " d.cancel_at, d.cancel_by, d.cancel_reason,"
		    " COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = d.customer_id), '') AS customer_name,"
		    " COALESCE((SELECT u.phone FROM v_user u WHERE u.user_id = d.customer_id), '') AS customer_phone,"
		    " COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = d.courier_id), '') AS courier_name,"
		    " CASE WHEN EXISTS (SELECT 1 FROM delivery o WHERE o.courier_id = d.courier_id"
		    " AND o.courier_id <> 0"
		    "  AND o.delivery_id <> d.delivery_id AND o.state IN ('SCHEDULED', 'SHIPPED')"
		    "  AND o.window_from < d.window_to AND o.window_to > d.window_from) THEN 1 ELSE 0 END AS overlaps"
		    " FROM delivery d WHERE d.delivery_id = $1 AND ($2 = 0 OR d.courier_id = $2)",
		    delivery_id, delivery_courier_limit(by)))
		return false;
	zone = choice_find(rental.delivery_zones, d->zone);
	d->zone_name = zone ? choice_name(zone) : d->zone;
	d->goods = goods_of(db, d->code);
	d->has_photo = *d->photo;
	d->is_open = d->state <= JOB_SHIPPED;
	d->is_late = d->is_open && clock_now() > d->window_to;
	return true;
}

bool
delivery_read(struct db *db, int64_t delivery_id, struct delivery *d)
{
	return delivery_find(db, delivery_id, &(struct delivery_actor){ .is_manager = true }, d);
}

bool
delivery_booking_is_over(struct db *db, const struct delivery *d)
{
	return db_exists(db,
		"SELECT 1 FROM v_booking WHERE code = $1"
		" AND (state IN ('CANCEL_REQUESTED', 'CANCELLED', 'EXPIRED', 'REJECTED', 'NO_SHOW', 'RETURNED',"
		" 'COMPLETED')"
		" OR ($2 = 1 AND state = 'OUT'))",
		d->code, d->direction == JOB_DELIVERY);
}

bool
delivery_booking_is_final(struct db *db, const struct delivery *d)
{
	return delivery_booking_is_over(db, d)
		&& !db_exists(db, "SELECT 1 FROM v_booking WHERE code = $1 AND undo_until > 0", d->code);
}
