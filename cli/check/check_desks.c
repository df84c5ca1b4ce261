/* check_desks.c - the invariants of deliveries, equipment, reviews, and their bookings. The story is in check.h. */
#include "check.h"

#include "domain/stock.h"
#include "lib/base/clock.h"

#include <unistd.h>

/* Only of bookings whose last event the program has handled: it may be slightly behind, or an event was discarded. */
#define HANDLED_BY(who, code) \
	" (SELECT MAX(e.event_id) FROM event e WHERE e.subject_id = " code ")" \
	"   <= COALESCE((SELECT p.event_id FROM position p WHERE p.consumer = '" who "'), 0)" \
	" AND NOT EXISTS (SELECT 1 FROM event_retry t WHERE t.consumer = '" who "' AND t.subject_id = " code ")"

/* --- deliveries --------------------------------------------------------------------------------------------------- */

CHECK(jobs_twice,
	"SELECT j.booking_code FROM delivery j WHERE j.state <> 'CANCELLED' GROUP BY j.booking_code, j.direction"
	" HAVING COUNT(*) > 1 /*scan*/ /*sort*/")

/* A job that was cancelled before its request arrived was never requested. */
CHECK(jobs_without_booking,
	"SELECT 'job ' || j.delivery_id FROM delivery j WHERE j.requested_at > 0"
	" AND NOT EXISTS (SELECT 1 FROM booking b WHERE b.code = j.booking_code"
	" AND b.customer_id = j.customer_id) /*scan*/")

CHECK(bookings_without_job,
	"SELECT b.code FROM booking_delivery d JOIN booking b ON b.booking_id = d.booking_id"
	" WHERE b.state = 'CONFIRMED'"
	" AND NOT EXISTS (SELECT 1 FROM delivery j WHERE j.booking_code = b.code AND j.direction = 'delivery')"
	" AND NOT EXISTS (SELECT 1 FROM event e WHERE e.subject_id = b.code AND e.type = 'booking.resolved')"
	" AND" HANDLED_BY("delivery", "b.code") " /*scan*/")

/* A shipped job stays open until its courier is back. */
CHECK(jobs_of_ended_bookings,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code"
	" WHERE j.state IN ('REQUESTED', 'SCHEDULED')"
	" AND b.undo_until = 0"
	" AND (b.state IN ('CANCEL_REQUESTED', 'CANCELLED', 'EXPIRED', 'REJECTED', 'NO_SHOW', 'RETURNED', 'COMPLETED')"
	"      OR (b.state = 'OUT' AND j.direction = 'delivery'))"
	" AND" HANDLED_BY("delivery", "b.code") " /*scan*/")

/* The booking is OUT once the keys were handed over. */
CHECK(delivered_but_not_out,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code WHERE j.state = 'DELIVERED'"
	" AND b.state NOT IN ('OUT', 'RETURNED', 'COMPLETED') AND" HANDLED_BY("booking", "b.code") " /*scan*/")

CHECK(collected_but_not_returned,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code WHERE j.state = 'DELIVERED'"
	" AND j.direction = 'collection' AND b.state NOT IN ('RETURNED', 'COMPLETED')"
	" AND" HANDLED_BY("booking", "b.code") " /*scan*/")

/* While a step waits for booking's answer it is not known which is right. Jobs that left before there were custodies
 * have none. */
CHECK(custody_of_no_trip,
	"SELECT 'custody ' || k.custody_id FROM custody k JOIN booking b ON b.booking_id = k.booking_id"
	" WHERE k.kind = 'staff' AND k.to_at IS NULL AND NOT EXISTS (SELECT 1 FROM delivery j"
	" WHERE j.booking_code = b.code AND (j.asked_step <> '' OR (j.direction = 'delivery' AND j.state = 'SHIPPED')"
	" OR (j.direction = 'collection' AND j.state = 'DELIVERED' AND j.back_at = 0))) /*scan*/")

CHECK(trip_without_custody,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code"
	" WHERE j.direction = 'delivery' AND j.state = 'SHIPPED' AND j.trip_no > 0 AND j.asked_step = ''"
	" AND NOT EXISTS (SELECT 1 FROM custody k WHERE k.booking_id = b.booking_id AND k.kind = 'staff'"
	" AND k.user_id = j.courier_id AND k.to_at IS NULL) /*scan*/")

