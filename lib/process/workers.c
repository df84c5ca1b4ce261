/*
 * workers.c - the slots of a program's workers: starting them, ending them, what they say.
 *
 * A worker that ends by itself is restarted after a pause that grows while workers die young; one that was killed
 * because it hung, at once (supervisor.c). If the parent dies, its workers get SIGHUP and serve on until another
 * parent's socket has the name of theirs (gateway.c). That parent leaves their slots in the gauge alone until they are
 * gone: they are strays.
 */
#include "parent_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRAIN_MS     15000              /* then a draining worker is killed */
#define STARTED_TOLERANCE_MS 2000       /* between the parent's clock and the kernel's record of a start */

struct parent parent = { .listener = { { .fd = -1 }, { .fd = -1 } } };

const char *const duty_words[N_DUTIES + 1] = { "public", "internal", "refuse", "refuse-internal", NULL };

/* --- a worker's slot in the gauge ------------------------------------------------------------------------------- */

struct gauge_worker *
worker_gauge(const struct worker_slot *w)
{
	return parent.gauge ? &parent.gauge->worker[w - parent.worker] : NULL;
}

/* Before a start and after an end, so that a worker never takes over what an earlier one in its slot has counted. */
static void
gauge_slot_clear(const struct worker_slot *w)
{
	struct gauge_worker *g = worker_gauge(w);

	if (!g)
		return;
	atomic_store(&g->pid, 0);
	atomic_store(&g->ready, false);
	atomic_store(&g->draining, false);
	atomic_store(&g->busy_since_ms, 0);
	atomic_store(&g->n_requests, 0);
	atomic_store(&g->generation, w->generation);
	atomic_store(&g->internal, w->duty == DUTY_SERVE_INTERNAL);
}

/* Refusing processes are not counted as workers. */
static void
gauge_slot_set(const struct worker_slot *w)
{
	struct gauge_worker *g = worker_gauge(w);

	if (!g || is_refusing(w->duty))
		return;
	atomic_store(&g->started_ms, w->child.started_ms);
	atomic_store(&g->pid, w->child.pid);
	atomic_store(&g->ready, w->ready);
	atomic_store(&g->draining, is_draining(w));
}

/* --- starting --------------------------------------------------------------------------------------------------- */

/* A path that leads nowhere is kept, and starting it will fail. */
void
generation_resolve(struct generation *g)
{
	const char *root = getenv("MOTORPOOL_ROOT");

	if (!realpath(parent.plan->exe, g->exe))
		snprintf(g->exe, sizeof(g->exe), "%s", parent.plan->exe);
	g->root[0] = '\0';
	if (root && *root && !realpath(root, g->root))
		snprintf(g->root, sizeof(g->root), "%s", root);
}

static void
set_numbers(const char *name, const char *fmt, unsigned long long a, unsigned long long b)
{
	char text[64];

	snprintf(text, sizeof(text), fmt, a, b);
	setenv(name, text, 1);
}

/* In the child: the socket becomes file 0, the ready pipe 3, and the program is executed. */
static _Noreturn void
worker_exec(const struct worker_slot *w, const struct generation *g, int ready_fd)
{
	const struct listener *listener = &parent.listener[listener_of(w->duty)];

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setenv("MOTORPOOL_READY", "1", 1);
	set_numbers("MOTORPOOL_SLOT", "%llu", (unsigned long long)(w - parent.worker), 0);
	set_numbers("MOTORPOOL_LISTENER", "%llu %llu", (unsigned long long)listener->dev,
		(unsigned long long)listener->ino);
	if (g->root[0])
		setenv("MOTORPOOL_ROOT", g->root, 1);
	if (dup2(listener->fd, 0) < 0 || (ready_fd != PARENT_READY_FD && dup2(ready_fd, PARENT_READY_FD) < 0))
		_exit(1);
	fcntl(PARENT_READY_FD, F_SETFD, 0);
	close_range(PARENT_READY_FD + 1, ~0U, 0);
	execl(g->exe, parent.plan->exe, "--worker", parent.plan->var_dir, duty_words[w->duty], (char *)NULL);
	_exit(127);
}

