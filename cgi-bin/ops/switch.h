/*
 * switch - what a person may do to the relay: pause and resume a consumer, retry a failed event, or discard it.
 *
 * Each is reported as an event about "ops:relay" (docs/events.md), in the transaction of the change. Only mypage's
 * waiting events are in a file of their own, view.db: there the change is committed first and reported right after, so
 * a crash between the two loses the report, never the change. Takes effect within a second, and survives restarts.
 */
#ifndef MP_OPS_SWITCH_H
#define MP_OPS_SWITCH_H

#include "lib/db/db.h"

#define SWITCH_REASON_MAX 200   /* characters */

enum switch_outcome {
	SWITCH_DONE,
	SWITCH_ALREADY,         /* nothing to do: it is paused already, not paused, or the event does not wait */
	SWITCH_UNKNOWN,         /* there is no such consumer */
	SWITCH_NO_REASON,       /* empty, or too long */
	SWITCH_LATER,           /* its database file is missing; the relay rebuilds it */
};

/* From now on it handles no event and does no sweep; the others continue. actor_id 0: the motorpool command. */
enum switch_outcome relay_pause(struct db *db, const char *consumer, int64_t actor_id, const char *reason);
enum switch_outcome relay_resume(struct db *db, const char *consumer, int64_t actor_id);

/* The event is retried at once, with its full number of tries. */
enum switch_outcome consumer_redrive(struct db *db, const char *consumer, int64_t event_id, int64_t actor_id);
/* The consumer continues as if it had handled the event; later events of the subject are no longer blocked. */
enum switch_outcome consumer_discard(struct db *db, const char *consumer, int64_t event_id, int64_t actor_id,
	const char *reason);

#endif