#define ASKED_LATE_S 900

CHECK(steps_without_answer,
	"SELECT j.booking_code FROM delivery j WHERE j.asked_step <> '' AND j.asked_at < $1 /*scan*/",
	in->now - ASKED_LATE_S)

/* A delivery cancelled by the dispatcher is refunded. */
CHECK(cancelled_but_not_refunded,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code"
	" JOIN booking_extra x ON x.booking_id = b.booking_id AND x.kind = j.direction"
	" WHERE j.state = 'CANCELLED' AND j.ended_by = 'dispatcher' AND x.state <> 'ENDED'"
	" AND b.state IN ('CONFIRMED', 'OUT')"
	" AND" HANDLED_BY("booking", "b.code") " /*scan*/")

/* Until it is cancelled for good, its price stays. */
CHECK(given_up_but_refunded,
	"SELECT j.booking_code FROM delivery j JOIN booking b ON b.code = j.booking_code"
	" JOIN booking_extra x ON x.booking_id = b.booking_id AND x.kind = j.direction"
	" WHERE j.cancel_at > 0 AND x.state = 'ENDED' AND" HANDLED_BY("delivery", "b.code") " /*scan*/")

#define GIVE_UP_LATE_S 900
CHECK(given_up_for_too_long,
	"SELECT 'job ' || j.delivery_id FROM delivery j WHERE j.cancel_at > 0 AND j.cancel_at < $1 /*scan*/",
	in->now - GIVE_UP_LATE_S)

/* --- cars that are retired ---------------------------------------------------------------------------------------- */

/* Of cars whose events are in this log. */
CHECK(retired_without_event,
	"SELECT c.plate FROM car c WHERE (c.service = 'RETIRED') <> EXISTS (SELECT 1 FROM event e"
	" WHERE e.subject_id = 'car:' || c.car_id AND e.type = 'car.retired')"
	" AND EXISTS (SELECT 1 FROM event e WHERE e.subject_id = 'car:' || c.car_id AND e.type = 'car.registered')"
	" /*scan*/")

#define RETIRE_LATE_S 900
CHECK(retiring_for_too_long,
	"SELECT c.plate FROM car c WHERE c.retire_at > 0 AND c.retire_at < $1 AND NOT EXISTS (SELECT 1 FROM custody k"
	" WHERE k.car_id = c.car_id AND k.to_at IS NULL) /*scan*/",
	in->now - RETIRE_LATE_S)

/* The photo of each handover record exists as a file. */
static int64_t
photos_missing(struct inspection *in)
{
	struct rows *r = db_each(in->db, "SELECT j.photo FROM delivery j WHERE j.photo <> '' /*scan*/");
	int64_t n = 0;

	while (db_next(r)) {
		const char *name = row_text(r, 0);

		if (access(cli_path(in->c, in->c->var, arena_printf(in->c->m, "handover/%s", name)), R_OK) != 0
			&& n++ == 0)
			snprintf(in->detail, sizeof(in->detail), "%s", name);
	}
	return n;
}

/* --- equipment ---------------------------------------------------------------------------------------------------- */

#define LIVE "('ORDERED', 'APPROVED', 'HANDED_OUT')"
#define STOCK_OF(item) "(SELECT COALESCE(SUM(s.quantity), 0) FROM stock_entry s WHERE s.item_id = " item ")"

/* The balance of an entry is the sum up to it and never negative. */
CHECK(ledger_off,
	"SELECT 'entry ' || entry_id FROM (SELECT s.entry_id, s.balance, SUM(s.quantity) OVER (PARTITION BY s.item_id"
	" ORDER BY s.entry_id) AS total"
	" FROM stock_entry s) t WHERE balance <> total OR balance < 0 /*scan*/ /*sort*/")

CHECK(taken_off,
	"SELECT o.code FROM equipment_order o WHERE o.taken <> COALESCE((SELECT -SUM(s.quantity) FROM stock_entry s"
	" WHERE s.order_id = o.order_id"
	" AND s.kind IN ('order', 'return')), 0) OR (o.taken > 0 AND o.state NOT IN ('APPROVED', 'HANDED_OUT'))"
	" OR (o.state = 'HANDED_OUT' AND o.taken <> o.quantity) /*scan*/")

