/*
 * web_inside - what the files behind web.h and form.h share about the current request. Not included elsewhere, but for
 * program.c.
 *
 *	web.c      a request's life: begin, the checks in their order, the handler, the end
 *	take.c     method, path, query, body         route.c    which handler         health.c   healthz, readyz
 *	visitor.c  who is asking                     csrf.c     forged forms          asked.c    what handlers ask
 *	reply.c    pages, JSON, redirects, errors    url.c      links, paging, tabs   form.c, field.c   typed fields
 *	serving.c  the program and its database
 */
#ifndef MP_WEB_INSIDE_H
#define MP_WEB_INSIDE_H

#include "app.h"
#include "form.h"
#include "gateway.h"
#include "lib/base/gauge.h"
#include "request.h"

#define MAX_PARAMS  6
#define MAX_COOKIES 24
#define MAX_HEADERS 12

#define UPLOAD_MAX  ((size_t)8 << 20)
#define ARENA_MAX   ((size_t)96 << 20)

struct header { const char *name, *value; };
struct set_cookie { const char *name, *value; int64_t max_age_s; };

struct reply {
	enum status status;
	const char *type;
	struct buf body;
	struct header header[MAX_HEADERS];
	struct set_cookie cookie[MAX_COOKIES];
	int n_headers, n_cookies;
};

struct web_inside {
	struct exchange *x;
	const struct route *route;
	struct header param[MAX_PARAMS];
	struct cookie cookie[MAX_COOKIES];
	int n_params, n_cookies;
	bool head, bearer, secret_page; /* HEAD; signed in by API token; not to be cached */
	bool is_health;                 /* healthz or readyz was asked */
	char *raw;                      /* the body as it came */
	size_t raw_n;
	struct input query, body;
	struct form_problem *error;
	int n_errors, error_room;
	const struct shape *details_shape; /* web_error_details() */
	const void *details;
	const char *session, *anon;     /* the tokens CSRF tokens are made from */
	form_page *form_show;           /* what web_form() named; NULL: none */
	const void *form;
	struct reply reply;
};

/* The program this process runs, and its state. */
struct serving {
	const struct program *p;
	struct db *db;                  /* NULL: unavailable */
	const char *why;                /* … because */
	bool internal;                  /* only internal routes, only our own user */
	bool dead;                      /* the disk failed: stop serving, be replaced */
	struct gauge *gauge;            /* counters of this worker's slot; NULL: none */
	int slot;
	struct buf fixed;               /* the headers every answer carries */
	const char *provider_origin;    /* "https://pay.example"; "" when it is ours */
};
extern struct serving serving;

/* called by program.c */
void web_open(const struct program *p, struct arena *forever, bool internal);
bool web_compile_pages(const char *templates_dir); /* after web_open(). false: what is wrong was printed on stderr */
void web_use_db(struct db *db, const char *why);
void web_serve(struct exchange *x, struct arena *m);
void web_refuse_overload(struct exchange *x, struct arena *m);      /* answers 503 and does nothing else */
#ifdef MOTORPOOL_FAULTS
void fault_act(const struct exchange *x);               /* fault.c: breaks as the request asks */
#else
#define fault_act(x) ((void)(x))
#endif
const char *web_path_to_log(struct web *w);
static inline struct input *web_fields(struct web *w) { return w->method == GET ? &w->in->query : &w->in->body; }

bool take_method(struct web *w);                        /* false: unknown */
bool take_path(struct web *w);                          /* false: not an address */
void take_language(struct web *w, const char *of_user);
bool take_query(struct web *w);                         /* false: in->query.wrong says why */
bool take_is_too_large(const struct web *w);
bool take_body(struct web *w, enum status *status);     /* false: *status is the answer */

const struct route *route_find(struct web *w, const struct route *routes, int *allowed_methods);

bool health_answer(struct web *w, enum status *status);         /* false: it was not asked */

void visitor_anon(struct web *w);                       /* keeps a signed-out visitor's token */
void visitor_find(struct web *w);                       /* by session cookie or API token */
bool visitor_refused(struct web *w, enum status *status);       /* sign-in and role, as the route needs them */
bool visitor_forged(struct web *w);                     /* a change without a CSRF token */
const char *visitor_csrf(struct web *w);

void reply_open(struct arena *forever);                 /* the headers every answer carries */
void reply_send(struct web *w, enum status status);
void reply_forget(struct web *w);                       /* discards the reply made so far */
enum status reply_error(struct web *w, enum status status, const char *code, const char *message, int retry_after_s);
const char *url_path(struct web *w);                    /* the path, percent-encoded again where it must be */
const char *url_own(struct web *w); /* this page's address to return to; without its query when that is too long */
bool url_is_location(const char *path); /* like web_safe_path(), but long enough to carry such a path in its query */
void put_number(struct buf *b, int64_t n, int min_digits);      /* n >= 0 */

#endif
