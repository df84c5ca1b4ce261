/*
 * web.c - one request's life, from its parameters to the log line; web.h tells what handlers see of it.
 *
 * The checks stand in one list (answer()): what the request is, who asks, which handler, may he, is it forged, then the
 * handler. Each check that fails ends with an answer of its own. After the handler the answer is held back until nothing
 * can go wrong any more: a sticky failure, a transaction left open or a disk that refuses turn it into the 500 page.
 */
#include "inside.h"

#include "clock.h"
#include "json.h"
#include "log.h"
#include "secret.h"
#include "settings.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOGGED_PATH_MAX 500

struct serving serving;

void
web_open(const struct program *p, struct arena *forever, bool internal)
{
	serving.p = p;
	serving.internal = internal;
	serving.log_head = arena_printf(forever, "\",\"level\":\"info\",\"program\":\"%s\",\"pid\":%d,\"request\":\"", p->name, (int)getpid());
	reply_open(forever);
}

void
web_use_db(struct db *db, const char *why)
{
	serving.db = db;
	serving.why = why;
}

/* --- begin ---------------------------------------------------------------------------------------------------------- */

const char *
token_short(struct arena *m)
{
	static unsigned char pool[12 * 256];
	static size_t used = sizeof(pool);
	size_t room = sodium_base64_encoded_len(12, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *s = arena_alloc(m, room);

	if (used == sizeof(pool)) {
		randombytes_buf(pool, sizeof(pool));
		used = 0;
	}
	sodium_bin2base64(s, room, pool + used, 12, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	used += 12;
	return s;
}

/* The caller's id is kept only from our own programs: a stranger's would let him write into our logs. */
static const char *
request_id(const struct web *w)
{
	const char *given = serving.internal ? w->in->x->param[P_REQUEST_ID] : NULL;
	size_t n = given ? strlen(given) : 0;

	if (n > 0 && n <= 64 && strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == n)
		return arena_strdup(w->m, given);
	return token_short(w->m);
}

static bool
accepts_json(const char *accept)
{
	return accept && strstr(accept, "application/json") && !strstr(accept, "text/html");
}

static void
begin(struct web *w, struct web_inside *in, struct exchange *x, struct arena *m)
{
	const char *query = x->param[P_QUERY];

	*w = (struct web){ .m = m, .in = in, .db = serving.db, .internal = serving.internal, .path = "", .now = clock_now() };
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
	if (w->db) {
		db_fresh(w->db);
		db_read_only(w->db, false);
		serving.dead |= db_failed(w->db);       /* what a fresh start does not forgive: the disk */
	}
}

/* --- the checks, in their order ----------------------------------------------------------------------------------- */

static enum status
not_allowed(struct web *w, int methods)
{
	char *allow = arena_printf(w->m, "%s%s%s%s", methods & GET ? ", GET, HEAD" : "", methods & POST ? ", POST" : "",
	                           methods & PUT ? ", PUT" : "", methods & DELETE ? ", DELETE" : "");

	web_set_header(w, "Allow", allow + 2);
	return web_refuse(w, NOT_ALLOWED, "not_allowed", _("This address does not take such a request."));
}

/* Read-only until the next request begins: what only shows need not wait for the disk either (db_durable). */
static enum status
run_handler(struct web *w)
{
	db_read_only(w->db, w->method == GET && !(w->in->route->needs & WRITES));
	if (serving.p->before)
		serving.p->before(w);
	return w->in->route->handle(w);
}

/* Is the request well made, and is there somebody to answer it? false: *status is the answer. */
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
		*status = web_refuse(w, BAD_REQUEST, w->in->query.code, w->in->query.wrong);
	else if (take_is_too_large(w))
		*status = web_refuse(w, TOO_LARGE, "too_large", _("That is more than we can take."));
	else
		return true;
	return false;
}

static enum status
answer(struct web *w)
{
	enum status status;
	bool method_known = take_method(w);

	if (!take_path(w))
		return web_refuse(w, BAD_REQUEST, "bad_request", _("This address is not valid."));
	if (health_answer(w, &status))
		return status;
	if (!w->db)
		return web_later(w, 5, _("We are updating the service. Please try again in a moment."));
	visitor_find(w);
	if (!is_understood(w, method_known, &status) || visitor_refused(w, &status) || !take_body(w, &status))
		return status;
	if (visitor_forged(w))
		return web_refuse(w, FORBIDDEN, "csrf", _("This form is out of date. Please reload the page and send it again."));
	return run_handler(w);
}

/* --- end ------------------------------------------------------------------------------------------------------------ */

/*
 * An internal answer stays in the house: its caller writes to the same log, and makes it durable up to its own last word before
 * anything leaves.
 */
static bool
is_safe_to_say(struct web *w)
{
	return serving.internal || db_durable(w->db);
}

/* Nothing leaves before it is true, whole and on disk. */
static enum status
settle(struct web *w, enum status status)
{
	bool open = w->db && db_in_transaction(w->db);

	if (open) {
		log_error("web", "%s left a transaction open", w->path);
		db_rollback(w->db);
	}
	if (w->db && !db_failed(w->db) && !is_safe_to_say(w)) {
		serving.dead = true;
		return web_broken(w);
	}
	if (open || (w->db && db_failed(w->db)))
		return web_broken(w);
	if (status == w->in->reply.status)
		return status;
	log_error("web", "%s answered %d without a reply for it", w->path, (int)status);
	return web_broken(w);
}

/* The path for the log: cut so that a line stays one write shorter than PIPE_BUF; nonsense as "?". */
static const char *
path_to_log(struct web *w)
{
	size_t n = strlen(w->path);

	if (request_text_wrong(w->path, n))
		return "?";
	if (n <= LOGGED_PATH_MAX)
		return w->path;
	for (n = LOGGED_PATH_MAX; (w->path[n] & 0xC0) == 0x80; n--)
		;
	return arena_strndup(w->m, w->path, n);
}

static void
put_ms(struct buf *line, const struct timespec *began)
{
	struct timespec ended;
	int64_t us;

	clock_gettime(CLOCK_MONOTONIC, &ended);
	us = (ended.tv_sec - began->tv_sec) * 1000000 + (ended.tv_nsec - began->tv_nsec) / 1000;
	put_number(line, us / 1000, 1);
	buf_put(line, ".", 1);
	put_number(line, us % 1000, 3);
}

/* "2026-11-21T05:00:00.123Z"; the seconds are formatted once a second. */
static void
put_now(struct buf *line)
{
	static char at[32];
	static time_t at_s;
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != at_s)
		strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S.", gmtime_r(&now.tv_sec, &utc));
	at_s = now.tv_sec;
	buf_puts(line, at);
	put_number(line, now.tv_nsec / 1000000, 3);
	buf_put(line, "Z", 1);
}

