/*
 * pages_stuck.c - what a manager does about a charge that is stuck: has it tried at once, or ends it by hand. The list is booking's
 * (/bookings/stuck): one desk for both.
 */
#include "pages.h"

#include "lib/base/clock.h"
#include "lib/base/settings.h"

PAGE(resolve_html, "stuck/question", stuck_question_shape)

static const struct member stuck_charge_members[] = {
	SHAPE_INT(charge, charge_id), SHAPE_TEXT(charge, subject_id), SHAPE_AMOUNT(charge, amount), SHAPE_TEXT(charge, currency),
	SHAPE_STATE(charge, state, charge_state_words), SHAPE_BOOL(charge, void_wanted), SHAPE_AMOUNT(charge, refunded_amount),
	SHAPE_INT(charge, tries), SHAPE_TIME(charge, next_at), SHAPE_TEXT(charge, last_error),
};
static const struct shape stuck_charge_shape = SHAPE(charge, stuck_charge_members);

static enum status
back_to_desk(struct web *w, const struct charge *c)
{
	return w->json ? web_json(w, HTTP_OK, &stuck_charge_shape, c) : web_redirect(w, "/bookings/stuck?done=%s", c->subject_id);
}

/* A second click tries once more, or finds it done: both are what was wanted. */
enum status
do_retry_charge(struct web *w)
{
	struct charge c;

	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	if (!charge_by_id(w->db, web_param_id(w, "charge_id"), &c))
		return web_not_found(w);
	charge_retry(w->db, &c, w->user.id, clock_ms() + settings.call_deadline_ms);
	return back_to_desk(w, &c);
}

static struct stuck_question
question(struct web *w, const struct charge *c, int kind, int64_t since)
{
	return (struct stuck_question){
		.subject_id = c->subject_id, .customer_name = charge_customer_name(w->db, c), .kind = kind, .since = since, .tries = c->tries,
		.next_at = c->next_at, .amount = charge_stuck_amount(w->db, c), .last_error = charge_stuck_error(w->db, c),
		.action = arena_printf(w->m, "/payments/%lld/resolve", (long long)c->charge_id),
		.back = arena_printf(w->m, "/payments/%lld", (long long)c->charge_id),
	};
}

enum status
page_resolve_charge(struct web *w)
{
	struct stuck_question q;
	struct charge c;
	int64_t since;
	int kind;

	if (!charge_by_id(w->db, web_param_id(w, "charge_id"), &c))
		return web_not_found(w);
	kind = charge_stuck_kind(w->db, &c, &since);
	if (kind < 0)
		return stuck_refuse(w, &resolve_html, NULL, STUCK_NO_MORE);
	q = question(w, &c, kind, since);
	return stuck_ask(w, &resolve_html, &q, HTTP_OK, NULL, NULL);
}

enum status
do_resolve_charge(struct web *w)
{
	struct stuck_choice choice;
	struct stuck_question q;
	enum stuck_outcome outcome;
	struct charge c;
	int64_t since;
	int kind;

	if (!charge_by_id(w->db, web_param_id(w, "charge_id"), &c))
		return web_not_found(w);
	kind = charge_stuck_kind(w->db, &c, &since);
	if (kind < 0)
		return stuck_refuse(w, &resolve_html, NULL, STUCK_NO_MORE);
	choice = stuck_answer(w, kind);
	q = question(w, &c, kind, since);
	if (form_bad(w))
		return stuck_ask(w, &resolve_html, &q, HTTP_UNPROCESSABLE, "invalid", _("Please look at the marked fields."));
	outcome = charge_resolve(w->db, &c, (enum stuck_way)choice.way, choice.reason, w->user.id, clock_ms() + settings.call_deadline_ms);
	return outcome == STUCK_RESOLVED ? back_to_desk(w, &c) : stuck_refuse(w, &resolve_html, &q, outcome);
}
