/* pages_order - ordering equipment and looking after the order: the form, the order's page, cancelling it. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/clock.h"
#include "lib/base/settings.h"

#include <stdlib.h>
#include <string.h>

/* --- the form ---------------------------------------------------------------------------------------------------------- */

struct order_form {
	struct form_problems problems;
	struct field item_id, qty, starts_at, ends_at;
	struct item *item;              /* the one that is chosen; NULL: none yet */
	int64_t n_items;
};
static const struct member order_form_members[] = {
	SHAPE_STRUCT(order_form, problems, form_problems_shape), SHAPE_STRUCT(order_form, item_id, field_shape),
	SHAPE_STRUCT(order_form, qty, field_shape), SHAPE_STRUCT(order_form, starts_at, field_shape), SHAPE_STRUCT(order_form, ends_at, field_shape),
	SHAPE_MAYBE(order_form, item, item_shape), SHAPE_INT(order_form, n_items),
};
static const struct shape order_form_shape = SHAPE(order_form, order_form_members);
PAGE(order_form_page, "equipment/order_form", order_form_shape)

static struct option *
item_options(struct web *w, struct order_form *f)
{
	struct item *items = NULL;
	struct option *options;
	int64_t chosen = strtoll(form_raw(w, "item_id"), NULL, 10);
	int n;

	item_list_offered(w->db, &items, &n);
	options = arena_array(w->m, struct option, n + 1);
	for (int i = 0; i < n; i++) {
		options[i] = (struct option){ .value = id_text(w, items[i].item_id), .label = items[i].label };
		if (items[i].item_id == chosen)
			f->item = &items[i];
	}
	f->n_items = n;
	return options;
}

static const char *
input_time(struct web *w, int64_t at)
{
	struct buf b = { .m = w->m };

	time_input(&b, at);
	return b.s;
}

/* The form with what was typed. A JSON client gets the same outcome as an error. */
static enum status
show_form(struct web *w, enum status status, const char *code, const char *message)
{
	struct order_form f = { .problems = form_problems(w, message) };
	int64_t soon = w->now - w->now % HOUR + HOUR;
	struct option *items;

	if (w->json && code)
		return web_refuse(w, status, code, message);
	items = item_options(w, &f);
	f.item_id = form_field_options(w, "item_id", items, (int)f.n_items, "", _("Please choose"));
	f.qty = form_field(w, "qty", "1");
	f.starts_at = form_field(w, "starts_at", input_time(w, soon));
	f.ends_at = form_field(w, "ends_at", input_time(w, soon + DAY));
	say_done(w);
	return web_page(w, status, &order_form_page, &f);
}

/* GET /equipment/orders/new?item_id= */
enum status
page_order_new(struct web *w)
{
	return show_form(w, HTTP_OK, NULL, NULL);
}

/* --- POST /equipment/orders -------------------------------------------------------------------------------------------- */

static struct equipment_wish
read_wish(struct web *w)
{
	struct equipment_wish wish = {
		.customer_id = w->user.id, .item_id = form_id(w, "item_id"), .quantity = form_int(w, "qty", 1, PIECES_MAX),
		.starts_at = form_time(w, "starts_at"), .ends_at = form_time(w, "ends_at"), .request_key = web_idempotency_key(w),
		.request_hash = web_body_hash(w),
	};

	if (strlen(wish.request_key) > 200)
		form_error(w, "form_key", _("The idempotency key is longer than 200 characters."));
	return wish;
}

static enum status
show_ordered(struct web *w, const struct equipment_order *o)
{
	if (!w->json)
		return web_redirect(w, "/equipment/orders/%lld?done=ordered", (long long)o->order_id);
	web_set_header(w, "Location", arena_printf(w->m, "/equipment/orders/%lld", (long long)o->order_id));
	return web_json(w, HTTP_CREATED, &equipment_order_json_shape, o);
}

static enum status
show_bad_interval(struct web *w, const struct equipment_wish *wish)
{
	const char *field, *problem = order_interval_problem(wish->starts_at, wish->ends_at, w->now, &field);

	form_error(w, field, problem ? problem : _("This time has passed. Please choose a later one."));
	return show_form(w, HTTP_UNPROCESSABLE, "invalid", marked_fields());
}

static enum status
show_out_of_stock(struct web *w, int64_t n_free)
{
	const char *message = n_free > 0 ? arena_printf(w->m, _("Only %lld available in that period."), (long long)n_free)
	                                 : _("None available in that period. Please choose another item or other dates.");

	form_error(w, "qty", message);
	return show_form(w, HTTP_CONFLICT, "out_of_stock", message);
}

