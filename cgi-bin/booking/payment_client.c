/* payment_client - booking's calls to payment over its internal socket; described in payment_client.h. */
#include "payment_client.h"

#include "lib/call/call.h"
#include "lib/base/json.h"
#include "lib/base/settings.h"

#include <stdlib.h>
#include <string.h>

const struct payment_client *payment_client = &payment_by_call;

struct charge_request {
	const char *key, *subject_id, *payment_key, *card_token, *currency;
	int64_t customer_id, card_id, amount, vat_amount, deadline_ms, try_no;
};
static const struct member charge_request_members[] = {
	SHAPE_TEXT(charge_request, key), SHAPE_TEXT(charge_request, subject_id),
	SHAPE_TEXT(charge_request, payment_key), SHAPE_TEXT(charge_request, currency),
	SHAPE_INT(charge_request, customer_id), SHAPE_INT(charge_request, card_id),
	SHAPE_AMOUNT(charge_request, amount), SHAPE_AMOUNT(charge_request, vat_amount),
	SHAPE_INT(charge_request, deadline_ms), SHAPE_INT(charge_request, try_no),
	SHAPE_TEXT(charge_request, card_token),
};
static const struct shape charge_request_shape = SHAPE(charge_request, charge_request_members);

struct refund_request {
	const char *key, *subject_id, *refund_key, *reason;
	int64_t amount;
};
static const struct member refund_request_members[] = {
	SHAPE_TEXT(refund_request, key), SHAPE_TEXT(refund_request, subject_id),
	SHAPE_TEXT(refund_request, refund_key), SHAPE_TEXT(refund_request, reason),
	SHAPE_AMOUNT(refund_request, amount),
};
static const struct shape refund_request_shape = SHAPE(refund_request, refund_request_members);

struct payment_reply {
	const char *outcome, *reason;
	int64_t charge_id, refunded_amount;
};
static const struct member payment_reply_members[] = {
	SHAPE_TEXT(payment_reply, outcome), SHAPE_TEXT(payment_reply, reason), SHAPE_INT(payment_reply, charge_id),
	SHAPE_AMOUNT(payment_reply, refunded_amount),
};
static const struct shape payment_reply_shape = SHAPE(payment_reply, payment_reply_members);

/*
 * One call. The hold is not synced to disk before it: payment writes to the same database, and its sync before it asks
 * the provider covers every earlier commit.
 */
static enum call_outcome
call_payment(struct db *db, const char *path, const char *body, struct payment_reply *reply, int *status)
{
	struct call c = {
		.program = "payment", .path = path, .body = body, .deadline_ms = (int)settings.call_deadline_ms
	};
	enum call_outcome outcome;

	*reply = (struct payment_reply){ .outcome = "", .reason = "" };
	*status = 0;
	outcome = call_do(db_memory(db), &c);
	if (outcome != CALL_ANSWERED)
		return outcome;
	*status = c.status;
	if (c.status == 200 && !json_into(db_memory(db), c.answer, &payment_reply_shape, reply))
		return CALL_UNKNOWN;
	return CALL_ANSWERED;
}

/* A 503 means that payment has not begun: it sheds load before it changes anything. */
static enum charge_answer
answer_of_charge(enum call_outcome outcome, int status, const struct payment_reply *reply)
{
	if (outcome == CALL_NOT_SENT || outcome == CALL_REFUSED || (outcome == CALL_ANSWERED && status == 503))
		return CHARGE_ANSWER_NOT_ASKED;
	if (outcome == CALL_ANSWERED && status == 404)
		return CHARGE_ANSWER_NEVER_SEEN;
	if (outcome != CALL_ANSWERED || status != 200)
		return CHARGE_ANSWER_UNKNOWN;
	if (strcmp(reply->outcome, "approved") == 0)
		return CHARGE_ANSWER_APPROVED;
	if (strcmp(reply->outcome, "declined") == 0)
		return CHARGE_ANSWER_DECLINED;
	if (strcmp(reply->outcome, "later") == 0)
		return CHARGE_ANSWER_NOT_ASKED;
	return CHARGE_ANSWER_UNKNOWN;
}

static const char *
request_body(struct db *db, const struct shape *shape, const void *data)
{
	struct buf body = { .m = db_memory(db) };

	json_put(&body, shape, data);
	return body.s;
}

/* A deliberate mistake for the fault experiments, which must find it: a retry under a fresh key. */
static bool
retries_under_fresh_key(void)
{
#ifdef MOTORPOOL_FAULTS
	return getenv("MOTORPOOL_FRESH_KEYS") != NULL;
#else
	return false;
#endif
}

static enum charge_answer
charge_by_call(struct db *db, const struct booking *b, const struct booking_payment *p, int64_t *charge_id,
	const char **reason)
{
	const char *payment_key = p ? text_or_empty(p->payment_key) : "";
	struct charge_request q = {
		.key = booking_charge_key(db_memory(db), b),
		.subject_id = b->code,
		.payment_key = payment_key,
		.card_token = *payment_key ? text_or_empty(p->card_token) : "",
		.currency = b->currency,
		.customer_id = b->customer_id,
		.card_id = *payment_key ? 0 : b->card_id,
		.amount = b->amount,
		.vat_amount = b->vat_amount,
		.deadline_ms = settings.call_deadline_ms,
		.try_no = b->try_no,
	};
	struct payment_reply reply;
	int status;
	enum call_outcome outcome =
		call_payment(db, "/internal/charge", request_body(db, &charge_request_shape, &q), &reply, &status);

	if (retries_under_fresh_key() && answer_of_charge(outcome, status, &reply) == CHARGE_ANSWER_UNKNOWN) {
		q.key = q.subject_id = arena_printf(db_memory(db), "%s-again", b->code);
		outcome = call_payment(
			db, "/internal/charge", request_body(db, &charge_request_shape, &q), &reply, &status);
	}
	*charge_id = reply.charge_id;
	*reason = reply.reason;
	return answer_of_charge(outcome, status, &reply);
}

