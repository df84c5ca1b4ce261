/*
 * sandbox - a card provider for tests and trying out: Toss Payments' public API with test cards, a hosted card page,
 * webhooks and switches that break it on purpose. No real money, no real cards. docs/sandbox.md.
 *
 *	sandbox.c  its rules: cards, payments, cancellations      api.c     the API over them: JSON, keys, faults
 *	cards.c    the test cards and what each does              direct.c  the API in process, for tests and demo data
 *	faults.c   the switches                                   webhook.c notifications to the merchant
 *	key.c      the merchant's secret key                      api_json.c the answers as JSON
 *	list.c     lists of payments, cancellations, transactions
 */
#ifndef MP_SANDBOX_H
#define MP_SANDBOX_H

#include "lib/base/arena.h"
#include "lib/db/db.h"

#include <stdbool.h>
#include <stdint.h>

extern const struct db_role sandbox_role;

/* --- cards.c ------------------------------------------------------------------------------------------------------ */

enum test_card_behaviour { TEST_CARD_PAYS, TEST_CARD_DECLINES, TEST_CARD_PAYS_SLOWLY, TEST_CARD_LOSES_ANSWER };
struct test_card {
	const char *number, *brand, *issuer;    /* digits */
	const char *token;                      /* an auth key for everyone; NULL: none */
	enum test_card_behaviour does;
	const char *code;                       /* TEST_CARD_DECLINES: with this error */
	const char *label;                      /* for people */
};
const struct test_card *test_card(int64_t i);           /* NULL: no such card */
int test_card_count(void);
int64_t test_card_by_number(const char *digits);        /* -1 */
int64_t test_card_by_token(const char *token);          /* -1 */
const char *card_last4(const struct test_card *card);
bool luhn_ok(const char *digits);                       /* 12 to 19 digits whose check digit is right */

/* --- sandbox.c ---------------------------------------------------------------------------------------------------- */

enum sandbox_code {
	SANDBOX_OK,
	SANDBOX_DECLINED,                    /* p->failure: why */
	SANDBOX_NO_AUTH, SANDBOX_AUTH_USED, SANDBOX_NO_BILLING, SANDBOX_OTHER_CUSTOMER, SANDBOX_DUPLICATE_ORDER,
	SANDBOX_NO_PAYMENT, SANDBOX_WRONG_AMOUNT, SANDBOX_WRONG_ORDER,
	SANDBOX_PROCESSED, SANDBOX_PAGE_EXPIRED, SANDBOX_CANCELED_ALREADY, SANDBOX_NOT_CANCELABLE, SANDBOX_BAD_REQUEST,
};

struct sandbox_payment {
	int64_t payment_id, card, amount, balance, requested_at, approved_at;
	const char *payment_key, *order_id, *order_name, *customer_key, *currency, *status, *failure;
};

enum sandbox_code sandbox_issue(struct db *db, const char *auth_key, const char *customer_key, const char **billing_key,
	int64_t *card);
/* p: in the order, out the payment */
enum sandbox_code sandbox_charge(struct db *db, const char *billing_key, struct sandbox_payment *p);
enum sandbox_code sandbox_confirm(struct db *db, const char *payment_key, const char *order_id, int64_t amount,
	struct sandbox_payment *p);
/* transaction_key: of the cancellation; NULL: a new one. The same key again cancels nothing more. */
enum sandbox_code sandbox_cancel(struct db *db, const char *payment_key, int64_t amount, const char *reason,
	const char *transaction_key, struct sandbox_payment *p);
bool sandbox_find(struct db *db, const char *payment_key, struct sandbox_payment *p);
bool sandbox_find_order(struct db *db, const char *order_id, struct sandbox_payment *p);
/* For the hosted pages. */
const char *sandbox_authorize(struct db *db, const char *customer_key, int64_t card); /* answers the auth key */
const char *sandbox_prepare(struct db *db, const struct sandbox_payment *p); /* answers the payment key */
void sandbox_forget_old(struct db *db); /* stored answers older than 15 days */

/* --- list.c ------------------------------------------------------------------------------------------------------- */

/* A payment that was made, or a cancellation, in the order in which they happened. */
struct sandbox_transaction {
	const char *transaction_key, *payment_key, *order_id, *customer_key, *currency, *status;
	int64_t amount, at;                     /* a cancellation's amount is what it gave back */
};
/* In [from, until], after the transaction with that key ("": from the start). Answers how many. */
int sandbox_transactions(struct db *db, int64_t from, int64_t until, const char *after, int64_t limit,
	struct sandbox_transaction **list);

struct sandbox_cancellation { int64_t amount, canceled_at; const char *reason, *transaction_key; };
extern const struct shape sandbox_cancellation_shape;
/* Of the payments that were charged; lists are newest first. */
int64_t sandbox_payment_count(struct db *db);
int sandbox_payment_list(struct db *db, int64_t offset, int64_t limit, struct sandbox_payment **list);
bool sandbox_payment_by_id(struct db *db, int64_t payment_id, struct sandbox_payment *p);
int sandbox_cancellations(struct db *db, int64_t payment_id, struct sandbox_cancellation **list);

/* --- faults.c ----------------------------------------------------------------------------------------------------- */

struct faults {
	int64_t slow_ms, slow_ms_max;           /* delay of every answer; both: random between them */
	int64_t down;                           /* 1: 503 at once, without an effect */
	int64_t hang_ms;                        /* no effect, and no answer for so long */
	int64_t lost_answers;                   /* percent: with an effect, but without an answer */
	int64_t webhooks;                       /* 0: none; 1: when an answer was late or lost; 2: of every change */
	int64_t duplicate_webhooks;             /* 1: each twice */
};
extern const struct shape faults_shape;
extern const char *const fault_names[];
struct faults faults_now(struct db *db);
void fault_set(struct db *db, const char *name, int64_t value);
void sandbox_seed(uint64_t seed);               /* for tests: the same faults again */
uint32_t sandbox_random(uint32_t below);

/* --- api.c -------------------------------------------------------------------------------------------------------- */

struct sandbox_request {
	const char *path;                       /* "/v1/payments/confirm", "/v1/transactions?startDate=…" */
	const char *body;                       /* NULL: GET */
	const char *idempotency_key;            /* NULL: none */
};
struct sandbox_reply {
	int status;
	const char *json;
	int64_t delay_ms;                       /* wait this long before answering */
	bool lost;                              /* … and then do not answer */
	bool hangs;                             /* the delay ends when the fault is switched off */
	const char *webhook;                    /* to be sent to the merchant; NULL: none */
	int n_webhooks;
};
void sandbox_api(struct db *db, const struct sandbox_request *q, struct sandbox_reply *r);
/* The webhook about a payment that was changed on our own pages; NULL: webhooks are switched off. *n: how often. */
const char *sandbox_webhook(struct db *db, const struct sandbox_payment *p, int *n);

/* --- key.c -------------------------------------------------------------------------------------------------------- */

/* The merchant's secret key, in $VAR/payment.key; created if there is none. */
bool sandbox_key_open(const char *var_dir);
bool sandbox_key_ok(const char *authorization); /* "Basic …" */

/* --- webhook.c ---------------------------------------------------------------------------------------------------- */

void webhook_send(const char *body, int n);     /* in the background, n times; lost when this process ends */

#endif
