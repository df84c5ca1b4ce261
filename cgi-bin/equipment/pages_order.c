/* pages_order - one order of equipment: its page, cancelling it, handing it out and taking it back. */
#include "pages.h"

#include "domain/roles.h"

/* --- GET /equipment/orders/ID ------------------------------------------------------------------------------------- */

struct equipment_order_page {
	struct equipment_order order;
	struct form_problems problems;
	struct progress_step *steps;
	int n_steps;
	struct stock_entry *entries;            /* for managers: its lines in the ledger */
	int n_entries;
	struct field lost_field;
	int64_t n_missing;                      /* approved, and other orders still have them */
	const char *end_words;                  /* why it ended; NULL */
	bool may_cancel, may_hand_out, may_take_back, is_own, has_entries;
};
static const struct member equipment_order_members[] = {
	SHAPE_STRUCT(equipment_order_page, order, equipment_order_shape),
	SHAPE_STRUCT(equipment_order_page, problems, form_problems_shape),
	SHAPE_LIST(equipment_order_page, steps, progress_step_shape),
	SHAPE_LIST(equipment_order_page, entries, stock_entry_shape),
	SHAPE_STRUCT(equipment_order_page, lost_field, field_shape), SHAPE_INT(equipment_order_page, n_missing),
	SHAPE_TEXT(equipment_order_page, end_words), SHAPE_BOOL(equipment_order_page, may_cancel),
	SHAPE_BOOL(equipment_order_page, may_hand_out), SHAPE_BOOL(equipment_order_page, may_take_back),
	SHAPE_BOOL(equipment_order_page, is_own), SHAPE_BOOL(equipment_order_page, has_entries),
};
static const struct shape equipment_order_page_shape = SHAPE(equipment_order_page, equipment_order_members);
PAGE(order_show, "equipment/order", equipment_order_page_shape)
PAGE(order_cancel_page, "equipment/order_cancel", equipment_order_page_shape)

static void
fill_order_steps(struct web *w, struct equipment_order_page *p)
{
	const struct equipment_order *o = &p->order;
	const struct {
		const char *title;
		int64_t at;
	} steps[] = {
		{ _("Ordered"), o->ordered_at },
		{ _("Approved"), o->approved_at },
		{ _("Handed out"), o->handed_out_at },
		{ _("Returned"), o->returned_at },
	};
	bool has_ended = o->state == EQUIPMENT_REJECTED || o->state == EQUIPMENT_CANCELLED, is_next = !has_ended;

	p->steps = arena_array(w->m, struct progress_step, 5);
	for (int i = 0; i < 4; i++) {
		if (!steps[i].at && has_ended)
			continue;
		p->steps[p->n_steps++] = (struct progress_step){
			.title = steps[i].title,
			.detail = time_in_words(w->m, steps[i].at),
			.done = steps[i].at > 0,
			.now = !steps[i].at && is_next,
		};
		is_next = is_next && steps[i].at > 0;
	}
	if (has_ended)
		p->steps[p->n_steps++] = (struct progress_step){
			.title = _(equipment_state_words.word[o->state].label),
			.detail = time_in_words(w->m, o->ended_at),
			.bad = true,
		};
}

static void
fill_order_page(struct web *w, struct equipment_order_page *p)
{
	const struct equipment_order *o = &p->order;
	bool is_manager = web_is(w, ROLE_MANAGER);

	p->is_own = o->customer_id == w->user.id;
	p->may_cancel = equipment_may_cancel(w->db, o, w->now, is_manager);
	p->may_hand_out = is_manager && o->state == EQUIPMENT_APPROVED && equipment_car_is_out(w->db, o);
	p->may_take_back = is_manager && o->state == EQUIPMENT_HANDED_OUT;
	p->n_missing = o->lacks ? o->quantity - o->taken : 0;
	p->end_words = equipment_reason_in_words(o->end_reason);
	p->lost_field = form_field(w, "lost", "0");
	if (is_manager)
		stock_entries_of(w->db, o->order_id, &p->entries, &p->n_entries);
	p->has_entries = p->n_entries > 0;
	fill_order_steps(w, p);
}

/* form: the order. */
static enum status
show_equipment_order(struct web *w, const void *form, enum status status, const char *message)
{
	struct equipment_order_page p = { .order = *(const struct equipment_order *)form,
		.problems = form_problems(w, message) };

	fill_order_page(w, &p);
	equipment_page_begin(w);
	return web_page(w, status, &order_show, &p);
}

