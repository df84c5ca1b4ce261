/*
 * refund.c - giving money back. The story is in payment.h.
 *
 * From the moment a refund is decided its row and the posting refund_owed stand on disk, so it cannot be forgotten; asking the
 * provider may fail as often as it likes, because the same key never gives back twice. When the provider has done it, the row,
 * the posting refund_paid, the charge and the event follow in one transaction.
 */
#include "payment.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"

#include <string.h>

#define AT_IT_S 15              /* the sweep leaves a fresh refund to the process that opened it */

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
	SHAPE_INT(refund, refund_id), SHAPE_TEXT(refund, key), SHAPE_INT(refund, charge_id), SHAPE_AMOUNT(refund, amount),
	SHAPE_STATE(refund, state, refund_stage_words), SHAPE_TEXT(refund, reason), SHAPE_TIME(refund, requested_at),
	SHAPE_TIME(refund, done_at), SHAPE_INT(refund, tries), SHAPE_TIME(refund, next_at), SHAPE_TIME(refund, tried_at),
	SHAPE_TEXT(refund, last_error), SHAPE_STATE(refund, paid_by, paid_by_words),
};
const struct shape refund_shape = SHAPE(refund, refund_members);

const char *
refund_reason_label(const char *reason)
{
	static const struct word reasons[] = {
		{ "customer",    N_("Cancelled by the customer") },
		{ "manager",     N_("Cancelled by the branch") },
		{ "car_refused", N_("The car could not be provided") },
		{ "extra",       N_("Part of the booking could not be provided") },
		{ "void",        N_("Cancelled before the booking was made") },
		{ "later",       N_("Cancelled before the booking was made") },
		{ "given_up",    N_("Cancelled before the booking was made") },
		{ "hold_over",   N_("Cancelled before the booking was made") },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].code, reason) == 0)
			return reasons[i].label;
	return reason;
}

struct cancel_report { int64_t charge_id, refund_id, customer_id, amount, refunded_amount; const char *currency, *paid_by, *refund_key; };
static const struct member cancel_report_members[] = {
	SHAPE_INT(cancel_report, charge_id), SHAPE_INT(cancel_report, refund_id), SHAPE_INT(cancel_report, customer_id),
	SHAPE_AMOUNT(cancel_report, amount), SHAPE_AMOUNT(cancel_report, refunded_amount), SHAPE_TEXT(cancel_report, currency),
	SHAPE_TEXT(cancel_report, paid_by), SHAPE_TEXT(cancel_report, refund_key),
};
static const struct shape cancel_report_shape = SHAPE(cancel_report, cancel_report_members);

/* What one refund needs of its charge to be asked for and written down. */
struct due {
	int64_t refund_id, charge_id, amount, requested_at;
	const char *key, *reason, *payment_key, *charge_key, *subject_id;
};
static const struct member due_members[] = {
	SHAPE_INT(due, refund_id), SHAPE_INT(due, charge_id), SHAPE_INT(due, amount), SHAPE_TEXT(due, key), SHAPE_TEXT(due, reason),
	SHAPE_TEXT(due, payment_key), SHAPE_TEXT(due, charge_key), SHAPE_TEXT(due, subject_id),
	SHAPE_INT(due, requested_at),
};
static const struct shape due_shape = SHAPE(due, due_members);

/* --- owing it ----------------------------------------------------------------------------------------------------- */

static int64_t
owed(struct db *db, const struct charge *c)
{
	return db_int(db, "SELECT COALESCE(SUM(amount), 0) FROM refund WHERE charge_id = $1", c->charge_id);
}

int64_t
refund_left(struct db *db, const struct charge *c)
{
	return c->amount - owed(db, c);
}

int64_t
refund_open(struct db *db, const struct charge *c, const char *refund_key, int64_t amount, const char *reason)
{
	int64_t now = clock_now(), before = owed(db, c);
	int64_t refund_id = db_int(db,
		"INSERT INTO refund (key, charge_id, amount, state, reason, requested_at, tried_at, next_at)"
		" VALUES ($1, $2, $3, 'REQUESTED', $4, $5, $5, $6) RETURNING refund_id",
		refund_key, c->charge_id, amount, reason, now, now + AT_IT_S);

	ledger_refund_owed(db, c, refund_id, amount, before);
	db_do(db, "UPDATE charge SET state = 'CANCEL_REQUESTED', settled_at = $2 WHERE charge_id = $1 AND state IN ('APPROVED', 'CANCELLED')",
	      c->charge_id, now);
	return refund_id;
}

/* --- giving it back ----------------------------------------------------------------------------------------------- */

