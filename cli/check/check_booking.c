/* check_booking.c - the invariants of the calendar, of bookings and of fleet's reservations. The story is in
 * check.h. */
#include "check.h"

#include "domain/rental.h"

/* --- the calendar ------------------------------------------------------------------------------------------------- */

CHECK(overlaps,
	"SELECT 'car ' || o.car_id || ', slot ' || o.slot_id FROM ("
	"  SELECT car_id, slot_id, starts_at, MAX(busy_until) OVER (PARTITION BY car_id ORDER BY starts_at, slot_id"
	"   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_before FROM slot WHERE kind <> 'RELEASED') o"
	" WHERE o.busy_before > o.starts_at /*scan*/ /*sort*/")

/* All the cars of all bookings. */
#define CARS \
	"(SELECT booking_id, car_id FROM booking UNION ALL SELECT booking_id, car_id FROM booking_car)"

/* Every booking has a slot for each of its cars, from its start, of the kind that its state requires. */
CHECK(slots_and_bookings,
	"SELECT b.code FROM " CARS " c JOIN booking b ON b.booking_id = c.booking_id"
	" LEFT JOIN slot s ON s.booking_id = c.booking_id AND s.booking_id <> 0 AND s.car_id = c.car_id"
	" WHERE s.slot_id IS NULL OR s.starts_at <> b.starts_at"
	" OR s.kind <> CASE WHEN b.state = 'HELD' THEN 'HOLD'"
	"   WHEN b.state IN ('PAID', 'CONFIRMED', 'OUT', 'RETURNED', 'COMPLETED') OR b.undo_until > 0 THEN 'BOOKED'"
	"   ELSE 'RELEASED' END /*scan*/")

CHECK(slots_without_booking,
	"SELECT 'slot ' || s.slot_id FROM slot s WHERE s.booking_id <> 0"
	" AND NOT EXISTS (SELECT 1 FROM booking b WHERE b.booking_id = s.booking_id AND b.car_id = s.car_id)"
	" AND NOT EXISTS (SELECT 1 FROM booking_car m WHERE m.booking_id = s.booking_id"
	" AND m.car_id = s.car_id) /*scan*/")

CHECK(cars_of_bookings,
	"SELECT b.code FROM booking b WHERE b.n_cars <> 1 + (SELECT COUNT(*) FROM booking_car m"
	" WHERE m.booking_id = b.booking_id"
	"  AND m.car_no <= b.n_cars AND m.car_id <> b.car_id) OR (b.n_cars > 1 AND b.model_id = 0) /*scan*/")

/* --- bookings ----------------------------------------------------------------------------------------------------- */

CHECK(sums,
	"SELECT b.code FROM booking b WHERE b.amount <> (SELECT COALESCE(SUM(l.amount), 0) FROM booking_line l"
	" WHERE l.booking_id = b.booking_id) /*scan*/")

/* Hours that cost more than one more day are capped at a day's price. */
CHECK(lines,
	"SELECT b.code FROM booking_line l JOIN booking b ON b.booking_id = l.booking_id"
	" WHERE (l.rule <> 'hourly_cap' AND l.amount <> l.quantity * l.unit_amount)"
	" OR (l.rule = 'hourly_cap' AND l.amount >= l.quantity * l.unit_amount)"
	" OR l.amount < 0 OR (l.amount = 0 AND l.rule NOT IN ('delivery', 'collection', 'equipment')) /*scan*/")

CHECK(quota,
	"SELECT 'user ' || b.customer_id || ': ' || COUNT(*) FROM booking b"
	" WHERE b.state IN ('HELD', 'PAID', 'CONFIRMED', 'OUT', 'CANCEL_REQUESTED') OR b.undo_until > 0"
	" GROUP BY b.customer_id HAVING COUNT(*) > $1 /*scan*/ /*sort*/", rental.max_bookings_per_person)

CHECK(keys,
	"SELECT 'user ' || b.customer_id || ': ' || b.request_key FROM booking b WHERE b.request_key <> ''"
	" AND b.state <> 'EXPIRED'"
	" GROUP BY b.customer_id, b.request_key HAVING COUNT(*) > 1 /*scan*/ /*sort*/")

/* --- what can be undone ------------------------------------------------------------------------------------------- */

