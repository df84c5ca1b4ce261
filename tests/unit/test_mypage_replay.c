/* mypage: a replay makes the same rows, and what happens when the log and the read models disagree. */
#include "test.h"

#include "mypage_world.h"

static void
a_busy_day(void)
{
	register_car(3, "12가 3456", "IN_SERVICE");
	register_car(4, "22나 2222", "IN_SERVICE");
	for (int i = 0; i < 40; i++) {
		const char *code = arena_printf(scratch_memory, "MP-%08d", i);

		hold_for(code, i % 2 ? KIM : LEE, 3 + i % 2, "2026-11-25T10:00:00+09:00", "2026-11-27T13:00:00+09:00");
		if (i % 5 == 0) {
			report("booking.expired", code, "{\"reason\":\"declined\"}");
			continue;
		}
		pay(code);
		confirm(code);
		if (i % 3 == 0)
			report("booking.cancel_requested", code, "{\"refund_due\":207000,\"reason\":\"customer\"}");
		if (i % 7 == 0)
			report("booking.handed_out", code, "{}");
	}
	hold("MP-AAAA1111");
	pay("MP-AAAA1111");
	report_delivery("delivery.requested", 1, "delivery", "");
	report_delivery("delivery.scheduled", 1, "delivery", ",\"courier_id\":5");
	report_delivery("delivery.shipped", 1, "delivery", ",\"courier_id\":6");
	report_delivery("delivery.cancelled", 1, "delivery", ",\"reason\":\"snow\",\"by\":\"dispatcher\"");
	report("booking.extra_ended", "MP-AAAA1111", "{\"line_no\":2,\"refund_due\":27000,\"reason\":\"snow\"}");
	report_order("equipment.ordered", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ORDERED_MORE);
	report_order("equipment.rejected", "MP-AAAA1111", "MP-AAAA1111-3", "MP-AAAA1111", ",\"reason\":\"none left\"");
	report_order("equipment.ordered", "EQ-AAAA1111", "EQ-AAAA1111", "", ORDERED_MORE);
	report_order("equipment.approved", "EQ-AAAA1111", "EQ-AAAA1111", "", "");
	report_message("message.sent", 1, KIM, "booking_confirmed", "MP-AAAA1111");
	report_message("message.dead", 2, KIM, "booking_cancelled", "MP-00000003");
	report("booking.held", "MP-TWOCARS0",
		"{\"customer_id\":7,\"car_id\":3,\"n_cars\":2,\"cars\":[{\"car_id\":4,\"car_name\":\"K5\","
		"\"plate\":\"22나 2222\"}]}");
	report("booking.expired", "MP-TWOCARS0", "{\"reason\":\"given_up\"}");
	report("car.modified", "car:4",
		"{\"car_id\":4,\"plate\":\"22나"
		" 2223\",\"name\":\"K5\",\"body\":\"sedan\",\"service\":\"OUT_OF_SERVICE\"}");
}

TEST(a_replay_makes_the_same_rows_and_the_comparison_agrees)
{
	struct view_comparison c;
	const char *why = "";

	a_busy_day();
	handle_events();
	clock_set(NOW + DAY); /* no row depends on the time of the replay */
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
	assert_true(c.n_rows > 250);
	assert_int_equal(view_replay(root, scratch, NULL, NULL, &why), c.n_events);
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
	assert_int_equal(consumer_lag(view, &mypage_consumer), 0);
}

static void
count_beat(void *arg)
{
	++*(int *)arg;
}

TEST(a_replay_in_the_relay_sends_heartbeats)
{
	int n_beats = 0;

	a_busy_day();
	handle_events();
	consumer_on_alive(count_beat, &n_beats);
	assert_true(view_remake(view) > 0);
	consumer_on_alive(NULL, NULL);
	assert_true(n_beats > 0);
}