static enum charge_answer
look_up_by_call(struct db *db, const struct booking *b, int64_t *charge_id, const char **reason)
{
	struct payment_reply reply;
	int status;
	const char *path = arena_printf(db_memory(db), "/internal/charge/%s", booking_charge_key(db_memory(db), b));
	enum call_outcome outcome = call_payment(db, path, NULL, &reply, &status);

	*charge_id = reply.charge_id;
	*reason = reply.reason;
	return answer_of_charge(outcome, status, &reply);
}

static enum refund_answer
refund_by_call(struct db *db, const struct booking *b, const struct booking_refund *refund, int64_t *refunded_amount)
{
	struct refund_request q = {
		.key = refund->charge_key,
		.subject_id = b->code,
		.refund_key = refund->key,
		.amount = refund->amount,
		.reason = refund->reason,
	};
	struct payment_reply reply;
	int status;
	enum call_outcome outcome =
		call_payment(db, "/internal/refund", request_body(db, &refund_request_shape, &q), &reply, &status);

	*refunded_amount = reply.refunded_amount;
	if (outcome == CALL_ANSWERED && (status == 409 || status == 422))
		return REFUND_ANSWER_REFUSED;
	if (outcome != CALL_ANSWERED || status != 200)
		return REFUND_ANSWER_LATER;
	return strcmp(reply.outcome, "done") == 0 ? REFUND_ANSWER_DONE : REFUND_ANSWER_PENDING;
}

struct payer { int64_t customer_id; const char *customer_key; };
static const struct member payer_members[] = { SHAPE_INT(payer, customer_id), SHAPE_TEXT(payer, customer_key) };
static const struct shape payer_shape = SHAPE(payer, payer_members);

static const char *
customer_key_by_call(struct db *db, int64_t customer_id)
{
	struct payer p = { .customer_id = customer_id };
	struct call c = {
		.program = "payment",
		.path = "/internal/payers",
		.body = request_body(db, &payer_shape, &p),
		.deadline_ms = (int)settings.call_deadline_ms,
	};

	if (call_do(db_memory(db), &c) != CALL_ANSWERED || c.status != 200
		|| !json_into(db_memory(db), c.answer, &payer_shape, &p))
		return NULL;
	return p.customer_key;
}

const char *
refund_answer_code(enum refund_answer answer)
{
	switch (answer) {
	case REFUND_ANSWER_PENDING: return "refund_asked";
	case REFUND_ANSWER_REFUSED: return "refund_refused";
	case REFUND_ANSWER_LATER: return "payment_down";
	case REFUND_ANSWER_DONE: break;
	}
	return "";
}

struct payout_request { const char *key, *subject_id, *kind, *currency, *way; int64_t payee_id, amount; };
static const struct member payout_request_members[] = {
	SHAPE_TEXT(payout_request, key), SHAPE_INT(payout_request, payee_id), SHAPE_TEXT(payout_request, subject_id),
	SHAPE_TEXT(payout_request, kind), SHAPE_AMOUNT(payout_request, amount), SHAPE_TEXT(payout_request, currency),
	SHAPE_TEXT(payout_request, way),
};
static const struct shape payout_request_shape = SHAPE(payout_request, payout_request_members);

/* By bank transfer: a card can only be given back what was charged to it, and all of that is refunded. */
static enum payout_answer
payout_by_call(struct db *db, const struct booking *b, const struct booking_payout *payout)
{
	const struct payout_request q = {
		.key = payout->key,
		.payee_id = b->customer_id,
		.subject_id = b->code,
		.kind = payout->kind,
		.amount = payout->amount,
		.currency = b->currency,
		.way = "bank",
	};
	struct payment_reply reply;
	int status;
	enum call_outcome outcome =
		call_payment(db, "/internal/payouts", request_body(db, &payout_request_shape, &q), &reply, &status);

	if (outcome == CALL_ANSWERED && (status == 409 || status == 422))
		return PAYOUT_ANSWER_REFUSED;
	return outcome == CALL_ANSWERED && status == 200 ? PAYOUT_ANSWER_DONE : PAYOUT_ANSWER_LATER;
}

/* Payment charges nothing while its own breaker, to the card provider, is open. */
static int
ask_payment_breakers(void)
{
	int payment_s = call_closed_for_s("payment"), provider_s = call_closed_for_s("provider");

	return payment_s > provider_s ? payment_s : provider_s;
}

const struct payment_client payment_by_call = {
	charge_by_call, look_up_by_call, refund_by_call, ask_payment_breakers, customer_key_by_call, payout_by_call,
};

int
payment_closed_for_s(void)
{
	return payment_client->closed_for_s ? payment_client->closed_for_s() : 0;
}
