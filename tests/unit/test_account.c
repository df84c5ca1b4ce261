/*
 * test_account - the rules of account. Passwords are really hashed; the two functions that do it are wrapped, so that a
 * test can check how often they ran and that no transaction was open meanwhile.
 */
#include "test.h"

#include "scratch.h"

#include "domain/mail_links.h"
#include "domain/rental.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

static const char *counted_hash(struct arena *m, const char *password);
static bool counted_ok(const char *hash, const char *password);
#define password_hash(m, password) counted_hash(m, password)
#define password_ok(hash, password) counted_ok(hash, password)
#include "cgi-bin/account/account.c"
#include "cgi-bin/account/licence.c"
#include "cgi-bin/account/password.c"
#include "cgi-bin/account/people.c"
#include "cgi-bin/account/reset.c"
#include "cgi-bin/account/sign_in.c"
#include "cgi-bin/account/sign_up.c"
#include "cgi-bin/account/throttle.c"
#undef password_hash
#undef password_ok

static struct db *db;
static int n_hashed;

static const char *
counted_hash(struct arena *m, const char *password)
{
	assert_false(db_in_transaction(db));
	n_hashed++;
	return password_hash(m, password);
}

static bool
counted_ok(const char *hash, const char *password)
{
	assert_false(db_in_transaction(db));
	n_hashed++;
	return password_ok(hash, password);
}

#define PASSWORD "paper horse lamp river"
#define NOW      1800000000     /* 2027-01-15 17:00 in Seoul */

static const char *here = "192.0.2.1";

TEST_SETUP(begin)
{
	const char *why = "";

	if (scratch_begin(state) != 0)
		return -1;
	scratch_create("", "");
	if (!rental_settings_open(".", scratch, &why) || !secret_open(scratch))
		return -1;
	clock_open("Asia/Seoul");
	clock_set(NOW);
	db = scratch_open(&account_db_role);
	n_hashed = 0;
	return 0;
}

TEST_SETUP(end)
{
	bool failed = db_failed(db);

	if (failed)
		print_error("%s\n", db_error(db));
	db_close(db);
	clock_set(0);
	return scratch_end(state) || failed ? -1 : 0;
}

static int64_t
add(const char *email, int roles)
{
	struct new_account a = { .email = email, .name = "Kim", .password = PASSWORD, .lang = LANG_KO, .roles = roles };
	int64_t user_id;

	assert_int_equal(account_add(db, &a, &user_id), ACCOUNT_OK);
	assert_true(user_id > 0);
	return user_id;
}

static enum sign_in_outcome
sign_in(const char *email, const char *password, struct signed_in *in)
{
	struct sign_in s = { .email = email, .password = password, .address = here };

	*in = (struct signed_in){ 0 };
	return account_sign_in(db, &s, in);
}

/* --- accounts ----------------------------------------------------------------------------------------------------- */

TEST(a_new_account_is_a_customer_with_a_lower_case_email)
{
	struct account a = { 0 };

	add("Kim.Hana@Example.KR", 0);
	assert_true(account_find_by_email(db, "KIM.HANA@example.kr", &a));
	assert_string_equal(a.email, "kim.hana@example.kr");
	assert_int_equal(a.role_bits, 1);
	assert_int_equal(a.lang, LANG_KO);
	assert_null(a.licence);
	assert_string_equal(role_codes(scratch_memory, 1 | 4 | 32), "[\"customer\",\"manager\",\"admin\"]");
	assert_string_equal(role_codes(scratch_memory, 0), "[]");
}

TEST(an_invalid_account_is_refused_before_anything_is_hashed)
{
	static const struct {
		const char *email, *name, *password;
		enum account_outcome outcome;
	} bad[] = {
		{ "", "Kim", PASSWORD, ACCOUNT_BAD_EMAIL },
		{ "@b", "Kim", PASSWORD, ACCOUNT_BAD_EMAIL },
		{ "a@", "Kim", PASSWORD, ACCOUNT_BAD_EMAIL },
		{ "a@b@c", "Kim", PASSWORD, ACCOUNT_BAD_EMAIL },
		{ "a b@c.kr", "Kim", PASSWORD, ACCOUNT_BAD_EMAIL },
		{ "a@b.kr", "", PASSWORD, ACCOUNT_BAD_NAME },
		{ "a@b.kr", "Kim", "123456789", ACCOUNT_WEAK },
		{ "a@b.kr", "Kim", "qwertyuiop", ACCOUNT_WEAK },
	};
	int64_t user_id;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct new_account a = { .email = bad[i].email, .name = bad[i].name, .password = bad[i].password };

		assert_int_equal(account_add(db, &a, &user_id), bad[i].outcome);
	}
	assert_int_equal(n_hashed, 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM person /*scan*/"), 0);
}

TEST(a_name_of_eighty_korean_letters_fits_and_one_more_does_not)
{
	struct buf b = { .m = scratch_memory };
	struct new_account a = { .email = "a@b.kr", .password_hash = "$argon2id$made-before" };
	int64_t user_id;

	for (int i = 0; i < 80; i++)
		buf_puts(&b, "한");
	a.name = arena_strdup(scratch_memory, b.s);
	assert_int_equal(account_add(db, &a, &user_id), ACCOUNT_OK);
	buf_puts(&b, "한");
	a.name = b.s;
	a.email = "b@b.kr";
	assert_int_equal(account_add(db, &a, &user_id), ACCOUNT_BAD_NAME);
}

