/*
 * tpl_tree.c - the engine over a JSON tree, as the Mustache specification defines it: names are looked up while
 * rendering, from the innermost section outwards; what is missing is empty. For `motorpool render` and for messages
 * kept as data.
 */
#include "tpl_node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 2000000

struct tree {
	struct walk walk;               /* first: the walk's callbacks get it */
	struct buf *out;
	size_t from;                    /* where our part of out begins */
	const json_t *stack[TPL_NEST_MAX + 1];
	int n;
};

/* --- names -------------------------------------------------------------------------------------------------------- */

/* The first part is searched outwards; the rest must be inside what it found. */
static const json_t *
tree_value(const struct tree *t, struct piece name)
{
	const char *dot = memchr(name.s, '.', name.n);
	size_t n = dot ? (size_t)(dot - name.s) : name.n;
	const json_t *found = NULL;

	if (name.n == 1 && dot)
		return t->stack[t->n - 1];
	for (int i = t->n - 1; i >= 0 && !found; i--)
		found = json_object_getn(t->stack[i], name.s, n);
	while (found && dot) {
		name.n -= n + 1;
		name.s = dot + 1;
		dot = memchr(name.s, '.', name.n);
		n = dot ? (size_t)(dot - name.s) : name.n;
		found = json_object_getn(found, name.s, n);
	}
	return found;
}

static bool
is_true(const json_t *v)
{
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_NULL:
	case JSON_FALSE: return false;
	case JSON_ARRAY: return json_array_size(v) > 0;
	case JSON_STRING: return json_string_length(v) > 0;
	case JSON_INTEGER: return json_integer_value(v) != 0;
	case JSON_REAL: return json_real_value(v) != 0;
	case JSON_OBJECT:
	case JSON_TRUE: break;
	}
	return true;
}

/* The shortest digits that read back as the same number: 1.21, not 1.20999999999999996. */
static int
put_real(char *to, size_t room, double d)
{
	int n = 0;

	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(to, room, "%.*g", digits, d);
		if (strtod(to, NULL) == d)
			break;
	}
	return n;
}

static struct piece
as_text(const json_t *v, char number[32])
{
	int n = 0;

	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_STRING: return (struct piece){ json_string_value(v), json_string_length(v) };
	case JSON_INTEGER: n = snprintf(number, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
	case JSON_REAL: n = put_real(number, 32, json_real_value(v)); break;
	case JSON_TRUE: return (struct piece){ "true", 4 };
	case JSON_FALSE: return (struct piece){ "false", 5 };
	case JSON_NULL:
	case JSON_OBJECT:
	case JSON_ARRAY: break;
	}
	return (struct piece){ number, (size_t)n };
}

/* --- what the walk meets ------------------------------------------------------------------------------------------ */

static void
tree_put(struct tree *t, struct piece p, bool escape)
{
	if (t->out->n - t->from + p.n > TPL_OUT_MAX) {
		job_fail(t->walk.job, "output", 0, "more than %d MiB", TPL_OUT_MAX / 1024 / 1024);
		return;
	}
	if (escape)
		html_escape(t->out, p.s, p.n);
	else
		buf_put(t->out, p.s, p.n);
}

static void
tree_text(struct walk *w, struct piece text)
{
	tree_put((struct tree *)w, text, false);
}

/* {{lambda}}: its result is rendered with the default delimiters, then escaped as any value is. */
static void
put_lambda(struct tree *t, const struct node *n, const struct tpl_lambda *lambda)
{
	struct job *job = t->walk.job;
	const char *answer = lambda->fn(job->m, "", lambda->arg);
	struct buf aside = { .m = job->m }, *out = t->out;
	size_t from = t->from;

	if (!answer || t->walk.depth == TPL_EXPAND_MAX)
		return;
	t->out = &aside;
	t->from = 0;
	t->walk.depth++;
	walk_nodes(
		&t->walk, tpl_parse(job, n->file, n->line, (struct piece){ answer, strlen(answer) }, &tpl_mustaches));
	t->walk.depth--;
	t->out = out;
	t->from = from;
	tree_put(t, (struct piece){ aside.s, aside.n }, !n->is_raw);
}

static void
tree_name(struct walk *w, const struct node *n)
{
	const struct tpl_lambda *lambda = lambda_find(w->job->env, n->name);
	struct tree *t = (struct tree *)w;
	char number[32];

	if (n->is_raw && !w->job->env->raw_allowed)
		job_fail(w->job, n->file, n->line, "{{{%.*s}}} is not allowed here", (int)n->name.n, n->name.s);
	else if (lambda)
		put_lambda(t, n, lambda);
	else
		tree_put(t, as_text(tree_value(t, n->name), number), !n->is_raw);
}

static void
render_inside(struct tree *t, const struct node *n, const json_t *v)
{
	if (t->n == TPL_NEST_MAX + 1) {
		job_fail(t->walk.job, n->file, n->line, "sections are nested too deeply");
		return;
	}
	t->stack[t->n++] = v;
	walk_nodes(&t->walk, n->child);
	t->n--;
}

static void
tree_section(struct walk *w, const struct node *n)
{
	struct tree *t = (struct tree *)w;
	const json_t *v = tree_value(t, n->name);

	if (n->kind == NODE_INVERTED) {
		if (!is_true(v))
			walk_nodes(w, n->child);
	} else if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v) && !w->job->error; i++)
			render_inside(t, n, json_array_get(v, i));
	} else if (is_true(v)) {
		render_inside(t, n, v);
	}
}

static void
tree_answer(struct walk *w, const struct node *n, const struct node *answer)
{
	(void)n;
	walk_nodes(w, answer);
}

static const char *
tree_dynamic(struct walk *w, const struct node *n)
{
	return json_string_value(tree_value((struct tree *)w, n->name));
}

bool
tpl_render_tree(struct arena *m, const struct tpl_env *env, const char *file, const char *text, json_t *data,
	struct buf *out, const char **error)
{
	struct job job = { .m = m, .env = env };
	struct tree t = {
		.walk = {
			.job = &job,
			.text = tree_text,
			.name = tree_name,
			.section = tree_section,
			.answer = tree_answer,
			.dynamic = tree_dynamic,
			.steps_left = STEPS_MAX,
		},
		.out = out, .from = out->n, .stack = { data }, .n = 1,
	};

	buf_reserve(out, 0)[0] = '\0';
	walk_nodes(&t.walk, tpl_parse(&job, file, 1, (struct piece){ text, strlen(text) }, &tpl_mustaches));
	*error = job.error;
	return !job.error;
}
