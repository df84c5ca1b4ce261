/* pages - mypage's handlers, in the order of main.c's table, and what its pages share. */
#ifndef MP_MYPAGE_PAGES_H
#define MP_MYPAGE_PAGES_H

#include "mypage.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler page_my, page_my_list;                          /* pages.c */
handler page_my_booking;                                /* pages_booking.c */
handler page_my_equipment;                              /* pages_equipment.c */
handler page_view, page_view_cars;                      /* pages_cars.c */

bool mypage_open(struct db *db);                        /* pages.c: program.h's hooks */
void mypage_before(struct web *w);

/* --- shared --- */

/* The last line of every page. */
struct freshness {
	int64_t n_behind;
	const char *as_of;              /* 14:03:07 */
};
extern const struct shape freshness_shape;
struct freshness freshness(struct web *w);

/* An order of equipment as people see it: with a booking, or alone. */
struct order_shown { struct my_order order; const char *name, *why; };
extern const struct shape order_shown_shape;
struct order_shown *orders_in_words(struct web *w, const struct my_order *orders, int n);      /* pages_equipment.c */

#endif
