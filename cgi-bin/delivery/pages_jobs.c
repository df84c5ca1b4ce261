/* pages_jobs - many jobs: the dispatcher's board, a courier's own list for a phone, and a courier's day on paper. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/clock.h"

#include <string.h>

/* --- GET /deliveries ---------------------------------------------------------------------------------------------- */

/* A job with the couriers it can be assigned to. */
struct job_card {
	struct delivery job;
	struct option *couriers;
	int n_couriers;
	bool can_assign, can_ship, can_deliver, is_collection;
};
static const struct member job_card_members[] = {
	SHAPE_STRUCT(job_card, job, delivery_shape), SHAPE_LIST(job_card, couriers, option_shape),
	SHAPE_BOOL(job_card, can_assign), SHAPE_BOOL(job_card, can_ship), SHAPE_BOOL(job_card, can_deliver),
	SHAPE_BOOL(job_card, is_collection),
};
static const struct shape job_card_shape = SHAPE(job_card, job_card_members);

/* The jobs of one state on this page; n of them on all pages. */
struct job_section {
	int state;
	int64_t n;
	struct job_card *cards;
	int n_cards;
};
static const struct member job_section_members[] = {
	SHAPE_STATE(job_section, state, delivery_state_words), SHAPE_INT(job_section, n),
	SHAPE_LIST(job_section, cards, job_card_shape),
};
static const struct shape job_section_shape = SHAPE(job_section, job_section_members);

struct jobs_page {
	struct tab *tabs;
	struct job_section *sections;
	struct job_card *cards;
	struct delivery *deliveries;            /* for JSON */
	int n_tabs, n_sections, n_cards, n_deliveries;
	const char *view;
	struct field q, courier_id;
	struct jobs_counts counts;
	struct paging paging;
	int64_t page, n_pages, n_total;
	bool is_filtered, is_finished, has_couriers;
};
static const struct member jobs_page_members[] = {
	SHAPE_LIST(jobs_page, tabs, tab_shape), SHAPE_LIST(jobs_page, sections, job_section_shape),
	SHAPE_LIST(jobs_page, cards, job_card_shape), SHAPE_TEXT(jobs_page, view),
	SHAPE_STRUCT(jobs_page, q, field_shape), SHAPE_STRUCT(jobs_page, courier_id, field_shape),
	SHAPE_STRUCT(jobs_page, paging, paging_shape), SHAPE_INT(jobs_page, n_total),
	SHAPE_BOOL(jobs_page, is_filtered), SHAPE_BOOL(jobs_page, is_finished), SHAPE_BOOL(jobs_page, has_couriers),
};
static const struct shape jobs_page_shape = SHAPE(jobs_page, jobs_page_members);
PAGE(board_html, "delivery/board", jobs_page_shape)
PAGE(mine_html, "delivery/mine", jobs_page_shape)

static const struct member jobs_json_members[] = {
	SHAPE_INT(jobs_page, n_total), SHAPE_INT(jobs_page, page), SHAPE_INT(jobs_page, n_pages),
	SHAPE_STRUCT(jobs_page, counts, jobs_counts_shape), SHAPE_LIST(jobs_page, deliveries, delivery_json_shape),
};
static const struct shape jobs_json_shape = SHAPE(jobs_page, jobs_json_members);

static struct jobs_query
read_jobs_query(struct web *w)
{
	int view = form_has(w, "view") ? words_find(&jobs_view_words, form_raw(w, "view")) : -1;
	bool is_manager = web_is(w, ROLE_MANAGER), has_text = form_has(w, "q");
	int64_t courier_id = form_has(w, "courier_id") ? form_id(w, "courier_id") : 0;

	return (struct jobs_query){
		.view = view >= 0  ? (enum jobs_view)view
			: has_text ? JOBS_ALL
				   : JOBS_OPEN,
		.text = has_text ? form_text(w, "q", 80) : "",
		.courier_id = is_manager ? courier_id : w->user.id,
		.today = day_start(w->now),
		.tomorrow = day_add(day_start(w->now), 1),
		.courier_first = !is_manager,
	};
}

