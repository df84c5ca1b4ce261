/*
 * sweep.c - what time brings: charges nobody has an answer for, refunds not given back yet. The relay calls it every second.
 *
 * Each try is written down (with a longer pause before the next) before the provider is asked, so a crash in the middle costs
 * a pause and never a loop. Asking twice is harmless, so two sweeps at once are too. A round ends after two seconds: when the
 * provider does not answer, the rest would only wait for it as well.
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define ROUND 20                /* looked at in one round */
#define ROUND_MS 2000           /* … and how long it may take */
#define ASK_MS 3000

/* --- what is due -------------------------------------------------------------------------------------------------- */

struct due_id { int64_t id; };
static const struct member due_id_members[] = { SHAPE_INT(due_id, id) };
static const struct shape due_id_shape = SHAPE(due_id, due_id_members);

/* A time further away than the longest pause was written before the clock was set back: it is due. */
static int
due_charges(struct db *db, struct due_id **ids)
{
	int64_t now = clock_now();
	int n;

	return db_list(db, &due_id_shape, ids, &n,
		"SELECT charge_id AS id FROM charge /*scan*/"
		" WHERE (state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR void_wanted = 1) AND (next_at <= $1 OR next_at > $2)"
		" AND state <> 'CANCEL_REQUESTED' ORDER BY next_at /*sort*/ LIMIT $3", now, now + LAST_LOOK_S + PAUSE_MAX_S, ROUND);
}

static int
due_refunds(struct db *db, struct due_id **ids)
{
	int64_t now = clock_now();
	int n;

	return db_list(db, &due_id_shape, ids, &n,
		"SELECT refund_id AS id FROM refund /*scan*/"
		" WHERE state = 'REQUESTED' AND (next_at <= $1 OR next_at > $2) ORDER BY next_at /*sort*/ LIMIT $3",
		now, now + BY_HAND_S, ROUND);
}

/* --- one charge --------------------------------------------------------------------------------------------------- */

static void
sweep_charge(struct db *db, int64_t charge_id)
{
	struct charge c;

	if (!charge_by_id(db, charge_id, &c) || !charge_claim(db, &c) || !db_durable(db))
		return;
	log_task("sweep", c.subject_id);
	charge_try(db, &c, clock_ms() + ASK_MS);
}

/* --- one refund --------------------------------------------------------------------------------------------------- */

static void
sweep_refund(struct db *db, int64_t refund_id)
{
	struct refund r = { .refund_id = refund_id, .tries = db_int(db, "SELECT tries FROM refund WHERE refund_id = $1", refund_id) };

	log_task("sweep", "");
	if (refund_claim(db, &r))
		refund_ask(db, refund_id, clock_ms() + ASK_MS);
}

/* --- a round ------------------------------------------------------------------------------------------------------ */

bool
payment_sweep(struct db *db)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct due_id *ids;
	int n_charges = due_charges(db, &ids), n_refunds;

	for (int i = 0; i < n_charges && clock_ms() < end_ms; i++)
		sweep_charge(db, ids[i].id);
	n_refunds = due_refunds(db, &ids);
	for (int i = 0; i < n_refunds && clock_ms() < end_ms; i++)
		sweep_refund(db, ids[i].id);
	return n_charges == ROUND || n_refunds == ROUND;
}
