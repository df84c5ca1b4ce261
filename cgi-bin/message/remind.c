/*
 * remind - messages that depend on time: pick-up tomorrow, return in an hour, overdue; and a refund that takes longer
 * than usual.
 *
 * A reminder belongs to the event that began what it is about (booking.confirmed, booking.handed_out,
 * booking.cancel_requested), so each is sent once. There is none within an hour of the booking, whose confirmation has
 * the same content.
 *
 * Each second the sweep reads only what has become due since the last one; the first sweep of a process, one a minute,
 * reads all that has no reminder yet.
 */
#include "message.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <string.h>

#define REMIND_MAX   500
#define TOO_SOON_S   HOUR       /* a reminder within an hour of the booking would only repeat it */
#define LATE_AFTER_S 600        /* a car is called overdue from this long after its end … */
#define LATE_FOR_S   (3 * DAY)  /* … until this long after it */
#define PENDING_S    60         /* a refund that takes longer has a message */

struct remind { const char *code; int64_t due_at; };
static const struct member remind_members[] = { SHAPE_TEXT(remind, code), SHAPE_TIME(remind, due_at) };
static const struct shape remind_shape = SHAPE(remind, remind_members);

/* Up to which time (of start, end …) the bookings of each kind have been read. */
enum { REMIND_PICKUP, REMIND_RETURN, REMIND_OVERDUE, REMIND_CANCELLING, N_REMINDERS };
static int64_t read_upto[N_REMINDERS];

/* Checks the state again inside the transaction. */
static void
remind_one(struct db *db, const char *code, const char *state, const char *event, const char *kind)
{
	struct event e = { .type = event };
	int64_t customer_id;

	log_task("remind", code);
	db_begin(db);
	customer_id = db_int(db, "SELECT customer_id FROM v_booking WHERE code = $1 AND state = $2", code, state);
	if (customer_id
		&& db_one(db, &event_shape, &e,
			"SELECT event_id, subject_id, payload FROM v_event WHERE subject_id = $1 AND type = $2"
			" ORDER BY event_id DESC LIMIT 1",
			code, event))
		message_notify_one(db, &e, message_kind_find(kind), customer_id);
	db_commit(db);
}

/* Answers whether more may be due at once. */
static bool
remind_all(struct db *db, int which, const struct remind *list, int n, int64_t upto, const char *state,
	const char *event, const char *kind)
{
	for (int i = 0; i < n && !db_failed(db); i++)
		remind_one(db, list[i].code, state, event, kind);
	if (!db_failed(db))
		read_upto[which] = n < REMIND_MAX ? upto : list[n - 1].due_at; /* others may have the same time */
	return n == REMIND_MAX && list[0].due_at < list[n - 1].due_at;
}

static bool
remind_pickup(struct db *db, int64_t now)
{
	int64_t upto = now + rental.remind_pickup_s,
		from = read_upto[REMIND_PICKUP] > now ? read_upto[REMIND_PICKUP] : now;
	struct remind *list;
	int n = 0;

	if (!rental.remind_pickup_s)
		return false;
	db_list(db, &remind_shape, &list, &n,
		"SELECT b.code, b.starts_at AS due_at FROM v_booking b WHERE b.state = 'CONFIRMED'"
		" AND b.starts_at >= $1 AND b.starts_at <= $2"
		" AND b.held_at < b.starts_at - $3 AND NOT EXISTS"
		" (SELECT 1 FROM message m WHERE m.subject_id = b.code AND m.kind = 'remind_pickup')"
		" ORDER BY b.starts_at LIMIT $4",
		from, upto, rental.remind_pickup_s + TOO_SOON_S, REMIND_MAX);
	return remind_all(db, REMIND_PICKUP, list, n, upto, "CONFIRMED", event_name_BOOKING_CONFIRMED, "remind_pickup");
}

static bool
remind_return(struct db *db, int64_t now)
{
	int64_t upto = now + rental.remind_return_s,
		from = read_upto[REMIND_RETURN] > now ? read_upto[REMIND_RETURN] : now;
	struct remind *list;
	int n = 0;

	if (!rental.remind_return_s)
		return false;
	db_list(db, &remind_shape, &list, &n,
		"SELECT b.code, b.ends_at AS due_at FROM v_booking b WHERE b.state = 'OUT' AND b.ends_at >= $1"
		" AND b.ends_at <= $2"
		" AND b.starts_at < b.ends_at - $3 AND NOT EXISTS"
		" (SELECT 1 FROM message m WHERE m.subject_id = b.code AND m.kind = 'remind_return') ORDER BY b.ends_at"
		" LIMIT $4",
		from, upto, rental.remind_return_s + TOO_SOON_S, REMIND_MAX);
	return remind_all(db, REMIND_RETURN, list, n, upto, "OUT", event_name_BOOKING_HANDED_OUT, "remind_return");
}

/* With a collection it is not the customer who is late. */
static bool
remind_overdue(struct db *db, int64_t now)
{
	int64_t upto = now - LATE_AFTER_S,
		from = read_upto[REMIND_OVERDUE] > now - LATE_FOR_S ? read_upto[REMIND_OVERDUE] : now - LATE_FOR_S;
	struct remind *list;
	int n = 0;

	db_list(db, &remind_shape, &list, &n,
		"SELECT b.code, b.ends_at AS due_at FROM v_booking b WHERE b.state = 'OUT' AND b.ends_at >= $1"
		" AND b.ends_at <= $2 AND NOT EXISTS"
		" (SELECT 1 FROM message m WHERE m.subject_id = b.code AND m.kind = 'remind_overdue') AND NOT EXISTS"
		" (SELECT 1 FROM v_booking_extra x WHERE x.code = b.code AND x.kind = 'collection'"
		" AND x.state = 'BOOKED') ORDER BY b.ends_at LIMIT $3",
		from, upto, REMIND_MAX);
	return remind_all(db, REMIND_OVERDUE, list, n, upto, "OUT", event_name_BOOKING_HANDED_OUT, "remind_overdue");
}

/* There are few of them, so all are read. */
static bool
remind_cancelling(struct db *db, int64_t now)
{
	struct remind *list;
	int n = 0;

	db_list(db, &remind_shape, &list, &n,
		"SELECT s.subject_id AS code, s.since AS due_at FROM v_stuck_booking s /*scan*/ WHERE s.kind = 'cancel'"
		" AND s.since <= $1 AND NOT EXISTS"
		" (SELECT 1 FROM message m WHERE m.subject_id = s.subject_id AND m.kind = 'booking_cancelling')"
		" ORDER BY s.since /*sort*/ LIMIT $2",
		now - PENDING_S, REMIND_MAX);
	return remind_all(db, REMIND_CANCELLING, list, n, now, "CANCEL_REQUESTED", event_name_BOOKING_CANCEL_REQUESTED,
		"booking_cancelling");
}

bool
remind_sweep(struct db *db)
{
	int64_t now = clock_now();
	bool some = remind_pickup(db, now);

	for (int i = 0; i < N_REMINDERS; i++)
		if (read_upto[i] > now + rental.remind_pickup_s + rental.remind_return_s)
			read_upto[i] = 0; /* the clock was set back */
	some = remind_return(db, now) || some;
	some = remind_overdue(db, now) || some;
	return remind_cancelling(db, now) || some;
}