static int
race_to_add(void *arg)
{
	struct new_account a = { .email = "same@example.kr", .name = "Kim", .password = PASSWORD };
	enum account_outcome outcome;
	int64_t user_id;

	(void)arg;
	db = scratch_open(&account_db_role);
	outcome = account_add(db, &a, &user_id);
	outcome = db_failed(db) ? 99 : outcome;
	db_close(db);
	return (int)outcome;
}

TEST(two_sign_ups_with_one_email_at_once_make_one_account)
{
	int outcome[4], n_ok = 0, n_known = 0;
	pid_t pid[4];

	for (int i = 0; i < 4; i++)
		pid[i] = scratch_fork(race_to_add, NULL);
	for (int i = 0; i < 4; i++) {
		outcome[i] = scratch_wait(pid[i]);
		n_ok += outcome[i] == ACCOUNT_OK;
		n_known += outcome[i] == ACCOUNT_KNOWN;
	}
	assert_int_equal(n_ok, 1);
	assert_int_equal(n_known, 3);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM person /*scan*/"), 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM user_role /*scan*/"), 1);
}

TEST(a_name_is_visible_and_does_not_look_like_another)
{
	static const char *const good[] = { "김하나", "O'Neil \"Q\"", "José", "<script>", "Ｋｉｍ　Ｈａｎａ", "नमस्ते",
		"👩‍🚀" };
	static const char *const bad[] = { "", " ", "\u200b", "\u3000\u00a0", "\u3164", "Kim\u202egnoH", "\ufeffKim",
		"\u2066Kim", "a\tb", "\xff" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(account_name_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(account_name_ok(bad[i]));
	assert_false(account_name_ok(NULL));
}

/* --- passwords ---------------------------------------------------------------------------------------------------- */

TEST(only_short_common_and_own_email_passwords_are_refused)
{
	assert_non_null(password_problem("123456789", "a@b.kr"));
	assert_non_null(password_problem("비밀번호아홉자예요", "a@b.kr"));
	assert_null(password_problem("비밀번호로열글자예요", "a@b.kr"));
	assert_non_null(password_problem("PassWord123", "a@b.kr"));
	assert_non_null(password_problem("hana.kim@example.kr", "hana.kim@example.kr"));
	assert_non_null(password_problem("HANA.KIM.88", "hana.kim.88@example.kr"));
	assert_null(password_problem("hana.kim.89", "hana.kim.88@example.kr"));
	assert_null(password_problem("aaaaaaaaaaaaaaaaaaaa b", "a@b.kr"));
	assert_non_null(password_problem(NULL, "a@b.kr"));
}

TEST(every_most_common_password_is_long_enough_to_pass_otherwise)
{
	size_t n = sizeof(most_common) / sizeof(most_common[0]);

	assert_int_equal(n, 100);
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(most_common[i]) >= PASSWORD_MIN);
		assert_non_null(password_problem(most_common[i], "a@b.kr"));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(most_common[i], most_common[j]);
	}
}

TEST(changing_the_password_ends_other_sessions_and_a_second_click_is_fine)
{
	struct signed_in here_in, there_in;
	int64_t user_id = add("a@b.kr", 0), wait_s;

	assert_int_equal(sign_in("a@b.kr", PASSWORD, &there_in), SIGN_IN_OK);
	assert_int_equal(sign_in("a@b.kr", PASSWORD, &here_in), SIGN_IN_OK);
	assert_int_equal(
		password_change(db, user_id, here_in.token, here, "not this one", "green window boat", &wait_s),
		PASSWORD_WRONG);
	assert_int_equal(session_count(db, user_id), 2);
	assert_int_equal(password_change(db, user_id, here_in.token, here, PASSWORD, "green window boat", &wait_s),
		PASSWORD_CHANGED);
	assert_int_equal(session_count(db, user_id), 1);
	assert_true(db_exists(
		db, "SELECT 1 FROM session WHERE token_hash = $1", secret_hash(scratch_memory, here_in.token)));
	assert_int_equal(password_change(db, user_id, here_in.token, here, PASSWORD, "green window boat", &wait_s),
		PASSWORD_CHANGED);
	assert_int_equal(sign_in("a@b.kr", PASSWORD, &there_in), SIGN_IN_REFUSED);
	assert_int_equal(sign_in("a@b.kr", "green window boat", &there_in), SIGN_IN_OK);
}

TEST(guessing_the_current_password_in_an_open_browser_is_throttled_too)
{
	int64_t user_id = add("a@b.kr", 0), wait_s;

	for (int i = 0; i < FREE_PER_ACCOUNT; i++)
		assert_int_equal(password_change(db, user_id, NULL, here, "not this one", "green window boat", &wait_s),
			PASSWORD_WRONG);
	assert_int_equal(
		password_change(db, user_id, NULL, here, PASSWORD, "green window boat", &wait_s), PASSWORD_CLOSED);
	assert_true(wait_s > 0);
}

/* --- signing in --------------------------------------------------------------------------------------------------- */

TEST(unknown_wrong_and_disabled_take_one_hash_and_get_one_answer)
{
	struct signed_in in;
	int64_t user_id = add("a@b.kr", 0);

	n_hashed = 0;
	assert_int_equal(sign_in("a@b.kr", "not this one", &in), SIGN_IN_REFUSED);
	assert_int_equal(n_hashed, 1);
	assert_int_equal(sign_in("unknown@b.kr", PASSWORD, &in), SIGN_IN_REFUSED);
	assert_int_equal(n_hashed, 2);
	db_begin(db);
	db_do(db, "UPDATE person SET disabled = 1 WHERE user_id = $1", user_id);
	db_commit(db);
	assert_int_equal(sign_in("a@b.kr", PASSWORD, &in), SIGN_IN_REFUSED);
	assert_int_equal(n_hashed, 3);
	assert_null(in.token);
}

