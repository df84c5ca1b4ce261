/* load_shed.c - when a backlog is too long; load_shed.h describes it. */
#include "load_shed.h"

#define SURE_MS   300.0         /* the rate is not used before so much time was measured */
#define MEMORY_MS 500.0         /* the time constant of the average */
#define GROW_MS   1000          /* while more workers can be started, connections may wait for so long */
#define CALM_MS   1000          /* without an excess for so long, it stops refusing */
#define SHORT     10            /* the backlog is kept below the limit divided by this */

/* The rate is measured only while connections wait. */
static void
measure(struct load_shed *s, const struct load_shed_sample *l)
{
	double dt = (double)(l->now_ms - s->seen_ms), age;

	if (dt <= 0 || l->n_workers == 0)
		return;
	s->measured_ms += dt;
	age = s->measured_ms < MEMORY_MS ? s->measured_ms : MEMORY_MS;
	if (dt > age)
		dt = age;
	s->per_worker_ms +=
		((double)(l->n_done - s->n_done) / (double)(l->now_ms - s->seen_ms) / l->n_workers - s->per_worker_ms)
		* dt / age;
}

static bool
is_sure(const struct load_shed *s, const struct load_shed_sample *l)
{
	return s->measured_ms >= SURE_MS && (l->n_workers >= l->n_most || l->now_ms - s->began_ms >= GROW_MS);
}

static int
excess(struct load_shed *s, const struct load_shed_sample *l)
{
	double per_ms = s->per_worker_ms * l->n_workers;
	int room = (int)((double)s->limit_ms / SHORT * per_ms), n;

	if (!s->is_refusing && is_sure(s, l) && l->n_waiting > (double)s->limit_ms * per_ms) {
		s->is_refusing = true;
		s->calm_ms = l->now_ms;
	}
	n = s->is_refusing ? l->n_waiting - (room > 1 ? room : 1) : 0;
	if (n > 0)
		s->calm_ms = l->now_ms;
	else if (l->now_ms - s->calm_ms > CALM_MS)
		s->is_refusing = false;
	return n > 0 ? n : 0;
}

int
load_shed_excess(struct load_shed *s, const struct load_shed_sample *l)
{
	int n = 0;

	if (!s->limit_ms)
		return 0;
	if (l->n_waiting > 0 && s->seen_ms)
		measure(s, l);
	else
		s->began_ms = l->now_ms;
	s->seen_ms = l->now_ms;
	s->n_done = l->n_done;
	if (l->n_waiting > 0 || s->is_refusing)
		n = excess(s, l);
	return n;
}
