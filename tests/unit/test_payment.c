/*
 * test_payment - money is taken once, given back once, and nothing is lost: charges, refunds, the sweep and the ledger against
 * the sandbox in process, without a network. The last test breaks everything at random for a while and then counts the money.
 *
 *	test_payment [SEED]
 */
#include "test.h"

#include "scratch.h"

#include "cgi-bin/payment/payment_steps.h"
#include "cgi-bin/sandbox/direct.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/settings.h"
#include "lib/db/db_inside.h"
#include "lib/base/secret.h"

#define NOW 1800000000

static struct db *db, *sandbox;
static struct arena *m;
static int64_t now;
static uint64_t seed = 20260521;

/* --- a world of its own for each test ------------------------------------------------------------------------------- */

/* What the network does to a request: nothing, or what a test wants. */
static enum { NET_FINE, NET_CUT, NET_LOSES_ANSWER, NET_DIES_BEFORE, NET_DIES_AFTER, NET_DELAYS, NET_WILL_NOT_CANCEL } net;
static void (*meanwhile)(void);         /* what happens, once, while the provider is looked at */
static int n_asked;
static jmp_buf death;

static struct late { int64_t at; char path[300], body[1000], key[300]; bool gone; } late[2000];
static int n_late;

static void
keep_for_later(const struct provider_request *q)
{
	struct late *l = &late[n_late++];

	assert_true(n_late < 2000);
	*l = (struct late){ .at = now + 1 + (int64_t)sandbox_random(250) };
	snprintf(l->path, sizeof(l->path), "%s", q->path);
	snprintf(l->body, sizeof(l->body), "%s", q->body);
	snprintf(l->key, sizeof(l->key), "%s", q->idempotency_key);
}

/* Whatever leads to a question to the outside, a row or an event of another program, is on disk before it is asked: in all tests here. */
static int n_unsynced;

static bool
note_unsynced(void *arg)
{
	(void)arg;
	n_unsynced++;
	return true;
}

static enum call_outcome
through_the_net(struct arena *am, struct provider_request *q)
{
	enum call_outcome outcome;

	n_asked++;
	lock_synced(db->lock, lock_latest(db->lock), note_unsynced, NULL);
	assert_int_equal(n_unsynced, 0);
	if (net == NET_CUT)
		return CALL_NOT_SENT;
	if (net == NET_DIES_BEFORE)
		longjmp(death, 1);
	if (net == NET_DELAYS && q->body) {
		keep_for_later(q);
		return CALL_UNKNOWN;
	}
	if (net == NET_WILL_NOT_CANCEL && q->body) {
		q->status = 403;
		q->answer = "{\"code\":\"NOT_CANCELABLE_PAYMENT\",\"message\":\"\"}";
		return CALL_ANSWERED;
	}
	if (meanwhile && !q->body) {
		void (*happens)(void) = meanwhile;

		meanwhile = NULL;
		happens();
	}
	outcome = sandbox_direct(am, q);
	if (net == NET_DIES_AFTER)
		longjmp(death, 1);
	return net == NET_LOSES_ANSWER ? CALL_UNKNOWN : outcome;
}

static void
deliver_late(void)
{
	for (int i = 0; i < n_late; i++)
		if (!late[i].gone && late[i].at <= now) {
			struct provider_request q = {
				.path = late[i].path, .body = late[i].body, .idempotency_key = late[i].key, .until_ms = clock_ms() + 100000,
			};

			sandbox_direct(m, &q);
			late[i].gone = true;
		}
}

static void
pass(int64_t seconds)
{
	now += seconds;
	clock_set(now);
}

TEST_SETUP(begin)
{
	const char *why = "";

	if (scratch_begin(state) != 0)
		return -1;
	rental_settings_open(".", scratch, &why);
	secret_open(scratch);
	if (!db_create(scratch, "db/schema.sql", NULL, &why) || !db_create_own(scratch, "sandbox", "db/sandbox.sql", &why)) {
		print_error("%s\n", why);
		return -1;
	}
	m = arena_new(512 << 20);
	db = db_open(scratch, &payment_role, m, &why);
	sandbox = db_open(scratch, &sandbox_role, m, &why);
	if (!db || !sandbox)
		return -1;
	sandbox_direct_open(sandbox);
	toss_ask = through_the_net;
	net = NET_FINE;
	n_asked = n_late = 0;
	now = NOW;
	clock_set(now);
	sandbox_seed(seed);
	return 0;
}

