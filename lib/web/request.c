/*
 * request.c - parsing of what was sent; request.h describes it. Multipart is in multipart.c.
 *
 * Form encoding (query and body) and JSON, whose members become fields of the same names; nested members are named
 * delivery.zone, equipment.0.item_id.
 */
#include "request.h"

#include "lib/base/lang.h"
#include "lib/base/utf8.h"

#include <jansson.h>
#include <string.h>

#define NAME_MAX_BYTES 64

/* --- is it text? -------------------------------------------------------------------------------------------------- */

/* C0 but for the three of plain text, DEL, and C1 (U+0080 to U+009F). */
static bool
is_control_char(const char *s, int len)
{
	unsigned char c = (unsigned char)*s;

	if (len == 2)
		return c == 0xC2 && (unsigned char)s[1] < 0xA0;
	return (c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F;
}

const char *
request_text_wrong(const char *s, size_t n)
{
	const char *end = s + n;
	int len;

	for (; s < end; s += len) {
		len = utf8_length(s);
		if (*s == '\0')
			return _("The request contains a NUL byte.");
		if (len == 0)
			return _("The request is not valid UTF-8.");
		if (is_control_char(s, len))
			return _("The request contains a control character.");
	}
	return NULL;
}

/* --- fields ------------------------------------------------------------------------------------------------------- */

bool
input_wrong(struct input *in, const char *code, const char *sentence)
{
	if (!in->wrong) {
		in->wrong = sentence;
		in->code = code;
	}
	return false;
}

struct sent *
input_find(const struct input *in, const char *name)
{
	for (int i = 0; i < in->n; i++)
		if (strcmp(in->field[i].name, name) == 0)
			return &in->field[i];
	return NULL;
}

static bool
name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_BYTES && !strpbrk(name, "\r\n\t");
}

bool
input_add(struct arena *m, struct input *in, const struct sent *field)
{
	const char *wrong = request_text_wrong(field->name, strlen(field->name));
	struct sent *same;

	if (!wrong)
		wrong = request_text_wrong(field->value, strlen(field->value));
	if (wrong)
		return input_wrong(in, "bad_request", wrong);
	if (!name_ok(field->name))
		return input_wrong(in, "bad_request", _("The request contains a field without a proper name."));
	if ((same = input_find(in, field->name))) {
		same->error = _("This was sent twice.");
		return true;
	}
	if (in->n >= in->max)
		return input_wrong(in, "too_many_fields", _("The request has too many fields."));
	if (in->n == in->room) {
		int room = in->room ? in->room * 2 : 16;

		in->field = arena_grow(m, in->field, sizeof(*field) * (size_t)in->room, sizeof(*field) * (size_t)room);
		in->room = room;
	}
	in->field[in->n++] = *field;
	return true;
}

/* --- form encoding ------------------------------------------------------------------------------------------------ */

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

long
request_decode(char *s, size_t n, bool plus)
{
	char *to = s;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%') {
			bool whole = n - i > 2;
			int high = whole ? hex_digit(s[i + 1]) : -1, low = whole ? hex_digit(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			*to++ = (char)(high << 4 | low);
			i += 2;
		} else {
			*to++ = plus && s[i] == '+' ? ' ' : s[i];
		}
	}
	return to - s;
}

/* Decodes one name or value in place and ends it with NUL (over the & or = after it). */
static bool
decode_part(struct input *in, char *s, size_t n)
{
	long len = request_decode(s, n, true);

	if (len < 0)
		return input_wrong(in, "bad_request", _("The request contains a broken percent encoding."));
	if (memchr(s, 0, (size_t)len))
		return input_wrong(in, "bad_request", _("The request contains a NUL byte."));
	s[len] = '\0';
	return true;
}

static bool
urlencoded_pair(struct arena *m, struct input *in, char *s, size_t n)
{
	char *equals = memchr(s, '=', n);
	size_t name_n = equals ? (size_t)(equals - s) : n;
	char *value = equals ? equals + 1 : s + n;

	if (!decode_part(in, value, (size_t)(s + n - value)) || !decode_part(in, s, name_n))
		return false;
	return input_add(m, in, &(struct sent){ .name = s, .value = equals ? value : "" });
}

