/*
 * pages_stuck - what a manager does about a charge that has been pending for too long: retries it, or closes it
 * manually. It is in booking's list (/bookings/stuck), which has both.
 */
#include "pages.h"

#include "lib/base/clock.h"
#include "lib/base/settings.h"

PAGE(resolve_html, "stuck/question", stuck_form_shape)

static const struct member stuck_charge_members[] = {
	SHAPE_INT(charge, charge_id), SHAPE_TEXT(charge, subject_id), SHAPE_AMOUNT(charge, amount),
	SHAPE_TEXT(charge, currency), SHAPE_STATE(charge, state, charge_state_words), SHAPE_BOOL(charge, void_wanted),
	SHAPE_AMOUNT(charge, refunded_amount), SHAPE_INT(charge, tries), SHAPE_TIME(charge, next_at),
	SHAPE_TEXT(charge, last_error),
};
static const struct shape stuck_charge_shape = SHAPE(charge, stuck_charge_members);

static enum status
done_with_charge(struct web *w, const struct charge *c)
{
	return web_done(w, HTTP_OK, &stuck_charge_shape, c, "/bookings/stuck?done=%s", c->subject_id);
}

/* A second click retries again, or finds it done. */
enum status
do_retry_charge(struct web *w)
{
	struct charge c;

	if (form_bad(w))
		return web_invalid(w);
	if (!charge_by_id(w->db, web_param_id(w, "charge_id"), &c))
		return web_not_found(w);
	charge_retry(w->db, &c, w->user.id, clock_ms() + settings.call_deadline_ms);
	return done_with_charge(w, &c);
}

static struct stuck_form
charge_resolve_form(struct web *w, const struct charge *c)
{
	int64_t since;
	int kind = charge_stuck_kind(w->db, c, &since);

	return (struct stuck_form){
		.page = &resolve_html,
		.subject_id = c->subject_id,
		.customer_name = charge_customer_name(w->db, c),
		.kind = kind,
		.since = since,
		.tries = c->tries,
		.next_at = c->next_at,
		.amount = charge_stuck_amount(w->db, c),
		.last_error = charge_stuck_error(w->db, c),
		.action = arena_printf(w->m, "/payments/%lld/resolve", (long long)c->charge_id),
		.back = arena_printf(w->m, "/payments/%lld", (long long)c->charge_id),
	};
}

enum status
page_resolve_charge(struct web *w)
{
	struct stuck_form f;
	struct charge c;

	if (!charge_by_id(w->db, web_param_id(w, "charge_id"), &c))
		return web_not_found(w);
	f = charge_resolve_form(w, &c);
	if (f.kind < 0)
		return stuck_refuse(w, RESOLVE_NOT_STUCK);
	return stuck_show_form(w, &f, HTTP_OK, NULL);
}

enum status
do_resolve_charge(struct web *w)
{
	enum resolve_outcome outcome;
	struct stuck_choice choice;
	struct stuck_form f;
	struct charge c;

	if (!charge_by_id(w->db, web_param_id(w, "charge_id"), &c))
		return web_not_found(w);
	f = charge_resolve_form(w, &c);
	if (f.kind < 0)
		return stuck_refuse(w, RESOLVE_NOT_STUCK);
	web_form(w, stuck_show_form, &f);
	choice = stuck_read_form(w, f.kind);
	if (form_bad(w))
		return web_invalid(w);
	outcome = charge_resolve(w->db, &c, (enum stuck_resolution)choice.way, choice.reason, w->user.id,
		clock_ms() + settings.call_deadline_ms);
	return outcome == RESOLVE_DONE ? done_with_charge(w, &c) : stuck_refuse(w, outcome);
}
