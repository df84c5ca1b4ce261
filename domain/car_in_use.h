/*
 * car_in_use - who has a car now, as booking's custody says, for the programs that must refuse to hand it to another
 * person: booking at the counter, delivery on a courier's way.
 */
#ifndef MP_CAR_IN_USE_H
#define MP_CAR_IN_USE_H

#include "lib/base/shape.h"
#include "lib/web/web.h"

/* customer: of a booking; staff: a courier on the way, or a move */
enum custody_kind { CUSTODY_CUSTOMER, CUSTODY_STAFF };
extern const struct words custody_kind_words;

struct custody {
	int kind;                               /* enum custody_kind */
	int64_t car_id, user_id, from_at;
	int64_t due_at;                         /* the end of the booking; 0: a courier has it */
	const char *booking_code;               /* "": a way without a booking */
	const char *plate, *user_name;
};
extern const struct shape custody_shape;

/* {"error":{"code":"car_in_use","message":…,"details":{…}}} */
struct car_in_use { const char *code, *message, *request_id; struct custody details; };
struct car_in_use_answer { struct car_in_use error; };
extern const struct shape car_in_use_shape;

const char *car_in_use_words(struct arena *m, const struct custody *c);         /* for people */
enum status car_in_use_json(struct web *w, const struct custody *c);            /* 409, for programs */

#endif
