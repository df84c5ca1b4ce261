/*
 * test_booking_handover - fleet confirms or refuses the car; it is handed over and returned at the counter or by a
 * courier, or not picked up.
 */
#include "test.h"

#include "booking_world.h"

#include "cgi-bin/booking/custody.h"

/* --- fleet confirms or refuses ------------------------------------------------------------------------------------ */

TEST(a_reserved_car_confirms_once)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY);

	report_event("car.reserved", b.code, "{}");
	report_event("car.reserved", b.code, "{}");
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(events("booking.confirmed"), 1);
}

TEST(a_refused_car_is_refunded_in_full)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY);

	report_event("car.refused", b.code, "{}");
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(slots("RELEASED"), 1);
	booking_sweep(db);
	assert_int_equal(refund_asked, b.amount);
	booking_reload(db, &b);
	assert_int_equal(b.refund_state, REFUND_DONE);
	assert_int_equal(b.refunded_amount, b.amount);
	assert_int_equal(events("booking.refunded"), 1);
}

TEST(a_cancelled_booking_is_not_confirmed_late)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	report_event("car.reserved", b.code, "{}");
	report_event("car.refused", b.code, "{}");
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
}

/* --- the counter -------------------------------------------------------------------------------------------------- */

TEST(a_car_returned_early_is_free_after_the_turnaround)
{
	struct booking b = place_paid(NOW + DAY, NOW + 4 * DAY);
	struct booking_order o = order_car(2, 1, NOW + 2 * DAY + rental.turnaround_s, NOW + 3 * DAY);
	struct booking other;

	assert_false(booking_hand_out(db, &b, 9)); /* not confirmed yet */
	report_event("car.reserved", b.code, "{}");
	booking_reload(db, &b);
	assert_false(booking_hand_out(db, &b, 9)); /* a day too early */
	clock_set(NOW + DAY);
	assert_true(booking_hand_out(db, &b, 9));
	assert_false(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY);
	assert_true(booking_take_back(db, &b, 9));
	assert_false(booking_take_back(db, &b, 9));
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_COMPLETED);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
}

TEST(a_car_returned_before_its_start_is_free_after_the_turnaround)
{
	struct booking b = place_paid(NOW + DAY, NOW + 4 * DAY);
	struct booking_order o = order_car(2, 1, NOW + DAY + rental.turnaround_s + RENTAL_STEP_S, NOW + 3 * DAY);
	struct booking other;

	report_event("car.reserved", b.code, "{}");
	clock_set(NOW + DAY - RENTAL_STEP_S);
	booking_reload(db, &b);
	assert_true(booking_hand_out(db, &b, 9));
	assert_true(booking_take_back(db, &b, 9));
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
}

TEST(after_the_end_of_the_booking_the_car_is_not_handed_over)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY);

	report_event("car.reserved", b.code, "{}");
	booking_reload(db, &b);
	clock_set(NOW + 2 * DAY);
	assert_false(booking_hand_out(db, &b, 9)); /* another booking may have the car now */
	assert_true(booking_no_show(db, &b, 9));
}

TEST(a_late_car_cannot_be_booked)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY);
	struct booking_order o = order_car(2, 1, NOW + 2 * DAY + 6 * HOUR, NOW + 3 * DAY);
	struct booking other;

	report_event("car.reserved", b.code, "{}");
	clock_set(NOW + DAY);
	booking_reload(db, &b);
	assert_true(booking_hand_out(db, &b, 9));
	clock_set(NOW + 2 * DAY + 6 * HOUR);
	booking_sweep(db);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_TAKEN);
	assert_true(booking_take_back(db, &b, 9));
	o = order_car(2, 1, NOW + 2 * DAY + 6 * HOUR + rental.turnaround_s, NOW + 3 * DAY);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
}

