/*
 * reset.c - a forgotten password: a link by mail, and the new password.
 *
 * Asking takes the same steps for every e-mail: a row and an event are written for one without an account too, and
 * message, which finds no recipient, sends nothing. Setting the password ends everything that was opened with the old
 * one, API tokens made by hand too: a person who has lost control of an account gets it back with this.
 */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "account_inside.h"

/* --- asking for the link ------------------------------------------------------------------------------------------ */

bool
account_forgot(struct db *db, const struct link_request *r, struct link_asked *asked)
{
	struct new_link l = { .purpose = LINK_RESET, .request = r };

	if (!throttle_link(db, r->email, r->address, &asked->wait_s))
		return false;
	db_begin(db);
	l.user_id = db_int(db, "SELECT user_id FROM person WHERE email = $1 AND disabled = 0", r->email);
	link_add(db, &l, asked);
	db_commit(db);
	return true;
}

enum send_reset_outcome
account_send_reset(struct db *db, int64_t user_id, int64_t actor_id, const char *key, struct link_asked *asked)
{
	struct account a;
	struct link_request r = { .next = "/", .key = key };

	if (!account_find(db, user_id, &a))
		return SEND_RESET_NO_USER;
	if (a.disabled)
		return SEND_RESET_DISABLED;
	if (!throttle_link(db, a.email, NULL, &asked->wait_s))
		return SEND_RESET_CLOSED;
	r.email = a.email;
	r.lang = a.lang;
	db_begin(db);
	link_add(db,
		&(struct new_link){ .purpose = LINK_RESET, .user_id = user_id, .request = &r, .actor_id = actor_id },
		asked);
	db_commit(db);
	log_info("reset_sent", "user %lld, by %lld", (long long)user_id, (long long)actor_id);
	return SEND_RESET_OK;
}

/* --- the new password --------------------------------------------------------------------------------------------- */

static bool
claim_link(struct db *db, const struct mail_link *l, const struct link_use *u)
{
	return db_do(db,
		"UPDATE mail_link SET used_at = $2, used_by = $3 WHERE link_id = $1 AND used_at = 0 AND expires_at > $2"
		" AND EXISTS (SELECT 1 FROM person u WHERE u.user_id = mail_link.user_id AND u.disabled = 0)",
		l->link_id, clock_now(), u->key && *u->key ? secret_hash(db_memory(db), u->key) : "");
}

/* false: another request was first. */
static bool
store_new(struct db *db, const struct mail_link *l, const struct link_use *u, const char *hash)
{
	bool claimed;

	db_begin(db);
	claimed = claim_link(db, l, u);
	if (claimed) {
		db_do(db,
			"UPDATE person SET password_hash = $2, updated_at = $3, email_confirmed_at ="
			" CASE WHEN email_confirmed_at = 0 THEN $3 ELSE email_confirmed_at END WHERE user_id = $1",
			l->user_id, hash, clock_now());
		sessions_drop(db, l->user_id, NULL);
		tokens_drop(db, l->user_id);
		throttle_forget(db, l->email);
	}
	return db_commit(db) && claimed;
}

/* The second click on the form that has set this very password. */
static bool
is_set_already(struct db *db, const struct link_use *u, struct mail_link *l)
{
	return link_find(db, u->token, l) && link_is_second_click(db, l, u)
		&& password_ok(
			db_text(db, "SELECT password_hash FROM person WHERE user_id = $1", l->user_id), u->password);
}

enum link_outcome
account_reset(struct db *db, const struct link_use *u, struct signed_in *in)
{
	struct mail_link l;

	if (!link_find(db, u->token, &l) || l.purpose == LINK_SIGN_UP || !l.user_id)
		return LINK_OVER;
	if (password_problem(u->password, l.email))
		return LINK_WEAK;
	if (link_is_open(&l) && store_new(db, &l, u, password_hash(db_memory(db), u->password)))
		log_info("password_reset", "user %lld", (long long)l.user_id);
	else if (!is_set_already(db, u, &l))
		return LINK_OVER;
	signed_in_begin(db, l.user_id, u->session, u->old_token, in);
	return LINK_DONE;
}
