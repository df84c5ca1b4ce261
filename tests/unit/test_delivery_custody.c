/* test_delivery_custody - steps that booking must agree to: a car's way, its hand-over, its collection. */
#include "test.h"

#include "delivery_world.h"

/* --- steps that booking must agree to ----------------------------------------------------------------------------- */

static int64_t
assigned(const char *code)
{
	int64_t id = confirmed(code, true);

	assert_int_equal(assign_to(id, 8), DELIVERY_OK);
	clock_set(START);
	return id;
}

TEST(booking_is_asked_before_each_step_with_the_car_for_the_courier_and_with_a_key_of_its_own)
{
	struct delivery_actor boss = { 7, true };
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	assert_int_equal(delivery_ship(db, &d, &boss), DELIVERY_OK);
	assert_string_equal(asked_key, arena_printf(scratch_memory, "delivery-%lld-leave-1", (long long)d.delivery_id));
	assert_int_equal(asked_user, 8);
	assert_int_equal(delivery_ship(db, &d, &boss), DELIVERY_OK); /* it was done: not asked again */
	assert_int_equal(n_asked, 1);
	assert_int_equal(delivery_come_back(db, &d, "nobody there", &boss), DELIVERY_OK);
	assert_string_equal(asked_step, "back");
	assert_string_equal(d.note, "nobody there");
	assert_int_equal(delivery_ship(db, &d, &boss), DELIVERY_OK);
	assert_string_equal(asked_key, arena_printf(scratch_memory, "delivery-%lld-leave-2", (long long)d.delivery_id));
	assert_int_equal(deliver(d.delivery_id, &boss), DELIVERY_OK);
	assert_string_equal(asked_step, "hand_over");
	assert_int_equal(n_asked, 4);
}

TEST(what_booking_refuses_is_not_done_and_the_car_s_holder_is_named)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	booking_reply = BOOKING_ANSWER_IN_USE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_CAR_IN_USE);
	assert_string_equal(d.in_use->booking_code, "MP-OTHER001");
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	assert_int_equal(d.asked_step, STEP_NONE);
	booking_reply = BOOKING_ANSWER_REFUSED;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_WRONG_STATE);
	booking_reply = BOOKING_ANSWER_DONE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
	booking_reply = BOOKING_ANSWER_IN_USE;
	assert_int_equal(deliver(d.delivery_id, &courier), DELIVERY_CAR_IN_USE);
	assert_true(delivery_read(db, d.delivery_id, &d));
	assert_int_equal(d.state, JOB_SHIPPED);
	assert_string_equal(d.received_by, ""); /* the record is removed */
	assert_int_equal(d.odometer_km, 0);
}

TEST(while_booking_is_down_nothing_changes)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	booking_reply = BOOKING_ANSWER_NOT_ASKED;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_LATER);
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	delivery_sweep(db);
	assert_int_equal(n_asked, 1); /* no note was left behind */
	booking_reply = BOOKING_ANSWER_DONE;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
}

TEST(a_step_whose_answer_was_lost_is_asked_for_again_and_stops_all_others)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };
	char key[80];

	booking_reply = BOOKING_ANSWER_UNKNOWN;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_PENDING);
	strcpy(key, asked_key);
	assert_int_equal(assign_to(d.delivery_id, 9), DELIVERY_WRONG_STATE);
	assert_int_equal(delivery_unassign(db, &d, &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(delivery_cancel(db, &d, "x", &manager), DELIVERY_WRONG_STATE);
	assert_int_equal(job_cancel(db, "MP-AAAAAAAA", "customer"), JOB_HAS_LEFT);
	assert_int_equal(delivery_come_back(db, &d, "x", &courier), DELIVERY_WRONG_STATE);
	booking_reply = BOOKING_ANSWER_NOT_ASKED; /* the first request may have arrived: the note stays */
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_PENDING);
	booking_reply = BOOKING_ANSWER_DONE;
	delivery_sweep(db);
	assert_int_equal(n_asked, 2); /* not yet */
	clock_set(START + 60);
	delivery_sweep(db);
	assert_int_equal(n_asked, 3);
	assert_string_equal(asked_key, key);
	assert_string_equal(state_of(d.delivery_id), "SHIPPED");
	assert_int_equal(db_int(db, "SELECT actor_id FROM v_event WHERE type = 'delivery.shipped' /*scan*/"), 8);
	delivery_sweep(db);
	assert_int_equal(n_asked, 3);
}

TEST(a_hand_over_whose_answer_was_lost_keeps_its_record)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	assert_int_equal(ship(d.delivery_id, &courier), DELIVERY_OK);
	booking_reply = BOOKING_ANSWER_UNKNOWN;
	assert_int_equal(deliver(d.delivery_id, &courier), DELIVERY_PENDING);
	assert_string_equal(state_of(d.delivery_id), "SHIPPED");
	booking_is("MP-AAAAAAAA", "OUT"); /* booking has done it */
	booking_reply = BOOKING_ANSWER_DONE;
	clock_set(START + 60);
	delivery_sweep(db);
	assert_true(delivery_read(db, d.delivery_id, &d));
	assert_int_equal(d.state, JOB_DELIVERED);
	assert_int_equal(d.odometer_km, 12345);
	assert_string_equal(d.received_by, "Kim");
	assert_int_equal(deliver(d.delivery_id, &courier), DELIVERY_OK);
	assert_int_equal(n_jobs(), 2); /* with its collection */
}

