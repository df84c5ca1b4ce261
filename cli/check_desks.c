/* check_desks.c - what must hold of deliveries, and between them and their bookings. The story is in check.h. */
#include "check.h"

#include <unistd.h>

/*
 * Only of bookings whose last event a program has handled: it may be a moment behind, or a person has let one go.
 */
#define HEARD_BY(who, code) \
	" (SELECT MAX(e.event_id) FROM event e WHERE e.subject_id = " code ")" \
	"   <= COALESCE((SELECT p.event_id FROM position p WHERE p.consumer = '" who "'), 0)" \
	" AND NOT EXISTS (SELECT 1 FROM event_retry t WHERE t.consumer = '" who "' AND t.subject_id = " code ")"

/* --- deliveries ------------------------------------------------------------------------------------------------------------ */

CHECK(jobs_twice,
	"SELECT j.booking_code FROM delivery j WHERE j.state <> 'CANCELLED' GROUP BY j.booking_code, j.direction"
	" HAVING COUNT(*) > 1 /*scan*/ /*sort*/")

/* What was cancelled before it was heard of was never requested. */
CHECK(jobs_of_nothing,
	"SELECT 'job ' || j.delivery_id FROM delivery j WHERE j.requested_at > 0"
	" AND NOT EXISTS (SELECT 1 FROM booking b WHERE b.code = j.booking_code AND b.customer_id = j.customer_id) /*scan*/")

CHECK(wishes_without_job,
	"SELECT b.code FROM booking_delivery d JOIN booking b ON b.booking_id = d.booking_id WHERE b.state = 'CONFIRMED'"
	" AND NOT EXISTS (SELECT 1 FROM delivery j WHERE j.booking_code = b.code AND j.direction = 'delivery')"
	" AND NOT EXISTS (SELECT 1 FROM event e WHERE e.subject_id = b.code AND e.type = 'booking.resolved')"
	" AND" HEARD_BY("delivery", "b.code") " /*scan*/")

/* A job that has left stays open until its courier is back. */
CHECK(jobs_of_what_is_over,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code WHERE j.state IN ('REQUESTED', 'SCHEDULED')"
	" AND (b.state IN ('CANCEL_REQUESTED', 'CANCELLED', 'EXPIRED', 'REJECTED', 'NO_SHOW', 'RETURNED', 'COMPLETED')"
	"      OR (b.state = 'OUT' AND j.direction = 'delivery'))"
	" AND" HEARD_BY("delivery", "b.code") " /*scan*/")

/* The booking follows the keys. */
CHECK(brought_and_not_out,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code WHERE j.state = 'DELIVERED'"
	" AND b.state NOT IN ('OUT', 'RETURNED', 'COMPLETED') AND" HEARD_BY("booking", "b.code") " /*scan*/")

CHECK(fetched_and_not_back,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code WHERE j.state = 'DELIVERED'"
	" AND j.direction = 'collection' AND b.state NOT IN ('RETURNED', 'COMPLETED') AND" HEARD_BY("booking", "b.code") " /*scan*/")

/* What the dispatcher gave up is not paid for. */
CHECK(given_up_and_kept,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code"
	" JOIN booking_extra x ON x.booking_id = b.booking_id AND x.kind = j.direction"
	" WHERE j.state = 'CANCELLED' AND j.ended_by = 'dispatcher' AND x.state <> 'ENDED' AND b.state IN ('CONFIRMED', 'OUT')"
	" AND" HEARD_BY("booking", "b.code") " /*scan*/")

/* Each record of a hand-over has the picture it shows. */
static int64_t
photos_missing(struct inspection *in)
{
	struct rows *r = db_each(in->db, "SELECT j.photo FROM delivery j WHERE j.photo <> '' /*scan*/");
	int64_t n = 0;

	while (db_next(r)) {
		const char *name = row_text(r, 0);

		if (access(cli_path(in->c, in->c->var, arena_printf(in->c->m, "handover/%s", name)), R_OK) != 0 && n++ == 0)
			snprintf(in->detail, sizeof(in->detail), "%s", name);
	}
	return n;
}

const struct check desk_checks[] = {
	{ "a booking has one job of a direction at most", CHECK_FAST, jobs_twice },
	{ "every delivery is of a booking, and of its customer", CHECK_FAST, jobs_of_nothing },
	{ "every confirmed booking that is to be brought has a job", CHECK_FAST, wishes_without_job },
	{ "nobody is to drive for a booking that is over", CHECK_FAST, jobs_of_what_is_over },
	{ "a car that was brought is out", CHECK_FAST, brought_and_not_out },
	{ "a car that was fetched is back", CHECK_FAST, fetched_and_not_back },
	{ "what the dispatcher gave up is not paid for", CHECK_FAST, given_up_and_kept },
	{ "every photo of a hand-over is there", CHECK_FAST, photos_missing },
	{ 0 },
};
