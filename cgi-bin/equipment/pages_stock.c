/* pages_stock - for managers: the ledger of one item, and entering a change. */
#include "pages.h"

#include <string.h>

struct stock_page {
	struct form_problems problems;
	struct item item;
	struct stock_entry *entries;
	int n_entries;
	struct paging paging;
	int64_t n_total;
	struct field kind, quantity, note;
};
static const struct member stock_page_members[] = {
	SHAPE_STRUCT(stock_page, problems, form_problems_shape), SHAPE_STRUCT(stock_page, item, item_shape),
	SHAPE_LIST(stock_page, entries, stock_entry_shape), SHAPE_STRUCT(stock_page, paging, paging_shape),
	SHAPE_INT(stock_page, n_total), SHAPE_STRUCT(stock_page, kind, field_shape),
	SHAPE_STRUCT(stock_page, quantity, field_shape), SHAPE_STRUCT(stock_page, note, field_shape),
};
static const struct shape stock_page_shape = SHAPE(stock_page, stock_page_members);
PAGE(stock_show, "equipment/stock", stock_page_shape)

static const struct member stock_json_members[] = {
	SHAPE_STRUCT(stock_page, item, item_json_shape), SHAPE_INT(stock_page, n_total),
	SHAPE_INT_AS(stock_page, page, paging.page), SHAPE_INT_AS(stock_page, n_pages, paging.n_pages),
	SHAPE_LIST(stock_page, entries, stock_entry_shape),
};
static const struct shape stock_json_shape = SHAPE(stock_page, stock_json_members);

/* What a person may enter; orders write their own lines. */
static const struct word change_word[] = {
	{ "receive", N_("Units received") },
	{ "loss",    N_("Units lost or broken") },
	{ "adjust",  N_("Stock count differs") },
};
static const struct words change_words = WORDS(change_word);

static enum status
show_stock(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct stock_page p = { .problems = form_problems(w, message) };

	if (!the_item(w, &p.item))
		return web_not_found(w);
	p.n_total = stock_n_entries(w->db, p.item.item_id);
	p.paging = web_paging(w, p.n_total, PER_PAGE);
	stock_entries(w->db, p.item.item_id, p.paging.offset, PER_PAGE, &p.entries, &p.n_entries);
	p.kind = form_field_choice(w, "kind", &change_words, 0, NULL);
	p.quantity = form_field(w, "quantity", "");
	p.note = form_field(w, "note", "");
	equipment_page_begin(w);
	return web_answer(w, status, &stock_json_shape, &stock_show, &p);
}

enum status
page_stock(struct web *w)
{
	return show_stock(w, NULL, HTTP_OK, NULL);
}

/* A loss or a difference needs a note. */
static struct stock_change
read_stock_change(struct web *w)
{
	int i = form_choice(w, "kind", &change_words);
	struct stock_change c = {
		.item_id = web_param_id(w, "item_id"),
		.actor_id = w->user.id,
		.kind = i < 0 ? -1 : words_find(&stock_kind_words, change_word[i].code),
		.request_key = form_request_key(w),
	};

	c.quantity = c.kind == STOCK_ADJUST ? form_int(w, "quantity", -PIECES_MAX, PIECES_MAX)
					    : form_int(w, "quantity", 1, PIECES_MAX);
	c.note = c.kind == STOCK_RECEIVE && !form_has(w, "note") ? "" : form_line(w, "note", NOTE_MAX);
	if (c.kind == STOCK_ADJUST && c.quantity == 0)
		form_error(w, "quantity", _("Please enter a quantity other than zero."));
	return c;
}

/* POST /equipment/items/ID/stock {kind, quantity, note} */
enum status
do_stock(struct web *w)
{
	struct stock_change c = read_stock_change(w);

	web_form(w, show_stock, NULL);
	if (form_bad(w))
		return web_invalid(w);
	switch (stock_change(w->db, &c)) {
	case STOCK_CHANGE_DONE:
		if (w->json)
			return show_stock(w, NULL, HTTP_OK, NULL);
		return web_redirect(w, "/equipment/items/%lld/stock?done=%s", (long long)c.item_id,
			words_code(&stock_kind_words, c.kind));
	case STOCK_CHANGE_NO_ITEM: return web_not_found(w);
	case STOCK_CHANGE_TOO_FEW:
		return form_refuse(w, HTTP_CONFLICT, "too_few", "quantity",
			_("There are not that many units in stock. Units reserved for orders do not count: cancel an"
			  " order or record a return first."));
	}
	return web_broken(w);
}
