/*
 * stuck - what a manager can do about a booking that has been pending for too long: retry it at once, or close it
 * manually. A booking is closed only when payment's ledger says that nothing is owed; else payment is asked for the
 * refund.
 */
#include "booking.h"
#include "booking_steps.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

#include <string.h>

/* The first extra with a pending refund. */
static struct booking_extra *
waiting_extra(const struct booking *b)
{
	for (int i = 0; i < b->n_extras; i++)
		if (b->extras[i].refund_state == REFUND_PENDING)
			return &b->extras[i];
	return NULL;
}

/* The first part with a pending refund. */
static struct part_refund *
waiting_part(const struct booking *b)
{
	for (int i = 0; i < b->n_refunds; i++)
		if (b->refunds[i].refund_state == REFUND_PENDING)
			return &b->refunds[i];
	return NULL;
}

int
booking_stuck_kind(const struct booking *b)
{
	if (b->state == BOOKING_HELD)
		return b->asked_at ? STUCK_ASKED : STUCK_HOLD;
	if (b->cancel_asked_at)
		return STUCK_WISH;
	if (b->state == BOOKING_PAID)
		return STUCK_UNCONFIRMED;
	if (b->refund_state == REFUND_PENDING)
		return b->state == BOOKING_CANCEL_REQUESTED ? STUCK_CANCEL : STUCK_REFUND;
	if (b->taken_over_at)
		return STUCK_CUSTODY;
	if (b->no_car_since)
		return STUCK_NO_CAR;
	if (waiting_extra(b))
		return STUCK_EXTRA;
	if (waiting_part(b))
		return STUCK_PART;
	if (b->compensation_state == REFUND_PENDING)
		return STUCK_COMPENSATION;
	return -1;
}

int64_t
booking_stuck_since(const struct booking *b)
{
	switch (booking_stuck_kind(b)) {
	case STUCK_HOLD: return b->hold_until;
	case STUCK_ASKED: return b->asked_at;
	case STUCK_UNCONFIRMED: return b->paid_at;
	case STUCK_WISH: return b->cancel_asked_at;
	case STUCK_CUSTODY: return b->taken_over_at;
	case STUCK_EXTRA: return waiting_extra(b)->ended_at;
	case STUCK_PART: return waiting_part(b)->asked_at;
	case STUCK_NO_CAR: return b->no_car_since;
	}
	return b->ended_at;
}

/* --- retried ------------------------------------------------------------------------------------------------------ */

/* Applies fleet's answer if our reaction to it failed; and events about this booking that failed are tried again at
 * once. */
static void
retry_confirmation(struct db *db, struct booking *b)
{
	int64_t reserved = db_int(
		db, "SELECT MAX(event_id) FROM v_event WHERE subject_id = $1 AND type = 'car.reserved'", b->code);
	int64_t refused =
		db_int(db, "SELECT MAX(event_id) FROM v_event WHERE subject_id = $1 AND type = 'car.refused'", b->code);

	db_begin(db);
	db_do(db,
		"UPDATE event_retry SET tries = 0, dead = 0, next_at = $2 WHERE consumer IN ('booking', 'fleet')"
		" AND subject_id = $1",
		b->code, clock_now());
	if (refused)
		booking_reject(db, b, refused, 0);
	else if (reserved)
		booking_confirm_or_reject(db, b, reserved);
	db_commit(db);
}

/* Payment was asked a moment ago and the caller still waits for the answer: a look-up now would count as not
 * charged. */
static bool
is_being_charged(const struct booking *b)
{
	int64_t now = clock_now();

	return b->state == BOOKING_HELD && b->asked_at > now - ANSWER_S && b->asked_at <= now + CLOCK_SLACK_S;
}

void
booking_retry(struct db *db, struct booking *b, int64_t actor_id)
{
	int kind = booking_stuck_kind(b);

	if (kind < 0 || is_being_charged(b))
		return;
	stuck_report_retried(db, EVENT_BOOKING_RETRIED, b->code, kind, actor_id);
	switch ((enum stuck_kind)kind) {
	case STUCK_HOLD:
		if (b->hold_until <= clock_now())
			booking_expire(db, b, "hold_over", false);
		break;
	case STUCK_ASKED: booking_look_up_charge(db, b); break;
	case STUCK_UNCONFIRMED: retry_confirmation(db, b); break;
	case STUCK_CANCEL:
	case STUCK_REFUND: booking_try_refund(db, b); break;
	case STUCK_WISH: booking_cancel_again(db, b); break;
	case STUCK_CUSTODY:
	case STUCK_CAR_GONE:
	case STUCK_NO_CAR:
	case STUCK_EXTRA:
	case STUCK_PART:
	case STUCK_COMPENSATION: break; /* below, with those of any other kind */
	case STUCK_CHARGE:
	case STUCK_PAYBACK:
	case STUCK_OUTSIDE:
	case STUCK_LATE_LOOK: break; /* payment's */
	}
	for (int i = 0; i < b->n_extras; i++)
		booking_try_extra_refund(db, b, &b->extras[i]);
	for (int i = 0; i < b->n_refunds; i++)
		booking_try_part_refund(db, b, &b->refunds[i]);
	booking_try_compensation(db, b);
	booking_reload(db, b);
}

