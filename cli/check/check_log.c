/* check_log.c - the invariants of the event log, its consumers, the read models and the files. The story is in
 * check.h. */
#include "check.h"

#include "cgi-bin/mypage/mypage.h"
#include "lib/event/event.h"

#include <string.h>

/* --- the log ------------------------------------------------------------------------------------------------------ */

static int64_t
chain(struct inspection *in)
{
	int64_t broken = event_chain_broken(in->db, &in->seen);

	if (broken)
		snprintf(in->detail, sizeof(in->detail), "event %lld does not match the hash of its predecessor",
			(long long)broken);
	return broken != 0;
}

CHECK(events_twice,
	"SELECT e.subject_id || ' ' || e.type FROM event e WHERE e.type IN ('booking.held', 'booking.paid',"
	" 'booking.expired',"
	" 'car.reserved', 'car.refused', 'car.released', 'booking.confirmed',"
	" 'booking.cancel_requested',"
	" 'booking.cancelled', 'booking.rejected', 'booking.refunded', 'booking.handed_out', 'booking.completed',"
	" 'booking.no_show_final', 'car.registered', 'car.retired', 'car.deleted')"
	" GROUP BY e.subject_id, e.type HAVING COUNT(*) > 1 /*scan*/ /*sort*/")

/* A no-show or a return occurs again only after it was undone. */
CHECK(undone_events,
	"SELECT e.subject_id FROM event e WHERE e.type IN ('booking.no_show', 'booking.no_show_undone',"
	" 'booking.returned', 'booking.return_undone') GROUP BY e.subject_id"
	" HAVING SUM(CASE e.type WHEN 'booking.no_show' THEN 1 WHEN 'booking.no_show_undone' THEN -1 ELSE 0 END)"
	" NOT IN (0, 1)"
	" OR SUM(CASE e.type WHEN 'booking.returned' THEN 1 WHEN 'booking.return_undone' THEN -1 ELSE 0 END)"
	" NOT IN (0, 1) /*scan*/ /*sort*/")

/* The event of the booking's current state. */
CHECK(bookings_without_event,
	"SELECT b.code || ' is ' || b.state FROM booking b WHERE NOT EXISTS (SELECT 1 FROM event e"
	" WHERE e.subject_id = b.code AND e.type ="
	" CASE b.state WHEN 'HELD' THEN 'booking.held' WHEN 'PAID' THEN 'booking.paid' WHEN 'CONFIRMED' THEN"
	" 'booking.confirmed'"
	"  WHEN 'OUT' THEN 'booking.handed_out' WHEN 'RETURNED' THEN 'booking.returned' WHEN 'COMPLETED' THEN"
	" 'booking.completed'"
	"  WHEN 'CANCEL_REQUESTED' THEN 'booking.cancel_requested' WHEN 'CANCELLED' THEN 'booking.cancelled'"
	"  WHEN 'EXPIRED' THEN 'booking.expired' WHEN 'REJECTED' THEN 'booking.rejected' ELSE 'booking.no_show' END)"
	" /*scan*/")

/* A subject may have several charges, and each is reported once. */
#define N_EVENTS(type_) "(SELECT COUNT(*) FROM event e WHERE e.subject_id = c.subject_id AND e.type = '" type_ "')"
CHECK(charges_without_event,
	"SELECT c.key FROM charge c WHERE (c.state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED')"
	"  AND NOT EXISTS (SELECT 1 FROM event e WHERE e.subject_id = c.subject_id AND e.type = 'payment.approved'))"
	" OR (SELECT COUNT(*) FROM refund r JOIN charge k ON k.charge_id = r.charge_id"
	"  WHERE k.subject_id = c.subject_id AND r.state = 'DONE')"
	"  <> (SELECT COUNT(*) FROM event e WHERE e.subject_id = c.subject_id"
	" AND e.type IN ('payment.cancelled', 'payment.refunded_outside'))"
	" OR " N_EVENTS("payment.approved") " > (SELECT COUNT(*) FROM charge k WHERE k.subject_id = c.subject_id"
	"  AND k.state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED'))"
	" OR " N_EVENTS("payment.failed") " > (SELECT COUNT(*) FROM charge k WHERE k.subject_id = c.subject_id"
	"  AND k.state = 'FAILED') /*scan*/")

