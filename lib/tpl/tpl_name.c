/*
 * tpl_name.c - resolves a name in a template to a member of a struct, how it is printed, and how a section tests it.
 */
#include "tpl_node.h"

#include <string.h>

static int
shown(struct piece name)
{
	return name.n > 80 ? 80 : (int)name.n;
}

void
node_refuse(struct job *job, const struct node *n, const char *why)
{
	job_fail(job, n->file, n->line, "{{%.*s}} %s", shown(n->name), n->name.s, why);
}

int
reach_frame(struct reach *r, const struct node *n)
{
	if (r->n_frames == TPL_FRAMES) {
		node_refuse(r->job, n, "is nested too deeply");
		return 0;
	}
	return r->n_frames++;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static struct piece
next_part(struct piece *rest)
{
	const char *dot = memchr(rest->s, '.', rest->n);
	struct piece part = { rest->s, dot ? (size_t)(dot - rest->s) : rest->n };
	size_t used = part.n + (dot != NULL);

	rest->s += used;
	rest->n -= used;
	return part;
}

static void
unknown(struct reach *r, const struct node *n, struct piece part)
{
	struct buf in = { .m = r->job->m };

	for (int i = r->n - 1; i >= 0; i--)
		buf_printf(&in, "%s%s", i == r->n - 1 ? "" : ", ", r->scope[i].shape->name);
	job_fail(r->job, n->file, n->line, "{{%.*s}}: there is no '%.*s' in %s", shown(n->name), n->name.s, shown(part),
		part.s, in.n ? in.s : "anything");
}

static const struct member *
outwards(struct reach *r, struct piece part, struct binding *p)
{
	for (int i = r->n - 1; i >= 0; i--) {
		const struct scope *s = &r->scope[i];
		const struct member *m = shape_member(s->shape, part.s, part.n);

		if (m) {
			p->frame = s->frame;
			p->offset = s->offset + m->offset;
			return m;
		}
	}
	return NULL;
}

/* From a struct or a pointer to one to a member of it. */
static const struct member *
into(struct reach *r, const struct node *n, struct binding *p, struct piece part)
{
	const struct member *m = shape_member(p->member->of, part.s, part.n);

	if (!m) {
		job_fail(r->job, n->file, n->line, "{{%.*s}}: there is no '%.*s' in %s", shown(n->name), n->name.s,
			shown(part), part.s, p->member->of->name);
		return NULL;
	}
	if (p->member->kind == KIND_MAYBE) {
		if (p->n_hops == TPL_HOPS_MAX) {
			node_refuse(r->job, n, "has too many parts");
			return NULL;
		}
		p->hop[p->n_hops].frame = p->frame;
		p->hop[p->n_hops].offset = p->offset;
		p->frame = p->hop[p->n_hops++].to = reach_frame(r, n);
		p->offset = 0;
	}
	p->offset += m->offset;
	return m;
}

static bool
has_ways(enum kind kind)
{
	return kind == KIND_INT || kind == KIND_AMOUNT || kind == KIND_TIME || kind == KIND_STATE;
}

bool
binding_find(struct reach *r, const struct node *n, struct binding *p)
{
	struct piece rest = n->name, part = next_part(&rest);

	memset(p, 0, sizeof(*p));
	if (n->name.n == 1 && n->name.s[0] == '.') {
		node_refuse(r->job, n, "does not work on structs: name the member");
		return false;
	}
	if (n->name.s[n->name.n - 1] == '.') {
		node_refuse(r->job, n, "ends in a dot");
		return false;
	}
	p->member = outwards(r, part, p);
	if (!p->member)
		unknown(r, n, part);
	while (p->member && rest.n) {
		part = next_part(&rest);
		if (p->member->kind == KIND_STRUCT || p->member->kind == KIND_MAYBE) {
			p->member = into(r, n, p, part);
		} else if (has_ways(p->member->kind) && rest.n == 0) {
			p->way = part;
		} else {
			node_refuse(r->job, n, "goes into something that has no parts");
		}
		if (r->job->error)
			return false;
	}
	return p->member != NULL && !r->job->error;
}

static bool
way_is(const struct binding *p, const char *way)
{
	return piece_is(p->way, way, strlen(way));
}

static enum op_code
time_code(const struct binding *p)
{
	return !p->way.n             ? OP_TIME
		: way_is(p, "date")  ? OP_DATE
		: way_is(p, "time")  ? OP_CLOCK
		: way_is(p, "iso")   ? OP_ISO
		: way_is(p, "input") ? OP_INPUT
				     : OP_END;
}

/* OP_END: it cannot be printed; *why says so. */
enum op_code
binding_print(const struct binding *p, bool is_raw, const char **why)
{
	*why = "knows no such way of being shown";
	switch (p->member->kind) {
	case KIND_TEXT: return is_raw ? OP_RAW_TEXT : OP_TEXT;
	case KIND_INT: return !p->way.n ? OP_INT : OP_END;
	case KIND_AMOUNT: return !p->way.n ? OP_AMOUNT : way_is(p, "raw") ? OP_INT : OP_END;
	case KIND_TIME: return time_code(p);
	case KIND_STATE: return !p->way.n || way_is(p, "code") ? OP_WORD : OP_END;
	case KIND_BOOL: *why = "is true or false: it makes a section, not a text"; return OP_END;
	case KIND_STRUCT:
	case KIND_MAYBE: *why = "is a struct: name one of its members"; return OP_END;
	case KIND_LIST: *why = "is a list: it makes a section, not a text"; return OP_END;
	case KIND_RAW: *why = "is raw JSON and never part of a page"; return OP_END;
	}
	return OP_END;
}

static bool
state_of(struct reach *r, const struct node *n, const struct binding *p, struct op *op)
{
	char *code = arena_strndup(r->job->m, p->way.s ? p->way.s : "", p->way.n);
	int i = words_find(p->member->words, code);

	if (!p->way.n)
		node_refuse(r->job, n, "is one of several states: say which, as in {{#state.PAID}}");
	else if (i < 0)
		node_refuse(r->job, n, "names a state that does not exist");
	op->n_offset = (uint32_t)i;
	return i >= 0;
}

/* The test that a section makes on its member. */
bool
binding_test(struct reach *r, const struct node *n, const struct binding *p, struct op *op)
{
	*op = (struct op){
		.frame = (uint8_t)p->frame, .offset = (uint32_t)p->offset, .wanted = n->kind == NODE_SECTION
	};
	if (p->member->kind == KIND_INT && way_is(p, "one")) {
		op->code = OP_IF_ONE;
		return true;
	}
	if (p->way.n && p->member->kind != KIND_STATE) {
		node_refuse(r->job, n, "is a way of showing, not a question");
		return false;
	}
	switch (p->member->kind) {
	case KIND_TEXT: op->code = OP_IF_TEXT; return true;
	case KIND_INT:
	case KIND_AMOUNT:
	case KIND_TIME: op->code = OP_IF_INT; return true;
	case KIND_BOOL: op->code = OP_IF_BOOL; return true;
	case KIND_STATE: op->code = OP_IF_STATE; return state_of(r, n, p, op);
	case KIND_MAYBE: op->code = OP_IF_POINTER; return true;
	case KIND_LIST:
		op->code = OP_IF_COUNT;
		op->offset = (uint32_t)(p->offset - p->member->offset + p->member->n_offset);
		return true;
	case KIND_STRUCT:
		op->code = OP_END; /* always there */
		return true;
	case KIND_RAW: break;
	}
	node_refuse(r->job, n, "is raw JSON and never part of a page");
	return false;
}
