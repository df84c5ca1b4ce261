/* test_fleet_model - models and branches, and the status of cars. */
#include "test.h"

#include "fleet_world.h"

/* --- models and branches ------------------------------------------------------------------------------------------ */

TEST(a_models_prices_are_applied_to_its_cars_only_on_request)
{
	struct model model = {
		.name = "Ray", .body = BODY_MINI, .seats = 4, .daily_price = 70000, .hourly_price = 7000
	};
	struct car car = ray("1");
	int64_t n_cars;

	model_add(db, &model);
	car.model_id = model.model_id;
	car_add(db, &car, 7);
	model.daily_price = 80000;
	assert_int_equal(model_change(db, &model, false, &n_cars, 7), MODEL_OK);
	assert_int_equal(n_cars, 0);
	assert_int_equal(model_change(db, &model, true, &n_cars, 7), MODEL_OK);
	assert_int_equal(n_cars, 1);
	assert_int_equal(model_change(db, &model, true, &n_cars, 7), MODEL_OK);
	assert_int_equal(n_cars, 0);
	assert_int_equal(n_events("car.modified"), 1);
	assert_non_null(strstr(newest_payload(), "\"daily_price\":80000"));
}

TEST(an_old_version_of_a_model_or_branch_overwrites_nothing)
{
	struct model model = { .name = "Ray", .body = BODY_MINI, .seats = 4, .daily_price = 1, .hourly_price = 1 },
		     late;
	struct branch branch = { .name = "Mapo" }, late_branch;
	int64_t n_cars;

	model_add(db, &model);
	late = model;
	model.seats = 5;
	late.seats = 6;
	assert_int_equal(model_change(db, &model, false, &n_cars, 7), MODEL_OK);
	assert_int_equal(model_change(db, &late, false, &n_cars, 7), MODEL_CHANGED);
	late.seats = 5;
	assert_int_equal(model_change(db, &late, false, &n_cars, 7), MODEL_OK); /* the second of two clicks */
	branch_add(db, &branch);
	late_branch = branch;
	branch.region = "Seoul";
	late_branch.region = "Jeju";
	assert_int_equal(branch_change(db, &branch, 7), BRANCH_OK);
	assert_int_equal(branch_change(db, &late_branch, 7), BRANCH_CHANGED);
}

TEST(a_branchs_new_name_is_reported_for_each_of_its_cars)
{
	struct branch branch;

	add("1");
	add("2");
	assert_true(branch_find(db, 1, &branch));
	branch.name = "Head office";
	assert_int_equal(branch_change(db, &branch, 7), BRANCH_OK);
	assert_int_equal(n_events("car.modified"), 2);
	assert_non_null(strstr(newest_payload(), "\"branch_name\":\"Head office\""));
	assert_int_equal(branch_change(db, &branch, 7), BRANCH_OK);
	assert_int_equal(n_events("car.modified"), 2);
}

/* --- status ------------------------------------------------------------------------------------------------------- */

TEST(a_cars_status_follows_its_reservations_and_the_time)
{
	static const struct {
		int64_t starts_at, ends_at;
		const char *state;
		int status;
		const char *why;
	} cases[] = {
		{ NOW - 10, NOW + 10, "RESERVED", CAR_RENTED, "it runs" },
		{ NOW - 10, NOW, "RESERVED", CAR_AVAILABLE, "it has just ended" },
		{ NOW + 3600, NOW + 7200, "RESERVED", CAR_RENTED, "it is being prepared" },
		{ NOW + 3601, NOW + 7200, "RESERVED", CAR_AVAILABLE, "it goes out later" },
		{ NOW - 100, NOW - 50, "OUT", CAR_RENTED, "it has not come back" },
		{ NOW + 9000, NOW + 9999, "OUT", CAR_RENTED, "it went out early" },
		{ NOW - 10, NOW + 10, "RELEASED", CAR_AVAILABLE, "it was cancelled" },
		{ NOW - 10, NOW + 10, "ENDED", CAR_AVAILABLE, "it came back early" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *code = arena_printf(scratch_memory, "MP-%zu", i);
		int64_t car_id = add(code);

		db_do(others,
			"INSERT INTO reservation (booking_code, car_id, starts_at, ends_at, state, changed_at)"
			" VALUES ($1, $2, $3, $4, $5, 0)",
			code, car_id, cases[i].starts_at, cases[i].ends_at, cases[i].state);
		if (status_of(car_id) != cases[i].status)
			fail_msg("%s: %s", cases[i].why, words_code(&car_status_words, status_of(car_id)));
		car_set_service(db, car_id, SERVICE_OUT_OF_SERVICE, EVEN_SO, 7);
		assert_int_equal(status_of(car_id), CAR_OUT_OF_SERVICE);
	}
}

TEST(the_list_finds_sorts_and_counts)
{
	struct car_filter f = { .q = "", .body = -1, .status = -1, .limit = 10 };
	struct car_counts counts;
	struct car *cars = NULL, suv = ray("9 B");
	int n;

	add("1 A%");
	add("2 A_");
	suv.body = BODY_SUV;
	suv.daily_price = 10;
	car_add(db, &suv, 7);
	car_retire(db, 2, EVEN_SO, 7);
	assert_int_equal(car_list(db, &f, &cars, &n), 2);
	f.order = CARS_BY_PRICE;
	car_list(db, &f, &cars, &n);
	assert_string_equal(cars[0].plate, "9 B");
	f.down = true;
	car_list(db, &f, &cars, &n);
	assert_string_equal(cars[1].plate, "9 B");
	f.q = "a%";
	assert_int_equal(car_list(db, &f, &cars, &n), 1);
	f.q = "A_";
	car_count(db, &f, &counts);
	assert_int_equal(counts.in_fleet, 0);
	assert_int_equal(counts.retired, 1);
	f.q = "KIA";
	f.body = BODY_SUV;
	assert_int_equal(car_list(db, &f, &cars, &n), 1);
	for (enum fleet_order order = CARS_BY_PLATE; order <= CARS_BY_STATUS; order++)
		for (int down = 0; down < 2; down++) {
			struct car_filter each = {
				.q = "", .body = -1, .status = CAR_RETIRED, .order = order, .down = down, .limit = 10
			};

			assert_int_equal(car_list(db, &each, &cars, &n), 1);
		}
	assert_false(db_failed(db));
}

TEST_MAIN("fleet_model", NULL, NULL, begin, world_end)
