/* pages_extra - the part of the order form that asks for delivery and equipment. The rules are in extra.c. */
#include "pages_extra.h"

#include "domain/choices.h"
#include "domain/rental.h"
#include "domain/rental_form.h"
#include "lib/base/clock.h"

#include <stdlib.h>
#include <string.h>

#define PIECES_SHOWN 10         /* in the list to choose from; programs may order more */
#define WINDOWS_SHOWN 24        /* half hours to choose from */

/* One item on offer, with the pieces that are free to choose from. */
struct item_row {
	int64_t item_id, daily_price, n_free;
	const char *item_title, *item_name;    /* item_name: of the hidden field with its id */
	struct field qty;
	bool is_gone;
};
static const struct member item_row_members[] = {
	SHAPE_INT(item_row, item_id), SHAPE_AMOUNT(item_row, daily_price), SHAPE_INT(item_row, n_free),
	SHAPE_TEXT(item_row, item_title), SHAPE_TEXT(item_row, item_name), SHAPE_STRUCT(item_row, qty, field_shape),
	SHAPE_BOOL(item_row, is_gone),
};
static const struct shape item_row_shape = SHAPE(item_row, item_row_members);

static const struct member extras_form_members[] = {
	SHAPE_STRUCT(extras_form, wanted, field_shape), SHAPE_STRUCT(extras_form, zone, field_shape),
	SHAPE_STRUCT(extras_form, address, field_shape), SHAPE_STRUCT(extras_form, place, field_shape),
	SHAPE_STRUCT(extras_form, window_from, field_shape), SHAPE_STRUCT(extras_form, collect, field_shape),
	SHAPE_LIST(extras_form, items, item_row_shape), SHAPE_BOOL(extras_form, has_zones),
	SHAPE_BOOL(extras_form, has_items), SHAPE_INT(extras_form, window_hours),
};
const struct shape extras_form_shape = SHAPE(extras_form, extras_form_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* A form has a checkbox for it, and may send fields although it is not ticked; for a program any field suffices. */
static bool
wants_delivery(struct web *w)
{
	static const char *const fields[] = { "delivery.address", "delivery.zone", "delivery.place",
		"delivery.window_from", "delivery.collect" };
	bool any = false, ticked = form_has(w, "delivery.wanted") && form_tick(w, "delivery.wanted");

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		any |= *form_raw(w, fields[i]) != '\0';
	if (form_has(w, "delivery")) /* null is valid: no delivery */
		form_error(w, "delivery", _("Please enter an address and a zone."));
	return ticked || (w->json && any && !form_has(w, "delivery.wanted"));
}

/* Only the price is shown: missing fields are marked when it is booked. */
static bool
is_price_alone(struct web *w)
{
	return w->method == GET || (form_has(w, "update") && !w->json);
}

static const char *
read_line(struct web *w, const char *name, int max_chars, const char *missing)
{
	if (form_has(w, name))
		return form_line(w, name, max_chars);
	if (!is_price_alone(w))
		form_error(w, name, missing);
	return "";
}

static void
read_delivery(struct web *w, struct booking_order *o)
{
	const char *field = "delivery", *problem;

	if (!(o->delivery.is_wanted = wants_delivery(w)))
		return;
	o->delivery.address = read_line(w, "delivery.address", 200, _("Please enter the delivery address."));
	o->delivery.zone = read_line(w, "delivery.zone", 40, _("Please choose the zone of the address."));
	o->delivery.place = form_has(w, "delivery.place") ? form_line(w, "delivery.place", 200) : "";
	o->delivery.window_from = form_has(w, "delivery.window_from") ? form_rental_time(w, "delivery.window_from") : 0;
	o->delivery.collects = form_has(w, "delivery.collect") && form_tick(w, "delivery.collect");
	problem = o->starts_at && o->ends_at && !is_price_alone(w) ? delivery_problem(o, &field) : NULL;
	if (problem)
		form_error(w, field, problem);
}

static const char *
item_field(struct web *w, int i, const char *member)
{
	return arena_printf(w->m, "equipment.%d.%s", i, member);
}

/* false: that was the last line. A form sends a line for each item on offer, most with 0. */
static bool
read_item_line(struct web *w, int i, struct booking_order *o)
{
	const char *id = item_field(w, i, "item_id"), *qty = item_field(w, i, "qty");
	bool has_id = form_has(w, id), has_qty = form_has(w, qty);

	if (!has_id && !has_qty)
		return false;
	if (!w->json && (!has_qty || strcmp(form_raw(w, qty), "0") == 0))
		return true;
	if (o->n_items == EXTRA_ITEMS_MAX) {
		form_error(
			w, qty, arena_printf(w->m, _("Please choose at most %d kinds of equipment."), EXTRA_ITEMS_MAX));
		return true;
	}
	o->items[o->n_items].item_id = form_id(w, id);
	o->items[o->n_items].quantity = form_int(w, qty, 1, EXTRA_PIECES_MAX);
	o->items[o->n_items++].no = i;
	return true;
}

void
extras_read(struct web *w, struct booking_order *o)
{
	o->n_items = 0;
	read_delivery(w, o);
	if (form_has(w, "equipment")) /* an empty list is valid */
		form_error(w, "equipment", _("Please send a list of items and quantities."));
	for (int i = 0; read_item_line(w, i, o); i++)
		;
}

/* --- the form again ----------------------------------------------------------------------------------------------- */

static struct field
zone_field(struct web *w)
{
	const struct choice *zones;
	int n = choices_of(rental.delivery_zones, &zones);
	struct option *options = arena_array(w->m, struct option, n + 1);

	for (int i = 0; i < n; i++) {
		struct buf label = { .m = w->m };

		buf_puts(&label, choice_name(&zones[i]));
		buf_puts(&label, " · ");
		money_put(&label, lang_now(), zone_fee(zones[i].code));
		options[i] = (struct option){ .value = zones[i].code, .label = label.s };
	}
	return form_field_options(w, "delivery.zone", options, n, "", _("Please choose"));
}

static struct field
window_field(struct web *w, const struct booking_order *o)
{
	struct option *options = arena_array(w->m, struct option, WINDOWS_SHOWN + 1);
	int n = 0;

	for (int64_t at = o->starts_at; n < WINDOWS_SHOWN && at + rental.delivery_window_s <= o->ends_at;
		at += RENTAL_STEP_S) {
		struct buf value = { .m = w->m }, label = { .m = w->m };

		time_input(&value, at);
		time_put(&label, lang_now(), at);
		options[n++] = (struct option){ .value = value.s, .label = label.s };
	}
	return form_field_options(w, "delivery.window_from", options, n, "", NULL);
}

/* The line of this item; -1: none. */
static int
line_of_item(struct web *w, int64_t item_id)
{
	const char *id;

	for (int i = 0; form_has(w, id = item_field(w, i, "item_id")); i++)
		if (atoll(form_raw(w, id)) == item_id)
			return i;
	return -1;
}

static struct field
pieces_field(struct web *w, int i, const struct item_row *row)
{
	struct option *options = arena_array(w->m, struct option, PIECES_SHOWN + 1);
	int line = line_of_item(w, row->item_id), n = 0;
	struct field f;

	for (; n <= PIECES_SHOWN && n <= row->n_free; n++)
		options[n].value = options[n].label = arena_printf(w->m, "%d", n);
	f = form_field_options(w, item_field(w, line < 0 ? i : line, "qty"), options, n ? n : 1, "0", NULL);
	if (n == 0)
		f.options[0] = (struct option){ "0", "0", true };
	f.name = item_field(w, i, "qty");
	return f;
}

static void
show_items(struct web *w, const struct booking_order *o, struct extras_form *f)
{
	struct offered_item *items = NULL;

	f->n_items = items_offered(w->db, o->starts_at, o->ends_at, &items);
	f->items = arena_array(w->m, struct item_row, f->n_items + 1);
	for (int i = 0; i < f->n_items; i++) {
		struct item_row *row = &f->items[i];

		*row = (struct item_row){
			.item_id = items[i].item_id,
			.daily_price = items[i].daily_price,
			.n_free = items[i].n_free > 0 ? items[i].n_free : 0,
			.item_title = lang_pick(lang_now(), items[i].name, items[i].name_ko),
			.item_name = item_field(w, i, "item_id"),
			.is_gone = items[i].n_free <= 0,
		};
		row->qty = pieces_field(w, i, row);
	}
	f->has_items = f->n_items > 0;
}

void
extras_show(struct web *w, const struct booking_order *o, struct extras_form *f)
{
	f->wanted = form_field(w, "delivery.wanted", "");
	f->address = form_field(w, "delivery.address", "");
	f->place = form_field(w, "delivery.place", "");
	f->collect = form_field(w, "delivery.collect", "");
	f->zone = zone_field(w);
	f->window_from = window_field(w, o);
	f->has_zones = f->zone.n_options > 1 && o->starts_at + rental.delivery_window_s <= o->ends_at;
	f->window_hours = (rental.delivery_window_s + HOUR - 1) / HOUR;
	show_items(w, o, f);
}

void
extras_price(struct web *w, const struct booking_order *o, struct price *price)
{
	struct booking b = {
		.lines = price->lines,
		.n_lines = price->n_lines,
		.amount = price->amount,
		.vat_amount = price->vat_amount,
		.n_cars = o->model_id ? o->qty : 1,
	};

	extra_quote(w->db, o, &b); /* as far as possible: mistakes are marked at their fields */
	booking_lines_in_words(b.lines, b.n_lines, o->starts_at, o->ends_at);
	price->lines = b.lines;
	price->n_lines = b.n_lines;
	price->amount = b.amount;
	price->vat_amount = b.vat_amount;
}

/* --- refused ------------------------------------------------------------------------------------------------------ */

static enum status
refuse_delivery(struct web *w, const struct booking_order *o)
{
	const char *field = "delivery", *problem = delivery_problem(o, &field);

	form_error(w, field, problem ? problem : _("Please choose another zone or time."));
	return web_invalid(w);
}

static enum status
refuse_stock(struct web *w, const struct booking *b, const char *field)
{
	form_error(w, field,
		arena_printf(w->m, _("Only %lld available for these dates."), (long long)b->refused_extra.n_free));
	return web_refuse(w, HTTP_CONFLICT, "out_of_stock",
		arena_printf(w->m, _("%s: only %lld available for these dates. Nothing was booked or charged."),
			b->refused_extra.label, (long long)b->refused_extra.n_free));
}

static enum status
refuse_rejected(struct web *w, const struct booking *b)
{
	const char *reason = text_or_empty(b->refused_extra.reason);

	return web_refuse(w, HTTP_CONFLICT, "rejected",
		*reason ? arena_printf(w->m, _("%s was not approved: %s. Nothing was booked or charged."),
			b->refused_extra.label, reason)
			: arena_printf(w->m, _("%s was not approved. Nothing was booked or charged."),
				b->refused_extra.label));
}

enum status
extras_refuse(struct web *w, const struct booking_order *o, const struct booking *b, enum booking_outcome outcome)
{
	int no = o->n_items ? o->items[b->refused_extra.item_no < o->n_items ? b->refused_extra.item_no : 0].no : 0;

	if (outcome == BOOKING_BAD_DELIVERY)
		return refuse_delivery(w, o);
	if (outcome == BOOKING_OUT_OF_STOCK)
		return refuse_stock(w, b, item_field(w, no, "qty"));
	if (outcome == BOOKING_NOT_APPROVED)
		return refuse_rejected(w, b);
	form_error(w, item_field(w, no, "item_id"), _("This item is not available. Please choose another one."));
	return web_invalid(w);
}
