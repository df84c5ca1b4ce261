/*
 * link - mails with a link to confirm a sign-up or to set a password.
 *
 * The event has only the link's id; address and seed are in account's v_mail_link. The message is stored without the
 * token, which is derived when the mail is sent (domain/mail_links.h), so that neither the delivery log nor a copy of
 * the database gives access to an account. Such a mail is not in the inbox: its reader is signed in already.
 */
#include "message.h"

#include "domain/mail_links.h"
#include "lib/base/lang.h"
#include "lib/base/settings.h"

#include <stdlib.h>
#include <string.h>

/* A link that is used already, as in test mode before the mail is written, is mailed all the same. The text has no
 * name: it may have been typed by another person, to have us mail it to a stranger. */
static bool
find_recipient(struct db *db, int64_t link_id, struct recipient *to)
{
	return db_one(db, &recipient_shape, to,
		"SELECT COALESCE(l.user_id, 0) AS user_id, COALESCE(u.email, l.email) AS email, '' AS name,"
		" COALESCE(u.lang, l.lang) AS lang"
		" FROM v_mail_link l LEFT JOIN v_user u ON u.user_id = l.user_id"
		" WHERE l.link_id = $1 AND l.expires_at > $2 AND COALESCE(u.disabled, 0) = 0",
		link_id, clock_now());
}

bool
link_notify(struct db *db, const struct event *e, int kind, const struct facts *t)
{
	struct preference p = { .inbox = false, .email = true };
	struct recipient to;

	if (!message_texts_open())
		return db_fail(db, "cannot use the templates of messages"), false;
	if (!find_recipient(db, t->link_id, &to) || !*to.email)
		return !db_failed(db);
	return message_write(db, e, kind, &to, &p);
}

int64_t
link_expires_at(struct db *db, int64_t link_id)
{
	return db_int(db, "SELECT expires_at FROM v_mail_link WHERE link_id = $1", link_id);
}

struct open_link { const char *purpose, *seed; };
static const struct member open_link_members[] = { SHAPE_TEXT(open_link, purpose), SHAPE_TEXT(open_link, seed) };
static const struct shape open_link_shape = SHAPE(open_link, open_link_members);

const char *
link_url(struct db *db, const char *subject_id)
{
	struct arena *m = db_memory(db);
	struct open_link l;

	if (strncmp(subject_id, "link:", 5) != 0
		|| !db_one(db, &open_link_shape, &l,
			"SELECT purpose, seed FROM v_mail_link WHERE link_id = $1 AND expires_at > $2",
			(int64_t)strtoll(subject_id + 5, NULL, 10), clock_now()))
		return NULL;
	return arena_printf(m, "%s%s", settings.base_url, mail_link_path(m, l.purpose, l.seed));
}