bool
request_urlencoded(struct arena *m, struct input *in, char *text, size_t n)
{
	char *end = text + n;

	for (char *s = text; s < end;) {
		char *stop = memchr(s, '&', (size_t)(end - s));

		if (!stop)
			stop = end;
		if (stop > s && !urlencoded_pair(m, in, s, (size_t)(stop - s)))
			return false;
		s = stop + 1;
	}
	return true;
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

#define JSON_DEPTH 2    /* nesting of objects and lists in the body: equipment[0].item_id */

static bool
holds_something(const json_t *value)
{
	return json_object_size(value) > 0 || json_array_size(value) > 0;
}

/* A JSON member as a field. A value of an unsuitable type is an error of the field, not of the request. */
static struct sent
json_field(struct arena *m, const char *name, const json_t *value)
{
	struct sent f = { .name = arena_strdup(m, name), .value = "" };

	switch (json_typeof(value)) {
	case JSON_STRING: f.value = arena_strndup(m, json_string_value(value), json_string_length(value)); break;
	case JSON_INTEGER:
		f.kind = SENT_INT;
		f.value = arena_printf(m, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		f.kind = SENT_BOOL;
		f.value = json_is_true(value) ? "true" : "false";
		break;
	case JSON_REAL: f.error = _("Please enter a whole number."); break;
	case JSON_NULL: f.kind = SENT_NOTHING; break;
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (holds_something(value))
			f.error = _("Please give a single value.");
		else
			f.kind = SENT_NOTHING;
		break;
	}
	return f;
}

static bool json_member(struct arena *m, struct input *in, const char *name, json_t *value, int depth);

/* The members of an object or a list as fields: name.member, name.0. */
static bool
json_inside(struct arena *m, struct input *in, const char *name, json_t *value, int depth)
{
	const char *key;
	json_t *v;
	size_t i;

	json_object_foreach(value, key, v)
	{
		if (!json_member(m, in, arena_printf(m, "%s.%s", name, key), v, depth + 1))
			return false;
	}
	json_array_foreach(value, i, v)
	{
		if (!json_member(m, in, arena_printf(m, "%s.%zu", name, i), v, depth + 1))
			return false;
	}
	return true;
}

static bool
json_member(struct arena *m, struct input *in, const char *name, json_t *value, int depth)
{
	struct sent f;

	if (depth < JSON_DEPTH && holds_something(value))
		return json_inside(m, in, name, value, depth);
	f = json_field(m, name, value);
	return input_add(m, in, &f);
}

bool
request_json(struct arena *m, struct input *in, const char *text, size_t n)
{
	const char *wrong = request_text_wrong(text, n), *name;
	json_t *root, *value;
	json_error_t error;
	bool good = true;

	if (wrong)
		return input_wrong(in, "bad_request", wrong);
	root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return input_wrong(in, "bad_json",
			arena_printf(m, _("This is not JSON: line %d, column %d: %s"), error.line, error.column,
				error.text));
	if (!json_is_object(root))
		good = input_wrong(in, "bad_json", _("Please send one JSON object."));
	json_object_foreach(root, name, value)
	{
		if (!(good = json_member(m, in, name, value, 0)))
			break;
	}
	json_decref(root);
	return good;
}

/* --- cookies ------------------------------------------------------------------------------------------------------ */

static bool
cookie_text_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= 0x20 || (unsigned char)s[i] >= 0x7F || s[i] == '"' || s[i] == ','
			|| s[i] == '\\')
			return false;
	return true;
}

int
request_cookies(struct arena *m, const char *header, struct cookie *cookies, int max)
{
	char *s = arena_strdup(m, header ? header : "");
	int n = 0;

	while (s && *s && n < max) {
		size_t skip = strspn(s, " \t;"), len = strcspn(s + skip, ";");
		char *pair = s + skip, *equals = memchr(pair, '=', len);

		s = pair[len] ? pair + len + 1 : NULL;
		while (len && (pair[len - 1] == ' ' || pair[len - 1] == '\t'))
			len--;
		pair[len] = '\0';
		if (!equals || equals == pair || !cookie_text_ok(pair, len))
			continue;
		*equals = '\0';
		cookies[n++] = (struct cookie){ pair, equals + 1 };
	}
	return n;
}
