/* pages - mypage's handlers, as main.c routes to them, and what its pages share. */
#ifndef MP_MYPAGE_PAGES_H
#define MP_MYPAGE_PAGES_H

#include "mypage.h"

#include "../../lib/form.h"
#include "../../lib/web.h"

handler page_my, page_my_list, page_my_booking;         /* pages.c */
handler page_view, page_view_cars;                      /* pages_cars.c */

bool mypage_open(struct db *db);                        /* pages.c: program.h's hooks */
void mypage_before(struct web *w);

/* --- shared --- */

/* The line every page ends with: how fresh it is. */
struct freshness {
	int64_t n_behind;
	const char *as_of;              /* 14:03:07 */
};
extern const struct shape freshness_shape;
struct freshness freshness(struct web *w);

/* A branch's name in the reader's language. */
const char *branch_in_words(const char *name, const char *name_ko);

#endif
