/* test_secret - tokens, keyed hashes, passwords. */
#include "test.h"

#include "scratch.h"

#include "lib/base/secret.c"

TEST_SETUP(begin)
{
	return scratch_begin(state) == 0 && secret_open(scratch) ? 0 : -1;
}

TEST(the_key_is_made_once_and_only_its_owner_reads_it)
{
	struct stat st;
	const char *signature = secret_sign(scratch_memory, "csrf", "session");

	assert_int_equal(stat(scratch_path("secret.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(secret_open(scratch));
	assert_string_equal(secret_sign(scratch_memory, "csrf", "session"), signature);
	chmod(scratch_path("secret.key"), 0644);
	assert_false(secret_open(scratch));
}

static int
sign_it(void *arg)
{
	int *out = arg;
	const char *s = secret_open(scratch) ? secret_sign(scratch_memory, "a", "b") : "";

	return write(out[1], s, 43) == 43 ? 0 : 1;
}

TEST(processes_that_start_together_agree_on_the_key)
{
	char one[44] = "", next[44] = "";
	pid_t pid[8];
	int out[2];

	unlink(scratch_path("secret.key"));
	assert_int_equal(pipe(out), 0);
	for (int i = 0; i < 8; i++)
		pid[i] = scratch_fork(sign_it, out);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(scratch_wait(pid[i]), 0);
		assert_int_equal(read(out[0], next, 43), 43);
		if (i)
			assert_string_equal(next, one);
		memcpy(one, next, sizeof(one));
	}
	close(out[0]);
	close(out[1]);
}

TEST(tokens_and_codes_never_repeat_and_are_safe_in_urls)
{
	const char *token = secret_token(scratch_memory), *code = secret_code(scratch_memory, "MP-");

	assert_int_equal(strlen(token), 32);
	assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 32);
	assert_string_not_equal(token, secret_token(scratch_memory));
	assert_int_equal(strlen(code), 11);
	assert_int_equal(strspn(code + 3, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 8);
	assert_string_not_equal(code, secret_code(scratch_memory, "MP-"));
}

TEST(a_signature_is_valid_for_one_purpose_and_one_text)
{
	const char *s = secret_sign(scratch_memory, "csrf", "abc");

	assert_true(secret_same(s, secret_sign(scratch_memory, "csrf", "abc")));
	assert_false(secret_same(s, secret_sign(scratch_memory, "csrf", "abd")));
	assert_false(secret_same(s, secret_sign(scratch_memory, "csr", "fabc")));
	assert_false(secret_same(s, NULL));
	assert_false(secret_same(NULL, NULL));
	assert_false(secret_same(s, ""));
	assert_string_equal(
		secret_hash(scratch_memory, ""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST(only_the_right_password_is_accepted)
{
	const char *hash = password_hash(scratch_memory, "correct horse");

	assert_non_null(strstr(hash, "$argon2id$"));
	assert_true(password_ok(hash, "correct horse"));
	assert_false(password_ok(hash, "correct horse "));
	assert_false(password_ok("not a hash", "correct horse"));
	assert_string_not_equal(hash, password_hash(scratch_memory, "correct horse"));
}

TEST(an_unknown_user_takes_as_long_as_a_known_one)
{
	const char *hash = password_hash(scratch_memory, "x");
	double t, known, unknown;

	t = scratch_us();
	password_ok(hash, "y");
	known = scratch_us() - t;
	t = scratch_us();
	assert_false(password_ok(NULL, "y"));
	unknown = scratch_us() - t;
	print_message("wrong password %.0f ms, no such user %.0f ms\n", known / 1000, unknown / 1000);
	assert_true(unknown > known / 3);
}

static int
keep_slot(void *arg)
{
	int *ready = arg;

	if (slot_take() < 0 || write(ready[1], "", 1) != 1)
		return 1;
	pause();
	return 0;
}

static int
hash_one(void *arg)
{
	(void)arg;
	return password_ok(NULL, "x");
}

TEST(no_more_than_two_passwords_are_hashed_at_once)
{
	pid_t holder[2], waiter;
	int ready[2], status;
	char c;

	assert_int_equal(pipe(ready), 0);
	for (int i = 0; i < 2; i++) {
		holder[i] = scratch_fork(keep_slot, ready);
		assert_int_equal(read(ready[0], &c, 1), 1);
	}
	waiter = scratch_fork(hash_one, NULL);
	scratch_sleep_ms(600);
	assert_int_equal(waitpid(waiter, &status, WNOHANG), 0); /* still in the queue */
	for (int i = 0; i < 2; i++) {
		kill(holder[i], SIGKILL);
		scratch_wait(holder[i]);
	}
	assert_int_equal(scratch_wait(waiter), 0);
	close(ready[0]);
	close(ready[1]);
}

TEST_MAIN("secret", NULL, NULL, begin, scratch_end)
