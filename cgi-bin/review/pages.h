/* pages - what review's routes lead to. */
#ifndef MP_REVIEW_PAGES_H
#define MP_REVIEW_PAGES_H

#include "../../lib/web.h"

handler page_reviews;

#endif
