/*
 * toss - Toss Payments' public API: our requests, and what its answers mean. Described in domain/provider.h; its error
 * codes are in toss_codes.c.
 */
#include "domain/provider.h"
#include "toss_codes.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include <stdio.h>
#include <string.h>

#define CHANGES_PER_PAGE 100

const struct provider *provider = &toss;
provider_ask *toss_ask = toss_http;

/* --- its answers -------------------------------------------------------------------------------------------------- */

struct toss_error { const char *code, *message; };
static const struct member toss_error_members[] = { SHAPE_TEXT(toss_error, code), SHAPE_TEXT(toss_error, message) };
static const struct shape toss_error_shape = SHAPE(toss_error, toss_error_members);

static const char *
member_text(json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

/* "43301234****123*" -> the last four characters. */
static const char *
last4(struct arena *m, const char *number)
{
	size_t n = strlen(number);

	return n >= 4 ? arena_strdup(m, number + n - 4) : "****";
}

/* At most n bytes of it, never half a character. */
static const char *
cut_text(struct arena *m, const char *s, size_t n)
{
	if (strlen(s) <= n)
		return s;
	while (n && ((unsigned char)s[n] & 0xC0) == 0x80)
		n--;
	return arena_strndup(m, s, n);
}

static void
take_card(struct arena *m, json_t *from, struct provider_answer *a)
{
	json_t *card = json_object_get(from, "card");
	const char *number = member_text(card, "number"), *brand = member_text(from, "cardCompany");

	a->last4 = last4(m, *number ? number : member_text(from, "cardNumber"));
	if (!*brand)
		brand = member_text(card, "issuerCode");
	a->brand = arena_strdup(m, cut_text(m, *brand ? brand : "card", 30));
}

/* Is one of its cancellations ours? The reason ends with our refund's key, because idempotency ends after 15 days. */
static bool
has_cancel(json_t *payment, const char *refund_key)
{
	json_t *cancels = json_object_get(payment, "cancels");
	char mark[260];

	snprintf(mark, sizeof(mark), "[%s]", refund_key);
	for (size_t i = 0; i < json_array_size(cancels); i++)
		if (strstr(member_text(json_array_get(cancels, i), "cancelReason"), mark))
			return true;
	return false;
}

static enum provider_outcome
status_means(const char *status)
{
	static const struct {
		const char *status;
		enum provider_outcome outcome;
	} all[] = {
		{ "DONE", PROVIDER_OK },
		{ "CANCELED", PROVIDER_OK },
		{ "PARTIAL_CANCELED", PROVIDER_OK },
		{ "ABORTED", PROVIDER_DECLINED },
		{ "EXPIRED", PROVIDER_DECLINED },
		{ "READY", PROVIDER_NOTHING },
		{ "IN_PROGRESS", PROVIDER_NOTHING },
		{ "WAITING_FOR_DEPOSIT", PROVIDER_NOTHING },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].status, status) == 0)
			return all[i].outcome;
	return PROVIDER_UNKNOWN;
}

/* Our code, then the provider's. */
static const char *
toss_reason(struct arena *m, const struct toss_code *known, const char *code)
{
	return arena_printf(m, "%s %.100s", known->reason && *known->reason ? known->reason : "declined", code);
}

