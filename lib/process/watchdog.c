/*
 * watchdog.c - checks the workers ten times a second: finds hung ones from the gauge and bloated ones from /proc, and
 * adapts their number to the load.
 *
 * A hung worker is killed; its client gets the web server's error page. A bloated or worn one is replaced without a
 * gap: the new worker is ready before the old one is drained, one at a time.
 *
 * When all are busy and connections wait, as many are added as wait, at most as many as there are. One is drained when
 * for SHRINK_MS at least two were idle all the time.
 */
#include "parent_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/proc.h"
#include "backlog.h"

#include <signal.h>

#define CHECK_MS   100
#define MEMORY_MS  1000
#define SHRINK_MS  5000
#define SATURATED  2                    /* so many checks in a row that found all busy and connections waiting: grow */

static struct {
	int64_t check_ms, memory_ms, shrink_ms; /* when each is due */
	int n_saturated[2], most_busy[2];       /* checks in a row; busy and waiting at most since the last shrink_ms */
} watch;

static bool
is_serving(const struct worker_slot *w)
{
	return w->child.state == CHILD_RUNNING && !is_refusing(w->duty) && w->generation == parent.serving.number;
}

/* --- hung workers ----------------------------------------------------------------------------------------------- */

/* How long it has been busy with one request, when that is longer than allowed; else 0. */
static int64_t
hung_ms(const struct worker_slot *w, int64_t now)
{
	int64_t since = atomic_load(&worker_gauge(w)->busy_since_ms), limit = parent.plan->request_limit_ms;

	return limit && since && now - since > limit ? now - since : 0;
}

static void
worker_kill_if_hung(struct worker_slot *w, int64_t now)
{
	int64_t ms = hung_ms(w, now);

	if (!ms || w->child.is_killed)
		return;
	log_error("parent", "worker %d has been busy for %lld ms and is killed", (int)w->child.pid, (long long)ms);
	atomic_fetch_add(&parent.gauge->n_hung, 1);
	child_kill(&w->child);
}

/* An earlier parent's worker ends by itself, unless it hangs. */
static void
check_stray(struct worker_slot *w, int64_t now)
{
	struct gauge_worker *g = worker_gauge(w);

	w->is_stray = stray_is_alive(g);
	if (!w->is_stray)
		atomic_store(&g->pid, 0);
	else if (hung_ms(w, now))
		kill(atomic_load(&g->pid), SIGKILL);
}

/* --- replacing -------------------------------------------------------------------------------------------------- */

/* The limit differs by up to a tenth between workers, so that they are not all replaced at once. */
static bool
is_worn(const struct worker_slot *w)
{
	int64_t n = parent.plan->worker_requests,
		limit = n * (90 + (unsigned)w->child.pid * 2654435761u / 16 % 21) / 100;

	return n && atomic_load(&worker_gauge(w)->n_requests) >= limit;
}

static bool
is_one_being_replaced(void)
{
	for_each_worker (w)
		if (w->replaces)
			return true;
	return false;
}

static void
worker_replace(struct worker_slot *w, _Atomic int64_t *counter, const char *why)
{
	struct worker_slot *next = worker_add(w->duty, &parent.serving);

	if (!next)
		return;
	next->replaces = w;
	atomic_fetch_add(counter, 1);
	log_info("parent", "worker %d is replaced: %s", (int)w->child.pid, why);
}

static void
replace_one(bool check_memory)
{
	if (parent.coming.number || is_one_being_replaced())
		return;
	for_each_worker (w) {
		if (!is_serving(w) || !w->ready)
			continue;
		if (check_memory && parent.plan->worker_bytes && proc_bytes(w->child.pid) > parent.plan->worker_bytes)
			return worker_replace(w, &parent.gauge->n_bloated, "it has too much memory");
		if (is_worn(w))
			return worker_replace(w, &parent.gauge->n_recycled, "it has served enough");
	}
}

/* --- how many are needed ---------------------------------------------------------------------------------------- */

static void
workers_grow(int listener, int n, int n_waiting)
{
	int more = n_waiting < n ? n_waiting : n;

	if (more > parent.plan->n_max[listener] - n)
		more = parent.plan->n_max[listener] - n;
	for (int i = 0; i < more; i++)
		worker_add(listener ? DUTY_SERVE_INTERNAL : DUTY_SERVE_PUBLIC, &parent.serving);
	parent.n_wanted[listener] = n + more;
	watch.n_saturated[listener] = 0;
	log_info("parent", "%d wait, %s workers: %d", n_waiting, duty_words[listener], n + more);
}

static bool
counts_for(const struct worker_slot *w, int listener)
{
	return is_serving(w) && listener_of(w->duty) == listener && !w->replaces;
}

/* Drains the last idle one: the first ones get the work (gateway.c). */
static void
drain_one(int listener, int n)
{
	struct worker_slot *last = NULL;

	for_each_worker (w)
		if (counts_for(w, listener) && !atomic_load(&worker_gauge(w)->busy_since_ms))
			last = w;
	if (!last)
		return;
	parent.n_wanted[listener] = n - 1;
	worker_drain(last);
}

static void
adapt_number(int listener, bool may_shrink)
{
	int n = 0, n_ready = 0, n_busy = 0, n_waiting = 0;

	for_each_worker (w)
		if (counts_for(w, listener)) {
			n++;
			n_ready += w->ready;
			n_busy += atomic_load(&worker_gauge(w)->busy_since_ms) != 0;
		}
	if (n_busy >= n_ready)
		n_waiting = backlog_length(parent.listener[listener].fd);
	watch.n_saturated[listener] = n_waiting > 0 ? watch.n_saturated[listener] + 1 : 0;
	if (n_busy + n_waiting > watch.most_busy[listener])
		watch.most_busy[listener] = n_busy + n_waiting;
	if (watch.n_saturated[listener] >= SATURATED && n_ready == n && n < parent.plan->n_max[listener])
		workers_grow(listener, n, n_waiting);
	else if (may_shrink && watch.most_busy[listener] + 1 < n && n > parent.plan->n_min[listener])
		drain_one(listener, n);
	if (may_shrink)
		watch.most_busy[listener] = 0;
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

/* Is it time? Then it is again so much later. */
static bool
is_due(int64_t *due_ms, int64_t now, int64_t every_ms)
{
	if (now < *due_ms)
		return false;
	*due_ms = now + every_ms;
	return true;
}

static void
check_workers(int64_t now)
{
	bool check_memory = is_due(&watch.memory_ms, now, MEMORY_MS),
	     may_shrink = is_due(&watch.shrink_ms, now, SHRINK_MS);

	for (struct worker_slot *w = parent.worker; w < parent.worker + MAX_SLOTS; w++) {
		if (w->is_stray)
			check_stray(w, now);
		else if (w->child.pid && !is_refusing(w->duty))
			worker_kill_if_hung(w, now);
	}
	replace_one(check_memory);
	for (int listener = 0; listener < 2 && !parent.coming.number; listener++)
		if (parent.plan->n_max[listener])
			adapt_number(listener, may_shrink);
	atomic_store(&parent.gauge->n_wanted, parent.n_wanted[0]);
	atomic_store(&parent.gauge->n_min, parent.plan->n_min[0]);
	atomic_store(&parent.gauge->n_max, parent.plan->n_max[0]);
}

int64_t
watchdog_run(int64_t now)
{
	if (!parent.gauge || parent.supervisor.is_stopping)
		return CHILD_NEVER;
	if (is_due(&watch.check_ms, now, CHECK_MS))
		check_workers(now);
	return watch.check_ms;
}
