/*
 * account.c - one person's record: how it comes to be, how it is found, what they may change themselves.
 *
 * E-mails are kept in lower case and compared so; an account belongs to whoever knows its password, and its e-mail never
 * changes. A new account is hashed before the transaction begins, and the unique e-mail decides between two at once.
 */
#include "account.h"

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include "account_inside.h"

#include <string.h>

/* Codes only: a language is shown in its own words, which are not translated. */
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
	.owns = "person user_role licence session api_token sign_in_throttle",
};

/* --- what is refused ----------------------------------------------------------------------------------------------- */

/* Lower case, one @ with something on both sides, nothing invisible. The form asks more; this keeps the command honest. */
static const char *
email_clean(struct arena *m, const char *email)
{
	char *clean = arena_strdup(m, email ? email : "");
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

int
text_chars(const char *s)
{
	int n = 0, step;

	for (; *s; s += step, n++)
		if ((step = utf8_length(s)) == 0)
			return -1;
	return n;
}

bool
account_name_ok(const char *name)
{
	int n = name ? text_chars(name) : 0;

	return n >= 1 && n <= 80 && utf8_is_visible_line(name);
}

static enum account_outcome
refused(struct arena *m, const struct new_account *a, const char **email)
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

/* --- making one ---------------------------------------------------------------------------------------------------- */

/* 0: the e-mail has an account. */
static int64_t
insert(struct db *db, const struct new_account *a, const char *email, const char *hash)
{
	int64_t now = clock_now(), user_id = 0;
	int roles = a->roles ? a->roles : 1 << ROLE_NUMBER_CUSTOMER;

	db_begin(db);
	if (db_try(db, "INSERT INTO person (email, name, phone, lang, password_hash, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
	           email, a->name, a->phone ? a->phone : "", lang_code(a->lang), hash, now)) {
		user_id = db_int(db, "SELECT user_id FROM person WHERE email = $1", email);
		for (int i = 0; i < role_words.n; i++)
			if (roles & (1 << i))
				db_do(db, "INSERT INTO user_role (user_id, role) VALUES ($1, $2)", user_id, words_code(&role_words, i));
	}
	return db_commit(db) ? user_id : 0;
}

enum account_outcome
account_add(struct db *db, const struct new_account *a, int64_t *user_id)
{
	const char *email, *hash;
	enum account_outcome outcome = refused(db_memory(db), a, &email);

	*user_id = 0;
	if (outcome != ACCOUNT_OK)
		return outcome;
	/* asked before the slow hash; the unique column asks again */
	if (db_exists(db, "SELECT 1 FROM person WHERE email = $1", email))
		return ACCOUNT_KNOWN;
	hash = a->password_hash ? a->password_hash : password_hash(db_memory(db), a->password);
	*user_id = insert(db, a, email, hash);
	if (!*user_id)
		return ACCOUNT_KNOWN;
	log_info("account_added", "user %lld", (long long)*user_id);
	return ACCOUNT_OK;
}

/* --- finding one --------------------------------------------------------------------------------------------------- */

static void
find_licence(struct db *db, struct account *a)
{
	struct licence l = { 0 };

	a->licence = NULL;
	if (!db_one(db, &licence_shape, &l, "SELECT number, expires_on, born_on FROM licence WHERE user_id = $1", a->user_id))
		return;
	a->licence = arena_new_of(db_memory(db), struct licence);
	*a->licence = l;
}

bool
account_find(struct db *db, int64_t user_id, struct account *a)
{
	if (!db_one(db, &account_shape, a,
	            "SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.disabled, v.roles AS role_bits, u.created_at"
	            " FROM person u JOIN v_user v ON v.user_id = u.user_id WHERE u.user_id = $1", user_id))
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

/* --- changing one -------------------------------------------------------------------------------------------------- */

void
account_save(struct db *db, int64_t user_id, const char *name, const char *phone, int lang)
{
	db_begin(db);
	db_do(db, "UPDATE person SET name = $2, phone = $3, lang = $4, updated_at = $5 WHERE user_id = $1",
	      user_id, name, phone, lang_code(lang), clock_now());
	db_commit(db);
}

void
account_speak(struct db *db, int64_t user_id, int lang)
{
	db_begin(db);
	db_do(db, "UPDATE person SET lang = $2, updated_at = $3 WHERE user_id = $1 AND lang <> $2", user_id, lang_code(lang), clock_now());
	db_commit(db);
}

const char *
role_codes(struct arena *m, int64_t role_bits)
{
	struct buf b = { .m = m };

	for (int i = 0; i < role_words.n; i++) {
		if (!(role_bits & (1 << i)))
			continue;
		buf_puts(&b, b.n ? "," : "[");
		json_put_text(&b, words_code(&role_words, i));
	}
	buf_puts(&b, b.n ? "]" : "[]");
	return b.s;
}

const char *
role_names(struct arena *m, int64_t role_bits)
{
	struct buf b = { .m = m };

	buf_puts(&b, "");
	for (int i = 0; i < role_words.n; i++)
		if (role_bits & (1 << i))
			buf_printf(&b, "%s%s", b.n ? ", " : "", _(role_words.word[i].label));
	return b.s;
}
