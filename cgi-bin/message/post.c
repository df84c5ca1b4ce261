/*
 * post.c - mail: rows first, then the wire, then what became of it; never inside a transaction.
 *
 * A try is written down and on disk before anybody outside is asked, so a crash in the middle leaves a try without an end: the next
 * process takes that letter up again at once. Into the folder it then comes a second time under the same name, which is the same
 * letter; a mail server that had said 250 just before the crash gets it twice, with the same Message-ID, by which its recipient's
 * side can tell. That moment is as long as a commit.
 *
 * A server that is away is nobody's letter's fault: the round ends, no try is counted, and it is left alone for longer and longer, a
 * minute at most. What it says about one letter delays that letter alone. A letter that has waited for days, because the server was
 * away so long or the state comes from an old backup (whose letters went out long ago), is given up: a manager can send it again.
 */
#include "message.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/folder.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/mail/mail.h"
#include "lib/base/settings.h"
#include "lib/tpl/tpl.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE      20
#define ROUND_MS     2000       /* between two rounds the relay looks at the log */
#define MAX_PAUSE_S  3600
#define AWAY_MAX_S   60

struct due {
	int64_t message_id, event_id, tries, n_resends, created_at;
	const char *title, *body, *link, *email, *lang, *name;
};
static const struct member due_members[] = {
	SHAPE_INT(due, message_id), SHAPE_INT(due, event_id), SHAPE_INT(due, tries), SHAPE_INT(due, n_resends), SHAPE_INT(due, created_at),
	SHAPE_TEXT(due, title), SHAPE_TEXT(due, body), SHAPE_TEXT(due, link), SHAPE_TEXT(due, email), SHAPE_TEXT(due, lang), SHAPE_TEXT(due, name),
};
static const struct shape due_shape = SHAPE(due, due_members);

static struct {
	bool has_begun;                 /* this process has looked for letters that the one before it had in hand */
	int64_t again_ms, n_away;       /* the server is left alone until then; how often in a row it was away */
} post;

/* --- the letter --------------------------------------------------------------------------------------------------------- */

/* The frame around every mail: what the inbox shows by itself. */
struct framed { const char *name, *body, *url, *preferences_url, *zone; bool is_sandbox; };
static const struct member framed_members[] = {
	SHAPE_TEXT(framed, name), SHAPE_TEXT(framed, body), SHAPE_TEXT(framed, url), SHAPE_TEXT(framed, preferences_url), SHAPE_TEXT(framed, zone),
	SHAPE_BOOL(framed, is_sandbox),
};
static const struct shape framed_shape = SHAPE(framed, framed_members);
static struct page frame = { .file = "message/mail", .shape = &framed_shape };

bool
post_open(const char *templates_dir)
{
	return tpl_compile_texts(templates_dir, &frame, 1);
}

static const char *
message_id_of(struct arena *m, const struct due *d)
{
	const char *host = strchr(mail_address(m, settings.mail_from), '@');

	return arena_printf(m, "message-%lld-%lld-%lld%s", (long long)d->message_id, (long long)d->created_at, (long long)d->n_resends,
	                    host ? host : "@localhost");
}

/* NULL: one of the addresses is none. */
static const char *
letter_of(struct arena *m, const struct due *d)
{
	struct framed f = {
		.name = d->name, .body = d->body, .url = *d->link ? arena_printf(m, "%s%s", settings.base_url, d->link) : "",
		.preferences_url = arena_printf(m, "%s/messages/preferences", settings.base_url), .is_sandbox = rental.sandbox,
		.zone = clock_zone(d->created_at),
	};
	struct mail mail = {
		.from = settings.mail_from, .to = d->email, .to_name = d->name, .subject = d->title, .lang = d->lang, .at = d->created_at,
		.message_id = message_id_of(m, d),
	};
	int lang = lang_find(d->lang);
	struct buf body = { .m = m };

	tpl_render(frame.tpl[lang < 0 ? LANG_EN : lang], &body, NULL, &f);
	mail.body = body.s;
	return mail_write(m, &mail);
}

/* --- the folder ----------------------------------------------------------------------------------------------------------- */

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

