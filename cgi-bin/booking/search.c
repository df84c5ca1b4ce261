/*
 * search - the calendar in memory: every car for rent and its unreleased future slots, as of the last change read.
 *
 * Before each search, when the database has changed (one PRAGMA, 1 µs), the slots with a higher rev are applied one by
 * one; when a car has changed, and once an hour to drop past slots, everything is read again. Applying a row twice is
 * harmless. The write transaction of the hold decides; this copy is only for display.
 */
#include "calendar.h"
#include "price.h"

#include "domain/cars.h"
#include "domain/rental.h"
#include "lib/base/clock.h"

#include <stdlib.h>
#include <string.h>

struct span { int64_t slot_id, starts_at, busy_until; };

/* What a search reads of every car, in one line of the processor's cache; `show` is read for one page of results. */
struct mem_car {
	struct span *span;              /* they do not overlap: sorted by start and by end */
	int n_spans, room;
	int64_t car_id, daily_price, hourly_price, branch_id;
	short seats, body, fuel;
	unsigned short stock;           /* index into cache.stock */
	const struct free_car *copy_page;    /* all of the result but its totals */
};

/* Which cars are free in one interval, a bit for each, computed once for each change of the database: customers page,
 * sort and filter, and many search the same days. */
struct availability {
	int64_t version, from, until;
	uint64_t *is_free;
	int *n_free;                    /* of each stock */
};

/* The cars of one model at one branch. How many are free is counted with the bits. */
struct stock { int64_t model_id, branch_id, n_cars; const struct free_car *copy_page; };
#define CACHED_INTERVALS 1024          /* indexed by the top ten bits of a hash */

static struct {
	struct arena *m;
	struct mem_car *car; /* cheapest first: the first page is found early, later cars are skipped quickly */
	struct mem_car **by_id;         /* the same, by car_id */
	int n_cars;
	struct stock *stock;            /* by model, then branch */
	int n_stocks;
	int64_t version, cars_rev, n_all_cars, slots_rev, read_at;
	struct availability availability[CACHED_INTERVALS];
} cache;

static const struct member free_car_members[] = {
	SHAPE_INT(free_car, car_id), SHAPE_INT(free_car, model_id), SHAPE_INT(free_car, branch_id),
	SHAPE_INT(free_car, seats), SHAPE_AMOUNT(free_car, daily_price), SHAPE_AMOUNT(free_car, hourly_price),
	SHAPE_TEXT_KO(free_car, name), SHAPE_TEXT(free_car, plate), SHAPE_TEXT_KO(free_car, branch_name),
	SHAPE_TEXT(free_car, region), SHAPE_TEXT(free_car, photo), SHAPE_STATE(free_car, body, body_words),
	SHAPE_STATE(free_car, fuel, fuel_words), SHAPE_STATE(free_car, gearbox, gearbox_words),
	SHAPE_AMOUNT(free_car, total_amount), SHAPE_AMOUNT(free_car, vat_amount),
};
const struct shape free_car_shape = SHAPE(free_car, free_car_members);

/* --- the copy ----------------------------------------------------------------------------------------------------- */

static struct mem_car *
car_of(int64_t car_id)
{
	int low = 0, high = cache.n_cars - 1;

	while (low <= high) {
		int mid = (low + high) / 2;
		struct mem_car *c = cache.by_id[mid];

		if (c->car_id == car_id)
			return c;
		if (c->car_id < car_id)
			low = mid + 1;
		else
			high = mid - 1;
	}
	return NULL;
}

static void
drop_span(struct mem_car *c, int64_t slot_id)
{
	for (int i = 0; i < c->n_spans; i++)
		if (c->span[i].slot_id == slot_id) {
			memmove(&c->span[i], &c->span[i + 1], sizeof(c->span[0]) * (size_t)(c->n_spans - i - 1));
			c->n_spans--;
			return;
		}
}

