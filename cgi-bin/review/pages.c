/* pages - review's pages. */
#include "review.h"
#include "pages.h"

enum status
page_reviews(struct web *w)
{
	return web_not_found(w);
}
