/*
 * test_payment_tries - several charges for one subject: one of them is approved at most, an earlier one that turns out
 * approved is refunded whenever that comes; a killed worker's charge is taken over; a card that paid is saved.
 */
#include "test.h"

#include "payment_world.h"

#include "lib/base/proc.h"

#include <unistd.h>

#define CODE "MP-TEST01"

static enum charge_outcome
pay_try(int64_t try_no, int64_t card_id, struct charge *c)
{
	struct charge_order o =
		charge_of(try_no == 1 ? CODE : arena_printf(m, CODE "-%lld", (long long)try_no), card_id);

	o.subject_id = CODE;
	o.try_no = try_no;
	return charge_make(db, &o, c);
}

/* All money but one charge is back, in our books and at the provider. */
static void
expect_one_charge(void)
{
	assert_int_equal(provider_balance(), 110000);
	assert_int_equal(account_sum("card_clearing"), 110000);
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(account_sum("rental_income"), -100000);
}

TEST(declined_declined_approved_is_one_charge)
{
	int64_t bad = save_card(7, "tok_declined"), good = save_card(7, "tok_ok");
	struct charge c;

	assert_int_equal(pay_try(1, bad, &c), CHARGE_OUTCOME_DECLINED);
	assert_int_equal(pay_try(2, bad, &c), CHARGE_OUTCOME_DECLINED);
	assert_int_equal(pay_try(3, good, &c), CHARGE_OUTCOME_APPROVED);
	expect_state(CODE, CHARGE_FAILED);
	expect_state(CODE "-3", CHARGE_APPROVED);
	settle_everything();
	expect_one_charge();
	assert_int_equal(events("payment.failed"), 2);
}

