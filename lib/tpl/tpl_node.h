/*
 * tpl_node - what the files of the template engine share. Not included elsewhere.
 *
 *	tpl_parse.c     text -> nodes: tags, delimiters, lines that hold a tag alone
 *	tpl_expand.c    walks nodes; puts in partials, parents with their blocks, and what lambdas answer
 *	tpl_bind.c      back end for structs: each name becomes frame + offset, all of it a flat list of operations
 *	tpl_name.c      … which member a name means
 *	tpl_html.c      … and names only where escaping protects
 *	tpl_run.c       executes the operations: the only part that runs per request
 *	tpl_tree.c      back end for JSON: names looked up while rendering
 *	tpl.c           files, pages, translation
 *
 * A template may be hostile (it is fuzzed): every recursion and every size has a limit, and exceeding it is an ordinary
 * error. The first error is kept, and everything after it does nothing.
 */
#ifndef MP_TPL_NODE_H
#define MP_TPL_NODE_H

#include "tpl.h"

enum {
	TPL_NEST_MAX = 64,                      /* sections within sections */
	TPL_EXPAND_MAX = 32,                    /* partials within partials, parents, blocks, lambdas */
	TPL_FILE_MAX = 256 * 1024,              /* one template's text */
	TPL_PARSED_MAX = 4 * 1024 * 1024,       /* all text parsed for one template */
	TPL_OUT_MAX = 16 * 1024 * 1024,         /* literal text of one template; output from a tree */
};

/* Text inside a longer one: no NUL behind it. */
struct piece {
	const char *s;
	size_t n;
};

struct delims {
	char open[9], close[9];
	size_t open_n, close_n;
};

enum node_kind { NODE_TEXT, NODE_NAME, NODE_SECTION, NODE_INVERTED, NODE_PARTIAL, NODE_PARENT, NODE_BLOCK };

struct node {
	enum node_kind kind;
	bool is_raw;                            /* NAME: {{{x}}} or {{&x}} */
	bool is_dynamic;                        /* PARTIAL, PARENT: {{>*x}}: x holds the name */
	bool own_line;                          /* BLOCK: what it holds starts on a line of its own */
	int line, inner_line;
	const char *file;
	struct piece name;                      /* TEXT: the text */
	struct piece inner;                     /* SECTION, BLOCK: the source between its tags … */
	const struct delims *delims;            /* … and the delimiters to read it with */
	struct piece indent; /* PARTIAL, PARENT, BLOCK: put before each line of what comes in its place */
	struct node *margin;                    /* PARENT, while parsing: the white space before it on its line */
	struct node *child, *next;
};

/* One template being compiled, or rendered from a tree. */
struct job {
	struct arena *m;
	const struct tpl_env *env;
	const char *error;                      /* the first one; NULL: none */
	size_t parsed;                          /* bytes */
	struct loaded *loaded;                  /* partials parsed so far */
};

