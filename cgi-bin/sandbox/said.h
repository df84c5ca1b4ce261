/*
 * said - what the provider says, as JSON: members and their names as in Toss Payments' API, so not ours in style.
 */
#ifndef MP_SANDBOX_SAID_H
#define MP_SANDBOX_SAID_H

#include "sandbox.h"

struct said_card { const char *issuerCode, *number, *cardType; int64_t amount; };
struct said_error { const char *code, *message; };
struct said_cancel { const char *cancelReason, *transactionKey, *cancelStatus; int64_t cancelAmount, canceledAt; };

struct said_payment {
	const char *version, *paymentKey, *type, *orderId, *orderName, *mId, *currency, *method, *status, *cardCompany;
	int64_t totalAmount, balanceAmount, suppliedAmount, vat, requestedAt, approvedAt;
	struct said_card card;
	struct said_error *failure;
	struct said_cancel *cancels;
	int n_cancels;
};

struct said_billing { const char *mId, *customerKey, *method, *billingKey, *cardCompany, *cardNumber; int64_t authenticatedAt; struct said_card card; };

struct said_webhook { const char *eventType; int64_t createdAt; struct said_payment data; };

extern const struct shape said_error_shape, said_payment_shape, said_billing_shape, said_webhook_shape;

struct said_card say_card(struct arena *m, int64_t card, int64_t amount);
struct said_payment say_payment(struct db *db, const struct sb_payment *p);
const char *said_number(struct arena *m, const struct test_card *card);        /* "42424242****4242" */
const char *said_json(struct arena *m, const struct shape *shape, const void *data);

#endif
