/*
 * test_extra - delivery and equipment are priced and frozen with the car, never booked beyond the stock, and refunded
 * correctly when they or their booking end.
 */
#include "test.h"

#include "booking_world.h"

/* --- ordering ----------------------------------------------------------------------------------------------------- */

TEST(delivery_and_equipment_are_lines_of_the_price_charged_in_one_step)
{
	struct booking b = place_with_extras();

	assert_int_equal(b.amount, 180000 + 50000 + 20000);
	assert_int_equal(charged, 250000);
	assert_int_equal(n_charges, 1);
	assert_int_equal(b.vat_amount, vat_share(250000));
	b = find(b.code);
	assert_int_equal(b.n_lines, 4);
	assert_int_equal(b.lines[3].rule, PRICE_RULE_EQUIPMENT);
	assert_int_equal(b.lines[3].quantity, 4);
	assert_int_equal(b.lines[3].unit_amount, 5000);
	assert_string_equal(b.lines[3].label, "Child seat");
	assert_string_equal(b.lines[3].unit, "piece_day");
	assert_int_equal(b.n_extras, 3);
	assert_int_equal(b.extras[2].quantity, 2);
	assert_int_equal(b.extras[2].line_no, 4);
	assert_string_equal(b.delivery->address, "Teheran-ro 1");
	assert_int_equal(b.delivery->window_from, NOW + 3 * DAY);
	assert_int_equal(b.delivery->window_to, NOW + 3 * DAY + rental.delivery_window_s);
	assert_true(b.delivery->collects);
}

TEST(extras_that_were_not_in_the_agreed_total_are_neither_held_nor_charged)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	o.has_agreed = true;
	o.agreed_amount = 90000;
	add_item(&o, SEAT, 2);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_PRICE_CHANGED);
	assert_int_equal(b.amount, 100000);
	assert_int_equal(n_charges + n_reviews, 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_extra /*scan*/"), 0);
	assert_int_equal(stock_free(db, SEAT, NOW + DAY, NOW + 2 * DAY, NOW), 5);
	o.agreed_amount = b.amount;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(charged, 100000);
}

TEST(a_started_day_of_equipment_counts)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY + 1800);
	struct booking b;

	add_item(&o, SEAT, 3);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.lines[b.n_lines - 1].quantity, 6);
}

TEST(a_booking_of_a_car_alone_has_no_extras_and_calls_neither_review_nor_delivery)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	b = find(b.code);
	assert_int_equal(b.n_extras, 0);
	assert_null(b.delivery);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(n_reviews + n_deliveries, 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_extra /*scan*/"), 0);
	assert_true(payload_has("booking.paid", "\"extras\":[]"));
}

TEST(the_events_carry_the_extras)
{
	place_with_extras();
	assert_true(payload_has("booking.held", "\"rule\":\"equipment\""));
	assert_true(payload_has("booking.held", "\"label_ko\":\"카시트\""));
	assert_true(payload_has("booking.paid",
		"{\"line_no\":2,\"kind\":\"delivery\",\"ref_id\":0,\"quantity\":1,\"amount\":25000,\"label\":\"Greater"
		" city\""));
	assert_true(payload_has("booking.paid",
		"{\"line_no\":4,\"kind\":\"equipment\",\"ref_id\":1,\"quantity\":2,\"amount\":20000,\"label\":\"Child"
		" seat\""));
}

TEST(booking_paid_of_the_sweep_carries_the_extras_too)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	add_item(&o, SEAT, 1);
	o.card_id = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(b.state, BOOKING_HELD);
	db_do(db, "UPDATE booking SET asked_at = $1 /*scan*/", NOW - 60);
	look_up_reply = CHARGE_ANSWER_APPROVED;
	booking_sweep(db);
	assert_int_equal(find(b.code).state, BOOKING_PAID);
	assert_true(payload_has("booking.paid", "\"kind\":\"equipment\""));
}

