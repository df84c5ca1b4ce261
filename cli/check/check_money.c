/* check_money.c - the invariants of charges, refunds, the ledger and the provider's own records. The story is in
 * check.h. */
#include "check.h"

#include <string.h>

#define TAKEN "('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED')"   /* states of a charge whose money was taken */

/* --- charges and bookings ----------------------------------------------------------------------------------------- */

CHECK(bookings_without_charge,
	"SELECT b.code FROM booking b WHERE b.state NOT IN ('HELD', 'EXPIRED') AND NOT EXISTS ("
	" SELECT 1 FROM charge c WHERE c.charge_id = b.charge_id AND c.subject_id = b.code AND c.try_no = b.try_no"
	" AND c.key = CASE b.try_no WHEN 1 THEN b.code ELSE b.code || '-' || b.try_no END AND c.user_id = b.customer_id"
	" AND c.amount = b.amount"
	" AND c.currency = b.currency AND c.state IN " TAKEN ") /*scan*/")

/* Money for a booking that did not take place, for none, or for a try that does not pay for it. A pending refund is not
 * a violation. */
CHECK(charges_kept,
	"SELECT c.key FROM charge c LEFT JOIN booking b ON b.code = c.subject_id"
	" WHERE c.state IN " TAKEN
	" AND c.amount > (SELECT COALESCE(SUM(r.amount - r.withheld), 0) FROM refund r WHERE r.charge_id = c.charge_id)"
	" AND (b.booking_id IS NULL OR c.charge_id <> b.charge_id"
	"  OR (b.state IN ('EXPIRED', 'REJECTED') AND b.refund_state <> 'PENDING'"
	"  AND NOT EXISTS (SELECT 1 FROM booking_extra x WHERE x.booking_id = b.booking_id"
	" AND x.refund_state = 'PENDING'))) /*scan*/")

/* Both sides record a finished refund, payment first; of an expired booking, that of the try that was charged. Refunds
 * made outside are payment's alone, and ours are limited to
 * what they leave. */
CHECK(refunds_and_bookings,
	"SELECT b.code FROM booking b LEFT JOIN charge c ON c.charge_id = COALESCE(b.charge_id, (SELECT k.charge_id"
	"  FROM charge k WHERE k.subject_id = b.code ORDER BY k.refunded_amount DESC, k.charge_id LIMIT 1))"
	" LEFT JOIN (SELECT booking_id, SUM(refunded_amount) AS refunded_amount, SUM(CASE refund_state"
	" WHEN 'PENDING' THEN 1 ELSE 0 END) AS n_pending"
	"  FROM (SELECT booking_id, refunded_amount, refund_state FROM booking_extra UNION ALL SELECT booking_id,"
	"   CASE refund_state WHEN 'DONE' THEN amount ELSE 0 END, refund_state FROM part_refund) y"
	"  GROUP BY booking_id) x"
	"  ON x.booking_id = b.booking_id"
	" LEFT JOIN (SELECT charge_id, SUM(amount) AS amount FROM refund WHERE is_outside = 1 GROUP BY charge_id) o"
	"  ON o.charge_id = c.charge_id"
	" WHERE b.refund_state <> 'PENDING' AND COALESCE(x.n_pending, 0) = 0"
	" AND COALESCE(c.refunded_amount, 0) - COALESCE(o.amount, 0) <>"
	"  CASE WHEN b.refunded_amount + COALESCE(x.refunded_amount, 0) > COALESCE(c.amount, 0) - COALESCE(o.amount, 0)"
	"   AND o.amount > 0 THEN c.amount - o.amount"
	"   ELSE b.refunded_amount + COALESCE(x.refunded_amount, 0) END /*scan*/ /*sort*/")

/* Whatever their bookings say: one of its tries at most is charged and not refunded. */
CHECK(charged_twice,
	"SELECT c.subject_id || ': ' || COUNT(*) FROM charge c WHERE c.state IN " TAKEN
	" AND c.amount > (SELECT COALESCE(SUM(r.amount - r.withheld), 0) FROM refund r WHERE r.charge_id = c.charge_id)"
	" GROUP BY c.subject_id HAVING COUNT(*) > 1 /*scan*/ /*sort*/")

/* A booking's tries before the last one were declined. */
CHECK(tries,
	"SELECT b.code FROM booking b WHERE b.try_no > 1 AND b.try_no - 1 <> (SELECT COUNT(*) FROM booking_try t"
	" WHERE t.booking_id = b.booking_id AND t.try_no < b.try_no AND t.declined_at > 0) /*scan*/"
	" UNION ALL SELECT b.code FROM booking b JOIN booking_try t ON t.booking_id = b.booking_id"
	" WHERE t.try_no > b.try_no OR (t.try_no = b.try_no AND t.declined_at > 0) /*scan*/")

