/*
 * sweep - what is due, so that every saga ends (docs/domain.md 5): an unpaid hold expires; a HELD booking whose worker
 * died between the charge and PAID is finished or refunded; a pending refund is asked for again; the slot of a late car
 * is extended; a booking that was not picked up ends; what can no longer be undone becomes final. A failed try is
 * repeated after growing pauses, a minute at most: so all ends at most a minute after the other side is available
 * again.
 */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "payment_client.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define LATE_AT_ONCE 200

/*
 * A clock that was set back must not delay work: what began later than now, or is due further ahead than the longest
 * pause, is due. A hold keeps the length it was given, whatever hold_s is now.
 */
static struct booking *
unpaid_holds(struct db *db, int64_t now, int *n)
{
	struct booking *b = NULL;

	db_list(db, &booking_shape, &b, n,
		"SELECT booking_id, code, customer_id, car_id, currency, state, asked_at, hold_until, try_no"
		" FROM booking /*scan*/"
		" WHERE state = 'HELD' AND asked_at = 0 AND (hold_until <= $1 OR held_at > $2) ORDER BY hold_until"
		" LIMIT $3",
		now, now + CLOCK_SLACK_S, TRIES_AT_ONCE);
	return b;
}

static struct booking *
asked_holds(struct db *db, int64_t now, int *n)
{
	struct booking *b = NULL;

	db_list(db, &booking_shape, &b, n,
		"SELECT booking_id, code, customer_id, car_id, amount, currency, state, held_at, asked_at, hold_until,"
		" ask_tries, try_no, keeps_hold, card_id FROM booking /*scan*/"
		" WHERE state = 'HELD' AND asked_at > 0 AND (asked_at <= $1 OR asked_at > $2)"
		" AND (ask_next_at <= $3 OR ask_next_at > $4 OR hold_until <= $3) ORDER BY ask_next_at /*sort*/ LIMIT"
		" $5",
		now - ANSWER_S, now + CLOCK_SLACK_S, now, now + PAUSE_MAX_S, TRIES_AT_ONCE);
	return b;
}

/* Payment was asked and its answer was lost. */
static void
finish_asked(struct db *db, struct booking *b)
{
	int64_t charge_id = 0, now = clock_now();
	const char *reason = "";
	enum charge_answer answer = payment_client->look_up(db, b, &charge_id, &reason);

	switch (answer) {
	case CHARGE_ANSWER_APPROVED:
		booking_find(db, b->code, 0, b); /* booking.paid carries more than this list has read */
		booking_mark_paid(db, b, charge_id);
		return;
	case CHARGE_ANSWER_DECLINED: booking_declined(db, b, text_or_empty(reason)); return;
	case CHARGE_ANSWER_NEVER_SEEN:
		booking_expire(
			db, b, "later", true); /* the void closes the key: a charge that arrives later is refused */
		return;
	case CHARGE_ANSWER_NOT_ASKED:
	case CHARGE_ANSWER_UNKNOWN: break;
	}
	if (b->hold_until <= now || b->held_at > now + CLOCK_SLACK_S)
		booking_expire(db, b, "later", true);
	else
		booking_note_error(db, b, answer == CHARGE_ANSWER_UNKNOWN ? "no_answer" : "payment_down");
}

/* The try and the pause after it are recorded before payment is asked: a crash in between costs a pause, never a
 * loop. */
void
booking_look_up_charge(struct db *db, struct booking *b)
{
	db_do(db,
		"UPDATE booking SET ask_tries = ask_tries + 1, ask_next_at = $2 WHERE booking_id = $1"
		" AND state = 'HELD'",
		b->booking_id, clock_now() + pause_s(b->ask_tries + 1, PAUSE_MAX_S));
	finish_asked(db, b);
}

static int
sweep_holds(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	int n_unpaid = 0, n_asked = 0;
	struct booking *unpaid = unpaid_holds(db, now, &n_unpaid);
	struct booking *asked = asked_holds(db, now, &n_asked);

	for (int i = 0; i < n_unpaid && !db_failed(db); i++) {
		log_task("sweep", unpaid[i].code);
		booking_expire(db, &unpaid[i], "hold_over", false);
	}
	for (int i = 0; i < n_asked && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", asked[i].code);
		booking_look_up_charge(db, &asked[i]);
	}
	return n_unpaid; /* the asked ones may have to wait for payment */
}

static int
sweep_refunds(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct booking *b = NULL;
	int n = 0;

	db_list(db, &booking_shape, &b, &n,
		"SELECT booking_id, code, customer_id, car_id, amount, currency, state, end_reason, refund_state,"
		" refund_due, refund_tries, try_no, asked_at"
		" FROM booking /*scan*/"
		" WHERE refund_state = 'PENDING' AND (refund_next_at <= $1 OR refund_next_at > $2)"
		" ORDER BY refund_next_at LIMIT $3",
		now, now + PAUSE_MAX_S, TRIES_AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", b[i].code);
		booking_try_refund(db, &b[i]);
	}
	return n;
}

