/*
 * web - one request: parsed and checked before a handler sees it, answered in one piece after.
 *
 * web_serve() resets the arena, parses the request, finds the route and enforces what it needs (method, sign-in, role,
 * CSRF, size); the handler takes typed fields (form.h), makes one call to its context and returns a reply. The answer
 * is buffered, made durable (db_durable) and sent with Content-Length; a sticky failure anywhere turns it into the 500
 * page.
 */
#ifndef MP_WEB_H
#define MP_WEB_H

#include "lib/base/arena.h"
#include "lib/db/db.h"
#include "lib/base/lang.h"
#include "lib/base/shape.h"
#include "lib/tpl/tpl.h"

enum method { GET = 1, POST = 2, PUT = 4, DELETE = 8 };         /* HEAD is served as GET without a body */

enum status {
	HTTP_OK = 200, HTTP_CREATED = 201, HTTP_ACCEPTED = 202, HTTP_NO_CONTENT = 204, HTTP_SEE_OTHER = 303,
		HTTP_NOT_MODIFIED = 304,
	HTTP_BAD_REQUEST = 400, HTTP_UNAUTHORIZED = 401, HTTP_PAYMENT_REQUIRED = 402, HTTP_FORBIDDEN = 403,
		HTTP_NOT_FOUND = 404, HTTP_NOT_ALLOWED = 405,
	HTTP_CONFLICT = 409, HTTP_GONE = 410, HTTP_TOO_LARGE = 413, HTTP_UNSUPPORTED = 415, HTTP_UNPROCESSABLE = 422,
		HTTP_TOO_MANY = 429, HTTP_BROKEN = 500, HTTP_BUSY = 503,
};

/* What a route needs. Everything not said here is refused: a POST without a CSRF token, a JSON body to an HTML-only
 * route … */
enum needs {
	ROUTE_ROLES       = 0xFF,     /* the bits of the product's roles */
	ROUTE_SIGNED_IN   = 1 << 8,   /* any user; a role implies it. A browser is sent to sign in and comes back */
	ROUTE_NO_CSRF     = 1 << 9,   /* webhooks: authenticates itself */
	ROUTE_UPLOAD      = 1 << 10,  /* multipart/form-data with a file, up to 8 MiB */
	ROUTE_INTERNAL    = 1 << 11,  /* only over the internal socket, from our own user */
	ROUTE_RAW_BODY    = 1 << 12,  /* the body is not parsed: web_body() */
	ROUTE_OWN_KEY     = 1 << 14,  /* the handler checks the bearer key itself: it need not be an API token */
	/* a GET that writes: the return from the provider, authenticated by its one-time key */
	ROUTE_WRITES      = 1 << 13,
};

struct web;
typedef enum status handler(struct web *w);

/* {POST, "/bookings/:code/cancel", do_cancel, ROLE_CUSTOMER | ROLE_MANAGER}: one of the roles suffices. Ends in an
 * empty one. */
struct route {
	int methods;
	const char *path;       /* segments; ":name" takes one segment: web_param(w, "name") */
	handler *handle;
	int needs;
};

struct user {
	int64_t id;             /* 0: not signed in */
	const char *email, *name;
	int roles;
};

/* What every template may show beside its own struct. */
#define CHROME_PRODUCT_MAX 128
struct chrome {
	const char *lang, *other_lang;          /* "ko" */
	const char *path;                       /* this page with its query: where the language switch comes back to */
	const char *csrf;                       /* for the hidden field of every POST form */
	const char *form_key;                   /* fresh idempotency key for forms that must survive a double click */
	const char *user_name, *user_email;
	bool signed_in;
	const char *request_id;
	const char *notice;                     /* a sentence for the top of the page, or NULL */
	int64_t now;
	const char *zone;                       /* of every time on the page: KST */
	_Alignas(8) char product[CHROME_PRODUCT_MAX];   /* the struct of site.shape, zero when the request begins */
};
extern const struct shape chrome_shape;

struct web {
	struct arena *m;
	struct db *db;
	enum method method;
	const char *path, *query;       /* decoded path, raw query string */
	bool json;                      /* Accept: application/json, or a bearer token: answer JSON */
	bool internal;                  /* came over the internal socket */
	struct user user;
	struct chrome chrome;
	const char *request_id;
	const char *address;            /* the client's */
	int64_t now;
	struct web_inside *in;          /* web.c's own */
};

/* --- the request --- */
const char *web_param(struct web *w, const char *name);         /* a path segment */
int64_t     web_param_id(struct web *w, const char *name);      /* … as a positive id; 0: not one */
/* The caller has proved to be one of our own programs (the sandbox's key): its request id is adopted. */
void        web_caller_is_ours(struct web *w);
const char *web_header(struct web *w, const char *name);        /* "Idempotency-Key"; NULL */
const char *web_cookie(struct web *w, const char *name);
const char *web_body(struct web *w, size_t *n);                 /* RAW_BODY routes */
const char *web_file(struct web *w, const char *name, size_t *n); /* an uploaded file's bytes; NULL: none was sent */
static inline bool web_is(const struct web *w, int roles) { return (w->user.roles & roles) != 0; }
/* A page's address with one query parameter changed (value NULL: dropped): sort links, paging. */
const char *web_url_with(struct web *w, const char *name, const char *value);
/* The client's idempotency key: the Idempotency-Key header, else the form's form_key; "" when neither was sent. */
const char *web_idempotency_key(struct web *w);
const char *web_body_hash(struct web *w); /* of the parsed fields, csrf and form_key left out: same body, same hash */
/* May a browser be redirected there? Only our own pages: "/…", never "//…", no backslash, at most 4000 bytes. For next=
 * and the like. */
