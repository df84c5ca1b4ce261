/*
 * reply.c - the answer: a page, JSON, a redirect or an error, in one buffer until reply_send().
 *
 * A handler may make a second reply: the last one is sent. The headers common to all answers are assembled at start-up.
 */
#include "web_inside.h"

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HTML "text/html; charset=utf-8"
#define JSON "application/json; charset=utf-8"

/* --- what every page shows ---------------------------------------------------------------------------------------- */

static const struct member chrome_members[] = {
	SHAPE_TEXT(chrome, lang), SHAPE_TEXT(chrome, other_lang), SHAPE_TEXT(chrome, path), SHAPE_TEXT(chrome, csrf),
	SHAPE_TEXT(chrome, form_key), SHAPE_TEXT(chrome, user_name), SHAPE_TEXT(chrome, user_email),
	SHAPE_BOOL(chrome, signed_in), SHAPE_TEXT(chrome, request_id), SHAPE_TEXT(chrome, notice),
	SHAPE_TIME(chrome, now), SHAPE_TEXT(chrome, zone),
};
const struct shape chrome_shape = SHAPE(chrome, chrome_members);

struct error_page {
	int64_t status;
	const char *title, *message, *request_id, *sign_in_url;
	int64_t retry_after_s;
};
static const struct member error_page_members[] = {
	SHAPE_INT(error_page, status), SHAPE_TEXT(error_page, title), SHAPE_TEXT(error_page, message),
	SHAPE_TEXT(error_page, request_id), SHAPE_TEXT(error_page, sign_in_url), SHAPE_INT(error_page, retry_after_s),
};
static const struct shape error_page_shape = SHAPE(error_page, error_page_members);
PAGE(error_page, "error", error_page_shape)

/* A signed-out visitor gets a random token, so that their forms are protected against CSRF too. */
static const char *
csrf_for_page(struct web *w)
{
	if (!w->in->session && !w->in->anon) {
		w->in->anon = secret_token(w->m);
		web_set_cookie(w, "mp_anon", w->in->anon, settings.session_max_s);
	}
	return visitor_csrf(w);
}

bool
web_compile_pages(const char *templates_dir)
{
	const struct tpl_root root = {
		.shape = &chrome_shape,
		.inner = serving.p->site ? serving.p->site->shape : NULL,
		.inner_offset = offsetof(struct chrome, product),
	};

	return tpl_compile_pages(templates_dir, &root);
}

static void
fill_chrome(struct web *w)
{
	struct chrome *c = &w->chrome;

	c->lang = lang_code(lang_now());
	c->other_lang = lang_code(lang_now() == LANG_KO ? LANG_EN : LANG_KO);
	c->path = url_own(w);
	c->csrf = csrf_for_page(w);
	c->form_key = secret_id(w->m);
	c->signed_in = w->user.id != 0;
	c->user_name = w->user.name;
	c->user_email = w->user.email;
	c->request_id = w->request_id;
	c->now = w->now;
	c->zone = clock_zone(w->now);
	if (serving.p->site)
		serving.p->site->fill(w);
}

/* --- the kinds of answers ----------------------------------------------------------------------------------------- */

static struct buf *
reply_begin(struct web *w, enum status status, const char *type)
{
	struct reply *r = &w->in->reply;

	r->status = status;
	r->type = type;
	r->body.n = 0;
	return &r->body;
}

static enum status
render(struct web *w, enum status status, struct page *page, const void *data)
{
	fill_chrome(w);
	tpl_render(page->tpl[lang_now()], reply_begin(w, status, HTML), &w->chrome, data);
	return status;
}

enum status
web_page(struct web *w, enum status status, struct page *page, const void *data)
{
	if (!page->tpl[lang_now()]) {
		log_error("web", "the page %s was not compiled", page->file);
		return web_broken(w);
	}
	return render(w, status, page, data);
}

enum status
web_json(struct web *w, enum status status, const struct shape *shape, const void *data)
{
	json_put(reply_begin(w, status, JSON), shape, data);
	return status;
}

enum status
web_json_text(struct web *w, enum status status, const char *json)
{
	return web_text(w, status, JSON, json);
}

