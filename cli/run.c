/*
 * run.c - `motorpool run`: everything on this machine, in the foreground, until Ctrl-C.
 *
 * Makes the databases (and demo data on the first start), starts lighttpd, each program's parent and, every minute as cron
 * would, a relay; starts again what dies; says where it is when everybody is ready. At the end it stops what it started: first
 * lighttpd, so that nobody new comes in, then the programs, which finish what they have in hand; after 5 s the rest is killed.
 * Two copies never meet: each has its own PORT and its own VAR, and a second one on the same VAR is refused.
 */
#include "process.h"

#include "../lib/clock.h"
#include "../lib/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool run [--port N] [--bind ADDRESS] [--var DIR] [--empty]\n"
	"\n"
	"Starts lighttpd, all programs and the relay, and stops them at Ctrl-C. On the first start the state folder is filled with\n"
	"demo data; its log-ins stand in DIR/demo-logins.txt.\n"
	"\n"
	"  --port N        the port (default: PORT from the environment, else 8080)\n"
	"  --bind ADDRESS  the address (default: BIND from the environment, else 127.0.0.1: this machine only)\n"
	"  --empty         no demo data\n"
	"\n"
	"Two copies run side by side with different ports and folders. Logs: DIR/log/NAME.log.\n";

#define MAX_PROCESSES 16
#define MAX_RELAYS   3          /* one works, one waits, one leaves */
#define RELAY_MS     60000
#define READY_MS     60000
#define DRAIN_MS     5000
#define TRIM_MS      5000

static struct {
	struct cli *c;
	struct process process[MAX_PROCESSES];   /* lighttpd first */
	struct process relay[MAX_RELAYS];
	int n_processes, lock, signals, port;
	const char *bind;
	bool is_ending, is_hurried, is_ready;
	int64_t began_ms, relay_at_ms, trim_at_ms;
} the;

/* --- before anything is started --------------------------------------------------------------------------------------- */

/* One `run` a state folder. The lock's file says who. */
static bool
take_folder(void)
{
	const char *path = cli_path(the.c, the.c->var, "run/run.lock");
	char who[64] = "";

	mkdir(cli_path(the.c, the.c->var, "run"), 0755);
	mkdir(cli_path(the.c, the.c->var, "log"), 0755);
	the.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (the.lock < 0)
		return cli_fail("%s: %s", path, strerror(errno)), false;
	if (flock(the.lock, LOCK_EX | LOCK_NB) != 0) {
		if (read(the.lock, who, sizeof(who) - 1) < 0)
			who[0] = '\0';
		who[strcspn(who, "\n")] = '\0';
		return cli_fail("already running on this state folder (%s). Stop that one, or take another folder: VAR=…", who), false;
	}
	if (ftruncate(the.lock, 0) != 0 || dprintf(the.lock, "process %d, port %d\n", (int)getpid(), the.port) < 0)
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

static bool
port_is_free(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)the.port) };
	int problem;

	if (inet_pton(AF_INET, the.bind, &at.sin_addr) != 1)
		return cli_fail("%s is not an IPv4 address", the.bind), false;
	problem = try_bind(AF_INET, &at, sizeof(at));
	if (problem == EADDRINUSE)
		return cli_fail("port %d is in use. Stop whoever has it, or take another: PORT=%d", the.port, the.port + 1), false;
	if (problem)
		return cli_fail("%s port %d: %s", the.bind, the.port, strerror(problem)), false;
	return true;
}

/* "localhost" is ::1 to some, so the loopback address has two names where IPv6 is there. */
static const char *
also(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)the.port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	if (strcmp(the.bind, "127.0.0.1") == 0 && try_bind(AF_INET6, &at, sizeof(at)) == 0)
		return arena_printf(the.c->m, "[::1]:%d", the.port);
	return arena_printf(the.c->m, "%s:%d", the.bind, the.port);
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
tell_address(FILE *f, const char *name, const char *is, const char *standard, const char *host, const char *path)
{
	bool is_standard = strcmp(is, standard) == 0;

	tell(f, name, is_standard ? arena_printf(the.c->m, "http://%s:%d%s", host, the.port, path) : is);
}

