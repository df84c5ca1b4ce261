/*
 * test_payment_outside - refunds made in the provider's own dashboard: in parts, all, noticed twice, out of order, and
 * while a refund of ours is pending. Whatever happens, our books agree with the provider, and nothing is refunded
 * twice.
 */
#include "test.h"

#include "payment_world.h"

#define KEY "MP-TEST01"

/* Somebody does it in the dashboard. false: less is left. */
static bool
refund_in_dashboard(const char *key, int64_t amount)
{
	struct sandbox_payment p;
	enum sandbox_code code;

	db_fresh(sandbox);
	db_begin(sandbox);
	assert_true(sandbox_find_order(sandbox, key, &p));
	code = sandbox_cancel(sandbox, p.payment_key, amount, "goodwill [MP-TEST01-cancel-not]", NULL, &p);
	assert_true(db_commit(sandbox));
	return code == SANDBOX_OK;
}

static enum compare_outcome
compare(const char *key)
{
	struct charge c;

	assert_true(charge_find(db, key, &c));
	return charge_compare(db, c.charge_id, clock_ms() + 1000);
}

static void
expect_books_agree(void)
{
	assert_false(db_failed(db));
	assert_int_equal(account_sum("card_clearing"), provider_balance());
	assert_int_equal(db_int(db, "SELECT COALESCE(SUM(amount), 0) FROM ledger_line /*scan*/"), 0);
	assert_int_equal(account_sum("refunds_payable"),
		-db_int(db,
			"SELECT COALESCE(SUM(amount - withheld), 0) FROM refund WHERE state = 'REQUESTED' /*scan*/"));
	assert_false(db_exists(db,
		"SELECT 1 FROM charge c WHERE c.refunded_amount <> (SELECT COALESCE(SUM(r.amount - r.withheld), 0)"
		" FROM refund r WHERE r.charge_id = c.charge_id AND r.state = 'DONE') /*scan*/"));
	assert_int_equal(events("payment.cancelled") + events("payment.refunded_outside"),
		db_int(db, "SELECT COUNT(*) FROM refund WHERE state = 'DONE' /*scan*/"));
}

static void
webhook_and_sweep(const char *key, int times)
{
	for (int i = 0; i < times; i++)
		charge_hint(db, key);
	wait_s(COMPARE_AFTER_S);
	payment_sweep(db);
}

/* --- noticing it -------------------------------------------------------------------------------------------------- */

TEST(a_refund_in_the_dashboard_is_booked_once_however_often_it_is_noticed)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	refund_in_dashboard(KEY, 30000);
	webhook_and_sweep(KEY, 2);
	assert_int_equal(compare(KEY), COMPARE_SAME);
	webhook_and_sweep(KEY, 1);
	charge_find(db, KEY, &c);
	assert_int_equal(c.refunded_amount, 30000);
	assert_int_equal(c.state, CHARGE_CANCELLED);
	assert_int_equal(events("payment.refunded_outside"), 1);
	assert_int_equal(account_sum("vat_payable"), -7273);
	expect_books_agree();
}

TEST(parts_and_then_all_are_booked_each)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	refund_in_dashboard(KEY, 1);
	assert_int_equal(compare(KEY), COMPARE_BOOKED);
	refund_in_dashboard(KEY, 9999);
	refund_in_dashboard(KEY, 100000);
	assert_false(refund_in_dashboard(KEY, 1));
	assert_int_equal(compare(KEY), COMPARE_BOOKED);
	charge_find(db, KEY, &c);
	assert_int_equal(c.refunded_amount, 110000);
	assert_int_equal(account_sum("rental_income"), 0);
	assert_int_equal(account_sum("vat_payable"), 0);
	expect_books_agree();
}

TEST(our_own_refunds_are_not_taken_for_those_of_the_dashboard)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	refund(KEY, KEY "-extra-2", 10000, &c);
	refund(KEY, KEY "-cancel", 50000, &c);
	assert_int_equal(compare(KEY), COMPARE_SAME);
	assert_int_equal(events("payment.refunded_outside"), 0);
	expect_books_agree();
}

TEST(a_webhook_before_the_charge_is_recorded_loses_nothing)
{
	struct charge c;

	int64_t card_id = save_card(7, "tok_ok");

	net = NET_DELAYS;
	charge(KEY, card_id, &c);
	delayed[0].at = now;
	deliver_delayed();
	net = NET_FINE;
	refund_in_dashboard(KEY, 40000);
	webhook_and_sweep(KEY, 1);
	settle_everything();
	charge_find(db, KEY, &c);
	assert_int_equal(c.refunded_amount, 40000);
	expect_books_agree();
}

