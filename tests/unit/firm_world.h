/*
 * firm_world - what the tests of what the firm gives back share: bookings that are confirmed, handed over and returned.
 */
#ifndef MP_FIRM_WORLD_H
#define MP_FIRM_WORLD_H

#include "booking_world.h"

#include "cgi-bin/booking/custody.h"

#define MANAGER 9

static const struct firm_cancel broken = { .actor_id = MANAGER, .reason = "car_broken", .note = "The gearbox failed." };

SHARED struct booking
confirmed(int64_t from, int64_t until)
{
	struct booking b = place_paid(from, until);

	report_event("car.reserved", b.code, "{}");
	return find(b.code);
}

/* Booked, handed over, and due in a day: 90,000. */
SHARED struct booking
out(void)
{
	struct booking b = confirmed(NOW + HOUR, NOW + DAY + HOUR);

	clock_set(NOW + HOUR);
	assert_true(booking_hand_out(db, &b, MANAGER));
	return find(b.code);
}

SHARED struct booking
completed(void)
{
	struct booking b = out();

	assert_true(booking_take_back(db, &b, MANAGER));
	return find(b.code);
}

SHARED struct booking
summed(const char *code)
{
	struct booking b = find(code);

	booking_sum_up(&b, scratch_memory);
	return b;
}

SHARED void
sweep_for(int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i += 30) {
		clock_set(clock_now() + 30);
		booking_sweep(db);
	}
}

SHARED int64_t
n_listed(int kind)
{
	struct stuck_query q = { .kind = kind, .now = clock_now(), .limit = 50 };

	return stuck_rows_count(db, &q);
}

#endif