static void
make_card(struct web *w, struct job_card *c, const struct delivery *d, const struct option *couriers, int n_couriers)
{
	const char *chosen = form_id_text(w, d->courier_id);

	*c = (struct job_card){
		.job = *d,
		.can_assign = web_is(w, ROLE_MANAGER) && !d->cancel_at
			&& (d->state == JOB_REQUESTED || d->state == JOB_SCHEDULED),
		.can_ship = d->state == JOB_SCHEDULED && !d->cancel_at,
		.can_deliver = d->state == JOB_SHIPPED,
		.is_collection = d->direction == JOB_COLLECTION,
		.n_couriers = n_couriers,
		.couriers = arena_array(w->m, struct option, n_couriers + 1),
	};
	for (int i = 0; i < n_couriers; i++) {
		c->couriers[i] = couriers[i];
		c->couriers[i].selected = strcmp(couriers[i].value, chosen) == 0;
	}
}

static void
make_cards(struct web *w, struct jobs_page *p)
{
	int n_couriers = 0;
	struct option *couriers = web_is(w, ROLE_MANAGER) ? courier_options(w, &n_couriers) : NULL;

	p->has_couriers = n_couriers > 0;
	p->n_cards = p->n_deliveries;
	p->cards = arena_array(w->m, struct job_card, p->n_cards + 1);
	for (int i = 0; i < p->n_cards; i++)
		make_card(w, &p->cards[i], &p->deliveries[i], couriers, n_couriers);
	p->courier_id = form_field_options(w, "courier_id", couriers, n_couriers, "", _("All couriers"));
}

static int64_t
n_in_state(const struct jobs_counts *n, int state)
{
	switch ((enum delivery_state)state) {
	case JOB_REQUESTED: return n->n_requested;
	case JOB_SCHEDULED: return n->n_scheduled;
	case JOB_SHIPPED: return n->n_shipped;
	case JOB_DELIVERED:
	case JOB_CANCELLED: break;
	}
	return n->n_finished;
}

/* The cards are in the order of their states: a section ends where the state changes. */
static void
make_sections(struct web *w, struct jobs_page *p)
{
	p->sections = arena_array(w->m, struct job_section, p->n_cards + 1);
	for (int i = 0; i < p->n_cards; i++) {
		struct job_section *last = p->n_sections ? &p->sections[p->n_sections - 1] : NULL;
		int state = p->cards[i].job.state;

		if (!last || last->state != state) {
			last = &p->sections[p->n_sections++];
			*last = (struct job_section){
				.state = state, .n = n_in_state(&p->counts, state), .cards = &p->cards[i]
			};
		}
		last->n_cards++;
	}
}

/* A tab drops the search. Finished jobs are not counted: there is no work in them, and their number only grows. */
static void
make_view_tabs(struct web *w, struct jobs_page *p, const struct jobs_query *q)
{
	p->n_tabs = JOBS_FINISHED + 1;
	p->tabs = arena_array(w->m, struct tab, p->n_tabs);
	for (int i = 0; i < p->n_tabs; i++) {
		struct jobs_query of_tab = { (enum jobs_view)i, q->courier_id, "", q->today, q->tomorrow, false };
		struct jobs_counts n = { 0 };

		if (i != JOBS_FINISHED)
			jobs_count(w->db, &of_tab, &n);
		p->tabs[i] = (struct tab){
			.url = arena_printf(w->m, "/deliveries?view=%s", words_code(&jobs_view_words, i)),
			.n = n.n_total,
			.label = _(jobs_view_words.word[i].label),
			.has_n = i != JOBS_FINISHED,
			.is_current = i == (int)q->view,
		};
	}
}

/* A manager sees the board of all jobs, a courier their own list. */
enum status
page_deliveries(struct web *w)
{
	struct jobs_query q = read_jobs_query(w);
	bool is_manager = web_is(w, ROLE_MANAGER);
	struct jobs_page p = {
		.is_filtered = *q.text || (is_manager && q.courier_id),
		.is_finished = q.view == JOBS_FINISHED || q.view == JOBS_ALL,
	};

	if (form_bad(w))
		return web_invalid(w);
	jobs_count(w->db, &q, &p.counts);
	p.n_total = p.counts.n_total;
	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	p.n_deliveries = jobs_list(w->db, &q, p.paging.offset, PER_PAGE, &p.deliveries);
	if (w->json)
		return web_json(w, HTTP_OK, &jobs_json_shape, &p);
	make_cards(w, &p);
	if (!p.is_finished)
		make_sections(w, &p);
	make_view_tabs(w, &p, &q);
	p.view = words_code(&jobs_view_words, (int)q.view);
	p.q = form_field(w, "q", "");
	menu_of(w)->nav_deliveries = true;
	return web_page(w, HTTP_OK, is_manager ? &board_html : &mine_html, &p);
}

