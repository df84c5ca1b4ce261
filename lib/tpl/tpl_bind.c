/*
 * tpl_bind.c - back end for structs: nodes into a flat list of operations, every name bound to an offset.
 *
 * A struct within a struct costs nothing: its offset is added here. A name behind a MAYBE becomes a section around it.
 * Lists and MAYBEs get a frame of their own (tpl_node.h); sections beside each other share it. Literal text between two
 * operations is one piece, whatever partials and blocks it came from.
 */
#include "tpl_node.h"

#include "lib/base/lang.h"

#include <string.h>

#define STEPS_MAX 200000

struct binder {
	struct walk walk;               /* first: the walk's callbacks get it */
	struct op *op;
	size_t n_ops, room;
	struct buf literal;             /* all literal text; what is not in an operation yet begins at literal_at */
	size_t literal_at;
	struct reach reach;
	struct html html;
	struct table {
		const struct words *words;
		bool of_codes;
		const struct piece *piece;
		struct table *next;
	} *tables;
};

/* Names are allowed only where escaping protects; in plain text, and in templates that may use {{{x}}}, everywhere. */
static bool
is_html(const struct binder *b)
{
	return !b->walk.job->env->raw_allowed && !b->walk.job->env->is_text;
}

/* {{name}} why: at its file and line. */
static void
refuse(struct binder *b, const struct node *n, const char *why)
{
	node_refuse(b->walk.job, n, why);
}

/* --- operations --------------------------------------------------------------------------------------------------- */

static struct op *
add_op(struct binder *b, struct op op)
{
	if (b->n_ops == b->room) {
		size_t room = b->room ? b->room * 2 : 64;

		b->op = arena_grow(b->walk.job->m, b->op, b->room * sizeof(op), room * sizeof(op));
		b->room = room;
	}
	b->op[b->n_ops] = op;
	return &b->op[b->n_ops++];
}

static void
flush_literal(struct binder *b)
{
	size_t n = b->literal.n - b->literal_at;

	if (n)
		add_op(b, (struct op){ .code = OP_LITERAL, .n = (uint32_t)n, .literal_at = b->literal_at });
	b->literal_at = b->literal.n;
}

/* A jump target: literal text must not run across it. */
static size_t
here(struct binder *b)
{
	flush_literal(b);
	return b->n_ops;
}

/* The operation jumps to here. The target is determined first: that may emit text and so move the operations. */
static void
lead(struct binder *b, size_t jump)
{
	size_t at = here(b);

	b->op[jump].jump = at;
}

static size_t
emit(struct binder *b, struct op op)
{
	flush_literal(b);
	add_op(b, op);
	return b->n_ops - 1;
}

/* --- what prints -------------------------------------------------------------------------------------------------- */

/* The words of a closed set, translated and escaped once. */
static const struct piece *
table_of(struct binder *b, const struct words *words, bool of_codes)
{
	struct arena *m = b->walk.job->m;
	struct piece *pieces;
	struct table *t;

	for (t = b->tables; t; t = t->next)
		if (t->words == words && t->of_codes == of_codes)
			return t->piece;
	pieces = arena_array(m, struct piece, words->n + 1);
	for (int i = 0; i < words->n; i++) {
		const char *s = of_codes ? words->word[i].code : words->word[i].label;
		struct buf escaped = { .m = m };

		if (!s)
			continue;
		if (!of_codes)
			s = lang_text(b->walk.job->env->lang, s);
		if (b->walk.job->env->is_text)
			buf_puts(&escaped, s);
		else
			html_escape(&escaped, s, strlen(s));
		pieces[i] = (struct piece){ escaped.s, escaped.n };
	}
	t = arena_new_of(m, struct table);
	*t = (struct table){ words, of_codes, pieces, b->tables };
	b->tables = t;
	return pieces;
}

/* Through the pointers on the way: jump[] are the operations that leave when one is NULL. */
static void
emit_hops(struct binder *b, const struct binding *p, size_t jump[])
{
	for (int i = 0; i < p->n_hops; i++)
		jump[i] = emit(b,
			(struct op){
				.code = OP_ENTER,
				.frame = (uint8_t)p->hop[i].frame,
				.to = (uint8_t)p->hop[i].to,
				.offset = (uint32_t)p->hop[i].offset,
			});
}

static void
land(struct binder *b, const struct binding *p, const size_t jump[], size_t at)
{
	for (int i = 0; i < p->n_hops; i++)
		b->op[jump[i]].jump = at;
}