/* Under another name first: whoever looks into the folder sees whole letters, each once. */
static struct post_answer
put_into_folder(struct arena *m, const struct due *d, const char *text)
{
	const char *dir = arena_printf(m, "%s/mail", settings.var_dir ? settings.var_dir : ".");
	const char *path = arena_printf(m, "%s/%lld.eml", dir, (long long)d->message_id), *half = arena_printf(m, "%s.half", path);

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return (struct post_answer){ POST_AWAY, strerror(errno), true };
	if (!write_whole(half, text) || rename(half, path) != 0 || !folder_sync(dir))
		return (struct post_answer){ POST_AWAY, strerror(errno), true };
	return (struct post_answer){ .outcome = POST_SENT, .reply = "in the mail folder" };
}

/* --- one try ---------------------------------------------------------------------------------------------------------------- */

static int64_t
mail_pause_s(int64_t tries)
{
	int64_t s = settings.mail_pause_s << (tries < 1 ? 0 : tries < 12 ? tries - 1 : 12);

	if (s > MAX_PAUSE_S)
		s = MAX_PAUSE_S;
	return s - (s >= 4 ? (int64_t)randombytes_uniform((uint32_t)(s / 4)) : 0);
}

/* It is written down that it is tried, and when it would be next. The number of the try; 0: somebody else has it. */
static int64_t
begin_try(struct db *db, const struct due *d)
{
	int64_t try_no = 0, now = clock_now();

	db_begin(db);
	if (db_do(db, "UPDATE message SET tries = tries + 1, next_at = $3 WHERE message_id = $1 AND tries = $2 AND n_resends = $4"
	              " AND state IN ('QUEUED', 'RETRYING')", d->message_id, d->tries, now + mail_pause_s(d->tries + 1), d->n_resends)) {
		try_no = 1 + db_int(db, "SELECT COALESCE(MAX(try_no), 0) FROM message_try WHERE message_id = $1", d->message_id);
		db_do(db, "INSERT INTO message_try (message_id, try_no, tried_at, outcome) VALUES ($1, $2, $3, 'SENDING')", d->message_id, try_no, now);
	}
	return db_commit(db) && (!*settings.mail_url || db_durable(db)) ? try_no : 0;   /* a letter in the folder never leaves twice, whatever is forgotten */
}

static void
tell_settled(struct db *db, const struct due *d, const char *type, const char *reply)
{
	message_emit(db, type, &(struct message_settled){
		.message_id = d->message_id, .tries = d->tries + 1, .channel = *settings.mail_url ? "email" : "folder", .reply = reply,
	}, 0);
}

static void
end_as(struct db *db, const struct due *d, const char *state, const char *type, const char *reply)
{
	if (db_do(db, "UPDATE message SET state = $2, settled_at = $3 WHERE message_id = $1 AND state IN ('QUEUED', 'RETRYING')",
	          d->message_id, state, clock_now()))
		tell_settled(db, d, type, reply);
}

static void
settle(struct db *db, const struct due *d, int64_t try_no, const struct post_answer *a)
{
	static const char *const outcomes[] = {
		[POST_SENT] = "SENT", [POST_LATER] = "LATER", [POST_REFUSED] = "REFUSED", [POST_NO_ANSWER] = "NO_ANSWER", [POST_AWAY] = "NO_ANSWER",
	};
	bool is_last_try = d->tries + 1 >= settings.mail_tries;

	db_begin(db);
	db_do(db, "UPDATE message_try SET outcome = $3, reply = $4 WHERE message_id = $1 AND try_no = $2", d->message_id, try_no,
		outcomes[a->outcome], a->reply);
	if (a->outcome == POST_SENT)
		end_as(db, d, "SENT", "message.sent", a->reply);
	else if (a->outcome == POST_REFUSED || (a->outcome != POST_AWAY && is_last_try))
		end_as(db, d, "DEAD", "message.dead", a->reply);
	else if (a->outcome == POST_AWAY)
		db_do(db, "UPDATE message SET state = 'RETRYING', tries = tries - 1, next_at = $2 WHERE message_id = $1", d->message_id, clock_now());
	else
		db_do(db, "UPDATE message SET state = 'RETRYING' WHERE message_id = $1", d->message_id);
	db_commit(db);
}

