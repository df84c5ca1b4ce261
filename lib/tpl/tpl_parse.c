/*
 * tpl_parse.c - Mustache text into nodes.
 *
 * Lines: a tag that prints nothing and is alone on its line removes the whole line, newline included;
 * white space before a partial or parent alone on its line becomes its indentation. A parent is alone when there is
 * nothing before its opening and after its closing tag. Blocks keep their source: an override is parsed again where it
 * is put, indented for that place.
 */
#include "tpl_node.h"

#include <string.h>

const struct delims tpl_mustaches = { "{{", "}}", 2, 2 };

struct parser {
	struct job *job;
	const char *file;
	const char *begin, *end;
	const char *at;                         /* everything before is in nodes */
	const char *counted;                    /* lines are counted up to here */
	int line;
	const struct delims *delims;
	struct node *open[TPL_NEST_MAX];        /* sections, parents and blocks not closed yet */
	struct node **tail[TPL_NEST_MAX + 1];   /* where each one's next child goes */
	int depth;
};

struct tag {
	char sigil;                             /* one of # ^ / & { ! = < > $, or 0: a plain name */
	bool is_dynamic;
	struct piece name;
	const char *start, *end;
	int line;
};

void
job_fail(struct job *job, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (job->error)
		return;
	va_start(ap, fmt);
	job->error = arena_printf(job->m, "%s:%d: %s", file, line, arena_vprintf(job->m, fmt, ap));
	va_end(ap);
}

/* --- characters --------------------------------------------------------------------------------------------------- */

static bool
is_line_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_tag_space(char c)
{
	return is_line_space(c) || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static struct piece
trimmed_piece(const char *s, const char *end)
{
	while (s < end && is_tag_space(*s))
		s++;
	while (s < end && is_tag_space(end[-1]))
		end--;
	return (struct piece){ s, (size_t)(end - s) };
}

static bool
has_white(struct piece p)
{
	for (size_t i = 0; i < p.n; i++)
		if (is_tag_space(p.s[i]))
			return true;
	return false;
}

/* The start of the line when only blanks stand between it and at; else NULL. */
static const char *
blank_before(const struct parser *p, const char *at)
{
	while (at > p->begin && is_line_space(at[-1]))
		at--;
	return at == p->begin || at[-1] == '\n' ? at : NULL;
}

/* The start of the next line (or the end of the text) when only blanks stand before it; else NULL. */
static const char *
blank_behind(const struct parser *p, const char *at)
{
	while (at < p->end && is_line_space(*at))
		at++;
	if (at == p->end || *at == '\n')
		return at == p->end ? at : at + 1;
	return *at == '\r' && at + 1 < p->end && at[1] == '\n' ? at + 2 : NULL;
}

/* --- nodes -------------------------------------------------------------------------------------------------------- */

static void
parse_fail(struct parser *p, int line, const char *what, struct piece name)
{
	if (name.n > 80)
		name.n = 80;
	job_fail(p->job, p->file, line, what, (int)name.n, name.s);
}

static struct node *
add(struct parser *p, enum node_kind kind, struct piece name, int line)
{
	struct node *n = arena_new_of(p->job->m, struct node);

	n->kind = kind;
	n->name = name;
	n->file = p->file;
	n->line = line;
	*p->tail[p->depth] = n;
	p->tail[p->depth] = &n->next;
	return n;
}

static struct node *
add_text(struct parser *p, const char *from, const char *to)
{
	return to > from ? add(p, NODE_TEXT, (struct piece){ from, (size_t)(to - from) }, p->line) : NULL;
}

static struct node *
innermost(struct parser *p)
{
	return p->depth ? p->open[p->depth - 1] : NULL;
}

static void
enter(struct parser *p, struct node *n)
{
	if (p->depth == TPL_NEST_MAX) {
		parse_fail(p, n->line, "{{#%.*s}}: sections are nested too deeply", n->name);
		return;
	}
	p->open[p->depth++] = n;
	p->tail[p->depth] = &n->child;
}

static void
count_lines(struct parser *p, const char *up_to)
{
	while (p->counted < up_to && (p->counted = memchr(p->counted, '\n', (size_t)(up_to - p->counted)))) {
		p->line++;
		p->counted++;
	}
	p->counted = up_to;
}

/* --- one tag ------------------------------------------------------------------------------------------------------ */

static bool
name_tag(struct parser *p, struct tag *tag)
{
	if ((tag->sigil == '>' || tag->sigil == '<') && tag->name.n > 1 && tag->name.s[0] == '*') {
		tag->is_dynamic = true;
		tag->name = trimmed_piece(tag->name.s + 1, tag->name.s + tag->name.n);
	}
	if (tag->name.n == 0)
		job_fail(p->job, p->file, tag->line, "a tag without a name");
	else if (has_white(tag->name))
		parse_fail(p, tag->line, "{{%.*s}}: a name has no white space", tag->name);
	return !p->job->error;
}

/* Reads the tag that starts at `start`, up to and with its closing delimiter. */
static bool
read_tag(struct parser *p, const char *start, struct tag *tag)
{
	const char *s = start + p->delims->open_n, *close;
	char closing[12];
	size_t extra = 0;

	*tag = (struct tag){ .start = start, .line = p->line };
	while (s < p->end && is_tag_space(*s))
		s++;
	if (s < p->end && *s && strchr("#^/&{!=<>$", *s))
		tag->sigil = *s++;
	if (tag->sigil == '{' || tag->sigil == '=')
		closing[extra++] = tag->sigil == '{' ? '}' : '=';
	memcpy(closing + extra, p->delims->close, p->delims->close_n);
	close = memmem(s, (size_t)(p->end - s), closing, extra + p->delims->close_n);
	if (!close) {
		job_fail(p->job, p->file, tag->line, "a tag is opened and not closed");
		return false;
	}
	tag->name = trimmed_piece(s, close);
	tag->end = close + extra + p->delims->close_n;
	return tag->sigil == '!' || tag->sigil == '=' || name_tag(p, tag);
}

static size_t
word_n(const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && !is_tag_space(s[n]))
		n++;
	return n;
}

