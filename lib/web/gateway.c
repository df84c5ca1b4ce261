/*
 * gateway.c - the FastCGI connection: requests in, answers out; gateway.h describes the interface.
 *
 * libfcgi reads the request (begin, parameters, body). Accepting and answering are done here, because libfcgi's way
 * costs more than the request: it accepts with a race around SIGTERM, polls each connection for a silent peer, writes a
 * page in pieces of 8 KiB, and waits for the web server to close before it takes the next connection. So the connection
 * is accepted here and passed on in ipcFd, and the answer's records leave in one sendmsg(). All of the request has been
 * read by then, so closing immediately loses nothing (closing a unix socket with unread bytes would discard the
 * answer).
 */
#include "gateway.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define LISTENING     0
#define SILENCE_MS    2000                      /* a peer that sends nothing for this long is disconnected */
#define SILENCE_SHED_MS 50                      /* … by the process that sheds load, which must not be blocked */
#define CHECK_MS      100                       /* how often an orphaned worker checks whether it is still needed */
#define SEND_MS       10000                     /* … or that reads nothing of our answer */
#define DRAIN_MAX     ((size_t)64 << 20)
#define RECORD_MAX    65528                     /* content of one FastCGI record, a multiple of 8 */
#define PIECES        64

enum { FCGI_END = 3, FCGI_OUT = 6 };            /* record types written here */

static FCGX_Request request;
static struct {
	bool ending, internal;
	bool orphaned; /* the parent is dead: serve until a successor has replaced the socket */
	int64_t check_ms;                               /* … when that is checked again */
	char path[108];                                 /* the path of the socket; "": started by hand */
	int queue, term;
} worker = { .queue = -1, .term = -1 };

/* --- the parameters ----------------------------------------------------------------------------------------------- */

#define NAME(s) { s, sizeof(s) - 1 }
static const struct { const char *s; size_t n; } param_name[N_PARAMS_KNOWN] = {
	[P_METHOD] = NAME("REQUEST_METHOD"),
	[P_SCRIPT] = NAME("SCRIPT_NAME"),
	[P_PATH_INFO] = NAME("PATH_INFO"),
	[P_URI] = NAME("REQUEST_URI"),
	[P_QUERY] = NAME("QUERY_STRING"),
	[P_TYPE] = NAME("CONTENT_TYPE"),
	[P_LENGTH] = NAME("CONTENT_LENGTH"),
	[P_ADDRESS] = NAME("REMOTE_ADDR"),
	[P_COOKIE] = NAME("HTTP_COOKIE"),
	[P_ACCEPT] = NAME("HTTP_ACCEPT"),
	[P_LANGUAGE] = NAME("HTTP_ACCEPT_LANGUAGE"),
	[P_AUTHORIZATION] = NAME("HTTP_AUTHORIZATION"),
	[P_CSRF] = NAME("HTTP_X_CSRF_TOKEN"),
	[P_FETCH_SITE] = NAME("HTTP_SEC_FETCH_SITE"),
	[P_REQUEST_ID] = NAME("HTTP_X_REQUEST_ID"),
	[P_IDEMPOTENCY] = NAME("HTTP_IDEMPOTENCY_KEY"),
};

static void
take_param(struct exchange *x, const char *s)
{
	const char *end = strchr(s, '=');
	size_t n = end ? (size_t)(end - s) : 0;

	for (int i = 0; i < N_PARAMS_KNOWN; i++) {
		if (param_name[i].n != n || memcmp(param_name[i].s, s, n) != 0)
			continue;
		if (!x->param[i])
			x->param[i] = end + 1;
		return;
	}
}

static void
take_params(struct exchange *x, char **env)
{
	memset(x->param, 0, sizeof(x->param));
	x->env = env;
	for (char **e = env; *e; e++)
		take_param(x, *e);
}

const char *
gateway_param(const struct exchange *x, const char *name)
{
	size_t n = strlen(name);

	for (char **e = x->env; e && *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

/* --- the next request --------------------------------------------------------------------------------------------- */

/*
 * A worker waits for a connection or for SIGTERM and SIGHUP (a signalfd, so that they are handled between two requests
 * and never within one, however long the queue is).
 *
 * Workers waiting in accept() are served round-robin, so that with little traffic sixteen of them all work with cold
 * caches (a search took 45 µs instead of 26). With epoll the most recently idle one gets the next connection, and the
 * others stay asleep.
 */
static bool
watch_fd(int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(worker.queue, EPOLL_CTL_ADD, fd, &e) == 0;
}

static void
queue_open(void)
{
	int flags = fcntl(LISTENING, F_GETFL);
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigaddset(&term, SIGHUP);
	sigprocmask(SIG_BLOCK, &term, NULL);
	worker.term = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	worker.queue = epoll_create1(EPOLL_CLOEXEC);
	if (flags >= 0)
		fcntl(LISTENING, F_SETFL, flags | O_NONBLOCK); /* another worker may have taken it: wait again */
	if (!watch_fd(worker.term, EPOLLIN) || !watch_fd(LISTENING, EPOLLIN | EPOLLEXCLUSIVE)) {
		close(worker.queue); /* no socket: gateway_next() reports it */
		worker.queue = -1;
	}
}

void
gateway_open(const char *path, bool internal)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	worker.internal = internal;
	snprintf(worker.path, sizeof(worker.path), "%s", path);
	queue_open();
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGUSR1, &ignore, NULL);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "50", 1); /* libfcgi closes it only on a protocol error */
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "50", 1);
	FCGX_Init();
	FCGX_InitRequest(&request, -1, 0); /* -1: it never accepts by itself */
	request.ipcFd = -1;
}

