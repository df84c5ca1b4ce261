/*
 * payout - money that we owe a person and that is not a refund of a charge. Described in payment.h.
 *
 * Another program assigns it under its own key; a manager transfers it and records the transfer's reference, or records
 * why it is not paid. Each step, its posting and its event are one transaction.
 *
 * The way is a bank transfer. The provider gives a card back at most what was charged to it, and books that as less
 * taken, with less VAT: such money is a refund of the charge (refund.c), never a payout. A compensation comes when all
 * of the charge is refunded, so nothing of it could go to the card.
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/settings.h"

#include <string.h>

static const struct word payout_state[] = {
	[PAYOUT_ASSIGNED]  = { "ASSIGNED",  N_("To be paid") },
	[PAYOUT_COMPLETED] = { "COMPLETED", N_("Paid out") },
	[PAYOUT_FAILED]    = { "FAILED",    N_("Not paid") },
};
const struct words payout_state_words = WORDS(payout_state);

static const struct word payout_kind[] = {
	[PAYOUT_COMPENSATION] = { "compensation", N_("Compensation") },
};
const struct words payout_kind_words = WORDS(payout_kind);

static const struct word payout_way[] = {
	[PAYOUT_BY_CARD] = { "card", N_("To the card") },
	[PAYOUT_BY_BANK] = { "bank", N_("By bank transfer") },
};
const struct words payout_way_words = WORDS(payout_way);

static const struct word payout_tab[] = {
	[PAYOUT_TAB_WAITING]   = { "waiting",   N_("To be paid") },
	[PAYOUT_TAB_COMPLETED] = { "completed", N_("Paid out") },
	[PAYOUT_TAB_FAILED]    = { "failed",    N_("Not paid") },
	[PAYOUT_TAB_ALL]       = { "all",       N_("All") },
};
const struct words payout_tab_words = WORDS(payout_tab);

static const struct member payout_members[] = {
	SHAPE_INT(payout, payout_id), SHAPE_TEXT(payout, key), SHAPE_TEXT(payout, subject_id),
	SHAPE_INT(payout, payee_id), SHAPE_TEXT(payout, payee_name), SHAPE_TEXT(payout, payee_email),
	SHAPE_STATE(payout, kind, payout_kind_words), SHAPE_AMOUNT(payout, amount), SHAPE_TEXT(payout, currency),
	SHAPE_STATE(payout, way, payout_way_words), SHAPE_INT(payout, charge_id),
	SHAPE_STATE(payout, state, payout_state_words), SHAPE_TEXT(payout, note), SHAPE_TIME(payout, requested_at),
	SHAPE_TIME(payout, done_at), SHAPE_INT(payout, done_by), SHAPE_TEXT(payout, done_by_name),
};
const struct shape payout_shape = SHAPE(payout, payout_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

#define PAYOUTS \
	"SELECT p.payout_id, p.key, p.subject_id, p.payee_id, p.kind, p.amount, p.currency, p.way," \
	" COALESCE(p.charge_id, 0) AS charge_id, p.state, p.note, p.requested_at, p.done_at, p.done_by," \
	" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = p.payee_id), '') AS payee_name," \
	" COALESCE((SELECT u.email FROM v_user u WHERE u.user_id = p.payee_id), '') AS payee_email," \
	" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = p.done_by), '') AS done_by_name FROM payout p"

bool
payout_find(struct db *db, int64_t payout_id, struct payout *p)
{
	return db_one(db, &payout_shape, p, PAYOUTS " WHERE p.payout_id = $1", payout_id);
}

void
payout_count(struct db *db, int64_t n[N_PAYOUT_TABS])
{
	n[PAYOUT_TAB_WAITING] = db_int(db, "SELECT COUNT(*) FROM payout WHERE state = 'ASSIGNED'");
	n[PAYOUT_TAB_COMPLETED] = db_int(db, "SELECT COUNT(*) FROM payout WHERE state = 'COMPLETED'");
	n[PAYOUT_TAB_FAILED] = db_int(db, "SELECT COUNT(*) FROM payout WHERE state = 'FAILED'");
	n[PAYOUT_TAB_ALL] = n[PAYOUT_TAB_WAITING] + n[PAYOUT_TAB_COMPLETED] + n[PAYOUT_TAB_FAILED];
}

#define PAYOUTS_WHERE(which) \
	db_list(db, &payout_shape, payouts, &n, PAYOUTS which " LIMIT $1 OFFSET $2", limit, offset)

int
payout_list(struct db *db, enum payout_tab tab, int64_t offset, int64_t limit, struct payout **payouts)
{
	int n = 0;

	switch (tab) {
	case PAYOUT_TAB_WAITING: return PAYOUTS_WHERE(" WHERE p.state = 'ASSIGNED' ORDER BY p.payout_id");
	case PAYOUT_TAB_COMPLETED: return PAYOUTS_WHERE(" WHERE p.state = 'COMPLETED' ORDER BY p.payout_id DESC");
	case PAYOUT_TAB_FAILED: return PAYOUTS_WHERE(" WHERE p.state = 'FAILED' ORDER BY p.payout_id DESC");
	case PAYOUT_TAB_ALL: return PAYOUTS_WHERE(" /*scan*/ ORDER BY p.payout_id DESC");
	case N_PAYOUT_TABS: break;
	}
	return 0;
}

