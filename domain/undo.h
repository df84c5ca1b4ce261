/*
 * undo - acts that staff can take back for rental.undo_window_s, as others see them in the event log. Their event has
 * undo_until, and another event follows when they are final (booking.no_show_final, booking.completed) or undone: what
 * cannot be taken back is done on the final one.
 */
#ifndef MP_UNDO_H
#define MP_UNDO_H

#include "lib/event/event.h"

/* An event from before acts could be undone: it was final, and no other one follows. */
bool undo_was_final(struct db *db, const struct event *e);

#endif
