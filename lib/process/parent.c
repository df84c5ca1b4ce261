/*
 * parent.c - the prefork parent: owns a program's sockets, keeps its workers running, replaces them without a gap.
 *
 * The listening sockets are bound under a temporary name and renamed when workers are ready, so there is never a moment
 * without a listener, and they stay open here whatever happens to workers: nobody is ever refused, only made to wait. The
 * parent opens no database and reads no request.
 *
 * Workers belong to a generation; SIGHUP starts the next one (generation.c). SIGTERM and SIGINT drain everything. Ten times a
 * second the workers are looked after (watchdog.c).
 */
#include "parent_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct parent parent = { .listener = { { .fd = -1 }, { .fd = -1 } } };

/* --- sockets and the pid file ------------------------------------------------------------------------------------- */

/* Names in $VAR/run change hands only under this lock: a parent that ends must not unlink what its successor has put there. */
static void
hold_names(bool on)
{
	while (flock(parent.lock, on ? LOCK_EX : LOCK_UN) != 0 && errno == EINTR)
		;
}

static bool
run_path(char to[static 108], const char *suffix)
{
	return snprintf(to, 108, "%s/run/%s%s", parent.plan->var_dir, parent.plan->name, suffix) < 100;
}

/* The parent's pid, then a line for each worker: "811 public". */
void
write_pids(void)
{
	char temp[128];
	FILE *f;

	snprintf(temp, sizeof(temp), "%s.%d", parent.pid_file, (int)getpid());
	f = fopen(temp, "we");
	if (!f)
		return;
	fprintf(f, "%d\n", (int)getpid());
	for_each_worker(w)
		if (w->pid)
			fprintf(f, "%d %s\n", (int)w->pid, duty_words[w->duty]);
	fclose(f);
	rename(temp, parent.pid_file);
}

static bool
pid_file_is_ours(void)
{
	FILE *f = fopen(parent.pid_file, "re");
	int pid = 0;

	if (!f)
		return false;
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid == (int)getpid();
}

/* The sockets get their names when workers are there to answer, so a successor takes over without anybody waiting for it. */
void
publish_listeners(void)
{
	hold_names(true);
	listener_publish(&parent.listener[0]);
	listener_publish(&parent.listener[1]);
	hold_names(false);
}

/* --- what happens ------------------------------------------------------------------------------------------------- */

static void
end_all(void)
{
	parent.ending = true;
	for_each_worker(w)
		worker_drain(w);
}

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for_each_worker(w)
			if (w->pid == pid)
				worker_gone(w, status);
	if (!parent.ending)
		write_pids();
}

static void
hear_signals(void)
{
	struct signalfd_siginfo info;

	while (read(parent.signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap();
		else if (info.ssi_signo == SIGHUP && !parent.ending)
			generation_start();
		else if ((info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) && !parent.ending)
			end_all();
	}
}

/* What time brings. Answers for how many milliseconds nothing else is due; -1: for ever. */
static int
do_due(void)
{
	int64_t now = clock_ms(), next = workers_due(now), care = watchdog_due(now), gate = generation_due();

	if (care < next)
		next = care;
	if (gate < next)
		next = gate;
	return next == NEVER ? -1 : next <= now ? 0 : (int)(next - now);
}

static bool
anybody_left(void)
{
	for_each_worker(w)
		return true;
	return false;
}

static void
wait_and_hear(int timeout_ms)
{
	struct pollfd p[MAX_SLOTS + 1] = { { .fd = parent.signals, .events = POLLIN } };
	struct worker *whose[MAX_SLOTS + 1];
	int n = 1;

	for_each_worker(w)
		if (w->ready_fd >= 0) {
			whose[n] = w;
			p[n++] = (struct pollfd){ .fd = w->ready_fd, .events = POLLIN };
		}
	if (poll(p, (nfds_t)n, timeout_ms) <= 0)
		return;
	for (int i = 1; i < n; i++)
		if (p[i].revents)
			worker_hear(whose[i]);
	if (p[0].revents)
		hear_signals();
}

/* --- begin and end ------------------------------------------------------------------------------------------------ */

/* Orphans of a parent that was killed still count on it. */
static void
open_gauge(void)
{
	parent.gauge = gauge_open(parent.plan->var_dir, parent.plan->name);
	for (int listener = 0; listener < 2; listener++)
		parent.n_wanted[listener] = parent.gauge ? parent.plan->n_min[listener] : parent.plan->n_max[listener];
	if (!parent.gauge)
		return log_warn("parent", "nobody counts requests: %s", strerror(errno));
	parent.newest = atomic_load(&parent.gauge->generation);
	atomic_store(&parent.gauge->started_at, (int64_t)time(NULL));
	workers_adopt();
}

static void
open_signals(void)
{
	sigset_t heard;

	sigemptyset(&heard);
	sigaddset(&heard, SIGCHLD);
	sigaddset(&heard, SIGTERM);
	sigaddset(&heard, SIGINT);
	sigaddset(&heard, SIGHUP);
	sigprocmask(SIG_BLOCK, &heard, NULL);
	parent.signals = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool
parent_open(const struct parent_plan *plan)
{
	char path[128];

	parent.plan = plan;
	snprintf(path, sizeof(path), "%.90s/run", plan->var_dir);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return false;
	if (!run_path(path, ".names") || !run_path(parent.pid_file, ".pid"))
		return errno = ENAMETOOLONG, false;
	parent.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	open_signals();
	return parent.lock >= 0 && parent.signals >= 0;
}

static bool
open_doors(void)
{
	char path[108], internal[108];

	if (!run_path(path, ".sock") || !run_path(internal, ".internal.sock"))
		return errno = ENAMETOOLONG, false;
	return listener_open(&parent.listener[0], path) && (!parent.plan->n_max[1] || listener_open(&parent.listener[1], internal));
}

static void
close_doors(void)
{
	hold_names(true);
	listener_close(&parent.listener[0]);
	listener_close(&parent.listener[1]);
	if (pid_file_is_ours())
		unlink(parent.pid_file);
	hold_names(false);
}

int
parent_run(const struct parent_plan *plan)
{
	if (!parent_open(plan) || !open_doors()) {
		log_error("parent", "%s/run/%s: %s", plan->var_dir, plan->name, strerror(errno));
		return 1;
	}
	open_gauge();
	generation_start();
	while (!parent.ending || anybody_left()) {
		wait_and_hear(do_due());
		if (!parent.ending)
			generation_look();
	}
	close_doors();
	return 0;
}
