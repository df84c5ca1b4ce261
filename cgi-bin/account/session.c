/*
 * session.c - the sessions of browsers, and ending them.
 *
 * A session is a random token in a cookie; the table keeps its hash, its owner and its absolute end
 * (settings.session_max_s; the idle end is in lib's signed cookie). A session begins only if the account still has the
 * password hash that was verified and is not disabled: the slow hash is computed outside the transaction, and the
 * password may change meanwhile.
 */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"
#include "account_inside.h"

static const struct member session_members[] = {
	SHAPE_TIME(session, created_at), SHAPE_TIME(session, expires_at), SHAPE_BOOL(session, is_this),
};
const struct shape session_shape = SHAPE(session, session_members);

/* --- beginning ---------------------------------------------------------------------------------------------------- */

static void
drop_session(struct db *db, const char *token)
{
	if (token)
		db_do(db, "DELETE FROM session WHERE token_hash = $1", secret_hash(db_memory(db), token));
}

const char *
session_begin(struct db *db, int64_t user_id, const char *password_hash, const char *old_token)
{
	const char *token = secret_token(db_memory(db));
	int64_t now = clock_now();
	int begun;

	db_begin(db);
	begun = db_do(db,
		"INSERT INTO session (token_hash, user_id, created_at, expires_at)"
		" SELECT $1, u.user_id, $3, $4 FROM person u WHERE u.user_id = $2 AND u.password_hash = $5"
		" AND u.disabled = 0",
		secret_hash(db_memory(db), token), user_id, now, now + settings.session_max_s, password_hash);
	if (begun) {
		drop_session(db, old_token);
		db_do(db, "DELETE FROM session WHERE expires_at <= $1", now);
		links_sweep(db);
	}
	return db_commit(db) && begun ? token : NULL;
}

/* --- ending ------------------------------------------------------------------------------------------------------- */

void
session_end(struct db *db, const char *token)
{
	db_begin(db);
	drop_session(db, token);
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
	db_do(db,
		"UPDATE api_token SET revoked_at = $3 WHERE user_id = $1 AND name = $2 AND revoked_at = 0"
		" AND token_hash <> $4",
		user_id, SIGN_IN_TOKEN, clock_now(), except);
	links_void(db, user_id);
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

/* --- listing ------------------------------------------------------------------------------------------------------ */

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
		" WHERE user_id = $1 AND expires_at > $3 ORDER BY created_at DESC, token_hash"
		" LIMIT 20 OFFSET $4 /*sort*/",
		user_id, this_token ? secret_hash(db_memory(db), this_token) : "", clock_now(), offset);
}