TEST(a_no_show_frees_the_car_and_keeps_the_late_fee)
{
	struct booking b = place_paid(NOW + DAY, NOW + 4 * DAY);

	report_event("car.reserved", b.code, "{}");
	assert_false(booking_no_show(db, &b, 9));
	clock_set(NOW + DAY + rental.no_show_grace_s);
	booking_reload(db, &b);
	assert_true(booking_no_show(db, &b, 9));
	assert_int_equal(slots("RELEASED"), 1);
	assert_int_equal(events("booking.no_show_final"), 1);
	b = find(b.code);
	assert_int_equal(b.refund_due, b.amount * 90 / 100);
	assert_int_equal(b.refund_state, REFUND_PENDING);
	assert_int_equal(n_refunds, 0); /* the sweep asks payment */
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(refunded, b.amount * 90 / 100);
	assert_int_equal(b.refund_state, REFUND_DONE);
	assert_int_equal(events("booking.refunded"), 1);
}

static enum no_show
may_no_show(const char *code, int64_t *from, struct custody *with)
{
	struct booking b = find(code);

	return booking_may_no_show(db, &b, from, with);
}

TEST(a_no_show_is_refused_until_the_grace_after_the_start_has_passed)
{
	struct booking b = place_paid(NOW + DAY, NOW + 4 * DAY);
	struct custody with;
	int64_t from;

	rental.no_show_grace_s = 1800;
	assert_int_equal(may_no_show(b.code, &from, &with), NO_SHOW_WRONG_STATE); /* not confirmed */
	report_event("car.reserved", b.code, "{}");
	b = find(b.code);
	for (int64_t at = NOW + DAY - HOUR; at < NOW + DAY + 1800; at += 599) {
		clock_set(at);
		assert_int_equal(may_no_show(b.code, &from, &with), NO_SHOW_TOO_EARLY);
		assert_int_equal(from, NOW + DAY + 1800);
		assert_false(booking_no_show(db, &b, 9));
	}
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
	assert_int_equal(events("booking.no_show"), 0);
	clock_set(NOW + DAY + 1800);
	assert_int_equal(may_no_show(b.code, &from, &with), NO_SHOW_MAY);
	assert_true(booking_no_show(db, &b, 9));
	assert_int_equal(may_no_show(b.code, &from, &with), NO_SHOW_WRONG_STATE);
}

/* One customer's car, of which the next booking begins at NOW + 2 days. */
static struct booking
late_and_next(struct booking *next)
{
	struct booking late = place_paid(NOW + DAY, NOW + 2 * DAY - rental.turnaround_s);
	struct booking_order o = order_car(2, 1, NOW + 2 * DAY, NOW + 3 * DAY);

	assert_int_equal(booking_place(db, &o, next), BOOKING_OK);
	report_event("car.reserved", late.code, "{}");
	report_event("car.reserved", next->code, "{}");
	clock_set(NOW + DAY);
	booking_reload(db, &late);
	assert_true(booking_hand_out(db, &late, 9));
	booking_reload(db, next);
	return late;
}

TEST(nobody_is_a_no_show_while_another_customer_has_the_car)
{
	struct booking next, late = late_and_next(&next);
	struct custody with;
	int64_t from;

	for (int64_t at = NOW + 2 * DAY; at < NOW + 2 * DAY + rental.late_car_cancel_s; at += 5 * HOUR) {
		clock_set(at);
		booking_sweep(db);
		assert_false(booking_no_show(db, &next, 9));
	}
	assert_int_equal(may_no_show(next.code, &from, &with), NO_SHOW_CAR_AWAY);
	assert_string_equal(with.booking_code, late.code);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	assert_int_equal(events("booking.no_show"), 0);
}

TEST(after_a_late_return_the_next_customer_has_the_same_time_to_come)
{
	struct booking next, late = late_and_next(&next);
	struct custody with;
	int64_t from, back = NOW + 2 * DAY + 5 * HOUR;

	clock_set(back);
	assert_true(booking_take_back(db, &late, 9));
	booking_sweep(db);
	assert_false(booking_no_show(db, &next, 9));
	assert_int_equal(may_no_show(next.code, &from, &with), NO_SHOW_TOO_EARLY);
	assert_int_equal(from, back + rental.no_show_grace_s);
	clock_set(back + rental.no_show_after_s - 1);
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CONFIRMED);
	clock_set(back + rental.no_show_after_s);
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_NO_SHOW);
}

