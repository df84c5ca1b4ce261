/*
 * pages - a customer's bookings by tabs, and what mypage's pages share. One booking is pages_booking.c, equipment
 * pages_equipment.c.
 *
 * They only show. What can be done with a booking (pay, cancel, receipt) are booking's pages, one link away.
 */
#include "pages.h"

#include "domain/counts.h"
#include "domain/menu.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the read models' file may be replaced ------------------------------------------------------------------------ */

/* When the file is deleted, the relay makes another one. A worker that has the old one open notices the other inode,
 * finishes this request and is replaced. */
static ino_t opened;
static int64_t checked_ms;

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
	if (clock_ms() - checked_ms < 500)
		return;
	checked_ms = clock_ms();
	if (inode_now() != opened)
		raise(SIGTERM); /* delivered between requests only (gateway.h) */
}

/* --- shared ------------------------------------------------------------------------------------------------------- */

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
		.n_behind = f.n_behind,
		.as_of = arena_printf(w->m, "%02d:%02d:%02d", l.hour, l.minute, l.second),
	};
}

/* --- GET /my/bookings --------------------------------------------------------------------------------------------- */

struct my_row { struct my_booking booking; int64_t n_more; };   /* n_more: cars beside the first */
static const struct member my_row_members[] = {
	SHAPE_STRUCT(my_row, booking, my_booking_shape), SHAPE_INT(my_row, n_more),
};
static const struct shape my_row_shape = SHAPE(my_row, my_row_members);

struct my_list_page {
	struct tab *tabs;
	int n_tabs;
	struct my_row *rows;
	int n_rows;
	struct my_booking *bookings;
	int n_bookings;
	bool is_upcoming, has_any, has_rows;
	struct paging paging;
	struct freshness fresh;
};
static const struct member my_list_members[] = {
	SHAPE_LIST(my_list_page, tabs, tab_shape), SHAPE_LIST(my_list_page, rows, my_row_shape),
	SHAPE_BOOL(my_list_page, is_upcoming), SHAPE_BOOL(my_list_page, has_any), SHAPE_BOOL(my_list_page, has_rows),
	SHAPE_STRUCT(my_list_page, paging, paging_shape), SHAPE_STRUCT(my_list_page, fresh, freshness_shape),
};
static const struct shape my_list_shape = SHAPE(my_list_page, my_list_members);
PAGE(list_template, "mypage/list", my_list_shape);

static const struct member list_json_members[] = {
	SHAPE_INT_AS(my_list_page, page, paging.page), SHAPE_INT_AS(my_list_page, n_pages, paging.n_pages),
	SHAPE_INT_AS(my_list_page, n_total, paging.n_total), SHAPE_LIST(my_list_page, bookings, my_listed_shape),
	SHAPE_STRUCT(my_list_page, fresh, freshness_shape),
};
static const struct shape list_json_shape = SHAPE(my_list_page, list_json_members);

/* A browser's first tab is what is upcoming, a program's is all. */
static enum my_tab
asked_tab(struct web *w)
{
	int tab = words_find(&my_tab_words, form_raw(w, "tab"));

	if (tab < 0 || tab == MY_TAB_NONE)
		return w->json ? MY_TAB_ALL : MY_TAB_UPCOMING;
	return (enum my_tab)tab;
}

static struct my_row *
my_rows(struct web *w, const struct my_booking *bookings, int n)
{
	struct my_row *rows = arena_array(w->m, struct my_row, n + 1);

	for (int i = 0; i < n; i++)
		rows[i] = (struct my_row){ .booking = bookings[i], .n_more = bookings[i].n_cars - 1 };
	return rows;
}

enum status
page_my(struct web *w)
{
	return web_redirect(w, "/my/bookings");
}

enum status
page_my_list(struct web *w)
{
	const struct words tabs = { my_tab_words.word, MY_TAB_ALL + 1 };
	enum my_tab tab = asked_tab(w);
	int64_t n[N_MY_TABS];
	struct my_list_page p = { .n_tabs = tabs.n, .is_upcoming = tab == MY_TAB_UPCOMING, .fresh = freshness(w) };

	my_count(w->db, w->user.id, n);
	p.tabs = web_tabs(w, "tab", &tabs, (int)tab, n);
	p.has_any = n[MY_TAB_ALL] > 0;
	p.paging = web_paging(w, n[tab], PER_PAGE);
	p.n_rows = p.n_bookings = my_list(w->db, w->user.id, tab, p.paging.offset, PER_PAGE, &p.bookings);
	p.rows = my_rows(w, p.bookings, p.n_bookings);
	p.has_rows = p.n_rows > 0;
	menu_of(w)->nav_my = true;
	return web_answer(w, HTTP_OK, &list_json_shape, &list_template, &p);
}
