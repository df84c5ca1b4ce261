/*
 * run.c - `motorpool run`: everything on this machine, in the foreground, until Ctrl-C.
 *
 * Makes the databases (and demo data on the first start), starts lighttpd, each program's parent and, every minute as cron
 * would, a relay; starts again what dies; says where it is when everybody is ready. At the end it stops what it started: first
 * lighttpd, so that nobody new comes in, then the programs, which finish what they have in hand; after 5 s the rest is killed.
 * Two copies never meet: each has its own PORT and its own VAR, and a second one on the same VAR is refused.
 */
#include "process.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/process/owner.h"
#include "lib/base/settings.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool run [--port N] [--bind ADDRESS] [--var DIR] [--empty]\n"
	"\n"
	"Starts lighttpd, all programs and the relay, and stops them on Ctrl-C. On the first start the state directory is filled with\n"
	"demo data; the log-ins are in DIR/demo-logins.txt.\n"
	"\n"
	"  --port N        the port (default: PORT from the environment, else 8080)\n"
	"  --bind ADDRESS  the address (default: BIND from the environment, else 127.0.0.1: this machine only)\n"
	"  --empty         no demo data\n"
	"\n"
	"Several instances can run side by side with different ports and directories. Logs: DIR/log/NAME.log.\n";

#define MAX_RELAYS   3          /* one works, one waits, one leaves */
#define RELAY_MS     60000
#define READY_MS     60000
#define DRAIN_MS     5000
#define TRIM_MS      5000
#define LOG_MAX      (8 << 20)

static struct {
	struct cli *c;
	struct process process[MAX_PROCESSES];   /* lighttpd first */
	struct process relay[MAX_RELAYS];
	int n_processes, signals, port;
	const char *bind, *access_log;
	bool is_ending, is_hurried, is_ready;
	int64_t began_ms, relay_at_ms, trim_at_ms;
} the;

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
		        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), s->is_once ? "" : ", restarting", s->log);
	process_ended(s, status);
}

/* Workers whose parent was killed come to us too: they are waited for and forgotten. */
static bool
reap(void)
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
			some = reap() || some;
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
		process_log_trim(the.process[i].log, LOG_MAX);
	process_log_trim(the.relay[0].log, LOG_MAX);
	process_log_trim(the.access_log, LOG_MAX);
}

/* --- ready ---------------------------------------------------------------------------------------------------------------- */

/* NULL: all are. Else who is not, and why. */
static const char *
who_is_not_ready(void)
{
	const char *why;

	for (const struct context *p = contexts; p->name; p++)
		if (context_is_wanted(p) && program_ready(the.c, p, &why) != 200)
			return arena_printf(the.c->m, "%s (%s)", p->name, why);
	for (const struct context *p = contexts; p->name; p++) {
		int status = context_is_wanted(p) ? http_get(the.bind, the.port, arena_printf(the.c->m, "%s/readyz", p->prefix), 1000) : 200;

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
	printf("\n");
	fclose(f);
}

static void
print_welcome(void)
{
	char state[PATH_MAX];

	if (!realpath(the.c->var, state))
		snprintf(state, sizeof(state), "%s", the.c->var);
	printf("\nmotorpool is ready: %s\n\n", getenv("MOTORPOOL_BASE_URL"));
	print_log_ins();
	printf("  state: %s   logs: %s/log   Ctrl-C stops everything\n\n", state, state);
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

/* Whoever loses its parent becomes our child (we asked for that), so when we have none nobody is left. */
static bool
anybody_left(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Whoever is our child: those we started, and workers whose parent was killed. */
static void
tell_children(int signal)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		kill(pid, signal);
	if (f)
		fclose(f);
}

/* Those that did not end: the ones we know with all that belong to them, then whoever came to us since. */
static void
kill_the_rest(void)
{
	for (int i = 0; i < the.n_processes; i++)
		process_kill(&the.process[i]);
	for (int i = 0; i < MAX_RELAYS; i++)
		process_kill(&the.relay[i]);
	tell_children(SIGKILL);
}

/* But lighttpd, which went first. */
static void
end_programs(void)
{
	tell_children(SIGTERM);
}

/* Waits for lighttpd alone, or for all. */
static void
wait_for_end(bool all, int ms)
{
	int64_t until = clock_ms() + ms;

	while (clock_ms() < until && !the.is_hurried && (all ? anybody_left() : process_is_alive(&the.process[0]))) {
		wait_a_little(20);
		hear_signals();
		reap();
	}
}

static void
stop_all(void)
{
	the.is_ending = true;
	process_end(&the.process[0]);
	wait_for_end(false, DRAIN_MS);
	end_programs();
	wait_for_end(true, DRAIN_MS);
	the.is_hurried = false;
	for (int i = 0; i < 20 && anybody_left(); i++) {        /* each round may bring us more: their children */
		kill_the_rest();
		wait_for_end(true, 100);
	}
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
		return cli_fail("%s", why ? why : "cannot create the databases"), false;
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
	the.access_log = cli_path(c, c->var, "log/access.log");
	the.bind = bind && *bind ? bind : "127.0.0.1";
	if (bad || argc != 1)
		return cli_usage(c), false;
	if (!cli_number(port, 1, 65535, &n))
		return cli_fail("%s is not a port", port), false;
	the.port = (int)n;
	return true;
}

/* Started by root: everything runs as the state's owner; a new state belongs to run_as, where there is such a user. */
static bool
leave_root(struct cli *c)
{
	const char *why = NULL;

	if (geteuid() != 0)
		return true;
	if (!rental_settings_open(c->root, c->var, &why))
		return cli_fail("%s", why ? why : "cannot read the settings"), false;
	owner_give(c->var, settings.run_as, cli_path(c, c->bin, "booking"));
	if (!owner_become(c->var))
		return cli_fail("%s: cannot switch from root to the owner of this directory: %s", c->var, strerror(errno)), false;
	if (geteuid() == 0)
		fprintf(stderr, "motorpool: running as root, which is not necessary: adduser --system --group %s && chown -R %s: %s\n",
		        *settings.run_as ? settings.run_as : "motorpool", *settings.run_as ? settings.run_as : "motorpool", c->var);
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
	if (!leave_root(c) || !setup_folder(c, the.port) || !setup_port(the.bind, the.port) || !cli_settle(c))
		return 1;
	setup_environment(c, the.bind, the.port);
	the.n_processes = setup_processes(c, the.process);
	for (int i = 0; i < MAX_RELAYS; i++)
		the.relay[i] = setup_relay(c);
	if (!the.n_processes || !make_state(is_empty))
		return 1;
	open_signals();
	return supervise();
}

const struct command run_command = {
	.name = "run", .summary = "starts everything in the foreground, until Ctrl-C", .usage = usage, .run = run, .keeps_root = true /* leave_root() */,
};
