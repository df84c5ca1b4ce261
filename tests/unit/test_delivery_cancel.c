/* test_delivery_cancel - a job ends with its booking, or is given up, which can be undone. */
#include "test.h"

#include "delivery_world.h"

/* --- cancelling a booking ----------------------------------------------------------------------------------------- */

TEST(cancelling_a_booking_cancels_its_job)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);

	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "plans changed"), JOB_IS_CANCELLED);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "plans changed"), JOB_IS_CANCELLED);
	assert_string_equal(state_of(id), "CANCELLED");
	assert_int_equal(n_events("delivery.cancelled"), 1);
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"by\":\"customer\""));
	booking_reports(EVENT_BOOKING_CANCEL_REQUESTED, "MP-AAAAAAAA");
	booking_reports(EVENT_BOOKING_CANCELLED, "MP-AAAAAAAA");
	assert_int_equal(n_events("delivery.cancelled"), 1);
}

TEST(a_job_on_the_road_is_not_cancelled)
{
	int64_t id = shipped("MP-AAAAAAAA", false);

	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "x"), JOB_HAS_LEFT);
	assert_string_equal(state_of(id), "SHIPPED");
	deliver(id, &courier);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "x"), JOB_HAS_LEFT);
	assert_int_equal(n_events("delivery.cancelled"), 0);
}

TEST(a_booking_cancelled_before_its_confirmation_arrives_gets_no_job)
{
	book("MP-AAAAAAAA", "CONFIRMED", 1, true, false);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "x"), JOB_IS_CANCELLED);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "x"), JOB_IS_CANCELLED);
	assert_int_equal(job_cancel(db, "MP-NEVERSEEN", "x"), JOB_IS_CANCELLED);
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM delivery WHERE state <> 'CANCELLED' /*scan*/"), 0);
	assert_int_equal(n_jobs(), 2);
	assert_int_equal(n_events("delivery.requested"), 0);
	assert_int_equal(n_events("delivery.cancelled"), 0);
}

TEST(a_booking_that_ends_otherwise_cancels_its_job)
{
	static const enum event_type_id ends[] = {
		EVENT_BOOKING_CANCELLED,
		EVENT_BOOKING_CANCEL_REQUESTED,
		EVENT_BOOKING_REJECTED,
		EVENT_BOOKING_NO_SHOW_FINAL,
		EVENT_BOOKING_NO_SHOW, /* from before a no-show could be undone */
		EVENT_BOOKING_EXPIRED,
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *code = arena_printf(scratch_memory, "MP-AAAAAAA%zu", i);
		int64_t id = confirmed(code, false);

		if (i % 2)
			assign_to(id, 8);
		booking_reports(ends[i], code);
		booking_reports(ends[i], code);
		assert_string_equal(state_of(id), "CANCELLED");
		assert_string_equal(db_text(db, "SELECT ended_by FROM delivery WHERE delivery_id = $1", id), "booking");
		assert_string_equal(db_text(db, "SELECT end_reason FROM delivery WHERE delivery_id = $1", id),
			event_types[ends[i]].type + strlen("booking."));
	}
	assert_int_equal(n_events("delivery.cancelled"), 6);
}

/* --- given up, which can be undone -------------------------------------------------------------------------------- */

#define WINDOW_S 600

TEST(a_job_that_is_given_up_is_cancelled_and_reported_when_its_window_ends_and_not_before)
{
	int64_t id = confirmed("MP-AAAAAAAA", true), given_up_at = clock_now();

	rental.undo_window_s = WINDOW_S;
	assign_to(id, 8);
	assert_int_equal(cancel_job(id, &courier), DELIVERY_GONE);
	assert_int_equal(cancel_job(id, &manager), DELIVERY_OK);
	clock_set(given_up_at + 30);
	assert_int_equal(cancel_job(id, &manager), DELIVERY_OK); /* the second click: the window does not begin again */
	assert_int_equal(ship(id, &courier), DELIVERY_GIVEN_UP);
	assert_int_equal(assign_to(id, 9), DELIVERY_GIVEN_UP);
	clock_set(given_up_at + WINDOW_S - 1);
	delivery_sweep(db);
	assert_string_equal(state_of(id), "SCHEDULED");
	assert_int_equal(n_events("delivery.cancelled"), 0);
	clock_set(given_up_at + WINDOW_S);
	assert_int_equal(
		delivery_undo_cancel(db, &(struct delivery){ .delivery_id = id }, &manager), DELIVERY_TOO_LATE);
	delivery_sweep(db);
	delivery_sweep(db);
	assert_string_equal(state_of(id), "CANCELLED");
	assert_int_equal(n_events("delivery.cancelled"), 1);
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"by\":\"dispatcher\""));
	assert_non_null(strstr(last_payload("delivery.cancelled"), "\"note\":\"no driver\""));
	assert_int_equal(db_int(db, "SELECT actor_id FROM v_event WHERE type = 'delivery.cancelled' /*scan*/"), 7);
	assert_int_equal(
		delivery_undo_cancel(db, &(struct delivery){ .delivery_id = id }, &manager), DELIVERY_TOO_LATE);
	rental.undo_window_s = 0;
}