CHECK(stuck_charges,
	"SELECT c.key FROM charge c WHERE c.state IN ('REQUESTED', 'UNKNOWN')"
	" AND c.requested_at < $1 /*scan*/", in->now - 900)

CHECK(stuck_refunds,
	"SELECT r.key FROM refund r WHERE r.state = 'REQUESTED' AND r.requested_at < $1 /*scan*/", in->now - 900)

/* --- refunds ------------------------------------------------------------------------------------------------------ */

CHECK(too_much_back,
	"SELECT c.key FROM charge c JOIN refund r ON r.charge_id = c.charge_id"
	" GROUP BY c.charge_id HAVING SUM(r.amount - r.withheld) > CASE WHEN c.state IN " TAKEN
	" THEN c.amount ELSE 0 END /*scan*/ /*sort*/")

CHECK(refunded_amounts,
	"SELECT c.key FROM charge c WHERE c.refunded_amount <>"
	" (SELECT COALESCE(SUM(r.amount - r.withheld), 0) FROM refund r"
	" WHERE r.charge_id = c.charge_id AND r.state = 'DONE') /*scan*/")

CHECK(charge_states,
	"SELECT c.key FROM charge c WHERE c.state IN " TAKEN " AND c.state <>"
	" CASE WHEN NOT EXISTS (SELECT 1 FROM refund r WHERE r.charge_id = c.charge_id) THEN 'APPROVED'"
	"      WHEN EXISTS (SELECT 1 FROM refund r WHERE r.charge_id = c.charge_id"
	" AND r.state = 'REQUESTED') THEN 'CANCEL_REQUESTED'"
	"      ELSE 'CANCELLED' END /*scan*/")

/* --- the ledger --------------------------------------------------------------------------------------------------- */

CHECK(postings,
	"SELECT 'posting ' || p.posting_id FROM posting p LEFT JOIN ledger_line l ON l.posting_id = p.posting_id"
	" GROUP BY p.posting_id HAVING COUNT(l.account) < 2 OR SUM(l.amount) <> 0 /*scan*/ /*sort*/")

CHECK(lines_without_posting,
	"SELECT 'posting ' || l.posting_id FROM ledger_line l WHERE NOT EXISTS ("
	" SELECT 1 FROM posting p WHERE p.posting_id = l.posting_id) /*scan*/")

CHECK(accounts,
	"SELECT 'off by ' || SUM(l.amount) FROM ledger_line l HAVING SUM(l.amount) <> 0 /*scan*/")

CHECK(captures,
	"SELECT c.key FROM charge c LEFT JOIN posting p ON p.charge_id = c.charge_id AND p.kind = 'capture'"
	" LEFT JOIN ledger_line l ON l.posting_id = p.posting_id AND l.account = 'card_clearing'"
	" WHERE COALESCE(l.amount, 0) <> CASE WHEN c.state IN " TAKEN " THEN c.amount ELSE 0 END /*scan*/")

/* What is owed: posted when it was due, less what was withheld. */
#define POSTED(account, kinds) "(SELECT COALESCE(SUM(l.amount), 0) FROM posting p JOIN ledger_line l" \
	" ON l.posting_id = p.posting_id AND l.account = " account \
	" WHERE p.refund_id = r.refund_id AND p.kind IN (" kinds "))"
CHECK(refund_postings,
	"SELECT r.key FROM refund r"
	" WHERE " POSTED("'refunds_payable'", "'refund_owed', 'refund_withheld'") " <> r.withheld - r.amount"
	" OR " POSTED("CASE r.paid_by WHEN 'bank' THEN 'bank' ELSE 'card_clearing' END", "'refund_paid'")
	" <> CASE r.state WHEN 'DONE' THEN r.withheld - r.amount ELSE 0 END /*scan*/")

CHECK(words_of_postings,
	"SELECT 'posting ' || p.posting_id FROM posting p WHERE NOT EXISTS (SELECT 1 FROM posting_kind k"
	" WHERE k.kind = p.kind AND (k.about IN ('charge', 'refund')) = (p.charge_id IS NOT NULL)"
	" AND (k.about = 'refund') = (p.refund_id IS NOT NULL) AND (k.about = 'payout') = (p.payout_id IS NOT NULL))"
	" UNION ALL SELECT 'posting ' || l.posting_id || ': ' || l.account FROM ledger_line l"
	" WHERE NOT EXISTS (SELECT 1 FROM ledger_account a WHERE a.account = l.account) /*scan*/")