/* Until then each slot has its old end, or a later one, and nothing is refunded for a no-show. */
CHECK(undo_not_waited_for,
	"SELECT b.code FROM booking b WHERE b.undo_until > 0 AND (b.state NOT IN ('NO_SHOW', 'RETURNED')"
	" OR b.ended_at = 0 OR (b.state = 'NO_SHOW' AND (b.refund_due > 0 OR b.refund_state <> 'NONE'))"
	" OR EXISTS (SELECT 1 FROM slot s WHERE s.booking_id = b.booking_id AND s.ends_at < b.ends_at))"
	" UNION ALL SELECT b.code FROM booking b WHERE b.state = 'RETURNED' AND b.undo_until = 0 /*scan*/")

/* The firm keeps the late share of what was not given back for extras or, before that, in parts. Those of before have
 * no such event. */
CHECK(no_shows_kept,
	"SELECT b.code || ': due ' || b.refund_due FROM booking b WHERE b.state = 'NO_SHOW' AND b.undo_until = 0"
	" AND EXISTS (SELECT 1 FROM event e WHERE e.subject_id = b.code AND e.type = 'booking.no_show_final')"
	" AND (b.refund_due > (b.amount - (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x"
	"  WHERE x.booking_id = b.booking_id)) * b.cancel_late_percent / 100"
	"  OR b.refund_due < (b.amount - (SELECT COALESCE(SUM(x.refund_due), 0) FROM booking_extra x"
	"  WHERE x.booking_id = b.booking_id) - (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p"
	"  WHERE p.booking_id = b.booking_id)) * b.cancel_late_percent / 100"
	"  OR (b.refund_due > 0) <> (b.refund_state <> 'NONE')) /*scan*/")

#define UNDO_LATE_S 300
CHECK(stuck_undo,
	"SELECT b.code FROM booking b WHERE b.undo_until > 0 AND b.undo_until < $1 /*scan*/", in->now - UNDO_LATE_S)

/* --- what was booked with the car --------------------------------------------------------------------------------- */

CHECK(extras_and_lines,
	"SELECT b.code FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id"
	" LEFT JOIN booking_line l ON l.booking_id = x.booking_id AND l.line_no = x.line_no"
	" WHERE l.line_no IS NULL OR l.rule <> x.kind OR l.amount <> x.amount"
	" UNION ALL SELECT b.code FROM booking_line l JOIN booking b ON b.booking_id = l.booking_id"
	" WHERE l.rule IN ('delivery', 'collection', 'equipment')"
	" AND NOT EXISTS (SELECT 1 FROM booking_extra x WHERE x.booking_id = l.booking_id"
	" AND x.line_no = l.line_no) /*scan*/")

CHECK(addresses,
	"SELECT b.code FROM booking b LEFT JOIN booking_delivery d ON d.booking_id = b.booking_id"
	" LEFT JOIN booking_extra x ON x.booking_id = b.booking_id AND x.kind = 'delivery'"
	" WHERE (d.booking_id IS NULL) <> (x.booking_id IS NULL) OR d.window_from < b.starts_at"
	" OR d.window_to > b.ends_at"
	" OR d.collects <> (SELECT COUNT(*) FROM booking_extra y WHERE y.booking_id = b.booking_id"
	" AND y.kind = 'collection') /*scan*/")

/* What is due of booking b: its own refund, those of its extras, and the parts that managers gave back. */
#define DUE "(b.refund_due + (SELECT COALESCE(SUM(y.refund_due), 0) FROM booking_extra y" \
	" WHERE y.booking_id = b.booking_id) + (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p" \
	" WHERE p.booking_id = b.booking_id))"

/* Of a paid booking: a cancelled extra is owed back in full until it is refunded, or as much of it as was left of the
 * price. */
CHECK(extras_not_refunded,
	"SELECT b.code FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id WHERE CASE x.state"
	" WHEN 'ENDED' THEN (x.refund_due <> x.amount AND " DUE " <> b.amount)"
	" OR (x.refund_state = 'NONE' AND x.refund_due > 0) OR b.state IN ('HELD', 'EXPIRED')"
	" ELSE x.refund_due > 0 OR x.refund_state <> 'NONE' END"
	" OR x.refunded_amount <> CASE x.refund_state WHEN 'DONE' THEN x.refund_due ELSE 0 END /*scan*/")

