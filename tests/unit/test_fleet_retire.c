/* test_fleet_retire - a car is retired, which can be undone, and what its bookings mean for that. */
#include "test.h"

#include "fleet_world.h"

/* --- retiring, which can be undone -------------------------------------------------------------------------------- */

#define WINDOW_S 600

static int64_t
retire_at(int64_t car_id)
{
	return db_int(db, "SELECT retire_at FROM car WHERE car_id = $1", car_id);
}

static enum car_outcome
retire(int64_t car_id)
{
	return car_retire(db, car_id, &(struct car_consent){ .seen = "" }, 7);
}

static const char *
service_of(int64_t car_id)
{
	return db_text(db, "SELECT service FROM car WHERE car_id = $1", car_id);
}

TEST(a_car_is_retired_when_its_window_ends_and_not_before)
{
	int64_t car_id = add("1");

	rental.undo_window_s = WINDOW_S;
	assert_int_equal(retire(car_id), CAR_OK);
	assert_int_equal(retire_at(car_id), NOW + WINDOW_S);
	assert_string_equal(service_of(car_id), "OUT_OF_SERVICE");
	assert_non_null(strstr(newest_payload(), "\"retire_at\":\""));
	clock_set(NOW + 30);
	assert_int_equal(retire(car_id), CAR_OK); /* the second click: the window does not begin again */
	assert_int_equal(retire_at(car_id), NOW + WINDOW_S);
	clock_set(NOW + WINDOW_S - 1);
	fleet_sweep(db);
	assert_string_equal(service_of(car_id), "OUT_OF_SERVICE");
	assert_int_equal(n_events("car.retired"), 0);
	clock_set(NOW + WINDOW_S);
	assert_int_equal(car_undo_retire(db, car_id, 7), CAR_IS_RETIRED); /* the sweep has not been here yet */
	fleet_sweep(db);
	fleet_sweep(db);
	assert_string_equal(service_of(car_id), "RETIRED");
	assert_int_equal(n_events("car.retired"), 1);
	assert_int_equal(db_int(db, "SELECT actor_id FROM v_event WHERE type = 'car.retired' /*scan*/"), 7);
	assert_int_equal(car_undo_retire(db, car_id, 7), CAR_IS_RETIRED);
	rental.undo_window_s = 0;
}

TEST(an_undone_retirement_leaves_no_trace_for_the_sweep)
{
	int64_t car_id = add("1");

	rental.undo_window_s = WINDOW_S;
	retire(car_id);
	clock_set(NOW + WINDOW_S - 1);
	assert_int_equal(car_undo_retire(db, car_id, 8), CAR_OK);
	assert_int_equal(car_undo_retire(db, car_id, 8), CAR_OK);
	assert_int_equal(status_of(car_id), CAR_AVAILABLE);
	clock_set(NOW + 2 * WINDOW_S);
	fleet_sweep(db);
	assert_int_equal(status_of(car_id), CAR_AVAILABLE);
	assert_int_equal(n_events("car.retired"), 0);
	assert_int_equal(n_events("car.modified"), 2);
	rental.undo_window_s = 0;
}

/* A hand-over that a courier reports late cannot be refused. */
TEST(a_car_that_is_in_use_is_not_retired_by_the_sweep_until_it_is_back)
{
	int64_t car_id = add("1");

	rental.undo_window_s = WINDOW_S;
	retire(car_id);
	db_do(others, "INSERT INTO custody (key, car_id, kind, user_id, from_at) VALUES ('k', $1, 'staff', 3, $2)",
		car_id, NOW + 10);
	clock_set(NOW + 2 * WINDOW_S);
	fleet_sweep(db);
	assert_string_equal(service_of(car_id), "OUT_OF_SERVICE");
	db_do(others, "UPDATE custody SET to_at = $1, ended_by = 'returned' WHERE key = 'k'", clock_now());
	fleet_sweep(db);
	assert_string_equal(service_of(car_id), "RETIRED");
	rental.undo_window_s = 0;
}

