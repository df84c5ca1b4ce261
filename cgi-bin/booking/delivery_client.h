/*
 * delivery_client - booking's call to delivery (docs/calls.md): before a booking is cancelled, delivery must confirm
 * that its car will not be delivered. A table of functions, as in payment_client.h.
 */
#ifndef MP_BOOKING_DELIVERY_CLIENT_H
#define MP_BOOKING_DELIVERY_CLIENT_H

#include "booking.h"

enum delivery_answer {
	DELIVERY_ANSWER_CANCELLED,     /* no car is delivered, and none will be */
	DELIVERY_ANSWER_SHIPPED,       /* too late: the courier is on the way or has arrived */
	DELIVERY_ANSWER_NOT_ASKED,     /* certainly nothing happened: delivery is down or refuses calls */
	DELIVERY_ANSWER_UNKNOWN,       /* asked, no answer in time: ask again */
};

struct delivery_client {
	enum delivery_answer (*cancel)(struct db *db, const struct booking *b, const char *reason);
	int (*closed_for_s)(void);      /* as in payment_client.h */
};
extern const struct delivery_client *delivery_client;   /* &delivery_by_call */
extern const struct delivery_client delivery_by_call;

int delivery_closed_for_s(void);

#endif
