/*
 * tpl_run.c - executes a compiled template: the only part of the engine that runs per request.
 *
 * Names are bound, words translated, literal text in one piece between two operations: what is left is copying,
 * escaping and writing numbers, straight into the answer's buffer.
 */
#include "tpl_node.h"

#include "lib/base/lang.h"

#include <string.h>

/* --- escaping ----------------------------------------------------------------------------------------------------- */

static const char special[256] = { ['&'] = 1, ['<'] = 1, ['>'] = 1, ['"'] = 1, ['\''] = 1 };

static inline char *
put_entity(char *to, char c)
{
	const char *entity = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : "&#39;";
	size_t n = strlen(entity);

	memcpy(to, entity, n);
	return to + n;
}

/* Room for n more bytes: nearly always there. */
static inline char *
room_for(struct buf *b, size_t n)
{
	return b->room - b->n > n ? b->s + b->n : buf_reserve(b, n);
}

void
html_escape(struct buf *out, const char *s, size_t n)
{
	while (n > 0) {
		size_t part = n < 512 ? n : 512;
		char *to = room_for(out, part * 6);

		for (const char *end = s + part; s < end; s++) {
			if (__builtin_expect(special[(unsigned char)*s], 0))
				to = put_entity(to, *s);
			else
				*to++ = *s;
		}
		n -= part;
		out->n = (size_t)(to - out->s);
	}
	*room_for(out, 0) = '\0';
}

/* --- printing ----------------------------------------------------------------------------------------------------- */

static void
put_int(struct buf *out, int64_t v)
{
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char digits[24], *end = digits + sizeof(digits), *s = end;

	do
		*--s = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		*--s = '-';
	memcpy(room_for(out, 24), s, (size_t)(end - s));
	out->n += (size_t)(end - s);
}

static inline void
put_bytes(struct buf *out, const char *s, size_t n)
{
	memcpy(room_for(out, n), s, n);
	out->n += n;
}

static inline void
put_word(struct buf *out, const struct op *op, int i)
{
	if (i >= 0 && (uint32_t)i < op->n_offset && op->words[i].n)
		put_bytes(out, op->words[i].s, op->words[i].n);
}

#define MEMBER(type, op) (*(type const *)(const void *)(base[(op)->frame] + (op)->offset))

/* The text in the template's language, when it has one of its own and is not empty. */
static inline const char *
text_member(const char *const base[], const struct op *op)
{
	const char *own = op->n_offset ? *(const char *const *)(const void *)(base[op->frame] + op->n_offset) : NULL;

	return own && *own ? own : MEMBER(const char *, op);
}

static inline void
put_text(struct buf *out, const char *s, bool escape)
{
	if (!s)
		return;
	if (escape)
		html_escape(out, s, strlen(s));
	else
		put_bytes(out, s, strlen(s));
}

static void
run_put_time(struct buf *out, enum op_code code, int lang, int64_t at)
{
	if (code == OP_TIME)
		time_put(out, lang, at);
	else if (code == OP_DATE)
		date_put(out, lang, at);
	else if (code == OP_CLOCK)
		clock_put(out, at);
	else if (code == OP_ISO)
		time_iso(out, at);
	else
		time_input(out, at);
}

/* A text is true unless it is missing or empty. */
static inline bool
is_filled(const char *s)
{
	return s && *s;
}

/* --- the list of operations --------------------------------------------------------------------------------------- */

void
tpl_render(const struct tpl *tpl, struct buf *out, const void *chrome, const void *data)
{
	const char *base[TPL_FRAMES];
	int left[TPL_FRAMES];
	const struct op *op = tpl->op;

	base[0] = chrome;
	base[1] = data;
	buf_reserve(out, tpl->literal_n);
	for (;; op++) {
		bool jumps = false;

		switch ((enum op_code)op->code) {
		case OP_END: *room_for(out, 0) = '\0'; return;
		case OP_LITERAL: put_bytes(out, op->s, op->n); break;
		case OP_TEXT:
		case OP_RAW_TEXT: put_text(out, text_member(base, op), op->code == OP_TEXT); break;
		case OP_INT: put_int(out, MEMBER(int64_t, op)); break;
		case OP_AMOUNT: money_put(out, tpl->lang, MEMBER(int64_t, op)); break;
		case OP_WORD: put_word(out, op, MEMBER(int, op)); break;
		case OP_TIME:
		case OP_DATE:
		case OP_CLOCK:
		case OP_ISO:
		case OP_INPUT: run_put_time(out, op->code, tpl->lang, MEMBER(int64_t, op)); break;
		case OP_IF_TEXT: jumps = is_filled(text_member(base, op)) != op->wanted; break;
		case OP_IF_INT: jumps = (MEMBER(int64_t, op) != 0) != op->wanted; break;
		case OP_IF_ONE: jumps = (MEMBER(int64_t, op) == 1) != op->wanted; break;
		case OP_IF_BOOL: jumps = MEMBER(bool, op) != op->wanted; break;
		case OP_IF_STATE: jumps = (MEMBER(int, op) == (int)op->n_offset) != op->wanted; break;
		case OP_IF_POINTER: jumps = (MEMBER(void *, op) != NULL) != op->wanted; break;
		case OP_IF_COUNT: jumps = (MEMBER(int, op) > 0) != op->wanted; break;
		case OP_ENTER:
			base[op->to] = MEMBER(void *, op);
			jumps = base[op->to] == NULL;
			break;
		case OP_EACH:
			base[op->to] = MEMBER(void *, op);
			left[op->to] = *(const int *)(const void *)(base[op->frame] + op->n_offset);
			jumps = left[op->to] <= 0;
			break;
		case OP_NEXT:
			base[op->to] += op->n;
			jumps = --left[op->to] > 0; /* while some are left */
			break;
		}
		if (jumps)
			op = tpl->op + op->jump - 1;
	}
}
