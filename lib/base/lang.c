/*
 * lang.c - the languages people read: gettext for the words, and how time is written in each (money: money.c).
 *
 * gettext chooses a catalogue by the name of the current locale, and glibc takes no locale by name that is not
 * installed. Installing one needs root, so the build makes the smallest that will do, beside the catalogues:
 *
 *	build/locale/ko/LC_MESSAGES/motorpool.mo                msgfmt -c
 *	build/locale/ko_KR.UTF-8/LC_MESSAGES/SYS_LC_MESSAGES    cp /usr/lib/locale/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES
 *
 * Only LC_MESSAGES is ever switched (uselocale, 1 ns), and only for the length of a look-up: numbers, sorting and the
 * system's own error texts do not depend on the request. A look-up costs 44 ns; English costs nothing.
 */
#include "lang.h"

#include "clock.h"

#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DOMAIN "motorpool"

static const struct { const char *code, *locale; } known[N_LANGS] = {
	[LANG_EN] = { "en", NULL },     /* the language of the source */
	[LANG_KO] = { "ko", "ko_KR.UTF-8" },
};

static locale_t messages[N_LANGS];
static int now = LANG_EN;

static const char *
catalogue_text(locale_t locale, const char *msgid)
{
	locale_t before = uselocale(locale);
	const char *text = dgettext(DOMAIN, msgid);

	uselocale(before);
	return text;
}

/* A locale from the build's own folder; LOCPATH is glibc's only way to say where. (newlocale would leak the path.) */
static locale_t
open_locale(const char *dir, const char *name)
{
	locale_t l = (locale_t)0;

	setenv("LOCPATH", dir, 1);
	if (setlocale(LC_MESSAGES, name))
		l = duplocale(LC_GLOBAL_LOCALE);
	unsetenv("LOCPATH");
	setlocale(LC_MESSAGES, "C");
	return l;
}

bool
lang_open(const char *locale_dir)
{
	static char dir[PATH_MAX];

	if (!realpath(locale_dir, dir) || !bindtextdomain(DOMAIN, dir) || !bind_textdomain_codeset(DOMAIN, "UTF-8"))
		return false;
	unsetenv("LANGUAGE"); /* it would overrule the locale */
	for (int i = 0; i < N_LANGS; i++) {
		if (!known[i].locale)
			continue;
		if (messages[i])
			freelocale(messages[i]);
		messages[i] = open_locale(dir, known[i].locale);
		if (!messages[i] || !*catalogue_text(messages[i], "")) /* "" is the catalogue's header */
			return false;
	}
	return true;
}

const char *
lang_text(int lang, const char *msgid)
{
	if (lang <= LANG_EN || lang >= N_LANGS || !messages[lang] || !*msgid)
		return msgid;
	return catalogue_text(messages[lang], msgid);
}

const char *
lang_pick(int lang, const char *text, const char *text_ko)
{
	return lang == LANG_KO && text_ko && *text_ko ? text_ko : text;
}

const char *
lang_plural(int lang, const char *one, const char *many, int64_t n)
{
	const char *text;
	locale_t before;

	if (lang <= LANG_EN || lang >= N_LANGS || !messages[lang])
		return n == 1 ? one : many;
	before = uselocale(messages[lang]);
	text = dngettext(DOMAIN, one, many, n < 0 ? -(unsigned long)n : (unsigned long)n);
	uselocale(before);
	return text;
}

int
lang_now(void)
{
	return now;
}

void
lang_set(int lang)
{
	now = lang >= 0 && lang < N_LANGS ? lang : LANG_EN;
}

int
lang_find(const char *code)
{
	for (int i = 0; code && i < N_LANGS; i++)
		if (strcmp(known[i].code, code) == 0)
			return i;
	return -1;
}

const char *
lang_code(int lang)
{
	return known[lang >= 0 && lang < N_LANGS ? lang : LANG_EN].code;
}

/* --- Accept-Language ---------------------------------------------------------------------------------------------- */

/* "ko", "ko-KR" and "KO_kr" are Korean; "*" is the default. */
static int
lang_of_range(const char *s, size_t n)
{
	if (n == 1 && *s == '*')
		return LANG_EN;
	for (int i = 0; i < N_LANGS; i++) {
		size_t code_n = strlen(known[i].code);

		if (n >= code_n && strncasecmp(s, known[i].code, code_n) == 0
			&& (n == code_n || s[code_n] == '-' || s[code_n] == '_'))
			return i;
	}
	return -1;
}