/* --- links -------------------------------------------------------------------------------------------------------- */

/* The token of a link that the last answer leads to. */
static const char *
token_of(const struct link_asked *asked)
{
	const char *token = asked->path ? strstr(asked->path, "?token=") : NULL;

	assert_non_null(token);
	return token + 7;
}

static const char *
sign_up(const char *email, const char *password)
{
	struct new_account a = { .email = email, .name = "Kim Hana", .phone = "010-1", .password = password };
	struct link_request r = { .email = email, .address = here, .next = "/bookings/new?car_id=7" };
	struct link_asked asked = { 0 };

	assert_int_equal(account_sign_up(db, &a, &r, &asked), SIGN_UP_OK);
	return token_of(&asked);
}

static const char *
forgot(const char *email)
{
	struct link_request r = { .email = email, .address = here, .next = "/" };
	struct link_asked asked = { 0 };

	assert_true(account_forgot(db, &r, &asked));
	return token_of(&asked);
}

static enum link_outcome
confirm(const char *token, struct signed_in *in)
{
	struct link_use u = { .token = token, .session = true };

	*in = (struct signed_in){ 0 };
	return account_confirm(db, &u, in);
}

static enum link_outcome
set_new(const char *token, const char *password, struct signed_in *in)
{
	struct link_use u = { .token = token, .session = true, .password = password };

	*in = (struct signed_in){ 0 };
	return account_reset(db, &u, in);
}

/* Without the slow hash, and not counted. */
static void
sign_up_pending(const char *email)
{
	struct new_account a = { .email = email, .name = "Kim", .password_hash = "$argon2id$made-before" };
	struct link_request r = { .email = email, .address = here, .next = "/" };
	struct link_asked asked = { 0 };

	add_request(db, &a, &r, &asked);
}

#define COUNT(what) db_int(db, "SELECT COUNT(*) FROM " what " /*scan*/")

TEST(a_sign_up_makes_no_account_until_its_link_is_used_and_then_one)
{
	struct signed_in in;
	struct account a;
	const char *token = sign_up("Hana@B.kr", PASSWORD);

	assert_int_equal(COUNT("person"), 0);
	assert_int_equal(COUNT("session"), 0);
	assert_int_equal(confirm(token, &in), LINK_DONE);
	assert_non_null(in.token);
	assert_true(account_find(db, in.user_id, &a));
	assert_string_equal(a.email, "hana@b.kr");
	assert_string_equal(a.name, "Kim Hana");
	assert_string_equal(a.phone, "010-1");
	assert_int_equal(a.role_bits, 1);
	assert_int_equal(db_int(db, "SELECT email_confirmed_at FROM person WHERE user_id = $1", in.user_id), NOW);
	assert_int_equal(sign_in("hana@b.kr", PASSWORD, &in), SIGN_IN_OK);
	assert_int_equal(confirm(token, &in), LINK_OVER);
	assert_int_equal(COUNT("person"), 1);
}

TEST(of_a_link_only_the_hash_is_stored_and_its_event_names_nobody)
{
	const char *token = sign_up("hana@b.kr", PASSWORD), *payload, *row;

	row = db_text(db, "SELECT seed || ' ' || token_hash || ' ' || purpose || ' ' || next FROM mail_link /*scan*/");
	assert_null(strstr(row, token));
	assert_int_equal(
		db_int(db, "SELECT COUNT(*) FROM mail_link WHERE token_hash = $1", secret_hash(scratch_memory, token)),
		1);
	assert_int_equal(COUNT("v_event"), 1);
	payload = db_text(db, "SELECT type || ' ' || subject_id || ' ' || payload FROM v_event /*scan*/");
	assert_string_equal(payload, "account.link_requested link:1 {\"link_id\":1,\"purpose\":\"sign_up\"}");
}

TEST(signing_up_takes_the_same_steps_whether_the_email_is_known_or_not)
{
	struct signed_in in;
	const char *token;

	assert_int_equal(confirm(sign_up("a@b.kr", PASSWORD), &in), LINK_DONE);
	assert_int_equal(n_hashed, 1);
	token = sign_up("a@b.kr", "another person's password");
	assert_int_equal(n_hashed, 2);
	assert_int_equal(COUNT("v_event"), 2);
	assert_int_equal(confirm(token, &in), LINK_OVER); /* it is a link to set a new password */
	assert_int_equal(COUNT("mail_link WHERE purpose = 'known' AND email = '' AND password_hash = ''"), 1);
	assert_int_equal(sign_in("a@b.kr", "another person's password", &in), SIGN_IN_REFUSED);
	assert_int_equal(set_new(token, "the password I had forgotten", &in), LINK_DONE);
	assert_int_equal(sign_in("a@b.kr", "the password I had forgotten", &in), SIGN_IN_OK);
}

TEST(asking_for_a_new_password_takes_the_same_steps_for_unknown_and_disabled_accounts)
{
	int64_t user_id = add("gone@b.kr", 0), known = add("known@b.kr", 0);
	const char *none, *gone;
	struct signed_in in;

	account_disable(db, user_id, true, 0);
	n_hashed = 0;
	none = forgot("nobody@b.kr");
	gone = forgot("gone@b.kr");
	forgot("known@b.kr");
	assert_int_equal(n_hashed, 0);
	assert_int_equal(COUNT("v_event WHERE type = 'account.link_requested'"), 3);
	assert_int_equal(COUNT("mail_link WHERE user_id IS NULL AND email = ''"), 2);
	assert_int_equal(db_int(db, "SELECT user_id FROM mail_link WHERE user_id IS NOT NULL /*scan*/"), known);
	assert_int_equal(set_new(none, "a good new password", &in), LINK_OVER);
	assert_int_equal(set_new(gone, "a good new password", &in), LINK_OVER);
}

