/*
 * model - 상품: any car of a model, one to five of them in one booking.
 *
 * The customer orders a number of cars of a model; the cars are chosen from the table inside the transaction that holds
 * them. All are at one branch, and either all are held or none is. The first car is in the booking itself (car_id,
 * plate, car_name), the others are in booking_car. Each has its slot; what happens to the booking happens to all of
 * them.
 */
#ifndef MP_BOOKING_MODEL_H
#define MP_BOOKING_MODEL_H

#include "calendar.h"

#define CARS_MAX 5              /* of one booking */

/* A car as it is booked; with the model's prices when the model was ordered. */
struct rentable {
	int64_t car_id, branch_id, daily_price, hourly_price;
	const char *name, *name_ko, *plate, *body, *branch_name, *branch_name_ko;
};
extern const struct shape rentable_shape;
#define RENTABLE_COLUMNS \
	"car_id, branch_id, daily_price, hourly_price, name, name_ko, plate, body, branch_name, branch_name_ko"

/*
 * The o->qty cars for this order, inside the caller's transaction: in service, free, all at o->branch_id, or where most
 * are free. Of one branch, first those with the shortest free gap around the interval, then by car_id, so that cars
 * that are free for long stay so. OK, FEWER_CARS, NO_CAR: no such model on sale.
 */
enum booking_outcome model_choose(struct db *db, const struct booking_order *o, struct rentable *cars);

/* A booking's cars: listed from those chosen; held, with their rows (false: one is taken); read. */
void booking_list_cars(struct booking *b, const struct rentable *cars, struct arena *m);
bool booking_hold_cars(struct db *db, struct booking *b);
void booking_read_cars(struct db *db, struct booking *b);

/* --- what is offered --- */
struct model_branch {
	int64_t branch_id, n_cars, n_free;
	const char *branch_name;        /* in the reader's language */
};
struct model_offer {
	int64_t model_id, seats, daily_price, hourly_price;
	const char *name, *name_ko, *photo;     /* photo: of one of its cars */
	int body, fuel, gearbox;
	int64_t n_cars, n_free;         /* in service; free in the interval, over all branches */
	int64_t n_at_once; /* … at the branch that has most of them: so many can be booked together, CARS_MAX at most */
	int64_t total_amount;           /* of one car, for the interval */
	struct model_branch *branches;
	int n_branches;
};
extern const struct shape model_offer_shape;

/* Models on sale that have cars in service, by name. */
int64_t offers_count(struct db *db);
int offers_list(struct db *db, int64_t offset, int limit, struct model_offer **models);
bool offer_find(struct db *db, int64_t model_id, struct model_offer *model);    /* false: not on sale */
bool offer_is_on_sale(struct db *db, int64_t model_id);                         /* as of a second ago at most */
/* How many are free in [starts_at, ends_at), from the calendar in memory, and what one costs. */
void offer_count_free(struct db *db, struct arena *m, struct model_offer *model, int64_t starts_at, int64_t ends_at);

#endif
