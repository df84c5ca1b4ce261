/*
 * test_booking_cancel - what a cancellation refunds and when, at once or by the sweep; with a delivery, delivery must
 * agree first.
 */
#include "test.h"

#include "booking_world.h"

/* --- cancelling --------------------------------------------------------------------------------------------------- */

TEST(cancelling_early_refunds_all_and_frees_the_car)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 7 * DAY + 3 * HOUR);
	struct booking_order o = order_car(2, 1, NOW + 5 * DAY, NOW + 6 * DAY);
	struct booking other;

	report_event("car.reserved", b.code, "{}");
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 207000);
	assert_int_equal(events("booking.cancelled"), 1);
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE); /* a second click */
	assert_int_equal(n_refunds, 1);
}

/* While it writes, the others read a booking that may be cancelled. */
static int
write_slowly(void *arg)
{
	static const struct db_role all = { .name = "test", .owns = "*" };

	(void)arg;
	db = scratch_open(&all);
	db_begin(db);
	scratch_sleep_ms(400);
	db_rollback(db);
	return 0;
}

static int
race_to_cancel(void *code)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	enum cancel_outcome outcome;
	struct booking b;

	db = scratch_open(&all);
	if (!booking_find(db, code, 1, &b))
		return 98;
	outcome = booking_cancel(db, &b, 1, "customer");
	return db_failed(db) ? 99 : (int)outcome;
}

TEST(simultaneous_cancellations_all_succeed_and_refund_once)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);
	pid_t writer = scratch_fork(write_slowly, NULL), pid[3];

	scratch_sleep_ms(100);
	for (int i = 0; i < 3; i++)
		pid[i] = scratch_fork(race_to_cancel, (void *)(uintptr_t)b.code);
	for (int i = 0; i < 3; i++)
		assert_int_equal(scratch_wait(pid[i]), CANCEL_DONE);
	assert_int_equal(scratch_wait(writer), 0);
	assert_int_equal(events("booking.cancel_requested"), 1);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(the_refund_depends_on_the_time_of_the_cancellation)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);
	struct cancel_preview p;

	assert_true(cancel_preview(&b, b.starts_at - rental.refund_full_before_s - 1, &p));
	assert_int_equal(p.refund, b.amount);
	assert_true(cancel_preview(&b, b.starts_at - 1, &p));
	assert_string_equal(p.rule, "late");
	assert_int_equal(p.refund, b.amount * rental.refund_late_percent / 100);
	assert_int_equal(p.refund + p.fee, b.amount);
	assert_false(cancel_preview(&b, b.starts_at, &p));
	b.paid_at = b.starts_at - 60;
	assert_true(cancel_preview(&b, b.starts_at - 30, &p));
	assert_string_equal(p.rule, "grace");
}

TEST(what_cancelling_costs_is_frozen_with_the_booking)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);
	const struct cancel_terms before = b.cancellation;
	struct cancel_preview p;

	rental.refund_late_percent = 10;
	rental.refund_full_before_s = 4 * DAY;
	assert_true(booking_find(db, b.code, 0, &b));
	assert_int_equal(b.cancellation.free_until, before.free_until);
	assert_int_equal(b.cancellation.late_percent, before.late_percent);
	assert_int_equal(b.cancellation.free_until, b.starts_at - DAY);
	assert_true(cancel_preview(&b, b.starts_at - DAY - 1, &p));
	assert_int_equal(p.refund, b.amount);
	assert_true(cancel_preview(&b, b.starts_at - DAY, &p));
	assert_int_equal(p.refund, b.amount * 90 / 100);
	rental.refund_late_percent = 90;
	rental.refund_full_before_s = DAY;
	assert_false(db_try(db, "UPDATE booking SET cancel_late_percent = 10 WHERE booking_id = $1", b.booking_id));
	assert_string_equal(db_refusal(db), "booking_is_frozen");
}