TEST_SETUP(end)
{
	db_close(db);
	db_close(sandbox);
	clock_set(0);
	return scratch_end(state);
}

static int64_t
a_card(int64_t user_id, const char *token)
{
	struct card card;

	assert_int_equal(card_save(db, user_id, token, token, &card), CARD_SAVED);
	return card.card_id;
}

static struct charge_order
an_order(const char *key, int64_t card_id)
{
	return (struct charge_order){
		.key = key, .subject_id = key, .customer_id = 7, .card_id = card_id, .amount = 110000, .vat_amount = 10000,
		.currency = "KRW", .deadline_ms = 610,
	};
}

static enum charge_outcome
charge(const char *key, int64_t card_id, struct charge *c)
{
	struct charge_order o = an_order(key, card_id);

	return charge_make(db, &o, c);
}

static enum refund_outcome
refund(const char *key, const char *refund_key, int64_t amount, struct charge *c)
{
	struct refund_order o = { .key = key, .refund_key = refund_key, .amount = amount, .reason = "customer", .deadline_ms = 610 };

	return refund_make(db, &o, c);
}

static int64_t
account_sum(const char *name)
{
	return db_int(db, "SELECT COALESCE(SUM(amount), 0) FROM ledger_line WHERE account = $1 /*scan*/", name);
}

static int64_t
events(const char *type)
{
	return db_int(db, "SELECT COUNT(*) FROM event WHERE type = $1 /*scan*/", type);
}

static int64_t
held_by_provider(void)
{
	return db_int(sandbox, "SELECT COALESCE(SUM(balance), 0) FROM payment WHERE approved_at > 0 /*scan*/");
}

static void
expect_state(const char *key, enum charge_state state)
{
	struct charge c;

	assert_true(charge_find(db, key, &c));
	assert_string_equal(words_code(&charge_state_words, c.state), words_code(&charge_state_words, (int)state));
}

static void
settle_everything(void)
{
	for (int i = 0; i < 40; i++) {
		pass(120);
		deliver_late();
		while (payment_sweep(db))
			;
		assert_false(db_failed(db));
	}
}

/* --- taking money ------------------------------------------------------------------------------------------------- */

TEST(a_good_card_pays_and_the_books_say_so)
{
	struct charge c;

	assert_int_equal(charge("MP-TEST01", a_card(7, "tok_ok"), &c), CHARGE_OUTCOME_APPROVED);
	expect_state("MP-TEST01", CHARGE_APPROVED);
	assert_int_equal(account_sum("card_clearing"), 110000);
	assert_int_equal(account_sum("rental_income"), -100000);
	assert_int_equal(account_sum("vat_payable"), -10000);
	assert_int_equal(held_by_provider(), 110000);
	assert_int_equal(events("payment.approved"), 1);
	assert_string_equal(c.brand, "Visa");
	assert_string_equal(c.last4, "4242");
}

