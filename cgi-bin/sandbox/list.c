/* list - what the sandbox has done, for its API and its dashboard. Described in sandbox.h. */
#include "sandbox.h"

/* --- transactions ------------------------------------------------------------------------------------------------- */

static const struct member transaction_members[] = {
	SHAPE_TEXT(sandbox_transaction, transaction_key), SHAPE_TEXT(sandbox_transaction, payment_key),
	SHAPE_TEXT(sandbox_transaction, order_id), SHAPE_TEXT(sandbox_transaction, customer_key),
	SHAPE_TEXT(sandbox_transaction, currency), SHAPE_TEXT(sandbox_transaction, status),
	SHAPE_INT(sandbox_transaction, amount), SHAPE_INT(sandbox_transaction, at),
};
static const struct shape transaction_shape = SHAPE(sandbox_transaction, transaction_members);

/* A payment's transaction has the key of the payment. */
#define TRANSACTIONS \
	"SELECT p.payment_key AS transaction_key, p.payment_key, p.order_id, p.customer_key, p.currency," \
	" 'DONE' AS status, p.amount, p.approved_at AS at FROM payment p WHERE p.approved_at > 0" \
	" UNION ALL SELECT c.transaction_key, p.payment_key, p.order_id, p.customer_key, p.currency," \
	" CASE WHEN c.amount = p.amount THEN 'CANCELED' ELSE 'PARTIAL_CANCELED' END, c.amount, c.canceled_at" \
	" FROM cancel c JOIN payment p ON p.payment_id = c.payment_id"

int
sandbox_transactions(
	struct db *db, int64_t from, int64_t until, const char *after, int64_t limit, struct sandbox_transaction **list)
{
	int64_t after_at =
		db_int(db, "SELECT t.at FROM (" TRANSACTIONS ") t WHERE t.transaction_key = $1 /*scan*/", after);
	int n = 0;

	return db_list(db, &transaction_shape, list, &n,
		"SELECT t.transaction_key, t.payment_key, t.order_id, t.customer_key, t.currency, t.status, t.amount,"
		" t.at FROM (" TRANSACTIONS ") t WHERE t.at >= $1 AND t.at <= $2"
		" AND ($3 = '' OR t.at > $4 OR (t.at = $4 AND t.transaction_key > $3))"
		" ORDER BY t.at, t.transaction_key LIMIT $5 /*scan*/ /*sort*/",
		from, until, after, after_at, limit);
}

/* --- the dashboard ------------------------------------------------------------------------------------------------ */

static const struct member cancellation_members[] = {
	SHAPE_AMOUNT(sandbox_cancellation, amount), SHAPE_TIME(sandbox_cancellation, canceled_at),
	SHAPE_TEXT(sandbox_cancellation, reason), SHAPE_TEXT(sandbox_cancellation, transaction_key),
};
const struct shape sandbox_cancellation_shape = SHAPE(sandbox_cancellation, cancellation_members);

int
sandbox_cancellations(struct db *db, int64_t payment_id, struct sandbox_cancellation **list)
{
	int n = 0;

	return db_list(db, &sandbox_cancellation_shape, list, &n,
		"SELECT amount, canceled_at, reason, transaction_key FROM cancel WHERE payment_id = $1"
		" ORDER BY cancel_id DESC",
		payment_id);
}

int64_t
sandbox_payment_count(struct db *db)
{
	return db_int(db, "SELECT COUNT(*) FROM payment WHERE approved_at > 0 /*scan*/");
}
