/*
 * step - moves a job on: assigned to a courier, on the road, handed over. The overview is in delivery.h.
 *
 * Each step is one UPDATE whose WHERE clause holds from which state, so of two at the same time one finds it done; for
 * a step with the car booking is asked before it (agree.c). A step that was done before is DELIVERY_OK: a double click
 * does no harm.
 */
#include "booking_client.h"

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
	if (moved || was_so)
		return DELIVERY_OK;
	return d->cancel_at ? DELIVERY_GIVEN_UP : DELIVERY_WRONG_STATE;
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
			   " WHERE delivery_id = $1 AND state IN ('REQUESTED', 'SCHEDULED') AND asked_step = ''"
			   " AND cancel_at = 0",
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
				" WHERE delivery_id = $1 AND state = 'SCHEDULED' AND asked_step = ''"
				" AND cancel_at = 0",
				d->delivery_id)
			== 1;
		outcome = finish_step(db, d, by, moved, was_so);
	}
	db_commit(db);
	return outcome;
}

/* --- steps with the car, which booking must agree to (agree.c) ---------------------------------------------------- */

struct wanted_step {
	enum delivery_step step;
	const struct handover *record;          /* hand over, collect */
	const char *reason;                     /* back, without having delivered the car */
};

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

/* OK: it was done before. PENDING: it may be taken, booking has to be asked. Otherwise why not. */
static enum delivery_outcome
judge_step(struct db *db, const struct delivery *d, const struct wanted_step *q)
{
	bool may = false;

	switch (q->step) {
	case STEP_LEAVE:
		if (d->state == JOB_SHIPPED)
			return DELIVERY_OK;
		if (d->cancel_at)
			return DELIVERY_GIVEN_UP;
		may = d->state == JOB_SCHEDULED && !delivery_booking_is_over(db, d);
		break;
	case STEP_HAND_OVER:
	case STEP_COLLECT:
		if (is_same_record(d, q->record))
			return DELIVERY_OK;
		may = d->state == JOB_SHIPPED && !delivery_booking_is_over(db, d);
		if (may && !is_handover_time(db, d))
			return DELIVERY_NOT_NOW;
		break;
	case STEP_BACK:
		if (d->back_at)
			return DELIVERY_OK;
		may = d->direction == JOB_DELIVERY ? d->state == JOB_SHIPPED : d->state == JOB_DELIVERED && d->trip_no;
		break;
	case STEP_NONE: break;
	}
	return may ? DELIVERY_PENDING : DELIVERY_WRONG_STATE;
}

/* What is known of the step now; it is removed if booking refuses. */
static void
write_record(struct db *db, const struct delivery *d, const struct wanted_step *q)
{
	const struct handover *h = q->record;

	if (h)
		db_do(db,
			"UPDATE delivery SET odometer_km = $2, fuel_percent = $3, received_by = $4, note = $5,"
			" photo = $6 WHERE delivery_id = $1",
			d->delivery_id, h->odometer_km, h->fuel_percent, h->received_by, h->note, h->photo);
	else if (q->reason)
		db_do(db, "UPDATE delivery SET note = $2 WHERE delivery_id = $1", d->delivery_id, q->reason);
}

/* Inside the transaction. A step that waits already is asked for again; another one has to wait for it. */
static enum delivery_outcome
note_step(struct db *db, struct delivery *d, const struct wanted_step *q, const struct delivery_actor *by)
{
	enum delivery_outcome outcome;

	if (d->asked_step == (int)q->step) {
		db_do(db, "UPDATE delivery SET ask_tries = ask_tries + 1 WHERE delivery_id = $1", d->delivery_id);
		return DELIVERY_PENDING;
	}
	outcome = d->asked_step ? DELIVERY_WRONG_STATE : judge_step(db, d, q);
	if (outcome != DELIVERY_PENDING)
		return outcome;
	if (booking_closed_for_s() > 0)
		return DELIVERY_LATER;
	delivery_note_step(db, d, q->step, by->user_id);
	write_record(db, d, q);
	return DELIVERY_PENDING;
}

