/*
 * test_payout - a payout is owed once, paid or reversed once, and the ledger follows; the words of the ledger are the
 * rows of its tables.
 */
#include "test.h"

#include "payment_world.h"

#define PAYEE 7

TEST_SETUP(begin_with_payee)
{
	static const struct db_role all = { .name = "test", .owns = "*" };
	int rc = begin(state);
	struct db *other;

	if (rc != 0)
		return rc;
	other = scratch_open(&all);
	db_do(other,
		"INSERT INTO person (user_id, email, name, phone, lang, password_hash, created_at, updated_at)"
		" VALUES (7, 'kim@example.kr', 'Kim', '010', 'ko', 'x', 1, 1)");
	db_close(other);
	return 0;
}

static struct payout_order
owed(const char *key, int64_t amount)
{
	return (struct payout_order){
		.key = key,
		.subject_id = "MP-TEST01",
		.currency = "KRW",
		.payee_id = PAYEE,
		.amount = amount,
		.kind = PAYOUT_COMPENSATION,
		.way = PAYOUT_BY_BANK,
	};
}

static enum payout_outcome
assign(const char *key, int64_t amount, struct payout *p)
{
	struct payout_order o = owed(key, amount);

	return payout_assign(db, &o, p);
}

static void
expect_accounts(int64_t compensation, int64_t payable, int64_t bank)
{
	assert_int_equal(account_sum("compensation"), compensation);
	assert_int_equal(account_sum("payouts_payable"), payable);
	assert_int_equal(account_sum("bank"), bank);
	assert_false(db_failed(db));
}

TEST(a_payout_is_owed_once_and_paid_once)
{
	struct payout p;

	assert_int_equal(assign("MP-TEST01-c", 5000, &p), PAYOUT_OUTCOME_DONE);
	assert_int_equal(assign("MP-TEST01-c", 5000, &p), PAYOUT_OUTCOME_DONE);
	assert_int_equal(p.state, PAYOUT_ASSIGNED);
	expect_accounts(5000, -5000, 0);
	assert_int_equal(payout_complete(db, p.payout_id, "KB 1", 9, &p), PAYOUT_OUTCOME_DONE);
	assert_int_equal(payout_complete(db, p.payout_id, "KB 1", 9, &p), PAYOUT_OUTCOME_DONE);
	assert_int_equal(p.state, PAYOUT_COMPLETED);
	expect_accounts(5000, 0, -5000);
	assert_int_equal(events("payout.assigned"), 1);
	assert_int_equal(events("payout.completed"), 1);
	assert_int_equal(assign("MP-TEST01-c", 5000, &p), PAYOUT_OUTCOME_DONE);
	assert_int_equal(p.state, PAYOUT_COMPLETED);
}

TEST(a_failed_payout_is_reversed_and_can_no_longer_be_paid)
{
	struct payout p;

	assign("MP-TEST01-c", 5000, &p);
	assert_int_equal(payout_fail(db, p.payout_id, "no account", 9, &p), PAYOUT_OUTCOME_DONE);
	assert_int_equal(payout_complete(db, p.payout_id, "KB 1", 9, &p), PAYOUT_OUTCOME_CLOSED);
	assert_int_equal(payout_fail(db, p.payout_id, "another reason", 9, &p), PAYOUT_OUTCOME_CLOSED);
	assert_int_equal(p.state, PAYOUT_FAILED);
	assert_string_equal(p.note, "no account");
	expect_accounts(0, 0, 0);
	assert_int_equal(events("payout.failed"), 1);
}

TEST(another_payout_under_the_key_is_refused)
{
	struct payout_order o = owed("MP-TEST01-c", 5000);
	struct payout p;

	assign("MP-TEST01-c", 5000, &p);
	assert_int_equal(assign("MP-TEST01-c", 5001, &p), PAYOUT_OUTCOME_KEY_REUSED);
	o.subject_id = "MP-TEST02";
	assert_int_equal(payout_assign(db, &o, &p), PAYOUT_OUTCOME_KEY_REUSED);
	expect_accounts(5000, -5000, 0);
}

TEST(a_payout_to_nobody_or_of_nothing_is_refused)
{
	struct payout_order o = owed("MP-TEST01-c", 0);
	struct payout p;

	assert_int_equal(payout_assign(db, &o, &p), PAYOUT_OUTCOME_BAD_ORDER);
	o = owed("MP-TEST01-c", 5000);
	o.payee_id = 8;
	assert_int_equal(payout_assign(db, &o, &p), PAYOUT_OUTCOME_BAD_ORDER);
	o = owed("MP-TEST01-c", 5000);
	o.currency = "USD";
	assert_int_equal(payout_assign(db, &o, &p), PAYOUT_OUTCOME_BAD_ORDER);
	assert_int_equal(payout_complete(db, 77, "KB 1", 9, &p), PAYOUT_OUTCOME_NONE);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM payout /*scan*/"), 0);
}

/* Random payouts, each step tried up to three times. */
TEST(whatever_is_done_the_ledger_says_what_is_owed_and_what_was_paid)
{
	int64_t owed_now = 0, paid = 0;
	struct payout p;

	for (int i = 0; i < 200; i++) {
		const char *key = arena_printf(m, "MP-TEST01-%lld", (long long)sandbox_random(60));
		int64_t amount = 1 + (int64_t)sandbox_random(3);
		int64_t n_before = db_int(db, "SELECT COUNT(*) FROM payout /*scan*/");
		bool is_new = assign(key, amount, &p) == PAYOUT_OUTCOME_DONE
			&& db_int(db, "SELECT COUNT(*) FROM payout /*scan*/") > n_before;

		owed_now += is_new ? amount : 0;
		if (p.state != PAYOUT_ASSIGNED || sandbox_random(2) == 0)
			continue;
		amount = p.amount;
		owed_now -= amount;
		for (uint64_t n = 1 + sandbox_random(3), pay = sandbox_random(2), j = 0; j < n; j++) {
			if (pay)
				payout_complete(db, p.payout_id, "KB", 9, &p);
			else
				payout_fail(db, p.payout_id, "no", 9, &p);
			paid += j == 0 && pay ? amount : 0;
		}
	}
	assert_true(paid > 0 && owed_now > 0);
	expect_accounts(owed_now + paid, -owed_now, -paid);
	assert_int_equal(db_int(db, "SELECT SUM(amount) FROM ledger_line /*scan*/"), 0);
}

/* --- the tables of the ledger ------------------------------------------------------------------------------------- */

static void
expect_words(const struct words *words, const char *list)
{
	struct buf all = { .m = m };

	for (int i = 0; i < words->n; i++)
		buf_printf(&all, "%s ", words_code(words, i));
	assert_int_equal(strlen(all.s), strlen(list));
	for (int i = 0; i < words->n; i++)
		assert_non_null(strstr(list, arena_printf(m, "%s ", words_code(words, i))));
}

TEST(the_words_of_the_ledger_are_the_rows_of_its_tables)
{
	expect_words(
		&account_words, db_text(db, "SELECT group_concat(account || ' ', '') FROM ledger_account /*scan*/"));
	expect_words(
		&posting_kind_words, db_text(db, "SELECT group_concat(kind || ' ', '') FROM posting_kind /*scan*/"));
	expect_words(&payout_kind_words, db_text(db, "SELECT group_concat(kind || ' ', '') FROM payout_kind /*scan*/"));
}

TEST_MAIN("payout", NULL, NULL, begin_with_payee, end)
