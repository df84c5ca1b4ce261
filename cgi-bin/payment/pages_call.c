/*
 * pages_call - the calls of programs: booking over the internal socket (docs/calls.md), the provider by webhook.
 *
 * 200 carries an outcome, also "later" when the provider cannot be reached and nothing was or will be charged: payment
 * itself works then, and a 503 would count as its failure (lib/call/breaker.h). Any other status is a mistake of the
 * caller.
 */
#include "pages.h"

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/settings.h"

#include <stdlib.h>
#include <string.h>

struct call_reply { const char *outcome, *reason; int64_t charge_id, refunded_amount; };
static const struct member charge_reply_members[] = {
	SHAPE_TEXT(call_reply, outcome), SHAPE_INT(call_reply, charge_id), SHAPE_TEXT(call_reply, reason),
};
static const struct shape charge_reply_shape = SHAPE(call_reply, charge_reply_members);
static const struct member refund_reply_members[] = { SHAPE_TEXT(call_reply, outcome),
	SHAPE_AMOUNT(call_reply, refunded_amount) };
static const struct shape refund_reply_shape = SHAPE(call_reply, refund_reply_members);

static const struct member charge_order_members[] = {
	SHAPE_TEXT(charge_order, key), SHAPE_TEXT(charge_order, subject_id), SHAPE_INT(charge_order, customer_id),
	SHAPE_INT(charge_order, card_id), SHAPE_TEXT(charge_order, payment_key), SHAPE_AMOUNT(charge_order, amount),
	SHAPE_AMOUNT(charge_order, vat_amount), SHAPE_TEXT(charge_order, currency),
	SHAPE_INT(charge_order, deadline_ms), SHAPE_INT(charge_order, try_no), SHAPE_TEXT(charge_order, card_token),
};
static const struct shape charge_order_shape = SHAPE(charge_order, charge_order_members);

static const struct member refund_order_members[] = {
	SHAPE_TEXT(refund_order, key), SHAPE_TEXT(refund_order, refund_key), SHAPE_AMOUNT(refund_order, amount),
	SHAPE_TEXT(refund_order, reason), SHAPE_INT(refund_order, deadline_ms), SHAPE_TEXT(refund_order, subject_id),
};
static const struct shape refund_order_shape = SHAPE(refund_order, refund_order_members);

static bool
read_call_body(struct web *w, const struct shape *shape, void *out)
{
	size_t n;
	const char *body = web_body(w, &n);

	return strlen(body) == n && json_into(w->m, body, shape, out);
}

/* What was left of the caller's deadline when the call was sent: it may have waited before. */
static int64_t
deadline(struct web *w, int64_t given_ms)
{
	const char *left = web_header(w, "X-Deadline-Ms");
	int64_t left_ms = left ? atoll(left) : 0;

	return left_ms > 0 && left_ms < given_ms ? left_ms : given_ms;
}

static enum status
refuse_call(struct web *w, const char *what)
{
	log_error("call", "%s", what);
	return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", what);
}

/* --- charges ------------------------------------------------------------------------------------------------------ */

static enum status
answer_charge(struct web *w, const char *outcome, const struct charge *c, bool with_reason)
{
	struct call_reply r = {
		.outcome = outcome, .reason = with_reason ? charge_reason(w->db, c) : "", .charge_id = c->charge_id
	};

	return web_json(w, HTTP_OK, &charge_reply_shape, &r);
}

enum status
do_charge(struct web *w)
{
	struct charge_order o = { .deadline_ms = settings.call_deadline_ms, .try_no = 1 };
	struct charge c = { .reason = "" };

	if (!read_call_body(w, &charge_order_shape, &o))
		return refuse_call(w, "not a charge");
	o.deadline_ms = deadline(w, o.deadline_ms);
	switch (charge_make(w->db, &o, &c)) {
	case CHARGE_OUTCOME_APPROVED: return answer_charge(w, "approved", &c, false);
	case CHARGE_OUTCOME_DECLINED: return answer_charge(w, "declined", &c, true);
	case CHARGE_OUTCOME_UNKNOWN: return answer_charge(w, "unknown", &c, false);
	case CHARGE_OUTCOME_LATER: return answer_charge(w, "later", &c, true);
	case CHARGE_OUTCOME_KEY_REUSED:
		return web_refuse(w, HTTP_UNPROCESSABLE, "key_reused",
			"This idempotency key was already used with a different charge.");
	case CHARGE_OUTCOME_BAD_ORDER: return refuse_call(w, "such a charge cannot be made");
	}
	return web_broken(w);
}

/* By the row alone: a charge that the provider never got counts as declined, because nothing will be charged. */
enum status
show_charge(struct web *w)
{
	struct charge c;

	if (!charge_find(w->db, web_param(w, "key"), &c))
		return web_not_found(w);
	switch (charge_outcome_now(w->db, &c)) {
	case CHARGE_OUTCOME_APPROVED: return answer_charge(w, "approved", &c, false);
	case CHARGE_OUTCOME_DECLINED:
	case CHARGE_OUTCOME_LATER: return answer_charge(w, "declined", &c, true);
	case CHARGE_OUTCOME_UNKNOWN: return answer_charge(w, "unknown", &c, false);
	case CHARGE_OUTCOME_KEY_REUSED:
	case CHARGE_OUTCOME_BAD_ORDER: break;
	}
	return web_broken(w);
}

