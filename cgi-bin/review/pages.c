/* pages - review 승인: its pages. */
#include "review.h"
#include "pages.h"

enum status
page_reviews(struct web *w)
{
	return web_not_found(w);
}