/* A text that has a Korean one, in a Korean template. */
static void
in_own_language(struct binder *b, const struct binding *p, struct op *op)
{
	if (p->member->kind == KIND_TEXT && p->member->ko_offset && b->walk.job->env->lang == LANG_KO)
		op->n_offset = (uint32_t)(p->offset - p->member->offset + p->member->ko_offset);
}

static void
print(struct binder *b, const struct binding *p, enum op_code code)
{
	struct op op = { .code = (uint8_t)code, .frame = (uint8_t)p->frame, .offset = (uint32_t)p->offset };
	size_t jump[TPL_HOPS_MAX];

	if (code == OP_WORD) {
		op.words = table_of(b, p->member->words, p->way.n > 0);
		op.n_offset = (uint32_t)p->member->words->n;
	}
	in_own_language(b, p, &op);
	emit_hops(b, p, jump);
	emit(b, op);
	if (p->n_hops)
		land(b, p, jump, here(b));
}

static void
bind_name(struct walk *w, const struct node *n)
{
	struct binder *b = (struct binder *)w;
	int n_frames = b->reach.n_frames;
	const char *why = NULL;
	enum op_code code;
	struct binding p;

	if (n->is_raw && !w->job->env->raw_allowed)
		why = "unescaped is not allowed in this template";
	else if (is_html(b))
		why = html_refuses(&b->html);
	if (!why && lambda_find(w->job->env, n->name))
		why = "is a lambda: it needs a section";
	if (why) {
		refuse(b, n, why);
		return;
	}
	if (!binding_find(&b->reach, n, &p))
		return;
	code = binding_print(&p, n->is_raw || w->job->env->is_text, &why);
	if (code == OP_END)
		refuse(b, n, why);
	else
		print(b, &p, code);
	b->reach.n_frames = n_frames;
}

/* --- sections ----------------------------------------------------------------------------------------------------- */

static void
walk_in(struct binder *b, const struct node *n, const struct shape *shape, int frame, size_t offset)
{
	struct reach *r = &b->reach;

	if (r->n == (int)(sizeof(r->scope) / sizeof(r->scope[0]))) {
		refuse(b, n, "is nested too deeply");
		return;
	}
	r->scope[r->n++] = (struct scope){ shape, frame, offset };
	walk_nodes(&b->walk, n->child);
	r->n--;
}

static void
bind_list(struct binder *b, const struct node *n, const struct binding *p)
{
	const struct member *m = p->member;
	int to = reach_frame(&b->reach, n);
	struct op op = {
		.code = OP_EACH,
		.frame = (uint8_t)p->frame,
		.to = (uint8_t)to,
		.offset = (uint32_t)p->offset,
		.n_offset = (uint32_t)(p->offset - m->offset + m->n_offset),
		.n = (uint32_t)m->of->size,
	};
	size_t each = emit(b, op), first = b->n_ops;

	walk_in(b, n, m->of, to, 0);
	emit(b, (struct op){ .code = OP_NEXT, .to = (uint8_t)to, .n = (uint32_t)m->of->size, .jump = first });
	lead(b, each);
}

static void
bind_maybe(struct binder *b, const struct node *n, const struct binding *p)
{
	int to = reach_frame(&b->reach, n);
	size_t enter = emit(b,
		(struct op){
			.code = OP_ENTER,
			.frame = (uint8_t)p->frame,
			.to = (uint8_t)to,
			.offset = (uint32_t)p->offset,
		});

	walk_in(b, n, p->member->of, to, 0);
	lead(b, enter);
}

static void
bind_positive(struct binder *b, const struct node *n, const struct binding *p, struct op op)
{
	size_t jump[TPL_HOPS_MAX], asked;

	emit_hops(b, p, jump);
	if (p->member->kind == KIND_LIST) {
		bind_list(b, n, p);
	} else if (p->member->kind == KIND_MAYBE) {
		bind_maybe(b, n, p);
	} else if (p->member->kind == KIND_STRUCT) {
		walk_in(b, n, p->member->of, p->frame, p->offset);
	} else {
		asked = emit(b, op);
		walk_nodes(&b->walk, n->child);
		lead(b, asked);
	}
	if (p->n_hops)
		land(b, p, jump, here(b));
}

