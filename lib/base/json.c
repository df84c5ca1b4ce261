/*
 * json.c - structs out as JSON by their shape, and JSON in by jansson; json.h describes the calls.
 *
 * Out: numbers are whole and exact, times RFC 3339, states their codes. A text is always valid UTF-8 (what is not
 * becomes U+FFFD) and never holds U+2028/9 raw, so the answer may also stand inside a script. In: a known member of the
 * wrong kind, a number with a fraction, an unknown state or an invalid time make the whole text unreadable; unknown
 * members are ignored.
 */
#include "json.h"

#include "clock.h"
#include "lang.h"
#include "utf8.h"

#include <string.h>

/* --- out ---------------------------------------------------------------------------------------------------------- */

/* Bytes that need no escaping in a string. */
static size_t
plain(const char *s)
{
	size_t n = 0;

	while ((unsigned char)s[n] >= 0x20 && (unsigned char)s[n] < 0x7F && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

/* Writes one character that needs escaping; returns the number of bytes of s it used. */
static size_t
put_special(struct buf *out, const char *s)
{
	int n = utf8_length(s);

	if (n == 0) {
		buf_puts(out, "\xEF\xBF\xBD"); /* U+FFFD */
		return 1;
	}
	if (*s == '"' || *s == '\\')
		buf_printf(out, "\\%c", *s);
	else if (*s == '\n')
		buf_puts(out, "\\n");
	else if (n == 1)
		buf_printf(out, "\\u%04x", (unsigned char)*s);
	else if (memcmp(s, "\xE2\x80\xA8", 3) == 0 || memcmp(s, "\xE2\x80\xA9", 3) == 0)
		buf_puts(out, s[2] == '\xA8' ? "\\u2028" : "\\u2029");
	else
		buf_put(out, s, (size_t)n);
	return (size_t)n;
}

void
json_put_text(struct buf *out, const char *s)
{
	if (!s) {
		buf_puts(out, "null");
		return;
	}
	buf_puts(out, "\"");
	while (*s) {
		size_t n = plain(s);

		if (n)
			buf_put(out, s, n);
		else
			n = put_special(out, s);
		s += n;
	}
	buf_puts(out, "\"");
}

static void
json_put_time(struct buf *out, int64_t at)
{
	if (at == 0) {
		buf_puts(out, "null");
		return;
	}
	buf_puts(out, "\"");
	time_iso(out, at);
	buf_puts(out, "\"");
}

static void
put_state(struct buf *out, const struct words *words, int state)
{
	const char *code = words_code(words, state);

	json_put_text(out, *code ? code : NULL);
}

static void
put_maybe(struct buf *out, const struct shape *shape, const void *data)
{
	if (data)
		json_put(out, shape, data);
	else
		buf_puts(out, "null");
}

static void
put_member(struct buf *out, const struct member *mb, const char *data)
{
	const char *at = data + mb->offset;

	switch (mb->kind) {
	case KIND_TEXT: json_put_text(out, *(const char *const *)at); break;
	case KIND_INT:
	case KIND_AMOUNT: buf_printf(out, "%lld", (long long)*(const int64_t *)at); break;
	case KIND_BOOL: buf_puts(out, *(const bool *)at ? "true" : "false"); break;
	case KIND_TIME: json_put_time(out, *(const int64_t *)at); break;
	case KIND_STATE: put_state(out, mb->words, *(const int *)at); break;
	case KIND_STRUCT: json_put(out, mb->of, at); break;
	case KIND_MAYBE: put_maybe(out, mb->of, *(const void *const *)at); break;
	case KIND_LIST:
		json_put_list(out, mb->of, *(const void *const *)at, *(const int *)(data + mb->n_offset));
		break;
	case KIND_RAW: buf_puts(out, *(const char *const *)at ? *(const char *const *)at : "null"); break;
	}
}

void
json_put(struct buf *out, const struct shape *shape, const void *data)
{
	for (int i = 0; i < shape->n; i++) {
		buf_puts(out, i ? "," : "{");
		json_put_text(out, shape->member[i].name);
		buf_puts(out, ":");
		put_member(out, &shape->member[i], data);
	}
	buf_puts(out, shape->n ? "}" : "{}");
}

void
json_put_list(struct buf *out, const struct shape *shape, const void *rows, int n)
{
	buf_puts(out, "[");
	for (int i = 0; i < n; i++) {
		if (i)
			buf_puts(out, ",");
		json_put(out, shape, (const char *)rows + (size_t)i * shape->size);
	}
	buf_puts(out, "]");
}

/* --- in ----------------------------------------------------------------------------------------------------------- */

static bool take_object(struct arena *m, const json_t *json, const struct shape *shape, void *out);

static bool
json_take_text(struct arena *m, const json_t *json, const char **to)
{
	if (!json_is_string(json) && !json_is_null(json))
		return false;
	*to = arena_strdup(m, json_string_value(json)); /* of null: NULL */
	return true;
}

static bool
json_take_int(const json_t *json, int64_t *to)
{
	if (!json_is_integer(json))
		return false;
	*to = json_integer_value(json);
	return true;
}

static bool
json_take_bool(const json_t *json, bool *to)
{
	if (!json_is_boolean(json))
		return false;
	*to = json_is_true(json);
	return true;
}

static bool
json_take_time(const json_t *json, int64_t *to)
{
	if (json_is_null(json)) {
		*to = 0;
		return true;
	}
	return json_is_string(json) && time_parse(json_string_value(json), to);
}

static bool
take_state(const json_t *json, const struct words *words, int *to)
{
	*to = words_find(words, json_string_value(json));
	return *to >= 0 || json_is_null(json);
}

static bool
take_maybe(struct arena *m, const json_t *json, const struct shape *shape, void **to)
{
	if (json_is_null(json)) {
		*to = NULL;
		return true;
	}
	*to = arena_alloc(m, shape->size);
	return take_object(m, json, shape, *to);
}

static bool
take_list(struct arena *m, const json_t *json, const struct shape *shape, void **to, int *n)
{
	size_t count = json_array_size(json);
	char *rows = arena_alloc(m, count * shape->size);

	if (!json_is_array(json))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!take_object(m, json_array_get(json, i), shape, rows + i * shape->size))
			return false;
	*to = rows;
	*n = (int)count;
	return true;
}

static int
put_raw(const char *bytes, size_t n, void *buf)
{
	buf_put(buf, bytes, n);
	return 0;
}

static bool
take_raw(struct arena *m, const json_t *json, const char **to)
{
	struct buf b = { .m = m };

	if (json_dump_callback(json, put_raw, &b, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		return false;
	*to = b.s;
	return true;
}

static bool
json_take_member(struct arena *m, const json_t *json, const struct member *mb, char *data)
{
	void *at = data + mb->offset;

	switch (mb->kind) {
	case KIND_TEXT: return json_take_text(m, json, at);
	case KIND_INT:
	case KIND_AMOUNT: return json_take_int(json, at);
	case KIND_BOOL: return json_take_bool(json, at);
	case KIND_TIME: return json_take_time(json, at);
	case KIND_STATE: return take_state(json, mb->words, at);
	case KIND_STRUCT: return take_object(m, json, mb->of, at);
	case KIND_MAYBE: return take_maybe(m, json, mb->of, at);
	case KIND_LIST: return take_list(m, json, mb->of, at, (int *)(data + mb->n_offset));
	case KIND_RAW: return take_raw(m, json, at);
	}
	return false;
}

static bool
take_object(struct arena *m, const json_t *json, const struct shape *shape, void *out)
{
	if (!json_is_object(json))
		return false;
	for (int i = 0; i < shape->n; i++) {
		const json_t *value = json_object_get(json, shape->member[i].name);

		if (value && !json_take_member(m, value, &shape->member[i], out))
			return false;
	}
	return true;
}

bool
json_into(struct arena *m, const char *text, const struct shape *shape, void *out)
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	bool ok = json && take_object(m, json, shape, out);

	json_decref(json);
	return ok;
}
