/* load_shed.c - how long is too long a line; load_shed.h tells. */
#include "load_shed.h"

#define SURE_MS   300.0         /* nothing is said about the speed of a line before it was looked at for so long */
#define MEMORY_MS 500.0         /* how far back it is looked at */
#define GROW_MS   1000          /* a line has so long when help may be on its way */
#define CALM_MS   1000          /* so long without an excess: the rush is over */
#define SHORT     10            /* a short line is the limit divided by this */

/* Only time in which somebody waited says how fast workers are. */
static void
measure(struct load_shed *b, const struct load_shed_sample *l)
{
	double dt = (double)(l->now_ms - b->seen_ms), age;

	if (dt <= 0 || l->n_workers == 0)
		return;
	b->measured_ms += dt;
	age = b->measured_ms < MEMORY_MS ? b->measured_ms : MEMORY_MS;
	if (dt > age)
		dt = age;
	b->per_worker_ms += ((double)(l->n_done - b->n_done) / (double)(l->now_ms - b->seen_ms) / l->n_workers - b->per_worker_ms) * dt / age;
}

static bool
is_sure(const struct load_shed *b, const struct load_shed_sample *l)
{
	return b->measured_ms >= SURE_MS && (l->n_workers >= l->n_most || l->now_ms - b->began_ms >= GROW_MS);
}

static int
excess(struct load_shed *b, const struct load_shed_sample *l)
{
	double per_ms = b->per_worker_ms * l->n_workers;
	int room = (int)((double)b->limit_ms / SHORT * per_ms), n;

	if (!b->is_refusing && is_sure(b, l) && l->n_waiting > (double)b->limit_ms * per_ms) {
		b->is_refusing = true;
		b->quiet_ms = l->now_ms;
	}
	n = b->is_refusing ? l->n_waiting - (room > 1 ? room : 1) : 0;
	if (n > 0)
		b->quiet_ms = l->now_ms;
	else if (l->now_ms - b->quiet_ms > CALM_MS)
		b->is_refusing = false;
	return n > 0 ? n : 0;
}

int
load_shed_excess(struct load_shed *b, const struct load_shed_sample *l)
{
	int n = 0;

	if (!b->limit_ms)
		return 0;
	if (l->n_waiting > 0 && b->seen_ms)
		measure(b, l);
	else
		b->began_ms = l->now_ms;
	b->seen_ms = l->now_ms;
	b->n_done = l->n_done;
	if (l->n_waiting > 0 || b->is_refusing)
		n = excess(b, l);
	return n;
}
