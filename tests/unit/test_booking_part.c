/* test_booking_part - managers give back parts of a price, never more than was paid. */
#include "test.h"

#include "firm_world.h"

/* --- parts of the price ------------------------------------------------------------------------------------------- */

static struct part_refund_order
part(int64_t amount, const char *key)
{
	return (struct part_refund_order){
		.actor_id = MANAGER,
		.amount = amount,
		.reason = "car_fault",
		.note = "The heating did not work.",
		.request_key = key,
	};
}

static enum part_refund_outcome
give(const char *code, int64_t amount, const char *key)
{
	struct part_refund_order o = part(amount, key);
	struct booking b = find(code);

	return booking_refund_part(db, &b, &o);
}

TEST(a_part_of_a_running_rental_is_refunded_and_the_rental_goes_on)
{
	struct booking b = out();

	assert_int_equal(give(b.code, 30000, "k1"), PART_REFUND_DONE);
	b = summed(b.code);
	assert_int_equal(b.state, BOOKING_OUT);
	assert_int_equal(refunded, 30000);
	assert_int_equal(b.n_refunds, 1);
	assert_int_equal(b.refunds[0].refund_state, REFUND_DONE);
	assert_int_equal(b.kept_amount, 60000);
	assert_int_equal(b.kept_vat_amount, b.vat_amount - (b.vat_amount * 30000 * 2 + 90000) / 180000);
	assert_int_equal(events("booking.refund_granted"), 1);
	assert_int_equal(events("booking.part_refunded"), 1);
	assert_true(payload_has("booking.part_refunded", "\"reason\":\"car_fault\""));
	assert_null(strstr(payload("booking.refund_granted"), "heating"));
	assert_int_equal(
		db_int(db, "SELECT actor_id FROM event WHERE type = 'booking.refund_granted' /*scan*/"), MANAGER);
	assert_true(booking_take_back(db, &b, MANAGER));
	assert_int_equal(give(b.code, 60000, "k2"), PART_REFUND_DONE); /* after the return, the rest */
	assert_int_equal(summed(b.code).kept_vat_amount, 0);
	assert_int_equal(give(b.code, 1, "k3"), PART_REFUND_TOO_MUCH);
}

TEST(never_more_than_what_is_left)
{
	struct booking b = completed();

	assert_int_equal(give(b.code, 90001, ""), PART_REFUND_TOO_MUCH);
	assert_int_equal(give(b.code, 50000, ""), PART_REFUND_DONE);
	assert_int_equal(give(b.code, 40001, ""), PART_REFUND_TOO_MUCH);
	assert_int_equal(give(b.code, 40000, ""), PART_REFUND_DONE);
	assert_int_equal(refunded, 90000);
}

TEST(a_second_click_is_the_same_refund_and_another_amount_is_refused)
{
	struct booking b = completed();

	assert_int_equal(give(b.code, 10000, "k1"), PART_REFUND_DONE);
	assert_int_equal(give(b.code, 10000, "k1"), PART_REFUND_DONE);
	assert_int_equal(give(b.code, 20000, "k1"), PART_REFUND_KEY_REUSED);
	assert_int_equal(refunded, 10000);
	assert_int_equal(find(b.code).n_refunds, 1);
}

TEST(a_part_is_refunded_only_from_the_start_on_and_not_while_the_booking_itself_is_refunded)
{
	struct booking b = confirmed(NOW + 5 * DAY, NOW + 6 * DAY);

	assert_int_equal(give(b.code, 1000, ""), PART_REFUND_WRONG_STATE);
	clock_set(b.starts_at - HOUR);
	refund_reply = REFUND_ANSWER_LATER;
	booking_cancel(db, &b, 1, "customer");
	assert_int_equal(give(b.code, 1000, ""), PART_REFUND_WRONG_STATE);
	refund_reply = REFUND_ANSWER_DONE;
	sweep_for(120);
	assert_int_equal(find(b.code).state, BOOKING_CANCELLED);
	assert_int_equal(give(b.code, 9001, ""), PART_REFUND_TOO_MUCH);
	assert_int_equal(give(b.code, 9000, ""), PART_REFUND_DONE); /* the late fee */
	assert_int_equal(summed(b.code).kept_amount, 0);
}

TEST(what_was_refunded_in_part_is_not_refunded_again_when_the_firm_cancels)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	clock_set(b.starts_at + HOUR);
	assert_int_equal(give(b.code, 20000, ""), PART_REFUND_DONE);
	b = find(b.code);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	assert_int_equal(find(b.code).refunded_amount, 70000);
	assert_int_equal(refunded, 90000);
}

TEST(an_extra_that_ends_after_a_large_part_was_refunded_gives_back_what_is_left)
{
	struct booking b = confirm_with_extras(); /* 250,000: collection 25,000 is line 3 */

	clock_set(b.starts_at);
	assert_int_equal(give(b.code, 240000, ""), PART_REFUND_DONE);
	report_delivery("delivery.cancelled", &b, "collection", "dispatcher");
	booking_sweep(db);
	b = summed(b.code);
	assert_int_equal(refunded, 250000);
	assert_int_equal(booking_extras_refund(&b), 10000);
	assert_int_equal(b.kept_amount, 0);
}

