/* model - any car of a model, one to five of them. Described in model.h. */
#include "model.h"
#include "price.h"

#include "domain/cars.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <stdlib.h>

static const struct member rentable_members[] = {
	SHAPE_INT(rentable, car_id), SHAPE_INT(rentable, branch_id), SHAPE_AMOUNT(rentable, daily_price),
	SHAPE_AMOUNT(rentable, hourly_price), SHAPE_TEXT_KO(rentable, name), SHAPE_TEXT(rentable, plate),
	SHAPE_TEXT(rentable, body), SHAPE_TEXT_KO(rentable, branch_name),
};
const struct shape rentable_shape = SHAPE(rentable, rentable_members);

/* --- which cars --------------------------------------------------------------------------------------------------- */

/* A car of the model that is free, and how long it is free around the interval. */
struct candidate { int64_t car_id, branch_id, gap_s; };

#define FAR_AHEAD INT64_C(4102444800)   /* 2100: nothing is booked from there on */

static int
by_fit(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->branch_id != y->branch_id)
		return x->branch_id < y->branch_id ? -1 : 1;
	if (x->gap_s != y->gap_s)
		return x->gap_s < y->gap_s ? -1 : 1;
	return x->car_id < y->car_id ? -1 : 1;
}

/* Two look-ups in the index for each car: its next slot and the one before. Slots of a car do not overlap, so only the
 * next can collide. */
static int
free_of_model(struct db *db, const struct booking_order *o, struct candidate *free, int room)
{
	int64_t until = o->ends_at + rental.turnaround_s, now = clock_now();
	int n = 0;

	for (struct rows *r = db_each(db,
		     "SELECT c.car_id, c.branch_id,"
		     " COALESCE((SELECT s.starts_at FROM slot s WHERE s.car_id = c.car_id AND s.kind <> 'RELEASED'"
		     " AND s.busy_until > $3"
		     "  ORDER BY s.busy_until LIMIT 1), $4) AS next_at,"
		     " COALESCE((SELECT s.busy_until FROM slot s WHERE s.car_id = c.car_id AND s.kind <> 'RELEASED'"
		     " AND s.busy_until <= $3"
		     "  ORDER BY s.busy_until DESC LIMIT 1), 0) AS since"
		     " FROM v_car c WHERE c.model_id = $1 AND c.service = 'IN_SERVICE'"
		     " AND ($2 = 0 OR c.branch_id = $2)",
		     o->model_id, o->branch_id, o->starts_at, FAR_AHEAD);
		db_next(r);) {
		int64_t next_at = row_int(r, 2), since = row_int(r, 3);

		if (next_at >= until && n < room)
			free[n++] = (struct candidate){ row_int(r, 0), row_int(r, 1),
				next_at - (since > now ? since : now) };
	}
	return n;
}

/* Where most are free; the first of equals. Answers how many are free there; *at: the first of them. */
static int
best_branch(const struct candidate *free, int n, int *at)
{
	int most = 0;

	for (int i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && free[next].branch_id == free[i].branch_id; next++)
			;
		if (next - i > most) {
			most = next - i;
			*at = i;
		}
	}
	return most;
}

enum booking_outcome
model_choose(struct db *db, const struct booking_order *o, struct rentable *cars)
{
	int n, at = 0, room = (int)db_int(db, "SELECT COUNT(*) FROM v_car WHERE model_id = $1", o->model_id);
	struct candidate *free = arena_array(db_memory(db), struct candidate, room + 1);
	struct rentable model = { 0 };

	if (o->qty < 1 || o->qty > CARS_MAX
		|| !db_one(db, &rentable_shape, &model,
			"SELECT daily_price, hourly_price FROM v_car_model WHERE model_id = $1 AND state = 'ON_SALE'",
			o->model_id))
		return BOOKING_NO_CAR;
	n = free_of_model(db, o, free, room);
	qsort(free, (size_t)n, sizeof(free[0]), by_fit);
	if (best_branch(free, n, &at) < o->qty)
		return BOOKING_FEWER_CARS;
	for (int i = 0; i < o->qty; i++) {
		db_one(db, &rentable_shape, &cars[i], "SELECT " RENTABLE_COLUMNS " FROM v_car WHERE car_id = $1",
			free[at + i].car_id);
		cars[i].daily_price = model.daily_price;
		cars[i].hourly_price = model.hourly_price;
	}
	return BOOKING_OK;
}

