/*
 * test_booking_tries - a declined card leaves the hold, with its extras, for another try: each is a charge of its own.
 * And what a killed worker left is taken over by the next request for the same.
 */
#include "test.h"

#include "booking_world.h"

#include "lib/base/proc.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct booking_order
order_with_extras(void)
{
	struct booking_order o = order_car(1, 1, NOW + 3 * DAY, NOW + 5 * DAY);

	add_delivery(&o, true);
	add_item(&o, SEAT, 2);
	o.keeps_hold = true;
	o.request_key = "k1";
	o.request_hash = "h1";
	return o;
}

/* Its first card was declined. */
static struct booking
place_declined(void)
{
	struct booking_order o = order_with_extras();
	struct booking b;

	charge_reply = CHARGE_ANSWER_DECLINED;
	charge_reason = "insufficient_funds";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_DECLINED_HELD);
	return b;
}

static struct booking_payment
saved_card(int64_t try_no)
{
	return (struct booking_payment){ .card_id = 11, .try_no = try_no };
}

TEST(a_declined_card_leaves_the_hold_with_its_extras_until_it_would_have_ended)
{
	struct booking b = place_declined(), read = find(b.code);

	assert_int_equal(read.state, BOOKING_HELD);
	assert_int_equal(read.asked_at, 0);
	assert_int_equal(read.try_no, 2);
	assert_int_equal(read.tries_left, rental.max_tries_per_hold - 1);
	assert_string_equal(read.declined_reason, "insufficient_funds");
	assert_int_equal(read.hold_until, NOW + rental.hold_s);
	assert_int_equal(read.n_extras, 3);
	assert_non_null(read.delivery);
	assert_int_equal(slots("HOLD"), 1);
	assert_int_equal(free_pieces(SEAT, NOW + 3 * DAY, NOW + 5 * DAY), 3);
	clock_set(NOW + rental.hold_s);
	booking_sweep(db);
	assert_int_equal(slots("HOLD"), 0);
	assert_int_equal(free_pieces(SEAT, NOW + 3 * DAY, NOW + 5 * DAY), 5);
}

TEST(each_try_is_a_charge_of_its_own_and_the_approved_one_pays)
{
	struct booking b = place_declined();
	struct booking_payment p = saved_card(2);

	assert_string_equal(charge_key, b.code);
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_DECLINED_HELD);
	assert_string_equal(charge_key, arena_printf(scratch_memory, "%s-2", b.code));
	charge_reply = CHARGE_ANSWER_APPROVED;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_OK);
	assert_string_equal(charge_key, arena_printf(scratch_memory, "%s-3", b.code));
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_PAID);
	assert_int_equal(b.try_no, 3);
	assert_int_equal(b.card_id, 0);
	assert_int_equal(b.n_extras, 3);
	assert_int_equal(n_charges, 3);
	assert_int_equal(charged, b.amount);
	assert_int_equal(events("booking.held"), 1);
	assert_int_equal(events("booking.paid"), 1);
}

TEST(refunds_of_a_booking_are_of_the_try_that_paid)
{
	struct booking b = place_declined();

	charge_reply = CHARGE_ANSWER_APPROVED;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_OK);
	report_event("car.reserved", b.code, "{}");
	b = find(b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_string_equal(refund_of, arena_printf(scratch_memory, "%s-2", b.code));
	assert_int_equal(refunded, b.amount);
}

TEST(the_last_declined_try_releases_the_hold_and_voids_all)
{
	struct booking b = place_declined();

	for (int i = 2; i < rental.max_tries_per_hold; i++)
		assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_DECLINED_HELD);
	assert_int_equal(find(b.code).tries_left, 1);
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_DECLINED);
	assert_int_equal(find(b.code).state, BOOKING_EXPIRED);
	assert_string_equal(find(b.code).end_reason, "declined");
	assert_int_equal(slots("HOLD"), 0);
	booking_sweep(db);
	assert_int_equal(n_refunds, rental.max_tries_per_hold);
	assert_int_equal(find(b.code).refund_state, REFUND_DONE);
	assert_int_equal(find(b.code).refunded_amount, 0);
}

TEST(a_hold_that_ends_after_a_declined_try_voids_it)
{
	struct booking b = place_declined();

	clock_set(NOW + rental.hold_s);
	booking_sweep(db);
	assert_int_equal(n_refunds, 1); /* the second was never asked for */
	assert_string_equal(refund_of, b.code);
	assert_int_equal(find(b.code).refund_state, REFUND_DONE);
}

