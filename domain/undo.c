/* undo - described in undo.h. */
#include "undo.h"
#include "rental.h"

#include "lib/base/shape.h"

#define SLACK_S 60

int64_t
undo_minutes(void)
{
	return (rental.undo_window_s + 59) / 60;
}

int64_t
undo_furthest(int64_t now)
{
	return now + UNDO_WINDOW_MAX_S + SLACK_S;
}

bool
undo_is_due(int64_t until, int64_t now)
{
	return until > 0 && (until <= now || until > undo_furthest(now));
}

struct undoable { int64_t undo_until; };
static const struct member undoable_members[] = { SHAPE_TIME(undoable, undo_until) };
static const struct shape undoable_shape = SHAPE(undoable, undoable_members);

bool
undo_was_final(struct db *db, const struct event *e)
{
	struct undoable u = { 0 };

	return event_read(db_memory(db), e, &undoable_shape, &u) && u.undo_until == 0;
}