TEST(an_impossible_delivery_is_refused_at_its_field)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;
	const char *field = NULL;

	add_delivery(&o, false);
	assert_null(delivery_problem(&o, &field));
	o.delivery.zone = "moon";
	assert_int_equal(booking_place(db, &o, &b), BOOKING_BAD_DELIVERY);
	assert_non_null(delivery_problem(&o, &field));
	assert_string_equal(field, "delivery.zone");
	add_delivery(&o, false);
	o.delivery.window_from = NOW + DAY - 1800;
	assert_non_null(delivery_problem(&o, &field));
	assert_string_equal(field, "delivery.window_from");
	o.delivery.window_from = NOW + 2 * DAY - rental.delivery_window_s;
	assert_null(delivery_problem(&o, &field));
	o.delivery.window_from += 1800;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_BAD_DELIVERY);
	add_delivery(&o, false);
	o.delivery.window_from = 0;
	o.delivery.address = "";
	assert_non_null(delivery_problem(&o, &field));
	assert_string_equal(field, "delivery.address");
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/"), 0);
}

TEST(more_pieces_than_are_free_are_refused_by_name_and_leave_nothing)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	add_item(&o, TENT, 1);
	add_item(&o, SEAT, 6);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OUT_OF_STOCK);
	assert_string_equal(b.refused_extra.label, "Child seat");
	assert_int_equal(b.refused_extra.item_no, 1);
	assert_int_equal(b.refused_extra.n_free, 5);
	assert_int_equal(
		db_int(db, "SELECT COUNT(*) FROM booking /*scan*/") + events("booking.held") + n_charges + n_reviews,
		0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM slot /*scan*/"), 0);
}

TEST(the_same_item_in_two_lines_must_be_free_for_both)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	add_item(&o, SEAT, 3);
	add_item(&o, SEAT, 3);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OUT_OF_STOCK);
	assert_int_equal(b.refused_extra.n_free, 2);
	o.items[1].quantity = 2;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_OK);
	assert_int_equal(free_pieces(SEAT, NOW + DAY, NOW + 2 * DAY), 0);
}

TEST(an_item_that_is_not_offered_is_refused)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	add_item(&o, GONE, 1);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_ITEM);
	o.items[0].item_id = 77;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_ITEM);
	o.items[0].item_id = SEAT;
	o.items[0].quantity = 0;
	assert_int_equal(booking_place(db, &o, &b), BOOKING_NO_ITEM);
}

TEST(booked_pieces_are_not_free_until_the_booking_ends)
{
	struct booking b = place_with_extras(), second;
	struct booking_order o = order_car(1, 2, NOW + 4 * DAY, NOW + 6 * DAY);

	assert_int_equal(free_pieces(SEAT, NOW + 4 * DAY, NOW + 6 * DAY), 3);
	assert_int_equal(free_pieces(SEAT, NOW + 5 * DAY, NOW + 6 * DAY), 5);
	add_item(&o, SEAT, 4);
	assert_int_equal(booking_place(db, &o, &second), BOOKING_OUT_OF_STOCK);
	assert_int_equal(booking_cancel(db, &b, 1, "customer"), CANCEL_DONE);
	assert_int_equal(booking_place(db, &o, &second), BOOKING_OK);
}

TEST(after_a_declined_card_the_pieces_are_free)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking b;

	charge_reply = CHARGE_ANSWER_DECLINED;
	add_item(&o, SEAT, 5);
	assert_int_equal(booking_place(db, &o, &b), BOOKING_DECLINED);
	assert_int_equal(free_pieces(SEAT, NOW + DAY, NOW + 2 * DAY), 5);
}

TEST(the_same_request_again_is_the_same_booking_with_its_extras)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);
	struct booking first, again;

	add_item(&o, SEAT, 5);
	o.request_key = "k";
	o.request_hash = "h";
	assert_int_equal(booking_place(db, &o, &first), BOOKING_OK);
	assert_int_equal(booking_place(db, &o, &again), BOOKING_AGAIN); /* although none is free now */
	assert_string_equal(first.code, again.code);
	assert_int_equal(again.n_extras, 1);
}

/* --- approved first ----------------------------------------------------------------------------------------------- */

