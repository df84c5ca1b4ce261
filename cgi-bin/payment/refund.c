/*
 * refund - giving money back. Described in payment.h.
 *
 * A refund's row and its posting refund_owed are on disk before the provider is asked, so it cannot be lost; asking may
 * fail any number of times, because the same key is never refunded twice. When the provider has done it, the row, the
 * posting refund_paid, the charge and the event follow in one transaction.
 */
#include "payment_steps.h"

#include "domain/bookings.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"

#include <string.h>

#define OWN_TRY_S 15            /* how long the sweep leaves a new refund to the process that opened it */

static const struct word refund_stage[] = {
	[REFUND_STAGE_REQUESTED] = { "REQUESTED", N_("In progress") },
	[REFUND_STAGE_DONE]      = { "DONE",      N_("Refunded") },
};
const struct words refund_stage_words = WORDS(refund_stage);

static const struct word paid_by[] = {
	[PAID_BY_CARD] = { "card", N_("To the card") },
	[PAID_BY_BANK] = { "bank", N_("By bank transfer") },
};
const struct words paid_by_words = WORDS(paid_by);

static const struct member refund_members[] = {
	SHAPE_INT(refund, refund_id), SHAPE_TEXT(refund, key), SHAPE_INT(refund, charge_id),
	SHAPE_AMOUNT(refund, amount), SHAPE_STATE(refund, state, refund_stage_words), SHAPE_TEXT(refund, reason),
	SHAPE_TIME(refund, requested_at), SHAPE_TIME(refund, done_at), SHAPE_INT(refund, tries),
	SHAPE_TIME(refund, next_at), SHAPE_TIME(refund, tried_at), SHAPE_TEXT(refund, last_error),
	SHAPE_STATE(refund, paid_by, paid_by_words), SHAPE_AMOUNT(refund, withheld), SHAPE_BOOL(refund, is_outside),
	SHAPE_TIME(refund, seen_at),
};
const struct shape refund_shape = SHAPE(refund, refund_members);

const char *
refund_reason_label(const char *reason)
{
	static const struct word reasons[] = {
		{ "customer", N_("Cancelled by the customer") },
		{ "manager", N_("Cancelled by the branch") },
		{ "firm", N_("Cancelled by us") },
		{ "car_refused", N_("The car could not be provided") },
		{ "outside", N_("Refunded in the payment provider's dashboard") },
		{ "extra", N_("Part of the booking could not be provided") },
		{ "void", N_("Cancelled before the booking was made") },
		{ "later", N_("Cancelled before the booking was made") },
		{ "given_up", N_("Cancelled before the booking was made") },
		{ "declined", N_("Cancelled before the booking was made") },
		{ "hold_over", N_("Cancelled before the booking was made") },
	};
	int part; /* a manager's reason for giving back a part of the price */

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].code, reason) == 0)
			return reasons[i].label;
	part = words_find(&refund_reason_words, reason);
	return part < 0 ? reason : refund_reason_words.word[part].label;
}

