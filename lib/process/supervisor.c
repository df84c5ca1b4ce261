/* supervisor.c - starting, reaping, restarting and ending child processes; supervisor.h describes it. */
#include "supervisor.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MIN_MS  100
#define PAUSE_MAX_MS  10000
#define SETTLED_MS    5000              /* a child that lived longer did not die of its start */
#define FORK_AGAIN_MS 1000
#define KILL_AGAIN_MS 1000

static struct supervisor *the;

static struct child *
child_at(int i)
{
	return (void *)((char *)the->children + (size_t)i * the->size);
}

bool
supervisor_open(struct supervisor *s)
{
	static const int handled[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaddset(&set, handled[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	the = s;
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signal_fd >= 0;
}

/* The pid file is replaced as a whole, so a reader never sees half of it. */
static void
write_pid_file(void)
{
	char temp[4200];
	FILE *f;

	the->has_changed = false;
	if (!the->pid_file || the->is_stopping)
		return;
	snprintf(temp, sizeof(temp), "%s.%d", the->pid_file, (int)getpid());
	f = fopen(temp, "we");
	if (!f)
		return;
	fprintf(f, "%d\n", (int)getpid());
	for (int i = 0; i < the->n; i++)
		if (child_at(i)->pid)
			fprintf(f, "%d %s\n", (int)child_at(i)->pid, child_at(i)->name);
	fclose(f);
	rename(temp, the->pid_file);
}

/* --- starting --------------------------------------------------------------------------------------------------- */

/* The death signal is set before getppid() is called, so the parent's death is noticed whenever it happens. */
static void
become_child(pid_t parent)
{
	sigset_t none;

	close(the->signal_fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (the->has_sessions)
		setsid();
	prctl(PR_SET_PDEATHSIG, the->death_signal);
	if (getppid() != parent)
		_exit(1);
}

pid_t
child_fork(struct child *c)
{
	pid_t parent = getpid();

	fflush(NULL);
	c->started_ms = clock_ms();
	c->is_killed = false;
	c->pid = fork();
	if (c->pid == 0) {
		become_child(parent);
		return 0;
	}
	the->has_changed = true;
	if (c->pid > 0) {
		c->state = CHILD_RUNNING;
		return c->pid;
	}
	log_error("supervisor", "%s cannot be started: fork: %s", c->name, strerror(errno));
	c->pid = 0;
	c->due_ms = c->started_ms + FORK_AGAIN_MS;
	return -1;
}

/* --- ending ----------------------------------------------------------------------------------------------------- */

static void
send_kill(const struct child *c)
{
	if (!the->has_sessions || kill(-c->pid, SIGKILL) != 0)
		kill(c->pid, SIGKILL);
}

void
child_kill(struct child *c)
{
	c->is_killed = true;
	if (c->pid)
		send_kill(c);
}

void
child_end(struct child *c, int signal, int64_t grace_ms)
{
	if (c->pid)
		kill(c->pid, signal);
	c->state = c->pid ? CHILD_ENDING : CHILD_OFF;
	c->due_ms = clock_ms() + grace_ms;
}

const char *
child_status(int status)
{
	static char words[24];

	snprintf(words, sizeof(words), "%s %d", WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return words;
}

/* --- reaping, and restarts -------------------------------------------------------------------------------------- */

static void
schedule_restart(struct child *c, bool at_once)
{
	int64_t now = clock_ms();

	if (at_once || now - c->started_ms > SETTLED_MS)
		c->pause_ms = 0;
	c->state = CHILD_DUE;
	c->due_ms = now + c->pause_ms;
	c->pause_ms = c->pause_ms == 0 ? PAUSE_MIN_MS : c->pause_ms < PAUSE_MAX_MS / 2 ? 2 * c->pause_ms : PAUSE_MAX_MS;
}

static void
child_reaped(struct child *c, int status)
{
	enum child_restart restart = the->ended(c, status);

	c->pid = 0;
	the->has_changed = true;
	if (restart == CHILD_NO_RESTART || c->state == CHILD_ENDING || the->is_stopping)
		c->state = CHILD_OFF;
	else
		schedule_restart(c, restart == CHILD_RESTART_NOW || c->is_killed);
}

/* Processes that are not in the table (adopted ones) are reaped and forgotten. */
static void
reap_children(void)
{
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		for (int i = 0; i < the->n; i++)
			if (child_at(i)->pid == pid)
				child_reaped(child_at(i), status);
}

void
supervisor_read_signals(void)
{
	struct signalfd_siginfo info;

	while (read(the->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap_children();
		} else if (info.ssi_signo == SIGHUP && the->reloads) {
			the->is_reload_asked = true;
		} else {
			the->is_hurried = the->is_stopping;
			the->is_stopping = true;
		}
	}
}

static void
child_run_due(struct child *c, int64_t now)
{
	if (c->state == CHILD_DUE && the->is_stopping) {
		c->state = CHILD_OFF;
	} else if (c->state == CHILD_DUE && c->due_ms <= now) {
		the->start(c);
	} else if (c->state == CHILD_ENDING && c->due_ms <= now) {
		send_kill(c);
		c->due_ms = now + KILL_AGAIN_MS;
	}
}

int64_t
supervisor_run(int64_t now)
{
	int64_t next = CHILD_NEVER;

	for (int i = 0; i < the->n; i++) {
		struct child *c = child_at(i);

		child_run_due(c, now);
		if ((c->state == CHILD_DUE || c->state == CHILD_ENDING) && c->due_ms < next)
			next = c->due_ms;
	}
	if (the->has_changed)
		write_pid_file();
	return next;
}

int
supervisor_n_running(void)
{
	int n = 0;

	for (int i = 0; i < the->n; i++)
		n += child_at(i)->pid != 0;
	return n;
}
