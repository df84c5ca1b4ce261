/* pages_search - finding a car: the home page, the cars free in an interval, one car with a calendar of two months. */
#include "calendar.h"
#include "model.h"
#include "pages.h"
#include "price.h"

#include "domain/cars.h"
#include "domain/months.h"
#include "domain/menu.h"
#include "domain/rental_form.h"
#include "lib/base/clock.h"
#include "lib/web/form.h"
#include "lib/base/settings.h"

#include <string.h>

#define MONTHS 2
#define MAX_PAGE 500

/* --- the search form, on every page of this file ------------------------------------------------------------------ */

struct search_form {
	struct field from, to, branch, body, fuel, seats, max_price, sort;
	bool is_filtered;               /* more than dates and branch: the rest of the form is open */
};
static const struct member search_form_members[] = {
	SHAPE_STRUCT(search_form, from, field_shape), SHAPE_STRUCT(search_form, to, field_shape),
	SHAPE_STRUCT(search_form, branch, field_shape), SHAPE_STRUCT(search_form, body, field_shape),
	SHAPE_STRUCT(search_form, fuel, field_shape), SHAPE_STRUCT(search_form, seats, field_shape),
	SHAPE_STRUCT(search_form, max_price, field_shape), SHAPE_STRUCT(search_form, sort, field_shape),
	SHAPE_BOOL(search_form, is_filtered),
};
static const struct shape search_form_shape = SHAPE(search_form, search_form_members);

static const struct word order_word[] = {
	[SEARCH_BY_PRICE]      = { "price",  N_("Lowest price first") },
	[SEARCH_BY_PRICE_DOWN] = { "-price", N_("Highest price first") },
	[SEARCH_BY_SEATS]      = { "seats",  N_("Most seats first") },
	[SEARCH_BY_NAME]       = { "name",   N_("By name") },
};
static const struct words order_words = WORDS(order_word);

/* Tomorrow at ten. */
static int64_t
usual_start(int64_t now)
{
	return day_add(day_start(now), 1) + 10 * HOUR;
}

static struct option *
branch_choices(struct web *w, int *n)
{
	const struct branch_option *branch;

	*n = branches_open(w->db, &branch);
	struct option *options = arena_array(w->m, struct option, *n ? *n : 1);

	for (int i = 0; i < *n; i++)
		options[i] = (struct option){ .value = branch[i].id_text, .label = branch_option_label(&branch[i]) };
	return options;
}

static struct field
seats_field(struct web *w)
{
	static const struct option seats[] = { { "2", "2+", false }, { "4", "4+", false }, { "5", "5+", false },
		{ "7", "7+", false }, { "9", "9+", false } };

	return form_field_options(w, "seats", seats, 5, "", _("Any"));
}

static struct search_form
search_form(struct web *w, int64_t starts_at, int64_t ends_at)
{
	int n_branches;
	struct option *branches = branch_choices(w, &n_branches);

	return (struct search_form){
		.from = form_field_time(w, "from", starts_at),
		.to = form_field_time(w, "to", ends_at),
		.branch = form_field_options(w, "branch", branches, n_branches, "", _("All branches")),
		.body = form_field_choice(w, "body", &body_words, -1, _("Any")),
		.fuel = form_field_choice(w, "fuel", &fuel_words, -1, _("Any")),
		.seats = seats_field(w),
		.max_price = form_field(w, "max_price", ""),
		.sort = form_field_choice(w, "sort", &order_words, SEARCH_BY_PRICE, NULL),
		.is_filtered =
			form_has(w, "body") || form_has(w, "fuel") || form_has(w, "seats") || form_has(w, "max_price"),
	};
}

/* --- / ------------------------------------------------------------------------------------------------------------ */

struct home {
	struct search_form form;
	int64_t n_cars, n_branches;
};
static const struct member home_members[] = {
	SHAPE_STRUCT(home, form, search_form_shape), SHAPE_INT(home, n_cars), SHAPE_INT(home, n_branches),
};
static const struct shape home_shape = SHAPE(home, home_members);
PAGE(home_page, "booking/home", home_shape)

