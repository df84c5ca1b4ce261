/*
 * test_payment - a charge is made once, whatever happens to requests, answers and processes. The last test breaks
 * everything at random for a while and then compares the money with the provider's.
 *
 *	test_payment [SEED]
 */
#include "test.h"

#include "payment_world.h"

/* --- charging ----------------------------------------------------------------------------------------------------- */

TEST(a_good_card_is_charged_and_posted)
{
	struct charge c;

	assert_int_equal(charge("MP-TEST01", save_card(7, "tok_ok"), &c), CHARGE_OUTCOME_APPROVED);
	expect_state("MP-TEST01", CHARGE_APPROVED);
	assert_int_equal(account_sum("card_clearing"), 110000);
	assert_int_equal(account_sum("rental_income"), -100000);
	assert_int_equal(account_sum("vat_payable"), -10000);
	assert_int_equal(provider_balance(), 110000);
	assert_int_equal(events("payment.approved"), 1);
	assert_string_equal(c.brand, "Visa");
	assert_string_equal(c.last4, "4242");
}

TEST(a_declined_card_is_not_charged_and_has_a_reason)
{
	struct charge c;

	assert_int_equal(charge("MP-TEST01", save_card(7, "tok_declined"), &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "declined");
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
	assert_int_equal(events("payment.failed"), 1);
}

TEST(the_same_key_again_gets_the_same_answer_and_no_second_charge)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge first, again;

	charge("MP-TEST01", card_id, &first);
	n_requests = 0;
	assert_int_equal(charge("MP-TEST01", card_id, &again), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(again.charge_id, first.charge_id);
	assert_int_equal(n_requests, 0);
	assert_int_equal(provider_balance(), 110000);
}

TEST(the_same_key_with_another_amount_is_refused)
{
	struct charge_order o = charge_of("MP-TEST01", save_card(7, "tok_ok"));
	struct charge c;

	charge_make(db, &o, &c);
	o.amount = 120000;
	assert_int_equal(charge_make(db, &o, &c), CHARGE_OUTCOME_KEY_REUSED);
	assert_int_equal(provider_balance(), 110000);
}

TEST(a_card_of_another_customer_is_declined_as_removed)
{
	struct charge c;

	assert_int_equal(charge("MP-TEST01", save_card(8, "tok_ok"), &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "card_removed");
	assert_int_equal(provider_balance(), 0);
}

TEST(a_removed_card_is_declined)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	assert_true(card_remove(db, 7, card_id));
	assert_false(card_remove(db, 7, card_id));
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "card_removed");
}

TEST(a_lost_answer_is_looked_up_and_ends_approved_once)
{
	struct charge c;

	assert_int_equal(charge("MP-TEST01", save_card(7, "tok_lost"), &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(provider_balance(), 110000);
	assert_int_equal(account_sum("card_clearing"), 110000);
}

TEST(a_late_answer_is_unknown_until_the_sweep_looks_it_up)
{
	int64_t card_id;
	struct charge c;

	assert_int_equal(charge("MP-TEST01", save_card(7, "tok_slow"), &c),
		CHARGE_OUTCOME_APPROVED); /* in process the look-up finds it */
	card_id = save_card(7, "tok_ok");
	net = NET_DELAYS;
	assert_int_equal(charge("MP-TEST02", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	expect_state("MP-TEST02", CHARGE_UNKNOWN);
	net = NET_FINE;
	delayed[0].at = now;
	deliver_delayed();
	wait_s(10);
	payment_sweep(db);
	expect_state("MP-TEST02", CHARGE_APPROVED);
	assert_int_equal(provider_balance(), 220000);
	assert_int_equal(account_sum("card_clearing"), 220000);
}

/* Like a full disk: SQLite fails at COMMIT. */
static void
let_commits_of_charges_fail(void)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	struct db *other = scratch_open(&all);

	assert_true(db_script(other,
		"CREATE TRIGGER charge_is_lost AFTER INSERT ON charge BEGIN"
		" INSERT INTO ledger_line (posting_id, account, amount) VALUES (999, 'card_clearing', 1); END;"));
	db_close(other);
}

TEST(a_charge_whose_row_is_not_on_disk_is_never_requested)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	let_commits_of_charges_fail();
	n_requests = 0;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	assert_true(db_failed(db)); /* so the caller gets 500, and the key is unknown */
	assert_int_equal(n_requests, 0);
	assert_int_equal(provider_balance(), 0);
	db_fresh(db);
	assert_false(charge_find(db, "MP-TEST01", &c));
}

TEST(a_provider_that_was_not_reached_has_charged_nothing)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_CUT;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_LATER);
	expect_state("MP-TEST01", CHARGE_FAILED);
	net = NET_FINE;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_LATER);
	assert_int_equal(provider_balance(), 0);
}

