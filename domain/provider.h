/*
 * provider - the company that really moves the money, seen from payment.
 *
 * Four things can come back, and telling them apart is what keeps money whole: it is done; it was declined; it certainly did
 * not happen; nobody knows. A time-out, a 5xx, a broken connection or "already processed" is never a failure: it is *unknown*
 * until a look-up says what became of it. Everything that changes something carries a key, and the same key again gives the
 * same answer, so asking twice is always safe.
 *
 * The one implementation is toss.c (Toss Payments' public API). What it says and hears goes through toss_ask: over HTTP
 * (toss_http.c) or, in tests and the demo generator, in process to the sandbox (sandbox/direct.c):
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
	PROVIDER_DECLINED,      /* it says no, and nothing was taken: reason */
	PROVIDER_NOTHING,       /* look-up only: it knows no payment of that name, or has taken nothing for it */
	PROVIDER_LATER,         /* certainly nothing happened: not reached, or it will not talk to us now */
	PROVIDER_UNKNOWN,       /* asked, and nobody knows what became of it */
};

struct provider_answer {
	enum provider_outcome outcome;
	const char *reason;             /* declined: a word of ours and the provider's code, "insufficient_funds REJECT_CARD_PAYMENT" */
	const char *payment_key;        /* ok: the provider's name for the payment */
	const char *billing_key;        /* issue_card: what the card is charged by */
	const char *brand, *last4;
	const char *key;                /* our own name for it, as the provider heard it */
	int64_t amount, balance;        /* captured; and what of it has not been given back */
};

struct provider_order {
	const char *key;                /* ours: the charge's idempotency key */
	const char *name;               /* what stands on the customer's statement */
	const char *customer_key, *billing_key; /* a saved card … */
	const char *payment_key;                /* … or what the hosted page has prepared */
	const char *currency;
	int64_t amount;
};

struct provider_refund {
	const char *payment_key, *key, *reason;
	int64_t amount;
	bool is_old;                    /* first asked so long ago that it may have forgotten the key: it is looked for before it is asked again */
};

/* until_ms: on clock_ms(). Whatever leads to one of these must be on disk before it is called. */
struct provider {
	struct provider_answer (*charge)(struct arena *m, const struct provider_order *o, int64_t until_ms);
	struct provider_answer (*confirm)(struct arena *m, const struct provider_order *o, int64_t until_ms);
	struct provider_answer (*refund)(struct arena *m, const struct provider_refund *r, int64_t until_ms);
	struct provider_answer (*look_up)(struct arena *m, const char *key, int64_t until_ms);
	/* Has it given this one back? OK: yes. NOTHING: it has not. UNKNOWN: it does not say. */
	struct provider_answer (*look_up_refund)(struct arena *m, const struct provider_refund *r, int64_t until_ms);
	struct provider_answer (*issue_card)(struct arena *m, const char *auth_key, const char *customer_key, const char *request_key, int64_t until_ms);
	/* Which charge a webhook is about; NULL: none of ours. Webhooks are unsigned, so nothing else in them is believed. */
	const char *(*parse_webhook)(struct arena *m, const char *body);
	/* Where a customer's browser types a card in. */
	const char *(*card_page)(struct arena *m, const char *customer_key, const char *success_url, const char *fail_url);
};
extern const struct provider *provider;         /* &toss */
extern const struct provider toss;

/* One request to the provider's API and what came back. */
struct provider_request {
	const char *what;               /* for the log: "charge", "refund" … */
	const char *path;               /* below rental.provider_url; the keys in it open cards and payments, so it is never logged */
	const char *body;               /* JSON; NULL: GET */
	const char *idempotency_key;    /* with every body */
	int64_t until_ms;
	int status;                     /* answered: the HTTP status … */
	const char *answer;             /* … and the body */
};
typedef enum call_outcome provider_ask(struct arena *m, struct provider_request *q);
extern provider_ask *toss_ask;                  /* toss_http */
provider_ask toss_http;
#define PROVIDER_CALLEE "provider"              /* its breaker's name; booking looks at it too (booking/payment_client.c) */

#endif
