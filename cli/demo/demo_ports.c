/*
 * demo_ports.c - booking's calls to others (docs/calls.md) lead straight to the functions that would have answered
 * them, and payment's provider is the sandbox's own API, all in this process; so charges, refunds, ledger, cases, jobs
 * and the sandbox's books are what they would have been.
 */
#include "demo.h"

#include "cgi-bin/booking/delivery_client.h"
#include "cgi-bin/booking/custody.h"
#include "cgi-bin/booking/payment_client.h"
#include "cgi-bin/delivery/booking_client.h"
#include "cgi-bin/delivery/delivery.h"
#include "cgi-bin/payment/payment.h"
#include "cgi-bin/review/review.h"
#include "cgi-bin/sandbox/direct.h"
#include "domain/review_client.h"

#define PATIENCE_MS 60000

/* --- payment ------------------------------------------------------------------------------------------------------ */

static enum charge_answer
answer_to_charge(enum charge_outcome outcome)
{
	switch (outcome) {
	case CHARGE_OUTCOME_APPROVED: return CHARGE_ANSWER_APPROVED;
	case CHARGE_OUTCOME_DECLINED: return CHARGE_ANSWER_DECLINED;
	case CHARGE_OUTCOME_LATER: return CHARGE_ANSWER_NOT_ASKED;
	case CHARGE_OUTCOME_UNKNOWN:
	case CHARGE_OUTCOME_KEY_REUSED:
	case CHARGE_OUTCOME_BAD_ORDER: break;
	}
	return CHARGE_ANSWER_UNKNOWN;
}

static enum charge_answer
charge_here(struct db *db, const struct booking *b, const struct booking_payment *p, int64_t *charge_id,
	const char **reason)
{
	const char *payment_key = p ? text_or_empty(p->payment_key) : "";
	struct charge_order o = {
		.key = booking_charge_key(db_memory(db), b),
		.subject_id = b->code,
		.try_no = b->try_no,
		.currency = b->currency,
		.payment_key = payment_key,
		.customer_id = b->customer_id,
		.card_id = *payment_key ? 0 : b->card_id,
		.amount = b->amount,
		.vat_amount = b->vat_amount,
		.deadline_ms = PATIENCE_MS,
	};
	struct charge c = { .reason = "" };
	enum charge_outcome outcome = charge_make(db, &o, &c);

	*charge_id = c.charge_id;
	*reason = c.reason;
	return answer_to_charge(outcome);
}

static enum charge_answer
look_up_here(struct db *db, const struct booking *b, int64_t *charge_id, const char **reason)
{
	struct charge c;

	if (!charge_find(db, booking_charge_key(db_memory(db), b), &c))
		return CHARGE_ANSWER_NEVER_SEEN;
	*charge_id = c.charge_id;
	*reason = c.reason;
	return answer_to_charge(charge_outcome_now(db, &c));
}

static enum refund_answer
refund_here(struct db *db, const struct booking *b, const struct booking_refund *p, int64_t *refunded_amount)
{
	struct refund_order o = {
		.key = p->charge_key,
		.subject_id = b->code,
		.refund_key = p->key,
		.amount = p->amount,
		.reason = p->reason,
		.deadline_ms = PATIENCE_MS,
	};
	struct charge c = { .refunded_amount = 0 };

	switch (refund_make(db, &o, &c)) {
	case REFUND_OUTCOME_DONE: *refunded_amount = c.refunded_amount; return REFUND_ANSWER_DONE;
	case REFUND_OUTCOME_PENDING: return REFUND_ANSWER_PENDING;
	case REFUND_OUTCOME_TOO_MUCH:
	case REFUND_OUTCOME_NO_CHARGE:
	case REFUND_OUTCOME_KEY_REUSED: break;
	}
	return REFUND_ANSWER_LATER;
}

