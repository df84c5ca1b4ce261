/* pages - message 메시지: its pages. */
#include "message.h"
#include "pages.h"

enum status
page_messages(struct web *w)
{
	return web_not_found(w);
}
