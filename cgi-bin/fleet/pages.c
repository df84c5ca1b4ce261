/* pages - the list of cars, one car with its calendar and history; and what all pages of fleet share. */
#include "pages.h"

#include "domain/months.h"
#include "domain/menu.h"
#include "lib/base/clock.h"

#include <string.h>

#define HISTORY_PER_PAGE 12     /* bookings with their events: the page stays below 50 KB */

#define N_MONTHS 2
#define MONTHS_BACK 24
#define MONTHS_ON 24

/* --- shared ------------------------------------------------------------------------------------------------------- */

bool
requested_car(struct web *w, struct car *car)
{
	return car_find(w->db, web_param_id(w, "car_id"), car);
}

const char *
read_korean(struct web *w, const char *name, int max_chars)
{
	if (!form_sent(w, name))
		return NULL;
	return form_has(w, name) ? form_line(w, name, max_chars) : "";
}

struct option *
open_branch_options(struct web *w, int64_t and_branch_id, int *n)
{
	struct branch *branches = NULL;
	struct option *options;

	branch_list_open(w->db, and_branch_id, &branches, n);
	options = arena_array(w->m, struct option, *n + 1);
	for (int i = 0; i < *n; i++)
		options[i] = (struct option){
			.value = form_id_text(w, branches[i].branch_id),
			.label = lang_pick(lang_now(), branches[i].name, branches[i].name_ko),
		};
	return options;
}

struct option *
model_options(struct web *w, int *n)
{
	struct model *models = NULL;
	struct option *options;

	model_list_on_sale(w->db, &models, n);
	options = arena_array(w->m, struct option, *n + 1);
	for (int i = 0; i < *n; i++)
		options[i] = (struct option){
			.value = form_id_text(w, models[i].model_id),
			.label = lang_pick(lang_now(), models[i].name, models[i].name_ko),
		};
	return options;
}

static const struct word done_word[] = {
	{ "added",           N_("The car was added.") },
	{ "saved",           N_("Your changes were saved.") },
	{ "out",             N_("The car is out of service and takes no new bookings.") },
	{ "back",            N_("The car is back in service.") },
	{ "retiring",        N_("The car takes no new bookings and is being retired. Until the time shown you can"
			     " undo this.") },
	{ "kept",            N_("The car stays in the fleet.") },
	{ "retired",         N_("The car was retired.") },
	{ "retired_instead", N_("The car has been booked before, so it was retired instead of deleted.") },
	{ "deleted",         N_("The car was deleted.") },
	{ "photo",           N_("The photo was saved.") },
	{ "photo_removed",   N_("The photo was removed.") },
	{ "model_added",     N_("The model was added.") },
	{ "model_saved",     N_("The model was saved.") },
	{ "model_prices",    N_("The model was saved, and its prices were applied to its cars.") },
	{ "off_sale",        N_("The model was discontinued. No new cars of it can be added.") },
	{ "on_sale",         N_("The model was reactivated.") },
	{ "branch_added",    N_("The branch was added.") },
	{ "branch_saved",    N_("The branch was saved.") },
	{ "branch_closed",   N_("The branch was closed. No new cars can be added to it.") },
	{ "branch_open",     N_("The branch was reopened.") },
};
static const struct words done_words = WORDS(done_word);

void
show_frame(struct web *w)
{
	menu_of(w)->nav_fleet = true;
	web_notice(w, &done_words);
}

/* --- GET /fleet/cars ---------------------------------------------------------------------------------------------- */

struct car_list_page {
	struct form_problems problems;
	struct field q, branch_id, body, status;
	const char *model_id, *model_name, *all_models_url;
	struct car_counts counts;
	const char *available_url, *rented_url, *out_url, *retired_url;
	struct sort_link by_plate, by_name, by_price, by_status;
	struct car *cars;
	int n_cars;
	struct paging paging;
	int64_t n_total, page, n_pages;
	bool is_filtered, is_empty_fleet;
};
static const struct member car_list_page_members[] = {
	SHAPE_STRUCT(car_list_page, problems, form_problems_shape), SHAPE_STRUCT(car_list_page, q, field_shape),
	SHAPE_STRUCT(car_list_page, branch_id, field_shape), SHAPE_STRUCT(car_list_page, body, field_shape),
	SHAPE_STRUCT(car_list_page, status, field_shape), SHAPE_TEXT(car_list_page, model_id),
	SHAPE_TEXT(car_list_page, model_name), SHAPE_TEXT(car_list_page, all_models_url),
	SHAPE_STRUCT(car_list_page, counts, car_counts_shape), SHAPE_TEXT(car_list_page, available_url),
	SHAPE_TEXT(car_list_page, rented_url), SHAPE_TEXT(car_list_page, out_url),
	SHAPE_TEXT(car_list_page, retired_url), SHAPE_STRUCT(car_list_page, by_plate, sort_link_shape),
	SHAPE_STRUCT(car_list_page, by_name, sort_link_shape), SHAPE_STRUCT(car_list_page, by_price, sort_link_shape),
	SHAPE_STRUCT(car_list_page, by_status, sort_link_shape), SHAPE_LIST(car_list_page, cars, car_shape),
	SHAPE_STRUCT(car_list_page, paging, paging_shape), SHAPE_INT(car_list_page, n_total),
	SHAPE_BOOL(car_list_page, is_filtered), SHAPE_BOOL(car_list_page, is_empty_fleet),
};
static const struct shape car_list_page_shape = SHAPE(car_list_page, car_list_page_members);
PAGE(cars_list, "fleet/cars", car_list_page_shape)

