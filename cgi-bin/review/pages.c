/* pages - managers and examiners: the queue, one case, and deciding it. */
#include "pages.h"
#include "review.h"

#include "domain/choices.h"
#include "domain/event_words.h"
#include "domain/menu.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/web/form.h"

#include <string.h>

/* --- GET /reviews ------------------------------------------------------------------------------------------------- */

struct case_row { struct review_case review; const char *waits, *decided_by; bool is_own, is_waiting; };
static const struct member case_row_members[] = {
	SHAPE_STRUCT(case_row, review, review_case_shape), SHAPE_TEXT(case_row, waits),
	SHAPE_TEXT(case_row, decided_by), SHAPE_BOOL(case_row, is_own), SHAPE_BOOL(case_row, is_waiting),
};
static const struct shape case_row_shape = SHAPE(case_row, case_row_members);

struct queue_page {
	struct tab *tabs;
	int n_tabs;
	struct case_row *rows;
	int n_rows;
	struct review_case *reviews;
	int n_reviews;
	bool has_rows, is_waiting;
	struct paging paging;
	int64_t n_waiting;
};
static const struct member queue_members[] = {
	SHAPE_LIST(queue_page, tabs, tab_shape), SHAPE_LIST(queue_page, rows, case_row_shape),
	SHAPE_BOOL(queue_page, has_rows), SHAPE_BOOL(queue_page, is_waiting),
	SHAPE_STRUCT(queue_page, paging, paging_shape),
};
static const struct shape queue_shape = SHAPE(queue_page, queue_members);
PAGE(queue_html, "review/queue", queue_shape)

static const struct member queue_json_members[] = {
	SHAPE_INT_AS(queue_page, page, paging.page), SHAPE_INT_AS(queue_page, n_pages, paging.n_pages),
	SHAPE_INT_AS(queue_page, n_total, paging.n_total), SHAPE_INT(queue_page, n_waiting),
	SHAPE_LIST(queue_page, reviews, review_case_shape),
};
static const struct shape queue_json_shape = SHAPE(queue_page, queue_json_members);

/* "3 hours", in a unit that fits. */
static const char *
duration_in_words(struct web *w, int64_t s)
{
	if (s < HOUR)
		return arena_printf(w->m, _n("1 minute", "%lld minutes", s / 60), (long long)(s / 60));
	if (s < 2 * DAY)
		return arena_printf(w->m, _n("1 hour", "%lld hours", s / HOUR), (long long)(s / HOUR));
	return arena_printf(w->m, _n("1 day", "%lld days", s / DAY), (long long)(s / DAY));
}

static const char *
decided_by(const struct review_case *c)
{
	if (c->state != CASE_APPROVED && c->state != CASE_REJECTED)
		return "";
	return c->reviewer_id ? c->reviewer_name : _("automatic");
}

static struct case_row *
case_rows(struct web *w, const struct review_case *cases, int n)
{
	struct case_row *rows = arena_array(w->m, struct case_row, n + 1);

	for (int i = 0; i < n; i++)
		rows[i] = (struct case_row){
			.review = cases[i],
			.waits = duration_in_words(w, cases[i].waiting_s),
			.decided_by = decided_by(&cases[i]),
			.is_own = cases[i].applicant_id == w->user.id,
			.is_waiting = cases[i].state == CASE_ASSIGNED,
		};
	return rows;
}

/* A browser's first tab is what waits, a program's is all. */
static enum case_tab
asked_case_tab(struct web *w)
{
	int tab = words_find(&case_tab_words, form_raw(w, "tab"));

	return tab >= 0 ? (enum case_tab)tab : w->json ? CASE_TAB_ALL : CASE_TAB_WAITING;
}

enum status
page_reviews(struct web *w)
{
	enum case_tab tab = asked_case_tab(w);
	struct queue_page p = { .is_waiting = tab == CASE_TAB_WAITING, .n_tabs = N_CASE_TABS };
	int64_t n[N_CASE_TABS];

	case_count(w->db, n);
	p.tabs = web_tabs(w, "tab", &case_tab_words, (int)tab, n);
	p.paging = web_paging(w, n[tab], PER_PAGE);
	p.n_waiting = n[CASE_TAB_WAITING];
	p.n_rows = p.n_reviews = case_list(w->db, tab, p.paging.offset, PER_PAGE, &p.reviews);
	p.rows = case_rows(w, p.reviews, p.n_reviews);
	p.has_rows = p.n_rows > 0;
	menu_of(w)->nav_reviews = true;
	return web_answer(w, HTTP_OK, &queue_json_shape, &queue_html, &p);
}

/* --- GET /reviews/:case_id ---------------------------------------------------------------------------------------- */

struct case_page {
	struct form_problems problems;
	struct review_case review;
	const char *category_name, *waits, *decided_by, *too_many, *too_much, *booking_url, *order_url, *next_url,
		*reason_words;
	bool can_decide, is_own, is_waiting, is_by_rule, has_amount;
	struct field reason;
	struct timeline_event *events;
	int n_events;
};
static const struct member case_page_members[] = {
	SHAPE_STRUCT(case_page, problems, form_problems_shape), SHAPE_STRUCT(case_page, review, review_case_shape),
	SHAPE_TEXT(case_page, category_name), SHAPE_TEXT(case_page, waits), SHAPE_TEXT(case_page, decided_by),
	SHAPE_TEXT(case_page, too_many), SHAPE_TEXT(case_page, too_much), SHAPE_TEXT(case_page, booking_url),
	SHAPE_TEXT(case_page, order_url), SHAPE_TEXT(case_page, next_url), SHAPE_TEXT(case_page, reason_words),
	SHAPE_BOOL(case_page, can_decide), SHAPE_BOOL(case_page, is_own), SHAPE_BOOL(case_page, is_waiting),
	SHAPE_BOOL(case_page, is_by_rule), SHAPE_BOOL(case_page, has_amount),
	SHAPE_STRUCT(case_page, reason, field_shape), SHAPE_LIST(case_page, events, timeline_event_shape),
};
static const struct shape case_page_shape = SHAPE(case_page, case_page_members);
PAGE(case_html, "review/case", case_page_shape)

