/*
 * test_fleet - cars are registered once, changed by one manager at a time and never deleted once booked; their status
 * is computed; a booking is answered once however often its events come; and what is read from the first bytes of a
 * picture.
 */
#include "test.h"

#include "cgi-bin/fleet/photo/picture.c"
#include "cgi-bin/fleet/policy.c"

#include "domain/rental.h"
#include "world.h"

/* The bookings that a change concerns are known. */
#define EVEN_SO (&(struct car_consent){ .is_given = true })

TEST_SETUP(begin)
{
	rental.turnaround_s = 3600;
	return world_begin(state, &fleet_role);
}

static struct car
ray(const char *plate)
{
	return (struct car){
		.plate = plate,
		.name = "Kia Ray",
		.body = BODY_MINI,
		.seats = 4,
		.fuel = FUEL_PETROL,
		.gearbox = GEARBOX_AUTOMATIC,
		.daily_price = 50000,
		.hourly_price = 5000,
	};
}

static int64_t
add(const char *plate)
{
	struct car car = ray(plate);

	assert_int_equal(car_add(db, &car, 7), CAR_OK);
	assert_false(db_failed(db));
	return car.car_id;
}

static const char *
newest_payload(void)
{
	return db_text(db, "SELECT payload FROM v_event ORDER BY event_id DESC LIMIT 1 /*scan*/");
}

static int
status_of(int64_t car_id)
{
	struct car car;

	assert_true(car_find(db, car_id, &car));
	return car.status;
}

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

/* --- bookings ----------------------------------------------------------------------------------------------------- */

static void
booking_reports(enum event_type_id type, const struct reservation *payload)
{
	db_begin(others);
	event_report(others, type, &(struct event){ .subject_id = payload->code }, &booking_payload_shape, payload);
	assert_true(db_commit(others));
}

static void
report_one_car(enum event_type_id type, const char *code, int64_t car_id)
{
	booking_reports(
		type, &(struct reservation){ .code = code, .car_id = car_id, .starts_at = NOW, .ends_at = NOW + 7200 });
}

static const char *
reservation_state(const char *code)
{
	return db_text(db, "SELECT state FROM reservation WHERE booking_code = $1", code);
}

TEST(a_paid_booking_reserves_its_car_once)
{
	int64_t car_id = add("1");

	report_one_car(EVENT_BOOKING_PAID, "MP-1", car_id);
	report_one_car(EVENT_BOOKING_PAID, "MP-1", car_id);
	handle_events(&fleet_consumer);
	assert_string_equal(reservation_state("MP-1"), "RESERVED");
	assert_int_equal(status_of(car_id), CAR_RENTED);
	assert_int_equal(n_events("car.reserved"), 1);
	assert_string_equal(db_text(db, "SELECT subject_id FROM v_event WHERE type = 'car.reserved' /*scan*/"), "MP-1");
	assert_true(db_int(db, "SELECT causation_id FROM v_event WHERE type = 'car.reserved' /*scan*/") > 0);
	assert_non_null(strstr(newest_payload(), "\"plate\":\"1\""));
}

TEST(a_car_that_cannot_be_given_is_refused_with_the_reason_once)
{
	int64_t out = add("1"), retired = add("2");

	car_set_service(db, out, SERVICE_OUT_OF_SERVICE, EVEN_SO, 7);
	car_retire(db, retired, EVEN_SO, 7);
	report_one_car(EVENT_BOOKING_PAID, "MP-1", out);
	report_one_car(EVENT_BOOKING_PAID, "MP-2", retired);
	report_one_car(EVENT_BOOKING_PAID, "MP-3", 99);
	report_one_car(EVENT_BOOKING_PAID, "MP-3", 99);
	handle_events(&fleet_consumer);
	assert_int_equal(n_events("car.refused"), 3);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM v_event WHERE type = 'car.refused'"
				 " AND payload LIKE '%\"out_of_service\"%' /*scan*/"),
		1);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM v_event WHERE type = 'car.refused'"
				 " AND payload LIKE '%\"retired\"%' /*scan*/"),
		1);
	assert_int_equal(db_int(db,
				 "SELECT COUNT(*) FROM v_event WHERE type = 'car.refused'"
				 " AND payload LIKE '%\"gone\"%' /*scan*/"),
		1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM reservation /*scan*/"), 0);
	report_one_car(EVENT_BOOKING_REJECTED, "MP-1", out);
	handle_events(&fleet_consumer);
	assert_int_equal(n_events("car.released"), 0);
}