enum status
page_home(struct web *w)
{
	int64_t start = usual_start(w->now);
	struct home home = { .form = search_form(w, start, start + DAY), .n_cars = calendar_n_cars(w->db) };

	home.n_branches = home.form.branch.n_options - 1;
	menu_of(w)->nav_search = true;
	return web_page(w, HTTP_OK, &home_page, &home);
}

/* --- /cars -------------------------------------------------------------------------------------------------------- */

struct found_car {
	int64_t car_id, branch_id, seats, daily_price, hourly_price, total_amount, vat_amount;
	int64_t model_id, n_of_model;   /* so many of its model are free at its branch; 0: no other one */
	const char *name, *name_ko, *branch_name, *photo;
	int body, fuel, gearbox;
	bool is_capped;                 /* the hours would have cost more than a day */
};
static const struct member found_car_members[] = {
	SHAPE_INT(found_car, car_id), SHAPE_TEXT_KO(found_car, name), SHAPE_STATE(found_car, body, body_words),
	SHAPE_STATE(found_car, fuel, fuel_words), SHAPE_STATE(found_car, gearbox, gearbox_words),
	SHAPE_INT(found_car, seats), SHAPE_INT(found_car, branch_id), SHAPE_TEXT(found_car, branch_name),
	SHAPE_TEXT(found_car, photo), SHAPE_AMOUNT(found_car, daily_price), SHAPE_AMOUNT(found_car, hourly_price),
	SHAPE_AMOUNT(found_car, total_amount), SHAPE_AMOUNT(found_car, vat_amount), SHAPE_BOOL(found_car, is_capped),
	SHAPE_INT(found_car, model_id), SHAPE_INT(found_car, n_of_model),
};
static const struct shape found_car_shape = SHAPE(found_car, found_car_members);

struct search {
	struct search_form form;
	struct form_problems problems;
	struct found_car *cars;
	int n_cars;
	int64_t n_free;
	int64_t n_days, n_hours;                /* the length of the interval */
	int64_t starts_at, ends_at;
	const char *from, *to;                  /* for links */
	const char *currency;
	int64_t page, n_pages;
	bool is_searched;                       /* the interval was valid */
	struct paging paging;
};
static const struct member search_members[] = {
	SHAPE_STRUCT(search, form, search_form_shape), SHAPE_STRUCT(search, problems, form_problems_shape),
	SHAPE_LIST(search, cars, found_car_shape), SHAPE_INT(search, n_free), SHAPE_INT(search, n_days),
	SHAPE_INT(search, n_hours), SHAPE_TIME(search, starts_at), SHAPE_TIME(search, ends_at),
	SHAPE_TEXT(search, from), SHAPE_TEXT(search, to), SHAPE_TEXT(search, currency), SHAPE_BOOL(search, is_searched),
	SHAPE_STRUCT(search, paging, paging_shape),
};
static const struct shape search_shape = SHAPE(search, search_members);
PAGE(search_page, "booking/search", search_shape)

static const struct member search_json_members[] = {
	SHAPE_INT(search, n_free), SHAPE_INT(search, page), SHAPE_INT(search, n_pages), SHAPE_TEXT(search, currency),
	SHAPE_TIME(search, starts_at), SHAPE_TIME(search, ends_at), SHAPE_LIST(search, cars, found_car_shape),
};
static const struct shape search_json_shape = SHAPE(search, search_json_members);

/* from and to; a usual interval when a browser sends neither. false: they are bad and marked. */
static bool
read_interval(struct web *w, int64_t *starts_at, int64_t *ends_at)
{
	const char *field, *problem;

	if (!w->json && !form_has(w, "from") && !form_has(w, "to")) {
		*starts_at = usual_start(w->now);
		*ends_at = *starts_at + DAY;
		return true;
	}
	*starts_at = form_rental_time(w, "from");
	*ends_at = form_rental_time(w, "to");
	if (form_bad(w))
		return false;
	problem = interval_problem(*starts_at, *ends_at, w->now, &field);
	if (problem)
		form_error(w, strcmp(field, "starts_at") == 0 ? "from" : "to", problem);
	return !problem;
}

