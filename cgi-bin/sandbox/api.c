/*
 * api.c - the provider's API: a path and JSON in, a status and JSON out, as Toss Payments documents it.
 *
 * One transaction a request: what happened and the answer kept for its Idempotency-Key are there together or not at all. So a
 * request repeated after a lost answer gets that same answer, and nothing happens twice. An answer that is slow on purpose is
 * kept at once, marked with when it is ready: until then the same key gets 409 IDEMPOTENT_REQUEST_PROCESSING.
 */
#include "said.h"

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#include <string.h>

#define SLOW_CARD_MS 2000
#define LONGEST_MS   60000
#define AMOUNT_MAX   1000000000000

/* --- what is asked ------------------------------------------------------------------------------------------------ */

struct asked {
	const char *authKey, *customerKey, *orderId, *orderName, *paymentKey, *currency, *cancelReason;
	int64_t amount, cancelAmount;
};
static const struct member asked_members[] = {
	SHAPE_TEXT(asked, authKey), SHAPE_TEXT(asked, customerKey), SHAPE_TEXT(asked, orderId), SHAPE_TEXT(asked, orderName),
	SHAPE_TEXT(asked, paymentKey), SHAPE_TEXT(asked, currency), SHAPE_TEXT(asked, cancelReason), SHAPE_INT(asked, amount),
	SHAPE_INT(asked, cancelAmount),
};
static const struct shape asked_shape = SHAPE(asked, asked_members);

/* --- errors ------------------------------------------------------------------------------------------------------- */

static const struct { int status; const char *code, *message; } errors[] = {
	[SB_OK]               = { 200, "", "" },
	[SB_DECLINED]         = { 403, "REJECT_CARD_COMPANY", "The card was declined." },
	[SB_NO_AUTH]          = { 404, "NOT_FOUND_AUTH_KEY", "The authKey does not exist for this customer or has expired." },
	[SB_AUTH_USED]        = { 400, "ALREADY_USED_AUTH_KEY", "This authKey has already been used." },
	[SB_NO_BILLING]       = { 404, "NOT_FOUND_BILLING_KEY", "The billingKey does not exist." },
	[SB_NOT_HIS]          = { 403, "NOT_MATCHES_CUSTOMER_KEY", "The billingKey belongs to another customerKey." },
	[SB_DUPLICATE_ORDER]  = { 400, "DUPLICATED_ORDER_ID", "This order has already been paid." },
	[SB_NO_PAYMENT]       = { 404, "NOT_FOUND_PAYMENT", "The payment does not exist." },
	[SB_WRONG_AMOUNT]     = { 400, "NOT_MATCHES_AMOUNT", "The amount differs from the prepared amount." },
	[SB_WRONG_ORDER]      = { 400, "UNAPPROVED_ORDER_ID", "The payment was prepared for another order." },
	[SB_PROCESSED]        = { 400, "ALREADY_PROCESSED_PAYMENT", "This payment has already been processed." },
	[SB_PAGE_EXPIRED]     = { 404, "NOT_FOUND_PAYMENT_SESSION", "The payment page has expired." },
	[SB_CANCELED_ALREADY] = { 400, "ALREADY_CANCELED_PAYMENT", "This payment has already been cancelled." },
	[SB_NOT_CANCELABLE]   = { 403, "NOT_CANCELABLE_AMOUNT", "The amount exceeds the cancellable amount." },
	[SB_BAD_REQUEST]      = { 400, "INVALID_REQUEST", "A parameter is missing or invalid." },
};

static void
say_error(struct arena *m, struct sandbox_reply *r, int status, const char *code, const char *message)
{
	r->status = status;
	r->json = said_json(m, &said_error_shape, &(struct said_error){ .code = code, .message = message });
}

static void
say_code(struct db *db, struct sandbox_reply *r, enum sandbox_code code, const struct sb_payment *p)
{
	if (code == SB_OK || code == SB_DECLINED)
		log_subject(p->order_id);
	if (code == SB_OK) {
		struct said_payment s = say_payment(db, p);

		r->status = 200;
		r->json = said_json(db_memory(db), &said_payment_shape, &s);
	} else {
		say_error(db_memory(db), r, errors[code].status, code == SB_DECLINED ? p->failure : errors[code].code, errors[code].message);
	}
}

/* --- what can be asked -------------------------------------------------------------------------------------------- */

