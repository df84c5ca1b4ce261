/* pages_stuck - the stuck desk: everything that rests on its way for too long, whoever owns it; tried at once, or ended by hand. */
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
	SHAPE_LIST(stuck_page, late, late_clash_shape), SHAPE_STRUCT(stuck_page, paging, paging_shape), SHAPE_INT(stuck_page, n_total),
	SHAPE_INT(stuck_page, stuck_after_s), SHAPE_TIME(stuck_page, now), SHAPE_BOOL(stuck_page, is_filtered), SHAPE_BOOL(stuck_page, has_late),
};
static const struct shape stuck_page_shape = SHAPE(stuck_page, stuck_page_members);
PAGE(stuck_html, "booking/stuck", stuck_page_shape)
PAGE(resolve_html, "stuck/question", stuck_question_shape)

static const struct member stuck_json_members[] = {
	SHAPE_INT(stuck_page, page), SHAPE_INT(stuck_page, n_pages), SHAPE_INT(stuck_page, n_total), SHAPE_INT(stuck_page, stuck_after_s),
	SHAPE_LIST(stuck_page, stuck, stuck_row_shape), SHAPE_LIST(stuck_page, late, late_clash_shape),
};
static const struct shape stuck_json_shape = SHAPE(stuck_page, stuck_json_members);

/* What became of the one that was just tried; it may stand on another page of the list. */
static const char *
what_became(struct web *w, const char *code)
{
	if (is_stuck(w->db, code, w->now))
		return arena_printf(w->m, _("%s was retried just now but is still pending; the list shows why. We keep retrying."), code);
	return arena_printf(w->m, _("%s is no longer pending."), code);
}

/* GET /bookings/stuck */
enum status
page_stuck(struct web *w)
{
	struct stuck_query q = {
		.kind = form_has(w, "kind") ? words_find(&stuck_kind_words, form_raw(w, "kind")) : -1, .now = w->now, .limit = PER_PAGE,
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
		w->chrome.notice = what_became(w, form_text(w, "done", 40));
	p.is_filtered = q.kind >= 0;
	p.kind = form_field_choice(w, "kind", &stuck_kind_words, -1, _("All"));
	menu_of(w)->nav_stuck = true;
	if (!p.is_filtered)
		menu_of(w)->n_stuck = p.n_total;  /* the menu agrees with the list below it */
	return web_page(w, HTTP_OK, &stuck_html, &p);
}

static enum status
back_to_desk(struct web *w, const struct booking *b)
{
	return w->json ? web_json(w, HTTP_OK, &booking_json_shape, b) : web_redirect(w, "/bookings/stuck?done=%s", b->code);
}

/* POST /bookings/:code/retry - a second click tries once more, or finds it done: both are what was wanted. */
enum status
do_retry(struct web *w)
{
	struct booking b;

	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	if (!find_booking(w, &b))
		return web_not_found(w);
	booking_retry(w->db, &b, w->user.id);
	return back_to_desk(w, &b);
}

static struct stuck_question
question(struct web *w, const struct booking *b)
{
	struct stuck_question q = {
		.subject_id = b->code, .kind = booking_stuck_kind(b), .since = booking_stuck_since(b), .last_error = b->last_error,
		.amount = b->state == BOOKING_CANCEL_REQUESTED || b->state == BOOKING_REJECTED ? b->refund_due : b->amount,
		.tries = b->state == BOOKING_HELD ? b->ask_tries : b->refund_tries,
		.action = arena_printf(w->m, "/bookings/%s/resolve", b->code), .back = arena_printf(w->m, "/bookings/%s", b->code),
	};
	const char *email;

	if (q.kind == STUCK_CANCEL || (q.kind == STUCK_REFUND && b->charge_id))
		q.charge_url = arena_printf(w->m, "/payments/%lld/resolve", (long long)b->charge_id);
	customer_of(w->db, b->customer_id, &q.customer_name, &email);
	return q;
}

enum status
page_resolve(struct web *w)
{
	struct stuck_question q;
	struct booking b;

	if (!find_booking(w, &b))
		return web_not_found(w);
	if (booking_stuck_kind(&b) < 0)
		return stuck_refuse(w, &resolve_html, NULL, STUCK_NO_MORE);
	q = question(w, &b);
	return stuck_ask(w, &resolve_html, &q, HTTP_OK, NULL, NULL);
}

/* POST /bookings/:code/resolve {way, reason} */
enum status
do_resolve(struct web *w)
{
	struct stuck_choice choice;
	struct stuck_question q;
	enum stuck_outcome outcome;
	struct booking b;

	if (!find_booking(w, &b))
		return web_not_found(w);
	if (booking_stuck_kind(&b) < 0)
		return stuck_refuse(w, &resolve_html, NULL, STUCK_NO_MORE);
	q = question(w, &b);
	choice = stuck_answer(w, q.kind);
	if (form_bad(w))
		return stuck_ask(w, &resolve_html, &q, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	outcome = booking_resolve(w->db, &b, (enum stuck_way)choice.way, choice.reason, w->user.id);
	return outcome == STUCK_RESOLVED ? back_to_desk(w, &b) : stuck_refuse(w, &resolve_html, &q, outcome);
}