enum status
web_text(struct web *w, enum status status, const char *type, const char *text)
{
	buf_puts(reply_begin(w, status, type), text);
	return status;
}

enum status
web_bytes(struct web *w, enum status status, const char *type, const char *bytes, size_t n)
{
	buf_put(reply_begin(w, status, type), bytes, n);
	return status;
}

enum status
web_answer(struct web *w, enum status status, const struct shape *json, struct page *page, const void *data)
{
	return w->json ? web_json(w, status, json, data) : web_page(w, status, page, data);
}

/* --- redirects ---------------------------------------------------------------------------------------------------- */

static enum status
redirect_to(struct web *w, const char *url)
{
	reply_begin(w, HTTP_SEE_OTHER, NULL);
	web_set_header(w, "Location", url);
	return HTTP_SEE_OTHER;
}

static enum status
redirect_within(struct web *w, const char *path)
{
	if (url_is_location(path))
		return redirect_to(w, path);
	log_error("web", "%s: refused to redirect to such a path", web_path_to_log(w));
	return web_broken(w);
}

enum status
web_redirect(struct web *w, const char *fmt, ...)
{
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = arena_vprintf(w->m, fmt, ap);
	va_end(ap);
	return redirect_within(w, path);
}

enum status
web_done(struct web *w, enum status json_status, const struct shape *shape, const void *data, const char *fmt, ...)
{
	va_list ap;
	char *path;

	if (w->json)
		return shape ? web_json(w, json_status, shape, data) : web_text(w, HTTP_NO_CONTENT, NULL, "");
	va_start(ap, fmt);
	path = arena_vprintf(w->m, fmt, ap);
	va_end(ap);
	return redirect_within(w, path);
}

/* The provider's page is on its own origin, or below ours when it is the sandbox. No other address is allowed. */
enum status
web_redirect_out(struct web *w, const char *url)
{
	const char *origin = serving.provider_origin;
	size_t n = strlen(origin), base_n = strlen(settings.base_url);
	bool theirs = n && strncmp(url, origin, n) == 0 && (url[n] == '/' || url[n] == '?' || !url[n]);
	bool ours = base_n && strncmp(url, settings.base_url, base_n) == 0 && url[base_n] == '/';

	if (!strpbrk(url, "\r\n\t \\\"<>") && (theirs || ours || web_safe_path(url)))
		return redirect_to(w, url);
	log_error("web", "%s: refused to redirect to another's address", web_path_to_log(w));
	return web_broken(w);
}

/* --- headers and cookies ------------------------------------------------------------------------------------------ */

static bool
header_ok(const char *value)
{
	for (const char *s = value; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7F)
			return false;
	return true;
}

void
web_set_header(struct web *w, const char *name, const char *value)
{
	struct reply *r = &w->in->reply;
	int i = 0;

	if (!header_ok(value)) {
		log_error("web", "the header %s cannot hold such a value", name);
		return;
	}
	while (i < r->n_headers && strcasecmp(r->header[i].name, name) != 0)
		i++;
	if (i == MAX_HEADERS)
		return log_error("web", "too many headers");
	r->header[i] = (struct header){ name, value };
	r->n_headers += i == r->n_headers;
}

void
web_set_cookie(struct web *w, const char *name, const char *value, int64_t max_age_s)
{
	struct reply *r = &w->in->reply;
	int i = 0;

	if (!header_ok(value) || strpbrk(value, ";, \"\\"))
		return log_error("web", "the cookie %s cannot hold such a value", name);
	while (i < r->n_cookies && strcmp(r->cookie[i].name, name) != 0)
		i++;
	if (i == MAX_COOKIES)
		return log_error("web", "too many cookies");
	r->cookie[i] = (struct set_cookie){ name, value, max_age_s };
	r->n_cookies += i == r->n_cookies;
}

