/*
 * call.c - a FastCGI client for one request to another program's internal socket; call.h describes it.
 *
 * The callee acts only on a whole request. So until the last byte is in its socket nothing has happened there
 * (CALL_NOT_SENT); from then on only a whole answer tells what has (CALL_ANSWERED), and anything else is CALL_UNKNOWN.
 */
#include "call.h"

#include "breaker.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define RECORD_MAX 65528
#define ANSWER_MAX (4u << 20)
#define PATIENCE_MS 250         /* so long a call waits for a permit of the breaker */

enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };

static char run_dir[80], var[80];

void
call_open(const char *var_dir)
{
	if (strlen(var_dir) + strlen("/run") >= sizeof(run_dir))
		log_error("call", "%s: too long for a socket address", var_dir);
	snprintf(run_dir, sizeof(run_dir), "%s/run", var_dir);
	snprintf(var, sizeof(var), "%s", var_dir);
}

/* --- the request, as FastCGI records ---------------------------------------------------------------------------- */

static void
put_record(struct buf *b, int type, const char *s, size_t n)
{
	const unsigned char header[8] = { 1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8), (unsigned char)n };

	buf_put(b, header, sizeof(header));
	buf_put(b, s, n);
}

static void
put_stream(struct buf *b, int type, const char *s, size_t n)
{
	for (size_t at = 0, part; at < n; at += part) {
		part = n - at < RECORD_MAX ? n - at : RECORD_MAX;
		put_record(b, type, s + at, part);
	}
	put_record(b, type, "", 0);
}

static void
put_length(struct buf *b, size_t n)
{
	const unsigned char lengths[4] = { (unsigned char)(n >> 24 | 0x80), (unsigned char)(n >> 16),
		(unsigned char)(n >> 8), (unsigned char)n };

	if (n < 128)
		buf_put(b, &lengths[3], 1);
	else
		buf_put(b, lengths, 4);
}

static void
put_param(struct buf *b, const char *name, const char *value)
{
	put_length(b, strlen(name));
	put_length(b, strlen(value));
	buf_puts(b, name);
	buf_puts(b, value);
}

static int64_t
left_ms(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left > 0 ? left : 0;
}

/* X-Deadline-Ms: the time left when it is sent, so that the callee does not work for a caller that has given up. */
static struct buf
make_request(struct arena *m, const struct call *c, int64_t deadline)
{
	static const char responder[8] = { 0, 1 };
	struct buf whole = { .m = m }, params = { .m = m };
	size_t n = c->body ? strlen(c->body) : 0;

	put_param(&params, "REQUEST_METHOD", c->body ? "POST" : "GET");
	put_param(&params, "SCRIPT_NAME", c->path);
	put_param(&params, "QUERY_STRING", "");
	put_param(&params, "HTTP_ACCEPT", "application/json");
	put_param(&params, "HTTP_X_REQUEST_ID", log_request_now());
	put_param(&params, "HTTP_X_DEADLINE_MS", arena_printf(m, "%lld", (long long)left_ms(deadline)));
	put_param(&params, "CONTENT_LENGTH", arena_printf(m, "%zu", n));
	put_param(&params, "CONTENT_TYPE", "application/json");
	put_record(&whole, BEGIN_REQUEST, responder, sizeof(responder));
	put_stream(&whole, PARAMS, params.s, params.n);
	put_stream(&whole, STDIN, c->body, n);
	return whole;
}

/* --- the answer ------------------------------------------------------------------------------------------------- */

struct fcgi_answer {
	struct buf raw, text;           /* the records received; the contents of STDOUT */
	size_t at;                      /* bytes of raw that are parsed */
	bool ended;                     /* END_REQUEST, request complete */
};

/* Parses the whole records received so far. false: they are not FastCGI. */
static bool
take_records(struct fcgi_answer *a)
{
	while (!a->ended && a->raw.n - a->at >= 8) {
		const unsigned char *h = (const unsigned char *)a->raw.s + a->at;
		size_t n = (size_t)h[4] << 8 | h[5], whole = 8 + n + h[6];

		if (h[0] != 1)
			return false;
		if (a->raw.n - a->at < whole)
			break;
		if (h[1] == STDOUT)
			buf_put(&a->text, h + 8, n);
		if (h[1] == END_REQUEST && (n < 5 || h[8 + 4] != 0))
			return false;
		a->ended = h[1] == END_REQUEST;
		a->at += whole;
	}
	return a->text.n <= ANSWER_MAX;
}

/* The value of a header line, or NULL. */
static const char *
header_value(const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = head; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncasecmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " ");
	return NULL;
}

