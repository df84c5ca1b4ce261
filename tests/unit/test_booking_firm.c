/* test_booking_firm - the firm cannot keep a booking: all is refunded, and the customer is compensated once. */
#include "test.h"

#include "firm_world.h"

/* --- cancelled by the firm ---------------------------------------------------------------------------------------- */

TEST(the_firm_gives_back_everything_and_compensates_at_any_hour_before_the_start)
{
	struct booking b = confirmed(NOW + 5 * DAY, NOW + 6 * DAY);
	struct cancel_preview p;

	clock_set(NOW + 5 * DAY - 5 * HOUR);
	assert_true(cancel_preview(&b, clock_now(), &p));
	assert_int_equal(p.refund, 81000); /* for the customer: their rule */
	assert_true(firm_cancel_preview(&b, &p));
	assert_int_equal(p.refund, 90000);
	assert_int_equal(p.compensation, 9000);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	b = summed(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 90000);
	assert_int_equal(b.kept_amount, 0);
	assert_int_equal(b.kept_vat_amount, 0);
	assert_int_equal(b.cancel_by, CANCEL_BY_FIRM);
	assert_string_equal(b.cancel_reason, "car_broken");
	assert_string_equal(b.cancel_note, "The gearbox failed.");
	assert_int_equal(b.compensation_state, REFUND_DONE);
	assert_int_equal(paid_out, 9000);
	assert_string_equal(payout_keys[0].key, arena_printf(scratch_memory, "%s-compensation", b.code));
	assert_true(payload_has("booking.cancel_requested", "\"cancel_by\":\"firm\""));
	assert_true(payload_has("booking.cancel_requested", "\"compensation_due\":9000"));
	assert_null(strstr(payload("booking.cancel_requested"), "gearbox")); /* what people type stays out of the log */
	assert_int_equal(slots("RELEASED"), 1);
}

TEST(a_second_click_neither_refunds_nor_compensates_twice)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	for (int i = 0; i < 3; i++)
		assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	assert_int_equal(refunded, 90000);
	assert_int_equal(paid_out, 9000);
	assert_int_equal(events("booking.cancelled"), 1);
}

TEST(the_firm_cancels_after_the_start_what_was_never_handed_over)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);
	struct cancel_preview p;

	clock_set(NOW + DAY + 3 * HOUR);
	assert_false(cancel_preview(&b, clock_now(), &p));
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_NOT_POSSIBLE);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	assert_int_equal(find(b.code).refunded_amount, 90000);
}

TEST(a_car_that_was_handed_over_and_an_unpaid_hold_are_not_cancelled_by_the_firm)
{
	struct booking b = out(), held;

	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_NOT_POSSIBLE);
	clock_set(NOW);
	held = (struct booking){ 0 };
	{
		struct booking_order o = order_car(2, 2, NOW + 3 * DAY, NOW + 4 * DAY);

		o.card_id = 0;
		assert_int_equal(booking_place(db, &o, &held), BOOKING_OK);
	}
	assert_int_equal(booking_cancel_by_firm(db, &held, &broken), CANCEL_NOT_POSSIBLE);
	assert_int_equal(paid_out, 0);
}

TEST(extras_come_back_too_also_those_that_were_refunded_before)
{
	struct booking b = confirm_with_extras(); /* 250,000; seats 20,000 */

	report_equipment("equipment.rejected", &b, 4, "reviewer", "no");
	booking_sweep(db);
	assert_int_equal(refunded, 20000);
	b = find(b.code);
	clock_set(b.starts_at - HOUR);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	b = summed(b.code);
	assert_int_equal(refunded, b.amount);
	assert_int_equal(b.refunded_amount, b.amount - 20000);
	assert_int_equal(b.kept_amount, 0);
	assert_int_equal(b.compensation_due, b.amount / 10);
}

