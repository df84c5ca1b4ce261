/* charge_list - what managers look at: the list of charges, and the events of one. Reads only. */
#include "payment.h"

static const struct member charge_row_members[] = {
	SHAPE_INT(charge_row, charge_id), SHAPE_TEXT(charge_row, subject_id), SHAPE_INT(charge_row, user_id),
	SHAPE_TEXT(charge_row, customer_name), SHAPE_AMOUNT(charge_row, amount), SHAPE_TEXT(charge_row, currency),
	SHAPE_STATE(charge_row, state, charge_state_words), SHAPE_AMOUNT(charge_row, refunded_amount),
	SHAPE_TEXT(charge_row, brand), SHAPE_TEXT(charge_row, last4), SHAPE_TEXT(charge_row, reason),
	SHAPE_TIME(charge_row, requested_at),
};
const struct shape charge_row_shape = SHAPE(charge_row, charge_row_members);

static const struct member charge_totals_members[] = {
	SHAPE_INT(charge_totals, n), SHAPE_AMOUNT(charge_totals, captured), SHAPE_AMOUNT(charge_totals, refunded),
};
static const struct shape charge_totals_shape = SHAPE(charge_totals, charge_totals_members);

static const struct member charge_event_members[] = {
	SHAPE_TIME(charge_event, at), SHAPE_TEXT(charge_event, title), SHAPE_TEXT(charge_event, detail),
};
const struct shape charge_event_shape = SHAPE(charge_event, charge_event_members);

/* --- the list ----------------------------------------------------------------------------------------------------- */

/* user_id 0: a closed key that was never charged. */
#define WHICH " FROM charge c /*scan*/ WHERE c.user_id <> 0 AND ($1 = '' OR c.state = $1) AND c.requested_at >= $2" \
	" AND ($3 = 0 OR c.requested_at < $3) AND ($4 = '' OR c.subject_id = $4)"
#define ROWS "SELECT c.charge_id, c.subject_id, c.user_id, (SELECT u.name FROM v_user u" \
	" WHERE u.user_id = c.user_id) AS customer_name," \
	" c.amount, c.currency, c.state, c.refunded_amount, c.brand, c.last4, c.reason, c.requested_at" WHICH
#define ASK(order) db_list(db, &charge_row_shape, rows, n_rows, \
	ROWS " ORDER BY " order " /*sort*/ LIMIT $5 OFFSET $6", \
	words_code(&charge_state_words, q->state), q->from, q->until, q->subject_id, q->limit, q->offset)

struct charge_totals
charge_count(struct db *db, const struct charge_query *q)
{
	struct charge_totals t = { .n = 0 };

	db_one(db, &charge_totals_shape, &t,
		"SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN c.approved_at > 0 THEN c.amount"
		" ELSE 0 END), 0) AS captured,"
		" COALESCE(SUM(c.refunded_amount), 0) AS refunded" WHICH,
		words_code(&charge_state_words, q->state), q->from, q->until, q->subject_id);
	return t;
}

void
charge_page(struct db *db, const struct charge_query *q, struct charge_row **rows, int *n_rows)
{
	switch (q->order) {
	case CHARGES_NEWEST: ASK("c.charge_id DESC"); break;
	case CHARGES_OLDEST: ASK("c.charge_id"); break;
	case CHARGES_BY_AMOUNT: ASK("c.amount, c.charge_id"); break;
	case CHARGES_BY_AMOUNT_DOWN: ASK("c.amount DESC, c.charge_id DESC"); break;
	}
}

/* --- one charge --------------------------------------------------------------------------------------------------- */

const char *
charge_customer_name(struct db *db, const struct charge *c)
{
	return db_text(db, "SELECT name FROM v_user WHERE user_id = $1", c->user_id);
}

/* Newest first; a subject has one charge and a few refunds. */
void
charge_events(struct db *db, const struct charge *c, struct charge_event **events, int *n)
{
	db_list(db, &charge_event_shape, events, n,
		"SELECT occurred_at AS at, type AS title, type AS detail FROM v_event WHERE subject_id = $1"
		" AND type IN ('payment.approved', 'payment.failed', 'payment.cancelled',"
		" 'payment.refunded_outside') ORDER BY event_id DESC LIMIT"
		" 50",
		c->subject_id);
}
