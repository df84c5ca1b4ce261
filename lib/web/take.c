/*
 * take.c - method, path, language, query and body, each read from the exchange and checked.
 *
 * The body is read last, after the route is known and the sender is admitted to it.
 */
#include "web_inside.h"

#include "lib/base/lang.h"
#include "lib/base/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDEMPOTENCY_KEY_MAX 255

bool
take_method(struct web *w)
{
	static const struct {
		const char *name;
		enum method method;
	} methods[] = {
		{ "GET", GET },
		{ "POST", POST },
		{ "HEAD", GET },
		{ "PUT", PUT },
		{ "DELETE", DELETE },
	};
	const char *name = w->in->x->param[P_METHOD];

	for (size_t i = 0; name && i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(name, methods[i].name) == 0)
			w->method = methods[i].method;
	w->in->head = name && strcmp(name, "HEAD") == 0;
	return w->method != 0;
}

/* The path as the web server decoded it (script name plus path info), else from the request URI. */
bool
take_path(struct web *w)
{
	const char *script = w->in->x->param[P_SCRIPT], *info = w->in->x->param[P_PATH_INFO],
		   *uri = w->in->x->param[P_URI];
	char *path;
	long n;

	if (script || info) {
		struct buf whole = { .m = w->m };

		buf_puts(&whole, script ? script : "");
		buf_puts(&whole, info ? info : "");
		path = whole.s;
		n = (long)whole.n;
	} else {
		path = arena_strndup(w->m, uri ? uri : "/", strcspn(uri ? uri : "/", "?#"));
		n = request_decode(path, strlen(path), false);
		path[n < 0 ? 0 : n] = '\0';
	}
	w->path = path;
	return n > 0 && path[0] == '/' && strlen(path) == (size_t)n && !request_text_wrong(path, (size_t)n)
		&& !strpbrk(path, "\r\n\t");
}

static bool
type_is(const char *type, const char *name)
{
	size_t n = strlen(name);

	return type && strncasecmp(type, name, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

void
take_language(struct web *w, const char *of_user)
{
	const char *cookie;
	int lang = of_user ? lang_find(of_user) : -1;

	if (lang < 0 && (cookie = web_cookie(w, "mp_lang")))
		lang = lang_find(cookie);
	if (lang < 0)
		lang = w->in->x->param[P_LANGUAGE] ? lang_accepted(w->in->x->param[P_LANGUAGE]) : LANG_EN;
	lang_set(lang);
}

bool
take_query(struct web *w)
{
	char *text = arena_strdup(w->m, w->query);

	return request_urlencoded(w->m, &w->in->query, text, strlen(text));
}

/* --- the body ----------------------------------------------------------------------------------------------------- */

/* The Content-Length; -1: invalid. */
static int64_t
said_length(const struct web *w)
{
	const char *s = w->in->x->param[P_LENGTH];
	char *end;
	long long n;

	if (!s || !*s)
		return 0;
	errno = 0;
	n = strtoll(s, &end, 10);
	return *end || errno || n < 0 || !isdigit((unsigned char)*s) ? -1 : n;
}

bool
take_is_too_large(const struct web *w)
{
	int64_t limit = w->in->route->needs & ROUTE_UPLOAD ? (int64_t)UPLOAD_MAX + 65536 : settings.max_body_bytes;

	return said_length(w) > limit;
}

static bool
read_body(struct web *w, size_t n)
{
	struct web_inside *in = w->in;

	in->raw = arena_alloc(w->m, n + 1);
	in->raw_n = n ? gateway_read(in->x, in->raw, n) : 0;
	return in->raw_n == n || input_wrong(&in->body, "bad_request", _("The request body is incomplete."));
}

static bool
parse_body(struct web *w, const char *type, bool *known)
{
	struct web_inside *in = w->in;

	*known = true;
	if (in->raw_n == 0 || in->route->needs & ROUTE_RAW_BODY)
		return true;
	if (type_is(type, "application/x-www-form-urlencoded"))
		return request_urlencoded(w->m, &in->body, in->raw, in->raw_n);
	if (type_is(type, "application/json"))
		return request_json(w->m, &in->body, in->raw, in->raw_n);
	if (type_is(type, "multipart/form-data") && in->route->needs & ROUTE_UPLOAD)
		return request_multipart(w->m, &in->body, type, in->raw, in->raw_n);
	return *known = false;
}

/* It becomes part of a unique key: short printable ASCII. */
static bool
key_ok(const char *key)
{
	size_t n = key ? strlen(key) : 0;

	for (size_t i = 0; i < n; i++)
		if (key[i] < 0x20 || key[i] > 0x7E)
			return false;
	return n <= IDEMPOTENCY_KEY_MAX;
}

/* false: *status is the answer. */
bool
take_body(struct web *w, enum status *status)
{
	const char *type = w->in->x->param[P_TYPE];
	int64_t n = said_length(w);
	bool known = true;

	if (w->method == GET)
		return true;
	if (n < 0)
		return *status = web_refuse(
			       w, HTTP_BAD_REQUEST, "bad_request", _("The request's length is not a number.")),
		       false;
	if (!key_ok(w->in->x->param[P_IDEMPOTENCY]))
		return *status = web_refuse(w, HTTP_BAD_REQUEST, "bad_request",
			       _("The Idempotency-Key is too long or not plain text.")),
		       false;
	if (type_is(type, "application/json"))
		w->json = true;
	if (read_body(w, (size_t)n) && parse_body(w, type, &known))
		return true;
	*status = known ? web_refuse(w, HTTP_BAD_REQUEST, w->in->body.code, w->in->body.wrong)
			: web_refuse(w, HTTP_UNSUPPORTED, "unsupported", _("Please send a form or JSON."));
	return false;
}
