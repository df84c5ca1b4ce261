/* cancel_terms - described in cancel_terms.h. */
#include "cancel_terms.h"

#include "rental.h"

static const struct member cancel_terms_members[] = {
	SHAPE_BOOL(cancel_terms, is_until), SHAPE_BOOL(cancel_terms, is_grace), SHAPE_BOOL(cancel_terms, is_late),
	SHAPE_TIME(cancel_terms, free_until), SHAPE_INT(cancel_terms, grace_minutes),
	SHAPE_INT(cancel_terms, late_percent),
};
const struct shape cancel_terms_shape = SHAPE(cancel_terms, cancel_terms_members);

static const struct member cancel_terms_json_members[] = {
	SHAPE_TIME(cancel_terms, free_until), SHAPE_INT(cancel_terms, grace_minutes),
	SHAPE_INT(cancel_terms, late_percent),
};
const struct shape cancel_terms_json_shape = SHAPE(cancel_terms, cancel_terms_json_members);

struct cancel_rule
cancel_rule_now(void)
{
	return (struct cancel_rule){
		.full_before_s = rental.refund_full_before_s,
		.grace_s = rental.refund_grace_s,
		.late_percent = rental.refund_late_percent,
	};
}

int64_t
cancel_free_until(const struct cancel_rule *r, int64_t starts_at, int64_t paid_at)
{
	int64_t by_start = starts_at - r->full_before_s, by_grace = paid_at + r->grace_s;
	int64_t until = by_start > by_grace ? by_start : by_grace;

	return until < starts_at ? until : starts_at;
}

struct cancel_terms
cancel_terms_booked(const struct cancel_rule *r, int64_t starts_at, int64_t paid_at, int64_t now)
{
	int64_t until = cancel_free_until(r, starts_at, paid_at);

	return (struct cancel_terms){
		.is_until = now < until,
		.is_late = now >= until,
		.free_until = until,
		.late_percent = r->late_percent,
	};
}

/* A date that depends on the moment of booking is not known yet: said in minutes. */
struct cancel_terms
cancel_terms_offered(const struct cancel_rule *r, int64_t starts_at, int64_t now)
{
	bool is_until = starts_at - r->full_before_s >= now + r->grace_s;
	bool is_grace = !is_until && r->grace_s >= 60;

	return (struct cancel_terms){
		.is_until = is_until,
		.is_grace = is_grace,
		.is_late = !is_until && !is_grace,
		.free_until = is_until ? starts_at - r->full_before_s : 0,
		.grace_minutes = r->grace_s / 60,
		.late_percent = r->late_percent,
	};
}
