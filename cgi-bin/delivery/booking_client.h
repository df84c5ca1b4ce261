/*
 * booking_client - delivery's call to booking (docs/calls.md): before a courier leaves with a car, hands it over, has
 * collected it or is back with it, booking records who has it, or refuses. A table of functions, so that tests answer
 * instead.
 */
#ifndef MP_DELIVERY_BOOKING_CLIENT_H
#define MP_DELIVERY_BOOKING_CLIENT_H

#include "delivery.h"

enum booking_answer {
	BOOKING_ANSWER_DONE,
	BOOKING_ANSWER_IN_USE,          /* another person has the car: *other. Nothing changed */
	BOOKING_ANSWER_OUT_OF_SERVICE,  /* one of the cars is not in service: other->plate. Nothing changed */
	BOOKING_ANSWER_REFUSED,         /* the booking is not in a state for it. Nothing changed */
	BOOKING_ANSWER_NOT_ASKED,       /* certainly nothing happened: booking is down or refuses calls */
	BOOKING_ANSWER_UNKNOWN,         /* asked, no answer in time: ask again with the same key */
};

/* step: leave, hand_over, collect, back; begun_key: of the way that `back` ends */
struct custody_call { const char *key, *begun_key, *booking_code, *step; int64_t user_id; };

struct booking_client {
	enum booking_answer (*custody)(struct db *db, const struct custody_call *c, struct custody *other);
	int (*closed_for_s)(void);      /* in how many seconds calls are let through again; NULL: always now */
};
extern const struct booking_client *booking_client;     /* &booking_by_call */
extern const struct booking_client booking_by_call;

int booking_closed_for_s(void);

#endif