void job_fail(struct job *job, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

extern const struct delims tpl_mustaches;      /* {{ }} */

/* NULL for an empty text and after an error (job->error). The text must live as long as the nodes. */
struct node *tpl_parse(struct job *job, const char *file, int line, struct piece text, const struct delims *delims);

/* --- walking nodes ------------------------------------------------------------------------------------------------ */

struct walk {
	struct job *job;
	void (*text)(struct walk *w, struct piece text);
	void (*name)(struct walk *w, const struct node *n);
	/* SECTION or INVERTED; walks n->child as often as it likes */
	void (*section)(struct walk *w, const struct node *n);
	void (*answer)(struct walk *w, const struct node *n, const struct node *answer);        /* of a lambda */
	const char *(*dynamic)(struct walk *w, const struct node *n);   /* a partial's name; NULL: none */
	bool is_strict;                         /* a missing partial, or one inside itself, is an error */
	long steps_left;
	int depth;
	struct overrides *overrides;
	struct inside { const char *name; struct inside *outer; } *inside;
};

void walk_nodes(struct walk *w, const struct node *n);

const struct tpl_lambda *lambda_find(const struct tpl_env *env, struct piece name);
const char *tpl_read(struct arena *m, const char *path);        /* a file's text; NULL: cannot be read */
bool tpl_is_name(struct piece name);                            /* may stand in a path below the templates */

static inline bool
piece_is(struct piece p, const char *s, size_t n)
{
	return p.n == n && (n == 0 || __builtin_memcmp(p.s, s, n) == 0);
}

/* --- operations (tpl_bind.c makes them, tpl_run.c carries them out) ----------------------------------------------- */

enum op_code {
	OP_END, OP_LITERAL,
	OP_TEXT, OP_RAW_TEXT, OP_INT, OP_AMOUNT, OP_TIME, OP_DATE, OP_CLOCK, OP_ISO, OP_INPUT, OP_WORD,
	/* jump unless as wanted */
	OP_IF_TEXT, OP_IF_INT, OP_IF_ONE, OP_IF_BOOL, OP_IF_STATE, OP_IF_POINTER, OP_IF_COUNT,
	OP_ENTER,                               /* frame `to` is what the pointer points to; jump when NULL */
	OP_EACH, OP_NEXT,                       /* frame `to` is each element; jump when there is none (more) */
};

/* Frames are the structs accessible at run time: 0 the chrome, 1 the page's data, above them list elements and
 * MAYBEs. */
struct op {
	uint8_t code, frame, to;
	bool wanted;
	uint32_t offset;                        /* the member, from its frame's start */
	uint32_t n_offset; /* EACH: offset of the count; IF_STATE, WORD: the enum's value, how many words; */
	                                        /* TEXT, RAW_TEXT, IF_TEXT: offset of the text in the template's
	                                         * language; 0: none */
	uint32_t n;                             /* LITERAL: bytes; EACH, NEXT: an element's size */
	union {
		const char *s;                  /* LITERAL */
		const struct piece *words;      /* WORD: escaped already */
		size_t jump;                    /* index of an operation */
		size_t literal_at;              /* LITERAL while compiling */
	};
};

enum { TPL_HOPS_MAX = 8, TPL_FRAMES = TPL_NEST_MAX + 2 * TPL_HOPS_MAX + 4 };

/* --- names of structs' members (tpl_name.c) ----------------------------------------------------------------------- */

/* The structs whose members can be named, outermost first, and their frames. */
struct reach {
	struct job *job;
	struct scope { const struct shape *shape; int frame; size_t offset; } scope[TPL_NEST_MAX + 3];
	int n;
	int n_frames;                           /* in use; restored by the caller that took some */
};

/* Where a name leads: through pointers that may be NULL (hops), to a member, perhaps to one way of showing it. */
struct binding {
	struct { int frame, to; size_t offset; } hop[TPL_HOPS_MAX];
	int n_hops;
	int frame;
	size_t offset;
	const struct member *member;
	struct piece way;                       /* "raw", "iso", "PAID" …; empty: none */
};

void node_refuse(struct job *job, const struct node *n, const char *why);       /* FILE:LINE: {{name}} why */
int reach_frame(struct reach *r, const struct node *n);                         /* a new frame */
bool binding_find(struct reach *r, const struct node *n, struct binding *p);        /* takes a frame for each hop */
/* The operation that prints it; OP_END: it cannot be printed, and *why says so. */
enum op_code binding_print(const struct binding *p, bool is_raw, const char **why);
/* The operation a section asks it with; OP_END in it: always true. */
bool binding_test(struct reach *r, const struct node *n, const struct binding *p, struct op *op);

/* --- a finished template ------------------------------------------------------------------------------------------ */

struct tpl {
	const struct op *op;
	size_t n_ops;
	size_t literal_n;
	int lang;
	const char *file;
};

/* The position in the HTML at the end of the text so far: is a name allowed here? */
struct html {
	int state;
	char quote;
	size_t word_n;
	char word[16];                          /* the tag's or attribute's name, lower case, cut off */
	char tag[16];
	size_t end_n;
};

void html_text(struct html *h, struct piece text);
const char *html_refuses(const struct html *h);         /* NULL: a name is allowed here; else why not */
bool html_same(const struct html *a, const struct html *b);

#endif
