/* pages_switch - pause and resume a consumer, retry and discard a failed event. Pausing and discarding ask for a reason
 * on a page of their own that explains them. */
#include "pages.h"
#include "switch.h"

#include "domain/menu.h"
#include "lib/base/lang.h"

/* As JSON: whether this call changed something. */
struct switch_answer { bool done; };
static const struct member switch_answer_members[] = { SHAPE_BOOL(switch_answer, done) };
static const struct shape switch_answer_shape = SHAPE(switch_answer, switch_answer_members);

/* A double click finds it done already. notice: the code of the sentence that /ops shows then. */
static enum status
switch_done(struct web *w, enum switch_outcome outcome, const char *notice)
{
	struct switch_answer a = { .done = outcome == SWITCH_DONE };

	switch (outcome) {
	case SWITCH_DONE:
	case SWITCH_ALREADY: return web_done(w, HTTP_OK, &switch_answer_shape, &a, "/ops?done=%s", notice);
	case SWITCH_UNKNOWN: return web_not_found(w);
	case SWITCH_LATER:
		return web_later(w, 5,
			_("Its database file is missing; the relay is rebuilding it. Please try again in a moment."));
	case SWITCH_NO_REASON: break;
	}
	return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("Please give a reason of up to 200 characters."));
}

/* --- the pages that ask for a reason ------------------------------------------------------------------------------ */

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
show_switch_question(struct web *w, struct page *page, enum status status, const char *message, struct ask_page *p)
{
	p->reason = form_field(w, "reason", "");
	p->problems = form_problems(w, message);
	menu_of(w)->nav_ops = true;
	return web_page(w, status, page, p);
}

static enum status
ask_pause(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct ask_page p = { .consumer = web_param(w, "consumer") };

	if (!ops_is_consumer(p.consumer, NULL))
		return web_not_found(w);
	return show_switch_question(w, &pause_template, status, message, &p);
}

static enum status
ask_discard(struct web *w, const void *form __attribute__((unused)), enum status status, const char *message)
{
	struct ask_page p = {
		.consumer = web_param(w, "consumer"), .event_id = web_param_id(w, "event_id"), .is_discard = true
	};

	if (!ops_retry(w->db, p.consumer, p.event_id, &p.retry))
		return web_not_found(w);
	return show_switch_question(w, &discard_template, status, message, &p);
}

/* --- pause and resume --------------------------------------------------------------------------------------------- */

enum status
page_pause(struct web *w)
{
	return ask_pause(w, NULL, HTTP_OK, NULL);
}

/* POST /ops/consumers/:consumer/pause - this context handles no event and does no sweep until it is resumed; the others
 * continue. */
enum status
do_pause(struct web *w)
{
	const char *reason = form_text(w, "reason", SWITCH_REASON_MAX);

	web_form(w, ask_pause, NULL);
	if (form_bad(w) && !w->json)
		return web_invalid(w);
	return switch_done(
		w, relay_pause(w->db, web_param(w, "consumer"), w->user.id, form_bad(w) ? "" : reason), "paused");
}

enum status
do_resume(struct web *w)
{
	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("The form contains unknown fields."));
	return switch_done(w, relay_resume(w->db, web_param(w, "consumer"), w->user.id), "resumed");
}

/* --- events that failed ------------------------------------------------------------------------------------------- */

/* POST /ops/retries/:consumer/:event_id/redrive - retried at once. */
enum status
do_redrive(struct web *w)
{
	if (form_bad(w))
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", _("The form contains unknown fields."));
	return switch_done(w,
		consumer_redrive(w->db, web_param(w, "consumer"), web_param_id(w, "event_id"), w->user.id), "redriven");
}

enum status
page_discard(struct web *w)
{
	return ask_discard(w, NULL, HTTP_OK, NULL);
}

/* POST /ops/retries/:consumer/:event_id/discard - it never takes effect; later events of its subject continue. */
enum status
do_discard(struct web *w)
{
	const char *reason = form_text(w, "reason", SWITCH_REASON_MAX);
	int64_t event_id = web_param_id(w, "event_id");

	web_form(w, ask_discard, NULL);
	if (form_bad(w) && !w->json)
		return web_invalid(w);
	return switch_done(w,
		consumer_discard(w->db, web_param(w, "consumer"), event_id, w->user.id, form_bad(w) ? "" : reason),
		"discarded");
}
