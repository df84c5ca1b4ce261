/* undo - described in undo.h. */
#include "undo.h"

#include "lib/base/shape.h"

struct undoable { int64_t undo_until; };
static const struct member undoable_members[] = { SHAPE_TIME(undoable, undo_until) };
static const struct shape undoable_shape = SHAPE(undoable, undoable_members);

bool
undo_was_final(struct db *db, const struct event *e)
{
	struct undoable u = { 0 };

	return event_read(db_memory(db), e, &undoable_shape, &u) && u.undo_until == 0;
}
