/* pages_place - ordering equipment without a car: the form and its outcomes. */
#include "pages.h"

#include "domain/rental_form.h"
#include "lib/base/clock.h"
#include "lib/base/settings.h"

#include <stdlib.h>
#include <string.h>

/* --- GET /equipment/orders/new?item_id= --------------------------------------------------------------------------- */

struct place_page {
	struct form_problems problems;
	struct field item_id, qty, starts_at, ends_at;
	struct item *item;              /* the chosen one; NULL: none yet */
	int64_t n_items;
};
static const struct member place_page_members[] = {
	SHAPE_STRUCT(place_page, problems, form_problems_shape), SHAPE_STRUCT(place_page, item_id, field_shape),
	SHAPE_STRUCT(place_page, qty, field_shape), SHAPE_STRUCT(place_page, starts_at, field_shape),
	SHAPE_STRUCT(place_page, ends_at, field_shape), SHAPE_MAYBE(place_page, item, item_shape),
	SHAPE_INT(place_page, n_items),
};
static const struct shape place_page_shape = SHAPE(place_page, place_page_members);
PAGE(place_template, "equipment/order_form", place_page_shape)

static struct option *
item_options(struct web *w, struct place_page *p)
{
	struct item *items = NULL;
	struct option *options;
	int64_t chosen = strtoll(form_raw(w, "item_id"), NULL, 10);
	int n;

	item_list_offered(w->db, &items, &n);
	options = arena_array(w->m, struct option, n + 1);
	for (int i = 0; i < n; i++) {
		options[i] = (struct option){ .value = form_id_text(w, items[i].item_id), .label = items[i].label };
		if (items[i].item_id == chosen)
			p->item = &items[i];
	}
	p->n_items = n;
	return options;
}

static enum status
show_place_form(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct place_page p = { .problems = form_problems(w, message) };
	struct option *items = item_options(w, &p);
	int64_t soon = w->now - w->now % HOUR + HOUR;

	p.item_id = form_field_options(w, "item_id", items, (int)p.n_items, "", _("Please choose"));
	p.qty = form_field(w, "qty", "1");
	p.starts_at = form_field_time(w, "starts_at", soon);
	p.ends_at = form_field_time(w, "ends_at", soon + DAY);
	equipment_page_begin(w);
	return web_page(w, status, &place_template, &p);
}

enum status
page_equipment_order_new(struct web *w)
{
	return show_place_form(w, NULL, HTTP_OK, NULL);
}

/* --- POST /equipment/orders --------------------------------------------------------------------------------------- */

static struct equipment_request
read_equipment_request(struct web *w)
{
	struct equipment_request q = {
		.customer_id = w->user.id,
		.item_id = form_id(w, "item_id"),
		.quantity = form_int(w, "qty", 1, PIECES_MAX),
		.starts_at = form_rental_time(w, "starts_at"),
		.ends_at = form_rental_time(w, "ends_at"),
		.request_key = form_request_key(w),
		.request_hash = web_body_hash(w),
	};

	return q;
}

static enum status
done_ordered(struct web *w, const struct equipment_order *o)
{
	if (w->json)
		web_set_header(w, "Location", arena_printf(w->m, "/equipment/orders/%lld", (long long)o->order_id));
	return web_done(w, HTTP_CREATED, &equipment_order_json_shape, o, "/equipment/orders/%lld?done=ordered",
		(long long)o->order_id);
}

static enum status
refuse_order_interval(struct web *w, const struct equipment_request *q)
{
	const char *field, *problem = order_interval_problem(q->starts_at, q->ends_at, w->now, &field);

	form_error(w, field, problem ? problem : _("This time has passed. Please choose a later one."));
	return web_invalid(w);
}

static enum status
refuse_out_of_stock(struct web *w, int64_t n_free)
{
	const char *message = n_free > 0
		? arena_printf(w->m, _("Only %lld available in that period."), (long long)n_free)
		: _("None available in that period. Please choose another item or other dates.");

	form_error(w, "qty", message);
	return web_refuse(w, HTTP_CONFLICT, "out_of_stock", message);
}

/* A browser sees the order, a program gets the code. */
static enum status
refuse_with_order(struct web *w, const struct equipment_order *o, const char *code, const char *message)
{
	return w->json ? web_refuse(w, HTTP_CONFLICT, code, message)
		       : web_redirect(w, "/equipment/orders/%lld", (long long)o->order_id);
}

enum status
do_equipment_order(struct web *w)
{
	struct equipment_request q = read_equipment_request(w);
	struct equipment_order o;
	int64_t n_free = 0;

	web_form(w, show_place_form, NULL);
	if (form_bad(w))
		return web_invalid(w);
	switch (equipment_place(w->db, &q, &o, &n_free)) {
	case ORDER_OK:
	case ORDER_AGAIN: return done_ordered(w, &o);
	case ORDER_KEY_REUSED:
		return web_refuse(w, HTTP_UNPROCESSABLE, "key_reused",
			_("This form was already used for another order. Please check it and submit it again."));
	case ORDER_IN_PROGRESS:
		if (w->json)
			web_set_header(w, "Retry-After", "1");
		return refuse_with_order(
			w, &o, "in_progress", _("The first request with this key is still being processed."));
	case ORDER_BAD_INTERVAL: return refuse_order_interval(w, &q);
	case ORDER_NO_ITEM: form_error(w, "item_id", _("Please choose one.")); return web_invalid(w);
	case ORDER_OUT_OF_STOCK: return refuse_out_of_stock(w, n_free);
	case ORDER_REFUSED:
		return refuse_with_order(
			w, &o, "rejected", arena_printf(w->m, _("The order was rejected: %s"), o.end_reason));
	case ORDER_LATER:
		return web_later(w, equipment_later_s(), _("Orders can't be approved right now. Nothing was ordered."));
	}
	return web_broken(w);
}
