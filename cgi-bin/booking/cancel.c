/*
 * cancel - cancelling a booking. The refund is shown before the customer confirms, and fixed by the confirmation; the
 * car is free from then on. The money is refunded at once if payment answers, else by the sweep's retries
 * (docs/domain.md 5).
 *
 * If the car is to be delivered, delivery must first confirm that it will not be. The request to cancel is in the row
 * before delivery is asked. When the answer is lost, the sweep asks again: then the booking is cancelled on the terms
 * of the moment of the request, or, with the courier on the way, the request is withdrawn.
 */
#include "booking.h"
#include "booking_steps.h"
#include "calendar.h"
#include "delivery_client.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

#include <string.h>

/* p->percent of what was not given back for extras or in parts. */
static void
share(const struct booking *b, struct cancel_preview *p)
{
	p->refund = (b->amount - p->gone) * p->percent / 100;
	p->fee = b->amount - p->gone - p->refund;
}

void
no_show_preview(const struct booking *b, struct cancel_preview *p)
{
	*p = (struct cancel_preview){
		.percent = b->cancel_late_percent, .rule = "late", .gone = booking_refunds_due(b)
	};
	share(b, p);
}

/* A full refund long enough before the start or soon after booking; else the late share; once it has begun it cannot be
 * cancelled. */
bool
cancel_preview(const struct booking *b, int64_t now, struct cancel_preview *p)
{
	*p = (struct cancel_preview){ .percent = 100, .rule = "full", .gone = booking_refunds_due(b) };
	if (b->cancel_asked_at)
		now = b->cancel_asked_at; /* the terms of the moment of the request */
	if ((b->state != BOOKING_PAID && b->state != BOOKING_CONFIRMED))
		return false;
	if (now < b->starts_at - b->cancel_full_before_s)
		p->rule = "full";
	else if (now < b->paid_at + b->cancel_grace_s)
		p->rule = "grace";
	else if (now >= b->starts_at)
		return false;
	else {
		p->rule = "late";
		p->percent = b->cancel_late_percent;
	}
	share(b, p);
	return true;
}

static bool
preview_of_wish(const struct booking *b, const struct cancel_wish *wish, int64_t now, struct cancel_preview *p)
{
	return wish->by == CANCEL_BY_FIRM ? firm_cancel_preview(b, p) : cancel_preview(b, now, p);
}

/* Inside the transaction. */
static bool
write_cancel(
	struct db *db, struct booking *b, const struct cancel_wish *wish, const struct cancel_preview *p, int64_t now)
{
	return db_do(db, /* with the first try, which follows at once */
		       "UPDATE booking SET state = 'CANCEL_REQUESTED', end_reason = $2, ended_at = $3, refund_due = $4,"
		       " refund_state = $5, refund_next_at = $6, refund_tries = 1, cancel_asked_at = 0,"
		       " cancel_by = $7, cancel_reason = $8, cancel_note = $9, compensation_due = $10,"
		       " compensation_state = $11, compensation_next_at = $6"
		       " WHERE booking_id = $1 AND state IN ('PAID', 'CONFIRMED')",
		       b->booking_id, wish->end_reason, now, p->refund, p->refund ? "PENDING" : "NONE", now + 5,
		       words_code(&cancel_by_words, wish->by), wish->reason, wish->note, p->compensation,
		       p->compensation ? "PENDING" : "NONE")
		== 1;
}

/* The refund is computed inside the transaction: an extra may have ended since b was read, and is refunded on its
 * own. */
static bool
request_cancel(struct db *db, struct booking *b, const struct cancel_wish *wish)
{
	int64_t now = clock_now();
	struct cancel_preview p = { 0 };
	bool done;

	db_begin(db);
	booking_extras_read(db, b);
	booking_refunds_read(db, b);
	done = preview_of_wish(b, wish, now, &p) && write_cancel(db, b, wish, &p, now);
	if (done) {
		booking_reload(db, b);
		calendar_release(db, b->booking_id);
		booking_report(db, EVENT_BOOKING_CANCEL_REQUESTED, b, 0, wish->actor_id);
		if (b->refund_state == REFUND_NONE) /* no refund to wait for */
			booking_refund_done(db, b, 0, 0);
	}
	return db_commit(db) && done;
}

/* --- delivery first ----------------------------------------------------------------------------------------------- */

#define IS_NEWER "cancel_asked_at = 0 OR cancel_by <> 'firm' AND $5 = 'firm'"

static bool
has_delivery(const struct booking *b)
{
	for (int i = 0; i < b->n_extras; i++)
		if (b->extras[i].kind == EXTRA_DELIVERY && b->extras[i].state == EXTRA_BOOKED)
			return true;
	return false;
}

/* The row first. The first wish is kept, but one of the firm, which is better for the customer, replaces theirs.
 * Answers the number of the try; 0: the booking is in another state. */