static enum booking_outcome
order_tents(struct booking *b)
{
	struct booking_order o = order_car(1, 1, NOW + DAY, NOW + 2 * DAY);

	add_item(&o, SEAT, 1);
	add_item(&o, TENT, 2);
	return booking_place(db, &o, b);
}

TEST(only_equipment_to_be_approved_first_is_sent_to_review_before_the_charge)
{
	struct booking b;

	assert_int_equal(order_tents(&b), BOOKING_OK);
	assert_int_equal(n_reviews, 1);
	assert_string_equal(review_key, arena_printf(scratch_memory, "%s-3", b.code));
	assert_int_equal(b.state, BOOKING_PAID);
}

TEST(a_rejection_by_review_releases_the_hold_and_charges_nothing)
{
	struct booking b;

	review_reply = REVIEW_ANSWER_REJECTED;
	assert_int_equal(order_tents(&b), BOOKING_NOT_APPROVED);
	assert_string_equal(b.refused_extra.reason, "too many");
	assert_int_equal(n_charges, 0);
	b = find(b.code);
	assert_int_equal(b.state, BOOKING_EXPIRED);
	assert_string_equal(b.end_reason, "not_approved");
	assert_int_equal(b.refund_state, REFUND_NONE);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM slot WHERE kind <> 'RELEASED' /*scan*/"), 0);
	assert_int_equal(free_pieces(TENT, NOW + DAY, NOW + 2 * DAY), 4);
	assert_int_equal(events("booking.expired"), 1); /* by which review closes the case */
}

TEST(no_answer_from_review_releases_the_hold_and_charges_nothing)
{
	struct booking b;

	review_reply = REVIEW_ANSWER_UNKNOWN;
	assert_int_equal(order_tents(&b), BOOKING_REVIEW_LATER);
	assert_int_equal(find(b.code).state, BOOKING_EXPIRED);
	assert_int_equal(n_charges, 0);
	review_reply = REVIEW_ANSWER_QUEUED;
	assert_int_equal(order_tents(&b), BOOKING_OK);
}

TEST(with_reviews_breaker_open_nothing_is_written_at_all)
{
	struct booking b;

	review_closed_s = 9;
	assert_int_equal(order_tents(&b), BOOKING_REVIEW_LATER);
	assert_int_equal(booking_later_s(CALLEE_REVIEW), 9);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking /*scan*/") + n_reviews, 0);
	assert_int_equal(place_with_extras().state, BOOKING_PAID); /* child seats are approved later */
}

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

/* --- everything at random ----------------------------------------------------------------------------------------- */

static uint64_t dice;

static int
roll(int n)
{
	dice = dice * 6364136223846793005ull + 1442695040888963407ull;
	return (int)((dice >> 33) % (uint64_t)n);
}

static const char *
random_booking(void)
{
	return db_text(db, "SELECT code FROM booking WHERE booking_id = $1",
		1 + roll(1 + (int)db_int(db, "SELECT COALESCE(MAX(booking_id), 0) FROM booking")));
}

static void
place_randomly(void)
{
	int64_t from = clock_now() - clock_now() % RENTAL_STEP_S + RENTAL_STEP_S + roll(96) * RENTAL_STEP_S;
	struct booking_order o = order_car(1, 1 + roll(2), from, from + (4 + roll(90)) * RENTAL_STEP_S);
	struct booking b;

	o.customer_id = 1 + roll(2);
	o.card_id = 10 + o.customer_id;
	if (roll(2))
		add_delivery(&o, roll(2));
	for (int n = roll(3); n > 0; n--)
		add_item(&o, 1 + roll(2), 1 + roll(3));
	booking_place(db, &o, &b);
}

