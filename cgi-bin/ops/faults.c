/* faults - the faults of the sandbox, read and set over its internal socket. */
#include "ops.h"

#include "domain/rental.h"
#include "lib/call/call.h"

#include <jansson.h>

#define DEADLINE_MS 1000

static const struct member fault_members[] = { SHAPE_TEXT(ops_fault, name), SHAPE_INT(ops_fault, value) };
const struct shape ops_fault_shape = SHAPE(ops_fault, fault_members);

static bool
read_faults(struct arena *m, const char *answer, struct ops_fault **faults, int *n)
{
	json_t *all = json_loads(answer, 0, NULL), *value;
	const char *name;

	*n = 0;
	*faults = arena_array(m, struct ops_fault, json_object_size(all) + 1);
	json_object_foreach(all, name, value) if (json_is_integer(value))(*faults)[(*n)++] =
		(struct ops_fault){ arena_strdup(m, name), json_integer_value(value) };
	json_decref(all);
	return *n > 0;
}

bool
ops_faults(struct arena *m, struct ops_fault **faults, int *n)
{
	struct call c = { .program = "sandbox", .path = "/internal/faults", .deadline_ms = DEADLINE_MS };

	*n = 0;
	return rental.sandbox && call_do(m, &c) == CALL_ANSWERED && c.status == 200
		&& read_faults(m, c.answer, faults, n);
}

bool
ops_set_faults(struct db *db, int64_t actor_id, const struct ops_fault *faults, int n)
{
	struct buf body = { .m = db_memory(db) }, words = { .m = db_memory(db) };
	struct call c = { .program = "sandbox", .path = "/internal/faults", .deadline_ms = DEADLINE_MS };

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
	db_begin(db);
	ops_report_faults(db, actor_id, words.s);
	return db_commit(db);
}
