/*
 * parent.c - the prefork parent: its start, its end and its loop.
 *
 * Workers belong to a generation; SIGHUP starts the next one (generation.c). SIGTERM and SIGINT drain all workers. Ten
 * times a second the watchdog checks them (watchdog.c).
 */
#include "parent_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

static void
parent_gauge_open(void)
{
	parent.gauge = gauge_open(parent.plan->var_dir, parent.plan->name);
	for (int i = 0; i < 2; i++)
		parent.n_wanted[i] = parent.gauge ? parent.plan->n_min[i] : parent.plan->n_max[i];
	if (!parent.gauge)
		return log_warn(
			"parent", "the gauge cannot be mapped, hung workers are not found: %s", strerror(errno));
	parent.newest = atomic_load(&parent.gauge->generation);
	atomic_store(&parent.gauge->started_at, (int64_t)time(NULL));
	workers_adopt();
}

/* Does all that is due; the supervisor last, since the watchdog may add workers. Returns the milliseconds until more is
 * due, or -1. */
static int
run_due(void)
{
	int64_t now = clock_ms(), watchdog = watchdog_run(now), generation = generation_due(),
		next = supervisor_run(now);

	next = watchdog < next ? watchdog : next;
	next = generation < next ? generation : next;
	return next == CHILD_NEVER ? -1 : next <= now ? 0 : (int)(next - now);
}

/* What workers have said is read before it is seen that they ended. */
static void
parent_wait(int timeout_ms)
{
	struct pollfd p[MAX_SLOTS + 1] = { { .fd = parent.supervisor.signal_fd, .events = POLLIN } };
	struct worker_slot *worker[MAX_SLOTS + 1];
	int n = 1;

	for_each_worker (w)
		if (w->ready_fd >= 0) {
			worker[n] = w;
			p[n++] = (struct pollfd){ .fd = w->ready_fd, .events = POLLIN };
		}
	if (poll(p, (nfds_t)n, timeout_ms) <= 0)
		return;
	for (int i = 1; i < n; i++)
		if (p[i].revents)
			worker_read_ready(worker[i]);
	if (p[0].revents)
		supervisor_read_signals();
}

static void
drain_or_go_on(void)
{
	if (parent.supervisor.is_stopping) {
		for_each_worker (w)
			worker_drain(w);
		return;
	}
	if (parent.supervisor.is_reload_asked)
		generation_start();
	parent.supervisor.is_reload_asked = false;
	generation_check();
}

int
parent_run(const struct parent_plan *plan)
{
	parent.plan = plan;
	if (!workers_open() || !sockets_open()) {
		log_error("parent", "%s/run/%s: %s", plan->var_dir, plan->name, strerror(errno));
		return 1;
	}
	parent_gauge_open();
	generation_start();
	while (!parent.supervisor.is_stopping || supervisor_n_running() > 0) {
		parent_wait(run_due());
		drain_or_go_on();
	}
	sockets_close();
	return 0;
}
