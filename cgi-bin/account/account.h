/*
 * account - people: sign-up, sign-in, sessions, roles, driving licences, API tokens.
 *
 * Three rules: (1) No answer reveals which e-mails have an account: a wrong password, an unknown e-mail and a disabled
 * account get the same answer after the same time. (2) The tables hold no secrets that could be used: passwords are
 * argon2id hashes, sessions and API tokens are hashed too. (3) Slow work is never done inside a transaction: a password
 * is hashed first, and the transaction checks that what the hash was based on has not changed.
 *
 * account sends no mail: it reports account.link_requested, and message sends the link (domain/mail_links.h). Of all
 * else other programs read the views v_user, v_session and v_api_token.
 */
#ifndef MP_ACCOUNT_H
#define MP_ACCOUNT_H

#include "lib/db/db.h"

#define PASSWORD_MIN 10         /* characters */
#define PASSWORD_MAX 200

/* Role number i is the bit 1 << i of enum role (domain/roles.h) and of v_user.roles. */
extern const struct words role_words;
extern const struct words account_lang_words;   /* by LANG_EN, LANG_KO: en, ko */
extern const struct db_role account_db_role;

struct licence {
	const char *number;
	const char *expires_on, *born_on;       /* YYYY-MM-DD */
};
extern const struct shape licence_shape;

struct account {
	int64_t user_id;
	const char *email, *name, *phone;
	int lang;                               /* LANG_EN, LANG_KO */
	bool disabled;
	int64_t role_bits;
	int64_t created_at;
	struct licence *licence;                /* NULL: none on file */
};
extern const struct shape account_shape;

/* --- account.c: one person ---------------------------------------------------------------------------------------- */

struct new_account {
	const char *email, *name;
	const char *phone;                      /* NULL or "": none */
	const char *password;
	const char *password_hash; /* instead of the password: the demo data hashes one for all its customers */
	int lang;
	int roles;                              /* bits; 0: customer */
};

enum account_outcome {
	ACCOUNT_OK,
	ACCOUNT_KNOWN,          /* the e-mail has an account */
	ACCOUNT_BAD_EMAIL,
	ACCOUNT_BAD_NAME,       /* account_name_ok() is false */
	ACCOUNT_WEAK,           /* password_problem() */
	ACCOUNT_NO_USER,        /* there is no such user */
};

/* Adds an account. ACCOUNT_OK fills *user_id. Not inside a transaction unless password_hash is given. */
enum account_outcome account_add(struct db *db, const struct new_account *a, int64_t *user_id);

bool account_name_ok(const char *name); /* 1 to 80 characters, one of them visible, none that makes names look alike */

bool account_find(struct db *db, int64_t user_id, struct account *a);           /* with the licence */
bool account_find_by_email(struct db *db, const char *email, struct account *a);

void account_save(struct db *db, int64_t user_id, const char *name, const char *phone, int lang);
void account_set_lang(struct db *db, int64_t user_id, int lang);

/* The command's: an e-mail instead of a user_id, and no current password. */
/* OK, WEAK, NO_USER; ends all sessions */
enum account_outcome account_set_password(struct db *db, const char *email, const char *password);
/* OK, BAD_NAME, NO_USER */
enum account_outcome account_token(struct db *db, const char *email, const char *name, const char **token);

/* --- licence.c ---------------------------------------------------------------------------------------------------- */

enum licence_outcome {
	LICENCE_OK,
	LICENCE_BAD_NUMBER,     /* letters, digits, hyphens and blanks; 5 to 30 of them, one a digit */
	LICENCE_EXPIRED,
	LICENCE_BAD_EXPIRY,     /* further ahead than any licence is valid */
	LICENCE_BAD_BIRTH,      /* in the future, or more than 120 years ago */
	LICENCE_MINOR,          /* not 18 yet */
};

/* What is wrong with it today (branch-local), field by field and as a whole. The dates must be real ones. */
enum licence_outcome licence_number_check(const char *number);
enum licence_outcome licence_expiry_check(const char *expires_on, int64_t now);
enum licence_outcome licence_birth_check(const char *born_on, int64_t now);
enum licence_outcome licence_check(const struct licence *l, int64_t now);
enum licence_outcome licence_save(struct db *db, int64_t user_id, const struct licence *l);
void licence_remove(struct db *db, int64_t user_id);

/* --- password.c --------------------------------------------------------------------------------------------------- */

/* NULL: good enough; else a translated sentence. */
const char *password_problem(const char *password, const char *email);

