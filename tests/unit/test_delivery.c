/* test_delivery - jobs: where they come from, the dispatcher, the courier, collections. */
#include "test.h"

#include "delivery_world.h"

/* --- where jobs come from ----------------------------------------------------------------------------------------- */

TEST(a_confirmed_booking_with_an_address_makes_one_job)
{
	book("MP-AAAAAAAA", "CONFIRMED", 3, true, false);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 1);
	assert_string_equal(
		db_text(db, "SELECT plates FROM delivery WHERE delivery_id = 1"), "12가 3456, 34나 0002, 34나 0003");
	assert_string_equal(db_text(db, "SELECT address FROM delivery WHERE delivery_id = 1"), "1 Sejong-daero");
	assert_int_equal(n_events("delivery.requested"), 1);
	assert_non_null(strstr(last_payload("delivery.requested"), "\"direction\":\"delivery\""));
}

TEST(a_booking_picked_up_at_the_branch_makes_no_job)
{
	book("MP-AAAAAAAA", "CONFIRMED", 1, false, false);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 0);
}

TEST(a_confirmation_that_arrives_when_the_booking_is_over_makes_no_job)
{
	book("MP-AAAAAAAA", "CANCELLED", 1, true, false);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	book("MP-BBBBBBBB", "OUT", 1, true, false);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-BBBBBBBB");
	assert_int_equal(n_jobs(), 0);
}

TEST(no_event_holds_a_name_an_address_or_a_contact)
{
	int64_t id = shipped("MP-AAAAAAAA", true);

	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM v_event WHERE payload LIKE '%Sejong%' OR payload LIKE '%Lobby%'"
				 " OR payload LIKE '%010-%'"
				 " OR payload LIKE '%\"Courier\"%' OR payload LIKE '%Kim%' OR payload LIKE '%_name\"%'"
				 " /*scan*/"),
		0);
	assert_non_null(strstr(last_payload("delivery.delivered"), "\"odometer_km\":12345"));
	assert_non_null(strstr(last_payload("delivery.delivered"), "\"courier_id\":8"));
}

/* --- the dispatcher ----------------------------------------------------------------------------------------------- */

TEST(only_a_courier_can_be_assigned)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);

	assert_int_equal(assign_to(id, 7), DELIVERY_NO_COURIER);
	assert_int_equal(assign_to(id, 99), DELIVERY_NO_COURIER);
	db_do(others, "UPDATE person SET disabled = 1 WHERE user_id = 9");
	assert_int_equal(assign_to(id, 9), DELIVERY_NO_COURIER);
	assert_string_equal(state_of(id), "REQUESTED");
	assert_int_equal(n_events("delivery.scheduled"), 0);
}

TEST(assigning_the_same_courier_twice_is_reported_once_and_another_courier_again)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);

	assert_int_equal(assign_to(id, 8), DELIVERY_OK);
	assert_int_equal(assign_to(id, 8), DELIVERY_OK);
	assert_int_equal(n_events("delivery.scheduled"), 1);
	assert_int_equal(assign_to(id, 9), DELIVERY_OK);
	assert_int_equal(n_events("delivery.scheduled"), 2);
	assert_non_null(strstr(last_payload("delivery.scheduled"), "\"courier_id\":9"));
}

TEST(a_window_moves_only_within_the_bookings_hours)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };

	assert_int_equal(delivery_assign(db, &d, 8, START + 2 * HOUR, &manager), DELIVERY_OK);
	assert_int_equal(d.window_from, START + 2 * HOUR);
	assert_int_equal(d.window_to, START + 3 * HOUR); /* as long as it was */
	assert_int_equal(delivery_assign(db, &d, 8, START - 2 * HOUR, &manager), DELIVERY_BAD_WINDOW);
	assert_int_equal(delivery_assign(db, &d, 8, END + 2 * HOUR, &manager), DELIVERY_BAD_WINDOW);
	assert_int_equal(db_int(db, "SELECT window_from FROM delivery WHERE delivery_id = 1"), START + 2 * HOUR);
}

