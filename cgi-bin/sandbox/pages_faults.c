/*
 * pages_faults - what a developer sees: the test cards, and the switches that break the sandbox on purpose. The
 * switches are for programs with the secret key, and for browsers on this machine.
 */
#include "pages.h"

#include "domain/rental.h"

#include <string.h>

struct shown_fault { struct field field; const char *label, *hint; };
static const struct member shown_fault_members[] = {
	SHAPE_STRUCT(shown_fault, field, field_shape), SHAPE_TEXT(shown_fault, label), SHAPE_TEXT(shown_fault, hint),
};
static const struct shape shown_fault_shape = SHAPE(shown_fault, shown_fault_members);

struct test_card_row { const char *number, *brand, *token, *label; };
static const struct member test_card_row_members[] = {
	SHAPE_TEXT(test_card_row, number), SHAPE_TEXT(test_card_row, brand), SHAPE_TEXT(test_card_row, token),
	SHAPE_TEXT(test_card_row, label),
};
static const struct shape test_card_row_shape = SHAPE(test_card_row, test_card_row_members);

struct sandbox_page {
	struct form_problems problems;
	struct shown_fault *faults;
	struct test_card_row *cards;
	int n_faults, n_cards;
	bool may_switch, something_is_broken, was_switched;
};
static const struct member sandbox_page_members[] = {
	SHAPE_STRUCT(sandbox_page, problems, form_problems_shape), SHAPE_LIST(sandbox_page, faults, shown_fault_shape),
	SHAPE_LIST(sandbox_page, cards, test_card_row_shape), SHAPE_BOOL(sandbox_page, may_switch),
	SHAPE_BOOL(sandbox_page, something_is_broken), SHAPE_BOOL(sandbox_page, was_switched),
};
static const struct shape sandbox_page_shape = SHAPE(sandbox_page, sandbox_page_members);
PAGE(faults_html, "sandbox/faults", sandbox_page_shape)
PAGE(home_html, "sandbox/home", sandbox_page_shape)

static const struct { const char *label, *hint; } about[] = {
	{ N_("Minimum response time (ms)"), N_("applies to every response; 0 turns it off") },
	{ N_("Maximum response time (ms)"), N_("a random value between the two") },
	{ N_("Unavailable"), N_("1: every call is refused with 503 and nothing is processed") },
	{ N_("No response (ms)"), N_("every call waits this long and gets no response; nothing is processed") },
	{ N_("Lost responses (percent)"), N_("the payment is made, but the response never arrives") },
	{ N_("Webhooks"), N_("0: none; 1: when a response was late or lost; 2: for every change") },
	{ N_("Duplicate webhooks"), N_("1: each webhook is sent twice") },
};

/* --- access ------------------------------------------------------------------------------------------------------- */

bool
sandbox_is_local(const struct web *w)
{
	return rental.sandbox && (strncmp(w->address, "127.", 4) == 0 || strcmp(w->address, "::1") == 0);
}

/* --- the pages ---------------------------------------------------------------------------------------------------- */

static bool
is_faulty(const struct faults *f)
{
	return f->slow_ms || f->slow_ms_max || f->down || f->hang_ms || f->lost_answers || f->duplicate_webhooks;
}

static void
list_cards(struct web *w, struct sandbox_page *page)
{
	page->n_cards = test_card_count();
	page->cards = arena_array(w->m, struct test_card_row, page->n_cards);
	for (int i = 0; i < page->n_cards; i++) {
		const struct test_card *c = test_card(i);

		page->cards[i] = (struct test_card_row){ c->number, c->brand, c->token, _(c->label) };
	}
}

static void
list_faults(struct web *w, struct sandbox_page *page, const struct faults *f)
{
	while (fault_names[page->n_faults])
		page->n_faults++;
	page->faults = arena_array(w->m, struct shown_fault, page->n_faults);
	for (int i = 0; i < page->n_faults; i++) {
		const struct member *mb = shape_member(&faults_shape, fault_names[i], strlen(fault_names[i]));
		const char *value =
			arena_printf(w->m, "%lld", (long long)*(const int64_t *)((const char *)f + mb->offset));

		page->faults[i] = (struct shown_fault){ form_field(w, fault_names[i], value), _(about[i].label),
			_(about[i].hint) };
	}
}

static enum status
show_sandbox(struct web *w, struct page *html, enum status status, const char *problem)
{
	struct faults f = faults_now(w->db);
	struct sandbox_page page = {
		.problems = form_problems(w, problem),
		.may_switch = sandbox_is_local(w),
		.something_is_broken = is_faulty(&f),
		.was_switched = w->method == GET && form_has(w, "switched"),
	};

	list_cards(w, &page);
	list_faults(w, &page, &f);
	return web_page(w, status, html, &page);
}

enum status
page_sandbox(struct web *w)
{
	return show_sandbox(w, &home_html, HTTP_OK, NULL);
}

enum status
page_sandbox_faults(struct web *w)
{
	struct faults f = faults_now(w->db);

	return w->json ? web_json(w, HTTP_OK, &faults_shape, &f) : show_sandbox(w, &faults_html, HTTP_OK, NULL);
}

/* --- switching ---------------------------------------------------------------------------------------------------- */

/* Only the switches that were sent. false: one is not a number. */
static bool
set_switches(struct web *w)
{
	int64_t value[16];
	bool sent[16];

	for (int i = 0; fault_names[i]; i++) {
		sent[i] = form_has(w, fault_names[i]);
		value[i] = sent[i] ? form_int(w, fault_names[i], 0, 60000) : 0;
	}
	if (form_bad(w))
		return false;
	db_begin(w->db);
	for (int i = 0; fault_names[i]; i++)
		if (sent[i])
			fault_set(w->db, fault_names[i], value[i]);
	return db_commit(w->db);
}

/* POST /sandbox/faults {"slow_ms":500} - for programs, with the secret key and without a CSRF token. /internal/faults:
 * for /ops. */
enum status
do_sandbox_faults(struct web *w)
{
	struct faults f;

	w->json = true;
	if (!w->internal && !sandbox_key_ok(web_header(w, "Authorization")))
		return web_refuse(w, HTTP_UNAUTHORIZED, "unauthorized", _("The secret key is missing or wrong."));
	if (!set_switches(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	f = faults_now(w->db);
	return web_json(w, HTTP_OK, &faults_shape, &f);
}

enum status
do_sandbox_faults_form(struct web *w)
{
	if (!sandbox_is_local(w))
		return web_forbidden(w);
	if (!set_switches(w))
		return show_sandbox(w, &faults_html, HTTP_UNPROCESSABLE, _("Please look at the marked fields."));
	return web_redirect(w, "/sandbox/faults?switched=1");
}
