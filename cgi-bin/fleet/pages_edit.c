/* pages_edit - adding a car and changing one: the form, reading it, and showing two managers their differences. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/settings.h"

#include <string.h>

/* --- the fields that cars and models share ------------------------------------------------------------------------ */

static const struct member make_fields_members[] = {
	SHAPE_STRUCT(make_fields, name, field_shape), SHAPE_STRUCT(make_fields, name_ko, field_shape),
	SHAPE_STRUCT(make_fields, body, field_shape), SHAPE_STRUCT(make_fields, seats, field_shape),
	SHAPE_STRUCT(make_fields, fuel, field_shape), SHAPE_STRUCT(make_fields, gearbox, field_shape),
	SHAPE_STRUCT(make_fields, hourly_price, field_shape), SHAPE_STRUCT(make_fields, daily_price, field_shape),
	SHAPE_TEXT(make_fields, currency),
};
const struct shape make_fields_shape = SHAPE(make_fields, make_fields_members);

struct make_fields
make_fields(struct web *w, const struct make *initial)
{
	return (struct make_fields){
		.name = form_field(w, "name", initial->name),
		.name_ko = form_field(w, "name_ko", initial->name_ko),
		.body = form_field_choice(w, "body", &body_words, initial->body, _("Please choose")),
		.seats = form_field_int(w, "seats", initial->seats),
		.fuel = form_field_choice(w, "fuel", &fuel_words, initial->fuel, _("Please choose")),
		.gearbox = form_field_choice(w, "gearbox", &gearbox_words, initial->gearbox, NULL),
		.hourly_price = form_field_amount(w, "hourly_price", initial->hourly_price),
		.daily_price = form_field_amount(w, "daily_price", initial->daily_price),
		.currency = settings.currency,
	};
}

void
make_read(struct web *w, struct make *make)
{
	*make = (struct make){
		.name = form_line(w, "name", FLEET_NAME_MAX),
		.name_ko = read_korean(w, "name_ko", FLEET_NAME_MAX),
		.body = form_choice(w, "body", &body_words),
		.fuel = form_choice(w, "fuel", &fuel_words),
		.gearbox = form_choice(w, "gearbox", &gearbox_words),
		.seats = form_int(w, "seats", 1, SEATS_MAX),
		.hourly_price = form_amount(w, "hourly_price", 1, PRICE_MAX),
		.daily_price = form_amount(w, "daily_price", 1, PRICE_MAX),
	};
}

/* --- the form ----------------------------------------------------------------------------------------------------- */

/* A field to which two managers gave different values. */
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
	const char *model_name, *model_name_ko; /* of the model a new car starts from */
	struct field start_from;
	bool has_models;
	struct difference *differences;
	int n_differences;
	bool differs;
	struct concern *concern;        /* bookings that name another branch: to be confirmed; NULL: none */
};
static const struct member car_form_members[] = {
	SHAPE_STRUCT(car_form, problems, form_problems_shape), SHAPE_INT(car_form, car_id), SHAPE_INT(car_form, rev),
	SHAPE_TEXT(car_form, car_title), SHAPE_STRUCT(car_form, plate, field_shape),
	SHAPE_STRUCT(car_form, model_id, field_shape), SHAPE_STRUCT(car_form, branch_id, field_shape),
	SHAPE_STRUCT(car_form, make, make_fields_shape), SHAPE_TEXT_KO(car_form, model_name),
	SHAPE_STRUCT(car_form, start_from, field_shape), SHAPE_BOOL(car_form, has_models),
	SHAPE_LIST(car_form, differences, difference_shape), SHAPE_BOOL(car_form, differs),
	SHAPE_MAYBE(car_form, concern, concern_shape),
};
static const struct shape car_form_shape = SHAPE(car_form, car_form_members);
PAGE(car_form_page, "fleet/car_form", car_form_shape)

