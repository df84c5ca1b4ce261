/* car_edit - registers, changes and deletes cars; retire.c retires them. The overview is in fleet.h. */
#include "cars_now.h"
#include "fleet.h"

#include "lib/base/clock.h"

#include <string.h>

static bool
branch_takes_cars(struct db *db, int64_t branch_id)
{
	return db_exists(db, "SELECT 1 FROM branch WHERE branch_id = $1 AND is_open = 1", branch_id);
}

static bool
model_takes_cars(struct db *db, int64_t model_id)
{
	return model_id == 0
		|| db_exists(db, "SELECT 1 FROM car_model WHERE model_id = $1 AND state = 'ON_SALE'", model_id);
}

/* --- register ----------------------------------------------------------------------------------------------------- */

/* The id of a deleted car is never used again, since its events are still in the log. */
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
		"INSERT INTO car (car_id, plate, model_id, name, name_ko, body, seats, fuel, gearbox, daily_price,"
		" hourly_price, branch_id,"
		" service, created_at, updated_at, service_at, rev)"
		" VALUES ($1, $2, NULLIF($3, 0), $4, $14, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $13,"
		" " NEXT_CAR_REV ")",
		car->car_id, car->plate, car->model_id, car->name, words_code(&body_words, car->body), car->seats,
		words_code(&fuel_words, car->fuel), words_code(&gearbox_words, car->gearbox), car->daily_price,
		car->hourly_price, car->branch_id, words_code(&service_words, car->service), now, car->name_ko);
}

static const char *
model_name_ko(struct db *db, const struct car *car)
{
	return text_or_empty(db_text(
		db, "SELECT name_ko FROM car_model WHERE model_id = $1 AND name = $2", car->model_id, car->name));
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
	if (!new.name_ko)
		new.name_ko = model_name_ko(db, &new);
	new.car_id = car_next_id(db);
	if (!car_insert(db, &new, clock_now()))
		return CAR_PLATE_TAKEN;
	car_report(db, EVENT_CAR_REGISTERED, &new, actor_id);
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
	return strcmp(a->plate, b->plate) == 0 && strcmp(a->name, b->name) == 0 && strcmp(a->name_ko, b->name_ko) == 0
		&& a->model_id == b->model_id && a->branch_id == b->branch_id && a->body == b->body
		&& a->fuel == b->fuel && a->gearbox == b->gearbox && a->seats == b->seats
		&& a->daily_price == b->daily_price && a->hourly_price == b->hourly_price && a->service == b->service;
}

/* Back in service it is not retired either. */
static bool
car_update(struct db *db, const struct car *car)
{
	return db_try(db,
		"UPDATE car SET plate = $2, model_id = NULLIF($3, 0), name = $4, body = $5, seats = $6, fuel = $7,"
		" gearbox = $8,"
		" daily_price = $9, hourly_price = $10, branch_id = $11, service = $12, updated_at = $13, name_ko ="
		" $14, service_at = CASE WHEN service <> $12 OR branch_id <> $11 THEN $13 ELSE service_at END,"
		" retire_at = CASE $12 WHEN 'OUT_OF_SERVICE' THEN retire_at ELSE 0 END,"
		" retire_by = CASE $12 WHEN 'OUT_OF_SERVICE' THEN retire_by ELSE 0 END,"
		" service_before = CASE $12 WHEN 'OUT_OF_SERVICE' THEN service_before ELSE '' END,"
		" rev = " NEXT_CAR_REV " WHERE car_id = $1",
		car->car_id, car->plate, car->model_id, car->name, words_code(&body_words, car->body), car->seats,
		words_code(&fuel_words, car->fuel), words_code(&gearbox_words, car->gearbox), car->daily_price,
		car->hourly_price, car->branch_id, words_code(&service_words, car->service), clock_now(), car->name_ko);
}

/* It may leave service, be retired or move only when it is here and those who have booked it are known. */
static enum car_outcome
check_bookings(
	struct db *db, const struct car *was, const struct car *car, bool retires, const struct car_consent *consent)
{
	bool leaves = was->service == SERVICE_IN_SERVICE && car->service != SERVICE_IN_SERVICE;
	struct custody holder;
	int64_t branch_id;

	if (retires && car_in_use(db, car->car_id, &holder))
		return CAR_IN_USE;
	if (!leaves && !retires && was->branch_id == car->branch_id)
		return CAR_OK;
	branch_id = leaves || retires ? 0 : car->branch_id;
	return concern_is_agreed(db, car->car_id, branch_id, consent) ? CAR_OK : CAR_CONCERNS;
}

/* Service RETIRED is not written with the rest: retire.c begins it, and it can be undone for a while. */
static enum car_outcome
car_rewrite(struct db *db, struct car *car, const struct car_consent *consent, int64_t actor_id)
{
	bool retires = car->service == SERVICE_RETIRED, is_same;
	enum car_outcome outcome;
	struct car was;

	if (!car_find(db, car->car_id, &was))
		return CAR_GONE;
	if (car->branch_id == 0)
		car->branch_id = was.branch_id;
	if (!car->name_ko)
		car->name_ko = was.name_ko;
	if (retires)
		car->service = was.service;
	retires = retires && was.service != SERVICE_RETIRED && !was.retire_at;
	is_same = car_is_same(car, &was);
	if (is_same && !retires) {
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
	outcome = check_bookings(db, &was, car, retires, consent);
	if (outcome != CAR_OK)
		return outcome;
	if (!is_same && !car_update(db, car))
		return CAR_PLATE_TAKEN;
	if (!is_same)
		car_report(db, EVENT_CAR_MODIFIED, car, actor_id);
	if (retires)
		car_begin_retiring(db, car, actor_id);
	return CAR_OK;
}

enum car_outcome
car_change(struct db *db, struct car *car, const struct car_consent *consent, int64_t actor_id)
{
	enum car_outcome outcome;

	db_begin(db);
	outcome = car_rewrite(db, car, consent, actor_id);
	db_commit(db);
	return outcome;
}

enum car_outcome
car_set_service(
	struct db *db, int64_t car_id, enum service service, const struct car_consent *consent, int64_t actor_id)
{
	enum car_outcome outcome = CAR_GONE;
	struct car car;

	db_begin(db);
	if (car_find(db, car_id, &car)) {
		car.service = (int)service;
		outcome = car_rewrite(db, &car, consent, actor_id);
	}
	db_commit(db);
	return outcome;
}

/* --- delete ------------------------------------------------------------------------------------------------------- */

static enum car_outcome
car_remove(struct db *db, struct car *car, const struct car_consent *consent, int64_t actor_id)
{
	enum car_outcome outcome;

	if (car_was_booked(db, car->car_id)
		|| db_exists(db, "SELECT 1 FROM reservation WHERE car_id = $1", car->car_id)) {
		outcome = car_end(db, car, consent, actor_id);
		return outcome == CAR_OK ? CAR_RETIRED_INSTEAD : outcome;
	}
	db_do(db, "DELETE FROM car WHERE car_id = $1", car->car_id);
	fleet_report_car(db, EVENT_CAR_DELETED, car, actor_id);
	return CAR_OK;
}

enum car_outcome
car_delete(struct db *db, int64_t car_id, const struct car_consent *consent, int64_t actor_id)
{
	enum car_outcome outcome;
	struct car car;

	db_begin(db);
	outcome = car_find(db, car_id, &car) ? car_remove(db, &car, consent, actor_id) : CAR_GONE;
	if (db_commit(db) && outcome == CAR_OK && car.photo_url)
		photo_forget(db, strrchr(car.photo_url, '/') + 1);
	return outcome;
}
