/* test_fleet - a car: adding, changing, deleting it. */
#include "test.h"

#include "fleet_world.h"

/* --- one car ------------------------------------------------------------------------------------------------------ */

TEST(the_first_car_makes_the_first_branch)
{
	struct car car = ray("12가 3456");

	assert_int_equal(car_add(db, &car, 7), CAR_OK);
	assert_string_equal(car.branch_name, "Main branch");
	assert_int_equal(car.status, CAR_AVAILABLE);
	assert_int_equal(
		db_int(db, "SELECT actor_id FROM v_event WHERE type = 'car.registered' AND subject_id = 'car:1'"), 7);
	assert_non_null(strstr(newest_payload(), "\"service\":\"IN_SERVICE\""));
	assert_non_null(strstr(newest_payload(), "\"branch_name\":\"Main branch\""));
}

TEST(two_cars_never_have_one_plate)
{
	struct car twin = ray("1"), other;

	add("1");
	assert_int_equal(car_add(db, &twin, 7), CAR_PLATE_TAKEN);
	other = ray("2");
	assert_int_equal(car_add(db, &other, 7), CAR_OK);
	other.plate = "1";
	assert_int_equal(car_change(db, &other, EVEN_SO, 7), CAR_PLATE_TAKEN);
	assert_int_equal(n_events("car.registered"), 2);
	assert_int_equal(n_events("car.modified"), 0);
	assert_false(db_failed(db));
}

TEST(a_new_car_takes_the_korean_name_of_its_model_unless_it_has_its_own)
{
	struct car car = ray("1"), own = ray("2"), other = ray("3");
	int64_t model_id = db_int(others,
		"INSERT INTO car_model (name, name_ko, body, seats, fuel, gearbox, daily_price, hourly_price)"
		" VALUES ('Kia Ray', '기아 레이', 'mini', 4, 'petrol', 'automatic', 50000, 5000) RETURNING model_id");

	car.model_id = own.model_id = other.model_id = model_id;
	own.name_ko = "";
	other.name = "Kia Ray, white";
	assert_int_equal(car_add(db, &car, 7), CAR_OK);
	assert_string_equal(car.name_ko, "기아 레이");
	assert_string_equal(car.model_name_ko, "기아 레이");
	assert_non_null(strstr(newest_payload(), "\"name_ko\":\"기아 레이\""));
	assert_int_equal(car_add(db, &own, 7), CAR_OK);
	assert_string_equal(own.name_ko, "");
	assert_int_equal(car_add(db, &other, 7), CAR_OK);
	assert_string_equal(other.name_ko, "");
}

TEST(a_models_new_korean_name_is_given_to_its_cars_of_that_name_that_have_none)
{
	struct model model = {
		.name = "Kia Ray",
		.body = BODY_MINI,
		.seats = 4,
		.fuel = FUEL_PETROL,
		.daily_price = 50000,
		.hourly_price = 5000,
	};
	struct car plain = ray("1"), own = ray("2"), other = ray("3");
	int64_t n_cars;

	assert_int_equal(model_add(db, &model), MODEL_OK);
	plain.model_id = own.model_id = other.model_id = model.model_id;
	own.name_ko = "레이 하나";
	other.name = "Kia Ray, white";
	car_add(db, &plain, 7);
	car_add(db, &own, 7);
	car_add(db, &other, 7);
	model.name_ko = "기아 레이";
	assert_int_equal(model_change(db, &model, false, &n_cars, 7), MODEL_OK);
	assert_int_equal(n_events("car.modified"), 1);
	assert_non_null(
		strstr(last_payload("car.modified"), "\"plate\":\"1\",\"name\":\"Kia Ray\",\"name_ko\":\"기아 레이\""));
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM car WHERE name_ko = '기아 레이' /*scan*/"), 1);
}

TEST(a_change_without_a_korean_name_keeps_it)
{
	struct car car = ray("1");

	car.name_ko = "기아 레이";
	car_add(db, &car, 7);
	car.name_ko = NULL;
	car.seats = 5;
	assert_int_equal(car_change(db, &car, EVEN_SO, 7), CAR_OK);
	assert_string_equal(car.name_ko, "기아 레이");
	car.name_ko = "";
	assert_int_equal(car_change(db, &car, EVEN_SO, 7), CAR_OK);
	assert_string_equal(car.name_ko, "");
	assert_int_equal(n_events("car.modified"), 2);
}

TEST(blanks_in_a_plate_are_folded)
{
	assert_string_equal(car_plate(scratch_memory, "  12가 \t  3456 \n"), "12가 3456");
	assert_string_equal(car_plate(scratch_memory, "   "), "");
	assert_string_equal(car_plate(scratch_memory, "A"), "A");
	assert_string_equal(car_plate(scratch_memory, "12가\u30003456\u200b"),
		"12가 3456"); /* an invisible blank would make it another plate */
}

TEST(a_change_to_the_same_values_writes_nothing)
{
	struct car car = ray("1");
	int64_t rev;

	car_add(db, &car, 7);
	rev = car.rev;
	car.rev = 0;
	assert_int_equal(car_change(db, &car, EVEN_SO, 7), CAR_OK);
	assert_int_equal(car.rev, rev);
	assert_int_equal(n_events("car.modified"), 0);
}

