/* mypage: what goes with a booking - deliveries, equipment, refunds of extras, messages. */
#include "test.h"

#include "mypage_world.h"

static void
expect_delivery_steps(const struct my_delivery *d, const char *expected)
{
	struct buf steps = { .m = scratch_memory };
	struct my_progress p;

	my_delivery_progress(d, &p);
	for (int i = 0; i < p.n_steps; i++)
		buf_printf(&steps, "%s%s:%s", i ? " " : "", words_code(&my_step_words, p.step[i].step),
			words_code(&my_mark_words, p.step[i].mark));
	assert_string_equal(steps.s, expected);
}

TEST(a_delivery_is_shown_step_by_step_also_backwards)
{
	struct my_booking b;

	deliver_to_kim();
	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	report_delivery("delivery.requested", 1, "delivery", "");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_deliveries, 1);
	assert_int_equal(b.deliveries[0].state, MY_DELIVERY_REQUESTED);
	assert_int_equal(b.deliveries[0].window_from, 1795568400);
	expect_delivery_steps(&b.deliveries[0],
		"DELIVERY_REQUESTED:done COURIER_ASSIGNED:now COURIER_ON_THE_WAY:todo DELIVERED:todo");
	report_delivery("delivery.scheduled", 1, "delivery",
		",\"courier_id\":5,\"courier_name\":\"Park\""); /* an older event */
	report_delivery("delivery.shipped", 1, "delivery", ",\"courier_id\":5");
	b = found("MP-AAAA1111");
	expect_delivery_steps(&b.deliveries[0],
		"DELIVERY_REQUESTED:done COURIER_ASSIGNED:done COURIER_ON_THE_WAY:done DELIVERED:now");
	assert_string_equal(b.deliveries[0].courier_name, "Park");
	assert_string_equal(b.deliveries[0].received_by, "");
	assert_string_equal(b.events[0].label, "Park");
	assert_string_equal(b.events[1].label, "Park");
	report_delivery("delivery.scheduled", 1, "delivery",
		",\"courier_id\":5,\"note\":\"nobody there\""); /* back without completing the job */
	b = found("MP-AAAA1111");
	assert_int_equal(b.deliveries[0].shipped_at, 0);
	report_delivery("delivery.requested", 1, "delivery", "");
	b = found("MP-AAAA1111");
	assert_string_equal(b.deliveries[0].courier_name, "");
	assert_int_equal(b.deliveries[0].scheduled_at, 0);
	report_delivery("delivery.scheduled", 1, "delivery", ",\"courier_id\":6");
	report_delivery("delivery.shipped", 1, "delivery", "");
	report_delivery("delivery.delivered", 1, "delivery", ",\"odometer_km\":12345,\"fuel_percent\":90");
	report_delivery("delivery.requested", 2, "collection", "");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_deliveries, 2);
	assert_int_equal(b.deliveries[0].state, MY_DELIVERY_DELIVERED);
	assert_string_equal(b.deliveries[0].courier_name, "Choi");
	assert_string_equal(b.deliveries[0].received_by, "Kim");
	assert_int_equal(b.deliveries[0].odometer_km, 12345);
	expect_delivery_steps(&b.deliveries[1],
		"DELIVERY_REQUESTED:done COURIER_ASSIGNED:now COURIER_ON_THE_WAY:todo COLLECTED:todo");
	assert_string_equal(words_code(&customer_event_words, b.events[0].type), "delivery.requested");
}

TEST(a_typed_reason_is_in_note_and_a_code_in_reason)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	report_delivery("delivery.scheduled", 1, "delivery", ",\"note\":\"The customer was not at home.\"");
	b = found("MP-AAAA1111");
	assert_string_equal(b.deliveries[0].reason, ""); /* a note for the staff */
	report_delivery(
		"delivery.cancelled", 1, "delivery", ",\"reason\":\"\",\"note\":\"Snow.\",\"by\":\"dispatcher\"");
	report_order("equipment.ordered", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ORDERED_MORE);
	report_order("equipment.rejected", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111",
		",\"reason\":\"rejected\",\"note\":\"Too many.\"");
	report("booking.extra_ended", "MP-AAAA1111",
		"{\"line_no\":2,\"refund_due\":27000,\"reason\":\"manager\",\"note\":\"Too many.\"}");
	b = found("MP-AAAA1111");
	assert_string_equal(b.deliveries[0].reason, "Snow.");
	assert_string_equal(b.orders[0].reason, "Too many.");
	assert_string_equal(b.lines[1].end_reason, "Too many.");
	assert_string_equal(b.events[0].reason, "Too many.");
}

