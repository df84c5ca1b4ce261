/*
 * tpl_expand.c - the walk shared by both back ends: partials, parents with their blocks, and results of lambdas.
 *
 * An override is looked up from the outermost parent tag inwards (the page takes precedence over its layouts), and
 * while it is walked only the parent tags outside its own are in force: an override cannot include itself.
 */
#include "tpl_node.h"

#include <stdio.h>
#include <string.h>

/* The blocks that one parent tag brings along. */
struct overrides {
	const struct node *blocks;
	struct overrides *outer;
};

/* Text parsed already. Partials: key is the name; overrides: key is their source. */
struct loaded {
	const void *key;
	size_t key_n;
	struct piece indent;
	bool first, is_file;
	struct node *nodes;
	bool is_missing;
	struct loaded *next;
};

const struct tpl_lambda *
lambda_find(const struct tpl_env *env, struct piece name)
{
	for (size_t i = 0; i < sizeof(env->lambda) / sizeof(env->lambda[0]) && env->lambda[i].name; i++)
		if (piece_is(name, env->lambda[i].name, strlen(env->lambda[i].name)))
			return &env->lambda[i];
	return NULL;
}

/* --- indentation -------------------------------------------------------------------------------------------------- */

static size_t
blanks(const char *s, const char *end, size_t most)
{
	size_t n = 0;

	while (n < most && s + n < end && (s[n] == ' ' || s[n] == '\t'))
		n++;
	return n;
}

/* Removes up to `less` blanks from each line and inserts `indent`; in the first line only if asked, in empty lines
 * never. */
static struct piece
reindented(struct arena *m, struct piece text, size_t less, struct piece indent, bool first)
{
	const char *s = text.s, *end = text.s + text.n, *line_end;
	struct buf b = { .m = m };

	if (text.n == 0 || (less == 0 && indent.n == 0))
		return text;
	for (; s < end; s = line_end, first = true) {
		line_end = memchr(s, '\n', (size_t)(end - s));
		line_end = line_end ? line_end + 1 : end;
		s += blanks(s, line_end, less);
		if (first && *s != '\n' && *s != '\r')
			buf_put(&b, indent.s, indent.n);
		buf_put(&b, s, (size_t)(line_end - s));
		if (b.n > TPL_FILE_MAX)
			break; /* tpl_parse() refuses it */
	}
	return (struct piece){ b.s, b.n };
}

/* --- partials ----------------------------------------------------------------------------------------------------- */

static struct loaded *
loaded_find(struct job *job, const void *key, size_t key_n, struct piece indent, bool first, bool is_file)
{
	for (struct loaded *l = job->loaded; l; l = l->next)
		if (l->is_file == is_file && l->first == first && l->key_n == key_n
			&& piece_is(indent, l->indent.s, l->indent.n)
			&& (is_file ? memcmp(l->key, key, key_n) == 0 : l->key == key))
			return l;
	return NULL;
}

static struct loaded *
loaded_add(struct job *job, const void *key, size_t key_n, struct piece indent, bool first, bool is_file)
{
	struct loaded *l = arena_new_of(job->m, struct loaded);

	*l = (struct loaded){
		.key = key, .key_n = key_n, .indent = indent, .first = first, .is_file = is_file, .next = job->loaded
	};
	return job->loaded = l;
}

/* a/b-c.d: nothing that leads out of the folder */
bool
tpl_is_name(struct piece name)
{
	if (name.n == 0 || name.n > 200 || name.s[0] == '/' || name.s[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
			    || c == '.' || c == '/'))
			return false;
		if (c == '.' && i > 0 && (name.s[i - 1] == '.' || name.s[i - 1] == '/'))
			return false;
	}
	return true;
}

const char *
tpl_read(struct arena *m, const char *path)
{
	struct buf b = { .m = m };
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return NULL;
	do {
		n = fread(buf_reserve(&b, 4096), 1, 4096, f);
		b.n += n;
	} while (n > 0 && b.n <= TPL_FILE_MAX);
	b.s[b.n] = '\0';
	n = ferror(f) ? 0 : 1;
	fclose(f);
	return n ? b.s : NULL;
}

static const char *
partial_text(struct job *job, const char *name, const char **file)
{
	const struct tpl_env *env = job->env;
	const char *text = env->partial ? env->partial(env->partial_arg, name) : NULL;

	*file = env->dir ? arena_printf(job->m, "%s/%s.mustache", env->dir, name) : name;
	if (text || !env->dir || !tpl_is_name((struct piece){ name, strlen(name) }))
		return text;
	return tpl_read(job->m, *file);
}

static const struct loaded *
load(struct job *job, const char *name, struct piece indent)
{
	struct loaded *l = loaded_find(job, name, strlen(name), indent, true, true);
	const char *text, *file;
	struct piece p;

	if (l)
		return l;
	l = loaded_add(job, name, strlen(name), indent, true, true);
	text = partial_text(job, name, &file);
	l->is_missing = !text;
	if (!text)
		return l;
	p = reindented(job->m, (struct piece){ text, strlen(text) }, 0, indent, true);
	l->nodes = tpl_parse(job, file, 1, p, &tpl_mustaches);
	return l;
}