TEST(a_link_works_for_half_an_hour)
{
	struct signed_in in;
	const char *token, *reset;

	add("known@b.kr", 0);
	token = sign_up("hana@b.kr", PASSWORD);
	reset = forgot("known@b.kr");
	clock_set(NOW + MAIL_LINK_S);
	assert_int_equal(confirm(token, &in), LINK_OVER);
	assert_int_equal(set_new(reset, "a good new password", &in), LINK_OVER);
	assert_int_equal(COUNT("person"), 1);
	clock_set(NOW + MAIL_LINK_S - 1);
	assert_int_equal(confirm(token, &in), LINK_DONE);
	assert_int_equal(set_new(reset, "a good new password", &in), LINK_DONE);
}

TEST(a_new_password_ends_all_sessions_tokens_and_other_links)
{
	struct api_token made;
	struct signed_in browser, program, in;
	struct sign_in s = { .email = "a@b.kr", .password = PASSWORD, .address = here };
	int64_t user_id = add("a@b.kr", 0);
	const char *first = forgot("a@b.kr"), *second = forgot("a@b.kr");

	sign_in("a@b.kr", PASSWORD, &browser);
	account_sign_in_token(db, &s, &program);
	assert_int_equal(token_make(db, user_id, "cron", "", &made), TOKEN_OK);
	assert_int_equal(set_new(second, "a good new password", &in), LINK_DONE);
	assert_int_equal(session_count(db, user_id), 1); /* the browser that set it */
	assert_int_equal(COUNT("session WHERE token_hash = '' OR user_id <> 1"), 0);
	assert_string_not_equal(in.token, browser.token);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM session WHERE token_hash = $1",
				 secret_hash(scratch_memory, browser.token)),
		0);
	assert_int_equal(token_count(db, user_id), 0);
	assert_int_equal(set_new(first, "yet another password", &in), LINK_OVER);
	assert_int_equal(sign_in("a@b.kr", PASSWORD, &in), SIGN_IN_REFUSED);
	assert_int_equal(sign_in("a@b.kr", "a good new password", &in), SIGN_IN_OK);
}

TEST(changing_the_password_or_disabling_the_account_ends_open_links)
{
	struct signed_in in;
	int64_t user_id = add("a@b.kr", 0), wait_s;
	const char *token = forgot("a@b.kr");

	assert_int_equal(
		password_change(db, user_id, NULL, here, PASSWORD, "changed by myself", &wait_s), PASSWORD_CHANGED);
	assert_int_equal(set_new(token, "a good new password", &in), LINK_OVER);
	token = forgot("a@b.kr");
	account_disable(db, user_id, true, 0);
	account_disable(db, user_id, false, 0);
	assert_int_equal(set_new(token, "a good new password", &in), LINK_OVER);
}

TEST(a_weak_new_password_is_refused_and_the_link_can_still_be_used)
{
	struct signed_in in;
	const char *token;

	add("a@b.kr", 0);
	token = forgot("a@b.kr");
	assert_int_equal(set_new(token, "short", &in), LINK_WEAK);
	assert_int_equal(set_new(token, "a@b.kr", &in), LINK_WEAK);
	assert_int_equal(set_new(token, "a good new password", &in), LINK_DONE);
}

TEST(a_second_click_on_the_same_form_gets_the_same_answer_and_another_form_does_not)
{
	struct link_use u = { .key = "form-1", .session = true, .password = "a good new password" };
	struct signed_in in = { 0 };

	u.token = sign_up("a@b.kr", PASSWORD);
	assert_int_equal(account_confirm(db, &u, &in), LINK_DONE);
	assert_int_equal(account_confirm(db, &u, &in), LINK_DONE);
	assert_non_null(in.token);
	assert_int_equal(COUNT("person"), 1);
	u.key = "form-2";
	assert_int_equal(account_confirm(db, &u, &in), LINK_OVER);
	u.token = forgot("a@b.kr");
	assert_int_equal(account_reset(db, &u, &in), LINK_DONE);
	assert_int_equal(account_reset(db, &u, &in), LINK_DONE);
	u.password = "something else typed"; /* it is not the password now */
	assert_int_equal(account_reset(db, &u, &in), LINK_OVER);
	u.password = "a good new password";
	clock_set(NOW + MINUTE);
	assert_int_equal(account_reset(db, &u, &in), LINK_OVER);
}

TEST(one_form_asks_for_one_mail)
{
	struct new_account a = { .email = "a@b.kr", .name = "Kim", .password = PASSWORD };
	struct link_request r = { .email = "a@b.kr", .address = here, .next = "/", .key = "form-1" };
	struct link_asked first = { 0 }, second = { 0 };

	account_sign_up(db, &a, &r, &first);
	account_sign_up(db, &a, &r, &second);
	assert_string_equal(first.path, second.path);
	assert_int_equal(COUNT("v_event"), 1);
	r.key = "form-2";
	account_sign_up(db, &a, &r, &second);
	assert_string_not_equal(first.path, second.path);
	assert_int_equal(COUNT("v_event"), 2);
}