static void
read_filters(struct web *w, struct car_query *q)
{
	int64_t page = form_has(w, "page") ? form_int(w, "page", 1, MAX_PAGE) : 1;

	q->branch_id = form_has(w, "branch") ? form_id(w, "branch") : 0;
	q->body = form_has(w, "body") ? form_choice(w, "body", &body_words) : -1;
	q->fuel = form_has(w, "fuel") ? form_choice(w, "fuel", &fuel_words) : -1;
	q->seats = form_has(w, "seats") ? form_int(w, "seats", 1, 15) : 0;
	q->max_price = form_has(w, "max_price") ? form_amount(w, "max_price", 1, 1000000000) : 0;
	q->order = form_has(w, "sort") ? (enum search_order)form_choice(w, "sort", &order_words) : SEARCH_BY_PRICE;
	if (q->order == SEARCH_BY_NAME && !w->json && lang_now() == LANG_KO)
		q->order = SEARCH_BY_NAME_KO;
	q->offset = (int)((page > 0 ? page - 1 : 0) * PER_PAGE);
	q->limit = PER_PAGE;
}

static void
show_cars(struct web *w, struct search *s, const struct free_car *free, int n)
{
	s->cars = arena_array(w->m, struct found_car, n ? n : 1);
	s->n_cars = n;
	for (int i = 0; i < n; i++) {
		const struct free_car *f = &free[i];

		s->cars[i] = (struct found_car){
			.car_id = f->car_id,
			.branch_id = f->branch_id,
			.seats = f->seats,
			.daily_price = f->daily_price,
			.hourly_price = f->hourly_price,
			.total_amount = f->total_amount,
			.vat_amount = f->vat_amount,
			.name = f->name,
			.name_ko = f->name_ko,
			.branch_name = lang_pick(lang_now(), f->branch_name, f->branch_name_ko),
			.photo = f->photo,
			.body = f->body,
			.fuel = f->fuel,
			.gearbox = f->gearbox,
			.is_capped = s->n_hours * f->hourly_price > f->daily_price,
			.model_id = f->model_id,
			.n_of_model = f->n_of_model > 1 && offer_is_on_sale(w->db, f->model_id) ? f->n_of_model : 0,
		};
	}
}

static void
search_now(struct web *w, struct search *s, struct car_query *q)
{
	struct free_car *free;
	int n;

	s->n_days = (q->ends_at - q->starts_at) / DAY;
	s->n_hours = ((q->ends_at - q->starts_at) % DAY + HOUR - 1) / HOUR;
	s->n_free = calendar_search(w->db, w->m, q, &free, &n);
	show_cars(w, s, free, n);
	s->is_searched = true;
	s->paging = web_paging(w, s->n_free, PER_PAGE);
	s->page = s->paging.page;
	s->n_pages = s->paging.n_pages;
}

static enum status
show_search(struct web *w, const void *form, enum status status, const char *message)
{
	struct search s = *(const struct search *)form;

	s.form = search_form(w, s.starts_at, s.ends_at);
	s.from = s.form.from.value;
	s.to = s.form.to.value;
	s.problems = form_problems(w, message);
	menu_of(w)->nav_search = true;
	return web_page(w, status, &search_page, &s);
}

enum status
page_search(struct web *w)
{
	struct search s = { .currency = settings.currency };
	struct car_query q = { 0 };
	bool has_interval = read_interval(w, &q.starts_at, &q.ends_at);

	read_filters(w, &q);
	s.starts_at = q.starts_at;
	s.ends_at = q.ends_at;
	web_form(w, show_search, &s);
	if (!has_interval || form_n_errors(w))
		return web_invalid(w);
	search_now(w, &s, &q);
	return w->json ? web_json(w, HTTP_OK, &search_json_shape, &s) : show_search(w, &s, HTTP_OK, NULL);
}

/* --- /cars/ID ----------------------------------------------------------------------------------------------------- */

