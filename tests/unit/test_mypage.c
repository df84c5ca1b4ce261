/* mypage: a customer's bookings, made from events: what each shows, the list by tabs, and the progress. */
#include "test.h"

#include "mypage_world.h"

TEST(a_held_booking_shows_the_car_and_its_price_lines)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_HELD);
	assert_string_equal(b.car_name, "Avante");
	assert_string_equal(b.plate, "12가 3456");
	assert_int_equal(b.body, BODY_SEDAN);
	assert_int_equal(b.amount, 207000);
	assert_int_equal(b.starts_at, 1795568400);
	assert_int_equal(b.n_lines, 2);
	assert_int_equal(b.lines[0].rule, PRICE_RULE_DAILY);
	assert_int_equal(b.lines[1].amount, 27000);
	assert_int_equal(b.payment_state, MY_PAYMENT_NONE);
}

TEST(a_confirmed_booking_shows_the_card_and_its_history_newest_first)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.payment_state, MY_PAYMENT_APPROVED);
	assert_string_equal(b.last4, "4242");
	assert_int_equal(b.paid_at, NOW + 1);
	assert_int_equal(b.confirmed_at, NOW + 2);
	assert_int_equal(b.n_events, 5);
	assert_string_equal(words_code(&customer_event_words, b.events[0].type), "booking.confirmed");
	assert_string_equal(words_code(&customer_event_words, b.events[4].type), "booking.held");
	assert_int_equal(b.events[3].amount, 207000);
}

TEST(a_cancelled_booking_shows_its_refund_as_pending_until_it_is_done)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	report("booking.cancel_requested", "MP-AAAA1111", "{\"refund_due\":144900,\"reason\":\"customer\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	assert_int_equal(b.payment_state, MY_PAYMENT_REFUND_DUE);
	assert_int_equal(b.refund_due, 144900);
	report_at(NOW + 60, "payment.cancelled", "MP-AAAA1111", "{\"amount\":144900,\"refunded_amount\":144900}");
	report_at(NOW + 60, "booking.cancelled", "MP-AAAA1111", "{\"refunded_amount\":144900}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.payment_state, MY_PAYMENT_REFUNDED);
	assert_int_equal(b.refunded_amount, 144900);
	assert_int_equal(b.refunded_at, NOW + 60);
	assert_int_equal(b.ended_at, NOW);
}

TEST(a_refunded_part_leaves_the_payment_as_paid_and_is_in_the_history_with_its_reason)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	report_at(NOW + 60, "booking.refund_granted", "MP-AAAA1111",
		"{\"refund_no\":1,\"amount\":10000,\"reason\":\"car_fault\"}");
	report_at(NOW + 61, "payment.cancelled", "MP-AAAA1111",
		"{\"amount\":10000,\"refunded_amount\":10000,\"refund_key\":\"MP-AAAA1111-refund-1\"}");
	report_at(NOW + 61, "booking.part_refunded", "MP-AAAA1111",
		"{\"refund_no\":1,\"amount\":10000,\"reason\":\"car_fault\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_PAID);
	assert_int_equal(b.payment_state, MY_PAYMENT_APPROVED);
	assert_int_equal(b.refunded_amount, 10000);
	assert_int_equal(db_int(view,
				 "SELECT COUNT(*) FROM my_event WHERE type = 'booking.refund_granted'"
				 " AND amount = 10000 AND reason = 'car_fault' /*scan*/"),
		1);
	assert_string_equal(my_reason_in_words("car_fault"), "A fault with the car");
	report_at(NOW + 62, "booking.refund_granted", "MP-AAAA1111",
		"{\"refund_no\":2,\"amount\":500,\"reason\":\"other\"}");
	found("MP-AAAA1111");
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_event WHERE amount = 500 AND reason = '' /*scan*/"), 1);
}

TEST(a_booking_that_the_firm_cancelled_says_so)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	report("booking.cancel_requested", "MP-AAAA1111",
		"{\"refund_due\":207000,\"reason\":\"firm\",\"cancel_by\":\"firm\",\"cancel_reason\":\"car_late\"}");
	b = found("MP-AAAA1111");
	assert_string_equal(b.end_reason, "firm");
	assert_string_equal(my_reason_in_words(b.end_reason),
		"We are sorry: we could not keep this booking. You get a full refund.");
}

TEST(a_cancellation_without_a_refund_leaves_the_payment_as_paid)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	report("booking.cancel_requested", "MP-AAAA1111", "{\"refund_due\":0,\"reason\":\"customer\"}");
	report("booking.cancelled", "MP-AAAA1111", "{\"refunded_amount\":0}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.payment_state, MY_PAYMENT_APPROVED);
}

