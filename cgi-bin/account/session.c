/*
 * session.c - signing in and out.
 *
 * A session is a random token in a cookie; the table keeps its hash, its owner and its absolute end (settings.session_max_s;
 * the idle end is lib's signed cookie). Signing in always begins a new session and ends the one the browser came with, so
 * a token planted before is worth nothing after. A session begins only if the account still has the very password hash that
 * was verified and is not disabled: a password changed in those 60 ms lets nobody in.
 */
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"
#include "account_inside.h"

#include <string.h>

static const struct member session_members[] = {
	SHAPE_TIME(session, created_at), SHAPE_TIME(session, expires_at), SHAPE_BOOL(session, is_this),
};
const struct shape session_shape = SHAPE(session, session_members);

/* Whom a password belongs to. */
struct known {
	int64_t user_id, role_bits;
	const char *email, *name, *phone, *password_hash;
	int lang;
};
static const struct member known_members[] = {
	SHAPE_INT(known, user_id), SHAPE_INT(known, role_bits), SHAPE_TEXT(known, email), SHAPE_TEXT(known, name),
	SHAPE_TEXT(known, phone), SHAPE_TEXT(known, password_hash), SHAPE_STATE(known, lang, account_lang_words),
};
static const struct shape known_shape = SHAPE(known, known_members);

/* --- beginning ------------------------------------------------------------------------------------------------------ */

static bool
find_known(struct db *db, const char *email, struct known *k)
{
	return db_one(db, &known_shape, k,
	              "SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.password_hash, v.roles AS role_bits"
	              " FROM person u JOIN v_user v ON v.user_id = u.user_id WHERE u.email = $1 AND u.disabled = 0", email);
}

static void
introduce(struct signed_in *in, const struct known *k)
{
	in->user_id = k->user_id;
	in->email = k->email;
	in->name = k->name;
	in->phone = k->phone;
	in->lang = k->lang;
	in->role_bits = k->role_bits;
}

/* The slow and careful part, outside of any transaction: nobody and a disabled account are hashed like everybody else. */
static enum sign_in_outcome
verify(struct db *db, const struct sign_in *s, struct known *k, int64_t *wait_s)
{
	bool known;

	if (!throttle_try(db, s->email, s->address, wait_s))
		return SIGN_IN_CLOSED;
	known = find_known(db, s->email, k);
	if (!password_ok(known ? k->password_hash : NULL, s->password))
		return SIGN_IN_REFUSED;
	throttle_passed(db, s->email, s->address);
	return SIGN_IN_OK;
}

static void
drop_one(struct db *db, const char *token)
{
	if (token)
		db_do(db, "DELETE FROM session WHERE token_hash = $1", secret_hash(db_memory(db), token));
}

/* NULL: the account has changed since it was verified. */
static const char *
session_begin(struct db *db, const struct known *k, const char *old_token)
{
	const char *token = secret_token(db_memory(db));
	int64_t now = clock_now();
	int begun;

	db_begin(db);
	begun = db_do(db, "INSERT INTO session (token_hash, user_id, created_at, expires_at)"
	                  " SELECT $1, u.user_id, $3, $4 FROM person u WHERE u.user_id = $2 AND u.password_hash = $5 AND u.disabled = 0",
	              secret_hash(db_memory(db), token), k->user_id, now, now + settings.session_max_s, k->password_hash);
	if (begun) {
		drop_one(db, old_token);
		db_do(db, "DELETE FROM session WHERE expires_at <= $1", now);   /* whoever comes in sweeps the doorstep */
	}
	return db_commit(db) && begun ? token : NULL;
}

enum sign_in_outcome
account_sign_in(struct db *db, const struct sign_in *s, struct signed_in *in)
{
	struct known k = { 0 };
	enum sign_in_outcome outcome = verify(db, s, &k, &in->wait_s);

	if (outcome != SIGN_IN_OK)
		return outcome;
	introduce(in, &k);
	in->token = session_begin(db, &k, s->old_token);
	if (!in->token)
		return SIGN_IN_REFUSED;
	log_info("signed_in", "user %lld", (long long)in->user_id);
	return SIGN_IN_OK;
}

