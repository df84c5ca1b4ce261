/*
 * api_json - the provider's answers as JSON. Members are named as in Toss Payments' API.
 */
#ifndef MP_SANDBOX_API_JSON_H
#define MP_SANDBOX_API_JSON_H

#include "sandbox.h"

struct api_card { const char *issuerCode, *number, *cardType; int64_t amount; };
struct api_error { const char *code, *message; };
struct api_cancel { const char *cancelReason, *transactionKey, *cancelStatus; int64_t cancelAmount, canceledAt; };

struct api_payment {
	const char *version, *paymentKey, *type, *orderId, *orderName, *mId, *currency, *method, *status, *cardCompany;
	int64_t totalAmount, balanceAmount, suppliedAmount, vat, requestedAt, approvedAt;
	struct api_card card;
	struct api_error *failure;
	struct api_cancel *cancels;
	int n_cancels;
};

struct api_transaction {
	const char *mId, *transactionKey, *paymentKey, *orderId, *method, *customerKey, *status, *currency;
	int64_t amount, transactionAt;
};

struct api_billing { const char *mId, *customerKey, *method, *billingKey, *cardCompany,
	*cardNumber; int64_t authenticatedAt; struct api_card card; };

struct api_webhook { const char *eventType; int64_t createdAt; struct api_payment data; };

extern const struct shape api_transaction_shape;
extern const struct shape api_error_shape, api_payment_shape, api_billing_shape, api_webhook_shape;

struct api_card api_card_of(struct arena *m, int64_t card, int64_t amount);
struct api_payment api_payment_of(struct db *db, const struct sandbox_payment *p);
const char *api_card_number(struct arena *m, const struct test_card *card);        /* "42424242****4242" */
const char *api_json(struct arena *m, const struct shape *shape, const void *data);

#endif
