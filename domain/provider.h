/*
 * provider - the card provider, as payment sees it.
 *
 * A request is done, was declined, certainly did not happen, or its outcome is unknown. A time-out, a 5xx, a broken
 * connection or "already processed" is never a failure: it is *unknown* until a look-up finds the outcome. Every
 * request that changes something carries a key, and the same key again gives the same answer, so asking twice is safe.
 *
 * The implementation is toss.c (Toss Payments' public API). Its requests go through toss_ask: over HTTP (toss_http.c)
 * or, in tests and the demo generator, in process to the sandbox (sandbox/direct.c):
 *
 *	sandbox_direct_open(sandbox_db);
 *	toss_ask = sandbox_direct;
 */
#ifndef MP_PROVIDER_H
#define MP_PROVIDER_H

#include "rental.h"
#include "lib/base/arena.h"
#include "lib/call/call.h"

#include <stdbool.h>
#include <stdint.h>

enum provider_outcome {
	PROVIDER_OK,            /* done */
	PROVIDER_DECLINED,      /* declined, nothing was charged: reason */
	PROVIDER_NOTHING,       /* look-up only: no such payment, or nothing was charged for it */
	PROVIDER_LATER,         /* certainly nothing happened: not reached, or it is not available */
	PROVIDER_UNKNOWN,       /* asked, and the outcome is not known */
};

struct provider_answer {
	enum provider_outcome outcome;
	const char *reason; /* declined: our code and the provider's, "insufficient_funds REJECT_CARD_PAYMENT" */
	const char *payment_key;        /* ok: the provider's name for the payment */
	const char *billing_key;        /* issue_card: what the card is charged by */
	const char *brand, *last4;
	const char *key;                /* our key for it, as the provider received it */
	int64_t amount, balance;        /* captured; and what of it is not refunded */
	bool has_less;                  /* refund: less is left of the payment than was to be refunded */
};

struct provider_order {
	const char *key;                /* ours: the charge's idempotency key */
	const char *name;               /* on the customer's statement */
	const char *customer_key, *billing_key; /* a saved card … */
	const char *payment_key;                /* … or what the hosted page has prepared */
	const char *currency;
	int64_t amount;
};

struct provider_refund {
	const char *payment_key, *key, *reason;
	int64_t amount;
	/* amount was reduced by so much since it was first asked: another request, under another idempotency key */
	int64_t withheld;
	/* first asked so long ago that the provider may have forgotten the key: looked up before it is asked again */
	bool is_old;
};

/* What was cancelled of a payment: all of its cancellations, as they are at one moment, oldest first. */
struct provider_cancel {
	const char *transaction_key;    /* the provider's name for it */
	const char *refund_key;         /* of our refund that asked for it; "": requested by another party */
	const char *reason;             /* as it was given to the provider */
	int64_t amount;
};
struct provider_cancels {
	enum provider_outcome outcome;  /* OK, NOTHING (no such payment), UNKNOWN */
	struct provider_cancel *list;
	int n;
};

/* One of the provider's transactions: a payment, or a cancellation of one. */
struct provider_change {
	const char *key;                /* ours for the payment */
	const char *transaction_key;
	bool is_cancel;
};
struct provider_changes {
	enum provider_outcome outcome;  /* OK, or UNKNOWN */
	struct provider_change *list;
	int n;
	bool has_more;                  /* ask again, after the last one */
};

/* until_ms: on clock_ms(). The rows that a call is about must be on disk before it. */
struct provider {
	struct provider_answer (*charge)(struct arena *m, const struct provider_order *o, int64_t until_ms);
	struct provider_answer (*confirm)(struct arena *m, const struct provider_order *o, int64_t until_ms);
	struct provider_answer (*refund)(struct arena *m, const struct provider_refund *r, int64_t until_ms);
	struct provider_answer (*look_up)(struct arena *m, const char *key, int64_t until_ms);
	struct provider_cancels (*cancels)(struct arena *m, const char *payment_key, int64_t until_ms);
	/* In [from, until), oldest first; after: the transaction_key of the last one of the page before, "" for the
	 * first. */
	struct provider_changes (*changes)(struct arena *m, int64_t from, int64_t until, const char *after,
		int64_t until_ms);
	struct provider_answer (*issue_card)(struct arena *m, const char *auth_key, const char *customer_key,
		const char *request_key, int64_t until_ms);
	/* Which charge a webhook is about; NULL: none of ours. Webhooks are unsigned, so nothing else in them is
	 * believed. */
	const char *(*parse_webhook)(struct arena *m, const char *body);
	/* Where a customer's browser types a card in. */
	const char *(*card_page)(struct arena *m, const char *customer_key, const char *success_url,
		const char *fail_url);
};
extern const struct provider *provider;         /* &toss */
extern const struct provider toss;

/* One request to the provider's API and what came back. */
struct provider_request {
	const char *what;               /* for the log: "charge", "refund" … */
	const char *path; /* below rental.provider_url; the keys in it open cards and payments, so it is never logged */
	const char *body;               /* JSON; NULL: GET */
	const char *idempotency_key;    /* with every body */
	int64_t until_ms;
	int status;                     /* answered: the HTTP status … */
	const char *answer;             /* … and the body */
};
typedef enum call_outcome provider_ask(struct arena *m, struct provider_request *q);
extern provider_ask *toss_ask;                  /* toss_http */
provider_ask toss_http;
#define PROVIDER_CALLEE "provider" /* its breaker's name; booking looks at it too (booking/payment_client.c) */

#endif