/* SIGTERM: the parent asks us to end. SIGHUP: sent by the kernel when the parent has died (workers.c). */
static void
read_signals(void)
{
	struct signalfd_siginfo info;

	while (read(worker.term, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		worker.ending |= info.ssi_signo == SIGTERM;
		worker.orphaned |= info.ssi_signo == SIGHUP;
	}
}

/* Is our socket still the one at its path? Without a known path: yes. */
static bool
owns_socket(void)
{
	static const char *own;
	unsigned long long dev, inode;
	struct stat st;

	if (!own && !(own = getenv("MOTORPOOL_LISTENER")))
		own = "";
	if (!worker.path[0] || sscanf(own, "%llu %llu", &dev, &inode) != 2)
		return true;
	return stat(worker.path, &st) == 0 && st.st_dev == dev && st.st_ino == inode;
}

/* After a successor has replaced the socket, connections made just before are still served: hence the second check. */
static void
check_for_successor(void)
{
	static bool seen;

	if (clock_ms() < worker.check_ms)
		return;
	worker.check_ms = clock_ms() + CHECK_MS;
	if (seen)
		worker.ending = true;
	seen = !owns_socket();
}

/*
 * A connection that arrives together with SIGTERM is served: no other worker was woken for it. A worker whose socket
 * has been replaced serves all connections still queued on it, since no other process will.
 */
static int
accept_one(void)
{
	struct epoll_event e[2];
	bool has_connection = false;
	int n;

	if (worker.ending)
		return owns_socket() ? -1 : accept4(LISTENING, NULL, NULL, SOCK_CLOEXEC);
	n = epoll_wait(worker.queue, e, 2, worker.orphaned ? CHECK_MS : -1);
	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (e[i].data.fd == worker.term)
			read_signals();
		has_connection |= e[i].data.fd == LISTENING;
	}
	if (worker.orphaned)
		check_for_successor();
	errno = EAGAIN;
	return has_connection ? accept4(LISTENING, NULL, NULL, SOCK_CLOEXEC) : -1;
}

static bool
is_allowed_peer(int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t n = sizeof(peer);

	if (!worker.internal)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == geteuid())
		return true;
	log_warn("internal_socket", "uid %ld may not call", (long)peer.uid);
	return false;
}