TEST(a_pending_refund_is_retried_until_it_is_done)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);

	refund_reply = REFUND_ANSWER_LATER;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	assert_int_equal(slots("RELEASED"), 1); /* the car is free at once */
	assert_int_equal(events("booking.cancelled"), 0);
	for (int i = 0; i < 5; i++) {
		clock_set(clock_now() + 400);
		booking_sweep(db);
	}
	refund_reply = REFUND_ANSWER_DONE;
	clock_set(clock_now() + 400);
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(a_refund_is_retried_with_growing_pauses_of_a_minute_at_most)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);

	refund_reply = REFUND_ANSWER_LATER;
	booking_cancel(db, &b, 1, "customer");
	assert_in_range(longest_gap(&n_refunds, 1000), 40, PAUSE_MAX_S);
	assert_in_range(n_refunds, 16, 40);
	assert_string_equal(
		db_text(db, "SELECT last_error FROM booking WHERE booking_id = $1", b.booking_id), "payment_down");
	clock_set(clock_now() - HOUR); /* a clock set back makes it due at once */
	refund_reply = REFUND_ANSWER_DONE;
	booking_sweep(db);
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_string_equal(db_text(db, "SELECT last_error FROM booking WHERE booking_id = $1", b.booking_id), "");
}

static jmp_buf death;

static void
die(const struct booking *b)
{
	(void)b;
	longjmp(death, 1);
}

TEST(a_sweep_that_dies_while_it_asks_has_recorded_the_try)
{
	static volatile int n_deaths;
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 6 * DAY);

	rental.firm_compensation_refused = false; /* the refund alone */
	report_event("car.refused", b.code, "{}");
	during_payment = die;
	n_deaths = 0;
	for (int i = 0; i < 100; i++) {
		clock_set(NOW + i);
		if (setjmp(death) == 0)
			booking_sweep(db);
		else
			n_deaths++;
	}
	assert_in_range(n_deaths, 4, 9); /* 1, 2, 4 … seconds between them, not a hundred times */
}

static void
die_after_commit(void *arg)
{
	(void)arg;
	longjmp(death, 1);
}

TEST(a_cancellation_without_a_refund_ends_even_if_its_worker_dies_at_its_first_commit)
{
	static struct booking b;

	rental.refund_late_percent = 0;
	b = place_paid(NOW + 2 * HOUR, NOW + DAY);
	clock_set(NOW + rental.refund_grace_s + 1);
	db_on_commit(db, die_after_commit, NULL);
	if (setjmp(death) == 0)
		booking_cancel(db, &b, 1, "customer");
	db_on_commit(db, NULL, NULL);
	for (int i = 0; i < 5; i++) {
		clock_set(clock_now() + 400);
		booking_sweep(db);
	}
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(n_refunds, 0);
	assert_int_equal(events("booking.cancel_requested"), 1);
	assert_int_equal(events("booking.cancelled"), 1);
}

static void
hang(const struct booking *b)
{
	(void)b;
	scratch_sleep_ms(400);
}

TEST(with_payment_hanging_the_sweep_does_its_other_work)
{
	for (int i = 0; i < 9; i++) {
		struct booking b = place_paid(NOW + (2 * i + 1) * DAY, NOW + (2 * i + 2) * DAY);

		report_event("car.refused", b.code, "{}");
	}
	refund_reply = REFUND_ANSWER_LATER;
	during_payment = hang;
	booking_sweep(db);
	assert_in_range(n_refunds, 1, 7);
	for (int i = 0; i < 3; i++)
		booking_sweep(db);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking WHERE refund_tries = 0 /*scan*/"), 0);
}

TEST(payment_cancelled_ends_a_pending_cancellation_once)
{
	struct booking b = place_paid(NOW + 5 * DAY, NOW + 7 * DAY + 3 * HOUR);

	refund_reply = REFUND_ANSWER_PENDING;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	report_event("payment.cancelled", b.code, "{\"refunded_amount\":207000}");
	report_event("payment.cancelled", b.code, "{\"refunded_amount\":207000}");
	booking_reload(db, &b);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 207000);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(a_begun_rental_cannot_be_cancelled)
{
	struct booking b = place_paid(NOW, NOW + DAY);

	clock_set(NOW + rental.refund_grace_s + 1);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_NOT_POSSIBLE);
	assert_int_equal(slots("BOOKED"), 1);
	assert_int_equal(n_refunds, 0);
}

