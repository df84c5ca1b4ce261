/* test_extra_end - extras are refunded correctly when they or their booking end. */
#include "test.h"

#include "booking_world.h"

/* --- extras that end ---------------------------------------------------------------------------------------------- */

TEST(a_rejected_equipment_order_is_refunded_and_the_booking_goes_on)
{
	struct booking b = confirm_with_extras();

	report_equipment("equipment.rejected", &b, 4, "", "not for hire in May");
	b = find(b.code);
	assert_int_equal(b.extras[2].state, EXTRA_ENDED);
	assert_int_equal(b.extras[2].refund_state, REFUND_PENDING);
	assert_int_equal(b.extras[2].refund_due, 20000);
	assert_true(
		payload_has("booking.extra_ended", "\"line_no\":4,\"kind\":\"equipment\",\"label\":\"Child seat\""));
	assert_true(payload_has("booking.extra_ended", "\"refund_due\":20000"));
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(b.refunded_amount, 0);
	assert_int_equal(b.extras[2].refunded_amount, 20000);
	assert_int_equal(refunded, 20000);
	assert_string_equal(refund_keys[0].key, arena_printf(scratch_memory, "%s-extra-4", b.code));
	assert_int_equal(events("booking.extra_refunded"), 1);
	report_equipment("equipment.rejected", &b, 4, "", "again");
	booking_sweep(db);
	assert_int_equal(events("booking.extra_ended") + events("booking.extra_refunded"), 2);
	assert_int_equal(refunded, 20000);
	assert_int_equal(free_pieces(SEAT, NOW + 3 * DAY, NOW + 5 * DAY), 5);
}

TEST(an_equipment_order_that_ended_with_its_booking_has_no_refund_of_its_own)
{
	struct booking b = confirm_with_extras();

	report_equipment("equipment.cancelled", &b, 4, "booking", "");
	assert_int_equal(find(b.code).extras[2].state, EXTRA_BOOKED);
	report_equipment("equipment.cancelled", &b, 2, "customer", ""); /* the line of the delivery */
	report_equipment("equipment.cancelled", &b, 9, "customer", "");
	assert_int_equal(events("booking.extra_ended"), 0);
	report_equipment("equipment.cancelled", &b, 4, "customer", "");
	assert_int_equal(events("booking.extra_ended"), 1);
}

TEST(a_delivery_cancelled_by_the_dispatcher_refunds_both_trips)
{
	struct booking b = confirm_with_extras();

	report_delivery("delivery.cancelled", &b, "delivery", "customer");
	report_delivery("delivery.cancelled", &b, "delivery", "booking");
	assert_int_equal(events("booking.extra_ended"), 0);
	report_delivery("delivery.cancelled", &b, "delivery", "dispatcher");
	assert_int_equal(events("booking.extra_ended"), 2);
	booking_sweep(db);
	assert_int_equal(refunded, 50000);
	assert_int_equal(n_refund_keys, 2);
}

TEST(a_car_picked_up_at_the_branch_refunds_the_delivery_and_keeps_the_collection)
{
	struct booking b = confirm_with_extras();

	clock_set(b.starts_at);
	assert_true(booking_hand_out(db, &b, 7));
	report_event("delivery.cancelled", b.code,
		"{\"direction\":\"delivery\",\"by\":\"booking\",\"reason\":\"handed_out\"}");
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_OUT);
	assert_int_equal(b.extras[0].state, EXTRA_ENDED);
	assert_int_equal(b.extras[1].state, EXTRA_BOOKED);
	booking_sweep(db);
	assert_int_equal(refunded, 25000);
}

TEST(a_cancelled_collection_leaves_the_delivery)
{
	struct booking b = confirm_with_extras();

	report_delivery("delivery.cancelled", &b, "collection", "dispatcher");
	b = find(b.code);
	assert_int_equal(b.extras[0].state, EXTRA_BOOKED);
	assert_int_equal(b.extras[1].state, EXTRA_ENDED);
}