TEST(a_clock_that_was_set_back_does_not_keep_a_car_from_being_retired)
{
	int64_t car_id = add("1");

	rental.undo_window_s = WINDOW_S;
	retire(car_id);
	clock_set(NOW - 2 * DAY);
	fleet_sweep(db);
	assert_string_equal(service_of(car_id), "RETIRED");
	rental.undo_window_s = 0;
}

TEST(a_booking_made_between_the_look_and_the_answer_is_not_overlooked)
{
	int64_t car_id = add("1");
	struct car_consent consent = { 0 };
	struct concern c;

	concern_read(db, car_id, 0, &c);
	assert_int_equal(c.n_total, 0);
	for (int i = 0; i < 2; i++) {
		consent.seen = c.seen;
		db_do(others,
			"INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name,"
			" state, starts_at, ends_at, amount, vat_amount, currency, charge_id, held_at, hold_until)"
			" VALUES ($1, 1, $2, 'x', 'x', 'mini', 1, 'x', 'CONFIRMED', $3, $3 + 3600, 1, 0, 'KRW', 1, 1,"
			" 1)",
			arena_printf(scratch_memory, "MP-00000%d", i), car_id, NOW + (i + 1) * DAY);
		assert_int_equal(car_retire(db, car_id, &consent, 7), CAR_CONCERNS);
		assert_int_equal(car_set_service(db, car_id, SERVICE_OUT_OF_SERVICE, &consent, 7), CAR_CONCERNS);
		assert_string_equal(service_of(car_id), "IN_SERVICE");
		concern_read(db, car_id, 0, &c);
		assert_int_equal(c.n_total, i + 1);
	}
	consent.seen = c.seen;
	assert_int_equal(car_retire(db, car_id, &consent, 7), CAR_OK);
}

TEST(a_model_counts_its_cars_in_service_and_available_now)
{
	struct model model = { .name = "Ray",
		.body = BODY_MINI,
		.seats = 4,
		.daily_price = 70000,
		.hourly_price = 7000 },
		     *models;
	int64_t cars[4];
	int n;

	model_add(db, &model);
	for (int i = 0; i < 4; i++) {
		struct car car = ray(arena_printf(scratch_memory, "%d", i));

		car.model_id = model.model_id;
		car_add(db, &car, 7);
		cars[i] = car.car_id;
	}
	car_set_service(db, cars[3], SERVICE_OUT_OF_SERVICE, EVEN_SO, 7);
	report_two_cars(EVENT_BOOKING_PAID, "MP-1", cars[0], cars[1]);
	handle_events(&fleet_consumer);
	assert_int_equal(model_list(db, 0, 20, &models, &n), 1);
	assert_int_equal(models[0].n_cars, 4);
	assert_int_equal(models[0].n_in_service, 3);
	assert_int_equal(models[0].n_free, 1);
	assert_true(model_find(db, model.model_id, &model));
	assert_int_equal(model.n_free, 1);
}

TEST(a_cars_history_has_its_own_events_and_its_bookings_newest_first)
{
	int64_t car_id = add("1"), other = add("2");
	struct car_chapter *chapters = NULL;
	int n;

	report_one_car(EVENT_BOOKING_PAID, "MP-1", car_id);
	report_one_car(EVENT_BOOKING_PAID, "MP-2", other);
	handle_events(&fleet_consumer);
	assert_int_equal(car_n_chapters(db, car_id), 2);
	assert_int_equal(car_history(db, car_id, 0, 20, &chapters, &n), 2);
	assert_string_equal(chapters[0].code, "MP-1");
	assert_int_equal(chapters[0].n_events, 2);
	assert_string_equal(chapters[0].events[0].title, "The car was reserved for the booking");
	assert_string_equal(chapters[0].events[1].title, "The booking was paid");
	assert_string_equal(chapters[1].code, "");
	assert_int_equal(chapters[1].n_events, 1);
	assert_string_equal(chapters[1].events[0].title, "The car was added to the fleet");
	assert_int_equal(car_history(db, car_id, 1, 20, &chapters, &n), 1);
}

TEST_MAIN("fleet_retire", NULL, NULL, begin, world_end)
