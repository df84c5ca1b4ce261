/*
 * equipment 장비 - its routes and what they need. Customers see their own orders; employees order, managers see and
 * change everything. pages.c shows items, pages_item.c changes them, pages_stock.c is the ledger, pages_orders.c lists
 * orders, pages_place.c is the order form, pages_order.c one order.
 */
#include "equipment.h"
#include "pages.h"

#include "domain/menu.h"
#include "domain/counts.h"
#include "lib/process/program.h"

static const struct route routes[] = {
	{ GET,        "/equipment",                            page_overview,            ROUTE_SIGNED_IN },

	{ GET,        "/equipment/items",                      page_items,               ROLE_EMPLOYEE | ROLE_MANAGER },
	{ POST,       "/equipment/items",                      do_item_add,              ROLE_MANAGER },
	{ GET,        "/equipment/items/new",                  page_item_new,            ROLE_MANAGER },
	{ GET,        "/equipment/items/:item_id",             page_item,                ROLE_EMPLOYEE | ROLE_MANAGER },
	{ POST | PUT, "/equipment/items/:item_id",             do_item_change,           ROLE_MANAGER },
	{ GET,        "/equipment/items/:item_id/edit",        page_item_edit,           ROLE_MANAGER },
	{ POST,       "/equipment/items/:item_id/offer",       do_item_offer,            ROLE_MANAGER },
	{ GET,        "/equipment/items/:item_id/stock",       page_stock,               ROLE_MANAGER },
	{ POST,       "/equipment/items/:item_id/stock",       do_stock,                 ROLE_MANAGER },

	{ GET,        "/equipment/orders",                     page_equipment_orders,    ROUTE_SIGNED_IN },
	{ POST,       "/equipment/orders",                     do_equipment_order,       ROLE_EMPLOYEE | ROLE_MANAGER },
	{ GET,        "/equipment/orders/new",                 page_equipment_order_new, ROLE_EMPLOYEE | ROLE_MANAGER },
	{ GET,        "/equipment/orders/:order_id",           page_equipment_order,     ROUTE_SIGNED_IN },
	{ GET,        "/equipment/orders/:order_id/cancel",    page_order_cancel,        ROUTE_SIGNED_IN },
	{ POST,       "/equipment/orders/:order_id/cancel",    do_order_cancel,          ROUTE_SIGNED_IN },
	{ POST,       "/equipment/orders/:order_id/hand-out",  do_order_hand_out,        ROLE_MANAGER },
	{ POST,       "/equipment/orders/:order_id/take-back", do_order_take_back,       ROLE_MANAGER },
	{ 0 },
};

static const struct program program = {
	.name = "equipment", .site = &rental_site, .prefix = "/equipment", .routes = routes, .role = &equipment_role,
		.before = counts_show,
};

int
main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