enum password_outcome {
	PASSWORD_CHANGED,
	PASSWORD_WRONG,         /* not the current one */
	PASSWORD_WEAK,
	PASSWORD_CLOSED,        /* too many wrong ones: *wait_s until the next try */
};

/*
 * Changes a person's own password and ends their other sessions and the tokens of sign-ins. The second click on the
 * same form is PASSWORD_CHANGED too.
 */
enum password_outcome password_change(struct db *db, int64_t user_id, const char *own_token, const char *address,
                                      const char *current, const char *wanted, int64_t *wait_s);
/* --- sign_in.c ---------------------------------------------------------------------------------------------------- */

struct sign_in {
	const char *email, *password;
	const char *address;                    /* the client's */
	const char *old_token; /* of the browser's session, which ends when the new one begins; NULL: none */
};

struct signed_in {
	int64_t user_id;
	const char *email, *name, *phone;
	int lang;
	int64_t role_bits;
	const char *token;                      /* of the session, or of the API for a program */
	int64_t wait_s;                         /* CLOSED: seconds until the next try */
};

enum sign_in_outcome {
	SIGN_IN_OK,
	SIGN_IN_REFUSED,        /* unknown e-mail, wrong password or disabled account: one answer, the same time */
	SIGN_IN_CLOSED,         /* too many failures for this account or from this address */
};

/* a browser: a session */
enum sign_in_outcome account_sign_in(struct db *db, const struct sign_in *s, struct signed_in *in);
/* a program: an API token */
enum sign_in_outcome account_sign_in_token(struct db *db, const struct sign_in *s, struct signed_in *in);

/* --- link.c: links sent by mail ----------------------------------------------------------------------------------- */

enum link_purpose { LINK_SIGN_UP, LINK_KNOWN, LINK_RESET };     /* domain/mail_links.h */

/* Asks for a mail with a link. */
struct link_request {
	const char *email;
	const char *address;                    /* the client's; NULL: an admin's */
	const char *next;                       /* the page to go on to */
	const char *key;                        /* the form's: its second click asks for nothing more. "": none */
	int lang;
};

/* What came of it. Only the mail's recipient may learn this, and in test mode the person who asked. */
struct link_asked {
	enum link_purpose purpose;
	int64_t user_id;                        /* 0: there is no account */
	const char *path;                       /* where the mail's link leads to */
	int64_t wait_s;                         /* CLOSED: seconds until the next try */
};

struct mail_link {
	int64_t link_id, user_id, expires_at, used_at;
	int purpose;                            /* enum link_purpose */
	const char *email;                      /* of the sign-up or of the account */
	const char *name, *phone, *password_hash, *next, *used_by;
	int lang;
};
bool link_find(struct db *db, const char *token, struct mail_link *l);          /* also one that is used or expired */

/* Uses a link. */
struct link_use {
	const char *token;
	const char *key;                        /* the form's: its second click gets the same answer */
	const char *password;                   /* the new one */
	const char *old_token;                  /* as in struct sign_in */
	bool session;                           /* sign this browser in */
};

enum link_outcome {
	LINK_DONE,              /* *in: who it is, and the session */
	LINK_OVER,              /* unknown, used or expired */
	LINK_TAKEN,             /* meanwhile the address has an account */
	LINK_WEAK,              /* password_problem() */
};

/* --- sign_up.c ---------------------------------------------------------------------------------------------------- */

enum sign_up_outcome {
	SIGN_UP_OK,             /* a mail is on its way: to confirm it, or to say that there is an account */
	SIGN_UP_WEAK,
	SIGN_UP_CLOSED,         /* too many for this address or from this client */
};

/*
 * A customer's own sign-up: stored as pending, confirmed with the mail's link. A known address takes the same steps, so
 * neither the answer nor its time tells which addresses have an account.
 */
enum sign_up_outcome account_sign_up(struct db *db, const struct new_account *a, const struct link_request *r,
	struct link_asked *asked);
/* DONE, OVER, TAKEN */
enum link_outcome account_confirm(struct db *db, const struct link_use *u, struct signed_in *in);

/* --- reset.c: a forgotten password -------------------------------------------------------------------------------- */

/* false: too many; *asked has wait_s. The same for addresses without an account. */
bool account_forgot(struct db *db, const struct link_request *r, struct link_asked *asked);

enum send_reset_outcome {
	SEND_RESET_OK,
	SEND_RESET_NO_USER,
	SEND_RESET_DISABLED,    /* the account cannot be used anyway */
	SEND_RESET_CLOSED,
};
/* An admin has the link sent. key: the form's */
enum send_reset_outcome account_send_reset(struct db *db, int64_t user_id, int64_t actor_id, const char *key,
	struct link_asked *asked);

