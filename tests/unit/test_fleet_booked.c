/* test_fleet_booked - cars that are booked, alone or several for one booking. */
#include "test.h"

#include "fleet_world.h"

/* --- bookings ----------------------------------------------------------------------------------------------------- */

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

TEST_MAIN("fleet_booked", NULL, NULL, begin, world_end)
