/*
 * sweep.c - what time brings: charges nobody has an answer for, refunds not given back yet. The relay calls it every second.
 *
 * Each try is written down (with a longer pause before the next) before the provider is asked, so a crash in the middle costs
 * a pause and never a loop. Asking twice is harmless, so two sweeps at once are too. A round ends after two seconds: when the
 * provider does not answer, the rest would only wait for it as well.
 */
#include "payment.h"

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
		now, now + BY_HAND_S, ROUND);
}

/* --- one charge --------------------------------------------------------------------------------------------------- */

/* After the pause; but from the moment on that the provider's not knowing it decides, it is not waited for any longer. */
static int64_t
next_look(const struct charge *c, int64_t now)
{
	int64_t after = now + pause_s(c->tries + 1, MAX_PAUSE_S);
	int64_t decides = (c->requested_at < now ? c->requested_at : now) + NEVER_ARRIVED_S + 1;

	return c->state != CHARGE_FAILED && now < decides && decides < after ? decides : after;
}

bool
charge_claim(struct db *db, const struct charge *c)
{
	int64_t now = clock_now();

	return db_do(db, "UPDATE charge SET tries = tries + 1, tried_at = $4, next_at = $2,"
	                 " requested_at = CASE WHEN requested_at > $4 THEN $4 ELSE requested_at END WHERE charge_id = $1 AND tries = $3", c->charge_id,
	             next_look(c, now), c->tries, now) == 1;
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

static const char *
look_error(const struct provider_answer *a)
{
	return a->outcome == PROVIDER_NOTHING ? "not_found" : *a->reason ? a->reason : "no_answer";
}

void
charge_try(struct db *db, struct charge *c, int64_t until_ms)
{
	struct provider_answer a = charge_look_up(db, c, until_ms);

	if (c->state == CHARGE_FAILED)
		look_at_failed(db, c, &a, until_ms);
	else
		charge_settle(db, c, &a);
	db_do(db, "UPDATE charge SET last_error = $2 WHERE charge_id = $1 AND last_error <> $2"
	          " AND (state IN ('REQUESTED', 'UNKNOWN') OR void_wanted = 1)", c->charge_id, look_error(&a));
}

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

bool
refund_claim(struct db *db, const struct refund *r)
{
	int64_t now = clock_now();

	return db_do(db, "UPDATE refund SET tries = tries + 1, tried_at = $4, next_at = $2 WHERE refund_id = $1 AND tries = $3 AND state = 'REQUESTED'",
	             r->refund_id, now + pause_s(r->tries + 1, MAX_PAUSE_S), r->tries, now) == 1;
}

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

/* What a webhook can do: bring a look forward. For a charge given up it asks for one more; the provider decides, not the webhook. */
void
payment_hint(struct db *db, const char *key)
{
	int64_t now = clock_now();
	struct charge c;

	if (!charge_find(db, key, &c))
		return;
	if (c.state == CHARGE_UNKNOWN && c.next_at > now)
		db_do(db, "UPDATE charge SET next_at = $2 WHERE charge_id = $1 AND state = 'UNKNOWN'", c.charge_id, now);
	else if (c.state == CHARGE_FAILED && !c.void_wanted && now - c.settled_at < DAY && now - c.next_at > LOOK_FIRST_S)
		db_do(db, "UPDATE charge SET void_wanted = 1, next_at = $2, tries = 0 WHERE charge_id = $1 AND state = 'FAILED'",
		      c.charge_id, now);
}
