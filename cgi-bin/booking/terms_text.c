/*
 * terms_text - how the text of a document is laid out. It is plain text in which three things mean something:
 *
 *	# Returning the car          a line that begins with "# " is a heading
 *	- with its keys              lines that begin with "- " are a list
 *	                             an empty line ends a paragraph; other lines are one paragraph
 *
 * Everything else is shown as it is written: the template escapes it, so markup in a text is text.
 */
#include "terms.h"

#include <string.h>

static const struct member terms_item_members[] = { SHAPE_TEXT(terms_item, text) };
static const struct shape terms_item_shape = SHAPE(terms_item, terms_item_members);

static const struct member terms_block_members[] = {
	SHAPE_TEXT(terms_block, heading), SHAPE_TEXT(terms_block, paragraph), SHAPE_BOOL(terms_block, is_list),
	SHAPE_LIST(terms_block, items, terms_item_shape),
};
const struct shape terms_block_shape = SHAPE(terms_block, terms_block_members);

const char *
terms_text_tidy(struct arena *m, const char *text)
{
	struct buf out = { .m = m };
	size_t n_kept = 0; /* up to the last character that is no white space */

	buf_puts(&out, "");
	for (const char *line = text + strspn(text, "\r\n"); *line;) {
		size_t n = strcspn(line, "\r\n"), n_shown = n;

		while (n_shown && strchr(" \t", line[n_shown - 1]))
			n_shown--;
		buf_put(&out, line, n_shown);
		if (n_shown)
			n_kept = out.n;
		line += n;
		if (*line)
			buf_put(&out, "\n", 1);
		line += line[0] == '\r' && line[1] == '\n' ? 2 : *line != '\0';
	}
	return arena_strndup(m, out.s, n_kept);
}

/* --- blocks ------------------------------------------------------------------------------------------------------- */

/* The blocks point into one copy of the text, where each ends in a NUL, so that a text of any form takes little
 * memory. */
struct laying_out {
	struct terms_block *blocks;
	struct terms_item *items;       /* of all lists, in the order of the text */
	int n_blocks, n_items;          /* there are no more of either than lines */
	bool is_open;                   /* the next line may continue the last block */
	char *ends_at;                  /* the end of the line before */
};

static struct terms_block *
new_block(struct laying_out *l)
{
	l->is_open = true;
	return &l->blocks[l->n_blocks++];
}

static void
take_item(struct laying_out *l, const char *text)
{
	struct terms_block *b = l->is_open ? &l->blocks[l->n_blocks - 1] : NULL;

	if (!b || !b->is_list) {
		b = new_block(l);
		b->is_list = true;
		b->items = &l->items[l->n_items];
	}
	b->n_items++;
	l->items[l->n_items++].text = text;
}

static void
end_line_before(struct laying_out *l)
{
	if (l->ends_at)
		*l->ends_at = '\0';
}

/* A line that begins nothing continues the paragraph, or the item, before it. */
static void
take_line(struct laying_out *l, const char *line, size_t n)
{
	const char *words = line + strspn(line, " \t");
	bool is_empty = words >= line + n;

	if (!is_empty && l->is_open && strncmp(words, "# ", 2) != 0 && strncmp(words, "- ", 2) != 0)
		return;
	end_line_before(l);
	if (is_empty) {
		l->is_open = false;
	} else if (strncmp(words, "# ", 2) == 0) {
		new_block(l)->heading = words + 2;
		l->is_open = false;
	} else if (strncmp(words, "- ", 2) == 0) {
		take_item(l, words + 2);
	} else {
		new_block(l)->paragraph = words;
	}
}

int
terms_text_blocks(struct arena *m, const char *text, struct terms_block **blocks)
{
	struct laying_out l = { .n_blocks = 0 };
	int n_lines = 1;

	for (const char *s = text; *s; s++)
		n_lines += *s == '\n';
	l.blocks = arena_array(m, struct terms_block, n_lines);
	l.items = arena_array(m, struct terms_item, n_lines);
	for (char *line = arena_strdup(m, text); *line;) {
		size_t n = strcspn(line, "\n");
		bool has_more = line[n] != '\0';

		take_line(&l, line, n);
		l.ends_at = line + n;
		line += n + has_more;
	}
	*blocks = l.blocks;
	return l.n_blocks;
}
