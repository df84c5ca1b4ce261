/* pages_stuck - what needs attention: all that has been pending for too long in booking and in payment; retried, or
 * closed manually. */
#include "booking.h"
#include "orders.h"
#include "pages.h"

#include "domain/rental.h"
#include "domain/menu.h"
#include "lib/web/form.h"

struct stuck_page {
	struct field kind;
	struct stuck_row *stuck;
	struct late_clash *late;
	int n_stuck, n_late;
	struct paging paging;
	int64_t page, n_pages, n_total, stuck_after_s, now;
	bool is_filtered, has_late;
};
static const struct member stuck_page_members[] = {
	SHAPE_STRUCT(stuck_page, kind, field_shape), SHAPE_LIST(stuck_page, stuck, stuck_row_shape),
	SHAPE_LIST(stuck_page, late, late_clash_shape), SHAPE_STRUCT(stuck_page, paging, paging_shape),
	SHAPE_INT(stuck_page, n_total), SHAPE_INT(stuck_page, stuck_after_s), SHAPE_TIME(stuck_page, now),
	SHAPE_BOOL(stuck_page, is_filtered), SHAPE_BOOL(stuck_page, has_late),
};
static const struct shape stuck_page_shape = SHAPE(stuck_page, stuck_page_members);
PAGE(stuck_html, "booking/stuck", stuck_page_shape)
PAGE(resolve_html, "stuck/question", stuck_form_shape)

static const struct member stuck_json_members[] = {
	SHAPE_INT(stuck_page, page), SHAPE_INT(stuck_page, n_pages), SHAPE_INT(stuck_page, n_total),
	SHAPE_INT(stuck_page, stuck_after_s), SHAPE_LIST(stuck_page, stuck, stuck_row_shape),
	SHAPE_LIST(stuck_page, late, late_clash_shape),
};
static const struct shape stuck_json_shape = SHAPE(stuck_page, stuck_json_members);

/* What the retry has done; the row may be on another page of the list. */
static const char *
retried_notice(struct web *w, const char *code)
{
	if (is_stuck(w->db, code, w->now))
		return arena_printf(w->m,
			_("%s was retried just now but is still pending; the list shows why. We keep retrying."), code);
	return arena_printf(w->m, _("%s is no longer pending."), code);
}

/* GET /bookings/stuck */
enum status
page_stuck(struct web *w)
{
	struct stuck_query q = {
		.kind = form_has(w, "kind") ? words_find(&stuck_kind_words, form_raw(w, "kind")) : -1,
		.now = w->now,
		.limit = PER_PAGE,
	};
	struct stuck_page p = { .now = w->now, .stuck_after_s = rental.stuck_after_s };

	p.n_total = stuck_rows_count(w->db, &q);
	p.paging = web_paging(w, p.n_total, PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	q.offset = p.paging.offset;
	p.n_stuck = stuck_rows(w->db, &q, &p.stuck);
	p.n_late = late_clashes(w->db, w->now, &p.late);
	p.has_late = p.n_late > 0;
	if (w->json)
		return web_json(w, HTTP_OK, &stuck_json_shape, &p);
	for (int i = 0; i < p.n_stuck; i++)
		p.stuck[i].last_error = stuck_error_in_words(w->m, p.stuck[i].kind, p.stuck[i].last_error);
	if (form_has(w, "done"))
		w->chrome.notice = retried_notice(w, form_text(w, "done", 40));
	p.is_filtered = q.kind >= 0;
	p.kind = form_field_choice(w, "kind", &stuck_kind_words, -1, _("All"));
	menu_of(w)->nav_stuck = true;
	if (!p.is_filtered)
		menu_of(w)->n_stuck = p.n_total; /* the menu's number may be older than the list */
	return web_page(w, HTTP_OK, &stuck_html, &p);
}

static enum status
done_with_booking(struct web *w, struct booking *b)
{
	return booking_done(w, HTTP_OK, b, arena_printf(w->m, "/bookings/stuck?done=%s", b->code));
}

/* POST /bookings/:code/retry - a second click retries again, or finds it done. */
enum status
do_retry(struct web *w)
{
	struct booking b;

	if (form_bad(w))
		return web_invalid(w);
	if (!find_path_booking(w, &b))
		return web_not_found(w);
	booking_retry(w->db, &b, w->user.id);
	return done_with_booking(w, &b);
}

static struct stuck_form
booking_resolve_form(struct web *w, const struct booking *b)
{
	struct stuck_form f = {
		.page = &resolve_html,
		.subject_id = b->code,
		.kind = booking_stuck_kind(b),
		.since = booking_stuck_since(b),
		.last_error = b->last_error,
		.amount = b->state == BOOKING_CANCEL_REQUESTED || b->state == BOOKING_REJECTED ? b->refund_due
											       : b->amount,
		.tries = b->state == BOOKING_HELD ? b->ask_tries : b->refund_tries,
		.action = arena_printf(w->m, "/bookings/%s/resolve", b->code),
		.back = arena_printf(w->m, "/bookings/%s", b->code),
	};
	const char *email;

	if (f.kind == STUCK_CANCEL || (f.kind == STUCK_REFUND && b->charge_id))
		f.charge_url = arena_printf(w->m, "/payments/%lld/resolve", (long long)b->charge_id);
	customer_of(w->db, b->customer_id, &f.customer_name, &email);
	return f;
}

enum status
page_resolve(struct web *w)
{
	struct stuck_form f;
	struct booking b;

	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (booking_stuck_kind(&b) < 0)
		return stuck_refuse(w, RESOLVE_NOT_STUCK);
	f = booking_resolve_form(w, &b);
	return stuck_show_form(w, &f, HTTP_OK, NULL);
}

/* POST /bookings/:code/resolve {way, reason} */
enum status
do_resolve(struct web *w)
{
	enum resolve_outcome outcome;
	struct stuck_choice choice;
	struct stuck_form f;
	struct booking b;

	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (booking_stuck_kind(&b) < 0)
		return stuck_refuse(w, RESOLVE_NOT_STUCK);
	f = booking_resolve_form(w, &b);
	web_form(w, stuck_show_form, &f);
	choice = stuck_read_form(w, f.kind);
	if (form_bad(w))
		return web_invalid(w);
	outcome = booking_resolve(w->db, &b, (enum stuck_resolution)choice.way, choice.reason, w->user.id);
	return outcome == RESOLVE_DONE ? done_with_booking(w, &b) : stuck_refuse(w, outcome);
}
