/* pages_call - booking's call before it cancels a booking (docs/calls.md). */
#include "pages.h"

#include "lib/base/json.h"
#include "lib/base/log.h"

#include <string.h>

struct job_cancel_request { const char *reason; };
static const struct member job_cancel_request_members[] = { SHAPE_TEXT(job_cancel_request, reason) };
static const struct shape job_cancel_request_shape = SHAPE(job_cancel_request, job_cancel_request_members);

struct job_cancel_answer { const char *outcome; };
static const struct member job_cancel_answer_members[] = { SHAPE_TEXT(job_cancel_answer, outcome) };
static const struct shape job_cancel_answer_shape = SHAPE(job_cancel_answer, job_cancel_answer_members);

static bool
looks_like_booking_code(const char *code)
{
	size_t n = code ? strlen(code) : 0;

	return n >= 6 && n <= 20 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

static bool
read_cancel_request(struct web *w, struct job_cancel_request *r)
{
	size_t n;
	const char *body = web_body(w, &n);

	*r = (struct job_cancel_request){ .reason = "" };
	if (strlen(body) != n || (n && !json_into(w->m, body, &job_cancel_request_shape, r)))
		return false;
	r->reason = text_or_empty(r->reason);
	return strlen(r->reason) <= DELIVERY_REASON_MAX;
}

/* POST /internal/deliveries/CODE/cancel {reason} */
enum status
do_booking_cancel(struct web *w)
{
	const char *code = web_param(w, "code");
	struct job_cancel_answer answer = { .outcome = "cancelled" };
	struct job_cancel_request r;

	if (!looks_like_booking_code(code) || !read_cancel_request(w, &r)) {
		log_error("call", "invalid cancellation request");
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", "This is not a valid cancellation request.");
	}
	if (job_cancel(w->db, code, r.reason) == JOB_HAS_LEFT)
		answer.outcome = "shipped";
	return web_json(w, HTTP_OK, &job_cancel_answer_shape, &answer);
}
