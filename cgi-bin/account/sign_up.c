/*
 * sign_up.c - signing up: a pending request, and the account when its link is opened.
 *
 * Of several requests with one e-mail the first that is confirmed makes the account, with the password typed in that
 * one; the others are over. A mail to an e-mail that has an account says so, with a link to set a new password.
 */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "account_inside.h"

/* A disabled account is known too, but no mail is sent. */
static void
add_request(struct db *db, const struct new_account *a, const struct link_request *r, struct link_asked *asked)
{
	struct new_link l = { .purpose = LINK_SIGN_UP, .account = *a, .request = r };

	db_begin(db);
	if (db_exists(db, "SELECT 1 FROM person WHERE email = $1", r->email)) {
		l.purpose = LINK_KNOWN;
		l.user_id = db_int(db, "SELECT user_id FROM person WHERE email = $1 AND disabled = 0", r->email);
	}
	link_add(db, &l, asked);
	db_commit(db);
}

enum sign_up_outcome
account_sign_up(struct db *db, const struct new_account *a, const struct link_request *r, struct link_asked *asked)
{
	struct link_request request = *r;
	struct new_account account = *a;

	if (account_check(db_memory(db), a, &request.email) != ACCOUNT_OK) /* the form has checked e-mail and name */
		return SIGN_UP_WEAK;
	if (!throttle_link(db, request.email, r->address, &asked->wait_s))
		return SIGN_UP_CLOSED;
	account.password_hash = password_hash(db_memory(db), a->password); /* of a known e-mail too: the same time */
	add_request(db, &account, &request, asked);
	return SIGN_UP_OK;
}

/* --- confirming it ------------------------------------------------------------------------------------------------ */

/* This one and the others with the same e-mail. The personal data are in the account from now on, or not needed. */
static void
end_requests(struct db *db, const struct mail_link *l, const struct link_use *u)
{
	db_do(db, "DELETE FROM mail_link WHERE email = $1 AND email <> '' AND expires_at <= $2", l->email, clock_now());
	db_do(db,
		"UPDATE mail_link SET used_at = $2, used_by = CASE WHEN link_id = $4 THEN $5 ELSE '' END, user_id = $3,"
		" email = '', name = '', phone = '', password_hash = '' WHERE email = $1 AND email <> ''",
		l->email, clock_now(), l->user_id, l->link_id,
		u->key && *u->key ? secret_hash(db_memory(db), u->key) : "");
}

static enum link_outcome
confirm_once(struct db *db, const struct link_use *u, struct mail_link *l)
{
	struct new_account a;

	if (!link_find(db, u->token, l) || l->purpose != LINK_SIGN_UP)
		return LINK_OVER;
	if (link_is_second_click(db, l, u))
		return LINK_DONE;
	if (!link_is_open(l))
		return LINK_OVER;
	a = (struct new_account){ .name = l->name, .phone = l->phone, .lang = l->lang };
	l->user_id = person_insert(db, &a, l->email, l->password_hash);
	if (l->user_id) {
		end_requests(db, l, u);
		return LINK_DONE;
	}
	l->user_id = db_int(db, "SELECT user_id FROM person WHERE email = $1", l->email);
	end_requests(db, l, u);
	return LINK_TAKEN;
}

enum link_outcome
account_confirm(struct db *db, const struct link_use *u, struct signed_in *in)
{
	enum link_outcome outcome;
	struct mail_link l;

	db_begin(db);
	outcome = confirm_once(db, u, &l);
	if (!db_commit(db) || outcome != LINK_DONE)
		return outcome;
	log_info("account_added", "user %lld, confirmed by mail", (long long)l.user_id);
	signed_in_begin(db, l.user_id, u->session, u->old_token, in);
	return LINK_DONE;
}
