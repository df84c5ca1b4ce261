/* pages_payouts - what managers pay out: the list, one payout, and recording that it was transferred or will not be
 * paid. */
#include "pages.h"

#include "domain/menu.h"

/* --- GET /payments/payouts ---------------------------------------------------------------------------------------- */

struct payouts_page {
	struct tab *tabs;
	struct payout *payouts;
	int n_tabs, n_payouts;
	bool has_rows, is_waiting;
	int64_t n_waiting;
	struct paging paging;
};
static const struct member payouts_page_members[] = {
	SHAPE_LIST(payouts_page, tabs, tab_shape), SHAPE_LIST(payouts_page, payouts, payout_shape),
	SHAPE_BOOL(payouts_page, has_rows), SHAPE_BOOL(payouts_page, is_waiting),
	SHAPE_STRUCT(payouts_page, paging, paging_shape),
};
static const struct shape payouts_page_shape = SHAPE(payouts_page, payouts_page_members);
PAGE(payouts_html, "payment/payouts", payouts_page_shape)

static const struct member payouts_json_members[] = {
	SHAPE_INT_AS(payouts_page, page, paging.page), SHAPE_INT_AS(payouts_page, n_pages, paging.n_pages),
	SHAPE_INT_AS(payouts_page, n_total, paging.n_total), SHAPE_INT(payouts_page, n_waiting),
	SHAPE_LIST(payouts_page, payouts, payout_shape),
};
static const struct shape payouts_json = SHAPE(payouts_page, payouts_json_members);

/* A browser's first tab is what is to be paid, a program's is all. */
static enum payout_tab
asked_payout_tab(struct web *w)
{
	int tab = words_find(&payout_tab_words, form_raw(w, "tab"));

	return tab >= 0 ? (enum payout_tab)tab : w->json ? PAYOUT_TAB_ALL : PAYOUT_TAB_WAITING;
}

enum status
page_payouts(struct web *w)
{
	enum payout_tab tab = asked_payout_tab(w);
	struct payouts_page page = { .is_waiting = tab == PAYOUT_TAB_WAITING, .n_tabs = N_PAYOUT_TABS };
	int64_t n[N_PAYOUT_TABS];

	payout_count(w->db, n);
	page.tabs = web_tabs(w, "tab", &payout_tab_words, (int)tab, n);
	page.paging = web_paging(w, n[tab], PER_PAGE);
	page.n_waiting = n[PAYOUT_TAB_WAITING];
	page.n_payouts = payout_list(w->db, tab, page.paging.offset, PER_PAGE, &page.payouts);
	page.has_rows = page.n_payouts > 0;
	menu_of(w)->nav_money = true;
	return web_answer(w, HTTP_OK, &payouts_json, &payouts_html, &page);
}

/* --- GET /payments/payouts/ID ------------------------------------------------------------------------------------- */

struct payout_page {
	struct form_problems problems;
	struct payout payout;
	struct posting_row *postings;
	int n_postings;
	bool is_waiting, is_completed;
	struct field reference, reason;
};
static const struct member payout_page_members[] = {
	SHAPE_STRUCT(payout_page, problems, form_problems_shape), SHAPE_STRUCT(payout_page, payout, payout_shape),
	SHAPE_LIST(payout_page, postings, posting_row_shape), SHAPE_BOOL(payout_page, is_waiting),
	SHAPE_BOOL(payout_page, is_completed), SHAPE_STRUCT(payout_page, reference, field_shape),
	SHAPE_STRUCT(payout_page, reason, field_shape),
};
static const struct shape payout_page_shape = SHAPE(payout_page, payout_page_members);
PAGE(payout_html, "payment/payout", payout_page_shape)

static const struct member payout_json_members[] = {
	SHAPE_STRUCT(payout_page, payout, payout_shape), SHAPE_LIST(payout_page, postings, posting_row_shape),
};
static const struct shape payout_json = SHAPE(payout_page, payout_json_members);

static enum status
show_payout(struct web *w, const void *form, enum status status, const char *message)
{
	struct payout_page page = { .payout = *(const struct payout *)form, .problems = form_problems(w, message) };

	page.is_waiting = page.payout.state == PAYOUT_ASSIGNED;
	page.is_completed = page.payout.state == PAYOUT_COMPLETED;
	page.reference = form_field(w, "reference", "");
	page.reason = form_field(w, "reason", "");
	postings_of_payout(w->db, page.payout.payout_id, &page.postings, &page.n_postings);
	menu_of(w)->nav_money = true;
	return web_answer(w, status, &payout_json, &payout_html, &page);
}

enum status
page_payout(struct web *w)
{
	struct payout p;

	if (!payout_find(w->db, web_param_id(w, "payout_id"), &p))
		return web_not_found(w);
	return show_payout(w, &p, HTTP_OK, NULL);
}

/* --- POST /payments/payouts/ID/complete {reference}, /fail {reason} ----------------------------------------------- */

static enum status
answer_ended_payout(struct web *w, enum payout_outcome outcome, struct payout *p)
{
	switch (outcome) {
	case PAYOUT_OUTCOME_DONE:
		return web_done(w, HTTP_OK, &payout_shape, p, "/payments/payouts/%lld", (long long)p->payout_id);
	case PAYOUT_OUTCOME_CLOSED:
		web_form(w, show_payout, p);
		return web_refuse(w, HTTP_CONFLICT, "wrong_state",
			_("This payout has already been closed. See the result below."));
	case PAYOUT_OUTCOME_NONE: return web_not_found(w);
	case PAYOUT_OUTCOME_KEY_REUSED:
	case PAYOUT_OUTCOME_NOT_TO_CARD:
	case PAYOUT_OUTCOME_BAD_ORDER: break;
	}
	return web_broken(w);
}

/* Both forms have one line of text, the field: the transfer's reference, or why it is not paid. */
static enum status
end_from_form(struct web *w, const char *field,
	enum payout_outcome (*end)(
		struct db *db, int64_t payout_id, const char *note, int64_t actor_id, struct payout *p))
{
	int64_t payout_id = web_param_id(w, "payout_id");
	const char *note = form_line(w, field, PAYOUT_NOTE_MAX);
	struct payout p;

	if (!payout_find(w->db, payout_id, &p))
		return web_not_found(w);
	web_form(w, show_payout, &p);
	if (form_bad(w))
		return web_invalid(w);
	return answer_ended_payout(w, end(w->db, payout_id, note, w->user.id, &p), &p);
}

enum status
do_complete_payout(struct web *w)
{
	return end_from_form(w, "reference", payout_complete);
}

enum status
do_fail_payout(struct web *w)
{
	return end_from_form(w, "reason", payout_fail);
}
