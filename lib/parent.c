/*
 * parent.c - the prefork parent: owns a program's sockets, keeps its workers running, replaces them without a gap.
 *
 * The listening sockets are bound under a temporary name and renamed when workers are ready, so there is never a moment
 * without a listener, and they stay open here whatever happens to workers: nobody is ever refused, only made to wait. The
 * parent opens no database and reads no request.
 *
 * Workers belong to a generation. SIGHUP starts the next one from the same path (a symlink may point to a new release by
 * now); when all of its workers have said READY the old generation is drained. If they die or say nothing for READY_MS,
 * the new generation ends and the old one serves on. SIGTERM and SIGINT drain everything.
 */
#include "parent.h"

#include "clock.h"
#include "door.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SLOTS    384                /* two generations of 64 public and 64 internal workers, and one still draining */
#define READY_MS     10000
#define DRAIN_MS     15000              /* then a worker is killed */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 10000
#define SETTLED_MS   5000               /* a worker that lived so long did not die of its start */

struct slot {                           /* a place for a worker; empty while pid is 0 and it waits for start_ms */
	pid_t pid;
	bool used, internal, ready, draining;
	int generation, ready_fd;
	int64_t started_ms, start_ms, pause_ms, kill_ms;
};

static struct parent {
	const struct parent_plan *plan;
	struct door door[2];            /* public, internal */
	struct slot slot[MAX_SLOTS];
	int generation, serving;        /* serving: the newest that is ready as a whole */
	int signals, lock;
	bool ending;
	int64_t generation_ms;          /* when the newest was started */
	char pid_file[108];
} parent = { .door = { { .fd = -1 }, { .fd = -1 } } };

#define for_each_slot(s) for (struct slot *s = parent.slot; s < parent.slot + MAX_SLOTS; s++) if (s->used)

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
static void
write_pids(void)
{
	char temp[128];
	FILE *f;

	snprintf(temp, sizeof(temp), "%s.%d", parent.pid_file, (int)getpid());
	f = fopen(temp, "we");
	if (!f)
		return;
	fprintf(f, "%d\n", (int)getpid());
	for_each_slot(s)
		if (s->pid)
			fprintf(f, "%d %s\n", (int)s->pid, s->internal ? "internal" : "public");
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

/* --- workers ------------------------------------------------------------------------------------------------------ */

/* In the child: the socket becomes 0, the ready pipe 3, and the program starts anew. */
static _Noreturn void
become_worker(const struct slot *s, int ready_fd, pid_t parent_pid)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);       /* drains when its parent dies, however it dies */
	if (getppid() != parent_pid)
		_exit(1);
	setenv("MOTORPOOL_READY", "1", 1);
	if (dup2(parent.door[s->internal].fd, 0) < 0 || (ready_fd != PARENT_READY_FD && dup2(ready_fd, PARENT_READY_FD) < 0))
		_exit(1);
	fcntl(PARENT_READY_FD, F_SETFD, 0);
	close_range(PARENT_READY_FD + 1, ~0U, 0);       /* whatever we were started with is not the worker's */
	execl(parent.plan->exe, parent.plan->exe, "--worker", parent.plan->var_dir, s->internal ? "internal" : "public", (char *)NULL);
	_exit(127);
}

static void
worker_start(struct slot *s)
{
	int fd[2] = { -1, -1 };
	pid_t own = getpid();

	s->ready = false;
	s->started_ms = clock_ms();
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) == 0)
		s->pid = fork();
	if (s->pid == 0 && fd[0] >= 0)
		become_worker(s, fd[1], own);
	if (s->pid < 0 || fd[0] < 0) {
		log_error("parent", "no worker could be started: %s", strerror(errno));
		s->pid = 0;
		s->start_ms = s->started_ms + 1000;
	}
	if (fd[1] >= 0)
		close(fd[1]);
	s->ready_fd = fd[0];
}

static void
worker_drain(struct slot *s)
{
	s->draining = true;
	s->kill_ms = clock_ms() + DRAIN_MS;
	if (s->pid)
		kill(s->pid, SIGTERM);
	else
		s->used = false;
}