TEST(while_payment_is_down_a_part_is_owed_and_made_once)
{
	struct booking b = completed();

	refund_reply = REFUND_ANSWER_LATER;
	assert_int_equal(give(b.code, 10000, "k1"), PART_REFUND_PENDING);
	assert_int_equal(give(b.code, 10000, "k1"), PART_REFUND_PENDING);
	b = find(b.code);
	assert_int_equal(booking_stuck_kind(&b), STUCK_PART);
	assert_int_equal(part_refund_left(&b), 80000); /* it is owed already */
	assert_int_equal(summed(b.code).kept_amount, 90000);
	sweep_for(300);
	assert_int_equal(n_listed(STUCK_PART), 1);
	refund_reply = REFUND_ANSWER_DONE;
	sweep_for(120);
	assert_int_equal(refunded, 10000);
	assert_int_equal(events("booking.part_refunded"), 1);
	assert_int_equal(n_listed(STUCK_PART), 0);
}

TEST(payments_report_ends_the_part_it_names_and_no_other_refund)
{
	struct booking b = completed();

	refund_reply = REFUND_ANSWER_PENDING;
	give(b.code, 10000, "a");
	give(b.code, 20000, "b");
	for (int i = 0; i < 2; i++)
		report_event("payment.cancelled", b.code,
			arena_printf(scratch_memory,
				"{\"refunded_amount\":20000,\"amount\":20000,\"refund_key\":\"%s-refund-2\"}", b.code));
	b = find(b.code);
	assert_int_equal(b.refunds[0].refund_state, REFUND_PENDING);
	assert_int_equal(b.refunds[1].refund_state, REFUND_DONE);
	assert_int_equal(events("booking.part_refunded"), 1);
}

static int
race_to_refund(void *code)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	struct part_refund_order o = part(60000, "");
	enum part_refund_outcome outcome;
	struct booking b;

	db = scratch_open(&all);
	if (!booking_find(db, code, 0, &b))
		return 98;
	outcome = booking_refund_part(db, &b, &o);
	return db_failed(db) ? 99 : (int)outcome;
}

TEST(of_two_simultaneous_refunds_that_do_not_fit_together_one_is_made)
{
	struct booking b = completed();
	pid_t pid[4];
	int n_done = 0, n_refused = 0;

	for (int i = 0; i < 4; i++)
		pid[i] = scratch_fork(race_to_refund, (void *)(uintptr_t)b.code);
	for (int i = 0; i < 4; i++) {
		int outcome = scratch_wait(pid[i]);

		n_done += outcome == PART_REFUND_DONE;
		n_refused += outcome == PART_REFUND_TOO_MUCH;
	}
	assert_int_equal(n_done, 1);
	assert_int_equal(n_refused, 3);
	assert_int_equal(db_int(db, "SELECT SUM(amount) FROM part_refund WHERE booking_id = $1", b.booking_id), 60000);
}

static int
race_to_cancel(void *code)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	enum cancel_outcome outcome;
	struct booking b;

	db = scratch_open(&all);
	if (!booking_find(db, code, 0, &b))
		return 98;
	outcome = booking_cancel_by_firm(db, &b, &broken);
	return db_failed(db) ? 99 : (int)outcome;
}

TEST(a_part_and_a_cancellation_at_the_same_time_give_back_the_price_once)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);
	pid_t part_pid, cancel_pid;

	clock_set(b.starts_at + HOUR);
	part_pid = scratch_fork(race_to_refund, (void *)(uintptr_t)b.code);
	cancel_pid = scratch_fork(race_to_cancel, (void *)(uintptr_t)b.code);
	assert_int_equal(scratch_wait(cancel_pid), CANCEL_DONE);
	scratch_wait(part_pid);
	b = find(b.code);
	assert_int_equal(b.refund_due + booking_refunds_due(&b), b.amount);
}

/* --- refunded outside: payment knows it, we give back only the rest ----------------------------------------------- */

static void
refund_outside(const struct booking *b, int64_t amount)
{
	db_do(db,
		"INSERT INTO charge (charge_id, key, subject_id, user_id, amount, currency, state, requested_at)"
		" VALUES ($1, $2, $2, 1, $3, 'KRW', 'APPROVED', 1)",
		b->charge_id, b->code, b->amount);
	db_do(db,
		"INSERT INTO refund (key, charge_id, amount, state, requested_at, done_at, is_outside)"
		" VALUES ('outside-1', $1, $2, 'DONE', 1, 1, 1)",
		b->charge_id, amount);
}

TEST(what_was_refunded_outside_is_not_left_and_not_kept)
{
	struct booking b = completed();

	refund_outside(&b, 50000);
	b = summed(b.code);
	assert_int_equal(b.kept_amount, 40000);
	assert_int_equal(part_refund_left(&b), 40000);
	assert_int_equal(give(b.code, 40001, ""), PART_REFUND_TOO_MUCH);
	assert_int_equal(give(b.code, 40000, ""), PART_REFUND_DONE);
	b = summed(b.code);
	assert_int_equal(b.kept_amount, 0);
	assert_int_equal(b.kept_vat_amount, 0);
}

TEST_MAIN("booking_part", NULL, NULL, begin, end)
