/*
 * request - parses what a client sent: query, form, multipart with one file, JSON, cookies.
 *
 * Parsing is strict and in place, in the arena: a bad percent escape, a NUL, invalid UTF-8, a control character or too
 * many fields make the whole request invalid (400); an error of a single field (sent twice, a list, a fraction) is kept
 * with that field (422 by form_bad()).
 */
#ifndef MP_REQUEST_H
#define MP_REQUEST_H

#include "lib/base/arena.h"

#include <stdbool.h>

struct sent {                           /* one field as it was sent */
	const char *name, *value;
	enum sent_kind { SENT_TEXT, SENT_INT, SENT_BOOL, SENT_NOTHING } kind;   /* its JSON type */
	const char *error;              /* its parsing error, or NULL */
	bool asked;                     /* a handler knows it */
	bool secret;                    /* never shown again */
};

struct upload {
	const char *name, *bytes;       /* bytes NULL: none was sent */
	size_t n;
};

struct input {
	struct sent *field;
	int n, room, max;
	struct upload file;
	const char *wrong;              /* the request is invalid: a sentence */
	const char *code;               /* … and its code: "bad_request", "bad_json", "too_many_fields" */
};

/* Each takes a text it may change (NUL-terminated at n). Answers false when in->wrong was set. */
bool request_urlencoded(struct arena *m, struct input *in, char *text, size_t n);
bool request_json(struct arena *m, struct input *in, const char *text, size_t n);
bool request_multipart(struct arena *m, struct input *in, const char *content_type, char *body, size_t n);

struct cookie { const char *name, *value; };
/* Fills at most max; answers how many. Malformed ones are skipped: other programs set cookies too. */
int request_cookies(struct arena *m, const char *header, struct cookie *cookies, int max);

/* NULL: fine; else what is wrong with it ("… is not valid UTF-8"). s[n] is NUL. */
const char *request_text_wrong(const char *s, size_t n);
/* Decodes %XX (and + when plus) in place; answers the length, or -1: a percent sign without two digits. */
long request_decode(char *s, size_t n, bool plus);

struct sent *input_find(const struct input *in, const char *name);      /* NULL */
/* Adds one; false: too many. A repeated name marks the first. */
bool input_add(struct arena *m, struct input *in, const struct sent *field);
bool input_wrong(struct input *in, const char *code, const char *sentence);     /* always false */

#endif
