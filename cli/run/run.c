/*
 * run.c - `motorpool run`: the whole system on this machine, in the foreground, until Ctrl-C.
 *
 * Creates the databases (with demo data on the first start), starts lighttpd, each program's parent and, every minute
 * as cron would, a relay; restarts what dies; prints the address when all are ready. At the end it stops lighttpd
 * first, so that no new request comes in, then the programs, which finish the requests in progress; after 5 s the rest
 * is killed. Several copies run side by side, each with its own PORT and VAR; a second one on the same VAR is refused.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool run [--port N] [--bind ADDRESS] [--var DIR] [--empty]\n"
	"\n"
	"Starts lighttpd, all programs and the relay, and stops them at Ctrl-C. On the first start the state directory"
	" is filled with\n"
	"demo data; its log-ins are listed in DIR/demo-logins.txt.\n"
	"\n"
	"  --port N        the port (default: PORT from the environment, else 8080)\n"
	"  --bind ADDRESS  the address (default: BIND from the environment, else 127.0.0.1: this machine only)\n"
	"  --empty         no demo data\n"
	"\n"
	"Several instances can run side by side with different ports and directories. Logs: DIR/log/NAME.log.\n";

#define RELAY_MS     60000
#define READY_MS     60000
#define DRAIN_MS     5000
#define TRIM_MS      5000
#define LOG_MAX      (8 << 20)

static struct {
	struct cli *c;
	struct supervisor supervisor;
	struct process process[MAX_PROCESSES + MAX_RELAYS];     /* lighttpd first, the relays last */
	int port;
	const char *bind, *access_log;
	bool is_ready;
	int64_t began_ms, relay_at_ms, trim_at_ms;
} the;

static struct process *const lighttpd = the.process;

/* --- keeping them running --------------------------------------------------------------------------------------- */

/* Every minute another one, as cron does it. */
static void
start_relay(void)
{
	int64_t now = clock_ms();

	if (now < the.relay_at_ms)
		return;
	the.relay_at_ms = now + RELAY_MS;
	for (int i = 0; i < the.supervisor.n; i++)
		if (the.process[i].is_relay && the.process[i].child.state == CHILD_OFF) {
			the.process[i].child.state = CHILD_DUE;
			return;
		}
}

static enum child_restart
process_ended(struct child *c, int status)
{
	const struct process *p = (const struct process *)c;

	if (!the.supervisor.is_stopping && (status != 0 || !p->is_relay))
		fprintf(stderr, "motorpool: %s ended (%s)%s; see %s\n", c->name, child_status(status),
			p->is_relay ? "" : " and is started again", p->log);
	return p->is_relay ? CHILD_NO_RESTART : CHILD_RESTART;
}

static void
run_wait(int ms)
{
	poll(&(struct pollfd){ .fd = the.supervisor.signal_fd, .events = POLLIN }, 1, ms);
	supervisor_read_signals();
}

static void
trim_logs(void)
{
	if (clock_ms() < the.trim_at_ms)
		return;
	the.trim_at_ms = clock_ms() + TRIM_MS;
	for (int i = 0; i < the.supervisor.n; i++)
		process_log_trim(the.process[i].log, LOG_MAX);
	process_log_trim(the.access_log, LOG_MAX);
}

/* --- ready ------------------------------------------------------------------------------------------------------ */

