/* counts - what stands as a number in the menu of every page: unread messages, and for managers what is stuck. */
#ifndef MP_COUNTS_H
#define MP_COUNTS_H

#include "lib/web/web.h"

/* program.before: each number as of a few seconds ago at most. */
void counts_show(struct web *w);
/* Somebody has just read something here: his number is counted anew. */
void counts_forget(struct web *w);

#endif
