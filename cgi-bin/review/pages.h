/* pages - review's handlers, in the order of main.c's table. */
#ifndef MP_REVIEW_PAGES_H
#define MP_REVIEW_PAGES_H

#include "lib/web/web.h"

/* pages.c: managers and examiners */
handler page_reviews, page_review, do_approve, do_reject;

/* pages_call.c: programs */
handler do_open_case, do_cancel_case;

#endif
