/* pages_board - many jobs: the dispatcher's board, a courier's own on his telephone, and his day on paper. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/clock.h"

#include <string.h>

/* --- GET /deliveries ------------------------------------------------------------------------------------------------------ */

/* A job with the couriers it can be given to, right there. */
struct card {
	struct delivery job;
	struct option *couriers;
	int n_couriers;
	bool can_assign, can_ship, can_deliver, is_collection;
};
static const struct member card_members[] = {
	SHAPE_STRUCT(card, job, delivery_shape), SHAPE_LIST(card, couriers, option_shape), SHAPE_BOOL(card, can_assign),
	SHAPE_BOOL(card, can_ship), SHAPE_BOOL(card, can_deliver), SHAPE_BOOL(card, is_collection),
};
static const struct shape card_shape = SHAPE(card, card_members);

/* What is in one state; n of them on all pages. */
struct section {
	int state;
	int64_t n;
	struct card *cards;
	int n_cards;
};
static const struct member section_members[] = {
	SHAPE_STATE(section, state, delivery_state_words), SHAPE_INT(section, n), SHAPE_LIST(section, cards, card_shape),
};
static const struct shape section_shape = SHAPE(section, section_members);

struct board_tab { const char *url, *label; int64_t n; bool has_n, is_current; };
static const struct member board_tab_members[] = {
	SHAPE_TEXT(board_tab, url), SHAPE_TEXT(board_tab, label), SHAPE_INT(board_tab, n), SHAPE_BOOL(board_tab, has_n),
	SHAPE_BOOL(board_tab, is_current),
};
static const struct shape board_tab_shape = SHAPE(board_tab, board_tab_members);

struct board {
	struct board_tab *tabs;
	struct section *sections;
	struct card *cards;                     /* finished ones, a list of their own */
	struct delivery *deliveries;            /* for programs */
	int n_tabs, n_sections, n_cards, n_deliveries;
	const char *view;
	struct field q, courier_id;
	struct board_counts counts;
	struct paging paging;
	int64_t page, n_pages, n_total;
	bool is_filtered, is_finished, is_board, has_couriers;
};
static const struct member board_members[] = {
	SHAPE_LIST(board, tabs, board_tab_shape), SHAPE_LIST(board, sections, section_shape), SHAPE_LIST(board, cards, card_shape),
	SHAPE_TEXT(board, view), SHAPE_STRUCT(board, q, field_shape), SHAPE_STRUCT(board, courier_id, field_shape),
	SHAPE_STRUCT(board, paging, paging_shape), SHAPE_INT(board, n_total), SHAPE_BOOL(board, is_filtered),
	SHAPE_BOOL(board, is_finished), SHAPE_BOOL(board, is_board), SHAPE_BOOL(board, has_couriers),
};
static const struct shape board_shape = SHAPE(board, board_members);
PAGE(board_html, "delivery/board", board_shape)
PAGE(mine_html, "delivery/mine", board_shape)

static const struct member board_json_members[] = {
	SHAPE_INT(board, n_total), SHAPE_INT(board, page), SHAPE_INT(board, n_pages), SHAPE_STRUCT(board, counts, board_counts_shape),
	SHAPE_LIST(board, deliveries, delivery_json_shape),
};
static const struct shape board_json_shape = SHAPE(board, board_json_members);

static struct board_query
read_query(struct web *w)
{
	int view = form_has(w, "view") ? words_find(&board_view_words, form_raw(w, "view")) : -1;
	bool is_manager = web_is(w, ROLE_MANAGER), has_text = form_has(w, "q");
	int64_t courier_id = form_has(w, "courier_id") ? form_id(w, "courier_id") : 0;

	return (struct board_query){
		.view = view >= 0 ? (enum board_view)view : has_text ? BOARD_ALL : BOARD_OPEN,
		.text = has_text ? form_text(w, "q", 80) : "",
		.courier_id = is_manager ? courier_id : w->user.id,
		.today = day_start(w->now), .tomorrow = day_add(day_start(w->now), 1),
		.courier_first = !is_manager,
	};
}

