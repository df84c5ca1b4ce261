/* pages_equipment - what somebody ordered from the equipment without a car, and how any order of equipment is shown. */
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
			.order = orders[i], .name = in_words(orders[i].item_name, orders[i].item_name_ko),
			.why = my_reason_said(*orders[i].reason ? orders[i].reason : orders[i].ended_by),
		};
	return shown;
}

/* --- GET /my/equipment ---------------------------------------------------------------------------------------------------- */

struct equipment_page {
	struct order_shown *rows;
	int n_rows;
	struct my_order *orders;
	int n_orders;
	bool has_rows;
	struct paging paging;
	struct freshness fresh;
	int64_t page, n_pages, n_total;
};
static const struct member page_members[] = {
	SHAPE_LIST(equipment_page, rows, order_shown_shape), SHAPE_BOOL(equipment_page, has_rows),
	SHAPE_STRUCT(equipment_page, paging, paging_shape), SHAPE_STRUCT(equipment_page, fresh, freshness_shape),
};
static const struct shape page_shape = SHAPE(equipment_page, page_members);
PAGE(equipment_template, "mypage/equipment", page_shape);

static const struct member json_members[] = {
	SHAPE_INT(equipment_page, page), SHAPE_INT(equipment_page, n_pages), SHAPE_INT(equipment_page, n_total),
	SHAPE_LIST(equipment_page, orders, my_order_shape), SHAPE_STRUCT(equipment_page, fresh, freshness_shape),
};
static const struct shape json_shape = SHAPE(equipment_page, json_members);

enum status
page_my_equipment(struct web *w)
{
	struct equipment_page p = { .fresh = freshness(w) };

	p.paging = web_paging(w, my_orders_alone_count(w->db, w->user.id), PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	p.n_total = p.paging.n_total;
	p.n_orders = my_orders_alone(w->db, w->user.id, p.paging.offset, PER_PAGE, &p.orders);
	if (w->json)
		return web_json(w, HTTP_OK, &json_shape, &p);
	p.n_rows = p.n_orders;
	p.has_rows = p.n_rows > 0;
	p.rows = orders_in_words(w, p.orders, p.n_orders);
	menu_of(w)->nav_my = true;
	return web_page(w, HTTP_OK, &equipment_template, &p);
}
