/* inside - what the rules of account share among themselves. No page and no other program includes it. */
#ifndef MP_ACCOUNT_INSIDE_H
#define MP_ACCOUNT_INSIDE_H

#include "account.h"

/* Indexes in role_words. */
enum { ROLE_NUMBER_CUSTOMER, ROLE_NUMBER_EMPLOYEE, ROLE_NUMBER_MANAGER, ROLE_NUMBER_COURIER, ROLE_NUMBER_EXAMINER, ROLE_NUMBER_ADMIN };

/* The name of tokens that a sign-in as JSON made: they live like sessions and end with them. */
#define SIGN_IN_TOKEN "sign-in"

int text_chars(const char *s);  /* characters; -1: not UTF-8 */

/* Replaces a password, if it is still the one the change was based on, and ends what was opened with the old one. false: it is not. */
bool password_store(struct db *db, int64_t user_id, const char *old_hash, const char *new_hash, const char *except_session);

/* Inside the caller's transaction. */
void sessions_drop(struct db *db, int64_t user_id, const char *except_token);
const char *token_for_sign_in(struct db *db, int64_t user_id, const char *password_hash);       /* NULL: the account has changed since */

#endif
