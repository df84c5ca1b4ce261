/* reviews - booking's call to review over its internal socket (docs/calls.md). The story is in reviews.h. */
#include "reviews.h"

#include "lib/call/call.h"
#include "lib/base/json.h"
#include "lib/base/settings.h"

#include <string.h>

const struct reviews *reviews = &reviews_by_call;

struct case_request {
	const char *key, *kind, *subject_id, *title, *title_ko, *category, *currency;
	int64_t applicant_id, quantity, amount;
};
static const struct member case_request_members[] = {
	SHAPE_TEXT(case_request, key), SHAPE_TEXT(case_request, kind), SHAPE_TEXT(case_request, subject_id),
	SHAPE_INT(case_request, applicant_id), SHAPE_TEXT(case_request, title), SHAPE_TEXT(case_request, title_ko),
	SHAPE_TEXT(case_request, category), SHAPE_INT(case_request, quantity), SHAPE_AMOUNT(case_request, amount),
	SHAPE_TEXT(case_request, currency),
};
static const struct shape case_request_shape = SHAPE(case_request, case_request_members);

struct case_reply { const char *outcome, *reason; };
static const struct member case_reply_members[] = { SHAPE_TEXT(case_reply, outcome), SHAPE_TEXT(case_reply, reason) };
static const struct shape case_reply_shape = SHAPE(case_reply, case_reply_members);

static const char *
title(struct db *db, const struct booking_extra *x, const char *name)
{
	return *name ? arena_printf(db_memory(db), "%lld × %s", (long long)x->quantity, name) : "";
}

/* The key is the code the order of equipment will have: review finds this case again when equipment reports it. */
static enum review_answer
open_by_call(struct db *db, const struct booking *b, const struct booking_extra *x, const char **reason)
{
	struct case_request q = {
		.key = arena_printf(db_memory(db), "%s-%lld", b->code, (long long)x->line_no), .kind = "equipment", .subject_id = b->code,
		.applicant_id = b->customer_id, .title = title(db, x, x->label), .title_ko = title(db, x, x->label_ko), .category = x->category,
		.quantity = x->quantity, .amount = x->amount, .currency = b->currency,
	};
	struct case_reply r = { .outcome = "", .reason = "" };
	struct call c = { .program = "review", .path = "/internal/cases", .deadline_ms = (int)settings.call_deadline_ms };
	struct buf body = { .m = db_memory(db) };

	json_put(&body, &case_request_shape, &q);
	c.body = body.s;
	if (call_do(db_memory(db), &c) != CALL_ANSWERED || c.status != 200 || !json_into(db_memory(db), c.answer, &case_reply_shape, &r))
		return REVIEW_NOT_HEARD;
	*reason = r.reason ? r.reason : "";
	if (strcmp(r.outcome, "rejected") == 0)
		return REVIEW_SAYS_NO;
	return strcmp(r.outcome, "approved") == 0 || strcmp(r.outcome, "queued") == 0 ? REVIEW_GOES_ON : REVIEW_NOT_HEARD;
}

static int
closed_for_s(void)
{
	return call_closed_for_s("review");
}

const struct reviews reviews_by_call = { open_by_call, closed_for_s };
