/*
 * gauge.c - counting without a lock, and reading the counts; gauge.h describes it.
 *
 * A request costs two clock readings and a dozen additions to memory that only this program's workers share. The first
 * request of a new window empties it; a count made at that moment by another worker may be lost, which statistics
 * tolerate.
 */
#include "gauge.h"

#include "clock.h"

#include <stdio.h>

const int32_t gauge_bounds_us[GAUGE_BUCKETS] = {
	100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 300000, 500000, 1000000, 1500000, 2500000,
		5000000,
};

static void
gauge_name(char name[64], const char *program)
{
	snprintf(name, 64, "%.50s.gauge", program);
}

struct gauge *
gauge_open(const char *var_dir, const char *program)
{
	char name[64];

	gauge_name(name, program);
	return shm_map(var_dir, name, GAUGE_KIND, sizeof(struct gauge), NULL);
}

const struct gauge *
gauge_open_readonly(const char *var_dir, const char *program)
{
	char name[64];

	gauge_name(name, program);
	return shm_map_readonly(var_dir, name, GAUGE_KIND, sizeof(struct gauge));
}

void
gauge_close(const struct gauge *g)
{
	if (g)
		shm_unmap(g, sizeof(*g));
}

/* --- counting --------------------------------------------------------------------------------------------------- */

#define ADD(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define SET(cell, to)   atomic_store_explicit(&(cell), (to), memory_order_relaxed)
#define GET_(cell)      atomic_load_explicit(&(cell), memory_order_relaxed)

static struct gauge_window *
window_at(struct gauge *g, int64_t number)
{
	struct gauge_window *w = &g->window[number % GAUGE_WINDOWS];
	int64_t was = GET_(w->number);

	if (was != number && atomic_compare_exchange_strong(&w->number, &was, number)) {
		SET(w->n, 0);
		SET(w->n_failed, 0);
		for (int i = 0; i <= GAUGE_BUCKETS; i++)
			SET(w->bucket[i], 0);
	}
	return w;
}

static int
bucket_of(int64_t took_us)
{
	int i = 0;

	while (i < GAUGE_BUCKETS && took_us > gauge_bounds_us[i])
		i++;
	return i;
}

static bool
is_slot(const struct gauge *g, int slot)
{
	return g && slot >= 0 && slot < GAUGE_SLOTS;
}

void
gauge_begin(struct gauge *g, int slot)
{
	if (is_slot(g, slot))
		SET(g->worker[slot].busy_since_ms, clock_ms());
}

void
gauge_end(struct gauge *g, int slot, int status, int64_t took_us)
{
	int bucket = bucket_of(took_us), kind = status / 100;
	struct gauge_window *w;

	if (!is_slot(g, slot))
		return;
	w = window_at(g, clock_ms() / GAUGE_WINDOW_MS);
	ADD(w->n, 1);
	ADD(w->bucket[bucket], 1);
	if (status >= 500 && status != 503) {
		ADD(w->n_failed, 1);
		ADD(g->n_failed, 1);
	}
	ADD(g->n_requests[kind >= 0 && kind <= 5 ? kind : 5], 1);
	ADD(g->sum_us, took_us);
	ADD(g->bucket[bucket], 1);
	ADD(g->worker[slot].n_requests, 1);
	SET(g->worker[slot].busy_since_ms, 0);
}

/* --- the last minute -------------------------------------------------------------------------------------------- */

/* Interpolates within a bucket; durations beyond the last bound count as that bound. */
static int64_t
quantile_us(const int64_t bucket[GAUGE_BUCKETS + 1], int64_t n, int per_mille)
{
	int64_t rank = (n * per_mille + 999) / 1000, before = 0, from_us = 0;

	if (n == 0)
		return 0;
	for (int i = 0; i < GAUGE_BUCKETS; i++) {
		if (before + bucket[i] >= rank)
			return from_us + (gauge_bounds_us[i] - from_us) * (rank - before) / bucket[i];
		before += bucket[i];
		from_us = gauge_bounds_us[i];
	}
	return from_us;
}

static void
gauge_add_workers(const struct gauge *g, struct gauge_minute *m)
{
	for (int i = 0; i < GAUGE_SLOTS; i++) {
		const struct gauge_worker *w = &g->worker[i];

		if (!GET_(w->pid) || GET_(w->internal) || GET_(w->draining) || !GET_(w->ready))
			continue;
		m->n_workers++;
		m->n_busy += GET_(w->busy_since_ms) != 0;
	}
}

struct gauge_minute
gauge_minute(const struct gauge *g)
{
	int64_t now = clock_ms() / GAUGE_WINDOW_MS, bucket[GAUGE_BUCKETS + 1] = { 0 };
	struct gauge_minute m = { .n = 0 };

	if (!g)
		return m;
	for (int i = 0; i < GAUGE_WINDOWS; i++) {
		const struct gauge_window *w = &g->window[i];

		if (GET_(w->number) >= now || GET_(w->number) < now - (GAUGE_WINDOWS - 1))
			continue;
		m.n += GET_(w->n);
		m.n_failed += GET_(w->n_failed);
		for (int k = 0; k <= GAUGE_BUCKETS; k++)
			bucket[k] += GET_(w->bucket[k]);
	}
	m.per_s = (double)m.n * 1000 / ((GAUGE_WINDOWS - 1) * GAUGE_WINDOW_MS);
	m.p50_us = quantile_us(bucket, m.n, 500);
	m.p99_us = quantile_us(bucket, m.n, 990);
	gauge_add_workers(g, &m);
	return m;
}
