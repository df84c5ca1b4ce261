/*
 * pages_switch - what a person does to the relay: stop a consumer and let it go on, have a failed event tried again, or let it
 * go. Stopping and letting go ask for a reason, on a page of their own that says what it means.
 */
#include "pages.h"
#include "switch.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

/* The answer to a program: whether this call did it. */
struct switched_answer { bool done; };
static const struct member switched_members[] = { SHAPE_BOOL(switched_answer, done) };
static const struct shape switched_shape = SHAPE(switched_answer, switched_members);

/* A second click finds it done already, and that is what was wanted. notice: which sentence /ops shows then. */
static enum status
settle(struct web *w, enum switched outcome, const char *notice)
{
	struct switched_answer a = { .done = outcome == SWITCH_DONE };

	switch (outcome) {
	case SWITCH_DONE:
	case SWITCH_ALREADY:
		return w->json ? web_json(w, HTTP_OK, &switched_shape, &a) : web_redirect(w, "/ops?done=%s", notice);
	case SWITCH_UNKNOWN:
		return web_not_found(w);
	case SWITCH_LATER:
		return web_later(w, 5, _("Its database file is missing; the relay is rebuilding it. Please try again in a moment."));
	case SWITCH_NO_REASON:
		break;
	}
	return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please give a reason of up to 200 characters."));
}

/* --- the pages that ask for a reason ------------------------------------------------------------------------------------ */

struct ask_page {
	const char *consumer;
	int64_t event_id;
	bool is_discard;
	struct ops_retry retry;
	struct field reason;
	struct form_problems problems;
};
static const struct member ask_members[] = {
	SHAPE_TEXT(ask_page, consumer), SHAPE_INT(ask_page, event_id), SHAPE_BOOL(ask_page, is_discard),
	SHAPE_STRUCT(ask_page, retry, ops_retry_shape), SHAPE_STRUCT(ask_page, reason, field_shape),
	SHAPE_STRUCT(ask_page, problems, form_problems_shape),
};
static const struct shape ask_shape = SHAPE(ask_page, ask_members);
PAGE(pause_template, "ops/pause", ask_shape);
PAGE(discard_template, "ops/discard", ask_shape);

static enum status
show(struct web *w, struct page *page, enum status status, struct ask_page *p)
{
	p->reason = form_field(w, "reason", "");
	p->problems = form_problems(w, status == HTTP_OK ? NULL : _("Please look at the marked fields."));
	menu_of(w)->nav_ops = true;
	return web_page(w, status, page, p);
}

static enum status
ask_pause(struct web *w, enum status status)
{
	struct ask_page p = { .consumer = web_param(w, "consumer") };

	if (!ops_is_consumer(p.consumer, NULL))
		return web_not_found(w);
	return show(w, &pause_template, status, &p);
}

static enum status
ask_discard(struct web *w, enum status status)
{
	struct ask_page p = { .consumer = web_param(w, "consumer"), .event_id = web_param_id(w, "event_id"), .is_discard = true };

	if (!ops_retry(w->db, p.consumer, p.event_id, &p.retry))
		return web_not_found(w);
	return show(w, &discard_template, status, &p);
}

/* --- pause and resume ---------------------------------------------------------------------------------------------------- */

enum status
page_pause(struct web *w)
{
	return ask_pause(w, HTTP_OK);
}

/* POST /ops/consumers/:consumer/pause - no event, no sweep of this context until it is resumed; the others run on. */
enum status
do_pause(struct web *w)
{
	const char *reason = form_text(w, "reason", SWITCH_REASON_MAX);

	if (form_bad(w) && !w->json)
		return ask_pause(w, HTTP_UNPROCESSABLE);
	return settle(w, relay_pause(w->db, web_param(w, "consumer"), w->user.id, form_bad(w) ? "" : reason), "paused");
}

enum status
do_resume(struct web *w)
{
	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("The form contains unknown fields."));
	return settle(w, relay_resume(w->db, web_param(w, "consumer"), w->user.id), "resumed");
}

/* --- events that failed --------------------------------------------------------------------------------------------------- */

/* POST /ops/retries/:consumer/:event_id/redrive - all its tries anew, at once. */
enum status
do_redrive(struct web *w)
{
	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("The form contains unknown fields."));
	return settle(w, consumer_redrive(w->db, web_param(w, "consumer"), web_param_id(w, "event_id"), w->user.id), "redriven");
}

enum status
page_discard(struct web *w)
{
	return ask_discard(w, HTTP_OK);
}

/* POST /ops/retries/:consumer/:event_id/discard - it will never take effect; later events of its subject go on. */
enum status
do_discard(struct web *w)
{
	const char *reason = form_text(w, "reason", SWITCH_REASON_MAX);
	int64_t event_id = web_param_id(w, "event_id");

	if (form_bad(w) && !w->json)
		return ask_discard(w, HTTP_UNPROCESSABLE);
	return settle(w, consumer_discard(w->db, web_param(w, "consumer"), event_id, w->user.id, form_bad(w) ? "" : reason), "discarded");
}