/* The rest of the path behind prefix, up to suffix; NULL: another path. */
static const char *
between(struct arena *m, const char *path, const char *prefix, const char *suffix)
{
	size_t n = strlen(path), before = strlen(prefix), after = strlen(suffix);

	if (n <= before + after || strncmp(path, prefix, before) != 0 || strcmp(path + n - after, suffix) != 0)
		return NULL;
	if (memchr(path + before, '/', n - before - after))
		return NULL;
	return arena_strndup(m, path + before, n - before - after);
}

static bool
is_text(const char *s, size_t min, size_t max)
{
	size_t n = s ? strlen(s) : 0;

	return n >= min && n <= max;
}

static bool
is_amount(int64_t amount)
{
	return amount > 0 && amount <= AMOUNT_MAX;
}

static enum sandbox_code
issue(struct db *db, const struct asked *a, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	struct said_billing s = { .mId = "motorpool-sandbox", .customerKey = a->customerKey, .method = "카드", .authenticatedAt = clock_now() };
	enum sandbox_code code;
	int64_t card;

	if (!is_text(a->authKey, 1, 300) || !is_text(a->customerKey, 2, 300))
		return SB_BAD_REQUEST;
	code = sandbox_issue(db, a->authKey, a->customerKey, &s.billingKey, &card);
	if (code != SB_OK)
		return code;
	s.cardCompany = test_card(card)->brand;
	s.cardNumber = said_number(m, test_card(card));
	s.card = say_card(m, card, 0);
	r->status = 200;
	r->json = said_json(m, &said_billing_shape, &s);
	return SB_OK;
}

static enum sandbox_code
charge(struct db *db, const char *billing_key, const struct asked *a, struct sb_payment *p)
{
	*p = (struct sb_payment){
		.order_id = a->orderId, .order_name = a->orderName ? a->orderName : "", .customer_key = a->customerKey, .amount = a->amount,
		.currency = a->currency ? a->currency : "KRW",
	};
	if (!is_text(a->customerKey, 2, 300) || !is_text(a->orderId, 6, 64) || !is_text(a->orderName, 1, 300) || !is_amount(a->amount))
		return SB_BAD_REQUEST;
	return sandbox_charge(db, billing_key, p);
}

static enum sandbox_code
confirm(struct db *db, const struct asked *a, struct sb_payment *p)
{
	if (!is_text(a->paymentKey, 1, 200) || !is_text(a->orderId, 6, 64) || !is_amount(a->amount))
		return SB_BAD_REQUEST;
	return sandbox_confirm(db, a->paymentKey, a->orderId, a->amount, p);
}

/* Without an amount: all that is left. */
static enum sandbox_code
cancel(struct db *db, const char *payment_key, const struct asked *a, struct sb_payment *p)
{
	int64_t amount = a->cancelAmount;

	if (!is_text(a->cancelReason, 1, 800) || amount < 0 || amount > AMOUNT_MAX)
		return SB_BAD_REQUEST;
	if (amount == 0 && sandbox_find(db, payment_key, p))
		amount = p->balance;
	return sandbox_cancel(db, payment_key, amount, a->cancelReason, p);
}

/* Slow and lost cards do what they are for when their money is taken. */
static void
behave(const struct sb_payment *p, struct sandbox_reply *r)
{
	const struct test_card *card = test_card(p->card);

	if (card->does == DOES_PAY_SLOWLY)
		r->delay_ms += SLOW_CARD_MS;
	if (card->does == DOES_PAY_AND_LOSE)
		r->lost = true;
}

static void
tell_merchant(struct db *db, const struct sb_payment *p, const struct faults *f, struct sandbox_reply *r)
{
	struct said_webhook s = { .eventType = "PAYMENT_STATUS_CHANGED", .createdAt = clock_now() };
	bool told = f->webhooks == 2 || f->duplicate_webhooks || (f->webhooks == 1 && (r->delay_ms || r->lost));

	if (!told)
		return;
	s.data = say_payment(db, p);
	r->webhook = said_json(db_memory(db), &said_webhook_shape, &s);
	r->n_webhooks = f->duplicate_webhooks ? 2 : 1;
}

