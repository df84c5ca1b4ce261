/*
 * link.c - the links that are sent by mail: each works once, for half an hour.
 *
 * A link's token is in the mail alone (domain/mail_links.h); here are its hash and, until it is confirmed, what a
 * sign-up needs. A link is added and reported in one transaction, and message sends it. Links that ended a day ago are
 * deleted whenever one is added and at every sign-in, a hundred at a time, so there is never a long list of
 * addresses of people who have no account.
 */
#include "domain/mail_links.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/secret.h"
#include "account_inside.h"

#define KEPT_S         DAY
#define SWEEP_MAX      100
#define SECOND_CLICK_S 60

static const struct member mail_link_members[] = {
	SHAPE_INT(mail_link, link_id), SHAPE_INT(mail_link, user_id), SHAPE_TIME(mail_link, expires_at),
	SHAPE_TIME(mail_link, used_at), SHAPE_STATE(mail_link, purpose, link_words), SHAPE_TEXT(mail_link, email),
	SHAPE_TEXT(mail_link, name), SHAPE_TEXT(mail_link, phone), SHAPE_TEXT(mail_link, password_hash),
	SHAPE_TEXT(mail_link, next), SHAPE_TEXT(mail_link, used_by),
	SHAPE_STATE(mail_link, lang, account_lang_words),
};
static const struct shape mail_link_shape = SHAPE(mail_link, mail_link_members);

/* --- adding one --------------------------------------------------------------------------------------------------- */

/* Of one form always the same, so that its second click finds the row of the first. Who knows the key cannot make it:
 * it is hashed with the secret key. */
static const char *
seed_of(struct arena *m, const struct new_link *l)
{
	const char *key = l->request->key;

	if (!key || !*key)
		return secret_token(m);
	return secret_sign(m, "mail_link_seed",
		arena_printf(m, "%s %lld %s %s", words_code(&link_words, (int)l->purpose), (long long)l->actor_id,
			l->request->email, key));
}

void
link_add(struct db *db, const struct new_link *l, struct link_asked *asked)
{
	struct arena *m = db_memory(db);
	const char *seed = seed_of(m, l), *purpose = words_code(&link_words, (int)l->purpose);
	bool is_sign_up = l->purpose == LINK_SIGN_UP;
	int64_t now = clock_now(), link_id;

	links_sweep(db);
	link_id = db_int(db,
		"INSERT INTO mail_link (purpose, seed, token_hash, user_id, email, name, phone, password_hash, lang,"
		" next, created_at, expires_at)"
		" VALUES ($1, $2, $3, NULLIF($4, 0), $5, $6, $7, $8, $9, $10, $11, $12)"
		" ON CONFLICT (seed) DO NOTHING RETURNING link_id",
		purpose, seed, secret_hash(m, mail_link_token(m, seed)), l->user_id,
		is_sign_up ? l->request->email : "", is_sign_up ? l->account.name : "",
		is_sign_up ? text_or_empty(l->account.phone) : "", is_sign_up ? l->account.password_hash : "",
		lang_code(l->request->lang), l->request->next, now, now + MAIL_LINK_S);
	if (link_id)
		account_report_link(db, link_id, l->purpose, l->actor_id);
	asked->purpose = l->purpose;
	asked->user_id = l->user_id;
	asked->path = mail_link_path(m, purpose, seed);
}

void
links_sweep(struct db *db)
{
	db_do(db,
		"DELETE FROM mail_link WHERE link_id IN (SELECT l.link_id FROM mail_link l WHERE l.expires_at < $1"
		" ORDER BY l.expires_at LIMIT $2)",
		clock_now() - KEPT_S, SWEEP_MAX);
}

/* --- using one ---------------------------------------------------------------------------------------------------- */

bool
link_find(struct db *db, const char *token, struct mail_link *l)
{
	return db_one(db, &mail_link_shape, l,
		"SELECT l.link_id, COALESCE(l.user_id, 0) AS user_id, l.expires_at, l.used_at, l.purpose,"
		" COALESCE((SELECT u.email FROM person u WHERE u.user_id = l.user_id), l.email) AS email,"
		" l.name, l.phone, l.password_hash, l.next, l.used_by, l.lang"
		" FROM mail_link l WHERE l.token_hash = $1",
		secret_hash(db_memory(db), token));
}

bool
link_is_open(const struct mail_link *l)
{
	return l->used_at == 0 && l->expires_at > clock_now();
}

bool
link_is_second_click(struct db *db, const struct mail_link *l, const struct link_use *u)
{
	return l->used_at && l->used_at > clock_now() - SECOND_CLICK_S && u->key && *u->key
		&& secret_same(l->used_by, secret_hash(db_memory(db), u->key));
}

/* Of links that are open: one that has expired stays as it was. */
void
links_void(struct db *db, int64_t user_id)
{
	db_do(db, "UPDATE mail_link SET used_at = $2 WHERE user_id = $1 AND used_at = 0 AND expires_at > $2", user_id,
		clock_now());
}
