/*
 * web.c - one request from its parameters to the log line; web.h describes what handlers see of it.
 *
 * answer_request() lists the checks: what the request is, who asks, which handler, admission, CSRF, then the handler.
 * Each failed check ends with an answer of its own. After the handler the answer is sent only when nothing can fail any
 * more: a sticky failure, a transaction left open or a disk error turns it into the 500 page.
 */
#include "web_inside.h"

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <stdio.h>
#include <string.h>

#define WRITE_AGAIN_S 5          /* after a full disk, or while another process holds the lock */

void
web_open(const struct program *p, struct arena *forever, bool internal)
{
	serving.p = p;
	serving.internal = internal;
	reply_open(forever);
}

/* --- begin -------------------------------------------------------------------------------------------------------- */

/* The request id sent with the request; NULL: none, or not of the form we make. */
static const char *
given_request_id(const struct web *w)
{
	const char *given = w->in->x->param[P_REQUEST_ID];
	size_t n = given ? strlen(given) : 0;

	if (n > 0 && n <= 64 && strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == n)
		return arena_strdup(w->m, given);
	return NULL;
}

/* A caller's id is accepted only from our own programs; otherwise clients could write into our logs. */
static const char *
request_id(const struct web *w)
{
	const char *given = serving.internal ? given_request_id(w) : NULL;

	return given ? given : secret_id(w->m);
}

void
web_caller_is_ours(struct web *w)
{
	const char *given = given_request_id(w);

	if (!given)
		return;
	w->request_id = given;
	log_request(given);
}

static bool
accepts_json(const char *accept)
{
	return accept && strstr(accept, "application/json") && !strstr(accept, "text/html");
}

static void
begin_request(struct web *w, struct web_inside *in, struct exchange *x, struct arena *m)
{
	const char *query = x->param[P_QUERY];

	*w = (struct web){
		.m = m, .in = in, .db = serving.db, .internal = serving.internal, .path = "", .now = clock_now()
	};
	memset(in, 0, sizeof(*in));
	in->x = x;
	in->query.max = in->body.max = (int)settings.max_fields;
	in->reply.body.m = m;
	w->request_id = request_id(w);
	w->query = query ? arena_strdup(m, query) : "";
	w->address = x->param[P_ADDRESS] ? x->param[P_ADDRESS] : "";
	w->json = serving.internal || accepts_json(x->param[P_ACCEPT]);
	in->n_cookies = request_cookies(m, x->param[P_COOKIE], in->cookie, MAX_COOKIES);
	log_request(w->request_id);
	take_language(w, NULL);
	visitor_anon(w);
	if (w->db) {
		db_fresh(w->db);
		db_read_only(w->db, false);
		serving.dead |= db_failed(w->db); /* a failed disk, which db_fresh() does not clear */
	}
}

/* --- the checks, in their order ----------------------------------------------------------------------------------- */

static enum status
not_allowed(struct web *w, int methods)
{
	char *allow = arena_printf(w->m, "%s%s%s%s", methods & GET ? ", GET, HEAD" : "", methods & POST ? ", POST" : "",
		methods & PUT ? ", PUT" : "", methods & DELETE ? ", DELETE" : "");

	web_set_header(w, "Allow", allow + 2);
	return web_refuse(w, HTTP_NOT_ALLOWED, "not_allowed", _("This address does not support this kind of request."));
}

/* Read-only until the next request begins; then the answer need not wait for the disk either (db_durable). */
static enum status
run_handler(struct web *w)
{
	db_read_only(w->db, w->method == GET && !(w->in->route->needs & ROUTE_WRITES));
	if (serving.p->before)
		serving.p->before(w);
	return w->in->route->handle(w);
}

/* Is the request well-formed, and is there a handler for it? false: *status is the answer. */
static bool
is_understood(struct web *w, bool method_known, enum status *status)
{
	int methods = 0;

	w->in->route = route_find(w, serving.p->routes, &methods);
	if (!w->in->route && !methods)
		*status = web_not_found(w);
	else if (!w->in->route || !method_known)
		*status = not_allowed(w, methods);
	else if (!take_query(w))
		*status = web_refuse(w, HTTP_BAD_REQUEST, w->in->query.code, w->in->query.wrong);
	else if (take_is_too_large(w))
		*status = web_refuse(w, HTTP_TOO_LARGE, "too_large", _("The request is larger than allowed."));
	else
		return true;
	return false;
}

