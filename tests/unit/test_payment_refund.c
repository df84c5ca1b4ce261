/*
 * test_payment_refund - a refund is made once: of parts, of the whole, of charges whose outcome is unknown; by the
 * sweep, and by a manager's bank transfer.
 */
#include "test.h"

#include "payment_world.h"

/* --- refunding ---------------------------------------------------------------------------------------------------- */

TEST(a_partial_refund_posts_its_share_of_vat)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(c.refunded_amount, 77000);
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(account_sum("card_clearing"), 33000);
	assert_int_equal(account_sum("vat_payable"), -3000);
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(provider_balance(), 33000);
	assert_int_equal(events("payment.cancelled"), 1);
}

TEST(the_same_refund_again_is_made_once)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 50000, &c), REFUND_OUTCOME_KEY_REUSED);
	assert_int_equal(provider_balance(), 33000);
}

TEST(more_than_the_charge_is_never_refunded)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	refund("MP-TEST01", "MP-TEST01-a", 77000, &c);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-b", 33001, &c), REFUND_OUTCOME_TOO_MUCH);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-c", 33000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(account_sum("vat_payable"), 0);
	assert_int_equal(account_sum("rental_income"), 0);
}

TEST(odd_parts_of_vat_add_up_to_the_whole)
{
	struct charge_order o = charge_of("MP-TEST01", save_card(7, "tok_ok"));
	struct charge c;

	o.amount = 100;
	o.vat_amount = 9;
	charge_make(db, &o, &c);
	refund("MP-TEST01", "MP-TEST01-a", 33, &c);
	refund("MP-TEST01", "MP-TEST01-b", 33, &c);
	refund("MP-TEST01", "MP-TEST01-c", 0, &c);
	assert_int_equal(account_sum("vat_payable"), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
}

TEST(a_refund_whose_answer_is_lost_is_done_once)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_LOSES_ANSWER;
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	expect_state("MP-TEST01", CHARGE_CANCEL_REQUESTED);
	assert_int_equal(account_sum("refunds_payable"), -77000);
	net = NET_FINE;
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(provider_balance(), 33000);
	assert_int_equal(events("payment.cancelled"), 1);
}

TEST(a_refund_key_forgotten_after_15_days_is_recognised_by_the_reason)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_LOSES_ANSWER;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	net = NET_FINE;
	wait_s(16 * DAY);
	sandbox_forget_old(sandbox);
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(provider_balance(), 33000);
}

TEST(a_partial_refund_whose_key_is_forgotten_is_made_once)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_LOSES_ANSWER;
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 50000, &c), REFUND_OUTCOME_PENDING);
	assert_int_equal(provider_balance(), 60000);
	wait_s(16 * DAY);
	sandbox_forget_old(sandbox);
	payment_sweep(db); /* no answer: then it is not requested either */
	assert_int_equal(provider_balance(), 60000);
	net = NET_FINE;
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(provider_balance(), 60000);
	assert_int_equal(events("payment.cancelled"), 1);
}

TEST(requests_without_an_answer_are_repeated_after_growing_pauses)
{
	int64_t last, longest = 0;
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 0, &c);
	last = now;
	n_requests = 0;
	for (int i = 0; i < 900; i++) {
		int before = n_requests;

		wait_s(1);
		payment_sweep(db);
		assert_in_range(n_requests - before, 0, 2);
		if (n_requests != before) {
			longest = now - last > longest ? now - last : longest;
			last = now;
		}
	}
	assert_in_range(longest, 40, PAUSE_MAX_S);
	assert_in_range(n_requests, 14, 60);
	assert_string_equal(db_text(db, "SELECT last_error FROM refund /*scan*/"), "provider_down");
	net = NET_FINE;
	wait_s(PAUSE_MAX_S);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_string_equal(db_text(db, "SELECT last_error FROM refund /*scan*/"), "");
}

/* --- voiding, webhooks, the clock --------------------------------------------------------------------------------- */

TEST(voiding_an_unknown_key_refuses_a_later_charge)
{
	struct charge c;

	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(charge("MP-TEST01", save_card(7, "tok_ok"), &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "void");
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_DONE);
}

TEST(voiding_a_charge_with_an_unknown_outcome_refunds_it_if_it_was_made)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_PENDING);
	net = NET_FINE;
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
	assert_int_equal(events("payment.approved"), 1);
	assert_int_equal(events("payment.cancelled"), 1);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_DECLINED);
}

TEST(voiding_a_declined_charge_is_done_at_once)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_declined"), &c);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_DONE);
}

TEST(a_refund_of_nothing_is_refused)
{
	struct charge c;

	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 1000, &c), REFUND_OUTCOME_NO_CHARGE);
	charge("MP-TEST02", save_card(7, "tok_declined"), &c);
	assert_int_equal(refund("MP-TEST02", "MP-TEST02-cancel", 1000, &c), REFUND_OUTCOME_NO_CHARGE);
}

TEST(a_webhook_brings_the_look_up_forward_and_is_not_believed)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER;
	charge("MP-TEST01", card_id, &c);
	wait_s(7);
	payment_sweep(db);
	net = NET_FINE;
	charge_hint(db, "MP-NOBODY");
	charge_hint(db, "MP-TEST01");
	charge_hint(db, "MP-TEST01");
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_APPROVED);
	assert_int_equal(account_sum("card_clearing"), 110000);
}