static int64_t
record_cancel_request(struct db *db, struct booking *b, const struct cancel_wish *wish)
{
	int64_t now = clock_now();
	int64_t next = now + (b->cancel_asked_at ? pause_s(b->cancel_tries + 1, PAUSE_MAX_S) : OWN_TRY_S);

	return db_int(db,
		"UPDATE booking SET cancel_asked_by = CASE WHEN " IS_NEWER " THEN $2 ELSE cancel_asked_by END,"
		" cancel_by = CASE WHEN " IS_NEWER " THEN $5 ELSE cancel_by END,"
		" cancel_reason = CASE WHEN " IS_NEWER " THEN $6 ELSE cancel_reason END,"
		" cancel_note = CASE WHEN " IS_NEWER " THEN $7 ELSE cancel_note END,"
		" cancel_tries = CASE WHEN cancel_asked_at = 0 THEN 1 ELSE cancel_tries + 1 END,"
		" cancel_asked_at = CASE WHEN cancel_asked_at = 0 THEN $3 ELSE cancel_asked_at END, cancel_next_at = $4"
		" WHERE booking_id = $1 AND state IN ('PAID', 'CONFIRMED') RETURNING cancel_tries",
		b->booking_id, wish->actor_id, now, next, words_code(&cancel_by_words, wish->by), wish->reason,
		wish->note);
}

/* As it was recorded, perhaps by another process. */
static struct cancel_wish
recorded_wish(const struct booking *b)
{
	bool by_firm = b->cancel_by == CANCEL_BY_FIRM;

	return (struct cancel_wish){
		.actor_id = b->cancel_asked_by,
		.end_reason = by_firm                          ? "firm"
			: b->cancel_asked_by == b->customer_id ? "customer"
							       : "manager",
		.by = b->cancel_by,
		.reason = b->cancel_reason,
		.note = b->cancel_note,
	};
}

/* only_try: not if another process has asked meanwhile, since delivery may have answered it. */
static bool
withdraw_cancel_request(struct db *db, struct booking *b, bool only_try)
{
	bool done = db_do(db,
			    "UPDATE booking SET cancel_asked_at = 0, cancel_tries = 0, cancel_by = '',"
			    " cancel_reason = '', cancel_note = '' WHERE booking_id = $1 AND cancel_asked_at > 0"
			    " AND ($2 = 0 OR cancel_tries = 1)",
			    b->booking_id, only_try ? 1 : 0)
		== 1;

	booking_reload(db, b);
	return done;
}

/* Then *wish is the recorded one. false: *outcome says why not. */
static bool
stop_delivery(struct db *db, struct booking *b, struct cancel_wish *wish, enum cancel_outcome *outcome)
{
	int64_t tries;

	if (!b->cancel_asked_at && delivery_closed_for_s() > 0) {
		*outcome = CANCEL_LATER;
		return false;
	}
	tries = record_cancel_request(db, b, wish);
	booking_reload(db, b);
	if (!tries)
		return true; /* the next write finds its state */
	*wish = recorded_wish(b);
	switch (delivery_client->cancel(db, b, wish->end_reason)) {
	case DELIVERY_ANSWER_CANCELLED: return true;
	case DELIVERY_ANSWER_SHIPPED:
		withdraw_cancel_request(db, b, false);
		*outcome = CANCEL_SHIPPED;
		return false;
	case DELIVERY_ANSWER_NOT_ASKED:
		*outcome = tries == 1 && withdraw_cancel_request(db, b, true) ? CANCEL_LATER : CANCEL_PENDING;
		return false;
	case DELIVERY_ANSWER_UNKNOWN: break;
	}
	*outcome = CANCEL_PENDING;
	return false;
}

void
booking_cancel_again(struct db *db, struct booking *b)
{
	const struct cancel_wish wish = recorded_wish(b);

	if (b->state == BOOKING_PAID || b->state == BOOKING_CONFIRMED)
		booking_cancel_as(db, b, &wish);
	else
		withdraw_cancel_request(db, b, false); /* it ended otherwise */
}

/* --- cancelling --------------------------------------------------------------------------------------------------- */

/* One read and one write. false: another process changed the booking between the two. */
static bool
try_cancel(struct db *db, struct booking *b, const struct cancel_wish *wanted, enum cancel_outcome *outcome)
{
	struct cancel_wish wish = *wanted;
	struct cancel_preview p;

	*outcome = CANCEL_NOT_POSSIBLE;
	booking_reload(db, b);
	if (b->state == BOOKING_CANCELLED || (b->state == BOOKING_EXPIRED && strcmp(b->end_reason, "given_up") == 0))
		return *outcome = CANCEL_DONE, true;
	if (b->state == BOOKING_HELD) {
		*outcome = CANCEL_DONE;
		return booking_expire(db, b, "given_up", b->asked_at != 0);
	}
	if (b->state != BOOKING_CANCEL_REQUESTED) {
		if (!preview_of_wish(b, &wish, clock_now(), &p))
			return true;
		if (has_delivery(b) && !stop_delivery(db, b, &wish, outcome))
			return true;
		if (!request_cancel(db, b, &wish))
			return false;
		booking_try_compensation(db, b);
	}
	*outcome = booking_ask_refund(db, b) ? CANCEL_DONE : CANCEL_PENDING;
	return true;
}

/* A booking only moves forward, so a few tries suffice. */
enum cancel_outcome
booking_cancel_as(struct db *db, struct booking *b, const struct cancel_wish *wish)
{
	enum cancel_outcome outcome;

	for (int i = 0; i < 4 && !db_failed(db); i++)
		if (try_cancel(db, b, wish, &outcome))
			return outcome;
	return CANCEL_NOT_POSSIBLE;
}

enum cancel_outcome
booking_cancel(struct db *db, struct booking *b, int64_t actor_id, const char *reason)
{
	const struct cancel_wish wish = {
		.actor_id = actor_id,
		.end_reason = reason,
		.by = CANCEL_BY_CUSTOMER,
		.reason = "",
		.note = "",
	};

	return booking_cancel_as(db, b, &wish);
}