static void
tell_all(void)
{
	FILE *f = fopen(cli_path(the.c, the.c->var, "run/env"), "we");

	tell(f, "ROOT", the.c->root);
	tell(f, "VAR", the.c->var);
	tell(f, "BIND", the.bind);
	tell(f, "PORT", arena_printf(the.c->m, "%d", the.port));
	tell(f, "ALSO", also());
	tell(f, "MOTORPOOL_ROOT", the.c->root);
	tell(f, "MOTORPOOL_VAR", the.c->var);
	tell_address(f, "MOTORPOOL_BASE_URL", settings.base_url, "http://localhost:8080", "localhost", "");
	tell_address(f, "MOTORPOOL_PROVIDER_URL", settings.provider_url, "http://localhost:8080/sandbox", "127.0.0.1", "/sandbox");
	tell_address(f, "MOTORPOOL_PROVIDER_PUBLIC_URL", settings.provider_public_url, "http://localhost:8080/sandbox", "localhost", "/sandbox");
	if (f)
		fclose(f);
}

/* --- who is started --------------------------------------------------------------------------------------------------- */

static const char *
find_lighttpd(void)
{
	const char *path = getenv("PATH");
	char *dirs = arena_printf(the.c->m, "%s:/usr/sbin:/usr/local/sbin", path ? path : "/usr/bin");

	for (char *dir = strtok(dirs, ":"); dir; dir = strtok(NULL, ":")) {
		const char *exe = cli_path(the.c, dir, "lighttpd");

		if (access(exe, X_OK) == 0)
			return exe;
	}
	return NULL;
}

static struct process
process_make(const char *name, int ending, const char *const *argv)
{
	struct arena *m = the.c->m;
	struct process s = { .name = name, .ending = ending };
	const char **copy = arena_array(m, const char *, 6);

	for (int i = 0; argv[i]; i++)
		copy[i] = argv[i];
	s.argv = copy;
	s.log = arena_printf(m, "%s/log/%s.log", the.c->var, name);
	return s;
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* false: said what is missing. */
static bool
list_processes(void)
{
	const char *lighttpd = find_lighttpd(), *relay = cli_path(the.c, the.c->bin, "relay");

	if (!lighttpd)
		return cli_fail("lighttpd is not installed (make deps)"), false;
	the.process[the.n_processes++] = process_make("lighttpd", SIGINT, ARGV(lighttpd, "-D", "-f", cli_path(the.c, the.c->root, "lighttpd.conf")));
	for (const struct program_place *p = programs; p->name; p++) {
		const char *exe = cli_path(the.c, the.c->bin, p->name);

		if (!program_is_wanted(p))
			continue;
		if (access(exe, X_OK) != 0)
			return cli_fail("%s is missing (make)", exe), false;
		the.process[the.n_processes++] = process_make(p->name, SIGTERM, ARGV(exe, "--serve", the.c->var));
	}
	for (int i = 0; i < MAX_RELAYS; i++) {
		the.relay[i] = process_make("relay", SIGTERM, ARGV(relay, the.c->var));
		the.relay[i].is_once = true;
	}
	return true;
}

/* For `motorpool status` and for whoever wants to break things: who is who. The parents list their workers beside it. */
static void
write_pids(void)
{
	const char *path = cli_path(the.c, the.c->var, "run/run.pid"), *temp = arena_printf(the.c->m, "%s.new", path);
	FILE *f = fopen(temp, "we");

	if (!f)
		return;
	fprintf(f, "%d\n", (int)getpid());
	for (int i = 0; i < the.n_processes; i++)
		if (the.process[i].pid)
			fprintf(f, "%d %s\n", (int)the.process[i].pid, the.process[i].name);
	for (int i = 0; i < MAX_RELAYS; i++)
		if (the.relay[i].pid)
			fprintf(f, "%d relay\n", (int)the.relay[i].pid);
	fclose(f);
	rename(temp, path);
}

/* --- keeping them running ------------------------------------------------------------------------------------------------ */

static bool
start_due(void)
{
	int64_t now = clock_ms();
	bool some = false;

	for (int i = 0; i < the.n_processes; i++) {
		struct process *s = &the.process[i];

		if (!s->pid && now >= s->start_at_ms)
			some = process_start(s) || some;
	}
	return some;
}

/* As cron does it: each minute another one, whatever became of those before. */
static bool
start_relay(void)
{
	int64_t now = clock_ms();

	if (now < the.relay_at_ms)
		return false;
	the.relay_at_ms = now + RELAY_MS;
	for (int i = 0; i < MAX_RELAYS; i++)
		if (!the.relay[i].pid)
			return process_start(&the.relay[i]);
	return false;
}

static void
note_end(struct process *s, int status)
{
	bool is_fine = s->is_once && WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (!the.is_ending && !is_fine)
		fprintf(stderr, "motorpool: %s ended (%s %d)%s; see %s\n", s->name, WIFSIGNALED(status) ? "signal" : "status",
		        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), s->is_once ? "" : " and is started again", s->log);
	process_ended(s, status);
}

