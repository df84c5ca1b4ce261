/*
 * workers.c - a program's workers: starting them, ending them, filling a place again that became empty.
 *
 * A worker that ends by itself is started again after a pause that grows while workers die young; one we killed because it hung is
 * replaced at once. When the parent dies, however it dies, workers get SIGHUP and serve on until another parent's socket stands
 * in the place of theirs (gateway.c); that parent leaves their places on the gauge alone until they are gone.
 */
#include "parent_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 10000
#define SETTLED_MS   5000               /* a worker that lived so long did not die of its start */

const char *const duty_words[N_DUTIES + 1] = { "public", "internal", "refuse", "refuse-internal", NULL };

static struct gauge_worker *
place_of(const struct worker *w)
{
	return parent.gauge ? &parent.gauge->worker[w - parent.worker] : NULL;
}

/* --- starting ------------------------------------------------------------------------------------------------------ */

static void
tell(const char *name, const char *fmt, unsigned long long a, unsigned long long b)
{
	char text[64];

	snprintf(text, sizeof(text), fmt, a, b);
	setenv(name, text, 1);
}

/* In the child: the socket becomes 0, the ready pipe 3, and the program starts anew. */
static _Noreturn void
become_worker(const struct worker *w, const struct generation *g, int ready_fd, pid_t parent_pid)
{
	const struct listener *listener = &parent.listener[listener_of(w->duty)];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (getppid() != parent_pid)
		_exit(1);
	setenv("MOTORPOOL_READY", "1", 1);
	tell("MOTORPOOL_SLOT", "%llu", (unsigned long long)(w - parent.worker), 0);
	tell("MOTORPOOL_DOOR", "%llu %llu", (unsigned long long)listener->dev, (unsigned long long)listener->ino);
	if (g->root[0])
		setenv("MOTORPOOL_ROOT", g->root, 1);
	if (dup2(listener->fd, 0) < 0 || (ready_fd != PARENT_READY_FD && dup2(ready_fd, PARENT_READY_FD) < 0))
		_exit(1);
	fcntl(PARENT_READY_FD, F_SETFD, 0);
	close_range(PARENT_READY_FD + 1, ~0U, 0);       /* whatever we were started with is not the worker's */
	execl(g->exe, parent.plan->exe, "--worker", parent.plan->var_dir, duty_words[w->duty], (char *)NULL);
	_exit(127);
}

/* Before the worker is there: nothing of who had the place before is taken for its own. */
static void
place_clear(const struct worker *w)
{
	struct gauge_worker *p = place_of(w);

	if (!p)
		return;
	atomic_store(&p->pid, 0);
	atomic_store(&p->ready, false);
	atomic_store(&p->draining, false);
	atomic_store(&p->busy_since_ms, 0);
	atomic_store(&p->n_requests, 0);
	atomic_store(&p->generation, w->generation);
	atomic_store(&p->internal, w->duty == DUTY_SERVE_INTERNAL);
	atomic_store(&p->started_ms, w->started_ms);
}

static void
place_set(const struct worker *w)
{
	struct gauge_worker *p = place_of(w);

	if (!p || is_refusing(w->duty))         /* who only refuses serves nobody */
		return;
	atomic_store(&p->pid, w->pid);
	atomic_store(&p->ready, w->ready);
	atomic_store(&p->draining, w->draining);
}

void
worker_start(struct worker *w)
{
	struct generation *g = w->generation == parent.coming.number ? &parent.coming : &parent.serving;
	int fd[2] = { -1, -1 };
	pid_t own = getpid();

	w->ready = w->has_all = w->killed = false;
	w->started_ms = clock_ms();
	w->pid = -1;
	place_clear(w);
	if (access(g->exe, X_OK) != 0)          /* its release was moved away under it: whatever stands there now */
		generation_pin(g);
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) == 0)
		w->pid = fork();
	if (w->pid == 0)
		become_worker(w, g, fd[1], own);
	if (w->pid < 0) {
		log_error("parent", "no worker could be started: %s", strerror(errno));
		w->pid = 0;
		w->start_ms = w->started_ms + 1000;
		if (fd[0] >= 0)
			close(fd[0]);
		fd[0] = -1;
	}
	if (fd[1] >= 0)
		close(fd[1]);
	w->ready_fd = fd[0];
	place_set(w);
}

struct worker *
worker_add(enum duty duty, const struct generation *g)
{
	for (struct worker *w = parent.worker; w < parent.worker + MAX_SLOTS; w++) {
		if (w->used)
			continue;
		*w = (struct worker){ .used = true, .duty = duty, .generation = g->number, .ready_fd = -1 };
		worker_start(w);
		return w;
	}
	log_error("parent", "there is no place for another worker");
	return NULL;
}

/* --- what they say ------------------------------------------------------------------------------------------------- */

