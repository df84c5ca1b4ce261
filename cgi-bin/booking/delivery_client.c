/* delivery_client - booking's call to delivery over its internal socket; described in delivery_client.h. */
#include "delivery_client.h"

#include "lib/call/call.h"
#include "lib/base/json.h"
#include "lib/base/settings.h"

#include <string.h>

const struct delivery_client *delivery_client = &delivery_by_call;

struct cancel_request { const char *reason; };
static const struct member cancel_request_members[] = { SHAPE_TEXT(cancel_request, reason) };
static const struct shape cancel_request_shape = SHAPE(cancel_request, cancel_request_members);

struct cancel_reply { const char *outcome; };
static const struct member cancel_reply_members[] = { SHAPE_TEXT(cancel_reply, outcome) };
static const struct shape cancel_reply_shape = SHAPE(cancel_reply, cancel_reply_members);

/* A 503 means that delivery has not begun, as in payment_client.c. */
static enum delivery_answer
cancel_delivery_by_call(struct db *db, const struct booking *b, const char *reason)
{
	struct cancel_request q = { .reason = reason };
	struct cancel_reply r = { .outcome = "" };
	struct call c = { .program = "delivery", .deadline_ms = (int)settings.call_deadline_ms };
	struct buf body = { .m = db_memory(db) };
	enum call_outcome outcome;

	json_put(&body, &cancel_request_shape, &q);
	c.path = arena_printf(db_memory(db), "/internal/deliveries/%s/cancel", b->code);
	c.body = body.s;
	outcome = call_do(db_memory(db), &c);
	if (outcome == CALL_NOT_SENT || outcome == CALL_REFUSED || (outcome == CALL_ANSWERED && c.status == 503))
		return DELIVERY_ANSWER_NOT_ASKED;
	if (outcome != CALL_ANSWERED || c.status != 200 || !json_into(db_memory(db), c.answer, &cancel_reply_shape, &r)
		|| !r.outcome)
		return DELIVERY_ANSWER_UNKNOWN;
	if (strcmp(r.outcome, "cancelled") == 0)
		return DELIVERY_ANSWER_CANCELLED;
	return strcmp(r.outcome, "shipped") == 0 ? DELIVERY_ANSWER_SHIPPED : DELIVERY_ANSWER_UNKNOWN;
}

static int
ask_delivery_breaker(void)
{
	return call_closed_for_s("delivery");
}

const struct delivery_client delivery_by_call = { cancel_delivery_by_call, ask_delivery_breaker };

int
delivery_closed_for_s(void)
{
	return delivery_client->closed_for_s ? delivery_client->closed_for_s() : 0;
}
