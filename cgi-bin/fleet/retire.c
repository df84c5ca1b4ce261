/*
 * retire - a car leaves the fleet for good. It is out of service at once, and RETIRED when rental.undo_window_s has
 * passed: until then it can be undone, and car.retired waits. The overview is in fleet.h.
 */
#include "cars_now.h"
#include "fleet.h"

#include "domain/rental.h"
#include "domain/undo.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define AT_ONCE 20

/* Reports car.retired alone, not car.modified as well. */
static void
retire_now(struct db *db, struct car *car, int64_t actor_id)
{
	db_do(db,
		"UPDATE car SET service = 'RETIRED', retire_at = 0, retire_by = 0, service_before = '',"
		" service_at = CASE service WHEN 'IN_SERVICE' THEN $2 ELSE service_at END,"
		" updated_at = $2, rev = " NEXT_CAR_REV " WHERE car_id = $1",
		car->car_id, clock_now());
	car_report(db, EVENT_CAR_RETIRED, car, actor_id);
}

static void
retire_later(struct db *db, struct car *car, int64_t actor_id)
{
	int64_t now = clock_now();

	db_do(db,
		"UPDATE car SET service = 'OUT_OF_SERVICE', service_before = service, retire_at = $2, retire_by = $3,"
		" service_at = CASE service WHEN 'IN_SERVICE' THEN $4 ELSE service_at END,"
		" updated_at = $4, rev = " NEXT_CAR_REV " WHERE car_id = $1",
		car->car_id, now + rental.undo_window_s, actor_id, now);
	car_report(db, EVENT_CAR_MODIFIED, car, actor_id);
}

void
car_begin_retiring(struct db *db, struct car *car, int64_t actor_id)
{
	if (rental.undo_window_s)
		retire_later(db, car, actor_id);
	else
		retire_now(db, car, actor_id);
}

enum car_outcome
car_end(struct db *db, struct car *car, const struct car_consent *consent, int64_t actor_id)
{
	struct custody holder;

	if (car->service == SERVICE_RETIRED || car->retire_at)
		return CAR_OK;
	if (car_in_use(db, car->car_id, &holder))
		return CAR_IN_USE;
	if (!concern_is_agreed(db, car->car_id, 0, consent))
		return CAR_CONCERNS;
	car_begin_retiring(db, car, actor_id);
	return CAR_OK;
}

enum car_outcome
car_retire(struct db *db, int64_t car_id, const struct car_consent *consent, int64_t actor_id)
{
	enum car_outcome outcome;
	struct car car;

	db_begin(db);
	outcome = car_find(db, car_id, &car) ? car_end(db, &car, consent, actor_id) : CAR_GONE;
	db_commit(db);
	return outcome;
}

/* --- undone ------------------------------------------------------------------------------------------------------- */

static enum car_outcome
keep(struct db *db, struct car *car, int64_t actor_id)
{
	int64_t now = clock_now();

	if (car->service == SERVICE_RETIRED || (car->retire_at && car->retire_at <= now))
		return CAR_IS_RETIRED;
	if (!car->retire_at)
		return CAR_OK;
	db_do(db,
		"UPDATE car SET service = service_before, retire_at = 0, retire_by = 0, service_before = '',"
		" service_at = CASE service_before WHEN 'IN_SERVICE' THEN $2 ELSE service_at END,"
		" updated_at = $2, rev = " NEXT_CAR_REV " WHERE car_id = $1",
		car->car_id, now);
	car_report(db, EVENT_CAR_MODIFIED, car, actor_id);
	return CAR_OK;
}

enum car_outcome
car_undo_retire(struct db *db, int64_t car_id, int64_t actor_id)
{
	enum car_outcome outcome;
	struct car car;

	db_begin(db);
	outcome = car_find(db, car_id, &car) ? keep(db, &car, actor_id) : CAR_GONE;
	db_commit(db);
	return outcome;
}

/* --- due ---------------------------------------------------------------------------------------------------------- */

/* A car that is in use after all (a hand-over reported late) waits for its return. */
static bool
is_due(struct db *db, int64_t car_id, struct car *car, int64_t now)
{
	struct custody holder;

	return car_find(db, car_id, car) && undo_is_due(car->retire_at, now) && !car_in_use(db, car_id, &holder);
}

static void
retire_due(struct db *db, int64_t car_id, int64_t now)
{
	struct car car;

	db_begin(db);
	if (is_due(db, car_id, &car, now)) {
		log_task("sweep", car_subject(db, car_id));
		retire_now(db, &car, db_int(db, "SELECT retire_by FROM car WHERE car_id = $1", car_id));
	}
	db_commit(db);
}

bool
fleet_sweep(struct db *db)
{
	int64_t now = clock_now(), ids[AT_ONCE];
	int n = 0;

	for (struct rows *r = db_each(db,
		     "SELECT c.car_id FROM car c /*scan*/ WHERE c.retire_at > 0 AND (c.retire_at <= $1"
		     " OR c.retire_at > $2) AND NOT EXISTS (SELECT 1 FROM v_custody k WHERE k.car_id = c.car_id"
		     " AND k.to_at IS NULL) ORDER BY c.retire_at LIMIT $3",
		     now, undo_furthest(now), AT_ONCE);
		db_next(r);)
		ids[n++] = row_int(r, 0);
	for (int i = 0; i < n && !db_failed(db); i++)
		retire_due(db, ids[i], now);
	return n == AT_ONCE;
}
