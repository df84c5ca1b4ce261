/* booking_client - delivery's call to booking over its internal socket; described in booking_client.h. */
#include "booking_client.h"

#include "domain/car_gone.h"
#include "lib/base/json.h"
#include "lib/base/settings.h"
#include "lib/call/call.h"

#include <string.h>

const struct booking_client *booking_client = &booking_by_call;

static const struct member custody_call_members[] = {
	SHAPE_TEXT(custody_call, key), SHAPE_TEXT(custody_call, begun_key), SHAPE_TEXT(custody_call, booking_code),
	SHAPE_TEXT(custody_call, step), SHAPE_INT(custody_call, user_id),
};
static const struct shape custody_call_shape = SHAPE(custody_call, custody_call_members);

/* A 409 says why. */
static enum booking_answer
refusal(struct db *db, const char *answer, struct custody *other)
{
	struct car_in_use_answer a = { .error = { .code = "" } };

	if (!json_into(db_memory(db), answer, &car_in_use_shape, &a))
		return BOOKING_ANSWER_UNKNOWN;
	*other = a.error.details;
	a.error.code = text_or_empty(a.error.code);
	if (strcmp(a.error.code, CAR_GONE_CODE) == 0)
		return BOOKING_ANSWER_OUT_OF_SERVICE;
	return strcmp(a.error.code, "car_in_use") == 0 ? BOOKING_ANSWER_IN_USE : BOOKING_ANSWER_REFUSED;
}

/* A 503 means that booking has not begun, as in booking's own calls. */
static enum booking_answer
custody_by_call(struct db *db, const struct custody_call *q, struct custody *other)
{
	struct call c = {
		.program = "booking",
		.path = "/internal/custody",
		.deadline_ms = (int)settings.call_deadline_ms,
	};
	struct buf body = { .m = db_memory(db) };
	enum call_outcome outcome;

	json_put(&body, &custody_call_shape, q);
	c.body = body.s;
	outcome = call_do(db_memory(db), &c);
	if (outcome == CALL_NOT_SENT || outcome == CALL_REFUSED || (outcome == CALL_ANSWERED && c.status == 503))
		return BOOKING_ANSWER_NOT_ASKED;
	if (outcome != CALL_ANSWERED)
		return BOOKING_ANSWER_UNKNOWN;
	if (c.status == 409)
		return refusal(db, c.answer, other);
	return c.status == 200 ? BOOKING_ANSWER_DONE : BOOKING_ANSWER_UNKNOWN;
}

static int
ask_booking_breaker(void)
{
	return call_closed_for_s("booking");
}

const struct booking_client booking_by_call = { custody_by_call, ask_booking_breaker };

int
booking_closed_for_s(void)
{
	return booking_client->closed_for_s ? booking_client->closed_for_s() : 0;
}
