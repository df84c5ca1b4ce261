/*
 * utf8.c - checks of what is visible in a text; utf8.h describes them. The lists are Unicode's, shortened to what
 * occurs in practice: a name of fillers only is empty, and one that reverses its direction could pass for another.
 */
#include "utf8.h"

/* The character at s, which is valid UTF-8 of n bytes. */
static unsigned
code_point(const char *s, int n)
{
	unsigned c = (unsigned char)s[0] & (n == 1 ? 0x7F : 0xFF >> (n + 1));

	for (int i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3F);
	return c;
}

bool
utf8_is_invisible(const char *s, int n)
{
	unsigned c = code_point(s, n);

	return c <= ' ' || c == 0xA0 || c == 0x115F || c == 0x1160 || (c >= 0x2000 && c <= 0x200D) || c == 0x3000
		|| c == 0x3164 || c == 0xFFA0;
}

/* Bidirectional controls and line separators. */
static bool
is_disguise(unsigned c)
{
	return c < ' ' || c == 127 || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E)
		|| (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF;
}

bool
utf8_is_visible_line(const char *s)
{
	bool seen = false;
	int n;

	for (; *s; s += n) {
		n = utf8_length(s);
		if (n == 0 || is_disguise(code_point(s, n)))
			return false;
		seen |= !utf8_is_invisible(s, n);
	}
	return seen;
}

bool
utf8_is_blank(const char *s)
{
	int n;

	for (; *s; s += n) {
		n = utf8_length(s);
		if (n == 0 || (!utf8_is_invisible(s, n) && !is_disguise(code_point(s, n))))
			return false;
	}
	return true;
}

int
utf8_chars(const char *s)
{
	int n = 0, step;

	for (; *s; s += step, n++)
		if ((step = utf8_length(s)) == 0)
			return -1;
	return n;
}
