/* policy - what fleet does when others report something: it reserves, hands out and releases the cars of bookings. */
#include "fleet.h"

#include "domain/undo.h"

static const struct member car_of_booking_members[] = { SHAPE_INT(car_of_booking, car_id) };
static const struct shape car_of_booking_shape = SHAPE(car_of_booking, car_of_booking_members);
static const struct member booking_payload_members[] = {
	SHAPE_TEXT(reservation, code), SHAPE_INT(reservation, car_id), SHAPE_TIME(reservation, starts_at),
	SHAPE_TIME(reservation, ends_at),
	SHAPE_LIST_AS(reservation, cars, more_cars, n_more_cars, car_of_booking_shape),
};
static const struct shape booking_payload_shape = SHAPE(reservation, booking_payload_members);

static bool
read_booking(struct db *db, const struct event *e, struct reservation *r)
{
	*r = (struct reservation){ .code = NULL };
	return event_read(db_memory(db), e, &booking_payload_shape, r) && r->code;
}

static bool
fleet_on_booking_paid(struct db *db, const struct event *e)
{
	struct reservation r;

	if (!read_booking(db, e, &r))
		return false;
	reservation_make(db, &r, e->event_id);
	return true;
}

/* Cancelled, rejected or, finally, not picked up. */
static bool
fleet_on_booking_over(struct db *db, const struct event *e)
{
	struct reservation r;

	if (!read_booking(db, e, &r))
		return false;
	reservation_release(db, &r, e->event_id);
	return true;
}

/* Reported before a no-show could be undone. */
static bool
fleet_on_booking_no_show(struct db *db, const struct event *e)
{
	return !undo_was_final(db, e) || fleet_on_booking_over(db, e);
}

static bool
fleet_on_booking_handed_out(struct db *db, const struct event *e)
{
	reservation_hand_out(db, e->subject_id);
	return true;
}

static bool
fleet_on_booking_completed(struct db *db, const struct event *e)
{
	reservation_end(db, e->subject_id);
	return true;
}

static const struct policy policies[] = {
	ON(BOOKING_PAID, fleet_on_booking_paid),
	ON(BOOKING_CANCEL_REQUESTED, fleet_on_booking_over),
	ON(BOOKING_CANCELLED, fleet_on_booking_over),
	ON(BOOKING_REJECTED, fleet_on_booking_over),
	ON(BOOKING_NO_SHOW, fleet_on_booking_no_show),
	ON(BOOKING_NO_SHOW_FINAL, fleet_on_booking_over),
	ON(BOOKING_HANDED_OUT, fleet_on_booking_handed_out),
	ON(BOOKING_COMPLETED, fleet_on_booking_completed),
	{ 0 },
};

const struct consumer fleet_consumer = { .name = "fleet", .role = &fleet_role, .policy = policies,
	.sweep = fleet_sweep };
