/*
 * kept - the part of a booking's price that remains after its refunds, and the state and refund of its extras when the
 * booking itself ended. Both follow from the booking, so they are computed for pages and programs and not stored.
 */
#include "booking.h"

#include "domain/kept.h"

/* a × b / c, rounded down; b <= c, c > 0. The product may be beyond 64 bits. */
static int64_t
share_of(int64_t a, int64_t b, int64_t c)
{
	return (int64_t)((__int128)a * b / c);
}

/* Why the extras ended with the booking; NULL: they did not. */
static const char *
ended_with_booking(const struct booking *b)
{
	switch ((enum booking_state)b->state) {
	case BOOKING_CANCEL_REQUESTED:
	case BOOKING_CANCELLED: return "booking_cancelled";
	case BOOKING_REJECTED: return "booking_rejected";
	case BOOKING_EXPIRED: return "booking_expired";
	case BOOKING_NO_SHOW: return b->undo_until ? NULL : "booking_no_show";
	case BOOKING_HELD:
	case BOOKING_PAID:
	case BOOKING_CONFIRMED:
	case BOOKING_OUT:
	case BOOKING_RETURNED:
	case BOOKING_COMPLETED: break;
	}
	return NULL;
}

/* The booking's refund covers the car and the extras that had not ended before, each in proportion to its price. */
static void
end_extras(struct booking *b, const char *reason, int64_t refunded_before, struct arena *m)
{
	struct booking_extra *extras = arena_array(m, struct booking_extra, b->n_extras + 1);
	int64_t rest = b->amount - refunded_before;

	for (int i = 0; i < b->n_extras; i++) {
		struct booking_extra *x = &extras[i];

		*x = b->extras[i];
		if (x->state != EXTRA_BOOKED)
			continue;
		x->ended_with_booking = true;
		x->state = EXTRA_ENDED;
		x->end_reason = reason;
		x->ended_at = b->ended_at;
		x->refund_state = b->refund_state;
		x->refund_share = rest > 0 ? share_of(x->amount, b->refund_due, rest) : 0;
	}
	b->extras = extras;
}

void
booking_sum_up(struct booking *b, struct arena *m)
{
	const char *reason = ended_with_booking(b);
	int64_t given = b->refunded_amount, due_before = 0;
	struct kept kept;

	for (int i = 0; i < b->n_extras; i++) {
		given += b->extras[i].refunded_amount;
		due_before += b->extras[i].refund_due;
	}
	for (int i = 0; i < b->n_refunds; i++) {
		given += b->refunds[i].refund_state == REFUND_DONE ? b->refunds[i].amount : 0;
		due_before += b->refunds[i].amount;
	}
	kept = kept_of(b->amount, b->vat_amount, given, b->outside_amount);
	b->kept_amount = b->paid_at ? kept.amount : 0;
	b->kept_vat_amount = b->paid_at ? kept.vat_amount : 0;
	if (reason)
		end_extras(b, reason, due_before, m);
}
