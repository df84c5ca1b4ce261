/* pages_call - what booking asks before it cancels (docs/calls.md). */
#include "pages.h"

#include "lib/base/json.h"
#include "lib/base/log.h"

#include <string.h>

struct order { const char *reason; };
static const struct member order_members[] = { SHAPE_TEXT(order, reason) };
static const struct shape order_shape = SHAPE(order, order_members);

struct reply { const char *outcome; };
static const struct member reply_members[] = { SHAPE_TEXT(reply, outcome) };
static const struct shape reply_shape = SHAPE(reply, reply_members);

static bool
is_code(const char *code)
{
	size_t n = code ? strlen(code) : 0;

	return n >= 6 && n <= 20 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

static bool
read_order(struct web *w, struct order *o)
{
	size_t n;
	const char *body = web_body(w, &n);

	*o = (struct order){ .reason = "" };
	if (strlen(body) != n || (n && !json_into(w->m, body, &order_shape, o)))
		return false;
	return strlen(o->reason ? o->reason : "") <= DELIVERY_REASON_MAX;
}

/* POST /internal/deliveries/CODE/cancel {reason} */
enum status
do_job_cancel(struct web *w)
{
	const char *code = web_param(w, "code");
	struct reply r = { .outcome = "cancelled" };
	struct order o;

	if (!is_code(code) || !read_order(w, &o)) {
		log_error("call", "invalid cancellation request");
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", "This is not a valid cancellation request.");
	}
	if (job_cancel(w->db, code, o.reason ? o.reason : "") == JOB_HAS_LEFT)
		r.outcome = "shipped";
	return web_json(w, HTTP_OK, &reply_shape, &r);
}
