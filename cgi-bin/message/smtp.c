/*
 * smtp.c - one letter to the mail server (libcurl). A conversation is kept for the letters of one round.
 *
 * With $VAR/mail.key (0600, one line user:password) it signs in, and then only over TLS that proves whose it is. Without, it uses
 * STARTTLS where it is offered, and takes any certificate: letters between mail servers travel so, and a look at them on the way is
 * all that a wrong one could gain. Always proven with smtps://. The password goes nowhere but to the server.
 */
#include "message.h"

#include "lib/base/log.h"
#include "lib/mail/mail.h"
#include "lib/base/settings.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_MS 3000L
#define TOTAL_MS   5000L        /* a letter, all told: the relay takes a minute's silence for a hang */
#define REPLY_MAX  200

/* How far the talk about a letter has come: what the server says is an answer to this. */
enum step { STEP_HELLO, STEP_FROM, STEP_TO, STEP_TEXT };

struct smtp {
	CURL *curl;
	struct arena *m;
	enum step step;
	bool is_over;                   /* we have said QUIT */
	int code;                       /* 0: it has not answered yet */
	char reply[REPLY_MAX + 1];      /* its last line */
	const char *text;               /* what of the letter is still to be sent */
	char user[128], password[256];
};

/* --- the key ------------------------------------------------------------------------------------------------------------ */

static bool
is_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077))
		return true;
	log_error("mail", "mail.key must be a file that only its owner can read");
	return false;
}

/* No file: no sign-in. false: there is one that cannot be used. */
static bool
read_key(struct smtp *s)
{
	const char *path = arena_printf(s->m, "%s/mail.key", settings.var_dir ? settings.var_dir : ".");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char key[400] = "", *colon;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? true : (log_error("mail", "mail.key: %s", strerror(errno)), false);
	n = is_private(fd) ? read(fd, key, sizeof(key) - 1) : -1;
	close(fd);
	key[n > 0 ? n : 0] = '\0';
	key[strcspn(key, "\r\n")] = '\0';
	colon = strchr(key, ':');
	if (!colon)
		return log_error("mail", "mail.key must hold user:password"), false;
	*colon = '\0';
	snprintf(s->user, sizeof(s->user), "%s", key);
	snprintf(s->password, sizeof(s->password), "%s", colon + 1);
	explicit_bzero(key, sizeof(key));
	return true;
}

/* --- what is said ------------------------------------------------------------------------------------------------------- */