static void
take_payment(struct arena *m, json_t *payment, struct provider_answer *a)
{
	const char *failure = member_text(json_object_get(payment, "failure"), "code");

	a->outcome = status_means(member_text(payment, "status"));
	a->key = arena_strdup(m, member_text(payment, "orderId"));
	a->payment_key = arena_strdup(m, member_text(payment, "paymentKey"));
	a->amount = json_integer_value(json_object_get(payment, "totalAmount"));
	a->balance = json_integer_value(json_object_get(payment, "balanceAmount"));
	a->reason = toss_reason(m, toss_code(failure), *failure ? failure : member_text(payment, "status"));
	take_card(m, payment, a);
	if (a->outcome == PROVIDER_OK && (!*a->payment_key || a->amount <= 0))
		a->outcome = PROVIDER_UNKNOWN;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static json_t *
parse(const char *text)
{
	json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (json && !json_is_object(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* What an error means. Without a readable code it did not come from the provider: unknown. */
static enum provider_outcome
error_means(struct arena *m, const struct provider_request *q, struct provider_answer *a, enum toss_meaning *meaning)
{
	struct toss_error e = { .code = "", .message = "" };
	const struct toss_code *known;

	*meaning = TOSS_UNKNOWN;
	if (q->status >= 500 || !json_into(m, q->answer ? q->answer : "", &toss_error_shape, &e) || !e.code)
		return PROVIDER_UNKNOWN;
	known = toss_code(e.code);
	*meaning = known->meaning;
	a->reason = toss_reason(m, known, e.code);
	switch (known->meaning) {
	case TOSS_DECLINED: return q->body ? PROVIDER_DECLINED : PROVIDER_UNKNOWN; /* a look-up cannot be declined */
	case TOSS_NO_SUCH: return q->body ? PROVIDER_DECLINED : PROVIDER_NOTHING;
	case TOSS_LATER: return PROVIDER_LATER;
	case TOSS_OUR_FAULT:
		log_error("provider", "it rejects our request: %d %s at %s", q->status, e.code, q->what);
		return PROVIDER_LATER;
	case TOSS_ALREADY_REFUNDED:
	case TOSS_UNKNOWN: break;
	}
	log_warn("provider", "%d %s at %s", q->status, e.code, q->what);
	return PROVIDER_UNKNOWN;
}

/* *json: the object of a 200, to be freed with json_decref(). */
static struct provider_answer
ask_toss(struct arena *m, struct provider_request *q, json_t **json, enum toss_meaning *meaning)
{
	struct provider_answer a = {
		.outcome = PROVIDER_UNKNOWN,
		.reason = "",
		.payment_key = "",
		.billing_key = "",
		.brand = "",
		.last4 = "",
		.key = "",
	};

	*json = NULL;
	*meaning = TOSS_UNKNOWN;
	switch (toss_ask(m, q)) {
	case CALL_NOT_SENT:
	case CALL_REFUSED:
		a.outcome = PROVIDER_LATER;
		a.reason = "provider_down";
		*meaning = TOSS_LATER;
		break;
	case CALL_UNKNOWN: break;
	case CALL_ANSWERED:
		if (q->status == 200)
			*json = parse(q->answer);
		else
			a.outcome = error_means(m, q, &a, meaning);
	}
	return a;
}

static struct provider_answer
ask_for_payment(struct arena *m, struct provider_request *q, enum toss_meaning *meaning)
{
	json_t *json;
	struct provider_answer a = ask_toss(m, q, &json, meaning);

	if (json)
		take_payment(m, json, &a);
	json_decref(json);
	return a;
}

/* --- what a provider can do --------------------------------------------------------------------------------------- */

struct charge_body { const char *customerKey, *orderId, *orderName, *currency; int64_t amount; };
static const struct member charge_body_members[] = {
	SHAPE_TEXT(charge_body, customerKey), SHAPE_INT(charge_body, amount), SHAPE_TEXT(charge_body, orderId),
	SHAPE_TEXT(charge_body, orderName), SHAPE_TEXT(charge_body, currency),
};
static const struct shape charge_body_shape = SHAPE(charge_body, charge_body_members);

struct confirm_body { const char *paymentKey, *orderId; int64_t amount; };
static const struct member confirm_body_members[] = {
	SHAPE_TEXT(confirm_body, paymentKey), SHAPE_TEXT(confirm_body, orderId), SHAPE_INT(confirm_body, amount),
};
static const struct shape confirm_body_shape = SHAPE(confirm_body, confirm_body_members);

struct cancel_body { const char *cancelReason; int64_t cancelAmount; };
static const struct member cancel_body_members[] = { SHAPE_TEXT(cancel_body, cancelReason),
	SHAPE_INT(cancel_body, cancelAmount) };
static const struct shape cancel_body_shape = SHAPE(cancel_body, cancel_body_members);

struct issue_body { const char *authKey, *customerKey; };
static const struct member issue_body_members[] = { SHAPE_TEXT(issue_body, authKey),
	SHAPE_TEXT(issue_body, customerKey) };
static const struct shape issue_body_shape = SHAPE(issue_body, issue_body_members);

static const char *
toss_body(struct arena *m, const struct shape *shape, const void *words)
{
	struct buf b = { .m = m };

	json_put(&b, shape, words);
	return b.s;
}

/* A segment of a path. Keys come from the provider or the browser: no character of them may change the address. */
static const char *
segment(struct arena *m, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
	struct buf b = { .m = m };

	buf_puts(&b, "");
	for (const char *s = text; *s; s++)
		if (strchr(plain, *s))
			buf_put(&b, s, 1);
		else
			buf_printf(&b, "%%%02X", (unsigned char)*s);
	return b.s;
}

static struct provider_answer
toss_charge(struct arena *m, const struct provider_order *o, int64_t until_ms)
{
	struct charge_body words = {
		.customerKey = o->customer_key,
		.orderId = o->key,
		.orderName = o->name,
		.currency = o->currency,
		.amount = o->amount,
	};
	struct provider_request q = {
		.what = "charge",
		.path = arena_printf(m, "/v1/billing/%s", segment(m, o->billing_key)),
		.body = toss_body(m, &charge_body_shape, &words),
		.idempotency_key = o->key,
		.until_ms = until_ms,
	};
	enum toss_meaning meaning;

	return ask_for_payment(m, &q, &meaning);
}

static struct provider_answer
toss_confirm(struct arena *m, const struct provider_order *o, int64_t until_ms)
{
	struct confirm_body words = { .paymentKey = o->payment_key, .orderId = o->key, .amount = o->amount };
	struct provider_request q = {
		.what = "confirm",
		.path = "/v1/payments/confirm",
		.body = toss_body(m, &confirm_body_shape, &words),
		.idempotency_key = o->key,
		.until_ms = until_ms,
	};
	enum toss_meaning meaning;

	return ask_for_payment(m, &q, &meaning);
}

static struct provider_answer
toss_look_up(struct arena *m, const char *key, int64_t until_ms)
{
	struct provider_request q = {
		.what = "look_up",
		.path = arena_printf(m, "/v1/payments/orders/%s", segment(m, key)),
		.until_ms = until_ms,
	};
	enum toss_meaning meaning;

	return ask_for_payment(m, &q, &meaning);
}

/* OK: our refund is among its cancellations. NOTHING: it is not, and could still be made. */
static struct provider_answer
toss_look_up_refund(struct arena *m, const struct provider_refund *r, int64_t until_ms)
{
	struct provider_request q = {
		.what = "look_up",
		.path = arena_printf(m, "/v1/payments/%s", segment(m, r->payment_key)),
		.until_ms = until_ms,
	};
	enum toss_meaning meaning;
	json_t *payment;
	struct provider_answer a = ask_toss(m, &q, &payment, &meaning);

	a.outcome = PROVIDER_UNKNOWN;
	if (payment)
		a.outcome = has_cancel(payment, r->key)                                              ? PROVIDER_OK
			: json_integer_value(json_object_get(payment, "balanceAmount")) >= r->amount ? PROVIDER_NOTHING
												     : PROVIDER_UNKNOWN;
	json_decref(payment);
	return a;
}

static struct provider_answer
toss_refund(struct arena *m, const struct provider_refund *r, int64_t until_ms)
{
	struct cancel_body words = {
		.cancelReason = arena_printf(m, "%s [%s]", cut_text(m, *r->reason ? r->reason : "refund", 100), r->key),
		.cancelAmount = r->amount,
	};
	struct provider_request q = {
		.what = "refund",
		.path = arena_printf(m, "/v1/payments/%s/cancel", segment(m, r->payment_key)),
		.body = toss_body(m, &cancel_body_shape, &words),
		.idempotency_key = r->withheld ? arena_printf(m, "%s-%lld", r->key, (long long)r->amount) : r->key,
		.until_ms = until_ms,
	};
	enum toss_meaning meaning;
	struct provider_answer a;

	if (r->is_old) {
		a = toss_look_up_refund(m, r, until_ms);
		a.has_less = a.outcome == PROVIDER_UNKNOWN;
		if (a.outcome != PROVIDER_NOTHING)
			return a;
	}
	a = ask_for_payment(m, &q, &meaning);
	if (meaning == TOSS_ALREADY_REFUNDED && toss_look_up_refund(m, r, until_ms).outcome == PROVIDER_OK)
		a.outcome = PROVIDER_OK;
	a.has_less = meaning == TOSS_ALREADY_REFUNDED && a.outcome != PROVIDER_OK;
	return a;
}

/* Our refund's key, which ends the reason in brackets; "": none. */
static const char *
marked_key(struct arena *m, const char *reason)
{
	const char *mark = strrchr(reason, '[');
	size_t n = mark ? strlen(mark) : 0;

	return n > 2 && mark[n - 1] == ']' ? arena_strndup(m, mark + 1, n - 2) : "";
}

static void
take_cancels(struct arena *m, json_t *payment, struct provider_cancels *c)
{
	json_t *all = json_object_get(payment, "cancels");
	size_t n = json_array_size(all);

	c->list = arena_array(m, struct provider_cancel, n + 1);
	for (size_t i = 0; i < n; i++) {
		json_t *one = json_array_get(all, i);
		const char *reason = member_text(one, "cancelReason");

		c->list[c->n++] = (struct provider_cancel){
			.transaction_key = arena_strdup(m, member_text(one, "transactionKey")),
			.refund_key = marked_key(m, reason),
			.reason = arena_strdup(m, cut_text(m, reason, 200)),
			.amount = json_integer_value(json_object_get(one, "cancelAmount")),
		};
	}
}

static struct provider_cancels
toss_cancels(struct arena *m, const char *payment_key, int64_t until_ms)
{
	struct provider_request q = {
		.what = "look_up",
		.path = arena_printf(m, "/v1/payments/%s", segment(m, payment_key)),
		.until_ms = until_ms,
	};
	struct provider_cancels c = { .n = 0 };
	enum toss_meaning meaning;
	json_t *payment;
	struct provider_answer a = ask_toss(m, &q, &payment, &meaning);

	c.outcome = payment ? PROVIDER_OK : a.outcome == PROVIDER_NOTHING ? PROVIDER_NOTHING : PROVIDER_UNKNOWN;
	if (payment)
		take_cancels(m, payment, &c);
	json_decref(payment);
	return c;
}

/* "2026-11-30T00:00:00" in the branch's zone, as the provider takes it. */
static const char *
toss_time(struct arena *m, int64_t at)
{
	struct local l;

	clock_split(at, &l);
	return arena_printf(m, "%04d-%02d-%02dT%02d:%02d:%02d", l.year, l.month, l.day, l.hour, l.minute, l.second);
}

static void
take_changes(struct arena *m, json_t *all, struct provider_changes *c)
{
	size_t n = json_array_size(all);

	c->outcome = PROVIDER_OK;
	c->list = arena_array(m, struct provider_change, n + 1);
	for (size_t i = 0; i < n; i++) {
		json_t *one = json_array_get(all, i);

		c->list[c->n++] = (struct provider_change){
			.key = arena_strdup(m, member_text(one, "orderId")),
			.transaction_key = arena_strdup(m, member_text(one, "transactionKey")),
			.is_cancel = strstr(member_text(one, "status"), "CANCELED") != NULL,
		};
	}
	c->has_more = c->n == CHANGES_PER_PAGE;
}

/* The end of its range is inclusive. */
static struct provider_changes
toss_changes(struct arena *m, int64_t from, int64_t until, const char *after, int64_t until_ms)
{
	struct provider_request q = {
		.what = "list",
		.path = arena_printf(m, "/v1/transactions?startDate=%s&endDate=%s&limit=%d%s%s", toss_time(m, from),
			toss_time(m, until - 1), CHANGES_PER_PAGE, *after ? "&startingAfter=" : "", segment(m, after)),
		.until_ms = until_ms,
	};
	struct provider_changes c = { .outcome = PROVIDER_UNKNOWN };
	json_t *all = NULL;

	if (toss_ask(m, &q) == CALL_ANSWERED && q.status == 200)
		all = json_loads(q.answer, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_array(all))
		take_changes(m, all, &c);
	json_decref(all);
	return c;
}

static struct provider_answer
toss_issue_card(
	struct arena *m, const char *auth_key, const char *customer_key, const char *request_key, int64_t until_ms)
{
	struct issue_body words = { .authKey = auth_key, .customerKey = customer_key };
	struct provider_request q = {
		.what = "issue_card",
		.path = "/v1/billing/authorizations/issue",
		.body = toss_body(m, &issue_body_shape, &words),
		.idempotency_key = request_key,
		.until_ms = until_ms,
	};
	enum toss_meaning meaning;
	json_t *json;
	struct provider_answer a = ask_toss(m, &q, &json, &meaning);

	if (json && *member_text(json, "billingKey")) {
		a.outcome = PROVIDER_OK;
		a.billing_key = arena_strdup(m, member_text(json, "billingKey"));
		take_card(m, json, &a);
	}
	json_decref(json);
	return a;
}

/* {"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"MP-…",…}} */
static const char *
toss_parse_webhook(struct arena *m, const char *body)
{
	json_t *json = parse(body);
	const char *key = member_text(json_object_get(json, "data"), "orderId");
	bool ours = strcmp(member_text(json, "eventType"), "PAYMENT_STATUS_CHANGED") == 0 && *key && strlen(key) <= 64;

	key = ours ? arena_strdup(m, key) : NULL;
	json_decref(json);
	return key;
}

static const char *
toss_card_page(struct arena *m, const char *customer_key, const char *success_url, const char *fail_url)
{
	return arena_printf(m, "%s/card?customerKey=%s&successUrl=%s&failUrl=%s", rental.provider_public_url,
		segment(m, customer_key), segment(m, success_url), segment(m, fail_url));
}

const struct provider toss = {
	.charge = toss_charge, .confirm = toss_confirm, .refund = toss_refund, .look_up = toss_look_up,
	.cancels = toss_cancels, .changes = toss_changes,
	.issue_card = toss_issue_card, .parse_webhook = toss_parse_webhook, .card_page = toss_card_page,
};
