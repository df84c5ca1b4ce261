/* pages_call - calls of other programs over the internal socket (docs/calls.md). 200 carries an outcome; otherwise the
 * caller is wrong. */
#include "pages.h"
#include "review.h"

#include "lib/base/json.h"
#include "lib/base/log.h"

#include <string.h>

struct case_reply { const char *outcome, *reason; int64_t case_id; };
static const struct member opened_members[] = {
	SHAPE_TEXT(case_reply, outcome), SHAPE_INT(case_reply, case_id), SHAPE_TEXT(case_reply, reason),
};
static const struct shape opened_shape = SHAPE(case_reply, opened_members);
static const struct member closed_members[] = { SHAPE_TEXT(case_reply, outcome) };
static const struct shape closed_shape = SHAPE(case_reply, closed_members);

static const struct member request_members[] = {
	SHAPE_TEXT(case_request, key), SHAPE_STATE(case_request, kind, case_kind_words),
	SHAPE_TEXT(case_request, subject_id), SHAPE_INT(case_request, applicant_id), SHAPE_TEXT(case_request, title),
	SHAPE_TEXT(case_request, title_ko), SHAPE_TEXT(case_request, category), SHAPE_INT(case_request, quantity),
	SHAPE_AMOUNT(case_request, amount), SHAPE_TEXT(case_request, currency),
};
static const struct shape request_shape = SHAPE(case_request, request_members);
static const struct member cancel_members[] = { SHAPE_TEXT(case_reply, reason) };
static const struct shape cancel_shape = SHAPE(case_reply, cancel_members);

static bool
case_body(struct web *w, const struct shape *shape, void *out)
{
	size_t n;
	const char *body = web_body(w, &n);

	return strlen(body) == n && json_into(w->m, body, shape, out);
}

static enum status
bad_case_call(struct web *w, const char *what)
{
	log_error("call", "%s", what);
	return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", what);
}

static bool
is_case_key(const char *key)
{
	size_t n = key ? strlen(key) : 0;

	return n > 0 && n <= 80 && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

static const char *
case_outcome(const struct review_case *c)
{
	switch ((enum case_state)c->state) {
	case CASE_ASSIGNED: return "queued";
	case CASE_APPROVED: return "approved";
	case CASE_REJECTED: return "rejected";
	case CASE_CANCELLED: break;
	}
	return "cancelled";
}

enum status
do_open_case(struct web *w)
{
	struct case_request o = { .title = "", .title_ko = "", .category = "", .currency = "", .kind = -1 };
	struct review_case c;
	struct case_reply r;

	if (!case_body(w, &request_shape, &o) || !is_case_key(o.key))
		return bad_case_call(w, "invalid case request");
	switch (case_open(w->db, &o, 0, &c)) {
	case CASE_OPEN_DONE: break;
	case CASE_OPEN_KEY_REUSED:
		return web_refuse(w, HTTP_UNPROCESSABLE, "key_reused", "This key was already used for another case.");
	case CASE_OPEN_BAD_REQUEST: return bad_case_call(w, "unsupported kind of case");
	}
	r = (struct case_reply){ .outcome = case_outcome(&c), .case_id = c.case_id, .reason = c.reason };
	return web_json(w, HTTP_OK, &opened_shape, &r);
}

enum status
do_cancel_case(struct web *w)
{
	const char *key = web_param(w, "key");
	struct case_reply r = { .reason = "" };

	if (!is_case_key(key) || !case_body(w, &cancel_shape, &r) || !r.reason || strlen(r.reason) > 300)
		return bad_case_call(w, "invalid request to cancel a case");
	case_cancel(w->db, key, r.reason, 0);
	r.outcome = "cancelled";
	return web_json(w, HTTP_OK, &closed_shape, &r);
}