TEST(of_several_sign_ups_with_one_email_the_first_to_be_confirmed_makes_the_account)
{
	struct signed_in in;
	const char *first = sign_up("a@b.kr", "the first password"), *second = sign_up("a@b.kr", "the second password");

	assert_int_equal(confirm(second, &in), LINK_DONE);
	assert_int_equal(confirm(first, &in), LINK_OVER);
	assert_int_equal(sign_in("a@b.kr", "the second password", &in), SIGN_IN_OK);
	assert_int_equal(COUNT("mail_link WHERE email <> '' OR password_hash <> ''"), 0);
}

TEST(a_sign_up_whose_address_has_got_an_account_meanwhile_says_so)
{
	struct signed_in in;
	const char *token = sign_up("a@b.kr", "the first password");

	add("a@b.kr", 0); /* by the command */
	assert_int_equal(confirm(token, &in), LINK_TAKEN);
	assert_null(in.token);
	assert_int_equal(sign_in("a@b.kr", PASSWORD, &in), SIGN_IN_OK);
	assert_int_equal(COUNT("person"), 1);
}

static const char *raced;

static int
race_to_confirm(void *arg)
{
	struct signed_in in;
	enum link_outcome outcome;

	(void)arg;
	db = scratch_open(&account_db_role);
	outcome = confirm(raced, &in);
	outcome = db_failed(db) ? 99 : outcome;
	db_close(db);
	return (int)outcome;
}

static int
race_to_reset(void *arg)
{
	struct signed_in in;
	enum link_outcome outcome;

	db = scratch_open(&account_db_role);
	outcome = set_new(raced, arena_printf(scratch_memory, "password number %d", *(int *)arg), &in);
	outcome = db_failed(db) ? 99 : outcome;
	db_close(db);
	return (int)outcome;
}

static void
assert_one_wins(int (*race)(void *))
{
	int n_done = 0, n_over = 0, which[4] = { 0, 1, 2, 3 };
	pid_t pid[4];

	for (int i = 0; i < 4; i++)
		pid[i] = scratch_fork(race, &which[i]);
	for (int i = 0; i < 4; i++) {
		int outcome = scratch_wait(pid[i]);

		n_done += outcome == LINK_DONE;
		n_over += outcome == LINK_OVER;
	}
	assert_int_equal(n_done, 1);
	assert_int_equal(n_over, 3);
}

TEST(of_four_uses_of_a_link_at_once_one_wins)
{
	raced = sign_up("a@b.kr", PASSWORD);
	assert_one_wins(race_to_confirm);
	assert_int_equal(COUNT("person"), 1);
	raced = forgot("a@b.kr");
	assert_one_wins(race_to_reset);
	assert_int_equal(COUNT("mail_link WHERE used_at = 0"), 0);
}

TEST(the_schema_lets_a_link_work_once_and_keeps_no_address_of_a_used_one)
{
	struct signed_in in;

	confirm(sign_up("a@b.kr", PASSWORD), &in);
	sign_up("b@b.kr", PASSWORD);
	db_begin(db);
	assert_false(db_try(db, "UPDATE mail_link SET used_at = 0 WHERE link_id = 1"));
	assert_false(db_try(db, "UPDATE mail_link SET email = 'x@y.kr' WHERE link_id = 1"));
	assert_false(db_try(db, "UPDATE mail_link SET used_at = created_at WHERE link_id = 2"));
	assert_false(db_try(db, "UPDATE mail_link SET email = '' WHERE link_id = 2"));
	assert_false(db_try(db,
		"UPDATE mail_link SET used_at = expires_at, user_id = 1, email = '', name = '',"
		" phone = '', password_hash = '' WHERE link_id = 2"));
	db_commit(db);
	db_fresh(db);
}

TEST(links_that_ended_a_day_ago_are_deleted_a_hundred_at_a_time)
{
	struct signed_in in;

	add("a@b.kr", 0);
	for (int i = 0; i < 150; i++)
		sign_up_pending(arena_printf(scratch_memory, "u%d@b.kr", i));
	clock_set(NOW + MAIL_LINK_S + DAY);
	sign_in("a@b.kr", PASSWORD, &in);
	assert_int_equal(COUNT("mail_link"), 150);
	clock_set(NOW + MAIL_LINK_S + DAY + 1);
	sign_in("a@b.kr", PASSWORD, &in);
	assert_int_equal(COUNT("mail_link"), 50);
	forgot("a@b.kr");
	assert_int_equal(COUNT("mail_link"), 1);
}

TEST(an_admin_has_the_link_sent_but_not_to_a_disabled_account)
{
	struct link_asked asked = { 0 };
	struct signed_in in;
	int64_t admin = add("admin@b.kr", 33), user_id = add("a@b.kr", 0);

	assert_int_equal(account_send_reset(db, 99, admin, "", &asked), SEND_RESET_NO_USER);
	assert_int_equal(account_send_reset(db, user_id, admin, "form", &asked), SEND_RESET_OK);
	assert_int_equal(account_send_reset(db, user_id, admin, "form", &asked), SEND_RESET_OK);
	assert_int_equal(COUNT("v_event"), 1);
	assert_int_equal(db_int(db, "SELECT actor_id FROM v_event /*scan*/"), admin);
	assert_int_equal(set_new(token_of(&asked), "a good new password", &in), LINK_DONE);
	assert_int_equal(in.user_id, user_id);
	account_disable(db, user_id, true, admin);
	assert_int_equal(account_send_reset(db, user_id, admin, "", &asked), SEND_RESET_DISABLED);
}

