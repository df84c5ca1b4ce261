/*
 * custody - which car is with whom from when to when, really; the calendar is the plan.
 *
 * A booking's cars are with its customer from the hand-over until the return (CUSTODY_CUSTOMER), and with a courier on
 * the way there and back (CUSTODY_STAFF). No two custodies of one car overlap: the schema refuses it. Each begins and
 * ends in the transaction of the step that it belongs to.
 */
#ifndef MP_BOOKING_CUSTODY_H
#define MP_BOOKING_CUSTODY_H

#include "booking.h"
#include "gone.h"
#include "domain/car_in_use.h"

/* The first of the booking's cars that is in use. own_courier: a courier's custody for this booking counts too. */
bool custody_in_use(struct db *db, const struct booking *b, bool own_courier, struct custody *c);
bool custody_is_with_courier(struct db *db, const struct booking *b);   /* one of its cars, for this booking */
/* In the hours of the booking. true: another person still has one of its cars, *c. Else *until: when the last of them
 * was back; 0: the cars were there all the time. */
bool custody_of_others(struct db *db, const struct booking *b, int64_t *until, struct custody *c);
/* The first custody of one of its cars that began since b->ended_at, or has not ended. */
bool custody_since(struct db *db, const struct booking *b, struct custody *c);
/* Each of its cars was returned by its customer, so that custody_resume() leaves none out. */
bool custody_may_resume(struct db *db, const struct booking *b);

/* --- inside the caller's transaction, for all cars of the booking --- */
void custody_begin(struct db *db, const struct booking *b, enum custody_kind kind, int64_t user_id, const char *key);
/* ended_by: returned, handed_on */
void custody_end(struct db *db, const struct booking *b, enum custody_kind kind, const char *ended_by);
/* The customer has the cars, as if they had not been returned. */
void custody_resume(struct db *db, const struct booking *b);
/* The customer has the car, says a report that cannot be refused any more: what others have of it ends now. Their
 * bookings stay OUT and need attention (STUCK_CUSTODY). */
void custody_take_over(struct db *db, const struct booking *b);

/* --- custody_step.c: a courier's step, which delivery asks for before it takes it (docs/calls.md) --- */
enum custody_step {
	CUSTODY_LEAVE,          /* the courier leaves with the cars */
	CUSTODY_HAND_OVER,      /* … and hands them to the customer: OUT */
	CUSTODY_COLLECT,        /* the courier has collected them from the customer: RETURNED */
	CUSTODY_BACK,           /* … or has come back with them: they are at the branch */
};
extern const struct words custody_step_words;

struct custody_request {
	const char *key;        /* the same again changes nothing and gives the same answer */
	const char *begun_key;  /* back: the key of the step that has begun this way */
	const char *booking_code;
	int step;               /* enum custody_step */
	int64_t user_id;        /* the courier */
};
enum custody_outcome {
	CUSTODY_DONE,
	CUSTODY_IN_USE,         /* another person has one of the cars: *other. Nothing changed */
	CUSTODY_OUT_OF_SERVICE, /* one of the cars is not in service: *gone. Nothing changed */
	CUSTODY_WRONG_STATE,    /* the booking is not in a state for it. Nothing changed */
};
/* Why not. */
struct custody_refusal { struct custody other; struct car_gone gone; };
enum custody_outcome custody_take_step(struct db *db, const struct custody_request *q, struct custody_refusal *why);

#endif
