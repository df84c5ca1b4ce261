/*
 * refund - a booking's refund and those of its extras: each is asked of payment under a key of its own, recorded when
 * it is done, and asked again by the sweep until then.
 */
#include "booking.h"
#include "booking_steps.h"
#include "payment_client.h"

#include "lib/base/clock.h"

#include <stdlib.h>
#include <string.h>

/* --- the booking's own -------------------------------------------------------------------------------------------- */

bool
booking_refund_done(struct db *db, struct booking *b, int64_t refunded_amount, int64_t causation_id)
{
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE booking SET state = CASE state WHEN 'CANCEL_REQUESTED' THEN 'CANCELLED'"
		" ELSE state END, refund_state = $3,"
		" refunded_amount = $2, last_error = '' WHERE booking_id = $1"
		" AND (refund_state = 'PENDING' OR state = 'CANCEL_REQUESTED')",
		b->booking_id, refunded_amount, refunded_amount || b->refund_state == REFUND_PENDING ? "DONE" : "NONE");
	if (n == 1) {
		booking_reload(db, b);
		if (b->state == BOOKING_CANCELLED)
			booking_report(db, EVENT_BOOKING_CANCELLED, b, causation_id, 0);
		else if (b->state == BOOKING_REJECTED || b->state == BOOKING_NO_SHOW)
			booking_report(db, EVENT_BOOKING_REFUNDED, b, causation_id, 0);
	}
	return db_commit(db) && n == 1;
}

bool
booking_ask_refund(struct db *db, struct booking *b)
{
	enum refund_answer answer;
	int64_t refunded = 0;
	struct booking_refund refund = {
		.key = arena_printf(db_memory(db), "%s-cancel", b->code),
		.charge_key = booking_charge_key(db_memory(db), b),
		.amount = b->refund_due,
		.reason = text_or_empty(b->end_reason),
	};

	if (b->refund_state != REFUND_PENDING) {
		booking_refund_done(db, b, 0, 0);
		return b->state == BOOKING_CANCELLED;
	}
	/* 0: of an EXPIRED one: all charges that were asked for, whatever their states */
	answer = b->refund_due ? payment_client->refund(db, b, &refund, &refunded)
			       : booking_void_tries(db, b, &refunded);
	if (answer != REFUND_ANSWER_DONE) {
		booking_note_error(db, b, refund_answer_code(answer));
		return false;
	}
	booking_refund_done(
		db, b, b->refund_due ? b->refund_due : refunded, 0); /* refunded includes its extras' refunds */
	booking_reload(db, b);
	return b->refund_state != REFUND_PENDING;
}

void
booking_try_refund(struct db *db, struct booking *b)
{
	db_do(db,
		"UPDATE booking SET refund_tries = refund_tries + 1, refund_next_at = $2 WHERE booking_id = $1"
		" AND refund_state = 'PENDING'",
		b->booking_id, clock_now() + pause_s(b->refund_tries + 1, PAUSE_MAX_S));
	booking_ask_refund(db, b);
}

/* --- the keys of the others --------------------------------------------------------------------------------------- */

const char *
booking_refund_key(struct arena *m, const struct booking *b, const char *of, int64_t number)
{
	return arena_printf(m, "%s-%s-%lld", b->code, of, (long long)number);
}

int64_t
booking_refund_number(const struct booking *b, const char *of, const char *key)
{
	size_t n_code = strlen(b->code), n_of = strlen(of);

	if (!key || strncmp(key, b->code, n_code) != 0 || key[n_code] != '-' || strncmp(key + n_code + 1, of, n_of) != 0
		|| key[n_code + 1 + n_of] != '-')
		return 0;
	return atoll(key + n_code + n_of + 2);
}

/* --- of an extra: CODE-extra-LINE --------------------------------------------------------------------------------- */

struct booking_extra *
booking_extra_of_refund(struct booking *b, const char *refund_key)
{
	return booking_extra_of_line(b, booking_refund_number(b, "extra", refund_key));
}

bool
booking_extra_refund_done(struct db *db, struct booking *b, struct booking_extra *x, int64_t causation_id)
{
	int n;

	db_begin(db);
	n = db_do(db,
		"UPDATE booking_extra SET refund_state = 'DONE', refunded_amount = refund_due, last_error = ''"
		" WHERE booking_id = $1 AND line_no = $2 AND refund_state = 'PENDING'",
		b->booking_id, x->line_no);
	if (n == 1) {
		x->refund_state = REFUND_DONE;
		x->refunded_amount = x->refund_due;
		x->last_error = "";
		booking_report_extra_refunded(db, b, x, causation_id);
	}
	return db_commit(db) && n == 1;
}

void
booking_try_extra_refund(struct db *db, struct booking *b, struct booking_extra *x)
{
	enum refund_answer answer;
	int64_t refunded = 0;
	struct booking_refund refund = {
		.key = booking_refund_key(db_memory(db), b, "extra", x->line_no),
		.charge_key = booking_charge_key(db_memory(db), b),
		.amount = x->refund_due,
		.reason = "extra",
	};

	if (x->refund_state != REFUND_PENDING)
		return;
	db_do(db,
		"UPDATE booking_extra SET refund_tries = refund_tries + 1, refund_next_at = $3"
		" WHERE booking_id = $1 AND line_no = $2 AND refund_state = 'PENDING'",
		b->booking_id, x->line_no, clock_now() + pause_s(x->refund_tries + 1, PAUSE_MAX_S));
	answer = payment_client->refund(db, b, &refund, &refunded);
	if (answer == REFUND_ANSWER_DONE)
		booking_extra_refund_done(db, b, x, 0);
	else
		db_do(db,
			"UPDATE booking_extra SET last_error = $3 WHERE booking_id = $1 AND line_no = $2"
			" AND last_error <> $3",
			b->booking_id, x->line_no, refund_answer_code(answer));
}
