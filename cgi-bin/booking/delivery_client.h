/*
 * deliveries - booking's side of the call to delivery (docs/calls.md): before a booking is cancelled, its car must not be brought any
 * more. A table of functions, as in payments.h.
 */
#ifndef MP_DELIVERIES_H
#define MP_DELIVERIES_H

#include "booking.h"

enum delivery_answer {
	DELIVERY_CANCELLED,     /* no car is brought, and none will be */
	DELIVERY_SHIPPED,       /* too late: the courier is on the way, or was there */
	DELIVERY_NOT_ASKED,     /* certainly nothing happened: delivery is down or refuses work */
	DELIVERY_UNKNOWN,       /* asked, no answer in time: ask again */
};

struct deliveries {
	enum delivery_answer (*cancel)(struct db *db, const struct booking *b, const char *reason);
	int (*closed_for_s)(void);      /* as in payments.h */
};
extern const struct deliveries *deliveries;     /* &deliveries_by_call */
extern const struct deliveries deliveries_by_call;

#endif