TEST(a_declined_card_takes_nothing_and_says_why)
{
	struct charge c;

	assert_int_equal(charge("MP-TEST01", a_card(7, "tok_declined"), &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "declined");
	assert_int_equal(held_by_provider(), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
	assert_int_equal(events("payment.failed"), 1);
}

TEST(the_same_key_again_answers_the_same_and_takes_nothing_more)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge first, again;

	charge("MP-TEST01", card_id, &first);
	n_asked = 0;
	assert_int_equal(charge("MP-TEST01", card_id, &again), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(again.charge_id, first.charge_id);
	assert_int_equal(n_asked, 0);
	assert_int_equal(held_by_provider(), 110000);
}

TEST(the_same_key_with_another_amount_is_refused)
{
	struct charge_order o = an_order("MP-TEST01", a_card(7, "tok_ok"));
	struct charge c;

	charge_make(db, &o, &c);
	o.amount = 120000;
	assert_int_equal(charge_make(db, &o, &c), CHARGE_OUTCOME_KEY_REUSED);
	assert_int_equal(held_by_provider(), 110000);
}

TEST(a_card_of_somebody_else_is_declined_as_removed)
{
	struct charge c;

	assert_int_equal(charge("MP-TEST01", a_card(8, "tok_ok"), &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "card_removed");
	assert_int_equal(held_by_provider(), 0);
}

TEST(a_removed_card_is_declined)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	assert_true(card_remove(db, 7, card_id));
	assert_false(card_remove(db, 7, card_id));
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "card_removed");
}

TEST(a_lost_answer_is_looked_up_and_ends_approved_once)
{
	struct charge c;

	assert_int_equal(charge("MP-TEST01", a_card(7, "tok_lost"), &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(held_by_provider(), 110000);
	assert_int_equal(account_sum("card_clearing"), 110000);
}

TEST(a_late_answer_is_unknown_until_the_sweep_finds_out)
{
	int64_t card_id;
	struct charge c;

	assert_int_equal(charge("MP-TEST01", a_card(7, "tok_slow"), &c), CHARGE_OUTCOME_APPROVED);     /* in process the look finds it */
	card_id = a_card(7, "tok_ok");
	net = NET_DELAYS;
	assert_int_equal(charge("MP-TEST02", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	expect_state("MP-TEST02", CHARGE_UNKNOWN);
	net = NET_FINE;
	late[0].at = now;
	deliver_late();
	pass(10);
	payment_sweep(db);
	expect_state("MP-TEST02", CHARGE_APPROVED);
	assert_int_equal(held_by_provider(), 220000);
	assert_int_equal(account_sum("card_clearing"), 220000);
}

/* As when the disk is full: SQLite finds out at COMMIT. */
static void
let_commits_of_charges_fail(void)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	struct db *other = scratch_open(&all);

	assert_true(db_script(other, "CREATE TRIGGER charge_is_lost AFTER INSERT ON charge BEGIN"
	                             " INSERT INTO ledger_line (posting_id, account, amount) VALUES (999, 'card_clearing', 1); END;"));
	db_close(other);
}

TEST(a_charge_whose_row_could_not_be_kept_is_never_asked_for)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	let_commits_of_charges_fail();
	n_asked = 0;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	assert_true(db_failed(db));     /* so the caller hears 500, and nothing is known of the key */
	assert_int_equal(n_asked, 0);
	assert_int_equal(held_by_provider(), 0);
	db_fresh(db);
	assert_false(charge_find(db, "MP-TEST01", &c));
}

TEST(a_provider_that_is_not_reached_took_nothing)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_CUT;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_LATER);
	expect_state("MP-TEST01", CHARGE_FAILED);
	net = NET_FINE;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_LATER);
	assert_int_equal(held_by_provider(), 0);
}

TEST(a_provider_that_is_switched_off_is_unknown_and_ends_as_never_arrived)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	fault_set(sandbox, "down", 1);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	fault_set(sandbox, "down", 0);
	pass(10);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_UNKNOWN);          /* too young to be sure */
	settle_everything();
	expect_state("MP-TEST01", CHARGE_FAILED);
	assert_int_equal(events("payment.failed"), 1);
}

TEST(a_clock_that_is_set_back_an_hour_does_not_keep_a_charge_unknown)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	fault_set(sandbox, "down", 1);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	fault_set(sandbox, "down", 0);
	pass(-HOUR);
	for (int i = 0; i < 150; i++) {
		pass(1);
		payment_sweep(db);
	}
	expect_state("MP-TEST01", CHARGE_FAILED);
}

TEST(a_worker_that_dies_before_asking_leaves_a_row_that_ends_as_failed)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_DIES_BEFORE;
	if (setjmp(death) == 0)
		charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	db_fresh(db);
	expect_state("MP-TEST01", CHARGE_REQUESTED);
	settle_everything();
	expect_state("MP-TEST01", CHARGE_FAILED);
	assert_int_equal(held_by_provider(), 0);
}

TEST(a_worker_that_dies_after_the_money_was_taken_leaves_a_row_that_ends_approved)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_DIES_AFTER;
	if (setjmp(death) == 0)
		charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	db_fresh(db);
	pass(3);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_REQUESTED);        /* its own process may still be at it */
	pass(10);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_APPROVED);
	assert_int_equal(held_by_provider(), account_sum("card_clearing"));
}