static enum status
show_refused(struct web *w, const struct equipment_order *o)
{
	if (!w->json)
		return web_redirect(w, "/equipment/orders/%lld", (long long)o->order_id);
	return web_refuse(w, HTTP_CONFLICT, "rejected", arena_printf(w->m, _("The order was rejected: %s"), o->end_reason));
}

/* The form as it was, to be sent again when review can be asked again. */
static enum status
show_later(struct web *w)
{
	int s = equipment_later_s();
	const char *message = _("Orders can't be approved right now. Nothing was ordered.");

	if (w->json)
		return web_later(w, s, message);
	web_set_header(w, "Retry-After", arena_printf(w->m, "%d", s));
	message = arena_printf(w->m, "%s %s", message, arena_printf(w->m, _n("Please try again in %d second.", "Please try again in %d seconds.", s), s));
	return show_form(w, HTTP_BUSY, "later", message);
}

enum status
do_order(struct web *w)
{
	struct equipment_wish wish = read_wish(w);
	struct equipment_order o;
	int64_t n_free = 0;

	if (form_bad(w))
		return w->json ? refuse_fields(w) : show_form(w, HTTP_UNPROCESSABLE, "invalid", marked_fields());
	switch (equipment_place(w->db, &wish, &o, &n_free)) {
	case ORDER_OK:
	case ORDER_AGAIN:        return show_ordered(w, &o);
	case ORDER_KEY_REUSED:
		return show_form(w, HTTP_UNPROCESSABLE, "key_reused", _("This form was already used for another order. Please check it and submit it again."));
	case ORDER_IN_PROGRESS:
		if (!w->json)
			return web_redirect(w, "/equipment/orders/%lld", (long long)o.order_id);
		web_set_header(w, "Retry-After", "1");
		return web_refuse(w, HTTP_CONFLICT, "in_progress", _("The first request with this key is still being processed."));
	case ORDER_BAD_INTERVAL: return show_bad_interval(w, &wish);
	case ORDER_NO_ITEM:
		form_error(w, "item_id", _("Please choose one."));
		return show_form(w, HTTP_UNPROCESSABLE, "invalid", marked_fields());
	case ORDER_OUT_OF_STOCK: return show_out_of_stock(w, n_free);
	case ORDER_REFUSED:      return show_refused(w, &o);
	case ORDER_LATER:        return show_later(w);
	}
	return web_broken(w);
}

/* --- GET /equipment/orders/ID ------------------------------------------------------------------------------------------ */

struct order_step { const char *title, *detail; bool done, now, bad; };
static const struct member order_step_members[] = {
	SHAPE_TEXT(order_step, title), SHAPE_TEXT(order_step, detail), SHAPE_BOOL(order_step, done), SHAPE_BOOL(order_step, now),
	SHAPE_BOOL(order_step, bad),
};
static const struct shape order_step_shape = SHAPE(order_step, order_step_members);

struct order_page {
	struct equipment_order order;
	struct form_problems problems;
	struct order_step *steps;
	int n_steps;
	struct stock_entry *entries;            /* a manager's: its lines in the ledger */
	int n_entries;
	struct field lost_field;
	int64_t n_missing;                      /* approved, and still with others */
	const char *end_words;                  /* why it ended; NULL */
	bool may_cancel, may_hand_out, may_take_back, is_own, has_entries;
};
static const struct member order_page_members[] = {
	SHAPE_STRUCT(order_page, order, equipment_order_shape), SHAPE_STRUCT(order_page, problems, form_problems_shape),
	SHAPE_LIST(order_page, steps, order_step_shape), SHAPE_LIST(order_page, entries, stock_entry_shape), SHAPE_STRUCT(order_page, lost_field, field_shape),
	SHAPE_INT(order_page, n_missing), SHAPE_TEXT(order_page, end_words), SHAPE_BOOL(order_page, may_cancel),
	SHAPE_BOOL(order_page, may_hand_out), SHAPE_BOOL(order_page, may_take_back), SHAPE_BOOL(order_page, is_own),
	SHAPE_BOOL(order_page, has_entries),
};
static const struct shape order_page_shape = SHAPE(order_page, order_page_members);
PAGE(order_show, "equipment/order", order_page_shape)
PAGE(order_cancel_page, "equipment/order_cancel", order_page_shape)

static const char *
when(struct web *w, int64_t at)
{
	struct buf b = { .m = w->m };

	if (at)
		time_put(&b, lang_now(), at);
	return b.s ? b.s : "";
}