struct due_extra { int64_t line_no; const char *code; };
static const struct member due_extra_members[] = { SHAPE_INT(due_extra, line_no), SHAPE_TEXT(due_extra, code) };
static const struct shape due_extra_shape = SHAPE(due_extra, due_extra_members);

static int
sweep_extras(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct due_extra *due = NULL;
	struct booking_extra *x;
	struct booking b;
	int n = 0;

	db_list(db, &due_extra_shape, &due, &n,
		"SELECT x.line_no, b.code FROM booking_extra x /*scan*/ JOIN booking b ON b.booking_id = x.booking_id"
		" WHERE x.refund_state = 'PENDING' AND (x.refund_next_at <= $1 OR x.refund_next_at > $2)"
		" ORDER BY x.refund_next_at LIMIT $3",
		now, now + PAUSE_MAX_S, TRIES_AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", due[i].code);
		if (booking_find(db, due[i].code, 0, &b) && (x = booking_extra_of_line(&b, due[i].line_no)))
			booking_try_extra_refund(db, &b, x);
	}
	return n;
}

/*
 * Not picked up, and not recorded by a manager: it ends. With a delivery, only a manager records a no-show; when
 * another person has one of its cars, or had it until its end, it is no no-show. booking_no_show() refuses those whose
 * car came back late: they are tried again in the next round.
 */
static void
sweep_no_shows(struct db *db, int64_t now)
{
	struct booking *b = NULL;
	int n = 0, n_done = 0;

	db_list(db, &booking_shape, &b, &n,
		"SELECT booking_id, code, customer_id, car_id, starts_at, ends_at, state FROM booking"
		" WHERE state = 'CONFIRMED' AND starts_at <= $1 AND cancel_asked_at = 0"
		" AND NOT EXISTS (SELECT 1 FROM v_delivery d"
		" WHERE d.booking_code = booking.code AND d.direction = 'delivery' AND d.state <> 'CANCELLED')"
		" AND NOT EXISTS (SELECT 1 FROM v_booking_without_car a WHERE a.booking_id = booking.booking_id)"
		" AND NOT EXISTS (SELECT 1 FROM v_booked_car g WHERE g.booking_id = booking.booking_id"
		" AND g.service <> 'IN_SERVICE')"
		" ORDER BY starts_at LIMIT $2",
		now - booking_no_show_wait_s(0), LATE_AT_ONCE);
	for (int i = 0; i < n && n_done < TRIES_AT_ONCE && !db_failed(db); i++) {
		log_task("sweep", b[i].code);
		n_done += booking_no_show(db, &b[i], 0);
	}
}

/* Delivery has not answered whether these can be cancelled: it is asked again. */
static int
sweep_cancels(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct booking *due = NULL, b;
	int n = 0;

	db_list(db, &booking_shape, &due, &n,
		"SELECT code FROM booking /*scan*/ WHERE cancel_asked_at > 0"
		" AND (cancel_next_at <= $1 OR cancel_next_at > $2)"
		" ORDER BY cancel_next_at LIMIT $3",
		now, now + PAUSE_MAX_S, TRIES_AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", due[i].code);
		if (booking_find(db, due[i].code, 0, &b))
			booking_cancel_again(db, &b);
	}
	return n;
}

/* The slot of a late car is extended, half an hour at a time; of a booking of several cars, each slot by itself. */
static void
sweep_late(struct db *db, int64_t now)
{
	int64_t slot_id[LATE_AT_ONCE];
	int n = 0;

	for (struct rows *r = db_each(db,
		     "SELECT s.slot_id FROM booking b JOIN slot s ON s.booking_id = b.booking_id AND s.booking_id <> 0"
		     " WHERE b.state = 'OUT' AND b.ends_at <= $1 AND s.ends_at <= $1 ORDER BY b.ends_at LIMIT $2",
		     now, LATE_AT_ONCE);
		db_next(r);)
		slot_id[n++] = row_int(r, 0);
	for (int i = 0; i < n && !db_failed(db); i++)
		calendar_extend(db, slot_id[i], now - now % RENTAL_STEP_S + RENTAL_STEP_S);
}

bool
booking_sweep(struct db *db)
{
	int64_t now = clock_now();
	int n = sweep_holds(db, now);

	sweep_late(db, now);
	sweep_no_shows(db, now);
	n += booking_end_windows(db, now);
	sweep_late_cars(db, now);
	n += sweep_cancels(db, now) + sweep_extras(db, now);
	n += sweep_part_refunds(db, now) + sweep_compensations(db, now);
	return sweep_refunds(db, now) + n >= TRIES_AT_ONCE;
}
