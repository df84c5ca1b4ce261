/*
 * mailer - sends mail: first the row of the try, then the call, then its result; the call is never inside a
 * transaction.
 *
 * A try is on disk before the mail server is called, so a crash in the middle leaves a try without a result, and the
 * next process sends that mail again at once. In the folder it then has the same file name, so it is one mail; a mail
 * server that answered 250 just before the crash gets it twice with the same Message-ID, by which the recipient's
 * server can recognise it.
 *
 * An unreachable server ends the round: no try is counted, and the pause before the next call doubles up to a minute.
 * An answer about one mail delays that mail alone. A mail that has waited for days, because the server was down or the
 * state comes from an old backup (whose mails were sent long ago), becomes a dead letter; a manager can send it again.
 */
#include "message.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/folder.h"
#include "lib/base/log.h"
#include "lib/mail/mail.h"
#include "lib/base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUND_MAILS  20
#define ROUND_MS     2000       /* between two rounds the relay handles events */
#define MAX_PAUSE_S  3600
#define UNREACHABLE_MAX_S 60

struct due_mail {
	int64_t message_id, event_id, tries, n_resends, created_at;
	const char *title, *body, *link, *email, *lang, *name, *subject_id;
	int kind;
};
static const struct member due_mail_members[] = {
	SHAPE_INT(due_mail, message_id), SHAPE_INT(due_mail, event_id), SHAPE_INT(due_mail, tries),
	SHAPE_INT(due_mail, n_resends), SHAPE_INT(due_mail, created_at), SHAPE_TEXT(due_mail, title),
	SHAPE_TEXT(due_mail, body), SHAPE_TEXT(due_mail, link), SHAPE_TEXT(due_mail, email), SHAPE_TEXT(due_mail, lang),
	SHAPE_TEXT(due_mail, name), SHAPE_TEXT(due_mail, subject_id), SHAPE_STATE(due_mail, kind, message_kind_words),
};
static const struct shape due_mail_shape = SHAPE(due_mail, due_mail_members);

static struct {
	bool has_begun; /* this process has looked for tries that the one before it left without a result */
	int64_t again_ms, n_unreachable; /* no call until then; how often in a row the server was unreachable */
} mailer;

/* --- the mail ----------------------------------------------------------------------------------------------------- */

static const char *
message_id_of(struct arena *m, const struct due_mail *d)
{
	const char *host = strchr(mail_address(m, settings.mail_from), '@');

	return arena_printf(m, "message-%lld-%lld-%lld%s", (long long)d->message_id, (long long)d->created_at,
		(long long)d->n_resends, host ? host : "@localhost");
}

static bool
has_token(const struct due_mail *d)
{
	return message_kinds[d->kind].audience == TO_LINK;
}

/* url: what the mail leads to, with the token if it has one. NULL: one of the addresses is invalid. */
static const char *
mail_text(struct arena *m, const struct due_mail *d, const char *url)
{
	struct mail_frame f = {
		.name = d->name,
		.body = d->body,
		.url = url,
		.is_link = has_token(d),
		.preferences_url = arena_printf(m, "%s/messages/preferences", settings.base_url),
		.is_sandbox = rental.sandbox,
		.zone = clock_zone(d->created_at),
	};
	struct mail mail = {
		.from = settings.mail_from,
		.to = d->email,
		.to_name = d->name,
		.subject = d->title,
		.lang = d->lang,
		.at = d->created_at,
		.message_id = message_id_of(m, d),
	};

	mail.body = mail_frame_render(m, d->lang, &f);
	return mail_write(m, &mail);
}

/* --- the folder --------------------------------------------------------------------------------------------------- */

