/*
 * multipart.c - multipart/form-data (RFC 7578): text fields and at most one file, parsed in place.
 *
 * The body is never copied: values end where a NUL replaces the line break before the next boundary; the file is a
 * slice.
 */
#include "request.h"

#include "lib/base/lang.h"

#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 70
#define PART_HEADERS_MAX 2048

struct part {
	const char *name, *filename;    /* filename NULL: a text field */
	char *data;
	size_t n;
};

static bool
broken(struct input *in)
{
	return input_wrong(in, "bad_request", _("The form could not be read (malformed multipart data)."));
}

/* "\r\n--BOUNDARY" into to; its length, or 0: no valid boundary. */
static size_t
find_boundary(const char *content_type, char to[static BOUNDARY_MAX + 8])
{
	const char *s = strcasestr(content_type, "boundary=");
	size_t n;

	if (!s)
		return 0;
	s += strlen("boundary=");
	n = *s == '"' ? strcspn(++s, "\"") : strcspn(s, "; \t");
	if (n == 0 || n > BOUNDARY_MAX)
		return 0;
	memcpy(to, "\r\n--", 4);
	memcpy(to + 4, s, n);
	to[4 + n] = '\0';
	return n + 4;
}

/* The value of name="…" among a header's parameters, or NULL. A browser writes a quote inside as %22. */
static const char *
header_parameter(struct arena *m, const char *s, const char *end, const char *name)
{
	size_t n = strlen(name);

	while ((s = memchr(s, ';', (size_t)(end - s)))) {
		const char *close;

		for (s++; s < end && (*s == ' ' || *s == '\t'); s++)
			;
		if ((size_t)(end - s) < n + 3 || strncasecmp(s, name, n) != 0 || s[n] != '=' || s[n + 1] != '"')
			continue;
		s += n + 2;
		close = memchr(s, '"', (size_t)(end - s));
		return close ? arena_strndup(m, s, (size_t)(close - s)) : NULL;
	}
	return NULL;
}

/* Reads a part's header lines; they end with an empty line. Answers where the data begins, or NULL. */
static char *
part_headers(struct arena *m, struct part *p, char *s, size_t n)
{
	static const char disposition[] = "content-disposition:";
	char *end = memmem(s, n < PART_HEADERS_MAX ? n : PART_HEADERS_MAX, "\r\n\r\n", 4);

	if (!end || memchr(s, 0, (size_t)(end - s)))
		return NULL;
	for (char *line = s, *stop; line < end; line = stop + 2) {
		stop = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		if ((size_t)(stop - line) < sizeof(disposition)
			|| strncasecmp(line, disposition, sizeof(disposition) - 1) != 0)
			continue;
		p->name = header_parameter(m, line, stop, "name");
		p->filename = header_parameter(m, line, stop, "filename");
	}
	return p->name ? end + 4 : NULL;
}

static bool
take_part(struct arena *m, struct input *in, const struct part *p)
{
	if (!p->filename) {
		p->data[p->n] = '\0';
		if (memchr(p->data, 0, p->n))
			return input_wrong(in, "bad_request", _("The request contains a NUL byte."));
		return input_add(m, in, &(struct sent){ .name = p->name, .value = p->data });
	}
	if (p->n == 0) /* the field was there, no file was chosen */
		return true;
	if (in->file.bytes)
		return input_wrong(in, "bad_request", _("Please send one file at a time."));
	in->file = (struct upload){ .name = p->name, .bytes = p->data, .n = p->n };
	return true;
}

bool
request_multipart(struct arena *m, struct input *in, const char *content_type, char *body, size_t n)
{
	char boundary[BOUNDARY_MAX + 8], *s = body, *end = body + n;
	size_t len = find_boundary(content_type, boundary);
	int n_parts = 0;

	/* The first boundary has no line break before it. */
	if (!len || n < len - 2 || memcmp(s, boundary + 2, len - 2) != 0)
		return broken(in);
	s += len - 2;
	while (end - s >= 2 && memcmp(s, "\r\n", 2) == 0) {
		struct part p = { .name = NULL };
		char *stop;

		if (++n_parts > in->max + 1)
			return input_wrong(in, "too_many_fields", _("The request has too many fields."));
		p.data = part_headers(m, &p, s + 2, (size_t)(end - s - 2));
		if (!p.data)
			return broken(in);
		stop = memmem(p.data, (size_t)(end - p.data), boundary, len);
		if (!stop)
			return broken(in);
		p.n = (size_t)(stop - p.data);
		s = stop + len;
		if (!take_part(m, in, &p))
			return false;
	}
	return end - s >= 2 && memcmp(s, "--", 2) == 0 ? true : broken(in);
}