TEST(an_undone_job_goes_on_as_before)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };

	rental.undo_window_s = WINDOW_S;
	assign_to(d.delivery_id, 8);
	cancel_job(d.delivery_id, &manager);
	assert_int_equal(delivery_undo_cancel(db, &d, &courier), DELIVERY_GONE);
	assert_int_equal(delivery_undo_cancel(db, &d, &manager), DELIVERY_OK);
	assert_int_equal(delivery_undo_cancel(db, &d, &manager), DELIVERY_OK);
	clock_set(clock_now() + 2 * WINDOW_S);
	delivery_sweep(db);
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	assert_int_equal(n_events("delivery.cancelled"), 0);
	assert_int_equal(ship(d.delivery_id, &courier), DELIVERY_OK);
	rental.undo_window_s = 0;
}

/* Its customer cancels the booking within the window: the job ends at once, and there is nothing left to undo. */
TEST(a_job_whose_booking_ends_meanwhile_cannot_be_undone)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };
	int64_t id = confirmed("MP-BBBBBBBB", false);

	rental.undo_window_s = WINDOW_S;
	cancel_job(d.delivery_id, &manager);
	cancel_job(id, &manager);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "customer"), JOB_IS_CANCELLED);
	assert_int_equal(delivery_undo_cancel(db, &d, &manager), DELIVERY_TOO_LATE);
	booking_is("MP-BBBBBBBB", "OUT");
	booking_reports(EVENT_BOOKING_HANDED_OUT, "MP-BBBBBBBB");
	clock_set(clock_now() + 2 * WINDOW_S);
	delivery_sweep(db);
	assert_string_equal(
		db_text(db, "SELECT ended_by FROM delivery WHERE delivery_id = $1", d.delivery_id), "customer");
	assert_string_equal(db_text(db, "SELECT ended_by FROM delivery WHERE delivery_id = $1", id), "booking");
	assert_int_equal(n_events("delivery.cancelled"), 2);
	rental.undo_window_s = 0;
}

TEST(a_courier_does_not_leave_with_a_car_that_is_not_in_service)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", false) };

	assign_to(d.delivery_id, 8);
	booking_reply = BOOKING_ANSWER_OUT_OF_SERVICE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OUT_OF_SERVICE);
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	booking_reply = BOOKING_ANSWER_DONE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
}

/* Booking hands the car out before the cancellation reaches it: it will refund both trips. */
TEST(a_car_whose_delivery_the_dispatcher_cancelled_is_not_collected)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", true) };

	assert_int_equal(delivery_cancel(db, &d, "no courier", &manager), DELIVERY_OK);
	booking_is("MP-AAAAAAAA", "OUT");
	booking_reports(EVENT_BOOKING_HANDED_OUT, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 1);
}

/* Before booking.handed_out reaches delivery. */
TEST(no_courier_leaves_with_a_car_that_was_handed_out_at_the_branch)
{
	struct delivery d = { .delivery_id = confirmed("MP-AAAAAAAA", true) };

	assert_int_equal(delivery_assign(db, &d, 8, 0, &manager), DELIVERY_OK);
	booking_is("MP-AAAAAAAA", "OUT");
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_WRONG_STATE);
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
}

TEST(a_car_handed_out_at_the_branch_is_not_delivered_and_still_collected)
{
	int64_t id = confirmed("MP-AAAAAAAA", true);

	booking_is("MP-AAAAAAAA", "OUT");
	booking_reports(EVENT_BOOKING_HANDED_OUT, "MP-AAAAAAAA");
	assert_string_equal(state_of(id), "CANCELLED");
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM delivery WHERE direction = 'collection'"
				 " AND state = 'REQUESTED' /*scan*/"),
		1);
}

TEST_MAIN("delivery_cancel", NULL, NULL, begin, world_end)