TEST(a_cancelled_booking_releases_its_car_once)
{
	static const enum event_type_id ends[] = {
		EVENT_BOOKING_CANCEL_REQUESTED, EVENT_BOOKING_CANCELLED, EVENT_BOOKING_REJECTED,
		EVENT_BOOKING_NO_SHOW_FINAL, EVENT_BOOKING_NO_SHOW, /* from before a no-show could be undone */
	};
	int64_t car_id = add("1");

	for (int i = 0; i < 5; i++) {
		const char *code = arena_printf(scratch_memory, "MP-%d", i);

		report_one_car(EVENT_BOOKING_PAID, code, car_id);
		report_one_car(ends[i], code, car_id);
		report_one_car(EVENT_BOOKING_CANCELLED, code, car_id);
		handle_events(&fleet_consumer);
		assert_string_equal(reservation_state(code), "RELEASED");
		assert_int_equal(n_events("car.released"), i + 1);
	}
	assert_int_equal(status_of(car_id), CAR_AVAILABLE);
}

struct undoable { const char *code; int64_t undo_until; };

static void
report_undoable(enum event_type_id type, const char *code)
{
	static const struct member members[] = { SHAPE_TEXT(undoable, code), SHAPE_TIME(undoable, undo_until) };
	static const struct shape shape = SHAPE(undoable, members);

	db_begin(others);
	event_report(others, type, &(struct event){ .subject_id = code }, &shape,
		&(struct undoable){ .code = code, .undo_until = NOW + 600 });
	assert_true(db_commit(others));
}

/* Undone or not, both are followed by another event. */
TEST(what_can_be_undone_leaves_the_reservation_as_it_is)
{
	int64_t car_id = add("1");

	report_one_car(EVENT_BOOKING_PAID, "MP-1", car_id);
	report_undoable(EVENT_BOOKING_NO_SHOW, "MP-1");
	handle_events(&fleet_consumer);
	assert_string_equal(reservation_state("MP-1"), "RESERVED");
	report_one_car(EVENT_BOOKING_HANDED_OUT, "MP-1", car_id);
	report_undoable(EVENT_BOOKING_RETURNED, "MP-1");
	handle_events(&fleet_consumer);
	assert_string_equal(reservation_state("MP-1"), "OUT");
	assert_int_equal(n_events("car.released"), 0);
}

TEST(a_car_is_rented_until_its_booking_is_completed)
{
	int64_t car_id = add("1");

	report_one_car(EVENT_BOOKING_PAID, "MP-1", car_id);
	report_one_car(EVENT_BOOKING_HANDED_OUT, "MP-1", car_id);
	handle_events(&fleet_consumer);
	clock_set(NOW + 1000000);
	assert_int_equal(status_of(car_id), CAR_RENTED);
	assert_int_equal(car_n_coming(db, car_id), 1);
	report_one_car(EVENT_BOOKING_COMPLETED, "MP-1", car_id);
	report_one_car(EVENT_BOOKING_HANDED_OUT, "MP-1", car_id); /* a second time, late */
	handle_events(&fleet_consumer);
	assert_string_equal(reservation_state("MP-1"), "ENDED");
	assert_int_equal(status_of(car_id), CAR_AVAILABLE);
	assert_int_equal(n_events("car.released"), 0);
}

/* --- several cars of one booking ---------------------------------------------------------------------------------- */

static void
report_two_cars(enum event_type_id type, const char *code, int64_t first, int64_t second)
{
	struct car_of_booking more = { second };

	booking_reports(type,
		&(struct reservation){
			.code = code,
			.car_id = first,
			.starts_at = NOW,
			.ends_at = NOW + 7200,
			.more_cars = &more,
			.n_more_cars = 1,
		});
}

static int64_t
n_reservations(const char *code, const char *state)
{
	return db_int(db, "SELECT COUNT(*) FROM reservation WHERE booking_code = $1 AND state = $2", code, state);
}

TEST(all_the_cars_of_a_booking_are_reserved_handed_out_and_released_together)
{
	int64_t first = add("1"), second = add("2");

	report_two_cars(EVENT_BOOKING_PAID, "MP-1", first, second);
	report_two_cars(EVENT_BOOKING_PAID, "MP-1", first, second);
	handle_events(&fleet_consumer);
	assert_int_equal(n_events("car.reserved"), 1); /* one answer for all of them */
	assert_non_null(strstr(newest_payload(), "\"n_cars\":2"));
	assert_int_equal(n_reservations("MP-1", "RESERVED"), 2);
	assert_int_equal(status_of(first), CAR_RENTED);
	assert_int_equal(status_of(second), CAR_RENTED);
	report_one_car(EVENT_BOOKING_HANDED_OUT, "MP-1", first);
	handle_events(&fleet_consumer);
	assert_int_equal(n_reservations("MP-1", "OUT"), 2);
	report_one_car(EVENT_BOOKING_COMPLETED, "MP-1", first);
	handle_events(&fleet_consumer);
	assert_int_equal(n_reservations("MP-1", "ENDED"), 2);
	assert_int_equal(status_of(second), CAR_AVAILABLE);
	report_two_cars(EVENT_BOOKING_PAID, "MP-2", first, second);
	report_one_car(EVENT_BOOKING_CANCEL_REQUESTED, "MP-2", first);
	report_one_car(EVENT_BOOKING_CANCELLED, "MP-2", first);
	handle_events(&fleet_consumer);
	assert_int_equal(n_reservations("MP-2", "RELEASED"), 2);
	assert_int_equal(n_events("car.released"), 1);
	assert_int_equal(car_n_chapters(db, second), 1 + 2); /* the second car's history has its bookings too */
}

