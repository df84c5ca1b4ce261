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

enum custody_kind { CUSTODY_CUSTOMER, CUSTODY_STAFF };
extern const struct words custody_kind_words;

/* Who has a car now. */
struct custody {
	int kind;                               /* enum custody_kind */
	int64_t car_id, user_id, from_at;
	int64_t due_at;                         /* the end of the booking; 0: a courier has it */
	const char *booking_code;               /* "": a way without a booking */
	const char *plate, *user_name;
};
extern const struct shape custody_shape;

/* The first of the booking's cars that somebody has. own_courier: a courier's custody for this booking counts too. */
bool custody_in_use(struct db *db, const struct booking *b, bool own_courier, struct custody *c);

/* --- inside the caller's transaction, for all cars of the booking --- */
void custody_begin(struct db *db, const struct booking *b, enum custody_kind kind, int64_t user_id, const char *key);
/* ended_by: returned, handed_on */
void custody_end(struct db *db, const struct booking *b, enum custody_kind kind, const char *ended_by);
/* The customer has the car, says a report that cannot be refused any more: what others have of it ends now. Their
 * bookings stay OUT and need attention (STUCK_CUSTODY). */
void custody_take_over(struct db *db, const struct booking *b);

#endif