TEST(the_comparison_finds_a_changed_a_missing_and_a_foreign_row)
{
	struct view_comparison c;
	const char *why = "";

	a_busy_day();
	handle_events();
	db_do(view, "UPDATE my_booking SET amount = amount + 1 WHERE code = 'MP-00000002'");
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 1);
	assert_non_null(strstr(c.first, "MP-00000002"));
	db_do(view, "UPDATE my_booking SET amount = amount - 1 WHERE code = 'MP-00000002'");
	db_do(view, "UPDATE my_order SET reason = 'x' WHERE order_code = 'MP-AAAA1111-3'");
	db_do(view, "UPDATE my_delivery SET courier_id = 9 WHERE delivery_id = 1");
	db_do(view, "UPDATE my_message SET state = 'DEAD' WHERE message_id = 1");
	db_do(view, "UPDATE my_booking_car SET is_open = 1 WHERE code = 'MP-TWOCARS0'");
	db_do(view, "UPDATE my_booking_line SET refund_due = 1 WHERE code = 'MP-AAAA1111' AND line_no = 2");
	db_do(view, "UPDATE my_event SET label = 'x' WHERE code = 'EQ-AAAA1111'");
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 7); /* the order's two events */
	db_do(view, "DELETE FROM my_event WHERE code = 'MP-00000003'");
	db_do(view,
		"INSERT INTO view_car (car_id, plate, name, name_ko, body, branch_id, branch_name, branch_name_ko,"
		" service, updated_at, event_id)"
		" VALUES (99, 'x', 'x', 'x', 'x', 1, 'x', 'x', 'IN_SERVICE', 0, 0)");
	assert_false(db_failed(view));
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_true(c.n_different > 3);
	assert_true(view_replay(root, scratch, NULL, NULL, &why) > 0);
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
}

TEST(a_deleted_file_is_rebuilt_with_the_same_rows)
{
	struct view_comparison c;
	const char *why = "";

	a_busy_day();
	handle_events();
	db_close(view);
	assert_int_equal(remove(scratch_path("view.db")), 0);
	assert_true(view_replay(root, scratch, NULL, NULL, &why) > 100);
	view = scratch_open(&mypage_role);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking /*scan*/"), 42);
	assert_int_equal(db_int(view,
				 "SELECT (SELECT COUNT(*) FROM my_order /*scan*/) * 1000 + (SELECT COUNT(*)"
				 " FROM my_message) * 100"
				 " + (SELECT COUNT(*) FROM my_delivery) * 10 + (SELECT COUNT(*) FROM my_booking_car)"),
		2211);
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
}

TEST(the_order_of_events_of_different_subjects_does_not_matter)
{
	static const char *const types[] = { "booking.held", "payment.approved", "booking.paid", "car.reserved",
		"booking.confirmed" };
	const char *a, *b;

	for (int i = 0; i < 5; i++) { /* once one after the other, once among others */
		if (i == 0)
			hold("MP-AAAA1111");
		else
			report(types[i], "MP-AAAA1111", "{\"amount\":5,\"brand\":\"Visa\",\"last4\":\"1111\"}");
		register_car(10 + i, arena_printf(scratch_memory, "plate %d", i), "IN_SERVICE");
	}
	hold("MP-BBBB2222");
	for (int i = 1; i < 5; i++)
		report(types[i], "MP-BBBB2222", "{\"amount\":5,\"brand\":\"Visa\",\"last4\":\"1111\"}");
	handle_events();
	a = db_text(view,
		"SELECT state || tab || reservation || payment_state || last4 || paid_at FROM my_booking"
		" WHERE code = 'MP-AAAA1111'");
	b = db_text(view,
		"SELECT state || tab || reservation || payment_state || last4 || paid_at FROM my_booking"
		" WHERE code = 'MP-BBBB2222'");
	assert_string_equal(a, b);
}

TEST(events_of_unknown_kinds_and_about_unknown_bookings_change_nothing)
{
	report("weather.changed", "MP-AAAA1111", "{}");
	report("delivery.scheduled", "MP-NEVER000", "{}");
	report("payment.approved", "APP-12345678", "{\"amount\":1000,\"brand\":\"Visa\",\"last4\":\"4242\"}");
	report("booking.cancelled", "MP-NEVER000", "{\"refunded_amount\":5}");
	handle_events();
	assert_int_equal(
		db_int(view, "SELECT (SELECT COUNT(*) FROM my_booking /*scan*/) + (SELECT COUNT(*) FROM my_event)"), 0);
	assert_int_equal(consumer_lag(view, &mypage_consumer), 0);
}

