/* car - one vehicle: register, change, retire, delete. The story is in fleet.h. */
#include "cars_now.h"
#include "fleet.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/utf8.h"

#include <string.h>

#define JUST_NOW_S 120          /* how long after registering a car the same form again is a second click */

static const struct member car_members[] = {
	SHAPE_INT(car, car_id), SHAPE_TEXT(car, plate), SHAPE_INT(car, model_id), SHAPE_TEXT(car, model_name), SHAPE_TEXT(car, name),
	SHAPE_STATE(car, body, body_words), SHAPE_INT(car, seats), SHAPE_STATE(car, fuel, fuel_words),
	SHAPE_STATE(car, gearbox, gearbox_words), SHAPE_AMOUNT(car, daily_price), SHAPE_AMOUNT(car, hourly_price),
	SHAPE_INT(car, branch_id), SHAPE_TEXT(car, branch_name), SHAPE_TEXT(car, branch_name_ko), SHAPE_TEXT(car, region),
	SHAPE_STATE(car, service, service_words), SHAPE_STATE(car, status, car_status_words), SHAPE_TEXT(car, photo_url),
	SHAPE_TIME(car, created_at), SHAPE_TIME(car, updated_at), SHAPE_INT(car, rev), SHAPE_TEXT(car, branch_label),
};
/* The last one, branch_label, is for pages: what programs read has both names. */
const struct shape car_shape = SHAPE(car, car_members);
const struct shape car_json_shape = {
	.name = "car", .size = sizeof(struct car), .member = car_members, .n = (int)(sizeof(car_members) / sizeof(car_members[0])) - 1,
};