CHECK(payouts_without_event,
	"SELECT o.key FROM payout o WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.subject_id = o.subject_id"
	" AND e.type = 'payout.assigned') OR (o.state <> 'ASSIGNED' AND NOT EXISTS (SELECT 1 FROM event e"
	" WHERE e.subject_id = o.subject_id AND e.type = CASE o.state WHEN 'COMPLETED' THEN 'payout.completed'"
	" ELSE 'payout.failed' END)) /*scan*/")

/* --- its consumers ------------------------------------------------------------------------------------------------ */

CHECK(ahead,
	"SELECT p.consumer FROM position p WHERE p.event_id > (SELECT COALESCE(MAX(e.event_id), 0)"
	" FROM event e) /*scan*/")

static int64_t
dead_letters(struct inspection *in)
{
	int64_t n = check_count(in,
		db_each(in->db,
			"SELECT consumer || ' event ' || event_id || ': ' || error FROM event_retry"
			" WHERE dead = 1 /*scan*/"));

	if (in->view)
		n += check_count(in,
			db_each(in->view,
				"SELECT consumer || ' event ' || event_id || ': ' || error FROM event_retry"
				" WHERE dead = 1 /*scan*/"));
	return n;
}

static int64_t
view_ahead(struct inspection *in)
{
	if (!in->view)
		return -1;
	return view_is_ahead(in->view);
}

static int64_t
view_differs(struct inspection *in)
{
	struct view_comparison found;
	const char *why = NULL;

	if (!in->view)
		return -1;
	if (!view_compare(in->c->root, in->c->var, NULL, NULL, &found, &why)) {
		snprintf(in->detail, sizeof(in->detail), "%s", why ? why : "cannot compare them");
		return 1;
	}
	in->seen = found.n_rows;
	snprintf(in->detail, sizeof(in->detail), "%s", found.first);
	return found.n_different;
}

/* --- the files ---------------------------------------------------------------------------------------------------- */

static int64_t
orphans(struct inspection *in)
{
	const char *first = "";
	int64_t n = db_verify_references(in->db, &first);

	snprintf(in->detail, sizeof(in->detail), "%s", first);
	return n;
}

static int64_t
damage(struct inspection *in, struct db *db)
{
	const char *first = "";
	int64_t n = db_verify(db, &first);

	snprintf(in->detail, sizeof(in->detail), "%s", first);
	return n;
}

static int64_t
integrity(struct inspection *in)
{
	return damage(in, in->db);
}

static int64_t
view_integrity(struct inspection *in)
{
	return in->view ? damage(in, in->view) : -1;
}

const struct check log_checks[] = {
	{ "the event chain of every subject is intact", CHECK_FAST, chain },
	{ "events that can occur only once per subject occur once", CHECK_FAST, events_twice },
	{ "a no-show or a return occurs again only after it was undone", CHECK_FAST, undone_events },
	{ "every booking state has an event", CHECK_FAST, bookings_without_event },
	{ "every charge and every refund has an event", CHECK_FAST, charges_without_event },
	{ "every payout has the event of its state", CHECK_FAST, payouts_without_event },
	{ "no consumer position is beyond the end of the log", CHECK_FAST, ahead },
	{ "there are no dead letters", CHECK_WORK, dead_letters },
	{ "the read models are not beyond the end of the log", CHECK_FAST, view_ahead },
	{ "the read models equal a replay of the log", CHECK_SLOW, view_differs },
	{ "every foreign key refers to an existing row", CHECK_SLOW, orphans },
	{ "motorpool.db passes the integrity check", CHECK_SLOW, integrity },
	{ "view.db passes the integrity check", CHECK_SLOW, view_integrity },
	{ 0 },
};
