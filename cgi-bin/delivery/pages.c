/* pages - delivery 배송: its pages. */
#include "delivery.h"
#include "pages.h"

enum status
page_deliveries(struct web *w)
{
	return web_not_found(w);
}
