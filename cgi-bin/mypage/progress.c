/* progress - how far a booking has come, step by step: the way it should go, or the side way it took. The story is in mypage.h. */
#include "mypage.h"

#include "lib/base/lang.h"

static const struct word step_word[] = {
	[STEP_BOOKED]    = { "BOOKED",    N_("Booking") },
	[STEP_PAID]      = { "PAID",      N_("Payment") },
	[STEP_CONFIRMED] = { "CONFIRMED", N_("Confirmation") },
	[STEP_OUT]       = { "OUT",       N_("Pick-up") },
	[STEP_RETURNED]  = { "RETURNED",  N_("Return") },
	[STEP_COMPLETED] = { "COMPLETED", N_("Done") },
	[STEP_EXPIRED]   = { "EXPIRED",   N_("Not completed") },
	[STEP_CANCELLED] = { "CANCELLED", N_("Cancelled") },
	[STEP_REJECTED]  = { "REJECTED",  N_("Could not be fulfilled") },
	[STEP_NO_SHOW]   = { "NO_SHOW",   N_("Not picked up") },
	[STEP_REFUND]    = { "REFUND",    N_("Refund") },
	[STEP_TRIP_ASKED]     = { "TRIP_ASKED",     N_("Requested") },
	[STEP_TRIP_COURIER]   = { "TRIP_COURIER",   N_("Courier assigned") },
	[STEP_TRIP_UNDER_WAY] = { "TRIP_UNDER_WAY", N_("On the way") },
	[STEP_TRIP_BROUGHT]   = { "TRIP_BROUGHT",   N_("Delivered") },
	[STEP_TRIP_FETCHED]   = { "TRIP_FETCHED",   N_("Collected") },
	[STEP_TRIP_CANCELLED] = { "TRIP_CANCELLED", N_("Cancelled") },
};
const struct words my_step_words = WORDS(step_word);

/* A step that waits for the customer says what to do; a courier saves the way to the branch. */
const char *
my_step_to_do(const struct my_booking *b, int step)
{
	if (step == STEP_PAID)
		return _("Pay now");
	if (step == STEP_OUT && !b->is_brought)
		return _("Pick up the car");
	if (step == STEP_RETURNED && !b->is_brought)
		return _("Return the car");
	return _(step_word[step].label);
}

static const struct word mark_word[] = {
	[MARK_DONE] = { "done", "" }, [MARK_NOW] = { "now", "" }, [MARK_TODO] = { "todo", "" }, [MARK_BAD] = { "bad", "" },
};
const struct words my_mark_words = WORDS(mark_word);

static const struct member step_members[] = {
	SHAPE_STATE(my_progress_step, step, my_step_words), SHAPE_STATE(my_progress_step, mark, my_mark_words),
	SHAPE_TIME(my_progress_step, at),
};
const struct shape my_progress_step_shape = SHAPE(my_progress_step, step_members);

static void
add(struct my_progress *p, int step, int mark, int64_t at)
{
	if (p->n_steps < MY_MAX_STEPS)
		p->step[p->n_steps++] = (struct my_progress_step){ .step = step, .mark = mark, .at = at };
}

/* Everything up to where it stands is done, the next is what happens now, the rest is to come, at its time if it has one. */
static void
straight_way(const struct my_booking *b, struct my_progress *p, int n_done)
{
	const int64_t was_at[] = { b->held_at, b->paid_at, b->confirmed_at, b->out_at, b->returned_at, b->completed_at };
	const int64_t will_be_at[] = { [STEP_OUT] = b->starts_at, [STEP_RETURNED] = b->ends_at, [STEP_COMPLETED] = 0 };

	for (int i = STEP_BOOKED; i <= STEP_COMPLETED; i++)
		add(p, i, i < n_done ? MARK_DONE : i == n_done ? MARK_NOW : MARK_TODO, i < n_done ? was_at[i] : will_be_at[i]);
}

static void
way_so_far(const struct my_booking *b, struct my_progress *p)
{
	add(p, STEP_BOOKED, MARK_DONE, b->held_at);
	if (b->paid_at)
		add(p, STEP_PAID, MARK_DONE, b->paid_at);
	if (b->confirmed_at)
		add(p, STEP_CONFIRMED, MARK_DONE, b->confirmed_at);
}

/* Money that is owed back is the last step, however long it takes. */
static void
refund_step(const struct my_booking *b, struct my_progress *p)
{
	if (b->payment_state == PAYMENT_BACK)
		add(p, STEP_REFUND, MARK_DONE, b->refunded_at);
	else if (b->payment_state == PAYMENT_GOING_BACK)
		add(p, STEP_REFUND, MARK_NOW, 0);
	p->is_moving = b->payment_state == PAYMENT_GOING_BACK;
}

static void
side_way(const struct my_booking *b, struct my_progress *p, int end, int mark)
{
	way_so_far(b, p);
	add(p, end, mark, b->ended_at);
	refund_step(b, p);
}

void
my_progress(const struct my_booking *b, struct my_progress *p)
{
	*p = (struct my_progress){ 0 };
	switch ((enum booking_state)b->state) {
	case BOOKING_HELD:
		straight_way(b, p, STEP_PAID);
		p->is_moving = true;
		break;
	case BOOKING_PAID:
		straight_way(b, p, STEP_CONFIRMED);
		p->is_moving = true;
		break;
	case BOOKING_CONFIRMED:
		straight_way(b, p, STEP_OUT);
		break;
	case BOOKING_OUT:
		straight_way(b, p, STEP_RETURNED);
		break;
	case BOOKING_RETURNED:
		straight_way(b, p, STEP_COMPLETED);
		break;
	case BOOKING_COMPLETED:
		straight_way(b, p, STEP_COMPLETED + 1);
		break;
	case BOOKING_CANCEL_REQUESTED:
	case BOOKING_CANCELLED:
		side_way(b, p, STEP_CANCELLED, MARK_DONE);
		break;
	case BOOKING_EXPIRED:
		side_way(b, p, STEP_EXPIRED, MARK_BAD);
		break;
	case BOOKING_REJECTED:
		side_way(b, p, STEP_REJECTED, MARK_BAD);
		break;
	case BOOKING_NO_SHOW:
		side_way(b, p, STEP_NO_SHOW, MARK_BAD);
		break;
	}
}

/* A trip ends where it ends; until then what is to come stands at the time that was agreed. */
void
my_trip_progress(const struct my_delivery *d, struct my_progress *p)
{
	const int64_t was_at[] = { d->requested_at, d->scheduled_at, d->shipped_at, d->delivered_at };
	int last = d->direction == TRIP_FROM_CUSTOMER ? STEP_TRIP_FETCHED : STEP_TRIP_BROUGHT;
	const int step[] = { STEP_TRIP_ASKED, STEP_TRIP_COURIER, STEP_TRIP_UNDER_WAY, last };

	*p = (struct my_progress){ .n_steps = 0 };
	if (d->state == TRIP_CANCELLED) {
		for (int i = 0; i < 3 && was_at[i]; i++)
			add(p, step[i], MARK_DONE, was_at[i]);
		add(p, STEP_TRIP_CANCELLED, MARK_BAD, d->ended_at);
		return;
	}
	for (int i = 0; i < 4; i++)
		add(p, step[i], i <= d->state ? MARK_DONE : i == d->state + 1 ? MARK_NOW : MARK_TODO,
		    i <= d->state ? was_at[i] : i == 3 ? d->window_from : 0);
}