static enum payout_answer
payout_here(struct db *db, const struct booking *b, const struct booking_payout *q)
{
	const struct payout_order o = {
		.key = q->key,
		.subject_id = b->code,
		.currency = b->currency,
		.payee_id = b->customer_id,
		.amount = q->amount,
		.kind = words_find(&payout_kind_words, q->kind),
		.way = PAYOUT_BY_BANK,
	};
	struct payout p;

	return payout_assign(db, &o, &p) == PAYOUT_OUTCOME_DONE ? PAYOUT_ANSWER_DONE : PAYOUT_ANSWER_REFUSED;
}

static const struct payment_client payments_here = { charge_here, look_up_here, refund_here, NULL, NULL,
	payout_here };

/* --- delivery: is asked before a booking is cancelled ------------------------------------------------------------- */

static enum delivery_answer
cancel_here(struct db *db, const struct booking *b, const char *reason)
{
	return job_cancel(db, b->code, reason) == JOB_IS_CANCELLED ? DELIVERY_ANSWER_CANCELLED
								   : DELIVERY_ANSWER_SHIPPED;
}

static const struct delivery_client deliveries_here = { cancel_here, NULL };

/* --- booking: is asked before a courier's step with the car ------------------------------------------------------- */

static enum booking_answer
custody_here(struct db *db, const struct custody_call *c, struct custody *other)
{
	const struct custody_request q = {
		.key = c->key,
		.begun_key = c->begun_key,
		.booking_code = c->booking_code,
		.step = words_find(&custody_step_words, c->step),
		.user_id = c->user_id,
	};

	struct custody_refusal why = { 0 };

	switch (custody_take_step(db, &q, &why)) {
	case CUSTODY_DONE: return BOOKING_ANSWER_DONE;
	case CUSTODY_IN_USE: *other = why.other; return BOOKING_ANSWER_IN_USE;
	case CUSTODY_OUT_OF_SERVICE: other->plate = why.gone.plate; return BOOKING_ANSWER_OUT_OF_SERVICE;
	case CUSTODY_WRONG_STATE: break;
	}
	return BOOKING_ANSWER_REFUSED;
}

static const struct booking_client bookings_here = { custody_here, NULL };

/* --- review: is asked before money moves, where the kind of equipment says so ------------------------------------- */

static enum review_answer
answer_of_case(const struct review_case *c)
{
	switch ((enum case_state)c->state) {
	case CASE_ASSIGNED: return REVIEW_ANSWER_QUEUED;
	case CASE_APPROVED: return REVIEW_ANSWER_APPROVED;
	case CASE_REJECTED: return REVIEW_ANSWER_REJECTED;
	case CASE_CANCELLED: break;
	}
	return REVIEW_ANSWER_CLOSED;
}

static enum review_answer
open_here(struct db *db, const struct review_request *q, const char **reason)
{
	struct case_request o = {
		.key = q->key,
		.subject_id = q->subject_id,
		.kind = CASE_EQUIPMENT,
		.title = arena_printf(db_memory(db), "%lld × %s", (long long)q->quantity, q->item_name),
		.title_ko = arena_printf(db_memory(db), "%lld × %s", (long long)q->quantity, q->item_name_ko),
		.category = q->category,
		.currency = q->currency,
		.applicant_id = q->applicant_id,
		.quantity = q->quantity,
		.amount = q->amount,
	};
	struct review_case c;

	if (case_open(db, &o, 0, &c) != CASE_OPEN_DONE)
		return REVIEW_ANSWER_NOT_ASKED;
	*reason = c.reason;
	return answer_of_case(&c);
}

static enum review_answer
close_here(struct db *db, const char *key, const char *reason)
{
	case_cancel(db, key, reason, 0);
	return REVIEW_ANSWER_CLOSED;
}

static const struct review_client review_here = { open_here, close_here, NULL };

/* --- from here on, and as it was ---------------------------------------------------------------------------------- */

void
ports_open(struct db *sandbox)
{
	payment_client = &payments_here;
	delivery_client = &deliveries_here;
	booking_client = &bookings_here;
	review_client = &review_here;
	toss_ask = sandbox_direct;
	sandbox_direct_open(sandbox);
}

void
ports_close(void)
{
	payment_client = &payment_by_call;
	delivery_client = &delivery_by_call;
	review_client = &review_by_call;
	toss_ask = toss_http;
}
