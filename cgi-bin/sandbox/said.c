/* said.c - what the provider says, as JSON. The story is in said.h. */
#include "said.h"

#include "lib/base/json.h"

static const struct member said_card_members[] = {
	SHAPE_INT(said_card, amount), SHAPE_TEXT(said_card, issuerCode), SHAPE_TEXT(said_card, number), SHAPE_TEXT(said_card, cardType),
};
static const struct shape said_card_shape = SHAPE(said_card, said_card_members);

static const struct member said_error_members[] = { SHAPE_TEXT(said_error, code), SHAPE_TEXT(said_error, message) };
const struct shape said_error_shape = SHAPE(said_error, said_error_members);

static const struct member said_cancel_members[] = {
	SHAPE_INT(said_cancel, cancelAmount), SHAPE_TEXT(said_cancel, cancelReason), SHAPE_TIME(said_cancel, canceledAt),
	SHAPE_TEXT(said_cancel, transactionKey), SHAPE_TEXT(said_cancel, cancelStatus),
};
static const struct shape said_cancel_shape = SHAPE(said_cancel, said_cancel_members);

static const struct member said_payment_members[] = {
	SHAPE_TEXT(said_payment, version), SHAPE_TEXT(said_payment, paymentKey), SHAPE_TEXT(said_payment, type),
	SHAPE_TEXT(said_payment, orderId), SHAPE_TEXT(said_payment, orderName), SHAPE_TEXT(said_payment, mId),
	SHAPE_TEXT(said_payment, currency), SHAPE_TEXT(said_payment, method), SHAPE_TEXT(said_payment, status),
	SHAPE_TEXT(said_payment, cardCompany), SHAPE_INT(said_payment, totalAmount), SHAPE_INT(said_payment, balanceAmount),
	SHAPE_INT(said_payment, suppliedAmount), SHAPE_INT(said_payment, vat), SHAPE_TIME(said_payment, requestedAt),
	SHAPE_TIME(said_payment, approvedAt), SHAPE_STRUCT(said_payment, card, said_card_shape),
	SHAPE_MAYBE(said_payment, failure, said_error_shape), SHAPE_LIST(said_payment, cancels, said_cancel_shape),
};
const struct shape said_payment_shape = SHAPE(said_payment, said_payment_members);

static const struct member said_billing_members[] = {
	SHAPE_TEXT(said_billing, mId), SHAPE_TEXT(said_billing, customerKey), SHAPE_TIME(said_billing, authenticatedAt),
	SHAPE_TEXT(said_billing, method), SHAPE_TEXT(said_billing, billingKey), SHAPE_TEXT(said_billing, cardCompany),
	SHAPE_TEXT(said_billing, cardNumber), SHAPE_STRUCT(said_billing, card, said_card_shape),
};
const struct shape said_billing_shape = SHAPE(said_billing, said_billing_members);

static const struct member said_webhook_members[] = {
	SHAPE_TEXT(said_webhook, eventType), SHAPE_TIME(said_webhook, createdAt), SHAPE_STRUCT(said_webhook, data, said_payment_shape),
};
const struct shape said_webhook_shape = SHAPE(said_webhook, said_webhook_members);

const char *
said_json(struct arena *m, const struct shape *shape, const void *data)
{
	struct buf b = { .m = m };

	json_put(&b, shape, data);
	return b.s;
}

const char *
said_number(struct arena *m, const struct test_card *card)
{
	return arena_printf(m, "%.8s****%s", card->number, card_last4(card));
}

struct said_card
say_card(struct arena *m, int64_t i, int64_t amount)
{
	const struct test_card *card = test_card(i);

	return (struct said_card){ .issuerCode = card->issuer, .number = said_number(m, card), .cardType = "credit", .amount = amount };
}

static void
say_cancels(struct db *db, const struct sb_payment *p, struct said_payment *s)
{
	if (p->balance < p->amount)
		db_list(db, &said_cancel_shape, &s->cancels, &s->n_cancels,
		        "SELECT amount AS cancelAmount, reason AS cancelReason, canceled_at AS canceledAt,"
		        " transaction_key AS transactionKey, 'DONE' AS cancelStatus FROM cancel WHERE payment_id = $1 ORDER BY cancel_id",
		        p->payment_id);
}

struct said_payment
say_payment(struct db *db, const struct sb_payment *p)
{
	struct arena *m = db_memory(db);
	struct said_payment s = {
		.version = "2022-11-16", .paymentKey = p->payment_key, .type = "BILLING", .orderId = p->order_id, .orderName = p->order_name,
		.mId = "motorpool-sandbox", .currency = p->currency, .method = "카드", .status = p->status,
		.cardCompany = test_card(p->card)->brand, .totalAmount = p->amount, .balanceAmount = p->balance, .vat = p->balance / 11,
		.suppliedAmount = p->balance - p->balance / 11, .requestedAt = p->requested_at, .approvedAt = p->approved_at,
		.card = say_card(m, p->card, p->amount),
	};

	if (*p->failure) {
		s.failure = arena_new_of(m, struct said_error);
		*s.failure = (struct said_error){ .code = p->failure, .message = "The card was declined." };
	}
	say_cancels(db, p, &s);
	return s;
}
