/*
 * url.c - addresses: safe redirects, this page's address with one parameter changed, paging, sorting, tabs.
 */
#include "web_inside.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* An address that is carried in another one's query may become three times as long there, and that one must be shorter
 * than the headers that the web server accepts (deploy/lighttpd/limits.conf). In bytes. */
#define SAFE_PATH_MAX 4000
#define LOCATION_MAX  (3 * SAFE_PATH_MAX + 100)

static bool
is_safe_char(char c)
{
	return c > 0x20 && c < 0x7F && c != '\\';
}

static bool
is_own_path(const char *path, size_t max)
{
	size_t n = path ? strlen(path) : 0;

	if (n == 0 || n > max || path[0] != '/' || path[1] == '/')
		return false;
	for (const char *s = path; *s; s++)
		if (!is_safe_char(*s))
			return false;
	return true;
}

bool
web_safe_path(const char *path)
{
	return is_own_path(path, SAFE_PATH_MAX);
}

bool
url_is_location(const char *path)
{
	return is_own_path(path, LOCATION_MAX);
}

static const char *
encode(struct arena *m, const char *s, const char *kept)
{
	static const char hex[] = "0123456789ABCDEF";
	char *to = arena_alloc(m, strlen(s) * 3 + 1), *start = to;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (isalnum(c) || strchr(kept, c)) {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	return start;
}

const char *
web_encode(struct web *w, const char *text)
{
	return encode(w->m, text, "-_.~");
}

const char *
url_path(struct web *w)
{
	for (const char *s = w->path; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("/-_.~:@", *s))
			return encode(w->m, w->path, "/-_.~:@");
	return w->path;
}

/* The query as it was sent, except that what may not stand in an address is percent-encoded. */
static const char *
safe_query(struct web *w)
{
	struct buf query = { .m = w->m };

	for (const char *s = w->query; *s; s++)
		if (is_safe_char(*s))
			buf_put(&query, s, 1);
		else
			buf_printf(&query, "%%%02X", (unsigned char)*s);
	return query.s;
}

const char *
url_own(struct web *w)
{
	const char *path = url_path(w), *whole;

	if (!*w->query || w->method != GET)
		return path;
	whole = arena_printf(w->m, "%s?%s", path, safe_query(w));
	return web_safe_path(whole) ? whole : path;
}

/* --- this page with something changed ----------------------------------------------------------------------------- */

static void
put_pair(struct web *w, struct buf *url, const char *name, const char *value)
{
	buf_puts(url, memchr(url->s, '?', url->n) ? "&" : "?");
	buf_puts(url, web_encode(w, name));
	buf_puts(url, "=");
	buf_puts(url, web_encode(w, value));
}

/* The changed parameter keeps its position; `dropped` (may be NULL) is left out. */
static const char *
url_with(struct web *w, const char *name, const char *value, const char *dropped)
{
	struct buf url = { .m = w->m };
	const struct input *in = &w->in->query;
	bool put = false;

	buf_puts(&url, url_path(w));
	for (int i = 0; i < in->n; i++) {
		const struct sent *f = &in->field[i];

		if (strcmp(f->name, name) == 0) {
			if (value)
				put_pair(w, &url, name, value);
			put = true;
		} else if (*f->value && !(dropped && strcmp(f->name, dropped) == 0)) {
			put_pair(w, &url, f->name, f->value);
		}
	}
	if (!put && value)
		put_pair(w, &url, name, value);
	return url.s;
}

const char *
web_url_with(struct web *w, const char *name, const char *value)
{
	return url_with(w, name, value, NULL);
}

/* --- pages of a list ---------------------------------------------------------------------------------------------- */

static const struct member paging_members[] = {
	SHAPE_INT(paging, page), SHAPE_INT(paging, n_pages), SHAPE_INT(paging, n_total), SHAPE_INT(paging, first),
	SHAPE_INT(paging, last), SHAPE_TEXT(paging, prev_url), SHAPE_TEXT(paging, next_url),
};
const struct shape paging_shape = SHAPE(paging, paging_members);

/* ?page=; 1 when it is not a number. */
static int64_t
page_asked(struct web *w)
{
	const struct sent *f = input_find(&w->in->query, "page");
	size_t n = f ? strlen(f->value) : 0;

	return n > 0 && n < 10 && strspn(f->value, "0123456789") == n ? strtoll(f->value, NULL, 10) : 1;
}

static const char *
page_url(struct web *w, int64_t page)
{
	return web_url_with(w, "page", page == 1 ? NULL : arena_printf(w->m, "%lld", (long long)page));
}

struct paging
web_paging(struct web *w, int64_t n_total, int per_page)
{
	struct paging p = { .page = page_asked(w), .n_total = n_total, .n_pages = (n_total + per_page - 1) / per_page };

	if (p.page > p.n_pages)
		p.page = p.n_pages;
	if (p.page < 1)
		p.page = 1;
	p.offset = (p.page - 1) * per_page;
	p.first = n_total ? p.offset + 1 : 0;
	p.last = p.offset + per_page < n_total ? p.offset + per_page : n_total;
	if (p.page > 1)
		p.prev_url = page_url(w, p.page - 1);
	if (p.page < p.n_pages)
		p.next_url = page_url(w, p.page + 1);
	return p;
}

/* --- sorting ------------------------------------------------------------------------------------------------------ */

static const struct member sort_link_members[] = {
	SHAPE_TEXT(sort_link, url), SHAPE_BOOL(sort_link, up), SHAPE_BOOL(sort_link, down),
};
const struct shape sort_link_shape = SHAPE(sort_link, sort_link_members);

static const char *
sort_asked(struct web *w, bool *down)
{
	const struct sent *f = input_find(&w->in->query, "sort");
	const char *s = f ? f->value : "";

	*down = *s == '-';
	return s + *down;
}

struct sort_link
web_sort_link(struct web *w, const char *column)
{
	bool down;
	bool this_one = strcmp(sort_asked(w, &down), column) == 0;
	const char *next = this_one && !down ? arena_printf(w->m, "-%s", column) : column;

	return (struct sort_link){ url_with(w, "sort", next, "page"), this_one && !down, this_one && down };
}

int
web_sort(struct web *w, const char *const *columns, bool *down)
{
	const char *asked = sort_asked(w, down);

	for (int i = 0; columns[i]; i++)
		if (strcmp(columns[i], asked) == 0)
			return i;
	*down = false;
	return -1;
}

/* --- tabs and notices --------------------------------------------------------------------------------------------- */

static const struct member tab_members[] = {
	SHAPE_TEXT(tab, url), SHAPE_TEXT(tab, label), SHAPE_INT(tab, n), SHAPE_BOOL(tab, has_n),
	SHAPE_BOOL(tab, is_current),
};
const struct shape tab_shape = SHAPE(tab, tab_members);

static const struct member timeline_event_members[] = {
	SHAPE_TIME(timeline_event, at), SHAPE_TEXT(timeline_event, title), SHAPE_TEXT(timeline_event, detail),
};
const struct shape timeline_event_shape = SHAPE(timeline_event, timeline_event_members);

static const struct member progress_step_members[] = {
	SHAPE_TEXT(progress_step, title), SHAPE_TEXT(progress_step, detail), SHAPE_BOOL(progress_step, done),
	SHAPE_BOOL(progress_step, now), SHAPE_BOOL(progress_step, bad),
};
const struct shape progress_step_shape = SHAPE(progress_step, progress_step_members);

struct tab *
web_tabs(struct web *w, const char *name, const struct words *words, int current, const int64_t *n)
{
	struct tab *tabs = arena_array(w->m, struct tab, words->n);

	for (int i = 0; i < words->n; i++)
		tabs[i] = (struct tab){
			.url = url_with(w, name, i ? words->word[i].code : NULL, "page"),
			.label = _(words->word[i].label),
			.n = n ? n[i] : 0,
			.has_n = n != NULL,
			.is_current = i == current,
		};
	return tabs;
}

void
web_notice(struct web *w, const struct words *done)
{
	const struct sent *f = input_find(&w->in->query, "done");
	int i = f ? words_find(done, f->value) : -1;

	if (i >= 0)
		w->chrome.notice = _(done->word[i].label);
}
