/* pages_model - 상품: the models on sale and how many cars of each are available; one model. pages.c takes the order. */
#include "booking.h"
#include "model.h"
#include "orders.h"
#include "pages.h"
#include "price.h"

#include "domain/cars.h"
#include "domain/menu.h"
#include "domain/rental_form.h"
#include "lib/base/clock.h"
#include "lib/web/form.h"
#include "lib/base/settings.h"

/* --- when --------------------------------------------------------------------------------------------------------- */

/* The interval of a list or a model's page; by default a day, from tomorrow at ten. */
struct hours { int64_t starts_at, ends_at; };

static bool
read_hours(struct web *w, struct hours *h)
{
	const char *field, *problem;

	if (!form_has(w, "starts_at") && !form_has(w, "ends_at")) {
		h->starts_at = day_add(day_start(w->now), 1) + 10 * HOUR;
		h->ends_at = h->starts_at + DAY;
		return true;
	}
	h->starts_at = form_rental_time(w, "starts_at");
	h->ends_at = form_rental_time(w, "ends_at");
	if (!h->starts_at || !h->ends_at)
		return false;
	problem = interval_problem(h->starts_at, h->ends_at, w->now, &field);
	if (problem)
		form_error(w, field, problem);
	return !problem;
}

/* --- /models ------------------------------------------------------------------------------------------------------ */

struct offers_page {
	struct field starts_at, ends_at;
	struct form_problems problems;
	struct model_offer *models;
	int n_models;
	struct paging paging;
	int64_t from, until;
};
static const struct member offers_page_members[] = {
	SHAPE_STRUCT(offers_page, starts_at, field_shape), SHAPE_STRUCT(offers_page, ends_at, field_shape),
	SHAPE_STRUCT(offers_page, problems, form_problems_shape), SHAPE_LIST(offers_page, models, model_offer_shape),
	SHAPE_STRUCT(offers_page, paging, paging_shape), SHAPE_TIME(offers_page, from), SHAPE_TIME(offers_page, until),
};
static const struct shape offers_page_shape = SHAPE(offers_page, offers_page_members);
PAGE(offers_shown, "booking/models", offers_page_shape)

struct offers_json {
	int64_t starts_at, ends_at, page, n_pages, n_total;
	const char *currency;
	struct model_offer *models;
	int n_models;
};
static const struct member offers_json_members[] = {
	SHAPE_INT(offers_json, n_total), SHAPE_INT(offers_json, page), SHAPE_INT(offers_json, n_pages),
	SHAPE_TEXT(offers_json, currency), SHAPE_TIME(offers_json, starts_at), SHAPE_TIME(offers_json, ends_at),
	SHAPE_LIST(offers_json, models, model_offer_shape),
};
static const struct shape offers_json_shape = SHAPE(offers_json, offers_json_members);

static enum status
json_offers(struct web *w, const struct offers_page *p)
{
	const struct offers_json json = {
		.starts_at = p->from,
		.ends_at = p->until,
		.page = p->paging.page,
		.n_pages = p->paging.n_pages,
		.n_total = p->paging.n_total,
		.currency = settings.currency,
		.models = p->models,
		.n_models = p->n_models,
	};

	return web_json(w, HTTP_OK, &offers_json_shape, &json);
}

static enum status
show_offers(struct web *w, const void *form, enum status status, const char *message)
{
	struct offers_page p = *(const struct offers_page *)form;

	p.starts_at = form_field_time(w, "starts_at", p.from);
	p.ends_at = form_field_time(w, "ends_at", p.until);
	p.problems = form_problems(w, message);
	menu_of(w)->nav_search = true;
	return web_page(w, status, &offers_shown, &p);
}