TEST(a_job_can_be_unassigned_until_its_courier_leaves)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };

	assert_int_equal(assign_to(d.delivery_id, 8), DELIVERY_OK);
	assert_int_equal(delivery_unassign(db, &d, &manager), DELIVERY_OK);
	assert_int_equal(delivery_unassign(db, &d, &manager), DELIVERY_OK);
	assert_int_equal(d.courier_id, 0);
	assert_int_equal(n_events("delivery.requested"), 2);
	assert_int_equal(assign_to(d.delivery_id, 8), DELIVERY_OK);
	assert_int_equal(ship(d.delivery_id, &courier), DELIVERY_OK);
	assert_int_equal(delivery_unassign(db, &d, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(assign_to(d.delivery_id, 9), DELIVERY_WRONG_STATE);
}

TEST(the_dispatcher_cancels_only_jobs_that_have_not_left)
{
	int64_t id = confirmed("MP-AAAAAAAA", false), left = shipped("MP-BBBBBBBB", false);

	assert_int_equal(cancel_job(id, &manager), DELIVERY_OK);
	assert_int_equal(cancel_job(id, &manager), DELIVERY_OK);
	assert_int_equal(n_events("delivery.cancelled"), 1);
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"by\":\"dispatcher\""));
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"note\":\"no driver\",\"reason\":\"\""));
	assert_int_equal(cancel_job(left, &manager), DELIVERY_WRONG_STATE);
	assert_string_equal(state_of(left), "SHIPPED");
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 2); /* a late confirmation makes no second job */
}

/* --- the courier -------------------------------------------------------------------------------------------------- */

TEST(a_courier_moves_only_their_own_jobs)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	assign_to(id, 8);
	assert_int_equal(ship(id, &other_courier), DELIVERY_GONE);
	assert_int_equal(ship(id, &customer), DELIVERY_GONE);
	assert_int_equal(cancel_job(id, &courier), DELIVERY_GONE);
	assert_int_equal(delivery_assign(db, &d, 8, 0, &courier), DELIVERY_GONE);
	assert_int_equal(delivery_unassign(db, &d, &courier), DELIVERY_GONE);
	assert_false(delivery_find(db, id, &other_courier, &d));
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	clock_set(START);
	assert_int_equal(deliver(id, &other_courier), DELIVERY_GONE);
	assert_string_equal(state_of(id), "SHIPPED");
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
}