enum sign_in_outcome
account_sign_in_token(struct db *db, const struct sign_in *s, struct signed_in *in)
{
	struct known k = { 0 };
	enum sign_in_outcome outcome = verify(db, s, &k, &in->wait_s);

	if (outcome != SIGN_IN_OK)
		return outcome;
	introduce(in, &k);
	in->token = token_for_sign_in(db, k.user_id, k.password_hash);
	if (!in->token)
		return SIGN_IN_REFUSED;
	log_info("signed_in", "user %lld, a program", (long long)in->user_id);
	return SIGN_IN_OK;
}

/* --- signing up ------------------------------------------------------------------------------------------------------ */

/* The e-mail has an account. Is it the same person once more? Takes as long as making one. */
static enum sign_up_outcome
sign_up_again(struct db *db, const struct sign_in *s, bool session, struct signed_in *in)
{
	struct known k = { 0 };

	switch (verify(db, s, &k, &in->wait_s)) {
	case SIGN_IN_OK:
		introduce(in, &k);
		in->token = session ? session_begin(db, &k, s->old_token) : NULL;
		return session && !in->token ? SIGN_UP_NOT_POSSIBLE : SIGN_UP_AGAIN;
	case SIGN_IN_REFUSED:
		return SIGN_UP_NOT_POSSIBLE;
	case SIGN_IN_CLOSED:
		return SIGN_UP_CLOSED;
	}
	return SIGN_UP_NOT_POSSIBLE;
}

enum sign_up_outcome
account_sign_up(struct db *db, const struct new_account *a, const struct sign_in *s, bool session, struct signed_in *in)
{
	struct known k = { 0 };
	int64_t user_id;

	if (!throttle_sign_up(db, s->address, &in->wait_s))
		return SIGN_UP_CLOSED;
	switch (account_add(db, a, &user_id)) {
	case ACCOUNT_OK:
		break;
	case ACCOUNT_KNOWN:
		return sign_up_again(db, s, session, in);
	case ACCOUNT_WEAK:
		return SIGN_UP_WEAK;
	case ACCOUNT_BAD_EMAIL:         /* the form has asked */
	case ACCOUNT_BAD_NAME:
	case ACCOUNT_NOBODY:
		return SIGN_UP_NOT_POSSIBLE;
	}
	if (!find_known(db, s->email, &k))
		return SIGN_UP_NOT_POSSIBLE;
	introduce(in, &k);
	in->token = session ? session_begin(db, &k, s->old_token) : NULL;
	return SIGN_UP_OK;
}

/* --- ending ---------------------------------------------------------------------------------------------------------- */

void
session_end(struct db *db, const char *token)
{
	db_begin(db);
	drop_one(db, token);
	if (token)
		db_do(db, "UPDATE api_token SET revoked_at = $2 WHERE token_hash = $1 AND name = $3 AND revoked_at = 0",
		      secret_hash(db_memory(db), token), clock_now(), SIGN_IN_TOKEN);
	db_commit(db);
}

void
sessions_drop(struct db *db, int64_t user_id, const char *except_token)
{
	const char *except = except_token ? secret_hash(db_memory(db), except_token) : "";

	db_do(db, "DELETE FROM session WHERE user_id = $1 AND token_hash <> $2", user_id, except);
	db_do(db, "UPDATE api_token SET revoked_at = $3 WHERE user_id = $1 AND name = $2 AND revoked_at = 0 AND token_hash <> $4",
	      user_id, SIGN_IN_TOKEN, clock_now(), except);
}

int
session_end_all(struct db *db, int64_t user_id, const char *except_token)
{
	int64_t before = session_count(db, user_id);

	db_begin(db);
	sessions_drop(db, user_id, except_token);
	db_commit(db);
	log_info("sessions_ended", "user %lld", (long long)user_id);
	return (int)(before - session_count(db, user_id));
}

/* --- looking --------------------------------------------------------------------------------------------------------- */

int64_t
session_count(struct db *db, int64_t user_id)
{
	return db_int(db, "SELECT COUNT(*) FROM session WHERE user_id = $1 AND expires_at > $2", user_id, clock_now());
}

void
session_list(struct db *db, int64_t user_id, const char *this_token, int64_t offset, struct session **s, int *n)
{
	db_list(db, &session_shape, s, n,
	        "SELECT created_at, expires_at, CASE WHEN token_hash = $2 THEN 1 ELSE 0 END AS is_this FROM session"
	        " WHERE user_id = $1 AND expires_at > $3 ORDER BY created_at DESC, token_hash LIMIT 20 OFFSET $4 /*sort*/",
	        user_id, this_token ? secret_hash(db_memory(db), this_token) : "", clock_now(), offset);
}
