/* reviews - equipment's calls to review over its internal socket (docs/calls.md). The story is in reviews.h. */
#include "reviews.h"
#include "equipment_steps.h"

#include "lib/call/call.h"
#include "lib/base/json.h"
#include "lib/base/settings.h"

#include <string.h>

const struct equipment_reviews *equipment_reviews = &equipment_reviews_by_call;

struct case_request {
	const char *key, *kind, *subject_id, *title, *title_ko, *category, *currency;
	int64_t applicant_id, quantity, amount;
};
static const struct member case_request_members[] = {
	SHAPE_TEXT(case_request, key), SHAPE_TEXT(case_request, kind), SHAPE_TEXT(case_request, subject_id), SHAPE_INT(case_request, applicant_id),
	SHAPE_TEXT(case_request, title), SHAPE_TEXT(case_request, title_ko), SHAPE_TEXT(case_request, category),
	SHAPE_INT(case_request, quantity), SHAPE_AMOUNT(case_request, amount), SHAPE_TEXT(case_request, currency),
};
static const struct shape case_request_shape = SHAPE(case_request, case_request_members);

struct close_request { const char *reason; };
static const struct member close_request_members[] = { SHAPE_TEXT(close_request, reason) };
static const struct shape close_request_shape = SHAPE(close_request, close_request_members);

struct case_reply { const char *outcome, *reason; };
static const struct member case_reply_members[] = { SHAPE_TEXT(case_reply, outcome), SHAPE_TEXT(case_reply, reason) };
static const struct shape case_reply_shape = SHAPE(case_reply, case_reply_members);

/* 503 is review's own "I have not begun". */
static enum review_answer
ask(struct db *db, const char *path, const struct shape *shape, const void *data, struct case_reply *reply)
{
	static const struct { const char *outcome; enum review_answer answer; } means[] = {
		{ "approved", REVIEW_SAYS_YES }, { "queued", REVIEW_SAYS_WAIT }, { "rejected", REVIEW_SAYS_NO }, { "cancelled", REVIEW_IS_CLOSED },
	};
	struct buf body = { .m = db_memory(db) };
	struct call c = { .program = "review", .path = path, .deadline_ms = (int)settings.call_deadline_ms };
	enum call_outcome outcome;

	*reply = (struct case_reply){ .outcome = "", .reason = "" };
	json_put(&body, shape, data);
	c.body = body.s;
	outcome = call_do(db_memory(db), &c);
	if (outcome == CALL_NOT_SENT || outcome == CALL_REFUSED || (outcome == CALL_ANSWERED && c.status == 503))
		return REVIEW_NOT_ASKED;
	if (outcome != CALL_ANSWERED || c.status != 200 || !json_into(db_memory(db), c.answer, &case_reply_shape, reply))
		return REVIEW_UNKNOWN;
	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++)
		if (strcmp(reply->outcome, means[i].outcome) == 0)
			return means[i].answer;
	return REVIEW_UNKNOWN;
}

static enum review_answer
ask_by_call(struct db *db, const struct equipment_order *o, const char **reason)
{
	struct arena *m = db_memory(db);
	struct case_request q = {
		.key = o->code, .kind = "equipment", .subject_id = equipment_subject(o), .applicant_id = o->customer_id,
		.title = arena_printf(m, "%lld × %s", (long long)o->quantity, o->item_name),
		.title_ko = arena_printf(m, "%lld × %s", (long long)o->quantity, *o->item_name_ko ? o->item_name_ko : o->item_name),
		.category = o->category, .quantity = o->quantity, .amount = o->amount, .currency = o->currency,
	};
	struct case_reply reply;
	enum review_answer answer = ask(db, "/internal/cases", &case_request_shape, &q, &reply);

	*reason = reply.reason;
	return answer;
}

static enum review_answer
close_by_call(struct db *db, const struct equipment_order *o, const char *reason)
{
	struct close_request q = { .reason = reason };
	struct case_reply reply;

	return ask(db, arena_printf(db_memory(db), "/internal/cases/%s/cancel", o->code), &close_request_shape, &q, &reply);
}

static int
closed_for_s(void)
{
	return call_closed_for_s("review");
}

const struct equipment_reviews equipment_reviews_by_call = { ask_by_call, close_by_call, closed_for_s };
