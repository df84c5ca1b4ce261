/* pages - message's handlers. pages.c: a person's own inbox. pages_log.c: the delivery log, for managers. */
#ifndef MP_MESSAGE_PAGES_H
#define MP_MESSAGE_PAGES_H

#include "message.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler page_messages, page_message, do_read, do_read_all, page_preferences, do_preferences;
handler page_log, page_log_entry, do_resend;

void message_page_begin(struct web *w);                 /* the menu's entry, and the sentence for ?done= */

/* A text as its paragraphs and their lines. */
struct text_line { const char *text; };
struct paragraph { struct text_line *lines; int n_lines; };
extern const struct shape paragraph_shape;
int paragraphs(struct web *w, const char *text, struct paragraph **list);

#endif