TEST(the_caller_repeating_itself_after_a_crash_learns_what_became_of_it)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_DIES_AFTER;
	if (setjmp(death) == 0)
		charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	db_fresh(db);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(held_by_provider(), 110000);
}

TEST(a_charge_that_arrives_after_it_was_given_up_goes_back)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_DELAYS;
	charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	late[0].at = now + 250;
	pass(100);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_FAILED);
	pass(160);
	deliver_late();
	assert_int_equal(held_by_provider(), 110000);
	settle_everything();
	assert_int_equal(held_by_provider(), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
}

TEST(orders_nobody_could_charge_are_refused)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge_order o = an_order("MP-TEST01", card_id), bad;
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
		.order_id = "MP-TEST01", .order_name = "Car", .customer_key = "c-1", .card = 0, .amount = 110000, .currency = "KRW",
	};
	struct charge_order o = an_order("MP-TEST01", 0);
	struct charge c;

	o.payment_key = sandbox_prepare(sandbox, &p);
	assert_int_equal(held_by_provider(), 0);
	assert_int_equal(charge_make(db, &o, &c), CHARGE_OUTCOME_APPROVED);
	assert_string_equal(c.last4, "4242");
	assert_int_equal(charge_make(db, &o, &c), CHARGE_OUTCOME_APPROVED);
	assert_int_equal(held_by_provider(), 110000);
}

TEST(a_payment_prepared_for_less_is_not_taken_for_the_whole)
{
	struct sandbox_payment p = {
		.order_id = "MP-TEST01", .order_name = "Car", .customer_key = "c-1", .card = 0, .amount = 100, .currency = "KRW",
	};
	struct charge_order o = an_order("MP-TEST01", 0);
	struct charge c;

	o.payment_key = sandbox_prepare(sandbox, &p);
	assert_int_equal(charge_make(db, &o, &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "wrong_amount");
	assert_int_equal(held_by_provider(), 0);
}

/* --- giving it back ----------------------------------------------------------------------------------------------- */

TEST(a_refund_gives_back_the_part_and_its_share_of_vat)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(c.refunded_amount, 77000);
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(account_sum("card_clearing"), 33000);
	assert_int_equal(account_sum("vat_payable"), -3000);
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(held_by_provider(), 33000);
	assert_int_equal(events("payment.cancelled"), 1);
}

TEST(the_same_refund_again_gives_nothing_more)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 50000, &c), REFUND_OUTCOME_KEY_REUSED);
	assert_int_equal(held_by_provider(), 33000);
}

TEST(more_than_the_charge_is_never_given_back)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	refund("MP-TEST01", "MP-TEST01-a", 77000, &c);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-b", 33001, &c), REFUND_OUTCOME_TOO_MUCH);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-c", 33000, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(held_by_provider(), 0);
	assert_int_equal(account_sum("vat_payable"), 0);
	assert_int_equal(account_sum("rental_income"), 0);
}

TEST(odd_parts_of_vat_add_up_to_the_whole)
{
	struct charge_order o = an_order("MP-TEST01", a_card(7, "tok_ok"));
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

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_LOSES_ANSWER;
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	expect_state("MP-TEST01", CHARGE_CANCEL_REQUESTED);
	assert_int_equal(account_sum("refunds_payable"), -77000);
	net = NET_FINE;
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(held_by_provider(), 33000);
	assert_int_equal(events("payment.cancelled"), 1);
}

TEST(a_refund_forgotten_by_the_provider_after_15_days_is_recognised_by_its_reason)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_LOSES_ANSWER;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	net = NET_FINE;
	pass(16 * DAY);
	sandbox_forget_old(sandbox);
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(held_by_provider(), 33000);
}

TEST(a_part_asked_for_again_after_the_provider_forgot_its_key_is_given_back_once)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_LOSES_ANSWER;
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 50000, &c), REFUND_OUTCOME_PENDING);
	assert_int_equal(held_by_provider(), 60000);
	pass(16 * DAY);
	sandbox_forget_old(sandbox);
	payment_sweep(db);                      /* nobody answers: then it is not asked for, either */
	assert_int_equal(held_by_provider(), 60000);
	net = NET_FINE;
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(held_by_provider(), 60000);
	assert_int_equal(events("payment.cancelled"), 1);
}

