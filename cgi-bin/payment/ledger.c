/*
 * ledger - double entry: every movement of money is a posting whose lines sum to zero, and is never changed.
 *
 *	card_clearing    what the card provider owes us: captured and not refunded (it pays out to the bank later)
 *	rental_income    income without VAT; credit, so below zero
 *	vat_payable      the VAT on it; credit
 *	refunds_payable  refunds that we owe customers; credit, zero when none is pending
 *	bank             refunds that managers paid by bank transfer; credit
 *
 *	capture      card_clearing +amount    rental_income −net    vat_payable −vat
 *	refund_owed  rental_income +net       vat_payable +vat      refunds_payable −amount
 *	refund_paid  refunds_payable +amount  card_clearing −amount, or bank −amount
 *
 * So card_clearing is always the provider's balance for us, and the whole ledger sums to zero. The schema refuses a
 * posting that does not balance, and a second capture of one charge.
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"

static const struct word posting_kind[] = {
	[POSTING_CAPTURE]     = { "capture",     N_("Capture") },
	[POSTING_REFUND_OWED] = { "refund_owed", N_("Refund owed") },
	[POSTING_REFUND_PAID] = { "refund_paid", N_("Refund paid") },
};
const struct words posting_kind_words = WORDS(posting_kind);

static const struct word account[] = {
	[LEDGER_CARD_CLEARING]   = { "card_clearing",   N_("Card clearing") },
	[LEDGER_RENTAL_INCOME]   = { "rental_income",   N_("Rental income") },
	[LEDGER_VAT_PAYABLE]     = { "vat_payable",     N_("VAT payable") },
	[LEDGER_REFUNDS_PAYABLE] = { "refunds_payable", N_("Refunds payable") },
	[LEDGER_BANK]            = { "bank",            N_("Bank") },
};
const struct words account_words = WORDS(account);

static const struct member posting_line_members[] = {
	SHAPE_STATE(posting_line, account, account_words), SHAPE_AMOUNT(posting_line, amount),
};
static const struct shape posting_line_shape = SHAPE(posting_line, posting_line_members);

static const struct member posting_row_members[] = {
	SHAPE_INT(posting_row, posting_id), SHAPE_STATE(posting_row, kind, posting_kind_words),
	SHAPE_INT(posting_row, charge_id), SHAPE_TEXT(posting_row, subject_id), SHAPE_TEXT(posting_row, currency),
	SHAPE_TIME(posting_row, posted_at), SHAPE_LIST(posting_row, lines, posting_line_shape),
};
const struct shape posting_row_shape = SHAPE(posting_row, posting_row_members);

static const struct member balance_members[] = { SHAPE_STATE(balance, account, account_words),
	SHAPE_AMOUNT(balance, amount) };
const struct shape balance_shape = SHAPE(balance, balance_members);

struct posting_amounts { int64_t card_clearing, rental_income, vat_payable, refunds_payable, bank; };

/* The VAT in the first x of a charge, rounded half up: the VAT of its refunds adds up to that of the charge, however it
 * is split. */
static int64_t
vat_of_first(const struct charge *c, int64_t x)
{
	return (int64_t)(((__int128)x * c->vat_amount * 2 + c->amount) / ((__int128)c->amount * 2));
}

/* Lines first: the posting is refused unless they balance. MAX + 1 is safe inside the write transaction. */
static void
write_posting(struct db *db, enum posting_kind kind, const struct charge *c, int64_t refund_id,
	const struct posting_amounts *e)
{
	int64_t posting_id = db_int(db, "SELECT COALESCE(MAX(posting_id), 0) + 1 FROM posting");

	db_do(db,
		"INSERT INTO ledger_line (posting_id, account, amount)"
		" SELECT CAST($1 AS BIGINT), 'card_clearing', CAST($2 AS BIGINT) WHERE $2 <> 0"
		" UNION ALL SELECT $1, 'rental_income', $3 WHERE $3 <> 0"
		" UNION ALL SELECT $1, 'vat_payable', $4 WHERE $4 <> 0"
		" UNION ALL SELECT $1, 'refunds_payable', $5 WHERE $5 <> 0"
		" UNION ALL SELECT $1, 'bank', $6 WHERE $6 <> 0",
		posting_id, e->card_clearing, e->rental_income, e->vat_payable, e->refunds_payable, e->bank);
	db_do(db,
		"INSERT INTO posting (posting_id, kind, charge_id, refund_id, currency, posted_at)"
		" VALUES ($1, $2, $3, NULLIF($4, 0), $5, $6)",
		posting_id, words_code(&posting_kind_words, (int)kind), c->charge_id, refund_id, c->currency,
		clock_now());
}

void
ledger_capture(struct db *db, const struct charge *c)
{
	write_posting(db, POSTING_CAPTURE, c, 0,
		&(struct posting_amounts){
			.card_clearing = c->amount,
			.rental_income = c->vat_amount - c->amount,
			.vat_payable = -c->vat_amount,
		});
}

void
ledger_refund_owed(struct db *db, const struct charge *c, int64_t refund_id, int64_t amount, int64_t owed_before)
{
	int64_t vat = vat_of_first(c, owed_before + amount) - vat_of_first(c, owed_before);

	write_posting(db, POSTING_REFUND_OWED, c, refund_id,
		&(struct posting_amounts){
			.rental_income = amount - vat,
			.vat_payable = vat,
			.refunds_payable = -amount,
		});
}

void
ledger_refund_paid(struct db *db, const struct charge *c, int64_t refund_id, int64_t amount, enum paid_by paid_by)
{
	write_posting(db, POSTING_REFUND_PAID, c, refund_id,
		&(struct posting_amounts){
			.refunds_payable = amount,
			.card_clearing = paid_by == PAID_BY_CARD ? -amount : 0,
			.bank = paid_by == PAID_BY_BANK ? -amount : 0,
		});
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