/* GET /models ?starts_at&ends_at - the models, how many cars of each are available, and for how much. */
enum status
page_offers(struct web *w)
{
	struct hours h = { 0 };
	bool has_hours = read_hours(w, &h);
	struct offers_page p = { .from = h.starts_at,
		.until = h.ends_at,
		.paging = web_paging(w, has_hours ? offers_count(w->db) : 0, PER_PAGE) };

	web_form(w, show_offers, &p);
	if (!has_hours)
		return web_invalid(w);
	p.n_models = offers_list(w->db, p.paging.offset, PER_PAGE, &p.models);
	for (int i = 0; i < p.n_models; i++)
		offer_count_free(w->db, w->m, &p.models[i], h.starts_at, h.ends_at);
	return w->json ? json_offers(w, &p) : show_offers(w, &p, HTTP_OK, NULL);
}

/* --- /models/ID --------------------------------------------------------------------------------------------------- */

struct offer_page {
	struct model_offer model;
	struct form_problems problems;
	struct field starts_at, ends_at, qty, branch_id;
	struct price *price;            /* of one car; NULL: no valid interval */
	int64_t from, until;
};
static const struct member offer_page_members[] = {
	SHAPE_STRUCT(offer_page, model, model_offer_shape), SHAPE_STRUCT(offer_page, problems, form_problems_shape),
	SHAPE_STRUCT(offer_page, starts_at, field_shape), SHAPE_STRUCT(offer_page, ends_at, field_shape),
	SHAPE_STRUCT(offer_page, qty, field_shape), SHAPE_STRUCT(offer_page, branch_id, field_shape),
	SHAPE_MAYBE(offer_page, price, shown_price_shape), SHAPE_TIME(offer_page, from), SHAPE_TIME(offer_page, until),
};
static const struct shape offer_page_shape = SHAPE(offer_page, offer_page_members);
PAGE(offer_shown, "booking/model", offer_page_shape)

struct offer_json {
	struct model_offer model;
	int64_t starts_at, ends_at;
	const char *currency;
	struct price *price;
};
static const struct member offer_json_members[] = {
	SHAPE_STRUCT(offer_json, model, model_offer_shape), SHAPE_TIME(offer_json, starts_at),
	SHAPE_TIME(offer_json, ends_at), SHAPE_TEXT(offer_json, currency), SHAPE_MAYBE(offer_json, price, price_shape),
};
static const struct shape offer_json_shape = SHAPE(offer_json, offer_json_members);

/* As many as can be booked together. */
static struct field
cars_field(struct web *w, const struct model_offer *model)
{
	static const struct option number[CARS_MAX] = {
		{ "1", "1", false },
		{ "2", "2", false },
		{ "3", "3", false },
		{ "4", "4", false },
		{ "5", "5", false },
	};

	return form_field_options(w, "qty", number, model->n_at_once > 0 ? (int)model->n_at_once : 1, "1", NULL);
}

static struct field
where_field(struct web *w, const struct model_offer *model)
{
	struct option *where = arena_array(w->m, struct option, model->n_branches + 1);
	int n = 0;

	for (int i = 0; i < model->n_branches; i++) {
		const struct model_branch *b = &model->branches[i];

		if (b->n_free)
			where[n++] = (struct option){ .value = form_id_text(w, b->branch_id),
				.label = arena_printf(w->m, _("%s: %d available"), b->branch_name, (int)b->n_free) };
	}
	return form_field_options(w, "branch_id", where, n, "", _("Branch with the most available"));
}

/* hours 0, 0: none, or bad ones. */
struct offer_form { int64_t model_id; struct hours hours; };

static enum status
show_offer_page(struct web *w, const void *form, enum status status, const char *message)
{
	const struct offer_form *f = form;
	const struct hours *h = &f->hours;
	struct offer_page p = { .from = h->starts_at, .until = h->ends_at };

	if (!offer_find(w->db, f->model_id, &p.model))
		return web_not_found(w);
	if (h->starts_at && h->ends_at) {
		offer_count_free(w->db, w->m, &p.model, h->starts_at, h->ends_at);
		p.price = price_make(w->m, h->starts_at, h->ends_at, p.model.daily_price, p.model.hourly_price);
	}
	if (w->json)
		return web_json(w, status, &offer_json_shape,
			&(struct offer_json){ p.model, p.from, p.until, settings.currency, p.price });
	if (p.price)
		booking_lines_in_words(p.price->lines, p.price->n_lines, h->starts_at, h->ends_at);
	p.starts_at = form_field_time(w, "starts_at", h->starts_at);
	p.ends_at = form_field_time(w, "ends_at", h->ends_at);
	p.qty = cars_field(w, &p.model);
	p.branch_id = where_field(w, &p.model);
	p.problems = form_problems(w, message);
	menu_of(w)->nav_search = true;
	return web_page(w, status, &offer_shown, &p);
}