CHECK(subjects_of_postings,
	"SELECT 'posting ' || p.posting_id FROM posting p LEFT JOIN charge c ON c.charge_id = p.charge_id"
	" LEFT JOIN payout o ON o.payout_id = p.payout_id"
	" WHERE p.subject_id <> COALESCE(c.subject_id, o.subject_id, p.subject_id)"
	" OR p.currency <> COALESCE(c.currency, o.currency, p.currency) /*scan*/")

/* Owed with the amount; taken back from what is owed when it is paid or fails, by the posting that its state says. */
CHECK(payout_postings,
	"SELECT o.key FROM payout o LEFT JOIN payout_kind k ON k.kind = o.kind WHERE o.amount <> ("
	"  SELECT COALESCE(SUM(l.amount), 0) FROM posting p JOIN ledger_line l ON l.posting_id = p.posting_id"
	"  WHERE p.payout_id = o.payout_id AND p.kind = 'payout_due' AND l.account = k.account)"
	" OR -o.amount <> (SELECT COALESCE(SUM(l.amount), 0) FROM posting p JOIN ledger_line l"
	"  ON l.posting_id = p.posting_id"
	"  WHERE p.payout_id = o.payout_id AND p.kind = 'payout_due' AND l.account = 'payouts_payable')"
	" OR CASE o.state WHEN 'COMPLETED' THEN o.amount ELSE 0 END <> (SELECT COALESCE(SUM(-l.amount), 0)"
	"  FROM posting p JOIN ledger_line l ON l.posting_id = p.posting_id"
	"  WHERE p.payout_id = o.payout_id AND p.kind = 'payout_paid' AND l.account = 'bank')"
	" OR CASE o.state WHEN 'FAILED' THEN o.amount ELSE 0 END <> (SELECT COALESCE(SUM(-l.amount), 0)"
	"  FROM posting p JOIN ledger_line l ON l.posting_id = p.posting_id"
	"  WHERE p.payout_id = o.payout_id AND p.kind = 'payout_reversed' AND l.account = k.account)"
	" /*scan*/ /*sort*/")

/* Payment has it before booking knows, and never without booking's wish. */
CHECK(compensations,
	"SELECT b.code FROM booking b LEFT JOIN payout o ON o.key = b.code || '-compensation'"
	" WHERE (b.compensation_state = 'DONE' AND o.payout_id IS NULL)"
	" OR (o.payout_id IS NOT NULL AND (o.amount <> b.compensation_due OR o.payee_id <> b.customer_id"
	"  OR o.subject_id <> b.code OR o.kind <> 'compensation' OR o.currency <> b.currency)) /*scan*/")

CHECK(payouts_owed,
	"SELECT 'ledger ' || m.ledger || ', payouts assigned ' || m.owed FROM ("
	"  SELECT (SELECT COALESCE(SUM(amount), 0) FROM ledger_line WHERE account = 'payouts_payable') AS ledger,"
	"   (SELECT COALESCE(SUM(amount), 0) FROM payout WHERE state = 'ASSIGNED') AS owed) m"
	" WHERE m.ledger <> -m.owed /*scan*/")

CHECK(clearing,
	"SELECT 'ledger ' || m.ledger || ', charges less refunds ' || m.net FROM ("
	"  SELECT (SELECT COALESCE(SUM(amount), 0) FROM ledger_line WHERE account = 'card_clearing') AS ledger,"
	"   (SELECT COALESCE(SUM(amount), 0) FROM charge WHERE state IN " TAKEN ")"
	"   - (SELECT COALESCE(SUM(amount - withheld), 0) FROM refund WHERE state = 'DONE' AND paid_by = 'card')"
	"   AS net) m"
	" WHERE m.ledger <> m.net /*scan*/")

CHECK(by_bank,
	"SELECT 'ledger ' || m.ledger || ', refunds and payouts by transfer ' || m.paid FROM ("
	"  SELECT (SELECT COALESCE(SUM(amount), 0) FROM ledger_line WHERE account = 'bank') AS ledger,"
	"   (SELECT COALESCE(SUM(amount - withheld), 0) FROM refund WHERE state = 'DONE' AND paid_by = 'bank')"
	"   + (SELECT COALESCE(SUM(amount), 0) FROM payout WHERE state = 'COMPLETED') AS paid) m"
	" WHERE m.ledger <> -m.paid /*scan*/")

CHECK(payable,
	"SELECT 'ledger ' || m.ledger || ', refunds under way ' || m.owed FROM ("
	"  SELECT (SELECT COALESCE(SUM(amount), 0) FROM ledger_line WHERE account = 'refunds_payable') AS ledger,"
	"   (SELECT COALESCE(SUM(amount - withheld), 0) FROM refund WHERE state = 'REQUESTED') AS owed) m"
	" WHERE m.ledger <> -m.owed /*scan*/")

