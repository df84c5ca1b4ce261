/*
 * sweep - charges without an outcome, refunds that are pending, and charges whose refunds are to be compared with the
 * provider's. The relay calls it every second.
 *
 * Each try is recorded, with a longer pause before the next, before the provider is asked: a crash in between costs a
 * pause, never a loop. Asking twice is harmless, and so are two sweeps at once. A round ends after two seconds: when
 * the provider hangs, every further request would wait too.
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define ROUND 20                /* tries in one round */
#define ROUND_MS 2000           /* … which lasts so long at most */
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
		" WHERE (state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR void_wanted = 1)"
		" AND (next_at <= $1 OR next_at > $2)"
		" AND state <> 'CANCEL_REQUESTED' ORDER BY next_at /*sort*/ LIMIT $3",
		now, now + LAST_LOOK_S + PAUSE_MAX_S, ROUND);
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

/* One in a round: without an answer from the provider the next ones would not get any either. */
static int64_t
charge_with_card_to_save(struct db *db)
{
	return db_int(db,
		"SELECT charge_id FROM charge WHERE card_token <> ''"
		" AND state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED') ORDER BY charge_id LIMIT 1 /*scan*/");
}

static int
due_comparisons(struct db *db, struct due_id **ids)
{
	int64_t now = clock_now();
	int n;

	return db_list(db, &due_id_shape, ids, &n,
		"SELECT charge_id AS id FROM charge /*scan*/"
		" WHERE compare_at > 0 AND (compare_at <= $1 OR compare_at > $2)"
		" ORDER BY compare_at /*sort*/ LIMIT $3",
		now, now + COMPARE_AGAIN_S, ROUND);
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
	struct refund r = { .refund_id = refund_id,
		.tries = db_int(db, "SELECT tries FROM refund WHERE refund_id = $1", refund_id) };

	log_task("sweep", "");
	if (refund_claim(db, &r))
		refund_ask(db, refund_id, clock_ms() + ASK_MS);
}

/* --- one comparison ----------------------------------------------------------------------------------------------- */

/* A notice that comes meanwhile sets an earlier time, so it is compared again. */
static void
sweep_comparison(struct db *db, int64_t charge_id)
{
	int64_t again_at = clock_now() + COMPARE_AGAIN_S;

	log_task("sweep", "");
	if (!db_do(db, "UPDATE charge SET compare_at = $2 WHERE charge_id = $1 AND compare_at <> 0", charge_id,
		    again_at))
		return;
	if (charge_compare(db, charge_id, clock_ms() + ASK_MS) != COMPARE_UNKNOWN)
		db_do(db, "UPDATE charge SET compare_at = 0 WHERE charge_id = $1 AND compare_at = $2", charge_id,
			again_at);
}

/* --- a round ------------------------------------------------------------------------------------------------------ */

bool
payment_sweep(struct db *db)
{
	int64_t end_ms = clock_ms() + ROUND_MS;
	struct due_id *ids;
	int n_charges = due_charges(db, &ids), n_refunds, n_comparisons;

	for (int i = 0; i < n_charges && clock_ms() < end_ms; i++)
		sweep_charge(db, ids[i].id);
	n_comparisons = due_comparisons(db, &ids);
	for (int i = 0; i < n_comparisons && clock_ms() < end_ms; i++)
		sweep_comparison(db, ids[i].id);
	n_refunds = due_refunds(db, &ids);
	for (int i = 0; i < n_refunds && clock_ms() < end_ms; i++)
		sweep_refund(db, ids[i].id);
	card_save_of_charge(db, charge_with_card_to_save(db));
	return n_charges == ROUND || n_refunds == ROUND || n_comparisons == ROUND;
}
