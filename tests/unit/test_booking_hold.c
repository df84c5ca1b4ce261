/*
 * test_booking_hold - a hold is paid, expires or is given up, and a charge whose answer was lost is finished or voided
 * by the sweep.
 */
#include "test.h"

#include "booking_world.h"

TEST(a_hold_that_cannot_be_paid_now_can_be_paid_later_with_the_same_payment_key)
{
	struct booking b = place_held();

	payment_closed_s = 5;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_LATER);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_HELD);
	assert_int_equal(b.asked_at, 0);
	payment_closed_s = 0;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_OK);
}

TEST(an_unpaid_hold_frees_the_car_after_ten_minutes)
{
	struct booking b = place_held();

	clock_set(NOW + rental.hold_s - 1);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 1);
	clock_set(NOW + rental.hold_s);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_TAKEN);
	assert_int_equal(n_charges, 0);
}

TEST(a_clock_that_is_set_back_does_not_prolong_a_hold)
{
	place_held();
	clock_set(NOW - 3 * HOUR);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
}

TEST(a_hold_keeps_the_length_it_was_given_when_hold_s_is_lowered)
{
	place_held();
	rental.hold_s = 60;
	clock_set(NOW + 61);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 1);
	clock_set(NOW + 600);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
}

TEST(a_customer_holds_at_most_three_unpaid_cars)
{
	struct booking_order o = { .customer_id = 1, .car_id = 1 };
	struct booking b;

	for (int i = 0; i < 4; i++) {
		o.starts_at = NOW + (2 * i + 1) * DAY;
		o.ends_at = o.starts_at + HOUR;
		assert_int_equal(booking_place(db, &o, &b), i < 3 ? BOOKING_OK : BOOKING_HOLDS);
	}
	assert_int_equal(slots("HOLD"), 3);
	o.card_id = 11;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK); /* charged at once, not a hold */
	o = (struct booking_order){ .customer_id = 2, .car_id = 2, .starts_at = NOW + DAY, .ends_at = NOW + 2 * DAY };
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
}

TEST(a_hold_is_paid_once_on_the_providers_page)
{
	struct booking b = place_held(), again = b;

	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_OK);
	assert_int_equal(booking_pay(db, &again, &new_card), BOOKING_AGAIN);
	assert_int_equal(n_charges, 1);
	assert_int_equal(slots("BOOKED"), 1);
}

static struct booking read_before;
static bool has_expired;

static void
expire_as_unpaid(const struct booking *b)
{
	(void)b;
	has_expired = booking_expire(db, &read_before, "hold_over", false);
}

TEST(a_hold_that_is_being_paid_since_it_was_read_does_not_expire_as_unpaid)
{
	struct booking b = place_held();

	read_before = b; /* by another process, just before */
	during_payment = expire_as_unpaid;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_OK);
	assert_false(has_expired);
	assert_int_equal(slots("BOOKED"), 1);
}

static void
cancel_meanwhile(const struct booking *b)
{
	struct booking seen = *b;

	assert_int_equal(booking_cancel(db, &seen, 1, "customer"), CANCEL_DONE);
}

TEST(a_hold_cancelled_while_it_is_being_paid_is_refunded)
{
	struct booking b = place_held();

	during_payment = cancel_meanwhile;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_UNANSWERED);
	during_payment = NULL;
	booking_sweep(db);
	assert_int_equal(n_refunds, 1);
	assert_int_equal(refund_asked, 0);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(b.refund_state, REFUND_DONE);
}

TEST(cancelling_a_hold_twice_succeeds_twice)
{
	struct booking b = place_held();

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(events("booking.expired"), 1);
}

TEST(after_a_worker_died_after_the_charge_the_sweep_finishes_the_booking)
{
	struct booking b = place_held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_reply = CHARGE_ANSWER_APPROVED;
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 1); /* the worker may still wait for the answer */
	clock_set(NOW + 20);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_PAID);
	assert_int_equal(events("booking.paid"), 1);
}

TEST(a_lost_answer_is_looked_up_with_growing_pauses_until_payment_answers)
{
	struct booking b = place_held();

	db_do(db, "UPDATE booking SET asked_at = $2, hold_until = $3 WHERE booking_id = $1", b.booking_id, NOW,
		NOW + 5000);
	look_up_reply = CHARGE_ANSWER_UNKNOWN;
	n_look_ups = 0;
	assert_in_range(longest_gap(&n_look_ups, 1000), 40, PAUSE_MAX_S);
	assert_in_range(n_look_ups, 16, 40);
	assert_string_equal(
		db_text(db, "SELECT last_error FROM booking WHERE booking_id = $1", b.booking_id), "no_answer");
	look_up_reply = CHARGE_ANSWER_APPROVED;
	longest_gap(&n_look_ups, PAUSE_MAX_S);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_PAID);
}

TEST(payment_failed_brings_the_look_up_forward)
{
	struct booking b = place_held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_reply = CHARGE_ANSWER_UNKNOWN;
	for (int i = 0; i < 200; i++) {
		clock_set(clock_now() + 1);
		booking_sweep(db);
	}
	look_up_reply = CHARGE_ANSWER_DECLINED;
	report_event("payment.failed", b.code, "{}");
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(b.refund_state, REFUND_NONE);
}

TEST(after_a_worker_died_before_the_charge_the_key_is_voided_and_a_late_charge_refused)
{
	struct booking b = place_held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_reply = CHARGE_ANSWER_NEVER_SEEN;
	clock_set(NOW + 20);
	booking_sweep(db);
	assert_int_equal(n_refunds, 1);
	assert_int_equal(refund_asked, 0);
	assert_int_equal(slots("HOLD"), 0);
}

TEST(with_payment_down_the_end_of_the_hold_frees_the_car_and_the_void_waits)
{
	struct booking b = place_held();

	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_reply = CHARGE_ANSWER_NOT_ASKED;
	refund_reply = REFUND_ANSWER_LATER;
	clock_set(NOW + 60);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 1);
	clock_set(NOW + rental.hold_s + 1);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
	booking_reload(db, &b);
	assert_int_equal(b.refund_state, REFUND_PENDING);
	refund_reply = REFUND_ANSWER_DONE;
	clock_set(NOW + rental.hold_s + 100);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.refund_state, REFUND_DONE);
}

TEST_MAIN("booking_hold", NULL, NULL, begin, end)
