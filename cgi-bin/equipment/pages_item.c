/* pages_item - a manager's items: add one, change it, offer it or not. */
#include "pages.h"

#include "domain/choices.h"
#include "domain/rental.h"

#include <string.h>

struct item_form {
	struct form_problems problems;
	struct item item;               /* as it is now; item_id 0: a new one */
	const char *version;
	struct field name, name_ko, category, daily_price, low_stock, stock;
	const char *currency;
};
static const struct member item_form_members[] = {
	SHAPE_STRUCT(item_form, problems, form_problems_shape), SHAPE_STRUCT(item_form, item, item_shape),
	SHAPE_TEXT(item_form, version), SHAPE_STRUCT(item_form, name, field_shape),
	SHAPE_STRUCT(item_form, name_ko, field_shape), SHAPE_STRUCT(item_form, category, field_shape),
	SHAPE_STRUCT(item_form, daily_price, field_shape), SHAPE_STRUCT(item_form, low_stock, field_shape),
	SHAPE_STRUCT(item_form, stock, field_shape), SHAPE_TEXT(item_form, currency),
};
static const struct shape item_form_shape = SHAPE(item_form, item_form_members);
PAGE(item_form_page, "equipment/item_form", item_form_shape)

static struct option *
category_options(struct web *w, int *n)
{
	const struct choice *categories;
	struct option *options;

	*n = choices_of(rental.equipment_categories, &categories);
	options = arena_array(w->m, struct option, *n + 1);
	for (int i = 0; i < *n; i++)
		options[i] = (struct option){ .value = categories[i].code, .label = choice_name(&categories[i]) };
	return options;
}

/* form: the item as it is now, its version the one the form was filled from; item_id 0: a new one. */
static enum status
show_item_form(struct web *w, const void *form, enum status status, const char *message)
{
	const struct item *item = form;
	int n;
	struct option *categories = category_options(w, &n);
	struct item_form f = {
		.problems = form_problems(w, message),
		.item = *item,
		.version = item->version,
		.currency = settings.currency,
		.name = form_field(w, "name", item->name),
		.name_ko = form_field(w, "name_ko", item->name_ko),
		.category = form_field_options(
			w, "category", categories, n, item->category, item->item_id ? NULL : _("Please choose")),
		.daily_price =
			form_field(w, "daily_price", item->item_id ? form_amount_text(w, item->daily_price) : ""),
		.low_stock = form_field_int(w, "low_stock", item->low_stock),
		.stock = form_field_int(w, "stock", 0),
	};

	equipment_page_begin(w);
	return web_page(w, status, &item_form_page, &f);
}

static const char *
read_category(struct web *w, const char *now)
{
	const char *category = form_line(w, "category", 40);

	if (*category && !choice_find(rental.equipment_categories, category) && !(now && strcmp(category, now) == 0))
		form_error(w, "category", _("Please choose one."));
	return category;
}

/* now: its present category, which may stay when the settings no longer list it. */
static struct item
read_item_form(struct web *w, const char *now)
{
	return (struct item){
		.name = form_line(w, "name", ITEM_NAME_MAX),
		.name_ko = form_has(w, "name_ko") ? form_line(w, "name_ko", ITEM_NAME_MAX) : "",
		.category = read_category(w, now),
		.daily_price = form_amount(w, "daily_price", 0, ITEM_PRICE_MAX),
		.low_stock = form_has(w, "low_stock") ? form_int(w, "low_stock", 0, PIECES_MAX) : 0,
	};
}

static enum status
item_name_taken(struct web *w)
{
	return form_refuse(w, HTTP_CONFLICT, "name_taken", "name", _("An item with this name already exists."));
}

static const struct item new_item = { .name = "", .name_ko = "", .category = "", .is_offered = true };

enum status
page_item_new(struct web *w)
{
	return show_item_form(w, &new_item, HTTP_OK, NULL);
}

/* POST /equipment/items */
enum status
do_item_add(struct web *w)
{
	struct item item = read_item_form(w, NULL);
	int64_t n_pieces = form_has(w, "stock") ? form_int(w, "stock", 0, PIECES_MAX) : 0;

	web_form(w, show_item_form, &new_item);
	if (form_bad(w))
		return web_invalid(w);
	switch (item_add(w->db, &item, n_pieces, w->user.id)) {
	case ITEM_OK: break;
	case ITEM_NAME_TAKEN: return item_name_taken(w);
	case ITEM_GONE:
	case ITEM_CHANGED: return web_broken(w);
	}
	if (w->json)
		web_set_header(w, "Location", arena_printf(w->m, "/equipment/items/%lld", (long long)item.item_id));
	return web_done(
		w, HTTP_CREATED, &item_json_shape, &item, "/equipment/items/%lld?done=added", (long long)item.item_id);
}

enum status
page_item_edit(struct web *w)
{
	struct item item;

	if (!the_item(w, &item))
		return web_not_found(w);
	return w->json ? web_json(w, HTTP_OK, &item_json_shape, &item) : show_item_form(w, &item, HTTP_OK, NULL);
}

/* POST and PUT /equipment/items/ID */
enum status
do_item_change(struct web *w)
{
	struct item now, item, form;

	if (!the_item(w, &now))
		return web_not_found(w);
	item = read_item_form(w, now.category);
	item.item_id = now.item_id;
	item.version = form_has(w, "version") ? form_raw(w, "version") : NULL;
	form = now;
	form.version = item.version;
	web_form(w, show_item_form, &form);
	if (form_bad(w))
		return web_invalid(w);
	switch (item_change(w->db, &item, w->user.id)) {
	case ITEM_OK:
		return web_done(w, HTTP_OK, &item_json_shape, &item, "/equipment/items/%lld?done=saved",
			(long long)item.item_id);
	case ITEM_GONE: return web_not_found(w);
	case ITEM_NAME_TAKEN: return item_name_taken(w);
	case ITEM_CHANGED:
		form.version = now.version;
		return web_refuse(w, HTTP_CONFLICT, "changed",
			_("Another user has changed this item in the meantime. Please check it; saving now overwrites"
			  " their change."));
	}
	return web_broken(w);
}

/* POST /equipment/items/ID/offer {is_offered} */
enum status
do_item_offer(struct web *w)
{
	int64_t item_id = web_param_id(w, "item_id");
	bool is_offered = form_tick(w, "is_offered");
	struct item item;

	if (form_bad(w))
		return web_invalid(w);
	if (item_offer(w->db, item_id, is_offered, w->user.id) == ITEM_GONE || !item_find(w->db, item_id, &item))
		return web_not_found(w);
	return web_done(w, HTTP_OK, &item_json_shape, &item, "/equipment/items/%lld?done=%s", (long long)item_id,
		is_offered ? "offered" : "stopped");
}
