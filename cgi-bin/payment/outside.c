/*
 * outside - refunds made in the provider's own dashboard. Described in payment.h.
 *
 * A cancellation at the provider is one of ours when its reason ends with the key of one of our refunds; every other
 * one is booked as a refund under outside-TRANSACTION, once. When it took what a pending refund of ours needs, that
 * much of ours is withheld: the provider would refuse it. Noticed by webhook (charge_hint), by a refund that the
 * provider refuses because less is left, and every night by `motorpool reconcile`.
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <string.h>

#define COMPARE_MS 3000
#define LIST_MS    10000

/* --- one charge --------------------------------------------------------------------------------------------------- */

static bool
was_charged(const struct charge *c)
{
	return (c->state == CHARGE_APPROVED || c->state == CHARGE_CANCEL_REQUESTED || c->state == CHARGE_CANCELLED)
		&& *c->payment_key;
}

/* A refund of ours: it is done, if we did not know. false: not one of ours. */
static bool
take_own(struct db *db, const struct charge *c, const struct provider_cancel *cancel)
{
	int64_t refund_id = *cancel->refund_key ? db_int(db,
				    "SELECT refund_id FROM refund WHERE key = $1 AND charge_id = $2"
				    " AND is_outside = 0 AND paid_by = 'card'",
				    cancel->refund_key, c->charge_id)
						: 0;

	if (refund_id)
		refund_found(db, refund_id);
	return refund_id != 0;
}

static const struct member newest_members[] = { SHAPE_INT(refund, refund_id), SHAPE_TEXT(refund, key),
	SHAPE_AMOUNT(refund, amount) };
static const struct shape newest_shape = SHAPE(refund, newest_members);

/* Withholds of our pending refunds, the newest first, what they lack. false: there is no room for it nevertheless. */
static bool
make_room(struct db *db, const struct charge *c, int64_t amount)
{
	int64_t lacks;
	struct refund r;

	while ((lacks = amount - (c->amount - charge_owed(db, c))) > 0 && !db_failed(db)) {
		if (!db_one(db, &newest_shape, &r,
			    "SELECT refund_id, key, amount - withheld AS amount FROM refund WHERE charge_id = $1"
			    " AND state = 'REQUESTED' ORDER BY refund_id DESC LIMIT 1",
			    c->charge_id))
			return false;
		refund_withhold(db, c, &r, lacks < r.amount ? lacks : r.amount);
	}
	return true;
}

static enum compare_outcome
take_outside(struct db *db, struct charge *c, const struct provider_cancel *cancel)
{
	const char *key = arena_printf(db_memory(db), "outside-%s", cancel->transaction_key);

	if (db_exists(db, "SELECT 1 FROM refund WHERE key = $1", key))
		return COMPARE_SAME;
	if (!*cancel->transaction_key || strlen(key) > 200 || cancel->amount <= 0)
		return COMPARE_UNKNOWN;
	if (cancel->amount > c->amount - c->refunded_amount || !make_room(db, c, cancel->amount)) {
		log_error("reconcile",
			"%s: %lld were refunded at the provider, more than is left of the charge;"
			" a person must look into it",
			c->key, (long long)cancel->amount);
		return COMPARE_TOO_MUCH;
	}
	refund_outside(db, c, cancel, key);
	log_warn("reconcile", "%s: %lld were refunded at the provider, not by us", c->key, (long long)cancel->amount);
	return COMPARE_BOOKED;
}

/* First what is ours, so that the room for the others is what the provider has. */
static enum compare_outcome
take_all(struct db *db, int64_t charge_id, const struct provider_cancels *p)
{
	enum compare_outcome all = COMPARE_SAME, one;
	bool *is_own = arena_array(db_memory(db), bool, (size_t)p->n + 1);
	struct charge c;

	db_begin(db);
	charge_by_id(db, charge_id, &c);
	for (int i = 0; i < p->n; i++)
		is_own[i] = take_own(db, &c, &p->list[i]);
	charge_by_id(db, charge_id, &c);
	for (int i = 0; i < p->n; i++) {
		one = is_own[i] ? COMPARE_SAME : take_outside(db, &c, &p->list[i]);
		all = one > all ? one : all;
	}
	return db_commit(db) ? all : COMPARE_UNKNOWN;
}

enum compare_outcome
charge_compare(struct db *db, int64_t charge_id, int64_t until_ms)
{
	struct provider_cancels p;
	struct charge c;

	if (!charge_by_id(db, charge_id, &c) || !was_charged(&c) || !db_durable(db))
		return COMPARE_UNKNOWN;
	log_subject(c.subject_id);
	p = provider->cancels(db_memory(db), c.payment_key, until_ms);
	return p.outcome == PROVIDER_OK ? take_all(db, charge_id, &p) : COMPARE_UNKNOWN;
}

/* --- a day -------------------------------------------------------------------------------------------------------- */

/* The charges compared so far: a charge with several cancellations is compared once. */
struct compared { int64_t ids[4096]; int n; };

static bool
is_first(struct compared *seen, int64_t charge_id)
{
	for (int i = 0; i < seen->n; i++)
		if (seen->ids[i] == charge_id)
			return false;
	if (seen->n < (int)(sizeof(seen->ids) / sizeof(seen->ids[0])))
		seen->ids[seen->n++] = charge_id;
	return true;
}

static void
compare_one(struct db *db, const struct charge *c, struct reconciliation *r)
{
	r->n_compared++;
	switch (charge_compare(db, c->charge_id, clock_ms() + COMPARE_MS)) {
	case COMPARE_SAME: break;
	case COMPARE_BOOKED: r->n_booked++; break;
	case COMPARE_TOO_MUCH: r->n_too_much++; break;
	case COMPARE_UNKNOWN: r->n_unanswered++; break;
	}
}

/* A charge without an outcome, or a failed one, is looked up again by the sweep. */
static void
take_change(struct db *db, const struct provider_change *change, struct compared *seen, struct reconciliation *r)
{
	struct charge c;

	r->n_transactions++;
	if (!charge_find(db, change->key, &c)) {
		r->n_unknown++;
		log_warn("reconcile", "%s: the provider has a payment that is not in our books", change->key);
	} else if (!was_charged(&c)) {
		charge_hint(db, change->key);
	} else if (change->is_cancel && is_first(seen, c.charge_id)) {
		compare_one(db, &c, r);
	}
}

struct reconciliation
payment_reconcile(struct db *db, int64_t from, int64_t until)
{
	struct arena *m = db_memory(db);
	struct compared *seen = arena_new_of(m, struct compared);
	struct reconciliation r = { .n_transactions = 0 };
	struct provider_changes page = { .has_more = true };
	const char *after = "";

	seen->n = 0;
	while (page.has_more && db_durable(db)) {
		page = provider->changes(m, from, until, after, clock_ms() + LIST_MS);
		r.n_unanswered += page.outcome != PROVIDER_OK;
		for (int i = 0; i < page.n && !db_failed(db); i++)
			take_change(db, &page.list[i], seen, &r);
		after = page.n ? page.list[page.n - 1].transaction_key : "";
	}
	return r;
}