/* {{=<% %>=}} */
static void
set_delims(struct parser *p, const struct tag *tag)
{
	const char *end = tag->name.s + tag->name.n;
	size_t open_n = word_n(tag->name.s, end);
	struct piece close = trimmed_piece(tag->name.s + open_n, end);
	struct delims *d;

	if (open_n == 0 || close.n == 0 || open_n > 8 || close.n > 8 || has_white(close)
		|| memchr(tag->name.s, '=', tag->name.n)) {
		parse_fail(p, tag->line, "{{=%.*s=}}: two delimiters of up to 8 characters are wanted", tag->name);
		return;
	}
	d = arena_new_of(p->job->m, struct delims);
	memcpy(d->open, tag->name.s, d->open_n = open_n);
	memcpy(d->close, close.s, d->close_n = close.n);
	p->delims = d;
}

/* --- what each tag does ------------------------------------------------------------------------------------------- */

/* Alone on its line: the line is removed, and its white space returned as indentation. */
static struct piece
skip_own_line(struct parser *p, const struct tag *tag)
{
	const char *line = blank_before(p, tag->start), *next = blank_behind(p, tag->end);

	if (!line || !next || line < p->at) {
		add_text(p, p->at, tag->start);
		p->at = tag->end;
		return (struct piece){ NULL, 0 };
	}
	add_text(p, p->at, line);
	p->at = next;
	return (struct piece){ line, (size_t)(tag->start - line) };
}

static void
open_section(struct parser *p, const struct tag *tag)
{
	struct node *n;

	skip_own_line(p, tag);
	n = add(p, tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED, tag->name, tag->line);
	n->inner.s = tag->end;
	n->delims = p->delims;
	enter(p, n);
}

/* Whether it is alone on its lines is known when it closes: until then the white space before it is a separate text. */
static void
open_parent(struct parser *p, const struct tag *tag)
{
	const char *line = blank_before(p, tag->start);
	struct node *margin = NULL, *n;

	if (line && line >= p->at) {
		add_text(p, p->at, line);
		margin = add(p, NODE_TEXT, (struct piece){ line, (size_t)(tag->start - line) }, p->line);
	} else {
		add_text(p, p->at, tag->start);
	}
	p->at = tag->end;
	n = add(p, NODE_PARENT, tag->name, tag->line);
	n->is_dynamic = tag->is_dynamic;
	n->margin = margin;
	enter(p, n);
}

/* Inside a parent all text but the blocks is ignored: there a block is alone when nothing follows it. */
static void
open_block(struct parser *p, const struct tag *tag)
{
	const char *line = blank_before(p, tag->start), *next = blank_behind(p, tag->end);
	bool in_parent = innermost(p) && innermost(p)->kind == NODE_PARENT;
	bool own_line = next && (line || in_parent);
	struct node *n;

	add_text(p, p->at, own_line && line && line >= p->at ? line : tag->start);
	p->at = own_line ? next : tag->end;
	n = add(p, NODE_BLOCK, tag->name, tag->line);
	n->own_line = own_line;
	if (line)
		n->indent = (struct piece){ line, (size_t)(tag->start - line) };
	n->delims = p->delims;
	n->inner.s = p->at;
	n->inner_line = tag->line + (own_line && next > p->begin && next[-1] == '\n');
	enter(p, n);
}