/* The money is back: the provider has done it, or a manager by transfer. Harmless when somebody else has written it down first. */
static bool
finish(struct db *db, const struct due *d, enum paid_by how)
{
	struct cancel_report r = {
		.charge_id = d->charge_id, .refund_id = d->refund_id, .amount = d->amount, .paid_by = words_code(&paid_by_words, (int)how),
		.refund_key = d->key,
	};
	bool done = false;
	int64_t now = clock_now();
	struct charge c;

	db_begin(db);
	if (db_do(db, "UPDATE refund SET state = 'DONE', done_at = $2, paid_by = $3, last_error = '' WHERE refund_id = $1 AND state = 'REQUESTED'",
	          d->refund_id, now, r.paid_by) && charge_find(db, d->charge_key, &c)) {
		done = true;
		ledger_refund_paid(db, &c, d->refund_id, d->amount, how);
		db_do(db, "UPDATE charge SET refunded_amount = refunded_amount + $2, settled_at = $3 WHERE charge_id = $1", c.charge_id,
		      d->amount, now);
		db_do(db, "UPDATE charge SET state = 'CANCELLED' WHERE charge_id = $1 AND state = 'CANCEL_REQUESTED'"
		          " AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.charge_id = $1 AND r.state = 'REQUESTED')", c.charge_id);
		r.customer_id = c.user_id;
		r.refunded_amount = c.refunded_amount + d->amount;
		r.currency = c.currency;
		event_emit(db, &(struct event){ .type = "payment.cancelled", .subject_id = c.subject_id }, &cancel_report_shape, &r);
	}
	return db_commit(db) && done;
}

/* Once more at once when the answer was lost: the same key never gives back twice while the provider remembers it. */
static struct provider_answer
give_back(struct arena *m, const struct due *d, int64_t until_ms)
{
	struct provider_refund q = {
		.payment_key = d->payment_key, .key = d->key, .reason = d->reason, .amount = d->amount,
		.is_old = clock_now() - d->requested_at > KEY_LIVES_S || d->requested_at > clock_now(),
	};
	struct provider_answer a = provider->refund(m, &q, until_ms);

	if (a.outcome == PROVIDER_UNKNOWN && clock_ms() + PROVIDER_AGAIN_MS < until_ms)
		a = provider->refund(m, &q, until_ms);
	if (a.outcome == PROVIDER_DECLINED)
		log_error("refund", "%s: the provider will not give it back: %s; somebody must look", d->key, a.reason);
	return a;
}

#define DUE "SELECT r.refund_id, r.charge_id, r.amount, r.requested_at, r.key, r.reason, c.payment_key, c.key AS charge_key, c.subject_id" \
	" FROM refund r JOIN charge c ON c.charge_id = r.charge_id WHERE r.refund_id = $1 AND r.state = 'REQUESTED'"

bool
refund_ask(struct db *db, int64_t refund_id, int64_t until_ms)
{
	struct provider_answer a;
	struct due d;

	if (!db_one(db, &due_shape, &d, DUE, refund_id))
		return !db_failed(db);          /* done already */
	log_subject(d.charge_key);
	if (!db_durable(db))
		return false;
	a = give_back(db_memory(db), &d, until_ms);
	if (a.outcome == PROVIDER_OK)
		finish(db, &d, PAID_BY_CARD);
	else
		db_do(db, "UPDATE refund SET last_error = $2 WHERE refund_id = $1 AND last_error <> $2 AND state = 'REQUESTED'", refund_id,
		      *a.reason ? a.reason : "no_answer");
	return a.outcome == PROVIDER_OK && !db_failed(db);
}

/* --- given back by hand -------------------------------------------------------------------------------------------- */

/* Somebody who has asked for it since our own claim may have been heard by the provider: then both would pay. */
static enum stuck_outcome
pay_by_bank(struct db *db, const struct refund *r, const struct due *d, struct stuck_report *report, int64_t actor_id)
{
	bool ours, done = false;

	db_begin(db);
	ours = db_exists(db, "SELECT 1 FROM refund WHERE refund_id = $1 AND tries = $2", r->refund_id, r->tries + 1);
	if (ours)
		done = finish(db, d, PAID_BY_BANK);
	report->amount = d->amount;
	if (done)
		stuck_report_resolved(db, EVENT_PAYMENT_RESOLVED, d->subject_id, report, actor_id);
	if (!db_commit(db))
		return STUCK_NO_MORE;
	return !ours ? STUCK_TOO_SOON : done ? STUCK_RESOLVED : STUCK_NO_MORE;
}

/* It is asked for every minute: for whoever has just paid it, the asking rests until he can say so. */
static void
leave_alone(struct db *db, const struct refund *r)
{
	db_do(db, "UPDATE refund SET next_at = $2 WHERE refund_id = $1 AND state = 'REQUESTED'", r->refund_id, clock_now() + BY_HAND_S);
}

/* The try is claimed, so no sweep begins one meanwhile; and the last was long enough ago to be done with. */
enum stuck_outcome
refund_by_bank(struct db *db, const struct refund *r, struct stuck_report *report, int64_t actor_id, int64_t until_ms)
{
	struct provider_refund q = { .key = r->key, .reason = r->reason, .amount = r->amount };
	struct due d;
	int64_t now = clock_now();

	if (r->tried_at > now - NEVER_ARRIVED_S && r->tried_at <= now) {
		leave_alone(db, r);
		return STUCK_TOO_SOON;
	}
	if (!refund_claim(db, r) || !db_one(db, &due_shape, &d, DUE, r->refund_id))
		return STUCK_NO_MORE;
	if (!db_durable(db))
		return STUCK_NOBODY_KNOWS;
	q.payment_key = d.payment_key;
	switch (provider->look_up_refund(db_memory(db), &q, until_ms).outcome) {
	case PROVIDER_OK:
		finish(db, &d, PAID_BY_CARD);
		return STUCK_NOT_SO;
	case PROVIDER_NOTHING:
		return pay_by_bank(db, r, &d, report, actor_id);
	case PROVIDER_UNKNOWN:
	case PROVIDER_LATER:
	case PROVIDER_DECLINED:
		break;
	}
	db_do(db, "UPDATE refund SET tried_at = $2 WHERE refund_id = $1 AND tries = $3", r->refund_id, r->tried_at, r->tries + 1);
	return STUCK_NOBODY_KNOWS;      /* and nothing was asked for */
}

