/* pages_faults - the sandbox's fault switches, for a rehearsal of what customers see when the card provider is ill. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct { const char *name, *label, *hint; } about[] = {
	{ "slow_ms",            N_("Minimum response time (ms)"), N_("applies to every response; 0 turns it off") },
	{ "slow_ms_max",        N_("Maximum response time (ms)"),  N_("a random value between the two") },
	{ "down",               N_("Unavailable"),               N_("1: every call is refused with 503 and nothing is processed") },
	{ "hang_ms",            N_("No response (ms)"),                 N_("every call waits this long and gets no response; nothing is processed") },
	{ "lost_answers",       N_("Lost responses (percent)"),     N_("the payment is made, but the response never arrives") },
	{ "webhooks",           N_("Webhooks"),                   N_("0: none; 1: when a response was late or lost; 2: for every change") },
	{ "duplicate_webhooks", N_("Duplicate webhooks"),         N_("1: each webhook is sent twice") },
};
#define N_ABOUT ((int)(sizeof(about) / sizeof(about[0])))
#define FAULT_MAX 60000

struct fault_row { struct field field; const char *label, *hint; };
static const struct member row_members[] = {
	SHAPE_STRUCT(fault_row, field, field_shape), SHAPE_TEXT(fault_row, label), SHAPE_TEXT(fault_row, hint),
};
static const struct shape row_shape = SHAPE(fault_row, row_members);

struct faults_page {
	struct fault_row *rows;
	struct ops_fault *faults;
	struct form_problems problems;
	int n_rows, n_faults;
	bool is_there;
};
static const struct member faults_members[] = {
	SHAPE_LIST(faults_page, rows, row_shape), SHAPE_STRUCT(faults_page, problems, form_problems_shape), SHAPE_BOOL(faults_page, is_there),
};
static const struct shape faults_shape = SHAPE(faults_page, faults_members);
PAGE(faults_template, "ops/faults", faults_shape);

static const struct member faults_json_members[] = { SHAPE_LIST(faults_page, faults, ops_fault_shape) };
static const struct shape faults_json_shape = SHAPE(faults_page, faults_json_members);

static void
make_rows(struct web *w, struct faults_page *p)
{
	p->n_rows = p->n_faults;
	p->rows = arena_array(w->m, struct fault_row, p->n_rows + 1);
	for (int i = 0; i < p->n_rows; i++) {
		struct fault_row *row = &p->rows[i];

		*row = (struct fault_row){ .label = p->faults[i].name, .hint = "" };
		for (int k = 0; k < N_ABOUT; k++)
			if (strcmp(about[k].name, p->faults[i].name) == 0) {
				row->label = _(about[k].label);
				row->hint = _(about[k].hint);
			}
		row->field = form_field(w, p->faults[i].name, arena_printf(w->m, "%lld", (long long)p->faults[i].value));
	}
}

static enum status
show(struct web *w, enum status status, struct faults_page *p)
{
	p->is_there = p->n_faults > 0;
	if (w->json)
		return p->is_there ? web_json(w, HTTP_OK, &faults_json_shape, p) : web_later(w, 5, _("The sandbox does not answer."));
	make_rows(w, p);
	p->problems = form_problems(w, status == HTTP_OK ? NULL : _("Please look at the marked fields."));
	menu_of(w)->nav_ops = true;
	if (strcmp(form_raw(w, "done"), "switched") == 0)
		w->chrome.notice = _("Saved. Applies from the next call.");
	return web_page(w, status, &faults_template, p);
}

enum status
page_faults(struct web *w)
{
	struct faults_page p = { 0 };

	ops_faults(w->m, &p.faults, &p.n_faults);
	return show(w, HTTP_OK, &p);
}

/* The switches that were sent and differ from what is. */
static int
take_changes(struct web *w, const struct faults_page *p, struct ops_fault *changed)
{
	int n = 0;

	for (int i = 0; i < p->n_faults; i++) {
		const struct ops_fault *is = &p->faults[i];
		int64_t value = form_has(w, is->name) ? form_int(w, is->name, 0, FAULT_MAX) : is->value;

		if (value != is->value)
			changed[n++] = (struct ops_fault){ is->name, value };
	}
	return n;
}

/* POST /ops/faults {"slow_ms":500} */
enum status
do_faults(struct web *w)
{
	struct faults_page p = { 0 };
	struct ops_fault *changed;
	int n;

	if (!ops_faults(w->m, &p.faults, &p.n_faults))
		return web_later(w, 5, _("The sandbox does not answer."));
	changed = arena_array(w->m, struct ops_fault, p.n_faults);
	n = take_changes(w, &p, changed);
	if (form_bad(w))
		return w->json ? web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields.")) : show(w, HTTP_UNPROCESSABLE, &p);
	if (!ops_set_faults(w->db, w->user.id, changed, n))
		return web_later(w, 5, _("The sandbox does not answer."));
	ops_faults(w->m, &p.faults, &p.n_faults);
	return w->json ? show(w, HTTP_OK, &p) : web_redirect(w, "/ops/faults?done=switched");
}
