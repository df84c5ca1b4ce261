/*
 * fuzz_tpl - fuzzes the template engine: any template must result in a page or an error, without a crash, a leak or an
 * endless loop.
 *
 * The input is the template; the first line beginning with "%%" ends it, what follows is the partial `p`, and so on for
 * `q`. It is rendered from a small JSON tree and compiled against a small shape, as a page and as raw text. And a
 * struct must be rendered exactly like the same data as a JSON tree.
 */
#include "lib/base/clock.h"
#include "lib/tpl/tpl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct word colour_word[] = { { "RED", "Red" }, { "BLUE", "Blue" } };
static const struct words colour_words = WORDS(colour_word);

struct leaf { const char *s; int64_t i; struct leaf *m; };
static const struct shape leaf_shape;
static const struct member leaf_members[] = { SHAPE_TEXT(leaf, s), SHAPE_INT(leaf, i),
	SHAPE_MAYBE(leaf, m, leaf_shape) };
static const struct shape leaf_shape = SHAPE(leaf, leaf_members);

struct root { const char *s; bool b; int64_t a, t; int c; struct leaf o, *l, *m; int n_l; };
static const struct member root_members[] = {
	SHAPE_TEXT(root, s), SHAPE_BOOL(root, b), SHAPE_AMOUNT(root, a), SHAPE_TIME(root, t),
	SHAPE_STATE(root, c, colour_words), SHAPE_STRUCT(root, o, leaf_shape), SHAPE_LIST(root, l, leaf_shape),
	SHAPE_MAYBE(root, m, leaf_shape),
};
static const struct shape root_shape = SHAPE(root, root_members);

static struct leaf leaves[] = { { "one", 1, NULL }, { "<two>", -2, &leaves[0] } };
static const struct root data = {
	.s = "a & b", .b = true, .a = 207000, .t = 1795237200, .c = 1, .o = { "o", 3, NULL }, .l = leaves, .n_l = 2,
		.m = &leaves[1],
};

/* The same twice: as structs and as JSON, with kinds that both write alike. */
struct twig { const char *s; int64_t i; bool b; };
static const struct member twig_members[] = { SHAPE_TEXT(twig, s), SHAPE_INT(twig, i), SHAPE_BOOL(twig, b) };
static const struct shape twig_shape = SHAPE(twig, twig_members);

struct tree { const char *s; int64_t i, a; bool b; struct twig o; struct tree *m, *l; int n_l; };
static const struct shape tree_shape;
static const struct member tree_members[] = {
	SHAPE_TEXT(tree, s), SHAPE_INT(tree, i), SHAPE_INT(tree, a), SHAPE_BOOL(tree, b),
	SHAPE_STRUCT(tree, o, twig_shape), SHAPE_MAYBE(tree, m, tree_shape), SHAPE_LIST(tree, l, tree_shape),
};
static const struct shape tree_shape = SHAPE(tree, tree_members);

static struct tree bare = { "bare", 7, 0, true, { "", -1, false }, NULL, NULL, 0 };
static struct tree row[] = {
	{ "r&1", 0, 1, false, { "t1", 1, true }, &bare, NULL, 0 },
	{ "", 2, 2, true, { "<t2>", 0, false }, NULL, &bare, 1 },
};
static const struct tree twin = { "top", 42, -3, true, { "to", 9, true }, &row[1], row, 2 };

#define BARE "{\"s\":\"bare\",\"i\":7,\"a\":0,\"b\":true,\"o\":{\"s\":\"\",\"i\":-1,\"b\":false},\"m\":null,\"l\":[]}"
#define ROW0 \
	"{\"s\":\"r&1\",\"i\":0,\"a\":1,\"b\":false,\"o\":{\"s\":\"t1\",\"i\":1,\"b\":true},\"m\":" BARE ",\"l\":[]}"
#define ROW1 \
	"{\"s\":\"\",\"i\":2,\"a\":2,\"b\":true,\"o\":{\"s\":\"<t2>\",\"i\":0,\"b\":false},\"m\":null,\"l\":[" BARE "]}"
static const char twin_json[] =
	"{\"s\":\"top\",\"i\":42,\"a\":-3,\"b\":true,\"o\":{\"s\":\"to\",\"i\":9,\"b\":true},"
	"\"m\":" ROW1 ",\"l\":[" ROW0 "," ROW1 "]}";

static const char json[] =
	"{\"s\":\"a & b\",\"b\":true,\"a\":1.5,\"n\":null,\"o\":{\"s\":\"o\",\"o\":{}},\"l\":[{\"s\":1,\"l\":[1,2]},"
	"{\"m\":{}},[3]],\"p\":\"q\"}";

struct parts { const char *p, *q; };

static const char *
partial(void *arg, const char *name)
{
	const struct parts *parts = arg;

	return strcmp(name, "p") == 0 ? parts->p : strcmp(name, "q") == 0 ? parts->q : NULL;
}

static const char *
same(struct arena *m, const char *raw, void *arg)
{
	(void)m;
	(void)arg;
	return raw;
}

static const char *
cut(char *text)
{
	char *line = strstr(text, "\n%%");

	if (!line)
		return NULL;
	*line = '\0';
	line = strchr(line + 1, '\n');
	return line ? line + 1 : NULL;
}

static void
compile(struct arena *m, struct tpl_env env, const char *text)
{
	struct buf out = { .m = m };
	const char *error;
	struct tpl *tpl;

	env.root = &leaf_shape;
	tpl = tpl_compile(m, &env, "fuzz", text, &root_shape, &error);
	if (tpl)
		tpl_render(tpl, &out, &leaves[0], &data);
	if (!tpl == !error)
		abort();
}

static void
compare(struct arena *m, struct tpl_env env, const char *text)
{
	static json_t *twin_tree;
	struct buf bound = { .m = m }, looked_up = { .m = m };
	const char *error;
	struct tpl *tpl;

	if (!twin_tree && !(twin_tree = json_loads(twin_json, 0, NULL)))
		abort();
	env.raw_allowed = true;
	tpl = tpl_compile(m, &env, "fuzz", text, &tree_shape, &error);
	if (!tpl || !tpl_render_tree(m, &env, "fuzz", text, twin_tree, &looked_up, &error))
		return;
	tpl_render(tpl, &bound, NULL, &twin);
	if (bound.n != looked_up.n || memcmp(bound.s, looked_up.s, bound.n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct arena *m;
	static json_t *tree;
	struct tpl_env env = { .partial = partial, .lambda = { { "t", same, NULL } } };
	struct parts parts = { NULL, NULL };
	const char *error;
	struct buf out;
	char *text;

	if (!m) {
		m = arena_new((size_t)1024 * 1024 * 1024);
		tree = json_loads(json, 0, NULL);
		clock_open("Asia/Seoul");
	}
	arena_reset(m);
	text = arena_strndup(m, (const char *)bytes, n);
	parts.p = cut(text);
	parts.q = parts.p ? cut((char *)parts.p) : NULL;
	env.partial_arg = &parts;
	compile(m, env, text);
	env.raw_allowed = true;
	compile(m, env, text);
	if (!memmem(bytes, n, ".one", 4)) /* a tree has members only */
		compare(m, env, text);
	out = (struct buf){ .m = m };
	if (tpl_render_tree(m, &env, "fuzz", text, tree, &out, &error) != !error)
		abort();
	return 0;
}