TEST(a_customer_whose_car_came_back_only_after_the_booking_had_ended_is_no_no_show)
{
	struct booking next, late = late_and_next(&next);
	struct custody with;
	int64_t from;

	clock_set(NOW + 3 * DAY);
	assert_true(booking_take_back(db, &late, 9));
	clock_set(NOW + 9 * DAY);
	assert_int_equal(may_no_show(next.code, &from, &with), NO_SHOW_NEVER_THERE);
	assert_false(booking_no_show(db, &next, 9));
	booking_sweep(db);
	assert_int_equal(find(next.code).state, BOOKING_CANCELLED);
	assert_int_equal(find(next.code).cancel_by, CANCEL_BY_FIRM);
}

TEST(a_booking_that_fleet_confirmed_late_has_the_same_time_from_then)
{
	struct booking b = place_paid(NOW + DAY, NOW + 4 * DAY);
	struct custody with;
	int64_t from, at = NOW + DAY + 5 * HOUR;

	clock_set(at);
	report_event("car.reserved", b.code, "{}");
	booking_sweep(db);
	assert_int_equal(may_no_show(b.code, &from, &with), NO_SHOW_TOO_EARLY);
	assert_int_equal(from, at + rental.no_show_grace_s);
	clock_set(at + rental.no_show_after_s);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_NO_SHOW);
}

/* Those that are passed over must not keep the sweep from the others. */
TEST(the_sweep_reaches_a_no_show_behind_many_whose_car_is_away)
{
	struct booking late = place_paid(NOW + DAY, NOW + DAY + HOUR), b;
	struct booking_order o = order_car(2, 2, NOW + 3 * DAY, NOW + 4 * DAY);

	rental.max_bookings_per_person = 100;
	report_event("car.reserved", late.code, "{}");
	for (int i = 0; i < 30; i++) {
		struct booking next = place_paid(NOW + DAY + 3 * (i + 1) * HOUR, NOW + DAY + (3 * i + 4) * HOUR);

		report_event("car.reserved", next.code, "{}");
	}
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	report_event("car.reserved", b.code, "{}");
	clock_set(NOW + DAY);
	booking_reload(db, &late);
	assert_true(booking_hand_out(db, &late, 9));
	clock_set(NOW + 20 * DAY);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_NO_SHOW);
	assert_int_equal(events("booking.no_show"), 1);
}

TEST(the_sweep_never_ends_a_booking_before_a_manager_could)
{
	struct booking b = place_paid(NOW + DAY, NOW + 4 * DAY);

	rental.no_show_after_s = 0;
	report_event("car.reserved", b.code, "{}");
	clock_set(NOW + DAY + rental.no_show_grace_s - 1);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_CONFIRMED);
	clock_set(NOW + DAY + rental.no_show_grace_s);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_NO_SHOW);
}

TEST(the_sweep_ends_a_no_show_and_it_no_longer_counts_as_open)
{
	struct booking b = place_paid(NOW + DAY, NOW + 4 * DAY);

	rental.max_bookings_per_person = 1;
	report_event("car.reserved", b.code, "{}");
	clock_set(NOW + DAY + rental.no_show_after_s - 1);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	clock_set(NOW + DAY + rental.no_show_after_s);
	booking_sweep(db);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_NO_SHOW);
	assert_int_equal(events("booking.no_show"), 1);
	assert_int_equal(slots("RELEASED"), 1);
	place_paid(NOW + 5 * DAY, NOW + 6 * DAY);
}

/* Fleet was down all the time: the car could not be handed over. */
TEST(a_booking_that_could_be_confirmed_only_after_its_end_is_refunded)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY);

	clock_set(NOW + 2 * DAY);
	report_event("car.reserved", b.code, "{}");
	clock_set(NOW + 2 * DAY + rental.no_show_after_s);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.refund_due, b.amount);
	assert_int_equal(b.refund_state, REFUND_DONE);
	assert_int_equal(events("booking.no_show"), 0);
	assert_int_equal(slots("RELEASED"), 1);
}

