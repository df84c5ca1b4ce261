/* review_client - the calls of booking and equipment to review over its internal socket; described in
 * review_client.h. */
#include "review_client.h"

#include "lib/base/json.h"
#include "lib/base/settings.h"
#include "lib/call/call.h"

#include <string.h>

const struct review_client *review_client = &review_by_call;

struct open_request {
	const char *key, *kind, *subject_id, *title, *title_ko, *category, *currency;
	int64_t applicant_id, quantity, amount;
};
static const struct member open_request_members[] = {
	SHAPE_TEXT(open_request, key), SHAPE_TEXT(open_request, kind), SHAPE_TEXT(open_request, subject_id),
	SHAPE_INT(open_request, applicant_id), SHAPE_TEXT(open_request, title), SHAPE_TEXT(open_request, title_ko),
	SHAPE_TEXT(open_request, category), SHAPE_INT(open_request, quantity), SHAPE_AMOUNT(open_request, amount),
	SHAPE_TEXT(open_request, currency),
};
static const struct shape open_request_shape = SHAPE(open_request, open_request_members);

struct close_request { const char *reason; };
static const struct member close_request_members[] = { SHAPE_TEXT(close_request, reason) };
static const struct shape close_request_shape = SHAPE(close_request, close_request_members);

struct review_reply { const char *outcome, *reason; };
static const struct member review_reply_members[] = { SHAPE_TEXT(review_reply, outcome),
	SHAPE_TEXT(review_reply, reason) };
static const struct shape review_reply_shape = SHAPE(review_reply, review_reply_members);

static enum review_answer
answer_of(const struct review_reply *r)
{
	static const struct {
		const char *outcome;
		enum review_answer answer;
	} answers[] = {
		{ "approved", REVIEW_ANSWER_APPROVED },
		{ "queued", REVIEW_ANSWER_QUEUED },
		{ "rejected", REVIEW_ANSWER_REJECTED },
		{ "cancelled", REVIEW_ANSWER_CLOSED },
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(text_or_empty(r->outcome), answers[i].outcome) == 0)
			return answers[i].answer;
	return REVIEW_ANSWER_UNKNOWN;
}

/* A 503 means that review has not begun. */
static enum review_answer
call_review(struct db *db, const char *path, const struct shape *shape, const void *request, struct review_reply *reply)
{
	struct buf body = { .m = db_memory(db) };
	struct call c = { .program = "review", .path = path, .deadline_ms = (int)settings.call_deadline_ms };
	enum call_outcome outcome;

	json_put(&body, shape, request);
	c.body = body.s;
	outcome = call_do(db_memory(db), &c);
	if (outcome == CALL_NOT_SENT || outcome == CALL_REFUSED || (outcome == CALL_ANSWERED && c.status == 503))
		return REVIEW_ANSWER_NOT_ASKED;
	if (outcome != CALL_ANSWERED || c.status != 200
		|| !json_into(db_memory(db), c.answer, &review_reply_shape, reply))
		return REVIEW_ANSWER_UNKNOWN;
	return answer_of(reply);
}

static const char *
title(struct db *db, const struct review_request *q, const char *name)
{
	return arena_printf(db_memory(db), "%lld × %s", (long long)q->quantity, name);
}

static enum review_answer
open_case_by_call(struct db *db, const struct review_request *q, const char **reason)
{
	struct open_request request = {
		.key = q->key,
		.kind = "equipment",
		.subject_id = q->subject_id,
		.applicant_id = q->applicant_id,
		.title = title(db, q, q->item_name),
		.title_ko = title(db, q, *q->item_name_ko ? q->item_name_ko : q->item_name),
		.category = q->category,
		.quantity = q->quantity,
		.amount = q->amount,
		.currency = q->currency,
	};
	struct review_reply reply = { "", "" };
	enum review_answer answer = call_review(db, "/internal/cases", &open_request_shape, &request, &reply);

	*reason = text_or_empty(reply.reason);
	return answer;
}

static enum review_answer
cancel_case_by_call(struct db *db, const char *key, const char *reason)
{
	struct review_reply reply = { "", "" };

	return call_review(db, arena_printf(db_memory(db), "/internal/cases/%s/cancel", key), &close_request_shape,
		&(struct close_request){ reason }, &reply);
}

static int
ask_review_breaker(void)
{
	return call_closed_for_s("review");
}

const struct review_client review_by_call = { open_case_by_call, cancel_case_by_call, ask_review_breaker };

int
review_closed_for_s(void)
{
	return review_client->closed_for_s ? review_client->closed_for_s() : 0;
}
