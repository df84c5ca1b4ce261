/*
 * sweep - what time brings, so that every saga ends (DOMAIN 5): a hold nobody pays frees the car; a HELD booking whose worker
 * died between the charge and PAID is finished or refunded; a refund payment could not do at once is asked for again; the slot of a
 * car that is late grows with it.
 */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "payments.h"

#include "../../lib/clock.h"
#include "../../lib/settings.h"

#define AT_ONCE 20      /* per kind and call: between them the relay looks at the log again */
#define LATE_AT_ONCE 200
#define ROUND_MS 2000   /* … and how long payment is asked: when it hangs, the rest would only wait for it as well */
#define ANSWER_S 10     /* whoever asked payment longer ago than this is not coming back for the answer */

/* A clock that jumped back must not keep work waiting: what lies further ahead than it ever could is due (GROUND Events 3). */
static struct booking *
unpaid_holds(struct db *db, int64_t now, int *n)
{
	struct booking *b = NULL;

	db_list(db, &booking_shape, &b, n,
		"SELECT booking_id, code, customer_id, car_id, currency, state, asked_at, hold_until FROM booking /*scan*/"
		" WHERE state = 'HELD' AND asked_at = 0 AND (hold_until <= $1 OR hold_until > $2) LIMIT $3",
		now, now + settings.hold_s + 60, AT_ONCE);
	return b;
}

static struct booking *
asked_holds(struct db *db, int64_t now, int *n)
{
	struct booking *b = NULL;

	db_list(db, &booking_shape, &b, n,
		"SELECT booking_id, code, customer_id, car_id, amount, currency, state, asked_at, hold_until FROM booking /*scan*/"
		" WHERE state = 'HELD' AND asked_at > 0 AND (asked_at <= $1 OR asked_at > $2) LIMIT $3",
		now - ANSWER_S, now + 60, AT_ONCE);
	return b;
}

/* Payment was asked and nobody wrote down what it said. */
static void
resolve_asked(struct db *db, struct booking *b, int64_t now)
{
	int64_t charge_id = 0;
	bool over = b->hold_until <= now || b->hold_until > now + settings.hold_s + 60;

	switch (payments->look_up(db, b, &charge_id)) {
	case CHARGE_APPROVED:
		booking_reload(db, b);          /* booking.paid tells more of it than was needed to ask */
		booking_paid(db, b, charge_id);
		break;
	case CHARGE_DECLINED:
		booking_expire(db, b, "declined", false);
		break;
	case CHARGE_NEVER_SEEN:
		booking_expire(db, b, "later", true);   /* the void seals the key: a charge that is still on its way is refused */
		break;
	case CHARGE_NOT_ASKED:
	case CHARGE_UNKNOWN:
		if (over)
			booking_expire(db, b, "later", true);
		break;
	}
}

static int
sweep_holds(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	int n_unpaid = 0, n_asked = 0;
	struct booking *unpaid = unpaid_holds(db, now, &n_unpaid);
	struct booking *asked = asked_holds(db, now, &n_asked);

	for (int i = 0; i < n_unpaid && !db_failed(db); i++)
		booking_expire(db, &unpaid[i], "hold_over", false);
	for (int i = 0; i < n_asked && !db_failed(db) && clock_ms() < end_ms; i++)
		resolve_asked(db, &asked[i], now);
	return n_unpaid;        /* asked ones may have to wait for payment: no hurry */
}

static int
sweep_refunds(struct db *db, int64_t now)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct booking *b = NULL;
	int n = 0;

	db_list(db, &booking_shape, &b, &n,
		"SELECT booking_id, code, customer_id, car_id, amount, currency, state, end_reason, refund_state, refund_due FROM booking /*scan*/"
		" WHERE refund_state = 'PENDING' AND (refund_next_at <= $1 OR refund_next_at > $2) ORDER BY refund_next_at LIMIT $3",
		now, now + 600, AT_ONCE);
	for (int i = 0; i < n && !db_failed(db) && clock_ms() < end_ms; i++)
		booking_settle_refund(db, &b[i]);
	return n;
}

/* A car that is late is not there for anybody else: its slot grows with it, half an hour at a time. */
static void
sweep_late(struct db *db, int64_t now)
{
	struct booking *b = NULL;
	int n = 0;

	db_list(db, &booking_shape, &b, &n,
		"SELECT b.booking_id FROM booking b JOIN slot s ON s.booking_id = b.booking_id AND s.booking_id <> 0"
		" WHERE b.state = 'OUT' AND b.ends_at <= $1 AND s.ends_at <= $1 ORDER BY b.ends_at LIMIT $2", now, LATE_AT_ONCE);
	for (int i = 0; i < n && !db_failed(db); i++)
		calendar_stretch(db, b[i].booking_id, now - now % STEP + STEP);
}

bool
booking_sweep(struct db *db)
{
	int64_t now = clock_now();
	int n = sweep_holds(db, now);

	sweep_late(db, now);
	return sweep_refunds(db, now) + n >= AT_ONCE;
}