/* Reads the request's head. On a protocol error libfcgi closes the connection and fails to accept another. */
static bool
take_request(int fd, int silence_ms)
{
	struct timeval silence = { .tv_sec = silence_ms / 1000, .tv_usec = silence_ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
	request.ipcFd = fd;
	request.keepConnection = 1; /* otherwise libfcgi would close it to finish the request before */
	return FCGX_Accept_r(&request) == 0;
}

bool
gateway_next(struct exchange *x)
{
	for (;;) {
		int fd = accept_one();

		if (fd >= 0 && !is_allowed_peer(fd))
			close(fd);
		else if (fd >= 0 && take_request(fd, SILENCE_MS))
			break;
		else if (fd < 0 && (worker.ending || errno == EBADF || errno == EINVAL || errno == ENOTSOCK))
			return false;
		else if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			return log_error("accept", "no file descriptor is left"), false;
	}
	x->from = &request;
	take_params(x, request.envp);
	return true;
}

void
gateway_stop_accepting(void)
{
	epoll_ctl(worker.queue, EPOLL_CTL_DEL, LISTENING, NULL);
}

bool
gateway_pause(int ms)
{
	struct epoll_event e;

	if (epoll_wait(worker.queue, &e, 1, ms) > 0)
		read_signals();
	if (worker.orphaned)
		check_for_successor();
	return !worker.ending;
}

bool
gateway_next_waiting(struct exchange *x)
{
	int fd;

	while ((fd = accept4(LISTENING, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (!is_allowed_peer(fd))
			close(fd);
		else if (take_request(fd, SILENCE_SHED_MS))
			break;
	}
	if (fd < 0)
		return false;
	x->from = &request;
	take_params(x, request.envp);
	return true;
}

void
gateway_once(struct exchange *x, char **env)
{
	x->from = NULL;
	take_params(x, env);
}

/* --- the body ----------------------------------------------------------------------------------------------------- */

static size_t
read_memory(struct exchange *x, char *to, size_t n)
{
	if (n > x->in_n)
		n = x->in_n;
	if (n)
		memcpy(to, x->in, n);
	x->in += n;
	x->in_n -= n;
	return n;
}

static size_t
read_stdin(char *to, size_t n)
{
	size_t have = 0;
	ssize_t got = 1;

	while (have < n && got > 0) {
		got = read(STDIN_FILENO, to + have, n - have);
		have += got > 0 ? (size_t)got : 0;
	}
	return have;
}

size_t
gateway_read(struct exchange *x, char *to, size_t n)
{
	int got;

	if (x->out)
		return read_memory(x, to, n);
	if (!x->from)
		return read_stdin(to, n);
	got = FCGX_GetStr(to, (int)n, request.in);
	return got > 0 ? (size_t)got : 0;
}

void
gateway_drain(struct exchange *x)
{
	char discarded[16384];
	size_t n = 0, got;

	if (x->out || !x->from)
		return;
	do {
		got = gateway_read(x, discarded, sizeof(discarded));
		n += got;
	} while (got == sizeof(discarded) && n < DRAIN_MAX);
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

struct out {
	struct iovec piece[PIECES];
	uint8_t header[PIECES][8];
	int n, n_headers;
};

static void
out_put(struct out *o, const void *bytes, size_t n)
{
	if (n)
		o->piece[o->n++] = (struct iovec){ (void *)(uintptr_t)bytes, n };
}

static void
out_header(struct out *o, int type, size_t n)
{
	uint8_t *h = o->header[o->n_headers++];
	const uint8_t id[2] = { (uint8_t)(request.requestId >> 8), (uint8_t)request.requestId };

	memcpy(h, (uint8_t[8]){ 1, (uint8_t)type, id[0], id[1], (uint8_t)(n >> 8), (uint8_t)n }, 8);
	out_put(o, h, 8);
}

/* Waits until the web server reads again. */
static bool
wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, SEND_MS) == 1;
}

/* Sends all pieces; most answers leave with the first call. */
static bool
out_send(struct out *o, int fd)
{
	struct iovec *p = o->piece;
	int left = o->n;

	while (left > 0) {
		struct msghdr msg = { .msg_iov = p, .msg_iovlen = (size_t)left };
		ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno != EINTR && !(errno == EAGAIN && wait_writable(fd)))
			return false;
		for (; sent > 0 && left > 0 && (size_t)sent >= p->iov_len; p++, left--)
			sent -= (ssize_t)p->iov_len;
		if (sent > 0) {
			p->iov_base = (char *)p->iov_base + sent;
			p->iov_len -= (size_t)sent;
		}
	}
	o->n = o->n_headers = 0;
	return true;
}

/* One text as output records; sends what has gathered when there is no room for another record. */
static bool
out_records(struct out *o, int fd, const struct buf *text, const struct buf *more)
{
	size_t n = text->n, more_n = more ? more->n : 0;

	if (n + more_n <= RECORD_MAX) { /* the usual case: everything in one record */
		out_header(o, FCGI_OUT, n + more_n);
		out_put(o, text->s, n);
		out_put(o, more_n ? more->s : NULL, more_n);
		return true;
	}
	for (size_t at = 0, part; at < n; at += part) {
		part = n - at < RECORD_MAX ? n - at : RECORD_MAX;
		if (o->n + 8 > PIECES && !out_send(o, fd))
			return false;
		out_header(o, FCGI_OUT, part);
		out_put(o, text->s + at, part);
	}
	return !more_n || out_records(o, fd, more, NULL);
}

static void
send_fastcgi(const struct buf *head, const struct buf *body)
{
	static const uint8_t done[8] = { 0 }; /* application status 0, request complete */
	struct out o;

	o.n = o.n_headers = 0;
	if (out_records(&o, request.ipcFd, head, body)) {
		out_header(&o, FCGI_OUT, 0);
		out_header(&o, FCGI_END, sizeof(done));
		out_put(&o, done, sizeof(done));
		out_send(&o, request.ipcFd);
	}
	close(request.ipcFd);
	request.ipcFd = -1;
	FCGX_Free(&request, 0);
}

static void
send_stdout(const struct buf *text)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < text->n && (n = write(STDOUT_FILENO, text->s + sent, text->n - sent)) > 0)
		sent += (size_t)n;
}

void
gateway_send(struct exchange *x, const struct buf *head, const struct buf *body)
{
	if (x->from) {
		gateway_drain(x); /* its end; usually read already, without a system call */
		send_fastcgi(head, body);
	} else if (x->out) {
		buf_put(x->out, head->s, head->n);
		if (body && body->n)
			buf_put(x->out, body->s, body->n);
	} else {
		send_stdout(head);
		if (body && body->n)
			send_stdout(body);
	}
}
