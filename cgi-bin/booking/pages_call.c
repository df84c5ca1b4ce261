/* pages_call - delivery's call before a courier's step (docs/calls.md). */
#include "custody.h"
#include "pages.h"

#include "lib/base/json.h"
#include "lib/base/log.h"

#include <string.h>

static const struct member custody_request_members[] = {
	SHAPE_TEXT(custody_request, key), SHAPE_TEXT(custody_request, begun_key),
	SHAPE_TEXT(custody_request, booking_code), SHAPE_STATE(custody_request, step, custody_step_words),
	SHAPE_INT(custody_request, user_id),
};
static const struct shape custody_request_shape = SHAPE(custody_request, custody_request_members);

struct custody_done { const char *outcome; };
static const struct member custody_done_members[] = { SHAPE_TEXT(custody_done, outcome) };
static const struct shape custody_done_shape = SHAPE(custody_done, custody_done_members);

#define KEY_MAX 60      /* a car's id follows it in the custody's own key */

static bool
is_custody_key(const char *key)
{
	size_t n = strlen(key);

	return n > 0 && n <= KEY_MAX && strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

static bool
read_custody_request(struct web *w, struct custody_request *q)
{
	size_t n;
	const char *body = web_body(w, &n);

	*q = (struct custody_request){ .step = -1 };
	if (strlen(body) != n || !json_into(w->m, body, &custody_request_shape, q))
		return false;
	q->key = text_or_empty(q->key);
	q->begun_key = text_or_empty(q->begun_key);
	q->booking_code = text_or_empty(q->booking_code);
	return q->step >= 0 && q->user_id > 0 && is_custody_key(q->key)
		&& (q->step != CUSTODY_BACK || is_custody_key(q->begun_key));
}

/* POST /internal/custody {key, begun_key, booking_code, step, user_id} */
enum status
do_custody(struct web *w)
{
	struct custody_request q;
	struct custody_refusal why;

	if (!read_custody_request(w, &q)) {
		log_error("call", "invalid custody request");
		return web_refuse(w, HTTP_UNPROCESSABLE, "invalid", "This is not a valid custody request.");
	}
	switch (custody_take_step(w->db, &q, &why)) {
	case CUSTODY_DONE: return web_json(w, HTTP_OK, &custody_done_shape, &(struct custody_done){ "done" });
	case CUSTODY_IN_USE: return car_in_use_json(w, &why.other);
	case CUSTODY_OUT_OF_SERVICE: return car_gone_json(w, &why.gone);
	case CUSTODY_WRONG_STATE: break;
	}
	return web_refuse(w, HTTP_CONFLICT, "wrong_state", "The booking is not in a state for this step.");
}
