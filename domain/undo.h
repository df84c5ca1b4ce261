/*
 * undo - acts that staff can take back for rental.undo_window_s, as others see them in the event log. Their event has
 * undo_until, and another event follows when they are final (booking.no_show_final, booking.completed) or undone: what
 * cannot be taken back is done on the final one.
 */
#ifndef MP_UNDO_H
#define MP_UNDO_H

#include "lib/event/event.h"

int64_t undo_minutes(void);             /* rental.undo_window_s, rounded up, for people */
/* Whether an act that becomes final at `until` is due. A time further ahead than the setting allows was written before
 * the clock was set back, and is due as well: SQL asks for UNTIL <= now OR UNTIL > undo_furthest(now). */
bool    undo_is_due(int64_t until, int64_t now);
int64_t undo_furthest(int64_t now);

/* An event from before acts could be undone: it was final, and no other one follows. */
bool undo_was_final(struct db *db, const struct event *e);

#endif