/* A no-show that can be undone until then: no courier may leave, and nothing is cancelled. */
static void
no_show_until(const char *code, int64_t undo_until)
{
	db_do(others, "UPDATE booking SET state = 'NO_SHOW', undo_until = $2 WHERE code = $1", code, undo_until);
	report("booking.no_show", code, "{\"undo_until\":\"2027-12-25T10:00:00+09:00\"}");
	handle_events(&delivery_consumer);
}

TEST(while_a_no_show_can_be_undone_its_job_stays_and_waits)
{
	int64_t id = assigned("MP-AAAAAAAA");
	struct delivery d = { .delivery_id = id };

	no_show_until("MP-AAAAAAAA", START + DAY);
	assert_string_equal(state_of(id), "SCHEDULED");
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_WRONG_STATE);
	db_do(others, "UPDATE booking SET state = 'CONFIRMED', undo_until = 0 WHERE code = 'MP-AAAAAAAA'");
	booking_reports(EVENT_BOOKING_NO_SHOW_UNDONE, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 1);
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
}

TEST(a_courier_who_comes_back_while_a_no_show_can_be_undone_keeps_the_job)
{
	int64_t id = shipped("MP-AAAAAAAA", false);
	struct delivery d = { .delivery_id = id };

	no_show_until("MP-AAAAAAAA", START + DAY);
	assert_int_equal(delivery_come_back(db, &d, "the door stayed closed", &courier), DELIVERY_OK);
	assert_string_equal(state_of(id), "SCHEDULED");
	db_do(others, "UPDATE booking SET undo_until = 0 WHERE code = 'MP-AAAAAAAA'");
	booking_reports(EVENT_BOOKING_NO_SHOW_FINAL, "MP-AAAAAAAA");
	assert_string_equal(state_of(id), "CANCELLED");
}

/* Delivery was down all the time. */
TEST(an_undone_no_show_gets_the_job_that_was_never_requested)
{
	book("MP-AAAAAAAA", "CONFIRMED", 1, true, false);
	db_do(others, "UPDATE booking SET state = 'NO_SHOW', undo_until = 5 WHERE code = 'MP-AAAAAAAA'");
	booking_reports(EVENT_BOOKING_CONFIRMED, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 0);
	db_do(others, "UPDATE booking SET state = 'CONFIRMED', undo_until = 0 WHERE code = 'MP-AAAAAAAA'");
	booking_reports(EVENT_BOOKING_NO_SHOW_UNDONE, "MP-AAAAAAAA");
	assert_int_equal(n_jobs(), 1);
}

TEST(a_job_whose_booking_ended_while_its_courier_wanted_to_leave_ends_too)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	booking_reply = BOOKING_ANSWER_UNKNOWN;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_PENDING);
	booking_is("MP-AAAAAAAA", "NO_SHOW");
	booking_reports(EVENT_BOOKING_NO_SHOW, "MP-AAAAAAAA");
	assert_string_equal(state_of(d.delivery_id), "SCHEDULED");
	booking_reply = BOOKING_ANSWER_REFUSED;
	clock_set(START + 60);
	delivery_sweep(db);
	assert_string_equal(state_of(d.delivery_id), "CANCELLED");
}

static void
click_again(void)
{
	struct delivery d = { .delivery_id = db_int(db, "SELECT MAX(delivery_id) FROM delivery") };

	during_booking = NULL;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
}

TEST(of_two_clicks_at_once_both_find_it_done_and_it_is_reported_once)
{
	struct delivery d = { .delivery_id = assigned("MP-AAAAAAAA") };

	during_booking = click_again;
	assert_int_equal(delivery_ship(db, &d, &courier), DELIVERY_OK);
	assert_int_equal(d.state, JOB_SHIPPED);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM v_event WHERE type = 'delivery.shipped' /*scan*/"), 1);
}

TEST(a_collected_car_is_on_the_way_until_it_is_back_at_the_branch)
{
	int64_t id = assigned("MP-AAAAAAAA");
	struct delivery d = { .delivery_id = id };

	assert_int_equal(delivery_bring_in(db, &d, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(ship(id, &courier), DELIVERY_OK);
	assert_int_equal(deliver(id, &courier), DELIVERY_OK);
	booking_is("MP-AAAAAAAA", "OUT");
	d.delivery_id = db_int(db, "SELECT delivery_id FROM delivery WHERE direction = 'collection' /*scan*/");
	assert_int_equal(assign_to(d.delivery_id, 8), DELIVERY_OK);
	n_asked = 0;
	assert_int_equal(ship(d.delivery_id, &courier), DELIVERY_OK);
	assert_int_equal(n_asked, 0); /* the customer has the car */
	assert_int_equal(delivery_bring_in(db, &d, &courier), DELIVERY_WRONG_STATE);
	assert_int_equal(deliver(d.delivery_id, &courier), DELIVERY_OK);
	assert_string_equal(asked_step, "collect");
	assert_int_equal(delivery_bring_in(db, &d, &courier), DELIVERY_OK);
	assert_string_equal(asked_step, "back");
	assert_int_equal(d.back_at, START);
	assert_int_equal(delivery_bring_in(db, &d, &courier), DELIVERY_OK);
	assert_int_equal(n_asked, 2);
}

TEST_MAIN("delivery_custody", NULL, NULL, begin, world_end)