static const struct member cars_json_members[] = {
	SHAPE_INT(car_list_page, n_total), SHAPE_INT(car_list_page, page), SHAPE_INT(car_list_page, n_pages),
	SHAPE_LIST(car_list_page, cars, car_shape),
};
static const struct shape cars_json_shape = SHAPE(car_list_page, cars_json_members);

static struct car_filter
read_filter(struct web *w)
{
	static const char *const columns[] = {
		[CARS_BY_PLATE] = "plate",
		[CARS_BY_NAME] = "name",
		[CARS_BY_PRICE] = "daily_price",
		[CARS_BY_STATUS] = "status",
		NULL,
	};
	bool down;
	int order = web_sort(w, columns, &down);

	if (order == CARS_BY_NAME && !w->json && lang_now() == LANG_KO)
		order = CARS_BY_NAME_KO;
	return (struct car_filter){
		.q = form_has(w, "q") ? form_text(w, "q", FLEET_NAME_MAX) : "",
		.branch_id = form_has(w, "branch_id") ? form_id(w, "branch_id") : 0,
		.model_id = form_has(w, "model_id") ? form_id(w, "model_id") : 0,
		.body = form_has(w, "body") ? form_choice(w, "body", &body_words) : -1,
		.status = form_has(w, "status") ? form_choice(w, "status", &car_status_words) : -1,
		.order = order < 0 ? CARS_BY_PLATE : (enum fleet_order)order,
		.down = down,
		.limit = PER_PAGE,
	};
}

static int64_t
count_of_status(const struct car_counts *c, int status)
{
	switch (status) {
	case CAR_AVAILABLE: return c->available;
	case CAR_RENTED: return c->rented;
	case CAR_OUT_OF_SERVICE: return c->out_of_service;
	case CAR_RETIRED: return c->retired;
	}
	return c->in_fleet;
}

/* The first page of the same list with another status. */
static const char *
status_url(struct web *w, const struct car_filter *f, enum car_status status)
{
	struct buf url = { .m = w->m };

	buf_printf(&url, "/fleet/cars?status=%s", words_code(&car_status_words, (int)status));
	if (*f->q)
		buf_printf(&url, "&q=%s", web_encode(w, f->q));
	if (f->body >= 0)
		buf_printf(&url, "&body=%s", words_code(&body_words, f->body));
	if (f->branch_id)
		buf_printf(&url, "&branch_id=%lld", (long long)f->branch_id);
	if (f->model_id)
		buf_printf(&url, "&model_id=%lld", (long long)f->model_id);
	return url.s;
}

static void
cars_form(struct web *w, const struct car_filter *f, struct car_list_page *p)
{
	struct model model;
	int n;
	struct option *branches = open_branch_options(w, f->branch_id, &n);

	p->q = form_field(w, "q", "");
	p->branch_id = form_field_options(w, "branch_id", branches, n, "", _("All branches"));
	p->body = form_field_choice(w, "body", &body_words, -1, _("All body types"));
	p->status = form_field_choice(w, "status", &car_status_words, -1, _("All except retired"));
	if (f->model_id && model_find(w->db, f->model_id, &model)) {
		p->model_id = form_id_text(w, f->model_id);
		p->model_name = lang_pick(lang_now(), model.name, model.name_ko);
		p->all_models_url = web_url_with(w, "model_id", NULL);
	}
	p->available_url = status_url(w, f, CAR_AVAILABLE);
	p->rented_url = status_url(w, f, CAR_RENTED);
	p->out_url = status_url(w, f, CAR_OUT_OF_SERVICE);
	p->retired_url = status_url(w, f, CAR_RETIRED);
	p->by_plate = web_sort_link(w, "plate");
	p->by_name = web_sort_link(w, "name");
	p->by_price = web_sort_link(w, "daily_price");
	p->by_status = web_sort_link(w, "status");
}

static enum status
show_car_list(struct web *w, const void *form, enum status status, const char *message)
{
	const struct car_filter *f = form;
	struct car_list_page p = {
		.problems = form_problems(w, message),
		.is_filtered = *f->q || f->branch_id || f->model_id || f->body >= 0 || f->status >= 0,
	};
	struct car_filter of_page = *f;

	car_count(w->db, f, &p.counts);
	p.n_total = count_of_status(&p.counts, f->status);
	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	of_page.offset = p.paging.offset;
	car_list(w->db, &of_page, &p.cars, &p.n_cars);
	if (w->json)
		return web_json(w, HTTP_OK, &cars_json_shape, &p);
	p.is_empty_fleet = !p.is_filtered && !p.counts.in_fleet && !p.counts.retired;
	cars_form(w, f, &p);
	show_frame(w);
	return web_page(w, status, &cars_list, &p);
}