/* A refund the provider has not done, with what it needs of its charge. */
struct pending_refund {
	int64_t refund_id, charge_id, amount, withheld, requested_at;   /* amount: without what is withheld */
	const char *key, *reason, *payment_key, *charge_key, *subject_id;
};
static const struct member pending_refund_members[] = {
	SHAPE_INT(pending_refund, refund_id), SHAPE_INT(pending_refund, charge_id), SHAPE_INT(pending_refund, amount),
	SHAPE_TEXT(pending_refund, key), SHAPE_TEXT(pending_refund, reason), SHAPE_TEXT(pending_refund, payment_key),
	SHAPE_TEXT(pending_refund, charge_key), SHAPE_TEXT(pending_refund, subject_id),
	SHAPE_INT(pending_refund, requested_at), SHAPE_INT(pending_refund, withheld),
};
static const struct shape pending_refund_shape = SHAPE(pending_refund, pending_refund_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

void
refunds_of(struct db *db, int64_t charge_id, struct refund **refunds, int *n)
{
	db_list(db, &refund_shape, refunds, n,
		"SELECT " REFUND_COLUMNS " FROM refund WHERE charge_id = $1 ORDER BY refund_id", charge_id);
}

bool
refund_claim(struct db *db, const struct refund *r)
{
	int64_t now = clock_now();

	return db_do(db,
		       "UPDATE refund SET tries = tries + 1, tried_at = $4, next_at = $2 WHERE refund_id = $1"
		       " AND tries = $3 AND state = 'REQUESTED'",
		       r->refund_id, now + pause_s(r->tries + 1, PAUSE_MAX_S), r->tries, now)
		== 1;
}

/* --- owing it ----------------------------------------------------------------------------------------------------- */

static void
begin_refunding(struct db *db, const struct charge *c)
{
	db_do(db,
		"UPDATE charge SET state = 'CANCEL_REQUESTED', settled_at = $2 WHERE charge_id = $1"
		" AND state IN ('APPROVED', 'CANCELLED')",
		c->charge_id, clock_now());
}

static void
end_refunding(struct db *db, const struct charge *c)
{
	db_do(db,
		"UPDATE charge SET state = 'CANCELLED' WHERE charge_id = $1 AND state = 'CANCEL_REQUESTED'"
		" AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.charge_id = $1 AND r.state = 'REQUESTED')",
		c->charge_id);
}

int64_t
refund_open(struct db *db, const struct charge *c, const char *refund_key, int64_t amount, const char *reason)
{
	int64_t now = clock_now(), before = charge_owed(db, c);
	int64_t refund_id = db_int(db,
		"INSERT INTO refund (key, charge_id, amount, state, reason, requested_at, tried_at, next_at)"
		" VALUES ($1, $2, $3, 'REQUESTED', $4, $5, $5, $6) RETURNING refund_id",
		refund_key, c->charge_id, amount, reason, now, now + OWN_TRY_S);

	ledger_refund_owed(db, c, refund_id, amount, before);
	begin_refunding(db, c);
	return refund_id;
}

/* --- refunded outside --------------------------------------------------------------------------------------------- */

/* Of a refund of which nothing is left to make. */
static void
report_nothing_left(struct db *db, const struct charge *c, int64_t refund_id, const char *refund_key)
{
	const struct refund none = { .refund_id = refund_id, .key = refund_key, .amount = 0 };

	payment_report_refunded(db, c, &none, "card");
}

void
refund_withhold(struct db *db, const struct charge *c, const struct refund *r, int64_t amount)
{
	int64_t before = charge_owed(db, c);

	if (!db_do(db,
		    "UPDATE refund SET withheld = withheld + $2, next_at = $3 WHERE refund_id = $1"
		    " AND state = 'REQUESTED'",
		    r->refund_id, amount, clock_now()))
		return;
	ledger_refund_withheld(db, c, r->refund_id, amount, before);
	if (!db_do(db,
		    "UPDATE refund SET state = 'DONE', done_at = $2, last_error = '' WHERE refund_id = $1"
		    " AND withheld = amount",
		    r->refund_id, clock_now()))
		return;
	end_refunding(db, c);
	report_nothing_left(db, c, r->refund_id, r->key);
}

/* Part of an order that is not refunded, because it has been refunded outside: the rest of it is opened, or it is done
 * at once. Answers refund_id; 0: done. */
static int64_t
open_the_rest(struct db *db, const struct charge *c, const struct refund_order *o, int64_t left)
{
	int64_t now = clock_now(), before = charge_owed(db, c);
	int64_t refund_id = db_int(db,
		"INSERT INTO refund (key, charge_id, amount, withheld, state, reason, requested_at, tried_at, next_at,"
		" done_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9) RETURNING refund_id",
		o->refund_key, c->charge_id, o->amount, o->amount - left, left ? "REQUESTED" : "DONE", o->reason, now,
		now + OWN_TRY_S, left ? (int64_t)0 : now);

	if (left) {
		ledger_refund_owed(db, c, refund_id, left, before);
		begin_refunding(db, c);
		return refund_id;
	}
	report_nothing_left(db, c, refund_id, o->refund_key);
	return 0;
}

void
refund_outside(struct db *db, struct charge *c, const struct provider_cancel *cancel, const char *key)
{
	int64_t now = clock_now(), before = charge_owed(db, c);
	const struct refund r = {
		.refund_id = db_int(db,
			"INSERT INTO refund (key, charge_id, amount, state, reason, requested_at, done_at, is_outside)"
			" VALUES ($1, $2, $3, 'DONE', $4, $5, $5, 1) RETURNING refund_id",
			key, c->charge_id, cancel->amount, *cancel->reason ? cancel->reason : "outside", now),
		.key = key,
		.amount = cancel->amount,
	};

	ledger_refund_owed(db, c, r.refund_id, r.amount, before);
	ledger_refund_paid(db, c, r.refund_id, r.amount, PAID_BY_CARD);
	begin_refunding(db, c);
	db_do(db, "UPDATE charge SET refunded_amount = refunded_amount + $2, settled_at = $3 WHERE charge_id = $1",
		c->charge_id, r.amount, now);
	end_refunding(db, c);
	c->refunded_amount += r.amount;
	payment_report_outside(db, c, &r);
}

/* --- giving it back ----------------------------------------------------------------------------------------------- */

/* The money is refunded: by the provider, or by a manager's bank transfer. false: another process has recorded it
 * before. */
static bool
finish_refund(struct db *db, const struct pending_refund *d, enum paid_by how)
{
	const struct refund r = { .refund_id = d->refund_id, .key = d->key, .amount = d->amount };
	const char *paid_by_code = words_code(&paid_by_words, (int)how);
	bool done = false;
	int64_t now = clock_now();
	struct charge c;

	db_begin(db);
	if (db_do(db,
		    "UPDATE refund SET state = 'DONE', done_at = $2, paid_by = $3, last_error = '' WHERE refund_id = $1"
		    " AND state = 'REQUESTED' AND withheld = $4",
		    d->refund_id, now, paid_by_code, d->withheld)
		&& charge_find(db, d->charge_key, &c)) {
		done = true;
		ledger_refund_paid(db, &c, d->refund_id, d->amount, how);
		db_do(db,
			"UPDATE charge SET refunded_amount = refunded_amount + $2, settled_at = $3"
			" WHERE charge_id = $1",
			c.charge_id, d->amount, now);
		end_refunding(db, &c);
		c.refunded_amount += d->amount;
		payment_report_refunded(db, &c, &r, paid_by_code);
	}
	return db_commit(db) && done;
}

/* A second time at once when the answer was lost: the provider refunds a key only once while it remembers it. */
static struct provider_answer
ask_for_refund(struct arena *m, const struct pending_refund *d, int64_t until_ms)
{
	struct provider_refund q = {
		.payment_key = d->payment_key,
		.key = d->key,
		.reason = d->reason,
		.amount = d->amount,
		.withheld = d->withheld,
		.is_old = clock_now() - d->requested_at > KEY_LIVES_S || d->requested_at > clock_now(),
	};
	struct provider_answer a = provider->refund(m, &q, until_ms);

	if (a.outcome == PROVIDER_UNKNOWN && clock_ms() + PROVIDER_AGAIN_MS < until_ms)
		a = provider->refund(m, &q, until_ms);
	if (a.outcome == PROVIDER_DECLINED)
		log_error("refund", "%s: the provider refuses the refund: %s; a person must look into it", d->key,
			a.reason);
	return a;
}

#define PENDING_REFUND "SELECT r.refund_id, r.charge_id, r.amount - r.withheld AS amount, r.withheld, r.requested_at," \
	" r.key, r.reason, c.payment_key, c.key AS charge_key, c.subject_id" \
	" FROM refund r JOIN charge c ON c.charge_id = r.charge_id WHERE r.refund_id = $1 AND r.state = 'REQUESTED'"

void
refund_found(struct db *db, int64_t refund_id)
{
	struct pending_refund d;

	if (db_one(db, &pending_refund_shape, &d, PENDING_REFUND, refund_id))
		finish_refund(db, &d, PAID_BY_CARD);
}

/* Why it was not made; when the provider has less than that left, its cancellations are compared with ours. */
static void
note_refund_error(struct db *db, const struct pending_refund *d, const struct provider_answer *a)
{
	db_do(db, "UPDATE refund SET last_error = $2 WHERE refund_id = $1 AND last_error <> $2 AND state = 'REQUESTED'",
		d->refund_id, *a->reason ? a->reason : "no_answer");
	if (a->has_less)
		db_do(db, "UPDATE charge SET compare_at = $2 WHERE charge_id = $1 AND compare_at = 0", d->charge_id,
			clock_now());
}

bool
refund_ask(struct db *db, int64_t refund_id, int64_t until_ms)
{
	struct provider_answer a;
	struct pending_refund d;

	if (!db_one(db, &pending_refund_shape, &d, PENDING_REFUND, refund_id))
		return !db_failed(db); /* it is done */
	log_subject(d.charge_key);
	if (!db_durable(db))
		return false;
	a = ask_for_refund(db_memory(db), &d, until_ms);
	if (a.outcome == PROVIDER_OK)
		finish_refund(db, &d, PAID_BY_CARD);
	else
		note_refund_error(db, &d, &a);
	return a.outcome == PROVIDER_OK && !db_failed(db);
}

/* --- paid by bank transfer ---------------------------------------------------------------------------------------- */

/* A try since our own claim may have reached the provider: then the customer would be refunded twice. */
static enum resolve_outcome
finish_by_bank(struct db *db, const struct refund *r, const struct pending_refund *d, struct stuck_report *report,
	int64_t actor_id)
{
	bool ours, done = false;

	db_begin(db);
	ours = db_exists(db, "SELECT 1 FROM refund WHERE refund_id = $1 AND tries = $2", r->refund_id, r->tries + 1);
	if (ours)
		done = finish_refund(db, d, PAID_BY_BANK);
	report->amount = d->amount;
	if (done)
		stuck_report_resolved(db, EVENT_PAYMENT_RESOLVED, d->subject_id, report, actor_id);
	if (!db_commit(db))
		return RESOLVE_NOT_STUCK;
	return !ours ? RESOLVE_TOO_SOON : done ? RESOLVE_DONE : RESOLVE_NOT_STUCK;
}

/* The tries, one a minute, are suspended until the manager can report the transfer. */
static void
suspend_tries(struct db *db, const struct refund *r)
{
	db_do(db, "UPDATE refund SET next_at = $2 WHERE refund_id = $1 AND state = 'REQUESTED'", r->refund_id,
		clock_now() + BY_HAND_S);
}

/* It was claimed for nothing. */
static enum resolve_outcome
undo_claim(struct db *db, const struct refund *r, enum resolve_outcome outcome)
{
	db_do(db, "UPDATE refund SET tried_at = $2 WHERE refund_id = $1 AND tries = $3", r->refund_id, r->tried_at,
		r->tries + 1);
	return outcome;
}

/* The provider has not made it, and none was made in its dashboard. */
static enum resolve_outcome
compare_before_bank(struct db *db, const struct refund *r, struct pending_refund *d, int64_t until_ms)
{
	switch (charge_compare(db, r->charge_id, until_ms)) {
	case COMPARE_SAME: break;
	case COMPARE_BOOKED:
	case COMPARE_TOO_MUCH: return RESOLVE_CONTRADICTED;
	case COMPARE_UNKNOWN: return RESOLVE_UNCERTAIN;
	}
	if (!db_one(db, &pending_refund_shape, d, PENDING_REFUND, r->refund_id) || d->amount != r->amount)
		return RESOLVE_CONTRADICTED; /* it was made, which is recorded now */
	return RESOLVE_DONE;
}

/* This claims the try, so that the sweep begins none meanwhile; the last one was long enough ago to have ended. */
enum resolve_outcome
refund_by_bank(struct db *db, const struct refund *r, struct stuck_report *report, int64_t actor_id, int64_t until_ms)
{
	enum resolve_outcome outcome;
	struct pending_refund d;
	int64_t now = clock_now();

	if (r->tried_at > now - NEVER_ARRIVED_S && r->tried_at <= now) {
		suspend_tries(db, r);
		return RESOLVE_TOO_SOON;
	}
	if (!refund_claim(db, r))
		return RESOLVE_NOT_STUCK;
	if (!db_durable(db))
		return RESOLVE_UNCERTAIN;
	outcome = compare_before_bank(db, r, &d, until_ms);
	if (outcome == RESOLVE_DONE)
		return finish_by_bank(db, r, &d, report, actor_id);
	return outcome == RESOLVE_UNCERTAIN ? undo_claim(db, r, outcome) : outcome;
}

/* --- what callers ask for ----------------------------------------------------------------------------------------- */

/*
 * Claims a pending refund for a try now. The claim is in the row first, so that a manager cannot report a transfer at
 * the same time; it fails while tries are suspended for one. waiting 0: none is pending.
 */
static enum refund_outcome
claim_pending(struct db *db, int64_t waiting, int64_t *refund_id)
{
	int64_t now = clock_now();

	*refund_id = db_do(db,
			     "UPDATE refund SET tries = tries + 1, tried_at = $2 WHERE refund_id = $1"
			     " AND state = 'REQUESTED' AND (next_at <= $3 OR next_at > $4)",
			     waiting, now, now + PAUSE_MAX_S, now + BY_HAND_S)
		? waiting
		: 0;
	return waiting ? REFUND_OUTCOME_PENDING : REFUND_OUTCOME_DONE;
}

/* So much more than what is left may be asked for: it is not refunded a second time. */
static int64_t
refunded_outside(struct db *db, const struct charge *c)
{
	return db_int(db, "SELECT COALESCE(SUM(amount), 0) FROM refund WHERE charge_id = $1 AND is_outside = 1",
		c->charge_id);
}

/* Of a charge that was approved. Fills *refund_id with the refund to be asked for now; 0: none. */
static enum refund_outcome
open_refund(struct db *db, const struct refund_order *o, const struct charge *c, int64_t *refund_id)
{
	int64_t left = c->amount - charge_owed(db, c), amount = o->amount ? o->amount : left;

	if (amount > left && amount - left > refunded_outside(db, c))
		return REFUND_OUTCOME_TOO_MUCH;
	if (amount > left) {
		*refund_id = open_the_rest(db, c, o, left);
		return *refund_id ? REFUND_OUTCOME_PENDING : REFUND_OUTCOME_DONE;
	}
	if (amount == 0) /* a void of what is being refunded already: the pending one is asked for again */
		return claim_pending(db,
			db_int(db,
				"SELECT refund_id FROM refund WHERE charge_id = $1 AND state = 'REQUESTED'"
				" ORDER BY refund_id LIMIT 1",
				c->charge_id),
			refund_id);
	*refund_id = refund_open(db, c, o->refund_key, amount, o->reason);
	return REFUND_OUTCOME_PENDING;
}

/* The refund's key came before: the same answer again. */
static enum refund_outcome
repeat_refund(struct db *db, const struct refund_order *o, const struct charge *c, int64_t *refund_id)
{
	struct refund r;

	if (!db_one(db, &refund_shape, &r, "SELECT " REFUND_COLUMNS " FROM refund WHERE key = $1", o->refund_key))
		return REFUND_OUTCOME_NO_CHARGE;
	if (r.charge_id != c->charge_id || (o->amount && r.amount != o->amount))
		return REFUND_OUTCOME_KEY_REUSED;
	return claim_pending(db, r.state == REFUND_STAGE_REQUESTED ? r.refund_id : 0, refund_id);
}

/* The outcome of the charge is unknown: it is refunded if it turns out approved. The sweep asks at once. */
static void
want_void(struct db *db, const struct charge *c)
{
	db_do(db,
		"UPDATE charge SET void_wanted = 1, next_at = CASE WHEN state = 'UNKNOWN' THEN $2 ELSE next_at END"
		" WHERE charge_id = $1",
		c->charge_id, clock_now());
}

/* Inside the transaction. */
static enum refund_outcome
decide_refund(struct db *db, const struct refund_order *o, struct charge *c, int64_t *refund_id)
{
	if (!charge_find(db, o->key, c)) {
		if (o->amount)
			return REFUND_OUTCOME_NO_CHARGE;
		charge_seal(db, o->key, o->subject_id, c);
		return REFUND_OUTCOME_DONE;
	}
	if (db_exists(db, "SELECT 1 FROM refund WHERE key = $1", o->refund_key))
		return repeat_refund(db, o, c, refund_id);
	switch ((enum charge_state)c->state) {
	case CHARGE_APPROVED:
	case CHARGE_CANCEL_REQUESTED:
	case CHARGE_CANCELLED: return open_refund(db, o, c, refund_id);
	case CHARGE_FAILED: return o->amount ? REFUND_OUTCOME_NO_CHARGE : REFUND_OUTCOME_DONE;
	case CHARGE_REQUESTED:
	case CHARGE_UNKNOWN: break;
	}
	if (o->amount)
		return REFUND_OUTCOME_NO_CHARGE;
	want_void(db, c);
	return REFUND_OUTCOME_PENDING;
}

enum refund_outcome
refund_make(struct db *db, const struct refund_order *o, struct charge *c)
{
	int64_t until_ms = clock_ms() + o->deadline_ms - PROVIDER_MARGIN_MS, refund_id = 0;
	enum refund_outcome outcome;

	db_begin(db);
	outcome = decide_refund(db, o, c, &refund_id);
	if (!db_commit(db) || !refund_id)
		return outcome;
	if (!refund_ask(db, refund_id, until_ms))
		return REFUND_OUTCOME_PENDING;
	charge_find(db, o->key, c);
	/* a void may have several pending refunds, and this one may be done before another */
	return db_exists(db, "SELECT 1 FROM refund WHERE charge_id = $1 AND state = 'REQUESTED'", c->charge_id)
			&& !o->amount
		? REFUND_OUTCOME_PENDING
		: REFUND_OUTCOME_DONE;
}