/* --- the provider's records: only what neither side is still working on ------------------------------------------- */

#define SETTLED "c.state NOT IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') AND c.void_wanted = 0"

static int64_t
provider_has_less(struct inspection *in)
{
	if (!in->has_sandbox)
		return -1;
	return check_count(in,
		db_each(in->db,
			"SELECT c.key FROM charge c LEFT JOIN sandbox.payment p ON p.order_id = c.key"
			" AND p.status IN ('DONE', 'PARTIAL_CANCELED', 'CANCELED')"
			" WHERE " SETTLED " AND c.state IN " TAKEN " AND COALESCE(p.balance, -1) <> c.amount"
			" - (SELECT COALESCE(SUM(r.amount - r.withheld), 0) FROM refund r"
			" WHERE r.charge_id = c.charge_id AND r.state = 'DONE' AND r.paid_by = 'card') /*scan*/"));
}

static int64_t
provider_has_more(struct inspection *in)
{
	if (!in->has_sandbox)
		return -1;
	return check_count(in,
		db_each(in->db,
			"SELECT p.order_id FROM sandbox.payment p LEFT JOIN charge c ON c.key = p.order_id"
			" WHERE p.status IN ('DONE', 'PARTIAL_CANCELED', 'CANCELED') AND p.balance > 0"
			" AND (c.charge_id IS NULL OR (" SETTLED " AND c.state NOT IN " TAKEN ")) /*scan*/"));
}

static int64_t
provider_sums(struct inspection *in)
{
	if (!in->has_sandbox)
		return -1;
	return check_count(in,
		db_each(in->db,
			"SELECT p.payment_key FROM sandbox.payment p"
			" WHERE p.status IN ('DONE', 'PARTIAL_CANCELED', 'CANCELED')"
			" AND p.amount - p.balance <> (SELECT COALESCE(SUM(x.amount), 0) FROM sandbox.cancel x"
			" WHERE x.payment_id = p.payment_id) /*scan*/"));
}

const struct check money_checks[] = {
	{ "every booking beyond HELD has an approved charge of its amount", CHECK_FAST, bookings_without_charge },
	{ "no money is kept for a booking that was not completed", CHECK_FAST, charges_kept },
	{ "bookings and charges agree on what was refunded", CHECK_FAST, refunds_and_bookings },
	{ "of all tries to pay for a booking one at most is charged and not refunded", CHECK_FAST, charged_twice },
	{ "every try before a booking's last one was declined", CHECK_FAST, tries },
	{ "refunds never exceed the captured amount", CHECK_FAST, too_much_back },
	{ "the refunded amount of a charge is the sum of its refunds", CHECK_FAST, refunded_amounts },
	{ "the state of a charge matches its refunds", CHECK_FAST, charge_states },
	{ "no charge has been unanswered for more than 15 minutes", CHECK_WORK, stuck_charges },
	{ "no refund has been in progress for more than 15 minutes", CHECK_WORK, stuck_refunds },
	{ "the lines of every posting sum to zero", CHECK_FAST, postings },
	{ "every line belongs to a posting", CHECK_FAST, lines_without_posting },
	{ "the balances of all accounts sum to zero", CHECK_FAST, accounts },
	{ "a charge is posted if and only if it was captured", CHECK_FAST, captures },
	{ "every refund is posted when it is due and when it is paid", CHECK_FAST, refund_postings },
	{ "every posting has a known kind and known accounts", CHECK_FAST, words_of_postings },
	{ "every posting has the subject and currency of its charge or payout", CHECK_FAST, subjects_of_postings },
	{ "every payout is posted when it is due and when it is paid or fails", CHECK_FAST, payout_postings },
	{ "every compensation of a booking is one payout of its amount", CHECK_FAST, compensations },
	{ "payouts_payable equals the payouts to be paid", CHECK_FAST, payouts_owed },
	{ "card_clearing equals captures minus refunds to cards", CHECK_FAST, clearing },
	{ "refunds_payable equals the refunds in progress", CHECK_FAST, payable },
	{ "bank equals the refunds and payouts paid by bank transfer", CHECK_FAST, by_bank },
	{ "every charge and refund in our books exists at the provider", CHECK_FAST, provider_has_less },
	{ "every payment at the provider exists in our books", CHECK_FAST, provider_has_more },
	{ "the provider's own records are consistent", CHECK_FAST, provider_sums },
	{ 0 },
};
