/* ready.c - which programs there are, and whether each can do its work: its readyz, asked over the socket lighttpd uses. */
#include "process.h"

#include "lib/call/call.h"
#include "lib/base/clock.h"
#include "lib/base/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define ASK_MS  1000
#define VAR_MAX 70              /* with "/run/payment.internal.sock.4194304" behind it, a socket's name has room for so much */

static bool
is_called(struct cli *c, int pid, const char *name)
{
	FILE *f = pid > 0 ? fopen(arena_printf(c->m, "/proc/%d/comm", pid), "re") : NULL;
	char is[32] = "";
	bool same = f && fscanf(f, "%31s", is) == 1 && strcmp(is, name) == 0;

	if (f)
		fclose(f);
	return same;
}

/* It stands first in its file; when it was killed, the number may be somebody else's by now. */
pid_t
program_parent(struct cli *c, const struct context *p)
{
	FILE *f = fopen(cli_path(c, c->var, arena_printf(c->m, "run/%s.pid", p->name)), "re");
	int pid = 0;

	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return is_called(c, pid, p->name) ? pid : 0;
}

int
program_ready(struct cli *c, const struct context *p, const char **why)
{
	struct call call = {
		.program = p->name, .path = arena_printf(c->m, "%s/readyz", p->prefix), .deadline_ms = ASK_MS, .to_public = true,
	};

	*why = "";
	switch (call_do(c->m, &call)) {
	case CALL_ANSWERED:
		*why = call.answer;
		return call.status;
	case CALL_NOT_SENT:
	case CALL_REFUSED:
		*why = "not listening";
		return 0;
	case CALL_UNKNOWN:
		*why = "no answer";
		return 0;
	}
	return 0;
}

/* --- through lighttpd ------------------------------------------------------------------------------------------------- */

static int
connect_to(const char *address, int port, int deadline_ms)
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
	int fd = connect_to(address, port, deadline_ms), status = 0;
	char text[300];
	ssize_t n;

	if (fd < 0)
		return 0;
	snprintf(text, sizeof(text), "GET %.100s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n", path);
	n = send(fd, text, strlen(text), MSG_NOSIGNAL) > 0 ? recv(fd, text, sizeof(text) - 1, 0) : 0;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return sscanf(text, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

/* --- the state folder ---------------------------------------------------------------------------------------------------- */

static bool
make_folders(struct cli *c, const char *path)
{
	char *part = arena_strdup(c->m, path);

	for (char *s = part + 1; *s; s++)
		if (*s == '/') {
			*s = '\0';
			mkdir(part, 0755);
			*s = '/';
		}
	return mkdir(part, 0755) == 0 || errno == EEXIST;
}

/* The whole name, as people look for it in a list of processes; the folder itself and "." where that is too long. */
bool
cli_enter(struct cli *c, const char **why)
{
	char whole[PATH_MAX];

	if (!make_folders(c, c->var) || !realpath(c->var, whole)) {
		*why = arena_printf(c->m, "%s: %s", c->var, strerror(errno));
		return false;
	}
	if (strlen(whole) <= VAR_MAX) {
		c->var = arena_strdup(c->m, whole);
		return true;
	}
	c->var = ".";
	if (chdir(whole) == 0)
		return true;
	*why = arena_printf(c->m, "%s: %s", whole, strerror(errno));
	return false;
}