TEST(the_settings_say_how_much_the_compensation_is)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	assert_int_equal(compensation_of(&b), 9000);
	rental.firm_compensation_min = 20000;
	assert_int_equal(compensation_of(&b), 20000);
	rental.firm_compensation_min = rental.firm_compensation_percent = 0;
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_DONE);
	b = find(b.code);
	assert_int_equal(b.refunded_amount, 90000);
	assert_int_equal(b.compensation_state, REFUND_NONE);
	assert_int_equal(n_payouts, 0);
}

TEST(while_payment_is_down_the_booking_is_cancelled_and_the_compensation_follows_once)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	payout_reply = PAYOUT_ANSWER_LATER;
	refund_reply = REFUND_ANSWER_LATER;
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_PENDING);
	assert_int_equal(slots("RELEASED"), 1);
	sweep_for(300);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCEL_REQUESTED);
	assert_int_equal(b.compensation_state, REFUND_PENDING);
	assert_int_equal(paid_out, 0);
	assert_true(n_payouts > 3);
	refund_reply = REFUND_ANSWER_DONE;
	sweep_for(120);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(booking_stuck_kind(&b), STUCK_COMPENSATION);
	payout_reply = PAYOUT_ANSWER_DONE;
	sweep_for(120);
	assert_int_equal(find(b.code).compensation_state, REFUND_DONE);
	assert_int_equal(paid_out, 9000);
	sweep_for(120);
	assert_int_equal(n_payout_keys, 1);
}

/* Payment has the payout, and its caller died before it wrote that down. */
TEST(an_answer_that_was_lost_is_asked_for_under_the_same_key)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	booking_cancel_by_firm(db, &b, &broken);
	db_do(db, "UPDATE booking SET compensation_state = 'PENDING' WHERE booking_id = $1", b.booking_id);
	sweep_for(120);
	assert_int_equal(find(b.code).compensation_state, REFUND_DONE);
	assert_int_equal(n_payouts, 2);
	assert_int_equal(paid_out, 9000);
}

TEST(a_compensation_is_tried_with_growing_pauses)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	payout_reply = PAYOUT_ANSWER_REFUSED;
	booking_cancel_by_firm(db, &b, &broken);
	assert_in_range(longest_gap(&n_payouts, 600), 40, PAUSE_MAX_S);
	assert_int_equal(find(b.code).compensation_state, REFUND_PENDING);
}

TEST(a_refused_car_is_compensated_if_the_settings_say_so)
{
	struct booking b = place_paid(NOW + DAY, NOW + 2 * DAY), other;
	struct booking_order o = order_car(2, 2, NOW + DAY, NOW + 2 * DAY);

	report_event("car.refused", b.code, "{}");
	assert_true(payload_has("booking.rejected", "\"compensation_due\":9000"));
	report_event("car.refused", b.code, "{}");
	booking_sweep(db);
	assert_int_equal(paid_out, 9000);
	assert_int_equal(find(b.code).compensation_state, REFUND_DONE);
	rental.firm_compensation_refused = false;
	assert_int_equal(booking_place(db, &o, &other), BOOKING_OK);
	report_event("car.refused", other.code, "{}");
	booking_sweep(db);
	assert_int_equal(find(other.code).state, BOOKING_REJECTED);
	assert_int_equal(paid_out, 9000);
}

TEST(a_manager_who_cancels_for_the_customer_applies_their_rule_without_a_compensation)
{
	struct booking b = confirmed(NOW + 5 * DAY, NOW + 6 * DAY);

	clock_set(b.starts_at - HOUR);
	assert_int_equal(booking_cancel(db, &b, MANAGER, "manager"), CANCEL_DONE);
	b = find(b.code);
	assert_int_equal(b.refunded_amount, 81000);
	assert_int_equal(b.cancel_by, CANCEL_BY_CUSTOMER);
	assert_int_equal(n_payouts, 0);
}

/* --- with a delivery: what was asked for is in the row ------------------------------------------------------------ */