/* The same shape as lib/log.c's lines, with members of its own, and written without printf: it is a part of every request. */
static void
log_answer(struct web *w, enum status status, const struct timespec *began)
{
	static const char *const names[] = { [0] = "?", [GET] = "GET", [POST] = "POST", [PUT] = "PUT", [DELETE] = "DELETE" };
	struct buf line = { .m = w->m };

	buf_puts(&line, "{\"at\":\"");
	put_now(&line);
	buf_puts(&line, serving.log_head);
	buf_puts(&line, w->request_id);
	buf_puts(&line, "\",\"what\":\"answer\",\"method\":\"");
	buf_puts(&line, w->in->head ? "HEAD" : names[w->method]);
	buf_puts(&line, "\",\"path\":");
	json_put_text(&line, path_to_log(w));
	buf_puts(&line, ",\"status\":");
	put_number(&line, status, 1);
	buf_puts(&line, ",\"ms\":");
	put_ms(&line, began);
	buf_puts(&line, ",\"user_id\":");
	put_number(&line, w->user.id, 1);
	buf_puts(&line, "}\n");
	if (write(STDERR_FILENO, line.s, line.n) < 0)
		return;                 /* a full log disk is no reason to stop renting cars */
}

void
web_serve(struct exchange *x, struct arena *m)
{
	static struct web w;
	static struct web_inside in;
	struct timespec began;
	enum status status;

	clock_gettime(CLOCK_MONOTONIC, &began);
	arena_reset(m);
	begin(&w, &in, x, m);
	status = settle(&w, answer(&w));
	reply_send(&w, status);
	log_answer(&w, status, &began);
	log_request(NULL);
}

/* --- what handlers ask ------------------------------------------------------------------------------------------- */

const char *
web_param(struct web *w, const char *name)
{
	for (int i = 0; i < w->in->n_params; i++)
		if (strcmp(w->in->param[i].name, name) == 0)
			return w->in->param[i].value;
	return "";
}

int64_t
web_param_id(struct web *w, const char *name)
{
	const char *s = web_param(w, name);
	size_t n = strlen(s);

	return n > 0 && n <= 18 && *s != '0' && strspn(s, "0123456789") == n ? strtoll(s, NULL, 10) : 0;
}

const char *
web_header(struct web *w, const char *name)
{
	char param[80] = "HTTP_";
	size_t n = strlen(name);

	if (n > sizeof(param) - 6)
		return NULL;
	for (size_t i = 0; i <= n; i++)
		param[5 + i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
	return gateway_param(w->in->x, param);
}

const char *
web_cookie(struct web *w, const char *name)
{
	static const char host[] = "__Host-";
	size_t skip = settings.tls ? sizeof(host) - 1 : 0;

	for (int i = 0; i < w->in->n_cookies; i++) {
		const struct cookie *c = &w->in->cookie[i];

		if (strncmp(c->name, host, skip) == 0 && strcmp(c->name + skip, name) == 0)
			return c->value;
	}
	return NULL;
}

const char *
web_body(struct web *w, size_t *n)
{
	*n = w->in->raw_n;
	return w->in->raw ? w->in->raw : "";
}

const char *
web_file(struct web *w, const char *name, size_t *n)
{
	const struct upload *file = &w->in->body.file;

	*n = 0;
	if (!file->bytes || strcmp(file->name, name) != 0)
		return NULL;
	*n = file->n;
	return file->bytes;
}

const char *
web_idempotency_key(struct web *w)
{
	const char *key = w->in->x->param[P_IDEMPOTENCY];
	const struct sent *field;

	if (key)
		return key;
	field = input_find(&w->in->body, "form_key");
	return field ? field->value : "";
}

static int
by_name(const void *a, const void *b)
{
	const struct sent *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* name US value RS … in the order of names: neither separator can stand in a field. */
const char *
web_body_hash(struct web *w)
{
	const struct input *in = web_fields(w);
	const struct sent **sorted = arena_array(w->m, const struct sent *, in->n + 1);
	struct buf text = { .m = w->m };
	int n = 0;

	for (int i = 0; i < in->n; i++)
		if (strcmp(in->field[i].name, "csrf") != 0 && strcmp(in->field[i].name, "form_key") != 0)
			sorted[n++] = &in->field[i];
	qsort(sorted, (size_t)n, sizeof(*sorted), by_name);
	buf_puts(&text, "");
	for (int i = 0; i < n; i++)
		buf_printf(&text, "%s\x1f%s\x1e", sorted[i]->name, sorted[i]->value);
	return secret_hash(w->m, text.s);
}
