/* test_delivery_list - lists of many jobs, and what the schema refuses. */
#include "test.h"

#include "delivery_world.h"

/* --- many jobs ---------------------------------------------------------------------------------------------------- */

static struct jobs_query
jobs_in(enum jobs_view view)
{
	return (struct jobs_query){
		.view = view, .text = "", .today = day_start(NOW), .tomorrow = day_add(day_start(NOW), 1)
	};
}

TEST(the_board_shows_unassigned_jobs_first)
{
	struct jobs_query q = jobs_in(JOBS_OPEN);
	struct jobs_counts n;
	struct delivery *jobs;

	shipped("MP-AAAAAAA1", false);
	clock_set(NOW);
	assign_to(confirmed("MP-AAAAAAA2", false), 8);
	confirmed("MP-AAAAAAA3", false);
	cancel_job(confirmed("MP-AAAAAAA4", false), &manager);
	job_cancel(db, "MP-NEVERSEEN", "x");
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 3);
	assert_string_equal(jobs[0].code, "MP-AAAAAAA3");
	assert_string_equal(jobs[1].code, "MP-AAAAAAA2");
	assert_string_equal(jobs[2].code, "MP-AAAAAAA1");
	assert_true(jobs[1].overlaps && jobs[2].overlaps && !jobs[0].overlaps);
	jobs_count(db, &q, &n);
	assert_int_equal(n.n_total, 3);
	assert_int_equal(n.n_requested, 1);
	q.courier_id = 8;
	q.courier_first = true;
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 2);
	assert_string_equal(jobs[0].code, "MP-AAAAAAA1"); /* a courier sees the job under way first */
	q = jobs_in(JOBS_FINISHED);
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 1);
	q.text = "aaaaaaa3";
	q.view = JOBS_ALL;
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 1);
	q.text = "%";
	assert_int_equal(jobs_list(db, &q, 0, 20, &jobs), 0);
	assert_false(db_failed(db));
}

TEST(today_has_the_late_jobs_of_earlier_days)
{
	struct jobs_query today = jobs_in(JOBS_TODAY), tomorrow = jobs_in(JOBS_TOMORROW);
	struct delivery *jobs;

	confirmed("MP-AAAAAAA1", false);
	confirmed("MP-AAAAAAA2", false);
	db_do(db, "UPDATE delivery SET window_from = $1, window_to = $1 WHERE delivery_id = 1", NOW - 3 * DAY);
	db_do(db, "UPDATE delivery SET window_from = $1, window_to = $1 WHERE delivery_id = 2", tomorrow.tomorrow);
	assert_int_equal(jobs_list(db, &today, 0, 20, &jobs), 1);
	assert_true(jobs[0].is_late);
	assert_int_equal(jobs_list(db, &tomorrow, 0, 20, &jobs), 1);
	assert_false(jobs[0].is_late);
	assert_string_equal(jobs[0].code, "MP-AAAAAAA2");
}

TEST(a_day_sheet_has_one_couriers_jobs_in_order_of_time)
{
	struct delivery *jobs, d = { 0 };

	assign_to(confirmed("MP-AAAAAAA1", false), 8);
	d.delivery_id = confirmed("MP-AAAAAAA2", false);
	delivery_assign(db, &d, 8, START - HOUR, &manager);
	assign_to(confirmed("MP-AAAAAAA3", false), 9);
	confirmed("MP-AAAAAAA4", false);
	assert_int_equal(jobs_of_day(db, 8, day_start(START), day_add(day_start(START), 1), &jobs), 2);
	assert_string_equal(jobs[0].code, "MP-AAAAAAA2");
	assert_string_equal(jobs[0].customer_phone, "010-1234-5678");
	assert_int_equal(jobs_of_day(db, 0, 0, END, &jobs), 0);
}

TEST(a_jobs_history_has_its_own_events_only)
{
	int64_t id = shipped("MP-AAAAAAAA", true);
	struct job_event *events;
	struct delivery d;

	deliver(id, &courier);
	assert_true(delivery_read(db, id, &d));
	assert_int_equal(job_history(db, &d, &events), 4);
	assert_string_equal(events[0].title, "The car was delivered");
	assert_string_equal(events[0].detail, "courier: Courier · keys handed to: Kim");
	assert_non_null(strstr(events[2].detail, "by Manager"));
	assert_true(delivery_read(db, 2, &d));
	assert_int_equal(job_history(db, &d, &events), 1);
}

TEST(events_of_older_versions_still_show_their_names_and_reasons)
{
	int64_t id = confirmed("MP-AAAAAAAA", false);
	struct job_event *events;
	struct delivery d;

	report("delivery.delivered", "MP-AAAAAAAA",
		"{\"delivery_id\":1,\"courier_id\":8,\"courier_name\":\"Old Name\",\"received_by\":\"Lee\"}");
	report("delivery.cancelled", "MP-AAAAAAAA",
		"{\"delivery_id\":1,\"courier_id\":0,\"courier_name\":\"\",\"reason\":\"no"
		" driver\",\"by\":\"dispatcher\"}");
	assert_true(delivery_read(db, id, &d));
	assert_int_equal(job_history(db, &d, &events), 3);
	assert_string_equal(events[0].detail, "no driver");
	assert_string_equal(events[1].detail, "courier: Old Name · keys handed to: Lee");
}

/* --- the schema --------------------------------------------------------------------------------------------------- */

TEST(the_schema_refuses_impossible_jobs)
{
	int64_t id = shipped("MP-AAAAAAAA", false);

	assert_false(db_try(
		db, "UPDATE delivery SET state = 'CANCELLED', ended_by = 'customer' WHERE delivery_id = $1", id));
	assert_string_equal(db_refusal(db), "delivery_state");
	assert_false(db_try(
		db, "UPDATE delivery SET state = 'DELIVERED' WHERE delivery_id = $1", id)); /* received_by is empty */
	assert_false(db_try(db, "UPDATE delivery SET booking_code = 'MP-BBBBBBBB' WHERE delivery_id = $1", id));
	assert_false(db_try(db, "DELETE FROM delivery WHERE delivery_id = $1", id));
	assert_false(db_try(db,
		"INSERT INTO delivery (booking_code, direction, state, customer_id, window_from, window_to,"
		" requested_at)"
		" VALUES ('MP-AAAAAAAA', 'delivery', 'REQUESTED', 5, 1, 2, 1)"));
}

TEST_MAIN("delivery_list", NULL, NULL, begin, world_end)
