/*
 * account.c - one person's record: adding, finding and changing it.
 *
 * E-mails are stored and compared in lower case, and the e-mail of an account never changes. The password of a new
 * account is hashed before the transaction begins; of two at once the unique e-mail lets one through. An account that
 * staff or the command adds counts as confirmed: they vouch for the address.
 */
#include "account.h"

#include "domain/roles.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include "account_inside.h"

#include <string.h>

/* Codes only: the names of languages are not translated. */
static const struct word lang_word[] = {
	[LANG_EN] = { "en", "en" },
	[LANG_KO] = { "ko", "ko" },
};
const struct words account_lang_words = WORDS(lang_word);

static const struct member licence_members[] = {
	SHAPE_TEXT(licence, number), SHAPE_TEXT(licence, expires_on), SHAPE_TEXT(licence, born_on),
};
const struct shape licence_shape = SHAPE(licence, licence_members);

static const struct member account_members[] = {
	SHAPE_INT(account, user_id), SHAPE_TEXT(account, email), SHAPE_TEXT(account, name), SHAPE_TEXT(account, phone),
	SHAPE_STATE(account, lang, account_lang_words), SHAPE_BOOL(account, disabled), SHAPE_INT(account, role_bits),
	SHAPE_TIME(account, created_at), SHAPE_MAYBE(account, licence, licence_shape),
};
const struct shape account_shape = SHAPE(account, account_members);

const struct db_role account_db_role = {
	.name = "account",
	.owns = "person user_role licence session api_token sign_in_throttle mail_link",
};

/* --- checks ------------------------------------------------------------------------------------------------------- */

/* Lower case, one @ with text on both sides, nothing invisible; NULL: not that. The form asks for more; the command has
 * only this. */
static const char *
email_clean(struct arena *m, const char *email)
{
	char *clean = arena_strdup(m, text_or_empty(email));
	const char *at = strchr(clean, '@');
	size_t n = strlen(clean);

	if (n < 3 || n > 254 || !at || at == clean || !at[1] || strchr(at + 1, '@'))
		return NULL;
	for (char *c = clean; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 127)
			return NULL;
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	}
	return clean;
}

bool
account_name_ok(const char *name)
{
	int n = name ? utf8_chars(name) : 0;

	return n >= 1 && n <= 80 && utf8_is_visible_line(name);
}

enum account_outcome
account_check(struct arena *m, const struct new_account *a, const char **email)
{
	*email = email_clean(m, a->email);
	if (!*email)
		return ACCOUNT_BAD_EMAIL;
	if (!account_name_ok(a->name))
		return ACCOUNT_BAD_NAME;
	if (!a->password_hash && password_problem(a->password, *email))
		return ACCOUNT_WEAK;
	return ACCOUNT_OK;
}

/* --- making one --------------------------------------------------------------------------------------------------- */

int64_t
person_insert(struct db *db, const struct new_account *a, const char *email, const char *hash)
{
	int64_t now = clock_now(), user_id;
	int roles = a->roles ? a->roles : ROLE_CUSTOMER;

	if (!db_try(db,
		    "INSERT INTO person (email, name, phone, lang, password_hash, created_at, updated_at,"
		    " email_confirmed_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $6)",
		    email, a->name, text_or_empty(a->phone), lang_code(a->lang), hash, now))
		return 0;
	user_id = db_int(db, "SELECT user_id FROM person WHERE email = $1", email);
	for (int i = 0; i < role_words.n; i++)
		if (roles & (1 << i))
			db_do(db, "INSERT INTO user_role (user_id, role) VALUES ($1, $2)", user_id,
				words_code(&role_words, i));
	return user_id;
}

enum account_outcome
account_add(struct db *db, const struct new_account *a, int64_t *user_id)
{
	const char *email, *hash;
	enum account_outcome outcome = account_check(db_memory(db), a, &email);

	*user_id = 0;
	if (outcome != ACCOUNT_OK)
		return outcome;
	/* before the slow hash; the unique column checks again */
	if (db_exists(db, "SELECT 1 FROM person WHERE email = $1", email))
		return ACCOUNT_KNOWN;
	hash = a->password_hash ? a->password_hash : password_hash(db_memory(db), a->password);
	db_begin(db);
	*user_id = person_insert(db, a, email, hash);
	if (!db_commit(db) || !*user_id)
		return ACCOUNT_KNOWN;
	log_info("account_added", "user %lld", (long long)*user_id);
	return ACCOUNT_OK;
}

/* --- finding one -------------------------------------------------------------------------------------------------- */

static void
find_licence(struct db *db, struct account *a)
{
	struct licence l = { 0 };

	a->licence = NULL;
	if (!db_one(db, &licence_shape, &l, "SELECT number, expires_on, born_on FROM licence WHERE user_id = $1",
		    a->user_id))
		return;
	a->licence = arena_new_of(db_memory(db), struct licence);
	*a->licence = l;
}

bool
account_find(struct db *db, int64_t user_id, struct account *a)
{
	if (!db_one(db, &account_shape, a,
		    "SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.disabled, v.roles AS role_bits, u.created_at"
		    " FROM person u JOIN v_user v ON v.user_id = u.user_id WHERE u.user_id = $1",
		    user_id))
		return false;
	find_licence(db, a);
	return true;
}

bool
account_find_by_email(struct db *db, const char *email, struct account *a)
{
	const char *clean = email_clean(db_memory(db), email);
	int64_t user_id = clean ? db_int(db, "SELECT user_id FROM person WHERE email = $1", clean) : 0;

	return user_id && account_find(db, user_id, a);
}

/* --- changing one ------------------------------------------------------------------------------------------------- */

void
account_save(struct db *db, int64_t user_id, const char *name, const char *phone, int lang)
{
	db_begin(db);
	db_do(db, "UPDATE person SET name = $2, phone = $3, lang = $4, updated_at = $5 WHERE user_id = $1", user_id,
		name, phone, lang_code(lang), clock_now());
	db_commit(db);
}

void
account_set_lang(struct db *db, int64_t user_id, int lang)
{
	db_begin(db);
	db_do(db, "UPDATE person SET lang = $2, updated_at = $3 WHERE user_id = $1 AND lang <> $2", user_id,
		lang_code(lang), clock_now());
	db_commit(db);
}

/* --- the command's ------------------------------------------------------------------------------------------------ */

enum account_outcome
account_set_password(struct db *db, const char *email, const char *password)
{
	struct account a;
	const char *hash;

	if (!account_find_by_email(db, email, &a))
		return ACCOUNT_NO_USER;
	if (password_problem(password, a.email))
		return ACCOUNT_WEAK;
	hash = password_hash(db_memory(db), password);
	db_begin(db);
	db_do(db, "UPDATE person SET password_hash = $2, updated_at = $3 WHERE user_id = $1", a.user_id, hash,
		clock_now());
	sessions_drop(db, a.user_id, NULL);
	if (!db_commit(db))
		return ACCOUNT_NO_USER;
	log_info("password_set", "user %lld", (long long)a.user_id);
	return ACCOUNT_OK;
}

enum account_outcome
account_token(struct db *db, const char *email, const char *name, const char **token)
{
	struct account a;
	int n = utf8_chars(name);

	*token = NULL;
	if (n < 1 || n > 80)
		return ACCOUNT_BAD_NAME;
	if (!account_find_by_email(db, email, &a))
		return ACCOUNT_NO_USER;
	*token = secret_token(db_memory(db));
	db_begin(db);
	token_insert(db, a.user_id, name, *token);
	return db_commit(db) ? ACCOUNT_OK : ACCOUNT_NO_USER;
}
