/*
 * pages_metrics - GET /metrics for Prometheus (text format 0.0.4). The alert rules are in deploy/prometheus/, what each
 * means in docs/operate.md.
 *
 * It calls no program but reads shared memory and the database, so a scrape never waits. Counters are in the gauges and
 * start again when the machine does. For admins, and for the monitoring system's own key (`motorpool token --metrics`),
 * which gives access to nothing else.
 */
#include "pages.h"

#include "domain/stuck.h"
#include "domain/roles.h"
#include "lib/call/breaker.h"
#include "lib/base/gauge.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <string.h>

static void
family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP motorpool_%s %s\n# TYPE motorpool_%s %s\n", name, help, name, type);
}

/* One sample; label NULL: without labels. Names and label values are constants, so nothing is escaped. */
static void
sample(struct buf *b, const char *name, const char *label, const char *value, int64_t n)
{
	if (label)
		buf_printf(b, "motorpool_%s{%s=\"%s\"} %lld\n", name, label, value, (long long)n);
	else
		buf_printf(b, "motorpool_%s %lld\n", name, (long long)n);
}

/* --- programs ----------------------------------------------------------------------------------------------------- */

#define MAX_PROGRAMS 16

struct gauges {
	const char *name[MAX_PROGRAMS];
	const struct gauge *g[MAX_PROGRAMS];
	int n;
};

static void
open_gauges(struct gauges *all)
{
	all->n = 0;
	for (const struct context *p = contexts; p->name && all->n < MAX_PROGRAMS; p++) {
		const struct gauge *g = gauge_open_readonly(settings.var_dir, p->name);

		if (!g)
			continue;
		all->name[all->n] = p->name;
		all->g[all->n++] = g;
	}
}

static void
close_gauges(struct gauges *all)
{
	while (all->n > 0)
		gauge_close(all->g[--all->n]);
}

static void
put_histogram(struct buf *b, const char *program, const struct gauge *g)
{
	int64_t n = 0;

	for (int i = 0; i < GAUGE_BUCKETS; i++) {
		n += g->bucket[i];
		buf_printf(b, "motorpool_request_seconds_bucket{program=\"%s\",le=\"%g\"} %lld\n", program,
			gauge_bounds_us[i] / 1e6, (long long)n);
	}
	n += g->bucket[GAUGE_BUCKETS];
	buf_printf(b, "motorpool_request_seconds_bucket{program=\"%s\",le=\"+Inf\"} %lld\n", program, (long long)n);
	buf_printf(b, "motorpool_request_seconds_sum{program=\"%s\"} %.6f\n", program, (double)g->sum_us / 1e6);
	buf_printf(b, "motorpool_request_seconds_count{program=\"%s\"} %lld\n", program, (long long)n);
}

static void
put_requests(struct buf *b, const struct gauges *all)
{
	family(b, "requests_total", "counter",
		"HTTP requests answered, by status class. busy: 503 with Retry-After. Shed requests are counted in"
		" motorpool_shed_total.");
	for (int i = 0; i < all->n; i++) {
		const struct gauge *g = all->g[i];

		for (int class = 2; class <= 4; class ++)
			buf_printf(b, "motorpool_requests_total{program=\"%s\",status=\"%dxx\"} %lld\n", all->name[i],
				class, (long long)g->n_requests[class]);
		buf_printf(b, "motorpool_requests_total{program=\"%s\",status=\"5xx\"} %lld\n", all->name[i],
			(long long)g->n_failed);
		buf_printf(b, "motorpool_requests_total{program=\"%s\",status=\"busy\"} %lld\n", all->name[i],
			(long long)(g->n_requests[5] - g->n_failed));
	}
	family(b, "shed_total", "counter",
		"Requests refused with 503 by load shedding because the queue was too long.");
	for (int i = 0; i < all->n; i++)
		sample(b, "shed_total", "program", all->name[i], all->g[i]->n_shed);
	family(b, "request_seconds", "histogram",
		"Request duration in seconds, from the first byte read to the last byte sent.");
	for (int i = 0; i < all->n; i++)
		put_histogram(b, all->name[i], all->g[i]);
}

