/* counts - the numbers in the menu of every page: unread messages, and for managers what needs attention. */
#ifndef MP_COUNTS_H
#define MP_COUNTS_H

#include "lib/web/web.h"

/* For program.before; the numbers are a few seconds old at most. */
void counts_show(struct web *w);
/* The user has read a message: counts again. */
void counts_forget(struct web *w);

#endif
