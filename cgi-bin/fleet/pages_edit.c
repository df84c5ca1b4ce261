/* pages_edit - adding a car and changing one: the form, what was typed, and what to do when two managers meet. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/settings.h"

#include <string.h>

/* --- what a car and a model have in common ------------------------------------------------------------------------ */

static const struct member make_fields_members[] = {
	SHAPE_STRUCT(make_fields, name, field_shape), SHAPE_STRUCT(make_fields, body, field_shape),
	SHAPE_STRUCT(make_fields, seats, field_shape), SHAPE_STRUCT(make_fields, fuel, field_shape),
	SHAPE_STRUCT(make_fields, gearbox, field_shape), SHAPE_STRUCT(make_fields, hourly_price, field_shape),
	SHAPE_STRUCT(make_fields, daily_price, field_shape), SHAPE_TEXT(make_fields, currency),
};
const struct shape make_fields_shape = SHAPE(make_fields, make_fields_members);

struct make_fields
make_fields(struct web *w, const struct make *initial)
{
	return (struct make_fields){
		.name = form_field(w, "name", initial->name),
		.body = form_field_choice(w, "body", &body_words, initial->body, _("Please choose")),
		.seats = form_field_int(w, "seats", initial->seats),
		.fuel = form_field_choice(w, "fuel", &fuel_words, initial->fuel, _("Please choose")),
		.gearbox = form_field_choice(w, "gearbox", &gearbox_words, initial->gearbox, NULL),
		.hourly_price = form_field_int(w, "hourly_price", initial->hourly_price),
		.daily_price = form_field_int(w, "daily_price", initial->daily_price),
		.currency = settings.currency,
	};
}

void
make_read(struct web *w, struct make *make)
{
	*make = (struct make){
		.name = form_line(w, "name", NAME_MAX_),
		.body = form_choice(w, "body", &body_words),
		.fuel = form_choice(w, "fuel", &fuel_words),
		.gearbox = form_choice(w, "gearbox", &gearbox_words),
		.seats = form_int(w, "seats", 1, SEATS_MAX),
		.hourly_price = form_amount(w, "hourly_price", 1, PRICE_MAX),
		.daily_price = form_amount(w, "daily_price", 1, PRICE_MAX),
	};
}

/* --- the form ----------------------------------------------------------------------------------------------------- */

/* One thing two managers have put differently. */
struct difference { const char *what, *now, *yours; };
static const struct member difference_members[] = {
	SHAPE_TEXT(difference, what), SHAPE_TEXT(difference, now), SHAPE_TEXT(difference, yours),
};
static const struct shape difference_shape = SHAPE(difference, difference_members);

struct car_form {
	struct form_problems problems;
	int64_t car_id, rev;            /* 0: a new one */
	const char *car_title;
	struct field plate, model_id, branch_id;
	struct make_fields make;
	const char *model_name;         /* the model a new car starts from */
	struct field start_from;
	bool has_models;
	struct difference *differences;
	int n_differences;
	bool differs;
};
static const struct member car_form_members[] = {
	SHAPE_STRUCT(car_form, problems, form_problems_shape), SHAPE_INT(car_form, car_id), SHAPE_INT(car_form, rev),
	SHAPE_TEXT(car_form, car_title), SHAPE_STRUCT(car_form, plate, field_shape), SHAPE_STRUCT(car_form, model_id, field_shape),
	SHAPE_STRUCT(car_form, branch_id, field_shape), SHAPE_STRUCT(car_form, make, make_fields_shape),
	SHAPE_TEXT(car_form, model_name), SHAPE_STRUCT(car_form, start_from, field_shape), SHAPE_BOOL(car_form, has_models),
	SHAPE_LIST(car_form, differences, difference_shape), SHAPE_BOOL(car_form, differs),
};
static const struct shape car_form_shape = SHAPE(car_form, car_form_members);
PAGE(car_form_page, "fleet/car_form", car_form_shape)

/* initial: what the form starts with; what was typed goes before it. */
static struct car_form
car_form(struct web *w, const struct car *initial, const char *message)
{
	const struct make make = {
		initial->name, initial->body, initial->fuel, initial->gearbox, initial->seats, initial->hourly_price, initial->daily_price,
	};
	int n_branches, n_models;
	struct option *branches = branch_options(w, initial->branch_id, &n_branches), *models = model_options(w, &n_models);
	struct car_form f = {
		.problems = form_problems(w, message), .car_id = initial->car_id, .rev = initial->rev,
		.plate = form_field(w, "plate", initial->plate),
		.model_id = form_field_options(w, "model_id", models, n_models, id_text(w, initial->model_id), _("None")),
		.branch_id = form_field_options(w, "branch_id", branches, n_branches, id_text(w, initial->branch_id),
		                                n_branches ? NULL : _("Main branch (will be created)")),
		.make = make_fields(w, &make), .has_models = n_models > 0,
	};

	f.start_from = f.model_id;
	return f;
}

