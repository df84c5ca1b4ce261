/*
 * test_booking_search - a search in memory agrees with the table after every change; the manager's list finds what was
 * typed.
 */
#include "test.h"

#include "booking_world.h"

/* --- cars --------------------------------------------------------------------------------------------------------- */

static void
expect_same_cars(const struct car_query *q)
{
	struct free_car *a, *b;
	int n_a, n_b;

	assert_int_equal(
		calendar_search(db, scratch_memory, q, &a, &n_a), calendar_search_sql(db, scratch_memory, q, &b, &n_b));
	assert_int_equal(n_a, n_b);
	for (int i = 0; i < n_a; i++) {
		assert_int_equal(a[i].car_id, b[i].car_id);
		assert_int_equal(a[i].total_amount, b[i].total_amount);
	}
}

TEST(a_search_in_memory_agrees_with_the_table_after_every_change)
{
	const struct car_query week = { .starts_at = NOW + 100 * RENTAL_STEP_S,
		.ends_at = NOW + 160 * RENTAL_STEP_S,
		.body = -1,
		.fuel = -1,
		.limit = 100 };
	unsigned seed = 20261121;

	for (int i = 4; i < 60; i++)
		db_do(db,
			"INSERT INTO car (car_id, plate, name, body, seats, fuel, gearbox, daily_price, hourly_price,"
			" branch_id, created_at, updated_at, rev)"
			" VALUES ($1, $2, 'K' || $1, 'suv', $3, 'petrol', 'automatic', $4, $5, 1, 0, 0, $1)",
			i, arena_printf(scratch_memory, "P%d", i), 2 + i % 6, 40000 + i % 7 * 10000,
			4000 + i % 5 * 1000);
	for (int i = 0; i < 400; i++) {
		struct booking_order o =
			order_car(1 + rand_r(&seed) % 2, 1, NOW + rand_r(&seed) % 400 * RENTAL_STEP_S, 0);
		struct car_query q = {
			.starts_at = NOW + rand_r(&seed) % 400 * RENTAL_STEP_S,
			.body = -1,
			.fuel = -1,
			.order = (enum search_order)(rand_r(&seed) % 4),
			.offset = rand_r(&seed) % 3 * 20,
			.limit = 20,
			.seats = rand_r(&seed) % 7,
			.max_price = rand_r(&seed) % 2 * 150000,
		};
		struct booking b;

		o.car_id = 1 + rand_r(&seed) % 59;
		o.ends_at = o.starts_at + (1 + rand_r(&seed) % 100) * RENTAL_STEP_S;
		q.ends_at = q.starts_at + (1 + rand_r(&seed) % 100) * RENTAL_STEP_S;
		rental.max_bookings_per_person = 1000;
		if (booking_place(db, &o, &b) == BOOKING_OK && rand_r(&seed) % 3 == 0)
			booking_cancel(db, &b, 1, "customer");
		if (i % 50 == 0)
			db_do(db,
				"UPDATE car SET service = 'OUT_OF_SERVICE', rev = (SELECT MAX(rev) + 1 FROM car)"
				" WHERE car_id = $1",
				4 + i / 50);
		expect_same_cars(&q);
		expect_same_cars(&week);
	}
}

TEST(a_search_that_failed_half_way_is_not_cached)
{
	struct car_query q = { .starts_at = NOW + DAY, .ends_at = NOW + 2 * DAY, .body = -1, .fuel = -1, .limit = 20 };
	const char *view = db_text(db, "SELECT sql FROM sqlite_schema WHERE name = 'v_car' /*scan*/");
	struct free_car *cars;
	int n;

	expect_same_cars(&q);
	db_script(db, "UPDATE car SET rev = rev + 10; DROP VIEW v_car;"); /* like a read that takes too long */
	calendar_search(db, scratch_memory, &q, &cars, &n);
	assert_true(db_failed(db));
	db_fresh(db);
	db_script(db, view);
	assert_int_equal(calendar_search(db, scratch_memory, &q, &cars, &n), 2);
	expect_same_cars(&q);
}

/* --- the manager's list ------------------------------------------------------------------------------------------- */

static int64_t
n_found(const char *text)
{
	struct booking_query q = { .view = BOOKINGS_ALL, .state = -1, .text = text, .now = NOW };

	return bookings_count(db, &q);
}

TEST(bookings_are_found_by_what_was_typed_literally)
{
	place_paid(NOW + DAY, NOW + 2 * DAY);
	assert_int_equal(n_found(""), 1);
	assert_int_equal(n_found("가34"), 1);
	assert_int_equal(n_found("mp-"), 1);
	assert_int_equal(n_found("%"), 0);
	assert_int_equal(n_found("_"), 0);
	assert_int_equal(n_found("\\"), 0);
	assert_int_equal(n_found("' OR 1=1 --"), 0);
}

TEST_MAIN("booking_search", NULL, NULL, begin, end)