TEST(what_the_provider_does_not_answer_is_asked_again_after_growing_pauses)
{
	int64_t last, longest = 0;
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 0, &c);
	last = now;
	n_asked = 0;
	for (int i = 0; i < 900; i++) {
		int before = n_asked;

		pass(1);
		payment_sweep(db);
		assert_in_range(n_asked - before, 0, 2);
		if (n_asked != before) {
			longest = now - last > longest ? now - last : longest;
			last = now;
		}
	}
	assert_in_range(longest, 40, PAUSE_MAX_S);
	assert_in_range(n_asked, 14, 60);
	assert_string_equal(db_text(db, "SELECT last_error FROM refund /*scan*/"), "provider_down");
	net = NET_FINE;
	pass(PAUSE_MAX_S);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_string_equal(db_text(db, "SELECT last_error FROM refund /*scan*/"), "");
}

/* --- ended by hand ------------------------------------------------------------------------------------------------ */

static enum resolve_outcome
resolve(const char *key, enum stuck_resolution way)
{
	struct charge c;

	assert_true(charge_find(db, key, &c));
	return charge_resolve(db, &c, way, "the bank's clerk said so, transfer 4711", 9, clock_ms() + 600);
}

TEST(a_charge_closed_by_hand_goes_back_should_it_turn_up)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_DELAYS;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	net = NET_CUT;
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_NO_PAYMENT), RESOLVE_NOT_STUCK);          /* not old enough */
	pass(200);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_NOT_STUCK);             /* not a way for this */
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_NO_PAYMENT), RESOLVE_DONE);
	expect_state("MP-TEST01", CHARGE_FAILED);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_NO_PAYMENT), RESOLVE_NOT_STUCK);
	assert_int_equal(events("payment.failed"), 1);
	assert_int_equal(events("payment.resolved"), 1);
	net = NET_FINE;
	pass(60);
	deliver_late();
	assert_int_equal(held_by_provider(), 110000);
	settle_everything();
	assert_int_equal(held_by_provider(), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_DECLINED);
}

TEST(what_the_provider_says_goes_before_what_anybody_says)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER;
	charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	pass(200);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_NO_PAYMENT), RESOLVE_CONTRADICTED);
	expect_state("MP-TEST01", CHARGE_APPROVED);
	assert_int_equal(events("payment.resolved"), 0);
}

TEST(a_refund_paid_by_transfer_is_written_down_once_and_never_asked_for_again)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	pass(200);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_UNCERTAIN);        /* it may have been done */
	net = NET_FINE;
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_DONE);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_NOT_STUCK);
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	settle_everything();
	assert_int_equal(held_by_provider(), 110000);
	assert_int_equal(account_sum("card_clearing"), 110000);
	assert_int_equal(account_sum("bank"), -77000);
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(db_int(db, "SELECT SUM(amount) FROM ledger_line /*scan*/"), 0);
	assert_int_equal(events("payment.cancelled"), 1);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_DONE);
}

TEST(a_refund_that_may_be_on_its_way_is_not_paid_by_transfer)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_DELAYS;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	net = NET_CUT;
	for (int i = 0; i < 130; i++) {
		pass(1);
		payment_sweep(db);
	}
	db_do(db, "UPDATE refund SET tried_at = $1 WHERE key = 'MP-TEST01-cancel'", now - 10);
	net = NET_FINE;
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	net = NET_CUT;
	pass(130);
	deliver_late();
	net = NET_FINE;
	pass(130);
	deliver_late();
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_CONTRADICTED);              /* it had been done: that is what stands */
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(account_sum("bank"), 0);
	assert_int_equal(held_by_provider(), 33000);
}

/* It is asked for again all the time, by the sweep and by booking; so somebody who waits a minute must find a minute of quiet. */
TEST(a_refund_the_provider_goes_on_refusing_can_be_paid_by_transfer_after_a_minute)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_WILL_NOT_CANCEL;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	for (int i = 0; i < 300; i++) {
		pass(1);
		payment_sweep(db);
	}
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	for (int i = 0; i < 62; i++) {
		pass(1);
		payment_sweep(db);
		if (i % 20 == 0)
			assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	}
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_DONE);
	assert_int_equal(account_sum("bank"), -77000);
	assert_int_equal(held_by_provider(), 110000);
}

