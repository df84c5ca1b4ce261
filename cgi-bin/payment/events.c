/* events - what payment reports of charges and refunds (docs/events.md), and the tables it may write. */
#include "payment_steps.h"

const struct db_role payment_role = {
	.name = "payment",
	.owns = "payer card charge refund ledger_line posting payout ledger_account posting_kind payout_kind",
};

struct charge_report { int64_t charge_id, customer_id, amount, try_no; const char *currency, *brand, *last4, *reason; };
static const struct member approved_members[] = {
	SHAPE_INT(charge_report, charge_id), SHAPE_INT(charge_report, customer_id), SHAPE_AMOUNT(charge_report, amount),
	SHAPE_TEXT(charge_report, currency), SHAPE_TEXT(charge_report, brand), SHAPE_TEXT(charge_report, last4),
	SHAPE_INT(charge_report, try_no),
};
static const struct member failed_members[] = {
	SHAPE_INT(charge_report, charge_id), SHAPE_INT(charge_report, customer_id), SHAPE_AMOUNT(charge_report, amount),
	SHAPE_TEXT(charge_report, currency), SHAPE_TEXT(charge_report, reason), SHAPE_INT(charge_report, try_no),
};
static const struct shape approved_shape = SHAPE(charge_report, approved_members);
static const struct shape failed_shape = SHAPE(charge_report, failed_members);

static void
report_charge(
	struct db *db, enum event_type_id type, const struct shape *shape, const struct charge *c, const char *reason)
{
	const struct event e = { .subject_id = c->subject_id };
	const struct charge_report r = {
		.charge_id = c->charge_id,
		.customer_id = c->user_id,
		.amount = c->amount,
		.currency = c->currency,
		.brand = c->brand,
		.last4 = c->last4,
		.reason = reason,
		.try_no = c->try_no,
	};

	event_report(db, type, &e, shape, &r);
}

void
payment_report_approved(struct db *db, const struct charge *c)
{
	report_charge(db, EVENT_PAYMENT_APPROVED, &approved_shape, c, "");
}

void
payment_report_failed(struct db *db, const struct charge *c, const char *reason)
{
	report_charge(db, EVENT_PAYMENT_FAILED, &failed_shape, c, reason);
}

struct refund_report { int64_t charge_id, refund_id, customer_id, amount, refunded_amount, try_no; const char *currency,
	*paid_by, *refund_key; };
static const struct member cancelled_members[] = {
	SHAPE_INT(refund_report, charge_id), SHAPE_INT(refund_report, refund_id), SHAPE_INT(refund_report, customer_id),
	SHAPE_AMOUNT(refund_report, amount), SHAPE_AMOUNT(refund_report, refunded_amount),
	SHAPE_TEXT(refund_report, currency), SHAPE_TEXT(refund_report, paid_by), SHAPE_TEXT(refund_report, refund_key),
	SHAPE_INT(refund_report, try_no),
};
static const struct shape cancelled_shape = SHAPE(refund_report, cancelled_members);

static void
report_refund(
	struct db *db, enum event_type_id type, const struct charge *c, const struct refund *r, const char *paid_by)
{
	const struct event e = { .subject_id = c->subject_id };
	const struct refund_report report = {
		.charge_id = c->charge_id,
		.refund_id = r->refund_id,
		.customer_id = c->user_id,
		.amount = r->amount,
		.refunded_amount = c->refunded_amount,
		.currency = c->currency,
		.paid_by = paid_by,
		.refund_key = r->key,
		.try_no = c->try_no,
	};

	event_report(db, type, &e, &cancelled_shape, &report);
}

void
payment_report_refunded(struct db *db, const struct charge *c, const struct refund *r, const char *paid_by)
{
	report_refund(db, EVENT_PAYMENT_CANCELLED, c, r, paid_by);
}

void
payment_report_outside(struct db *db, const struct charge *c, const struct refund *r)
{
	report_refund(db, EVENT_PAYMENT_REFUNDED_OUTSIDE, c, r, "card");
}

struct payout_report { int64_t payout_id, payee_id, amount; const char *key, *currency, *note; int kind, way; };
static const struct member payout_report_members[] = {
	SHAPE_INT(payout_report, payout_id), SHAPE_TEXT(payout_report, key), SHAPE_INT(payout_report, payee_id),
	SHAPE_STATE(payout_report, kind, payout_kind_words), SHAPE_AMOUNT(payout_report, amount),
	SHAPE_TEXT(payout_report, currency), SHAPE_STATE(payout_report, way, payout_way_words),
	SHAPE_TEXT(payout_report, note),
};
static const struct shape payout_report_shape = SHAPE(payout_report, payout_report_members);

void
payment_report_payout(
	struct db *db, enum event_type_id type, const struct payout *p, const char *note, int64_t actor_id)
{
	const struct event e = { .subject_id = p->subject_id, .actor_id = actor_id };
	const struct payout_report report = {
		.payout_id = p->payout_id,
		.payee_id = p->payee_id,
		.amount = p->amount,
		.key = p->key,
		.currency = p->currency,
		.note = note,
		.kind = p->kind,
		.way = p->way,
	};

	event_report(db, type, &e, &payout_report_shape, &report);
}
