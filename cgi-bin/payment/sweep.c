/*
 * sweep.c - what time brings: charges nobody has an answer for, refunds not given back yet. The relay calls it every second.
 *
 * Each try is written down (with a longer pause before the next) before the provider is asked, so a crash in the middle costs
 * a pause and never a loop. Asking twice is harmless, so two sweeps at once are too. A round ends after two seconds: when the
 * provider does not answer, the rest would only wait for it as well.
 */
#include "payment.h"

#include "../../lib/clock.h"
#include "../../lib/log.h"

#define ROUND 20                /* looked at in one round */
#define ROUND_MS 2000           /* … and how long it may take */
#define ASK_MS 3000

int64_t
payment_pause(int64_t tries)
{
	return tries >= 10 ? MAX_PAUSE_S : tries > 0 ? (int64_t)1 << tries : 1;
}

/* --- what is due -------------------------------------------------------------------------------------------------- */

struct due_id { int64_t id; };
static const struct member due_id_members[] = { SHAPE_INT(due_id, id) };
static const struct shape due_id_shape = SHAPE(due_id, due_id_members);

/* A time further away than the longest pause was written before the clock was set back: it is due (GROUND Events 3). */
static int
due_charges(struct db *db, struct due_id **ids)
{
	int64_t now = clock_now();
	int n;

	return db_list(db, &due_id_shape, ids, &n,
		"SELECT charge_id AS id FROM charge /*scan*/"
		" WHERE (state IN ('REQUESTED', 'UNKNOWN', 'CANCEL_REQUESTED') OR void_wanted = 1) AND (next_at <= $1 OR next_at > $2)"
		" AND state <> 'CANCEL_REQUESTED' ORDER BY next_at /*sort*/ LIMIT $3", now, now + LAST_LOOK_S + MAX_PAUSE_S, ROUND);
}

static int
due_refunds(struct db *db, struct due_id **ids)
{
	int64_t now = clock_now();
	int n;

	return db_list(db, &due_id_shape, ids, &n,
		"SELECT refund_id AS id FROM refund /*scan*/"
		" WHERE state = 'REQUESTED' AND (next_at <= $1 OR next_at > $2) ORDER BY next_at /*sort*/ LIMIT $3",
		now, now + MAX_PAUSE_S, ROUND);
}

/* --- one charge --------------------------------------------------------------------------------------------------- */

/* Writes the try down. false: somebody else has just taken it. */
static bool
claim_charge(struct db *db, const struct charge *c)
{
	return db_do(db, "UPDATE charge SET tries = tries + 1, next_at = $2 WHERE charge_id = $1 AND tries = $3", c->charge_id,
	             clock_now() + payment_pause(c->tries), c->tries) == 1;
}

/* The last look at a charge that never arrived, or whose key was sealed: what the provider has after all goes back whole. */
static void
look_at_failed(struct db *db, const struct charge *c, const struct provider_answer *a, int64_t until_ms)
{
	struct arena *m = db_memory(db);
	struct provider_refund q = {
		.payment_key = a->payment_key, .key = arena_printf(m, "%s-late", c->key), .reason = "late", .amount = a->balance,
	};

	if (a->outcome == PROVIDER_UNKNOWN)
		return;
	if (a->outcome == PROVIDER_OK && a->balance > 0) {
		log_warn("sweep", "%s: charged after all, long after it was given up; it goes back", c->key);
		if (provider->refund(m, &q, until_ms).outcome != PROVIDER_OK)
			return;
	}
	db_do(db, "UPDATE charge SET void_wanted = 0 WHERE charge_id = $1 AND state = 'FAILED'", c->charge_id);
}

static void
sweep_charge(struct db *db, int64_t charge_id)
{
	int64_t until_ms = clock_ms() + ASK_MS;
	struct provider_answer a;
	struct charge c;

	if (!charge_by_id(db, charge_id, &c) || !claim_charge(db, &c) || !db_durable(db))
		return;
	a = charge_look_up(db, &c, until_ms);
	if (c.state == IS_FAILED)
		look_at_failed(db, &c, &a, until_ms);
	else
		charge_settle(db, &c, &a);
}

/* --- one refund --------------------------------------------------------------------------------------------------- */

static void
sweep_refund(struct db *db, int64_t refund_id)
{
	int64_t tries = db_int(db, "SELECT tries FROM refund WHERE refund_id = $1", refund_id);

	if (db_do(db, "UPDATE refund SET tries = tries + 1, next_at = $2 WHERE refund_id = $1 AND tries = $3 AND state = 'REQUESTED'",
	          refund_id, clock_now() + payment_pause(tries), tries))
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

/* What a webhook can do: bring a look forward. For a charge given up it asks for one more; the provider decides, not the webhook. */
void
payment_hint(struct db *db, const char *key)
{
	int64_t now = clock_now();
	struct charge c;

	if (!charge_find(db, key, &c))
		return;
	if (c.state == IS_UNKNOWN && c.next_at > now)
		db_do(db, "UPDATE charge SET next_at = $2 WHERE charge_id = $1 AND state = 'UNKNOWN'", c.charge_id, now);
	else if (c.state == IS_FAILED && !c.void_wanted && now - c.settled_at < DAY && now - c.next_at > LOOK_FIRST_S)
		db_do(db, "UPDATE charge SET void_wanted = 1, next_at = $2, tries = 0 WHERE charge_id = $1 AND state = 'FAILED'",
		      c.charge_id, now);
}
