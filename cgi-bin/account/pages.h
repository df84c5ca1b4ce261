/* pages - the handlers of account's routes, and what its pages share. */
#ifndef MP_ACCOUNT_PAGES_H
#define MP_ACCOUNT_PAGES_H

#include "account.h"

#include "lib/web/form.h"
#include "lib/web/web.h"

handler page_sign_up, do_sign_up, page_sign_in, do_sign_in, do_sign_out, do_language;           /* pages_sign.c */
/* pages_link.c */
handler page_forgot, do_forgot, page_reset, do_reset, page_confirm, do_confirm;
handler page_account, do_account, page_profile, do_profile, page_licence, do_licence, do_licence_remove; /* pages.c */
/* pages_key.c */
handler page_password, do_password, page_sessions, do_sessions_end, page_tokens, do_token, do_token_revoke;
handler page_users, page_user, do_role, do_disable, do_enable, do_send_reset;   /* pages_admin.c */

/* --- pages_sign.c, pages_link.c: shared --- */
const char *next_path(struct web *w);   /* the page after signing in: next= if it is one of ours, else the home page */
const char *with_next(struct web *w, const char *path, const char *next);
struct link_request link_request_of(struct web *w, const char *email);
/* "Check your mail": the same for every address. */
enum status answer_check_mail(struct web *w, const struct link_request *r, const struct link_asked *asked,
	bool is_sign_up);

/* --- pages.c: shared --- */
void require(struct web *w, const char *name, const char *message);     /* an empty field is marked with this message */
const char *read_name(struct web *w);           /* the fields of a person, the same on every form */
const char *read_phone(struct web *w);
struct field lang_field(struct web *w, int initial);
enum status refuse_unknown_field(struct web *w);        /* a form of one button was sent with a field */
void set_lang(struct web *w, int lang);         /* from now on for this browser */
const char *own_token(struct web *w);           /* the request's: of the session, or of a program */
const char *closed_message(struct web *w, int64_t wait_s);      /* for a 429, with the header Retry-After */

#endif
