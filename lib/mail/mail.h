/*
 * mail - a mail in RFC 5322 form: headers in ASCII with encoded words (RFC 2047), the body as UTF-8 text in base64.
 *
 * Header injection is prevented: line ends and other control characters become spaces, and an invalid address makes no
 * mail.
 */
#ifndef MP_MAIL_H
#define MP_MAIL_H

#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct mail {
	const char *from;               /* "motorpool <noreply@localhost>", or the address alone */
	const char *to, *to_name;       /* the address; the display name, or "" */
	const char *subject, *body;     /* text */
	const char *message_id;         /* without its brackets; the same each time the same mail is sent */
	const char *lang;               /* ko, en */
	int64_t at;                     /* when it was written */
};

/* The whole mail, lines ending in CR LF. NULL: one of the addresses is invalid. */
const char *mail_write(struct arena *m, const struct mail *mail);
/* Reads a mail that mail_write() has written, to show it. false: it is something else. */
bool mail_read(struct arena *m, const char *text, struct mail *mail);

bool mail_is_address(const char *s); /* name@host in ASCII, without characters that are special in a header */
const char *mail_address(struct arena *m, const char *from);   /* the part between < >, else all of it */

#endif
