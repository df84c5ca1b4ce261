/*
 * smtp - one mail to the mail server (libcurl). The connection is kept for the mails of one round.
 *
 * With $VAR/mail.key (0600, one line user:password) it signs in, and only over TLS with a valid certificate. Without,
 * it uses STARTTLS where that is offered and accepts any certificate, as mail servers do between each other: a forged
 * one could only read the mails. smtps:// always requires a valid certificate. The password is sent to the server
 * alone.
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
#define TOTAL_MS   5000L        /* for one mail; the relay kills a child that is silent for a minute */
#define REPLY_MAX  200

/* The command that the server's next reply answers. */
enum smtp_step { SMTP_HELLO, SMTP_FROM, SMTP_TO, SMTP_TEXT };

struct smtp {
	CURL *curl;
	struct arena *m;
	enum smtp_step step;
	bool is_over;                   /* QUIT was sent */
	int code;                       /* of the last reply; 0: none yet */
	char reply[REPLY_MAX + 1];      /* its last line */
	const char *text;               /* the rest of the mail to send */
	char user[128], password[256];
};

/* --- the key ------------------------------------------------------------------------------------------------------ */

static bool
is_owner_only(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077))
		return true;
	log_error("mail", "mail.key must be a file that only its owner can read");
	return false;
}

/* No file: no sign-in. false: there is one that cannot be used. */
static bool
read_mail_key(struct smtp *s)
{
	const char *path = arena_printf(s->m, "%s/mail.key", settings.var_dir ? settings.var_dir : ".");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char key[400] = "", *colon;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? true : (log_error("mail", "mail.key: %s", strerror(errno)), false);
	n = is_owner_only(fd) ? read(fd, key, sizeof(key) - 1) : -1;
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

/* --- the dialogue ------------------------------------------------------------------------------------------------- */

static bool
begins(const char *bytes, size_t n, const char *word)
{
	return n >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

/* A line that was sent: the next reply answers it. The line is not kept, since it may be a password. */
static void
note_sent(struct smtp *s, const char *bytes, size_t n)
{
	if (begins(bytes, n, "MAIL FROM"))
		s->step = SMTP_FROM;
	else if (begins(bytes, n, "RCPT TO"))
		s->step = SMTP_TO;
	else if (begins(bytes, n, "DATA"))
		s->step = SMTP_TEXT;
	else if (begins(bytes, n, "QUIT")) {
		s->is_over = true; /* the reply to that is about no mail */
		return;
	}
	s->code = 0;
	s->reply[0] = '\0';
}

/* A reply, "250-…" or "250 …"; only printable ASCII is kept, for people to read. */
static void
note_reply(struct smtp *s, const char *bytes, size_t n)
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
on_line(CURL *c, curl_infotype type, char *bytes, size_t n, void *arg)
{
	(void)c;
	if (type == CURLINFO_HEADER_OUT)
		note_sent(arg, bytes, n);
	else if (type == CURLINFO_HEADER_IN)
		note_reply(arg, bytes, n);
	return 0;
}

static size_t
read_text(char *to, size_t size, size_t n, void *arg)
{
	struct smtp *s = arg;
	size_t left = strlen(s->text), part = size * n < left ? size * n : left;

	memcpy(to, s->text, part);
	s->text += part;
	return part;
}

static size_t
ignore_output(char *bytes, size_t size, size_t n, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * n;
}

/* --- a connection ------------------------------------------------------------------------------------------------- */

static void
secure(struct smtp *s)
{
	bool is_verified = *s->user || strncmp(settings.mail_url, "smtps:", 6) == 0;

	curl_easy_setopt(s->curl, CURLOPT_USE_SSL, (long)(*s->user ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYPEER, is_verified ? 1L : 0L);
	curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYHOST, is_verified ? 2L : 0L);
	if (*s->user) {
		curl_easy_setopt(s->curl, CURLOPT_USERNAME, s->user);
		curl_easy_setopt(s->curl, CURLOPT_PASSWORD, s->password);
	}
}

static void
set_smtp_options(struct smtp *s)
{
	const char *host = strchr(mail_address(s->m, settings.mail_from), '@');

	curl_easy_setopt(
		s->curl, CURLOPT_URL, arena_printf(s->m, "%s/%s", settings.mail_url, host ? host + 1 : "localhost"));
	curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(s->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, TOTAL_MS);
	curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(s->curl, CURLOPT_READFUNCTION, read_text);
	curl_easy_setopt(s->curl, CURLOPT_READDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, ignore_output);
	curl_easy_setopt(s->curl, CURLOPT_VERBOSE, 1L); /* for CURLOPT_DEBUGFUNCTION */
	curl_easy_setopt(s->curl, CURLOPT_DEBUGFUNCTION, on_line);
	curl_easy_setopt(s->curl, CURLOPT_DEBUGDATA, s);
	secure(s);
}

struct smtp *
smtp_open(struct arena *m)
{
	struct smtp *s = arena_new_of(m, struct smtp);

	s->m = m;
	if (!read_mail_key(s))
		return NULL;
	s->curl = curl_easy_init();
	if (!s->curl)
		return NULL;
	set_smtp_options(s);
	return s;
}

void
smtp_close(struct smtp *s)
{
	curl_easy_cleanup(s->curl);
	explicit_bzero(s->password, sizeof(s->password));
}

/* What a failure means depends on the command it answers. */
static struct mailer_answer
smtp_answer(struct smtp *s, CURLcode rc)
{
	struct mailer_answer a = { .reply = arena_strdup(s->m, *s->reply ? s->reply : curl_easy_strerror(rc)) };

	if (rc == CURLE_OK)
		a.outcome = MAILER_SENT;
	else if (s->step < SMTP_TO)
		a = (struct mailer_answer){ MAILER_UNREACHABLE, a.reply,
			true }; /* no access, or not with this sender */
	else if (s->code >= 500)
		a.outcome = MAILER_REFUSED;
	else if (s->code >= 400)
		a = (struct mailer_answer){ MAILER_LATER, a.reply, s->code == 421 };
	else
		a = (struct mailer_answer){ MAILER_NO_ANSWER, arena_strdup(s->m, curl_easy_strerror(rc)), true };
	return a;
}

struct mailer_answer
smtp_send(struct smtp *s, const struct smtp_mail *mail)
{
	struct curl_slist *to = curl_slist_append(NULL, arena_printf(s->m, "<%s>", mail->to));
	CURLcode rc;

	s->step = SMTP_HELLO;
	s->is_over = false;
	s->code = 0;
	s->reply[0] = '\0';
	s->text = mail->text;
	curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, arena_printf(s->m, "<%s>", mail->from));
	curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, to);
	rc = curl_easy_perform(s->curl);
	curl_slist_free_all(to);
	return smtp_answer(s, rc);
}