/* --- delivery must agree first ------------------------------------------------------------------------------------ */

TEST(a_booking_with_delivery_is_cancelled_once_delivery_agrees)
{
	struct booking b = confirm_with_extras();

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(n_deliveries, 1);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.cancel_asked_at, 0);
	assert_int_equal(refunded, 250000);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(n_deliveries, 1);
}

TEST(with_the_courier_on_the_way_it_is_not_cancelled)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_SHIPPED;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_SHIPPED);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_asked_at, 0);
	assert_int_equal(events("booking.cancel_requested") + n_refunds, 0);
}

TEST(with_delivery_down_nothing_changes)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_NOT_ASKED;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_LATER);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_asked_at, 0);
	booking_sweep(db);
	assert_int_equal(n_deliveries, 1);
	assert_int_equal(n_refunds, 0);
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
}

TEST(a_lost_answer_is_asked_for_again_until_the_booking_is_cancelled)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_asked_at, NOW);
	booking_sweep(db);
	assert_int_equal(n_deliveries, 1);          /* not at once: the process that asked may still get the answer */
	delivery_reply = DELIVERY_ANSWER_NOT_ASKED; /* delivery may have got the call, so the request stays */
	clock_set(NOW + 30);
	booking_sweep(db);
	assert_int_equal(n_deliveries, 2);
	assert_int_equal(find(b.code).cancel_asked_at, NOW);
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	clock_set(NOW + 120);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_string_equal(b.end_reason, "customer");
	assert_int_equal(refunded, 250000);
}

TEST(a_lost_refusal_withdraws_the_request)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	delivery_reply = DELIVERY_ANSWER_SHIPPED;
	clock_set(NOW + 60);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_asked_at, 0);
	report_delivery("delivery.delivered", &b, "delivery", "");
	assert_int_equal(find(b.code).state, BOOKING_OUT);
}

TEST(the_terms_are_those_of_the_moment_of_the_request)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	clock_set(NOW + 3 * DAY - rental.refund_full_before_s - 60);
	b = find(b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	clock_set(NOW + 3 * DAY + HOUR); /* it would have begun */
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_CANCELLED);
	assert_int_equal(refunded, 250000);
}

static void
another_request(const struct booking *b)
{
	db_do(db, "UPDATE booking SET cancel_tries = cancel_tries + 1 WHERE booking_id = $1", b->booking_id);
}

TEST(a_call_that_failed_does_not_withdraw_the_request_of_another_one)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_NOT_ASKED;
	during_delivery = another_request;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	assert_int_equal(find(b.code).cancel_asked_at, NOW);
}

TEST(a_booking_that_is_being_cancelled_is_not_handed_over)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	clock_set(NOW + 3 * DAY - 600);
	b = find(b.code);
	booking_cancel(db, &b, 1, "customer");
	clock_set(NOW + 3 * DAY);
	b = find(b.code);
	assert_false(booking_hand_out(db, &b, 3));
	assert_false(booking_no_show(db, &b, 3));
}

TEST(the_request_ends_when_fleet_refuses_the_car)
{
	struct booking b = place_with_extras();

	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	report_event("car.refused", b.code, "{}");
	clock_set(NOW + 60);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.cancel_asked_at, 0);
	assert_int_equal(refunded, 250000);
	assert_int_equal(n_deliveries, 1);
}

TEST(after_the_dispatcher_cancelled_the_delivery_is_not_asked)
{
	struct booking b = confirm_with_extras();

	report_delivery("delivery.cancelled", &b, "delivery", "dispatcher");
	b = find(b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	booking_sweep(db);
	assert_int_equal(n_deliveries, 0);
	assert_int_equal(refunded, 250000);
}

TEST_MAIN("booking_cancel", NULL, NULL, begin, end)
