/*
 * extra_end - an extra that is not provided although the booking goes on: the dispatcher cancels a delivery, an
 * equipment order is rejected or cancelled. Its whole price, or what is left of the booking's, is refunded by the sweep
 * under a refund key of its own (refund.c).
 */
#include "booking.h"
#include "booking_steps.h"

#include "lib/base/clock.h"

/* A booking that was cancelled, rejected, not picked up or has expired refunds its extras with its own price. */
static bool
refunds_extras(const struct booking *b)
{
	return b->state == BOOKING_PAID || b->state == BOOKING_CONFIRMED || b->state == BOOKING_OUT
		|| b->state == BOOKING_RETURNED || b->state == BOOKING_COMPLETED
		|| (b->state == BOOKING_NO_SHOW && b->undo_until);
}

/* What is left of the booking's price, if a manager gave back so much of it that the extra's does not fit any more. */
static int64_t
left_for_extra(struct db *db, const struct booking *b, const struct booking_extra *x)
{
	int64_t left = db_int(db,
		"SELECT b.amount - b.refund_due"
		" - (SELECT COALESCE(SUM(o.refund_due), 0) FROM booking_extra o WHERE o.booking_id = b.booking_id)"
		" - (SELECT COALESCE(SUM(p.amount), 0) FROM part_refund p WHERE p.booking_id = b.booking_id)"
		" FROM booking b WHERE b.booking_id = $1",
		b->booking_id);

	return left < x->amount ? left : x->amount;
}

void
booking_extra_end(struct db *db, struct booking *b, struct booking_extra *x, const char *reason, const char *note,
	int64_t causation_id)
{
	const char *end_reason = *note ? note : reason;
	int64_t now = clock_now(), due = left_for_extra(db, b, x);

	if (!refunds_extras(b)
		|| !db_do(db,
			"UPDATE booking_extra SET state = 'ENDED', end_reason = $3, ended_at = $4, refund_due = $6,"
			" refund_state = $5, refund_next_at = $4"
			" WHERE booking_id = $1 AND line_no = $2 AND state = 'BOOKED'",
			b->booking_id, x->line_no, end_reason, now, due ? "PENDING" : "NONE", due))
		return;
	x->state = EXTRA_ENDED;
	x->end_reason = end_reason;
	x->ended_at = now;
	x->refund_due = due;
	x->refund_state = due ? REFUND_PENDING : REFUND_NONE;
	booking_report_extra_ended(db, b, x, reason, note, causation_id);
}

void
booking_extras_end(struct db *db, struct booking *b, enum extra_kind kind, const char *reason, const char *note,
	int64_t causation_id)
{
	for (int i = 0; i < b->n_extras; i++)
		if (b->extras[i].kind == (int)kind)
			booking_extra_end(db, b, &b->extras[i], reason, note, causation_id);
}

struct booking_extra *
booking_extra_of_line(struct booking *b, int64_t line_no)
{
	for (int i = 0; i < b->n_extras; i++)
		if (b->extras[i].line_no == line_no)
			return &b->extras[i];
	return NULL;
}

int64_t
booking_extras_refund(const struct booking *b)
{
	int64_t amount = 0;

	for (int i = 0; i < b->n_extras; i++)
		amount += b->extras[i].refund_due;
	return amount;
}
