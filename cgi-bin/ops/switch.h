/*
 * switch - what a person may do to the relay: stop a consumer and let it go on, have a failed event tried again, or let it go.
 *
 * Each is recorded as an event about "ops:relay" (docs/events.md), in the transaction of what it does; only mypage's waiting events
 * are in a file of their own, view.db: there it is done first and recorded right after, so a crash between the two loses the
 * record and never pretends. Takes effect within a second, at once when the commit's knock arrives; survives restarts.
 */
#ifndef MP_OPS_SWITCH_H
#define MP_OPS_SWITCH_H

#include "lib/db/db.h"

#define SWITCH_REASON_MAX 200   /* characters */

enum switched {
	SWITCH_DONE,
	SWITCH_ALREADY,         /* nothing to do: it is paused, it is not paused, the event does not wait (any more) */
	SWITCH_UNKNOWN,         /* there is no such consumer */
	SWITCH_NO_REASON,       /* empty, or too long */
	SWITCH_LATER,           /* its database file is missing: the relay makes it anew */
};

/* No event, no sweep from now on, whoever works for it; the others run on. actor_id 0: the motorpool command. */
enum switched relay_pause(struct db *db, const char *consumer, int64_t actor_id, const char *reason);
enum switched relay_resume(struct db *db, const char *consumer, int64_t actor_id);

/* "Try again": the event gets all its tries anew, at once. */
enum switched consumer_redrive(struct db *db, const char *consumer, int64_t event_id, int64_t actor_id);
/* "It will never be": the consumer goes on as if it had reacted; later events of the subject are no longer held back. */
enum switched consumer_discard(struct db *db, const char *consumer, int64_t event_id, int64_t actor_id, const char *reason);

#endif