enum status
page_equipment_order(struct web *w)
{
	struct equipment_order o;

	if (!the_order(w, &o))
		return web_not_found(w);
	return w->json ? web_json(w, HTTP_OK, &equipment_order_json_shape, &o)
		       : show_equipment_order(w, &o, HTTP_OK, NULL);
}

/* --- /equipment/orders/ID/cancel ---------------------------------------------------------------------------------- */

static enum status
show_order_cancel(struct web *w, const void *form, enum status status, const char *message)
{
	struct equipment_order_page p = { .order = *(const struct equipment_order *)form,
		.problems = form_problems(w, message) };

	fill_order_page(w, &p);
	equipment_page_begin(w);
	return web_page(w, status, &order_cancel_page, &p);
}

enum status
page_order_cancel(struct web *w)
{
	struct equipment_order o;

	if (!the_order(w, &o))
		return web_not_found(w);
	return w->json ? web_json(w, HTTP_OK, &equipment_order_json_shape, &o)
		       : show_order_cancel(w, &o, HTTP_OK, NULL);
}

enum status
do_order_cancel(struct web *w)
{
	struct equipment_order o;

	if (form_bad(w))
		return web_invalid(w);
	if (!the_order(w, &o))
		return web_not_found(w);
	web_form(w, show_order_cancel, &o);
	switch (equipment_cancel(w->db, &o, w->user.id, web_is(w, ROLE_MANAGER))) {
	case ORDER_CANCEL_DONE:
		return web_done(w, HTTP_OK, &equipment_order_json_shape, &o, "/equipment/orders/%lld?done=cancelled",
			(long long)o.order_id);
	case ORDER_CANCEL_NOT_POSSIBLE:
		return web_refuse(w, HTTP_CONFLICT, "not_cancellable",
			_("This order can no longer be cancelled: it was handed out, is on its way or has ended, or its"
			  " booking has started."));
	case ORDER_CANCEL_LATER:
		return web_later(
			w, equipment_later_s(), _("The order can't be cancelled right now. Nothing was changed."));
	}
	return web_broken(w);
}

/* --- hand out, take back ------------------------------------------------------------------------------------------ */

static enum status
done_order(struct web *w, const struct equipment_order *o, const char *done)
{
	return web_done(w, HTTP_OK, &equipment_order_json_shape, o, "/equipment/orders/%lld?done=%s",
		(long long)o->order_id, done);
}

static enum status
refuse_state(struct web *w)
{
	return web_refuse(w, HTTP_CONFLICT, "wrong_state",
		_("The order has changed in the meantime, so this is no longer possible. Please check it again."));
}

/* POST /equipment/orders/ID/hand-out. A double click finds it done. */
enum status
do_order_hand_out(struct web *w)
{
	struct equipment_order o;

	if (form_bad(w))
		return web_invalid(w);
	if (!the_order(w, &o))
		return web_not_found(w);
	web_form(w, show_equipment_order, &o);
	if (o.state == EQUIPMENT_HANDED_OUT || equipment_hand_out(w->db, &o, 0, w->user.id))
		return done_order(w, &o, "handed_out");
	if (o.state == EQUIPMENT_APPROVED && !equipment_car_is_out(w->db, &o))
		return web_refuse(w, HTTP_CONFLICT, "wrong_state",
			_("This equipment goes with a car. Please hand over the car first."));
	if (o.state == EQUIPMENT_APPROVED && w->now < o.ends_at)
		return web_refuse(w, HTTP_CONFLICT, "not_in_house",
			_("There are not enough units: some are still with other customers or reserved for earlier"
			  " orders. Record their return first."));
	return refuse_state(w);
}

/* POST /equipment/orders/ID/take-back {lost} */
enum status
do_order_take_back(struct web *w)
{
	struct equipment_order o;
	int64_t lost = form_has(w, "lost") ? form_int(w, "lost", 0, PIECES_MAX) : 0;

	if (!the_order(w, &o))
		return web_not_found(w);
	web_form(w, show_equipment_order, &o);
	if (lost > o.quantity)
		form_error(w, "lost", _("This is more than the quantity handed out."));
	if (form_bad(w))
		return web_invalid(w);
	if ((o.state == EQUIPMENT_RETURNED && o.lost == lost) || equipment_take_back(w->db, &o, lost, 0, w->user.id))
		return done_order(w, &o, "returned");
	return refuse_state(w);
}