TEST(a_refund_somebody_may_pay_by_transfer_goes_on_by_itself_when_nobody_does)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	pass(150);
	payment_sweep(db);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	net = NET_FINE;
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(held_by_provider(), 33000);
}

static void
ask_for_the_refund_again(void)
{
	struct charge c;

	net = NET_DELAYS;
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	net = NET_FINE;
}

/* Booking asks for the same refund while a manager says that he has paid it: only one of the two may be true. */
TEST(a_refund_asked_for_meanwhile_is_not_paid_by_transfer_too)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
	net = NET_CUT;
	refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c);
	pass(200);
	net = NET_DELAYS;                       /* booking's sweep asks, and the provider takes its time */
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 77000, &c), REFUND_OUTCOME_PENDING);
	net = NET_FINE;
	pass(1);
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	pass(1);
	meanwhile = ask_for_the_refund_again;   /* … or it asks while the provider is being asked what it has done */
	pass(180);
	n_late = 0;
	assert_int_equal(resolve("MP-TEST01", RESOLUTION_BY_BANK), RESOLVE_TOO_SOON);
	assert_int_equal(account_sum("bank"), 0);
	pass(250);
	deliver_late();
	settle_everything();
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(held_by_provider(), 33000);
}

TEST(a_refund_tried_at_once_is_done_at_once)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_ok"), &c);
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

TEST(voiding_a_key_never_seen_refuses_the_charge_that_comes_late)
{
	struct charge c;

	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(charge("MP-TEST01", a_card(7, "tok_ok"), &c), CHARGE_OUTCOME_DECLINED);
	assert_string_equal(charge_reason(db, &c), "void");
	assert_int_equal(held_by_provider(), 0);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_DONE);
}

TEST(voiding_an_unknown_charge_gives_the_money_back_when_it_turns_out_taken)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER;
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_UNKNOWN);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_PENDING);
	net = NET_FINE;
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_CANCELLED);
	assert_int_equal(held_by_provider(), 0);
	assert_int_equal(account_sum("card_clearing"), 0);
	assert_int_equal(events("payment.approved"), 1);
	assert_int_equal(events("payment.cancelled"), 1);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_DONE);
	assert_int_equal(charge("MP-TEST01", card_id, &c), CHARGE_OUTCOME_DECLINED);
}

TEST(voiding_a_declined_charge_is_done_at_once)
{
	struct charge c;

	charge("MP-TEST01", a_card(7, "tok_declined"), &c);
	assert_int_equal(refund("MP-TEST01", "MP-TEST01-void", 0, &c), REFUND_OUTCOME_DONE);
}

TEST(a_refund_of_nothing_is_refused)
{
	struct charge c;

	assert_int_equal(refund("MP-TEST01", "MP-TEST01-cancel", 1000, &c), REFUND_OUTCOME_NO_CHARGE);
	charge("MP-TEST02", a_card(7, "tok_declined"), &c);
	assert_int_equal(refund("MP-TEST02", "MP-TEST02-cancel", 1000, &c), REFUND_OUTCOME_NO_CHARGE);
}

TEST(a_webhook_brings_the_look_forward_and_is_not_believed)
{
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER;
	charge("MP-TEST01", card_id, &c);
	pass(7);
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
	int64_t card_id = a_card(7, "tok_ok");
	struct charge c;

	net = NET_LOSES_ANSWER;
	charge("MP-TEST01", card_id, &c);
	net = NET_FINE;
	pass(-7200);
	payment_sweep(db);
	expect_state("MP-TEST01", CHARGE_APPROVED);
}

/* --- everything at random ----------------------------------------------------------------------------------------- */

#define N_KEYS 300
#define N_STEPS 4000

static int64_t cards[4];
static bool was_voided[N_KEYS];         /* payment has promised that nothing is kept for it */

static void
break_something(void)
{
	static const int weights[] = { NET_FINE, NET_FINE, NET_FINE, NET_FINE, NET_FINE, NET_FINE, NET_CUT, NET_LOSES_ANSWER,
	                               NET_DIES_BEFORE, NET_DIES_AFTER, NET_DELAYS };

	net = weights[sandbox_random(11)];
	if (sandbox_random(20) == 0)
		fault_set(sandbox, "lost_answers", sandbox_random(2) ? 50 : 0);
	if (sandbox_random(40) == 0)
		fault_set(sandbox, "down", sandbox_random(3) == 0);
	if (sandbox_random(30) == 0)
		fault_set(sandbox, "slow_ms", sandbox_random(2) ? 800 : 0);
}

