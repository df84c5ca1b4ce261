/*
 * api - the provider's API: a path and JSON in, a status and JSON out, as Toss Payments documents it.
 *
 * One transaction for each request: the effect and the answer stored for its Idempotency-Key are committed together. A
 * request repeated after a lost answer gets the same answer, without a second effect. An answer that is slow on purpose
 * is stored at once with the time when it is ready: until then the same key gets 409 IDEMPOTENT_REQUEST_PROCESSING.
 */
#include "api_json.h"

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"

#include <stdlib.h>
#include <string.h>

#define SLOW_CARD_MS 2000
#define LONGEST_MS   60000
#define AMOUNT_MAX   1000000000000

/* --- what is asked ------------------------------------------------------------------------------------------------ */

struct api_request {
	const char *authKey, *customerKey, *orderId, *orderName, *paymentKey, *currency, *cancelReason;
	int64_t amount, cancelAmount;
};
static const struct member api_request_members[] = {
	SHAPE_TEXT(api_request, authKey), SHAPE_TEXT(api_request, customerKey), SHAPE_TEXT(api_request, orderId),
	SHAPE_TEXT(api_request, orderName), SHAPE_TEXT(api_request, paymentKey), SHAPE_TEXT(api_request, currency),
	SHAPE_TEXT(api_request, cancelReason), SHAPE_INT(api_request, amount), SHAPE_INT(api_request, cancelAmount),
};
static const struct shape api_request_shape = SHAPE(api_request, api_request_members);

/* --- errors ------------------------------------------------------------------------------------------------------- */

static const struct { int status; const char *code, *message; } errors[] = {
	[SANDBOX_OK]               = { 200, "", "" },
	[SANDBOX_DECLINED]         = { 403, "REJECT_CARD_COMPANY", "The card was declined." },
	[SANDBOX_NO_AUTH]          = { 404, "NOT_FOUND_AUTH_KEY",
		"The authKey does not exist for this customer or has expired." },
	[SANDBOX_AUTH_USED]        = { 400, "ALREADY_USED_AUTH_KEY", "This authKey has already been used." },
	[SANDBOX_NO_BILLING]       = { 404, "NOT_FOUND_BILLING_KEY", "The billingKey does not exist." },
	[SANDBOX_OTHER_CUSTOMER]   = { 403, "NOT_MATCHES_CUSTOMER_KEY",
		"The billingKey belongs to another customerKey." },
	[SANDBOX_DUPLICATE_ORDER]  = { 400, "DUPLICATED_ORDER_ID", "This order has already been paid." },
	[SANDBOX_NO_PAYMENT]       = { 404, "NOT_FOUND_PAYMENT", "The payment does not exist." },
	[SANDBOX_WRONG_AMOUNT]     = { 400, "NOT_MATCHES_AMOUNT", "The amount differs from the prepared amount." },
	[SANDBOX_WRONG_ORDER]      = { 400, "UNAPPROVED_ORDER_ID", "The payment was prepared for another order." },
	[SANDBOX_PROCESSED]        = { 400, "ALREADY_PROCESSED_PAYMENT", "This payment has already been processed." },
	[SANDBOX_PAGE_EXPIRED]     = { 404, "NOT_FOUND_PAYMENT_SESSION", "The payment page has expired." },
	[SANDBOX_CANCELED_ALREADY] = { 400, "ALREADY_CANCELED_PAYMENT", "This payment has already been cancelled." },
	[SANDBOX_NOT_CANCELABLE]   = { 403, "NOT_CANCELABLE_AMOUNT", "The amount exceeds the cancellable amount." },
	[SANDBOX_BAD_REQUEST]      = { 400, "INVALID_REQUEST", "A parameter is missing or invalid." },
};

static void
reply_error_code(struct arena *m, struct sandbox_reply *r, int status, const char *code, const char *message)
{
	r->status = status;
	r->json = api_json(m, &api_error_shape, &(struct api_error){ .code = code, .message = message });
}

