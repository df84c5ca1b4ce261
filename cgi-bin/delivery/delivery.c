/*
 * delivery - one job's way to the customer: given to a courier, on the road, handed over; or given up. The story is in delivery.h.
 *
 * Each step is one UPDATE whose WHERE clause says who may and from which state, so of two who come at once one finds it done. What
 * is so already is no mistake: the second of two clicks ends well.
 */
#include "delivery.h"

#include "domain/choices.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

/* Whose jobs: everybody's (0), or those of one courier. */
static int64_t
whose(const struct delivery_actor *by)
{
	return by->is_manager ? 0 : by->user_id;
}

/* The equipment of its booking, in the reader's language: it lies in the car, there and back. */
static const char *
goods_of(struct db *db, const char *code)
{
	struct buf goods = { .m = db_memory(db) };
	struct rows *r = db_each(db,
		"SELECT quantity, label, label_ko FROM v_booking_extra WHERE code = $1 AND kind = 'equipment' AND state = 'BOOKED' ORDER BY line_no", code);

	buf_puts(&goods, "");
	while (db_next(r))
		buf_printf(&goods, "%s%lld × %s", goods.n ? ", " : "", (long long)row_int(r, 0),
		           lang_now() == LANG_KO && *row_peek(r, 2) ? row_peek(r, 2) : row_peek(r, 1));
	db_done(r);
	return goods.s;
}

bool
delivery_find(struct db *db, int64_t delivery_id, const struct delivery_actor *by, struct delivery *d)
{
	const struct choice *zone;

	*d = (struct delivery){ .delivery_id = delivery_id };
	if (!db_one(db, &delivery_shape, d,
	            "SELECT d.delivery_id, d.booking_code AS code, d.direction, d.state, d.customer_id, d.car_name, d.plates, d.zone,"
	            " d.address, d.place, d.window_from, d.window_to, d.courier_id, d.requested_at, d.scheduled_at, d.shipped_at,"
	            " d.delivered_at, d.ended_at, d.ended_by, d.end_reason, d.odometer_km, d.fuel_percent, d.received_by, d.photo, d.note,"
	            " COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = d.customer_id), '') AS customer_name,"
	            " COALESCE((SELECT u.phone FROM v_user u WHERE u.user_id = d.customer_id), '') AS customer_phone,"
	            " COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = d.courier_id), '') AS courier_name,"
	            " CASE WHEN EXISTS (SELECT 1 FROM delivery o WHERE o.courier_id = d.courier_id AND o.courier_id <> 0"
	            "  AND o.delivery_id <> d.delivery_id AND o.state IN ('SCHEDULED', 'SHIPPED')"
	            "  AND o.window_from < d.window_to AND o.window_to > d.window_from) THEN 1 ELSE 0 END AS overlaps"
	            " FROM delivery d WHERE d.delivery_id = $1 AND ($2 = 0 OR d.courier_id = $2)", delivery_id, whose(by)))
		return false;
	zone = choice_find(rental.delivery_zones, d->zone);
	d->zone_name = zone ? choice_name(zone) : d->zone;
	d->goods = goods_of(db, d->code);
	d->has_photo = *d->photo;
	d->is_open = d->state <= JOB_SHIPPED;
	d->is_late = d->is_open && clock_now() > d->window_to;
	return true;
}

/* The end of every step: the job as it stands, told when it has just moved. */
static enum delivery_outcome
settle(struct db *db, struct delivery *d, const struct delivery_actor *by, bool moved, const char *event, bool was_so)
{
	if (!delivery_find(db, d->delivery_id, by, d))
		return DELIVERY_GONE;
	if (moved)
		job_tell(db, d, event, 0, by->user_id);
	return moved || was_so ? DELIVERY_OK : DELIVERY_WRONG_STATE;
}

/* --- giving it to a courier ------------------------------------------------------------------------------------------ */

/* Outside its booking's hours the car may be another customer's. */
static bool
fits(struct db *db, const struct delivery *d, int64_t from)
{
	return db_exists(db, "SELECT 1 FROM v_booking WHERE code = $1 AND $2 >= starts_at - $3 AND $2 <= ends_at + $3",
		d->code, from, rental.turnaround_s);
}

static enum delivery_outcome
assign(struct db *db, struct delivery *d, int64_t courier_id, int64_t from, const struct delivery_actor *by)
{
	int64_t length = d->window_to > d->window_from ? d->window_to - d->window_from : rental.delivery_window_s;
	bool is_same, moved;

	if (!from)
		from = d->window_from;
	is_same = d->state == JOB_SCHEDULED && d->courier_id == courier_id && d->window_from == from;
	if (!courier_name(db, courier_id))
		return DELIVERY_NO_COURIER;
	if (from != d->window_from && !fits(db, d, from))
		return DELIVERY_BAD_WINDOW;
	moved = !is_same && db_do(db,
		"UPDATE delivery SET state = 'SCHEDULED', courier_id = $2, window_from = $3, window_to = $4, scheduled_at = $5, note = ''"
		" WHERE delivery_id = $1 AND state IN ('REQUESTED', 'SCHEDULED')",
		d->delivery_id, courier_id, from, from == d->window_from ? d->window_to : from + length, clock_now()) == 1;
	return settle(db, d, by, moved, "delivery.scheduled", is_same);
}

enum delivery_outcome
delivery_assign(struct db *db, struct delivery *d, int64_t courier_id, int64_t window_from, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (by->is_manager && delivery_find(db, d->delivery_id, by, d))
		outcome = assign(db, d, courier_id, window_from, by);
	db_commit(db);
	return outcome;
}

