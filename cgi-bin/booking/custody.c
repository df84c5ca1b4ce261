/* custody - which car is with whom. The overview is in custody.h. */
#include "custody.h"

#include "lib/base/clock.h"

/* The cars of booking $1. */
#define ITS_CARS \
	"(SELECT car_id, plate FROM booking WHERE booking_id = $1" \
	" UNION ALL SELECT car_id, plate FROM booking_car WHERE booking_id = $1)"

/* … and their custodies c, with what is shown of each. */
#define ITS_CUSTODIES \
	"SELECT c.kind, c.car_id, c.user_id, c.from_at," \
	" CASE c.kind WHEN 'customer' THEN o.ends_at ELSE 0 END AS due_at," \
	" COALESCE(o.code, '') AS booking_code, x.plate," \
	" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = c.user_id), '') AS user_name" \
	" FROM " ITS_CARS " x JOIN custody c ON c.car_id = x.car_id" \
	" LEFT JOIN booking o ON o.booking_id = c.booking_id WHERE "

bool
custody_in_use(struct db *db, const struct booking *b, bool own_courier, struct custody *c)
{
	*c = (struct custody){ 0 };
	return db_one(db, &custody_shape, c,
		ITS_CUSTODIES "c.to_at IS NULL AND ($2 = 1 OR c.kind <> 'staff' OR COALESCE(c.booking_id, 0) <> $1)"
			      " LIMIT 1",
		b->booking_id, own_courier ? 1 : 0);
}

bool
custody_of_others(struct db *db, const struct booking *b, int64_t *until, struct custody *c)
{
	*c = (struct custody){ 0 };
	if (db_one(db, &custody_shape, c,
		    ITS_CUSTODIES "c.to_at IS NULL AND c.from_at < $2 AND COALESCE(c.booking_id, 0) <> $1 LIMIT 1",
		    b->booking_id, b->ends_at))
		return true;
	*until = db_int(db,
		"SELECT COALESCE(MAX(c.to_at), 0) FROM " ITS_CARS " x JOIN custody c ON c.car_id = x.car_id"
		" WHERE c.from_at < $2 AND c.to_at > $3 AND COALESCE(c.booking_id, 0) <> $1",
		b->booking_id, b->ends_at, b->starts_at);
	return false;
}

bool
custody_since(struct db *db, const struct booking *b, struct custody *c)
{
	return db_one(db, &custody_shape, c,
		ITS_CUSTODIES "(c.to_at IS NULL OR c.from_at >= $2)"
			      " AND NOT (c.kind = 'customer' AND c.booking_id = $1) LIMIT 1",
		b->booking_id, b->ended_at);
}

bool
custody_may_resume(struct db *db, const struct booking *b)
{
	return db_int(db,
		       "SELECT COUNT(*) FROM custody WHERE booking_id = $1 AND kind = 'customer'"
		       " AND ended_by = 'returned'",
		       b->booking_id)
		== b->n_cars;
}

bool
custody_is_with_courier(struct db *db, const struct booking *b)
{
	return db_exists(
		db, "SELECT 1 FROM custody WHERE booking_id = $1 AND kind = 'staff' AND to_at IS NULL", b->booking_id);
}

/* From now, or from the end of the custody before if the clock was set back since. */
void
custody_begin(struct db *db, const struct booking *b, enum custody_kind kind, int64_t user_id, const char *key)
{
	db_do(db,
		"INSERT INTO custody (key, car_id, kind, booking_id, user_id, from_at)"
		" SELECT $3 || ':' || x.car_id, x.car_id, $4, $1, $5,"
		" CASE WHEN x.free_at > $2 THEN x.free_at ELSE $2 END FROM (SELECT t.car_id,"
		" COALESCE((SELECT MAX(k.to_at) FROM custody k WHERE k.car_id = t.car_id AND k.to_at > $2), 0)"
		" AS free_at FROM " ITS_CARS " t) x",
		b->booking_id, clock_now(), key, words_code(&custody_kind_words, (int)kind), user_id);
}

void
custody_end(struct db *db, const struct booking *b, enum custody_kind kind, const char *ended_by)
{
	db_do(db,
		"UPDATE custody SET to_at = CASE WHEN from_at > $3 THEN from_at ELSE $3 END, ended_by = $4"
		" WHERE booking_id = $1 AND kind = $2 AND to_at IS NULL",
		b->booking_id, words_code(&custody_kind_words, (int)kind), clock_now(), ended_by);
}

void
custody_resume(struct db *db, const struct booking *b)
{
	db_do(db,
		"UPDATE custody SET to_at = NULL, ended_by = '' WHERE booking_id = $1 AND kind = 'customer'"
		" AND ended_by = 'returned'",
		b->booking_id);
}

void
custody_take_over(struct db *db, const struct booking *b)
{
	db_do(db,
		"UPDATE custody SET to_at = CASE WHEN from_at > $2 THEN from_at ELSE $2 END, ended_by = 'taken_over'"
		" WHERE to_at IS NULL AND car_id IN (SELECT x.car_id FROM " ITS_CARS " x)",
		b->booking_id, clock_now());
}
