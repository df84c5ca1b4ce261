/* pages_call - what programs ask of review over the internal socket (docs/calls.md). 200 carries an outcome; else the caller is wrong. */
#include "pages.h"
#include "review.h"

#include "lib/base/json.h"
#include "lib/base/log.h"

#include <string.h>

struct reply { const char *outcome, *reason; int64_t case_id; };
static const struct member opened_members[] = { SHAPE_TEXT(reply, outcome), SHAPE_INT(reply, case_id), SHAPE_TEXT(reply, reason) };
static const struct shape opened_shape = SHAPE(reply, opened_members);
static const struct member closed_members[] = { SHAPE_TEXT(reply, outcome) };
static const struct shape closed_shape = SHAPE(reply, closed_members);

static const struct member order_members[] = {
	SHAPE_TEXT(case_order, key), SHAPE_STATE(case_order, kind, case_kind_words), SHAPE_TEXT(case_order, subject_id),
	SHAPE_INT(case_order, applicant_id), SHAPE_TEXT(case_order, title), SHAPE_TEXT(case_order, title_ko),
	SHAPE_TEXT(case_order, category), SHAPE_INT(case_order, quantity), SHAPE_AMOUNT(case_order, amount), SHAPE_TEXT(case_order, currency),
};
static const struct shape order_shape = SHAPE(case_order, order_members);
static const struct member cancel_members[] = { SHAPE_TEXT(reply, reason) };
static const struct shape cancel_shape = SHAPE(reply, cancel_members);

static bool
body_into(struct web *w, const struct shape *shape, void *out)
{
	size_t n;
	const char *body = web_body(w, &n);

	return strlen(body) == n && json_into(w->m, body, shape, out);
}

static enum status
bad_call(struct web *w, const char *what)
{
	log_error("call", "%s", what);
	return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", what);
}

static bool
is_key(const char *key)
{
	size_t n = key ? strlen(key) : 0;

	return n > 0 && n <= 80 && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

static const char *
outcome_of(const struct review_case *c)
{
	switch ((enum case_state)c->state) {
	case CASE_ASSIGNED:  return "queued";
	case CASE_APPROVED:  return "approved";
	case CASE_REJECTED:  return "rejected";
	case CASE_CANCELLED: break;
	}
	return "cancelled";
}

enum status
do_open_case(struct web *w)
{
	struct case_order o = { .title = "", .title_ko = "", .category = "", .currency = "", .kind = -1 };
	struct review_case c;
	struct reply r;

	if (!body_into(w, &order_shape, &o) || !is_key(o.key))
		return bad_call(w, "invalid case request");
	switch (case_open(w->db, &o, 0, &c)) {
	case CASE_OPENED:     break;
	case CASE_KEY_REUSED: return web_refuse(w, HTTP_UNPROCESSABLE, "key_reused", "This key was already used for another case.");
	case CASE_BAD_ORDER:  return bad_call(w, "unsupported kind of case");
	}
	r = (struct reply){ .outcome = outcome_of(&c), .case_id = c.case_id, .reason = c.reason };
	return web_json(w, HTTP_OK, &opened_shape, &r);
}

enum status
do_cancel_case(struct web *w)
{
	const char *key = web_param(w, "key");
	struct reply r = { .reason = "" };

	if (!is_key(key) || !body_into(w, &cancel_shape, &r) || !r.reason || strlen(r.reason) > 300)
		return bad_call(w, "not a case to cancel");
	case_cancel(w->db, key, r.reason, 0);
	r.outcome = "cancelled";
	return web_json(w, HTTP_OK, &closed_shape, &r);
}