struct rental_car_page {
	struct car_facts car;
	struct search_form form;
	struct form_problems problems;
	struct price *price;            /* NULL: no valid interval */
	int64_t starts_at, ends_at;
	bool is_free;
	const char *own_code, *own_reason;      /* the reader's own booking that is in the way; NULL: none */
	const char *from, *to;
	struct month *months;
	int n_months;
	struct taken_interval *busy;
	int n_busy;
};
static const struct member rental_car_page_members[] = {
	SHAPE_STRUCT(rental_car_page, car, car_facts_shape), SHAPE_STRUCT(rental_car_page, form, search_form_shape),
	SHAPE_STRUCT(rental_car_page, problems, form_problems_shape),
	SHAPE_MAYBE(rental_car_page, price, shown_price_shape), SHAPE_TIME(rental_car_page, starts_at),
	SHAPE_TIME(rental_car_page, ends_at), SHAPE_BOOL(rental_car_page, is_free), SHAPE_TEXT(rental_car_page, from),
	SHAPE_TEXT(rental_car_page, to), SHAPE_LIST(rental_car_page, months, month_shape),
	SHAPE_TEXT(rental_car_page, own_code), SHAPE_TEXT(rental_car_page, own_reason),
};
static const struct shape rental_car_page_shape = SHAPE(rental_car_page, rental_car_page_members);
PAGE(rental_car_page, "booking/car", rental_car_page_shape)

static const struct member car_json_members[] = {
	SHAPE_STRUCT(rental_car_page, car, car_facts_shape), SHAPE_BOOL(rental_car_page, is_free),
	SHAPE_TIME(rental_car_page, starts_at), SHAPE_TIME(rental_car_page, ends_at),
	SHAPE_MAYBE(rental_car_page, price, price_shape), SHAPE_LIST(rental_car_page, busy, taken_interval_shape),
};
static const struct shape car_json_shape = SHAPE(rental_car_page, car_json_members);

static void
price_car(struct web *w, struct rental_car_page *p)
{
	p->price = price_make(w->m, p->starts_at, p->ends_at, p->car.daily_price, p->car.hourly_price);
	p->is_free = p->car.service == SERVICE_IN_SERVICE
		&& calendar_is_free(w->db, p->car.car_id, p->starts_at, p->ends_at);
}

/* "Already booked" would be a riddle to the customer who has just booked it. */
static void
find_own_of_car(struct web *w, struct rental_car_page *p)
{
	struct booking_order o = {
		.customer_id = w->user.id, .car_id = p->car.car_id, .starts_at = p->starts_at, .ends_at = p->ends_at
	};
	struct booking own;

	if (!w->user.id || p->is_free || !booking_find_own(w->db, &o, &own))
		return;
	p->own_code = own.code;
	p->own_reason = own_booking_in_words(w->m, &own);
}

static void
draw_months(struct web *w, struct rental_car_page *p)
{
	int64_t first = month_add(w->now, 0);
	struct interval *busy;

	p->n_busy = calendar_of_car(w->db, p->car.car_id, w->now, month_add(w->now, MONTHS), &p->busy);
	busy = arena_array(w->m, struct interval, p->n_busy ? p->n_busy : 1);
	for (int i = 0; i < p->n_busy; i++)
		busy[i] = (struct interval){ p->busy[i].starts_at, p->busy[i].busy_until };
	p->n_months = MONTHS;
	p->months = months_make(w->m, first, MONTHS, w->now, busy, p->n_busy);
}

static enum status
show_car(struct web *w, const void *form, enum status status, const char *message)
{
	struct rental_car_page p = *(const struct rental_car_page *)form;

	if (p.price)
		booking_lines_in_words(p.price->lines, p.price->n_lines, p.starts_at, p.ends_at);
	p.form = search_form(w, p.starts_at, p.ends_at);
	p.from = p.form.from.value;
	p.to = p.form.to.value;
	p.problems = form_problems(w, message);
	menu_of(w)->nav_search = true;
	return web_page(w, status, &rental_car_page, &p);
}

enum status
page_rental_car(struct web *w)
{
	struct rental_car_page p = { 0 };

	if (!car_facts(w->db, web_param_id(w, "car_id"), &p.car))
		return web_not_found(w);
	p.car.branch_name = lang_pick(lang_now(), p.car.branch_name, p.car.branch_name_ko);
	draw_months(w, &p);
	web_form(w, show_car, &p);
	if (!(w->json && !form_has(w, "from")) && !read_interval(w, &p.starts_at, &p.ends_at))
		return web_invalid(w);
	if (p.starts_at) {
		price_car(w, &p);
		find_own_of_car(w, &p);
	}
	return w->json ? web_json(w, HTTP_OK, &car_json_shape, &p) : show_car(w, &p, HTTP_OK, NULL);
}
