/*
 * asked.c - what a handler can ask about the request: path parameters, headers, cookies, the raw body, an uploaded
 * file, the idempotency key; and what of its path may be written to the log.
 */
#include "web_inside.h"

#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* name US value RS … in the order of names: a field can contain neither separator. */
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

/* --- for the log -------------------------------------------------------------------------------------------------- */

/* Ids and codes: at most nine digits, or capital letters and digits joined by a dash. A name, an e-mail address, a card
 * or a key is not one. */
static bool
is_id(const char *s)
{
	size_t n = strlen(s), n_digits = strspn(s, "0123456789");

	if (n_digits == n)
		return n <= 9;
	return n <= 20 && strchr(s, '-') && *s >= 'A' && *s <= 'Z'
		&& strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n && strpbrk(s, "0123456789");
}

static const char *
param_to_log(const struct web_inside *in, int i)
{
	return i < in->n_params && is_id(in->param[i].value) ? in->param[i].value : NULL;
}

/*
 * The path for the log: the route's, with ids in place of its parameters. Anything else typed there is left out, and so
 * are addresses that no route knows, since people paste all kinds of text into an address bar.
 */
const char *
web_path_to_log(struct web *w)
{
	struct buf path = { .m = w->m };
	const char *value;
	size_t n;
	int i = 0;

	if (!w->in->route)
		return w->in->is_health ? w->path : "?";
	for (const char *s = w->in->route->path; *s; s += n) {
		n = *s == ':' ? strcspn(s, "/") : strcspn(s, ":");
		value = *s == ':' ? param_to_log(w->in, i++) : NULL;
		if (value)
			buf_puts(&path, value);
		else
			buf_put(&path, s, n);
	}
	return path.s;
}
