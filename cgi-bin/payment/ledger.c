/*
 * ledger - double entry: every movement of money is a posting whose lines sum to zero, and is never changed.
 *
 *	card_clearing    what the card provider owes us: captured and not refunded (it pays out to the bank later)
 *	rental_income    income without VAT; credit, so below zero
 *	vat_payable      the VAT on it; credit
 *	refunds_payable  refunds that we owe customers; credit, zero when none is pending
 *	payouts_payable  payouts that we owe; credit, zero when none is assigned
 *	compensation     paid to customers because we could not keep a booking; expense, debit
 *	bank             refunds and payouts that managers paid by bank transfer; credit
 *
 *	capture          card_clearing +amount    rental_income −net    vat_payable −vat
 *	refund_owed      rental_income +net       vat_payable +vat      refunds_payable −amount
 *	refund_paid      refunds_payable +amount  card_clearing −amount, or bank −amount
 *	refund_withheld  refunds_payable +amount  rental_income −net  vat_payable −vat: it had been refunded outside
 *	payout_due       compensation +amount     payouts_payable −amount
 *	payout_paid      payouts_payable +amount  bank −amount
 *	payout_reversed  payouts_payable +amount  compensation −amount: the payout failed
 *
 * So card_clearing is always the provider's balance for us, and the whole ledger sums to zero. The accounts and kinds
 * are rows (ledger_account, posting_kind). The schema refuses a posting that does not balance, one whose kind or
 * account it does not know, and a second one of a kind for the same charge, refund or payout (but for refund_withheld).
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"

static const struct word posting_kind[] = {
	[POSTING_CAPTURE]         = { "capture",         N_("Capture") },
	[POSTING_REFUND_OWED]     = { "refund_owed",     N_("Refund owed") },
	[POSTING_REFUND_PAID]     = { "refund_paid",     N_("Refund paid") },
	[POSTING_REFUND_WITHHELD] = { "refund_withheld", N_("Refund reduced") },
	[POSTING_PAYOUT_DUE]      = { "payout_due",      N_("Payout due") },
	[POSTING_PAYOUT_PAID]     = { "payout_paid",     N_("Payout paid") },
	[POSTING_PAYOUT_REVERSED] = { "payout_reversed", N_("Payout reversed") },
};
const struct words posting_kind_words = WORDS(posting_kind);

static const struct word account[] = {
	[LEDGER_CARD_CLEARING]   = { "card_clearing",   N_("Card clearing") },
	[LEDGER_RENTAL_INCOME]   = { "rental_income",   N_("Rental income") },
	[LEDGER_VAT_PAYABLE]     = { "vat_payable",     N_("VAT payable") },
	[LEDGER_REFUNDS_PAYABLE] = { "refunds_payable", N_("Refunds payable") },
	[LEDGER_PAYOUTS_PAYABLE] = { "payouts_payable", N_("Payouts payable") },
	[LEDGER_COMPENSATION]    = { "compensation",    N_("Compensation") },
	[LEDGER_BANK]            = { "bank",            N_("Bank") },
};
const struct words account_words = WORDS(account);

static const struct member posting_line_members[] = {
	SHAPE_STATE(posting_line, account, account_words), SHAPE_AMOUNT(posting_line, amount),
};
static const struct shape posting_line_shape = SHAPE(posting_line, posting_line_members);

static const struct member posting_row_members[] = {
	SHAPE_INT(posting_row, posting_id), SHAPE_STATE(posting_row, kind, posting_kind_words),
	SHAPE_INT(posting_row, charge_id), SHAPE_INT(posting_row, payout_id), SHAPE_TEXT(posting_row, subject_id),
	SHAPE_TEXT(posting_row, currency),
	SHAPE_TIME(posting_row, posted_at), SHAPE_LIST(posting_row, lines, posting_line_shape),
};
const struct shape posting_row_shape = SHAPE(posting_row, posting_row_members);

static const struct member balance_members[] = { SHAPE_STATE(balance, account, account_words),
	SHAPE_AMOUNT(balance, amount) };
const struct shape balance_shape = SHAPE(balance, balance_members);

/* The VAT in the first x of a charge, rounded half up: the VAT of its refunds adds up to that of the charge, however it
 * is split. */
static int64_t
vat_of_first(const struct charge *c, int64_t x)
{
	return (int64_t)(((__int128)x * c->vat_amount * 2 + c->amount) / ((__int128)c->amount * 2));
}

/* What a posting is about. 0: no such row. */
struct posting_about { const char *subject_id, *currency; int64_t charge_id, refund_id, payout_id; };

/* Lines first: the posting is refused unless they balance. MAX + 1 is safe inside the write transaction. An amount of
 * zero has no line. */
static void
write_posting(
	struct db *db, enum posting_kind kind, const struct posting_about *p, const struct posting_line *lines, int n)
{
	int64_t posting_id = db_int(db, "SELECT COALESCE(MAX(posting_id), 0) + 1 FROM posting");

