/*
 * firm - the firm cannot keep a booking: its car is late, broken or gone. Until the car is handed over, the firm can
 * cancel it at any time, also after its start. Then all is refunded, and the customer gets a compensation, which is a
 * payout of payment (CODE-compensation). What is owed is in the booking's row first; payment is asked at once, and by
 * the sweep until it has the payout.
 *
 * A booking whose car others still have too long after its start, or had until its end, is cancelled so by the sweep;
 * and one whose car is not in service then.
 */
#include "booking.h"
#include "booking_steps.h"
#include "gone.h"
#include "payment_client.h"

#include "domain/cars.h"
#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

/* --- cancelling --------------------------------------------------------------------------------------------------- */

int64_t
compensation_of(const struct booking *b)
{
	int64_t share = (int64_t)((__int128)b->amount * rental.firm_compensation_percent / 100);

	return share > rental.firm_compensation_min ? share : rental.firm_compensation_min;
}

bool
firm_cancel_preview(const struct booking *b, struct cancel_preview *p)
{
	*p = (struct cancel_preview){ .percent = 100, .rule = "firm", .gone = booking_refunds_due(b) };
	if (b->state != BOOKING_PAID && b->state != BOOKING_CONFIRMED)
		return false;
	p->refund = b->amount - p->gone;
	p->compensation = compensation_of(b);
	return true;
}

enum cancel_outcome
booking_cancel_by_firm(struct db *db, struct booking *b, const struct firm_cancel *f)
{
	const struct cancel_wish wish = {
		.actor_id = f->actor_id,
		.end_reason = "firm",
		.by = CANCEL_BY_FIRM,
		.reason = f->reason,
		.note = f->note,
	};

	if (b->state == BOOKING_HELD) /* nothing was paid: it expires, or its customer gives it up */
		return CANCEL_NOT_POSSIBLE;
	return booking_cancel_as(db, b, &wish);
}

/* --- the compensation --------------------------------------------------------------------------------------------- */

void
booking_try_compensation(struct db *db, struct booking *b)
{
	const struct booking_payout payout = {
		.key = arena_printf(db_memory(db), "%s-compensation", b->code),
		.kind = "compensation",
		.amount = b->compensation_due,
	};

	if (b->compensation_state != REFUND_PENDING)
		return;
	db_do(db,
		"UPDATE booking SET compensation_tries = compensation_tries + 1, compensation_next_at = $2"
		" WHERE booking_id = $1 AND compensation_state = 'PENDING'",
		b->booking_id, clock_now() + pause_s(b->compensation_tries + 1, PAUSE_MAX_S));
	b->compensation_tries++;
	switch (payment_client->payout(db, b, &payout)) {
	case PAYOUT_ANSWER_DONE: break;
	case PAYOUT_ANSWER_REFUSED:
		log_error("payout", "payment refuses %s; a person must look into it", payout.key);
		return;
	case PAYOUT_ANSWER_LATER: return;
	}
	db_do(db,
		"UPDATE booking SET compensation_state = 'DONE' WHERE booking_id = $1"
		" AND compensation_state = 'PENDING'",
		b->booking_id);
	b->compensation_state = REFUND_DONE;
}

int
sweep_compensations(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct booking *b = NULL;
	int n = 0;

	db_list(db, &booking_shape, &b, &n,
		"SELECT booking_id, code, customer_id, currency, compensation_due, compensation_state,"
		" compensation_tries FROM booking /*scan*/ WHERE compensation_state = 'PENDING'"
		" AND (compensation_next_at <= $1 OR compensation_next_at > $2) ORDER BY compensation_next_at LIMIT $3",
		now, now + PAUSE_MAX_S, TRIES_AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", b[i].code);
		booking_try_compensation(db, &b[i]);
	}
	return n;
}

/* --- the car was not there for it --------------------------------------------------------------------------------- */

static const char *
why_no_car(struct db *db, const struct booking *b)
{
	struct car_gone gone;

	if (b->no_car_since || !booking_car_gone(db, b, &gone))
		return "car_late";
	return gone.service == SERVICE_RETIRED ? "car_gone" : "car_broken";
}

/* With a courier on the way to its customer, it has its car. */
void
sweep_late_cars(struct db *db, int64_t now)
{
	struct firm_cancel late = { .actor_id = 0, .note = "" };
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct booking *due = NULL, b;
	int n = 0;

	db_list(db, &booking_shape, &due, &n,
		"SELECT b.code FROM booking b WHERE b.state = 'CONFIRMED' AND b.starts_at <= $1"
		" AND b.cancel_asked_at = 0 AND (b.starts_at <= $2 OR b.ends_at <= $1)"
		" AND (EXISTS (SELECT 1 FROM v_booking_without_car a WHERE a.booking_id = b.booking_id)"
		" OR EXISTS (SELECT 1 FROM v_booked_car g WHERE g.booking_id = b.booking_id"
		" AND g.service <> 'IN_SERVICE'))"
		" AND NOT EXISTS (SELECT 1 FROM v_delivery d WHERE d.booking_code = b.code"
		" AND d.direction = 'delivery' AND d.state IN ('SHIPPED', 'DELIVERED'))"
		" ORDER BY b.starts_at LIMIT $3",
		now, now - rental.late_car_cancel_s, TRIES_AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", due[i].code);
		if (!booking_find(db, due[i].code, 0, &b))
			continue;
		late.reason = why_no_car(db, &b);
		booking_cancel_by_firm(db, &b, &late);
	}
}
