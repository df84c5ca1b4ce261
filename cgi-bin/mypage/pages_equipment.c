/* pages_equipment - a customer's equipment ordered without a car, and how any order of equipment is shown. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

static const struct member order_shown_members[] = {
	SHAPE_STRUCT(order_shown, order, my_order_shape), SHAPE_TEXT(order_shown, name), SHAPE_TEXT(order_shown, why),
};
const struct shape order_shown_shape = SHAPE(order_shown, order_shown_members);

struct order_shown *
orders_in_words(struct web *w, const struct my_order *orders, int n)
{
	struct order_shown *shown = arena_array(w->m, struct order_shown, n + 1);

	for (int i = 0; i < n; i++)
		shown[i] = (struct order_shown){
			.order = orders[i],
			.name = lang_pick(lang_now(), orders[i].item_name, orders[i].item_name_ko),
			.why = my_reason_in_words(*orders[i].reason ? orders[i].reason : orders[i].ended_by),
		};
	return shown;
}

/* --- GET /my/equipment -------------------------------------------------------------------------------------------- */

struct my_equipment_page {
	struct order_shown *rows;
	int n_rows;
	struct my_order *orders;
	int n_orders;
	bool has_rows;
	struct paging paging;
	struct freshness fresh;
};
static const struct member my_equipment_members[] = {
	SHAPE_LIST(my_equipment_page, rows, order_shown_shape), SHAPE_BOOL(my_equipment_page, has_rows),
	SHAPE_STRUCT(my_equipment_page, paging, paging_shape), SHAPE_STRUCT(my_equipment_page, fresh, freshness_shape),
};
static const struct shape my_equipment_shape = SHAPE(my_equipment_page, my_equipment_members);
PAGE(equipment_template, "mypage/equipment", my_equipment_shape);

static const struct member my_equipment_json_members[] = {
	SHAPE_INT_AS(my_equipment_page, page, paging.page), SHAPE_INT_AS(my_equipment_page, n_pages, paging.n_pages),
	SHAPE_INT_AS(my_equipment_page, n_total, paging.n_total), SHAPE_LIST(my_equipment_page, orders, my_order_shape),
	SHAPE_STRUCT(my_equipment_page, fresh, freshness_shape),
};
static const struct shape my_equipment_json_shape = SHAPE(my_equipment_page, my_equipment_json_members);

enum status
page_my_equipment(struct web *w)
{
	struct my_equipment_page p = { .fresh = freshness(w) };

	p.paging = web_paging(w, my_orders_alone_count(w->db, w->user.id), PER_PAGE);
	p.n_rows = p.n_orders = my_orders_alone(w->db, w->user.id, p.paging.offset, PER_PAGE, &p.orders);
	p.rows = orders_in_words(w, p.orders, p.n_orders);
	p.has_rows = p.n_rows > 0;
	menu_of(w)->nav_my = true;
	return web_answer(w, HTTP_OK, &my_equipment_json_shape, &equipment_template, &p);
}