/* NULL: all are ready. Else which is not, and why. */
static const char *
not_ready(void)
{
	const char *why;

	for (const struct context *p = contexts; p->name; p++)
		if (context_is_wanted(p) && program_ready(the.c, p, &why) != 200)
			return arena_printf(the.c->m, "%s (%s)", p->name, why);
	for (const struct context *p = contexts; p->name; p++) {
		int status = context_is_wanted(p)
			? http_get(the.bind, the.port, arena_printf(the.c->m, "%s/readyz", p->prefix), 1000)
			: 200;

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

/* false: it took too long. */
static bool
check_ready(void)
{
	static struct arena *scratch; /* it is called many times */
	struct arena *own = the.c->m;
	const char *what;
	bool go_on = true;

	if (!scratch)
		scratch = arena_new(4 << 20);
	arena_reset(scratch);
	the.c->m = scratch;
	what = not_ready();
	if (!what) {
		the.is_ready = true;
		print_welcome();
	} else if (clock_ms() - the.began_ms > READY_MS) {
		cli_fail("not ready after %d s: %s. The logs are in %s/log", READY_MS / 1000, what, the.c->var);
		go_on = false;
	}
	the.c->m = own;
	return go_on;
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

/* Processes that lose their parent become our children (PR_SET_CHILD_SUBREAPER), so without children all have ended. */
static bool
has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* To the processes we started, and to workers whose parent was killed. */
static void
signal_children(int signal)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		kill(pid, signal);
	if (f)
		fclose(f);
}

static void
kill_all(void)
{
	for (int i = 0; i < the.supervisor.n; i++)
		child_kill(&the.process[i].child);
	signal_children(SIGKILL);
}

/* Waits for lighttpd alone, or for all. */
static void
wait_for_end(bool all, int ms)
{
	int64_t until = clock_ms() + ms;

	while (clock_ms() < until && !the.supervisor.is_hurried && (all ? has_children() : lighttpd->child.pid != 0)) {
		run_wait(20);
		supervisor_run(clock_ms());
	}
}

static void
stop_processes(void)
{
	the.supervisor.is_stopping = true;
	child_end(&lighttpd->child, SIGINT, DRAIN_MS);
	wait_for_end(false, DRAIN_MS);
	signal_children(SIGTERM);
	wait_for_end(true, DRAIN_MS);
	the.supervisor.is_hurried = false;
	for (int i = 0; i < 20 && has_children();
		i++) { /* in each round the children of those killed may become ours */
		kill_all();
		wait_for_end(true, 100);
	}
	unlink(the.supervisor.pid_file);
	unlink(cli_path(the.c, the.c->var, "run/env"));
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

static bool
supervisor_set_up(void)
{
	the.supervisor.children = the.process;
	the.supervisor.size = sizeof(the.process[0]);
	the.supervisor.start = process_start;
	the.supervisor.ended = process_ended;
	the.supervisor.death_signal = SIGTERM;
	the.supervisor.has_sessions = true;
	the.supervisor.pid_file = cli_path(the.c, the.c->var, "run/run.pid");
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (getenv("MAKELEVEL"))
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* for when `make run` is killed */
	return supervisor_open(&the.supervisor);
}

static int
run_until_stopped(void)
{
	bool go_on = supervisor_set_up();

	the.began_ms = clock_ms();
	while (!the.supervisor.is_stopping && go_on) {
		start_relay();
		supervisor_run(clock_ms());
		if (!the.is_ready)
			go_on = check_ready();
		run_wait(the.is_ready ? 200 : 50);
		trim_logs();
	}
	if (the.is_ready)
		printf("stopping …\n");
	fflush(stdout);
	stop_processes();
	return go_on ? 0 : 1;
}

static bool
create_state(bool is_empty)
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
read_arguments(struct cli *c, int argc, char **argv, bool *is_empty)
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

/* Started by root, everything runs as the state folder's owner; a new state folder is given to run_as if there is such
 * a user. */
static bool
drop_root(struct cli *c)
{
	const char *why = NULL;

	if (geteuid() != 0)
		return true;
	if (!rental_settings_open(c->root, c->var, &why))
		return cli_fail("%s", why ? why : "cannot read the settings"), false;
	owner_give(c->var, settings.run_as, cli_path(c, c->bin, "booking"));
	if (!owner_become(c->var))
		return cli_fail("%s: cannot switch from root to the owner of this directory: %s", c->var,
			       strerror(errno)),
		       false;
	if (geteuid() == 0)
		fprintf(stderr,
			"motorpool: running as root, which is not necessary: adduser --system --group %s && chown -R"
			" %s: %s\n",
			*settings.run_as ? settings.run_as : "motorpool",
			*settings.run_as ? settings.run_as : "motorpool", c->var);
	return true;
}

static int
run_all(struct cli *c, int argc, char **argv)
{
	bool is_empty;

	if (!read_arguments(c, argc, argv, &is_empty))
		return 2;
	if (!cli_enter(c) || !drop_root(c) || !setup_folder(c, the.port) || !setup_port(the.bind, the.port)
		|| !cli_setup(c))
		return 1;
	setup_environment(c, the.bind, the.port);
	the.supervisor.n = setup_processes(c, the.process);
	if (!the.supervisor.n || !create_state(is_empty))
		return 1;
	for (int i = 0; i < MAX_RELAYS; i++)
		the.process[the.supervisor.n++] = setup_relay(c);
	return run_until_stopped();
}

const struct command run_command = {
	.name = "run", .summary = "runs everything here, until Ctrl-C", .usage = usage, .run = run_all,
		.keeps_root = true /* drop_root() */,
};
