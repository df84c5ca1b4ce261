/*
 * step - moves a job on: assigned to a courier, on the road, handed over, cancelled. The overview is in delivery.h.
 *
 * Each step is one UPDATE whose WHERE clause holds who may do it and from which state, so of two at the same time one
 * finds it done. A step that was done before is DELIVERY_OK: a double click does no harm.
 */
#include "delivery.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

#include <string.h>

/* The end of every step: reads the job again, and reports it when this step has moved it. was_so: it was there
 * already. */
static enum delivery_outcome
finish_step(struct db *db, struct delivery *d, const struct delivery_actor *by, bool moved, bool was_so)
{
	if (!delivery_find(db, d->delivery_id, by, d))
		return DELIVERY_GONE;
	if (moved)
		delivery_report(db, d, 0, by->user_id);
	return moved || was_so ? DELIVERY_OK : DELIVERY_WRONG_STATE;
}

/* --- the dispatcher assigns a courier ----------------------------------------------------------------------------- */

/* Outside its booking's hours, turnaround included, the car may be reserved for another customer. */
static bool
is_within_booking(struct db *db, const struct delivery *d, int64_t from)
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
	if (from != d->window_from && !is_within_booking(db, d, from))
		return DELIVERY_BAD_WINDOW;
	moved = !is_same
		&& db_do(db,
			   "UPDATE delivery SET state = 'SCHEDULED', courier_id = $2, window_from = $3, window_to = $4,"
			   " scheduled_at = $5, note = ''"
			   " WHERE delivery_id = $1 AND state IN ('REQUESTED', 'SCHEDULED')",
			   d->delivery_id, courier_id, from, from == d->window_from ? d->window_to : from + length,
			   clock_now())
			== 1;
	return finish_step(db, d, by, moved, is_same);
}

enum delivery_outcome
delivery_assign(
	struct db *db, struct delivery *d, int64_t courier_id, int64_t window_from, const struct delivery_actor *by)
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
				"UPDATE delivery SET state = 'REQUESTED', courier_id = 0, scheduled_at = 0, note = ''"
				" WHERE delivery_id = $1 AND state = 'SCHEDULED'",
				d->delivery_id)
			== 1;
		outcome = finish_step(db, d, by, moved, was_so);
	}
	db_commit(db);
	return outcome;
}

/* --- on the road -------------------------------------------------------------------------------------------------- */

enum delivery_outcome
delivery_ship(struct db *db, struct delivery *d, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;
	bool moved;

	db_begin(db);
	if (delivery_find(db, d->delivery_id, by, d)) {
		bool was_so = d->state == JOB_SHIPPED;

		moved = !delivery_booking_is_over(db, d)
			&& db_do(db,
				   "UPDATE delivery SET state = 'SHIPPED', shipped_at = $3 WHERE delivery_id = $1"
				   " AND state = 'SCHEDULED'"
				   " AND ($2 = 0 OR courier_id = $2)",
				   d->delivery_id, delivery_courier_limit(by), clock_now())
				== 1;
		outcome = finish_step(db, d, by, moved, was_so);
	}
	db_commit(db);
	return outcome;
}

/* If the booking ended while the courier was out, the job ends too. */
static enum delivery_outcome
come_back(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by)
{
	bool moved = db_do(db,
			     "UPDATE delivery SET state = 'SCHEDULED', shipped_at = 0, note = $3 WHERE delivery_id = $1"
			     " AND state = 'SHIPPED'"
			     " AND ($2 = 0 OR courier_id = $2)",
			     d->delivery_id, delivery_courier_limit(by), reason)
		== 1;
	enum delivery_outcome outcome = finish_step(db, d, by, moved, false);

	if (outcome == DELIVERY_OK && delivery_booking_is_over(db, d)) {
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

/* --- hand-over ---------------------------------------------------------------------------------------------------- */

/* As at the counter: from the turnaround before the start until the end. A collection may be later. */
static bool
is_handover_time(struct db *db, const struct delivery *d)
{
	return d->direction == JOB_COLLECTION
		|| db_exists(db, "SELECT 1 FROM v_booking WHERE code = $1 AND $2 >= starts_at - $3 AND $2 < ends_at",
			d->code, clock_now(), rental.turnaround_s);
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
		       "UPDATE delivery SET state = 'DELIVERED', delivered_at = $3, odometer_km = $4,"
		       " fuel_percent = $5, received_by = $6, note = $7,"
		       " photo = $8 WHERE delivery_id = $1 AND state = 'SHIPPED' AND ($2 = 0 OR courier_id = $2)",
		       d->delivery_id, delivery_courier_limit(by), clock_now(), h->odometer_km, h->fuel_percent,
		       h->received_by, h->note, h->photo)
		== 1;
}

static enum delivery_outcome
hand_over(struct db *db, struct delivery *d, const struct handover *h, const struct delivery_actor *by)
{
	int64_t event_id;

	if (is_same_record(d, h))
		return DELIVERY_OK;
	if (d->state != JOB_SHIPPED || delivery_booking_is_over(db, d))
		return DELIVERY_WRONG_STATE;
	if (!is_handover_time(db, d))
		return DELIVERY_NOT_NOW;
	if (!write_record(db, d, h, by) || !delivery_find(db, d->delivery_id, by, d))
		return DELIVERY_WRONG_STATE;
	event_id = delivery_report(db, d, 0, by->user_id);
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

/* --- cancelled by the dispatcher ---------------------------------------------------------------------------------- */

enum delivery_outcome
delivery_cancel(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (by->is_manager && delivery_find(db, d->delivery_id, by, d)) {
		bool ended = job_end(db, d->delivery_id, "dispatcher", reason, 0, by->user_id);

		delivery_find(db, d->delivery_id, by, d);
		ended |= d->state == JOB_CANCELLED && strcmp(d->ended_by, "dispatcher") == 0;
		outcome = ended ? DELIVERY_OK : DELIVERY_WRONG_STATE;
	}
	db_commit(db);
	return outcome;
}