static void
put_workers(struct buf *b, const struct gauges *all)
{
	static const char *const why[] = { "died", "hung", "memory", "recycled" };

	family(b, "workers", "gauge", "Worker processes by state (busy, idle).");
	for (int i = 0; i < all->n; i++) {
		struct gauge_minute now = gauge_minute(all->g[i]);

		buf_printf(b, "motorpool_workers{program=\"%s\",state=\"busy\"} %d\n", all->name[i], now.n_busy);
		buf_printf(b, "motorpool_workers{program=\"%s\",state=\"idle\"} %d\n", all->name[i],
			now.n_workers - now.n_busy);
	}
	family(b, "workers_replaced_total", "counter",
		"Workers replaced, by reason: died, hung past the time limit, exceeded the memory limit, or recycled"
		" after their maximum number of requests.");
	for (int i = 0; i < all->n; i++) {
		const int64_t n[] = { all->g[i]->n_died, all->g[i]->n_hung, all->g[i]->n_bloated,
			all->g[i]->n_recycled };

		for (int k = 0; k < 4; k++)
			buf_printf(b, "motorpool_workers_replaced_total{program=\"%s\",why=\"%s\"} %lld\n",
				all->name[i], why[k], (long long)n[k]);
	}
	family(b, "generation", "gauge", "Generation number of the workers that are serving.");
	for (int i = 0; i < all->n; i++)
		sample(b, "generation", "program", all->name[i], all->g[i]->generation);
	family(b, "deploys_total", "counter",
		"Deployments by outcome: the new generation took over (done), or did not become ready (rolled_back).");
	for (int i = 0; i < all->n; i++) {
		buf_printf(b, "motorpool_deploys_total{program=\"%s\",outcome=\"done\"} %lld\n", all->name[i],
			(long long)all->g[i]->n_deployed);
		buf_printf(b, "motorpool_deploys_total{program=\"%s\",outcome=\"rolled_back\"} %lld\n", all->name[i],
			(long long)all->g[i]->n_rolled_back);
	}
}

static void
put_programs(struct buf *b)
{
	struct gauges all;

	open_gauges(&all);
	family(b, "up", "gauge", "1 if at least one worker of the program is ready, otherwise 0.");
	for (const struct context *p = contexts; p->name; p++) {
		int64_t up = 0;

		for (int i = 0; i < all.n; i++)
			up |= strcmp(all.name[i], p->name) == 0 && gauge_minute(all.g[i]).n_workers > 0;
		if (context_is_wanted(p))
			sample(b, "up", "program", p->name, up);
	}
	put_requests(b, &all);
	put_workers(b, &all);
	close_gauges(&all);
}