/* --- GET /deliveries/sheet ---------------------------------------------------------------------------------------- */

struct day_sheet {
	int64_t courier_id, day_at;
	const char *courier_name, *day;         /* name NULL: no courier chosen, or there is none with this id */
	struct delivery *deliveries;
	int n_deliveries;
};
static const struct member day_sheet_members[] = {
	SHAPE_INT(day_sheet, courier_id), SHAPE_TEXT(day_sheet, courier_name), SHAPE_TEXT(day_sheet, day),
	SHAPE_LIST(day_sheet, deliveries, delivery_json_shape),
};
static const struct shape day_sheet_shape = SHAPE(day_sheet, day_sheet_members);

struct sheet_page {
	struct form_problems problems;
	struct field courier_id, day;
	struct job_card *cards;
	int n_cards;
	const char *courier_name;
	int64_t day_at;
	bool is_chosen, may_choose, is_empty;
};
static const struct member sheet_page_members[] = {
	SHAPE_STRUCT(sheet_page, problems, form_problems_shape), SHAPE_STRUCT(sheet_page, courier_id, field_shape),
	SHAPE_STRUCT(sheet_page, day, field_shape), SHAPE_LIST(sheet_page, cards, job_card_shape),
	SHAPE_TEXT(sheet_page, courier_name), SHAPE_TIME(sheet_page, day_at), SHAPE_BOOL(sheet_page, is_chosen),
	SHAPE_BOOL(sheet_page, may_choose), SHAPE_BOOL(sheet_page, is_empty),
};
static const struct shape sheet_page_shape = SHAPE(sheet_page, sheet_page_members);
PAGE(sheet_html, "delivery/sheet", sheet_page_shape)

/* ?day=2026-11-21, or today. */
static const char *
read_day(struct web *w, int64_t *at)
{
	const char *day = form_has(w, "day") ? form_date(w, "day") : "";
	struct local l;

	if (!*day || !time_parse(arena_printf(w->m, "%sT00:00", day), at))
		*at = day_start(w->now);
	clock_split(*at, &l);
	return arena_printf(w->m, "%04d-%02d-%02d", l.year, l.month, l.day);
}

static enum status
show_sheet(struct web *w, const void *form, enum status status, const char *message)
{
	const struct day_sheet *s = form;
	int n;
	struct option *couriers = courier_options(w, &n);
	struct sheet_page p = {
		.problems = form_problems(w, message),
		.day = form_field(w, "day", s->day),
		.day_at = s->day_at,
		.courier_id = form_field_options(w, "courier_id", couriers, n, "", _("Choose a courier")),
		.courier_name = s->courier_name,
		.cards = arena_array(w->m, struct job_card, s->n_deliveries + 1),
		.n_cards = s->n_deliveries,
		.is_chosen = s->courier_name != NULL,
		.is_empty = !s->n_deliveries,
		.may_choose = web_is(w, ROLE_MANAGER),
	};

	for (int i = 0; i < p.n_cards; i++)
		p.cards[i] = (struct job_card){ .job = s->deliveries[i],
			.is_collection = s->deliveries[i].direction == JOB_COLLECTION };
	menu_of(w)->nav_deliveries = true;
	return web_page(w, status, &sheet_html, &p);
}

/* A manager prints any courier's day, a courier their own. */
enum status
page_sheet(struct web *w)
{
	struct day_sheet s = { .courier_id = w->user.id };

	if (web_is(w, ROLE_MANAGER))
		s.courier_id = form_has(w, "courier_id") ? form_id(w, "courier_id") : 0;
	s.day = read_day(w, &s.day_at);
	s.courier_name = s.courier_id ? courier_name(w->db, s.courier_id) : NULL;
	if (s.courier_name)
		s.n_deliveries = jobs_of_day(w->db, s.courier_id, s.day_at, day_add(s.day_at, 1), &s.deliveries);
	web_form(w, show_sheet, &s);
	if (form_bad(w))
		return web_invalid(w);
	return w->json ? web_json(w, HTTP_OK, &day_sheet_shape, &s) : show_sheet(w, &s, HTTP_OK, NULL);
}