TEST(a_refund_that_payment_finishes_later_closes_the_extra_alone)
{
	struct booking b = confirm_with_extras();

	refund_reply = REFUND_ANSWER_PENDING;
	report_equipment("equipment.rejected", &b, 4, "", "no");
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.extras[2].refund_state, REFUND_PENDING);
	assert_string_equal(b.extras[2].last_error, "refund_asked");
	report_event("payment.cancelled", b.code,
		arena_printf(scratch_memory, "{\"refunded_amount\":20000,\"refund_key\":\"%s-extra-4\"}", b.code));
	b = find(b.code);
	assert_int_equal(b.extras[2].refund_state, REFUND_DONE);
	assert_int_equal(b.refund_state, REFUND_NONE);
	assert_int_equal(b.state, BOOKING_CONFIRMED);
	assert_int_equal(events("booking.extra_refunded"), 1);
}

TEST(an_extras_refund_does_not_end_a_pending_cancellation)
{
	struct booking b = confirm_with_extras();

	refund_reply = REFUND_ANSWER_LATER;
	report_equipment("equipment.rejected", &b, 4, "", "no");
	b = find(b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_PENDING);
	report_event("payment.cancelled", b.code,
		arena_printf(scratch_memory, "{\"refunded_amount\":20000,\"refund_key\":\"%s-extra-4\"}", b.code));
	assert_int_equal(find(b.code).state, BOOKING_CANCEL_REQUESTED);
	report_event("payment.cancelled", b.code,
		arena_printf(scratch_memory, "{\"refunded_amount\":250000,\"refund_key\":\"%s-cancel\"}", b.code));
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_CANCELLED);
	assert_int_equal(b.refunded_amount, 230000);
}

TEST(a_failed_refund_is_retried_after_growing_pauses)
{
	struct booking b = confirm_with_extras();

	refund_reply = REFUND_ANSWER_LATER;
	report_equipment("equipment.rejected", &b, 4, "", "no");
	for (int i = 0; i < 600; i++) {
		clock_set(NOW + i);
		booking_sweep(db);
	}
	assert_in_range(n_refunds, 10, 40);
	refund_reply = REFUND_ANSWER_DONE;
	clock_set(NOW + 700);
	booking_sweep(db);
	assert_int_equal(refunded, 20000);
}

TEST(events_from_before_note_are_read)
{
	struct booking b = confirm_with_extras();

	report_event("delivery.cancelled", b.code,
		"{\"direction\":\"collection\",\"by\":\"dispatcher\",\"reason\":\"no courier\"}");
	b = find(b.code);
	assert_string_equal(b.extras[1].end_reason, "no courier");
	assert_true(payload_has("booking.extra_ended", "\"reason\":\"dispatcher\",\"note\":\"no courier\""));
	report_equipment("equipment.cancelled", &b, 4, "manager", "manager");
	assert_string_equal(find(b.code).extras[2].end_reason, "manager");
	assert_true(payload_has("booking.extra_ended", "\"reason\":\"manager\",\"note\":\"\""));
}

/* --- the rest is refunded with the booking ------------------------------------------------------------------------ */

TEST(a_cancellation_refunds_what_is_not_refunded_yet)
{
	struct booking b = confirm_with_extras();
	struct cancel_preview p;

	report_equipment("equipment.rejected", &b, 4, "", "no");
	booking_sweep(db);
	b = find(b.code);
	assert_true(cancel_preview(&b, NOW, &p));
	assert_int_equal(p.gone, 20000);
	assert_int_equal(p.refund, 230000);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	b = find(b.code);
	assert_int_equal(b.refunded_amount, 230000);
	assert_int_equal(refunded, 250000);
}

TEST(a_late_cancellation_keeps_its_share_of_the_rest_only)
{
	struct booking b = confirm_with_extras();
	struct cancel_preview p;

	report_equipment("equipment.rejected", &b, 4, "", "no");
	clock_set(NOW + 3 * DAY - HOUR);
	b = find(b.code);
	assert_true(cancel_preview(&b, clock_now(), &p));
	assert_string_equal(p.rule, "late");
	assert_int_equal(p.refund, 230000 * rental.refund_late_percent / 100);
	assert_int_equal(p.refund + p.fee + p.gone, 250000);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	booking_sweep(db);
	assert_int_equal(refunded, p.refund + 20000);
}