TEST(two_managers_do_not_overwrite_each_other)
{
	struct car one = ray("1"), two;

	car_add(db, &one, 7);
	two = one;
	one.daily_price = 60000;
	two.name = "Kia Ray 2025";
	assert_int_equal(car_change(db, &one, EVEN_SO, 7), CAR_OK);
	assert_int_equal(car_change(db, &two, EVEN_SO, 8), CAR_CHANGED);
	assert_string_equal(db_text(db, "SELECT name FROM car WHERE car_id = 1"), "Kia Ray");
	two.rev = one.rev;
	assert_int_equal(car_change(db, &two, EVEN_SO, 8), CAR_OK);
}

TEST(a_deleted_cars_id_and_rev_are_never_used_again)
{
	struct car car;
	int64_t rev;

	add("1");
	car_find(db, add("2"), &car);
	rev = car.rev;
	assert_int_equal(car_delete(db, car.car_id, EVEN_SO, 7), CAR_OK);
	car_find(db, add("3"), &car);
	assert_int_equal(car.car_id, 3);
	assert_true(car.rev > rev);
	assert_true(car_was_deleted(db, 2));
	assert_false(car_was_deleted(db, 1));
}

TEST(every_change_of_any_car_gets_a_higher_rev)
{
	int64_t last = 0;

	for (int i = 0; i < 5; i++)
		add(arena_printf(scratch_memory, "%d", i));
	for (int i = 0; i < 10; i++) {
		int64_t car_id = 1 + i % 5, rev;

		car_set_service(db, car_id, i < 5 ? SERVICE_OUT_OF_SERVICE : SERVICE_IN_SERVICE, EVEN_SO, 7);
		rev = db_int(db, "SELECT rev FROM car WHERE car_id = $1", car_id);
		assert_true(rev > last);
		last = rev;
	}
	assert_int_equal(n_events("car.modified"), 10);
}

TEST(a_car_that_was_ever_booked_is_retired_and_stays_so)
{
	int64_t car_id = add("1");
	struct car car;

	db_do(others,
		"INSERT INTO booking (code, customer_id, car_id, car_name, plate, body, branch_id, branch_name, state,"
		" starts_at, ends_at,"
		" amount, vat_amount, currency, held_at, hold_until)"
		" VALUES ('MP-EXPIRED1', 1, $1, 'x', 'x', 'mini', 1, 'x', 'EXPIRED', 1, 2, 1,"
		" 0, 'KRW', 0, 0)",
		car_id);
	assert_int_equal(car_delete(db, car_id, EVEN_SO, 7), CAR_RETIRED_INSTEAD);
	assert_int_equal(car_delete(db, car_id, EVEN_SO, 7), CAR_RETIRED_INSTEAD);
	assert_int_equal(n_events("car.retired"), 1);
	assert_int_equal(car_set_service(db, car_id, SERVICE_IN_SERVICE, EVEN_SO, 7), CAR_IS_RETIRED);
	assert_true(car_find(db, car_id, &car));
	car.daily_price = 1;
	assert_int_equal(car_change(db, &car, EVEN_SO, 7), CAR_IS_RETIRED);
	assert_int_equal(status_of(car_id), CAR_RETIRED);
}

TEST(a_car_is_added_only_to_an_open_branch_and_an_active_model)
{
	struct model model = { .name = "Ray", .body = BODY_MINI, .seats = 4, .daily_price = 1, .hourly_price = 1 };
	struct branch branch = { .name = "Mapo" };
	struct car car = ray("1");

	assert_int_equal(branch_add(db, &branch), BRANCH_OK);
	assert_int_equal(model_add(db, &model), MODEL_OK);
	car.branch_id = 99;
	assert_int_equal(car_add(db, &car, 7), CAR_NO_BRANCH);
	branch_set_open(db, branch.branch_id, false);
	car.branch_id = branch.branch_id;
	assert_int_equal(car_add(db, &car, 7), CAR_NO_BRANCH);
	car.branch_id = 0;
	assert_int_equal(car_add(db, &car, 7), CAR_NO_BRANCH); /* all are closed: none is created */
	branch_set_open(db, branch.branch_id, true);
	car.model_id = 99;
	assert_int_equal(car_add(db, &car, 7), CAR_NO_MODEL);
	model_set_state(db, model.model_id, MODEL_OFF_SALE);
	car.model_id = model.model_id;
	assert_int_equal(car_add(db, &car, 7), CAR_NO_MODEL);
	model_set_state(db, model.model_id, MODEL_ON_SALE);
	assert_int_equal(car_add(db, &car, 7), CAR_OK);
	branch_set_open(db, branch.branch_id, false);
	model_set_state(db, model.model_id, MODEL_OFF_SALE);
	car.daily_price = 2;
	assert_int_equal(car_change(db, &car, EVEN_SO, 7), CAR_OK); /* it keeps its branch and model */
}

TEST_MAIN("fleet", NULL, NULL, begin, world_end)
