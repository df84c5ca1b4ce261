/* ready.c - whether the programs are ready: their readyz, requested over the socket that lighttpd uses, or through
 * lighttpd. */
#include "process.h"

#include "lib/call/call.h"
#include "lib/base/proc.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ASK_MS  1000

/* Its pid is on the first line of its pid file; if it was killed, another process may have that pid by now. */
pid_t
program_parent(struct cli *c, const struct context *p)
{
	FILE *f = fopen(cli_path(c, c->var, arena_printf(c->m, "run/%s.pid", p->name)), "re");
	int pid = 0;

	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return proc_is_named(pid, p->name) ? pid : 0;
}

int
program_ready(struct cli *c, const struct context *p, const char **why)
{
	struct call call = {
		.program = p->name,
		.path = arena_printf(c->m, "%s/readyz", p->prefix),
		.deadline_ms = ASK_MS,
		.to_public = true,
	};

	*why = "";
	switch (call_do(c->m, &call)) {
	case CALL_ANSWERED: *why = call.answer; return call.status;
	case CALL_NOT_SENT:
	case CALL_REFUSED: *why = "it does not listen"; return 0;
	case CALL_UNKNOWN: *why = "no answer"; return 0;
	}
	return 0;
}

/* --- through lighttpd ------------------------------------------------------------------------------------------- */

static int
connect_tcp(const char *address, int port, int deadline_ms)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval limit = { .tv_sec = deadline_ms / 1000, .tv_usec = deadline_ms % 1000 * 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 || at.sin_addr.s_addr == htonl(INADDR_ANY))
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

int
http_get(const char *address, int port, const char *path, int deadline_ms)
{
	int fd = connect_tcp(address, port, deadline_ms), status = 0;
	char text[300];
	ssize_t n;

	if (fd < 0)
		return 0;
	snprintf(text, sizeof(text),
		"GET %.100s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
		path);
	n = send(fd, text, strlen(text), MSG_NOSIGNAL) > 0 ? recv(fd, text, sizeof(text) - 1, 0) : 0;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return sscanf(text, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}