/* GET /models/ID ?starts_at&ends_at - how many cars of it are available, and where. */
enum status
page_offer(struct web *w)
{
	struct offer_form f = { .model_id = web_param_id(w, "model_id") };

	web_form(w, show_offer_page, &f);
	if (read_hours(w, &f.hours))
		return show_offer_page(w, &f, HTTP_OK, NULL);
	f.hours = (struct hours){ 0 };
	return web_invalid(w);
}

/* --- for the order form in pages.c -------------------------------------------------------------------------------- */

bool
read_which(struct web *w, struct booking_order *o)
{
	if (!form_has(w, "model_id")) {
		o->car_id = form_id(w, "car_id");
		return o->car_id != 0;
	}
	o->model_id = form_id(w, "model_id");
	o->qty = form_has(w, "qty") ? form_int(w, "qty", 1, CARS_MAX) : 1;
	o->branch_id = form_has(w, "branch_id") ? form_id(w, "branch_id") : 0;
	return o->model_id && o->qty && (!form_has(w, "branch_id") || o->branch_id);
}

static bool
has_hours(const struct booking_order *o)
{
	return o->starts_at && o->ends_at;
}

/* The branch the order would be held at. NULL: none has the model. */
static const struct model_branch *
branch_of(const struct model_offer *model, const struct booking_order *o)
{
	const struct model_branch *best = NULL;

	for (int i = 0; i < model->n_branches; i++) {
		const struct model_branch *b = &model->branches[i];

		if (o->branch_id ? b->branch_id == o->branch_id : !best || b->n_free > best->n_free)
			best = b;
	}
	return best;
}

int64_t
offer_n_free(struct web *w, const struct booking_order *o)
{
	struct model_offer model;
	const struct model_branch *b;

	if (!offer_find(w->db, o->model_id, &model))
		return 0;
	offer_count_free(w->db, w->m, &model, o->starts_at, o->ends_at);
	b = branch_of(&model, o);
	return b ? b->n_free : 0;
}

bool
offer_facts(struct web *w, const struct booking_order *o, struct car_facts *car)
{
	struct model_offer model;
	const struct model_branch *b;
	struct hours h = { o->starts_at, o->ends_at };

	if (!offer_find(w->db, o->model_id, &model))
		return false;
	if (!has_hours(o))
		h = (struct hours){ w->now, w->now + HOUR };
	offer_count_free(w->db, w->m, &model, h.starts_at, h.ends_at);
	*car = (struct car_facts){
		.seats = model.seats,
		.daily_price = model.daily_price,
		.hourly_price = model.hourly_price,
		.name = model.name,
		.name_ko = model.name_ko,
		.branch_name = "",
		.branch_name_ko = "",
		.branch_address = "",
		.branch_address_ko = "",
		.branch_phone = "",
		.photo = model.photo,
		.body = model.body,
		.fuel = model.fuel,
		.gearbox = model.gearbox,
		.service = SERVICE_IN_SERVICE,
	};
	b = branch_of(&model, o);
	if (b && (o->branch_id || has_hours(o)))
		car_facts_branch(w->db, b->branch_id, car);
	return true;
}

enum status
show_offer(struct web *w, int64_t model_id, enum status status, const char *message)
{
	struct offer_form f = { .model_id = model_id };

	if (!read_hours(w, &f.hours))
		f.hours = (struct hours){ 0 };
	return show_offer_page(w, &f, status, message);
}
