/* progress - how far a booking is: the usual steps, or those up to where it ended otherwise; and the steps of a
 * delivery. */
#include "mypage.h"

#include "lib/base/lang.h"

static const struct word step_word[] = {
	[MY_STEP_BOOKED]    = { "BOOKED",    N_("Booking") },
	[MY_STEP_PAID]      = { "PAID",      N_("Payment") },
	[MY_STEP_CONFIRMED] = { "CONFIRMED", N_("Confirmation") },
	[MY_STEP_OUT]       = { "OUT",       N_("Pick-up") },
	[MY_STEP_RETURNED]  = { "RETURNED",  N_("Return") },
	[MY_STEP_COMPLETED] = { "COMPLETED", N_("Done") },
	[MY_STEP_EXPIRED]   = { "EXPIRED",   N_("Not completed") },
	[MY_STEP_CANCELLED] = { "CANCELLED", N_("Cancelled") },
	[MY_STEP_REJECTED]  = { "REJECTED",  N_("Could not be fulfilled") },
	[MY_STEP_NO_SHOW]   = { "NO_SHOW",   N_("Not picked up") },
	[MY_STEP_REFUND]    = { "REFUND",    N_("Refund") },
	[MY_STEP_DELIVERY_REQUESTED]     = { "DELIVERY_REQUESTED",     N_("Requested") },
	[MY_STEP_COURIER_ASSIGNED]   = { "COURIER_ASSIGNED",   N_("Courier assigned") },
	[MY_STEP_COURIER_ON_THE_WAY] = { "COURIER_ON_THE_WAY", N_("On the way") },
	[MY_STEP_DELIVERED]   = { "DELIVERED",   N_("Delivered") },
	[MY_STEP_COLLECTED]   = { "COLLECTED",   N_("Collected") },
	[MY_STEP_DELIVERY_CANCELLED] = { "DELIVERY_CANCELLED", N_("Cancelled") },
};
const struct words my_step_words = WORDS(step_word);

/* A step that waits for the customer says what to do; with a delivery nothing is to be done at the branch. */
const char *
my_step_to_do(const struct my_booking *b, int step)
{
	if (step == MY_STEP_PAID)
		return _("Pay now");
	if (step == MY_STEP_OUT && !b->is_brought)
		return _("Pick up the car");
	if (step == MY_STEP_RETURNED && !b->is_brought)
		return _("Return the car");
	return _(step_word[step].label);
}

static const struct word mark_word[] = {
	[MARK_DONE] = { "done", "" }, [MARK_NOW] = { "now", "" }, [MARK_TODO] = { "todo", "" },
		[MARK_BAD] = { "bad", "" },
};
const struct words my_mark_words = WORDS(mark_word);

static void
add_step(struct my_progress *p, int step, int mark, int64_t at)
{
	if (p->n_steps < MY_MAX_STEPS)
		p->step[p->n_steps++] = (struct my_progress_step){ .step = step, .mark = mark, .at = at };
}

/* The first n_done steps are done, the next one is now, the rest is to come, with its time where that is known. */
static void
usual_steps(const struct my_booking *b, struct my_progress *p, int n_done)
{
	const int64_t was_at[] = { b->held_at, b->paid_at, b->confirmed_at, b->out_at, b->returned_at,
		b->completed_at };
	const int64_t will_be_at[] = {
		[MY_STEP_OUT] = b->starts_at, [MY_STEP_RETURNED] = b->ends_at, [MY_STEP_COMPLETED] = 0
	};

	for (int i = MY_STEP_BOOKED; i <= MY_STEP_COMPLETED; i++)
		add_step(p, i,
			i < n_done            ? MARK_DONE
				: i == n_done ? MARK_NOW
					      : MARK_TODO,
			i < n_done ? was_at[i] : will_be_at[i]);
}

static void
steps_so_far(const struct my_booking *b, struct my_progress *p)
{
	add_step(p, MY_STEP_BOOKED, MARK_DONE, b->held_at);
	if (b->paid_at)
		add_step(p, MY_STEP_PAID, MARK_DONE, b->paid_at);
	if (b->confirmed_at)
		add_step(p, MY_STEP_CONFIRMED, MARK_DONE, b->confirmed_at);
}

/* A refund is the last step. */
static void
add_refund_step(const struct my_booking *b, struct my_progress *p)
{
	if (b->payment_state == MY_PAYMENT_REFUNDED)
		add_step(p, MY_STEP_REFUND, MARK_DONE, b->refunded_at);
	else if (b->payment_state == MY_PAYMENT_REFUND_DUE)
		add_step(p, MY_STEP_REFUND, MARK_NOW, 0);
	p->is_moving = b->payment_state == MY_PAYMENT_REFUND_DUE;
}

static void
ended_steps(const struct my_booking *b, struct my_progress *p, int end, int mark)
{
	steps_so_far(b, p);
	add_step(p, end, mark, b->ended_at);
	add_refund_step(b, p);
}

void
my_progress(const struct my_booking *b, struct my_progress *p)
{
	*p = (struct my_progress){ 0 };
	switch ((enum booking_state)b->state) {
	case BOOKING_HELD:
		usual_steps(b, p, MY_STEP_PAID);
		p->is_moving = true;
		break;
	case BOOKING_PAID:
		usual_steps(b, p, MY_STEP_CONFIRMED);
		p->is_moving = true;
		break;
	case BOOKING_CONFIRMED: usual_steps(b, p, MY_STEP_OUT); break;
	case BOOKING_OUT: usual_steps(b, p, MY_STEP_RETURNED); break;
	case BOOKING_RETURNED: usual_steps(b, p, MY_STEP_COMPLETED); break;
	case BOOKING_COMPLETED: usual_steps(b, p, MY_STEP_COMPLETED + 1); break;
	case BOOKING_CANCEL_REQUESTED:
	case BOOKING_CANCELLED: ended_steps(b, p, MY_STEP_CANCELLED, MARK_DONE); break;
	case BOOKING_EXPIRED: ended_steps(b, p, MY_STEP_EXPIRED, MARK_BAD); break;
	case BOOKING_REJECTED: ended_steps(b, p, MY_STEP_REJECTED, MARK_BAD); break;
	case BOOKING_NO_SHOW: ended_steps(b, p, MY_STEP_NO_SHOW, MARK_BAD); break;
	}
}

/* A cancelled delivery ends with that; otherwise steps to come have the time that was agreed. */
void
my_delivery_progress(const struct my_delivery *d, struct my_progress *p)
{
	const int64_t was_at[] = { d->requested_at, d->scheduled_at, d->shipped_at, d->delivered_at };
	int last = d->direction == MY_DIRECTION_COLLECTION ? MY_STEP_COLLECTED : MY_STEP_DELIVERED;
	const int step[] = { MY_STEP_DELIVERY_REQUESTED, MY_STEP_COURIER_ASSIGNED, MY_STEP_COURIER_ON_THE_WAY, last };

	*p = (struct my_progress){ .n_steps = 0 };
	if (d->state == MY_DELIVERY_CANCELLED) {
		for (int i = 0; i < 3 && was_at[i]; i++)
			add_step(p, step[i], MARK_DONE, was_at[i]);
		add_step(p, MY_STEP_DELIVERY_CANCELLED, MARK_BAD, d->ended_at);
		return;
	}
	for (int i = 0; i < 4; i++)
		add_step(p, step[i],
			i <= d->state               ? MARK_DONE
				: i == d->state + 1 ? MARK_NOW
						    : MARK_TODO,
			i <= d->state    ? was_at[i]
				: i == 3 ? d->window_from
					 : 0);
}