static bool
is_too_late(const struct due *d)
{
	return d->n_resends == 0 && d->created_at < clock_now() - MAILED_FOR_S;
}

static struct post_answer
send_one(struct db *db, struct smtp *s, const struct due *d)
{
	struct arena *m = db_memory(db);
	const char *text;

	if (is_too_late(d))
		return (struct post_answer){ .outcome = POST_REFUSED, .reply = "too late: it has waited for days" };
	text = letter_of(m, d);
	if (!text)
		return (struct post_answer){ .outcome = POST_REFUSED, .reply = "an address in it is none" };
	if (!*settings.mail_url)
		return put_into_folder(m, d, text);
	if (!s)
		return (struct post_answer){ POST_AWAY, "mail_url cannot be used", true };
	return smtp_send(s, &(struct letter){ .from = mail_address(m, settings.mail_from), .to = d->email, .text = text });
}

/* --- a round ---------------------------------------------------------------------------------------------------------------- */

/* Whoever had them in hand has died: their try is over, and they are due now. */
static void
take_up_again(struct db *db)
{
	int64_t now = clock_now();

	if (!db_exists(db, "SELECT 1 FROM message_try /*scan*/ WHERE outcome = 'SENDING'"))
		return;
	db_begin(db);
	db_do(db, "UPDATE message SET next_at = $1 WHERE state IN ('QUEUED', 'RETRYING')"
		" AND message_id IN (SELECT t.message_id FROM message_try t /*scan*/ WHERE t.outcome = 'SENDING')", now);
	db_do(db, "UPDATE message_try SET outcome = 'NO_ANSWER', reply = 'cut off: the program ended' /*scan*/ WHERE outcome = 'SENDING'");
	db_commit(db);
}

static int
due_now(struct db *db, struct due **list)
{
	int64_t now = clock_now();
	int n = 0;

	return db_list(db, &due_shape, list, &n,
		"SELECT m.message_id, m.event_id, m.tries, m.n_resends, m.created_at, m.title, m.body, m.link, m.email, m.lang,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = m.recipient_id), '') AS name FROM message m /*scan*/"
		" WHERE m.state IN ('QUEUED', 'RETRYING') AND (m.next_at <= $1 OR m.next_at > $2) ORDER BY m.next_at LIMIT $3",
		now, now + MAX_PAUSE_S, AT_ONCE);
}

static void
leave_alone(const char *reply)
{
	int64_t s = pause_s(++post.n_away, AWAY_MAX_S);

	post.again_ms = clock_ms() + s * 1000;
	log_warn("mail", "the mail server takes nothing now (%s); asked again in %lld s", reply, (long long)s);
}

/* true: the next one may be tried. */
static bool
try_one(struct db *db, struct smtp *s, const struct due *d)
{
	struct post_answer a;
	int64_t try_no;

	log_task("mail", arena_printf(db_memory(db), "message:%lld", (long long)d->message_id));
	try_no = begin_try(db, d);
	if (!try_no)
		return !db_failed(db);
	a = send_one(db, s, d);
	settle(db, d, try_no, &a);
	consumer_alive();
	if (a.is_last)
		leave_alone(a.reply);
	else
		post.n_away = 0;
	return !a.is_last && !db_failed(db);
}

bool
post_sweep(struct db *db)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct due *due;
	struct smtp *s;
	bool go_on = true;
	int n, i;

	if (!post.has_begun)
		take_up_again(db);
	post.has_begun = true;
	if (clock_ms() < post.again_ms || (n = due_now(db, &due)) == 0 || !message_texts_open())
		return false;
	s = *settings.mail_url ? smtp_open(db_memory(db)) : NULL;
	for (i = 0; i < n && go_on && clock_ms() < end_ms; i++)
		go_on = try_one(db, s, &due[i]);
	if (s)
		smtp_close(s);
	return go_on && (i < n || n == AT_ONCE);
}
