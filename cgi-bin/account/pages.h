/* pages - account's handlers, as main.c routes to them, and what its pages share. */
#ifndef MP_ACCOUNT_PAGES_H
#define MP_ACCOUNT_PAGES_H

#include "account.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler page_sign_up, do_sign_up, page_sign_in, do_sign_in, do_sign_out, do_language;           /* pages_sign.c */
handler page_account, do_account, page_profile, do_profile, page_licence, do_licence, do_licence_remove; /* pages.c */
handler page_password, do_password, page_sessions, do_sessions_end, page_tokens, do_token, do_token_revoke; /* pages_key.c */
handler page_users, page_user, do_role, do_disable, do_enable;          /* pages_admin.c */

/* --- pages.c: shared --- */
void must_have(struct web *w, const char *name, const char *message);    /* what to say when a field is empty */
const char *read_name(struct web *w);           /* the fields of a person, the same on every form */
const char *read_phone(struct web *w);
struct field lang_field(struct web *w, int initial);
bool no_fields(struct web *w, enum status *refused);    /* a form of one button: anything else with it is refused */
void speak(struct web *w, int lang);            /* from now on, this browser reads this language */
const char *own_token(struct web *w);            /* what this request came with: the session, or a program's token */
const char *closed(struct web *w, int64_t wait_s);  /* for a 429: sets Retry-After, and answers the wait in words */

#endif
