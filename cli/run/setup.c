/*
 * setup.c - what `motorpool run` sees to before it starts anything: that it is alone on its folder, that the port is free, what
 * the processes are told, and which they are.
 */
#include "process.h"

#include "domain/rental.h"
#include "lib/base/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- before anything is started --------------------------------------------------------------------------------------- */

/* One `run` a state folder. The lock's file says who. */
bool
setup_folder(struct cli *c, int port)
{
	const char *path = cli_path(c, c->var, "run/run.lock");
	char who[64] = "";
	int lock;

	mkdir(cli_path(c, c->var, "run"), 0755);
	mkdir(cli_path(c, c->var, "log"), 0755);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);          /* held until the process ends */
	if (lock < 0)
		return cli_fail("%s: %s", path, strerror(errno)), false;
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		if (read(lock, who, sizeof(who) - 1) < 0)
			who[0] = '\0';
		who[strcspn(who, "\n")] = '\0';
		return cli_fail("already running on this state directory (%s). Stop that instance or use another directory: VAR=…", who), false;
	}
	if (ftruncate(lock, 0) != 0 || dprintf(lock, "process %d, port %d\n", (int)getpid(), port) < 0)
		return cli_fail("%s: %s", path, strerror(errno)), false;
	return true;
}

static int
try_bind(int family, const void *at, socklen_t n)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, problem;

	if (fd < 0)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	problem = bind(fd, at, n) == 0 ? 0 : errno;
	close(fd);
	return problem;
}

bool
setup_port(const char *bind, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int problem;

	if (inet_pton(AF_INET, bind, &at.sin_addr) != 1)
		return cli_fail("%s is not an IPv4 address", bind), false;
	problem = try_bind(AF_INET, &at, sizeof(at));
	if (problem == EADDRINUSE)
		return cli_fail("port %d is in use. Stop the program that uses it or choose another port: PORT=%d", port, port + 1), false;
	if (problem)
		return cli_fail("%s port %d: %s", bind, port, strerror(problem)), false;
	return true;
}

/* "localhost" is ::1 to some, so the loopback address has two names where IPv6 is there. */
static const char *
also(struct cli *c, const char *bind, int port)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	if (strcmp(bind, "127.0.0.1") == 0 && try_bind(AF_INET6, &at, sizeof(at)) == 0)
		return arena_printf(c->m, "[::1]:%d", port);
	return arena_printf(c->m, "%s:%d", bind, port);
}

/* --- what the processes are told: the environment, also written to $VAR/run/env for whoever starts one by hand --------------- */

static void
tell(FILE *f, const char *name, const char *value)
{
	setenv(name, value, 1);
	if (f)
		fprintf(f, "export %s='%s'\n", name, value);
}

/* Addresses that still stand as they come with the house are moved to the port in use. */
static void
tell_address(FILE *f, const char *name, const char *is, const char *standard, const char *moved)
{
	tell(f, name, strcmp(is, standard) == 0 ? moved : is);
}

/* A release that is named by "current" is started through it, so that the next one takes its place there (deploy.c). */
static const char *
through_link(struct cli *c, const char *path)
{
	const char *link = cli_release_link(c);
	size_t n = strlen(c->root);

	return link && strncmp(path, c->root, n) == 0 ? arena_printf(c->m, "%s%s", link, path + n) : path;
}

void
setup_environment(struct cli *c, const char *bind, int port)
{
	const char *sandbox = "http://localhost:8080/sandbox";
	const char *root = through_link(c, c->root);
	FILE *f = fopen(cli_path(c, c->var, "run/env"), "we");

	tell(f, "ROOT", root);
	tell(f, "VAR", c->var);
	tell(f, "BIND", bind);
	tell(f, "PORT", arena_printf(c->m, "%d", port));
	tell(f, "ALSO", also(c, bind, port));
	tell(f, "BIN", through_link(c, c->bin));
	tell(f, "MOTORPOOL_ROOT", root);
	tell(f, "MOTORPOOL_VAR", c->var);
	tell_address(f, "MOTORPOOL_BASE_URL", settings.base_url, "http://localhost:8080", arena_printf(c->m, "http://localhost:%d", port));
	tell_address(f, "MOTORPOOL_PROVIDER_URL", rental.provider_url, sandbox, arena_printf(c->m, "http://127.0.0.1:%d/sandbox", port));
	tell_address(f, "MOTORPOOL_PROVIDER_PUBLIC_URL", rental.provider_public_url, sandbox,
	             arena_printf(c->m, "http://localhost:%d/sandbox", port));
	if (f)
		fclose(f);
}

/* --- who is started --------------------------------------------------------------------------------------------------- */

static const char *
find_lighttpd(struct cli *c)
{
	const char *path = getenv("PATH");
	char *dirs = arena_printf(c->m, "%s:/usr/sbin:/usr/local/sbin", path ? path : "/usr/bin");

	for (char *dir = strtok(dirs, ":"); dir; dir = strtok(NULL, ":")) {
		const char *exe = cli_path(c, dir, "lighttpd");

		if (access(exe, X_OK) == 0)
			return exe;
	}
	return NULL;
}

static struct process
make(struct cli *c, const char *name, int ending, const char *const *argv)
{
	struct process s = { .name = name, .ending = ending };
	const char **copy = arena_array(c->m, const char *, 6);

	for (int i = 0; argv[i]; i++)
		copy[i] = argv[i];
	s.argv = copy;
	s.log = arena_printf(c->m, "%s/log/%s.log", c->var, name);
	return s;
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

int
setup_processes(struct cli *c, struct process *to)
{
	const char *lighttpd = find_lighttpd(c);
	int n = 0;

	if (!lighttpd)
		return cli_fail("lighttpd is not installed (make deps)"), 0;
	to[n++] = make(c, "lighttpd", SIGINT, ARGV(lighttpd, "-D", "-f", through_link(c, cli_path(c, c->root, "lighttpd.conf"))));
	for (const struct context *p = contexts; p->name; p++) {
		const char *exe = through_link(c, cli_path(c, c->bin, p->name));

		if (!context_is_wanted(p))
			continue;
		if (access(exe, X_OK) != 0)
			return cli_fail("%s is missing (make)", exe), 0;
		to[n++] = make(c, p->name, SIGTERM, ARGV(exe, "--serve", c->var));
	}
	return n;
}

struct process
setup_relay(struct cli *c)
{
	struct process relay = make(c, "relay", SIGTERM, ARGV(through_link(c, cli_path(c, c->bin, "relay")), c->var));

	relay.is_once = true;
	return relay;
}