/* DONE, OVER, WEAK. Sets the password; ends all sessions and API tokens of the account, and its other links. */
enum link_outcome account_reset(struct db *db, const struct link_use *u, struct signed_in *in);

/* --- session.c ---------------------------------------------------------------------------------------------------- */

struct session {
	int64_t created_at, expires_at;
	bool is_this;
};
extern const struct shape session_shape;

void session_end(struct db *db, const char *token);      /* a browser's, or the token of a program's sign-in */
/* with the tokens of sign-ins; NULL: no exception */
int session_end_all(struct db *db, int64_t user_id, const char *except_token);
int64_t session_count(struct db *db, int64_t user_id);
void session_list(struct db *db, int64_t user_id, const char *this_token, int64_t offset, struct session **s, int *n);

/* --- throttle.c --------------------------------------------------------------------------------------------------- */

/*
 * Counts a try before it is checked, so that tries at the same time count too. false: closed for *wait_s seconds.
 * throttle_passed() takes the count back when the password was right.
 */
bool throttle_try(struct db *db, const char *email, const char *address, int64_t *wait_s);
void throttle_passed(struct db *db, const char *email, const char *address);
/* Counts a mail about to be asked for; address NULL: by an admin. */
bool throttle_link(struct db *db, const char *email, const char *address, int64_t *wait_s);

/* --- token.c: API tokens ------------------------------------------------------------------------------------------ */

#define TOKENS_MAX 20           /* valid ones that a person made by hand */

struct api_token {
	int64_t token_id, created_at;
	const char *name;
	const char *token;              /* only when it was just made */
};
extern const struct shape api_token_shape;      /* without the token */

enum token_outcome {
	TOKEN_OK,
	TOKEN_TOO_MANY,         /* TOKENS_MAX valid ones */
	TOKEN_GONE,             /* the same form made it before, and it has been revoked */
};

/* Makes a token. key: the form's idempotency key, with which a second click makes the same token; "": always a new
 * one. */
enum token_outcome token_make(struct db *db, int64_t user_id, const char *name, const char *key, struct api_token *t);
int64_t token_count(struct db *db, int64_t user_id);
void token_list(struct db *db, int64_t user_id, int64_t offset, struct api_token **t, int *n);
/* false: not one of theirs. Revoked already: true */
bool token_revoke(struct db *db, int64_t user_id, int64_t token_id);

/* --- role.c: roles, and what an admin decides --------------------------------------------------------------------- */

const char *role_codes(struct arena *m, int64_t role_bits);     /* ["customer","manager"] */
const char *role_names(struct arena *m, int64_t role_bits);     /* Customer, Manager: in the reader's language */

enum role_change_outcome {
	ROLE_CHANGE_OK,
	ROLE_CHANGE_NO_USER,    /* no such user */
	ROLE_CHANGE_OWN, /* admins cannot remove their own admin role or disable themselves: one admin is always left */
	ROLE_CHANGE_NOT_ADMIN,  /* the acting admin has lost the role meanwhile */
};

/* Gives or takes a role (index in role_words). actor_id 0: the command, which may do all. Done before: OK. */
enum role_change_outcome account_role(struct db *db, int64_t user_id, int role, bool given, int64_t actor_id);
/* Disabling ends every session; API tokens do not work until the account is enabled again. */
enum role_change_outcome account_disable(struct db *db, int64_t user_id, bool disabled, int64_t actor_id);

/* --- people.c: the list of users for an admin --------------------------------------------------------------------- */

struct person {
	int64_t user_id, role_bits, created_at;
	const char *email, *name, *phone;
	int lang;
	bool disabled;
	const char *roles;              /* ["customer"] */
	const char *role_names;         /* Customer, Manager: in the reader's language */
};
extern const struct shape person_shape;

enum people_order { PEOPLE_NEWEST, PEOPLE_OLDEST, PEOPLE_EMAIL, PEOPLE_EMAIL_DOWN, PEOPLE_NAME, PEOPLE_NAME_DOWN };

struct people_query {
	const char *words;              /* part of an e-mail or a name; "" for all */
	int role;                       /* index in role_words; -1: any */
	enum people_order order;
	int64_t offset;
};

int64_t people_count(struct db *db, const struct people_query *q);
void people_list(struct db *db, const struct people_query *q, struct person **p, int *n);

#endif