static bool
begins(const char *bytes, size_t n, const char *word)
{
	return n >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

/* A line of ours: what follows is the answer to it. Nothing of it is kept: it may be a password. */
static void
hear_ours(struct smtp *s, const char *bytes, size_t n)
{
	if (begins(bytes, n, "MAIL FROM"))
		s->step = STEP_FROM;
	else if (begins(bytes, n, "RCPT TO"))
		s->step = STEP_TO;
	else if (begins(bytes, n, "DATA"))
		s->step = STEP_TEXT;
	else if (begins(bytes, n, "QUIT")) {
		s->is_over = true;      /* what is said to that is about no letter */
		return;
	}
	s->code = 0;
	s->reply[0] = '\0';
}

/* A line of theirs, "250-…" or "250 …": made harmless, since people will read it. */
static void
hear_theirs(struct smtp *s, const char *bytes, size_t n)
{
	size_t to = 0;

	if (s->is_over || n < 4 || bytes[0] < '2' || bytes[0] > '5')
		return;
	for (size_t i = 0; i < n && to < REPLY_MAX; i++)
		if ((unsigned char)bytes[i] >= ' ')
			s->reply[to++] = (unsigned char)bytes[i] < 0x7F ? bytes[i] : '?';
	s->reply[to] = '\0';
	if (bytes[3] != '-')
		s->code = atoi(s->reply);
}

static int
listen_in(CURL *c, curl_infotype type, char *bytes, size_t n, void *arg)
{
	(void)c;
	if (type == CURLINFO_HEADER_OUT)
		hear_ours(arg, bytes, n);
	else if (type == CURLINFO_HEADER_IN)
		hear_theirs(arg, bytes, n);
	return 0;
}

static size_t
give_text(char *to, size_t size, size_t n, void *arg)
{
	struct smtp *s = arg;
	size_t left = strlen(s->text), part = size * n < left ? size * n : left;

	memcpy(to, s->text, part);
	s->text += part;
	return part;
}

static size_t
drop(char *bytes, size_t size, size_t n, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * n;
}

/* --- a conversation ----------------------------------------------------------------------------------------------------- */

static void
secure(struct smtp *s)
{
	bool is_known = *s->user || strncmp(settings.mail_url, "smtps:", 6) == 0;

	curl_easy_setopt(s->curl, CURLOPT_USE_SSL, (long)(*s->user ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYPEER, is_known ? 1L : 0L);
	curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYHOST, is_known ? 2L : 0L);
	if (*s->user) {
		curl_easy_setopt(s->curl, CURLOPT_USERNAME, s->user);
		curl_easy_setopt(s->curl, CURLOPT_PASSWORD, s->password);
	}
}

static void
set_up(struct smtp *s)
{
	const char *host = strchr(mail_address(s->m, settings.mail_from), '@');

	curl_easy_setopt(s->curl, CURLOPT_URL, arena_printf(s->m, "%s/%s", settings.mail_url, host ? host + 1 : "localhost"));
	curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(s->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, TOTAL_MS);
	curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(s->curl, CURLOPT_READFUNCTION, give_text);
	curl_easy_setopt(s->curl, CURLOPT_READDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(s->curl, CURLOPT_VERBOSE, 1L);         /* only so that both sides can be heard */
	curl_easy_setopt(s->curl, CURLOPT_DEBUGFUNCTION, listen_in);
	curl_easy_setopt(s->curl, CURLOPT_DEBUGDATA, s);
	secure(s);
}

struct smtp *
smtp_open(struct arena *m)
{
	struct smtp *s = arena_new_of(m, struct smtp);

	s->m = m;
	if (!read_key(s))
		return NULL;
	s->curl = curl_easy_init();
	if (!s->curl)
		return NULL;
	set_up(s);
	return s;
}

void
smtp_close(struct smtp *s)
{
	curl_easy_cleanup(s->curl);
	explicit_bzero(s->password, sizeof(s->password));
}

/* What a failure means depends on what it was an answer to. */
static struct post_answer
judge(struct smtp *s, CURLcode rc)
{
	struct post_answer a = { .reply = arena_strdup(s->m, *s->reply ? s->reply : curl_easy_strerror(rc)) };

	if (rc == CURLE_OK)
		a.outcome = POST_SENT;
	else if (s->step < STEP_TO)
		a = (struct post_answer){ POST_AWAY, a.reply, true };   /* it does not let us in, or not as who we say we are */
	else if (s->code >= 500)
		a.outcome = POST_REFUSED;
	else if (s->code >= 400)
		a = (struct post_answer){ POST_LATER, a.reply, s->code == 421 };
	else
		a = (struct post_answer){ POST_NO_ANSWER, arena_strdup(s->m, curl_easy_strerror(rc)), true };
	return a;
}

struct post_answer
smtp_send(struct smtp *s, const struct letter *l)
{
	struct curl_slist *to = curl_slist_append(NULL, arena_printf(s->m, "<%s>", l->to));
	CURLcode rc;

	s->step = STEP_HELLO;
	s->is_over = false;
	s->code = 0;
	s->reply[0] = '\0';
	s->text = l->text;
	curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, arena_printf(s->m, "<%s>", l->from));
	curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, to);
	rc = curl_easy_perform(s->curl);
	curl_slist_free_all(to);
	return judge(s, rc);
}