TEST(a_clock_set_back_does_not_stop_the_sweep)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER;
	charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	wait_s(-7200);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_APPROVED);
}

/* --- closed manually ---------------------------------------------------------------------------------------------- */

static enum resolve_outcome
resolve(const char *key, enum stuck_resolution way)
{
	struct charge c;

	assert_true(charge_find(db, key, &c));
	return charge_resolve(db, &c, way, "the bank's clerk said so, transfer 4711", 9, clock_ms() + 600);
}

TEST(a_charge_closed_manually_is_refunded_if_it_turns_up)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_DELAYS;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	net = NET_CUT;
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_NO_PAYMENT), RESOLVE_NOT_STUCK); /* not old enough */
	wait_s(200);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_NOT_STUCK); /* not for this kind */
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_NO_PAYMENT), RESOLVE_DONE);
	expect_state("MP-TEST01", CHARGE_FAILED);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_NO_PAYMENT), RESOLVE_NOT_STUCK);
	assert_int_equal(events("payment.failed"), 1);
	assert_int_equal(events("payment.resolved"), 1);
	net = NET_FINE;
	wait_s(60);
	deliver_delayed();
	assert_int_equal(provider_balance(), 110000);
	settle_everything();
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_DECLINED);
}

TEST(the_providers_answer_takes_precedence_over_a_managers)
{
	int64_t card_id = save_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER;
	charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	wait_s(200);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_NO_PAYMENT), RESOLVE_CONTRADICTED);
	expect_state("MP-TEST01", CHARGE_APPROVED);
	assert_int_equal(events("payment.resolved"), 0);
}

TEST(a_refund_by_transfer_is_recorded_once_and_never_requested_again)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	wait_s(200);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_UNCERTAIN); /* it may have been done */
	net = NET_FINE;
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_DONE);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_NOT_STUCK);
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	settle_everything();
	assert_int_equal(provider_balance(), 110000);
	assert_int_equal(account_sum("card_clearing"), 110000);
	assert_int_equal(account_sum("bank"), -77000);
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(db_int(db, "SELECT SUM(amount) FROM ledger_line /*scan*/"), 0);
	assert_int_equal(events("payment.cancelled"), 1);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_DONE);
}

TEST(a_refund_that_the_provider_may_be_making_is_not_closed_by_transfer)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_DELAYS;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	net = NET_CUT;
	for (int i = 0; i < 130; i++) {
		wait_s(1);
		payment_sweep(db);
	}
	db_do(db, "UPDATE refund SET tried_at = $1 WHERE key = 'MP-TEST01-cancel'", now - 10);
	net = NET_FINE;
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	net = NET_CUT;
	wait_s(130);
	deliver_delayed();
	net = NET_FINE;
	wait_s(130);
	deliver_delayed();
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK),
		RESOLVE_CONTRADICTED); /* it had been done, which is recorded */
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(account_sum("bank"), 0);
	assert_int_equal(provider_balance(), 33000);
}

/* The sweep and booking retry all the time; a manager who waits a minute must get a minute without tries. */
TEST(a_refund_that_the_provider_refuses_can_be_closed_by_transfer_after_a_minute)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_WILL_NOT_CANCEL;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	for (int i = 0; i < 300; i++) {
		wait_s(1);
		payment_sweep(db);
	}
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	for (int i = 0; i < 62; i++) {
		wait_s(1);
		payment_sweep(db);
		if (i % 20 == 0)
			assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	}
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_DONE);
	assert_int_equal(account_sum("bank"), -77000);
	assert_int_equal(provider_balance(), 110000);
}

TEST(tries_suspended_for_a_transfer_are_resumed)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	wait_s(150);
	payment_sweep(db);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	net = NET_FINE;
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(provider_balance(), 33000);
}

static void
ask_for_the_refund_again(void)
{
	struct charge c;

	net = NET_DELAYS;
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	net = NET_FINE;
}

/* Booking requests the same refund while a manager reports a transfer: only one of the two may succeed. */
TEST(a_refund_requested_meanwhile_is_not_closed_by_transfer)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	wait_s(200);
	net = NET_DELAYS; /* booking's sweep requests it, and the provider is slow */
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	net = NET_FINE;
	wait_s(1);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	wait_s(1);
	during_look_up = ask_for_the_refund_again; /* … or it requests it during the look-up at the provider */
	wait_s(180);
	n_delayed = 0;
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	assert_int_equal(account_sum("bank"), 0);
	wait_s(250);
	deliver_delayed();
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(provider_balance(), 33000);
}

TEST(a_retried_refund_is_done_at_once)
{
	struct charge c;

	charge("MP-TEST01", save_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 0, &c);
	net = NET_FINE;
	charge_find(db, "MP-TEST01", &c);
	charge_retry(db, &c, 9, clock_ms() + 600);
	assert_int_equal(c.state, CHARGE_CANCELLED);
	charge_retry(db, &c, 9, clock_ms() + 600);
	assert_int_equal(events("payment.cancelled"), 1);
	assert_int_equal(events("payment.retried"), 1);
}

TEST_MAIN("payment_refund", NULL, NULL, begin, end)