static void
put_breakers(struct arena *m, struct buf *b)
{
	struct breaker_view *v;
	int n = ops_breakers(m, &v);

	family(b, "breaker_open", "gauge", "State of the circuit breaker: 1 open, 0.5 half-open, 0 closed.");
	for (int i = 0; i < n; i++)
		buf_printf(b, "motorpool_breaker_open{callee=\"%s\"} %s\n", v[i].callee,
			v[i].state == BREAKER_OPEN                ? "1"
				: v[i].state == BREAKER_HALF_OPEN ? "0.5"
								  : "0");
	family(b, "calls_total", "counter",
		"Calls between programs by outcome: made, failed (a subset of made), refused (breaker open), full"
		" (concurrency limit reached).");
	for (int i = 0; i < n; i++) {
		buf_printf(b, "motorpool_calls_total{callee=\"%s\",outcome=\"made\"} %lld\n", v[i].callee,
			(long long)v[i].n_calls);
		buf_printf(b, "motorpool_calls_total{callee=\"%s\",outcome=\"failed\"} %lld\n", v[i].callee,
			(long long)v[i].n_failed);
		buf_printf(b, "motorpool_calls_total{callee=\"%s\",outcome=\"refused\"} %lld\n", v[i].callee,
			(long long)v[i].n_refused);
		buf_printf(b, "motorpool_calls_total{callee=\"%s\",outcome=\"full\"} %lld\n", v[i].callee,
			(long long)v[i].n_full);
	}
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static void
put_consumers(struct db *db, struct buf *b, int64_t now)
{
	struct ops_consumer *c;
	int n = ops_consumers(db, now, &c);

	family(b, "consumer_lag_events", "gauge", "Events that the consumer has not processed yet.");
	for (int i = 0; i < n; i++)
		sample(b, "consumer_lag_events", "consumer", c[i].name, c[i].n_behind);
	family(b, "consumer_lag_seconds", "gauge",
		"Age in seconds of the oldest event that the consumer has not processed yet.");
	for (int i = 0; i < n; i++)
		sample(b, "consumer_lag_seconds", "consumer", c[i].name, c[i].behind_s);
	family(b, "consumer_waiting", "gauge",
		"Events that failed and will be retried, or are blocked by such an event.");
	for (int i = 0; i < n; i++)
		sample(b, "consumer_waiting", "consumer", c[i].name, c[i].n_waiting);
	family(b, "dead_letters", "gauge",
		"Dead letters: events that failed on every attempt and need a manual decision.");
	for (int i = 0; i < n; i++)
		sample(b, "dead_letters", "consumer", c[i].name, c[i].n_dead);
	family(b, "consumer_paused", "gauge", "1 while the consumer is paused, otherwise 0.");
	for (int i = 0; i < n; i++)
		sample(b, "consumer_paused", "consumer", c[i].name, c[i].paused_at != 0);
}

static void
put_stuck(struct db *db, struct buf *b, int64_t now)
{
	struct ops_stuck *s = NULL;
	int n = ops_stuck(db, now, &s);

	family(b, "stuck", "gauge",
		"Bookings and payments that have been pending for longer than stuck_after_s, by kind.");
	for (int kind = 0; kind < stuck_kind_words.n; kind++) {
		int64_t is = 0;

		for (int i = 0; i < n; i++)
			is += s[i].kind == kind ? s[i].n : 0;
		sample(b, "stuck", "kind", words_code(&stuck_kind_words, kind), is);
	}
	family(b, "stuck_oldest_seconds", "gauge",
		"Age in seconds of the oldest pending booking or payment of each kind.");
	for (int i = 0; i < n; i++)
		sample(b, "stuck_oldest_seconds", "kind", words_code(&stuck_kind_words, s[i].kind), s[i].oldest_s);
}

/* --- mail --------------------------------------------------------------------------------------------------------- */

static void
put_mails(struct db *db, struct buf *b, int64_t now)
{
	struct ops_mail_counts mails = ops_mail_counts(db, now);

	family(b, "mails", "gauge",
		"Mails not sent: waiting for the mail server, or dead (given up after the last attempt).");
	sample(b, "mails", "state", "waiting", mails.n_waiting);
	sample(b, "mails", "state", "dead", mails.n_dead);
	family(b, "mail_oldest_seconds", "gauge", "Age in seconds of the oldest waiting mail.");
	sample(b, "mail_oldest_seconds", NULL, NULL, mails.oldest_s);
}

/* --- the machine -------------------------------------------------------------------------------------------------- */

static void
put_system(struct db *db, struct buf *b)
{
	struct ops_proof proof;
	struct ops_system s;

	ops_system(db, &s);
	family(b, "events_total", "counter", "Events in the event log.");
	sample(b, "events_total", NULL, NULL, s.n_events);
	family(b, "relay_silent_seconds", "gauge",
		"Seconds since the last heartbeat of the relay; -1 if it has never run.");
	sample(b, "relay_silent_seconds", NULL, NULL, s.relay_age_s);
	family(b, "file_bytes", "gauge", "Size of the database file in bytes.");
	for (int i = 0; i < s.n_files; i++)
		sample(b, "file_bytes", "file", s.files[i].name, s.files[i].bytes);
	family(b, "wal_bytes", "gauge", "Size of the database's write-ahead log in bytes.");
	for (int i = 0; i < s.n_files; i++)
		sample(b, "wal_bytes", "file", s.files[i].name, s.files[i].wal_bytes);
	family(b, "disk_free_bytes", "gauge", "Free bytes on the file system of the state directory.");
	sample(b, "disk_free_bytes", NULL, NULL, s.disk_free);
	family(b, "disk_total_bytes", "gauge", "Size in bytes of the file system of the state directory.");
	sample(b, "disk_total_bytes", NULL, NULL, s.disk_total);
	ops_proof(db, &proof);
	family(b, "restore_proven_timestamp_seconds", "gauge",
		"Time of the last restore test if it succeeded; 0 if it failed or none was run.");
	sample(b, "restore_proven_timestamp_seconds", NULL, NULL, proof.ok ? proof.proven_at : 0);
}

/* --- GET /metrics ------------------------------------------------------------------------------------------------- */

static bool
is_scraper(struct web *w)
{
	const char *shown = web_header(w, "Authorization");

	return shown && strncmp(shown, "Bearer ", 7) == 0 && secret_same(shown + 7, ops_metrics_key(w->m));
}

enum status
page_metrics(struct web *w)
{
	struct buf b = { .m = w->m };

	if (!web_is(w, ROLE_ADMIN) && !is_scraper(w)) {
		web_set_header(w, "WWW-Authenticate", "Bearer");
		return web_refuse(w, HTTP_UNAUTHORIZED, "unauthorized",
			_("Only monitoring systems and administrators can read this."));
	}
	put_programs(&b);
	put_breakers(w->m, &b);
	put_consumers(w->db, &b, w->now);
	put_stuck(w->db, &b, w->now);
	put_mails(w->db, &b, w->now);
	put_system(w->db, &b);
	return web_text(w, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", b.s);
}