/* --- closed manually ---------------------------------------------------------------------------------------------- */

struct charge_facts { int64_t owed_amount, refunded_amount; const char *state; };
static const struct member charge_facts_members[] = {
	SHAPE_AMOUNT(charge_facts, owed_amount), SHAPE_AMOUNT(charge_facts, refunded_amount),
	SHAPE_TEXT(charge_facts, state),
};
static const struct shape charge_facts_shape = SHAPE(charge_facts, charge_facts_members);

/* By payment's ledger: no refund is pending, and what is due was refunded, or nothing was ever charged; of all tries
 * together. A key that payment has never seen proves nothing: the charge may still arrive. */
static bool
nothing_is_owed(struct db *db, const struct booking *b, int64_t *refunded)
{
	int64_t due = b->state == BOOKING_EXPIRED ? b->amount : b->refund_due + booking_refunds_due(b);
	struct charge_facts k = { .state = "" };

	if (!db_one(db, &charge_facts_shape, &k,
		    "SELECT owed_amount, refunded_amount, state FROM v_charge WHERE key = $1",
		    booking_charge_key(db_memory(db), b)))
		return false;
	if (db_exists(db,
		    "SELECT 1 FROM v_charge WHERE subject_id = $1 AND key <> $2 AND state <> 'FAILED'"
		    " AND (owed_amount <> amount OR refunded_amount <> amount)",
		    b->code, booking_charge_key(db_memory(db), b)))
		return false; /* money for an earlier try is not back yet */
	*refunded = b->refund_due && k.refunded_amount ? b->refund_due : k.refunded_amount;
	return strcmp(k.state, "FAILED") == 0 || (k.owed_amount == k.refunded_amount && k.refunded_amount >= due);
}

/* Inside the transaction. */
static enum resolve_outcome
close_manually(struct db *db, struct booking *b, enum stuck_resolution way, int64_t actor_id)
{
	int64_t refunded = 0;
	bool ended = false;

	switch (way) {
	case RESOLUTION_RELEASE:
		ended = booking_expire(db, b, b->asked_at ? "later" : "hold_over", b->asked_at != 0);
		break;
	case RESOLUTION_CONFIRM: ended = booking_confirm(db, b, 0, actor_id); break;
	case RESOLUTION_REJECT: ended = booking_reject(db, b, 0, actor_id); break;
	case RESOLUTION_NOTHING_OWED:
		if (!nothing_is_owed(db, b, &refunded))
			return RESOLVE_CONTRADICTED;
		ended = b->refund_state == REFUND_PENDING ? booking_refund_done(db, b, refunded, 0) : false;
		for (int i = 0; i < b->n_extras; i++)
			ended |= booking_extra_refund_done(db, b, &b->extras[i], 0);
		for (int i = 0; i < b->n_refunds; i++)
			ended |= booking_part_refund_done(db, b, &b->refunds[i], 0);
		break;
	case RESOLUTION_RETURNED: ended = booking_mark_returned(db, b, 0, actor_id); break;
	case RESOLUTION_NO_PAYMENT:
	case RESOLUTION_SEEN:
	case RESOLUTION_BY_BANK: break; /* payment's */
	}
	return ended ? RESOLVE_DONE : RESOLVE_NOT_STUCK;
}

enum resolve_outcome
booking_resolve(struct db *db, struct booking *b, enum stuck_resolution way, const char *note, int64_t actor_id)
{
	enum resolve_outcome outcome;
	struct stuck_report report = {
		.way = words_code(&stuck_resolution_words, (int)way),
		.note = note,
		.amount = b->amount,
		.currency = b->currency,
		.charge_id = b->charge_id,
	};
	int kind;

	db_begin(db);
	booking_reload(db, b);
	booking_extras_read(db, b);
	booking_refunds_read(db, b);
	kind = booking_stuck_kind(b);
	report.kind = words_code(&stuck_kind_words, kind);
	outcome = kind < 0 || !(stuck_resolutions[kind] & 1u << way)
			|| booking_stuck_since(b) > clock_now() - rental.stuck_after_s
		? RESOLVE_NOT_STUCK
		: close_manually(db, b, way, actor_id);
	if (outcome == RESOLVE_DONE)
		stuck_report_resolved(db, EVENT_BOOKING_RESOLVED, b->code, &report, actor_id);
	if (!db_commit(db))
		return RESOLVE_NOT_STUCK;
	booking_reload(db, b);
	if (outcome == RESOLVE_DONE && b->refund_state == REFUND_PENDING) {
		booking_try_refund(db, b); /* the refund need not wait for the sweep */
		booking_reload(db, b);
	}
	return outcome;
}