/* Workers whose parent was killed come to us too: they are waited for and forgotten. */
static bool
bury(void)
{
	bool some = false;
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0; some = true) {
		for (int i = 0; i < the.n_processes; i++)
			if (the.process[i].pid == pid)
				note_end(&the.process[i], status);
		for (int i = 0; i < MAX_RELAYS; i++)
			if (the.relay[i].pid == pid)
				note_end(&the.relay[i], status);
	}
	return some;
}

static bool
hear_signals(void)
{
	struct signalfd_siginfo info;
	bool some = false;

	while (read(the.signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			some = bury() || some;
			continue;
		}
		the.is_hurried = the.is_ending;         /* asked twice: at once */
		the.is_ending = true;
	}
	return some;
}

static void
wait_a_little(int ms)
{
	poll(&(struct pollfd){ .fd = the.signals, .events = POLLIN }, 1, ms);
}

static void
trim_logs(void)
{
	if (clock_ms() < the.trim_at_ms)
		return;
	the.trim_at_ms = clock_ms() + TRIM_MS;
	for (int i = 0; i < the.n_processes; i++)
		process_log_trim(&the.process[i]);
	process_log_trim(&the.relay[0]);
}

/* --- ready ---------------------------------------------------------------------------------------------------------------- */

/* NULL: all are. Else who is not, and why. */
static const char *
who_is_not_ready(void)
{
	const char *why;

	for (const struct program_place *p = programs; p->name; p++)
		if (program_is_wanted(p) && program_ready(the.c, p, &why) != 200)
			return arena_printf(the.c->m, "%s (%s)", p->name, why);
	for (const struct program_place *p = programs; p->name; p++) {
		int status = program_is_wanted(p) ? http_get(the.bind, the.port, arena_printf(the.c->m, "%s/readyz", p->prefix), 1000) : 200;

		if (status != 200)
			return arena_printf(the.c->m, "%s through lighttpd (status %d)", p->name, status);
	}
	return NULL;
}

static void
print_log_ins(void)
{
	FILE *f = fopen(cli_path(the.c, the.c->var, "demo-logins.txt"), "re");
	char role[32], email[128], password[64];

	if (!f)
		return;
	while (fscanf(f, "%31s %127s %63s", role, email, password) == 3)
		printf("  %-10s %-28s %s\n", role, email, password);
	fclose(f);
}

static void
print_welcome(void)
{
	printf("\nmotorpool is ready: %s\n\n", getenv("MOTORPOOL_BASE_URL"));
	print_log_ins();
	printf("\n  state: %s    logs: %s/log    Ctrl-C stops everything\n\n", the.c->var, the.c->var);
	fflush(stdout);
}

/* false: it took too long, and nothing says it will become better. */
static bool
look_whether_ready(void)
{
	static struct arena *asking;            /* many times until they are */
	struct arena *own = the.c->m;
	const char *who;
	bool go_on = true;

	if (!asking)
		asking = arena_new(4 << 20);
	arena_reset(asking);
	the.c->m = asking;
	who = who_is_not_ready();
	if (!who) {
		the.is_ready = true;
		print_welcome();
	} else if (clock_ms() - the.began_ms > READY_MS) {
		cli_fail("not ready after %d s: %s. The logs are in %s/log", READY_MS / 1000, who, the.c->var);
		go_on = false;
	}
	the.c->m = own;
	return go_on;
}