/* A worker is gone: its place is filled again, after a pause that grows while workers die young. */
static void
worker_gone(struct slot *s, int status)
{
	int64_t now = clock_ms();

	if (s->ready_fd >= 0)
		close(s->ready_fd);
	s->ready_fd = -1;
	if (!s->draining)
		log_warn("parent", "worker %d ended: %s %d", (int)s->pid, WIFSIGNALED(status) ? "signal" : "status",
		         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	s->pid = 0;
	s->ready = false;
	if (s->draining || parent.ending) {
		s->used = false;
		return;
	}
	if (now - s->started_ms > SETTLED_MS)
		s->pause_ms = 0;
	s->start_ms = now + s->pause_ms;
	s->pause_ms = s->pause_ms ? s->pause_ms * 2 : PAUSE_MIN_MS;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
}

/* --- generations -------------------------------------------------------------------------------------------------- */

static void
add_workers(int n, bool internal)
{
	for (struct slot *s = parent.slot; s < parent.slot + MAX_SLOTS && n > 0; s++) {
		if (s->used)
			continue;
		*s = (struct slot){ .used = true, .internal = internal, .generation = parent.generation, .ready_fd = -1 };
		worker_start(s);
		n--;
	}
}

static void
generation_start(void)
{
	parent.generation++;
	parent.generation_ms = clock_ms();
	add_workers(parent.plan->n_public, false);
	add_workers(parent.plan->n_internal, true);
	write_pids();
}

/* The sockets get their names when workers are there to answer, so a successor takes over without anybody waiting for it. */
static void
name_doors(void)
{
	hold_names(true);
	door_name(&parent.door[0]);
	door_name(&parent.door[1]);
	hold_names(false);
}

static void
generation_drain(bool older)
{
	for_each_slot(s)
		if (!s->draining && (s->generation < parent.generation) == older)
			worker_drain(s);
}

/* Has the newest generation taken over? All of its workers ready: the older ones go. Never ready: it goes itself. */
static void
generation_look(void)
{
	int n = 0, n_ready = 0;

	if (parent.serving == parent.generation)
		return;
	for_each_slot(s)
		if (s->generation == parent.generation && !s->draining) {
			n++;
			n_ready += s->ready;
		}
	if (n_ready == n) {
		parent.serving = parent.generation;
		name_doors();
		generation_drain(true);
		log_info("parent", "generation %d serves with %d workers", parent.generation, n);
	} else if (parent.serving && clock_ms() - parent.generation_ms > READY_MS) {
		log_error("parent", "generation %d was never ready: %d serves on", parent.generation, parent.serving);
		generation_drain(false);
		parent.generation = parent.serving;
	}
}

/* --- what happens ------------------------------------------------------------------------------------------------- */

static void
end_all(void)
{
	parent.ending = true;
	for_each_slot(s)
		worker_drain(s);
}

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for_each_slot(s)
			if (s->pid == pid)
				worker_gone(s, status);
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
		else if (info.ssi_signo == SIGHUP && !parent.ending && parent.serving == parent.generation)
			generation_start();
		else if ((info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) && !parent.ending)
			end_all();
	}
}

static void
hear_ready(struct slot *s)
{
	char said;
	ssize_t n = read(s->ready_fd, &said, 1);

	if (n < 0 && errno == EAGAIN)
		return;
	s->ready = n == 1;
	close(s->ready_fd);
	s->ready_fd = -1;
}

/* What time brings: places to fill again, workers that will not end. Answers how long nothing else is due; -1: for ever. */
static int
do_due(void)
{
	int64_t now = clock_ms(), next = -1;

	for_each_slot(s) {
		int64_t due = -1;

		if (s->draining && s->pid) {
			due = s->kill_ms;
			if (due <= now) {
				kill(s->pid, SIGKILL);
				s->kill_ms = due = now + 1000;
			}
		} else if (!s->pid && s->start_ms <= now) {
			worker_start(s);
			write_pids();
		} else if (!s->pid) {
			due = s->start_ms;
		}
		if (due >= 0 && (next < 0 || due < next))
			next = due;
	}
	if (parent.serving && parent.serving != parent.generation && (next < 0 || parent.generation_ms + READY_MS < next))
		next = parent.generation_ms + READY_MS + 1;
	return next < 0 ? -1 : next <= now ? 0 : (int)(next - now);
}

static bool
anybody_left(void)
{
	for_each_slot(s)
		return true;
	return false;
}

static void
wait_and_hear(int timeout_ms)
{
	struct pollfd p[MAX_SLOTS + 1] = { { .fd = parent.signals, .events = POLLIN } };
	struct slot *whose[MAX_SLOTS + 1];
	int n = 1;

	for_each_slot(s)
		if (s->ready_fd >= 0) {
			whose[n] = s;
			p[n++] = (struct pollfd){ .fd = s->ready_fd, .events = POLLIN };
		}
	if (poll(p, (nfds_t)n, timeout_ms) <= 0)
		return;
	for (int i = 1; i < n; i++)
		if (p[i].revents)
			hear_ready(whose[i]);
	if (p[0].revents)
		hear_signals();
}

/* --- begin and end ------------------------------------------------------------------------------------------------ */

static bool
parent_open(const struct parent_plan *plan)
{
	char path[128];
	sigset_t heard;

	parent.plan = plan;
	snprintf(path, sizeof(path), "%.90s/run", plan->var_dir);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return false;
	if (!run_path(path, ".names") || !run_path(parent.pid_file, ".pid"))
		return errno = ENAMETOOLONG, false;
	parent.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	sigemptyset(&heard);
	sigaddset(&heard, SIGCHLD);
	sigaddset(&heard, SIGTERM);
	sigaddset(&heard, SIGINT);
	sigaddset(&heard, SIGHUP);
	sigprocmask(SIG_BLOCK, &heard, NULL);
	parent.signals = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
	return parent.lock >= 0 && parent.signals >= 0;
}

static bool
open_doors(void)
{
	char path[108], internal[108];

	if (!run_path(path, ".sock") || !run_path(internal, ".internal.sock"))
		return errno = ENAMETOOLONG, false;
	return door_open(&parent.door[0], path) && (!parent.plan->n_internal || door_open(&parent.door[1], internal));
}

static void
close_doors(void)
{
	hold_names(true);
	door_close(&parent.door[0]);
	door_close(&parent.door[1]);
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
	generation_start();
	while (!parent.ending || anybody_left()) {
		wait_and_hear(do_due());
		if (!parent.ending)
			generation_look();
	}
	close_doors();
	return 0;
}