/* A NULL on the way leads straight into {{^…}}. A struct is always there, so its {{^…}} never shows. */
static void
bind_inverted(struct binder *b, const struct node *n, const struct binding *p, struct op op)
{
	size_t jump[TPL_HOPS_MAX], asked;

	if (p->member->kind == KIND_STRUCT && p->n_hops == 0) {
		refuse(b, n, "is always there: nothing to show without it");
		return;
	}
	emit_hops(b, p, jump);
	if (p->member->kind == KIND_STRUCT) /* behind a MAYBE: there when the MAYBE is */
		op = (struct op){ .code = OP_IF_POINTER,
			.frame = (uint8_t)p->hop[p->n_hops - 1].frame,
			.offset = (uint32_t)p->hop[p->n_hops - 1].offset };
	asked = emit(b, op);
	land(b, p, jump, here(b));
	walk_nodes(&b->walk, n->child);
	lead(b, asked);
}

static void
stays_in_place(struct binder *b, const struct node *n, const struct html *before)
{
	if (is_html(b) && !html_same(before, &b->html))
		refuse(b, n, "begins and ends in different places of the page's tags");
}

static void
bind_section(struct walk *w, const struct node *n)
{
	struct binder *b = (struct binder *)w;
	int n_frames = b->reach.n_frames;
	struct html before = b->html;
	struct binding p;
	struct op op;

	if (!binding_find(&b->reach, n, &p) || !binding_test(&b->reach, n, &p, &op))
		return;
	in_own_language(b, &p, &op);
	if (n->kind == NODE_SECTION)
		bind_positive(b, n, &p, op);
	else
		bind_inverted(b, n, &p, op);
	b->reach.n_frames = n_frames;
	stays_in_place(b, n, &before);
}

/* A translation must not close the quotes around it. */
static void
bind_answer(struct walk *w, const struct node *n, const struct node *answer)
{
	struct binder *b = (struct binder *)w;
	struct html before = b->html;

	walk_nodes(w, answer);
	stays_in_place(b, n, &before);
}

/* --- the template ------------------------------------------------------------------------------------------------- */

static void
bind_text(struct walk *w, struct piece text)
{
	struct binder *b = (struct binder *)w;

	if (b->literal.n + text.n > TPL_OUT_MAX) {
		job_fail(w->job, "template", 0, "more than %d MiB of text", TPL_OUT_MAX / 1024 / 1024);
		return;
	}
	html_text(&b->html, text);
	buf_put(&b->literal, text.s, text.n);
}

static const char *
bind_dynamic(struct walk *w, const struct node *n)
{
	refuse((struct binder *)w, n, "names a template that is only known while rendering");
	return NULL;
}

static struct tpl *
finished(struct binder *b, const char *file)
{
	struct tpl *tpl = arena_new_of(b->walk.job->m, struct tpl);

	emit(b, (struct op){ .code = OP_END });
	for (size_t i = 0; i < b->n_ops; i++)
		if (b->op[i].code == OP_LITERAL)
			b->op[i].s = b->literal.s + b->op[i].literal_at;
	*tpl = (struct tpl){
		.op = b->op,
		.n_ops = b->n_ops,
		.literal_n = b->literal.n,
		.lang = b->walk.job->env->lang,
		.file = file,
	};
	return tpl;
}

struct tpl *
tpl_compile(struct arena *m, const struct tpl_env *env, const char *file, const char *text, const struct shape *shape,
	const char **error)
{
	struct job job = { .m = m, .env = env };
	struct binder b = {
		.walk = {
			.job = &job,
			.text = bind_text,
			.name = bind_name,
			.section = bind_section,
			.answer = bind_answer,
			.dynamic = bind_dynamic,
			.is_strict = true,
			.steps_left = STEPS_MAX,
		},
		.literal = { .m = m }, .reach = { .job = &job, .n_frames = 2 },
	};

	if (env->root) {
		b.reach.scope[b.reach.n++] = (struct scope){ env->root->shape, 0, 0 };
		if (env->root->inner)
			b.reach.scope[b.reach.n++] = (struct scope){ env->root->inner, 0, env->root->inner_offset };
	}
	if (shape)
		b.reach.scope[b.reach.n++] = (struct scope){ shape, 1, 0 };
	walk_nodes(&b.walk, tpl_parse(&job, file, 1, (struct piece){ text, strlen(text) }, &tpl_mustaches));
	*error = job.error;
	return job.error ? NULL : finished(&b, arena_strdup(m, file));
}
