/*
 * calendar - who has which car when: the slots, and the same in memory for searching.
 *
 * The table decides: its triggers refuse an overlap. Searches read a copy, in each worker's memory, of all cars and all
 * unreleased future slots; when the database has changed, the rows with a higher rev are read: 6 µs instead of 64. The
 * copy may be a moment old.
 */
#ifndef MP_BOOKING_CALENDAR_H
#define MP_BOOKING_CALENDAR_H

#include "booking.h"

/* --- the table; inside the caller's transaction --- */
/* false: taken */
bool calendar_hold(struct db *db, int64_t car_id, int64_t booking_id, int64_t starts_at, int64_t ends_at);
void calendar_book(struct db *db, int64_t booking_id);          /* HOLD → BOOKED */
void calendar_release(struct db *db, int64_t booking_id);       /* → RELEASED: the car is free */
void calendar_end(struct db *db, int64_t booking_id, int64_t at); /* returned: busy until at + turnaround */
/* late: busy until then, unless another booking has that time */
void calendar_extend(struct db *db, int64_t slot_id, int64_t until);

/* --- searching --- */
struct car_query {
	int64_t starts_at, ends_at;
	int64_t branch_id;              /* 0: all */
	const char *region;             /* NULL: all */
	int body, fuel;                 /* -1: all (body_words, fuel_words) */
	int64_t seats, max_price;       /* at least; at most in total; 0: any */
	enum search_order { SEARCH_BY_PRICE, SEARCH_BY_PRICE_DOWN, SEARCH_BY_SEATS, SEARCH_BY_NAME,
		SEARCH_BY_NAME_KO } order;
	int offset, limit;
};

struct free_car {
	int64_t car_id, model_id, branch_id, seats, daily_price, hourly_price;  /* model_id 0: of none */
	const char *name, *name_ko, *plate, *branch_name, *branch_name_ko, *region, *photo;
	int body, fuel, gearbox;
	int64_t total_amount, vat_amount;       /* for the interval of the query */
	int64_t n_of_model; /* cars of its model free at its branch in that interval, this one among them */
};

/* Fills *cars (in m) with one page of the cars free in [starts_at, ends_at) with their total; answers how many there
 * are in all. */
int calendar_search(struct db *db, struct arena *m, const struct car_query *q, struct free_car **cars, int *n_cars);
/* The same by SQL alone, for tests to compare with. */
int calendar_search_sql(struct db *db, struct arena *m, const struct car_query *q, struct free_car **cars, int *n_cars);

/* The cars of a model at each branch that has any in service: how many there are, and how many are free in [starts_at,
 * ends_at). */
struct model_stock {
	int64_t branch_id, n_cars, n_free;
	const char *branch_name, *branch_name_ko;
};
int calendar_model(struct db *db, struct arena *m, int64_t model_id, int64_t starts_at, int64_t ends_at,
	struct model_stock **branches);
int calendar_model_sql(struct db *db, int64_t model_id, int64_t starts_at, int64_t ends_at,
	struct model_stock **branches); /* for tests */

/* One car's busy intervals that touch [from, until), oldest first. */
struct taken_interval { int64_t starts_at, ends_at, busy_until; };
int calendar_of_car(struct db *db, int64_t car_id, int64_t from, int64_t until, struct taken_interval **busy);
extern const struct shape taken_interval_shape;
bool calendar_is_free(struct db *db, int64_t car_id, int64_t starts_at, int64_t ends_at);
int calendar_n_cars(struct db *db);                             /* in service */

/* --- what fleet publishes of cars and branches --- */
struct car_facts {
	int64_t car_id, seats, daily_price, hourly_price, branch_id;
	const char *name, *name_ko, *branch_name, *branch_name_ko, *branch_address, *branch_address_ko, *branch_phone,
		*photo;
	int body, fuel, gearbox, service;
};
extern const struct shape car_facts_shape;
bool car_facts(struct db *db, int64_t car_id, struct car_facts *car);   /* retired ones are not found */
/* its branch; the rest is left as it is */
void car_facts_branch(struct db *db, int64_t branch_id, struct car_facts *car);

struct branch_option { int64_t branch_id; const char *name, *name_ko, *region, *id_text; };
/* by region and name; as of a second ago at most */
int branches_open(struct db *db, const struct branch_option **branches);
const char *branch_option_label(const struct branch_option *b);                /* in the reader's language */

extern const struct shape free_car_shape;        /* words of body, fuel and gearbox: domain/cars.h */

#endif
