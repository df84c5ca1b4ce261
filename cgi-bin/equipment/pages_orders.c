/* pages_orders - the list of orders: a customer's own; for managers all, by what is to be done. */
#include "pages.h"

#include "domain/roles.h"
#include "lib/base/clock.h"

struct orders_page {
	struct tab *tabs;
	int n_tabs;
	const char *view, *item_id, *item_name, *all_items_url;
	struct field state, q;
	struct equipment_order *orders;
	int n_orders;
	struct paging paging;
	int64_t n_total;
	bool sees_all, may_order;
};
static const struct member orders_page_members[] = {
	SHAPE_LIST(orders_page, tabs, tab_shape), SHAPE_TEXT(orders_page, view), SHAPE_TEXT(orders_page, item_id),
	SHAPE_TEXT(orders_page, item_name), SHAPE_TEXT(orders_page, all_items_url),
	SHAPE_STRUCT(orders_page, state, field_shape), SHAPE_STRUCT(orders_page, q, field_shape),
	SHAPE_LIST(orders_page, orders, equipment_order_shape), SHAPE_STRUCT(orders_page, paging, paging_shape),
	SHAPE_INT(orders_page, n_total), SHAPE_BOOL(orders_page, sees_all), SHAPE_BOOL(orders_page, may_order),
};
static const struct shape orders_page_shape = SHAPE(orders_page, orders_page_members);
PAGE(orders_show, "equipment/orders", orders_page_shape)

static const struct member orders_json_members[] = {
	SHAPE_INT_AS(orders_page, page, paging.page), SHAPE_INT_AS(orders_page, n_pages, paging.n_pages),
	SHAPE_INT(orders_page, n_total),	SHAPE_LIST(orders_page, orders, equipment_order_json_shape),
};
static const struct shape orders_json_shape = SHAPE(orders_page, orders_json_members);

/* Managers see all orders, others their own. */
static struct orders_query
read_orders_query(struct web *w)
{
	int view = form_has(w, "view") ? words_find(&orders_view_words, form_raw(w, "view")) : ORDERS_ALL;

	return (struct orders_query){
		.view = view < 0 ? ORDERS_ALL : view,
		.state = form_has(w, "state") ? words_find(&equipment_state_words, form_raw(w, "state")) : -1,
		.text = form_has(w, "q") ? form_text(w, "q", 80) : "",
		.customer_id = web_is(w, ROLE_MANAGER) ? 0 : w->user.id,
		.item_id = form_has(w, "item_id") ? form_id(w, "item_id") : 0,
		.today = day_start(w->now),
		.tomorrow = day_add(day_start(w->now), 1),
		.now = w->now,
	};
}

static void
fill_filters(struct web *w, struct orders_page *p, const struct orders_query *q)
{
	struct item item;

	p->n_tabs = orders_view_words.n;
	p->tabs = web_tabs(w, "view", &orders_view_words, q->view, NULL);
	p->view = words_code(&orders_view_words, q->view);
	p->state = form_field_choice(w, "state", &equipment_state_words, -1, _("Any status"));
	p->q = form_field(w, "q", "");
	if (q->item_id && item_find(w->db, q->item_id, &item)) {
		p->item_id = form_id_text(w, item.item_id);
		p->item_name = item.label;
		p->all_items_url = web_url_with(w, "item_id", NULL);
	}
}

/* GET /equipment/orders */
enum status
page_equipment_orders(struct web *w)
{
	struct orders_query q = read_orders_query(w);
	struct orders_page p = {
		.n_total = orders_count(w->db, &q),
		.sees_all = web_is(w, ROLE_MANAGER),
		.may_order = web_is(w, ROLE_EMPLOYEE | ROLE_MANAGER),
	};

	p.paging = web_paging(w, p.n_total, PER_PAGE);
	orders_list(w->db, &q, p.paging.offset, PER_PAGE, &p.orders, &p.n_orders);
	fill_filters(w, &p, &q);
	equipment_page_begin(w);
	return web_answer(w, HTTP_OK, &orders_json_shape, &orders_show, &p);
}