static void
do_something(void)
{
	unsigned i = sandbox_random(N_KEYS);
	const char *key = arena_printf(m, "MP-R%05u", i);
	struct charge c;

	switch (sandbox_random(10)) {
	case 0: case 1: case 2: case 3:
		charge(key, cards[sandbox_random(10) < 6 ? 0 : sandbox_random(4)], &c);
		break;
	case 4:
		refund(key, arena_printf(m, "%s-void", key), 0, &c);
		was_voided[i] = true;
		break;
	case 5:
		refund(key, arena_printf(m, "%s-cancel", key), 1 + (int64_t)sandbox_random(110000), &c);
		break;
	case 6:
		refund(key, arena_printf(m, "%s-%u", key, sandbox_random(3)), 1 + (int64_t)sandbox_random(60000), &c);
		break;
	case 7:
		charge_hint(db, key);
		break;
	case 8:
		payment_sweep(db);
		break;
	default:
		pass(sandbox_random(90));
		deliver_late();
	}
}

static void
expect_this_key_whole(int i)
{
	const char *key = arena_printf(m, "MP-R%05d", i);
	int64_t ours = db_int(db, "SELECT COALESCE(SUM(l.amount), 0) FROM charge c JOIN posting p ON p.charge_id = c.charge_id"
	                          " JOIN ledger_line l ON l.posting_id = p.posting_id AND l.account = 'card_clearing' WHERE c.key = $1", key);
	int64_t theirs = db_int(sandbox, "SELECT COALESCE(SUM(balance), 0) FROM payment WHERE order_id = $1 AND approved_at > 0", key);
	int64_t taken = db_int(sandbox, "SELECT COUNT(*) FROM payment WHERE order_id = $1 AND approved_at > 0", key);
	int64_t approvals = db_int(db, "SELECT COUNT(*) FROM event WHERE subject_id = $1 AND type = 'payment.approved'", key);

	if (ours != theirs || taken > 1 || approvals > 1 || (was_voided[i] && ours))
		print_error("%s: ours %lld, theirs %lld, taken %lld times\n", key, (long long)ours, (long long)theirs, (long long)taken);
	assert_int_equal(ours, theirs);
	assert_true(taken <= 1);
	assert_true(approvals <= 1);
	assert_true(!was_voided[i] || ours == 0);
}

TEST(whatever_breaks_no_money_is_lost_or_made)
{
	print_message("seed %llu\n", (unsigned long long)seed);
	memset(was_voided, 0, sizeof(was_voided));
	cards[0] = a_card(7, "tok_ok");
	cards[1] = a_card(7, "tok_declined");
	cards[2] = a_card(7, "tok_slow");
	cards[3] = a_card(7, "tok_lost");
	for (int i = 0; i < N_STEPS; i++) {
		break_something();
		if (setjmp(death) == 0)
			do_something();
		else
			db_fresh(db);
		assert_false(db_failed(db));
		assert_false(db_failed(sandbox));
	}
	net = NET_FINE;
	fault_set(sandbox, "down", 0);
	fault_set(sandbox, "lost_answers", 0);
	fault_set(sandbox, "slow_ms", 0);
	scratch_sleep_ms(2100);         /* the slow answers are ready after real time */
	settle_everything();
	for (int i = 0; i < N_KEYS; i++)
		expect_this_key_whole(i);
	assert_true(held_by_provider() > 0);
	assert_int_equal(held_by_provider(), account_sum("card_clearing"));
	assert_int_equal(account_sum("refunds_payable"), 0);
	assert_int_equal(db_int(db, "SELECT SUM(amount) FROM ledger_line /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM charge WHERE state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR void_wanted = 1 /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM refund WHERE state = 'REQUESTED' /*scan*/"), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM charge c WHERE c.refunded_amount <> (SELECT COALESCE(SUM(r.amount), 0)"
	                            " FROM refund r WHERE r.charge_id = c.charge_id) /*scan*/"), 0);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	return test_run("payment", NULL, NULL, begin, end);
}
