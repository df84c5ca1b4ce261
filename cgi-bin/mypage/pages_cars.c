/* pages_cars - a manager's screen of all cars: the status of each, its booking and that booking's payment, delivery,
 * equipment, messages. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"

#include <string.h>

#define PER_JSON_PAGE 1000      /* usually all cars in one answer */
#define MAX_BRANCHES 200

/* enum view_order */
static const char *const sort_columns[] = { "plate", "name", "branch_name", "status", "starts_at", NULL };

struct status_count { const char *label, *code; int64_t n; };
static const struct member status_count_members[] = {
	SHAPE_TEXT(status_count, label), SHAPE_TEXT(status_count, code), SHAPE_INT(status_count, n),
};
static const struct shape status_count_shape = SHAPE(status_count, status_count_members);

struct view_cars_page {
	struct field q, branch_id, status;
	struct form_problems problems;
	struct status_count *counts;
	int n_counts;
	struct view_car *cars;
	int n_cars;
	struct sort_link by_plate, by_name, by_branch, by_status, by_booking;
	const char *sort;
	bool is_filtered, has_rows;
	struct paging paging;
	struct freshness fresh;
};
static const struct member view_cars_members[] = {
	SHAPE_STRUCT(view_cars_page, q, field_shape), SHAPE_STRUCT(view_cars_page, branch_id, field_shape),
	SHAPE_STRUCT(view_cars_page, status, field_shape), SHAPE_STRUCT(view_cars_page, problems, form_problems_shape),
	SHAPE_LIST(view_cars_page, counts, status_count_shape), SHAPE_LIST(view_cars_page, cars, view_car_shape),
	SHAPE_STRUCT(view_cars_page, by_plate, sort_link_shape), SHAPE_STRUCT(view_cars_page, by_name, sort_link_shape),
	SHAPE_STRUCT(view_cars_page, by_branch, sort_link_shape),
	SHAPE_STRUCT(view_cars_page, by_status, sort_link_shape),
	SHAPE_STRUCT(view_cars_page, by_booking, sort_link_shape), SHAPE_TEXT(view_cars_page, sort),
	SHAPE_BOOL(view_cars_page, is_filtered), SHAPE_BOOL(view_cars_page, has_rows),
	SHAPE_STRUCT(view_cars_page, paging, paging_shape), SHAPE_STRUCT(view_cars_page, fresh, freshness_shape),
};
static const struct shape view_cars_shape = SHAPE(view_cars_page, view_cars_members);
PAGE(cars_template, "view/cars", view_cars_shape);

/* GET /view has one page so far. */
enum status
page_view(struct web *w)
{
	return web_redirect(w, "/view/cars");
}

static void
read_view_query(struct web *w, struct view_query *q)
{
	int order = web_sort(w, sort_columns, &q->down);

	q->now = w->now;
	q->text = form_has(w, "q") ? form_text(w, "q", 60) : "";
	q->status = form_has(w, "status") ? form_choice(w, "status", &car_status_words) : -1;
	q->branch_id = form_has(w, "branch_id") ? form_id(w, "branch_id") : 0;
	q->order = order < 0 ? VIEW_BY_PLATE : (enum view_order)order;
	if (q->order == VIEW_BY_NAME && !w->json && lang_now() == LANG_KO)
		q->order = VIEW_BY_NAME_KO;
}

static struct field
branch_field(struct web *w)
{
	struct option options[MAX_BRANCHES];
	struct view_branch *branches = NULL;
	int n = view_branches(w->db, &branches);

	for (int i = 0; i < n; i++)
		options[i] = (struct option){
			.value = form_id_text(w, branches[i].branch_id),
			.label = lang_pick(lang_now(), branches[i].branch_name, branches[i].branch_name_ko),
		};
	return form_field_options(w, "branch_id", options, n, "", _("All branches"));
}

static void
fill_counts(struct web *w, struct view_cars_page *p, const int64_t n[4])
{
	p->n_counts = car_status_words.n;
	p->counts = arena_array(w->m, struct status_count, p->n_counts);
	for (int i = 0; i < p->n_counts; i++)
		p->counts[i] =
			(struct status_count){ _(car_status_words.word[i].label), car_status_words.word[i].code, n[i] };
}

static void
fill_form(struct web *w, struct view_cars_page *p)
{
	p->q = form_field(w, "q", "");
	p->status = form_field_choice(w, "status", &car_status_words, -1, _("Any status"));
	p->branch_id = branch_field(w);
	p->problems = form_problems(w, form_bad(w) ? _("Please look at the marked fields.") : NULL);
	p->by_plate = web_sort_link(w, "plate");
	p->by_name = web_sort_link(w, "name");
	p->by_branch = web_sort_link(w, "branch_name");
	p->by_status = web_sort_link(w, "status");
	p->by_booking = web_sort_link(w, "starts_at");
	p->sort = form_raw(w, "sort");
	p->is_filtered = form_has(w, "q") || form_has(w, "status") || form_has(w, "branch_id");
}

static enum status
cars_json(struct web *w, const struct view_cars_page *p)
{
	struct buf out = { .m = w->m };

	json_put_list(&out, &view_car_shape, p->cars, p->n_cars);
	return web_json_text(w, HTTP_OK, out.s);
}

enum status
page_view_cars(struct web *w)
{
	struct view_cars_page p = { .fresh = freshness(w) };
	int per_page = w->json ? PER_JSON_PAGE : PER_PAGE;
	struct view_query q = { .limit = per_page };
	int64_t n[4], n_total;

	read_view_query(w, &q);
	if (form_bad(w) && w->json)
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	n_total = view_count(w->db, &q, n);
	p.paging = web_paging(w, n_total, per_page);
	q.offset = p.paging.offset;
	p.n_cars = view_list(w->db, &q, &p.cars);
	p.has_rows = p.n_cars > 0;
	if (w->json)
		return cars_json(w, &p);
	fill_counts(w, &p, n);
	fill_form(w, &p);
	for (int i = 0; i < p.n_cars; i++)
		if (p.cars[i].message)
			p.cars[i].message->kind = my_message_in_words(p.cars[i].message->kind, &event_words);
	menu_of(w)->nav_view = true;
	return web_page(w, form_bad(w) ? HTTP_UNPROCESSABLE : HTTP_OK, &cars_template, &p);
}