/* --- owing it ----------------------------------------------------------------------------------------------------- */

static bool
payout_order_is_good(struct db *db, const struct payout_order *o)
{
	size_t n_key = o->key ? strlen(o->key) : 0, n_subject = o->subject_id ? strlen(o->subject_id) : 0;

	return n_key >= 1 && n_key <= 80 && n_subject >= 1 && n_subject <= 80 && o->amount > 0
		&& o->amount <= CHARGE_MAX_AMOUNT && o->currency && strcmp(o->currency, settings.currency) == 0
		&& o->kind >= 0 && o->way >= 0 && db_exists(db, "SELECT 1 FROM v_user WHERE user_id = $1", o->payee_id);
}

static bool
is_same_payout(const struct payout_order *o, const struct payout *p)
{
	return p->payee_id == o->payee_id && p->amount == o->amount && p->kind == o->kind && p->way == o->way
		&& strcmp(p->currency, o->currency) == 0 && strcmp(p->subject_id, o->subject_id) == 0;
}

/* The account that payouts of this kind are debited to. */
static enum ledger_account
account_of(struct db *db, const struct payout *p)
{
	const char *account =
		db_text(db, "SELECT account FROM payout_kind WHERE kind = $1", words_code(&payout_kind_words, p->kind));

	return (enum ledger_account)words_find(&account_words, text_or_empty(account));
}

/* 0: the key is taken. */
static int64_t
payout_insert(struct db *db, const struct payout_order *o)
{
	return db_int(db,
		"INSERT INTO payout (key, payee_id, subject_id, kind, amount, currency, way, state, requested_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, 'ASSIGNED', $8) ON CONFLICT (key) DO NOTHING RETURNING payout_id",
		o->key, o->payee_id, o->subject_id, words_code(&payout_kind_words, o->kind), o->amount, o->currency,
		words_code(&payout_way_words, o->way), clock_now());
}

enum payout_outcome
payout_assign(struct db *db, const struct payout_order *o, struct payout *p)
{
	int64_t payout_id;

	if (!payout_order_is_good(db, o))
		return PAYOUT_OUTCOME_BAD_ORDER;
	if (o->way == PAYOUT_BY_CARD)
		return PAYOUT_OUTCOME_NOT_TO_CARD;
	db_begin(db);
	payout_id = payout_insert(db, o);
	if (payout_id && payout_find(db, payout_id, p)) {
		ledger_payout(db, POSTING_PAYOUT_DUE, p, account_of(db, p), LEDGER_PAYOUTS_PAYABLE);
		payment_report_payout(db, EVENT_PAYOUT_ASSIGNED, p, "", 0);
	} else {
		db_one(db, &payout_shape, p, PAYOUTS " WHERE p.key = $1", o->key);
	}
	if (!db_commit(db))
		return PAYOUT_OUTCOME_NONE;
	return payout_id || is_same_payout(o, p) ? PAYOUT_OUTCOME_DONE : PAYOUT_OUTCOME_KEY_REUSED;
}

/* --- paying it, or not -------------------------------------------------------------------------------------------- */

/* false: another request has closed it before. */
static bool
close_payout(struct db *db, int64_t payout_id, enum payout_state state, const char *note, int64_t actor_id)
{
	return db_do(db,
		       "UPDATE payout SET state = $2, note = $3, done_at = $4, done_by = $5"
		       " WHERE payout_id = $1 AND state = 'ASSIGNED'",
		       payout_id, words_code(&payout_state_words, (int)state), note, clock_now(), actor_id)
		== 1;
}

static void
post_closed_payout(struct db *db, const struct payout *p)
{
	if (p->state == PAYOUT_COMPLETED)
		ledger_payout(db, POSTING_PAYOUT_PAID, p, LEDGER_PAYOUTS_PAYABLE, LEDGER_BANK);
	else
		ledger_payout(db, POSTING_PAYOUT_REVERSED, p, LEDGER_PAYOUTS_PAYABLE, account_of(db, p));
}

static enum payout_outcome
end_payout(
	struct db *db, int64_t payout_id, enum payout_state state, const char *note, int64_t actor_id, struct payout *p)
{
	bool is_ours, found;

	db_begin(db);
	is_ours = close_payout(db, payout_id, state, note, actor_id);
	found = payout_find(db, payout_id, p);
	if (is_ours && found) {
		post_closed_payout(db, p);
		payment_report_payout(db, state == PAYOUT_COMPLETED ? EVENT_PAYOUT_COMPLETED : EVENT_PAYOUT_FAILED, p,
			note, actor_id);
	}
	if (!db_commit(db) || !found)
		return PAYOUT_OUTCOME_NONE;
	return is_ours || (p->state == (int)state && strcmp(p->note, note) == 0) ? PAYOUT_OUTCOME_DONE
										 : PAYOUT_OUTCOME_CLOSED;
}

enum payout_outcome
payout_complete(struct db *db, int64_t payout_id, const char *note, int64_t actor_id, struct payout *p)
{
	return end_payout(db, payout_id, PAYOUT_COMPLETED, note, actor_id, p);
}

enum payout_outcome
payout_fail(struct db *db, int64_t payout_id, const char *note, int64_t actor_id, struct payout *p)
{
	return end_payout(db, payout_id, PAYOUT_FAILED, note, actor_id, p);
}
