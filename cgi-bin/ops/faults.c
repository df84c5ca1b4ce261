/* faults - what is broken on purpose at the sandbox, which owns the switches: asked and set over its internal socket. */
#include "ops.h"

#include "domain/rental.h"
#include "lib/call/call.h"

#include <jansson.h>

#define ASK_MS 1000

static const struct member fault_members[] = { SHAPE_TEXT(ops_fault, name), SHAPE_INT(ops_fault, value) };
const struct shape ops_fault_shape = SHAPE(ops_fault, fault_members);

static bool
take(struct arena *m, const char *answer, struct ops_fault **faults, int *n)
{
	json_t *all = json_loads(answer, 0, NULL), *value;
	const char *name;

	*n = 0;
	*faults = arena_array(m, struct ops_fault, json_object_size(all) + 1);
	json_object_foreach(all, name, value)
		if (json_is_integer(value))
			(*faults)[(*n)++] = (struct ops_fault){ arena_strdup(m, name), json_integer_value(value) };
	json_decref(all);
	return *n > 0;
}

bool
ops_faults(struct arena *m, struct ops_fault **faults, int *n)
{
	struct call c = { .program = "sandbox", .path = "/internal/faults", .deadline_ms = ASK_MS };

	*n = 0;
	return rental.sandbox && call_do(m, &c) == CALL_ANSWERED && c.status == 200 && take(m, c.answer, faults, n);
}

struct switched { const char *switches; };
static const struct member switched_members[] = { SHAPE_TEXT(switched, switches) };
static const struct shape switched_shape = SHAPE(switched, switched_members);

bool
ops_set_faults(struct db *db, int64_t actor_id, const struct ops_fault *faults, int n)
{
	struct buf body = { .m = db_memory(db) }, words = { .m = db_memory(db) };
	struct call c = { .program = "sandbox", .path = "/internal/faults", .deadline_ms = ASK_MS };
	struct event e = { .type = "ops.faults_set", .subject_id = "ops:sandbox", .actor_id = actor_id };
	struct switched payload;

	for (int i = 0; i < n; i++) {
		buf_printf(&body, "%s\"%s\":%lld", i ? "," : "{", faults[i].name, (long long)faults[i].value);
		buf_printf(&words, "%s%s=%lld", i ? " " : "", faults[i].name, (long long)faults[i].value);
	}
	if (n == 0)
		return true;
	buf_puts(&body, "}");
	c.body = body.s;
	if (call_do(db_memory(db), &c) != CALL_ANSWERED || c.status != 200)
		return false;
	payload.switches = words.s;
	db_begin(db);
	event_emit(db, &e, &switched_shape, &payload);
	return db_commit(db);
}
