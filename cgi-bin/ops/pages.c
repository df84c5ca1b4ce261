/* pages - the operator looks at the house and at the event log, and has a failed event tried again. */
#include "ops.h"
#include "switch.h"

#include "../../lib/clock.h"
#include "../../lib/form.h"
#include "../../lib/json.h"
#include "../../lib/lang.h"

#include <string.h>

handler page_ops, page_events, do_redrive;

#define RELAY_LATE_S 5
#define MANY_BEHIND  1000
#define WAL_ALARM    (16 << 20)
#define DISK_ALARM   20         /* less free than a twentieth */
#define RETRIES_SHOWN 50

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

/* --- GET /ops ---------------------------------------------------------------------------------------------------------- */

/* The figures on top: a number, what it is, and how it should be felt. */
struct figure { const char *label, *value, *tone, *note; };
static const struct member figure_members[] = {
	SHAPE_TEXT(figure, label), SHAPE_TEXT(figure, value), SHAPE_TEXT(figure, tone), SHAPE_TEXT(figure, note),
};
static const struct shape figure_shape = SHAPE(figure, figure_members);

struct file_row { const char *name, *size, *wal; bool is_long; };
static const struct member file_row_members[] = {
	SHAPE_TEXT(file_row, name), SHAPE_TEXT(file_row, size), SHAPE_TEXT(file_row, wal), SHAPE_BOOL(file_row, is_long),
};
static const struct shape file_row_shape = SHAPE(file_row, file_row_members);

struct ops_page {
	struct figure *figures;
	struct ops_program *programs;
	struct ops_consumer *consumers;
	struct ops_retry *retries;
	struct file_row *rows;
	int n_figures, n_programs, n_consumers, n_retries, n_rows;
	bool has_retries;
	const char *as_of;
	struct ops_house house;
};
static const struct member ops_members[] = {
	SHAPE_LIST(ops_page, figures, figure_shape), SHAPE_LIST(ops_page, programs, ops_program_shape),
	SHAPE_LIST(ops_page, consumers, ops_consumer_shape), SHAPE_LIST(ops_page, retries, ops_retry_shape),
	SHAPE_LIST(ops_page, rows, file_row_shape), SHAPE_BOOL(ops_page, has_retries), SHAPE_TEXT(ops_page, as_of),
};
static const struct shape ops_shape = SHAPE(ops_page, ops_members);
PAGE(ops_template, "ops/house", ops_shape);

static const struct member ops_json_members[] = {
	SHAPE_LIST(ops_page, programs, ops_program_shape), SHAPE_LIST(ops_page, consumers, ops_consumer_shape),
	SHAPE_LIST(ops_page, retries, ops_retry_shape), SHAPE_STRUCT(ops_page, house, ops_house_shape),
};
static const struct shape ops_json_shape = SHAPE(ops_page, ops_json_members);

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
		add_figure(p, _("Relay"), _("at work"), "", arena_printf(w->m, _("seen %lld s ago"), (long long)age));
	else
		add_figure(p, _("Relay"), _("silent"), age > 70 ? "bad" : "wait", arena_printf(w->m, _("seen %lld s ago"), (long long)age));
}

static void
make_figures(struct web *w, struct ops_page *p)
{
	int64_t behind = 0, dead = 0, n_down = 0;

	p->figures = arena_array(w->m, struct figure, 5);
	for (int i = 0; i < p->n_consumers; i++) {
		behind = p->consumers[i].n_behind > behind ? p->consumers[i].n_behind : behind;
		dead += p->consumers[i].n_dead;
	}
	for (int i = 0; i < p->n_programs; i++)
		n_down += p->programs[i].state != PROGRAM_UP;
	add_figure(p, _("Programs down"), arena_printf(w->m, "%lld", (long long)n_down), n_down ? "bad" : "", "");
	relay_figure(w, p);
	add_figure(p, _("Most events behind"), arena_printf(w->m, "%lld", (long long)behind), behind > MANY_BEHIND ? "wait" : "",
	           arena_printf(w->m, _("of %lld"), (long long)p->house.n_events));
	add_figure(p, _("Events given up"), arena_printf(w->m, "%lld", (long long)dead), dead ? "bad" : "", "");
	add_figure(p, _("Disk free"), bytes_in_words(w->m, p->house.disk_free),
	           p->house.disk_free < p->house.disk_total / DISK_ALARM ? "bad" : "",
	           arena_printf(w->m, _("of %s"), bytes_in_words(w->m, p->house.disk_total)));
}

static void
make_files(struct web *w, struct ops_page *p)
{
	p->n_rows = p->house.n_files;
	p->rows = arena_array(w->m, struct file_row, p->n_rows ? p->n_rows : 1);
	for (int i = 0; i < p->n_rows; i++) {
		const struct ops_file *f = &p->house.files[i];

		p->rows[i] = (struct file_row){
			f->name, bytes_in_words(w->m, f->bytes), bytes_in_words(w->m, f->wal_bytes), f->wal_bytes > WAL_ALARM,
		};
	}
}

