/*
 * tpl - Mustache (spec 1.4: core, partials, inheritance, lambdas), compiled before the first request.
 *
 * A page declares its template and the shape of the struct it shows. program start-up compiles every declared page once
 * per language: an unknown name, an unclosed section, a missing partial or a triple mustache outside the allow-list
 * stops the program with file and line. Rendering walks a flat list of operations whose slots are already bound: no
 * name is looked up, nothing is allocated but the answer's buffer, and no SQL can run.
 *
 *	PAGE(search, "booking/search", search_shape);           (once, in pages.c, outside any function)
 *	...
 *	return web_page(w, OK, &search, &data);
 *
 * Names are looked up in the struct, then outwards to the enclosing sections, then in the chrome (struct chrome in
 * web.h: language, user, CSRF token …). Partials NAME and parents NAME are templates/NAME.mustache. {{#t}}…{{/t}} is a
 * lambda that runs at compile time: its raw text (white space folded) is looked up in the gettext catalogue of the
 * language, and the translation is compiled in its place (so it may hold {{names}}). {{#tn}}n_cars: {{n_cars}} car |
 * {{n_cars}} cars{{/tn}} does the same with the plural form for the INT n_cars: both forms are looked up and compiled,
 * and {{#n_cars.one}} (true when it is 1) chooses. That is all English and Korean need.
 */
#ifndef MP_TPL_H
#define MP_TPL_H

#include "lib/base/arena.h"
#include "lib/base/shape.h"

#include <jansson.h>

struct tpl;                     /* one compiled template in one language */

#define TPL_MAX_LANGS 4

struct page {
	const char *file;                       /* below templates/, without .mustache */
	const struct shape *shape;
	struct tpl *tpl[TPL_MAX_LANGS];         /* by language index (lang.h) */
	struct page *next;
};

void page_register(struct page *page);          /* by PAGE() */
#define PAGE(var, path, sh) \
	static struct page var = { .file = (path), .shape = &(sh) }; \
	__attribute__((constructor)) static void var##_register(void) { page_register(&var); }

/* What a lambda answers for the raw text of its section: template text that is compiled in its place. NULL: refused. */
typedef const char *tpl_lambda_fn(struct arena *m, const char *raw, void *arg);

/* The struct around every page's own: the frame. inner: a struct within it whose names are in reach as well; NULL:
 * none. */
struct tpl_root {
	const struct shape *shape, *inner;
	size_t inner_offset;
};

struct tpl_env {
	const char *dir;                        /* where partials are found: DIR/NAME.mustache */
	const struct tpl_root *root;            /* the outermost contexts (the chrome), or NULL */
	int lang;                               /* lang.h: language the words are compiled for */
	struct tpl_lambda { const char *name; tpl_lambda_fn *fn; void *arg; } lambda[8];
	bool raw_allowed;                       /* may this template use {{{x}}} / {{&x}}? */
	bool is_text;                           /* plain text and no HTML: nothing is escaped */
	/* for tests and the render command: partials from memory, asked before DIR; NULL = not there */
	const char *(*partial)(void *arg, const char *name);
	void *partial_arg;
};

/* Compiles every registered page for every language. false: what is wrong was printed on stderr with file:line. */
bool tpl_compile_pages(const char *templates_dir, const struct tpl_root *chrome);
/* The same for plain texts: mails, or what a page shows and escapes itself. They are not registered, have no chrome,
 * and nothing is escaped. */
bool tpl_compile_texts(const char *templates_dir, struct page *texts, int n);

/* Compiles one. NULL: *error says why, with file:line. The result lives in m. */
struct tpl *tpl_compile(struct arena *m, const struct tpl_env *env, const char *file, const char *text,
                        const struct shape *shape, const char **error);

/* Renders into out. chrome and data are the structs of env->root->shape and shape. */
void tpl_render(const struct tpl *tpl, struct buf *out, const void *chrome, const void *data);

/* The same engine over a JSON tree (names looked up as the spec says, missing ones are empty): `motorpool render`. */
bool tpl_render_tree(struct arena *m, const struct tpl_env *env, const char *file, const char *text,
                     json_t *data, struct buf *out, const char **error);

void html_escape(struct buf *out, const char *s, size_t n);     /* & < > " ' */

#endif
