/*
 * policy - what delivery does when others report something.
 *
 * A booking with an address makes a job when it is confirmed; when it goes another way, what has not left is not needed. A job that
 * has left stays open until its courier is back: where the car is, is decided by the road. Each reaction leaves the same behind when an
 * event comes twice.
 */
#include "delivery.h"

#include "domain/event_types.h"

#include <string.h>

const struct db_role delivery_role = { .name = "delivery", .owns = "delivery position event_retry" };

static bool
delivery_on_booking_confirmed(struct db *db, const struct event *e)
{
	job_request(db, e->subject_id, e->event_id);
	return true;
}

/* booking.cancel_requested → "cancel_requested": what became of the booking is why. */
static bool
delivery_on_booking_over(struct db *db, const struct event *e)
{
	const char *what = strchr(e->type, '.');

	job_not_needed(db, e->subject_id, JOB_DELIVERY, what ? what + 1 : e->type, e->event_id);
	job_not_needed(db, e->subject_id, JOB_COLLECTION, what ? what + 1 : e->type, e->event_id);
	return true;
}

/* At the branch, though it was to be brought; it is fetched all the same when that was booked. After our own hand-over there is nothing left to do. */
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
	ON(BOOKING_NO_SHOW, delivery_on_booking_over),
	ON(BOOKING_EXPIRED, delivery_on_booking_over),
	ON(BOOKING_HANDED_OUT, delivery_on_booking_handed_out),
	ON(BOOKING_RETURNED, delivery_on_booking_over),
	{ 0 },
};

const struct consumer delivery_consumer = { .name = "delivery", .role = &delivery_role, .policy = policies };
