/*
 * mail - a letter as RFC 5322 wants it: headers of plain ASCII whatever they say (RFC 2047), a body of UTF-8 text in base64.
 *
 * Whatever is put into a header stays in it: line ends and other control characters become blanks, and an address that is none
 * makes no letter at all.
 */
#ifndef MP_MAIL_H
#define MP_MAIL_H

#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct mail {
	const char *from;               /* "motorpool <noreply@localhost>", or the address alone */
	const char *to, *to_name;       /* the address; how people call them, or "" */
	const char *subject, *body;     /* text */
	const char *message_id;         /* without its brackets; the same each time the same letter is sent */
	const char *lang;               /* ko, en */
	int64_t at;                     /* when it was written */
};

/* The whole letter, lines ending in CR LF. NULL: one of the addresses is none. */
const char *mail_write(struct arena *m, const struct mail *mail);
/* One that mail_write() has written, for people to look at. false: it is something else. */
bool mail_read(struct arena *m, const char *text, struct mail *mail);

bool mail_is_address(const char *s);            /* name@host, ASCII, nothing that means more than itself in a header */
const char *mail_address(struct arena *m, const char *from);   /* what stands between the < >, else all of it */

#endif
