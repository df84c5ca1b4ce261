/* message - writes messages, in the transaction that handles their event; and the inbox. */
#include "message.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/mail/mail.h"

#include <string.h>

static const struct member message_members[] = {
	SHAPE_INT(message, message_id), SHAPE_INT(message, event_id), SHAPE_INT(message, recipient_id),
	SHAPE_STATE(message, kind, message_kind_words), SHAPE_TEXT(message, subject_id), SHAPE_TEXT(message, lang),
	SHAPE_TEXT(message, title), SHAPE_TEXT(message, body), SHAPE_TEXT(message, snippet), SHAPE_TEXT(message, link),
	SHAPE_TEXT(message, email), SHAPE_BOOL(message, in_inbox), SHAPE_BOOL(message, is_unread),
	SHAPE_TIME(message, read_at), SHAPE_TIME(message, created_at),
};
const struct shape message_shape = SHAPE(message, message_members);

/* The program was down for long, or the log was replayed: the message is in the inbox with the event's date, and not
 * mailed. */
static bool
is_old(const struct event *e)
{
	return e->occurred_at && e->occurred_at < clock_now() - MAILED_FOR_S;
}

/* --- writing one -------------------------------------------------------------------------------------------------- */

static const struct member recipient_members[] = {
	SHAPE_INT(recipient, user_id), SHAPE_TEXT(recipient, email), SHAPE_TEXT(recipient, name),
	SHAPE_TEXT(recipient, lang),
};
const struct shape recipient_shape = SHAPE(recipient, recipient_members);

/* In the recipient's language. */
static bool
render_for(struct db *db, const struct event *e, int kind, const struct recipient *to, struct facts *t,
	struct message_text *text)
{
	int before = lang_now(), lang = lang_find(to->lang);
	bool ok;

	if (lang < 0)
		lang = LANG_EN;
	lang_set(lang);
	ok = facts_read(db, e, lang, t);
	if (ok) {
		t->name = to->name;
		*text = message_render(db_memory(db), kind, lang, t);
	}
	lang_set(before);
	return ok;
}

/* At most n_chars characters, as the schema counts them. */
static const char *
truncated(struct arena *m, const char *s, int n_chars)
{
	const char *end = s;

	for (; *end && n_chars > 0; n_chars--)
		for (end++; ((unsigned char)*end & 0xC0) == 0x80; end++)
			;
	return *end ? arena_strndup(m, s, (size_t)(end - s)) : s;
}

bool
message_write(struct db *db, const struct event *e, int kind, const struct recipient *to, const struct preference *p)
{
	struct message_text text;
	int64_t message_id, now = clock_now();
	bool is_mailed = p->email && mail_is_address(to->email) && !is_old(e);
	struct facts t;

	if (!p->inbox && !is_mailed)
		return true;
	if (!render_for(db, e, kind, to, &t, &text))
		return false;
	message_id = db_int(db,
		"INSERT INTO message (event_id, recipient_id, kind, subject_id, lang, title, body, link, in_inbox,"
		" email, state, next_at, created_at,"
		" settled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
		" ON CONFLICT (event_id, recipient_id, kind) DO NOTHING RETURNING message_id",
		e->event_id, to->user_id, message_kinds[kind].kind, *t.code ? t.code : e->subject_id, to->lang,
		truncated(db_memory(db), text.title, 200), truncated(db_memory(db), text.body, 10000), t.link, p->inbox,
		is_mailed ? to->email : "", is_mailed ? "QUEUED" : "SENT", now, is_old(e) ? e->occurred_at : now,
		is_mailed ? (int64_t)0 : now);
	if (message_id && !is_mailed)
		message_report(db, EVENT_MESSAGE_SENT,
			&(struct message_result){ .message_id = message_id, .channel = "inbox", .reply = "" }, 0);
	return !db_failed(db);
}

bool
message_notify_one(struct db *db, const struct event *e, int kind, int64_t user_id)
{
	struct preference p = preference_of(db, user_id, message_kinds[kind].topic);
	struct recipient to;

	if (!message_texts_open())
		return db_fail(db, "cannot use the templates of messages"), false;
	if (!db_one(db, &recipient_shape, &to,
		    "SELECT user_id, email, name, lang FROM v_user WHERE user_id = $1 AND disabled = 0", user_id))
		return true; /* the account is gone */
	return message_write(db, e, kind, &to, &p);
}

