/*
 * watchdog.c - looking after the workers, ten times a second: by the gauge who hangs or has served enough, by /proc who has grown fat,
 * and by both gauge and line how many are needed.
 *
 * One that hangs is killed: its client gets the web server's error page, and nobody else waits for it. The others are replaced
 * without anybody noticing: a new worker is ready before the old one is drained, one at a time.
 *
 * More are started when all are busy and somebody waits, at most as many as there are already; one is let go when for SHRINK_MS
 * there were always two too many.
 */
#include "parent_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "backlog.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define CARE_MS   100
#define WEIGH_MS  1000
#define SHRINK_MS 5000
#define HOT       2                     /* looks in a row that found all busy and somebody waiting */

static struct {
	int64_t due_ms, weigh_ms, shrink_ms;
	int hot[2], most_busy[2];
} care;

static struct gauge_worker *
place_of(const struct worker *w)
{
	return &parent.gauge->worker[w - parent.worker];
}

static bool
is_serving(const struct worker *w)
{
	return w->used && !w->stray && w->pid && !w->draining && !is_refusing(w->duty) && w->generation == parent.serving.number;
}

/* --- who hangs ------------------------------------------------------------------------------------------------------ */

static void
end_hanging(struct worker *w, int64_t now)
{
	int64_t since = atomic_load(&place_of(w)->busy_since_ms);

	if (!parent.plan->request_limit_ms || !since || now - since <= parent.plan->request_limit_ms || w->killed)
		return;
	log_error("parent", "worker %d has been busy for %lld ms and is killed", (int)w->pid, (long long)(now - since));
	atomic_fetch_add(&parent.gauge->n_hung, 1);
	worker_kill(w);
}

/* An earlier parent's: it ends by itself, unless it hangs. */
static void
look_at_stray(struct worker *w, int64_t now)
{
	struct gauge_worker *p = place_of(w);
	int64_t since = atomic_load(&p->busy_since_ms), born = process_born_ms(atomic_load(&p->pid));

	if (!born || born > atomic_load(&p->started_ms) + 2000) {
		atomic_store(&p->pid, 0);
		w->used = false;
	} else if (parent.plan->request_limit_ms && since && now - since > parent.plan->request_limit_ms) {
		kill(atomic_load(&p->pid), SIGKILL);
	}
}

/* --- who is to be replaced ------------------------------------------------------------------------------------------ */

static int64_t
bytes_of(pid_t pid)
{
	char path[64], text[128];
	long long pages = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return sscanf(text, "%*s %lld", &pages) == 1 ? pages * sysconf(_SC_PAGESIZE) : 0;
}

/* Not all at once: each has a share of its own, a tenth more or less. */
static bool
is_worn(const struct worker *w)
{
	int64_t n = parent.plan->worker_requests, share = n * (90 + (unsigned)w->pid * 2654435761u / 16 % 21) / 100;

	return n && atomic_load(&place_of(w)->n_requests) >= share;
}

static bool
is_being_replaced(void)
{
	for_each_worker(w)
		if (w->instead_of)
			return true;
	return false;
}

static void
replace(struct worker *w, _Atomic int64_t *counter, const char *why)
{
	struct worker *next = worker_add(w->duty, &parent.serving);

	if (!next)
		return;
	next->instead_of = w;
	atomic_fetch_add(counter, 1);
	log_info("parent", "worker %d is replaced: %s", (int)w->pid, why);
	write_pids();
}

static void
replace_one(bool weigh)
{
	if (parent.coming.number || is_being_replaced())
		return;
	for_each_worker(w) {
		if (!is_serving(w) || !w->ready)
			continue;
		if (weigh && parent.plan->worker_bytes && bytes_of(w->pid) > parent.plan->worker_bytes)
			return replace(w, &parent.gauge->n_fat, "it has too much memory");
		if (is_worn(w))
			return replace(w, &parent.gauge->n_recycled, "it has served enough");
	}
}

/* --- how many are needed -------------------------------------------------------------------------------------------- */

static void
grow(int listener, int n, int n_waiting)
{
	int more = n_waiting < n ? n_waiting : n;

	if (more > parent.plan->n_max[listener] - n)
		more = parent.plan->n_max[listener] - n;
	for (int i = 0; i < more; i++)
		worker_add(listener ? DUTY_SERVE_INTERNAL : DUTY_SERVE_PUBLIC, &parent.serving);
	parent.n_wanted[listener] = n + more;
	care.hot[listener] = 0;
	log_info("parent", "%d wait, %s workers: %d", n_waiting, duty_words[listener], n + more);
	write_pids();
}

/* The last who is idle: the first ones get the work (gateway.c). */
static void
shrink(int listener, int n)
{
	struct worker *last = NULL;

	for_each_worker(w)
		if (is_serving(w) && listener_of(w->duty) == listener && !w->instead_of && !atomic_load(&place_of(w)->busy_since_ms))
			last = w;
	if (!last)
		return;
	parent.n_wanted[listener] = n - 1;
	worker_drain(last);
	write_pids();
}

static void
fit(int listener, bool is_time)
{
	int n = 0, n_ready = 0, n_busy = 0, n_waiting = 0;

	for_each_worker(w)
		if (is_serving(w) && listener_of(w->duty) == listener && !w->instead_of) {
			n++;
			n_ready += w->ready;
			n_busy += atomic_load(&place_of(w)->busy_since_ms) != 0;
		}
	if (n_busy >= n_ready)
		n_waiting = backlog_length(parent.listener[listener].fd);
	care.hot[listener] = n_waiting > 0 ? care.hot[listener] + 1 : 0;
	if (n_busy + n_waiting > care.most_busy[listener])
		care.most_busy[listener] = n_busy + n_waiting;
	if (care.hot[listener] >= HOT && n_ready == n && n < parent.plan->n_max[listener])
		grow(listener, n, n_waiting);
	else if (is_time && care.most_busy[listener] + 1 < n && n > parent.plan->n_min[listener])
		shrink(listener, n);
	if (is_time)
		care.most_busy[listener] = 0;
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

static void
publish(void)
{
	atomic_store(&parent.gauge->n_wanted, parent.n_wanted[0]);
	atomic_store(&parent.gauge->n_min, parent.plan->n_min[0]);
	atomic_store(&parent.gauge->n_max, parent.plan->n_max[0]);
}

static void
look_after_all(int64_t now)
{
	bool weigh = now >= care.weigh_ms, is_time = now >= care.shrink_ms;

	if (weigh)
		care.weigh_ms = now + WEIGH_MS;
	if (is_time)
		care.shrink_ms = now + SHRINK_MS;
	for (struct worker *w = parent.worker; w < parent.worker + MAX_SLOTS; w++) {
		if (w->used && w->stray)
			look_at_stray(w, now);
		else if (w->used && w->pid && !is_refusing(w->duty))
			end_hanging(w, now);
	}
	replace_one(weigh);
	for (int listener = 0; listener < 2 && !parent.coming.number; listener++)
		if (parent.plan->n_max[listener])
			fit(listener, is_time);
	publish();
}

int64_t
watchdog_due(int64_t now)
{
	if (!parent.gauge || parent.ending)
		return NEVER;
	if (now >= care.due_ms) {
		care.due_ms = now + CARE_MS;
		look_after_all(now);
	}
	return care.due_ms;
}