/* Discards the reply made so far. */
void
reply_forget(struct web *w)
{
	w->in->reply.body.n = 0;
	w->in->reply.n_headers = w->in->reply.n_cookies = 0;
	w->in->n_errors = 0;
	w->in->details = NULL;
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

static const char *
error_title(enum status status)
{
	switch ((int)status) {
	case HTTP_UNAUTHORIZED: return _("Please sign in");
	case HTTP_FORBIDDEN: return _("You don't have access");
	case HTTP_NOT_FOUND: return _("Page not found");
	case HTTP_CONFLICT: return _("This is not possible right now");
	case HTTP_TOO_LARGE: return _("Request too large");
	case HTTP_TOO_MANY: return _("Too many attempts");
	case HTTP_BROKEN: return _("Something went wrong on our side");
	case HTTP_BUSY: return _("Temporarily unavailable");
	default: return _("Your request could not be completed");
	}
}

/* {"error":{"code":"invalid","message":"…","fields":{"plate":"…"}}}; when it may be tried again: "retry_after_s":5;
 * after web_error_details(): "details":{…} */
static void
error_json(struct web *w, struct buf *out, const char *code, const char *message, int retry_after_s)
{
	const struct web_inside *in = w->in;

	buf_puts(out, "{\"error\":{\"code\":");
	json_put_text(out, code);
	buf_puts(out, ",\"message\":");
	json_put_text(out, message);
	for (int i = 0; i < in->n_errors; i++) {
		buf_puts(out, i ? "," : ",\"fields\":{");
		json_put_text(out, in->error[i].name);
		buf_puts(out, ":");
		json_put_text(out, in->error[i].message);
	}
	if (in->n_errors)
		buf_puts(out, "}");
	if (in->details) {
		buf_puts(out, ",\"details\":");
		json_put(out, in->details_shape, in->details);
	}
	if (retry_after_s)
		buf_printf(out, ",\"retry_after_s\":%d", retry_after_s);
	buf_printf(out, ",\"request_id\":\"%s\"}}", w->request_id);
}

enum status
reply_error(struct web *w, enum status status, const char *code, const char *message, int retry_after_s)
{
	struct error_page e = {
		.status = status,
		.title = error_title(status),
		.message = message,
		.request_id = w->request_id,
		.sign_in_url = status == HTTP_UNAUTHORIZED ? "/account/sign-in" : NULL,
		.retry_after_s = retry_after_s,
	};

	if (w->json)
		error_json(w, reply_begin(w, status, JSON), code, message, retry_after_s);
	else if (error_page.tpl[lang_now()])
		return render(w, status, &error_page, &e);
	else /* the templates themselves failed */
		buf_printf(reply_begin(w, status, "text/plain; charset=utf-8"), "%d %s\n%s\n%s\n", (int)status, e.title,
			message, w->request_id);
	return status;
}

void
web_form(struct web *w, form_page *show, const void *form)
{
	w->in->form_show = show;
	w->in->form = form;
}

/* false: there is no form, or the client is a program. What the form itself refuses ends on the error page. */
static bool
show_form_again(struct web *w, enum status *status, const char *message)
{
	form_page *show = w->json ? NULL : w->in->form_show;

	w->in->form_show = NULL;
	if (show)
		*status = show(w, w->in->form, *status, message);
	return show != NULL;
}

enum status
web_refuse(struct web *w, enum status status, const char *code, const char *message)
{
	return show_form_again(w, &status, message) ? status : reply_error(w, status, code, message, 0);
}

void
web_error_details(struct web *w, const struct shape *shape, const void *data)
{
	w->in->details_shape = shape;
	w->in->details = data;
}

enum status
web_invalid(struct web *w)
{
	return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
}

enum status
web_not_found(struct web *w)
{
	return reply_error(
		w, HTTP_NOT_FOUND, "not_found", _("This page does not exist, or you do not have access to it."), 0);
}

enum status
web_forbidden(struct web *w)
{
	return reply_error(w, HTTP_FORBIDDEN, "forbidden",
		_("Your account does not have permission for this. If you need it, ask an administrator."), 0);
}

enum status
web_later(struct web *w, int retry_after_s, const char *message)
{
	enum status status = HTTP_BUSY;
	const char *when = arena_printf(w->m,
		_n("Please try again in %d second.", "Please try again in %d seconds.", retry_after_s), retry_after_s);

	web_set_header(w, "Retry-After", arena_printf(w->m, "%d", retry_after_s));
	if (show_form_again(w, &status, arena_printf(w->m, "%s %s", message, when)))
		return status;
	return reply_error(w, status, "later", message, retry_after_s);
}

enum status
web_broken(struct web *w)
{
	reply_forget(w);
	return reply_error(w, HTTP_BROKEN, "broken",
		_("This is not your fault. We have logged the problem; please try again. If it happens again, tell us"
		  " the number below."),
		0);
}

/* --- out it goes -------------------------------------------------------------------------------------------------- */

/* "https://pay.example:8443/x" -> its length up to the path; 0: not an address with a host. */
static size_t
origin_length(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

/* Browsers apply form-action to the redirect after a POST as well, so it must list the provider's card page. */
static const char *
foreign_origin(struct arena *m, const char *url)
{
	size_t n = url ? origin_length(url) : 0;

	if (n == 0
		|| (settings.base_url && n == origin_length(settings.base_url)
			&& strncmp(url, settings.base_url, n) == 0))
		return "";
	return arena_strndup(m, url, n);
}

void
reply_open(struct arena *forever)
{
	struct buf *b = &serving.fixed;

	serving.provider_origin = foreign_origin(forever, serving.p->site ? serving.p->site->form_target() : NULL);
	*b = (struct buf){ .m = forever };
	buf_printf(b,
		"Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self' data:; script-src"
		" 'self'; "
		"form-action 'self'%s%s; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'\r\n",
		*serving.provider_origin ? " " : "", serving.provider_origin);
	buf_puts(b,
		"X-Content-Type-Options: nosniff\r\n"
		"Referrer-Policy: same-origin\r\n"
		"Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=()\r\n"
		"Cross-Origin-Opener-Policy: same-origin\r\n"
		"Vary: Accept, Accept-Language, Cookie\r\n");
	if (settings.tls)
		buf_puts(b, "Strict-Transport-Security: max-age=31536000\r\n");
}

void
put_number(struct buf *b, int64_t n, int min_digits)
{
	char digits[24], *end = digits + sizeof(digits), *s = end;

	do
		*--s = (char)('0' + n % 10);
	while ((n /= 10) || end - s < min_digits);
	buf_put(b, s, (size_t)(end - s));
}

static void
put_reply_header(struct buf *head, const char *name, const char *value)
{
	buf_puts(head, name);
	buf_put(head, ": ", 2);
	buf_puts(head, value);
	buf_put(head, "\r\n", 2);
}

static void
put_cookie(struct buf *head, const struct set_cookie *c)
{
	buf_printf(head, "Set-Cookie: %s%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s\r\n",
		settings.tls ? "__Host-" : "", c->name, c->value, (long long)c->max_age_s,
		settings.tls ? "; Secure" : "");
}

void
reply_send(struct web *w, enum status status)
{
	struct reply *r = &w->in->reply;
	struct buf head = { .m = w->m };
	const char *caching = w->in->secret_page || status >= 400 ? "no-store" : "no-cache, private";

	buf_reserve(&head, 2000);
	buf_puts(&head, "Status: ");
	put_number(&head, status, 1);
	buf_puts(&head, "\r\n");
	if (r->type)
		put_reply_header(&head, "Content-Type", r->type);
	if (status != HTTP_NO_CONTENT && status != HTTP_NOT_MODIFIED) {
		buf_puts(&head, "Content-Length: ");
		put_number(&head, (int64_t)r->body.n, 1);
		buf_puts(&head, "\r\n");
	}
	put_reply_header(&head, "X-Request-Id", w->request_id);
	for (int i = 0; i < r->n_headers; i++) {
		put_reply_header(&head, r->header[i].name, r->header[i].value);
		if (strcasecmp(r->header[i].name, "Cache-Control") == 0)
			caching = NULL;
	}
	if (caching)
		put_reply_header(&head, "Cache-Control", caching);
	for (int i = 0; i < r->n_cookies; i++)
		put_cookie(&head, &r->cookie[i]);
	buf_put(&head, serving.fixed.s, serving.fixed.n);
	buf_put(&head, "\r\n", 2);
	gateway_send(w->in->x, &head, w->in->head ? NULL : &r->body);
}
