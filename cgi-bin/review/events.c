/* events - what review reports, and the tables it may write. */
#include "review.h"

#include "domain/event_types.h"

const struct db_role review_role = { .name = "review", .owns = "review_case position event_retry" };

#define CASE_MEMBERS \
	SHAPE_INT(review_case, case_id), SHAPE_TEXT(review_case, key), \
	SHAPE_STATE(review_case, kind, case_kind_words), \
	SHAPE_INT(review_case, applicant_id), SHAPE_TEXT(review_case, title), SHAPE_TEXT(review_case, title_ko)

static const struct member assigned_members[] = { CASE_MEMBERS };
static const struct member decided_members[] = {
	CASE_MEMBERS, SHAPE_INT(review_case, reviewer_id), SHAPE_TEXT(review_case, rule),
	SHAPE_TEXT_AS(review_case, note, reason),
};
static const struct member closed_members[] = { CASE_MEMBERS, SHAPE_TEXT(review_case, reason) };
static const struct shape assigned_shape = SHAPE(review_case, assigned_members),
	decided_shape = SHAPE(review_case, decided_members),
	closed_shape = SHAPE(review_case, closed_members);

static const struct { enum event_type_id type; const struct shape *shape; } events[] = {
	[CASE_ASSIGNED]  = { EVENT_REVIEW_ASSIGNED,  &assigned_shape },
	[CASE_APPROVED]  = { EVENT_REVIEW_APPROVED,  &decided_shape },
	[CASE_REJECTED]  = { EVENT_REVIEW_REJECTED,  &decided_shape },
	[CASE_CANCELLED] = { EVENT_REVIEW_CANCELLED, &closed_shape },
};

void
case_report(struct db *db, const struct review_case *c, int64_t causation_id, int64_t actor_id)
{
	event_report(db, events[c->state].type,
		&(struct event){
			.subject_id = c->subject_id,
			.causation_id = causation_id,
			.actor_id = actor_id,
		},
		events[c->state].shape, c);
}
