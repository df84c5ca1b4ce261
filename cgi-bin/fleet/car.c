/* car - one vehicle: its shape, reading it, reporting it. The overview is in fleet.h. */
#include "cars_now.h"
#include "fleet.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/utf8.h"

#include <string.h>

#define JUST_NOW_S 120          /* how long after registering a car the same form again is a second click */

static const struct member car_members[] = {
	SHAPE_INT(car, car_id), SHAPE_TEXT(car, plate), SHAPE_INT(car, model_id), SHAPE_TEXT_KO(car, model_name),
	SHAPE_TEXT_KO(car, name), SHAPE_STATE(car, body, body_words), SHAPE_INT(car, seats),
	SHAPE_STATE(car, fuel, fuel_words), SHAPE_STATE(car, gearbox, gearbox_words), SHAPE_AMOUNT(car, daily_price),
	SHAPE_AMOUNT(car, hourly_price), SHAPE_INT(car, branch_id), SHAPE_TEXT_KO(car, branch_name),
	SHAPE_TEXT(car, region), SHAPE_STATE(car, service, service_words), SHAPE_STATE(car, status, car_status_words),
	SHAPE_TEXT(car, photo_url), SHAPE_TIME(car, created_at), SHAPE_TIME(car, updated_at),
	SHAPE_TIME(car, retire_at),
	SHAPE_INT(car, rev),
};
const struct shape car_shape = SHAPE(car, car_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

bool
car_find(struct db *db, int64_t car_id, struct car *car)
{
	int64_t now = clock_now();

	*car = (struct car){ .car_id = 0 };
	return db_one(db, &car_shape, car, WITH_CARS "SELECT " CAR_COLUMNS " FROM car_now WHERE car_id = $3", now,
		now + rental.turnaround_s, car_id);
}

bool
car_was_booked(struct db *db, int64_t car_id)
{
	return db_exists(db,
		"SELECT 1 FROM v_booking WHERE car_id = $1 UNION ALL SELECT 1 FROM v_booking_car WHERE car_id = $1",
		car_id);
}

bool
car_was_deleted(struct db *db, int64_t car_id)
{
	return db_exists(
		db, "SELECT 1 FROM v_event WHERE subject_id = $1 AND type = 'car.deleted'", car_subject(db, car_id));
}

int64_t
car_n_coming(struct db *db, int64_t car_id)
{
	return db_int(db,
		"SELECT COUNT(*) FROM reservation WHERE car_id = $1 AND state IN ('RESERVED', 'OUT')"
		" AND (ends_at > $2 OR state = 'OUT')",
		car_id, clock_now());
}

int64_t
car_just_added(struct db *db, const struct car *car)
{
	return db_int(db,
		"SELECT car_id FROM car WHERE plate = $1 AND created_at > $2 AND COALESCE(model_id, 0) = $3"
		" AND name = $4 AND body = $5"
		" AND seats = $6 AND fuel = $7 AND gearbox = $8 AND daily_price = $9 AND hourly_price = $10 AND $11 IN"
		" (branch_id, 0)"
		" AND name_ko = COALESCE($12, name_ko)",
		car->plate, clock_now() - JUST_NOW_S, car->model_id, car->name, words_code(&body_words, car->body),
		car->seats, words_code(&fuel_words, car->fuel), words_code(&gearbox_words, car->gearbox),
		car->daily_price, car->hourly_price, car->branch_id, car->name_ko);
}

const char *
car_plate(struct arena *m, const char *typed)
{
	char *plate = arena_strdup(m, typed), *to = plate;

	for (int n; *typed; typed += n) {
		n = utf8_length(typed) ? utf8_length(typed) : 1;
		if (!utf8_is_invisible(typed, n))
			to = mempcpy(to, typed, (size_t)n);
		else if (to > plate && to[-1] != ' ')
			*to++ = ' ';
	}
	while (to > plate && to[-1] == ' ')
		to--;
	*to = '\0';
	return plate;
}

/* --- reporting ---------------------------------------------------------------------------------------------------- */

void
car_report(struct db *db, enum event_type_id type, struct car *car, int64_t actor_id)
{
	if (car_find(db, car->car_id, car))
		fleet_report_car(db, type, car, actor_id);
}

void
car_touched(struct db *db, int64_t car_id, int64_t actor_id)
{
	db_do(db, "UPDATE car SET rev = " NEXT_CAR_REV ", updated_at = $1 WHERE car_id = $2", clock_now(), car_id);
	car_report(db, EVENT_CAR_MODIFIED, &(struct car){ .car_id = car_id }, actor_id);
}