static void
fill_steps(struct web *w, struct order_page *p)
{
	const struct equipment_order *o = &p->order;
	const struct { const char *title; int64_t at; } way[] = {
		{ _("Ordered"), o->ordered_at }, { _("Approved"), o->approved_at }, { _("Handed out"), o->handed_out_at }, { _("Returned"), o->returned_at },
	};
	bool ended = o->state == EQUIPMENT_REJECTED || o->state == EQUIPMENT_CANCELLED, is_next = !ended;

	p->steps = arena_array(w->m, struct order_step, 5);
	for (int i = 0; i < 4; i++) {
		if (!way[i].at && ended)
			continue;
		p->steps[p->n_steps++] = (struct order_step){
			.title = way[i].title, .detail = when(w, way[i].at), .done = way[i].at > 0, .now = !way[i].at && is_next,
		};
		is_next = is_next && way[i].at > 0;
	}
	if (ended)
		p->steps[p->n_steps++] = (struct order_step){
			.title = _(equipment_state_words.word[o->state].label), .detail = when(w, o->ended_at), .bad = true,
		};
}

static void
fill_order(struct web *w, struct order_page *p)
{
	const struct equipment_order *o = &p->order;
	bool is_manager = web_is(w, ROLE_MANAGER);

	p->is_own = o->customer_id == w->user.id;
	p->may_cancel = equipment_may_cancel(w->db, o, w->now, is_manager);
	p->may_hand_out = is_manager && o->state == EQUIPMENT_APPROVED && equipment_may_go(w->db, o);
	p->may_take_back = is_manager && o->state == EQUIPMENT_HANDED_OUT;
	p->n_missing = o->lacks ? o->quantity - o->taken : 0;
	p->end_words = equipment_reason_in_words(o->end_reason);
	p->lost_field = form_field(w, "lost", "0");
	if (is_manager)
		stock_entries_of(w->db, o->order_id, &p->entries, &p->n_entries);
	p->has_entries = p->n_entries > 0;
	fill_steps(w, p);
}

enum status
show_order(struct web *w, const struct equipment_order *o, enum status status, const char *message)
{
	struct order_page p = { .order = *o, .problems = form_problems(w, message) };

	fill_order(w, &p);
	say_done(w);
	return web_page(w, status, &order_show, &p);
}

enum status
page_order(struct web *w)
{
	struct equipment_order o;

	if (!the_order(w, &o))
		return web_not_found(w);
	return w->json ? web_json(w, HTTP_OK, &equipment_order_json_shape, &o) : show_order(w, &o, HTTP_OK, NULL);
}

/* --- cancelling -------------------------------------------------------------------------------------------------------- */

static enum status
show_question(struct web *w, const struct equipment_order *o, enum status status, const char *message)
{
	struct order_page p = { .order = *o, .problems = form_problems(w, message) };

	fill_order(w, &p);
	menu_of(w)->nav_equipment = true;
	return web_page(w, status, &order_cancel_page, &p);
}

enum status
page_order_cancel(struct web *w)
{
	struct equipment_order o;

	if (!the_order(w, &o))
		return web_not_found(w);
	return w->json ? web_json(w, HTTP_OK, &equipment_order_json_shape, &o) : show_question(w, &o, HTTP_OK, NULL);
}

static enum status
cancel_later(struct web *w, const struct equipment_order *o)
{
	int s = equipment_later_s();
	const char *message = _("The order can't be cancelled right now. Nothing was changed.");

	if (w->json)
		return web_later(w, s, message);
	web_set_header(w, "Retry-After", arena_printf(w->m, "%d", s));
	return show_question(w, o, HTTP_BUSY, arena_printf(w->m, "%s %s", message, arena_printf(w->m, _n("Please try again in %d second.", "Please try again in %d seconds.", s), s)));
}

static enum status
not_cancellable(struct web *w, const struct equipment_order *o)
{
	const char *message = _("This order can no longer be cancelled: it was handed out, is on its way or has ended, or its booking has started.");

	return w->json ? web_refuse(w, HTTP_CONFLICT, "not_cancellable", message) : show_question(w, o, HTTP_CONFLICT, message);
}

/* POST /equipment/orders/ID/cancel */
enum status
do_order_cancel(struct web *w)
{
	struct equipment_order o;

	if (form_bad(w))
		return refuse_fields(w);
	if (!the_order(w, &o))
		return web_not_found(w);
	switch (equipment_give_up(w->db, &o, w->user.id, web_is(w, ROLE_MANAGER))) {
	case ORDER_CANCEL_DONE:        break;
	case ORDER_CANCEL_NOT_POSSIBLE: return not_cancellable(w, &o);
	case ORDER_CANCEL_LATER:   return cancel_later(w, &o);
	}
	if (w->json)
		return web_json(w, HTTP_OK, &equipment_order_json_shape, &o);
	return web_redirect(w, "/equipment/orders/%lld?done=cancelled", (long long)o.order_id);
}