/* --- a booking's cars --------------------------------------------------------------------------------------------- */

static const struct member booking_car_members[] = {
	SHAPE_INT(booking_car, car_id), SHAPE_TEXT_KO(booking_car, car_name), SHAPE_TEXT(booking_car, plate),
};
const struct shape booking_car_shape = SHAPE(booking_car, booking_car_members);

static void
make_list(struct booking *b, struct arena *m)
{
	b->n_all_cars = b->n_cars > 1 ? (int)b->n_cars : 1;
	b->cars = arena_array(m, struct booking_car, b->n_all_cars);
	b->cars[0] = (struct booking_car){ b->car_id, b->car_name, b->car_name_ko, b->plate };
	b->more_cars = b->cars + 1;
	b->n_more_cars = b->n_all_cars - 1;
}

void
booking_list_cars(struct booking *b, const struct rentable *cars, struct arena *m)
{
	make_list(b, m);
	for (int i = 1; i < b->n_all_cars; i++)
		b->cars[i] = (struct booking_car){ cars[i].car_id, cars[i].name, cars[i].name_ko, cars[i].plate };
}

bool
booking_hold_cars(struct db *db, struct booking *b)
{
	for (int i = 1; i < b->n_all_cars; i++)
		db_do(db,
			"INSERT INTO booking_car (booking_id, car_no, car_id, car_name, car_name_ko, plate)"
			" VALUES ($1, $2, $3, $4, $5, $6)",
			b->booking_id, i + 1, b->cars[i].car_id, b->cars[i].car_name, b->cars[i].car_name_ko,
			b->cars[i].plate);
	for (int i = 0; i < b->n_all_cars; i++)
		if (!calendar_hold(db, b->cars[i].car_id, b->booking_id, b->starts_at, b->ends_at))
			return false;
	return true;
}

void
booking_read_cars(struct db *db, struct booking *b)
{
	struct booking_car *more = NULL;
	int n = 0;

	make_list(b, db_memory(db));
	if (b->n_more_cars == 0)
		return;
	db_list(db, &booking_car_shape, &more, &n,
		"SELECT car_id, car_name, car_name_ko, plate FROM booking_car WHERE booking_id = $1 ORDER BY car_no",
		b->booking_id);
	for (int i = 0; i < n && i < b->n_more_cars; i++)
		b->more_cars[i] = more[i];
}

/* --- what is offered ---------------------------------------------------------------------------------------------- */

static const struct member model_branch_members[] = {
	SHAPE_INT(model_branch, branch_id), SHAPE_TEXT(model_branch, branch_name), SHAPE_INT(model_branch, n_cars),
	SHAPE_INT(model_branch, n_free),
};
static const struct shape model_branch_shape = SHAPE(model_branch, model_branch_members);

static const struct member model_offer_members[] = {
	SHAPE_INT(model_offer, model_id), SHAPE_TEXT_KO(model_offer, name), SHAPE_STATE(model_offer, body, body_words),
	SHAPE_INT(model_offer, seats), SHAPE_STATE(model_offer, fuel, fuel_words),
	SHAPE_STATE(model_offer, gearbox, gearbox_words), SHAPE_AMOUNT(model_offer, daily_price),
	SHAPE_AMOUNT(model_offer, hourly_price), SHAPE_TEXT(model_offer, photo), SHAPE_INT(model_offer, n_cars),
	SHAPE_INT(model_offer, n_free), SHAPE_INT(model_offer, n_at_once), SHAPE_AMOUNT(model_offer, total_amount),
	SHAPE_LIST(model_offer, branches, model_branch_shape),
};
const struct shape model_offer_shape = SHAPE(model_offer, model_offer_members);

#define OFFER_COLUMNS \
	"m.model_id, m.name, m.name_ko, m.body, m.seats, m.fuel, m.gearbox, m.daily_price, m.hourly_price," \
	" COALESCE((SELECT MAX(c.photo) FROM v_car c WHERE c.model_id = m.model_id" \
	" AND c.service = 'IN_SERVICE'), '') AS photo"
#define ON_OFFER \
	" FROM v_car_model m WHERE m.state = 'ON_SALE'" \
	" AND EXISTS (SELECT 1 FROM v_car c WHERE c.model_id = m.model_id AND c.service = 'IN_SERVICE')"

int64_t
offers_count(struct db *db)
{
	return db_int(db, "SELECT COUNT(*)" ON_OFFER " /*scan*/");
}