static void
worker_start(struct child *c)
{
	struct worker_slot *w = (struct worker_slot *)c;
	struct generation *g = w->generation == parent.coming.number ? &parent.coming : &parent.serving;
	int fd[2] = { -1, -1 };

	w->ready = w->has_all = false;
	gauge_slot_clear(w);
	if (access(g->exe, X_OK) != 0) /* its release was moved away: what the symlinks point to now */
		generation_resolve(g);
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0)
		log_error("parent", "no pipe for a worker: %s", strerror(errno));
	w->ready_fd = fd[0];
	if (child_fork(c) == 0)
		worker_exec(w, g, fd[1]);
	if (fd[1] >= 0)
		close(fd[1]); /* if the fork failed, ready_fd is at its end, and closed by worker_read_ready() */
	gauge_slot_set(w);
}

struct worker_slot *
worker_add(enum duty duty, const struct generation *g)
{
	for (struct worker_slot *w = parent.worker; w < parent.worker + MAX_SLOTS; w++) {
		if (w->child.state != CHILD_OFF || w->is_stray)
			continue;
		*w = (struct worker_slot){
			.child = { .state = CHILD_DUE, .name = duty_words[duty] },
			.duty = duty,
			.generation = g->number,
			.ready_fd = -1,
		};
		return w;
	}
	log_error("parent", "no slot is free for another worker");
	return NULL;
}

/* --- what they say ---------------------------------------------------------------------------------------------- */

static void
ready_close(struct worker_slot *w)
{
	if (w->ready_fd >= 0)
		close(w->ready_fd);
	w->ready_fd = -1;
}

void
worker_read_ready(struct worker_slot *w)
{
	char what;
	ssize_t n = read(w->ready_fd, &what, 1);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n == 1) {
		w->ready = true;
		w->has_all = what == PARENT_READY;
		gauge_slot_set(w);
	}
	if (n != 1 || w->has_all)
		ready_close(w);
	if (w->ready && w->replaces)
		worker_drain(w->replaces);
	if (w->ready)
		w->replaces = NULL;
}

/* --- ending ----------------------------------------------------------------------------------------------------- */

static void
slot_free(struct worker_slot *w)
{
	gauge_slot_clear(w);
	for_each_worker (other)
		if (other->replaces == w)
			other->replaces = NULL;
}

void
worker_drain(struct worker_slot *w)
{
	if (is_draining(w))
		return;
	child_end(&w->child, SIGTERM, DRAIN_MS);
	if (is_draining(w))
		gauge_slot_set(w);
	else
		slot_free(w);
}

static void
note_death(struct worker_slot *w, int status)
{
	log_warn("parent", "worker %d ended: %s", (int)w->child.pid, child_status(status));
	if (parent.gauge)
		atomic_fetch_add(&parent.gauge->n_died, 1);
	if (w->generation == parent.coming.number && !w->ready)
		parent.coming.n_died += WIFEXITED(status) && WEXITSTATUS(status) == 127 ? EARLY_DEATHS : 1;
}

static enum child_restart
worker_ended(struct child *c, int status)
{
	struct worker_slot *w = (struct worker_slot *)c;

	ready_close(w);
	if (!is_draining(w) && !c->is_killed)
		note_death(w, status);
	w->ready = w->has_all = false;
	if (is_draining(w))
		slot_free(w);
	else
		gauge_slot_clear(w);
	return CHILD_RESTART;
}

bool
workers_open(void)
{
	parent.supervisor = (struct supervisor){
		.children = parent.worker,
		.size = sizeof(parent.worker[0]),
		.n = MAX_SLOTS,
		.start = worker_start,
		.ended = worker_ended,
		.death_signal = SIGHUP,
		.reloads = true,
		.pid_file = parent.pid_file,
	};
	return supervisor_open(&parent.supervisor);
}

/* --- an earlier parent's workers -------------------------------------------------------------------------------- */

/* Pids are reused: it is the same process only if it started when the gauge says. */
bool
stray_is_alive(const struct gauge_worker *g)
{
	int64_t started = proc_started(atomic_load(&g->pid)) * 1000 / sysconf(_SC_CLK_TCK),
		noted = atomic_load(&g->started_ms);

	return started && started > noted - STARTED_TOLERANCE_MS && started < noted + STARTED_TOLERANCE_MS;
}

void
workers_adopt(void)
{
	for (struct worker_slot *w = parent.worker; w < parent.worker + MAX_SLOTS; w++) {
		struct gauge_worker *g = worker_gauge(w);

		w->is_stray = stray_is_alive(g);
		if (w->is_stray)
			atomic_store(&g->draining, true);
		else
			atomic_store(&g->pid, 0);
	}
}