TEST(while_the_provider_does_not_answer_a_notice_is_kept)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	refund_in_dashboard(KEY, 30000);
	net = NET_CUT;
	webhook_and_sweep(KEY, 1);
	assert_int_equal(events("payment.refunded_outside"), 0);
	net = NET_FINE;
	wait_s(COMPARE_AGAIN_S);
	payment_sweep(db);
	assert_int_equal(events("payment.refunded_outside"), 1);
	expect_books_agree();
}

/* --- our refunds before, after and meanwhile ---------------------------------------------------------------------- */

TEST(a_later_refund_of_ours_is_limited_to_what_is_left)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	refund_in_dashboard(KEY, 60000);
	compare(KEY);
	assert_int_equal(refund(KEY, KEY "-cancel", 77000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(refund(KEY, KEY "-cancel", 77000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(refund(KEY, KEY "-cancel", 50000, &c), REFUND_OUTCOME_KEY_REUSED);
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(c.refunded_amount, 110000);
	assert_int_equal(refund(KEY, KEY "-extra-2", 60001, &c), REFUND_OUTCOME_TOO_MUCH);
	assert_int_equal(refund(KEY, KEY "-extra-2", 20000, &c), REFUND_OUTCOME_DONE);
	expect_books_agree();
}

TEST(a_refund_of_all_after_all_was_refunded_outside_is_done_at_once)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	refund_in_dashboard(KEY, 110000);
	compare(KEY);
	n_requests = 0;
	assert_int_equal(refund(KEY, KEY "-cancel", 110000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(n_requests, 0);
	assert_int_equal(events("payment.cancelled"), 1); /* so that booking finishes its cancellation */
	assert_int_equal(refund(KEY, KEY "-void", 0, &c), REFUND_OUTCOME_DONE);
	expect_state(KEY, CHARGE_CANCELLED);
	expect_books_agree();
}

/* Nobody has noticed the dashboard's refund yet: the provider refuses ours. */
TEST(a_refund_that_the_provider_refuses_because_less_is_left_is_reduced_and_made)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	refund_in_dashboard(KEY, 60000);
	assert_int_equal(refund(KEY, KEY "-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	settle_everything();
	expect_state(KEY, CHARGE_CANCELLED);
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(refund(KEY, KEY "-cancel", 77000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(c.refunded_amount, 110000);
	expect_books_agree();
}

TEST(a_pending_refund_of_which_nothing_is_left_is_done)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	assert_int_equal(refund(KEY, KEY "-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	net = NET_FINE;
	refund_in_dashboard(KEY, 110000);
	settle_everything();
	expect_state(KEY, CHARGE_CANCELLED);
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(account_sum("vat_payable"), 0);
	expect_books_agree();
}

TEST(a_refund_of_ours_that_still_fits_is_made_in_full)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund(KEY, KEY "-cancel", 77000, &c);
	net = NET_FINE;
	refund_in_dashboard(KEY, 33000);
	assert_int_equal(compare(KEY), COMPARE_BOOKED);
	settle_everything();
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(db_int(db, "SELECT SUM(withheld) FROM refund /*scan*/"), 0);
	expect_books_agree();
}

TEST(a_transfer_by_bank_is_refused_when_the_dashboard_has_refunded_it)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund(KEY, KEY "-cancel", 77000, &c);
	wait_s(200);
	net = NET_FINE;
	refund_in_dashboard(KEY, 110000);
	charge_find(db, KEY, &c);
	assert_int_equal(charge_resolve(db, &c, RESOLUTION_BY_BANK, "paid", 9, clock_ms() + 600), RESOLVE_CONTRADICTED);
	assert_int_equal(account_sum("bank"), 0);
	expect_state(KEY, CHARGE_CANCELLED);
	expect_books_agree();
}

/* Paid by transfer, and in the dashboard too: that is more than the charge, and is not booked as a refund of it. */
TEST(more_than_the_charge_is_reported_and_not_booked)
{
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund(KEY, KEY "-cancel", 110000, &c);
	wait_s(200);
	net = NET_FINE;
	charge_find(db, KEY, &c);
	assert_int_equal(charge_resolve(db, &c, RESOLUTION_BY_BANK, "paid", 9, clock_ms() + 600), RESOLVE_DONE);
	refund_in_dashboard(KEY, 110000);
	assert_int_equal(compare(KEY), COMPARE_TOO_MUCH);
	assert_int_equal(db_int(db, "SELECT SUM(amount) FROM refund /*scan*/"), 110000);
}

/* --- what needs attention ----------------------------------------------------------------------------------------- */

TEST(a_manager_sees_it_until_it_is_closed)
{
	struct charge c;
	int64_t since;

	charge(KEY, save_card(7, "tok_ok"), &c);
	refund_in_dashboard(KEY, 30000);
	compare(KEY);
	charge_find(db, KEY, &c);
	assert_int_equal(charge_stuck_kind(db, &c, &since), STUCK_OUTSIDE);
	assert_int_equal(charge_stuck_amount(db, &c), 30000);
	assert_int_equal(db_int(db, "SELECT amount FROM v_stuck_charge WHERE kind = 'outside' /*scan*/"), 30000);
	wait_s(rental.stuck_after_s + 1);
	assert_int_equal(charge_resolve(db, &c, RESOLUTION_BY_BANK, "no", 9, clock_ms() + 600), RESOLVE_NOT_STUCK);
	assert_int_equal(charge_resolve(db, &c, RESOLUTION_SEEN, "goodwill", 9, clock_ms() + 600), RESOLVE_DONE);
	assert_int_equal(charge_resolve(db, &c, RESOLUTION_SEEN, "goodwill", 9, clock_ms() + 600), RESOLVE_NOT_STUCK);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM v_stuck_charge /*scan*/"), 0);
	assert_int_equal(events("payment.resolved"), 1);
}

/* --- every night -------------------------------------------------------------------------------------------------- */

TEST(the_reconciliation_of_a_day_books_what_no_webhook_told)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct reconciliation r;
	struct charge c;

	for (int i = 0; i < 250; i++)
		charge(arena_printf(m, "MP-DAY%03d", i), card_id, &c);
	refund_in_dashboard("MP-DAY000", 5000);
	refund_in_dashboard("MP-DAY249", 5000);
	refund_in_dashboard("MP-DAY249", 105000);
	refund("MP-DAY100", "MP-DAY100-cancel", 77000, &c);
	wait_s(2 * DAY);
	refund_in_dashboard("MP-DAY001", 7000);
	r = payment_reconcile(db, NOW - HOUR, NOW + HOUR);
	assert_int_equal(r.n_transactions, 254);
	assert_int_equal(r.n_compared, 3);
	assert_int_equal(r.n_booked, 2);
	assert_int_equal(r.n_unknown + r.n_unanswered + r.n_too_much, 0);
	r = payment_reconcile(db, NOW - HOUR, NOW + HOUR);
	assert_int_equal(r.n_booked, 0);
	r = payment_reconcile(db, now - DAY, now + 1);
	assert_int_equal(r.n_booked, 1);
	expect_books_agree();
}

TEST(a_payment_that_is_not_in_our_books_and_a_list_without_an_answer_are_reported)
{
	struct reconciliation r;
	struct charge c;

	charge(KEY, save_card(7, "tok_ok"), &c);
	db_do(sandbox, "UPDATE payment SET order_id = 'MP-STRANGE' WHERE order_id = $1", KEY);
	r = payment_reconcile(db, NOW - HOUR, NOW + HOUR);
	assert_int_equal(r.n_unknown, 1);
	net = NET_CUT;
	r = payment_reconcile(db, NOW - HOUR, NOW + HOUR);
	assert_int_equal(r.n_unanswered, 1);
}

/* --- at random ---------------------------------------------------------------------------------------------------- */

static void
do_something(int i)
{
	const char *key = arena_printf(m, "MP-RAND%02u", (unsigned)sandbox_random(6));
	int64_t amount = 1 + (int64_t)sandbox_random(60000);
	struct charge c;

	net = sandbox_random(4) == 0 ? NET_CUT : sandbox_random(4) == 0 ? NET_LOSES_ANSWER : NET_FINE;
	switch (sandbox_random(5)) {
	case 0: refund(key, arena_printf(m, "%s-extra-%d", key, i), amount, &c); break;
	case 1: refund(key, arena_printf(m, "%s-cancel", key), 70000, &c); break;
	case 2: refund_in_dashboard(key, amount); break;
	case 3: charge_hint(db, key); break;
	default: wait_s(1 + (int64_t)sandbox_random(90)); payment_sweep(db);
	}
	db_fresh(sandbox);
}

TEST(whatever_is_done_in_whatever_order_the_books_agree_in_the_end)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	for (int round = 0; round < 12; round++) {
		if (round == 0)
			for (int i = 0; i < 6; i++)
				assert_int_equal(charge(arena_printf(m, "MP-RAND%02d", i), card_id, &c),
					CHARGE_OUTCOME_APPROVED);
		for (int i = 0; i < 25; i++)
			do_something(round * 100 + i);
		net = NET_FINE;
		settle_everything();
		payment_reconcile(db, NOW - DAY, now + 1);
		settle_everything();
		expect_books_agree();
		assert_int_equal(db_int(db, "SELECT COUNT(*) FROM refund WHERE state = 'REQUESTED' /*scan*/"), 0);
	}
	assert_true(events("payment.refunded_outside") > 5);
	assert_true(db_int(db, "SELECT COUNT(*) FROM refund WHERE withheld > 0 /*scan*/") > 0);
}

TEST_MAIN("payment_outside", NULL, NULL, begin, end)