/* --- what callers ask for ----------------------------------------------------------------------------------------- */

/*
 * One that waits is asked for now, by the sweep or by a caller alike; that it is stands in the row first, for whoever would pay it by
 * transfer. Not while somebody is about to. waiting 0: none does.
 */
static enum refund_outcome
ask_again(struct db *db, int64_t waiting, int64_t *refund_id)
{
	int64_t now = clock_now();

	*refund_id = db_do(db,
		"UPDATE refund SET tries = tries + 1, tried_at = $2 WHERE refund_id = $1 AND state = 'REQUESTED' AND (next_at <= $3 OR next_at > $4)",
		waiting, now, now + MAX_PAUSE_S, now + BY_HAND_S) ? waiting : 0;
	return waiting ? REFUND_OUTCOME_PENDING : REFUND_OUTCOME_DONE;
}

/* Of a charge whose money is here. Fills *refund_id with the refund to be asked for now; 0: none is. */
static enum refund_outcome
open_refund(struct db *db, const struct refund_order *o, const struct charge *c, int64_t *refund_id)
{
	int64_t left = refund_left(db, c), amount = o->amount ? o->amount : left;

	if (amount > left)
		return REFUND_OUTCOME_TOO_MUCH;
	if (amount == 0)        /* a void of what is being given back already: the waiting one is asked for again */
		return ask_again(db, db_int(db, "SELECT refund_id FROM refund WHERE charge_id = $1 AND state = 'REQUESTED' ORDER BY refund_id LIMIT 1",
		                            c->charge_id), refund_id);
	*refund_id = refund_open(db, c, o->refund_key, amount, o->reason);
	return REFUND_OUTCOME_PENDING;
}

/* The refund's key came before: the same answer again. */
static enum refund_outcome
same_again(struct db *db, const struct refund_order *o, const struct charge *c, int64_t *refund_id)
{
	struct refund r;

	if (!db_one(db, &refund_shape, &r, "SELECT " REFUND_COLUMNS " FROM refund WHERE key = $1", o->refund_key))
		return REFUND_OUTCOME_NO_CHARGE;
	if (r.charge_id != c->charge_id || (o->amount && r.amount != o->amount))
		return REFUND_OUTCOME_KEY_REUSED;
	return ask_again(db, r.state == REFUND_STAGE_REQUESTED ? r.refund_id : 0, refund_id);
}

/* Nobody knows yet whether there is money: should it turn out so, it goes back. The sweep asks at once. */
static void
want_void(struct db *db, const struct charge *c)
{
	db_do(db, "UPDATE charge SET void_wanted = 1, next_at = CASE WHEN state = 'UNKNOWN' THEN $2 ELSE next_at END WHERE charge_id = $1",
	      c->charge_id, clock_now());
}

/* What is to be done, decided inside the transaction. */
static enum refund_outcome
decide(struct db *db, const struct refund_order *o, struct charge *c, int64_t *refund_id)
{
	if (!charge_find(db, o->key, c)) {
		if (o->amount)
			return REFUND_OUTCOME_NO_CHARGE;
		charge_seal(db, o->key, c);
		return REFUND_OUTCOME_DONE;
	}
	if (db_exists(db, "SELECT 1 FROM refund WHERE key = $1", o->refund_key))
		return same_again(db, o, c, refund_id);
	switch ((enum charge_state)c->state) {
	case CHARGE_APPROVED:
	case CHARGE_CANCEL_REQUESTED:
	case CHARGE_CANCELLED:
		return open_refund(db, o, c, refund_id);
	case CHARGE_FAILED:
		return o->amount ? REFUND_OUTCOME_NO_CHARGE : REFUND_OUTCOME_DONE;
	case CHARGE_REQUESTED:
	case CHARGE_UNKNOWN:
		break;
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
	outcome = decide(db, o, c, &refund_id);
	if (!db_commit(db) || !refund_id)
		return outcome;
	if (!refund_ask(db, refund_id, until_ms))
		return REFUND_OUTCOME_PENDING;
	charge_find(db, o->key, c);
	/* a void may have had more than one under way; and this one may be back while another is not */
	return db_exists(db, "SELECT 1 FROM refund WHERE charge_id = $1 AND state = 'REQUESTED'", c->charge_id) && !o->amount
	     ? REFUND_OUTCOME_PENDING : REFUND_OUTCOME_DONE;
}
