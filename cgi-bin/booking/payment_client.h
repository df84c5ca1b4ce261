/*
 * payment_client - booking's calls to payment (docs/calls.md). A table of functions, so that tests and the demo
 * generator can replace them; by default each goes over payment's internal socket within settings.call_deadline_ms.
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
	REFUND_ANSWER_PENDING,  /* payment has it, and retries until the provider has done it */
	REFUND_ANSWER_LATER,    /* not reached: ask again */
	REFUND_ANSWER_REFUSED,  /* payment finds nothing to refund: a person must look into it */
};

/* A refund of a booking's charge: the same key is never refunded twice. */
struct booking_refund {
	const char *key, *reason;
	const char *charge_key;                 /* of the try that it is about */
	int64_t amount;                 /* 0: void the whole charge, whatever its state */
};

/* Why payment has not made a refund: last_error (domain/stuck.c). */
const char *refund_answer_code(enum refund_answer answer);

/* What we pay a booking's customer beyond refunds: the same key is owed once. */
struct booking_payout { const char *key, *kind; int64_t amount; };
enum payout_answer {
	PAYOUT_ANSWER_DONE,     /* payment owes it */
	PAYOUT_ANSWER_LATER,    /* not reached, or no answer: ask again */
	PAYOUT_ANSWER_REFUSED,  /* a mistake of the program: a person must look into it */
};

struct payment_client {
	/* Its current try. p: NULL, or without payment_key: the saved card. *reason: DECLINED: payment's code */
	enum charge_answer (*charge)(struct db *db, const struct booking *b, const struct booking_payment *p,
		int64_t *charge_id, const char **reason);
	enum charge_answer (*look_up)(struct db *db, const struct booking *b, int64_t *charge_id, const char **reason);
	/* *refunded_amount: of the charge, all refunds together */
	enum refund_answer (*refund)(struct db *db, const struct booking *b, const struct booking_refund *refund,
		int64_t *refunded_amount);
	/* seconds until payment's breaker lets calls through again; 0: now. NULL: always 0 */
	int (*closed_for_s)(void);
	/* The customer's key at the provider, which is made if there is none; NULL: payment does not answer */
	const char *(*customer_key)(struct db *db, int64_t customer_id);
	enum payout_answer (*payout)(struct db *db, const struct booking *b, const struct booking_payout *payout);
};
extern const struct payment_client *payment_client;     /* &payment_by_call */
extern const struct payment_client payment_by_call;

int payment_closed_for_s(void);
/* Voids every charge that was asked for. DONE: all of them; *refunded: what was refunded of one (tries.c) */
enum refund_answer booking_void_tries(struct db *db, const struct booking *b, int64_t *refunded);

#endif
