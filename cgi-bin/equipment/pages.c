/* pages - equipment 장비: its pages. */
#include "equipment.h"
#include "pages.h"

enum status
page_items(struct web *w)
{
	return web_not_found(w);
}
