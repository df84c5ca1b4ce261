/*
 * tpl_html.c - follows the tags of a page while it is compiled, to find where names are not allowed.
 *
 * Escaping & < > " ' protects text between tags and inside a quoted attribute. It does not protect a script, a style
 * sheet, an event handler, an attribute without quotes, or the names of tags and attributes: a name there is refused.
 */
#include "tpl_node.h"

#include <string.h>

enum { TEXT, TAG_NAME, IN_TAG, ATTRIBUTE, AFTER_ATTRIBUTE, BEFORE_VALUE, QUOTED, BARE, COMMENT, CODE };

static bool
is_html_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void
word_start(struct html *h)
{
	h->word_n = 0;
	memset(h->word, 0, sizeof(h->word));
}

static void
word_add(struct html *h, char c)
{
	if (h->word_n + 1 < sizeof(h->word))
		h->word[h->word_n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Behind <script …> and <style …> nothing is a tag until the closing one. */
static void
tag_ends(struct html *h)
{
	h->state = strcmp(h->tag, "script") == 0 || strcmp(h->tag, "style") == 0 ? CODE : TEXT;
	word_start(h);
}

/* "</script" letter by letter; html.end_n counts how much of it was seen. */
static void
in_code(struct html *h, char c)
{
	size_t tag_n = strlen(h->tag);
	char lower = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	char wanted = h->end_n == 0 ? '<' : h->end_n == 1 ? '/' : h->tag[h->end_n - 2];

	if (lower != wanted) {
		h->end_n = c == '<';
		return;
	}
	if (++h->end_n == tag_n + 2) {
		h->end_n = 0;
		h->state = IN_TAG;
		memset(h->tag, 0, sizeof(h->tag));
		word_start(h);
	}
}

static void
in_tag_name(struct html *h, char c)
{
	if (h->word_n == 0 && c != '/' && c != '!' && !((c | 32) >= 'a' && (c | 32) <= 'z')) {
		h->state = TEXT; /* "a < b" */
	} else if (c == '>' || is_html_space(c) || (c == '/' && h->word_n > 0)) {
		memcpy(h->tag, h->word, sizeof(h->tag));
		h->state = IN_TAG;
		if (c == '>')
			tag_ends(h);
		word_start(h);
	} else {
		word_add(h, c);
		if (h->word_n == 3 && memcmp(h->word, "!--", 3) == 0) {
			h->state = COMMENT;
			h->end_n = 0;
		}
	}
}

/* Between attributes, in an attribute's name, and around its = sign. */
static void
in_tag(struct html *h, char c)
{
	if (c == '>') {
		tag_ends(h);
	} else if (c == '=' && (h->state == ATTRIBUTE || h->state == AFTER_ATTRIBUTE)) {
		h->state = BEFORE_VALUE;
	} else if (is_html_space(c) || c == '/') {
		h->state = h->state == IN_TAG ? IN_TAG : AFTER_ATTRIBUTE;
	} else {
		if (h->state != ATTRIBUTE)
			word_start(h);
		h->state = ATTRIBUTE;
		word_add(h, c);
	}
}

static void
before_value(struct html *h, char c)
{
	if (c == '"' || c == '\'') {
		h->state = QUOTED;
		h->quote = c;
	} else if (c == '>') {
		tag_ends(h);
	} else if (!is_html_space(c)) {
		h->state = BARE;
	}
}

static void
in_comment(struct html *h, char c)
{
	if (c == '-') {
		h->end_n++;
	} else {
		if (c == '>' && h->end_n >= 2)
			h->state = TEXT;
		h->end_n = 0;
	}
}

static void
step(struct html *h, char c)
{
	switch (h->state) {
	case TEXT:
		if (c == '<') {
			h->state = TAG_NAME;
			word_start(h);
		}
		break;
	case TAG_NAME: in_tag_name(h, c); break;
	case IN_TAG:
	case ATTRIBUTE:
	case AFTER_ATTRIBUTE: in_tag(h, c); break;
	case BEFORE_VALUE: before_value(h, c); break;
	case QUOTED:
		if (c == h->quote)
			h->state = IN_TAG;
		break;
	case BARE:
		if (c == '>')
			tag_ends(h);
		else if (is_html_space(c))
			h->state = IN_TAG;
		break;
	case COMMENT: in_comment(h, c); break;
	case CODE: in_code(h, c); break;
	}
}

void
html_text(struct html *h, struct piece text)
{
	for (size_t i = 0; i < text.n; i++)
		step(h, text.s[i]);
}

const char *
html_refuses(const struct html *h)
{
	if (h->state == CODE)
		return "is in a script or style sheet";
	if (h->state == QUOTED && strncmp(h->word, "on", 2) == 0)
		return "is in an event handler";
	if (h->state == QUOTED && strcmp(h->word, "style") == 0)
		return "is in a style attribute";
	if (h->state == QUOTED || h->state == TEXT || h->state == COMMENT)
		return NULL;
	return "is in a tag, outside of quotes";
}

/* <tr{{#is_late}} class="late"{{/is_late}}>: the name of the tag ends inside the section or behind it. */
static bool
is_in_tag(const struct html *h)
{
	return h->state == IN_TAG || h->state == ATTRIBUTE || h->state == AFTER_ATTRIBUTE
		|| (h->state == TAG_NAME && h->word_n > 0);
}

static const char *
tag_of(const struct html *h)
{
	return h->state == TAG_NAME ? h->word : h->tag;
}

/* Both before a section and behind it the same: then what follows means the same whether it shows or not. */
bool
html_same(const struct html *a, const struct html *b)
{
	if (a->state == TEXT || a->state == COMMENT)
		return b->state == a->state;
	if (strcmp(tag_of(a), tag_of(b)) != 0)
		return false;
	if (is_in_tag(a))
		return is_in_tag(b);
	return a->state == b->state && a->quote == b->quote && strcmp(a->word, b->word) == 0;
}