TEST(each_step_is_taken_in_its_order_and_once)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	clock_set(START);
	assert_int_equal(ship(id, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(deliver(id, &manager), DELIVERY_WRONG_STATE);
	assign_to(id, 8);
	assert_int_equal(deliver(id, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(delivery_come_back(db, &d, "x", &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	assert_int_equal(n_events("delivery.shipped"), 1);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(n_events("delivery.delivered"), 1);
	assert_int_equal(ship(id, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(cancel_job(id, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(assign_to(id, 9), DELIVERY_WRONG_STATE);
	assert_false(db_failed(db));
}

TEST(a_handover_record_is_not_overwritten)
{
	const struct handover another = {
		.odometer_km = 1, .fuel_percent = 1, .received_by = "Lee", .note = "", .photo = ""
	};
	int64_t id = shipped("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(delivery_deliver(db, &d, &another, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(db_int(db, "SELECT odometer_km FROM delivery WHERE delivery_id = 1"), 12345);
}

TEST(keys_change_hands_only_within_the_bookings_hours)
{
	int64_t id = shipped("MP-AAAAAAAA", false);

	clock_set(START - HOUR - 1);
	assert_int_equal(deliver(id, &courier), DELIVERY_NOT_NOW);
	clock_set(END);
	assert_int_equal(deliver(id, &courier), DELIVERY_NOT_NOW);
	clock_set(START - HOUR);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
}

TEST(a_courier_who_comes_back_with_the_car_can_be_sent_again)
{
	int64_t id = shipped("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };
	struct job_event *events;

	assert_int_equal(delivery_come_back(db, &d, "the customer was absent", &other_courier), DELIVERY_GONE);
	d.delivery_id = id;
	assert_int_equal(delivery_come_back(db, &d, "the customer was absent", &courier), DELIVERY_OK);
	assert_int_equal(d.state, JOB_SCHEDULED);
	assert_int_equal(n_events("delivery.scheduled"), 2);
	assert_non_null(strstr(last_payload("delivery.scheduled"), "\"note\":\"the customer was absent\""));
	assert_int_equal(job_history(db, &d, &events), 4);
	assert_string_equal(events[0].title, "The courier could not complete the job");
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "customer"), JOB_IS_CANCELLED);
}

TEST(a_job_whose_booking_ended_on_the_way_is_cancelled_when_its_courier_comes_back)
{
	int64_t id = shipped("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	booking_is("MP-AAAAAAAA", "NO_SHOW");
	booking_reports(EVENT_BOOKING_NO_SHOW, "MP-AAAAAAAA");
	assert_string_equal(state_of(id), "SHIPPED"); /* the car is on the road */
	assert_int_equal(deliver(id, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(delivery_come_back(db, &d, "too late", &courier), DELIVERY_OK);
	assert_string_equal(state_of(id), "CANCELLED");
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"by\":\"booking\""));
}

TEST(no_courier_leaves_for_a_booking_that_is_over)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);

	assign_to(id, 8);
	booking_is("MP-AAAAAAAA", "CANCEL_REQUESTED"); /* before its event reaches delivery */
	assert_int_equal(ship(id, &courier), DELIVERY_WRONG_STATE);
	assert_string_equal(state_of(id), "SCHEDULED");
}

/* --- collections -------------------------------------------------------------------------------------------------- */

TEST(a_delivered_car_is_collected_at_the_end_when_that_was_booked)
{
	int64_t id = shipped("MP-AAAAAAAA", true), plain = shipped("MP-BBBBBBBB", false);
	struct delivery d;

	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(deliver(plain, &courier), DELIVERY_OK);
	booking_is("MP-AAAAAAAA", "OUT");
	booking_reports(EVENT_BOOKING_HANDED_OUT, "MP-AAAAAAAA"); /* booking reacts to delivery.delivered */
	assert_int_equal(n_jobs(), 3);
	assert_true(delivery_read(db, 3, &d));
	assert_int_equal(d.direction, JOB_COLLECTION);
	assert_int_equal(d.window_from, END - 2 * HOUR);
	assert_int_equal(d.window_to, END);
	assert_string_equal(d.address, "1 Sejong-daero");
	assert_int_equal(
		db_int(db,
			"SELECT causation_id FROM v_event WHERE type = 'delivery.requested' ORDER BY event_id DESC"
			" LIMIT 1 /*scan*/"),
		db_int(db,
			"SELECT event_id FROM v_event WHERE type = 'delivery.delivered' ORDER BY event_id"
			" LIMIT 1 /*scan*/"));
	assert_string_equal(state_of(id), "DELIVERED");
}

TEST(a_collection_whose_price_was_refunded_is_not_requested)
{
	int64_t id = shipped("MP-AAAAAAAA", true);

	db_do(others,
		"INSERT INTO booking_line (booking_id, line_no, rule, version, unit, quantity, unit_amount, amount)"
		" VALUES (1, 2, 'collection', 1, 'trip', 1, 1, 1)");
	db_do(others,
		"INSERT INTO booking_extra (booking_id, line_no, kind, quantity, amount, state)"
		" VALUES (1, 2, 'collection', 1, 1, 'ENDED')");
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	assert_int_equal(n_jobs(), 1);
}

TEST(a_car_returned_to_the_branch_is_not_collected)
{
	int64_t id = shipped("MP-AAAAAAAA", true);

	deliver(id, &courier);
	booking_is("MP-AAAAAAAA", "OUT");
	booking_is("MP-AAAAAAAA", "RETURNED");
	booking_reports(EVENT_BOOKING_RETURNED, "MP-AAAAAAAA");
	assert_string_equal(state_of(2), "REQUESTED"); /* the return may be undone */
	booking_reports(EVENT_BOOKING_COMPLETED, "MP-AAAAAAAA");
	assert_string_equal(state_of(2), "CANCELLED");
	assert_string_equal(state_of(id), "DELIVERED");
}

TEST(a_car_can_be_collected_after_the_end_too)
{
	int64_t id = shipped("MP-AAAAAAAA", true);

	deliver(id, &courier);
	assert_int_equal(assign_to(2, 9), DELIVERY_OK);
	assert_int_equal(ship(2, &other_courier), DELIVERY_OK);
	clock_set(END + HOUR);
	assert_int_equal(deliver(2, &other_courier), DELIVERY_OK);
	assert_non_null(strstr(last_payload("delivery.delivered"), "\"direction\":\"collection\""));
}

TEST_MAIN("delivery", NULL, NULL, begin, world_end)
