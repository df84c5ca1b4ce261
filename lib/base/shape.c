/*
 * shape.c - look-ups by name in a shape. Used at start-up and for JSON, not while a page is rendered.
 */
#include "shape.h"

#include <string.h>

int
words_find(const struct words *words, const char *code)
{
	if (!code)
		return -1;
	for (int i = 0; i < words->n; i++)
		if (words->word[i].code && strcmp(words->word[i].code, code) == 0)
			return i;
	return -1;
}

const char *
words_code(const struct words *words, int i)
{
	if (i < 0 || i >= words->n || !words->word[i].code)
		return "";
	return words->word[i].code;
}

const struct member *
shape_member(const struct shape *shape, const char *name, size_t name_n)
{
	for (int i = 0; i < shape->n; i++) {
		const struct member *m = &shape->member[i];

		if (strncmp(m->name, name, name_n) == 0 && m->name[name_n] == '\0')
			return m;
	}
	return NULL;
}
