/*
 * sandbox - the provider's rules. Described in sandbox.h. The caller holds the transaction, so that a payment and the
 * answer stored for its Idempotency-Key are committed together.
 */
#include "sandbox.h"

#include "lib/base/clock.h"
#include "lib/base/secret.h"

#include <string.h>

#define AUTH_S   600            /* how long a key from the card page is valid */
#define PAGE_S   1800           /* … and a prepared payment */
#define ANSWER_S (15 * DAY)

const struct db_role sandbox_role = {
	.name = "sandbox", .owns = "auth billing payment cancel answer fault", .own_db = "sandbox",
};

static const struct member sandbox_payment_members[] = {
	SHAPE_INT(sandbox_payment, payment_id), SHAPE_TEXT(sandbox_payment, payment_key),
	SHAPE_TEXT(sandbox_payment, order_id), SHAPE_TEXT(sandbox_payment, order_name),
	SHAPE_TEXT(sandbox_payment, customer_key), SHAPE_INT(sandbox_payment, card), SHAPE_INT(sandbox_payment, amount),
	SHAPE_INT(sandbox_payment, balance), SHAPE_TEXT(sandbox_payment, currency), SHAPE_TEXT(sandbox_payment, status),
	SHAPE_TEXT(sandbox_payment, failure), SHAPE_INT(sandbox_payment, requested_at),
	SHAPE_INT(sandbox_payment, approved_at),
};
static const struct shape sandbox_payment_shape = SHAPE(sandbox_payment, sandbox_payment_members);

#define COLUMNS \
	"payment_id, payment_key, order_id, order_name, customer_key, card, amount, balance, currency, status," \
	" failure," \
	" requested_at, approved_at"

/* --- saved cards -------------------------------------------------------------------------------------------------- */

const char *
sandbox_authorize(struct db *db, const char *customer_key, int64_t card)
{
	const char *auth_key = secret_token(db_memory(db));

	db_do(db, "INSERT INTO auth (auth_key, customer_key, card, expires_at) VALUES ($1, $2, $3, $4)", auth_key,
		customer_key, card, clock_now() + AUTH_S);
	return auth_key;
}

/* Uses up a one-time key of this customer. */
static enum sandbox_code
use_auth(struct db *db, const char *auth_key, const char *customer_key, int64_t *card)
{
	int64_t now = clock_now();

	*card = test_card_by_token(auth_key);
	if (*card >= 0)
		return SANDBOX_OK;
	if (db_do(db,
		    "UPDATE auth SET used_at = $3 WHERE auth_key = $1 AND customer_key = $2 AND used_at = 0"
		    " AND expires_at > $3",
		    auth_key, customer_key, now)) {
		*card = db_int(db, "SELECT card FROM auth WHERE auth_key = $1", auth_key);
		return SANDBOX_OK;
	}
	return db_exists(db, "SELECT 1 FROM auth WHERE auth_key = $1 AND used_at <> 0", auth_key) ? SANDBOX_AUTH_USED
												  : SANDBOX_NO_AUTH;
}

enum sandbox_code
sandbox_issue(struct db *db, const char *auth_key, const char *customer_key, const char **billing_key, int64_t *card)
{
	enum sandbox_code code = use_auth(db, auth_key, customer_key, card);

	if (code != SANDBOX_OK)
		return code;
	*billing_key = secret_token(db_memory(db));
	db_do(db, "INSERT INTO billing (billing_key, customer_key, card, created_at) VALUES ($1, $2, $3, $4)",
		*billing_key, customer_key, *card, clock_now());
	return SANDBOX_OK;
}

/* --- payments ----------------------------------------------------------------------------------------------------- */

bool
sandbox_find(struct db *db, const char *payment_key, struct sandbox_payment *p)
{
	return db_one(
		db, &sandbox_payment_shape, p, "SELECT " COLUMNS " FROM payment WHERE payment_key = $1", payment_key);
}

bool
sandbox_payment_by_id(struct db *db, int64_t payment_id, struct sandbox_payment *p)
{
	return db_one(db, &sandbox_payment_shape, p,
		"SELECT " COLUMNS " FROM payment WHERE payment_id = $1 AND approved_at > 0", payment_id);
}

int
sandbox_payment_list(struct db *db, int64_t offset, int64_t limit, struct sandbox_payment **list)
{
	int n = 0;

	return db_list(db, &sandbox_payment_shape, list, &n,
		"SELECT " COLUMNS " FROM payment WHERE approved_at > 0 /*scan*/ ORDER BY payment_id DESC"
		" LIMIT $1 OFFSET $2",
		limit, offset);
}

/* The paid one, else the last try. */
bool
sandbox_find_order(struct db *db, const char *order_id, struct sandbox_payment *p)
{
	return db_one(db, &sandbox_payment_shape, p,
		       "SELECT " COLUMNS " FROM payment WHERE order_id = $1"
		       " AND status IN ('DONE', 'PARTIAL_CANCELED', 'CANCELED')",
		       order_id)
		|| db_one(db, &sandbox_payment_shape, p,
			"SELECT " COLUMNS " FROM payment WHERE order_id = $1 ORDER BY payment_id DESC LIMIT 1",
			order_id);
}

