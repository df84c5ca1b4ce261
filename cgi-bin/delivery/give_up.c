/*
 * give_up - the dispatcher cancels a job. Until rental.undo_window_s has passed it can be undone, and what follows from
 * it waits: delivery.cancelled, the refund of the fee, the message to the customer. Meanwhile the job can be neither
 * assigned nor begun; its booking may still end it (job.c), after which there is nothing left to undo. The overview is
 * in delivery.h.
 */
#include "delivery.h"

#include "domain/rental.h"
#include "domain/undo.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <string.h>

#define AT_ONCE 20

static bool
cancel_later(struct db *db, const struct delivery *d, const char *reason, int64_t actor_id)
{
	return db_do(db,
		       "UPDATE delivery SET cancel_at = $2, cancel_by = $3, cancel_reason = $4 WHERE delivery_id = $1"
		       " AND state IN ('REQUESTED', 'SCHEDULED') AND asked_step = '' AND cancel_at = 0",
		       d->delivery_id, clock_now() + rental.undo_window_s, actor_id, reason)
		== 1;
}

/* Given up before, by whomever: nothing is written. */
static enum delivery_outcome
give_up(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by)
{
	bool done = d->cancel_at || (d->state == JOB_CANCELLED && strcmp(d->ended_by, "dispatcher") == 0);

	if (!done && rental.undo_window_s)
		done = cancel_later(db, d, reason, by->user_id);
	else if (!done)
		done = job_end(db, d->delivery_id, "dispatcher", reason, 0, by->user_id);
	delivery_find(db, d->delivery_id, by, d);
	return done ? DELIVERY_OK : DELIVERY_WRONG_STATE;
}

enum delivery_outcome
delivery_cancel(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (by->is_manager && delivery_find(db, d->delivery_id, by, d))
		outcome = give_up(db, d, reason, by);
	db_commit(db);
	return outcome;
}

static enum delivery_outcome
go_on(struct db *db, struct delivery *d, const struct delivery_actor *by)
{
	if (d->state == JOB_CANCELLED || (d->cancel_at && d->cancel_at <= clock_now()))
		return DELIVERY_TOO_LATE;
	db_do(db,
		"UPDATE delivery SET cancel_at = 0, cancel_by = 0, cancel_reason = '' WHERE delivery_id = $1"
		" AND cancel_at > 0",
		d->delivery_id);
	delivery_find(db, d->delivery_id, by, d);
	return DELIVERY_OK;
}

enum delivery_outcome
delivery_undo_cancel(struct db *db, struct delivery *d, const struct delivery_actor *by)
{
	enum delivery_outcome outcome = DELIVERY_GONE;

	db_begin(db);
	if (by->is_manager && delivery_find(db, d->delivery_id, by, d))
		outcome = go_on(db, d, by);
	db_commit(db);
	return outcome;
}

/* --- due ---------------------------------------------------------------------------------------------------------- */

static void
cancel_due(struct db *db, int64_t delivery_id, int64_t now)
{
	struct delivery d;

	db_begin(db);
	if (delivery_read(db, delivery_id, &d) && undo_is_due(d.cancel_at, now)) {
		log_task("sweep", d.code);
		job_end(db, delivery_id, "dispatcher", d.cancel_reason, 0, d.cancel_by);
	}
	db_commit(db);
}

bool
delivery_give_up_due(struct db *db)
{
	int64_t now = clock_now(), ids[AT_ONCE];
	int n = 0;

	for (struct rows *r = db_each(db,
		     "SELECT delivery_id FROM delivery /*scan*/ WHERE cancel_at > 0 AND (cancel_at <= $1"
		     " OR cancel_at > $2) ORDER BY cancel_at LIMIT $3",
		     now, undo_furthest(now), AT_ONCE);
		db_next(r);)
		ids[n++] = row_int(r, 0);
	for (int i = 0; i < n && !db_failed(db); i++)
		cancel_due(db, ids[i], now);
	return n == AT_ONCE;
}