TEST(a_booking_of_two_cars_is_refused_when_the_second_cannot_be_given)
{
	int64_t first = add("1"), second = add("2");

	report_two_cars(EVENT_BOOKING_PAID, "MP-1", first, second);
	car_set_service(
		db, second, SERVICE_OUT_OF_SERVICE, EVEN_SO, 7); /* after it was sold, before fleet handles the event */
	handle_events(&fleet_consumer);
	assert_int_equal(n_events("car.refused"), 1);
	assert_non_null(strstr(newest_payload(), "\"out_of_service\""));
	assert_non_null(strstr(newest_payload(), arena_printf(scratch_memory, "\"car_id\":%lld", (long long)second)));
	assert_int_equal(n_events("car.reserved"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM reservation /*scan*/"), 0);
	assert_int_equal(status_of(first), CAR_AVAILABLE);
}

TEST(the_second_car_of_a_booking_is_retired_and_never_deleted)
{
	int64_t second = add("2");

	db_do(others,
		"INSERT INTO booking (booking_id, code, customer_id, car_id, car_name, plate, body, branch_id,"
		" branch_name, state, starts_at, ends_at,"
		" amount, vat_amount, currency, held_at, hold_until, model_id, n_cars)"
		" VALUES (1, 'MP-000001', 1, 99, 'x', 'x', 'mini', 1, 'x', 'EXPIRED', 1, 2, 1, 0, 'KRW', 1, 1, 1, 2)");
	db_do(others,
		"INSERT INTO booking_car (booking_id, car_no, car_id, car_name, plate) VALUES (1, 2, $1, 'x', '2')",
		second);
	assert_true(car_was_booked(db, second));
	assert_int_equal(car_delete(db, second, EVEN_SO, 7), CAR_RETIRED_INSTEAD);
}

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

/* --- pictures ----------------------------------------------------------------------------------------------------- */

#define JPEG_BEGIN \
	"\xFF\xD8\xFF\xE1\x00\x20" "Exif\0\0" "II*\0\x08\0\0\0" "\x01\0" "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" "\0\0"
#define JPEG_FRAME "\xFF\xC0\x00\x0B\x08\x01\xE0\x02\x80\x01\x01\x11\x00"
#define JPEG_SCAN  "\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x12\x34"

TEST_WITH(type_size_and_orientation_of_a_picture_are_read, NULL, NULL)
{
	static const unsigned char jpeg[] = JPEG_BEGIN JPEG_FRAME JPEG_SCAN "\xFF\xD9",
				   cut[] = JPEG_BEGIN JPEG_FRAME JPEG_SCAN;
	static const unsigned char png[] =
		"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x02\x80\0\0\x01\xE0\x08\x02\0\0\0\0\0\0\0";
	static const unsigned char webp[] = "RIFF\x16\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x7F\x02\0\xDF\x01\0";
	struct picture p;

	assert_true(picture_look(&p, jpeg, sizeof(jpeg) - 1));
	assert_int_equal(p.type, PICTURE_JPEG);
	assert_int_equal(p.width, 640);
	assert_int_equal(p.height, 480);
	assert_int_equal(p.side_up, 6);
	assert_false(picture_look(&p, cut, sizeof(cut) - 1)); /* truncated */
	assert_true(picture_look(&p, png, sizeof(png) - 1));
	assert_int_equal(p.width, 640);
	assert_true(picture_look(&p, webp, sizeof(webp) - 1));
	assert_int_equal(p.height, 480);
}

TEST_WITH(no_truncated_or_changed_picture_is_read_beyond_its_end, NULL, NULL)
{
	static const unsigned char jpeg[] = JPEG_BEGIN JPEG_FRAME JPEG_SCAN "\xFF\xD9";
	struct picture p;

	for (size_t n = 0; n < sizeof(jpeg) - 1; n++) {
		unsigned char *exact = malloc(n ? n : 1);

		memcpy(exact, jpeg, n);
		assert_false(picture_look(&p, exact, n));
		free(exact);
	}
	for (size_t at = 3; at < sizeof(jpeg) - 1; at++)
		for (int value = 0; value < 256; value++) {
			unsigned char *changed = malloc(sizeof(jpeg) - 1);

			memcpy(changed, jpeg, sizeof(jpeg) - 1);
			changed[at] = (unsigned char)value;
			picture_look(&p, changed, sizeof(jpeg) - 1);
			assert_true(p.side_up >= 1 && p.side_up <= 8);
			free(changed);
		}
}

TEST_MAIN("fleet", NULL, NULL, begin, world_end)