TEST(an_unreadable_event_waits_and_blocks_its_own_booking_only)
{
	struct view_comparison c;
	const char *why = "";

	report("booking.held", "MP-BAD00000", "{\"amount\":\"many\"}");
	report("booking.paid", "MP-BAD00000", "{}");
	hold("MP-GOOD0000");
	while (consumer_step(view, &mypage_consumer, 100) > 0)
		;
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM event_retry /*scan*/"), 2);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking /*scan*/"), 1);
	assert_true(view_compare(root, scratch, NULL, NULL, &c, &why));
	assert_int_equal(c.n_different, 0);
	assert_int_equal(view_replay(root, scratch, NULL, NULL, &why), 3);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM event_retry /*scan*/"), 2);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking /*scan*/"), 1);
}

TEST(read_models_ahead_of_the_log_are_rebuilt)
{
	hold("MP-AAAA1111");
	handle_events();
	db_do(view, "UPDATE position SET event_id = 900 WHERE consumer = 'mypage'");
	db_do(view, "UPDATE my_booking /*scan*/ SET amount = 1");
	assert_true(view_is_ahead(view));
	assert_false(mypage_consumer.sweep(view));
	assert_false(view_is_ahead(view));
	assert_int_equal(found("MP-AAAA1111").amount, 207000);
}

/* A power cut took the log's last event, which had been handled here, and the log has grown past that number since. */
TEST(read_models_with_an_event_that_the_log_lost_are_rebuilt)
{
	hold("MP-AAAA1111");
	hold("MP-BBBB2222");
	handle_events();
	assert_false(view_is_ahead(view));
	db_do(view, "UPDATE my_booking SET code = 'MP-LOST0000' WHERE code = 'MP-BBBB2222'");
	db_do(view, "UPDATE my_event SET code = 'MP-LOST0000' WHERE code = 'MP-BBBB2222'");
	assert_true(view_is_ahead(view));
	assert_false(mypage_consumer.sweep(view));
	assert_false(view_is_ahead(view));
	assert_int_equal(found("MP-BBBB2222").amount, 207000);
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM my_booking WHERE code = 'MP-LOST0000'"), 0);
}

TEST(an_event_that_waits_or_changes_nothing_is_not_taken_for_a_lost_one)
{
	report("booking.paid", "MP-NOBODY00", "{}");
	handle_events();
	assert_false(view_is_ahead(view));
	register_car(3, "12가 3456", "IN_SERVICE");
	handle_events();
	assert_false(view_is_ahead(view));
	hold("MP-AAAA1111");
	report("booking.cancelled", "MP-AAAA1111", "{\"refunded_amount\":\"many\"}");
	while (consumer_step(view, &mypage_consumer, 100) > 0)
		;
	assert_int_equal(db_int(view, "SELECT COUNT(*) FROM event_retry /*scan*/"), 1);
	assert_false(view_is_ahead(view));
}

TEST(the_pages_know_how_many_events_they_are_behind)
{
	struct my_fresh f;

	hold("MP-AAAA1111");
	handle_events();
	my_fresh(view, NOW + 50, &f);
	assert_int_equal(f.n_behind, 0);
	assert_int_equal(f.as_of, NOW + 50);
	pay("MP-AAAA1111");
	my_fresh(view, NOW + 50, &f);
	assert_int_equal(f.n_behind, 2);
	assert_int_equal(f.as_of, NOW);
}

/* MYPAGE_MANY=100000: how long a replay of so many takes. */
TEST(a_replay_of_many_events_takes_them_all)
{
	const char *many = getenv("MYPAGE_MANY");
	int n = many ? atoi(many) : 2000;
	const char *why = "";
	double began;

	db_begin(writer);
	for (int i = 0; i < n / 5; i++) {
		const char *code = arena_printf(scratch_memory, "MP-%08d", i);

		hold(code);
		pay(code);
		confirm(code);
		if (i % 100 == 0)
			arena_reset(scratch_memory);
	}
	assert_true(db_commit(writer));
	began = scratch_us();
	assert_int_equal(view_replay(root, scratch, NULL, NULL, &why), n / 5 * 5);
	printf("          %d events replayed in %.0f ms\n", n, (scratch_us() - began) / 1000);
}

TEST_MAIN("mypage_replay", NULL, NULL, begin, end)
