/*
 * request - what a browser or a client sent, taken apart: query, form, multipart with one file, JSON, cookies.
 *
 * Everything is strict and happens in place, in the arena: a percent sign that is none, a NUL, invalid UTF-8, a control
 * character or too many fields make the whole request wrong (400); a value that only one field can be blamed for
 * (sent twice, a list, a fraction) stays with that field as its error (422 by form_bad()).
 */
#ifndef MP_REQUEST_H
#define MP_REQUEST_H

#include "lib/base/arena.h"

#include <stdbool.h>

struct sent {                           /* one field as it was sent */
	const char *name, *value;
	enum sent_kind { SENT_TEXT, SENT_INT, SENT_BOOL, SENT_NOTHING } kind;   /* JSON knows more than text */
	const char *error;              /* what is wrong with it by itself, or NULL */
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
	const char *wrong;              /* the whole is wrong: a sentence */
	const char *code;               /* … and its code: "bad_request", "bad_json", "too_many_fields" */
};

/* Each takes a text it may change (NUL-terminated at n). Answers false when in->wrong was set. */
bool request_urlencoded(struct arena *m, struct input *in, char *text, size_t n);
bool request_json(struct arena *m, struct input *in, const char *text, size_t n);
bool request_multipart(struct arena *m, struct input *in, const char *content_type, char *body, size_t n);

struct cookie { const char *name, *value; };
/* Fills at most max; answers how many. What is not a cookie is passed over: other programs set them too. */
int request_cookies(struct arena *m, const char *header, struct cookie *cookies, int max);

/* NULL: fine; else what is wrong with it ("… is not valid UTF-8"). s[n] is NUL. */
const char *request_text_wrong(const char *s, size_t n);
/* Decodes %XX (and + when plus) in place; answers the length, or -1: a percent sign without two digits. */
long request_decode(char *s, size_t n, bool plus);

struct sent *input_find(const struct input *in, const char *name);      /* NULL */
/* Adds one; false: too many. A name sent twice marks the first. */
bool input_add(struct arena *m, struct input *in, const struct sent *field);
bool input_wrong(struct input *in, const char *code, const char *sentence);     /* always false */

#endif