static void
hear_no_more(struct worker *w)
{
	if (w->ready_fd >= 0)
		close(w->ready_fd);
	w->ready_fd = -1;
}

void
worker_hear(struct worker *w)
{
	char said;
	ssize_t n = read(w->ready_fd, &said, 1);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n == 1) {
		w->ready = true;
		w->has_all = said == PARENT_READY;
		place_set(w);
	}
	if (n != 1 || w->has_all)
		hear_no_more(w);
	if (w->ready && w->instead_of && w->instead_of->used) {
		worker_drain(w->instead_of);
		write_pids();
	}
	if (w->ready)
		w->instead_of = NULL;
}

/* --- ending -------------------------------------------------------------------------------------------------------- */

static void
place_free(struct worker *w)
{
	struct gauge_worker *p = place_of(w);

	if (p)
		atomic_store(&p->pid, 0);
	w->used = false;
	for_each_worker(other)
		if (other->instead_of == w)
			other->instead_of = NULL;
}

void
worker_drain(struct worker *w)
{
	if (w->draining)
		return;
	w->draining = true;
	w->kill_ms = clock_ms() + DRAIN_MS;
	place_set(w);
	if (w->pid)
		kill(w->pid, SIGTERM);
	else
		place_free(w);
}

void
worker_kill(struct worker *w)
{
	w->killed = true;
	kill(w->pid, SIGKILL);
}

static int64_t
pause_after(struct worker *w, int64_t now)
{
	int64_t pause;

	if (w->killed || now - w->started_ms > SETTLED_MS)
		w->pause_ms = 0;
	pause = w->pause_ms;
	if (!w->killed)
		w->pause_ms = pause == 0 ? PAUSE_MIN_MS : pause < PAUSE_MAX_MS / 2 ? 2 * pause : PAUSE_MAX_MS;
	return pause;
}

/* A worker is gone: its place is filled again. */
void
worker_gone(struct worker *w, int status)
{
	int64_t now = clock_ms();
	bool unasked = !w->draining && !w->killed;

	hear_no_more(w);
	if (unasked) {
		log_warn("parent", "worker %d ended: %s %d", (int)w->pid, WIFSIGNALED(status) ? "signal" : "status",
		         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		if (parent.gauge)
			atomic_fetch_add(&parent.gauge->n_died, 1);
	}
	if (w->generation == parent.coming.number && !w->ready && unasked)
		parent.coming.n_died += WIFEXITED(status) && WEXITSTATUS(status) == 127 ? EARLY_DEATHS : 1;
	w->pid = 0;
	w->ready = w->has_all = false;
	place_clear(w);
	if (w->draining || parent.ending)
		place_free(w);
	else
		w->start_ms = now + pause_after(w, now);
}

/* --- what time brings ---------------------------------------------------------------------------------------------- */

static int64_t
worker_due(struct worker *w, int64_t now)
{
	if (w->draining && w->pid) {
		if (w->kill_ms <= now) {
			kill(w->pid, SIGKILL);
			w->kill_ms = now + 1000;
		}
		return w->kill_ms;
	}
	if (w->pid)
		return NEVER;
	if (w->start_ms > now)
		return w->start_ms;
	worker_start(w);
	write_pids();
	return w->pid ? NEVER : w->start_ms;
}

int64_t
workers_due(int64_t now)
{
	int64_t next = NEVER;

	for_each_worker(w) {
		int64_t due = worker_due(w, now);

		if (due < next)
			next = due;
	}
	return next;
}

/* --- an earlier parent's workers ----------------------------------------------------------------------------------- */

/* The 22nd word of /proc/PID/stat, in ticks since boot; the second, the program's name, may hold blanks and brackets. */
int64_t
process_born_ms(pid_t pid)
{
	char path[64], line[1024] = "", state = 'Z', *rest;
	long long born = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f) && (rest = strrchr(line, ')'))
	    && sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld", &state, &born) != 2)
		born = 0;
	fclose(f);
	return state == 'Z' || state == 'X' ? 0 : born * 1000 / sysconf(_SC_CLK_TCK);
}

/* Numbers of processes are used again: it is the same one only when it is as old as it says. */
static bool
is_who_it_says(const struct gauge_worker *p)
{
	pid_t pid = atomic_load(&p->pid);
	int64_t born = process_born_ms(pid), said = atomic_load(&p->started_ms);

	return pid && born && born > said - 2000 && born < said + 2000;
}

void
workers_adopt(void)
{
	for (int i = 0; parent.gauge && i < MAX_SLOTS; i++) {
		struct gauge_worker *p = &parent.gauge->worker[i];
		struct worker *w = &parent.worker[i];

		if (w->used && !w->stray)
			continue;
		*w = (struct worker){ .used = is_who_it_says(p), .stray = true, .ready_fd = -1 };
		if (!w->used)
			atomic_store(&p->pid, 0);
		else
			atomic_store(&p->draining, true);
	}
}
