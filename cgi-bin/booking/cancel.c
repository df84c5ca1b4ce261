/*
 * cancel - giving a booking back. What is refunded is shown before it is confirmed and fixed when it is; the car is free from
 * that moment; the money follows, at once if payment answers, else by the sweep until it is done (DOMAIN 5, cancel).
 */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "payments.h"

#include "../../lib/clock.h"
#include "../../lib/settings.h"

#include <string.h>

/* All of it early enough, or soon after booking even if it begins at once; later the late share; else nothing to cancel once it has begun. */
bool
cancel_preview(const struct booking *b, int64_t now, struct cancel_preview *p)
{
	*p = (struct cancel_preview){ .percent = 100, .rule = "full" };
	if ((b->state != PAID && b->state != CONFIRMED))
		return false;
	if (now < b->starts_at - settings.refund_full_before_s)
		p->rule = "full";
	else if (now < b->paid_at + settings.refund_grace_s)
		p->rule = "grace";
	else if (now >= b->starts_at)
		return false;
	else {
		p->rule = "late";
		p->percent = settings.refund_late_percent;
	}
	p->refund = b->amount * p->percent / 100;
	p->fee = b->amount - p->refund;
	return true;
}

static bool
request_cancel(struct db *db, struct booking *b, const struct cancel_preview *p, int64_t actor_id, const char *reason)
{
	int64_t now = clock_now();
	int n;

	db_begin(db);
	n = db_do(db,           /* the try that follows at once is written down with it */
		"UPDATE booking SET state = 'CANCEL_REQUESTED', end_reason = $2, ended_at = $3, refund_due = $4, refund_state = $5,"
		" refund_next_at = $6, refund_tries = 1 WHERE booking_id = $1 AND state IN ('PAID', 'CONFIRMED')",
		b->booking_id, reason, now, p->refund, p->refund ? "PENDING" : "NONE", now + 5);
	if (n == 1) {
		b->state = CANCEL_REQUESTED;
		b->refund_due = p->refund;
		b->refund_state = p->refund ? REFUND_PENDING : REFUND_NONE;
		b->end_reason = reason;
		b->ended_at = now;
		calendar_release(db, b->booking_id);
		booking_emit(db, b, "booking.cancel_requested", 0, actor_id);
		if (b->refund_state == REFUND_NONE)     /* nothing to wait for, so nobody would come back to it */
			booking_refund_done(db, b, 0, 0);
	}
	return db_commit(db) && n == 1;
}

/* One look and one write. false: somebody else moved the booking between the two, so look again. */
static bool
give_up(struct db *db, struct booking *b, int64_t actor_id, const char *reason, enum cancel_outcome *outcome)
{
	struct cancel_preview p;

	*outcome = CANCEL_NOT_POSSIBLE;
	booking_reload(db, b);
	if (b->state == CANCELLED || (b->state == EXPIRED && strcmp(b->end_reason, "given_up") == 0))
		return *outcome = CANCEL_DONE, true;
	if (b->state == HELD) {
		*outcome = CANCEL_DONE;
		return booking_expire(db, b, "given_up", b->asked_at != 0);
	}
	if (b->state != CANCEL_REQUESTED) {
		if (!cancel_preview(b, clock_now(), &p))
			return true;
		if (!request_cancel(db, b, &p, actor_id, reason))
			return false;
	}
	*outcome = booking_settle_refund(db, b) ? CANCEL_DONE : CANCEL_PENDING;
	return true;
}

/* A booking only goes forward, so a few looks see it stand still. */
enum cancel_outcome
booking_cancel(struct db *db, struct booking *b, int64_t actor_id, const char *reason)
{
	enum cancel_outcome outcome;

	for (int i = 0; i < 4 && !db_failed(db); i++)
		if (give_up(db, b, actor_id, reason, &outcome))
			return outcome;
	return CANCEL_NOT_POSSIBLE;
}

bool
booking_refund_done(struct db *db, struct booking *b, int64_t refunded_amount, int64_t causation_id)
{
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE booking SET state = CASE state WHEN 'CANCEL_REQUESTED' THEN 'CANCELLED' ELSE state END, refund_state = $3,"
		" refunded_amount = $2, last_error = '' WHERE booking_id = $1 AND (refund_state = 'PENDING' OR state = 'CANCEL_REQUESTED')",
		b->booking_id, refunded_amount, refunded_amount || b->refund_state == REFUND_PENDING ? "DONE" : "NONE");
	if (n == 1) {
		booking_reload(db, b);
		if (b->state == CANCELLED)
			booking_emit(db, b, "booking.cancelled", causation_id, 0);
		else if (b->state == REJECTED)
			booking_emit(db, b, "booking.refunded", causation_id, 0);
	}
	return db_commit(db) && n == 1;
}

static const char *
refund_error(enum refund_answer answer)
{
	switch (answer) {
	case REFUND_ANSWER_PENDING: return "refund_asked";
	case REFUND_ANSWER_REFUSED: return "refund_refused";
	case REFUND_ANSWER_LATER:   return "payment_down";
	case REFUND_ANSWER_DONE:    break;
	}
	return "";
}

bool
booking_settle_refund(struct db *db, struct booking *b)
{
	enum refund_answer answer;
	int64_t refunded = 0;

	if (b->refund_state != REFUND_PENDING) {
		booking_refund_done(db, b, 0, 0);
		return b->state == CANCELLED;
	}
	/* refund_due 0 on an EXPIRED one: void the charge whole, whatever became of it */
	answer = payments->refund(db, b, b->refund_due, &refunded);
	if (answer != REFUND_ANSWER_DONE) {
		booking_note_error(db, b, refund_error(answer));
		return false;
	}
	booking_refund_done(db, b, refunded, 0);
	booking_reload(db, b);
	return b->refund_state != REFUND_PENDING;
}