CHECK(orders_lacking_stock,
	"SELECT o.code FROM equipment_order o WHERE o.state = 'APPROVED' AND o.taken < o.quantity"
	" AND " STOCK_OF("o.item_id") " > 0 /*scan*/")

CHECK(low_marks_wrong,
	"SELECT i.name FROM item i WHERE i.is_low <> CASE WHEN i.low_stock > 0"
	" AND " STOCK_OF("i.item_id") " <= i.low_stock THEN 1 ELSE 0 END /*scan*/")

/* Unless units were lost or are late, the stock covers all reservations at every time from now on. */
static int64_t
promised_twice(struct inspection *in)
{
	struct rows *r = db_each(in->db,
		"SELECT i.item_id, i.name FROM item i"
		" WHERE NOT EXISTS (SELECT 1 FROM stock_entry s WHERE s.item_id = i.item_id"
		" AND s.kind IN ('loss', 'adjust'))"
		" AND NOT EXISTS (SELECT 1 FROM equipment_order o WHERE o.item_id = i.item_id AND o.state IN " LIVE
		" AND o.state = 'HANDED_OUT'"
		"                 AND o.ends_at <= $1) /*scan*/",
		in->now);
	int64_t n = 0;

	while (db_next(r)) {
		const char *name = row_text(r, 1);

		if (stock_free(in->db, row_int(r, 0), in->now, in->now + 2 * 365 * DAY, in->now) < 0 && n++ == 0)
			snprintf(in->detail, sizeof(in->detail), "%s", name);
	}
	return n;
}

CHECK(extras_without_order,
	"SELECT b.code FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id"
	" WHERE x.kind = 'equipment' AND b.paid_at > 0 AND NOT EXISTS (SELECT 1 FROM equipment_order o"
	" WHERE o.booking_code = b.code"
	"   AND o.line_no = x.line_no AND o.booking_code <> '' AND o.quantity = x.quantity AND o.item_id = x.ref_id AND"
	" o.amount = x.amount)"
	" AND" HANDLED_BY("equipment", "b.code") " /*scan*/")

CHECK(orders_without_line,
	"SELECT o.code FROM equipment_order o WHERE o.booking_code <> ''"
	" AND NOT EXISTS (SELECT 1 FROM booking b JOIN booking_extra x"
	" ON x.booking_id = b.booking_id WHERE b.code = o.booking_code AND x.line_no = o.line_no"
	" AND b.customer_id = o.customer_id) /*scan*/")

CHECK(orders_of_ended_bookings,
	"SELECT o.code FROM equipment_order o JOIN booking b ON b.code = o.booking_code WHERE o.state IN " LIVE
	" AND b.undo_until = 0"
	" AND b.state IN ('CANCEL_REQUESTED', 'CANCELLED', 'EXPIRED', 'REJECTED', 'NO_SHOW', 'RETURNED', 'COMPLETED')"
	" AND" HANDLED_BY("equipment", "b.code") " /*scan*/")

/* An extra that was cancelled while the booking continues is refunded. */
CHECK(orders_not_refunded,
	"SELECT o.code FROM equipment_order o JOIN booking b ON b.code = o.booking_code"
	" JOIN booking_extra x ON x.booking_id = b.booking_id AND x.line_no = o.line_no"
	" WHERE x.state <> 'ENDED' AND b.state IN ('CONFIRMED', 'OUT')"
	" AND (o.state = 'REJECTED' OR (o.state = 'CANCELLED' AND o.end_reason <> 'booking'))"
	" AND" HANDLED_BY("booking", "b.code") " /*scan*/")

CHECK(asked_for_too_long,
	"SELECT o.code FROM equipment_order o WHERE o.asked_at > 0 AND o.asked_at < $1 - 300", in->now)

/* --- review ------------------------------------------------------------------------------------------------------- */

/* The subject of its events. */
#define SUBJECT "CASE o.booking_code WHEN '' THEN o.code ELSE o.booking_code END"

CHECK(handed_out_unapproved,
	"SELECT o.code FROM equipment_order o WHERE o.state IN ('APPROVED', 'HANDED_OUT', 'RETURNED')"
	" AND NOT EXISTS (SELECT 1 FROM review_case c WHERE c.key = o.code AND c.state = 'APPROVED')"
	" AND" HANDLED_BY("review", SUBJECT) " AND" HANDLED_BY("equipment", SUBJECT) " /*scan*/")