enum status
page_ops(struct web *w)
{
	struct ops_page p = { 0 };
	struct local l;

	ops_house(w->db, &p.house);
	p.n_programs = ops_programs(w->m, &p.programs);
	p.n_consumers = ops_consumers(w->db, w->now, &p.consumers);
	p.n_retries = ops_retries(w->db, RETRIES_SHOWN, &p.retries);
	p.has_retries = p.n_retries > 0;
	if (w->json)
		return web_json(w, OK, &ops_json_shape, &p);
	make_figures(w, &p);
	make_files(w, &p);
	clock_split(w->now, &l);
	p.as_of = arena_printf(w->m, "%02d:%02d:%02d", l.hour, l.minute, l.second);
	w->chrome.nav_ops = true;
	if (strcmp(form_raw(w, "done"), "redriven") == 0)
		w->chrome.notice = _("The event will be tried again within a second.");
	return web_page(w, OK, &ops_template, &p);
}

/* --- POST /ops/retries/:consumer/:event_id/redrive ----------------------------------------------------------------------- */

struct redriven { bool redriven; };
static const struct member redriven_members[] = { SHAPE_BOOL(redriven, redriven) };
static const struct shape redriven_shape = SHAPE(redriven, redriven_members);

/* A second click finds it due already, or done: both are what was wanted. */
enum status
do_redrive(struct web *w)
{
	struct redriven answer;

	answer.redriven = consumer_redrive(w->db, web_param(w, "consumer"), web_param_id(w, "event_id"), w->user.id) == SWITCH_DONE;
	if (form_bad(w))
		return web_refuse(w, UNPROCESSABLE, "invalid", _("This form has fields that nobody asked for."));
	if (w->json)
		return web_json(w, OK, &redriven_shape, &answer);
	return web_redirect(w, "/ops?done=redriven");
}

/* --- GET /ops/events ------------------------------------------------------------------------------------------------------- */

struct events_page {
	struct field type, subject;
	struct form_problems problems;
	struct event *events;
	int n_events;
	bool has_rows, is_filtered, is_first;
	const char *next_url, *first_url;
	int64_t next_before;
};

/* An event for people: its payload as a text to read. */
static const struct member event_row_members[] = {
	SHAPE_INT(event, event_id), SHAPE_TEXT(event, type), SHAPE_TEXT(event, subject_id), SHAPE_INT(event, causation_id),
	SHAPE_INT(event, actor_id), SHAPE_TIME(event, occurred_at), SHAPE_TIME(event, recorded_at), SHAPE_TEXT(event, payload),
	SHAPE_TEXT(event, hash),
};
static const struct shape event_row_shape = SHAPE(event, event_row_members);
static const struct member events_members[] = {
	SHAPE_STRUCT(events_page, type, field_shape), SHAPE_STRUCT(events_page, subject, field_shape),
	SHAPE_STRUCT(events_page, problems, form_problems_shape), SHAPE_LIST(events_page, events, event_row_shape),
	SHAPE_BOOL(events_page, has_rows), SHAPE_BOOL(events_page, is_filtered), SHAPE_BOOL(events_page, is_first),
	SHAPE_TEXT(events_page, next_url), SHAPE_TEXT(events_page, first_url),
};
static const struct shape events_shape = SHAPE(events_page, events_members);
PAGE(events_template, "ops/events", events_shape);

static const struct member events_json_members[] = {
	SHAPE_LIST(events_page, events, event_shape), SHAPE_INT(events_page, next_before),
};
static const struct shape events_json_shape = SHAPE(events_page, events_json_members);

static void
read_query(struct web *w, struct ops_query *q)
{
	q->type = form_has(w, "type") ? form_text(w, "type", 60) : "";
	q->subject = form_has(w, "subject") ? form_text(w, "subject", 80) : "";
	q->before = form_has(w, "before") ? form_id(w, "before") : 0;
	q->limit = w->json ? 200 : PER_PAGE;
}

enum status
page_events(struct web *w)
{
	struct events_page p = { 0 };
	struct ops_query q;

	read_query(w, &q);
	if (form_bad(w) && w->json)
		return web_refuse(w, UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	p.n_events = ops_events(w->db, &q, &p.events, &p.next_before);
	if (w->json)
		return web_json(w, OK, &events_json_shape, &p);
	p.has_rows = p.n_events > 0;
	p.is_filtered = *q.type || *q.subject;
	p.is_first = q.before == 0;
	p.type = form_field(w, "type", "");
	p.subject = form_field(w, "subject", "");
	p.problems = form_problems(w, form_bad(w) ? _("Please look at the marked fields.") : NULL);
	p.first_url = web_url_with(w, "before", NULL);
	if (p.next_before)
		p.next_url = web_url_with(w, "before", arena_printf(w->m, "%lld", (long long)p.next_before));
	w->chrome.nav_ops = true;
	return web_page(w, form_bad(w) ? UNPROCESSABLE : OK, &events_template, &p);
}
