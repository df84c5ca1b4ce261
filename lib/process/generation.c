/*
 * generation.c - a new release takes over without a gap, or goes back without anybody noticing.
 *
 * SIGHUP starts a generation: as many workers as serve now, from where the symlinks point now. When every one of them has said that
 * it has all it needs (settings, words, templates, keys, a database of its version), the older ones are drained. When some die
 * before that, or say nothing for READY_MS, the new generation ends and the old one serves on. Workers started later belong to the
 * generation that serves, wherever the symlinks point by then. Asked again meanwhile, another one follows.
 */
#include "parent_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The release as it is now; a path that leads nowhere is kept, and starting it will fail. */
void
generation_pin(struct generation *g)
{
	const char *root = getenv("MOTORPOOL_ROOT");

	if (!realpath(parent.plan->exe, g->exe))
		snprintf(g->exe, sizeof(g->exe), "%s", parent.plan->exe);
	g->root[0] = '\0';
	if (root && *root && !realpath(root, g->root))
		snprintf(g->root, sizeof(g->root), "%s", root);
}

static void
add(enum duty duty)
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
	generation_pin(&parent.coming);
	for (int listener = 0; listener < 2; listener++) {
		if (parent.plan->n_max[listener] == 0)
			continue;
		for (int i = 0; i < parent.n_wanted[listener]; i++)
			add(listener ? DUTY_SERVE_INTERNAL : DUTY_SERVE_PUBLIC);
		if (parent.plan->refuses)
			add(refusing[listener]);
	}
	write_pids();
}

/* Does anybody serve with all he needs? Then a generation that cannot is no progress. */
static bool
somebody_has_all(void)
{
	for_each_worker(w)
		if (w->generation == parent.serving.number && !w->draining && w->has_all)
			return true;
	return false;
}

/* How many of the coming generation's workers are not ready yet. *n_up: ready, but without what those who serve have. */
static int
n_missing(int *n_up)
{
	bool must_have_all = parent.serving.number && somebody_has_all();
	int n = 0;

	*n_up = 0;
	for_each_worker(w)
		if (w->generation == parent.coming.number && !w->draining) {
			n += !w->ready;
			*n_up += w->ready && must_have_all && !w->has_all;
		}
	return n;
}

static void
drain(bool the_coming)
{
	for_each_worker(w)
		if ((w->generation == parent.coming.number) == the_coming)
			worker_drain(w);
}

static void
ended(void)
{
	if (parent.gauge) {
		atomic_store(&parent.gauge->generation, parent.serving.number);
		atomic_store(&parent.gauge->parent_pid, (int32_t)getpid());
	}
	parent.coming.number = 0;
	write_pids();
	if (parent.is_asked_again) {
		parent.is_asked_again = false;
		generation_start();
	}
}

static void
take_over(void)
{
	bool is_first = parent.serving.number == 0;

	publish_listeners();
	drain(false);
	parent.serving = parent.coming;
	if (parent.gauge)
		atomic_store(&parent.gauge->generation, parent.serving.number);
	if (!is_first && parent.gauge)
		atomic_fetch_add(&parent.gauge->n_deployed, 1);
	log_info("parent", "generation %d serves, from %s", parent.serving.number, parent.serving.exe);
	ended();
}

static void
go_back(const char *why)
{
	log_error("parent", "generation %d, from %s, %s: generation %d serves on", parent.coming.number, parent.coming.exe, why,
	          parent.serving.number);
	drain(true);
	if (parent.gauge)
		atomic_fetch_add(&parent.gauge->n_rolled_back, 1);
	ended();
}

/* The first generation has nothing to go back to: it is tried until it is ready. */
void
generation_look(void)
{
	int64_t age = clock_ms() - parent.coming.began_ms;
	int n_up, n = parent.coming.number ? n_missing(&n_up) : 0;

	if (!parent.coming.number)
		return;
	if (parent.coming.is_short && parent.serving.number)
		go_back("found no place for all its workers");
	else if (n == 0 && n_up == 0)
		take_over();
	else if (!parent.serving.number)
		return;
	else if (parent.coming.n_died >= EARLY_DEATHS)
		go_back("died at its start");
	else if (age > READY_MS)
		go_back("was never ready");
	else if (n == 0 && age > WHOLE_MS)
		go_back("cannot use the database");
}

int64_t
generation_due(void)
{
	int64_t soon = parent.coming.began_ms + WHOLE_MS + 1, late = parent.coming.began_ms + READY_MS + 1;

	if (!parent.coming.number || !parent.serving.number)
		return NEVER;
	return clock_ms() < soon ? soon : late;
}