static void
add_span(struct mem_car *c, struct span s)
{
	int i = c->n_spans;

	if (c->n_spans == c->room) {
		int room = c->room ? c->room * 2 : 8;

		c->span = arena_grow(cache.m, c->span, sizeof(s) * (size_t)c->room, sizeof(s) * (size_t)room);
		c->room = room;
	}
	for (; i > 0 && c->span[i - 1].starts_at > s.starts_at; i--)
		c->span[i] = c->span[i - 1];
	c->span[i] = s;
	c->n_spans++;
}

static int
by_car_id(const void *a, const void *b)
{
	const struct mem_car *x = *(struct mem_car *const *)a, *y = *(struct mem_car *const *)b;

	return (x->car_id > y->car_id) - (x->car_id < y->car_id);
}

static struct mem_car
mem_car(const struct free_car *c)
{
	return (struct mem_car){
		.car_id = c->car_id,
		.daily_price = c->daily_price,
		.hourly_price = c->hourly_price,
		.branch_id = c->branch_id,
		.seats = (short)c->seats,
		.body = (short)c->body,
		.fuel = (short)c->fuel,
		.copy_page = c,
	};
}

#define FREE_CAR_COLUMNS \
	"car_id, COALESCE(model_id, 0) AS model_id, branch_id, seats, daily_price, hourly_price, name, name_ko," \
	" plate, branch_name, branch_name_ko, region, photo, body, fuel, gearbox"

static int
by_stock(const void *a, const void *b)
{
	const struct free_car *x = (*(struct mem_car *const *)a)->copy_page,
			      *y = (*(struct mem_car *const *)b)->copy_page;

	if (x->model_id != y->model_id)
		return x->model_id < y->model_id ? -1 : 1;
	return (x->branch_id > y->branch_id) - (x->branch_id < y->branch_id);
}

static void
count_stocks(void)
{
	struct mem_car **car = arena_array(cache.m, struct mem_car *, cache.n_cars + 1);
	struct stock *s = cache.stock = arena_array(cache.m, struct stock, cache.n_cars + 1);

	cache.n_stocks = 0;
	for (int i = 0; i < cache.n_cars; i++)
		car[i] = &cache.car[i];
	if (cache.n_cars)
		qsort(car, (size_t)cache.n_cars, sizeof(car[0]), by_stock);
	for (int i = 0; i < cache.n_cars; i++) {
		if (i == 0 || by_stock(&car[i - 1], &car[i]) != 0) {
			s = &cache.stock[cache.n_stocks++];
			*s = (struct stock){ .model_id = car[i]->copy_page->model_id,
				.branch_id = car[i]->branch_id,
				.copy_page = car[i]->copy_page };
		}
		s->n_cars++;
		car[i]->stock = (unsigned short)(s - cache.stock);
	}
}

static void
read_cars(struct db *db)
{
	struct arena *before = db_memory(db);
	struct free_car *cars = NULL;
	int n = 0;

	db_arena(db, cache.m);
	db_list(db, &free_car_shape, &cars, &n,
		"SELECT " FREE_CAR_COLUMNS
		" FROM v_car WHERE service = 'IN_SERVICE' ORDER BY daily_price, car_id /*scan*/ /*sort*/");
	db_arena(db, before);
	cache.car = arena_array(cache.m, struct mem_car, n ? n : 1);
	cache.by_id = arena_array(cache.m, struct mem_car *, n ? n : 1);
	cache.n_cars = n;
	for (int i = 0; i < n; i++) {
		cache.car[i] = mem_car(&cars[i]);
		cache.by_id[i] = &cache.car[i];
	}
	if (n)
		qsort(cache.by_id, (size_t)n, sizeof(cache.by_id[0]), by_car_id);
	count_stocks();
}

/* Car by car through the index by end: past slots are not read, however many there are. */
static void
read_slots(struct db *db, int64_t now)
{
	for (int i = 0; i < cache.n_cars; i++) {
		struct rows *r = db_each(db,
			"SELECT slot_id, starts_at, busy_until FROM slot WHERE car_id = $1 AND kind <> 'RELEASED'"
			" AND busy_until > $2"
			" ORDER BY busy_until",
			cache.car[i].car_id, now);

		while (db_next(r))
			add_span(&cache.car[i], (struct span){ row_int(r, 0), row_int(r, 1), row_int(r, 2) });
	}
}