TEST(a_provider_that_is_switched_off_is_unknown_and_ends_as_never_arrived)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	fault_set(sandbox, "down", 1);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	fault_set(sandbox, "down", 0);
	wait_s(10);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_UNKNOWN); /* too young to be sure */
	settle_everything();
	expect_state("MP-TEST01", CHARGE_FAILED);
	assert_int_equal(events("payment.failed"), 1);
}

TEST(a_clock_that_is_set_back_an_hour_does_not_keep_a_charge_unknown)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	fault_set(sandbox, "down", 1);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	fault_set(sandbox, "down", 0);
	wait_s(-HOUR);
	for (int i = 0; i < 150; i++) {
		wait_s(1);
		payment_sweep(db);
	}
	expect_state("MP-TEST01", CHARGE_FAILED);
}

TEST(a_worker_that_dies_before_asking_leaves_a_row_that_ends_as_failed)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_DIES_BEFORE;
	if (setjmp(death) == 0)
		charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	db_fresh(db);
	expect_state("MP-TEST01", CHARGE_REQUESTED);
	settle_everything();
	expect_state("MP-TEST01", CHARGE_FAILED);
	assert_int_equal(provider_balance(), 0);
}

TEST(a_worker_that_dies_after_the_charge_leaves_a_row_that_ends_as_approved)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_DIES_AFTER;
	if (setjmp(death) == 0)
		charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	db_fresh(db);
	wait_s(3);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_REQUESTED); /* its own process may still be asking */
	wait_s(10);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_APPROVED);
	assert_int_equal(provider_balance(), account_sum("card_clearing"));
}

TEST(a_caller_that_repeats_its_request_after_a_crash_gets_the_outcome)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_DIES_AFTER;
	if (setjmp(death) == 0)
		charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	db_fresh(db);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(provider_balance(), 110000);
}

TEST(a_charge_that_arrives_after_it_failed_is_refunded)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_DELAYS;
	charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	delayed[0].at = now + 250;
	wait_s(100);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_FAILED);
	wait_s(160);
	deliver_delayed();
	assert_int_equal(provider_balance(), 110000);
	settle_everything();
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
}

TEST(invalid_orders_are_refused)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge_order o = charge_of("MP-TEST01", card_id), bad;
	struct charge c;

	bad = o, bad.amount = 0;
	assert_int_equal(charge_make(db, &bad, &c), CHARGE_OUTCOME_BAD_ORDER);
	bad = o, bad.amount = CHARGE_MAX_AMOUNT + 1;
	assert_int_equal(charge_make(db, &bad, &c), CHARGE_OUTCOME_BAD_ORDER);
	bad = o, bad.vat_amount = o.amount + 1;
	assert_int_equal(charge_make(db, &bad, &c), CHARGE_OUTCOME_BAD_ORDER);
	bad = o, bad.currency = "USD";
	assert_int_equal(charge_make(db, &bad, &c), CHARGE_OUTCOME_BAD_ORDER);
	bad = o, bad.key = "x";
	assert_int_equal(charge_make(db, &bad, &c), CHARGE_OUTCOME_BAD_ORDER);
	bad = o, bad.key = "MP-../../x";
	assert_int_equal(charge_make(db, &bad, &c), CHARGE_OUTCOME_BAD_ORDER);
	bad = o, bad.payment_key = "both";
	assert_int_equal(charge_make(db, &bad, &c), CHARGE_OUTCOME_BAD_ORDER);
	bad = o, bad.card_id = 0;
	assert_int_equal(charge_make(db, &bad, &c), CHARGE_OUTCOME_BAD_ORDER);
	assert_false(charge_find(db, "MP-TEST01", &c));
}

