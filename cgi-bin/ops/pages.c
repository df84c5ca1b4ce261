/* pages - the state of the system on one page, with links to everything else. */
#include "pages.h"

#include "domain/rental.h"
#include "domain/menu.h"
#include "lib/call/breaker.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <string.h>

#define RELAY_LATE_S 5
#define MANY_BEHIND  1000
#define WAL_ALARM    (16 << 20)
#define DISK_ALARM   20         /* less free than a twentieth */
#define RETRIES_SHOWN 50
#define ACTS_SHOWN    5
#define SLOW_US       650000    /* a booking's promise while payment is slow (docs/domain.md 6, FX-2) */
#define PROOF_OLD_S   (36 * 3600)

static const char *
bytes_in_words(struct arena *m, int64_t n)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n;
	int i = 0;

	for (; v >= 1024 && i < 4; i++)
		v /= 1024;
	return arena_printf(m, i && v < 100 ? "%.1f %s" : "%.0f %s", v, unit[i]);
}

/* --- what the page shows ------------------------------------------------------------------------------------------ */

/* The figures on top: a number, what it is, and its tone. */
struct figure { const char *label, *value, *tone, *note; };
static const struct member figure_members[] = {
	SHAPE_TEXT(figure, label), SHAPE_TEXT(figure, value), SHAPE_TEXT(figure, tone), SHAPE_TEXT(figure, note),
};
static const struct shape figure_shape = SHAPE(figure, figure_members);

struct file_row { const char *name, *size, *wal; bool is_long; struct ops_chart chart; };
static const struct member file_row_members[] = {
	SHAPE_TEXT(file_row, name), SHAPE_TEXT(file_row, size), SHAPE_TEXT(file_row, wal),
	SHAPE_BOOL(file_row, is_long), SHAPE_STRUCT(file_row, chart, ops_chart_shape),
};
static const struct shape file_row_shape = SHAPE(file_row, file_row_members);

/* A program with its figures of the last minute in words. */
struct program_row {
	struct ops_program program;
	const char *rate, *p50, *p99;
	bool has_rate, is_slow;
};
static const struct member program_row_members[] = {
	SHAPE_STRUCT(program_row, program, ops_program_shape), SHAPE_TEXT(program_row, rate),
	SHAPE_TEXT(program_row, p50), SHAPE_TEXT(program_row, p99), SHAPE_BOOL(program_row, has_rate),
	SHAPE_BOOL(program_row, is_slow),
};
static const struct shape program_row_shape = SHAPE(program_row, program_row_members);

struct breaker_row { struct breaker_view view; int64_t again_in_s; };
static const struct member breaker_row_members[] = {
	SHAPE_STRUCT(breaker_row, view, ops_breaker_shape), SHAPE_INT(breaker_row, again_in_s),
};
static const struct shape breaker_row_shape = SHAPE(breaker_row, breaker_row_members);

struct consumer_row { struct ops_consumer consumer; struct ops_chart chart; };
static const struct member consumer_row_members[] = {
	SHAPE_STRUCT(consumer_row, consumer, ops_consumer_shape), SHAPE_STRUCT(consumer_row, chart, ops_chart_shape),
};
static const struct shape consumer_row_shape = SHAPE(consumer_row, consumer_row_members);

struct ops_page {
	struct figure *figures;
	struct ops_program *programs;
	struct program_row *program_rows;
	struct breaker_view *breakers;
	struct breaker_row *breaker_rows;
	struct ops_consumer *consumers;
	struct consumer_row *consumer_rows;
	struct ops_retry *retries;
	struct ops_stuck *stuck;
	struct ops_act *acts;
	struct file_row *rows;
	int n_figures, n_programs, n_program_rows, n_breakers, n_breaker_rows, n_consumers, n_consumer_rows, n_retries,
		n_stuck, n_acts, n_rows;
	bool has_retries, has_breakers, has_stuck, has_acts, has_proof, is_sandbox;
	const char *as_of;
	struct ops_system house;
	struct ops_proof proof;
};
static const struct member ops_members[] = {
	SHAPE_LIST(ops_page, figures, figure_shape), SHAPE_LIST(ops_page, program_rows, program_row_shape),
	SHAPE_LIST(ops_page, breaker_rows, breaker_row_shape), SHAPE_LIST(ops_page, consumer_rows, consumer_row_shape),
	SHAPE_LIST(ops_page, retries, ops_retry_shape), SHAPE_LIST(ops_page, stuck, ops_stuck_shape),
	SHAPE_LIST(ops_page, acts, ops_act_shape), SHAPE_LIST(ops_page, rows, file_row_shape),
	SHAPE_BOOL(ops_page, has_retries), SHAPE_BOOL(ops_page, has_breakers), SHAPE_BOOL(ops_page, has_stuck),
	SHAPE_BOOL(ops_page, has_acts), SHAPE_BOOL(ops_page, has_proof), SHAPE_BOOL(ops_page, is_sandbox),
	SHAPE_STRUCT(ops_page, proof, ops_proof_shape), SHAPE_TEXT(ops_page, as_of),
};
static const struct shape ops_shape = SHAPE(ops_page, ops_members);
PAGE(ops_template, "ops/house", ops_shape);

