/* pages_model - the models: the list, adding, changing, discontinuing. */
#include "pages.h"

/* --- the list ----------------------------------------------------------------------------------------------------- */

struct models_page {
	struct model *models;
	int n_models;
	struct paging paging;
	int64_t n_total, page, n_pages;
};
static const struct member models_page_members[] = {
	SHAPE_LIST(models_page, models, model_shape), SHAPE_STRUCT(models_page, paging, paging_shape),
	SHAPE_INT(models_page, n_total),
};
static const struct shape models_page_shape = SHAPE(models_page, models_page_members);
PAGE(models_list, "fleet/models", models_page_shape)

static const struct member models_json_members[] = {
	SHAPE_INT(models_page, n_total), SHAPE_INT(models_page, page), SHAPE_INT(models_page, n_pages),
	SHAPE_LIST(models_page, models, model_shape),
};
static const struct shape models_json_shape = SHAPE(models_page, models_json_members);

enum status
page_models(struct web *w)
{
	struct models_page p = { .n_total = model_count(w->db) };

	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	model_list(w->db, p.paging.offset, PER_PAGE, &p.models, &p.n_models);
	show_frame(w);
	return web_answer(w, HTTP_OK, &models_json_shape, &models_list, &p);
}

/* --- the form ----------------------------------------------------------------------------------------------------- */

struct model_form {
	struct form_problems problems;
	struct model model;             /* as it is now; model_id 0: a new one */
	const char *version;
	struct make_fields make;
	struct field also_cars;
	bool is_off_sale;
};
static const struct member model_form_members[] = {
	SHAPE_STRUCT(model_form, problems, form_problems_shape), SHAPE_STRUCT(model_form, model, model_shape),
	SHAPE_TEXT(model_form, version), SHAPE_STRUCT(model_form, make, make_fields_shape),
	SHAPE_STRUCT(model_form, also_cars, field_shape), SHAPE_BOOL(model_form, is_off_sale),
};
static const struct shape model_form_shape = SHAPE(model_form, model_form_members);
PAGE(model_form_page, "fleet/model_form", model_form_shape)

/* What a model's form starts with; typed values go before it. */
struct model_draft {
	struct model model;
	const char *version;            /* the form's: what it is based on */
};

static enum status
show_model(struct web *w, const void *form, enum status status, const char *message)
{
	const struct model_draft *d = form;
	const struct model *model = &d->model;
	const struct make make = {
		model->name,
		model->name_ko,
		model->body,
		model->fuel,
		model->gearbox,
		model->seats,
		model->hourly_price,
		model->daily_price,
	};
	struct model_form f = {
		.problems = form_problems(w, message),
		.model = *model,
		.version = d->version,
		.make = make_fields(w, &make),
		.also_cars = form_field(w, "also_cars", ""),
		.is_off_sale = model->model_id && model->state == MODEL_OFF_SALE,
	};

	show_frame(w);
	return web_page(w, status, &model_form_page, &f);
}

static struct model
read_model(struct web *w)
{
	struct make make;

	make_read(w, &make);
	return (struct model){
		.name = make.name,
		.name_ko = make.name_ko,
		.body = make.body,
		.fuel = make.fuel,
		.gearbox = make.gearbox,
		.seats = make.seats,
		.hourly_price = make.hourly_price,
		.daily_price = make.daily_price,
	};
}

static enum status
model_name_taken(struct web *w)
{
	return form_refuse(w, HTTP_CONFLICT, "name_taken", "name", _("A model with this name already exists."));
}

static const struct model_draft new_model = {
	.model = { .name = "", .name_ko = "", .body = -1, .fuel = -1, .gearbox = GEARBOX_AUTOMATIC },
};

enum status
page_model_new(struct web *w)
{
	return show_model(w, &new_model, HTTP_OK, NULL);
}

enum status
do_model_add(struct web *w)
{
	struct model model = read_model(w);

	web_form(w, show_model, &new_model);
	if (form_bad(w))
		return web_invalid(w);
	switch (model_add(w->db, &model)) {
	case MODEL_OK:
		web_set_header(w, "Location", arena_printf(w->m, "/fleet/models/%lld", (long long)model.model_id));
		return web_done(w, HTTP_CREATED, &model_shape, &model, "/fleet/models?done=model_added");
	case MODEL_NAME_TAKEN:
		if (!w->json && model_is_there(w->db, &model))
			return web_redirect(w, "/fleet/models?done=model_added");
		return model_name_taken(w);
	case MODEL_GONE:
	case MODEL_CHANGED: break;
	}
	return web_broken(w);
}

enum status
page_model(struct web *w)
{
	struct model_draft now;

	if (!model_find(w->db, web_param_id(w, "model_id"), &now.model))
		return web_not_found(w);
	now.version = now.model.version;
	return w->json ? web_json(w, HTTP_OK, &model_shape, &now.model) : show_model(w, &now, HTTP_OK, NULL);
}

/* POST and PUT /fleet/models/ID */
enum status
do_model_change(struct web *w)
{
	struct model model = read_model(w);
	struct model_draft now = { .version = form_has(w, "version") ? form_raw(w, "version") : NULL };
	bool also_cars = form_tick(w, "also_cars");
	int64_t n_cars;

	if (!model_find(w->db, web_param_id(w, "model_id"), &now.model))
		return web_not_found(w);
	web_form(w, show_model, &now);
	if (form_bad(w))
		return web_invalid(w);
	model.model_id = now.model.model_id;
	model.version = now.version;
	switch (model_change(w->db, &model, also_cars, &n_cars, w->user.id)) {
	case MODEL_OK:
		return web_done(w, HTTP_OK, &model_shape, &model, "/fleet/models?done=%s",
			n_cars ? "model_prices" : "model_saved");
	case MODEL_GONE: return web_not_found(w);
	case MODEL_NAME_TAKEN: return model_name_taken(w);
	case MODEL_CHANGED: /* the form again, based on the model as it is now */
		now.version = now.model.version;
		return web_refuse(w, HTTP_CONFLICT, "changed",
			_("Another user has changed this model in the meantime. Please check it; saving now overwrites"
			  " their change."));
	}
	return web_broken(w);
}

/* POST /fleet/models/ID/state {state} - discontinued, or active again. */
enum status
do_model_state(struct web *w)
{
	int64_t model_id = web_param_id(w, "model_id");
	int state = form_choice(w, "state", &model_state_words);
	struct model model;

	if (form_bad(w))
		return web_invalid(w);
	if (model_set_state(w->db, model_id, (enum model_state)state) == MODEL_GONE
		|| !model_find(w->db, model_id, &model))
		return web_not_found(w);
	return web_done(w, HTTP_OK, &model_shape, &model, "/fleet/models?done=%s",
		state == MODEL_OFF_SALE ? "off_sale" : "on_sale");
}
