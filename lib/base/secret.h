/* secret - random tokens, keyed hashes and passwords (libsodium). */
#ifndef MP_SECRET_H
#define MP_SECRET_H

#include "arena.h"

#include <stdbool.h>

bool secret_open(const char *var_dir);          /* $VAR/secret.key, made (0600) when missing */

const char *secret_token(struct arena *m);      /* 192 random bits, base64url: sessions, API tokens, form keys */
/* "MP-" + 8 random Crockford base32 digits: readable codes */
const char *secret_code(struct arena *m, const char *prefix);
const char *secret_hash(struct arena *m, const char *text);   /* BLAKE2b-256, hex: what is stored of a token */
/* keyed hash, base64url: CSRF tokens, cookies */
const char *secret_sign(struct arena *m, const char *purpose, const char *text);
bool secret_same(const char *a, const char *b); /* compared in constant time; NULL is never the same */

const char *password_hash(struct arena *m, const char *password); /* argon2id INTERACTIVE, 60 ms, at most 2 at once */
bool password_ok(const char *hash, const char *password); /* hash NULL: spends the same time, answers false */

const char *secret_id(struct arena *m);          /* 96 random bits as 16 URL-safe characters: request ids, form keys */

#endif