static const struct member ops_json_members[] = {
	SHAPE_LIST(ops_page, programs, ops_program_shape), SHAPE_LIST(ops_page, breakers, ops_breaker_shape),
	SHAPE_LIST(ops_page, consumers, ops_consumer_shape), SHAPE_LIST(ops_page, retries, ops_retry_shape),
	SHAPE_LIST(ops_page, stuck, ops_stuck_shape), SHAPE_STRUCT(ops_page, house, ops_system_shape),
	SHAPE_STRUCT(ops_page, proof, ops_proof_shape),
};
static const struct shape ops_json_shape = SHAPE(ops_page, ops_json_members);

/* --- in words ----------------------------------------------------------------------------------------------------- */

static const char *
duration_in_ms(struct arena *m, int64_t us)
{
	return us < 10000      ? arena_printf(m, "%.1f ms", (double)us / 1000)
		: us < 1000000 ? arena_printf(m, "%lld ms", (long long)us / 1000)
			       : arena_printf(m, "%.1f s", (double)us / 1e6);
}

static void
fill_programs(struct web *w, struct ops_page *p)
{
	p->n_program_rows = p->n_programs;
	p->program_rows = arena_array(w->m, struct program_row, p->n_programs);
	for (int i = 0; i < p->n_programs; i++) {
		const struct ops_program *is = &p->programs[i];

		p->program_rows[i] = (struct program_row){
			.program = *is,
			.has_rate = is->n_minute > 0,
			.is_slow = is->p99_us > SLOW_US,
			.rate = arena_printf(w->m, "%.*f", is->n_minute < 600, (double)is->n_minute / 60),
			.p50 = duration_in_ms(w->m, is->p50_us),
			.p99 = duration_in_ms(w->m, is->p99_us),
		};
	}
}

static void
fill_consumers(struct web *w, struct ops_page *p, const struct ops_charts *charts)
{
	p->n_consumer_rows = p->n_consumers;
	p->consumer_rows = arena_array(w->m, struct consumer_row, p->n_consumers);
	for (int i = 0; i < p->n_consumers; i++)
		p->consumer_rows[i] = (struct consumer_row){ p->consumers[i], ops_chart(charts, p->consumers[i].name) };
}

static void
fill_breakers(struct web *w, struct ops_page *p)
{
	p->n_breaker_rows = p->n_breakers;
	p->has_breakers = p->n_breakers > 0;
	p->breaker_rows = arena_array(w->m, struct breaker_row, p->n_breakers + 1);
	for (int i = 0; i < p->n_breakers; i++)
		p->breaker_rows[i] = (struct breaker_row){ p->breakers[i], (p->breakers[i].again_in_ms + 999) / 1000 };
}

/* --- the figures on top ------------------------------------------------------------------------------------------- */

static void
add_figure(struct ops_page *p, const char *label, const char *value, const char *tone, const char *note)
{
	p->figures[p->n_figures++] = (struct figure){ label, value, tone, note };
}

static void
relay_figure(struct web *w, struct ops_page *p)
{
	int64_t age = p->house.relay_age_s;

	if (age < 0)
		add_figure(p, _("Relay"), _("never seen"), "bad", _("Is cron running?"));
	else if (age <= RELAY_LATE_S)
		add_figure(
			p, _("Relay"), _("Running"), "", arena_printf(w->m, _("last seen %lld s ago"), (long long)age));
	else
		add_figure(p, _("Relay"), _("not responding"), age > 70 ? "bad" : "wait",
			arena_printf(w->m, _("last seen %lld s ago"), (long long)age));
}

static void
stuck_figure(struct web *w, struct ops_page *p)
{
	int64_t n = 0;

	for (int i = 0; i < p->n_stuck; i++)
		n += p->stuck[i].n;
	add_figure(p, _("Needs attention"), arena_printf(w->m, "%lld", (long long)n), n ? "bad" : "",
		n ? _("see the list below") : _("nothing pending"));
}

static void
proof_figure(struct web *w, struct ops_page *p)
{
	int64_t hours = (w->now - p->proof.proven_at) / 3600;

	if (!p->has_proof)
		add_figure(p, _("Restore test"), _("never tested"), "wait", _("run motorpool rehearse"));
	else if (!p->proof.ok)
		add_figure(p, _("Restore test"), _("failed"), "bad",
			arena_printf(w->m, _n("1 hour ago", "%lld hours ago", hours), (long long)hours));
	else
		add_figure(p, _("Restore test"), _("passed"), w->now - p->proof.proven_at > PROOF_OLD_S ? "wait" : "",
			arena_printf(w->m, _n("1 hour ago", "%lld hours ago", hours), (long long)hours));
}

