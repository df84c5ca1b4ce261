/*
 * undo - a no-show or a return is taken back, or becomes final when its time has passed (booking.undo_until). Both are
 * decided in one write transaction, so one of them happens.
 */
#include "booking.h"
#include "booking_steps.h"
#include "custody.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define WINDOWS_AT_ONCE 200     /* none of them waits for another program */

/* --- taken back --------------------------------------------------------------------------------------------------- */

/* The courier's record of it cannot be taken back here. */
static bool
was_collected(struct db *db, const struct booking *b)
{
	return db_exists(db,
		"SELECT 1 FROM v_delivery WHERE booking_code = $1 AND direction = 'collection'"
		" AND (state = 'DELIVERED' OR asked_step = 'collect')",
		b->code);
}

/* Since it was returned: retired, or to be repaired. */
static bool
was_taken_out_of_service(struct db *db, const struct booking *b)
{
	return db_exists(db,
		"SELECT 1 FROM v_booked_car WHERE booking_id = $1 AND service <> 'IN_SERVICE' AND service_at >= $2",
		b->booking_id, b->ended_at);
}

enum undo_outcome
booking_may_undo(struct db *db, const struct booking *b, struct custody *since)
{
	*since = (struct custody){ .plate = "", .booking_code = "", .user_name = "" };
	if ((b->state != BOOKING_NO_SHOW && b->state != BOOKING_RETURNED) || !b->ended_at)
		return UNDO_NOTHING;
	if (clock_now() >= b->undo_until)
		return UNDO_OVER;
	if (custody_since(db, b, since))
		return UNDO_CAR_MOVED;
	if (b->state == BOOKING_RETURNED && (was_collected(db, b) || !custody_may_resume(db, b)))
		return UNDO_CAR_MOVED;
	if (b->state == BOOKING_RETURNED && was_taken_out_of_service(db, b))
		return UNDO_CAR_GONE;
	return UNDO_DONE;
}

static void
undo_no_show(struct db *db, struct booking *b, int64_t actor_id)
{
	db_do(db,
		"UPDATE booking SET state = 'CONFIRMED', end_reason = '', ended_at = 0, undo_until = 0"
		" WHERE booking_id = $1 AND state = 'NO_SHOW' AND undo_until > 0",
		b->booking_id);
	booking_reload(db, b);
	booking_report(db, EVENT_BOOKING_NO_SHOW_UNDONE, b, 0, actor_id);
}

/* The custodies first: the schema accepts OUT only with them. */
static void
undo_return(struct db *db, struct booking *b, int64_t actor_id)
{
	custody_resume(db, b);
	db_do(db,
		"UPDATE booking SET state = 'OUT', ended_at = 0, undo_until = 0"
		" WHERE booking_id = $1 AND state = 'RETURNED' AND undo_until > 0",
		b->booking_id);
	booking_reload(db, b);
	booking_report(db, EVENT_BOOKING_RETURN_UNDONE, b, 0, actor_id);
}

enum undo_outcome
booking_undo(struct db *db, struct booking *b, enum booking_state act, int64_t actor_id, struct custody *since)
{
	enum undo_outcome outcome = UNDO_NOTHING;

	db_begin(db);
	if (booking_reload(db, b) && b->state == (int)act)
		outcome = booking_may_undo(db, b, since);
	if (outcome == UNDO_DONE && act == BOOKING_NO_SHOW)
		undo_no_show(db, b, actor_id);
	else if (outcome == UNDO_DONE)
		undo_return(db, b, actor_id);
	return db_commit(db) ? outcome : UNDO_NOTHING;
}

/* --- final -------------------------------------------------------------------------------------------------------- */

/* A clock that was set back must not delay it: what happened later than now is due. */
static bool
is_due(const struct booking *b, int64_t now)
{
	return b->undo_until > 0 && (b->undo_until <= now || b->ended_at > now + CLOCK_SLACK_S);
}

static bool
end_window(struct db *db, const char *code, int64_t now)
{
	struct booking b;
	bool done = false;

	db_begin(db);
	if (booking_find(db, code, 0, &b) && is_due(&b, now))
		done = b.state == BOOKING_NO_SHOW ? booking_no_show_end(db, &b) : booking_complete(db, &b);
	return db_commit(db) && done;
}

int
booking_end_windows(struct db *db, int64_t now)
{
	struct booking *due = NULL;
	int n = 0, n_done = 0;

	db_list(db, &booking_shape, &due, &n,
		"SELECT code FROM booking WHERE undo_until > 0 AND (undo_until <= $1 OR ended_at > $2)"
		" ORDER BY undo_until LIMIT $3",
		now, now + CLOCK_SLACK_S, WINDOWS_AT_ONCE);
	for (int i = 0; i < n && !db_failed(db); i++) {
		log_task("sweep", due[i].code);
		n_done += end_window(db, due[i].code, now);
	}
	return n_done;
}

int64_t
booking_next_window(struct db *db)
{
	return db_int(db, "SELECT COALESCE(MIN(undo_until), 0) FROM booking WHERE undo_until > 0");
}
