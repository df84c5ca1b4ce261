/*
 * pages_charges - what a manager sees: the charges, one charge with its events, the ledger.
 */
#include "pages.h"

#include "domain/rental.h"
#include "domain/menu.h"
#include "lib/base/clock.h"

#include <ctype.h>
#include <string.h>

/* --- the list ----------------------------------------------------------------------------------------------------- */

struct charges_page {
	struct form_problems problems;
	struct field code, state, from, to;
	struct sort_link by_time, by_amount;
	int64_t n_total, captured, refunded, kept;
	const char *currency;
	struct charge_row *charges;
	int n_charges;
	struct paging paging;
	bool is_filtered, found_nothing;
};
static const struct member charges_page_members[] = {
	SHAPE_STRUCT(charges_page, problems, form_problems_shape), SHAPE_STRUCT(charges_page, code, field_shape),
	SHAPE_STRUCT(charges_page, state, field_shape), SHAPE_STRUCT(charges_page, from, field_shape),
	SHAPE_STRUCT(charges_page, to, field_shape), SHAPE_STRUCT(charges_page, by_time, sort_link_shape),
	SHAPE_STRUCT(charges_page, by_amount, sort_link_shape), SHAPE_INT(charges_page, n_total),
	SHAPE_AMOUNT(charges_page, captured), SHAPE_AMOUNT(charges_page, refunded), SHAPE_AMOUNT(charges_page, kept),
	SHAPE_TEXT(charges_page, currency), SHAPE_LIST(charges_page, charges, charge_row_shape),
	SHAPE_STRUCT(charges_page, paging, paging_shape), SHAPE_BOOL(charges_page, is_filtered),
	SHAPE_BOOL(charges_page, found_nothing),
};
static const struct shape charges_page_shape = SHAPE(charges_page, charges_page_members);
PAGE(charges_html, "payment/charges", charges_page_shape)

static const struct member charges_json_members[] = {
	SHAPE_INT(charges_page, n_total), SHAPE_STRUCT(charges_page, paging, paging_shape),
	SHAPE_AMOUNT(charges_page, captured), SHAPE_AMOUNT(charges_page, refunded), SHAPE_AMOUNT(charges_page, kept),
	SHAPE_TEXT(charges_page, currency), SHAPE_LIST(charges_page, charges, charge_row_shape),
};
static const struct shape charges_json = SHAPE(charges_page, charges_json_members);

/* The start of the day that was typed, in the branch's zone; 0: none. */
static int64_t
midnight(struct web *w, const char *name)
{
	int64_t at = 0;

	if (form_has(w, name))
		time_parse(arena_printf(w->m, "%sT00:00", form_date(w, name)), &at);
	return at;
}

/* In upper case: customers read codes over the telephone. */
static const char *
code_asked(struct web *w)
{
	char *code = arena_strdup(w->m, form_has(w, "code") ? form_text(w, "code", 40) : "");

	for (char *s = code; *s; s++)
		*s = (char)toupper((unsigned char)*s);
	return code;
}

static enum charge_order_by
order_asked(struct web *w)
{
	static const char *const columns[] = { "requested_at", "amount", NULL };
	bool down;

	switch (web_sort(w, columns, &down)) {
	case 0: return down ? CHARGES_NEWEST : CHARGES_OLDEST;
	case 1: return down ? CHARGES_BY_AMOUNT_DOWN : CHARGES_BY_AMOUNT;
	default: return CHARGES_NEWEST;
	}
}

static struct charge_query
query_asked(struct web *w)
{
	struct charge_query q = {
		.subject_id = code_asked(w),
		.state = form_has(w, "state") ? form_choice(w, "state", &charge_state_words) : -1,
		.from = midnight(w, "from"),
		.until = midnight(w, "to"),
		.order = order_asked(w),
		.limit = PER_PAGE,
	};

	if (q.until)
		q.until = day_add(q.until, 1);
	if (q.from && q.until && q.until <= q.from)
		form_error(w, "to", _("The end date is before the start date."));
	return q;
}