TEST(a_new_password_opens_an_account_that_failed_sign_ins_had_closed)
{
	struct signed_in in;

	add("a@b.kr", 0);
	for (int i = 0; i < FREE_PER_ACCOUNT; i++)
		sign_in("a@b.kr", "wrong", &in);
	assert_int_equal(sign_in("a@b.kr", PASSWORD, &in), SIGN_IN_CLOSED);
	set_new(forgot("a@b.kr"), "a good new password", &in);
	assert_int_equal(sign_in("a@b.kr", "a good new password", &in), SIGN_IN_OK);
}

TEST(a_new_session_ends_the_one_the_browser_came_with)
{
	struct sign_in s = { .email = "a@b.kr", .password = PASSWORD, .address = here };
	struct signed_in in = { 0 };
	int64_t user_id = add("a@b.kr", 0);

	assert_int_equal(account_sign_in(db, &s, &in), SIGN_IN_OK);
	s.old_token = in.token;
	assert_int_equal(account_sign_in(db, &s, &in), SIGN_IN_OK);
	assert_string_not_equal(in.token, s.old_token);
	assert_int_equal(session_count(db, user_id), 1);
	assert_int_equal(db_int(db, "SELECT expires_at FROM session /*scan*/"), NOW + settings.session_max_s);
	clock_set(NOW + settings.session_max_s);
	assert_int_equal(session_count(db, user_id), 0);
}

TEST(a_password_changed_while_it_was_verified_opens_no_session)
{
	struct sign_in_account a = { 0 };
	int64_t user_id = add("a@b.kr", 0);

	assert_true(find_enabled(db, "a@b.kr", &a));
	assert_true(password_store(db, user_id, a.password_hash, "$argon2id$another", NULL));
	assert_null(session_begin(db, a.user_id, a.password_hash, NULL));
	assert_null(token_for_sign_in(db, a.user_id, a.password_hash));
	assert_false(password_store(db, user_id, a.password_hash, "$argon2id$third", NULL));
}

TEST(an_account_disabled_while_it_was_verified_gets_no_session)
{
	struct sign_in_account a = { 0 };
	int64_t user_id = add("a@b.kr", 0);

	assert_true(find_enabled(db, "a@b.kr", &a));
	assert_int_equal(account_disable(db, user_id, true, 0), ROLE_CHANGE_OK);
	assert_null(session_begin(db, a.user_id, a.password_hash, NULL));
	assert_null(token_for_sign_in(db, a.user_id, a.password_hash));
}

/* --- the throttle ------------------------------------------------------------------------------------------------- */

static bool
tried(const char *email, int64_t *wait_s)
{
	return throttle_try(db, email, here, wait_s);
}

TEST(each_failure_closes_for_twice_as_long_up_to_a_quarter_of_an_hour)
{
	static const int64_t waits[] = { 15, 30, 60, 120, 240, 480, 900, 900 };
	int64_t now = NOW, wait_s;

	for (int i = 0; i < FREE_PER_ACCOUNT; i++)
		assert_true(tried("a@b.kr", &wait_s));
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_false(tried("a@b.kr", &wait_s));
		assert_int_equal(wait_s, waits[i]);
		clock_set(now += waits[i]);
		assert_true(tried("a@b.kr", &wait_s));
	}
	assert_true(tried("b@b.kr", &wait_s));
}

TEST(a_right_password_clears_the_count_of_the_account_but_not_of_the_address)
{
	int64_t wait_s;

	for (int i = 0; i < FREE_PER_ACCOUNT - 1; i++)
		assert_true(tried("a@b.kr", &wait_s));
	throttle_passed(db, "a@b.kr", here);
	for (int i = 0; i < FREE_PER_ACCOUNT; i++)
		assert_true(tried("a@b.kr", &wait_s));
	assert_false(tried("a@b.kr", &wait_s));
	for (int i = 0; i < FREE_PER_ADDRESS - 2 * FREE_PER_ACCOUNT + 2; i++)
		assert_true(tried(arena_printf(scratch_memory, "u%d@b.kr", i), &wait_s));
	assert_false(tried("fresh@b.kr", &wait_s));
	here = "192.0.2.2";
	assert_true(tried("fresh@b.kr", &wait_s));
	here = "192.0.2.1";
}

TEST(a_network_of_ipv6_addresses_counts_as_one)
{
	int64_t wait_s;

	for (int i = 0; i < FREE_PER_ADDRESS; i++)
		assert_true(throttle_try(db, arena_printf(scratch_memory, "u%d@b.kr", i),
			arena_printf(scratch_memory, "2001:db8:1:2::%x", i + 1), &wait_s));
	assert_false(throttle_try(db, "fresh@b.kr", "2001:db8:1:2:ffff::1", &wait_s));
	assert_true(throttle_try(db, "fresh@b.kr", "2001:db8:1:3::1", &wait_s));
}

TEST(too_many_sign_ups_from_one_client_are_refused_before_the_hash)
{
	struct new_account a = { .email = "last@b.kr", .name = "Kim", .password = PASSWORD };
	struct link_request r = { .email = a.email, .address = here, .next = "/" };
	struct link_asked asked = { 0 };
	int64_t wait_s;

	for (int i = 0; i < FREE_LINKS_PER_ADDRESS - 1; i++)
		assert_true(throttle_link(db, arena_printf(scratch_memory, "u%d@b.kr", i), here, &wait_s));
	assert_int_equal(account_sign_up(db, &a, &r, &asked), SIGN_UP_OK);
	assert_int_equal(n_hashed, 1);
	a.email = r.email = "more@b.kr";
	assert_int_equal(account_sign_up(db, &a, &r, &asked), SIGN_UP_CLOSED);
	assert_true(asked.wait_s > 0);
	assert_false(account_forgot(db, &r, &asked));
	assert_int_equal(n_hashed, 1);
	assert_true(tried("a@b.kr", &wait_s));                           /* signing in is counted apart */
	assert_true(throttle_link(db, "z@b.kr", "192.0.2.77", &wait_s)); /* and other clients */
}