static void
make_card(struct web *w, struct card *c, const struct delivery *d, const struct option *couriers, int n_couriers)
{
	const char *chosen = id_text(w, d->courier_id);

	*c = (struct card){
		.job = *d, .can_assign = web_is(w, ROLE_MANAGER) && (d->state == JOB_REQUESTED || d->state == JOB_SCHEDULED),
		.can_ship = d->state == JOB_SCHEDULED, .can_deliver = d->state == JOB_SHIPPED, .is_collection = d->direction == JOB_COLLECTION,
		.n_couriers = n_couriers, .couriers = arena_array(w->m, struct option, n_couriers + 1),
	};
	for (int i = 0; i < n_couriers; i++) {
		c->couriers[i] = couriers[i];
		c->couriers[i].selected = strcmp(couriers[i].value, chosen) == 0;
	}
}

static void
make_cards(struct web *w, struct board *b)
{
	int n_couriers = 0;
	struct option *couriers = web_is(w, ROLE_MANAGER) ? courier_options(w, &n_couriers) : NULL;

	b->has_couriers = n_couriers > 0;
	b->n_cards = b->n_deliveries;
	b->cards = arena_array(w->m, struct card, b->n_cards + 1);
	for (int i = 0; i < b->n_cards; i++)
		make_card(w, &b->cards[i], &b->deliveries[i], couriers, n_couriers);
	b->courier_id = form_field_options(w, "courier_id", couriers, n_couriers, "", _("All couriers"));
}

static int64_t
n_in_state(const struct board_counts *n, int state)
{
	switch ((enum delivery_state)state) {
	case JOB_REQUESTED: return n->n_requested;
	case JOB_SCHEDULED: return n->n_scheduled;
	case JOB_SHIPPED:   return n->n_shipped;
	case JOB_DELIVERED:
	case JOB_CANCELLED: break;
	}
	return n->n_finished;
}

/* The cards come in the order of their states: a section ends where the state changes. */
static void
make_sections(struct web *w, struct board *b)
{
	b->sections = arena_array(w->m, struct section, b->n_cards + 1);
	for (int i = 0; i < b->n_cards; i++) {
		int state = b->cards[i].job.state;

		if (!b->n_sections || b->sections[b->n_sections - 1].state != state)
			b->sections[b->n_sections++] = (struct section){ .state = state, .n = n_in_state(&b->counts, state), .cards = &b->cards[i] };
		b->sections[b->n_sections - 1].n_cards++;
	}
}

static void
make_tabs(struct web *w, struct board *b, const struct board_query *q)
{
	b->n_tabs = BOARD_FINISHED + 1;
	b->tabs = arena_array(w->m, struct board_tab, b->n_tabs);
	for (int i = 0; i < b->n_tabs; i++) {
		struct board_query of = { .view = (enum board_view)i, .courier_id = q->courier_id, .text = "", .today = q->today, .tomorrow = q->tomorrow };
		struct board_counts n = { 0 };

		if (i != BOARD_FINISHED)        /* how many there ever were is no work to do */
			board_count(w->db, &of, &n);
		b->tabs[i] = (struct board_tab){
			.url = arena_printf(w->m, "/deliveries?view=%s", words_code(&board_view_words, i)), .n = n.n_total,
			.label = _(board_view_words.word[i].label), .has_n = i != BOARD_FINISHED, .is_current = i == (int)q->view,
		};
	}
}

/* A courier's page is his own jobs, on a telephone; a manager's the whole board. */
enum status
page_deliveries(struct web *w)
{
	struct board_query q = read_query(w);
	struct board b = { .is_filtered = *q.text || (web_is(w, ROLE_MANAGER) && q.courier_id), .is_finished = q.view == BOARD_FINISHED || q.view == BOARD_ALL };

	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	board_count(w->db, &q, &b.counts);
	b.n_total = b.counts.n_total;
	b.paging = web_paging(w, b.n_total, PER_PAGE);
	b.page = b.paging.page;
	b.n_pages = b.paging.n_pages;
	b.n_deliveries = board_list(w->db, &q, b.paging.offset, PER_PAGE, &b.deliveries);
	if (w->json)
		return web_json(w, HTTP_OK, &board_json_shape, &b);
	make_cards(w, &b);
	if (!b.is_finished)
		make_sections(w, &b);
	make_tabs(w, &b, &q);
	b.is_board = !b.is_finished;
	b.view = words_code(&board_view_words, (int)q.view);
	b.q = form_field(w, "q", "");
	menu_of(w)->nav_deliveries = true;
	return web_page(w, HTTP_OK, web_is(w, ROLE_MANAGER) ? &board_html : &mine_html, &b);
}