static void
reply_code(struct db *db, struct sandbox_reply *r, enum sandbox_code code, const struct sandbox_payment *p)
{
	if (code == SANDBOX_OK || code == SANDBOX_DECLINED)
		log_subject(p->order_id);
	if (code == SANDBOX_OK) {
		struct api_payment s = api_payment_of(db, p);

		r->status = 200;
		r->json = api_json(db_memory(db), &api_payment_shape, &s);
	} else {
		reply_error_code(db_memory(db), r, errors[code].status,
			code == SANDBOX_DECLINED ? p->failure : errors[code].code, errors[code].message);
	}
}

/* --- what can be asked -------------------------------------------------------------------------------------------- */

/* The part of the path between prefix and suffix; NULL: another path. */
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
has_length(const char *s, size_t min, size_t max)
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
issue(struct db *db, const struct api_request *a, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	struct api_billing s = { .mId = "motorpool-sandbox",
		.customerKey = a->customerKey,
		.method = "카드",
		.authenticatedAt = clock_now() };
	enum sandbox_code code;
	int64_t card;

	if (!has_length(a->authKey, 1, 300) || !has_length(a->customerKey, 2, 300))
		return SANDBOX_BAD_REQUEST;
	code = sandbox_issue(db, a->authKey, a->customerKey, &s.billingKey, &card);
	if (code != SANDBOX_OK)
		return code;
	s.cardCompany = test_card(card)->brand;
	s.cardNumber = api_card_number(m, test_card(card));
	s.card = api_card_of(m, card, 0);
	r->status = 200;
	r->json = api_json(m, &api_billing_shape, &s);
	return SANDBOX_OK;
}

static enum sandbox_code
charge_billing_key(struct db *db, const char *billing_key, const struct api_request *a, struct sandbox_payment *p)
{
	*p = (struct sandbox_payment){
		.order_id = a->orderId,
		.order_name = a->orderName ? a->orderName : "",
		.customer_key = a->customerKey,
		.amount = a->amount,
		.currency = a->currency ? a->currency : "KRW",
	};
	if (!has_length(a->customerKey, 2, 300) || !has_length(a->orderId, 6, 64) || !has_length(a->orderName, 1, 300)
		|| !is_amount(a->amount))
		return SANDBOX_BAD_REQUEST;
	return sandbox_charge(db, billing_key, p);
}

static enum sandbox_code
confirm(struct db *db, const struct api_request *a, struct sandbox_payment *p)
{
	if (!has_length(a->paymentKey, 1, 200) || !has_length(a->orderId, 6, 64) || !is_amount(a->amount))
		return SANDBOX_BAD_REQUEST;
	return sandbox_confirm(db, a->paymentKey, a->orderId, a->amount, p);
}

/* Without an amount: all that is left. */
static enum sandbox_code
cancel(struct db *db, const char *payment_key, const struct api_request *a, struct sandbox_payment *p)
{
	int64_t amount = a->cancelAmount;

	if (!has_length(a->cancelReason, 1, 800) || amount < 0 || amount > AMOUNT_MAX)
		return SANDBOX_BAD_REQUEST;
	if (amount == 0 && sandbox_find(db, payment_key, p))
		amount = p->balance;
	return sandbox_cancel(db, payment_key, amount, a->cancelReason, NULL, p);
}

/* Slow cards and those that lose answers, after the charge. */
static void
apply_card_behaviour(const struct sandbox_payment *p, struct sandbox_reply *r)
{
	const struct test_card *card = test_card(p->card);

	if (card->does == TEST_CARD_PAYS_SLOWLY)
		r->delay_ms += SLOW_CARD_MS;
	if (card->does == TEST_CARD_LOSES_ANSWER)
		r->lost = true;
}

const char *
sandbox_webhook(struct db *db, const struct sandbox_payment *p, int *n)
{
	struct api_webhook s = { .eventType = "PAYMENT_STATUS_CHANGED", .createdAt = clock_now() };
	struct faults f = faults_now(db);

	*n = f.duplicate_webhooks ? 2 : f.webhooks ? 1 : 0;
	s.data = api_payment_of(db, p);
	return *n ? api_json(db_memory(db), &api_webhook_shape, &s) : NULL;
}

