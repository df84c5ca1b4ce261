/*
 * gone - the cars of a confirmed booking as fleet has them now: one that is not in service is not handed over, and a
 * booking whose cars were moved is handed over at the new branch once a manager has said so. Until that is settled the
 * booking needs attention (STUCK_CAR_GONE).
 */
#ifndef MP_BOOKING_GONE_H
#define MP_BOOKING_GONE_H

#include "booking.h"
#include "domain/car_gone.h"

/* The first of the booking's cars that is not in service. false: all are. */
bool booking_car_gone(struct db *db, const struct booking *b, struct car_gone *gone);

/* Where its cars are now, when that is one branch and not the booking's. */
struct new_branch {
	int64_t branch_id;
	const char *branch_name, *branch_name_ko, *branch_address, *branch_address_ko, *branch_phone;
};
extern const struct shape new_branch_shape;
enum cars_place {
	CARS_AT_BRANCH,         /* at the booking's branch */
	CARS_AT_OTHER,          /* all at *at, which is another one */
	CARS_APART,             /* at several branches */
};
enum cars_place booking_cars_place(struct db *db, const struct booking *b, struct new_branch *at);

enum move_outcome {
	MOVE_DONE,              /* now, or it was done before: a second click does no harm */
	MOVE_WRONG_STATE,       /* not CONFIRMED, or being cancelled */
	MOVE_ELSEWHERE,         /* its cars are not all at that branch */
};
/* The booking's cars are handed over at that branch, where they are. The customer is told (booking.moved). */
enum move_outcome booking_move(struct db *db, struct booking *b, int64_t branch_id, int64_t actor_id);

#endif
