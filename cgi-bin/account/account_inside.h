/* inside - what the rules of account share among themselves. No page and no other program includes it. */
#ifndef MP_ACCOUNT_INSIDE_H
#define MP_ACCOUNT_INSIDE_H

#include "account.h"

/* The name of the tokens that a sign-in as JSON makes: they live like sessions and end with them. */
#define SIGN_IN_TOKEN "sign-in"

/* A new session; old_token's ends (NULL: none). NULL: the account has changed since the password was verified. */
const char *session_begin(struct db *db, int64_t user_id, const char *password_hash, const char *old_token);
const char *token_for_sign_in(struct db *db, int64_t user_id, const char *password_hash); /* the same as an API token */

/* Inside the caller's transaction. */
void sessions_drop(struct db *db, int64_t user_id, const char *except_token);
int64_t token_insert(struct db *db, int64_t user_id, const char *name, const char *token);      /* answers token_id */

#endif
