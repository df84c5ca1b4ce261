/* desk - what a manager does at the counter: hand the car out, take it back, or note that nobody came. */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"

#include "../../lib/clock.h"
#include "../../lib/settings.h"

static bool
step(struct db *db, struct booking *b, const char *from, int to, const char *event, int64_t actor_id)
{
	int n = db_do(db, "UPDATE booking SET state = $3 WHERE booking_id = $1 AND state = $2",
		b->booking_id, from, words_code(&booking_state_words, to));

	if (n == 1) {
		b->state = to;
		booking_emit(db, b, event, 0, actor_id);
	}
	return n == 1;
}

/* From the turnaround before the start until the end: earlier or later the car may be another customer's. */
bool
booking_hand_out(struct db *db, struct booking *b, int64_t actor_id)
{
	int64_t now = clock_now();
	bool done;

	if (now < b->starts_at - settings.turnaround_s || now >= b->ends_at)
		return false;
	db_begin(db);
	done = step(db, b, "CONFIRMED", OUT, "booking.handed_out", actor_id);
	return db_commit(db) && done;
}

bool
booking_take_back(struct db *db, struct booking *b, int64_t actor_id)
{
	int64_t now = clock_now();
	bool done;

	db_begin(db);
	done = step(db, b, "OUT", RETURNED, "booking.returned", actor_id);
	if (done) {
		calendar_end(db, b->booking_id, now);
		db_do(db, "UPDATE booking SET ended_at = $2 WHERE booking_id = $1", b->booking_id, now);
		step(db, b, "RETURNED", COMPLETED, "booking.completed", actor_id);
	}
	return db_commit(db) && done;
}

bool
booking_no_show(struct db *db, struct booking *b, int64_t actor_id)
{
	bool done;

	if (clock_now() < b->starts_at)
		return false;
	db_begin(db);
	done = step(db, b, "CONFIRMED", NO_SHOW, "booking.no_show", actor_id);
	if (done) {
		db_do(db, "UPDATE booking SET ended_at = $2, end_reason = 'no_show' WHERE booking_id = $1", b->booking_id, clock_now());
		calendar_release(db, b->booking_id);
	}
	return db_commit(db) && done;
}