/* The shares are of the booking's one refund: nothing of them is stored or refunded once more. */
TEST(extras_of_a_cancelled_booking_have_ended_with_it_and_have_their_share_of_its_refund)
{
	struct booking b = confirm_with_extras();

	report_equipment("equipment.rejected", &b, 4, "", "no");
	booking_sweep(db);
	clock_set(NOW + 3 * DAY - HOUR);
	b = find(b.code);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	booking_sweep(db);
	b = find(b.code);
	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.refunded_amount, 207000); /* 90 % of the rest */
	for (int i = 0; i < 2; i++) {                /* delivery, collection */
		assert_int_equal(b.extras[i].state, EXTRA_ENDED);
		assert_true(b.extras[i].ended_with_booking);
		assert_string_equal(b.extras[i].end_reason, "booking_cancelled");
		assert_int_equal(b.extras[i].ended_at, b.ended_at);
		assert_int_equal(b.extras[i].refund_state, REFUND_DONE);
		assert_int_equal(b.extras[i].refund_share, 22500);
		assert_int_equal(b.extras[i].refund_due + b.extras[i].refunded_amount, 0);
	}
	assert_false(b.extras[2].ended_with_booking); /* it ended before, with a refund of its own */
	assert_int_equal(b.extras[2].refunded_amount, 20000);
	assert_int_equal(b.extras[2].refund_share, 0);
	assert_int_equal(b.kept_amount, 250000 - 207000 - 20000);
	assert_int_equal(b.kept_amount, charged - refunded);
	assert_int_equal(b.kept_vat_amount, vat_share(b.kept_amount));
	b = find(b.code);
	assert_int_equal(b.extras[0].state, EXTRA_BOOKED); /* in the table it has not ended by itself */
}

TEST(extras_that_are_still_booked_stay_so_and_a_no_show_refunds_their_late_share)
{
	struct booking b = confirm_with_extras();

	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.extras[0].state, EXTRA_BOOKED);
	assert_int_equal(b.kept_amount, 250000);
	assert_int_equal(b.kept_vat_amount, b.vat_amount);
	clock_set(b.starts_at + HOUR);
	assert_true(booking_no_show(db, &b, 2));
	b = find(b.code);
	booking_sum_up(&b, scratch_memory);
	assert_string_equal(b.extras[0].end_reason, "booking_no_show");
	assert_int_equal(b.extras[0].refund_state, REFUND_PENDING);
	assert_int_equal(b.extras[0].refund_share, 22500);
	booking_sweep(db);
	b = find(b.code);
	booking_sum_up(&b, scratch_memory);
	assert_int_equal(b.extras[0].refund_state, REFUND_DONE);
	assert_int_equal(b.kept_amount, 25000);
}

TEST(an_extra_that_ends_between_the_read_and_the_cancellation_is_refunded_once)
{
	struct booking b = confirm_with_extras(), stale = find(b.code);

	report_equipment("equipment.rejected", &b, 4, "", "no");
	assert_int_equal(booking_cancel(db, &stale, 1, "customer"), CANCEL_DONE);
	booking_sweep(db);
	assert_int_equal(refunded, 250000);
}

TEST(after_the_cancellation_extras_have_no_refund_of_their_own)
{
	struct booking b = confirm_with_extras();

	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	report_equipment("equipment.rejected", &b, 4, "", "no");
	report_delivery("delivery.cancelled", &b, "delivery", "dispatcher");
	booking_sweep(db);
	assert_int_equal(events("booking.extra_ended"), 0);
	assert_int_equal(refunded, 250000);
}

TEST(a_rejected_booking_refunds_all_that_is_left)
{
	struct booking b = place_with_extras();

	report_equipment("equipment.rejected", &b, 4, "", "no");
	report_event("car.refused", b.code, "{\"reason\":\"gone\"}");
	booking_sweep(db);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_REJECTED);
	assert_int_equal(b.refunded_amount, 230000);
	assert_int_equal(refunded, 250000);
	booking_sum_up(&b, scratch_memory);
	assert_string_equal(b.extras[0].end_reason, "booking_rejected");
	assert_int_equal(b.extras[0].refund_share, 25000);
	assert_int_equal(b.kept_amount + b.kept_vat_amount, 0);
}

TEST_MAIN("extra_end", NULL, NULL, begin, end)
