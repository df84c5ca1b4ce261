/* pages_log - the event log, and the audit trail, which is a part of it. */
#include "pages.h"

#include "domain/event_words.h"
#include "domain/menu.h"
#include "lib/base/lang.h"

/* --- GET /ops/events ---------------------------------------------------------------------------------------------- */

/* An event with its sentence, and the payload as a text. */
struct event_row { struct event event; const char *sentence; };
static const struct member event_text_members[] = {
	SHAPE_INT(event, event_id), SHAPE_TEXT(event, type), SHAPE_TEXT(event, subject_id),
	SHAPE_INT(event, causation_id), SHAPE_INT(event, actor_id), SHAPE_TIME(event, occurred_at),
	SHAPE_TEXT(event, payload),
};
static const struct shape event_text_shape = SHAPE(event, event_text_members);
static const struct member event_row_members[] = {
	SHAPE_STRUCT(event_row, event, event_text_shape), SHAPE_TEXT(event_row, sentence),
};
static const struct shape event_row_shape = SHAPE(event_row, event_row_members);

struct events_page {
	struct field type, subject;
	struct form_problems problems;
	struct event *events;
	int n_events;
	struct event_row *rows;
	int n_rows;
	bool has_rows, is_filtered, is_first;
	const char *next_url, *first_url;
	int64_t next_before;
};

static const struct member events_members[] = {
	SHAPE_STRUCT(events_page, type, field_shape), SHAPE_STRUCT(events_page, subject, field_shape),
	SHAPE_STRUCT(events_page, problems, form_problems_shape), SHAPE_LIST(events_page, rows, event_row_shape),
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
read_ops_query(struct web *w, struct ops_query *q)
{
	q->type = form_has(w, "type") ? form_text(w, "type", 60) : "";
	q->subject = form_has(w, "subject") ? form_text(w, "subject", 80) : "";
	q->before = form_has(w, "before") ? form_id(w, "before") : 0;
	q->limit = w->json ? 200 : PER_PAGE;
}

static struct event_row *
event_rows(struct web *w, const struct event *events, int n)
{
	struct event_row *rows = arena_array(w->m, struct event_row, n + 1);

	for (int i = 0; i < n; i++)
		rows[i] = (struct event_row){ .event = events[i], .sentence = event_sentence(w->m, &events[i]) };
	return rows;
}

enum status
page_events(struct web *w)
{
	struct events_page p = { 0 };
	struct ops_query q;

	read_ops_query(w, &q);
	if (form_bad(w) && w->json)
		return web_invalid(w);
	p.n_rows = p.n_events = ops_events(w->db, &q, &p.events, &p.next_before);
	if (w->json)
		return web_json(w, HTTP_OK, &events_json_shape, &p);
	p.rows = event_rows(w, p.events, p.n_events);
	p.has_rows = p.n_rows > 0;
	p.is_filtered = *q.type || *q.subject;
	p.is_first = q.before == 0;
	p.type = form_field(w, "type", "");
	p.subject = form_field(w, "subject", "");
	p.problems = form_problems(w, form_bad(w) ? _("Please look at the marked fields.") : NULL);
	p.first_url = web_url_with(w, "before", NULL);
	if (p.next_before)
		p.next_url = web_url_with(w, "before", arena_printf(w->m, "%lld", (long long)p.next_before));
	menu_of(w)->nav_ops = true;
	return web_page(w, form_bad(w) ? HTTP_UNPROCESSABLE : HTTP_OK, &events_template, &p);
}

/* --- GET /ops/audit ----------------------------------------------------------------------------------------------- */

struct audit_page {
	struct ops_act *acts;
	int n_acts;
	bool has_rows, is_first;
	const char *next_url, *first_url;
	int64_t next_before;
};
static const struct member audit_members[] = {
	SHAPE_LIST(audit_page, acts, ops_act_shape), SHAPE_BOOL(audit_page, has_rows), SHAPE_BOOL(audit_page, is_first),
	SHAPE_TEXT(audit_page, next_url), SHAPE_TEXT(audit_page, first_url),
};
static const struct shape audit_shape = SHAPE(audit_page, audit_members);
PAGE(audit_template, "ops/audit", audit_shape);

static const struct member audit_json_members[] = { SHAPE_LIST(audit_page, acts, ops_act_shape),
	SHAPE_INT(audit_page, next_before) };
static const struct shape audit_json_shape = SHAPE(audit_page, audit_json_members);

enum status
page_audit(struct web *w)
{
	int64_t before = form_has(w, "before") ? form_id(w, "before") : 0;
	struct audit_page p = { .is_first = before == 0 };

	if (form_bad(w))
		return web_invalid(w);
	p.n_acts = ops_audit(w->db, before, PER_PAGE + 1, &p.acts);
	if (p.n_acts > PER_PAGE) {
		p.n_acts = PER_PAGE;
		p.next_before = p.acts[PER_PAGE - 1].event_id;
		p.next_url = web_url_with(w, "before", arena_printf(w->m, "%lld", (long long)p.next_before));
	}
	p.has_rows = p.n_acts > 0;
	p.first_url = web_url_with(w, "before", NULL);
	menu_of(w)->nav_ops = true;
	return web_answer(w, HTTP_OK, &audit_json_shape, &audit_template, &p);
}