TEST(a_payment_for_an_expired_booking_is_shown_as_being_refunded_whichever_came_first)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	report("booking.expired", "MP-AAAA1111", "{\"reason\":\"later\"}");
	report("payment.approved", "MP-AAAA1111", "{\"amount\":207000,\"brand\":\"Visa\",\"last4\":\"4242\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_int_equal(b.payment_state, MY_PAYMENT_REFUND_DUE);
	assert_int_equal(b.refund_due, 207000);
	hold("MP-BBBB2222");
	report("payment.approved", "MP-BBBB2222", "{\"amount\":207000,\"brand\":\"Visa\",\"last4\":\"4242\"}");
	report("booking.expired", "MP-BBBB2222", "{\"reason\":\"later\"}");
	b = found("MP-BBBB2222");
	assert_int_equal(b.payment_state, MY_PAYMENT_REFUND_DUE);
	report("payment.cancelled", "MP-BBBB2222", "{\"amount\":207000,\"refunded_amount\":207000}");
	b = found("MP-BBBB2222");
	assert_int_equal(b.payment_state, MY_PAYMENT_REFUNDED);
}

TEST(a_refused_car_ends_as_rejected_with_a_full_refund)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	report("car.refused", "MP-AAAA1111", "{\"car_id\":3,\"reason\":\"retired\"}");
	report("booking.rejected", "MP-AAAA1111", "{\"refund_due\":207000,\"reason\":\"car_refused\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.payment_state, MY_PAYMENT_REFUND_DUE);
	report("payment.cancelled", "MP-AAAA1111", "{\"amount\":207000,\"refunded_amount\":207000}");
	report("booking.refunded", "MP-AAAA1111", "{\"refunded_amount\":207000}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.payment_state, MY_PAYMENT_REFUNDED);
}

/* --- who sees what ------------------------------------------------------------------------------------------------ */

TEST(another_customers_booking_is_unknown)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	handle_events();
	assert_int_equal(my_find(view, "MP-AAAA1111", LEE, &b), MY_UNKNOWN);
	assert_int_equal(my_find(view, "MP-ZZZZ9999", KIM, &b), MY_UNKNOWN);
}

TEST(a_booking_whose_event_is_not_handled_yet_is_being_prepared_for_its_customer_only)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	assert_int_equal(my_find(view, "MP-AAAA1111", KIM, &b), MY_PREPARING);
	assert_int_equal(my_find(view, "MP-AAAA1111", LEE, &b), MY_UNKNOWN);
	handle_events();
	assert_int_equal(my_find(view, "MP-AAAA1111", KIM, &b), MY_FOUND);
}

TEST(bookings_are_listed_by_tab_and_not_completed_ones_under_all_only)
{
	struct my_booking *list;
	int64_t n[N_MY_TABS];

	hold_for("MP-LATER000", KIM, 3, "2026-12-25T10:00:00+09:00", "2026-12-27T13:00:00+09:00");
	hold_for("MP-SOON0000", KIM, 3, "2026-11-25T10:00:00+09:00", "2026-11-27T13:00:00+09:00");
	hold("MP-EXPIRED0");
	report("booking.expired", "MP-EXPIRED0", "{\"reason\":\"declined\"}");
	hold("MP-CANCEL00");
	report("booking.cancelled", "MP-CANCEL00", "{\"refunded_amount\":0}");
	hold_for("MP-LEE00000", LEE, 3, "2026-12-25T10:00:00+09:00", "2026-12-27T13:00:00+09:00");
	handle_events();
	my_count(view, KIM, n);
	assert_int_equal(n[MY_TAB_UPCOMING], 2);
	assert_int_equal(n[MY_TAB_CANCELLED], 1);
	assert_int_equal(n[MY_TAB_PAST], 0);
	assert_int_equal(n[MY_TAB_ALL], 4);
	assert_int_equal(my_list(view, KIM, MY_TAB_UPCOMING, 0, 20, &list), 2);
	assert_string_equal(list[0].code, "MP-SOON0000");
	assert_int_equal(my_list(view, KIM, MY_TAB_ALL, 0, 20, &list), 4);
	assert_string_equal(list[0].code, "MP-LATER000");
	assert_int_equal(my_list(view, KIM, MY_TAB_ALL, 3, 20, &list), 1);
	assert_int_equal(my_list(view, KIM, MY_TAB_CANCELLED, 0, 20, &list), 1);
	assert_string_equal(list[0].code, "MP-CANCEL00");
}

/* --- progress ----------------------------------------------------------------------------------------------------- */

TEST(the_steps_follow_the_booking_and_the_page_reloads_only_while_it_moves)
{
	hold("MP-AAAA1111");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:now CONFIRMED:todo OUT:todo RETURNED:todo COMPLETED:todo", true);
	pay("MP-AAAA1111");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:now OUT:todo RETURNED:todo COMPLETED:todo", true);
	confirm("MP-AAAA1111");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:now RETURNED:todo COMPLETED:todo", false);
	report("booking.handed_out", "MP-AAAA1111", "{}");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:done RETURNED:now COMPLETED:todo", false);
	report("booking.returned", "MP-AAAA1111", "{}");
	report("booking.completed", "MP-AAAA1111", "{}");
	expect_steps(
		"MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:done RETURNED:done COMPLETED:done", false);
}

