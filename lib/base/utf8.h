/*
 * utf8 - checks of UTF-8 text. utf8_length(): how many bytes the character at s takes; 0: that is not UTF-8 (overlong,
 * surrogate, cut off, above U+10FFFF).
 */
#ifndef MP_UTF8_H
#define MP_UTF8_H

#include <stdbool.h>

/* One visible line, without characters that could make one name look like another. */
bool utf8_is_visible_line(const char *s);
int  utf8_chars(const char *s);                 /* number of characters; -1: not UTF-8 */
bool utf8_is_blank(const char *s);              /* nothing in it is visible */
/* the character at s, n bytes long: a space of any width, a filler, a joiner */
bool utf8_is_invisible(const char *s, int n);

static inline int
utf8_tail(const unsigned char *s, int n)
{
	for (int i = 1; i < n; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

/* s ends in NUL, so no byte beyond is read. */
static inline int
utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xC2 && s[0] <= 0xDF)
		return utf8_tail(s, 2);
	if (s[0] >= 0xE0 && s[0] <= 0xEF) {
		if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))
			return 0;
		return utf8_tail(s, 3);
	}
	if (s[0] >= 0xF0 && s[0] <= 0xF4) {
		if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
			return 0;
		return utf8_tail(s, 4);
	}
	return 0;
}

#endif
