/* test_booking_late_car - another customer still has the booking's car: the firm cancels it, by itself in the end. */
#include "test.h"

#include "firm_world.h"

/* --- the car did not come back in time ---------------------------------------------------------------------------- */

/* A customer has the car beyond the start of the next booking, [NOW + 2 days, until). */
static struct booking
late_before(int64_t until, struct booking *next)
{
	struct booking late = place_paid(NOW + DAY, NOW + 2 * DAY - rental.turnaround_s);
	struct booking_order o = order_car(2, 1, NOW + 2 * DAY, until);

	assert_int_equal(booking_place(db, &o, next), BOOKING_OK);
	report_event("car.reserved", late.code, "{}");
	report_event("car.reserved", next->code, "{}");
	clock_set(NOW + DAY);
	booking_reload(db, &late);
	assert_true(booking_hand_out(db, &late, MANAGER));
	*next = find(next->code);
	return late;
}

TEST(a_booking_whose_car_is_still_with_another_customer_needs_attention)
{
	struct stuck_query q = { .kind = STUCK_NO_CAR, .limit = 50 };
	struct booking next, late = late_before(NOW + 9 * DAY, &next);
	struct stuck_row *rows;

	assert_int_equal(n_listed(STUCK_NO_CAR), 0); /* it has not begun */
	clock_set(NOW + 2 * DAY + HOUR);
	q.now = clock_now();
	assert_int_equal(stuck_rows(db, &q, &rows), 1);
	assert_string_equal(rows[0].subject_id, next.code);
	assert_int_equal(rows[0].since, next.starts_at);
	assert_string_equal(rows[0].cancel_url, arena_printf(scratch_memory, "/bookings/%s/cancel", next.code));
	assert_null(rows[0].try_url);
	next = find(next.code);
	assert_int_equal(booking_stuck_kind(&next), STUCK_NO_CAR);
	assert_true(booking_take_back(db, &late, MANAGER));
	assert_int_equal(n_listed(STUCK_NO_CAR), 0); /* the customer can have it now */
	next = find(next.code);
	assert_int_equal(booking_stuck_kind(&next), -1);
}

TEST(a_car_that_does_not_come_back_lets_the_firm_cancel_by_itself)
{
	struct booking next;

	late_before(NOW + 9 * DAY, &next);
	clock_set(next.starts_at + rental.late_car_cancel_s - 1);
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	clock_set(next.starts_at + rental.late_car_cancel_s);
	booking_sweep(db);
	next = find(next.code);
	assert_int_equal(next.state, BOOKING_CANCELLED);
	assert_string_equal(next.cancel_reason, "car_late");
	assert_int_equal(next.refunded_amount, next.amount);
	assert_int_equal(paid_out, next.amount / 10);
	assert_int_equal(events("booking.no_show"), 0);
}

TEST(at_the_end_of_a_short_booking_the_firm_cancels_at_once)
{
	struct booking next;

	late_before(NOW + 2 * DAY + 4 * HOUR, &next);
	clock_set(next.ends_at - 1);
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	clock_set(next.ends_at);
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CANCELLED);
}

TEST(a_car_that_came_back_after_the_end_of_the_next_booking_is_no_fault_of_its_customer)
{
	struct booking next, late = late_before(NOW + 2 * DAY + 4 * HOUR, &next);

	rental.late_car_cancel_s = 30 * DAY;
	clock_set(next.ends_at + HOUR);
	assert_true(booking_take_back(db, &late, MANAGER));
	assert_int_equal(n_listed(STUCK_NO_CAR), 1);
	booking_sweep(db);
	next = find(next.code);
	assert_int_equal(next.cancel_by, CANCEL_BY_FIRM);
	assert_int_equal(n_listed(STUCK_NO_CAR), 0);
}

TEST(a_car_that_comes_back_in_time_keeps_the_booking)
{
	struct booking next, late = late_before(NOW + 9 * DAY, &next);

	clock_set(next.starts_at + 2 * HOUR);
	assert_true(booking_take_back(db, &late, MANAGER));
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	next = find(next.code);
	assert_true(booking_hand_out(db, &next, MANAGER));
}

TEST(the_way_of_a_courier_to_its_own_customer_is_no_missing_car)
{
	struct booking b = confirm_with_extras();
	const struct custody_request leave = { .key = "delivery-1-leave-1",
		.begun_key = "",
		.booking_code = b.code,
		.step = CUSTODY_LEAVE,
		.user_id = 5 };
	struct custody_refusal other;

	clock_set(b.starts_at - HOUR);
	assert_int_equal(custody_take_step(db, &leave, &other), CUSTODY_DONE);
	clock_set(b.starts_at + rental.late_car_cancel_s + HOUR);
	assert_int_equal(n_listed(STUCK_NO_CAR), 0);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
}

TEST(a_car_that_is_not_in_service_lets_the_firm_cancel_too_and_says_why)
{
	struct booking b = confirmed(NOW + DAY, NOW + 5 * DAY);
	struct booking_order o = order_car(2, 2, NOW + DAY, NOW + DAY + 4 * HOUR);
	struct booking other;

	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
	report_event("car.reserved", other.code, "{}");
	db_do(db, "UPDATE car SET service = 'OUT_OF_SERVICE' WHERE car_id = 1");
	db_do(db, "UPDATE car SET service = 'RETIRED' WHERE car_id = 2");
	clock_set(other.ends_at - 1);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
	assert_int_equal(find(other.code).state, BOOKING_CONFIRMED);
	clock_set(other.ends_at);
	booking_sweep(db);
	assert_string_equal(find(other.code).cancel_reason, "car_gone");
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
	clock_set(b.starts_at + rental.late_car_cancel_s);
	booking_sweep(db);
	assert_string_equal(find(b.code).cancel_reason, "car_broken");
	assert_int_equal(find(b.code).refunded_amount, b.amount);
	assert_int_equal(events("booking.no_show"), 0);
}

TEST_MAIN("booking_late_car", NULL, NULL, begin, end)
