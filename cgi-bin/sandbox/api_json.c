/* api_json - the provider's answers as JSON; described in api_json.h. */
#include "api_json.h"

#include "lib/base/json.h"

static const struct member api_card_members[] = {
	SHAPE_INT(api_card, amount), SHAPE_TEXT(api_card, issuerCode), SHAPE_TEXT(api_card, number),
	SHAPE_TEXT(api_card, cardType),
};
static const struct shape api_card_shape = SHAPE(api_card, api_card_members);

static const struct member api_error_members[] = { SHAPE_TEXT(api_error, code), SHAPE_TEXT(api_error, message) };
const struct shape api_error_shape = SHAPE(api_error, api_error_members);

static const struct member api_cancel_members[] = {
	SHAPE_INT(api_cancel, cancelAmount), SHAPE_TEXT(api_cancel, cancelReason), SHAPE_TIME(api_cancel, canceledAt),
	SHAPE_TEXT(api_cancel, transactionKey), SHAPE_TEXT(api_cancel, cancelStatus),
};
static const struct shape api_cancel_shape = SHAPE(api_cancel, api_cancel_members);

static const struct member api_payment_members[] = {
	SHAPE_TEXT(api_payment, version), SHAPE_TEXT(api_payment, paymentKey), SHAPE_TEXT(api_payment, type),
	SHAPE_TEXT(api_payment, orderId), SHAPE_TEXT(api_payment, orderName), SHAPE_TEXT(api_payment, mId),
	SHAPE_TEXT(api_payment, currency), SHAPE_TEXT(api_payment, method), SHAPE_TEXT(api_payment, status),
	SHAPE_TEXT(api_payment, cardCompany), SHAPE_INT(api_payment, totalAmount),
	SHAPE_INT(api_payment, balanceAmount), SHAPE_INT(api_payment, suppliedAmount), SHAPE_INT(api_payment, vat),
	SHAPE_TIME(api_payment, requestedAt), SHAPE_TIME(api_payment, approvedAt),
	SHAPE_STRUCT(api_payment, card, api_card_shape), SHAPE_MAYBE(api_payment, failure, api_error_shape),
	SHAPE_LIST(api_payment, cancels, api_cancel_shape),
};
const struct shape api_payment_shape = SHAPE(api_payment, api_payment_members);

static const struct member api_billing_members[] = {
	SHAPE_TEXT(api_billing, mId), SHAPE_TEXT(api_billing, customerKey), SHAPE_TIME(api_billing, authenticatedAt),
	SHAPE_TEXT(api_billing, method), SHAPE_TEXT(api_billing, billingKey), SHAPE_TEXT(api_billing, cardCompany),
	SHAPE_TEXT(api_billing, cardNumber), SHAPE_STRUCT(api_billing, card, api_card_shape),
};
const struct shape api_billing_shape = SHAPE(api_billing, api_billing_members);

static const struct member api_webhook_members[] = {
	SHAPE_TEXT(api_webhook, eventType), SHAPE_TIME(api_webhook, createdAt),
	SHAPE_STRUCT(api_webhook, data, api_payment_shape),
};
const struct shape api_webhook_shape = SHAPE(api_webhook, api_webhook_members);

static const struct member api_transaction_members[] = {
	SHAPE_TEXT(api_transaction, mId), SHAPE_TEXT(api_transaction, transactionKey),
	SHAPE_TEXT(api_transaction, paymentKey), SHAPE_TEXT(api_transaction, orderId),
	SHAPE_TEXT(api_transaction, method), SHAPE_TEXT(api_transaction, customerKey),
	SHAPE_TEXT(api_transaction, status), SHAPE_TIME(api_transaction, transactionAt),
	SHAPE_TEXT(api_transaction, currency), SHAPE_INT(api_transaction, amount),
};
const struct shape api_transaction_shape = SHAPE(api_transaction, api_transaction_members);

const char *
api_json(struct arena *m, const struct shape *shape, const void *data)
{
	struct buf b = { .m = m };

	json_put(&b, shape, data);
	return b.s;
}

const char *
api_card_number(struct arena *m, const struct test_card *card)
{
	return arena_printf(m, "%.8s****%s", card->number, card_last4(card));
}

struct api_card
api_card_of(struct arena *m, int64_t i, int64_t amount)
{
	const struct test_card *card = test_card(i);

	return (struct api_card){
		.issuerCode = card->issuer, .number = api_card_number(m, card), .cardType = "credit", .amount = amount
	};
}

static void
add_cancels(struct db *db, const struct sandbox_payment *p, struct api_payment *s)
{
	if (p->balance < p->amount)
		db_list(db, &api_cancel_shape, &s->cancels, &s->n_cancels,
			"SELECT amount AS cancelAmount, reason AS cancelReason, canceled_at AS canceledAt,"
			" transaction_key AS transactionKey, 'DONE' AS cancelStatus FROM cancel WHERE payment_id = $1"
			" ORDER BY cancel_id",
			p->payment_id);
}

struct api_payment
api_payment_of(struct db *db, const struct sandbox_payment *p)
{
	struct arena *m = db_memory(db);
	struct api_payment s = {
		.version = "2022-11-16",
		.paymentKey = p->payment_key,
		.type = "BILLING",
		.orderId = p->order_id,
		.orderName = p->order_name,
		.mId = "motorpool-sandbox",
		.currency = p->currency,
		.method = "카드",
		.status = p->status,
		.cardCompany = test_card(p->card)->brand,
		.totalAmount = p->amount,
		.balanceAmount = p->balance,
		.vat = p->balance / 11,
		.suppliedAmount = p->balance - p->balance / 11,
		.requestedAt = p->requested_at,
		.approvedAt = p->approved_at,
		.card = api_card_of(m, p->card, p->amount),
	};

	if (*p->failure) {
		s.failure = arena_new_of(m, struct api_error);
		*s.failure = (struct api_error){ .code = p->failure, .message = "The card was declined." };
	}
	add_cancels(db, p, &s);
	return s;
}
