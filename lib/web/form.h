/*
 * form - typed fields out of a query string, a form body or a JSON body. The same calls read all three.
 *
 * A handler reads every field it knows, then asks form_bad(): each bad field carries its own message, and a body field
 * that no call asked for is refused too ("unknown field"). form_field() returns what was typed for showing the form
 * again. GET reads the query; POST, PUT and DELETE read the body. Values are valid UTF-8 without control characters
 * (web_serve has refused the rest with 400); at most settings.max_fields fields.
 */
#ifndef MP_FORM_H
#define MP_FORM_H

#include "web.h"

bool        form_has(struct web *w, const char *name);          /* sent and not empty; counts as asked for */
bool        form_sent(struct web *w, const char *name);         /* sent, perhaps empty; counts as asked for */
const char *form_raw(struct web *w, const char *name);          /* what was typed, trimmed; "" when not sent */

/* Required fields: a missing or bad one is marked, and 0, "" or -1 is returned. For an optional one ask form_has()
 * first. */
int64_t     form_id(struct web *w, const char *name);
int64_t     form_int(struct web *w, const char *name, int64_t min, int64_t max);
/* In the smallest unit of the currency. People type units with decimals ("1,234.50", "$45"), in a query too; a request
 * that is answered in JSON has a whole number of the smallest unit. */
int64_t     form_amount(struct web *w, const char *name, int64_t min, int64_t max);
int64_t     form_time(struct web *w, const char *name);         /* branch-local or RFC 3339 */
const char *form_date(struct web *w, const char *name);         /* YYYY-MM-DD, a real day */
const char *form_text(struct web *w, const char *name, int max_chars);
/* a name, a plate: one line of printable characters */
const char *form_line(struct web *w, const char *name, int max_chars);
/* a password: not trimmed, never shown again */
const char *form_secret(struct web *w, const char *name, int min_chars, int max_chars);
const char *form_email(struct web *w, const char *name);        /* lower-cased */
int         form_choice(struct web *w, const char *name, const struct words *words);    /* its index; -1 */
bool        form_tick(struct web *w, const char *name);         /* a checkbox; JSON true */
/* web_idempotency_key(), of at most FORM_KEY_MAX bytes; "": none */
#define FORM_KEY_MAX 200
const char *form_request_key(struct web *w);

void form_error(struct web *w, const char *name, const char *message);  /* marks a field; the first message is kept */
bool form_bad(struct web *w);
int  form_n_errors(struct web *w);
/* Marks the field and refuses; a browser's form says "Please look at the marked fields." */
enum status form_refuse(struct web *w, enum status status, const char *code, const char *name, const char *message);

/* --- what the page shows again --- */
const char *form_id_text(struct web *w, int64_t id);    /* an id as a form carries it; "" for 0 */

const char *form_amount_text(struct web *w, int64_t amount);    /* as a field carries it: 45.00; 0 is 0.00 */

struct option { const char *value, *label; bool selected; };
extern const struct shape option_shape;

struct field {
	const char *name, *value, *error;       /* error: NULL when there is none */
	bool checked;
	struct option *options;                 /* selects and radios */
	int n_options;
};
extern const struct shape field_shape;

/* The field as typed, else initial; with its error. */
struct field form_field(struct web *w, const char *name, const char *initial);
struct field form_field_int(struct web *w, const char *name, int64_t initial);          /* 0 shows empty */
/* initial in the smallest unit, shown as people type it: 45.00; 0 shows empty */
struct field form_field_amount(struct web *w, const char *name, int64_t initial);
/* for a datetime-local input; 0 shows empty */
struct field form_field_time(struct web *w, const char *name, int64_t initial);
/* none: label of an empty first option, or NULL */
struct field form_field_choice(struct web *w, const char *name, const struct words *words, int initial,
	const char *none);
struct field form_field_options(struct web *w, const char *name, const struct option *options, int n,
	const char *initial, const char *none);

/* For the error summary at the top of a form. */
struct form_problem { const char *name, *message; };
struct form_problems { struct form_problem *problems; int n_problems; const char *message; };
extern const struct shape form_problems_shape;
/* message NULL and no errors: the partial shows nothing */
struct form_problems form_problems(struct web *w, const char *message);

#endif