/* Something is to be done. */
static void
act(struct db *db, const struct sandbox_request *q, const struct faults *f, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	struct asked a = { .amount = 0 };
	struct sb_payment p = { .payment_id = 0 };
	const char *key;
	enum sandbox_code code = SB_BAD_REQUEST;
	bool well_made = json_into(m, q->body, &asked_shape, &a);

	if (!well_made) {
		code = SB_BAD_REQUEST;
	} else if (strcmp(q->path, "/v1/billing/authorizations/issue") == 0) {
		code = issue(db, &a, r);
		if (code == SB_OK)
			return;
	} else if (strcmp(q->path, "/v1/payments/confirm") == 0) {
		code = confirm(db, &a, &p);
		if (code == SB_OK)
			behave(&p, r);
	} else if ((key = between(m, q->path, "/v1/billing/", ""))) {
		code = charge(db, key, &a, &p);
		if (code == SB_OK)
			behave(&p, r);
	} else if ((key = between(m, q->path, "/v1/payments/", "/cancel"))) {
		code = cancel(db, key, &a, &p);
	}
	say_code(db, r, code, &p);
	if (code == SB_OK && f->lost_answers && sandbox_random(100) < f->lost_answers)
		r->lost = true;
	if (code == SB_OK)
		tell_merchant(db, &p, f, r);
}

static void
look(struct db *db, const struct sandbox_request *q, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	const char *order_id = between(m, q->path, "/v1/payments/orders/", ""), *key = between(m, q->path, "/v1/payments/", "");
	struct sb_payment p;
	bool found = order_id ? sandbox_find_order(db, order_id, &p) : key && sandbox_find(db, key, &p);

	say_code(db, r, found ? SB_OK : SB_NO_PAYMENT, &p);
}

/* --- the same key again ------------------------------------------------------------------------------------------- */

struct kept { int64_t status, ready_ms; const char *body, *request_hash; };
static const struct member kept_members[] = {
	SHAPE_INT(kept, status), SHAPE_INT(kept, ready_ms), SHAPE_TEXT(kept, body), SHAPE_TEXT(kept, request_hash),
};
static const struct shape kept_shape = SHAPE(kept, kept_members);

/* The uptime starts anew with the machine: an answer further away than any delay has long been ready. */
static bool
is_running(const struct kept *k)
{
	int64_t left = k->ready_ms - clock_ms();

	return left > 0 && left <= LONGEST_MS;
}

static bool
answered_before(struct db *db, const struct sandbox_request *q, const char *hash, struct sandbox_reply *r)
{
	struct kept k;

	if (!db_one(db, &kept_shape, &k, "SELECT status, ready_ms, body, request_hash FROM answer WHERE idempotency_key = $1",
	            q->idempotency_key))
		return false;
	if (strcmp(k.request_hash, hash) != 0) {
		say_error(db_memory(db), r, 422, "INVALID_IDEMPOTENCY_KEY", "This Idempotency-Key was already used for a different request.");
	} else if (is_running(&k)) {
		say_error(db_memory(db), r, 409, "IDEMPOTENT_REQUEST_PROCESSING", "The first request with this key is still being processed.");
	} else {
		r->status = (int)k.status;
		r->json = k.body;
	}
	return true;
}

static void
act_once(struct db *db, const struct sandbox_request *q, const struct faults *f, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	const char *hash = secret_hash(m, arena_printf(m, "%s\n%s", q->path, q->body));

	db_begin(db);
	if (!q->idempotency_key || !answered_before(db, q, hash, r)) {
		act(db, q, f, r);
		if (q->idempotency_key)
			db_do(db, "INSERT INTO answer (idempotency_key, request_hash, status, body, ready_ms, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
			      q->idempotency_key, hash, r->status, r->json, clock_ms() + r->delay_ms, clock_now());
	}
	db_commit(db);
}

/* --- what is broken on purpose, first ----------------------------------------------------------------------------- */

static int64_t
slowness(const struct faults *f)
{
	if (f->slow_ms_max > f->slow_ms)
		return f->slow_ms + sandbox_random((uint32_t)(f->slow_ms_max - f->slow_ms + 1));
	return f->slow_ms;
}

void
sandbox_api(struct db *db, const struct sandbox_request *q, struct sandbox_reply *r)
{
	struct faults f = faults_now(db);

	*r = (struct sandbox_reply){ .status = 200, .json = "{}" };
	if (f.down) {
		say_error(db_memory(db), r, 503, "PROVIDER_ERROR", "The sandbox is unavailable.");
		return;
	}
	if (f.hang_ms) {
		r->hangs = r->lost = true;
		r->delay_ms = f.hang_ms;
		return;
	}
	r->delay_ms = slowness(&f);
	if (!q->body)
		look(db, q, r);
	else if (q->idempotency_key && !is_text(q->idempotency_key, 1, 300))
		say_error(db_memory(db), r, 400, "INVALID_IDEMPOTENCY_KEY", "An Idempotency-Key must have 1 to 300 characters.");
	else
		act_once(db, q, &f, r);
}