/* A block whose default is on lines of its own is indented as the first of them. */
static void
settle_block(struct node *n, const char *end)
{
	const char *s = n->inner.s;

	n->inner.n = end > s ? (size_t)(end - s) : 0;
	while (s < end && is_line_space(*s))
		s++;
	if (n->own_line && s < end && *s != '\n' && *s != '\r')
		n->indent = (struct piece){ n->inner.s, (size_t)(s - n->inner.s) };
}

static void
close_parent(struct parser *p, const struct tag *tag, struct node *n)
{
	const char *next = blank_behind(p, tag->end);

	add_text(p, p->at, tag->start);
	p->at = tag->end;
	if (!n->margin || !next)
		return;
	n->indent = n->margin->name;
	n->margin->name.n = 0;
	p->at = next;
}

static void
close_block(struct parser *p, const struct tag *tag, struct node *n)
{
	const char *line = blank_before(p, tag->start), *next = blank_behind(p, tag->end);
	bool in_parent = p->depth > 1 && p->open[p->depth - 2]->kind == NODE_PARENT;
	const char *end = tag->start;

	if (line && line >= p->at && (next || in_parent))
		end = line;
	add_text(p, p->at, end);
	p->at = end == line && next ? next : tag->end;
	settle_block(n, end);
}

static void
close_tag(struct parser *p, const struct tag *tag)
{
	struct node *n = innermost(p);

	if (!n) {
		parse_fail(p, tag->line, "{{/%.*s}} closes what was not opened", tag->name);
		return;
	}
	if (!piece_is(n->name, tag->name.s, tag->name.n)) {
		job_fail(p->job, p->file, tag->line, "{{/%.*s}} where {{/%.*s}} (opened in line %d) was expected",
			(int)(tag->name.n > 80 ? 80 : tag->name.n), tag->name.s, (int)(n->name.n > 80 ? 80 : n->name.n),
			n->name.s, n->line);
		return;
	}
	if (n->kind == NODE_PARENT) {
		close_parent(p, tag, n);
	} else if (n->kind == NODE_BLOCK) {
		close_block(p, tag, n);
	} else {
		n->inner.n = (size_t)(tag->start - n->inner.s);
		skip_own_line(p, tag);
	}
	p->depth--;
}

static void
name_or_partial(struct parser *p, const struct tag *tag)
{
	struct piece indent = { NULL, 0 };
	struct node *n;

	if (tag->sigil == '>') {
		indent = skip_own_line(p, tag);
	} else {
		add_text(p, p->at, tag->start);
		p->at = tag->end;
	}
	n = add(p, tag->sigil == '>' ? NODE_PARTIAL : NODE_NAME, tag->name, tag->line);
	n->is_raw = tag->sigil == '{' || tag->sigil == '&';
	n->is_dynamic = tag->is_dynamic;
	n->indent = indent;
}

static void
take_tag(struct parser *p, const struct tag *tag)
{
	switch (tag->sigil) {
	case '!': skip_own_line(p, tag); break;
	case '=':
		skip_own_line(p, tag);
		set_delims(p, tag);
		break;
	case '#':
	case '^': open_section(p, tag); break;
	case '<': open_parent(p, tag); break;
	case '$': open_block(p, tag); break;
	case '/': close_tag(p, tag); break;
	default: name_or_partial(p, tag); break;
	}
}

static bool
is_too_long(struct job *job, const char *file, struct piece text)
{
	if (text.n > TPL_FILE_MAX)
		job_fail(job, file, 1, "a template of more than %d KiB", TPL_FILE_MAX / 1024);
	else if ((job->parsed += text.n) > TPL_PARSED_MAX)
		job_fail(job, file, 1, "its partials, blocks and lambdas come to more than %d KiB",
			TPL_PARSED_MAX / 1024);
	return job->error != NULL;
}

struct node *
tpl_parse(struct job *job, const char *file, int line, struct piece text, const struct delims *delims)
{
	struct parser p = { .job = job, .file = file, .line = line, .delims = delims };
	struct node *first = NULL;
	const char *start;
	struct tag tag;

	if (job->error || text.n == 0 || is_too_long(job, file, text))
		return NULL;
	p.begin = p.at = p.counted = text.s;
	p.end = text.s + text.n;
	p.tail[0] = &first;
	while (p.at < p.end && (start = memmem(p.at, (size_t)(p.end - p.at), p.delims->open, p.delims->open_n))) {
		count_lines(&p, start);
		if (!read_tag(&p, start, &tag))
			return NULL;
		take_tag(&p, &tag);
		if (job->error)
			return NULL;
	}
	add_text(&p, p.at, p.end);
	if (p.depth) {
		parse_fail(&p, innermost(&p)->line, "{{#%.*s}} is not closed", innermost(&p)->name);
		return NULL;
	}
	return first;
}