CHECK(more_due_than_paid,
	"SELECT b.code FROM booking b WHERE " DUE " > b.amount /*scan*/")

/* --- what the firm could not keep, and what managers gave back ---------------------------------------------------- */

CHECK(firm_keeps_nothing,
	"SELECT b.code FROM booking b WHERE b.cancel_by = 'firm' AND b.state IN ('CANCEL_REQUESTED', 'CANCELLED')"
	" AND " DUE " <> b.amount /*scan*/")

/* While a cancellation waits for delivery it is named too. */
CHECK(cancelled_by,
	"SELECT b.code FROM booking b WHERE (b.cancel_by <> '') <>"
	" (b.state IN ('CANCEL_REQUESTED', 'CANCELLED') OR b.cancel_asked_at > 0)"
	" OR (b.cancel_by = 'firm') <> (b.cancel_reason <> '') /*scan*/")

CHECK(compensated_without_cause,
	"SELECT b.code FROM booking b WHERE (b.compensation_due > 0 AND b.state <> 'REJECTED'"
	" AND NOT (b.cancel_by = 'firm' AND b.state IN ('CANCEL_REQUESTED', 'CANCELLED')))"
	" OR (b.compensation_due = 0) <> (b.compensation_state = 'NONE') /*scan*/")

CHECK(parts_in_state,
	"SELECT b.code FROM part_refund p JOIN booking b ON b.booking_id = p.booking_id"
	" WHERE b.state IN ('HELD', 'PAID', 'EXPIRED', 'REJECTED') /*scan*/")

/* --- the firm's terms --------------------------------------------------------------------------------------------- */

/* 0: a booking from before there were any. Accepted were those in force when it was made, or older ones. */
CHECK(terms_accepted,
	"SELECT b.code FROM booking b WHERE b.terms_version <> 0 AND NOT EXISTS (SELECT 1 FROM terms_version t"
	" WHERE t.kind = 'terms' AND t.version = b.terms_version AND t.valid_from <= b.held_at) /*scan*/")

CHECK(terms_versions,
	"SELECT t.kind FROM terms t LEFT JOIN terms_version v ON v.kind = t.kind GROUP BY t.kind"
	" HAVING COUNT(v.version) = 0 OR MIN(v.version) <> 1 OR MAX(v.version) <> COUNT(v.version) /*scan*/ /*sort*/")

/* --- custody ------------------------------------------------------------------------------------------------------ */

#define FOREVER "9223372036854775807"
CHECK(custody_overlaps,
	"SELECT 'car ' || o.car_id || ', custody ' || o.custody_id FROM ("
	"  SELECT car_id, custody_id, from_at, MAX(COALESCE(to_at, " FOREVER ")) OVER (PARTITION BY car_id"
	"   ORDER BY from_at, COALESCE(to_at, " FOREVER "), custody_id"
	"   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS had_until"
	"   FROM custody) o WHERE o.had_until > o.from_at /*scan*/ /*sort*/")

/* Of a car that was taken over, the last customer's custody has ended though the booking is still OUT. */
CHECK(out_without_custody,
	"SELECT b.code || ', car ' || c.car_id FROM " CARS " c JOIN booking b ON b.booking_id = c.booking_id"
	" WHERE (SELECT COUNT(*) FROM custody k WHERE k.booking_id = b.booking_id AND k.car_id = c.car_id"
	" AND k.kind = 'customer' AND k.to_at IS NULL) <> CASE WHEN b.state = 'OUT' AND NOT EXISTS (SELECT 1"
	" FROM custody t WHERE t.booking_id = b.booking_id AND t.car_id = c.car_id AND t.ended_by = 'taken_over')"
	" THEN 1 ELSE 0 END /*scan*/")

CHECK(custody_of_others,
	"SELECT 'custody ' || k.custody_id FROM custody k LEFT JOIN booking b ON b.booking_id = k.booking_id"
	" WHERE (k.booking_id IS NOT NULL AND b.car_id <> k.car_id AND NOT EXISTS (SELECT 1 FROM booking_car m"
	" WHERE m.booking_id = k.booking_id AND m.car_id = k.car_id))"
	" OR (k.kind = 'customer' AND COALESCE(b.customer_id, 0) <> k.user_id)"
	" OR (k.to_at IS NULL) <> (k.ended_by = '') OR k.to_at < k.from_at /*scan*/")