enum status
page_cars(struct web *w)
{
	struct car_filter f = read_filter(w);

	web_form(w, show_car_list, &f);
	return form_bad(w) ? web_invalid(w) : show_car_list(w, &f, HTTP_OK, NULL);
}

enum status
page_fleet(struct web *w)
{
	return web_redirect(w, "/fleet/cars");
}

/* --- GET /fleet/cars/ID ------------------------------------------------------------------------------------------- */

struct car_page {
	struct car car;
	struct month *months;
	int n_months;
	const char *earlier_url, *later_url;
	struct car_slot *slots;
	int n_slots;
	struct car_chapter *chapters;
	int n_chapters;
	struct paging paging;
	int64_t n_coming;
	bool is_retired, is_retiring, is_out, may_delete, has_slots;
};
static const struct member car_page_members[] = {
	SHAPE_STRUCT(car_page, car, car_shape), SHAPE_LIST(car_page, months, month_shape),
	SHAPE_TEXT(car_page, earlier_url), SHAPE_TEXT(car_page, later_url), SHAPE_LIST(car_page, slots, car_slot_shape),
	SHAPE_LIST(car_page, chapters, car_chapter_shape), SHAPE_STRUCT(car_page, paging, paging_shape),
	SHAPE_INT(car_page, n_coming), SHAPE_BOOL(car_page, is_retired), SHAPE_BOOL(car_page, is_out),
	SHAPE_BOOL(car_page, is_retiring), SHAPE_BOOL(car_page, may_delete), SHAPE_BOOL(car_page, has_slots),
};
static const struct shape car_page_shape = SHAPE(car_page, car_page_members);
PAGE(car_detail, "fleet/car", car_page_shape)

/* The first midnight of ?month=2026-11, within two years; else of this month. */
static int64_t
read_month(struct web *w)
{
	const char *asked = form_has(w, "month") ? form_raw(w, "month") : "";
	int64_t this_month = month_add(w->now, 0), at;

	if (strlen(asked) != 7 || !time_parse(arena_printf(w->m, "%s-01T00:00", asked), &at))
		return this_month;
	return at < month_add(w->now, -MONTHS_BACK) || at > month_add(w->now, MONTHS_ON) ? this_month : at;
}

/* The same page some months away; NULL beyond what is shown. */
static const char *
month_url(struct web *w, int64_t from, int months)
{
	int64_t at = month_add(from, months);
	int year, month, day, weekday;

	if (at < month_add(w->now, -MONTHS_BACK) || at > month_add(w->now, MONTHS_ON))
		return NULL;
	day_split(at, &year, &month, &day, &weekday);
	return web_url_with(
		w, "month", at == month_add(w->now, 0) ? NULL : arena_printf(w->m, "%04d-%02d", year, month));
}

static void
car_calendar(struct web *w, struct car_page *p)
{
	int64_t from = read_month(w), until = month_add(from, N_MONTHS);
	struct interval *busy;

	car_slots(w->db, p->car.car_id, from, until, &p->slots, &p->n_slots);
	busy = arena_array(w->m, struct interval, p->n_slots + 1);
	for (int i = 0; i < p->n_slots; i++)
		busy[i] = (struct interval){ p->slots[i].starts_at, p->slots[i].busy_until };
	p->months = months_make(w->m, from, N_MONTHS, w->now, busy, p->n_slots);
	p->n_months = N_MONTHS;
	p->has_slots = p->n_slots > 0;
	p->earlier_url = month_url(w, from, -N_MONTHS);
	p->later_url = month_url(w, from, N_MONTHS);
}

enum status
page_car(struct web *w)
{
	struct car_page p = { .n_coming = 0 };

	if (!requested_car(w, &p.car))
		return web_not_found(w);
	if (w->json)
		return web_json(w, HTTP_OK, &car_shape, &p.car);
	p.is_retired = p.car.service == SERVICE_RETIRED;
	p.is_retiring = p.car.retire_at != 0;
	p.is_out = p.car.service == SERVICE_OUT_OF_SERVICE;
	p.may_delete = !car_was_booked(w->db, p.car.car_id);
	p.n_coming = car_n_coming(w->db, p.car.car_id);
	car_calendar(w, &p);
	p.paging = web_paging(w, car_n_chapters(w->db, p.car.car_id), HISTORY_PER_PAGE);
	car_history(w->db, p.car.car_id, p.paging.offset, HISTORY_PER_PAGE, &p.chapters, &p.n_chapters);
	show_frame(w);
	return web_page(w, HTTP_OK, &car_detail, &p);
}
