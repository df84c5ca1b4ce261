/* test_extra - delivery and equipment are priced and frozen with the car, and never booked beyond the stock. */
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

TEST_MAIN("extra", NULL, NULL, begin, end)