TEST(a_void_that_is_not_done_for_one_try_is_asked_for_again)
{
	struct booking b = place_declined();

	refund_reply = REFUND_ANSWER_LATER;
	clock_set(NOW + rental.hold_s);
	booking_sweep(db);
	assert_int_equal(find(b.code).refund_state, REFUND_PENDING);
	refund_reply = REFUND_ANSWER_DONE;
	clock_set(NOW + rental.hold_s + 60);
	booking_sweep(db);
	assert_int_equal(find(b.code).refund_state, REFUND_DONE);
}

TEST(a_hold_given_up_after_a_declined_try_is_free_at_once)
{
	struct booking b = place_declined();

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(slots("HOLD"), 0);
	booking_sweep(db);
	assert_int_equal(find(b.code).refund_state, REFUND_DONE);
}

TEST(a_second_click_on_a_declined_try_is_not_the_next_try)
{
	struct booking b = place_declined();
	struct booking_payment p = saved_card(2);

	assert_int_equal(booking_pay(db, &b, &p), BOOKING_DECLINED_HELD);
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_DECLINED_HELD);
	assert_int_equal(n_charges, 2);
	charge_reply = CHARGE_ANSWER_APPROVED;
	p.try_no = 3;
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_OK);
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_AGAIN);
	p.try_no = 2;
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_AGAIN);
	assert_int_equal(n_charges, 3);
}

static struct booking_payment rival_payment;
static enum booking_outcome rival_outcome;

static void
pay_meanwhile(const struct booking *b)
{
	struct booking seen = find(b->code);

	during_payment = NULL;
	rival_outcome = booking_pay(db, &seen, &rival_payment);
}

TEST(two_clicks_at_once_are_one_try)
{
	struct booking b = place_declined();

	charge_reply = CHARGE_ANSWER_APPROVED;
	rival_payment = saved_card(2);
	during_payment = pay_meanwhile;
	assert_int_equal(booking_pay(db, &b, &rival_payment), BOOKING_OK);
	assert_int_equal(rival_outcome, BOOKING_IN_PROGRESS);
	assert_int_equal(n_charges, 2);
}

TEST(a_key_of_a_try_is_answered_as_before_and_another_card_under_it_refused)
{
	struct booking b = place_declined();
	struct booking_payment p = { .card_id = 11, .request_key = "t2" };

	assert_int_equal(booking_pay(db, &b, &p), BOOKING_DECLINED_HELD);
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_DECLINED_HELD);
	assert_int_equal(n_charges, 2);
	charge_reply = CHARGE_ANSWER_APPROVED;
	p.card_id = 0;
	p.payment_key = "pk";
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_KEY_REUSED);
	p = (struct booking_payment){ .card_id = 11, .request_key = "t3" };
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_OK);
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_AGAIN);
	assert_int_equal(n_charges, 3);
}

TEST(the_first_request_again_says_that_its_card_was_declined_and_later_that_it_is_paid)
{
	struct booking b = place_declined(), again;
	struct booking_order o = order_with_extras();

	assert_int_equal(booking_place(db, &o, &again), BOOKING_DECLINED_HELD);
	assert_string_equal(again.code, b.code);
	charge_reply = CHARGE_ANSWER_APPROVED;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_OK);
	assert_int_equal(booking_place(db, &o, &again), BOOKING_AGAIN);
	assert_int_equal(n_charges, 2);
}

TEST(a_card_of_another_customer_is_refused_and_the_hold_stays)
{
	struct booking b = place_declined();
	struct booking_payment p = { .card_id = 12 };

	assert_int_equal(booking_pay(db, &b, &p), BOOKING_BAD_CARD);
	assert_int_equal(find(b.code).asked_at, 0);
	assert_int_equal(n_charges, 1);
}

TEST(without_keeps_hold_a_declined_card_ends_the_booking)
{
	struct booking_order o = order_with_extras();
	struct booking b;

	o.keeps_hold = false;
	charge_reply = CHARGE_ANSWER_DECLINED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_DECLINED);
	assert_int_equal(slots("HOLD"), 0);
	assert_int_equal(find(b.code).refund_state, REFUND_NONE);
}

TEST(who_already_holds_as_many_cars_as_allowed_keeps_no_more_by_declined_cards)
{
	struct booking_order o = { .customer_id = 1, .car_id = 2, .keeps_hold = true };
	struct booking b;

	for (int i = 0; i < rental.max_holds_per_person; i++) {
		o.starts_at = NOW + (2 * i + 1) * DAY;
		o.ends_at = o.starts_at + HOUR;
		assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	}
	o = order_with_extras();
	charge_reply = CHARGE_ANSWER_DECLINED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_DECLINED);
	assert_int_equal(find(b.code).state, BOOKING_EXPIRED);
}