/* Words for people, codes for programs. */
static void
label_reasons(struct web *w, struct charge_row *rows, int n)
{
	for (int i = 0; i < n; i++)
		rows[i].reason = w->json ? arena_strndup(w->m, rows[i].reason, strcspn(rows[i].reason, " "))
					 : _(charge_reason_label(rows[i].reason));
}

static void
fill_charges(struct web *w, struct charge_query *q, struct charges_page *page)
{
	struct charge_totals totals = charge_count(w->db, q);

	page->n_total = totals.n;
	page->captured = totals.captured;
	page->refunded = totals.refunded;
	page->kept = totals.captured - totals.refunded;
	page->paging = web_paging(w, totals.n, PER_PAGE);
	q->offset = page->paging.offset;
	charge_page(w->db, q, &page->charges, &page->n_charges);
	label_reasons(w, page->charges, page->n_charges);
}

static enum status
show_charges(struct web *w, const void *form, enum status status, const char *message)
{
	struct charges_page page = *(const struct charges_page *)form;

	page.problems = form_problems(w, message);
	page.code = form_field(w, "code", "");
	page.state = form_field_choice(w, "state", &charge_state_words, -1, _("Any status"));
	page.from = form_field(w, "from", "");
	page.to = form_field(w, "to", "");
	page.by_time = web_sort_link(w, "requested_at");
	page.by_amount = web_sort_link(w, "amount");
	menu_of(w)->nav_money = true;
	return web_page(w, status, &charges_html, &page);
}

enum status
page_charges(struct web *w)
{
	struct charge_query q = query_asked(w);
	struct charges_page page = { .currency = settings.currency, .is_filtered = true };

	web_form(w, show_charges, &page);
	if (form_bad(w))
		return web_invalid(w);
	fill_charges(w, &q, &page);
	page.is_filtered = *q.subject_id || q.state >= 0 || q.from || q.until;
	page.found_nothing = page.n_total == 0;
	return w->json ? web_json(w, HTTP_OK, &charges_json, &page) : show_charges(w, &page, HTTP_OK, NULL);
}

/* --- one charge --------------------------------------------------------------------------------------------------- */

struct charge_page {
	struct charge charge;
	const char *customer_name, *why;
	struct refund *refunds;
	struct posting_row *postings;
	struct charge_event *events;
	struct stuck_action *actions;
	int n_refunds, n_postings, n_events, n_actions;
	bool is_waiting, has_postings, is_stuck;
};
static const struct member charge_page_members[] = {
	SHAPE_STRUCT(charge_page, charge, shown_charge_shape), SHAPE_TEXT(charge_page, customer_name),
	SHAPE_TEXT(charge_page, why), SHAPE_LIST(charge_page, refunds, refund_shape),
	SHAPE_LIST(charge_page, postings, posting_row_shape), SHAPE_LIST(charge_page, events, charge_event_shape),
	SHAPE_BOOL(charge_page, is_waiting), SHAPE_BOOL(charge_page, has_postings), SHAPE_BOOL(charge_page, is_stuck),
	SHAPE_LIST(charge_page, actions, stuck_action_shape),
};
static const struct shape charge_page_shape = SHAPE(charge_page, charge_page_members);
PAGE(charge_html, "payment/charge", charge_page_shape)

static const struct member charge_json_members[] = {
	SHAPE_STRUCT(charge_page, charge, shown_charge_shape), SHAPE_TEXT(charge_page, customer_name),
	SHAPE_LIST(charge_page, refunds, refund_shape), SHAPE_LIST(charge_page, postings, posting_row_shape),
	SHAPE_LIST(charge_page, events, charge_event_shape),
};
static const struct shape charge_json = SHAPE(charge_page, charge_json_members);

static const char *
event_title(const char *type)
{
	if (strcmp(type, "payment.approved") == 0)
		return _("The card was charged");
	if (strcmp(type, "payment.failed") == 0)
		return _("Nothing was charged");
	if (strcmp(type, "payment.cancelled") == 0)
		return _("A refund was made");
	if (strcmp(type, "payment.refunded_outside") == 0)
		return _("A refund was made in the dashboard of the payment provider");
	return type;
}