static enum status
show_car_form(struct web *w, enum status status, struct car_form *f)
{
	menu_of(w)->nav_fleet = true;
	return web_page(w, status, &car_form_page, f);
}

/* What of a car's form is read: *car keeps what an answer in JSON leaves out. */
static void
read_car(struct web *w, struct car *car)
{
	struct make make;

	make_read(w, &make);
	car->plate = car_plate(w->m, form_line(w, "plate", PLATE_MAX));
	car->name = make.name;
	car->body = make.body;
	car->fuel = make.fuel;
	car->gearbox = make.gearbox;
	car->seats = make.seats;
	car->hourly_price = make.hourly_price;
	car->daily_price = make.daily_price;
	if (form_has(w, "model_id"))
		car->model_id = strcmp(form_raw(w, "model_id"), "0") == 0 ? 0 : form_id(w, "model_id");
	else if (!w->json)
		car->model_id = 0;
	if (form_has(w, "branch_id"))
		car->branch_id = form_id(w, "branch_id");
}

/* What a client, or the form, is told when the car cannot be as wanted. *code is for programs. CAR_OK and the like: never asked. */
static enum status
why_not(struct web *w, enum car_outcome outcome, const char **code, const char **message)
{
	*code = "invalid";
	*message = marked_fields();
	switch (outcome) {
	case CAR_PLATE_TAKEN:
		*code = "plate_taken";
		*message = _("Another car already has this plate.");
		form_error(w, "plate", _("Another car already has this plate. Each plate can be used only once."));
		return HTTP_CONFLICT;
	case CAR_NO_BRANCH:
		form_error(w, "branch_id", _("This branch is closed or does not exist. Please choose an open one."));
		return HTTP_UNPROCESSABLE;
	case CAR_NO_MODEL:
		form_error(w, "model_id", _("This model is discontinued or does not exist."));
		return HTTP_UNPROCESSABLE;
	case CAR_CHANGED:
		*code = "changed";
		*message = _("Another user has changed this car in the meantime. Your changes are not saved yet.");
		return HTTP_CONFLICT;
	case CAR_IS_RETIRED:
		*code = "retired";
		*message = _("This car is retired and can no longer be changed.");
		return HTTP_CONFLICT;
	case CAR_OK:
	case CAR_GONE:
	case CAR_RETIRED_INSTEAD:
		break;
	}
	return HTTP_BROKEN;
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

/* What a new car starts with: nothing, or its model. */
static struct car
new_car(struct web *w, int64_t model_id, const char **model_name)
{
	struct car car = { .plate = "", .name = "", .body = -1, .fuel = -1, .gearbox = GEARBOX_AUTOMATIC };
	struct model model;

	*model_name = NULL;
	if (!model_id || !model_find(w->db, model_id, &model))
		return car;
	*model_name = model.name;
	return (struct car){
		.plate = "", .model_id = model_id, .name = model.name, .body = model.body, .fuel = model.fuel, .gearbox = model.gearbox,
		.seats = model.seats, .hourly_price = model.hourly_price, .daily_price = model.daily_price,
	};
}

/* GET /fleet/cars/new?model_id= - "start from this model" works without a script: it is this page again. */
enum status
page_car_new(struct web *w)
{
	const char *model_name;
	struct car car = new_car(w, form_has(w, "model_id") ? form_id(w, "model_id") : 0, &model_name);
	struct car_form f = car_form(w, &car, form_bad(w) ? marked_fields() : NULL);

	f.model_name = model_name;
	return show_car_form(w, form_bad(w) ? HTTP_UNPROCESSABLE : HTTP_OK, &f);
}

static enum status
refuse_new_car(struct web *w, const struct car *car, enum status status, const char *code, const char *message)
{
	const char *model_name;
	struct car initial;
	struct car_form f;

	if (w->json)
		return web_refuse(w, status, code, message);
	initial = new_car(w, car->model_id, &model_name);
	f = car_form(w, &initial, message);
	f.model_name = model_name;
	return show_car_form(w, status, &f);
}

/* POST /fleet/cars */
enum status
do_car_add(struct web *w)
{
	struct car car = { .service = SERVICE_IN_SERVICE };
	const char *code, *message;
	enum car_outcome outcome;
	enum status status;
	int64_t again;

	read_car(w, &car);
	if (form_bad(w))
		return refuse_new_car(w, &car, HTTP_UNPROCESSABLE, "invalid", marked_fields());
	outcome = car_add(w->db, &car, w->user.id);
	if (outcome == CAR_OK && w->json) {
		web_set_header(w, "Location", arena_printf(w->m, "/fleet/cars/%lld", (long long)car.car_id));
		return web_json(w, HTTP_CREATED, &car_json_shape, &car);
	}
	if (outcome == CAR_OK)
		return web_redirect(w, "/fleet/cars/%lld?done=added", (long long)car.car_id);
	if (outcome == CAR_PLATE_TAKEN && !w->json && (again = car_just_added(w->db, &car)))
		return web_redirect(w, "/fleet/cars/%lld?done=added", (long long)again);
	status = why_not(w, outcome, &code, &message);
	return refuse_new_car(w, &car, status, code, message);
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static void
differ(struct car_form *f, const char *what, const char *now, const char *yours)
{
	if (strcmp(now, yours) != 0)
		f->differences[f->n_differences++] = (struct difference){ what, now, yours };
}

static const char *
money(struct web *w, int64_t amount)
{
	struct buf b = { .m = w->m };

	money_put(&b, lang_now(), amount);
	return b.s;
}

static const char *
branch_label(struct web *w, int64_t branch_id)
{
	struct branch branch;

	return branch_find(w->db, branch_id, &branch) ? branch.label : "";
}

static const char *
model_label(struct web *w, int64_t model_id)
{
	struct model model;

	return model_id && model_find(w->db, model_id, &model) ? model.name : _("None");
}

static const char *
label_of(const struct words *words, int i)
{
	return _(words->word[i].label);
}

static void
list_differences(struct web *w, struct car_form *f, const struct car *now, const struct car *yours)
{
	f->differences = arena_array(w->m, struct difference, 10);
	differ(f, _("Plate"), now->plate, yours->plate);
	differ(f, _("Model"), model_label(w, now->model_id), model_label(w, yours->model_id));
	differ(f, _("Name"), now->name, yours->name);
	differ(f, _("Body"), label_of(&body_words, now->body), label_of(&body_words, yours->body));
	differ(f, _("Number of seats"), id_text(w, now->seats), id_text(w, yours->seats));
	differ(f, _("Fuel"), label_of(&fuel_words, now->fuel), label_of(&fuel_words, yours->fuel));
	differ(f, _("Gearbox"), label_of(&gearbox_words, now->gearbox), label_of(&gearbox_words, yours->gearbox));
	differ(f, _("Price per hour"), money(w, now->hourly_price), money(w, yours->hourly_price));
	differ(f, _("Price per day"), money(w, now->daily_price), money(w, yours->daily_price));
	differ(f, _("Branch"), branch_label(w, now->branch_id), branch_label(w, yours->branch_id));
	f->differs = f->n_differences > 0;
}

/* GET /fleet/cars/ID/edit */
enum status
page_car_edit(struct web *w)
{
	struct car car;
	struct car_form f;

	if (!the_car(w, &car))
		return web_not_found(w);
	if (car.service == SERVICE_RETIRED)
		return web_refuse(w, HTTP_CONFLICT, "retired", _("This car is retired and can no longer be changed."));
	f = car_form(w, &car, NULL);
	f.car_title = car.plate;
	return show_car_form(w, HTTP_OK, &f);
}

/* The form again, for the car as it stands now: sent once more, it overwrites what is there. */
static enum status
refuse_change(struct web *w, const struct car *yours, enum status status, const char *code, const char *message, bool met)
{
	struct car now;
	struct car_form f;

	if (w->json || !the_car(w, &now) || now.service == SERVICE_RETIRED)
		return web_refuse(w, status, code, message);
	f = car_form(w, &now, message);
	f.car_title = now.plate;
	if (met)
		list_differences(w, &f, &now, yours);
	else
		f.rev = yours->rev;
	return show_car_form(w, status, &f);
}

/* A client may send back all it was given: what cannot be changed here is known, and left alone. */
static void
pass_over_read_only(struct web *w)
{
	static const char *const read_only[] = {
		"car_id", "model_name", "branch_name", "branch_name_ko", "region", "status", "photo_url", "created_at", "updated_at",
	};

	for (size_t i = 0; w->json && i < sizeof(read_only) / sizeof(read_only[0]); i++)
		form_has(w, read_only[i]);
}

/* POST and PUT /fleet/cars/ID */
enum status
do_car_change(struct web *w)
{
	const char *code, *message;
	enum car_outcome outcome;
	enum status status;
	struct car car;

	if (!the_car(w, &car))
		return web_not_found(w);
	read_car(w, &car);
	pass_over_read_only(w);
	car.rev = form_has(w, "rev") ? form_id(w, "rev") : 0;
	if (form_has(w, "service"))
		car.service = form_choice(w, "service", &service_words);
	if (form_bad(w))
		return refuse_change(w, &car, HTTP_UNPROCESSABLE, "invalid", marked_fields(), false);
	outcome = car_change(w->db, &car, w->user.id);
	if (outcome == CAR_GONE)
		return web_not_found(w);
	if (outcome == CAR_OK)
		return w->json ? web_json(w, HTTP_OK, &car_json_shape, &car)
		               : web_redirect(w, "/fleet/cars/%lld?done=saved", (long long)car.car_id);
	status = why_not(w, outcome, &code, &message);
	return refuse_change(w, &car, status, code, message, outcome == CAR_CHANGED);
}
