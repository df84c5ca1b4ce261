/*
 * list - searching cars: by part of a plate or name, branch, model, body and status, in several orders.
 *
 * SQL is literal, so each order is a statement of its own; the filters are the same text in all of them.
 */
#include "cars_now.h"
#include "fleet.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

#include <ctype.h>
#include <string.h>

/* $3 pattern, $4 branch, $5 model, $6 body; '%', 0 and '' do not filter. */
#define FILTER \
	"($3 = '%' OR lower(plate || ' ' || name || ' ' || name_ko) LIKE $3 ESCAPE '\\') AND ($4 = 0 OR branch_id = $4)" \
	" AND ($5 = 0 OR model_id = $5) AND ($6 = '' OR body = $6)"

#define NAME_KO "CASE name_ko WHEN '' THEN name ELSE name_ko END"
#define LIST(order) \
	DB_AT(WITH_CARS "SELECT " CAR_COLUMNS " FROM car_now WHERE " FILTER \
	" AND (status = $7 OR ($7 = '' AND service <> 'RETIRED')) ORDER BY " order " LIMIT $8 OFFSET $9 /*scan*/ /*sort*/")

static const struct db_at list[][2] = {
	[CARS_BY_PLATE]  = { LIST("plate"), LIST("plate DESC") },
	[CARS_BY_NAME]   = { LIST("name, plate"), LIST("name DESC, plate") },
	[CARS_BY_NAME_KO] = { LIST(NAME_KO ", plate"), LIST(NAME_KO " DESC, plate") },
	[CARS_BY_PRICE]  = { LIST("daily_price, plate"), LIST("daily_price DESC, plate") },
	[CARS_BY_STATUS] = { LIST("status, plate"), LIST("status DESC, plate") },
};

int
car_list(struct db *db, const struct car_filter *f, struct car **cars, int *n_cars)
{
	int64_t now = clock_now();
	const struct db_at at = list[f->order][f->down];

	return db_list_(db, &car_shape, cars, n_cars, at,
		DB_ARGS(now, now + rental.turnaround_s, db_contains(db, f->q), f->branch_id, f->model_id,
		        words_code(&body_words, f->body), words_code(&car_status_words, f->status), f->limit, f->offset));
}

static const struct member car_counts_members[] = {
	SHAPE_INT(car_counts, in_fleet), SHAPE_INT(car_counts, available), SHAPE_INT(car_counts, rented),
	SHAPE_INT(car_counts, out_of_service), SHAPE_INT(car_counts, retired),
};
const struct shape car_counts_shape = SHAPE(car_counts, car_counts_members);

void
car_count(struct db *db, const struct car_filter *f, struct car_counts *counts)
{
	int64_t now = clock_now();

	*counts = (struct car_counts){ .in_fleet = 0 };
	db_one(db, &car_counts_shape, counts,
		WITH_CARS "SELECT COALESCE(SUM(CASE status WHEN 'RETIRED' THEN 0 ELSE 1 END), 0) AS in_fleet,"
		" COALESCE(SUM(CASE status WHEN 'AVAILABLE' THEN 1 ELSE 0 END), 0) AS available,"
		" COALESCE(SUM(CASE status WHEN 'RENTED' THEN 1 ELSE 0 END), 0) AS rented,"
		" COALESCE(SUM(CASE status WHEN 'OUT_OF_SERVICE' THEN 1 ELSE 0 END), 0) AS out_of_service,"
		" COALESCE(SUM(CASE status WHEN 'RETIRED' THEN 1 ELSE 0 END), 0) AS retired"
		" FROM car_now WHERE " FILTER " /*scan*/",
		now, now + rental.turnaround_s, db_contains(db, f->q), f->branch_id, f->model_id,
		words_code(&body_words, f->body));
}
