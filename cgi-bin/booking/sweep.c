/*
 * sweep - what time brings, so that every saga ends (docs/domain.md 5): a hold nobody pays frees the car; a HELD booking whose worker
 * died between the charge and PAID is finished or refunded; a refund payment could not do at once is asked for again; the slot of a
 * car that is late grows with it; a booking nobody came for ends. What is asked in vain is asked again after growing pauses, a
 * minute at most: so everything ends at most a minute after the other side is there again.
 */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "payment_client.h"

#include "domain/rental.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define AT_ONCE 20      /* per kind and call: between them the relay looks at the log again */
#define LATE_AT_ONCE 200
#define ROUND_MS 2000   /* … and how long payment is asked: when it hangs, the rest would only wait for it as well */

/*
 * A clock that jumped back must not keep work waiting: what was begun later than now, or is due further ahead
 * than any pause, is due. A hold has the length it was given, whatever hold_s says today.
 */
static struct booking *
unpaid_holds(struct db *db, int64_t now, int *n)
{
	struct booking *b = NULL;

	db_list(db, &booking_shape, &b, n,
		"SELECT booking_id, code, customer_id, car_id, currency, state, asked_at, hold_until FROM booking /*scan*/"
		" WHERE state = 'HELD' AND asked_at = 0 AND (hold_until <= $1 OR held_at > $2) ORDER BY hold_until LIMIT $3",
		now, now + CLOCK_SLACK_S, AT_ONCE);
	return b;
}

static struct booking *
asked_holds(struct db *db, int64_t now, int *n)
{
	struct booking *b = NULL;

	db_list(db, &booking_shape, &b, n,
		"SELECT booking_id, code, customer_id, car_id, amount, currency, state, held_at, asked_at, hold_until, ask_tries FROM booking /*scan*/"
		" WHERE state = 'HELD' AND asked_at > 0 AND (asked_at <= $1 OR asked_at > $2)"
		" AND (ask_next_at <= $3 OR ask_next_at > $4 OR hold_until <= $3) ORDER BY ask_next_at /*sort*/ LIMIT $5",
		now - ANSWER_S, now + CLOCK_SLACK_S, now, now + PAUSE_MAX_S, AT_ONCE);
	return b;
}

void
booking_note_error(struct db *db, const struct booking *b, const char *error)
{
	db_do(db, "UPDATE booking SET last_error = $2 WHERE booking_id = $1 AND last_error <> $2", b->booking_id, error);
}

/* Payment was asked and nobody wrote down what it said. */
static void
resolve_asked(struct db *db, struct booking *b)
{
	int64_t charge_id = 0, now = clock_now();
	enum charge_answer answer = payments->look_up(db, b, &charge_id);

	switch (answer) {
	case CHARGE_ANSWER_APPROVED:
		booking_find(db, b->code, 0, b);        /* booking.paid tells more of it than was needed to ask */
		booking_paid(db, b, charge_id);
		return;
	case CHARGE_ANSWER_DECLINED:
		booking_expire(db, b, "declined", false);
		return;
	case CHARGE_ANSWER_NEVER_SEEN:
		booking_expire(db, b, "later", true);   /* the void seals the key: a charge that is still on its way is refused */
		return;
	case CHARGE_ANSWER_NOT_ASKED:
	case CHARGE_ANSWER_UNKNOWN:
		break;
	}
	if (b->hold_until <= now || b->held_at > now + CLOCK_SLACK_S)
		booking_expire(db, b, "later", true);
	else
		booking_note_error(db, b, answer == CHARGE_ANSWER_UNKNOWN ? "no_answer" : "payment_down");
}

/* Each try is written down, with the pause behind it, before payment is asked: a crash in the middle costs a pause, never a loop. */
void
booking_sweep_asked(struct db *db, struct booking *b)
{
	db_do(db, "UPDATE booking SET ask_tries = ask_tries + 1, ask_next_at = $2 WHERE booking_id = $1 AND state = 'HELD'",
		b->booking_id, clock_now() + pause_s(b->ask_tries + 1, PAUSE_MAX_S));
	resolve_asked(db, b);
}

