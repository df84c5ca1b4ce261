/*
 * deliveries - booking's side of the call to delivery (docs/calls.md): before a booking is cancelled, its car must not be brought any
 * more. A table of functions, as in payment_client.h.
 */
#ifndef MP_BOOKING_DELIVERY_CLIENT_H
#define MP_BOOKING_DELIVERY_CLIENT_H

#include "booking.h"

enum delivery_answer {
	DELIVERY_ANSWER_CANCELLED,     /* no car is brought, and none will be */
	DELIVERY_ANSWER_SHIPPED,       /* too late: the courier is on the way, or was there */
	DELIVERY_ANSWER_NOT_ASKED,     /* certainly nothing happened: delivery is down or refuses work */
	DELIVERY_ANSWER_UNKNOWN,       /* asked, no answer in time: ask again */
};

struct deliveries {
	enum delivery_answer (*cancel)(struct db *db, const struct booking *b, const char *reason);
	int (*closed_for_s)(void);      /* as in payment_client.h */
};
extern const struct deliveries *deliveries;     /* &deliveries_by_call */
extern const struct deliveries deliveries_by_call;

#endif
