/*
 * tpl.c - the registered pages of a program, all compiled before the first request.
 */
#include "tpl.h"

#include "lib/base/lang.h"
#include "tpl_node.h"

#include <stdio.h>
#include <string.h>

_Static_assert(N_LANGS <= TPL_MAX_LANGS, "struct page has no place for so many languages");

#define ARENA_LIMIT (256 * 1024 * 1024)

/* Templates that may say {{{x}}}: a folder ("mail/") or a file. Each needs a reason here. None so far. */
static const char *const raw_allowed[] = {
	NULL,
};

static struct page *pages;

/* Partials are the same for every page and language: each file is read once. */
struct sources {
	struct arena *m;
	const char *dir;
	struct file { const char *name, *text; struct file *next; } *files;
};

void
page_register(struct page *page)
{
	page->next = pages;
	pages = page;
}

static const char *
source_text(void *arg, const char *name)
{
	struct sources *sources = arg;
	struct file *f;

	for (f = sources->files; f; f = f->next)
		if (strcmp(f->name, name) == 0)
			return f->text;
	if (!tpl_is_name((struct piece){ name, strlen(name) }))
		return NULL;
	f = arena_new_of(sources->m, struct file);
	f->name = arena_strdup(sources->m, name);
	f->text = tpl_read(sources->m, arena_printf(sources->m, "%s/%s.mustache", sources->dir, name));
	f->next = sources->files;
	sources->files = f;
	return f->text;
}

static bool
is_text_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* White space at the ends is dropped and folded between, as tools/pot does. */
static char *
folded(struct arena *m, const char *s, size_t n)
{
	struct buf b = { .m = m };

	buf_puts(&b, "");
	for (const char *end = s + n; s < end; s++) {
		if (!is_text_space(*s))
			buf_put(&b, s, 1);
		else if (b.n && s + 1 < end && !is_text_space(s[1]))
			buf_put(&b, " ", 1);
	}
	return b.s;
}

/* {{#t}}: looks the text up in the catalogue. */
static const char *
translate(struct arena *m, const char *raw, void *arg)
{
	const int *lang = arg;
	const char *text = folded(m, raw, strlen(raw));

	return *text ? lang_text(*lang, text) : "";
}

/* {{#tn}}COUNT: one | many{{/tn}}: looks both forms up in the catalogue; a section on COUNT chooses. */
static const char *
translate_plural(struct arena *m, const char *raw, void *arg)
{
	const int *lang = arg;
	const char *colon = strchr(raw, ':'), *bar = strchr(raw, '|');
	const char *count, *one, *many, *for_one, *for_many;

	if (!colon || !bar || bar < colon || strchr(bar + 1, '|'))
		return NULL;
	count = folded(m, raw, (size_t)(colon - raw));
	one = folded(m, colon + 1, (size_t)(bar - colon - 1));
	many = folded(m, bar + 1, strlen(bar + 1));
	if (!*count || !*one || !*many)
		return NULL;
	for_one = lang_plural(*lang, one, many, 1);
	for_many = lang_plural(*lang, one, many, 2);
	if (strcmp(for_one, for_many) == 0)
		return for_one;
	return arena_printf(
		m, "{{#%s.one}}%s{{/%s.one}}{{^%s.one}}%s{{/%s.one}}", count, for_one, count, count, for_many, count);
}

static bool
is_raw_allowed(const char *file)
{
	for (size_t i = 0; raw_allowed[i]; i++) {
		size_t n = strlen(raw_allowed[i]);

		if (strncmp(file, raw_allowed[i], n) == 0 && (raw_allowed[i][n - 1] == '/' || file[n] == '\0'))
			return true;
	}
	return false;
}

static bool
compile_page(struct sources *sources, struct page *page, const struct tpl_root *chrome, bool is_text, int lang)
{
	struct tpl_env env = {
		.dir = sources->dir,
		.root = chrome,
		.lang = lang,
		.raw_allowed = is_raw_allowed(page->file),
		.is_text = is_text,
		.lambda = { { "t", translate, &lang }, { "tn", translate_plural, &lang } },
		.partial = source_text,
		.partial_arg = sources,
	};
	const char *file = arena_printf(sources->m, "%s/%s.mustache", sources->dir, page->file), *text, *error;

	text = source_text(sources, page->file);
	if (!text) {
		fprintf(stderr, "%s: cannot be read\n", file);
		return false;
	}
	page->tpl[lang] = tpl_compile(sources->m, &env, file, text, page->shape, &error);
	if (!page->tpl[lang])
		fprintf(stderr, "%s (in %s)\n", error, lang_code(lang));
	return page->tpl[lang] != NULL;
}

bool
tpl_compile_pages(const char *templates_dir, const struct tpl_root *chrome)
{
	struct arena *m = arena_new(ARENA_LIMIT);
	struct sources sources = { .m = m, .dir = arena_strdup(m, templates_dir) };
	bool ok = true;

	for (struct page *p = pages; p; p = p->next)
		for (int lang = 0; lang < N_LANGS; lang++)
			ok = compile_page(&sources, p, chrome, false, lang) && ok;
	return ok;
}

bool
tpl_compile_texts(const char *templates_dir, struct page *texts, int n)
{
	struct arena *m = arena_new(ARENA_LIMIT);
	struct sources sources = { .m = m, .dir = arena_strdup(m, templates_dir) };
	bool ok = true;

	for (int i = 0; i < n; i++)
		for (int lang = 0; lang < N_LANGS; lang++)
			ok = compile_page(&sources, &texts[i], NULL, true, lang) && ok;
	return ok;
}