TEST(a_decline_that_the_sweep_finds_leaves_the_hold_too)
{
	struct booking b = place_declined();
	struct booking_payment p = saved_card(2);

	charge_reply = CHARGE_ANSWER_DECLINED;
	db_do(db, "UPDATE booking SET asked_at = $2 WHERE booking_id = $1", b.booking_id, NOW);
	look_up_reply = CHARGE_ANSWER_DECLINED;
	clock_set(NOW + 20);
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_HELD);
	assert_int_equal(b.try_no, 3);
	charge_reply = CHARGE_ANSWER_APPROVED;
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_DECLINED_HELD); /* the try that was lost */
	p.try_no = 3;
	assert_int_equal(booking_pay(db, &b, &p), BOOKING_OK);
}

static void
sweep_later(const struct booking *b)
{
	(void)b;
	during_payment = NULL;
	clock_set(clock_now() + 20);
	look_up_reply = CHARGE_ANSWER_DECLINED;
	booking_sweep(db);
}

/* A worker was stopped for longer than the sweep waits: what it hears then is about an earlier try. */
TEST(an_answer_about_an_earlier_try_does_not_pay)
{
	struct booking b = place_declined();

	charge_reply = CHARGE_ANSWER_APPROVED;
	during_payment = sweep_later;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_DECLINED_HELD);
	assert_int_equal(find(b.code).state, BOOKING_HELD);
	assert_int_equal(find(b.code).try_no, 3);
	assert_int_equal(events("booking.paid"), 0);
}

TEST(no_answer_is_not_a_decline_the_hold_ends_and_all_is_voided)
{
	struct booking b = place_declined();

	charge_reply = CHARGE_ANSWER_UNKNOWN;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_UNANSWERED);
	assert_int_equal(find(b.code).state, BOOKING_EXPIRED);
	booking_sweep(db);
	assert_int_equal(n_refunds, 2);
}

TEST(a_refund_of_an_earlier_try_is_not_the_bookings)
{
	struct booking b = place_declined();

	charge_reply = CHARGE_ANSWER_APPROVED;
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_OK);
	b = find(b.code);
	refund_reply = REFUND_ANSWER_PENDING;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	report_event("payment.cancelled", b.code,
		arena_printf(scratch_memory, "{\"charge_id\":6,\"refunded_amount\":%lld,\"refund_key\":\"%s-void\"}",
			(long long)b.amount, b.code));
	assert_int_equal(find(b.code).refund_state, REFUND_PENDING);
	report_event("payment.cancelled", b.code,
		arena_printf(scratch_memory, "{\"charge_id\":7,\"refunded_amount\":%lld,\"refund_key\":\"%s-cancel\"}",
			(long long)b.amount, b.code));
	assert_int_equal(find(b.code).refund_state, REFUND_DONE);
}

TEST(the_schema_lets_a_next_try_begin_only_after_a_declined_one)
{
	struct booking b = place_held();

	assert_false(db_try(db, "UPDATE booking SET try_no = 2 WHERE booking_id = $1", b.booking_id)); /* not asked */
	assert_string_equal(db_refusal(db), "booking_try");
	db_do(db, "UPDATE booking SET asked_at = 1 WHERE booking_id = $1", b.booking_id);
	assert_false(db_try(db, "UPDATE booking SET try_no = 2 WHERE booking_id = $1", b.booking_id)); /* still asked */
	assert_false(db_try(db, "UPDATE booking SET try_no = 3, asked_at = 0 WHERE booking_id = $1", b.booking_id));
	assert_true(db_try(db, "UPDATE booking SET try_no = 2, asked_at = 0 WHERE booking_id = $1", b.booking_id));
	db_do(db, "UPDATE booking SET asked_at = 1 WHERE booking_id = $1", b.booking_id);
	db_do(db, "UPDATE booking SET state = 'PAID', charge_id = 7 WHERE booking_id = $1", b.booking_id);
	assert_false(db_try(db, "UPDATE booking SET try_no = 3, asked_at = 0 WHERE booking_id = $1", b.booking_id));
}

/* --- a killed worker ---------------------------------------------------------------------------------------------- */

/* The stamp of a process that was killed; alive: of one that waits to be killed. */
static const char *
stamp_of_child(pid_t *pid)
{
	char stamp[201] = "";
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	*pid = fork();
	if (*pid == 0) {
		const char *own = proc_stamp(arena_new(4096));

		_exit(write(ends[1], own, strlen(own)) < 0 || pause());
	}
	close(ends[1]);
	assert_true(read(ends[0], stamp, sizeof(stamp) - 1) > 0);
	close(ends[0]);
	return arena_strdup(scratch_memory, stamp);
}