static bool
is_inside(const struct walk *w, const char *name)
{
	for (const struct inside *i = w->inside; i; i = i->outer)
		if (strcmp(i->name, name) == 0)
			return true;
	return false;
}

static bool
deeper(struct walk *w, const struct node *n)
{
	if (w->depth == TPL_EXPAND_MAX) {
		job_fail(w->job, n->file, n->line, "partials, blocks or lambdas are nested too deeply");
		return false;
	}
	w->depth++;
	return true;
}

static void
walk_partial(struct walk *w, const struct node *n)
{
	const char *name = n->is_dynamic ? w->dynamic(w, n) : arena_strndup(w->job->m, n->name.s, n->name.n);
	struct overrides with = { n->child, w->overrides };
	struct inside inside = { name, w->inside };
	const struct loaded *l;

	if (!name || w->job->error)
		return;
	l = load(w->job, name, n->indent);
	if (w->is_strict && l->is_missing)
		job_fail(w->job, n->file, n->line, "there is no template '%s'", name);
	if (w->is_strict && is_inside(w, name))
		job_fail(w->job, n->file, n->line, "'%s' would be put into itself for ever", name);
	if (w->job->error || !l->nodes || !deeper(w, n))
		return;
	if (n->kind == NODE_PARENT)
		w->overrides = &with;
	w->inside = &inside;
	walk_nodes(w, l->nodes);
	w->inside = inside.outer;
	w->overrides = with.outer;
	w->depth--;
}

/* --- blocks ------------------------------------------------------------------------------------------------------- */

static const struct node *
override_of(struct walk *w, struct piece name, struct overrides **from)
{
	const struct node *found = NULL;

	for (struct overrides *o = w->overrides; o; o = o->outer)
		for (const struct node *b = o->blocks; b; b = b->next)
			if (b->kind == NODE_BLOCK && piece_is(b->name, name.s, name.n)) {
				found = b;
				*from = o;
				break;
			}
	return found;
}

/* The override's source, moved from where it is defined to where it is put. */
static struct node *
moved(struct job *job, const struct node *from, const struct node *to)
{
	struct loaded *l = loaded_find(job, from->inner.s, from->inner.n, to->indent, to->own_line, false);
	const char *end = from->inner.s + from->inner.n;
	size_t less = from->own_line ? blanks(from->inner.s, end, from->inner.n) : 0;
	struct piece text;

	if (l)
		return l->nodes;
	l = loaded_add(job, from->inner.s, from->inner.n, to->indent, to->own_line, false);
	text = reindented(job->m, from->inner, less, to->indent, to->own_line);
	return l->nodes = tpl_parse(job, from->file, from->inner_line, text, from->delims);
}

static void
walk_block(struct walk *w, const struct node *n)
{
	struct overrides *before = w->overrides, *from = NULL;
	const struct node *override = override_of(w, n->name, &from);

	if (!override) {
		walk_nodes(w, n->child);
		return;
	}
	if (!deeper(w, n))
		return;
	w->overrides = from->outer;
	walk_nodes(w, moved(w->job, override, n));
	w->overrides = before;
	w->depth--;
}

/* --- everything --------------------------------------------------------------------------------------------------- */

/* What the lambda answers for the source between the tags is read with the delimiters in force there. */
static void
walk_lambda(struct walk *w, const struct node *n, const struct tpl_lambda *lambda)
{
	const char *answer;

	if (n->kind == NODE_INVERTED || !deeper(w, n))
		return; /* a lambda is always true */
	answer = lambda->fn(w->job->m, arena_strndup(w->job->m, n->inner.s, n->inner.n), lambda->arg);
	if (answer)
		w->answer(
			w, n, tpl_parse(w->job, n->file, n->line, (struct piece){ answer, strlen(answer) }, n->delims));
	else
		job_fail(w->job, n->file, n->line, "{{#%s}} does not take such a text", lambda->name);
	w->depth--;
}

static void
walk_section(struct walk *w, const struct node *n)
{
	const struct tpl_lambda *lambda = lambda_find(w->job->env, n->name);

	if (lambda)
		walk_lambda(w, n, lambda);
	else
		w->section(w, n);
}

void
walk_nodes(struct walk *w, const struct node *n)
{
	for (; n && !w->job->error; n = n->next) {
		if (w->steps_left-- <= 0) {
			job_fail(w->job, n->file, n->line, "the template does not come to an end");
			return;
		}
		switch (n->kind) {
		case NODE_TEXT:
			if (n->name.n)
				w->text(w, n->name);
			break;
		case NODE_NAME: w->name(w, n); break;
		case NODE_SECTION:
		case NODE_INVERTED: walk_section(w, n); break;
		case NODE_PARTIAL:
		case NODE_PARENT: walk_partial(w, n); break;
		case NODE_BLOCK: walk_block(w, n); break;
		}
	}
}