int
offers_list(struct db *db, int64_t offset, int limit, struct model_offer **models)
{
	int n = 0;

	return db_list(db, &model_offer_shape, models, &n,
		"SELECT " OFFER_COLUMNS ON_OFFER " ORDER BY m.name LIMIT $1 OFFSET $2 /*scan*/", limit, offset);
}

bool
offer_find(struct db *db, int64_t model_id, struct model_offer *model)
{
	*model = (struct model_offer){ 0 };
	return db_one(db, &model_offer_shape, model,
		"SELECT " OFFER_COLUMNS " FROM v_car_model m WHERE m.model_id = $1 AND m.state = 'ON_SALE'", model_id);
}

/* Every search needs them and they rarely change: read at most once a second. */
static struct {
	struct arena *m;
	int64_t *model_id;
	int n;
	int64_t read_ms;
} off_sale;

static void
read_off_sale(struct db *db)
{
	int room = (int)db_int(db, "SELECT COUNT(*) FROM v_car_model WHERE state = 'OFF_SALE' /*scan*/");

	if (!off_sale.m)
		off_sale.m = arena_new((size_t)1 << 20);
	arena_reset(off_sale.m);
	off_sale.model_id = arena_array(off_sale.m, int64_t, room + 1);
	off_sale.n = 0;
	for (struct rows *r = db_each(db, "SELECT model_id FROM v_car_model WHERE state = 'OFF_SALE' /*scan*/");
		db_next(r);)
		if (off_sale.n < room)
			off_sale.model_id[off_sale.n++] = row_int(r, 0);
	off_sale.read_ms = clock_ms();
}

bool
offer_is_on_sale(struct db *db, int64_t model_id)
{
	if (!off_sale.m || clock_ms() > off_sale.read_ms + 1000)
		read_off_sale(db);
	for (int i = 0; i < off_sale.n; i++)
		if (off_sale.model_id[i] == model_id)
			return false;
	return model_id != 0;
}

void
offer_count_free(struct db *db, struct arena *m, struct model_offer *model, int64_t starts_at, int64_t ends_at)
{
	struct model_stock *stock;
	int n = calendar_model(db, m, model->model_id, starts_at, ends_at, &stock);

	model->n_cars = model->n_free = model->n_at_once = 0;
	model->total_amount = price_total(starts_at, ends_at, model->daily_price, model->hourly_price);
	model->branches = arena_array(m, struct model_branch, n + 1);
	model->n_branches = n;
	for (int i = 0; i < n; i++) {
		const struct model_stock *s = &stock[i];

		model->branches[i] = (struct model_branch){ s->branch_id, s->n_cars, s->n_free,
			lang_pick(lang_now(), s->branch_name, s->branch_name_ko) };
		model->n_cars += s->n_cars;
		model->n_free += s->n_free;
		if (s->n_free > model->n_at_once)
			model->n_at_once = s->n_free < CARS_MAX ? s->n_free : CARS_MAX;
	}
}

/* --- the same by SQL alone, for tests ----------------------------------------------------------------------------- */

static const struct member model_stock_members[] = {
	SHAPE_INT(model_stock, branch_id), SHAPE_INT(model_stock, n_cars), SHAPE_INT(model_stock, n_free),
	SHAPE_TEXT_KO(model_stock, branch_name),
};
static const struct shape model_stock_shape = SHAPE(model_stock, model_stock_members);

int
calendar_model_sql(struct db *db, int64_t model_id, int64_t starts_at, int64_t ends_at, struct model_stock **branches)
{
	int n = 0;

	return db_list(db, &model_stock_shape, branches, &n,
		"SELECT c.branch_id, c.branch_name, c.branch_name_ko, COUNT(*) AS n_cars, SUM(CASE"
		" WHEN EXISTS (SELECT 1 FROM slot s"
		" WHERE s.car_id = c.car_id AND s.kind <> 'RELEASED' AND s.busy_until > $2 AND s.starts_at < $3) THEN 0"
		" ELSE 1 END) AS n_free"
		" FROM v_car c WHERE c.model_id = $1 AND c.service = 'IN_SERVICE'"
		" GROUP BY c.branch_id, c.branch_name, c.branch_name_ko ORDER BY c.branch_id /*scan*/ /*sort*/",
		model_id, starts_at, ends_at + rental.turnaround_s);
}