enum delivery_outcome
delivery_unassign(struct db *db, struct delivery *d, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;
	bool moved, was_so;

	db_begin(db);
	if (by->is_manager && delivery_find(db, d->delivery_id, by, d)) {
		was_so = d->state == JOB_REQUESTED;
		moved = db_do(db,
			"UPDATE delivery SET state = 'REQUESTED', courier_id = 0, scheduled_at = 0, note = '' WHERE delivery_id = $1 AND state = 'SCHEDULED'",
			d->delivery_id) == 1;
		outcome = settle(db, d, by, moved, "delivery.requested", was_so);
	}
	db_commit(db);
	return outcome;
}

/* --- on the road -------------------------------------------------------------------------------------------------------- */

enum delivery_outcome
delivery_ship(struct db *db, struct delivery *d, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;
	bool moved;

	db_begin(db);
	if (delivery_find(db, d->delivery_id, by, d)) {
		bool was_so = d->state == JOB_SHIPPED;

		moved = !job_booking_is_over(db, d) && db_do(db,
			"UPDATE delivery SET state = 'SHIPPED', shipped_at = $3 WHERE delivery_id = $1 AND state = 'SCHEDULED'"
			" AND ($2 = 0 OR courier_id = $2)", d->delivery_id, whose(by), clock_now()) == 1;
		outcome = settle(db, d, by, moved, "delivery.shipped", was_so);
	}
	db_commit(db);
	return outcome;
}

/* Its booking may have ended while he was out: then there is no other time to find. */
static enum delivery_outcome
come_back(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by)
{
	bool moved = db_do(db,
		"UPDATE delivery SET state = 'SCHEDULED', shipped_at = 0, note = $3 WHERE delivery_id = $1 AND state = 'SHIPPED'"
		" AND ($2 = 0 OR courier_id = $2)", d->delivery_id, whose(by), reason) == 1;
	enum delivery_outcome outcome = settle(db, d, by, moved, "delivery.scheduled", false);

	if (outcome == DELIVERY_OK && job_booking_is_over(db, d)) {
		job_end(db, d->delivery_id, "booking", "came_back", 0, by->user_id);
		delivery_find(db, d->delivery_id, by, d);
	}
	return outcome;
}

enum delivery_outcome
delivery_come_back(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (delivery_find(db, d->delivery_id, by, d))
		outcome = come_back(db, d, reason, by);
	db_commit(db);
	return outcome;
}

/* --- the keys change hands ------------------------------------------------------------------------------------------------ */

/* From the turnaround before its start until its end, as at the counter; fetched it may be later, too. */
static bool
is_time_for_it(struct db *db, const struct delivery *d)
{
	return d->direction == JOB_COLLECTION || db_exists(db,
		"SELECT 1 FROM v_booking WHERE code = $1 AND $2 >= starts_at - $3 AND $2 < ends_at", d->code, clock_now(), rental.turnaround_s);
}

static bool
is_same_record(const struct delivery *d, const struct handover *h)
{
	return d->state == JOB_DELIVERED && d->odometer_km == h->odometer_km && d->fuel_percent == h->fuel_percent
	    && strcmp(d->received_by, h->received_by) == 0;
}

static bool
write_record(struct db *db, const struct delivery *d, const struct handover *h, const struct delivery_actor *by)
{
	return db_do(db,
		"UPDATE delivery SET state = 'DELIVERED', delivered_at = $3, odometer_km = $4, fuel_percent = $5, received_by = $6, note = $7,"
		" photo = $8 WHERE delivery_id = $1 AND state = 'SHIPPED' AND ($2 = 0 OR courier_id = $2)",
		d->delivery_id, whose(by), clock_now(), h->odometer_km, h->fuel_percent, h->received_by, h->note, h->photo) == 1;
}

static enum delivery_outcome
hand_over(struct db *db, struct delivery *d, const struct handover *h, const struct delivery_actor *by)
{
	int64_t event_id;

	if (is_same_record(d, h))
		return DELIVERY_OK;
	if (d->state != JOB_SHIPPED || job_booking_is_over(db, d))
		return DELIVERY_WRONG_STATE;
	if (!is_time_for_it(db, d))
		return DELIVERY_NOT_NOW;
	if (!write_record(db, d, h, by) || !delivery_find(db, d->delivery_id, by, d))
		return DELIVERY_WRONG_STATE;
	event_id = job_tell(db, d, "delivery.delivered", 0, by->user_id);
	if (d->direction == JOB_DELIVERY)
		job_request_collection(db, d->code, event_id);
	return DELIVERY_OK;
}

enum delivery_outcome
delivery_deliver(struct db *db, struct delivery *d, const struct handover *h, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (delivery_find(db, d->delivery_id, by, d))
		outcome = hand_over(db, d, h, by);
	db_commit(db);
	return outcome;
}

/* --- given up ----------------------------------------------------------------------------------------------------------- */

enum delivery_outcome
delivery_cancel(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (by->is_manager && delivery_find(db, d->delivery_id, by, d)) {
		bool ended = job_end(db, d->delivery_id, "dispatcher", reason, 0, by->user_id);

		delivery_find(db, d->delivery_id, by, d);
		outcome = ended || (d->state == JOB_CANCELLED && strcmp(d->ended_by, "dispatcher") == 0) ? DELIVERY_OK : DELIVERY_WRONG_STATE;
	}
	db_commit(db);
	return outcome;
}
