/*
 * log.c - one JSON line an occasion on stderr; log.h tells what may stand in it.
 *
 *	{"at":"2026-11-21T05:00:00.123Z","level":"error","program":"booking","pid":811,"request":"3f9…","what":"db","text":"…"}
 *
 * A line is built on the stack and leaves in one write(2) shorter than PIPE_BUF, so lines of many processes never mix and
 * a line can be written when memory is gone. What does not fit is cut off; the line stays JSON.
 */
#include "log.h"

#include "utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_ 4000          /* below PIPE_BUF: one write is one piece */
#define TEXT_MAX  2000
#define ENDING    64            /* kept free for what closes a line: ","text":""} */

struct line {
	char s[LINE_MAX_];
	int n;
};

static char program[32] = "motorpool";
static enum log_level least = LOG_INFO_;
static char request[64];

static void
put(struct line *l, const char *s)
{
	int n = (int)strlen(s);

	if (l->n + n <= LINE_MAX_) {
		memcpy(l->s + l->n, s, (size_t)n);
		l->n += n;
	}
}

/* One character, escaped; answers how many bytes of s it took. */
static int
put_char(struct line *l, const char *s)
{
	char escaped[8] = "";
	int n = utf8_length(s);

	if (*s == '"' || *s == '\\')
		snprintf(escaped, sizeof(escaped), "\\%c", *s);
	else if (n == 1 && ((unsigned char)*s < 0x20 || *s == 0x7F))
		snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned char)*s);
	else if (n == 0)
		snprintf(escaped, sizeof(escaped), "\\ufffd");
	else
		memcpy(escaped, s, (size_t)n);
	put(l, escaped);
	return n ? n : 1;
}

static void
put_member(struct line *l, const char *name, const char *value)
{
	put(l, l->n > 1 ? ",\"" : "\"");
	put(l, name);
	put(l, "\":\"");
	while (*value && l->n < LINE_MAX_ - ENDING)
		value += put_char(l, value);
	put(l, "\"");
}

static void
put_time(struct line *l)
{
	char at[40], whole[48];
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(whole, sizeof(whole), "%s.%03dZ", at, (int)(now.tv_nsec / 1000000));
	put_member(l, "at", whole);
}

static void
put_pid(struct line *l)
{
	char pid[32];

	snprintf(pid, sizeof(pid), ",\"pid\":%d", (int)getpid());
	put(l, pid);
}

/* A log that cannot be written must not stop the program: what write() answers is looked at and let go. */
static void
send_line(const struct line *l)
{
	int was = errno, sent = 0;

	while (sent < l->n) {
		ssize_t n = write(STDERR_FILENO, l->s + sent, (size_t)(l->n - sent));

		if (n > 0)
			sent += (int)n;
		else if (errno != EINTR)
			break;
	}
	errno = was;
}

static void __attribute__((format(printf, 3, 0)))
log_line(enum log_level level, const char *what, const char *fmt, va_list ap)
{
	static const char *const levels[] = { [LOG_INFO_] = "info", [LOG_WARN_] = "warn", [LOG_ERROR_] = "error" };
	struct line l = { .n = 0 };
	char text[TEXT_MAX];

	if (level < least)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	put(&l, "{");
	put_time(&l);
	put_member(&l, "level", levels[level]);
	put_member(&l, "program", program);
	put_pid(&l);
	if (request[0])
		put_member(&l, "request", request);
	put_member(&l, "what", what);
	put_member(&l, "text", text);
	put(&l, "}\n");
	send_line(&l);
}

void
log_from(enum log_level level)
{
	least = level;
}

void
log_open(const char *name)
{
	snprintf(program, sizeof(program), "%s", name);
}

void
log_request(const char *request_id)
{
	snprintf(request, sizeof(request), "%s", request_id ? request_id : "");
}

void
log_info(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_INFO_, what, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_WARN_, what, fmt, ap);
	va_end(ap);
}

void
log_error(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_ERROR_, what, fmt, ap);
	va_end(ap);
}
