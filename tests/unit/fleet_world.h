/*
 * fleet_world - what the tests of fleet share: its database with cars.
 */
#ifndef MP_FLEET_WORLD_H
#define MP_FLEET_WORLD_H

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

SHARED struct car
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

SHARED int64_t
add(const char *plate)
{
	struct car car = ray(plate);

	assert_int_equal(car_add(db, &car, 7), CAR_OK);
	assert_false(db_failed(db));
	return car.car_id;
}

SHARED const char *
newest_payload(void)
{
	return db_text(db, "SELECT payload FROM v_event ORDER BY event_id DESC LIMIT 1 /*scan*/");
}

SHARED int
status_of(int64_t car_id)
{
	struct car car;

	assert_true(car_find(db, car_id, &car));
	return car.status;
}

SHARED void
booking_reports(enum event_type_id type, const struct reservation *payload)
{
	db_begin(others);
	event_report(others, type, &(struct event){ .subject_id = payload->code }, &booking_payload_shape, payload);
	assert_true(db_commit(others));
}

SHARED void
report_one_car(enum event_type_id type, const char *code, int64_t car_id)
{
	booking_reports(
		type, &(struct reservation){ .code = code, .car_id = car_id, .starts_at = NOW, .ends_at = NOW + 7200 });
}

SHARED void
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

#endif