static void
events_figures(struct web *w, struct ops_page *p)
{
	int64_t behind = 0, dead = 0, n_paused = 0;

	for (int i = 0; i < p->n_consumers; i++) {
		behind = p->consumers[i].n_behind > behind ? p->consumers[i].n_behind : behind;
		dead += p->consumers[i].n_dead;
		n_paused += p->consumers[i].is_paused;
	}
	relay_figure(w, p);
	add_figure(p, _("Largest backlog"), arena_printf(w->m, "%lld", (long long)behind),
		behind > MANY_BEHIND || n_paused ? "wait" : "",
		n_paused ? arena_printf(w->m, _("%lld paused"), (long long)n_paused)
			 : arena_printf(w->m, _("of %lld"), (long long)p->house.n_events));
	add_figure(p, _("Dead letters"), arena_printf(w->m, "%lld", (long long)dead), dead ? "bad" : "", "");
}

static void
fill_figures(struct web *w, struct ops_page *p)
{
	int64_t n_down = 0, n_open = 0;

	p->figures = arena_array(w->m, struct figure, 8);
	for (int i = 0; i < p->n_programs; i++)
		n_down += p->programs[i].state != PROGRAM_UP;
	for (int i = 0; i < p->n_breakers; i++)
		n_open += p->breakers[i].state != BREAKER_CLOSED;
	add_figure(p, _("Programs down"), arena_printf(w->m, "%lld", (long long)n_down), n_down ? "bad" : "", "");
	add_figure(p, _("Open breakers"), arena_printf(w->m, "%lld", (long long)n_open), n_open ? "bad" : "", "");
	events_figures(w, p);
	stuck_figure(w, p);
	add_figure(p, _("Free disk space"), bytes_in_words(w->m, p->house.disk_free),
		p->house.disk_free < p->house.disk_total / DISK_ALARM ? "bad" : "",
		arena_printf(w->m, _("of %s"), bytes_in_words(w->m, p->house.disk_total)));
	proof_figure(w, p);
}

static void
fill_files(struct web *w, struct ops_page *p, const struct ops_charts *charts)
{
	p->n_rows = p->house.n_files;
	p->rows = arena_array(w->m, struct file_row, p->n_rows ? p->n_rows : 1);
	for (int i = 0; i < p->n_rows; i++) {
		const struct ops_file *f = &p->house.files[i];

		p->rows[i] = (struct file_row){
			f->name,
			bytes_in_words(w->m, f->bytes),
			bytes_in_words(w->m, f->wal_bytes),
			f->wal_bytes > WAL_ALARM,
			ops_chart(charts, f->name),
		};
	}
}

/* --- GET /ops ----------------------------------------------------------------------------------------------------- */

static void
read_state(struct web *w, struct ops_page *p)
{
	ops_system(w->db, &p->house);
	p->n_programs = ops_programs(w->m, &p->programs);
	p->n_breakers = ops_breakers(w->m, &p->breakers);
	p->n_consumers = ops_consumers(w->db, w->now, &p->consumers);
	p->n_retries = ops_retries(w->db, RETRIES_SHOWN, &p->retries);
	p->n_stuck = ops_stuck(w->db, w->now, &p->stuck);
	p->has_proof = ops_proof(w->db, &p->proof);
}

static const struct word done_word[] = {
	{ "redriven",  N_("The event will be retried within a second.") },
	{ "discarded", N_("The event was discarded. Later events continue.") },
	{ "paused",    N_("Paused. No events are processed until you resume it.") },
	{ "resumed",   N_("Resumed. It is catching up now.") },
};
static const struct words ops_done_words = WORDS(done_word);

enum status
page_ops(struct web *w)
{
	struct ops_page p = { .is_sandbox = rental.sandbox };
	struct ops_charts charts;
	struct local l;

	read_state(w, &p);
	if (w->json)
		return web_json(w, HTTP_OK, &ops_json_shape, &p);
	p.n_acts = ops_audit(w->db, 0, ACTS_SHOWN, &p.acts);
	p.has_acts = p.n_acts > 0;
	p.has_retries = p.n_retries > 0;
	p.has_stuck = p.n_stuck > 0;
	ops_charts(w->m, &charts);
	fill_programs(w, &p);
	fill_consumers(w, &p, &charts);
	fill_breakers(w, &p);
	fill_figures(w, &p);
	fill_files(w, &p, &charts);
	clock_split(w->now, &l);
	p.as_of = arena_printf(w->m, "%02d:%02d:%02d", l.hour, l.minute, l.second);
	menu_of(w)->nav_ops = true;
	web_notice(w, &ops_done_words);
	return web_page(w, HTTP_OK, &ops_template, &p);
}