/* initial: what the form starts with; typed values go before it. */
static struct car_form
car_form(struct web *w, const struct car *initial, const char *message)
{
	const struct make make = {
		initial->name,
		initial->name_ko,
		initial->body,
		initial->fuel,
		initial->gearbox,
		initial->seats,
		initial->hourly_price,
		initial->daily_price,
	};
	int n_branches, n_models;
	struct option *branches = open_branch_options(w, initial->branch_id, &n_branches),
		      *models = model_options(w, &n_models);
	struct car_form f = {
		.problems = form_problems(w, message),
		.car_id = initial->car_id,
		.rev = initial->rev,
		.plate = form_field(w, "plate", initial->plate),
		.model_id = form_field_options(
			w, "model_id", models, n_models, form_id_text(w, initial->model_id), _("None")),
		.branch_id = form_field_options(w, "branch_id", branches, n_branches,
			form_id_text(w, initial->branch_id), n_branches ? NULL : _("Main branch (will be created)")),
		.make = make_fields(w, &make),
		.model_name = initial->model_name,
		.model_name_ko = initial->model_name_ko,
		.has_models = n_models > 0,
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

/* *car keeps the values of members that a JSON request leaves out. */
static void
read_car(struct web *w, struct car *car)
{
	struct make make;

	make_read(w, &make);
	car->plate = car_plate(w->m, form_line(w, "plate", PLATE_MAX));
	car->name = make.name;
	if (make.name_ko)
		car->name_ko = make.name_ko;
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

/* For the outcomes that are refusals; a browser sees them on the form. */
static enum status
refuse_car(struct web *w, enum car_outcome outcome)
{
	switch (outcome) {
	case CAR_PLATE_TAKEN:
		form_error(w, "plate", _("Another car already has this plate. Each plate can be used only once."));
		return web_refuse(w, HTTP_CONFLICT, "plate_taken", _("Another car already has this plate."));
	case CAR_NO_BRANCH:
		form_error(w, "branch_id", _("This branch is closed or does not exist. Please choose an open one."));
		return web_invalid(w);
	case CAR_NO_MODEL:
		form_error(w, "model_id", _("This model is discontinued or does not exist."));
		return web_invalid(w);
	case CAR_CHANGED:
		return web_refuse(w, HTTP_CONFLICT, "changed",
			_("Another user has changed this car in the meantime. Your changes are not saved yet."));
	case CAR_IS_RETIRED:
		return web_refuse(w, HTTP_CONFLICT, "retired", _("This car is retired and can no longer be changed."));
	case CAR_GONE: return web_not_found(w);
	case CAR_OK:
	case CAR_CONCERNS:
	case CAR_IN_USE:
	case CAR_RETIRED_INSTEAD: break;
	}
	return web_broken(w);
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

/* The values a new car starts with: empty, or its model's. */
static struct car
new_car(struct web *w, int64_t model_id)
{
	struct car car = {
		.plate = "", .name = "", .name_ko = "", .body = -1, .fuel = -1, .gearbox = GEARBOX_AUTOMATIC
	};
	struct model model;

	if (!model_id || !model_find(w->db, model_id, &model))
		return car;
	return (struct car){
		.plate = "",
		.model_id = model_id,
		.model_name = model.name,
		.model_name_ko = model.name_ko,
		.name = model.name,
		.name_ko = model.name_ko,
		.body = model.body,
		.fuel = model.fuel,
		.gearbox = model.gearbox,
		.seats = model.seats,
		.hourly_price = model.hourly_price,
		.daily_price = model.daily_price,
	};
}

static enum status
show_new_car(struct web *w, const void *model_id, enum status status, const char *message)
{
	struct car initial = new_car(w, *(const int64_t *)model_id);
	struct car_form f = car_form(w, &initial, message);

	return show_car_form(w, status, &f);
}

/* GET /fleet/cars/new?model_id= - the button "start from this model" loads this page again, so it works without a
 * script. */
enum status
page_car_new(struct web *w)
{
	int64_t model_id = form_has(w, "model_id") ? form_id(w, "model_id") : 0;

	if (form_bad(w))
		return show_new_car(w, &model_id, HTTP_UNPROCESSABLE, _("Please look at the marked fields."));
	return show_new_car(w, &model_id, HTTP_OK, NULL);
}

/* POST /fleet/cars */
enum status
do_car_add(struct web *w)
{
	struct car car = { .service = SERVICE_IN_SERVICE };
	enum car_outcome outcome;
	int64_t again;

	read_car(w, &car);
	web_form(w, show_new_car, &car.model_id);
	if (form_bad(w))
		return web_invalid(w);
	outcome = car_add(w->db, &car, w->user.id);
	if (outcome == CAR_PLATE_TAKEN && !w->json && (again = car_just_added(w->db, &car)))
		return web_redirect(w, "/fleet/cars/%lld?done=added", (long long)again);
	if (outcome != CAR_OK)
		return refuse_car(w, outcome);
	web_set_header(w, "Location", arena_printf(w->m, "/fleet/cars/%lld", (long long)car.car_id));
	return web_done(w, HTTP_CREATED, &car_shape, &car, "/fleet/cars/%lld?done=added", (long long)car.car_id);
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static void
differ(struct car_form *f, const char *what, const char *now, const char *yours)
{
	if (strcmp(now, yours) != 0)
		f->differences[f->n_differences++] = (struct difference){ what, now, yours };
}

static const char *
branch_name_of(struct web *w, int64_t branch_id)
{
	struct branch branch;

	return branch_find(w->db, branch_id, &branch) ? lang_pick(lang_now(), branch.name, branch.name_ko) : "";
}

static const char *
model_name_of(struct web *w, int64_t model_id)
{
	struct model model;

	return model_id && model_find(w->db, model_id, &model) ? lang_pick(lang_now(), model.name, model.name_ko)
							       : _("None");
}

static const char *
label_in_words(const struct words *words, int i)
{
	return _(words->word[i].label);
}

static void
list_differences(struct web *w, struct car_form *f, const struct car *now, const struct car *yours)
{
	f->differences = arena_array(w->m, struct difference, 11);
	differ(f, _("Plate"), now->plate, yours->plate);
	differ(f, _("Model"), model_name_of(w, now->model_id), model_name_of(w, yours->model_id));
	differ(f, _("Name"), now->name, yours->name);
	differ(f, _("Korean name"), now->name_ko, yours->name_ko);
	differ(f, _("Body"), label_in_words(&body_words, now->body), label_in_words(&body_words, yours->body));
	differ(f, _("Number of seats"), form_id_text(w, now->seats), form_id_text(w, yours->seats));
	differ(f, _("Fuel"), label_in_words(&fuel_words, now->fuel), label_in_words(&fuel_words, yours->fuel));
	differ(f, _("Gearbox"), label_in_words(&gearbox_words, now->gearbox),
		label_in_words(&gearbox_words, yours->gearbox));
	differ(f, _("Price per hour"), money_in_words(w->m, now->hourly_price),
		money_in_words(w->m, yours->hourly_price));
	differ(f, _("Price per day"), money_in_words(w->m, now->daily_price), money_in_words(w->m, yours->daily_price));
	differ(f, _("Branch"), branch_name_of(w, now->branch_id), branch_name_of(w, yours->branch_id));
	f->differs = f->n_differences > 0;
}

/* GET /fleet/cars/ID/edit */
enum status
page_car_edit(struct web *w)
{
	struct car car;
	struct car_form f;

	if (!requested_car(w, &car))
		return web_not_found(w);
	if (car.service == SERVICE_RETIRED)
		return refuse_car(w, CAR_IS_RETIRED);
	f = car_form(w, &car, NULL);
	f.car_title = car.plate;
	return show_car_form(w, HTTP_OK, &f);
}

struct car_edit {
	struct car yours;
	/* another user changed it: the form shows the differences and is based on the car as it is now */
	bool is_outdated, is_retiring;
	struct concern *concern;        /* those who must be known first; NULL: all are */
};

static enum status
show_car_change(struct web *w, const void *form, enum status status, const char *message)
{
	const struct car_edit *c = form;
	struct car now;
	struct car_form f;

	if (!requested_car(w, &now) || now.service == SERVICE_RETIRED)
		return web_refuse(w, status, "retired", message);
	f = car_form(w, &now, message);
	f.car_title = now.plate;
	f.concern = c->concern;
	if (c->is_outdated)
		list_differences(w, &f, &now, &c->yours);
	else
		f.rev = c->yours.rev;
	return show_car_form(w, status, &f);
}

/* A client may send back all the members it was given: these cannot be changed here and are ignored. */
static void
ignore_read_only(struct web *w)
{
	static const char *const read_only[] = {
		"car_id",
		"model_name",
		"model_name_ko",
		"branch_name",
		"branch_name_ko",
		"region",
		"status",
		"photo_url",
		"created_at",
		"updated_at",
		"retire_at",
	};

	for (size_t i = 0; w->json && i < sizeof(read_only) / sizeof(read_only[0]); i++)
		form_has(w, read_only[i]);
}

/* Leaving service concerns all of its bookings, a move only those of other branches. */
static enum status
refuse_change(struct web *w, struct car_edit *c, const struct car *was, enum car_outcome outcome)
{
	int64_t branch_id = was->service == SERVICE_IN_SERVICE && c->yours.service != SERVICE_IN_SERVICE ? 0
		: c->is_retiring                                                                         ? 0
				 : c->yours.branch_id;

	if (outcome == CAR_IN_USE)
		return refuse_in_use(w, was->car_id);
	if (outcome != CAR_CONCERNS)
		return refuse_car(w, outcome);
	if (w->json)
		return refuse_concern(w, was->car_id, branch_id);
	c->concern = arena_array(w->m, struct concern, 1);
	concern_read(w->db, was->car_id, branch_id, c->concern);
	return web_refuse(w, HTTP_CONFLICT, "bookings_concerned", concern_words(w, c->concern));
}

/* POST and PUT /fleet/cars/ID {…, confirm?, seen?} */
enum status
do_car_change(struct web *w)
{
	struct car_edit c = { .is_outdated = false };
	struct car_consent consent = read_consent(w);
	enum car_outcome outcome;
	struct car was;

	if (!requested_car(w, &c.yours))
		return web_not_found(w);
	was = c.yours;
	read_car(w, &c.yours);
	ignore_read_only(w);
	c.yours.rev = form_has(w, "rev") ? form_id(w, "rev") : 0;
	if (form_has(w, "service"))
		c.yours.service = form_choice(w, "service", &service_words);
	web_form(w, show_car_change, &c);
	if (form_bad(w))
		return web_invalid(w);
	c.is_retiring = c.yours.service == SERVICE_RETIRED;
	outcome = car_change(w->db, &c.yours, &consent, w->user.id);
	c.is_outdated = outcome == CAR_CHANGED;
	if (outcome != CAR_OK)
		return refuse_change(w, &c, &was, outcome);
	return web_done(w, HTTP_OK, &car_shape, &c.yours, "/fleet/cars/%lld?done=saved", (long long)c.yours.car_id);
}
