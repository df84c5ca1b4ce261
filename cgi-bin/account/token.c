/*
 * token.c - API tokens, with which programs act for a person. A token is shown once; the table keeps its hash.
 *
 * A token made from a form is derived from the form's key with our secret: the same form sent twice makes the same
 * token, so a double click leaves one row and still shows what the person must copy. A program's sign-in makes tokens
 * too; they end with the sessions, and the oldest is deleted when there are many.
 */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "account_inside.h"

#include <string.h>

#define SIGN_INS_MAX 50

static const struct member api_token_members[] = {
	SHAPE_INT(api_token, token_id), SHAPE_TEXT(api_token, name), SHAPE_TIME(api_token, created_at),
};
const struct shape api_token_shape = SHAPE(api_token, api_token_members);

int64_t
token_count(struct db *db, int64_t user_id)
{
	return db_int(db, "SELECT COUNT(*) FROM api_token WHERE user_id = $1 AND revoked_at = 0", user_id);
}

int64_t
token_insert(struct db *db, int64_t user_id, const char *name, const char *token)
{
	return db_int(db,
		"INSERT INTO api_token (token_hash, user_id, name, created_at) VALUES ($1, $2, $3, $4)"
		" RETURNING token_id",
		secret_hash(db_memory(db), token), user_id, name, clock_now());
}

void
tokens_drop(struct db *db, int64_t user_id)
{
	db_do(db, "UPDATE api_token SET revoked_at = $2 WHERE user_id = $1 AND revoked_at = 0", user_id, clock_now());
}

/* Did this form make the token before? Then *t is that one. */
static bool
find_made_before(struct db *db, int64_t user_id, struct api_token *t, bool *is_revoked)
{
	const char *hash = secret_hash(db_memory(db), t->token);

	*is_revoked = db_exists(db,
		"SELECT 1 FROM api_token WHERE token_hash = $1 AND user_id = $2 AND revoked_at <> 0", hash, user_id);
	return db_one(db, &api_token_shape, t,
		"SELECT token_id, name, created_at FROM api_token WHERE token_hash = $1 AND user_id = $2", hash,
		user_id);
}

/* Tokens made by hand have a limit; since one may have the name of a sign-in's, both kinds together have one too. */
static bool
has_too_many(struct db *db, int64_t user_id)
{
	return db_int(db, "SELECT COUNT(*) FROM api_token WHERE user_id = $1 AND revoked_at = 0 AND name <> $2",
		       user_id, SIGN_IN_TOKEN)
		>= TOKENS_MAX
		|| token_count(db, user_id) >= TOKENS_MAX + SIGN_INS_MAX;
}

static enum token_outcome
insert_token_once(struct db *db, int64_t user_id, const char *name, struct api_token *t)
{
	bool is_revoked;

	if (find_made_before(db, user_id, t, &is_revoked))
		return is_revoked ? TOKEN_GONE : TOKEN_OK;
	if (has_too_many(db, user_id))
		return TOKEN_TOO_MANY;
	t->token_id = token_insert(db, user_id, name, t->token);
	t->name = name;
	t->created_at = clock_now();
	log_info("token_made", "user %lld, token %lld", (long long)user_id, (long long)t->token_id);
	return TOKEN_OK;
}

enum token_outcome
token_make(struct db *db, int64_t user_id, const char *name, const char *key, struct api_token *t)
{
	struct arena *m = db_memory(db);
	enum token_outcome outcome;

	*t = (struct api_token){ 0 };
	t->token = key && *key ? secret_sign(m, "api_token", arena_printf(m, "%lld:%s", (long long)user_id, key))
			       : secret_token(m);
	db_begin(db);
	outcome = insert_token_once(db, user_id, name, t);
	db_commit(db);
	return outcome;
}

/* Only the newest SIGN_INS_MAX are kept: a program that signs in for every call must not fill the table with valid
 * tokens. */
const char *
token_for_sign_in(struct db *db, int64_t user_id, const char *password_hash)
{
	const char *token = NULL;

	db_begin(db);
	if (db_exists(db, "SELECT 1 FROM person WHERE user_id = $1 AND password_hash = $2 AND disabled = 0", user_id,
		    password_hash)) {
		token = secret_token(db_memory(db));
		token_insert(db, user_id, SIGN_IN_TOKEN, token);
		db_do(db,
			"DELETE FROM api_token WHERE user_id = $1 AND name = $2 AND token_id <="
			" (SELECT t.token_id FROM api_token t WHERE t.user_id = $1 AND t.name = $2"
			" ORDER BY t.token_id DESC LIMIT 1 OFFSET $3)",
			user_id, SIGN_IN_TOKEN, SIGN_INS_MAX);
	}
	return db_commit(db) ? token : NULL;
}

/* --- listing and revoking ----------------------------------------------------------------------------------------- */

void
token_list(struct db *db, int64_t user_id, int64_t offset, struct api_token **t, int *n)
{
	db_list(db, &api_token_shape, t, n,
		"SELECT token_id, name, created_at FROM api_token WHERE user_id = $1 AND revoked_at = 0"
		" ORDER BY token_id DESC LIMIT 20 OFFSET $2",
		user_id, offset);
}

bool
token_revoke(struct db *db, int64_t user_id, int64_t token_id)
{
	bool theirs;

	db_begin(db);
	db_do(db, "UPDATE api_token SET revoked_at = $3 WHERE token_id = $1 AND user_id = $2 AND revoked_at = 0",
		token_id, user_id, clock_now());
	theirs = db_exists(db, "SELECT 1 FROM api_token WHERE token_id = $1 AND user_id = $2", token_id, user_id);
	db_commit(db);
	if (theirs)
		log_info("token_revoked", "user %lld, token %lld", (long long)user_id, (long long)token_id);
	return theirs;
}
