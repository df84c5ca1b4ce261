/* pages_desk - the orders: everybody's own, a manager's desk for the day; handing out and taking back. */
#include "pages.h"

#include "domain/roles.h"
#include "lib/base/clock.h"

struct orders_tab { const char *url, *label; bool selected; };
static const struct member orders_tab_members[] = {
	SHAPE_TEXT(orders_tab, url), SHAPE_TEXT(orders_tab, label), SHAPE_BOOL(orders_tab, selected),
};
static const struct shape orders_tab_shape = SHAPE(orders_tab, orders_tab_members);

struct orders_page {
	struct orders_tab *tabs;
	int n_tabs;
	const char *view, *item_id, *item_name, *all_items_url;
	struct field state, q;
	struct equipment_order *orders;
	int n_orders;
	struct paging paging;
	int64_t page, n_pages, n_total;
	bool is_desk, may_order;
};
static const struct member orders_page_members[] = {
	SHAPE_LIST(orders_page, tabs, orders_tab_shape), SHAPE_TEXT(orders_page, view), SHAPE_TEXT(orders_page, item_id),
	SHAPE_TEXT(orders_page, item_name), SHAPE_TEXT(orders_page, all_items_url), SHAPE_STRUCT(orders_page, state, field_shape),
	SHAPE_STRUCT(orders_page, q, field_shape), SHAPE_LIST(orders_page, orders, equipment_order_shape),
	SHAPE_STRUCT(orders_page, paging, paging_shape), SHAPE_INT(orders_page, n_total), SHAPE_BOOL(orders_page, is_desk),
	SHAPE_BOOL(orders_page, may_order),
};
static const struct shape orders_page_shape = SHAPE(orders_page, orders_page_members);
PAGE(orders_show, "equipment/orders", orders_page_shape)

static const struct member orders_json_members[] = {
	SHAPE_INT(orders_page, page), SHAPE_INT(orders_page, n_pages), SHAPE_INT(orders_page, n_total),
	SHAPE_LIST(orders_page, orders, equipment_order_json_shape),
};
static const struct shape orders_json_shape = SHAPE(orders_page, orders_json_members);

static void
make_tabs(struct web *w, struct orders_page *p, int view)
{
	p->n_tabs = orders_view_words.n;
	p->tabs = arena_array(w->m, struct orders_tab, p->n_tabs);
	for (int i = 0; i < p->n_tabs; i++)
		p->tabs[i] = (struct orders_tab){
			.url = arena_printf(w->m, "/equipment/orders?view=%s", orders_view_words.word[i].code),
			.label = _(orders_view_words.word[i].label), .selected = i == view,
		};
}

/* A manager looks at everybody's, all others at their own. */
static struct orders_query
read_query(struct web *w)
{
	int view = form_has(w, "view") ? words_find(&orders_view_words, form_raw(w, "view")) : ORDERS_ALL;

	return (struct orders_query){
		.view = view < 0 ? ORDERS_ALL : view,
		.state = form_has(w, "state") ? words_find(&equipment_state_words, form_raw(w, "state")) : -1,
		.text = form_has(w, "q") ? form_text(w, "q", 80) : "",
		.customer_id = web_is(w, ROLE_MANAGER) ? 0 : w->user.id, .item_id = form_has(w, "item_id") ? form_id(w, "item_id") : 0,
		.today = day_start(w->now), .tomorrow = day_add(day_start(w->now), 1), .now = w->now,
	};
}

static void
fill_filters(struct web *w, struct orders_page *p, const struct orders_query *q)
{
	struct item item;

	make_tabs(w, p, q->view);
	p->view = words_code(&orders_view_words, q->view);
	p->state = form_field_choice(w, "state", &equipment_state_words, -1, _("Any status"));
	p->q = form_field(w, "q", "");
	if (q->item_id && item_find(w->db, q->item_id, &item)) {
		p->item_id = id_text(w, item.item_id);
		p->item_name = item.label;
		p->all_items_url = web_url_with(w, "item_id", NULL);
	}
}

/* GET /equipment/orders */
enum status
page_orders(struct web *w)
{
	struct orders_query q = read_query(w);
	struct orders_page p = { .n_total = orders_count(w->db, &q), .is_desk = web_is(w, ROLE_MANAGER), .may_order = web_is(w, ROLE_EMPLOYEE | ROLE_MANAGER) };

	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	orders_list(w->db, &q, p.paging.offset, PER_PAGE, &p.orders, &p.n_orders);
	if (w->json)
		return web_json(w, HTTP_OK, &orders_json_shape, &p);
	fill_filters(w, &p, &q);
	say_done(w);
	return web_page(w, HTTP_OK, &orders_show, &p);
}

/* --- out and back ------------------------------------------------------------------------------------------------------ */

static enum status
wrong_state(struct web *w, const struct equipment_order *o, const char *code, const char *message)
{
	return w->json ? web_refuse(w, HTTP_CONFLICT, code, message) : show_order(w, o, HTTP_CONFLICT, message);
}

static enum status
show_moved(struct web *w, const struct equipment_order *o, const char *done)
{
	return w->json ? web_json(w, HTTP_OK, &equipment_order_json_shape, o) : web_redirect(w, "/equipment/orders/%lld?done=%s", (long long)o->order_id, done);
}

/* POST /equipment/orders/ID/hand-out. The second of two clicks finds it done. */
enum status
do_hand_out(struct web *w)
{
	struct equipment_order o;

	if (form_bad(w))
		return refuse_fields(w);
	if (!the_order(w, &o))
		return web_not_found(w);
	if (o.state == EQUIPMENT_HANDED_OUT || equipment_hand_out(w->db, &o, 0, w->user.id))
		return show_moved(w, &o, "handed_out");
	if (o.state == EQUIPMENT_APPROVED && !equipment_may_go(w->db, &o))
		return wrong_state(w, &o, "wrong_state", _("This equipment goes with a car. Please hand over the car first."));
	if (o.state == EQUIPMENT_APPROVED && w->now < o.ends_at)
		return wrong_state(w, &o, "not_in_house", _("There are not enough units: some are still with other customers or reserved for earlier orders. Record their return first."));
	return wrong_state(w, &o, "wrong_state", _("The order has changed in the meantime, so this is no longer possible. Please check it again."));
}

/* POST /equipment/orders/ID/take-back {lost} */
enum status
do_take_back(struct web *w)
{
	struct equipment_order o;
	int64_t lost = form_has(w, "lost") ? form_int(w, "lost", 0, PIECES_MAX) : 0;

	if (!the_order(w, &o))
		return web_not_found(w);
	if (lost > o.quantity)
		form_error(w, "lost", _("This is more than the quantity handed out."));
	if (form_bad(w))
		return w->json ? refuse_fields(w) : show_order(w, &o, HTTP_UNPROCESSABLE, marked_fields());
	if ((o.state == EQUIPMENT_RETURNED && o.lost == lost) || equipment_take_back(w->db, &o, lost, 0, w->user.id))
		return show_moved(w, &o, "returned");
	return wrong_state(w, &o, "wrong_state", _("The order has changed in the meantime, so this is no longer possible. Please check it again."));
}