static bool
write_whole(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t n = strlen(text), at = 0;
	ssize_t wrote;
	bool ok;

	while (fd >= 0 && at < n && (wrote = write(fd, text + at, n - at)) > 0)
		at += (size_t)wrote;
	ok = fd >= 0 && at == n && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Under another name first, so that the folder holds complete mails only. */
static struct mailer_answer
put_into_folder(struct arena *m, const struct due_mail *d, const char *text)
{
	const char *dir = arena_printf(m, "%s/mail", settings.var_dir ? settings.var_dir : ".");
	const char *path = arena_printf(m, "%s/%lld.eml", dir, (long long)d->message_id),
		   *half = arena_printf(m, "%s.half", path);

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return (struct mailer_answer){ MAILER_UNREACHABLE, strerror(errno), true };
	if (!write_whole(half, text) || rename(half, path) != 0 || !folder_sync(dir))
		return (struct mailer_answer){ MAILER_UNREACHABLE, strerror(errno), true };
	return (struct mailer_answer){ .outcome = MAILER_SENT, .reply = "in the mail folder" };
}

/* --- one try ------------------------------------------------------------------------------------------------------ */

static int64_t
mail_pause_s(int64_t tries)
{
	int64_t s = settings.mail_pause_s << (tries < 1 ? 0 : tries < 12 ? tries - 1 : 12);

	if (s > MAX_PAUSE_S)
		s = MAX_PAUSE_S;
	return s - (s >= 4 ? (int64_t)randombytes_uniform((uint32_t)(s / 4)) : 0);
}

/* Writes the try and when the next one would be. Answers the number of the try; 0: another process has taken it. */
static int64_t
begin_try(struct db *db, const struct due_mail *d)
{
	int64_t try_no = 0, now = clock_now();

	db_begin(db);
	if (db_do(db,
		    "UPDATE message SET tries = tries + 1, next_at = $3 WHERE message_id = $1 AND tries = $2"
		    " AND n_resends = $4"
		    " AND state IN ('QUEUED', 'RETRYING')",
		    d->message_id, d->tries, now + mail_pause_s(d->tries + 1), d->n_resends)) {
		try_no = 1
			+ db_int(db, "SELECT COALESCE(MAX(try_no), 0) FROM message_try WHERE message_id = $1",
				d->message_id);
		db_do(db,
			"INSERT INTO message_try (message_id, try_no, tried_at, outcome)"
			" VALUES ($1, $2, $3, 'SENDING')",
			d->message_id, try_no, now);
	}
	return db_commit(db) && (!*settings.mail_url || db_durable(db))
		? try_no
		: 0; /* in the folder a second mail replaces the first one */
}

/* The address of a person without an account is not kept. */
static void
end_as(struct db *db, const struct due_mail *d, const char *state, enum event_type_id type, const char *reply)
{
	if (db_do(db,
		    "UPDATE message SET state = $2, settled_at = $3,"
		    " email = CASE WHEN recipient_id = 0 THEN '' ELSE email END WHERE message_id = $1"
		    " AND state IN ('QUEUED', 'RETRYING')",
		    d->message_id, state, clock_now()))
		message_report(db, type,
			&(struct message_result){
				.message_id = d->message_id,
				.tries = d->tries + 1,
				.channel = *settings.mail_url ? "email" : "folder",
				.reply = reply,
			},
			0);
}

static void
end_try(struct db *db, const struct due_mail *d, int64_t try_no, const struct mailer_answer *a)
{
	static const char *const outcomes[] = {
		[MAILER_SENT] = "SENT",
		[MAILER_LATER] = "LATER",
		[MAILER_REFUSED] = "REFUSED",
		[MAILER_NO_ANSWER] = "NO_ANSWER",
		[MAILER_UNREACHABLE] = "NO_ANSWER",
	};
	bool is_last_try = d->tries + 1 >= settings.mail_tries;

	db_begin(db);
	db_do(db, "UPDATE message_try SET outcome = $3, reply = $4 WHERE message_id = $1 AND try_no = $2",
		d->message_id, try_no, outcomes[a->outcome], a->reply);
	if (a->outcome == MAILER_SENT)
		end_as(db, d, "SENT", EVENT_MESSAGE_SENT, a->reply);
	else if (a->outcome == MAILER_REFUSED || (a->outcome != MAILER_UNREACHABLE && is_last_try))
		end_as(db, d, "DEAD", EVENT_MESSAGE_DEAD, a->reply);
	else if (a->outcome == MAILER_UNREACHABLE)
		db_do(db,
			"UPDATE message SET state = 'RETRYING', tries = tries - 1, next_at = $2 WHERE message_id = $1",
			d->message_id, clock_now());
	else
		db_do(db, "UPDATE message SET state = 'RETRYING' WHERE message_id = $1", d->message_id);
	db_commit(db);
}

static bool
is_too_late(const struct due_mail *d)
{
	return d->n_resends == 0 && d->created_at < clock_now() - MAILED_FOR_S;
}

static struct mailer_answer
send_mail(struct db *db, struct smtp *s, const struct due_mail *d)
{
	struct arena *m = db_memory(db);
	const char *text, *url = *d->link ? arena_printf(m, "%s%s", settings.base_url, d->link) : "";

	if (is_too_late(d))
		return (struct mailer_answer){ .outcome = MAILER_REFUSED, .reply = "too late: it has waited for days" };
	if (has_token(d) && !(url = link_url(db, d->subject_id)))
		return (struct mailer_answer){ .outcome = MAILER_REFUSED, .reply = "too late: its link has expired" };
	text = mail_text(m, d, url);
	if (!text)
		return (struct mailer_answer){ .outcome = MAILER_REFUSED, .reply = "an address in it is invalid" };
	if (!*settings.mail_url)
		return put_into_folder(m, d, text);
	if (!s)
		return (struct mailer_answer){ MAILER_UNREACHABLE, "mail_url cannot be used", true };
	return smtp_send(
		s, &(struct smtp_mail){ .from = mail_address(m, settings.mail_from), .to = d->email, .text = text });
}

/* --- a round ------------------------------------------------------------------------------------------------------ */

/* Tries that a process left without a result when it died: their mails are due now. */
static void
retry_interrupted(struct db *db)
{
	int64_t now = clock_now();

	if (!db_exists(db, "SELECT 1 FROM message_try /*scan*/ WHERE outcome = 'SENDING'"))
		return;
	db_begin(db);
	db_do(db,
		"UPDATE message SET next_at = $1 WHERE state IN ('QUEUED', 'RETRYING')"
		" AND message_id IN (SELECT t.message_id FROM message_try t /*scan*/ WHERE t.outcome = 'SENDING')",
		now);
	db_do(db,
		"UPDATE message_try SET outcome = 'NO_ANSWER', reply = 'cut off: the program ended' /*scan*/"
		" WHERE outcome = 'SENDING'");
	db_commit(db);
}

static int
due_now(struct db *db, struct due_mail **list)
{
	int64_t now = clock_now();
	int n = 0;

	return db_list(db, &due_mail_shape, list, &n,
		"SELECT m.message_id, m.event_id, m.tries, m.n_resends, m.created_at, m.title, m.body, m.link, m.email,"
		" m.lang, m.kind, m.subject_id,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = m.recipient_id), '') AS name"
		" FROM message m /*scan*/"
		" WHERE m.state IN ('QUEUED', 'RETRYING') AND (m.next_at <= $1 OR m.next_at > $2) ORDER BY m.next_at"
		" LIMIT $3",
		now, now + MAX_PAUSE_S, ROUND_MAILS);
}

static void
pause_calls(const char *reply)
{
	int64_t s = pause_s(++mailer.n_unreachable, UNREACHABLE_MAX_S);

	mailer.again_ms = clock_ms() + s * 1000;
	log_warn("mail", "the mail server is unavailable (%s); next call in %lld s", reply, (long long)s);
}

/* true: the next mail may be sent. */
static bool
try_mail(struct db *db, struct smtp *s, const struct due_mail *d)
{
	struct mailer_answer a;
	int64_t try_no;

	log_task("mail", arena_printf(db_memory(db), "message:%lld", (long long)d->message_id));
	try_no = begin_try(db, d);
	if (!try_no)
		return !db_failed(db);
	a = send_mail(db, s, d);
	end_try(db, d, try_no, &a);
	consumer_alive();
	if (a.is_last)
		pause_calls(a.reply);
	else
		mailer.n_unreachable = 0;
	return !a.is_last && !db_failed(db);
}

bool
mailer_sweep(struct db *db)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct due_mail *due;
	struct smtp *s;
	bool go_on = true;
	int n, i;

	if (!mailer.has_begun)
		retry_interrupted(db);
	mailer.has_begun = true;
	if (clock_ms() < mailer.again_ms || (n = due_now(db, &due)) == 0 || !message_texts_open())
		return false;
	s = *settings.mail_url ? smtp_open(db_memory(db)) : NULL;
	for (i = 0; i < n && go_on && clock_ms() < end_ms; i++)
		go_on = try_mail(db, s, &due[i]);
	if (s)
		smtp_close(s);
	return go_on && (i < n || n == ROUND_MAILS);
}