bool        web_safe_path(const char *path);
const char *web_encode(struct web *w, const char *text); /* percent-encoded for one query value or path segment */

/* --- who is asking (account's pages alone change it) --- */
/* sets the cookies of a session whose row holds secret_hash(token) */
void web_sign_in(struct web *w, const char *token);
void web_sign_out(struct web *w);                               /* clears them; account deletes the row */
const char *web_session(struct web *w);                         /* the token of the session in use, or NULL */

/* --- the reply; each returns the status to return from the handler --- */
enum status web_page(struct web *w, enum status status, struct page *page, const void *data);
enum status web_json(struct web *w, enum status status, const struct shape *shape, const void *data);
enum status web_json_text(struct web *w, enum status status, const char *json); /* written by hand with json_put */
enum status web_text(struct web *w, enum status status, const char *type, const char *text);
enum status web_bytes(struct web *w, enum status status, const char *type, const char *bytes, size_t n); /* a picture */
/* 303, own paths only */
enum status web_redirect(struct web *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
enum status web_redirect_out(struct web *w, const char *url);   /* 303 to the provider's card page */
void        web_set_header(struct web *w, const char *name, const char *value);         /* Location, Retry-After … */
/* HttpOnly, SameSite=Lax; __Host- and Secure with TLS; max_age 0 deletes */
void        web_set_cookie(struct web *w, const char *name, const char *value, int64_t max_age_s);

/* The same struct for both kinds of clients: as JSON by its json shape, else as the page. */
enum status web_answer(struct web *w, enum status status, const struct shape *json, struct page *page,
	const void *data);
/* After an action: JSON gets the data (shape NULL: 204 without a body), a browser is sent on (303). */
enum status web_done(struct web *w, enum status json_status, const struct shape *shape, const void *data,
	const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Shows a form with what was typed and its marked fields; message: for its top, NULL when it is shown for the first
 * time. */
typedef enum status form_page(struct web *w, const void *form, enum status status, const char *message);
/* From now on web_refuse(), web_invalid() and web_later() show this form to a browser instead of the error page. */
void web_form(struct web *w, form_page *show, const void *form);

/* Errors: {"error":{"code","message","fields"}} for JSON; for a browser the form that web_form() named, else the error
 * page. Messages are translated sentences a person can act on. */
enum status web_refuse(struct web *w, enum status status, const char *code, const char *message);
/* For a program: the members of data as "details" of the error that follows, so that it need not read the sentence. */
void        web_error_details(struct web *w, const struct shape *shape, const void *data);
enum status web_invalid(struct web *w);                 /* 422: some fields are marked (form.h) */
enum status web_not_found(struct web *w);
enum status web_forbidden(struct web *w);
enum status web_later(struct web *w, int retry_after_s, const char *message);   /* 503 + Retry-After, code "later" */
enum status web_broken(struct web *w);                                          /* 500, with the request id */

/* The sentence for ?done=CODE at the top of the page, from a table of codes and sentences. */
void web_notice(struct web *w, const struct words *done);

/* --- lists --- */
/* One of several views of a list; templates/tabs.mustache draws them. */
struct tab {
	const char *url, *label;
	int64_t n;                      /* how many it holds, shown with has_n */
	bool has_n, is_current;
};
extern const struct shape tab_shape;
/* A tab for each word: its url is the page's own with ?NAME=CODE (the first word: without), page dropped. n: counts by
 * word, or NULL. */
struct tab *web_tabs(struct web *w, const char *name, const struct words *words, int current, const int64_t *n);

/* What templates/timeline.mustache lists as "events", newest first; and templates/steps.mustache as "steps". */
struct timeline_event { int64_t at; const char *title, *detail; };
struct progress_step { const char *title, *detail; bool done, now, bad; };      /* detail may be "" */
extern const struct shape timeline_event_shape, progress_step_shape;

#define PER_PAGE 20
struct paging {
	int64_t page, n_pages, n_total, first, last;    /* rows first..last of n_total */
	const char *prev_url, *next_url;                /* NULL at the ends */
	int64_t offset;
};
extern const struct shape paging_shape;
struct paging web_paging(struct web *w, int64_t n_total, int per_page); /* reads ?page= */

/* A heading people sort by: url of the next order, and how it is sorted now. ?sort=plate or ?sort=-plate */
struct sort_link { const char *url; bool up, down; };
extern const struct shape sort_link_shape;
struct sort_link web_sort_link(struct web *w, const char *column);
/* What ?sort= says, as index into the columns (NULL-terminated); *down for a leading "-". -1: nothing or unknown. */
int web_sort(struct web *w, const char *const *columns, bool *down);

#endif
