/* pages_list - a manager's bookings: the lists of the day, and handing over. */
#include "booking.h"
#include "orders.h"
#include "pages.h"

#include "domain/menu.h"
#include "lib/base/clock.h"
#include "lib/web/form.h"

struct booking_list {
	struct tab *tabs;
	int n_tabs;
	const char *view;
	struct field state, q;
	struct booking_row *bookings;
	int n_bookings;
	struct sort_link by_start;
	struct paging paging;
	int64_t page, n_pages, n_total, now;
};
static const struct member booking_list_members[] = {
	SHAPE_LIST(booking_list, tabs, tab_shape), SHAPE_TEXT(booking_list, view),
	SHAPE_STRUCT(booking_list, state, field_shape), SHAPE_STRUCT(booking_list, q, field_shape),
	SHAPE_LIST(booking_list, bookings, booking_row_shape), SHAPE_STRUCT(booking_list, by_start, sort_link_shape),
	SHAPE_STRUCT(booking_list, paging, paging_shape), SHAPE_TIME(booking_list, now),
};
static const struct shape booking_list_shape = SHAPE(booking_list, booking_list_members);
PAGE(booking_list_page, "booking/desk", booking_list_shape)

static const struct member booking_list_json_members[] = {
	SHAPE_INT(booking_list, page), SHAPE_INT(booking_list, n_pages), SHAPE_INT(booking_list, n_total),
	SHAPE_LIST(booking_list, bookings, booking_row_shape),
};
static const struct shape booking_list_json_shape = SHAPE(booking_list, booking_list_json_members);

/* A tab drops the filters of the other view. */
static void
list_tabs(struct web *w, struct booking_list *d, int view)
{
	d->n_tabs = bookings_view_words.n + 1;
	d->tabs = arena_array(w->m, struct tab, d->n_tabs);
	for (int i = 0; i < bookings_view_words.n; i++)
		d->tabs[i] = (struct tab){
			.url = arena_printf(w->m, "/bookings?view=%s", bookings_view_words.word[i].code),
			.label = _(bookings_view_words.word[i].label),
			.is_current = i == view,
		};
	d->tabs[bookings_view_words.n] = (struct tab){ .url = "/bookings/stuck", .label = _("Needs attention") };
}

static struct booking_query
read_list_query(struct web *w)
{
	static const char *const columns[] = { "starts_at", NULL };
	int view = form_has(w, "view") ? words_find(&bookings_view_words, form_raw(w, "view")) : BOOKINGS_ALL;
	bool down;
	int sorted = web_sort(w, columns, &down);
	struct booking_query q = {
		.view = view < 0 ? BOOKINGS_ALL : (enum bookings_view)view,
		.state = form_has(w, "state") ? words_find(&booking_state_words, form_raw(w, "state")) : -1,
		.text = form_has(w, "q") ? form_text(w, "q", 80) : "",
		.today = day_start(w->now),
		.tomorrow = day_add(day_start(w->now), 1),
		.now = w->now,
	};

	q.order = sorted == 0            ? (down ? BOOKINGS_ORDER_START_DOWN : BOOKINGS_ORDER_START)
		: q.view == BOOKINGS_ALL ? BOOKINGS_ORDER_NEWEST
					 : BOOKINGS_ORDER_START;
	return q;
}

/* GET /bookings - for managers; others are sent to their own list. */
enum status
page_bookings(struct web *w)
{
	struct booking_query q;
	struct booking_list d = { .now = w->now };

	if (!web_is(w, ROLE_MANAGER))
		return web_redirect(w, "/my/bookings");
	q = read_list_query(w);
	d.n_total = bookings_count(w->db, &q);
	d.paging = web_paging(w, d.n_total, PER_PAGE);
	d.page = d.paging.page;
	d.n_pages = d.paging.n_pages;
	d.n_bookings = bookings_list(w->db, &q, d.paging.offset, PER_PAGE, &d.bookings);
	if (w->json)
		return web_json(w, HTTP_OK, &booking_list_json_shape, &d);
	list_tabs(w, &d, (int)q.view);
	d.view = words_code(&bookings_view_words, (int)q.view);
	d.state = form_field_choice(w, "state", &booking_state_words, -1, _("Any status"));
	d.q = form_field(w, "q", "");
	d.by_start = web_sort_link(w, "starts_at");
	menu_of(w)->nav_bookings = true;
	return web_page(w, HTTP_OK, &booking_list_page, &d);
}

/* A car that is in use or not in service is named, on the booking's page; the rest is as for the other steps. */
enum status
do_hand_over_car(struct web *w)
{
	struct car_gone gone;
	struct custody other;
	struct booking b;

	if (form_bad(w))
		return web_invalid(w);
	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (booking_hand_out(w->db, &b, w->user.id))
		return booking_done(w, HTTP_OK, &b, booking_url(w, &b));
	if (find_path_booking(w, &b) && booking_may_hand_out(w->db, &b) && custody_in_use(w->db, &b, true, &other))
		return w->json ? car_in_use_json(w, &other) : show_booking(w, HTTP_CONFLICT, BOOKING_PAGE, &b, NULL);
	if (booking_may_hand_out(w->db, &b) && booking_car_gone(w->db, &b, &gone))
		return w->json ? car_gone_json(w, &gone) : show_booking(w, HTTP_CONFLICT, BOOKING_PAGE, &b, NULL);
	return refuse_step(w);
}