static void
add_webhook(struct db *db, const struct sandbox_payment *p, const struct faults *f, struct sandbox_reply *r)
{
	struct api_webhook s = { .eventType = "PAYMENT_STATUS_CHANGED", .createdAt = clock_now() };
	bool is_due = f->webhooks == 2 || f->duplicate_webhooks || (f->webhooks == 1 && (r->delay_ms || r->lost));

	if (!is_due)
		return;
	s.data = api_payment_of(db, p);
	r->webhook = api_json(db_memory(db), &api_webhook_shape, &s);
	r->n_webhooks = f->duplicate_webhooks ? 2 : 1;
}

static void
handle_request(struct db *db, const struct sandbox_request *q, const struct faults *f, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	struct api_request a = { .amount = 0 };
	struct sandbox_payment p = { .payment_id = 0 };
	const char *key;
	enum sandbox_code code = SANDBOX_BAD_REQUEST;
	bool well_made = json_into(m, q->body, &api_request_shape, &a);

	if (!well_made) {
		code = SANDBOX_BAD_REQUEST;
	} else if (strcmp(q->path, "/v1/billing/authorizations/issue") == 0) {
		code = issue(db, &a, r);
		if (code == SANDBOX_OK)
			return;
	} else if (strcmp(q->path, "/v1/payments/confirm") == 0) {
		code = confirm(db, &a, &p);
		if (code == SANDBOX_OK)
			apply_card_behaviour(&p, r);
	} else if ((key = between(m, q->path, "/v1/billing/", ""))) {
		code = charge_billing_key(db, key, &a, &p);
		if (code == SANDBOX_OK)
			apply_card_behaviour(&p, r);
	} else if ((key = between(m, q->path, "/v1/payments/", "/cancel"))) {
		code = cancel(db, key, &a, &p);
	}
	reply_code(db, r, code, &p);
	if (code == SANDBOX_OK && f->lost_answers && sandbox_random(100) < f->lost_answers)
		r->lost = true;
	if (code == SANDBOX_OK)
		add_webhook(db, &p, f, r);
}

/* --- the list of transactions ------------------------------------------------------------------------------------- */

#define TRANSACTIONS_MAX 5000
#define TRANSACTIONS_USUAL 100

/* The value of a parameter of the query; "": there is none. Keys and times need no decoding. */
static const char *
query_value(struct arena *m, const char *query, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = query; s; s = strchr(s, '&')) {
		s += *s == '&';
		if (strncmp(s, name, n) == 0 && s[n] == '=')
			return arena_strndup(m, s + n + 1, strcspn(s + n + 1, "&"));
	}
	return "";
}

static const char *
transactions_json(struct arena *m, const struct sandbox_transaction *list, int n)
{
	struct buf b = { .m = m };

	buf_puts(&b, "[");
	for (int i = 0; i < n; i++) {
		const struct api_transaction t = {
			.mId = "motorpool-sandbox",
			.transactionKey = list[i].transaction_key,
			.paymentKey = list[i].payment_key,
			.orderId = list[i].order_id,
			.method = "카드",
			.customerKey = list[i].customer_key,
			.status = list[i].status,
			.currency = list[i].currency,
			.amount = list[i].amount,
			.transactionAt = list[i].at,
		};

		buf_puts(&b, i ? "," : "");
		json_put(&b, &api_transaction_shape, &t);
	}
	buf_puts(&b, "]");
	return b.s;
}

/* GET /v1/transactions?startDate=2026-11-30T00:00:00&endDate=…&startingAfter=KEY&limit=100, local times, inclusive. */
static void
handle_transactions(struct db *db, const char *query, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	struct sandbox_transaction *list = NULL;
	const char *limit = query_value(m, query, "limit");
	int64_t from, until, n = *limit ? atoll(limit) : TRANSACTIONS_USUAL;

	if (!time_parse(query_value(m, query, "startDate"), &from)
		|| !time_parse(query_value(m, query, "endDate"), &until) || n < 1 || n > TRANSACTIONS_MAX) {
		reply_code(db, r, SANDBOX_BAD_REQUEST, NULL);
		return;
	}
	n = sandbox_transactions(db, from, until, query_value(m, query, "startingAfter"), n, &list);
	r->json = transactions_json(m, list, (int)n);
}