static enum status
answer_request(struct web *w)
{
	enum status status;
	bool method_known = take_method(w);

	if (!take_path(w))
		return web_refuse(w, HTTP_BAD_REQUEST, "bad_request", _("This address is not valid."));
	if (health_answer(w, &status))
		return status;
	if (!w->db)
		return web_later(w, 5, _("We are updating the service. Please try again in a moment."));
	visitor_find(w);
	if (!is_understood(w, method_known, &status) || visitor_refused(w, &status) || !take_body(w, &status))
		return status;
	if (visitor_forged(w))
		return web_refuse(w, HTTP_FORBIDDEN, "csrf",
			_("This form has expired. Please reload the page and submit it again."));
	return run_handler(w);
}

/* --- end ---------------------------------------------------------------------------------------------------------- */

/*
 * Internal replies need no fsync: the caller writes to the same WAL and syncs it before it replies.
 */
static bool
is_safe_to_say(struct web *w)
{
	return serving.internal || db_durable(w->db);
}

/*
 * The write failed, or its outcome is unknown. To an internal caller 503 would mean that nothing was begun, which may
 * not be true.
 */
static enum status
could_not_write(struct web *w)
{
	if (serving.internal)
		return web_broken(w);
	reply_forget(w);
	return web_later(w, WRITE_AGAIN_S,
		_("We can't save changes right now. Please try again in a moment. If you were booking or paying, check"
		  " your bookings first; you will not be charged twice."));
}

/* The answer is sent only when it is complete and what it reports is on disk. */
static enum status
finish_answer(struct web *w, enum status status)
{
	bool open = w->db && db_in_transaction(w->db);

	if (open) {
		log_error("web", "%s left a transaction open", web_path_to_log(w));
		db_rollback(w->db);
	}
	if (w->db && !db_failed(w->db) && !is_safe_to_say(w)) {
		serving.dead = true;
		return could_not_write(w);
	}
	if (w->db && db_is_later(w->db))
		return could_not_write(w);
	if (open || (w->db && db_failed(w->db)))
		return web_broken(w);
	if (status == w->in->reply.status)
		return status;
	log_error("web", "%s answered %d without a reply for it", web_path_to_log(w), (int)status);
	return web_broken(w);
}

static void
log_answer(struct web *w, enum status status, int64_t began_us)
{
	static const char *const names[] = {
		[0] = "?", [GET] = "GET", [POST] = "POST", [PUT] = "PUT", [DELETE] = "DELETE"
	};
	struct log_line l;

	log_begin(&l, LOG_INFO_, "answer");
	log_text(&l, "method", w->in->head ? "HEAD" : names[w->method]);
	log_text(&l, "path", web_path_to_log(w));
	log_int(&l, "status", status);
	log_ms(&l, "ms", clock_us() - began_us);
	log_int(&l, "user_id", w->user.id);
	log_end(&l);
}

void
web_serve(struct exchange *x, struct arena *m)
{
	static struct web w;
	static struct web_inside in;
	int64_t began_us = clock_us();
	enum status status;

	gauge_begin(serving.gauge, serving.slot);
	arena_reset(m);
	begin_request(&w, &in, x, m);
	fault_act(x);
	status = finish_answer(&w, answer_request(&w));
	reply_send(&w, status);
	log_answer(&w, status, began_us);
	log_request(NULL);
	gauge_end(serving.gauge, serving.slot, status, clock_us() - began_us);
}

/* Retry-After is spread over some seconds, so that refused clients do not all return at once. */
void
web_refuse_overload(struct exchange *x, struct arena *m)
{
	static struct web w;
	static struct web_inside in;
	int64_t began_us = clock_us();
	enum status status;

	arena_reset(m);
	begin_request(&w, &in, x, m);
	take_method(&w);
	w.json |= x->param[P_AUTHORIZATION] != NULL;
	status = web_later(&w, 2 + (int)(began_us % 4),
		_("We're very busy right now. Nothing was changed; please try again in a few seconds."));
	reply_send(&w, status);
	log_answer(&w, status, began_us);
	log_request(NULL);
	if (serving.gauge)
		atomic_fetch_add(&serving.gauge->n_shed, 1);
}