TEST(too_many_mails_to_one_address_are_refused_whoever_asks_and_whether_it_has_an_account)
{
	static const char *const emails[] = { "known@b.kr", "nobody@b.kr" };
	struct link_asked asked = { 0 };

	add("known@b.kr", 0);
	for (size_t k = 0; k < 2; k++) {
		struct link_request r = { .email = emails[k], .next = "/" };

		for (int i = 0; i < FREE_LINKS; i++) {
			r.address = arena_printf(scratch_memory, "192.0.2.%d", i);
			assert_true(account_forgot(db, &r, &asked));
		}
		r.address = "192.0.2.99";
		assert_false(account_forgot(db, &r, &asked));
		assert_int_equal(asked.wait_s, FIRST_CLOSE_S);
	}
}

TEST(failures_are_forgotten_after_a_day_and_a_clock_set_back_does_not_close_an_account_for_longer)
{
	int64_t wait_s;

	for (int i = 0; i < FREE_PER_ACCOUNT; i++)
		assert_true(tried("a@b.kr", &wait_s));
	assert_false(tried("a@b.kr", &wait_s));
	clock_set(NOW - 2 * HOUR);
	assert_true(tried("a@b.kr", &wait_s));
	clock_set(NOW + 2 * DAY);
	for (int i = 0; i < FREE_PER_ACCOUNT; i++)
		assert_true(tried("a@b.kr", &wait_s));
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM sign_in_throttle WHERE failed_at < $1", NOW + DAY), 0);
}

static int
race_to_guess(void *arg)
{
	struct signed_in in;
	enum sign_in_outcome outcome;

	(void)arg;
	db = scratch_open(&account_db_role);
	outcome = sign_in("a@b.kr", "not this one", &in);
	outcome = db_failed(db) ? 99 : outcome;
	db_close(db);
	return (int)outcome;
}

TEST(guesses_at_the_same_time_count_like_guesses_one_after_another)
{
	enum { N = 12 };
	int n_looked_at = 0;
	pid_t pid[N];

	add("a@b.kr", 0);
	for (int i = 0; i < N; i++)
		pid[i] = scratch_fork(race_to_guess, NULL);
	for (int i = 0; i < N; i++)
		n_looked_at += scratch_wait(pid[i]) == SIGN_IN_REFUSED;
	assert_int_equal(n_looked_at, FREE_PER_ACCOUNT);
}

/* --- licences ----------------------------------------------------------------------------------------------------- */

TEST(a_driver_is_an_adult_from_the_eighteenth_birthday_on)
{
	struct licence l = { "11-23-456789-01", "2030-01-01", "2009-01-15" };

	assert_int_equal(licence_check(&l, NOW), LICENCE_OK);
	l.born_on = "2009-01-16";
	assert_int_equal(licence_check(&l, NOW), LICENCE_MINOR);
	l.born_on = "2027-01-16";
	assert_int_equal(licence_check(&l, NOW), LICENCE_BAD_BIRTH);
	l.born_on = "1900-01-01";
	assert_int_equal(licence_check(&l, NOW), LICENCE_BAD_BIRTH);
}

TEST(a_licence_is_valid_through_its_last_day_in_the_branches_time_zone)
{
	struct licence l = { "11-23-456789-01", "2027-01-15", "1990-01-01" };

	assert_int_equal(licence_check(&l, NOW), LICENCE_OK);
	assert_int_equal(licence_check(&l, NOW + 7 * HOUR - 1), LICENCE_OK);
	assert_int_equal(licence_check(&l, NOW + 7 * HOUR), LICENCE_EXPIRED);
	l.expires_on = "2077-01-16";
	assert_int_equal(licence_check(&l, NOW), LICENCE_BAD_EXPIRY);
}

TEST(licence_numbers_of_other_countries_are_accepted)
{
	static const char *const good[] = { "11-23-456789-01", "SMITH901015AB9CD", "B 1234567" };
	static const char *const bad[] = { "", "1234", "ABCDEF", "12345<script>", "12345678901234567890123456789012",
		"면허 12345" };
	struct licence l = { .expires_on = "2030-01-01", .born_on = "1990-01-01" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		l.number = good[i];
		assert_int_equal(licence_check(&l, NOW), LICENCE_OK);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		l.number = bad[i];
		assert_int_equal(licence_check(&l, NOW), LICENCE_BAD_NUMBER);
	}
}

TEST(a_licence_is_replaced_and_removed)
{
	struct licence l = { "11-23-456789-01", "2030-01-01", "1990-01-01" };
	struct account a = { 0 };
	int64_t user_id = add("a@b.kr", 0);

	assert_int_equal(licence_save(db, user_id, &l), LICENCE_OK);
	l.number = "22-23-456789-01";
	assert_int_equal(licence_save(db, user_id, &l), LICENCE_OK);
	assert_true(account_find(db, user_id, &a));
	assert_string_equal(a.licence->number, "22-23-456789-01");
	licence_remove(db, user_id);
	assert_true(account_find(db, user_id, &a));
	assert_null(a.licence);
}

/* --- roles -------------------------------------------------------------------------------------------------------- */

