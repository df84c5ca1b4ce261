/*
 * payments - booking's side of the calls to payment (docs/calls.md). A table of functions, so that tests and the demo
 * generator can put others in their place; by default they go over payment's internal socket with settings.call_deadline_ms.
 */
#ifndef MP_BOOKING_PAYMENT_CLIENT_H
#define MP_BOOKING_PAYMENT_CLIENT_H

#include "booking.h"

enum charge_answer {
	CHARGE_ANSWER_APPROVED,
	CHARGE_ANSWER_DECLINED,
	CHARGE_ANSWER_NOT_ASKED,       /* certainly nothing happened: payment is down or refuses work */
	CHARGE_ANSWER_UNKNOWN,         /* asked, no answer in time */
	CHARGE_ANSWER_NEVER_SEEN,      /* look-up only: payment does not know the key */
};
enum refund_answer {
	REFUND_ANSWER_DONE,
	REFUND_ANSWER_PENDING,  /* payment knows, and goes on until the provider has done it */
	REFUND_ANSWER_LATER,    /* not reached: ask again */
	REFUND_ANSWER_REFUSED,  /* payment says there is nothing to give back: somebody must look */
};

/* What is to go back of a booking's charge: under a key, so that the same is never paid back twice. */
struct payback {
	const char *key, *reason;
	int64_t amount;                 /* 0: void the charge whole, whatever became of it */
};

struct payments {
	enum charge_answer (*charge)(struct db *db, const struct booking *b, const char *payment_key, int64_t *charge_id, const char **reason);
	enum charge_answer (*look_up)(struct db *db, const struct booking *b, int64_t *charge_id);
	enum refund_answer (*refund)(struct db *db, const struct booking *b, const struct payback *p, int64_t *refunded_amount /* of the charge, in all */);
	int (*closed_for_s)(void);      /* payment's breaker is open: so many seconds on it is asked again; 0: it can be asked. NULL: always */
};
extern const struct payments *payments; /* &payments_by_call */
extern const struct payments payments_by_call;

#endif
