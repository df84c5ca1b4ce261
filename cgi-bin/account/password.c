/*
 * password.c - what a password must be, and changing it.
 *
 * Long enough, not one of the most common, not the person's e-mail. There are no rules of composition: they make
 * passwords harder to remember, not harder to guess. A change asks for the current password, since a browser may be
 * left open, counts wrong ones like a sign-in does, and ends the sessions and tokens that were opened with the old one.
 */
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include "account_inside.h"

#include <string.h>
#include <strings.h>

/* The hundred most common in leaked lists that are long enough to pass otherwise; English and Korean keyboards. */
static const char *const most_common[] = {
	"1234567890", "0123456789", "0987654321", "9876543210", "12345678910", "123456789a", "a123456789", "123456789q",
	"1234567891", "1234567899", "1111111111", "0000000000", "1212121212", "1122334455", "1234512345", "123123123a",
	"123123123123", "112233445566", "1020304050", "123456123456", "147258369a", "5555555555", "7777777777",
	"9999999999", "11223344556", "password12", "password123", "password1234", "password12345", "passwordpassword",
	"passw0rd123", "p@ssw0rd123", "p@ssword123", "mypassword", "newpassword", "changeme123", "letmein123",
	"letmein1234", "welcome123", "welcome1234", "administrator", "admin12345", "admin123456", "administrador",
	"root123456", "test123456", "testtest123", "user123456", "guest12345", "iloveyou12", "iloveyou123",
	"iloveyou1234", "qwertyuiop", "qwerty1234", "qwerty12345", "qwerty123456", "qwertyqwerty", "qwertyuiop123",
	"qwertyuiop[]", "1q2w3e4r5t", "1q2w3e4r5t6y", "q1w2e3r4t5", "q1w2e3r4t5y6", "1qaz2wsx3edc", "1qazxsw23edc",
	"qazwsxedcrfv", "qazwsx1234", "zaq12wsxcde3", "1qaz!qaz2wsx", "asdfghjkl1", "asdfghjkl123", "asdf123456",
	"asdfasdfasdf", "zxcvbnm123", "zxcvbnm1234", "abc1234567", "abcd123456", "abcd1234567", "abcdefghij",
	"aa123456789", "qwe123456789", "1234qwerasdf", "1234qwer1234", "princess123", "sunshine123", "superman123",
	"football123", "baseball123", "basketball", "strawberry", "tinkerbell", "volkswagen", "manchester",
	"liverpool1", "christopher", "samsung1234", "qlalfqjsgh", "qlalfqjsgh1", "dkssudgktpdy", "tkfkdgody12",
};

static bool
is_most_common(const char *password)
{
	for (size_t i = 0; i < sizeof(most_common) / sizeof(most_common[0]); i++)
		if (strcasecmp(password, most_common[i]) == 0)
			return true;
	return false;
}

/* The e-mail, or its part before the @. */
static bool
is_own_email(const char *password, const char *email)
{
	size_t n = strcspn(email, "@");

	return strcasecmp(password, email) == 0 || (strlen(password) == n && strncasecmp(password, email, n) == 0);
}

const char *
password_problem(const char *password, const char *email)
{
	int n = password ? utf8_chars(password) : 0;

	if (n < PASSWORD_MIN || n > PASSWORD_MAX)
		return _("Please choose a password of 10 to 200 characters.");
	if (is_most_common(password))
		return _("This password is too common. Please choose another.");
	if (is_own_email(password, email))
		return _("Please choose a password that is not your email address.");
	return NULL;
}

/* Replaces a password if it is still the one the change was based on, and ends what was opened with it. false: it is
 * not. */
static bool
password_store(struct db *db, int64_t user_id, const char *old_hash, const char *new_hash, const char *except_session)
{
	int changed;

	db_begin(db);
	changed = db_do(db,
		"UPDATE person SET password_hash = $3, updated_at = $4 WHERE user_id = $1 AND password_hash = $2",
		user_id, old_hash, new_hash, clock_now());
	if (changed)
		sessions_drop(db, user_id, except_session);
	return db_commit(db) && changed;
}

static const char *
password_hash_of(struct db *db, int64_t user_id)
{
	return db_text(db, "SELECT password_hash FROM person WHERE user_id = $1", user_id);
}

/* PASSWORD_WRONG also when another request has changed it meanwhile. */
static enum password_outcome
change_own(struct db *db, int64_t user_id, const char *own_token, const char *current, const char *wanted)
{
	const char *hash = password_hash_of(db, user_id);

	if (!password_ok(hash, current))
		return PASSWORD_WRONG;
	if (!password_store(db, user_id, hash, password_hash(db_memory(db), wanted), own_token))
		return PASSWORD_WRONG;
	log_info("password_changed", "user %lld", (long long)user_id);
	return PASSWORD_CHANGED;
}

enum password_outcome
password_change(struct db *db, int64_t user_id, const char *own_token, const char *address, const char *current,
	const char *wanted, int64_t *wait_s)
{
	const char *email = db_text(db, "SELECT email FROM person WHERE user_id = $1", user_id);
	enum password_outcome outcome;

	if (password_problem(wanted, text_or_empty(email)))
		return PASSWORD_WEAK;
	if (!throttle_try(db, email, address, wait_s))
		return PASSWORD_CLOSED;
	outcome = change_own(db, user_id, own_token, current, wanted);
	/* a second click: the first has changed it to the same */
	if (outcome == PASSWORD_WRONG && password_ok(password_hash_of(db, user_id), wanted))
		outcome = PASSWORD_CHANGED;
	if (outcome == PASSWORD_CHANGED)
		throttle_passed(db, email, address);
	return outcome;
}