TEST(an_unanswered_try_is_refunded_when_the_sweep_finds_it_approved)
{
	int64_t good = save_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER; /* the charge and the look-up after it */
	assert_int_equal(pay_try(1, good, &c), CHARGE_OUTCOME_UNKNOWN);
	net = NET_FINE;
	assert_int_equal(pay_try(2, good, &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(provider_balance(), 220000);
	settle_everything();
	expect_state(CODE, CHARGE_CANCELLED);
	expect_state(CODE "-2", CHARGE_APPROVED);
	expect_one_charge();
}

TEST(a_try_that_arrives_at_the_provider_after_the_next_one_is_refunded)
{
	int64_t good = save_card(7, "tok_ok");
	struct charge c;

	net = NET_DELAYS;
	assert_int_equal(pay_try(1, good, &c), CHARGE_OUTCOME_UNKNOWN);
	net = NET_FINE;
	assert_int_equal(pay_try(2, good, &c), CHARGE_OUTCOME_APPROVED);
	settle_everything();
	assert_true(delayed[0].gone);
	expect_one_charge();
}

TEST(a_late_approval_of_a_declined_try_is_refunded_when_the_webhook_names_it)
{
	int64_t bad = save_card(7, "tok_declined"), good = save_card(7, "tok_ok");
	struct charge c;

	assert_int_equal(pay_try(1, bad, &c), CHARGE_OUTCOME_DECLINED);
	assert_int_equal(pay_try(2, good, &c), CHARGE_OUTCOME_APPROVED);
	db_do(sandbox, "UPDATE payment SET status = 'DONE', failure = '', approved_at = $2 WHERE order_id = $1", CODE,
		now);
	assert_int_equal(provider_balance(), 220000);
	wait_s(60);
	charge_hint(db, CODE);
	settle_everything();
	expect_one_charge();
}

/* The process that asked for the first one was stopped until now. */
static void
open_next_try(void)
{
	struct charge c;

	assert_int_equal(pay_try(2, 1, &c), CHARGE_OUTCOME_APPROVED);
}

TEST(an_answer_to_the_first_try_that_comes_after_the_second_is_refunded_at_once)
{
	struct charge c;

	save_card(7, "tok_ok");
	net = NET_LOSES_ANSWER;
	assert_int_equal(pay_try(1, 1, &c), CHARGE_OUTCOME_UNKNOWN);
	net = NET_FINE;
	during_look_up = open_next_try;
	assert_int_equal(pay_try(1, 1, &c), CHARGE_OUTCOME_DECLINED); /* refunded: it must not be relied on */
	expect_state(CODE, CHARGE_CANCELLED);
	expect_one_charge();
	assert_int_equal(events("payment.cancelled"), 1);
}

TEST(a_request_for_a_try_that_comes_after_the_next_one_is_refused)
{
	int64_t good = save_card(7, "tok_ok");
	struct charge c;

	assert_int_equal(pay_try(2, good, &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(pay_try(1, good, &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "void");
	expect_one_charge();
}

TEST(an_approved_try_is_refunded_when_the_next_one_is_opened)
{
	int64_t good = save_card(7, "tok_ok");
	struct charge c;

	assert_int_equal(pay_try(1, good, &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(pay_try(2, good, &c), CHARGE_OUTCOME_APPROVED);
	settle_everything();
	expect_state(CODE, CHARGE_CANCELLED);
	expect_one_charge();
}

TEST(the_schema_refuses_a_second_approved_charge_of_a_subject)
{
	int64_t good = save_card(7, "tok_ok");
	struct charge c;

	assert_int_equal(pay_try(1, good, &c), CHARGE_OUTCOME_APPROVED);
	assert_false(db_try(db,
		"INSERT INTO charge (key, subject_id, user_id, amount, currency, state, requested_at)"
		" VALUES ('MP-X', $1, 7, 5, 'KRW', 'APPROVED', 0)",
		CODE));
	assert_false(db_try(db, "UPDATE charge SET try_no = 2 WHERE key = $1", CODE));
}

TEST(a_void_of_a_try_that_was_never_asked_for_closes_its_key)
{
	struct refund_order o = {
		.key = CODE "-2", .subject_id = CODE, .refund_key = CODE "-2-void", .reason = "", .deadline_ms = 610
	};
	struct charge c;

	assert_int_equal(refund_make(db, &o, &c), REFUND_OUTCOME_DONE);
	assert_true(charge_find(db, CODE "-2", &c));
	assert_string_equal(c.subject_id, CODE);
	assert_int_equal(pay_try(2, save_card(7, "tok_ok"), &c), CHARGE_OUTCOME_DECLINED);
	assert_int_equal(provider_balance(), 0);
}

/* --- a killed worker ---------------------------------------------------------------------------------------------- */

/* A process that has ended: another one has its pid. */
static const char *
ended_stamp(void)
{
	const char *own = proc_stamp(m), *cut = strrchr(own, ' ');

	return arena_printf(m, "%.*s 1", (int)(cut - own), own);
}

static void
kill_worker(int how)
{
	struct charge c;

	net = how;
	if (setjmp(death) == 0) {
		pay_try(1, 1, &c);
		fail();
	}
	net = NET_FINE;
	db_fresh(db);
	db_do(db, "UPDATE charge SET asked_by = $1 /*scan*/", ended_stamp());
}

TEST(a_charge_of_a_worker_that_was_killed_before_it_asked_is_made_by_the_next_request)
{
	struct charge c;

	save_card(7, "tok_ok");
	kill_worker(NET_DIES_BEFORE);
	expect_state(CODE, CHARGE_REQUESTED);
	assert_int_equal(pay_try(1, 1, &c), CHARGE_OUTCOME_APPROVED);
	settle_everything();
	expect_one_charge();
	assert_int_equal(events("payment.approved"), 1);
}

TEST(a_charge_of_a_worker_that_was_killed_after_it_asked_is_not_made_twice)
{
	struct charge c;

	save_card(7, "tok_ok");
	kill_worker(NET_DIES_AFTER);
	assert_int_equal(provider_balance(), 110000);
	assert_int_equal(pay_try(1, 1, &c), CHARGE_OUTCOME_APPROVED);
	settle_everything();
	expect_one_charge();
}

TEST(a_charge_that_is_to_be_voided_is_not_taken_over)
{
	struct charge c;

	save_card(7, "tok_ok");
	kill_worker(NET_DIES_BEFORE);
	refund(CODE, CODE "-void", 0, &c);
	assert_int_equal(pay_try(1, 1, &c), CHARGE_OUTCOME_UNKNOWN);
	settle_everything();
	assert_int_equal(provider_balance(), 0);
	expect_state(CODE, CHARGE_FAILED);
}

TEST(a_charge_that_another_process_asks_for_is_waited_for)
{
	struct charge c;
	int64_t began_ms;

	save_card(7, "tok_ok");
	kill_worker(NET_DIES_BEFORE);
	db_do(db, "UPDATE charge SET asked_by = $1 /*scan*/", arena_printf(m, "elsewhere 1 %d %d", (int)getpid(), 1));
	n_requests = 0;
	began_ms = clock_ms();
	assert_int_equal(pay_try(1, 1, &c), CHARGE_OUTCOME_UNKNOWN); /* looked up when its time was nearly over */
	assert_int_equal(n_requests, 1);
	assert_true(clock_ms() - began_ms >= 400);
	expect_state(CODE, CHARGE_REQUESTED);
}

/* --- saving the card that paid ------------------------------------------------------------------------------------ */

/* As the provider's page prepares it: the card is the sandbox's first or second, which pays or is declined. */
static enum charge_outcome
pay_on_page(const char *card, struct charge *c)
{
	struct charge_order o = charge_of(CODE, 0);
	struct sandbox_payment p = {
		.order_id = CODE,
		.order_name = "Ray",
		.customer_key = payer_make(db, 7),
		.card = test_card_by_token(card),
		.amount = o.amount,
		.currency = "KRW",
	};

	o.payment_key = sandbox_prepare(sandbox, &p);
	o.card_token = sandbox_authorize(sandbox, p.customer_key, p.card);
	return charge_make(db, &o, c);
}

static int
n_cards(void)
{
	struct card *cards;
	int n;

	return card_list(db, 7, &cards, &n);
}

TEST(a_card_that_paid_is_saved_once_and_pays_again)
{
	struct card *cards;
	struct charge c;
	int n;

	assert_int_equal(pay_on_page("tok_ok", &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(n_cards(), 0);
	payment_sweep(db);
	payment_sweep(db);
	card_list(db, 7, &cards, &n);
	assert_int_equal(n, 1);
	assert_string_equal(cards[0].last4, "4242");
	assert_int_equal(charge("MP-TEST02", cards[0].card_id, &c), CHARGE_OUTCOME_APPROVED);
	assert_string_equal(db_text(db, "SELECT card_token FROM charge WHERE key = $1", CODE), "");
}

TEST(a_declined_card_is_never_saved)
{
	struct charge c;

	assert_int_equal(pay_on_page("tok_declined", &c), CHARGE_OUTCOME_DECLINED);
	settle_everything();
	assert_int_equal(n_cards(), 0);
}

TEST(a_card_is_saved_when_the_provider_answers_again_and_given_up_when_its_key_is_too_old)
{
	struct charge c;

	assert_int_equal(pay_on_page("tok_ok", &c), CHARGE_OUTCOME_APPROVED);
	net = NET_CUT;
	payment_sweep(db);
	assert_int_equal(n_cards(), 0);
	net = NET_FINE;
	payment_sweep(db);
	assert_int_equal(n_cards(), 1);
	db_do(db, "UPDATE charge SET card_token = 'old' WHERE key = $1", CODE);
	net = NET_CUT;
	wait_s(3600);
	payment_sweep(db);
	assert_string_equal(db_text(db, "SELECT card_token FROM charge WHERE key = $1", CODE), "");
	net = NET_FINE;
}

TEST(a_card_whose_payment_is_voided_is_not_saved)
{
	struct charge c;

	net = NET_LOSES_ANSWER;
	assert_int_equal(pay_on_page("tok_ok", &c), CHARGE_OUTCOME_UNKNOWN);
	net = NET_FINE;
	refund(CODE, CODE "-void", 0, &c);
	settle_everything();
	assert_int_equal(provider_balance(), 0);
	assert_int_equal(n_cards(), 0);
}

TEST_MAIN("payment_tries", NULL, NULL, begin, end)