static void
end_child(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* As a worker left it that was killed while it waited for payment. */
static struct booking
place_asked(const char *stamp)
{
	struct booking_order o = order_with_extras();
	struct booking b;

	charge_reply = CHARGE_ANSWER_DECLINED;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_DECLINED_HELD);
	db_script(db, "DROP TRIGGER booking_next_try; DROP TRIGGER booking_try_never_goes; DELETE FROM booking_try;");
	db_do(db, "UPDATE booking SET try_no = 1, asked_at = $2, asked_by = $3 WHERE booking_id = $1", b.booking_id,
		clock_now(), stamp);
	charge_reply = CHARGE_ANSWER_APPROVED;
	n_charges = 0;
	return b;
}

TEST(the_same_key_takes_over_from_a_killed_worker_at_once)
{
	struct booking_order o = order_with_extras();
	struct booking b, again;
	pid_t pid;
	const char *stamp = stamp_of_child(&pid);

	b = place_asked(stamp);
	assert_int_equal(booking_place(db, &o, &again), BOOKING_IN_PROGRESS); /* it lives */
	assert_int_equal(n_charges, 0);
	end_child(pid);
	assert_int_equal(booking_place(db, &o, &again), BOOKING_OK);
	assert_string_equal(again.code, b.code);
	assert_string_equal(charge_key, b.code); /* the same charge */
	assert_int_equal(find(b.code).state, BOOKING_PAID);
	assert_int_equal(booking_place(db, &o, &again), BOOKING_AGAIN);
	assert_int_equal(n_charges, 1);
}

TEST(the_same_payment_takes_over_from_a_killed_worker_at_once)
{
	struct booking b = place_held();
	pid_t pid;
	const char *stamp = stamp_of_child(&pid);

	db_do(db, "UPDATE booking SET asked_at = $2, asked_by = $3 WHERE booking_id = $1", b.booking_id, NOW, stamp);
	b = find(b.code);
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_IN_PROGRESS);
	end_child(pid);
	assert_int_equal(booking_pay(db, &b, &new_card), BOOKING_OK);
	assert_int_equal(n_charges, 1);
}

static struct booking_order repeated;

static void
repeat_order(const struct booking *b)
{
	struct booking other;

	(void)b;
	during_payment = NULL;
	rival_outcome = booking_place(db, &repeated, &other);
}

TEST(of_two_that_take_over_one_asks)
{
	struct booking b;
	pid_t pid;
	const char *stamp = stamp_of_child(&pid);

	b = place_asked(stamp);
	end_child(pid);
	repeated = order_with_extras();
	during_payment = repeat_order;
	assert_int_equal(booking_place(db, &repeated, &b), BOOKING_OK);
	assert_int_equal(rival_outcome, BOOKING_IN_PROGRESS);
	assert_int_equal(n_charges, 1);
}

TEST(what_another_host_or_an_unknown_process_began_is_left_to_the_sweep)
{
	struct booking_order o = order_with_extras();
	struct booking b;

	place_asked("elsewhere 0f1e2d3c 99999999 17");
	assert_int_equal(booking_place(db, &o, &b), BOOKING_IN_PROGRESS);
	db_do(db, "UPDATE booking SET asked_by = '' /*scan*/");
	assert_int_equal(booking_place(db, &o, &b), BOOKING_IN_PROGRESS);
	assert_int_equal(n_charges, 0);
}

TEST(a_process_is_known_by_its_host_boot_pid_and_start)
{
	const char *own = proc_stamp(scratch_memory);
	char host[100], boot[100];
	long long started;
	int pid;

	assert_int_equal(sscanf(own, "%99s %99s %d %lld", host, boot, &pid, &started), 4);
	assert_int_equal(pid, getpid());
	assert_false(proc_stamp_is_ended(own));
	assert_false(proc_stamp_is_ended(""));
	assert_false(proc_stamp_is_ended("nonsense"));
	assert_true(proc_stamp_is_ended(arena_printf(
		scratch_memory, "%s %s %d %lld", host, boot, pid, started - 1))); /* the pid was given again */
	assert_true(proc_stamp_is_ended(arena_printf(scratch_memory, "%s another %d %lld", host, pid, started)));
	assert_false(proc_stamp_is_ended(arena_printf(scratch_memory, "other %s %d %lld", boot, pid, started - 1)));
}

TEST_MAIN("booking_tries", NULL, NULL, begin, end)
