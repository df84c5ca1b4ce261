/*
 * log.c - one JSON line per occasion on stderr; log.h says what it may contain.
 *
 * A line is built on the stack and leaves in one write(2) shorter than PIPE_BUF, so lines of many processes never mix
 * and a line can be written when memory is gone. What does not fit is cut off; the line stays JSON. It is written
 * without printf where it is part of every request.
 */
#include "log.h"

#include "utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX  2000
#define ENDING    120           /* kept free for what closes a line: ","name":-9223372036854775808}\n */
#define HELD_MAX  (64 << 10)    /* lines of one transaction: about 250 events */

static char program[32] = "motorpool";
static enum log_level least = LOG_INFO_;
static char request[65], subject[65];

static struct {
	char s[HELD_MAX];
	int n, n_left_out;
} held;

/* --- putting a line together -------------------------------------------------------------------------------------- */

static void
log_put(struct log_line *l, const char *s, size_t n)
{
	if ((size_t)l->n + n <= LOG_LINE_MAX) {
		memcpy(l->s + l->n, s, n);
		l->n += (int)n;
	}
}

static void
log_puts(struct log_line *l, const char *s)
{
	log_put(l, s, strlen(s));
}

static void
log_put_number(struct log_line *l, int64_t n, int min_digits)
{
	char digits[24], *end = digits + sizeof(digits), *s = end;
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do
		*--s = (char)('0' + left % 10);
	while ((left /= 10) || end - s < min_digits);
	if (n < 0)
		*--s = '-';
	log_put(l, s, (size_t)(end - s));
}

/* C0, DEL and C1: nothing that a terminal would act on. */
static bool
is_terminal_control(const char *s, int n)
{
	unsigned char c = (unsigned char)*s;

	return n == 1 ? c < 0x20 || c == 0x7F : n == 2 && c == 0xC2 && (unsigned char)s[1] < 0xA0;
}

/* One character, escaped; answers how many bytes of s it took. */
static int
put_char(struct log_line *l, const char *s)
{
	char escaped[8];
	int n = utf8_length(s);

	if (*s == '"' || *s == '\\')
		snprintf(escaped, sizeof(escaped), "\\%c", *s);
	else if (n == 0)
		snprintf(escaped, sizeof(escaped), "\\ufffd");
	else if (is_terminal_control(s, n))
		snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned char)s[n - 1]);
	else
		return log_put(l, s, (size_t)n), n;
	log_puts(l, escaped);
	return n ? n : 1;
}

static void
put_name(struct log_line *l, const char *name)
{
	log_puts(l, l->n > 1 ? ",\"" : "\"");
	log_puts(l, name);
	log_put(l, "\":", 2);
}

void
log_text(struct log_line *l, const char *name, const char *value)
{
	if (l->n + (int)strlen(name) > LOG_LINE_MAX - ENDING)
		return;
	put_name(l, name);
	log_put(l, "\"", 1);
	while (*value && l->n < LOG_LINE_MAX - ENDING)
		value += put_char(l, value);
	log_put(l, "\"", 1);
}

/* A number is written completely or not at all. */
static bool
has_room_for_number(const struct log_line *l, const char *name)
{
	return l->n + (int)strlen(name) + 40 <= LOG_LINE_MAX - 2;
}

void
log_int(struct log_line *l, const char *name, int64_t value)
{
	if (!has_room_for_number(l, name))
		return;
	put_name(l, name);
	log_put_number(l, value, 1);
}

void
log_ms(struct log_line *l, const char *name, int64_t us)
{
	if (!has_room_for_number(l, name))
		return;
	put_name(l, name);
	log_put_number(l, us / 1000, 1);
	log_put(l, ".", 1);
	log_put_number(l, us % 1000, 3);
}

/* "2026-11-21T05:00:00.123456Z"; the seconds are formatted once a second. */
static void
put_now(struct log_line *l)
{
	static char at[32];
	static time_t at_s;
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != at_s || !*at)
		strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S.", gmtime_r(&now.tv_sec, &utc));
	at_s = now.tv_sec;
	log_puts(l, "\"at\":\"");
	log_puts(l, at);
	log_put_number(l, now.tv_nsec / 1000, 6);
	log_put(l, "Z\"", 2);
}

static void
log_line_begin(struct log_line *l, enum log_level level, const char *about, const char *what)
{
	static const char *const levels[] = { [LOG_INFO_] = "info", [LOG_WARN_] = "warn", [LOG_ERROR_] = "error" };

	l->level = level;
	l->n = 0;
	log_put(l, "{", 1);
	put_now(l);
	log_text(l, "level", levels[level]);
	log_text(l, "program", program);
	log_int(l, "pid", getpid());
	if (request[0])
		log_text(l, "request", request);
	if (about[0])
		log_text(l, "subject", about);
	log_text(l, "what", what);
}

void
log_begin(struct log_line *l, enum log_level level, const char *what)
{
	log_line_begin(l, level, subject, what);
}

void
log_begin_about(struct log_line *l, const char *subject_id, const char *what)
{
	log_line_begin(l, LOG_INFO_, subject_id, what);
}

/* --- letting it go ------------------------------------------------------------------------------------------------ */

/* A log that cannot be written must not stop the program: the result of write() is ignored on purpose. */
static void
send_out(const char *s, int n)
{
	int was = errno, sent = 0;

	while (sent < n) {
		ssize_t more = write(STDERR_FILENO, s + sent, (size_t)(n - sent));

		if (more > 0)
			sent += (int)more;
		else if (errno != EINTR)
			break;
	}
	errno = was;
}

void
log_end(struct log_line *l)
{
	if (l->level < least)
		return;
	log_put(l, "}\n", 2);
	send_out(l->s, l->n);
}

void
log_hold(struct log_line *l)
{
	if (l->level < least)
		return;
	log_put(l, "}\n", 2);
	if (held.n + l->n > HELD_MAX) {
		held.n_left_out++;
		return;
	}
	memcpy(held.s + held.n, l->s, (size_t)l->n);
	held.n += l->n;
}

/* How many bytes of s are whole lines that fit into one write. */
static int
piece_bytes(const char *s, int n)
{
	const char *end;

	if (n <= LOG_LINE_MAX)
		return n;
	end = memrchr(s, '\n', LOG_LINE_MAX);
	return (int)(end + 1 - s);
}

void
log_release(void)
{
	int n_left_out = held.n_left_out;

	for (int at = 0, n; at < held.n; at += n) {
		n = piece_bytes(held.s + at, held.n - at);
		send_out(held.s + at, n);
	}
	log_drop();
	if (n_left_out)
		log_warn("log", "%d more lines of one transaction were left out", n_left_out);
}

void
log_drop(void)
{
	held.n = held.n_left_out = 0;
}

/* --- what a sentence tells ---------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 0)))
log_line(enum log_level level, const char *what, const char *fmt, va_list ap)
{
	struct log_line l;
	char text[TEXT_MAX];

	if (level < least)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_begin(&l, level, what);
	log_text(&l, "text", text);
	log_end(&l);
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

/* --- what lines carry --------------------------------------------------------------------------------------------- */

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
	subject[0] = '\0';
}

const char *
log_request_now(void)
{
	return request;
}

void
log_subject(const char *subject_id)
{
	if (!subject[0])
		snprintf(subject, sizeof(subject), "%s", subject_id);
}

void
log_task(const char *name, const char *subject_id)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	log_request(NULL);
	snprintf(request, sizeof(request), "%.20s-%llx", name,
		(unsigned long long)now.tv_sec * 1000000 + (unsigned)now.tv_nsec / 1000);
	log_subject(subject_id);
}