static void
read_calendar(struct db *db, int64_t cars_rev, int64_t n_all_cars)
{
	if (!cache.m)
		cache.m = arena_new((size_t)1 << 30);
	arena_reset(cache.m);
	memset(cache.availability, 0, sizeof(cache.availability));
	cache.cars_rev = cars_rev;
	cache.n_all_cars = n_all_cars;
	cache.slots_rev = db_int(db,
		"SELECT COALESCE(MAX(rev), 0) FROM"
		" slot"); /* before the rows: later ones are applied twice, which is harmless */
	cache.read_at = clock_now();
	read_cars(db);
	read_slots(db, cache.read_at - DAY);
}

static void
read_changes(struct db *db)
{
	struct rows *r = db_each(db,
		"SELECT slot_id, car_id, kind, starts_at, busy_until, rev FROM slot WHERE rev > $1 ORDER BY rev",
		cache.slots_rev);

	while (db_next(r)) {
		struct mem_car *c = car_of(row_int(r, 1));

		cache.slots_rev = row_int(r, 5);
		if (!c)
			continue;
		drop_span(c, row_int(r, 0));
		if (strcmp(row_peek(r, 2), "RELEASED") != 0)
			add_span(c, (struct span){ row_int(r, 0), row_int(r, 3), row_int(r, 4) });
	}
}

static void
refresh(struct db *db)
{
	int64_t version = db_data_version(db), cars_rev, n_all_cars;
	bool stale = !cache.m || clock_now() > cache.read_at + HOUR || clock_now() < cache.read_at;

	if (version == cache.version && !stale)
		return;
	cars_rev = db_int(db, "SELECT COALESCE(MAX(rev), 0) FROM v_car_rev");
	n_all_cars = db_int(db, "SELECT COUNT(*) FROM v_car_rev /*scan*/");
	if (stale || cars_rev != cache.cars_rev || n_all_cars != cache.n_all_cars)
		read_calendar(db, cars_rev, n_all_cars);
	else
		read_changes(db);
	cache.version = version;
	if (db_failed(db)) /* the read may be incomplete: all of it again */
		cache.version = cache.read_at = -HOUR;
}

/* --- searching ---------------------------------------------------------------------------------------------------- */

static bool
is_free(const struct mem_car *c, int64_t from, int64_t until)
{
	int low = 0, high = c->n_spans;

	while (low < high) { /* the first span that ends after from */
		int mid = (low + high) / 2;

		if (c->span[mid].busy_until > from)
			high = mid;
		else
			low = mid + 1;
	}
	return low == c->n_spans || c->span[low].starts_at >= until;
}

/* The bits for one interval. version 0: unused, since data_version begins at 1. */
static const struct availability *
free_between(int64_t from, int64_t until)
{
	uint64_t hash = (uint64_t)from * 0x9E3779B97F4A7C15u ^ (uint64_t)until * 0xC2B2AE3D27D4EB4Fu;
	struct availability *a = &cache.availability[hash >> 54];
	int n_words = (cache.n_cars + 63) / 64;

	if (a->is_free && a->version == cache.version && a->from == from && a->until == until)
		return a;
	if (!a->is_free) {
		a->is_free = arena_array(cache.m, uint64_t, n_words ? n_words : 1);
		a->n_free = arena_array(cache.m, int, cache.n_stocks + 1);
	}
	*a = (struct availability){ cache.version, from, until, a->is_free, a->n_free };
	memset(a->n_free, 0, sizeof(a->n_free[0]) * (size_t)cache.n_stocks);
	for (int w = 0; w < n_words; w++) {
		uint64_t bits = 0;

		for (int i = w * 64; i < w * 64 + 64 && i < cache.n_cars; i++)
			if (is_free(&cache.car[i], from, until)) {
				bits |= (uint64_t)1 << (i % 64);
				a->n_free[cache.car[i].stock]++;
			}
		a->is_free[w] = bits;
	}
	return a;
}

static inline bool
wanted(const struct mem_car *c, const struct car_query *q)
{
	return (!q->branch_id || c->branch_id == q->branch_id) && (q->body < 0 || c->body == q->body)
		&& (q->fuel < 0 || c->fuel == q->fuel) && c->seats >= q->seats
		&& (!q->region || strcmp(c->copy_page->region, q->region) == 0);
}

