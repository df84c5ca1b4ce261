/*
 * pages - a customer looks at their bookings: the list by tabs, and one booking's progress, price, payment and history.
 *
 * Only shows. What can be done with a booking (pay, cancel, receipt) is booking's own, one link away.
 */
#include "pages.h"

#include "../counts.h"
#include "../../lib/clock.h"
#include "../../lib/lang.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the file may be replaced under us ------------------------------------------------------------------------------- */

/*
 * Somebody may delete the read models' file: the relay makes it anew. A worker that still has the old one open would show its
 * last state for ever, so it notices, finishes this request and is replaced.
 */
static ino_t opened;
static int64_t looked_ms;

static ino_t
inode_now(void)
{
	const char *var = getenv("MOTORPOOL_VAR");
	char path[4096];
	struct stat st;

	if (!var || snprintf(path, sizeof(path), "%s/view.db", var) >= (int)sizeof(path))
		return opened;
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

bool
mypage_open(struct db *db)
{
	(void)db;
	opened = inode_now();
	return true;
}

void
mypage_before(struct web *w)
{
	counts_show(w);
	if (clock_ms() - looked_ms < 500)
		return;
	looked_ms = clock_ms();
	if (inode_now() != opened)
		raise(SIGTERM);         /* let in only between requests (gateway.h) */
}

/* --- shared ---------------------------------------------------------------------------------------------------------- */

static const struct member freshness_members[] = { SHAPE_INT(freshness, n_behind), SHAPE_TEXT(freshness, as_of) };
const struct shape freshness_shape = SHAPE(freshness, freshness_members);

struct freshness
freshness(struct web *w)
{
	struct my_fresh f;
	struct local l;

	my_fresh(w->db, w->now, &f);
	clock_split(f.as_of, &l);
	return (struct freshness){
		.n_behind = f.n_behind, .as_of = arena_printf(w->m, "%02d:%02d:%02d %s", l.hour, l.minute, l.second, l.zone),
	};
}

const char *
branch_in_words(const char *name, const char *name_ko)
{
	return lang_now() == LANG_KO && name_ko && *name_ko ? name_ko : name;
}

/* --- GET /my/bookings ------------------------------------------------------------------------------------------------- */

struct tab {
	const char *url, *label;
	int64_t n;
	bool is_current;
};
static const struct member tab_members[] = {
	SHAPE_TEXT(tab, url), SHAPE_TEXT(tab, label), SHAPE_INT(tab, n), SHAPE_BOOL(tab, is_current),
};
static const struct shape tab_shape = SHAPE(tab, tab_members);

struct list_page {
	struct tab *tabs;
	int n_tabs;
	struct my_booking *bookings;
	int n_bookings;
	bool is_upcoming, has_any, has_rows;
	struct paging paging;
	struct freshness fresh;
	int64_t page, n_pages, n_total;
};
static const struct member list_members[] = {
	SHAPE_LIST(list_page, tabs, tab_shape), SHAPE_LIST(list_page, bookings, my_booking_shape), SHAPE_BOOL(list_page, is_upcoming),
	SHAPE_BOOL(list_page, has_any), SHAPE_BOOL(list_page, has_rows), SHAPE_STRUCT(list_page, paging, paging_shape), SHAPE_STRUCT(list_page, fresh, freshness_shape),
};
static const struct shape list_shape = SHAPE(list_page, list_members);
PAGE(list_template, "mypage/list", list_shape);

/* As JSON a booking in the list says what the list says of it. */
static const struct member listed_members[] = {
	SHAPE_TEXT(my_booking, code), SHAPE_STATE(my_booking, state, booking_state_words), SHAPE_INT(my_booking, car_id),
	SHAPE_TEXT(my_booking, car_name), SHAPE_TEXT(my_booking, plate), SHAPE_STATE(my_booking, body, body_words), SHAPE_INT(my_booking, branch_id),
	SHAPE_TEXT(my_booking, branch_name), SHAPE_TEXT(my_booking, branch_name_ko), SHAPE_TIME(my_booking, starts_at),
	SHAPE_TIME(my_booking, ends_at), SHAPE_AMOUNT(my_booking, amount), SHAPE_AMOUNT(my_booking, vat_amount),
	SHAPE_TEXT(my_booking, currency), SHAPE_STATE(my_booking, payment_state, my_payment_words), SHAPE_TEXT(my_booking, brand),
	SHAPE_TEXT(my_booking, last4), SHAPE_AMOUNT(my_booking, refund_due), SHAPE_AMOUNT(my_booking, refunded_amount),
	SHAPE_TIME(my_booking, updated_at),
};
static const struct shape listed_shape = SHAPE(my_booking, listed_members);
static const struct member list_json_members[] = {
	SHAPE_INT(list_page, page), SHAPE_INT(list_page, n_pages), SHAPE_INT(list_page, n_total),
	SHAPE_LIST(list_page, bookings, listed_shape), SHAPE_STRUCT(list_page, fresh, freshness_shape),
};
static const struct shape list_json_shape = SHAPE(list_page, list_json_members);

static void
make_tabs(struct web *w, struct list_page *p, enum my_shelf current, const int64_t n[])
{
	static const enum my_shelf shown[] = { SHELF_UPCOMING, SHELF_PAST, SHELF_CANCELLED, SHELF_ALL };

	p->n_tabs = sizeof(shown) / sizeof(shown[0]);
	p->tabs = arena_array(w->m, struct tab, p->n_tabs);
	for (int i = 0; i < p->n_tabs; i++)
		p->tabs[i] = (struct tab){
			.url = arena_printf(w->m, "/my/bookings?tab=%s", words_code(&my_shelf_words, shown[i])),
			.label = _(my_shelf_words.word[shown[i]].label), .n = n[shown[i]], .is_current = shown[i] == current,
		};
}

/* A browser begins with what is coming, a program with everything. */
static enum my_shelf
shelf_asked_for(struct web *w)
{
	int shelf = words_find(&my_shelf_words, form_raw(w, "tab"));

	if (shelf < 0 || shelf == SHELF_NONE)
		return w->json ? SHELF_ALL : SHELF_UPCOMING;
	return (enum my_shelf)shelf;
}

enum status
page_my(struct web *w)
{
	return web_redirect(w, "/my/bookings");
}

enum status
page_my_list(struct web *w)
{
	enum my_shelf shelf = shelf_asked_for(w);
	struct list_page p = { .is_upcoming = shelf == SHELF_UPCOMING, .fresh = freshness(w) };
	int64_t n[SHELF_ALL + 1];

	my_count(w->db, w->user.id, n);
	make_tabs(w, &p, shelf, n);
	p.has_any = n[SHELF_ALL] > 0;
	p.paging = web_paging(w, n[shelf], PER_PAGE);
	p.page = p.paging.page;
	p.n_pages = p.paging.n_pages;
	p.n_total = p.paging.n_total;
	p.n_bookings = my_list(w->db, w->user.id, shelf, p.paging.offset, PER_PAGE, &p.bookings);
	p.has_rows = p.n_bookings > 0;
	if (w->json)
		return web_json(w, OK, &list_json_shape, &p);
	for (int i = 0; i < p.n_bookings; i++)
		p.bookings[i].branch_name = branch_in_words(p.bookings[i].branch_name, p.bookings[i].branch_name_ko);
	w->chrome.nav_my = true;
	return web_page(w, OK, &list_template, &p);
}

/* --- GET /my/bookings/:code ------------------------------------------------------------------------------------------- */

/* What templates/steps, price_lines and timeline show. */
struct step { const char *title, *detail; bool done, now, bad; };
static const struct member step_members[] = {
	SHAPE_TEXT(step, title), SHAPE_TEXT(step, detail), SHAPE_BOOL(step, done), SHAPE_BOOL(step, now), SHAPE_BOOL(step, bad),
};
static const struct shape step_shape = SHAPE(step, step_members);

struct happening { int64_t at; const char *title, *detail; };
static const struct member happening_members[] = {
	SHAPE_TIME(happening, at), SHAPE_TEXT(happening, title), SHAPE_TEXT(happening, detail),
};
static const struct shape happening_shape = SHAPE(happening, happening_members);

struct booking_page {
	struct my_booking booking;
	struct step *steps;
	int n_steps;
	struct happening *events;
	int n_events;
	const char *why;                        /* why it ended, for people, or "" */
	bool is_moving, can_pay, can_cancel, has_receipt, is_refund_due, is_refunded;
	struct freshness fresh;
};
static const struct member page_members[] = {
	SHAPE_STRUCT(booking_page, booking, my_booking_shape), SHAPE_LIST(booking_page, steps, step_shape),
	SHAPE_LIST(booking_page, events, happening_shape), SHAPE_TEXT(booking_page, why), SHAPE_BOOL(booking_page, is_moving),
	SHAPE_BOOL(booking_page, can_pay), SHAPE_BOOL(booking_page, can_cancel), SHAPE_BOOL(booking_page, has_receipt),
	SHAPE_BOOL(booking_page, is_refund_due), SHAPE_BOOL(booking_page, is_refunded),
	SHAPE_STRUCT(booking_page, fresh, freshness_shape),
};
static const struct shape booking_page_shape = SHAPE(booking_page, page_members);
PAGE(booking_template, "mypage/booking", booking_page_shape);

static const char *
time_in_words(struct web *w, int64_t at)
{
	struct buf b = { .m = w->m };

	if (at == 0)
		return "";
	time_put(&b, lang_now(), at);
	return b.s;
}

static const char *
money_in_words(struct web *w, int64_t amount)
{
	struct buf b = { .m = w->m };

	money_put(&b, lang_now(), amount);
	return b.s;
}

/* "207,000원 · At your request." */
static const char *
event_detail(struct web *w, const struct my_event *e)
{
	const char *why = my_reason_in_words(e->reason);

	if (e->amount && *why)
		return arena_printf(w->m, "%s · %s", money_in_words(w, e->amount), why);
	return e->amount ? money_in_words(w, e->amount) : why;
}

static void
make_steps(struct web *w, struct booking_page *p)
{
	struct my_progress progress;

	my_progress(&p->booking, &progress);
	p->is_moving = progress.is_moving;
	p->n_steps = progress.n_steps;
	p->steps = arena_array(w->m, struct step, p->n_steps);
	for (int i = 0; i < p->n_steps; i++) {
		const struct my_progress_step *s = &progress.step[i];

		p->steps[i] = (struct step){
			.title = _(my_step_words.word[s->step].label), .detail = time_in_words(w, s->at),
			.done = s->mark == MARK_DONE, .now = s->mark == MARK_NOW, .bad = s->mark == MARK_BAD,
		};
	}
}

static void
make_history(struct web *w, struct booking_page *p)
{
	p->n_events = p->booking.n_events;
	p->events = arena_array(w->m, struct happening, p->n_events ? p->n_events : 1);
	for (int i = 0; i < p->n_events; i++) {
		const struct my_event *e = &p->booking.events[i];

		p->events[i] = (struct happening){
			.at = e->occurred_at, .title = _(my_event_words.word[e->type].label), .detail = event_detail(w, e),
		};
	}
}

static enum status
show_booking(struct web *w, struct my_booking *b)
{
	struct booking_page p = { .booking = *b, .fresh = freshness(w), .why = my_reason_in_words(b->end_reason) };

	make_steps(w, &p);
	make_history(w, &p);
	p.booking.branch_name = branch_in_words(b->branch_name, b->branch_name_ko);
	p.can_pay = b->state == HELD && b->hold_until > w->now;
	p.can_cancel = b->state == HELD || ((b->state == PAID || b->state == CONFIRMED) && b->starts_at > w->now);
	p.has_receipt = b->paid_at > 0;
	p.is_refund_due = b->payment_state == PAYMENT_GOING_BACK;
	p.is_refunded = b->refunded_amount > 0;
	return web_page(w, OK, &booking_template, &p);
}

/* Booked a moment ago, and the news is on its way: nothing to worry about. */
struct preparing_page { const char *code; };
static const struct member preparing_members[] = { SHAPE_TEXT(preparing_page, code) };
static const struct shape preparing_shape = SHAPE(preparing_page, preparing_members);
PAGE(preparing_template, "mypage/preparing", preparing_shape);

static enum status
show_preparing(struct web *w, const char *code)
{
	struct preparing_page p = { .code = code };

	web_set_header(w, "Retry-After", "1");
	if (w->json)
		return web_refuse(w, NOT_FOUND, "preparing", _("This booking is being prepared. Please ask again in a second."));
	return web_page(w, OK, &preparing_template, &p);
}

/* The relay needs some milliseconds: a customer who has just paid rather waits for them than reads "being prepared". */
static enum my_found
find_soon(struct web *w, const char *code, struct my_booking *b)
{
	enum my_found found = my_find(w->db, code, w->user.id, b);

	for (int i = 0; found == MY_PREPARING && i < 15; i++) {
		usleep(10000);
		found = my_find(w->db, code, w->user.id, b);
	}
	return found;
}

static bool
looks_like_code(const char *s)
{
	size_t n = strlen(s);

	return n >= 6 && n <= 20 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

enum status
page_my_booking(struct web *w)
{
	const char *code = web_param(w, "code");
	struct my_booking b;

	if (!looks_like_code(code))
		return web_not_found(w);
	w->chrome.nav_my = true;
	switch (find_soon(w, code, &b)) {
	case MY_FOUND:     return w->json ? web_json(w, OK, &my_booking_shape, &b) : show_booking(w, &b);
	case MY_PREPARING: return show_preparing(w, code);
	case MY_UNKNOWN:   return web_not_found(w);
	}
	return web_broken(w);
}