/* --- the end -------------------------------------------------------------------------------------------------------------- */

static bool
anybody_left(void)
{
	for (int i = 0; i < the.n_processes; i++)
		if (process_is_alive(&the.process[i]))
			return true;
	for (int i = 0; i < MAX_RELAYS; i++)
		if (process_is_alive(&the.relay[i]))
			return true;
	return false;
}

static void
each(void (*fn)(struct process *s), int from)
{
	for (int i = from; i < the.n_processes; i++)
		fn(&the.process[i]);
	for (int i = 0; i < MAX_RELAYS; i++)
		fn(&the.relay[i]);
}

/* Waits for lighttpd alone, or for all. */
static void
wait_for_end(bool all, int ms)
{
	int64_t until = clock_ms() + ms;

	while (clock_ms() < until && !the.is_hurried && (all ? anybody_left() : process_is_alive(&the.process[0]))) {
		wait_a_little(20);
		hear_signals();
		bury();
	}
}

static void
stop_all(void)
{
	the.is_ending = true;
	process_end(&the.process[0]);
	wait_for_end(false, DRAIN_MS);
	each(process_end, 1);
	wait_for_end(true, DRAIN_MS);
	if (anybody_left())
		each(process_kill, 0);
	the.is_hurried = false;
	wait_for_end(true, 2000);
	unlink(cli_path(the.c, the.c->var, "run/run.pid"));
	unlink(cli_path(the.c, the.c->var, "run/env"));
}

/* --- all of it ------------------------------------------------------------------------------------------------------------ */

static void
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	the.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (getenv("MAKELEVEL"))
		prctl(PR_SET_PDEATHSIG, SIGTERM);       /* `make run` was killed */
}

static int
supervise(void)
{
	bool go_on = true;

	the.began_ms = clock_ms();
	while (!the.is_ending && go_on) {
		bool changed = start_due();

		changed = start_relay() || changed;
		if (changed)
			write_pids();
		if (!the.is_ready)
			go_on = look_whether_ready();
		wait_a_little(the.is_ready ? 200 : 50);
		if (hear_signals())
			write_pids();
		trim_logs();
	}
	if (the.is_ready)
		printf("stopping …\n");
	fflush(stdout);
	stop_all();
	return go_on ? 0 : 1;
}

static bool
make_state(bool is_empty)
{
	const char *why = NULL;
	bool demo = !is_empty && demo_is_wanted(the.c);

	mkdir(cli_path(the.c, the.c->var, "cache"), 0755);
	mkdir(cli_path(the.c, the.c->var, "tmp"), 0755);
	if (demo && !cli_demo(the.c, 0))
		return false;
	if (!cli_migrate(the.c, &why))
		return cli_fail("%s", why ? why : "the databases cannot be made"), false;
	return true;
}

static bool
take_arguments(struct cli *c, int argc, char **argv, bool *is_empty)
{
	const char *port, *bind, *of_environment = getenv("PORT");
	bool bad = false;
	int64_t n;

	port = cli_option(&argc, argv, "--port", &bad);
	bind = cli_option(&argc, argv, "--bind", &bad);
	*is_empty = cli_flag(&argc, argv, "--empty");
	if (!port)
		port = of_environment && *of_environment ? of_environment : "8080";
	if (!bind)
		bind = getenv("BIND");
	the.c = c;
	the.bind = bind && *bind ? bind : "127.0.0.1";
	if (bad || argc != 1)
		return cli_usage(c), false;
	if (!cli_number(port, 1, 65535, &n))
		return cli_fail("%s is not a port", port), false;
	the.port = (int)n;
	return true;
}

static int
run(struct cli *c, int argc, char **argv)
{
	const char *why = NULL;
	bool is_empty;

	if (!take_arguments(c, argc, argv, &is_empty))
		return 2;
	if (!cli_enter(c, &why))
		return cli_fail("%s", why);
	if (!take_folder() || !port_is_free() || !cli_settle(c))
		return 1;
	tell_all();
	if (!list_processes() || !make_state(is_empty))
		return 1;
	open_signals();
	return supervise();
}

const struct command run_command = {
	.name = "run", .summary = "starts everything here, until Ctrl-C", .usage = usage, .run = run,
};
