/* pages_stock - a manager's ledger of one item: what came and went, and writing down what else did. */
#include "pages.h"

#include <string.h>

struct stock_page {
	struct form_problems problems;
	struct item item;
	struct stock_entry *entries;
	int n_entries;
	struct paging paging;
	int64_t n_total, page, n_pages;
	struct field kind, quantity, note;
};
static const struct member stock_page_members[] = {
	SHAPE_STRUCT(stock_page, problems, form_problems_shape), SHAPE_STRUCT(stock_page, item, item_shape),
	SHAPE_LIST(stock_page, entries, stock_entry_shape), SHAPE_STRUCT(stock_page, paging, paging_shape), SHAPE_INT(stock_page, n_total),
	SHAPE_STRUCT(stock_page, kind, field_shape), SHAPE_STRUCT(stock_page, quantity, field_shape), SHAPE_STRUCT(stock_page, note, field_shape),
};
static const struct shape stock_page_shape = SHAPE(stock_page, stock_page_members);
PAGE(stock_show, "equipment/stock", stock_page_shape)

static const struct member stock_json_members[] = {
	SHAPE_STRUCT(stock_page, item, item_json_shape), SHAPE_INT(stock_page, n_total), SHAPE_INT(stock_page, page),
	SHAPE_INT(stock_page, n_pages), SHAPE_LIST(stock_page, entries, stock_entry_shape),
};
static const struct shape stock_json_shape = SHAPE(stock_page, stock_json_members);

/* What a person may write down; orders write their own lines. */
static const struct word deed[] = {
	{ "receive", N_("Units received") },
	{ "loss",    N_("Units lost or broken") },
	{ "adjust",  N_("Stock count differs") },
};
static const struct words deed_words = WORDS(deed);

static enum status
show_stock(struct web *w, enum status status, const char *message)
{
	struct stock_page p = { .problems = form_problems(w, message) };

	if (!the_item(w, &p.item))
		return web_not_found(w);
	p.n_total = stock_n_entries(w->db, p.item.item_id);
	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	stock_entries(w->db, p.item.item_id, p.paging.offset, PER_PAGE, &p.entries, &p.n_entries);
	if (w->json)
		return web_json(w, status, &stock_json_shape, &p);
	p.kind = form_field_choice(w, "kind", &deed_words, 0, NULL);
	p.quantity = form_field(w, "quantity", "");
	p.note = form_field(w, "note", "");
	say_done(w);
	return web_page(w, status, &stock_show, &p);
}

enum status
page_stock(struct web *w)
{
	return show_stock(w, HTTP_OK, NULL);
}

/* What is lost or does not add up is explained; a delivery may speak for itself. */
static struct stock_deed
read_deed(struct web *w)
{
	int i = form_choice(w, "kind", &deed_words);
	struct stock_deed d = {
		.item_id = web_param_id(w, "item_id"), .actor_id = w->user.id,
		.kind = i < 0 ? -1 : words_find(&stock_kind_words, deed[i].code), .request_key = web_idempotency_key(w),
	};

	d.quantity = d.kind == STOCK_ADJUST ? form_int(w, "quantity", -PIECES_MAX, PIECES_MAX) : form_int(w, "quantity", 1, PIECES_MAX);
	d.note = d.kind == STOCK_RECEIVE && !form_has(w, "note") ? "" : form_line(w, "note", NOTE_MAX);
	if (d.kind == STOCK_ADJUST && d.quantity == 0)
		form_error(w, "quantity", _("Please enter a quantity other than zero."));
	if (strlen(d.request_key) > 200)
		form_error(w, "form_key", _("The idempotency key is longer than 200 characters."));
	return d;
}

static enum status
too_few(struct web *w)
{
	const char *message = _("There are not that many units in stock. Units reserved for orders do not count: cancel an order or record a return first.");

	form_error(w, "quantity", message);
	return w->json ? web_refuse(w, HTTP_CONFLICT, "too_few", message) : show_stock(w, HTTP_CONFLICT, marked_fields());
}

/* POST /equipment/items/ID/stock {kind, quantity, note} */
enum status
do_stock(struct web *w)
{
	struct stock_deed d = read_deed(w);

	if (form_bad(w))
		return w->json ? refuse_fields(w) : show_stock(w, HTTP_UNPROCESSABLE, marked_fields());
	switch (stock_do(w->db, &d)) {
	case STOCK_OK:      break;
	case STOCK_NO_ITEM: return web_not_found(w);
	case STOCK_TOO_FEW: return too_few(w);
	}
	if (w->json)
		return show_stock(w, HTTP_OK, NULL);
	return web_redirect(w, "/equipment/items/%lld/stock?done=%s", (long long)d.item_id, words_code(&stock_kind_words, d.kind));
}