/* A result and its place in the order: by key, then by car. */
struct hit { int64_t key; const struct mem_car *car; int64_t total; };

static const char *
hit_name(const struct hit *h, enum search_order order)
{
	return lang_pick(
		order == SEARCH_BY_NAME_KO ? LANG_KO : LANG_EN, h->car->copy_page->name, h->car->copy_page->name_ko);
}

static int
before(const struct hit *a, const struct hit *b, enum search_order order)
{
	if (order == SEARCH_BY_NAME || order == SEARCH_BY_NAME_KO) {
		int by_name = strcmp(hit_name(a, order), hit_name(b, order));

		if (by_name != 0)
			return by_name < 0;
	} else if (a->key != b->key)
		return a->key < b->key;
	return a->car->car_id < b->car->car_id;
}

static int64_t
key_of(const struct mem_car *c, int64_t total, enum search_order order)
{
	switch (order) {
	case SEARCH_BY_PRICE: return total;
	case SEARCH_BY_PRICE_DOWN: return -total;
	case SEARCH_BY_SEATS: return -c->seats * 1000000000000LL + total;
	case SEARCH_BY_NAME:
	case SEARCH_BY_NAME_KO: return 0;
	}
	return 0;
}

/* Keeps the best `room` hits in a heap with the worst on top: a page out of a thousand cars costs few moves. */
static void
sift_down(struct hit *heap, int n, int i, enum search_order order)
{
	for (;;) {
		int worst = i;

		for (int child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (before(&heap[worst], &heap[child], order))
				worst = child;
		if (worst == i)
			return;
		struct hit h = heap[i];

		heap[i] = heap[worst];
		heap[worst] = h;
		i = worst;
	}
}

static void
keep_best(struct hit *heap, int *n, int room, struct hit h, enum search_order order)
{
	if (*n == room) {
		if (!before(&h, &heap[0], order))
			return;
		heap[0] = h;
		sift_down(heap, *n, 0, order);
		return;
	}
	heap[(*n)++] = h;
	if (*n == room)
		for (int i = room / 2 - 1; i >= 0; i--)
			sift_down(heap, room, i, order);
}

/* Heap to list, best first. */
static void
sort_best(struct hit *heap, int n, int room, enum search_order order)
{
	if (n < room)
		for (int i = n / 2 - 1; i >= 0; i--)
			sift_down(heap, n, i, order);
	for (int end = n - 1; end > 0; end--) {
		struct hit h = heap[0];

		heap[0] = heap[end];
		heap[end] = h;
		sift_down(heap, end, 0, order);
	}
}

static int
copy_page(struct arena *m, const struct availability *a, const struct hit *hit, int n, const struct car_query *q,
	struct free_car **cars)
{
	int n_cars = n > q->offset ? n - q->offset : 0;

	*cars = arena_array(m, struct free_car, n_cars ? n_cars : 1);
	for (int i = 0; i < n_cars; i++) {
		const struct hit *h = &hit[q->offset + i];

		(*cars)[i] = *h->car->copy_page;
		(*cars)[i].total_amount = h->total;
		(*cars)[i].vat_amount = vat_share(h->total);
		(*cars)[i].n_of_model = a->n_free[h->car->stock];
	}
	return n_cars;
}

/* A free car: does it match, what does it cost, is it among the best? Answers whether it matches. */
static bool
consider_car(const struct mem_car *c, const struct car_query *q, const struct duration *d, struct hit *best, int *n,
	int room)
{
	int64_t total;

	if (!wanted(c, q))
		return false;
	total = duration_price(d, c->daily_price, c->hourly_price);
	if (q->max_price && total > q->max_price)
		return false;
	keep_best(best, n, room, (struct hit){ key_of(c, total, q->order), c, total }, q->order);
	return true;
}

int
calendar_search(struct db *db, struct arena *m, const struct car_query *q, struct free_car **cars, int *n_cars)
{
	struct duration d = duration_of(q->starts_at, q->ends_at);
	int room = q->offset + q->limit, n = 0, n_free = 0;
	const struct availability *a;
	struct hit *best;

	refresh(db);
	a = free_between(q->starts_at, q->ends_at + rental.turnaround_s);
	if (room > cache.n_cars)
		room = cache.n_cars;
	best = arena_array(m, struct hit, room ? room : 1);
	for (int w = 0; w * 64 < cache.n_cars; w++)
		for (uint64_t bits = a->is_free[w]; bits; bits &= bits - 1)
			n_free += consider_car(&cache.car[w * 64 + __builtin_ctzll(bits)], q, &d, best, &n, room);
	sort_best(best, n, room, q->order);
	*n_cars = copy_page(m, a, best, n, q, cars);
	return n_free;
}

int
calendar_n_cars(struct db *db)
{
	refresh(db);
	return cache.n_cars;
}

/* Stocks are sorted by model: the first of this model by binary search. */
int
calendar_model(struct db *db, struct arena *m, int64_t model_id, int64_t starts_at, int64_t ends_at,
	struct model_stock **branches)
{
	const struct availability *a;
	int low = 0, high, n = 0;

	refresh(db);
	a = free_between(starts_at, ends_at + rental.turnaround_s);
	for (high = cache.n_stocks; low < high;) {
		int mid = (low + high) / 2;

		if (cache.stock[mid].model_id < model_id)
			low = mid + 1;
		else
			high = mid;
	}
	for (high = low; high < cache.n_stocks && cache.stock[high].model_id == model_id; high++)
		;
	*branches = arena_array(m, struct model_stock, high - low + 1);
	for (int i = low; i < high; i++) {
		const struct stock *s = &cache.stock[i];

		(*branches)[n++] = (struct model_stock){ s->branch_id, s->n_cars, a->n_free[i],
			s->copy_page->branch_name, s->copy_page->branch_name_ko };
	}
	return n;
}

/* --- the same by SQL alone, for tests ----------------------------------------------------------------------------- */

static enum search_order sql_order;

static int
by_order(const void *a, const void *b)
{
	const struct free_car *x = a, *y = b;
	const struct mem_car mx = mem_car(x), my = mem_car(y);
	const struct hit hx = { key_of(&mx, x->total_amount, sql_order), &mx, x->total_amount };
	const struct hit hy = { key_of(&my, y->total_amount, sql_order), &my, y->total_amount };

	return before(&hx, &hy, sql_order) ? -1 : before(&hy, &hx, sql_order);
}

int
calendar_search_sql(struct db *db, struct arena *m, const struct car_query *q, struct free_car **cars, int *n_cars)
{
	struct free_car *all = NULL;
	int n_all = 0, n_free = 0;

	db_list(db, &free_car_shape, &all, &n_all,
		"SELECT " FREE_CAR_COLUMNS
		" FROM v_car c WHERE service = 'IN_SERVICE' AND NOT EXISTS (SELECT 1 FROM slot s"
		" WHERE s.car_id = c.car_id"
		" AND s.kind <> 'RELEASED' AND s.busy_until > $1 AND s.starts_at < $2) /*scan*/ /*sort*/",
		q->starts_at, q->ends_at + rental.turnaround_s);
	for (int i = 0; i < n_all; i++) {
		const struct mem_car c = mem_car(&all[i]);

		all[i].total_amount = price_total(q->starts_at, q->ends_at, all[i].daily_price, all[i].hourly_price);
		all[i].vat_amount = vat_share(all[i].total_amount);
		if (wanted(&c, q) && (!q->max_price || all[i].total_amount <= q->max_price))
			all[n_free++] = all[i];
	}
	sql_order = q->order;
	if (n_free)
		qsort(all, (size_t)n_free, sizeof(all[0]), by_order);
	*n_cars = n_free > q->offset ? n_free - q->offset : 0;
	if (*n_cars > q->limit)
		*n_cars = q->limit;
	*cars = arena_array(m, struct free_car, *n_cars ? *n_cars : 1);
	if (*n_cars)
		memcpy(*cars, all + q->offset, sizeof(all[0]) * (size_t)*n_cars);
	return n_free;
}