/* --- the courier -------------------------------------------------------------------------------------------------- */

TEST(a_courier_hands_over_and_collects_like_the_counter)
{
	struct booking b = confirm_with_extras();

	report_delivery("delivery.delivered", &b, "delivery", "");
	assert_int_equal(find(b.code).state, BOOKING_OUT);
	assert_int_equal(db_int(db, "SELECT actor_id FROM event WHERE type = 'booking.handed_out' /*scan*/"), 5);
	report_delivery("delivery.delivered", &b, "delivery", "");
	assert_int_equal(events("booking.handed_out"), 1);
	report_delivery("delivery.delivered", &b, "collection", "");
	assert_int_equal(find(b.code).state, BOOKING_COMPLETED);
	assert_int_equal(events("booking.returned") + events("booking.completed"), 2);
}

TEST(a_booking_with_delivery_can_be_picked_up_at_the_branch)
{
	struct booking b = confirm_with_extras();

	clock_set(NOW + 3 * DAY);
	b = find(b.code);
	assert_true(booking_hand_out(db, &b, 3));
	report_delivery("delivery.delivered", &b, "delivery", "");
	assert_int_equal(events("booking.handed_out"), 1);
}

/* The delivery job, as delivery publishes it. */
static void
set_job(const struct booking *b, const char *state)
{
	db_do(db, "UPDATE delivery SET state = $2 WHERE booking_code = $1", b->code, state);
	db_do(db,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to, courier_id,"
		" requested_at, received_by)"
		" SELECT $1, 'delivery', $2, 1, 1, 2, 9, 1, 'Kim'"
		" WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.booking_code = $1)",
		b->code, state);
}

TEST(a_car_that_is_with_a_courier_is_not_at_the_counter)
{
	static const char *const away[] = { "SHIPPED", "DELIVERED" }; /* DELIVERED: before its event */
	struct booking b = confirm_with_extras();

	clock_set(NOW + 3 * DAY);
	set_job(&b, "SCHEDULED");
	for (int i = 0; i < 2; i++) {
		set_job(&b, away[i]);
		b = find(b.code);
		assert_false(booking_hand_out(db, &b, 3));
		assert_false(booking_no_show(db, &b, 3));
	}
	report_delivery("delivery.delivered", &b, "delivery", "");
	assert_int_equal(find(b.code).state, BOOKING_OUT);
	assert_int_equal(events("booking.extra_ended"), 0);
}

TEST(a_pick_up_at_the_branch_refunds_the_delivery)
{
	struct booking b = confirm_with_extras();

	clock_set(NOW + 3 * DAY);
	set_job(&b, "SCHEDULED");
	b = find(b.code);
	assert_true(booking_hand_out(db, &b, 3));
	assert_false(booking_hand_out(db, &b, 3));
	report_delivery("delivery.cancelled", &b, "delivery", "booking");
	booking_sweep(db);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_OUT);
	assert_string_equal(b.extras[0].end_reason, "at_branch");
	assert_int_equal(b.extras[0].refund_state, REFUND_DONE);
	assert_int_equal(b.extras[1].state, EXTRA_BOOKED); /* the collection stays */
	assert_int_equal(refunded, 25000);
	assert_int_equal(events("booking.extra_ended"), 1);
}

TEST(the_sweep_records_no_no_show_for_a_booking_with_delivery)
{
	struct booking b = confirm_with_extras();

	set_job(&b, "REQUESTED");
	clock_set(NOW + 6 * DAY);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	set_job(&b, "SCHEDULED"); /* the courier came back without a handover: only a manager records it */
	assert_true(booking_no_show(db, &b, 3));

	clock_set(NOW);
	b = confirm_with_extras();
	clock_set(NOW + 6 * DAY);
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_NO_SHOW);
}

TEST_MAIN("booking_handover", NULL, NULL, begin, end)