/* --- overdue work ------------------------------------------------------------------------------------------------- */

#define HOLD_LATE_S    60
#define CONFIRM_LATE_S 300
#define REFUND_LATE_S  900

CHECK(stuck_holds,
	"SELECT b.code FROM booking b WHERE b.state = 'HELD' AND b.hold_until < $1 /*scan*/", in->now - HOLD_LATE_S)

CHECK(stuck_paid,
	"SELECT b.code FROM booking b WHERE b.state = 'PAID' AND b.paid_at < $1 /*scan*/", in->now - CONFIRM_LATE_S)

CHECK(stuck_refunds,
	"SELECT b.code FROM booking b WHERE (b.state = 'CANCEL_REQUESTED' OR b.refund_state = 'PENDING')"
	" AND b.ended_at < $1 /*scan*/",
	in->now - REFUND_LATE_S)

CHECK(stuck_extras,
	"SELECT b.code FROM booking_extra x JOIN booking b ON b.booking_id = x.booking_id"
	" WHERE x.refund_state = 'PENDING' AND x.ended_at < $1 /*scan*/", in->now - REFUND_LATE_S)

CHECK(stuck_parts,
	"SELECT b.code FROM part_refund p JOIN booking b ON b.booking_id = p.booking_id"
	" WHERE p.refund_state = 'PENDING' AND p.asked_at < $1 /*scan*/", in->now - REFUND_LATE_S)

CHECK(stuck_compensations,
	"SELECT b.code FROM booking b WHERE b.compensation_state = 'PENDING' AND b.ended_at < $1 /*scan*/",
	in->now - REFUND_LATE_S)

/* Others had its car until its end, or it is not in service: the sweep cancels it for the firm, but not while a courier
 * is on the way to its customer. */
CHECK(late_cars,
	"SELECT b.code FROM booking b WHERE b.state = 'CONFIRMED' AND b.ends_at < $1"
	" AND (EXISTS (SELECT 1 FROM slot s JOIN custody c ON c.car_id = s.car_id"
	" WHERE s.booking_id = b.booking_id AND s.booking_id <> 0"
	" AND COALESCE(c.booking_id, 0) <> b.booking_id AND c.from_at < b.ends_at"
	" AND (c.to_at IS NULL OR c.to_at >= b.ends_at)) OR EXISTS (SELECT 1 FROM v_booked_car g"
	" WHERE g.booking_id = b.booking_id AND g.service <> 'IN_SERVICE')) AND NOT EXISTS (SELECT 1 FROM v_delivery d"
	" WHERE d.booking_code = b.code AND d.direction = 'delivery' AND d.state IN ('SHIPPED', 'DELIVERED'))"
	" /*scan*/", in->now - REFUND_LATE_S)

CHECK(stuck_cancellations,
	"SELECT b.code FROM booking b WHERE b.cancel_asked_at > 0"
	" AND b.cancel_asked_at < $1 /*scan*/", in->now - REFUND_LATE_S)

/* --- fleet's reservations ----------------------------------------------------------------------------------------- */

/* Only of bookings whose last event fleet has handled: it may be slightly behind. */
/* Without a reservation there is nothing to compare: fleet has not been asked, or its event was discarded. */
CHECK(reservations,
	"SELECT b.code FROM " CARS " c JOIN booking b ON b.booking_id = c.booking_id"
	" LEFT JOIN reservation r ON r.booking_code = b.code AND r.car_id = c.car_id"
	" WHERE b.state NOT IN ('HELD', 'EXPIRED', 'PAID', 'REJECTED')"
	" AND COALESCE(r.state, 'RELEASED') <> CASE WHEN b.state = 'CONFIRMED' THEN 'RESERVED' WHEN b.state = 'OUT'"
	" THEN 'OUT'"
	"   WHEN b.state = 'RETURNED' THEN 'OUT' WHEN b.undo_until > 0 THEN 'RESERVED'"
	"   WHEN b.state = 'COMPLETED' THEN 'ENDED' ELSE 'RELEASED' END"
	" AND (SELECT MAX(e.event_id) FROM event e WHERE e.subject_id = b.code)"
	"   <= COALESCE((SELECT p.event_id FROM position p WHERE p.consumer = 'fleet'), 0)"
	" AND NOT EXISTS (SELECT 1 FROM event_retry t WHERE t.consumer = 'fleet' AND t.subject_id = b.code)"
	" AND NOT EXISTS (SELECT 1 FROM event e WHERE e.subject_id = b.code AND e.type = 'car.refused') /*scan*/")