	for (int i = 0; i < n; i++)
		if (lines[i].amount)
			db_do(db, "INSERT INTO ledger_line (posting_id, account, amount) VALUES ($1, $2, $3)",
				posting_id, words_code(&account_words, lines[i].account), lines[i].amount);
	db_do(db,
		"INSERT INTO posting (posting_id, kind, subject_id, charge_id, refund_id, payout_id, currency,"
		" posted_at)"
		" VALUES ($1, $2, $3, NULLIF($4, 0), NULLIF($5, 0), NULLIF($6, 0), $7, $8)",
		posting_id, words_code(&posting_kind_words, (int)kind), p->subject_id, p->charge_id, p->refund_id,
		p->payout_id, p->currency, clock_now());
}

static struct posting_about
about_charge(const struct charge *c, int64_t refund_id)
{
	return (struct posting_about){
		.subject_id = c->subject_id,
		.currency = c->currency,
		.charge_id = c->charge_id,
		.refund_id = refund_id,
	};
}

void
ledger_capture(struct db *db, const struct charge *c)
{
	const struct posting_about about = about_charge(c, 0);
	const struct posting_line lines[] = {
		{ LEDGER_CARD_CLEARING, c->amount },
		{ LEDGER_RENTAL_INCOME, c->vat_amount - c->amount },
		{ LEDGER_VAT_PAYABLE, -c->vat_amount },
	};

	write_posting(db, POSTING_CAPTURE, &about, lines, 3);
}

void
ledger_refund_owed(struct db *db, const struct charge *c, int64_t refund_id, int64_t amount, int64_t owed_before)
{
	int64_t vat = vat_of_first(c, owed_before + amount) - vat_of_first(c, owed_before);
	const struct posting_about about = about_charge(c, refund_id);
	const struct posting_line lines[] = {
		{ LEDGER_RENTAL_INCOME, amount - vat },
		{ LEDGER_VAT_PAYABLE, vat },
		{ LEDGER_REFUNDS_PAYABLE, -amount },
	};

	write_posting(db, POSTING_REFUND_OWED, &about, lines, 3);
}

void
ledger_refund_withheld(struct db *db, const struct charge *c, int64_t refund_id, int64_t amount, int64_t owed_before)
{
	int64_t vat = vat_of_first(c, owed_before) - vat_of_first(c, owed_before - amount);
	const struct posting_about about = about_charge(c, refund_id);
	const struct posting_line lines[] = {
		{ LEDGER_REFUNDS_PAYABLE, amount },
		{ LEDGER_RENTAL_INCOME, vat - amount },
		{ LEDGER_VAT_PAYABLE, -vat },
	};

	write_posting(db, POSTING_REFUND_WITHHELD, &about, lines, 3);
}

void
ledger_refund_paid(struct db *db, const struct charge *c, int64_t refund_id, int64_t amount, enum paid_by paid_by)
{
	const struct posting_about about = about_charge(c, refund_id);
	const struct posting_line lines[] = {
		{ LEDGER_REFUNDS_PAYABLE, amount },
		{ paid_by == PAID_BY_BANK ? LEDGER_BANK : LEDGER_CARD_CLEARING, -amount },
	};

	write_posting(db, POSTING_REFUND_PAID, &about, lines, 2);
}

void
ledger_payout(struct db *db, enum posting_kind kind, const struct payout *p, enum ledger_account debit,
	enum ledger_account credit)
{
	const struct posting_about about = {
		.subject_id = p->subject_id,
		.currency = p->currency,
		.payout_id = p->payout_id,
	};
	const struct posting_line lines[] = { { (int)debit, p->amount }, { (int)credit, -p->amount } };

	write_posting(db, kind, &about, lines, 2);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void
add_lines(struct db *db, struct posting_row *rows, int n)
{
	for (int i = 0; i < n; i++)
		db_list(db, &posting_line_shape, &rows[i].lines, &rows[i].n_lines,
			"SELECT account, amount FROM ledger_line WHERE posting_id = $1 ORDER BY account",
			rows[i].posting_id);
}

#define POSTINGS "SELECT p.posting_id, p.kind, COALESCE(p.charge_id, 0) AS charge_id," \
	" COALESCE(p.payout_id, 0) AS payout_id, p.subject_id, p.currency, p.posted_at FROM posting p"

void
postings_of(struct db *db, int64_t charge_id, struct posting_row **rows, int *n)
{
	db_list(db, &posting_row_shape, rows, n, POSTINGS " WHERE p.charge_id = $1 ORDER BY p.posting_id", charge_id);
	add_lines(db, *rows, *n);
}

void
postings_of_payout(struct db *db, int64_t payout_id, struct posting_row **rows, int *n)
{
	db_list(db, &posting_row_shape, rows, n, POSTINGS " WHERE p.payout_id = $1 ORDER BY p.posting_id /*sort*/",
		payout_id);
	add_lines(db, *rows, *n);
}

void
postings_page(struct db *db, int64_t offset, int64_t limit, struct posting_row **rows, int *n)
{
	db_list(db, &posting_row_shape, rows, n, POSTINGS " /*scan*/ ORDER BY p.posting_id DESC LIMIT $1 OFFSET $2",
		limit, offset);
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
	db_list(db, &balance_shape, balances, n,
		"SELECT account, SUM(amount) AS amount FROM ledger_line /*scan*/ GROUP BY account /*sort*/");
}