/* --- refunds ------------------------------------------------------------------------------------------------------ */

static bool
is_call_key(const char *key)
{
	size_t n = key ? strlen(key) : 0;

	return n > 0 && n <= 80
		&& strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=") == n;
}

static bool
is_refund(struct refund_order *o)
{
	if (!o->reason)
		o->reason = "";
	return is_call_key(o->key) && (!o->subject_id || strlen(o->subject_id) <= 80) && is_call_key(o->refund_key)
		&& o->amount >= 0 && o->amount <= CHARGE_MAX_AMOUNT && strlen(o->reason) <= 200 && o->deadline_ms > 0
		&& o->deadline_ms <= 60000;
}

enum status
do_refund(struct web *w)
{
	struct refund_order o = { .deadline_ms = settings.call_deadline_ms };
	struct call_reply r = { .outcome = "pending" };
	struct charge c = { .refunded_amount = 0 };

	if (!read_call_body(w, &refund_order_shape, &o) || !is_refund(&o))
		return refuse_call(w, "not a refund");
	o.deadline_ms = deadline(w, o.deadline_ms);
	switch (refund_make(w->db, &o, &c)) {
	case REFUND_OUTCOME_DONE: r.outcome = "done"; break;
	case REFUND_OUTCOME_PENDING: break;
	case REFUND_OUTCOME_TOO_MUCH:
		return web_refuse(w, HTTP_CONFLICT, "too_much", "More than is left of the charge.");
	case REFUND_OUTCOME_NO_CHARGE:
		return web_refuse(w, HTTP_CONFLICT, "no_charge", "There is no approved charge under this key.");
	case REFUND_OUTCOME_KEY_REUSED:
		return web_refuse(w, HTTP_UNPROCESSABLE, "key_reused",
			"This idempotency key was already used with a different refund.");
	}
	r.refunded_amount = c.refunded_amount;
	return web_json(w, HTTP_OK, &refund_reply_shape, &r);
}

/* --- payouts ------------------------------------------------------------------------------------------------------ */

static const struct member payout_order_members[] = {
	SHAPE_TEXT(payout_order, key), SHAPE_INT(payout_order, payee_id), SHAPE_TEXT(payout_order, subject_id),
	SHAPE_STATE(payout_order, kind, payout_kind_words), SHAPE_AMOUNT(payout_order, amount),
	SHAPE_TEXT(payout_order, currency), SHAPE_STATE(payout_order, way, payout_way_words),
};
static const struct shape payout_order_shape = SHAPE(payout_order, payout_order_members);

struct payout_reply { int64_t payout_id; int state; };
static const struct member payout_reply_members[] = {
	SHAPE_INT(payout_reply, payout_id), SHAPE_STATE(payout_reply, state, payout_state_words),
};
static const struct shape payout_reply_shape = SHAPE(payout_reply, payout_reply_members);

enum status
do_payout(struct web *w)
{
	struct payout_order o = { .kind = -1, .way = -1 };
	struct payout p = { .payout_id = 0 };

	if (!read_call_body(w, &payout_order_shape, &o) || !is_call_key(o.key))
		return refuse_call(w, "not a payout");
	switch (payout_assign(w->db, &o, &p)) {
	case PAYOUT_OUTCOME_DONE: break;
	case PAYOUT_OUTCOME_KEY_REUSED:
		return web_refuse(w, HTTP_UNPROCESSABLE, "key_reused",
			"This idempotency key was already used with a different payout.");
	case PAYOUT_OUTCOME_BAD_ORDER: return refuse_call(w, "such a payout cannot be made");
	case PAYOUT_OUTCOME_NOT_TO_CARD:
		log_error("call", "%s: a payout cannot go to a card", o.key);
		return web_refuse(w, HTTP_UNPROCESSABLE, "not_to_card",
			"A card is only given back what was charged to it, by a refund. Pay this out by bank"
			" transfer.");
	case PAYOUT_OUTCOME_NONE:
	case PAYOUT_OUTCOME_CLOSED: return web_broken(w);
	}
	return web_json(
		w, HTTP_OK, &payout_reply_shape, &(struct payout_reply){ .payout_id = p.payout_id, .state = p.state });
}

/* --- payers ------------------------------------------------------------------------------------------------------- */

struct payer { int64_t customer_id; const char *customer_key; };
static const struct member payer_members[] = { SHAPE_INT(payer, customer_id), SHAPE_TEXT(payer, customer_key) };
static const struct shape payer_shape = SHAPE(payer, payer_members);

/* POST /internal/payers {customer_id}: their key on the provider's pages, which is made if there is none. */
enum status
do_payer(struct web *w)
{
	struct payer p = { .customer_key = "" };

	if (!read_call_body(w, &payer_shape, &p) || p.customer_id <= 0)
		return refuse_call(w, "not a payer");
	p.customer_key = payer_make(w->db, p.customer_id);
	return p.customer_key ? web_json(w, HTTP_OK, &payer_shape, &p) : web_broken(w);
}

/* --- the provider's webhook --------------------------------------------------------------------------------------- */

/* Anyone can send one, so it is only a hint to ask the provider. The answer is always the same. */
enum status
do_webhook(struct web *w)
{
	size_t n;
	const char *body = web_body(w, &n), *key = strlen(body) == n ? provider->parse_webhook(w->m, body) : NULL;

	if (key)
		charge_hint(w->db, key);
	return web_json_text(w, HTTP_OK, "{}");
}