static void
label_events(struct web *w, struct charge_page *page)
{
	charge_events(w->db, &page->charge, &page->events, &page->n_events);
	for (int i = 0; i < page->n_events; i++) {
		const char *type = page->events[i].title;

		page->events[i].title = event_title(type);
		page->events[i].detail = w->json ? type : "";
	}
}

enum status
page_charge(struct web *w)
{
	struct charge_page page = { .why = "" };
	int64_t since;

	if (!charge_by_id(w->db, web_param_id(w, "charge_id"), &page.charge))
		return web_not_found(w);
	page.customer_name = charge_customer_name(w->db, &page.charge);
	if (*page.charge.reason)
		page.why = _(charge_reason_label(page.charge.reason));
	page.is_waiting = page.charge.state == CHARGE_REQUESTED || page.charge.state == CHARGE_UNKNOWN
		|| page.charge.state == CHARGE_CANCEL_REQUESTED;
	refunds_of(w->db, page.charge.charge_id, &page.refunds, &page.n_refunds);
	for (int i = 0; !w->json && i < page.n_refunds; i++)
		page.refunds[i].reason = _(refund_reason_label(page.refunds[i].reason));
	postings_of(w->db, page.charge.charge_id, &page.postings, &page.n_postings);
	page.has_postings = page.n_postings > 0;
	label_events(w, &page);
	page.n_actions = stuck_actions(w->db, page.charge.subject_id, &page.actions);
	page.is_stuck = charge_stuck_kind(w->db, &page.charge, &since) >= 0 && since <= w->now - rental.stuck_after_s;
	menu_of(w)->nav_money = true;
	return web_answer(w, HTTP_OK, &charge_json, &charge_html, &page);
}

/* --- the ledger --------------------------------------------------------------------------------------------------- */

struct ledger_page {
	struct balance *balances;
	struct posting_row *postings;
	int n_balances, n_postings;
	int64_t sum;
	bool is_balanced, postings_there;
	const char *currency;
	struct paging paging;
};
static const struct member ledger_page_members[] = {
	SHAPE_LIST(ledger_page, balances, balance_shape), SHAPE_AMOUNT(ledger_page, sum),
	SHAPE_BOOL(ledger_page, is_balanced), SHAPE_TEXT(ledger_page, currency),
	SHAPE_LIST(ledger_page, postings, posting_row_shape), SHAPE_STRUCT(ledger_page, paging, paging_shape),
	SHAPE_BOOL(ledger_page, postings_there),
};
static const struct shape ledger_page_shape = SHAPE(ledger_page, ledger_page_members);
PAGE(ledger_html, "payment/ledger", ledger_page_shape)

static const struct member ledger_json_members[] = {
	SHAPE_LIST(ledger_page, balances, balance_shape), SHAPE_AMOUNT(ledger_page, sum),
	SHAPE_BOOL(ledger_page, is_balanced), SHAPE_TEXT(ledger_page, currency),
	SHAPE_STRUCT(ledger_page, paging, paging_shape), SHAPE_LIST(ledger_page, postings, posting_row_shape),
};
static const struct shape ledger_json = SHAPE(ledger_page, ledger_json_members);

enum status
page_ledger(struct web *w)
{
	struct ledger_page page = { .currency = settings.currency };

	menu_of(w)->nav_money = true;
	ledger_balances(w->db, &page.balances, &page.n_balances);
	for (int i = 0; i < page.n_balances; i++)
		page.sum += page.balances[i].amount;
	page.is_balanced = page.sum == 0;
	page.paging = web_paging(w, posting_count(w->db), PER_PAGE);
	page.postings_there = page.paging.n_total > 0;
	postings_page(w->db, page.paging.offset, PER_PAGE, &page.postings, &page.n_postings);
	return web_answer(w, HTTP_OK, &ledger_json, &ledger_html, &page);
}