CHECK(orders_without_review,
	"SELECT o.code FROM equipment_order o WHERE o.state = 'ORDERED' AND o.asked_at = 0"
	" AND NOT EXISTS (SELECT 1 FROM review_case c WHERE c.key = o.code AND c.state = 'ASSIGNED')"
	" AND" HANDLED_BY("review", SUBJECT) " AND" HANDLED_BY("equipment", SUBJECT) " /*scan*/")

CHECK(reviews_of_ended_orders,
	"SELECT o.code FROM review_case c JOIN equipment_order o ON o.code = c.key WHERE c.state = 'ASSIGNED'"
	" AND o.state IN ('REJECTED', 'CANCELLED') AND" HANDLED_BY("review", SUBJECT) " /*scan*/")

CHECK(decisions_without_event,
	"SELECT c.key FROM review_case c WHERE c.state IN ('APPROVED', 'REJECTED')"
	" AND NOT EXISTS (SELECT 1 FROM event e"
	" WHERE e.subject_id = c.subject_id AND e.type = CASE c.state WHEN 'APPROVED' THEN 'review.approved'"
	" ELSE 'review.rejected' END) /*scan*/")

const struct check desk_checks[] = {
	{ "a booking has at most one delivery job per direction", CHECK_FAST, jobs_twice },
	{ "every delivery job refers to a booking and its customer", CHECK_FAST, jobs_without_booking },
	{ "every confirmed booking with delivery has a delivery job", CHECK_FAST, bookings_without_job },
	{ "no delivery job is open for a booking that has ended", CHECK_FAST, jobs_of_ended_bookings },
	{ "a booking whose car was delivered is OUT or later", CHECK_FAST, delivered_but_not_out },
	{ "a booking whose car was collected is RETURNED or later", CHECK_FAST, collected_but_not_returned },
	{ "a car is with a courier only while its job is on the way", CHECK_FAST, custody_of_no_trip },
	{ "while a delivery is on the way its courier has the car", CHECK_FAST, trip_without_custody },
	{ "no courier's step has been waiting for booking's answer for more than 15 minutes", CHECK_WORK,
		steps_without_answer },
	{ "a delivery cancelled by the dispatcher is refunded", CHECK_FAST, cancelled_but_not_refunded },
	{ "a delivery that is given up is not refunded before it is cancelled", CHECK_FAST, given_up_but_refunded },
	{ "no delivery has been given up for more than 15 minutes after its time", CHECK_WORK, given_up_for_too_long },
	{ "a car is retired exactly when its last event says so", CHECK_FAST, retired_without_event },
	{ "no car has been waiting to be retired for more than 15 minutes after its time", CHECK_WORK,
		retiring_for_too_long },
	{ "every handover photo exists", CHECK_FAST, photos_missing },
	{ "the stock of an item is the sum of its ledger and never negative", CHECK_FAST, ledger_off },
	{ "the quantity reserved for an order matches the ledger", CHECK_FAST, taken_off },
	{ "no order lacks units that are in stock", CHECK_FAST, orders_lacking_stock },
	{ "no unit is reserved twice for a future time", CHECK_FAST, promised_twice },
	{ "an item is marked as low when its stock is low", CHECK_FAST, low_marks_wrong },
	{ "the equipment of every paid booking is ordered as it was paid", CHECK_FAST, extras_without_order },
	{ "every order with a booking matches one of its price lines", CHECK_FAST, orders_without_line },
	{ "no equipment order is open for a booking that has ended", CHECK_FAST, orders_of_ended_bookings },
	{ "a cancelled or rejected equipment order is refunded", CHECK_FAST, orders_not_refunded },
	{ "no order has been waiting for more than 5 minutes for its approval request", CHECK_WORK,
		asked_for_too_long },
	{ "no equipment is handed out without approval", CHECK_FAST, handed_out_unapproved },
	{ "every equipment order was decided or is in the approval queue", CHECK_FAST, orders_without_review },
	{ "the approval queue contains no ended orders", CHECK_FAST, reviews_of_ended_orders },
	{ "every decision has an event", CHECK_FAST, decisions_without_event },
	{ 0 },
};
