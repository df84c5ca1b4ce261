/* pages_undo - taking back a car and recording a no-show: the question before, the act, and undoing it. */
#include "pages.h"

#include "lib/base/lang.h"
#include "lib/web/form.h"

enum status
refuse_step(struct web *w)
{
	return web_refuse(w, HTTP_CONFLICT, "wrong_state",
		_("This is not possible in the current status of the booking. Please check the booking again."));
}

/* --- the acts ----------------------------------------------------------------------------------------------------- */

static enum status
refuse_car_away(struct web *w, const struct custody *c)
{
	return web_refuse(w, HTTP_CONFLICT, "car_out",
		arena_printf(w->m,
			c->kind == CUSTODY_CUSTOMER
				? _("The car is still out with booking %s, so this customer could not pick it up.")
				: _("The car %s is on the way with a courier, so this customer could not pick it up."),
			c->kind == CUSTODY_CUSTOMER ? c->booking_code : c->plate));
}

static enum status
refuse_no_show(struct web *w, const struct booking *b)
{
	struct custody other;
	int64_t from;

	switch (booking_may_no_show(w->db, b, &from, &other)) {
	case NO_SHOW_TOO_EARLY:
		return web_refuse(w, HTTP_CONFLICT, "too_early",
			arena_printf(w->m, _("This booking can be recorded as not picked up from %s."),
				time_in_words(w->m, from)));
	case NO_SHOW_CAR_AWAY: return refuse_car_away(w, &other);
	case NO_SHOW_NEVER_THERE:
		return web_refuse(w, HTTP_CONFLICT, "car_out",
			_("The car came back only after this booking had ended, so this customer could not pick it"
			  " up."));
	case NO_SHOW_CAR_GONE:
		return web_refuse(w, HTTP_CONFLICT, "car_out_of_service",
			_("The car is not in service, so this customer could not pick it up."));
	case NO_SHOW_MAY:
	case NO_SHOW_WRONG_STATE: break;
	}
	return refuse_step(w);
}

/* A second click leads to the same page as the first; a program gets 409. */
static bool
is_done_already(struct web *w, const struct booking *b, enum booking_state act)
{
	return !w->json && b->state == (int)act && b->undo_until;
}

enum status
do_no_show(struct web *w)
{
	struct booking b;

	if (form_bad(w))
		return web_invalid(w);
	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (is_done_already(w, &b, BOOKING_NO_SHOW) || booking_no_show(w->db, &b, w->user.id))
		return booking_done(w, HTTP_OK, &b, booking_url(w, &b));
	return refuse_no_show(w, &b);
}

enum status
do_take_back_car(struct web *w)
{
	struct booking b;

	if (form_bad(w))
		return web_invalid(w);
	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (is_done_already(w, &b, BOOKING_RETURNED) || booking_take_back(w->db, &b, w->user.id))
		return booking_done(w, HTTP_OK, &b, booking_url(w, &b));
	return refuse_step(w);
}

/* --- the questions before ----------------------------------------------------------------------------------------- */

enum status
page_no_show(struct web *w)
{
	struct custody other;
	struct booking b;
	int64_t from;

	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (is_done_already(w, &b, BOOKING_NO_SHOW))
		return web_redirect(w, "%s", booking_url(w, &b));
	if (!w->json && booking_may_no_show(w->db, &b, &from, &other) != NO_SHOW_MAY)
		return refuse_no_show(w, &b);
	return answer_booking(w, NO_SHOW_PAGE, &b);
}

enum status
page_take_back(struct web *w)
{
	struct booking b;

	if (!find_path_booking(w, &b))
		return web_not_found(w);
	if (is_done_already(w, &b, BOOKING_RETURNED))
		return web_redirect(w, "%s", booking_url(w, &b));
	return w->json || b.state == BOOKING_OUT ? answer_booking(w, TAKE_BACK_PAGE, &b) : refuse_step(w);
}

/* --- undone ------------------------------------------------------------------------------------------------------- */

const char *
undo_refusal_in_words(struct arena *m, enum undo_outcome outcome, const struct booking *b, const struct custody *since)
{
	if (outcome == UNDO_OVER)
		return b->undo_until ? arena_printf(m, _("This could be undone until %s. Nothing has changed."),
			       time_in_words(m, b->undo_until))
				     : _("This can no longer be undone. Nothing has changed.");
	if (outcome == UNDO_CAR_GONE)
		return _("The car was taken out of service since, so this can no longer be undone. Nothing has"
			 " changed.");
	if (!*since->plate)
		return _("The car has moved since, so this can no longer be undone. Nothing has changed.");
	return arena_printf(m,
		since->kind == CUSTODY_CUSTOMER
			? _("The car %s has been handed over for booking %s since, so this can no longer be undone.")
			: _("The car %s has been with a courier since, so this can no longer be undone."),
		since->plate, since->booking_code);
}

/* It was undone before: a second click leads to the same page, a program gets 409. */
static bool
was_undone(struct web *w, const struct booking *b, enum booking_state act)
{
	return !w->json && b->state == (act == BOOKING_NO_SHOW ? BOOKING_CONFIRMED : BOOKING_OUT);
}

static enum status
do_undo(struct web *w, enum booking_state act)
{
	enum undo_outcome outcome;
	struct custody since;
	struct booking b;

	if (form_bad(w))
		return web_invalid(w);
	if (!find_path_booking(w, &b))
		return web_not_found(w);
	outcome = booking_undo(w->db, &b, act, w->user.id, &since);
	switch (outcome) {
	case UNDO_DONE: return booking_done(w, HTTP_OK, &b, booking_url(w, &b));
	case UNDO_OVER:
		return web_refuse(w, HTTP_CONFLICT, "undo_over", undo_refusal_in_words(w->m, outcome, &b, &since));
	case UNDO_CAR_MOVED:
	case UNDO_CAR_GONE:
		return web_refuse(w, HTTP_CONFLICT, "undo_refused", undo_refusal_in_words(w->m, outcome, &b, &since));
	case UNDO_NOTHING: break;
	}
	if (act == BOOKING_RETURNED && b.state == BOOKING_COMPLETED)
		return web_refuse(w, HTTP_CONFLICT, "undo_over", undo_refusal_in_words(w->m, UNDO_OVER, &b, &since));
	return was_undone(w, &b, act) ? web_redirect(w, "%s", booking_url(w, &b)) : refuse_step(w);
}

enum status
do_undo_no_show(struct web *w)
{
	return do_undo(w, BOOKING_NO_SHOW);
}

enum status
do_undo_return(struct web *w)
{
	return do_undo(w, BOOKING_RETURNED);
}
