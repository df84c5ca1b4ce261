/*
 * mail_links - the links that account makes and message sends by mail: to confirm a sign-up, to set a new password.
 *
 * The token of such a link gives access to the account, so it must be in the mail alone: not in an event, since events
 * are kept for ever and exported, and not in a table. account therefore stores a random seed and the token's hash
 * (mail_link), and its event has only the row's id. message reads the seed in v_mail_link and derives the token with
 * the secret key at the moment it sends the mail. Neither the database nor the key alone gives a token.
 */
#ifndef MP_MAIL_LINKS_H
#define MP_MAIL_LINKS_H

#include "lib/base/arena.h"

#define MAIL_LINK_S 1800                        /* how long a link works */

/* What a link is for, as in mail_link.purpose and the event's payload. */
#define MAIL_LINK_SIGN_UP "sign_up"             /* makes the account of a pending sign-up */
#define MAIL_LINK_KNOWN   "known"               /* a sign-up with the address of an account: sets a new password */
#define MAIL_LINK_RESET   "reset"               /* sets a new password */

const char *mail_link_token(struct arena *m, const char *seed);
/* Our page that the link leads to: "/account/confirm?token=…". */
const char *mail_link_path(struct arena *m, const char *purpose, const char *seed);

#endif