CHECK(reservations_without_booking,
	"SELECT r.booking_code FROM reservation r WHERE NOT EXISTS (SELECT 1 FROM booking b"
	" WHERE b.code = r.booking_code"
	" AND (b.car_id = r.car_id OR EXISTS (SELECT 1 FROM booking_car m WHERE m.booking_id = b.booking_id"
	" AND m.car_id = r.car_id))) /*scan*/")

const struct check booking_checks[] = {
	{ "no two unreleased slots of a car overlap, turnaround time included", CHECK_FAST, overlaps },
	{ "every booking has a slot for each of its cars, of the kind that its state requires", CHECK_FAST,
		slots_and_bookings },
	{ "every slot with a booking refers to an existing booking and one of its cars", CHECK_FAST,
		slots_without_booking },
	{ "every booking has the stated number of cars, and more than one only of the same model", CHECK_FAST,
		cars_of_bookings },
	{ "the price lines of a booking sum to its amount", CHECK_FAST, sums },
	{ "a price line is quantity times unit price, or the lower cap", CHECK_FAST, lines },
	{ "no customer has more open bookings than allowed", CHECK_FAST, quota },
	{ "a customer has one booking per idempotency key", CHECK_FAST, keys },
	{ "every extra of a booking has a price line, and every extra price line has an extra", CHECK_FAST,
		extras_and_lines },
	{ "a booking with delivery has an address and a delivery time within the booking", CHECK_FAST, addresses },
	{ "the version of the terms that a booking accepted exists and was valid then", CHECK_FAST, terms_accepted },
	{ "the versions of each of the firm's documents are numbered from 1 without a gap", CHECK_FAST,
		terms_versions },
	{ "no two custodies of a car overlap", CHECK_FAST, custody_overlaps },
	{ "every car of a booking that is out is in the custody of its customer, and no other is", CHECK_FAST,
		out_without_custody },
	{ "every custody is of a car of its booking, and a customer's of that customer", CHECK_FAST,
		custody_of_others },
	{ "what a no-show or a return leads to waits until it can no longer be undone", CHECK_FAST,
		undo_not_waited_for },
	{ "of a booking that was not picked up the late fee is kept at most", CHECK_FAST, no_shows_kept },
	{ "every no-show and return is final 5 minutes after it can no longer be undone", CHECK_WORK, stuck_undo },
	{ "a cancelled extra is refunded in full, or as much as is left of the price", CHECK_FAST,
		extras_not_refunded },
	{ "the refunds due for a booking, its extras and parts do not exceed the amount paid", CHECK_FAST,
		more_due_than_paid },
	{ "a booking cancelled by the firm is refunded in full", CHECK_FAST, firm_keeps_nothing },
	{ "every cancelled booking, and no other, says who cancelled it", CHECK_FAST, cancelled_by },
	{ "only a booking that the firm could not keep is compensated", CHECK_FAST, compensated_without_cause },
	{ "parts are refunded only of a booking that was confirmed", CHECK_FAST, parts_in_state },
	{ "no hold is older than a minute after its expiry", CHECK_WORK, stuck_holds },
	{ "no paid booking has been unconfirmed for more than 5 minutes", CHECK_WORK, stuck_paid },
	{ "no cancellation or refund of a booking has been pending for more than 15 minutes", CHECK_WORK,
		stuck_refunds },
	{ "no partial refund of a booking has been pending for more than 15 minutes", CHECK_WORK, stuck_extras },
	{ "no refund of a part has been pending for more than 15 minutes", CHECK_WORK, stuck_parts },
	{ "no compensation has been without a payout for more than 15 minutes", CHECK_WORK, stuck_compensations },
	{ "no booking whose car was not there for it is still confirmed 15 minutes after its end", CHECK_WORK,
		late_cars },
	{ "no cancellation has been waiting for delivery for more than 15 minutes", CHECK_WORK, stuck_cancellations },
	{ "the reservations of fleet match the bookings", CHECK_FAST, reservations },
	{ "every reservation refers to a booking and one of its cars", CHECK_FAST, reservations_without_booking },
	{ 0 },
};