static void
handle_lookup(struct db *db, const struct sandbox_request *q, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	const char *order_id = between(m, q->path, "/v1/payments/orders/", ""),
		   *key = between(m, q->path, "/v1/payments/", "");
	struct sandbox_payment p;
	bool found;

	if (strncmp(q->path, "/v1/transactions", 16) == 0) {
		handle_transactions(db, q->path + strcspn(q->path, "?") + (strchr(q->path, '?') != NULL), r);
		return;
	}
	found = order_id ? sandbox_find_order(db, order_id, &p) : key && sandbox_find(db, key, &p);

	reply_code(db, r, found ? SANDBOX_OK : SANDBOX_NO_PAYMENT, &p);
}

/* --- the same key again ------------------------------------------------------------------------------------------- */

struct stored_answer { int64_t status, ready_ms; const char *body, *request_hash; };
static const struct member stored_answer_members[] = {
	SHAPE_INT(stored_answer, status), SHAPE_INT(stored_answer, ready_ms), SHAPE_TEXT(stored_answer, body),
	SHAPE_TEXT(stored_answer, request_hash),
};
static const struct shape stored_answer_shape = SHAPE(stored_answer, stored_answer_members);

/* clock_ms() restarts with the machine: an answer further away than the longest delay is ready. */
static bool
is_running(const struct stored_answer *k)
{
	int64_t left = k->ready_ms - clock_ms();

	return left > 0 && left <= LONGEST_MS;
}

static bool
answered_before(struct db *db, const struct sandbox_request *q, const char *hash, struct sandbox_reply *r)
{
	struct stored_answer k;

	if (!db_one(db, &stored_answer_shape, &k,
		    "SELECT status, ready_ms, body, request_hash FROM answer WHERE idempotency_key = $1",
		    q->idempotency_key))
		return false;
	if (strcmp(k.request_hash, hash) != 0) {
		reply_error_code(db_memory(db), r, 422, "INVALID_IDEMPOTENCY_KEY",
			"This Idempotency-Key was already used for a different request.");
	} else if (is_running(&k)) {
		reply_error_code(db_memory(db), r, 409, "IDEMPOTENT_REQUEST_PROCESSING",
			"The first request with this key is still being processed.");
	} else {
		r->status = (int)k.status;
		r->json = k.body;
	}
	return true;
}

static void
handle_once(struct db *db, const struct sandbox_request *q, const struct faults *f, struct sandbox_reply *r)
{
	struct arena *m = db_memory(db);
	const char *hash = secret_hash(m, arena_printf(m, "%s\n%s", q->path, q->body));

	db_begin(db);
	if (!q->idempotency_key || !answered_before(db, q, hash, r)) {
		handle_request(db, q, f, r);
		if (q->idempotency_key)
			db_do(db,
				"INSERT INTO answer (idempotency_key, request_hash, status, body, ready_ms, created_at)"
				" VALUES ($1, $2, $3, $4, $5, $6)",
				q->idempotency_key, hash, r->status, r->json, clock_ms() + r->delay_ms, clock_now());
	}
	db_commit(db);
}

/* --- faults, first -------------------------------------------------------------------------------------------- */

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
		reply_error_code(db_memory(db), r, 503, "PROVIDER_ERROR", "The sandbox is unavailable.");
		return;
	}
	if (f.hang_ms) {
		r->hangs = r->lost = true;
		r->delay_ms = f.hang_ms;
		return;
	}
	r->delay_ms = slowness(&f);
	if (!q->body)
		handle_lookup(db, q, r);
	else if (q->idempotency_key && !has_length(q->idempotency_key, 1, 300))
		reply_error_code(db_memory(db), r, 400, "INVALID_IDEMPOTENCY_KEY",
			"An Idempotency-Key must have 1 to 300 characters.");
	else
		handle_once(db, q, &f, r);
}