/* A code becomes words; what a person typed stays as it is. */
static const char *
case_reason_in_words(const char *reason)
{
	if (strcmp(reason, "order_cancelled") == 0)
		return _("The equipment order was cancelled");
	if (strcmp(reason, "booking_over") == 0)
		return _("The booking has ended");
	return reason;
}

static const char *
case_event_detail(struct web *w, const struct case_event *e)
{
	const char *why = case_reason_in_words(e->reason);

	if (*e->actor_name && *why)
		return arena_printf(w->m, "%s · %s", e->actor_name, why);
	return *e->actor_name ? e->actor_name : why;
}

static void
fill_case_events(struct web *w, struct case_page *p)
{
	struct case_event *events = NULL;

	p->n_events = case_history(w->db, &p->review, &events);
	p->events = arena_array(w->m, struct timeline_event, p->n_events + 1);
	for (int i = 0; i < p->n_events; i++)
		p->events[i] = (struct timeline_event){
			events[i].at,
			event_sentence(w->m, &(struct event){ .type = events[i].type }),
			case_event_detail(w, &events[i]),
		};
}

/* Why the rule did not approve it. */
static void
fill_limits(struct web *w, struct case_page *p)
{
	p->too_many = p->review.quantity > rental.review_auto_quantity
		? arena_printf(w->m, _("More than %lld units"), (long long)rental.review_auto_quantity)
		: "";
	p->too_much = p->review.amount > rental.review_auto_amount
		? arena_printf(w->m, _("Value above %s"), money_in_words(w->m, rental.review_auto_amount))
		: "";
}

static void
fill_links(struct web *w, struct case_page *p)
{
	int64_t order_id = case_order_id(w->db, &p->review), next = case_next(w->db, &p->review);

	p->order_url = order_id ? arena_printf(w->m, "/equipment/orders/%lld", (long long)order_id) : "";
	p->booking_url = p->review.kind == CASE_EQUIPMENT && strcmp(p->review.subject_id, p->review.key) != 0
			&& web_is(w, ROLE_MANAGER)
		? arena_printf(w->m, "/bookings/%s", p->review.subject_id)
		: "";
	p->next_url = next ? arena_printf(w->m, "/reviews/%lld", (long long)next) : "";
}

/* form: the case as it is now. */
static enum status
show_case(struct web *w, const void *form, enum status status, const char *message)
{
	const struct review_case *c = form;
	const struct choice *category = choice_find(rental.equipment_categories, c->category);
	struct case_page p = {
		.review = *c,
		.category_name = category ? choice_name(category) : c->category,
		.waits = duration_in_words(w, c->waiting_s),
		.decided_by = decided_by(c),
		.reason_words = case_reason_in_words(c->reason),
		.is_own = c->applicant_id == w->user.id,
		.is_waiting = c->state == CASE_ASSIGNED,
		.is_by_rule = *c->rule != '\0',
		.has_amount = c->amount > 0,
		.reason = form_field(w, "reason", ""),
		.problems = form_problems(w, message),
	};

	p.can_decide = p.is_waiting && !p.is_own;
	fill_limits(w, &p);
	fill_links(w, &p);
	fill_case_events(w, &p);
	menu_of(w)->nav_reviews = true;
	return web_page(w, status, &case_html, &p);
}

enum status
page_review(struct web *w)
{
	struct review_case c;

	if (!case_find(w->db, web_param_id(w, "case_id"), &c))
		return web_not_found(w);
	return w->json ? web_json(w, HTTP_OK, &review_case_shape, &c) : show_case(w, &c, HTTP_OK, NULL);
}

/* --- POST /reviews/:case_id/approve, /reject ---------------------------------------------------------------------- */

static enum status
decide_and_answer(struct web *w, enum case_state state, const char *reason)
{
	int64_t case_id = web_param_id(w, "case_id");
	struct review_case c;

	if (!case_find(w->db, case_id, &c))
		return web_not_found(w);
	web_form(w, show_case, &c);
	if (form_bad(w))
		return web_invalid(w);
	switch (case_decide(w->db, case_id, state, reason, w->user.id, &c)) {
	case DECIDE_DONE: return web_done(w, HTTP_OK, &review_case_shape, &c, "/reviews/%lld", (long long)case_id);
	case DECIDE_NO_CASE: return web_not_found(w);
	case DECIDE_OWN:
		return web_refuse(w, HTTP_FORBIDDEN, "own_case",
			_("You made this request yourself, so another reviewer must decide."));
	case DECIDE_NO_REASON:
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid",
			_("Please give a reason for the rejection. The applicant will see it."));
	case DECIDE_BEFORE:
		return web_refuse(w, HTTP_CONFLICT, "wrong_state",
			_("This request has already been decided. See the result below."));
	}
	return web_broken(w);
}

enum status
do_approve(struct web *w)
{
	return decide_and_answer(w, CASE_APPROVED, form_has(w, "reason") ? form_text(w, "reason", 300) : "");
}

enum status
do_reject(struct web *w)
{
	return decide_and_answer(w, CASE_REJECTED, form_text(w, "reason", 300));
}