/* What an event tells of a car (docs/events.md). */
static const struct member told_members[] = {
	SHAPE_INT(car, car_id), SHAPE_TEXT(car, plate), SHAPE_TEXT(car, name), SHAPE_STATE(car, body, body_words), SHAPE_INT(car, seats),
	SHAPE_STATE(car, fuel, fuel_words), SHAPE_STATE(car, gearbox, gearbox_words), SHAPE_AMOUNT(car, daily_price),
	SHAPE_AMOUNT(car, hourly_price), SHAPE_INT(car, branch_id), SHAPE_TEXT(car, branch_name), SHAPE_TEXT(car, branch_name_ko),
	SHAPE_STATE(car, service, service_words),
};
static const struct shape told_shape = SHAPE(car, told_members);
static const struct member gone_members[] = { SHAPE_INT(car, car_id), SHAPE_TEXT(car, plate) };
static const struct shape gone_shape = SHAPE(car, gone_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

bool
car_find(struct db *db, int64_t car_id, struct car *car)
{
	int64_t now = clock_now();

	*car = (struct car){ .car_id = 0 };
	if (!db_one(db, &car_shape, car, WITH_CARS "SELECT " CAR_COLUMNS " FROM car_now WHERE car_id = $3", now,
	            now + rental.turnaround_s, car_id))
		return false;
	car->branch_label = branch_name_now(car->branch_name, car->branch_name_ko);
	return true;
}

static const char *
car_subject(struct db *db, int64_t car_id)
{
	return arena_printf(db_memory(db), "car:%lld", (long long)car_id);
}

bool
car_was_booked(struct db *db, int64_t car_id)
{
	return db_exists(db, "SELECT 1 FROM v_booking WHERE car_id = $1 UNION ALL SELECT 1 FROM v_booking_car WHERE car_id = $1", car_id);
}

bool
car_was_deleted(struct db *db, int64_t car_id)
{
	return db_exists(db, "SELECT 1 FROM v_event WHERE subject_id = $1 AND type = 'car.deleted'", car_subject(db, car_id));
}

int64_t
car_n_coming(struct db *db, int64_t car_id)
{
	return db_int(db,
		"SELECT COUNT(*) FROM reservation WHERE car_id = $1 AND state IN ('RESERVED', 'OUT') AND (ends_at > $2 OR state = 'OUT')",
		car_id, clock_now());
}

int64_t
car_just_added(struct db *db, const struct car *car)
{
	return db_int(db,
		"SELECT car_id FROM car WHERE plate = $1 AND created_at > $2 AND COALESCE(model_id, 0) = $3 AND name = $4 AND body = $5"
		" AND seats = $6 AND fuel = $7 AND gearbox = $8 AND daily_price = $9 AND hourly_price = $10 AND $11 IN (branch_id, 0)",
		car->plate, clock_now() - JUST_NOW_S, car->model_id, car->name, words_code(&body_words, car->body), car->seats,
		words_code(&fuel_words, car->fuel), words_code(&gearbox_words, car->gearbox), car->daily_price, car->hourly_price,
		car->branch_id);
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

/* --- what all changes share --------------------------------------------------------------------------------------- */

static void
car_tell(struct db *db, const char *type, const struct shape *shape, const struct car *car, int64_t actor_id)
{
	const struct event e = { .type = type, .subject_id = car_subject(db, car->car_id), .actor_id = actor_id };

	event_emit(db, &e, shape, car);
}

/* Tells what the car is now, and gives it to the caller. */
static void
car_changed(struct db *db, const char *type, struct car *car, int64_t actor_id)
{
	if (car_find(db, car->car_id, car))
		car_tell(db, type, &told_shape, car, actor_id);
}

void
car_touched(struct db *db, int64_t car_id, int64_t actor_id)
{
	struct car car = { .car_id = car_id };

	db_do(db, "UPDATE car SET rev = " NEXT_CAR_REV ", updated_at = $1 WHERE car_id = $2", clock_now(), car_id);
	car_changed(db, "car.modified", &car, actor_id);
}

static bool
branch_takes_cars(struct db *db, int64_t branch_id)
{
	return db_exists(db, "SELECT 1 FROM branch WHERE branch_id = $1 AND is_open = 1", branch_id);
}

static bool
model_takes_cars(struct db *db, int64_t model_id)
{
	return model_id == 0 || db_exists(db, "SELECT 1 FROM car_model WHERE model_id = $1 AND state = 'ON_SALE'", model_id);
}

/* --- register ----------------------------------------------------------------------------------------------------- */

/* A deleted car's number is never used again: its history in the log stays its own. */
static int64_t
car_next_id(struct db *db)
{
	int64_t id = db_int(db, "SELECT COALESCE(MAX(car_id), 0) + 1 FROM car");

	while (db_exists(db, "SELECT 1 FROM v_event WHERE subject_id = $1", car_subject(db, id)))
		id++;
	return id;
}

static bool
car_insert(struct db *db, const struct car *car, int64_t now)
{
	return db_try(db,
		"INSERT INTO car (car_id, plate, model_id, name, body, seats, fuel, gearbox, daily_price, hourly_price, branch_id, service,"
		" created_at, updated_at, rev)"
		" VALUES ($1, $2, NULLIF($3, 0), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, " NEXT_CAR_REV ")",
		car->car_id, car->plate, car->model_id, car->name, words_code(&body_words, car->body), car->seats,
		words_code(&fuel_words, car->fuel), words_code(&gearbox_words, car->gearbox), car->daily_price, car->hourly_price,
		car->branch_id, words_code(&service_words, car->service), now);
}

static enum car_outcome
car_register(struct db *db, struct car *car, int64_t actor_id)
{
	struct car new = *car;

	if (!model_takes_cars(db, new.model_id))
		return CAR_NO_MODEL;
	if (db_exists(db, "SELECT 1 FROM car WHERE plate = $1", new.plate))
		return CAR_PLATE_TAKEN;
	if (new.branch_id == 0)
		new.branch_id = branch_default(db);
	if (!branch_takes_cars(db, new.branch_id))
		return CAR_NO_BRANCH;
	new.car_id = car_next_id(db);
	if (!car_insert(db, &new, clock_now()))
		return CAR_PLATE_TAKEN;
	car_changed(db, "car.registered", &new, actor_id);
	*car = new;
	return CAR_OK;
}

enum car_outcome
car_add(struct db *db, struct car *car, int64_t actor_id)
{
	enum car_outcome outcome;

	db_begin(db);
	outcome = car_register(db, car, actor_id);
	db_commit(db);
	return outcome;
}

/* --- change ------------------------------------------------------------------------------------------------------- */

static bool
car_is_same(const struct car *a, const struct car *b)
{
	return strcmp(a->plate, b->plate) == 0 && strcmp(a->name, b->name) == 0 && a->model_id == b->model_id &&
	       a->branch_id == b->branch_id && a->body == b->body && a->fuel == b->fuel && a->gearbox == b->gearbox &&
	       a->seats == b->seats && a->daily_price == b->daily_price && a->hourly_price == b->hourly_price &&
	       a->service == b->service;
}

static bool
car_update(struct db *db, const struct car *car)
{
	return db_try(db,
		"UPDATE car SET plate = $2, model_id = NULLIF($3, 0), name = $4, body = $5, seats = $6, fuel = $7, gearbox = $8,"
		" daily_price = $9, hourly_price = $10, branch_id = $11, service = $12, updated_at = $13, rev = " NEXT_CAR_REV
		" WHERE car_id = $1",
		car->car_id, car->plate, car->model_id, car->name, words_code(&body_words, car->body), car->seats,
		words_code(&fuel_words, car->fuel), words_code(&gearbox_words, car->gearbox), car->daily_price, car->hourly_price,
		car->branch_id, words_code(&service_words, car->service), clock_now());
}

static enum car_outcome
car_rewrite(struct db *db, struct car *car, int64_t actor_id)
{
	struct car was;

	if (!car_find(db, car->car_id, &was))
		return CAR_GONE;
	if (car->branch_id == 0)
		car->branch_id = was.branch_id;
	if (car_is_same(car, &was)) {
		*car = was;
		return CAR_OK;
	}
	if (was.service == SERVICE_RETIRED)
		return CAR_IS_RETIRED;
	if (car->rev && car->rev != was.rev)
		return CAR_CHANGED;
	if (car->model_id != was.model_id && !model_takes_cars(db, car->model_id))
		return CAR_NO_MODEL;
	if (car->branch_id != was.branch_id && !branch_takes_cars(db, car->branch_id))
		return CAR_NO_BRANCH;
	if (!car_update(db, car))
		return CAR_PLATE_TAKEN;
	car_changed(db, "car.modified", car, actor_id);
	if (car->service == SERVICE_RETIRED)
		car_tell(db, "car.retired", &gone_shape, car, actor_id);
	return CAR_OK;
}

enum car_outcome
car_change(struct db *db, struct car *car, int64_t actor_id)
{
	enum car_outcome outcome;

	db_begin(db);
	outcome = car_rewrite(db, car, actor_id);
	db_commit(db);
	return outcome;
}

enum car_outcome
car_set_service(struct db *db, int64_t car_id, enum service service, int64_t actor_id)
{
	enum car_outcome outcome = CAR_GONE;
	struct car car;

	db_begin(db);
	if (car_find(db, car_id, &car)) {
		car.service = (int)service;
		outcome = car_rewrite(db, &car, actor_id);
	}
	db_commit(db);
	return outcome;
}

/* --- retire, delete ----------------------------------------------------------------------------------------------- */

/* Not told as a change too: car.retired says it all. */
static enum car_outcome
car_end(struct db *db, const struct car *car, int64_t actor_id)
{
	if (car->service == SERVICE_RETIRED)
		return CAR_OK;
	db_do(db, "UPDATE car SET service = 'RETIRED', updated_at = $2, rev = " NEXT_CAR_REV " WHERE car_id = $1", car->car_id, clock_now());
	car_tell(db, "car.retired", &gone_shape, car, actor_id);
	return CAR_OK;
}

enum car_outcome
car_retire(struct db *db, int64_t car_id, int64_t actor_id)
{
	enum car_outcome outcome;
	struct car car;

	db_begin(db);
	outcome = car_find(db, car_id, &car) ? car_end(db, &car, actor_id) : CAR_GONE;
	db_commit(db);
	return outcome;
}

static enum car_outcome
car_remove(struct db *db, const struct car *car, int64_t actor_id)
{
	if (car_was_booked(db, car->car_id) || db_exists(db, "SELECT 1 FROM reservation WHERE car_id = $1", car->car_id)) {
		car_end(db, car, actor_id);
		return CAR_RETIRED_INSTEAD;
	}
	db_do(db, "DELETE FROM car WHERE car_id = $1", car->car_id);
	car_tell(db, "car.deleted", &gone_shape, car, actor_id);
	return CAR_OK;
}

enum car_outcome
car_delete(struct db *db, int64_t car_id, int64_t actor_id)
{
	enum car_outcome outcome;
	struct car car;

	db_begin(db);
	outcome = car_find(db, car_id, &car) ? car_remove(db, &car, actor_id) : CAR_GONE;
	if (db_commit(db) && outcome == CAR_OK && car.photo_url)
		photo_forget(db, strrchr(car.photo_url, '/') + 1);
	return outcome;
}
