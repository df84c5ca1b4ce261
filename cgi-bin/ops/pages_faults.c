/* pages_faults - the sandbox's faults, to see what customers see when the card provider fails. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct { const char *name, *label, *hint; } fault_texts[] = {
	{ "slow_ms",            N_("Minimum response time (ms)"), N_("applies to every response; 0 turns it off") },
	{ "slow_ms_max",        N_("Maximum response time (ms)"),  N_("a random value between the two") },
	{ "down",               N_("Unavailable"),
		N_("1: every call is refused with 503 and nothing is processed") },
	{ "hang_ms",            N_("No response (ms)"),
		N_("every call waits this long and gets no response; nothing is processed") },
	{ "lost_answers",       N_("Lost responses (percent)"),
		N_("the payment is made, but the response never arrives") },
	{ "webhooks",           N_("Webhooks"),
		N_("0: none; 1: when a response was late or lost; 2: for every change") },
	{ "duplicate_webhooks", N_("Duplicate webhooks"),         N_("1: each webhook is sent twice") },
};
#define N_FAULT_TEXTS ((int)(sizeof(fault_texts) / sizeof(fault_texts[0])))
#define FAULT_MAX 60000

struct fault_row { struct field field; const char *label, *hint; };
static const struct member fault_row_members[] = {
	SHAPE_STRUCT(fault_row, field, field_shape), SHAPE_TEXT(fault_row, label), SHAPE_TEXT(fault_row, hint),
};
static const struct shape fault_row_shape = SHAPE(fault_row, fault_row_members);

struct ops_faults_page {
	struct fault_row *rows;
	struct ops_fault *faults;
	struct form_problems problems;
	int n_rows, n_faults;
	bool is_there;
};
static const struct member faults_members[] = {
	SHAPE_LIST(ops_faults_page, rows, fault_row_shape),
	SHAPE_STRUCT(ops_faults_page, problems, form_problems_shape), SHAPE_BOOL(ops_faults_page, is_there),
};
static const struct shape faults_shape = SHAPE(ops_faults_page, faults_members);
PAGE(faults_template, "ops/faults", faults_shape);

static const struct member faults_json_members[] = { SHAPE_LIST(ops_faults_page, faults, ops_fault_shape) };
static const struct shape faults_json_shape = SHAPE(ops_faults_page, faults_json_members);

static void
fill_fault_rows(struct web *w, struct ops_faults_page *p)
{
	p->n_rows = p->n_faults;
	p->rows = arena_array(w->m, struct fault_row, p->n_rows + 1);
	for (int i = 0; i < p->n_rows; i++) {
		struct fault_row *row = &p->rows[i];

		*row = (struct fault_row){ .label = p->faults[i].name, .hint = "" };
		for (int k = 0; k < N_FAULT_TEXTS; k++)
			if (strcmp(fault_texts[k].name, p->faults[i].name) == 0) {
				row->label = _(fault_texts[k].label);
				row->hint = _(fault_texts[k].hint);
			}
		row->field =
			form_field(w, p->faults[i].name, arena_printf(w->m, "%lld", (long long)p->faults[i].value));
	}
}

static enum status
sandbox_later(struct web *w)
{
	return web_later(w, 5, _("The sandbox does not answer."));
}

static const struct word done_word[] = { { "switched", N_("Saved. Applies from the next call.") } };
static const struct words faults_done_words = WORDS(done_word);

static enum status
show_faults(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct ops_faults_page p = { .problems = form_problems(w, message) };

	p.is_there = ops_faults(w->m, &p.faults, &p.n_faults);
	if (!p.is_there && w->json)
		return sandbox_later(w);
	fill_fault_rows(w, &p);
	menu_of(w)->nav_ops = true;
	web_notice(w, &faults_done_words);
	return web_answer(w, status, &faults_json_shape, &faults_template, &p);
}

enum status
page_ops_faults(struct web *w)
{
	return show_faults(w, NULL, HTTP_OK, NULL);
}

/* The faults that were sent and differ from the present ones. */
static int
read_fault_changes(struct web *w, const struct ops_fault *faults, int n_faults, struct ops_fault *changed)
{
	int n = 0;

	for (int i = 0; i < n_faults; i++) {
		int64_t value =
			form_has(w, faults[i].name) ? form_int(w, faults[i].name, 0, FAULT_MAX) : faults[i].value;

		if (value != faults[i].value)
			changed[n++] = (struct ops_fault){ faults[i].name, value };
	}
	return n;
}

/* POST /ops/faults {"slow_ms":500} */
enum status
do_ops_faults(struct web *w)
{
	struct ops_fault *faults, *changed;
	int n_faults, n;

	if (!ops_faults(w->m, &faults, &n_faults))
		return sandbox_later(w);
	changed = arena_array(w->m, struct ops_fault, n_faults);
	n = read_fault_changes(w, faults, n_faults, changed);
	if (form_bad(w)) {
		web_form(w, show_faults, NULL);
		return web_invalid(w);
	}
	if (!ops_set_faults(w->db, w->user.id, changed, n))
		return sandbox_later(w);
	return w->json ? show_faults(w, NULL, HTTP_OK, NULL) : web_redirect(w, "/ops/faults?done=switched");
}
