/*
 * desk.c - what managers look at: charges, one charge's whole story, the ledger. Reads only.
 */
#include "payment.h"

static const struct member charge_row_members[] = {
	SHAPE_INT(charge_row, charge_id), SHAPE_TEXT(charge_row, subject_id), SHAPE_INT(charge_row, user_id),
	SHAPE_TEXT(charge_row, customer_name), SHAPE_AMOUNT(charge_row, amount), SHAPE_TEXT(charge_row, currency),
	SHAPE_STATE(charge_row, state, charge_state_words), SHAPE_AMOUNT(charge_row, refunded_amount), SHAPE_TEXT(charge_row, brand),
	SHAPE_TEXT(charge_row, last4), SHAPE_TEXT(charge_row, reason), SHAPE_TIME(charge_row, requested_at),
};
const struct shape charge_row_shape = SHAPE(charge_row, charge_row_members);

static const struct member charge_totals_members[] = {
	SHAPE_INT(charge_totals, n), SHAPE_AMOUNT(charge_totals, captured), SHAPE_AMOUNT(charge_totals, refunded),
};
static const struct shape charge_totals_shape = SHAPE(charge_totals, charge_totals_members);

static const struct member posting_line_members[] = {
	SHAPE_STATE(posting_line, account, account_words), SHAPE_AMOUNT(posting_line, amount),
};
static const struct shape posting_line_shape = SHAPE(posting_line, posting_line_members);

static const struct member posting_row_members[] = {
	SHAPE_INT(posting_row, posting_id), SHAPE_STATE(posting_row, kind, posting_kind_words), SHAPE_INT(posting_row, charge_id),
	SHAPE_TEXT(posting_row, subject_id), SHAPE_TEXT(posting_row, currency), SHAPE_TIME(posting_row, posted_at),
	SHAPE_LIST(posting_row, lines, posting_line_shape),
};
const struct shape posting_row_shape = SHAPE(posting_row, posting_row_members);

static const struct member balance_members[] = { SHAPE_STATE(balance, account, account_words), SHAPE_AMOUNT(balance, amount) };
const struct shape balance_shape = SHAPE(balance, balance_members);

static const struct member told_members[] = { SHAPE_TIME(told, at), SHAPE_TEXT(told, title), SHAPE_TEXT(told, detail) };
const struct shape told_shape = SHAPE(told, told_members);

/* --- the list ----------------------------------------------------------------------------------------------------- */

/* Sealed keys (nobody's, for a booking never charged) are no charges. A report over all of them may read all of them. */
#define WHICH " FROM charge c /*scan*/ WHERE c.user_id <> 0 AND ($1 = '' OR c.state = $1) AND c.requested_at >= $2" \
	" AND ($3 = 0 OR c.requested_at < $3) AND ($4 = '' OR c.subject_id = $4)"
#define ROWS "SELECT c.charge_id, c.subject_id, c.user_id, (SELECT u.name FROM v_user u WHERE u.user_id = c.user_id) AS customer_name," \
	" c.amount, c.currency, c.state, c.refunded_amount, c.brand, c.last4, c.reason, c.requested_at" WHICH
#define ASK(order) db_list(db, &charge_row_shape, rows, n_rows, ROWS " ORDER BY " order " /*sort*/ LIMIT $5 OFFSET $6", \
	words_code(&charge_state_words, q->state), q->from, q->until, q->subject_id, q->limit, q->offset)

struct charge_totals
charge_count(struct db *db, const struct charge_query *q)
{
	struct charge_totals t = { .n = 0 };

	db_one(db, &charge_totals_shape, &t,
	       "SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN c.approved_at > 0 THEN c.amount ELSE 0 END), 0) AS captured,"
	       " COALESCE(SUM(c.refunded_amount), 0) AS refunded" WHICH,
	       words_code(&charge_state_words, q->state), q->from, q->until, q->subject_id);
	return t;
}

void
charge_page(struct db *db, const struct charge_query *q, struct charge_row **rows, int *n_rows)
{
	switch (q->order) {
	case CHARGES_NEWEST:         ASK("c.charge_id DESC"); break;
	case CHARGES_OLDEST:         ASK("c.charge_id"); break;
	case CHARGES_BY_AMOUNT:      ASK("c.amount, c.charge_id"); break;
	case CHARGES_BY_AMOUNT_DOWN: ASK("c.amount DESC, c.charge_id DESC"); break;
	}
}

/* --- one charge --------------------------------------------------------------------------------------------------- */

bool
charge_by_id(struct db *db, int64_t charge_id, struct charge *c)
{
	return db_one(db, &charge_shape, c, "SELECT " CHARGE_COLUMNS " FROM charge WHERE charge_id = $1", charge_id);
}

const char *
charge_customer_name(struct db *db, const struct charge *c)
{
	return db_text(db, "SELECT name FROM v_user WHERE user_id = $1", c->user_id);
}

/* Newest first; one subject has one charge and a handful of refunds. */
void
charge_events(struct db *db, const struct charge *c, struct told **events, int *n)
{
	db_list(db, &told_shape, events, n,
	        "SELECT occurred_at AS at, type AS title, type AS detail FROM v_event WHERE subject_id = $1"
	        " AND type IN ('payment.approved', 'payment.failed', 'payment.cancelled') ORDER BY event_id DESC LIMIT 50", c->subject_id);
}

void
refunds_of(struct db *db, int64_t charge_id, struct refund **refunds, int *n)
{
	db_list(db, &refund_shape, refunds, n, "SELECT " REFUND_COLUMNS " FROM refund WHERE charge_id = $1 ORDER BY refund_id", charge_id);
}

/* --- the ledger --------------------------------------------------------------------------------------------------- */

static void
add_lines(struct db *db, struct posting_row *rows, int n)
{
	for (int i = 0; i < n; i++)
		db_list(db, &posting_line_shape, &rows[i].lines, &rows[i].n_lines,
		        "SELECT account, amount FROM ledger_line WHERE posting_id = $1 ORDER BY account", rows[i].posting_id);
}

#define POSTINGS "SELECT p.posting_id, p.kind, p.charge_id, p.currency, p.posted_at," \
	" (SELECT c.subject_id FROM charge c WHERE c.charge_id = p.charge_id) AS subject_id FROM posting p"

void
postings_of(struct db *db, int64_t charge_id, struct posting_row **rows, int *n)
{
	db_list(db, &posting_row_shape, rows, n, POSTINGS " WHERE p.charge_id = $1 ORDER BY p.posting_id", charge_id);
	add_lines(db, *rows, *n);
}

void
postings_page(struct db *db, int64_t offset, int64_t limit, struct posting_row **rows, int *n)
{
	db_list(db, &posting_row_shape, rows, n, POSTINGS " /*scan*/ ORDER BY p.posting_id DESC LIMIT $1 OFFSET $2", limit, offset);
	add_lines(db, *rows, *n);
}

int64_t
posting_count(struct db *db)
{
	return db_int(db, "SELECT COUNT(*) FROM posting /*scan*/");
}

void
ledger_balances(struct db *db, struct balance **balances, int *n)
{
	db_list(db, &balance_shape, balances, n, "SELECT account, SUM(amount) AS amount FROM ledger_line /*scan*/ GROUP BY account /*sort*/");
}
