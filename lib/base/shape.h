/*
 * shape - the members of a C struct, described for SQL, templates, JSON and events.
 *
 * One word travels from column to struct member to template name to JSON key: the shape declares it once. With a
 * struct's shape, db_one()/db_list() fill it from columns of the same names, a template binds to it at start-up, the
 * JSON reply is written from it, and an event's payload is written from it and read into it.
 *
 *	struct car { int64_t car_id; const char *plate; int64_t daily_price; enum car_status status; int64_t since; };
 *	static const struct member car_members[] = {
 *		SHAPE_INT(car, car_id), SHAPE_TEXT(car, plate), SHAPE_AMOUNT(car, daily_price),
 *		SHAPE_STATE(car, status, car_status_words), SHAPE_TIME(car, since),
 *	};
 *	const struct shape car_shape = SHAPE(car, car_members);
 *
 * What each kind is:           in SQL      in a template                                     in JSON
 *   TEXT   const char *        TEXT        {{plate}}; a section is true when not empty       string; NULL: null
 *          with SHAPE_TEXT_KO  TEXT, TEXT  {{name}} is name_ko in Korean, if not empty       two: name, name_ko
 *   INT    int64_t             BIGINT      {{seats}}; a section is true when not 0           number
 *                                          {{#seats.one}} is true when it is 1
 *   BOOL   bool                0/1         {{#is_late}}                                      true/false
 *   AMOUNT int64_t             BIGINT      {{amount}} 207,000원 / ₩207,000; {{amount.raw}}   number
 *          (smallest unit)
 *   TIME   int64_t             BIGINT      {{at}} {{at.date}} {{at.time}} {{at.iso}}         RFC 3339 with offset;
 *          (unix seconds)                  {{at.input}} (YYYY-MM-DDTHH:MM); 0 is empty       0: null
 *   STATE  int (an enum)       its code    {{state}} translated words; {{state.code}};       its code;
 *                                          {{#state.PAID}} is true in that state             out of range: null
 *   STRUCT a struct inside     -           {{car.plate}} or {{#car}}…{{/car}}                object
 *   MAYBE  pointer to a struct -           the same; NULL is false                           object or null
 *   LIST   pointer + int n_NAME -          {{#lines}}…{{/lines}}; {{^lines}} when empty      array
 *   RAW    const char * (JSON) -           not printable                                     put in as it is
 */
#ifndef MP_SHAPE_H
#define MP_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The words of a closed set: .code is stored, sent and tested; .label is an English msgid, translated when shown. */
struct word {
	const char *code, *label;
};

struct words {
	const struct word *word;        /* indexed by the enum */
	int n;
};
#define WORDS(array) { (array), (int)(sizeof(array) / sizeof((array)[0])) }

int words_find(const struct words *words, const char *code);    /* -1: none has this code */
const char *words_code(const struct words *words, int i);       /* "" out of range */

enum kind {
	KIND_TEXT, KIND_INT, KIND_BOOL, KIND_AMOUNT, KIND_TIME, KIND_STATE, KIND_STRUCT, KIND_MAYBE, KIND_LIST,
	KIND_RAW,
};

struct shape;

struct member {
	const char *name;
	enum kind kind;
	size_t offset;
	size_t n_offset;                /* LIST: offset of the int n_NAME */
	size_t ko_offset;               /* TEXT: offset of its Korean text; 0: none */
	const struct shape *of;         /* STRUCT, MAYBE, LIST */
	const struct words *words;      /* STATE */
};

struct shape {
	const char *name;
	size_t size;
	const struct member *member;
	int n;
};

/* The offset of a member, refused by the compiler when the member is not of the type. */
#define SHAPE_AT(s, m, type) \
	(offsetof(struct s, m) + 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((struct s *)0)->m), \
		type) ? 1 : -1]))

#define SHAPE_TEXT(s, m)         { .name = #m, .kind = KIND_TEXT, .offset = SHAPE_AT(s, m, const char *) }
/* A text in both languages, m and m_ko: two members. Korean templates show m_ko for {{m}} unless it is empty. */
#define SHAPE_TEXT_KO(s, m)      { .name = #m, .kind = KIND_TEXT, .offset = SHAPE_AT(s, m, const char *), \
	.ko_offset = SHAPE_AT(s, m##_ko, const char *) }, SHAPE_TEXT(s, m##_ko)
#define SHAPE_RAW(s, m)          { .name = #m, .kind = KIND_RAW, .offset = SHAPE_AT(s, m, const char *) }
#define SHAPE_INT(s, m)          { .name = #m, .kind = KIND_INT, .offset = SHAPE_AT(s, m, int64_t) }
/* … called otherwise than its member, which may be one inside another struct: paging.page. */
#define SHAPE_TEXT_AS(s, as, m)  { .name = #as, .kind = KIND_TEXT, .offset = SHAPE_AT(s, m, const char *) }
#define SHAPE_INT_AS(s, as, m)   { .name = #as, .kind = KIND_INT, .offset = SHAPE_AT(s, m, int64_t) }
#define SHAPE_BOOL(s, m)         { .name = #m, .kind = KIND_BOOL, .offset = SHAPE_AT(s, m, bool) }
#define SHAPE_AMOUNT(s, m)       { .name = #m, .kind = KIND_AMOUNT, .offset = SHAPE_AT(s, m, int64_t) }
#define SHAPE_TIME(s, m)         { .name = #m, .kind = KIND_TIME, .offset = SHAPE_AT(s, m, int64_t) }
#define SHAPE_STATE(s, m, w)     { .name = #m, .kind = KIND_STATE, .words = &(w), \
	.offset = offsetof(struct s, m) + 0 * sizeof(char[sizeof(((struct s *)0)->m) == sizeof(int) ? 1 : -1]) }
#define SHAPE_STRUCT(s, m, sh)   { .name = #m, .kind = KIND_STRUCT, .of = &(sh), .offset = offsetof(struct s, m) }
#define SHAPE_MAYBE(s, m, sh)    { .name = #m, .kind = KIND_MAYBE, .of = &(sh), .offset = offsetof(struct s, m) }
#define SHAPE_LIST(s, m, sh)     { .name = #m, .kind = KIND_LIST, .of = &(sh), .offset = offsetof(struct s, m), \
	.n_offset = SHAPE_AT(s, n_##m, int) }
/* … under other names: two views of one array, or a count that is a column as well. */
#define SHAPE_LIST_AS(s, as, m, n, sh) { .name = #as, .kind = KIND_LIST, .of = &(sh), .offset = offsetof(struct s, m), \
	.n_offset = SHAPE_AT(s, n, int) }

#define SHAPE(s, members) { .name = #s, .size = sizeof(struct s), .member = (members), \
	.n = (int)(sizeof(members) / sizeof((members)[0])) }

/* NULL: no such member */
const struct member *shape_member(const struct shape *shape, const char *name, size_t name_n);

#endif