/* ";q=0.75" -> 750; missing -> 1000; invalid -> 0 */
static int
quality(const char *s, size_t n)
{
	const char *end = s + n, *q = memchr(s, ';', n);
	int value, place = 100;

	if (!q)
		return 1000;
	for (q++; q < end && (*q == ' ' || *q == '\t'); q++)
		;
	if (end - q < 3 || (*q != 'q' && *q != 'Q') || q[1] != '=' || (q[2] != '0' && q[2] != '1'))
		return 0;
	value = (q[2] - '0') * 1000;
	q += 3;
	if (q < end && *q == '.')
		for (q++; q < end && *q >= '0' && *q <= '9'; q++, place /= 10)
			value += (*q - '0') * place;
	return value > 1000 ? 1000 : value;
}

int
lang_accepted(const char *accept_language)
{
	int best = LANG_EN, best_q = 0;

	for (const char *s = accept_language; s && *s;) {
		size_t n, name_n;
		int lang, q;

		s += strspn(s, " \t,");
		n = strcspn(s, ",");
		name_n = strcspn(s, "; \t,");
		lang = lang_of_range(s, name_n);
		q = lang < 0 ? 0 : quality(s, n);
		if (q > best_q) {
			best = lang;
			best_q = q;
		}
		s += n;
	}
	return best;
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static char *
copy(char *to, const char *s)
{
	while (*s)
		*to++ = *s++;
	return to;
}

static const char weekdays_en[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char weekdays_ko[7][4] = { "일", "월", "화", "수", "목", "금", "토" };
static const char months_en[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

static char *
two(char *to, int v)
{
	*to++ = (char)('0' + v / 10);
	*to++ = (char)('0' + v % 10);
	return to;
}

static char *
put_day(char *to, const struct local *l) /* 2026-11-21 */
{
	to = two(two(to, l->year / 100), l->year % 100);
	*to++ = '-';
	to = two(to, l->month);
	*to++ = '-';
	return two(to, l->day);
}

static char *
put_clock(char *to, const struct local *l) /* 14:00 */
{
	to = two(to, l->hour);
	*to++ = ':';
	return two(to, l->minute);
}

static char *
lang_put_date(char *to, int lang, const struct local *l)
{
	if (lang == LANG_KO) {
		to = put_day(to, l);
		*to++ = '(';
		to = copy(to, weekdays_ko[l->weekday]);
		*to++ = ')';
		return to;
	}
	to = copy(to, weekdays_en[l->weekday]);
	*to++ = ' ';
	if (l->day >= 10)
		*to++ = (char)('0' + l->day / 10);
	*to++ = (char)('0' + l->day % 10);
	*to++ = ' ';
	to = copy(to, months_en[l->month - 1]);
	*to++ = ' ';
	return two(two(to, l->year / 100), l->year % 100);
}

static void
finish(struct buf *out, char *to)
{
	*to = '\0';
	out->n = (size_t)(to - out->s);
}

void
time_put(struct buf *out, int lang, int64_t at)
{
	struct local l;
	char *to;

	if (at == 0)
		return;
	clock_split(at, &l);
	to = lang_put_date(buf_reserve(out, 64), lang, &l);
	if (lang != LANG_KO)
		*to++ = ',';
	*to++ = ' ';
	finish(out, put_clock(to, &l));
}

const char *
time_in_words(struct arena *m, int64_t at)
{
	struct buf b = { .m = m };

	time_put(&b, lang_now(), at);
	return text_or_empty(b.s);
}

void
date_put(struct buf *out, int lang, int64_t at)
{
	struct local l;

	if (at == 0)
		return;
	clock_split(at, &l);
	finish(out, lang_put_date(buf_reserve(out, 64), lang, &l));
}

void
clock_put(struct buf *out, int64_t at)
{
	struct local l;

	if (at == 0)
		return;
	clock_split(at, &l);
	finish(out, put_clock(buf_reserve(out, 64), &l));
}

void
time_input(struct buf *out, int64_t at)
{
	struct local l;
	char *to;

	if (at == 0)
		return;
	clock_split(at, &l);
	to = put_day(buf_reserve(out, 64), &l);
	*to++ = 'T';
	finish(out, put_clock(to, &l));
}

void
time_iso(struct buf *out, int64_t at)
{
	struct local l;
	int minutes;
	char *to;

	if (at == 0)
		return;
	clock_split(at, &l);
	minutes = (l.offset_s < 0 ? -l.offset_s : l.offset_s) / 60;
	to = put_day(buf_reserve(out, 64), &l);
	*to++ = 'T';
	to = put_clock(to, &l);
	*to++ = ':';
	to = two(to, l.second);
	*to++ = l.offset_s < 0 ? '-' : '+';
	to = two(to, minutes / 60);
	*to++ = ':';
	finish(out, two(to, minutes % 60));
}