/* Status and body, if the body is as long as its header says. */
static bool
parse_answer(struct call *c, struct fcgi_answer *a)
{
	char *end = a->text.s ? strstr(a->text.s, "\r\n\r\n") : NULL;
	const char *status, *length;
	size_t n;

	if (!end)
		return false;
	*end = '\0';
	status = header_value(a->text.s, "Status");
	length = header_value(a->text.s, "Content-Length");
	c->answer = end + 4;
	c->status = status ? atoi(status) : 200;
	n = a->text.n - (size_t)(c->answer - a->text.s);
	return c->status >= 100 && (!length || strtoull(length, NULL, 10) == n);
}

/* --- over the wire ---------------------------------------------------------------------------------------------- */

static bool
poll_until(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, (int)left_ms(deadline));
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* connect() to a unix socket waits while the backlog is full, for SO_SNDTIMEO at most. */
static int
connect_internal(const struct call *c, int64_t deadline)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int64_t left = left_ms(deadline) + 1;
	struct timeval limit = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/%.12s%s.sock", run_dir, c->program,
		c->to_public ? "" : ".internal");
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
send_all(int fd, const struct buf *b, int64_t deadline)
{
	for (size_t at = 0; at < b->n;) {
		ssize_t n = send(fd, b->s + at, b->n - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			at += (size_t)n;
		else if (errno != EINTR && !(errno == EAGAIN && poll_until(fd, POLLOUT, deadline)))
			return false;
	}
	return true;
}

static bool
receive(int fd, struct fcgi_answer *a, int64_t deadline)
{
	while (!a->ended) {
		ssize_t n;

		if (!poll_until(fd, POLLIN, deadline))
			return false;
		n = recv(fd, buf_reserve(&a->raw, 8192), 8192, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		a->raw.n += n > 0 ? (size_t)n : 0;
		if (!take_records(a))
			return false;
	}
	return true;
}

void
call_log(const char *to, const char *path, enum call_outcome outcome, int status, int64_t began_us)
{
	static const char *const outcomes[] = { [CALL_ANSWERED] = "answered",
		[CALL_NOT_SENT] = "not_sent",
		[CALL_UNKNOWN] = "unknown",
		[CALL_REFUSED] = "refused" };
	struct log_line l;

	/* a refused call is not a warning: the breaker has logged that it opened */
	log_begin(&l, outcome == CALL_ANSWERED || outcome == CALL_REFUSED ? LOG_INFO_ : LOG_WARN_, "call");
	log_text(&l, "to", to);
	log_text(&l, "path", path);
	log_text(&l, "outcome", outcomes[outcome]);
	if (outcome == CALL_ANSWERED)
		log_int(&l, "status", status);
	log_ms(&l, "ms", clock_us() - began_us);
	log_end(&l);
}

static enum call_outcome
send_and_receive(struct arena *m, struct call *c, int64_t deadline)
{
	struct fcgi_answer a = { .raw = { .m = m }, .text = { .m = m } };
	enum call_outcome outcome = CALL_NOT_SENT;
	int fd = connect_internal(c, deadline);
	struct buf request;

	if (fd < 0)
		return CALL_NOT_SENT;
	request = make_request(m, c, deadline);
	if (send_all(fd, &request, deadline))
		outcome = receive(fd, &a, deadline) && parse_answer(c, &a) ? CALL_ANSWERED : CALL_UNKNOWN;
	close(fd);
	return outcome;
}

/* --- through the breaker ---------------------------------------------------------------------------------------- */

static enum call_outcome
call_through_breaker(struct arena *m, struct call *c, int64_t deadline)
{
	struct breaker *b = breaker_open(var, c->program);
	enum call_outcome outcome;
	int permit;

	if (!b)
		return send_and_receive(m, c, deadline);
	if (breaker_enter(b, c->deadline_ms / 2 < PATIENCE_MS ? c->deadline_ms / 2 : PATIENCE_MS, &permit)
		!= BREAKER_GO)
		return CALL_REFUSED;
	outcome = send_and_receive(m, c, deadline);
	breaker_leave(b, permit, outcome == CALL_ANSWERED && c->status < 500);
	return outcome;
}

/* Health checks (to_public) are frequent: they are not logged and do not count for the breaker. */
enum call_outcome
call_do(struct arena *m, struct call *c)
{
	int64_t began_us = clock_us(), deadline = clock_ms() + c->deadline_ms;
	enum call_outcome outcome;

	if (c->to_public)
		return send_and_receive(m, c, deadline);
	outcome = call_through_breaker(m, c, deadline);
	call_log(c->program, c->path, outcome, c->status, began_us);
	return outcome;
}

int
call_closed_for_s(const char *program)
{
	struct breaker *b = breaker_open(var, program);

	return b ? breaker_closed_for_s(b) : 0;
}