TEST(a_payment_prepared_on_the_hosted_page_is_confirmed_once)
{
	struct sandbox_payment p = {
		.order_id = "MP-TEST01",
		.order_name = "Car",
		.customer_key = "c-1",
		.card = 0,
		.amount = 110000,
		.currency = "KRW",
	};
	struct charge_order o = charge_of("MP-TEST01", 0);
	struct charge c;

	o.payment_key = sandbox_prepare(sandbox, &p);
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(charge_make(db, &o, &c), CHARGE_OUTCOME_APPROVED);
	assert_string_equal(c.last4, "4242");
	assert_int_equal(charge_make(db, &o, &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(provider_balance(), 110000);
}

TEST(a_payment_prepared_for_a_lower_amount_is_not_confirmed)
{
	struct sandbox_payment p = {
		.order_id = "MP-TEST01",
		.order_name = "Car",
		.customer_key = "c-1",
		.card = 0,
		.amount = 100,
		.currency = "KRW",
	};
	struct charge_order o = charge_of("MP-TEST01", 0);
	struct charge c;

	o.payment_key = sandbox_prepare(sandbox, &p);
	assert_int_equal(charge_make(db, &o, &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "wrong_amount");
	assert_int_equal(provider_balance(), 0);
}

/* --- everything at random ----------------------------------------------------------------------------------------- */

#define N_KEYS 300
#define N_STEPS 4000
static int64_t cards[4];
static bool was_voided[N_KEYS];         /* payment has answered that nothing stays charged */

static void
break_randomly(void)
{
	static const int weights[] = { NET_FINE, NET_FINE, NET_FINE, NET_FINE, NET_FINE, NET_FINE, NET_CUT,
		NET_LOSES_ANSWER, NET_DIES_BEFORE, NET_DIES_AFTER, NET_DELAYS };

	net = weights[sandbox_random(11)];
	if (sandbox_random(20) == 0)
		fault_set(sandbox, "lost_answers", sandbox_random(2) ? 50 : 0);
	if (sandbox_random(40) == 0)
		fault_set(sandbox, "down", sandbox_random(3) == 0);
	if (sandbox_random(30) == 0)
		fault_set(sandbox, "slow_ms", sandbox_random(2) ? 800 : 0);
}

static void
do_randomly(void)
{
	unsigned i = sandbox_random(N_KEYS);
	const char *key = arena_printf(m, "MP-R%05u", i);
	struct charge c;

	switch (sandbox_random(10)) {
	case 0:
	case 1:
	case 2:
	case 3: charge(key, cards[sandbox_random(10) < 6 ? 0 : sandbox_random(4)], &c); break;
	case 4:
		refund(key, arena_printf(m, "%s-void", key), 0, &c);
		was_voided[i] = true;
		break;
	case 5: refund(key, arena_printf(m, "%s-cancel", key), 1 + (int64_t)sandbox_random(110000), &c); break;
	case 6:
		refund(key, arena_printf(m, "%s-%u", key, sandbox_random(3)), 1 + (int64_t)sandbox_random(60000), &c);
		break;
	case 7: charge_hint(db, key); break;
	case 8: payment_sweep(db); break;
	default: wait_s(sandbox_random(90)); deliver_delayed();
	}
}

static void
expect_key_balances(int i)
{
	const char *key = arena_printf(m, "MP-R%05d", i);
	int64_t ours = db_int(db,
		"SELECT COALESCE(SUM(l.amount), 0) FROM charge c JOIN posting p ON p.charge_id = c.charge_id"
		" JOIN ledger_line l ON l.posting_id = p.posting_id AND l.account = 'card_clearing' WHERE c.key = $1",
		key);
	int64_t theirs = db_int(
		sandbox, "SELECT COALESCE(SUM(balance), 0) FROM payment WHERE order_id = $1 AND approved_at > 0", key);
	int64_t taken = db_int(sandbox, "SELECT COUNT(*) FROM payment WHERE order_id = $1 AND approved_at > 0", key);
	int64_t approvals =
		db_int(db, "SELECT COUNT(*) FROM event WHERE subject_id = $1 AND type = 'payment.approved'", key);

	if (ours != theirs || taken > 1 || approvals > 1 || (was_voided[i] && ours))
		print_error("%s: ours %lld, theirs %lld, taken %lld times\n", key, (long long)ours, (long long)theirs,
			(long long)taken);
	assert_int_equal(ours, theirs);
	assert_true(taken <= 1);
	assert_true(approvals <= 1);
	assert_true(!was_voided[i] || ours == 0);
}

TEST(after_random_failures_no_money_is_lost_or_made)
{
	print_message("seed %llu\n", (unsigned long long)seed);
	memset(was_voided, 0, sizeof(was_voided));
	cards[0] = save_card(7, "tok_ok");
	cards[1] = save_card(7, "tok_declined");
	cards[2] = save_card(7, "tok_slow");
	cards[3] = save_card(7, "tok_lost");
	for (int i = 0; i < N_STEPS; i++) {
		break_randomly();
		if (setjmp(death) == 0)
			do_randomly();
		else
			db_fresh(db);
		assert_false(db_failed(db));
		assert_false(db_failed(sandbox));
	}
	net = NET_FINE;
	fault_set(sandbox, "down", 0);
	fault_set(sandbox, "lost_answers", 0);
	fault_set(sandbox, "slow_ms", 0);
	scratch_sleep_ms(2100); /* the slow answers are ready after real time */
	settle_everything();
	for (int i = 0; i < N_KEYS; i++)
		expect_key_balances(i);
	assert_true(provider_balance() > 0);
	assert_int_equal(provider_balance(), account_sum("card_clearing"));
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(db_int(db, "SELECT SUM(amount) FROM ledger_line /*scan*/"), 0);
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM charge WHERE state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED')"
			" OR void_wanted = 1 /*scan*/"),
		0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM refund WHERE state = 'REQUESTED' /*scan*/"), 0);
	assert_int_equal(
		db_int(db,
			"SELECT COUNT(*) FROM charge c WHERE c.refunded_amount <> (SELECT COALESCE(SUM(r.amount), 0)"
			" FROM refund r WHERE r.charge_id = c.charge_id) /*scan*/"),
		0);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	return test_run("payment", NULL, NULL, begin, end);
}