/* --- GET /deliveries/sheet ------------------------------------------------------------------------------------------------ */

struct sheet {
	struct form_problems problems;
	struct field courier_id, day;
	struct card *cards;
	int n_cards;
	const char *courier_name;
	int64_t day_at;
	bool is_chosen, may_choose, is_empty;
};
static const struct member sheet_members[] = {
	SHAPE_STRUCT(sheet, problems, form_problems_shape), SHAPE_STRUCT(sheet, courier_id, field_shape),
	SHAPE_STRUCT(sheet, day, field_shape), SHAPE_LIST(sheet, cards, card_shape), SHAPE_TEXT(sheet, courier_name),
	SHAPE_TIME(sheet, day_at), SHAPE_BOOL(sheet, is_chosen), SHAPE_BOOL(sheet, may_choose), SHAPE_BOOL(sheet, is_empty),
};
static const struct shape sheet_shape = SHAPE(sheet, sheet_members);
PAGE(sheet_html, "delivery/sheet", sheet_shape)

struct sheet_json { const char *courier_name, *day; int64_t courier_id; struct delivery *deliveries; int n_deliveries; };
static const struct member sheet_json_members[] = {
	SHAPE_INT(sheet_json, courier_id), SHAPE_TEXT(sheet_json, courier_name), SHAPE_TEXT(sheet_json, day),
	SHAPE_LIST(sheet_json, deliveries, delivery_json_shape),
};
static const struct shape sheet_json_shape = SHAPE(sheet_json, sheet_json_members);

/* ?day=2026-11-21, or today. */
static const char *
asked_day(struct web *w, int64_t *at)
{
	const char *day = form_has(w, "day") ? form_date(w, "day") : "";
	struct local l;

	if (!*day || !time_parse(arena_printf(w->m, "%sT00:00", day), at))
		*at = day_start(w->now);
	clock_split(*at, &l);
	return arena_printf(w->m, "%04d-%02d-%02d", l.year, l.month, l.day);
}

static void
make_sheet(struct web *w, struct sheet *s, const struct delivery *deliveries, int n)
{
	s->cards = arena_array(w->m, struct card, n + 1);
	s->n_cards = n;
	s->is_empty = !n;
	for (int i = 0; i < n; i++)
		s->cards[i] = (struct card){ .job = deliveries[i], .is_collection = deliveries[i].direction == JOB_COLLECTION };
}

/* Managers print anybody's, a courier his own. */
enum status
page_sheet(struct web *w)
{
	struct sheet_json j = { 0 };
	struct sheet s = { .may_choose = web_is(w, ROLE_MANAGER) };
	int n;
	struct option *couriers = courier_options(w, &n);

	j.courier_id = s.may_choose ? form_has(w, "courier_id") ? form_id(w, "courier_id") : 0 : w->user.id;
	j.day = asked_day(w, &s.day_at);
	if (form_bad(w) && w->json)
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	s.courier_name = j.courier_name = j.courier_id ? courier_name(w->db, j.courier_id) : NULL;
	s.is_chosen = s.courier_name != NULL;
	if (s.is_chosen)
		j.n_deliveries = board_sheet(w->db, j.courier_id, s.day_at, day_add(s.day_at, 1), &j.deliveries);
	if (w->json)
		return web_json(w, HTTP_OK, &sheet_json_shape, &j);
	make_sheet(w, &s, j.deliveries, j.n_deliveries);
	s.problems = form_problems(w, form_bad(w) ? _("Please look at the marked fields.") : NULL);
	s.courier_id = form_field_options(w, "courier_id", couriers, n, "", _("Choose a courier"));
	s.day = form_field(w, "day", j.day);
	menu_of(w)->nav_deliveries = true;
	return web_page(w, form_bad(w) ? HTTP_UNPROCESSABLE : HTTP_OK, &sheet_html, &s);
}
