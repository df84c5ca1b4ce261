/*
 * pages - a customer looks at their bookings: the list by tabs; one booking is pages_booking.c, equipment alone pages_equipment.c.
 *
 * Only shows. What can be done with a booking (pay, cancel, receipt) is booking's own, one link away.
 */
#include "pages.h"

#include "domain/counts.h"
#include "domain/menu.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

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
		.n_behind = f.n_behind, .as_of = arena_printf(w->m, "%02d:%02d:%02d", l.hour, l.minute, l.second),
	};
}

const char *
in_words(const char *name, const char *name_ko)
{
	return lang_now() == LANG_KO && name_ko && *name_ko ? name_ko : name;
}

const char *
money_in_words(struct web *w, int64_t amount)
{
	struct buf b = { .m = w->m };

	money_put(&b, lang_now(), amount);
	return b.s;
}

/* --- GET /my/bookings ------------------------------------------------------------------------------------------------- */

/* A booking in the list, with its marks. */
struct row { struct my_booking booking; int64_t n_more; };      /* n_more: cars beside the first */
static const struct member row_members[] = { SHAPE_STRUCT(row, booking, my_booking_shape), SHAPE_INT(row, n_more) };
static const struct shape row_shape = SHAPE(row, row_members);

struct list_page {
	struct tab *tabs;
	int n_tabs;
	struct row *rows;
	int n_rows;
	struct my_booking *bookings;
	int n_bookings;
	bool is_upcoming, has_any, has_rows;
	struct paging paging;
	struct freshness fresh;
	int64_t page, n_pages, n_total;
};
static const struct member list_members[] = {
	SHAPE_LIST(list_page, tabs, tab_shape), SHAPE_LIST(list_page, rows, row_shape), SHAPE_BOOL(list_page, is_upcoming),
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
	SHAPE_INT(my_booking, n_cars), SHAPE_INT(my_booking, n_equipment), SHAPE_BOOL(my_booking, is_brought),
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

static void
make_rows(struct web *w, struct list_page *p)
{
	p->n_rows = p->n_bookings;
	p->rows = arena_array(w->m, struct row, p->n_rows + 1);
	for (int i = 0; i < p->n_rows; i++) {
		p->rows[i] = (struct row){ .booking = p->bookings[i], .n_more = p->bookings[i].n_cars - 1 };
		p->rows[i].booking.branch_name = in_words(p->bookings[i].branch_name, p->bookings[i].branch_name_ko);
	}
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
		return web_json(w, HTTP_OK, &list_json_shape, &p);
	make_rows(w, &p);
	menu_of(w)->nav_my = true;
	return web_page(w, HTTP_OK, &list_template, &p);
}
