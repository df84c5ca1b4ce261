/*
 * policy - what delivery does when others report something.
 *
 * A confirmed booking with an address gets a job; when the booking ends otherwise, jobs that have not left are
 * cancelled. A job on the road stays open until its courier comes back. An event that comes twice has the effect of
 * one.
 */
#include "delivery.h"

#include "domain/event_types.h"
#include "domain/undo.h"

#include <string.h>

static bool
delivery_on_booking_confirmed(struct db *db, const struct event *e)
{
	job_request(db, e->subject_id, e->event_id);
	return true;
}

/* The reason is the last word of the event's type: cancel_requested. */
static bool
delivery_on_booking_over(struct db *db, const struct event *e)
{
	const char *what = strchr(e->type, '.');

	job_not_needed(db, e->subject_id, JOB_DELIVERY, what ? what + 1 : e->type, e->event_id);
	job_not_needed(db, e->subject_id, JOB_COLLECTION, what ? what + 1 : e->type, e->event_id);
	return true;
}

/* Reported before a no-show could be undone. */
static bool
delivery_on_booking_no_show(struct db *db, const struct event *e)
{
	return !undo_was_final(db, e) || delivery_on_booking_over(db, e);
}

/* At the branch instead of by courier: the collection stays, if it was booked. After our own hand-over nothing is left
 * to do. */
static bool
delivery_on_booking_handed_out(struct db *db, const struct event *e)
{
	job_not_needed(db, e->subject_id, JOB_DELIVERY, "handed_out", e->event_id);
	job_request_collection(db, e->subject_id, e->event_id);
	return true;
}

static const struct policy policies[] = {
	ON(BOOKING_CONFIRMED, delivery_on_booking_confirmed),
	ON(BOOKING_CANCEL_REQUESTED, delivery_on_booking_over),
	ON(BOOKING_CANCELLED, delivery_on_booking_over),
	ON(BOOKING_REJECTED, delivery_on_booking_over),
	ON(BOOKING_NO_SHOW, delivery_on_booking_no_show),
	ON(BOOKING_NO_SHOW_UNDONE, delivery_on_booking_confirmed), /* if it was not requested before */
	ON(BOOKING_NO_SHOW_FINAL, delivery_on_booking_over),
	ON(BOOKING_EXPIRED, delivery_on_booking_over),
	ON(BOOKING_HANDED_OUT, delivery_on_booking_handed_out),
	ON(BOOKING_COMPLETED, delivery_on_booking_over),
	{ 0 },
};

const struct consumer delivery_consumer = {
	.name = "delivery", .role = &delivery_role, .policy = policies, .sweep = delivery_sweep,
};
