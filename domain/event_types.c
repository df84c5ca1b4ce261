/* event_types.c - the table of all events; event_types.h says what it is for. */
#include "event_types.h"

#include <string.h>

#define X(name, type, emitter) [EVENT_##name] = { type, emitter },
const struct event_type event_types[N_EVENT_TYPES] = { EVENT_TYPES(X) };
#undef X

/* The command and tests own everything and may report for any context. */
static bool
may_report(struct db *db, const struct event_type *t)
{
	const struct db_role *role = db_role_of(db);

	return strcmp(role->owns, "*") == 0 || strcmp(role->name, t->emitter) == 0;
}

int64_t
event_report(struct db *db, enum event_type_id type, const struct event *e, const struct shape *shape, const void *data)
{
	const struct event_type *t = &event_types[type];
	struct event reported = *e;

	reported.type = t->type;
	if (may_report(db, t))
		return event_emit(db, &reported, shape, data);
	db_fail(db, "%s reports %s, which is %s's", db_role_of(db)->name, t->type, t->emitter);
	return 0;
}
