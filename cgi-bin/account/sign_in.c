/*
 * sign_in.c - signing in.
 *
 * Signing in always begins a new session and ends the one the browser came with, so a token planted before is useless
 * after. A program gets an API token instead of a session.
 */
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "account_inside.h"

/* The account that signs in. */
struct sign_in_account {
	int64_t user_id, role_bits;
	const char *email, *name, *phone, *password_hash;
	int lang;
};
static const struct member sign_in_account_members[] = {
	SHAPE_INT(sign_in_account, user_id), SHAPE_INT(sign_in_account, role_bits), SHAPE_TEXT(sign_in_account, email),
	SHAPE_TEXT(sign_in_account, name), SHAPE_TEXT(sign_in_account, phone),
	SHAPE_TEXT(sign_in_account, password_hash), SHAPE_STATE(sign_in_account, lang, account_lang_words),
};
static const struct shape sign_in_account_shape = SHAPE(sign_in_account, sign_in_account_members);

/* --- signing in --------------------------------------------------------------------------------------------------- */

static bool
find_enabled(struct db *db, const char *email, struct sign_in_account *a)
{
	return db_one(db, &sign_in_account_shape, a,
		"SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.password_hash, v.roles AS role_bits"
		" FROM person u JOIN v_user v ON v.user_id = u.user_id WHERE u.email = $1 AND u.disabled = 0",
		email);
}

static void
fill_signed_in(struct signed_in *in, const struct sign_in_account *a)
{
	in->user_id = a->user_id;
	in->email = a->email;
	in->name = a->name;
	in->phone = a->phone;
	in->lang = a->lang;
	in->role_bits = a->role_bits;
}

/* Slow, so never inside a transaction. An unknown or disabled account costs one hash too, so the time reveals
 * nothing. */
static enum sign_in_outcome
verify(struct db *db, const struct sign_in *s, struct sign_in_account *a, int64_t *wait_s)
{
	bool is_found;

	if (!throttle_try(db, s->email, s->address, wait_s))
		return SIGN_IN_CLOSED;
	is_found = find_enabled(db, s->email, a);
	if (!password_ok(is_found ? a->password_hash : NULL, s->password))
		return SIGN_IN_REFUSED;
	throttle_passed(db, s->email, s->address);
	return SIGN_IN_OK;
}

enum sign_in_outcome
account_sign_in(struct db *db, const struct sign_in *s, struct signed_in *in)
{
	struct sign_in_account of = { 0 };
	enum sign_in_outcome outcome = verify(db, s, &of, &in->wait_s);

	if (outcome != SIGN_IN_OK)
		return outcome;
	fill_signed_in(in, &of);
	in->token = session_begin(db, of.user_id, of.password_hash, s->old_token);
	if (!in->token)
		return SIGN_IN_REFUSED;
	log_info("signed_in", "user %lld", (long long)in->user_id);
	return SIGN_IN_OK;
}

enum sign_in_outcome
account_sign_in_token(struct db *db, const struct sign_in *s, struct signed_in *in)
{
	struct sign_in_account of = { 0 };
	enum sign_in_outcome outcome = verify(db, s, &of, &in->wait_s);

	if (outcome != SIGN_IN_OK)
		return outcome;
	fill_signed_in(in, &of);
	in->token = token_for_sign_in(db, of.user_id, of.password_hash);
	if (!in->token)
		return SIGN_IN_REFUSED;
	log_info("signed_in", "user %lld, a program", (long long)in->user_id);
	return SIGN_IN_OK;
}

/* --- after a link ------------------------------------------------------------------------------------------------- */

void
signed_in_begin(struct db *db, int64_t user_id, bool session, const char *old_token, struct signed_in *in)
{
	const char *email = db_text(db, "SELECT email FROM person WHERE user_id = $1", user_id);
	struct sign_in_account of = { 0 };

	if (!email || !find_enabled(db, email, &of))
		return;
	fill_signed_in(in, &of);
	in->token = session ? session_begin(db, of.user_id, of.password_hash, old_token) : NULL;
}