TEST(the_firms_wish_waits_for_delivery_and_keeps_its_terms)
{
	struct booking b = confirm_with_extras();

	clock_set(b.starts_at - HOUR);
	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_PENDING);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.cancel_by, CANCEL_BY_FIRM);
	clock_set(b.starts_at + HOUR); /* it began meanwhile */
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, b.amount);
	assert_string_equal(b.cancel_note, "The gearbox failed.");
	assert_int_equal(paid_out, b.amount / 10);
}

TEST(a_wish_that_comes_too_late_is_withdrawn_with_its_words)
{
	struct booking b = confirm_with_extras();

	delivery_reply = DELIVERY_ANSWER_SHIPPED;
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_SHIPPED);
	b = find(b.code);
	assert_int_equal(b.cancel_asked_at, 0);
	assert_int_equal(b.cancel_by, CANCEL_BY_NONE);
	assert_string_equal(b.cancel_note, "");
	assert_int_equal(n_payouts, 0);
}

TEST(the_firms_wish_replaces_the_customers_and_not_the_other_way_round)
{
	struct booking b = confirm_with_extras();

	clock_set(b.starts_at - HOUR);
	delivery_reply = DELIVERY_ANSWER_UNKNOWN;
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	assert_int_equal(find(b.code).cancel_by, CANCEL_BY_CUSTOMER);
	assert_int_equal(booking_cancel_by_firm(db, &b, &broken), CANCEL_PENDING);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	b = find(b.code);
	assert_int_equal(b.cancel_by, CANCEL_BY_FIRM);
	assert_int_equal(b.cancel_asked_by, MANAGER);
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	sweep_for(120);
	assert_int_equal(find(b.code).refunded_amount, b.amount);
}

/* --- what the schema refuses -------------------------------------------------------------------------------------- */

#define REFUSED(word, sql, ...) \
	do { \
		assert_false(db_try(db, sql, __VA_ARGS__)); \
		assert_string_equal(db_refusal(db), word); \
	} while (0)

TEST(the_schema_refuses_that_the_firm_keeps_money_or_that_others_are_compensated)
{
	struct booking b = confirmed(NOW + DAY, NOW + 2 * DAY);

	REFUSED("firm_keeps_nothing",
		"UPDATE booking SET state = 'CANCEL_REQUESTED', cancel_by = 'firm', cancel_reason = 'other',"
		" refund_due = amount - 1 WHERE booking_id = $1",
		b.booking_id);
	REFUSED("compensation_is_frozen",
		"UPDATE booking SET compensation_due = 1, compensation_state = 'PENDING' WHERE booking_id = $1",
		b.booking_id);
	booking_cancel_by_firm(db, &b, &broken);
	REFUSED("compensation_is_frozen", "UPDATE booking SET compensation_due = 8999 WHERE booking_id = $1",
		b.booking_id);
	REFUSED("booking_is_frozen",
		"UPDATE booking SET cancel_by = 'customer', cancel_reason = '', cancel_note = ''"
		" WHERE booking_id = $1",
		b.booking_id);
}

TEST(the_schema_refuses_more_refunds_than_the_price)
{
	struct booking b = completed();

	REFUSED("refund_too_much",
		"INSERT INTO part_refund (booking_id, refund_no, amount, reason, note, asked_at, asked_by)"
		" VALUES ($1, 1, 90001, 'other', 'x', 1, 1)",
		b.booking_id);
	db_do(db,
		"INSERT INTO part_refund (booking_id, refund_no, amount, reason, note, asked_at, asked_by)"
		" VALUES ($1, 1, 50000, 'other', 'x', 1, 1)",
		b.booking_id);
	REFUSED("refund_too_much", "UPDATE booking SET refund_due = 40001 WHERE booking_id = $1", b.booking_id);
	REFUSED("part_refund_is_frozen", "UPDATE part_refund SET amount = 1 WHERE booking_id = $1", b.booking_id);
}

TEST_MAIN("booking_firm", NULL, NULL, begin, end)