TEST(a_booking_that_ended_early_shows_its_steps_so_far_and_the_refund)
{
	hold("MP-AAAA1111");
	report("payment.failed", "MP-AAAA1111", "{\"amount\":207000,\"reason\":\"declined\"}");
	report("booking.expired", "MP-AAAA1111", "{\"reason\":\"declined\"}");
	expect_steps("MP-AAAA1111", "BOOKED:done EXPIRED:bad", false);
	hold("MP-BBBB2222");
	pay("MP-BBBB2222");
	confirm("MP-BBBB2222");
	report("booking.cancel_requested", "MP-BBBB2222", "{\"refund_due\":207000}");
	expect_steps("MP-BBBB2222", "BOOKED:done PAID:done CONFIRMED:done CANCELLED:done REFUND:now", true);
	report("payment.cancelled", "MP-BBBB2222", "{\"amount\":207000,\"refunded_amount\":207000}");
	report("booking.cancelled", "MP-BBBB2222", "{\"refunded_amount\":207000}");
	expect_steps("MP-BBBB2222", "BOOKED:done PAID:done CONFIRMED:done CANCELLED:done REFUND:done", false);
	hold("MP-CCCC3333");
	pay("MP-CCCC3333");
	confirm("MP-CCCC3333");
	report("booking.no_show", "MP-CCCC3333", "{}");
	expect_steps("MP-CCCC3333", "BOOKED:done PAID:done CONFIRMED:done NO_SHOW:bad", false);
}

#define UNDO_UNTIL "{\"undo_until\":\"2026-11-25T11:10:00+09:00\"}"

TEST(an_undone_no_show_is_upcoming_again_and_a_final_one_has_its_refund)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	report("booking.no_show", "MP-AAAA1111", UNDO_UNTIL);
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_NO_SHOW);
	assert_true(b.undo_until > 0 && b.ended_at > 0);
	report("booking.no_show_undone", "MP-AAAA1111", "{}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.undo_until + b.ended_at, 0);
	assert_string_equal(b.end_reason, "");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:now RETURNED:todo COMPLETED:todo", false);
	report("booking.no_show", "MP-AAAA1111", UNDO_UNTIL);
	report("booking.no_show_final", "MP-AAAA1111", "{\"refund_due\":186300,\"reason\":\"no_show\"}");
	report("car.released", "MP-AAAA1111", "{}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.undo_until, 0);
	assert_int_equal(b.refund_due, 186300);
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done NO_SHOW:bad REFUND:now", true);
	report("payment.cancelled", "MP-AAAA1111", "{\"amount\":186300,\"refunded_amount\":186300}");
	report("booking.refunded", "MP-AAAA1111", "{\"refunded_amount\":186300}");
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done NO_SHOW:bad REFUND:done", false);
	assert_int_equal(found("MP-AAAA1111").n_events, 12);
}

TEST(an_undone_return_is_in_use_again)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	report("booking.handed_out", "MP-AAAA1111", "{}");
	report("booking.returned", "MP-AAAA1111", UNDO_UNTIL);
	assert_true(found("MP-AAAA1111").undo_until > 0);
	report("booking.return_undone", "MP-AAAA1111", "{}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.state, BOOKING_OUT);
	assert_int_equal(b.undo_until + b.returned_at, 0);
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:done RETURNED:now COMPLETED:todo", false);
	report("booking.returned", "MP-AAAA1111", UNDO_UNTIL);
	report("booking.completed", "MP-AAAA1111", "{}");
	assert_int_equal(found("MP-AAAA1111").undo_until, 0);
}

/* The first card was declined, the second paid; then the first is approved after all, and refunded. */
TEST(a_late_approval_of_an_earlier_try_is_in_the_history_and_the_booking_stays_paid)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	report("payment.failed", "MP-AAAA1111", "{\"amount\":207000,\"reason\":\"declined\",\"try_no\":1}");
	assert_int_equal(found("MP-AAAA1111").payment_state, MY_PAYMENT_FAILED);
	report("payment.approved", "MP-AAAA1111",
		"{\"amount\":207000,\"brand\":\"Visa\",\"last4\":\"4242\",\"try_no\":2}");
	report("booking.paid", "MP-AAAA1111", "{}");
	report("payment.approved", "MP-AAAA1111",
		"{\"amount\":207000,\"brand\":\"Amex\",\"last4\":\"0005\",\"try_no\":1}");
	report("payment.cancelled", "MP-AAAA1111",
		"{\"amount\":207000,\"refunded_amount\":207000,\"refund_key\":\"MP-AAAA1111-void\",\"try_no\":1}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.payment_state, MY_PAYMENT_APPROVED);
	assert_string_equal(b.last4, "4242");
	assert_int_equal(b.refunded_amount, 0);
	assert_int_equal(b.n_events, 6);
	report("payment.cancelled", "MP-AAAA1111",
		"{\"amount\":207000,\"refunded_amount\":207000,\"refund_key\":\"MP-AAAA1111-cancel\",\"try_no\":2}");
	assert_int_equal(found("MP-AAAA1111").payment_state, MY_PAYMENT_REFUNDED);
}

TEST_MAIN("mypage", NULL, NULL, begin, end)
