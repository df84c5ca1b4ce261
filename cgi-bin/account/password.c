/*
 * password.c - what a password must be, and how it changes.
 *
 * Long enough, not one that everybody tries first, not one's own e-mail. Nothing else: rules of composition make
 * passwords harder to remember, not harder to guess. A change asks for the current one (an open browser is not a person),
 * counts wrong ones like a sign-in does, and ends whatever was opened with the old one.
 */
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "account_inside.h"

#include <string.h>
#include <strings.h>

/* The hundred that leaked lists hold most often, among those long enough to pass otherwise; two keyboards' worth. */
static const char *const best_known[] = {
	"1234567890", "0123456789", "0987654321", "9876543210", "12345678910", "123456789a", "a123456789", "123456789q", "1234567891",
	"1234567899", "1111111111", "0000000000", "1212121212", "1122334455", "1234512345", "123123123a", "123123123123", "112233445566",
	"1020304050", "123456123456", "147258369a", "5555555555", "7777777777", "9999999999", "11223344556",
	"password12", "password123", "password1234", "password12345", "passwordpassword", "passw0rd123", "p@ssw0rd123", "p@ssword123",
	"mypassword", "newpassword", "changeme123", "letmein123", "letmein1234", "welcome123", "welcome1234", "administrator", "admin12345",
	"admin123456", "administrador", "root123456", "test123456", "testtest123", "user123456", "guest12345", "iloveyou12", "iloveyou123",
	"iloveyou1234", "qwertyuiop", "qwerty1234", "qwerty12345", "qwerty123456", "qwertyqwerty", "qwertyuiop123", "qwertyuiop[]",
	"1q2w3e4r5t", "1q2w3e4r5t6y", "q1w2e3r4t5", "q1w2e3r4t5y6", "1qaz2wsx3edc", "1qazxsw23edc", "qazwsxedcrfv", "qazwsx1234",
	"zaq12wsxcde3", "1qaz!qaz2wsx", "asdfghjkl1", "asdfghjkl123", "asdf123456", "asdfasdfasdf", "zxcvbnm123", "zxcvbnm1234", "abc1234567",
	"abcd123456", "abcd1234567", "abcdefghij", "aa123456789", "qwe123456789", "1234qwerasdf", "1234qwer1234", "princess123", "sunshine123",
	"superman123", "football123", "baseball123", "basketball", "strawberry", "tinkerbell", "volkswagen", "manchester", "liverpool1",
	"christopher", "samsung1234", "qlalfqjsgh", "qlalfqjsgh1", "dkssudgktpdy", "tkfkdgody12",
};

static bool
is_best_known(const char *password)
{
	for (size_t i = 0; i < sizeof(best_known) / sizeof(best_known[0]); i++)
		if (strcasecmp(password, best_known[i]) == 0)
			return true;
	return false;
}

/* The whole e-mail, or all of it before the @. */
static bool
is_email(const char *password, const char *email)
{
	size_t n = strcspn(email, "@");

	return strcasecmp(password, email) == 0 || (strlen(password) == n && strncasecmp(password, email, n) == 0);
}

const char *
password_problem(const char *password, const char *email)
{
	int n = password ? text_chars(password) : 0;

	if (n < PASSWORD_MIN || n > PASSWORD_MAX)
		return _("Please choose a password of 10 to 200 characters.");
	if (is_best_known(password))
		return _("This password is too common. Please choose another.");
	if (is_email(password, email))
		return _("Please choose a password that is not your email address.");
	return NULL;
}

/* The WHERE clause asks again whether the account still is what the slow hash was made for. */
bool
password_store(struct db *db, int64_t user_id, const char *old_hash, const char *new_hash, const char *except_session)
{
	int changed;

	db_begin(db);
	changed = db_do(db, "UPDATE person SET password_hash = $3, updated_at = $4 WHERE user_id = $1 AND password_hash = $2",
	                user_id, old_hash, new_hash, clock_now());
	if (changed)
		sessions_drop(db, user_id, except_session);
	return db_commit(db) && changed;
}

static const char *
hash_of(struct db *db, int64_t user_id)
{
	return db_text(db, "SELECT password_hash FROM person WHERE user_id = $1", user_id);
}

/* One's own, checked like a sign-in. PASSWORD_WRONG stands for "look whether it was changed already". */
static enum password_outcome
change(struct db *db, int64_t user_id, const char *own_token, const char *current, const char *wanted)
{
	const char *hash = hash_of(db, user_id);

	if (!password_ok(hash, current))
		return PASSWORD_WRONG;
	if (!password_store(db, user_id, hash, password_hash(db_memory(db), wanted), own_token))
		return PASSWORD_WRONG;
	log_info("password_changed", "user %lld", (long long)user_id);
	return PASSWORD_CHANGED;
}

enum password_outcome
password_change(struct db *db, int64_t user_id, const char *own_token, const char *address,
                const char *current, const char *wanted, int64_t *wait_s)
{
	const char *email = db_text(db, "SELECT email FROM person WHERE user_id = $1", user_id);
	enum password_outcome outcome;

	if (password_problem(wanted, email ? email : ""))
		return PASSWORD_WEAK;
	if (!throttle_try(db, email, address, wait_s))
		return PASSWORD_CLOSED;
	outcome = change(db, user_id, own_token, current, wanted);
	/* a second click: the first has changed it, and whoever knows the new one may be told so */
	if (outcome == PASSWORD_WRONG && password_ok(hash_of(db, user_id), wanted))
		outcome = PASSWORD_CHANGED;
	if (outcome == PASSWORD_CHANGED)
		throttle_passed(db, email, address);
	return outcome;
}

enum account_outcome
account_set_password(struct db *db, const char *email, const char *password)
{
	struct account a;
	const char *hash;

	if (!account_find_by_email(db, email, &a))
		return ACCOUNT_NOBODY;
	if (password_problem(password, a.email))
		return ACCOUNT_WEAK;
	hash = password_hash(db_memory(db), password);
	db_begin(db);
	db_do(db, "UPDATE person SET password_hash = $2, updated_at = $3 WHERE user_id = $1", a.user_id, hash, clock_now());
	sessions_drop(db, a.user_id, NULL);
	if (!db_commit(db))
		return ACCOUNT_NOBODY;
	log_info("password_set", "user %lld", (long long)a.user_id);
	return ACCOUNT_OK;
}
