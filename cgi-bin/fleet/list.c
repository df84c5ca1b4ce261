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
	"($3 = '%' OR lower(plate || ' ' || name || ' ' || name_ko) LIKE $3 ESCAPE '\\')" \
	" AND ($4 = 0 OR branch_id = $4) AND ($5 = 0 OR model_id = $5) AND ($6 = '' OR body = $6)"

#define NAME_KO "CASE name_ko WHEN '' THEN name ELSE name_ko END"
#define LIST(order) \
	db_list(db, &car_shape, cars, n_cars, WITH_CARS "SELECT " CAR_COLUMNS " FROM car_now WHERE " FILTER \
		" AND (status = $7 OR ($7 = '' AND service <> 'RETIRED')) ORDER BY " order \
		" LIMIT $8 OFFSET $9 /*scan*/ /*sort*/", \
		now, now + rental.turnaround_s, db_contains(db, f->q), f->branch_id, f->model_id, \
		words_code(&body_words, f->body), words_code(&car_status_words, f->status), f->limit, f->offset)

int
car_list(struct db *db, const struct car_filter *f, struct car **cars, int *n_cars)
{
	int64_t now = clock_now();

	switch (f->order) {
	case CARS_BY_PLATE: return f->down ? LIST("plate DESC") : LIST("plate");
	case CARS_BY_NAME: return f->down ? LIST("name DESC, plate") : LIST("name, plate");
	case CARS_BY_NAME_KO: return f->down ? LIST(NAME_KO " DESC, plate") : LIST(NAME_KO ", plate");
	case CARS_BY_PRICE: return f->down ? LIST("daily_price DESC, plate") : LIST("daily_price, plate");
	case CARS_BY_STATUS: return f->down ? LIST("status DESC, plate") : LIST("status, plate");
	}
	return 0;
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