/* false: this order is paid. */
static bool
insert_payment(struct db *db, struct sandbox_payment *p)
{
	if (!db_try(db,
		    "INSERT INTO payment (payment_key, order_id, order_name, customer_key, card, amount, balance,"
		    " currency, status,"
		    " failure, requested_at, approved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		    p->payment_key, p->order_id, p->order_name, p->customer_key, p->card, p->amount, p->balance,
		    p->currency, p->status, p->failure, p->requested_at, p->approved_at))
		return false;
	return true;
}

/* By the behaviour of the test card. */
static void
decide_payment(struct sandbox_payment *p)
{
	const struct test_card *card = test_card(p->card);
	bool pays = card && card->does != TEST_CARD_DECLINES;

	p->status = pays ? "DONE" : "ABORTED";
	p->failure = pays ? "" : card ? card->code : "INVALID_CARD_NUMBER";
	p->balance = p->amount;
	p->approved_at = pays ? clock_now() : 0;
}

enum sandbox_code
sandbox_charge(struct db *db, const char *billing_key, struct sandbox_payment *p)
{
	struct rows *r = db_each(db, "SELECT customer_key, card FROM billing WHERE billing_key = $1", billing_key);
	const char *customer_key = NULL;

	while (db_next(r)) {
		customer_key = row_text(r, 0);
		p->card = row_int(r, 1);
	}
	if (!customer_key)
		return SANDBOX_NO_BILLING;
	if (strcmp(customer_key, p->customer_key) != 0)
		return SANDBOX_OTHER_CUSTOMER;
	p->payment_key = secret_token(db_memory(db));
	p->requested_at = clock_now();
	decide_payment(p);
	if (!insert_payment(db, p))
		return SANDBOX_DUPLICATE_ORDER;
	return *p->failure ? SANDBOX_DECLINED : SANDBOX_OK;
}

const char *
sandbox_prepare(struct db *db, const struct sandbox_payment *p)
{
	struct sandbox_payment row = *p;

	row.payment_key = secret_token(db_memory(db));
	row.status = "IN_PROGRESS";
	row.failure = "";
	row.balance = p->amount;
	row.requested_at = clock_now();
	row.approved_at = 0;
	insert_payment(db, &row);
	return row.payment_key;
}

enum sandbox_code
sandbox_confirm(struct db *db, const char *payment_key, const char *order_id, int64_t amount, struct sandbox_payment *p)
{
	struct sandbox_payment other;

	if (!sandbox_find(db, payment_key, p))
		return SANDBOX_NO_PAYMENT;
	if (strcmp(p->order_id, order_id) != 0)
		return SANDBOX_WRONG_ORDER;
	if (p->amount != amount)
		return SANDBOX_WRONG_AMOUNT;
	if (strcmp(p->status, "IN_PROGRESS") != 0)
		return SANDBOX_PROCESSED;
	if (clock_now() - p->requested_at > PAGE_S)
		return SANDBOX_PAGE_EXPIRED;
	if (sandbox_find_order(db, order_id, &other) && other.payment_id != p->payment_id && other.approved_at)
		return SANDBOX_DUPLICATE_ORDER;
	decide_payment(p);
	db_do(db, "UPDATE payment SET status = $2, failure = $3, approved_at = $4 WHERE payment_id = $1", p->payment_id,
		p->status, p->failure, p->approved_at);
	return *p->failure ? SANDBOX_DECLINED : SANDBOX_OK;
}

enum sandbox_code
sandbox_cancel(struct db *db, const char *payment_key, int64_t amount, const char *reason, const char *transaction_key,
	struct sandbox_payment *p)
{
	if (!sandbox_find(db, payment_key, p))
		return SANDBOX_NO_PAYMENT;
	if (transaction_key && db_exists(db, "SELECT 1 FROM cancel WHERE transaction_key = $1", transaction_key))
		return SANDBOX_OK;
	if (!p->approved_at)
		return SANDBOX_NOT_CANCELABLE;
	if (p->balance == 0)
		return SANDBOX_CANCELED_ALREADY;
	if (amount > p->balance)
		return SANDBOX_NOT_CANCELABLE;
	p->balance -= amount;
	p->status = p->balance ? "PARTIAL_CANCELED" : "CANCELED";
	db_do(db,
		"INSERT INTO cancel (payment_id, amount, reason, transaction_key, canceled_at)"
		" VALUES ($1, $2, $3, $4, $5)",
		p->payment_id, amount, reason, transaction_key ? transaction_key : secret_token(db_memory(db)),
		clock_now());
	db_do(db, "UPDATE payment SET balance = $2, status = $3 WHERE payment_id = $1", p->payment_id, p->balance,
		p->status);
	return SANDBOX_OK;
}

void
sandbox_forget_old(struct db *db)
{
	int64_t now = clock_now();

	db_do(db, "DELETE FROM answer WHERE created_at < $1", now - ANSWER_S);
	db_do(db, "DELETE FROM auth WHERE expires_at < $1 /*scan*/", now - DAY);
}