void
booking_sweep_refund(struct db *db, struct booking *b)
{
	db_do(db, "UPDATE booking SET refund_tries = refund_tries + 1, refund_next_at = $2 WHERE booking_id = $1 AND refund_state = 'PENDING'",
		b->booking_id, clock_now() + pause_s(b->refund_tries + 1, PAUSE_MAX_S));
	booking_settle_refund(db, b);
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
		booking_sweep_asked(db, &asked[i]);
	}
	return n_unpaid;        /* asked ones may have to wait for payment: no hurry */
}

static int
sweep_refunds(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct booking *b = NULL;
	int n = 0;

	db_list(db, &booking_shape, &b, &n,
		"SELECT booking_id, code, customer_id, car_id, amount, currency, state, end_reason, refund_state, refund_due, refund_tries"
		" FROM booking /*scan*/"
		" WHERE refund_state = 'PENDING' AND (refund_next_at <= $1 OR refund_next_at > $2) ORDER BY refund_next_at LIMIT $3",
		now, now + PAUSE_MAX_S, AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", b[i].code);
		booking_sweep_refund(db, &b[i]);
	}
	return n;
}

/*
 * Nobody came, and nobody noted it: it is over, and no longer counts among the customer's open bookings. Where it was to be brought,
 * a person says who did not come.
 */
static void
sweep_no_shows(struct db *db, int64_t now)
{
	struct booking *b = NULL;
	int n = 0;

	db_list(db, &booking_shape, &b, &n,
		"SELECT booking_id, code, customer_id, car_id, starts_at, ends_at, state FROM booking /*scan*/"
		" WHERE state = 'CONFIRMED' AND ends_at <= $1 AND cancel_asked_at = 0 AND NOT EXISTS (SELECT 1 FROM v_delivery d"
		" WHERE d.booking_code = booking.code AND d.direction = 'delivery' AND d.state <> 'CANCELLED') ORDER BY ends_at LIMIT $2", now - rental.no_show_after_s, AT_ONCE);
	for (int i = 0; i < n && !db_failed(db); i++) {
		log_task("sweep", b[i].code);
		booking_no_show(db, &b[i], 0);
	}
}

/* Delivery has not said whether these can be cancelled: asked again until it has. */
static int
sweep_cancels(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct booking *due = NULL, b;
	int n = 0;

	db_list(db, &booking_shape, &due, &n,
		"SELECT code FROM booking /*scan*/ WHERE cancel_asked_at > 0 AND (cancel_next_at <= $1 OR cancel_next_at > $2)"
		" ORDER BY cancel_next_at LIMIT $3", now, now + PAUSE_MAX_S, AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++) {
		log_task("sweep", due[i].code);
		if (booking_find(db, due[i].code, 0, &b))
			booking_cancel_again(db, &b);
	}
	return n;
}

/* A car that is late is not there for anybody else: its slot grows with it, half an hour at a time; of several cars each by itself. */
static void
sweep_late(struct db *db, int64_t now)
{
	int64_t slot_id[LATE_AT_ONCE];
	int n = 0;

	for (struct rows *r = db_each(db,
		"SELECT s.slot_id FROM booking b JOIN slot s ON s.booking_id = b.booking_id AND s.booking_id <> 0"
		" WHERE b.state = 'OUT' AND b.ends_at <= $1 AND s.ends_at <= $1 ORDER BY b.ends_at LIMIT $2", now, LATE_AT_ONCE); db_next(r);)
		slot_id[n++] = row_int(r, 0);
	for (int i = 0; i < n && !db_failed(db); i++)
		calendar_stretch(db, slot_id[i], now - now % STEP + STEP);
}

bool
booking_sweep(struct db *db)
{
	int64_t now = clock_now();
	int n = sweep_holds(db, now);

	sweep_late(db, now);
	sweep_no_shows(db, now);
	n += sweep_cancels(db, now) + booking_sweep_extras(db, now);
	return sweep_refunds(db, now) + n >= AT_ONCE;
}
