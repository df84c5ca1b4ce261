/* inside - what the rules of account share among themselves. No page and no other program includes it. */
#ifndef MP_ACCOUNT_INSIDE_H
#define MP_ACCOUNT_INSIDE_H

#include "account.h"

/* The name of the tokens that a sign-in as JSON makes: they live like sessions and end with them. */
#define SIGN_IN_TOKEN "sign-in"

/* A new session; old_token's ends (NULL: none). NULL: the account has changed since the password was verified. */
const char *session_begin(struct db *db, int64_t user_id, const char *password_hash, const char *old_token);
const char *token_for_sign_in(struct db *db, int64_t user_id, const char *password_hash); /* the same as an API token */

/* The rules for a new account, whether its e-mail is known or not; *email: in lower case. */
enum account_outcome account_check(struct arena *m, const struct new_account *a, const char **email);
/* Signs the account in: a session (false: none is wanted), and who it is. */
void signed_in_begin(struct db *db, int64_t user_id, bool session, const char *old_token, struct signed_in *in);

/* Inside the caller's transaction. */
int64_t person_insert(struct db *db, const struct new_account *a, const char *email, const char *hash); /* 0: known */
void throttle_forget(struct db *db, const char *email);         /* its failed sign-ins */
void sessions_drop(struct db *db, int64_t user_id, const char *except_token);
void tokens_drop(struct db *db, int64_t user_id);               /* all API tokens, those made by hand too */
void links_sweep(struct db *db);                                /* deletes some that ended long ago */
void links_void(struct db *db, int64_t user_id);                /* open links to set a password */
int64_t token_insert(struct db *db, int64_t user_id, const char *name, const char *token);      /* answers token_id */

extern const struct words link_words;   /* by enum link_purpose */

/* --- link.c: the rows behind the links --- */
struct new_link {
	enum link_purpose purpose;
	int64_t user_id;                        /* 0: a sign-up, or no such account: then there is no mail */
	struct new_account account;             /* SIGN_UP: with password_hash */
	const struct link_request *request;
	int64_t actor_id;                       /* the admin who sends it; 0 */
};
void link_add(struct db *db, const struct new_link *l, struct link_asked *asked);
bool link_is_open(const struct mail_link *l);
bool link_is_second_click(struct db *db, const struct mail_link *l, const struct link_use *u);

/* account.link_requested, inside the transaction that adds the link. */
void account_report_link(struct db *db, int64_t link_id, enum link_purpose purpose, int64_t actor_id);

#endif