TEST(two_admins_who_take_the_role_from_each_other_leave_one)
{
	int64_t one = add("a@b.kr", 32), other = add("b@b.kr", 32);

	assert_int_equal(account_role(db, one, 5, false, one), ROLE_CHANGE_OWN);
	assert_int_equal(account_disable(db, one, true, one), ROLE_CHANGE_OWN);
	assert_int_equal(account_role(db, other, 5, false, one), ROLE_CHANGE_OK);
	assert_int_equal(account_role(db, one, 5, false, other), ROLE_CHANGE_NOT_ADMIN);
	assert_int_equal(account_disable(db, one, true, other), ROLE_CHANGE_NOT_ADMIN);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM user_role WHERE role = 'admin' /*scan*/"), 1);
	assert_int_equal(account_role(db, 12345, 5, true, one), ROLE_CHANGE_NO_USER);
}

TEST(giving_or_taking_a_role_twice_has_the_effect_of_once)
{
	int64_t user_id = add("a@b.kr", 0);
	struct account a = { 0 };

	assert_int_equal(account_role(db, user_id, 2, true, 0), ROLE_CHANGE_OK);
	assert_int_equal(account_role(db, user_id, 2, true, 0), ROLE_CHANGE_OK);
	assert_true(account_find(db, user_id, &a));
	assert_int_equal(a.role_bits, 1 | 4);
	assert_int_equal(account_role(db, user_id, 2, false, 0), ROLE_CHANGE_OK);
	assert_int_equal(account_role(db, user_id, 2, false, 0), ROLE_CHANGE_OK);
	assert_true(account_find(db, user_id, &a));
	assert_int_equal(a.role_bits, 1);
}

/* --- tokens ------------------------------------------------------------------------------------------------------- */

TEST(the_same_form_makes_the_same_token_once_and_other_people_another)
{
	int64_t one = add("a@b.kr", 0), other = add("b@b.kr", 0);
	struct api_token t, again, theirs;

	assert_int_equal(token_make(db, one, "Calendar", "key", &t), TOKEN_OK);
	assert_int_equal(token_make(db, one, "Calendar", "key", &again), TOKEN_OK);
	assert_string_equal(t.token, again.token);
	assert_int_equal(t.token_id, again.token_id);
	assert_int_equal(token_make(db, other, "Calendar", "key", &theirs), TOKEN_OK);
	assert_string_not_equal(t.token, theirs.token);
	assert_false(token_revoke(db, other, t.token_id));
	assert_true(token_revoke(db, one, t.token_id));
	assert_true(token_revoke(db, one, t.token_id));
	assert_int_equal(token_make(db, one, "Calendar", "key", &again), TOKEN_GONE);
	assert_int_equal(token_make(db, one, "Calendar", "", &t), TOKEN_OK);
	assert_int_equal(token_make(db, one, "Calendar", "", &again), TOKEN_OK);
	assert_string_not_equal(t.token, again.token);
}

TEST(tokens_are_limited_and_of_sign_ins_only_the_newest_are_kept)
{
	int64_t user_id = add("a@b.kr", 0);
	const char *hash = password_hash_of(db, user_id), *first, *last = NULL;
	struct api_token t;

	for (int i = 0; i < TOKENS_MAX; i++)
		assert_int_equal(token_make(db, user_id, "more", "", &t), TOKEN_OK);
	assert_int_equal(token_make(db, user_id, "more", "", &t), TOKEN_TOO_MANY);
	first = token_for_sign_in(db, user_id, hash);
	for (int i = 0; i < 50; i++)
		last = token_for_sign_in(db, user_id, hash);
	assert_int_equal(token_count(db, user_id), TOKENS_MAX + 50);
	assert_false(
		db_exists(db, "SELECT 1 FROM v_api_token WHERE token_hash = $1", secret_hash(scratch_memory, first)));
	assert_true(
		db_exists(db, "SELECT 1 FROM v_api_token WHERE token_hash = $1", secret_hash(scratch_memory, last)));
}

TEST(tokens_with_the_name_of_a_sign_in_are_limited_too)
{
	int64_t user_id = add("a@b.kr", 0);
	struct api_token t;

	for (int i = 0; i < TOKENS_MAX + 50; i++)
		assert_int_equal(token_make(db, user_id, SIGN_IN_TOKEN, "", &t), TOKEN_OK);
	assert_int_equal(token_make(db, user_id, SIGN_IN_TOKEN, "", &t), TOKEN_TOO_MANY);
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

TEST(a_search_text_is_taken_literally)
{
	struct people_query q = { .words = "KIM", .role = -1, .order = PEOPLE_EMAIL_DOWN };
	struct person *p;
	int n;

	add("a%b@b.kr", 0);
	add("a_b@b.kr", 4);
	add("axb@b.kr", 0);
	assert_int_equal(people_count(db, &q), 3);
	people_list(db, &q, &p, &n);
	assert_int_equal(n, 3);
	assert_string_equal(p[0].email, "axb@b.kr");
	q.words = "a%b";
	assert_int_equal(people_count(db, &q), 1);
	q.words = "A_B";
	people_list(db, &q, &p, &n);
	assert_int_equal(n, 1);
	assert_string_equal(p[0].email, "a_b@b.kr");
	assert_string_equal(p[0].roles, "[\"manager\"]");
	q.words = "\\";
	assert_int_equal(people_count(db, &q), 0);
	q.words = "";
	q.role = 2;
	assert_int_equal(people_count(db, &q), 1);
}

TEST_MAIN("account", NULL, NULL, begin, end)