/* An extra or the booking ends; events may come twice, late, or after the end. */
static void
do_randomly(void)
{
	static const char *const ends[] = { "customer", "manager", "booking" };
	const char *code = random_booking();
	struct booking b;

	charge_reply = roll(6) ? CHARGE_ANSWER_APPROVED : CHARGE_ANSWER_DECLINED;
	refund_reply = roll(3) ? REFUND_ANSWER_DONE : roll(2) ? REFUND_ANSWER_LATER : REFUND_ANSWER_PENDING;
	review_reply = roll(5) ? REVIEW_ANSWER_QUEUED : roll(2) ? REVIEW_ANSWER_REJECTED : REVIEW_ANSWER_UNKNOWN;
	delivery_reply = (enum delivery_answer)roll(4);
	clock_set(clock_now() + roll(4000));
	if (!code || !*code || roll(4) == 0) {
		place_randomly();
		return;
	}
	b = find(code);
	switch (roll(10)) {
	case 0:
	case 1: booking_cancel(db, &b, b.customer_id, "customer"); break;
	case 2:
	case 3: report_event("car.reserved", code, "{}"); break;
	case 4: report_event("car.refused", code, "{}"); break;
	case 5: report_equipment("equipment.rejected", &b, 1 + roll(5), "", "no"); break;
	case 6: report_equipment("equipment.cancelled", &b, 1 + roll(5), ends[roll(3)], "no"); break;
	case 7:
		report_delivery("delivery.cancelled", &b, roll(2) ? "delivery" : "collection",
			roll(2) ? "dispatcher" : "customer");
		break;
	case 8: report_delivery("delivery.delivered", &b, roll(2) ? "delivery" : "collection", ""); break;
	case 9: roll(2) ? (void)booking_hand_out(db, &b, 3) : booking_retry(db, &b, 3); break;
	}
}

static void
check_invariants(void)
{
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM booking b WHERE b.amount <> (SELECT SUM(l.amount) FROM booking_line l"
			" WHERE l.booking_id = b.booking_id) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking b WHERE b.amount < b.refund_due + (SELECT"
				 " COALESCE(SUM(x.refund_due), 0) FROM booking_extra x"
				 " WHERE x.booking_id = b.booking_id) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id"
				 " WHERE x.state = 'ENDED' AND x.refund_due <> x.amount /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking_extra x WHERE NOT EXISTS (SELECT 1 FROM booking_line l"
				 " WHERE l.booking_id = x.booking_id AND l.line_no = x.line_no"
				 " AND l.amount = x.amount) /*scan*/"),
		0);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM booking WHERE cancel_asked_at > 0"
				 " AND state NOT IN ('PAID', 'CONFIRMED', 'OUT', 'COMPLETED', 'REJECTED') /*scan*/"),
		0);
	for (int64_t item = SEAT; item <= TENT; item++)
		assert_true(free_pieces(item, clock_now() - 9 * DAY, clock_now() + 20 * DAY) >= 0);
}

/* Charges and refunds, as payment counted them and as the bookings have them. */
static void
check_money(void)
{
	assert_int_equal(db_int(db, "SELECT COALESCE(SUM(refunded_amount), 0) FROM booking /*scan*/")
			+ db_int(db, "SELECT COALESCE(SUM(refunded_amount), 0) FROM booking_extra /*scan*/"),
		refunded);
	assert_int_equal(
		db_int(db, "SELECT COALESCE(SUM(amount), 0) FROM booking WHERE state <> 'EXPIRED' /*scan*/"), charged);
}

TEST(after_random_events_money_and_stock_are_right)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)clock_us();

	print_message("SEED=%llu\n", (unsigned long long)seed);
	dice = seed;
	rental.max_bookings_per_person = 200;
	for (int i = 0; i < 400; i++) {
		do_randomly();
		if (roll(3) == 0)
			booking_sweep(db);
		check_invariants();
	}
	refund_reply = REFUND_ANSWER_DONE;
	delivery_reply = DELIVERY_ANSWER_CANCELLED;
	for (int i = 0; i < 40; i++) {
		clock_set(clock_now() + 70);
		booking_sweep(db);
	}
	check_invariants();
	check_money();
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM booking WHERE refund_state = 'PENDING' OR cancel_asked_at > 0 /*scan*/"),
		0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM booking_extra WHERE refund_state = 'PENDING' /*scan*/"), 0);
	assert_true(n_refund_keys > 3);
}

TEST_MAIN("extra", NULL, NULL, begin, end)
