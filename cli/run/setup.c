/* setup.c - before `motorpool run` starts anything: the state folder's lock, the port, the environment, the list of
 * processes. */
#include "process.h"

#include "domain/rental.h"
#include "lib/base/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- before anything is started --------------------------------------------------------------------------------- */

/* The lock's file says which process holds it. */
bool
setup_folder(struct cli *c, int port)
{
	const char *path = cli_path(c, c->var, "run/run.lock");
	char holder[64] = "";
	int lock;

	mkdir(cli_path(c, c->var, "run"), 0755);
	mkdir(cli_path(c, c->var, "log"), 0755);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644); /* held until the process ends */
	if (lock < 0)
		return cli_fail("%s: %s", path, strerror(errno)), false;
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		if (read(lock, holder, sizeof(holder) - 1) < 0)
			holder[0] = '\0';
		holder[strcspn(holder, "\n")] = '\0';
		return cli_fail("already running on this state directory (%s). Stop that one, or use another directory:"
				" VAR=…",
			       holder),
		       false;
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
		return cli_fail("port %d is in use. Stop the program that uses it, or choose another: PORT=%d", port,
			       port + 1),
		       false;
	if (problem)
		return cli_fail("%s port %d: %s", bind, port, strerror(problem)), false;
	return true;
}

/* Some clients resolve "localhost" to ::1, so lighttpd listens on that loopback address too if there is IPv6. */
static const char *
second_address(struct cli *c, const char *bind, int port)
{
	struct sockaddr_in6 at = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT
	};

	if (strcmp(bind, "127.0.0.1") == 0 && try_bind(AF_INET6, &at, sizeof(at)) == 0)
		return arena_printf(c->m, "[::1]:%d", port);
	return arena_printf(c->m, "%s:%d", bind, port);
}

/* --- the processes' environment, also written to $VAR/run/env, to start one by hand ----------------------------- */

static void
set_env(FILE *f, const char *name, const char *value)
{
	setenv(name, value, 1);
	if (f)
		fprintf(f, "export %s='%s'\n", name, value);
}

/* An address that has its default value is changed to the port in use. */
static void
set_address(FILE *f, const char *name, const char *is, const char *standard, const char *changed)
{
	set_env(f, name, strcmp(is, standard) == 0 ? changed : is);
}

/* The release that "current" points to is started through that link, so that a deploy can change it (deploy.c). */
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

	set_env(f, "ROOT", root);
	set_env(f, "VAR", c->var);
	set_env(f, "BIND", bind);
	set_env(f, "PORT", arena_printf(c->m, "%d", port));
	set_env(f, "ALSO", second_address(c, bind, port));
	set_env(f, "BIN", through_link(c, c->bin));
	set_env(f, "MOTORPOOL_ROOT", root);
	set_env(f, "MOTORPOOL_VAR", c->var);
	set_address(f, "MOTORPOOL_BASE_URL", settings.base_url, "http://localhost:8080",
		arena_printf(c->m, "http://localhost:%d", port));
	set_address(f, "MOTORPOOL_PROVIDER_URL", rental.provider_url, sandbox,
		arena_printf(c->m, "http://127.0.0.1:%d/sandbox", port));
	set_address(f, "MOTORPOOL_PROVIDER_PUBLIC_URL", rental.provider_public_url, sandbox,
		arena_printf(c->m, "http://localhost:%d/sandbox", port));
	if (f)
		fclose(f);
}

/* --- the processes ---------------------------------------------------------------------------------------------- */

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
make_process(struct cli *c, const char *name, const char *const *argv)
{
	const char **copy = arena_array(c->m, const char *, 6);

	for (int i = 0; argv[i]; i++)
		copy[i] = argv[i];
	return (struct process){
		.child = { .state = CHILD_DUE, .name = name },
		.argv = copy,
		.log = arena_printf(c->m, "%s/log/%s.log", c->var, name),
	};
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

int
setup_processes(struct cli *c, struct process *to)
{
	const char *lighttpd = find_lighttpd(c);
	int n = 0;

	if (!lighttpd)
		return cli_fail("lighttpd is not installed (make deps)"), 0;
	to[n++] = make_process(
		c, "lighttpd", ARGV(lighttpd, "-D", "-f", through_link(c, cli_path(c, c->root, "lighttpd.conf"))));
	for (const struct context *p = contexts; p->name; p++) {
		const char *exe = through_link(c, cli_path(c, c->bin, p->name));

		if (!context_is_wanted(p))
			continue;
		if (access(exe, X_OK) != 0)
			return cli_fail("%s is missing (make)", exe), 0;
		to[n++] = make_process(c, p->name, ARGV(exe, "--serve", c->var));
	}
	return n;
}

struct process
setup_relay(struct cli *c)
{
	struct process relay = make_process(c, "relay", ARGV(through_link(c, cli_path(c, c->bin, "relay")), c->var));

	relay.is_relay = true;
	relay.child.state = CHILD_OFF;
	return relay;
}