/* Everyone who holds one of the roles, except the person who asked. */
static bool
notify_staff(struct db *db, const struct event *e, int kind, const char *role, const char *or_role, int64_t except_id)
{
	struct recipient *list;
	int n = 0;

	db_list(db, &recipient_shape, &list, &n,
		"SELECT DISTINCT user_id FROM v_role_holder WHERE role IN ($1, $2) AND user_id <> $3"
		" ORDER BY user_id /*sort*/",
		role, or_role, except_id);
	for (int i = 0; i < n; i++)
		if (!message_notify_one(db, e, kind, list[i].user_id))
			return false;
	return !db_failed(db);
}

bool
message_notify(struct db *db, const struct event *e, int kind)
{
	const struct message_kind *k = &message_kinds[kind];
	struct facts t;

	if (!facts_read(db, e, LANG_EN, &t))
		return false;
	if (k->applies && !k->applies(db, e, &t))
		return !db_failed(db);
	switch (k->audience) {
	case TO_CUSTOMER: return message_notify_one(db, e, kind, t.customer_id);
	case TO_MANAGERS: return notify_staff(db, e, kind, "manager", "manager", 0);
	case TO_LINK: return link_notify(db, e, kind, &t);
	case TO_REVIEWERS: return notify_staff(db, e, kind, "manager", "examiner", t.applicant_id);
	}
	return true;
}

/* --- the inbox ---------------------------------------------------------------------------------------------------- */

struct inbox
message_count(struct db *db, int64_t user_id)
{
	return (struct inbox){
		.n_total = db_int(db, "SELECT COUNT(*) FROM message WHERE recipient_id = $1 AND in_inbox = 1", user_id),
		.n_unread = db_int(db,
			"SELECT COUNT(*) FROM message WHERE recipient_id = $1 AND in_inbox = 1 AND read_at = 0",
			user_id),
	};
}

static const char *
snippet_of(struct arena *m, const char *body)
{
	const char *start = strstr(body, "\n\n");

	start = start ? start + 2 : body;
	return arena_strndup(m, start, strcspn(start, "\n"));
}

void
message_list(
	struct db *db, int64_t user_id, bool only_unread, int64_t offset, int64_t limit, struct message **list, int *n)
{
	db_list(db, &message_shape, list, n,
		"SELECT message_id, event_id, recipient_id, kind, subject_id, lang, title, body, link,"
		" read_at = 0 AS is_unread, read_at, created_at"
		" FROM message WHERE recipient_id = $1 AND in_inbox = 1 AND (read_at = 0 OR $2 = 0)"
		" ORDER BY message_id DESC LIMIT $3 OFFSET $4",
		user_id, only_unread, limit, offset);
	for (int i = 0; i < *n; i++)
		(*list)[i].snippet = snippet_of(db_memory(db), (*list)[i].body);
}

bool
message_find(struct db *db, int64_t user_id, int64_t message_id, struct message *msg)
{
	return db_one(db, &message_shape, msg,
		"SELECT message_id, event_id, recipient_id, kind, subject_id, lang, title, body, link,"
		" read_at = 0 AS is_unread, read_at, created_at"
		" FROM message WHERE message_id = $1 AND recipient_id = $2 AND in_inbox = 1",
		message_id, user_id);
}

bool
message_read(struct db *db, int64_t user_id, int64_t message_id)
{
	db_do(db,
		"UPDATE message SET read_at = $3 WHERE message_id = $1 AND recipient_id = $2 AND in_inbox = 1"
		" AND read_at = 0",
		message_id, user_id, clock_now());
	return db_exists(db, "SELECT 1 FROM message WHERE message_id = $1 AND recipient_id = $2 AND in_inbox = 1",
		message_id, user_id);
}

void
message_read_all(struct db *db, int64_t user_id)
{
	db_do(db, "UPDATE message SET read_at = $2 WHERE recipient_id = $1 AND in_inbox = 1 AND read_at = 0", user_id,
		clock_now());
}
