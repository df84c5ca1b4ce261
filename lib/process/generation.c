/*
 * generation.c - a new release takes over without a gap, or is given up and the old one serves on.
 *
 * SIGHUP starts a generation: as many workers as serve now, from where the symlinks point now. When each of them has
 * said that it has all it needs (settings, catalogues, templates, keys, a database of its version), the older ones are
 * drained. If some die before that, or say nothing for READY_MS, the new generation is drained. Workers started later
 * come from the release of the generation that serves, wherever the symlinks point by then. A SIGHUP that arrives
 * meanwhile starts another generation afterwards.
 */
#include "parent_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <unistd.h>

#define READY_MS      10000             /* a generation that needs longer is given up */
#define DATABASE_MS   3000              /* one that answers but cannot use the database, after this */

static void
generation_add(enum duty duty)
{
	if (!worker_add(duty, &parent.coming))
		parent.coming.is_short = true;
}

void
generation_start(void)
{
	static const enum duty refusing[2] = { DUTY_REFUSE_PUBLIC, DUTY_REFUSE_INTERNAL };

	if (parent.coming.number) {
		parent.is_asked_again = true;
		return;
	}
	parent.coming = (struct generation){ .number = ++parent.newest, .began_ms = clock_ms() };
	generation_resolve(&parent.coming);
	for (int listener = 0; listener < 2; listener++) {
		if (parent.plan->n_max[listener] == 0)
			continue;
		for (int i = 0; i < parent.n_wanted[listener]; i++)
			generation_add(listener ? DUTY_SERVE_INTERNAL : DUTY_SERVE_PUBLIC);
		if (parent.plan->refuses)
			generation_add(refusing[listener]);
	}
}

/* Does one of the serving generation have all it needs? Then a generation that has not would be a step back. */
static bool
serving_has_all(void)
{
	for_each_worker (w)
		if (w->generation == parent.serving.number && !is_draining(w) && w->has_all)
			return true;
	return false;
}

/* How many of the coming generation's workers are not ready yet. *n_up: ready, but without what the serving ones
 * have. */
static int
n_missing(int *n_up)
{
	bool must_have_all = parent.serving.number && serving_has_all();
	int n = 0;

	*n_up = 0;
	for_each_worker (w)
		if (w->generation == parent.coming.number && !is_draining(w)) {
			n += !w->ready;
			*n_up += w->ready && must_have_all && !w->has_all;
		}
	return n;
}

static void
drain_generations(bool the_coming)
{
	for_each_worker (w)
		if ((w->generation == parent.coming.number) == the_coming)
			worker_drain(w);
}

static void
generation_decided(void)
{
	if (parent.gauge) {
		atomic_store(&parent.gauge->generation, parent.serving.number);
		atomic_store(&parent.gauge->parent_pid, (int32_t)getpid());
	}
	parent.coming.number = 0;
	if (parent.is_asked_again) {
		parent.is_asked_again = false;
		generation_start();
	}
}

static void
generation_take_over(void)
{
	bool is_first = parent.serving.number == 0;

	sockets_publish();
	drain_generations(false);
	parent.serving = parent.coming;
	if (parent.gauge)
		atomic_store(&parent.gauge->generation, parent.serving.number);
	if (!is_first && parent.gauge)
		atomic_fetch_add(&parent.gauge->n_deployed, 1);
	log_info("parent", "generation %d serves, from %s", parent.serving.number, parent.serving.exe);
	generation_decided();
}

static void
generation_give_up(const char *why)
{
	log_error("parent", "generation %d, from %s, %s: generation %d serves on", parent.coming.number,
		parent.coming.exe, why, parent.serving.number);
	drain_generations(true);
	if (parent.gauge)
		atomic_fetch_add(&parent.gauge->n_rolled_back, 1);
	generation_decided();
}

/* The first generation has no other to go back to: it is restarted until it is ready. */
void
generation_check(void)
{
	int64_t age_ms = clock_ms() - parent.coming.began_ms;
	int n_up, n = parent.coming.number ? n_missing(&n_up) : 0;

	if (!parent.coming.number)
		return;
	if (parent.coming.is_short && parent.serving.number)
		generation_give_up("has no free slots for all its workers");
	else if (n == 0 && n_up == 0)
		generation_take_over();
	else if (!parent.serving.number)
		return;
	else if (parent.coming.n_died >= EARLY_DEATHS)
		generation_give_up("died at its start");
	else if (age_ms > READY_MS)
		generation_give_up("was never ready");
	else if (n == 0 && age_ms > DATABASE_MS)
		generation_give_up("cannot use the database");
}

int64_t
generation_due(void)
{
	int64_t soon = parent.coming.began_ms + DATABASE_MS + 1, late = parent.coming.began_ms + READY_MS + 1;

	if (!parent.coming.number || !parent.serving.number)
		return CHILD_NEVER;
	return clock_ms() < soon ? soon : late;
}
