/* pages - the items: the list, one item with its coming days; and what equipment's pages share. */
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/clock.h"

#include <string.h>

/* --- shared ---------------------------------------------------------------------------------------- */

bool
the_item(struct web *w, struct item *item)
{
	return item_find(w->db, web_param_id(w, "item_id"), item);
}

bool
the_order(struct web *w, struct equipment_order *o)
{
	int64_t order_id = web_param_id(w, "order_id"), whose = web_is(w, ROLE_MANAGER) ? 0 : w->user.id;

	if (order_id)
		return equipment_find(w->db, order_id, whose, o);
	return equipment_find_code(w->db, web_param(w, "order_id"), whose, o);
}

static const struct word done_word[] = {
	{ "added",      N_("The item was added.") },
	{ "saved",      N_("Your changes were saved.") },
	{ "offered",    N_("The item can be ordered again.") },
	{ "stopped",    N_("The item can no longer be ordered.") },
	{ "receive",    N_("The units were added to the stock.") },
	{ "loss",       N_("The lost units were removed from the stock.") },
	{ "adjust",     N_("The stock was adjusted.") },
	{ "ordered",    N_("The order was placed.") },
	{ "cancelled",  N_("The order was cancelled.") },
	{ "handed_out", N_("The equipment was handed out.") },
	{ "returned",   N_("The equipment was returned.") },
};
static const struct words equipment_done_words = WORDS(done_word);

void
equipment_page_begin(struct web *w)
{
	menu_of(w)->nav_equipment = true;
	web_notice(w, &equipment_done_words);
}

/* --- GET /equipment, GET /equipment/items ------------------------------------------------------------------------- */

struct items_page {
	struct item *items;
	int n_items;
	struct paging paging;
	int64_t n_total, now;
	int64_t n_hand_out, n_due, n_late, n_waiting;   /* for managers: orders to look after */
};
static const struct member items_page_members[] = {
	SHAPE_LIST(items_page, items, item_shape), SHAPE_STRUCT(items_page, paging, paging_shape),
	SHAPE_INT(items_page, n_total), SHAPE_INT(items_page, n_hand_out), SHAPE_INT(items_page, n_due),
	SHAPE_INT(items_page, n_late), SHAPE_INT(items_page, n_waiting), SHAPE_TIME(items_page, now),
};
static const struct shape items_page_shape = SHAPE(items_page, items_page_members);
PAGE(items_list, "equipment/items", items_page_shape)

static const struct member items_json_members[] = {
	SHAPE_INT(items_page, n_total), SHAPE_INT_AS(items_page, page, paging.page),
	SHAPE_INT_AS(items_page, n_pages, paging.n_pages), SHAPE_LIST(items_page, items, item_json_shape),
};
static const struct shape items_json_shape = SHAPE(items_page, items_json_members);

static int64_t
count_orders(struct web *w, enum orders_view view)
{
	struct orders_query q = {
		.view = (int)view,
		.state = -1,
		.text = "",
		.today = day_start(w->now),
		.tomorrow = day_add(day_start(w->now), 1),
		.now = w->now,
	};

	return orders_count(w->db, &q);
}

enum status
page_items(struct web *w)
{
	struct items_page p = { .n_total = item_count(w->db), .now = w->now };

	p.paging = web_paging(w, p.n_total, PER_PAGE);
	item_list(w->db, p.paging.offset, PER_PAGE, &p.items, &p.n_items);
	if (web_is(w, ROLE_MANAGER)) {
		p.n_hand_out = count_orders(w, ORDERS_HAND_OUT);
		p.n_due = count_orders(w, ORDERS_DUE);
		p.n_late = count_orders(w, ORDERS_LATE);
		p.n_waiting = count_orders(w, ORDERS_WAITING);
	}
	equipment_page_begin(w);
	return web_answer(w, HTTP_OK, &items_json_shape, &items_list, &p);
}

/* Customers order equipment with a car only, so they see their orders. */
enum status
page_overview(struct web *w)
{
	if (!web_is(w, ROLE_EMPLOYEE | ROLE_MANAGER))
		return web_redirect(w, "/equipment/orders");
	return page_items(w);
}

/* --- GET /equipment/items/ID -------------------------------------------------------------------------------------- */

/* The coming days as a calendar's weeks, Monday first; cells before today are empty (day NULL). */
struct free_week { struct free_day *days; int n_days; };
static const struct member free_week_members[] = { SHAPE_LIST(free_week, days, free_day_shape) };
static const struct shape free_week_shape = SHAPE(free_week, free_week_members);

struct item_page {
	struct item item;
	struct free_week *weeks;
	int n_weeks;
	struct equipment_order *orders;         /* for managers: its live orders */
	int n_orders;
};
static const struct member item_page_members[] = {
	SHAPE_STRUCT(item_page, item, item_shape), SHAPE_LIST(item_page, weeks, free_week_shape),
	SHAPE_LIST(item_page, orders, equipment_order_shape),
};
static const struct shape item_page_shape = SHAPE(item_page, item_page_members);
PAGE(item_show, "equipment/item", item_page_shape)

struct item_json { struct item item; struct free_day *days; int n_days; };
static const struct member free_day_json_members[] = { SHAPE_TIME(free_day, starts_at), SHAPE_INT(free_day, n_free) };
static const struct shape free_day_json_shape = SHAPE(free_day, free_day_json_members);

#define WEEKS_MAX (FREE_DAYS / 7 + 1)

static void
fill_weeks(struct web *w, struct item_page *p, const struct free_day *days)
{
	int year, month, number, weekday, cell;

	day_split(days[0].starts_at, &year, &month, &number, &weekday);
	p->weeks = arena_array(w->m, struct free_week, WEEKS_MAX);
	cell = (weekday + 6) % 7;
	p->n_weeks = (cell + FREE_DAYS + 6) / 7;
	for (int i = 0; i < p->n_weeks; i++)
		p->weeks[i] = (struct free_week){ arena_array(w->m, struct free_day, 7), 7 };
	for (int i = 0; i < FREE_DAYS; i++, cell++)
		p->weeks[cell / 7].days[cell % 7] = days[i];
}

/* The item with its coming days. */
static enum status
item_json(struct web *w, const struct item *item, const struct free_day *days)
{
	struct item_json j = { .item = *item, .days = (struct free_day *)days, .n_days = FREE_DAYS };
	struct member *members = arena_array(w->m, struct member, item_json_shape.n + 1);
	struct shape shape = { .name = "item", .size = sizeof(j), .member = members, .n = item_json_shape.n + 1 };
	const struct member list = {
		.name = "days",
		.kind = KIND_LIST,
		.of = &free_day_json_shape,
		.offset = offsetof(struct item_json, days),
		.n_offset = offsetof(struct item_json, n_days),
	};

	memcpy(members, item_json_shape.member, sizeof(*members) * (size_t)item_json_shape.n);
	members[item_json_shape.n] = list;
	return web_json(w, HTTP_OK, &shape, &j);
}

enum status
page_item(struct web *w)
{
	struct item_page p = { .n_orders = 0 };
	struct free_day days[FREE_DAYS];

	if (!the_item(w, &p.item))
		return web_not_found(w);
	item_free_days(w->db, &p.item, w->now, days);
	if (w->json)
		return item_json(w, &p.item, days);
	fill_weeks(w, &p, days);
	if (web_is(w, ROLE_MANAGER))
		item_orders(w->db, p.item.item_id, PER_PAGE, &p.orders, &p.n_orders);
	equipment_page_begin(w);
	return web_page(w, HTTP_OK, &item_show, &p);
}