/* After a double click another process may have done it meanwhile: then it is done. */
static enum delivery_outcome
take_step(struct db *db, struct delivery *d, const struct wanted_step *q, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (delivery_find(db, d->delivery_id, by, d))
		outcome = note_step(db, d, q, by);
	if (!db_commit(db) || outcome != DELIVERY_PENDING)
		return outcome;
	outcome = delivery_ask(db, d);
	return outcome == DELIVERY_WRONG_STATE && judge_step(db, d, q) == DELIVERY_OK ? DELIVERY_OK : outcome;
}

/* The courier of a collection leaves without the car, and comes back without it: booking need not agree. */
static enum delivery_outcome
move_without_car(struct db *db, struct delivery *d, int from, int to, const char *note, const struct delivery_actor *by)
{
	bool is_over = to == JOB_SHIPPED && delivery_booking_is_over(db, d);
	bool was_so = d->state == to && to == JOB_SHIPPED;
	bool moved = !is_over && !d->asked_step
		&& db_do(db,
			   "UPDATE delivery SET state = $3, shipped_at = $4, note = COALESCE(NULLIF($5, ''), note)"
			   " WHERE delivery_id = $1 AND state = $2 AND cancel_at = 0",
			   d->delivery_id, words_code(&delivery_state_words, from),
			   words_code(&delivery_state_words, to), to == JOB_SHIPPED ? clock_now() : 0, note)
			== 1;

	return finish_step(db, d, by, moved, was_so);
}

static enum delivery_outcome
leave_or_return(struct db *db, struct delivery *d, int from, int to, const char *note, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (delivery_find(db, d->delivery_id, by, d))
		outcome = move_without_car(db, d, from, to, note, by);
	if (outcome == DELIVERY_OK && to == JOB_SCHEDULED && delivery_booking_is_final(db, d)) {
		job_end(db, d->delivery_id, "booking", "came_back", 0, by->user_id);
		delivery_find(db, d->delivery_id, by, d);
	}
	db_commit(db);
	return outcome;
}

enum delivery_outcome
delivery_ship(struct db *db, struct delivery *d, const struct delivery_actor *by)
{
	const struct wanted_step leave = { .step = STEP_LEAVE };

	if (!delivery_find(db, d->delivery_id, by, d))
		return DELIVERY_GONE;
	return d->direction == JOB_DELIVERY ? take_step(db, d, &leave, by)
					    : leave_or_return(db, d, JOB_SCHEDULED, JOB_SHIPPED, "", by);
}

enum delivery_outcome
delivery_come_back(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by)
{
	const struct wanted_step back = { .step = STEP_BACK, .reason = reason };

	if (!delivery_find(db, d->delivery_id, by, d))
		return DELIVERY_GONE;
	return d->direction == JOB_DELIVERY ? take_step(db, d, &back, by)
					    : leave_or_return(db, d, JOB_SHIPPED, JOB_SCHEDULED, reason, by);
}

enum delivery_outcome
delivery_deliver(struct db *db, struct delivery *d, const struct handover *h, const struct delivery_actor *by)
{
	struct wanted_step change = { .record = h };

	if (!delivery_find(db, d->delivery_id, by, d))
		return DELIVERY_GONE;
	change.step = d->direction == JOB_DELIVERY ? STEP_HAND_OVER : STEP_COLLECT;
	return take_step(db, d, &change, by);
}

enum delivery_outcome
delivery_bring_in(struct db *db, struct delivery *d, const struct delivery_actor *by)
{
	const struct wanted_step back = { .step = STEP_BACK };

	if (!delivery_find(db, d->delivery_id, by, d))
		return DELIVERY_GONE;
	return d->direction == JOB_COLLECTION ? take_step(db, d, &back, by) : DELIVERY_WRONG_STATE;
}