TEST(a_cancelled_delivery_shows_the_reason_also_one_that_was_never_requested)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	report_delivery("delivery.requested", 1, "delivery", "");
	report_delivery(
		"delivery.cancelled", 1, "delivery", ",\"reason\":\"The bridge is closed.\",\"by\":\"dispatcher\"");
	b = found("MP-AAAA1111");
	assert_int_equal(b.deliveries[0].state, MY_DELIVERY_CANCELLED);
	assert_string_equal(b.deliveries[0].reason, "The bridge is closed.");
	expect_delivery_steps(&b.deliveries[0], "DELIVERY_REQUESTED:done DELIVERY_CANCELLED:bad");
	report_delivery("delivery.cancelled", 9, "collection", ",\"reason\":\"\",\"by\":\"customer\"");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_deliveries, 2);
	expect_delivery_steps(&b.deliveries[1], "DELIVERY_CANCELLED:bad");
}

TEST(rejected_equipment_shows_the_reason)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	report_order("equipment.ordered", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ORDERED_MORE);
	report("review.assigned", "MP-AAAA1111",
		"{\"case_id\":1,\"key\":\"MP-AAAA1111-3\",\"title\":\"2 × Child seat\",\"title_ko\":\"2 × 카시트\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_orders, 1);
	assert_int_equal(b.orders[0].state, EQUIPMENT_ORDERED);
	assert_int_equal(b.n_equipment, 2);
	assert_string_equal(b.events[0].label, "2 × Child seat");
	assert_string_equal(b.events[0].label_ko, "2 × 카시트");
	report_order("equipment.rejected", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111",
		",\"reason\":\"All seats are recalled.\"");
	report("booking.extra_ended", "MP-AAAA1111",
		"{\"line_no\":2,\"kind\":\"equipment\",\"label\":\"Child seat\",\"refund_due\":27000,\"reason\":\"All"
		" seats are recalled.\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.orders[0].state, EQUIPMENT_REJECTED);
	assert_string_equal(b.orders[0].reason, "All seats are recalled.");
	assert_int_equal(b.n_equipment, 0);
	assert_int_equal(b.lines[1].refund_due, 27000);
	assert_int_equal(b.lines[1].ended_at, NOW);
	assert_int_equal(b.lines[0].ended_at, 0);
	assert_string_equal(my_reason_in_words("All seats are recalled."), "All seats are recalled.");
	assert_string_equal(my_reason_in_words("some_code"), "");
	assert_string_equal(my_reason_in_words("manager"), "By our staff.");
}

TEST(the_refund_of_an_extra_leaves_the_booking_paid_its_own_refund_does_not)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	confirm("MP-AAAA1111");
	report("booking.extra_ended", "MP-AAAA1111", "{\"line_no\":2,\"refund_due\":27000,\"reason\":\"dispatcher\"}");
	report("payment.cancelled", "MP-AAAA1111",
		"{\"amount\":27000,\"refunded_amount\":27000,\"refund_key\":\"MP-AAAA1111-extra-2\"}");
	report("booking.extra_refunded", "MP-AAAA1111", "{\"line_no\":2,\"refunded_amount\":27000}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.payment_state, MY_PAYMENT_APPROVED);
	assert_int_equal(b.refunded_amount, 27000);
	assert_int_equal(b.lines[1].refunded_amount, 27000);
	expect_steps("MP-AAAA1111", "BOOKED:done PAID:done CONFIRMED:done OUT:now RETURNED:todo COMPLETED:todo", false);
	report("booking.cancel_requested", "MP-AAAA1111", "{\"refund_due\":180000,\"reason\":\"customer\"}");
	report("payment.cancelled", "MP-AAAA1111",
		"{\"amount\":180000,\"refunded_amount\":207000,\"refund_key\":\"MP-AAAA1111\"}");
	b = found("MP-AAAA1111");
	assert_int_equal(b.payment_state, MY_PAYMENT_REFUNDED);
	assert_int_equal(b.refunded_amount, 207000);
}

TEST(equipment_without_a_booking_is_listed_for_its_customer)
{
	struct my_order *orders = NULL;
	struct my_booking b;

	report_order("equipment.ordered", "EQ-AAAA1111", "EQ-AAAA1111", "", ORDERED_MORE);
	report_order("equipment.approved", "EQ-AAAA1111", "EQ-AAAA1111", "", "");
	report_order("equipment.handed_out", "EQ-AAAA1111", "EQ-AAAA1111", "", "");
	report_order("equipment.returned", "EQ-AAAA1111", "EQ-AAAA1111", "", ",\"lost\":1");
	handle_events();
	assert_int_equal(my_orders_alone_count(view, KIM), 1);
	assert_int_equal(my_orders_alone_count(view, LEE), 0);
	assert_int_equal(my_orders_alone(view, KIM, 0, 20, &orders), 1);
	assert_int_equal(orders[0].state, EQUIPMENT_RETURNED);
	assert_int_equal(orders[0].lost, 1);
	assert_int_equal(orders[0].amount, 30000);
	assert_int_equal(my_find(view, "EQ-AAAA1111", KIM, &b), MY_UNKNOWN);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_event WHERE code = 'EQ-AAAA1111'"), 4);
	assert_false(view_is_ahead(view));
}

TEST(a_booking_shows_the_messages_to_its_customer_newest_first)
{
	struct my_booking b;

	hold("MP-AAAA1111");
	for (int i = 1; i <= 7; i++)
		report_message("message.sent", i, KIM, "booking_confirmed", "MP-AAAA1111");
	report_message("message.sent", 8, LEE, "review_assigned", "MP-AAAA1111"); /* to a manager */
	report_message("message.dead", 9, KIM, "delivery_shipped", "MP-AAAA1111");
	report_message("message.dead", 10, KIM, "booking_confirmed", "MP-BBBB2222");
	b = found("MP-AAAA1111");
	assert_int_equal(b.n_messages, 5);
	assert_int_equal(b.messages[0].message_id, 9);
	assert_int_equal(b.messages[0].state, MY_MESSAGE_DEAD);
	assert_string_equal(
		my_message_in_words(b.messages[0].kind, &customer_event_words), "The courier is on the way");
	assert_string_equal(my_message_in_words("of_no_kind", &event_words), "of_no_kind");
	report_message("message.sent", 9, KIM, "delivery_shipped", "MP-AAAA1111"); /* sent again */
	b = found("MP-AAAA1111");
	assert_int_equal(b.messages[0].state, MY_MESSAGE_SENT);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_message /*scan*/"), 10);
}

/* Missing members, and unknown bookings, change no row and block nothing. */
TEST(events_about_extras_with_empty_payloads_block_nothing)
{
	static const char *const types[] = {
		"delivery.requested",
		"delivery.scheduled",
		"delivery.shipped",
		"delivery.delivered",
		"delivery.cancelled",
		"equipment.approved",
		"equipment.rejected",
		"equipment.cancelled",
		"equipment.handed_out",
		"equipment.returned",
		"review.assigned",
		"booking.extra_ended",
		"booking.extra_refunded",
		"message.sent",
		"message.dead",
		"review.approved",
		"stock.changed",
	};

	hold("MP-AAAA1111");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		report(types[i], "MP-AAAA1111", "{}");
		report(types[i], "MP-NEVER000", "{}");
	}
	handle_events();
	assert_int_equal(
		db_int(view, "SELECT (SELECT COUNT(*) FROM my_delivery /*scan*/) + (SELECT COUNT(*) FROM my_message)"),
		0);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_event WHERE code = 'MP-NEVER000'"), 0);
	assert_false(view_is_ahead(view));
}

TEST_MAIN("mypage_extras", NULL, NULL, begin, end)
