/*
 * remind.c - what time brings: the car is to be fetched tomorrow, brought back in an hour, or should be back already; and a refund
 * that takes longer than its usual moment is told while it does.
 *
 * A reminder belongs to the event that began what it reminds of (booking.confirmed, booking.handed_out, booking.cancel_requested),
 * so each is told once. It is not told when what it says was said by the booking itself an hour before, or later.
 *
 * Every second only what has fallen due since the last look is asked for; the first look of a process, which is every minute's, asks
 * for all that has no reminder yet.
 */
#include "message.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <string.h>

#define REMIND_MAX   500
#define TOO_SOON_S   HOUR       /* a reminder within an hour of the booking would only repeat it */
#define LATE_AFTER_S 600        /* so long a car may be late before anybody is told */
#define LATE_FOR_S   (3 * DAY)  /* … and so long it makes sense to */
#define PENDING_S    60         /* so long a refund may take before it is worth a message */

struct remind { const char *code; int64_t due_at; };
static const struct member remind_members[] = { SHAPE_TEXT(remind, code), SHAPE_TIME(remind, due_at) };
static const struct shape remind_shape = SHAPE(remind, remind_members);

/* Up to where each kind has been looked at, by the time its bookings go by. */
enum { PICKUP, RETURN, OVERDUE, CANCELLING, N_REMINDERS };
static int64_t looked_upto[N_REMINDERS];

/* Still so, inside the transaction: then it is told, with the event it belongs to. */
static void
tell(struct db *db, const char *code, const char *state, const char *event, const char *kind)
{
	struct event e = { .type = event };
	int64_t customer_id;

	log_task("remind", code);
	db_begin(db);
	customer_id = db_int(db, "SELECT customer_id FROM v_booking WHERE code = $1 AND state = $2", code, state);
	if (customer_id && db_one(db, &event_shape, &e,
	                          "SELECT event_id, subject_id, payload FROM v_event WHERE subject_id = $1 AND type = $2 ORDER BY event_id DESC LIMIT 1",
	                          code, event))
		message_tell_one(db, &e, message_kind_find(kind), customer_id);
	db_commit(db);
}

/* Answers whether more may be due at once. */
static bool
tell_all(struct db *db, int which, const struct remind *list, int n, int64_t upto, const char *state, const char *event, const char *kind)
{
	for (int i = 0; i < n && !db_failed(db); i++)
		tell(db, list[i].code, state, event, kind);
	if (!db_failed(db))
		looked_upto[which] = n < REMIND_MAX ? upto : list[n - 1].due_at;   /* of those at that very moment some may be left */
	return n == REMIND_MAX && list[0].due_at < list[n - 1].due_at;
}

static bool
remind_pickup(struct db *db, int64_t now)
{
	int64_t upto = now + rental.remind_pickup_s, from = looked_upto[PICKUP] > now ? looked_upto[PICKUP] : now;
	struct remind *list;
	int n = 0;

	if (!rental.remind_pickup_s)
		return false;
	db_list(db, &remind_shape, &list, &n,
		"SELECT b.code, b.starts_at AS due_at FROM v_booking b WHERE b.state = 'CONFIRMED' AND b.starts_at >= $1 AND b.starts_at <= $2"
		" AND b.held_at < b.starts_at - $3 AND NOT EXISTS"
		" (SELECT 1 FROM message m WHERE m.subject_id = b.code AND m.kind = 'remind_pickup') ORDER BY b.starts_at LIMIT $4",
		from, upto, rental.remind_pickup_s + TOO_SOON_S, REMIND_MAX);
	return tell_all(db, PICKUP, list, n, upto, "CONFIRMED", "booking.confirmed", "remind_pickup");
}

static bool
remind_return(struct db *db, int64_t now)
{
	int64_t upto = now + rental.remind_return_s, from = looked_upto[RETURN] > now ? looked_upto[RETURN] : now;
	struct remind *list;
	int n = 0;

	if (!rental.remind_return_s)
		return false;
	db_list(db, &remind_shape, &list, &n,
		"SELECT b.code, b.ends_at AS due_at FROM v_booking b WHERE b.state = 'OUT' AND b.ends_at >= $1 AND b.ends_at <= $2"
		" AND b.starts_at < b.ends_at - $3 AND NOT EXISTS"
		" (SELECT 1 FROM message m WHERE m.subject_id = b.code AND m.kind = 'remind_return') ORDER BY b.ends_at LIMIT $4",
		from, upto, rental.remind_return_s + TOO_SOON_S, REMIND_MAX);
	return tell_all(db, RETURN, list, n, upto, "OUT", "booking.handed_out", "remind_return");
}

/* Where a courier fetches the car, it is he who is late. */
static bool
remind_overdue(struct db *db, int64_t now)
{
	int64_t upto = now - LATE_AFTER_S, from = looked_upto[OVERDUE] > now - LATE_FOR_S ? looked_upto[OVERDUE] : now - LATE_FOR_S;
	struct remind *list;
	int n = 0;

	db_list(db, &remind_shape, &list, &n,
		"SELECT b.code, b.ends_at AS due_at FROM v_booking b WHERE b.state = 'OUT' AND b.ends_at >= $1 AND b.ends_at <= $2 AND NOT EXISTS"
		" (SELECT 1 FROM message m WHERE m.subject_id = b.code AND m.kind = 'remind_overdue') AND NOT EXISTS"
		" (SELECT 1 FROM v_booking_extra x WHERE x.code = b.code AND x.kind = 'collection' AND x.state = 'BOOKED') ORDER BY b.ends_at LIMIT $3",
		from, upto, REMIND_MAX);
	return tell_all(db, OVERDUE, list, n, upto, "OUT", "booking.handed_out", "remind_overdue");
}

/* The rest of what is under way is short: all of it is looked at. */
static bool
tell_cancelling(struct db *db, int64_t now)
{
	struct remind *list;
	int n = 0;

	db_list(db, &remind_shape, &list, &n,
		"SELECT s.subject_id AS code, s.since AS due_at FROM v_stuck_booking s /*scan*/ WHERE s.kind = 'cancel' AND s.since <= $1 AND NOT EXISTS"
		" (SELECT 1 FROM message m WHERE m.subject_id = s.subject_id AND m.kind = 'booking_cancelling') ORDER BY s.since /*sort*/ LIMIT $2",
		now - PENDING_S, REMIND_MAX);
	return tell_all(db, CANCELLING, list, n, now, "CANCEL_REQUESTED", "booking.cancel_requested", "booking_cancelling");
}

bool
remind_sweep(struct db *db)
{
	int64_t now = clock_now();
	bool some = remind_pickup(db, now);

	for (int i = 0; i < N_REMINDERS; i++)
		if (looked_upto[i] > now + rental.remind_pickup_s + rental.remind_return_s)
			looked_upto[i] = 0;     /* the clock was set back */
	some = remind_return(db, now) || some;
	some = remind_overdue(db, now) || some;
	return tell_cancelling(db, now) || some;
}
