/*
 * stuck - what a manager can do about a charge or refund that the provider has not settled: retry it at once, or close
 * it manually. Before it is closed the provider is asked, so that nothing is refunded twice and no payment is lost.
 */
#include "payment_steps.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

static const struct member waiting_members[] = {
	SHAPE_INT(refund, refund_id), SHAPE_TEXT(refund, key), SHAPE_INT(refund, charge_id),
	SHAPE_AMOUNT(refund, amount), SHAPE_TEXT(refund, reason), SHAPE_TIME(refund, requested_at),
	SHAPE_INT(refund, tries), SHAPE_TIME(refund, tried_at),
};
static const struct shape waiting_shape = SHAPE(refund, waiting_members);

/* The refunds the provider has not done, oldest first. */
static int
refunds_waiting(struct db *db, const struct charge *c, struct refund **r)
{
	int n = 0;

	return db_list(db, &waiting_shape, r, &n,
		"SELECT refund_id, key, charge_id, amount - withheld AS amount, reason, requested_at, tries, tried_at"
		" FROM refund"
		" WHERE charge_id = $1 AND state = 'REQUESTED' ORDER BY refund_id",
		c->charge_id);
}

/* When the first refund was made outside that no manager has seen; 0: none. */
static int64_t
not_seen(struct db *db, const struct charge *c)
{
	return db_int(db,
		"SELECT requested_at FROM refund WHERE charge_id = $1 AND is_outside = 1 AND seen_at = 0"
		" ORDER BY refund_id LIMIT 1",
		c->charge_id);
}

int
charge_stuck_kind(struct db *db, const struct charge *c, int64_t *since)
{
	struct refund *r;

	*since = c->requested_at;
	if (c->state == CHARGE_REQUESTED || c->state == CHARGE_UNKNOWN)
		return STUCK_CHARGE;
	if (refunds_waiting(db, c, &r)) {
		*since = r[0].requested_at;
		return STUCK_PAYBACK;
	}
	if ((*since = not_seen(db, c)))
		return STUCK_OUTSIDE;
	*since = c->settled_at + LAST_LOOK_S;
	return c->state == CHARGE_FAILED && c->void_wanted ? STUCK_LATE_LOOK : -1;
}

int64_t
charge_stuck_amount(struct db *db, const struct charge *c)
{
	int64_t under_way = db_int(db,
		"SELECT COALESCE(SUM(amount - withheld), 0) FROM refund WHERE charge_id = $1 AND state = 'REQUESTED'",
		c->charge_id);

	if (under_way)
		return under_way;
	under_way = db_int(db,
		"SELECT COALESCE(SUM(amount), 0) FROM refund WHERE charge_id = $1 AND is_outside = 1 AND seen_at = 0",
		c->charge_id);
	return under_way ? under_way : c->amount;
}

const char *
charge_stuck_error(struct db *db, const struct charge *c)
{
	const char *of_refund = db_text(db,
		"SELECT last_error FROM refund WHERE charge_id = $1 AND state = 'REQUESTED' ORDER BY refund_id LIMIT 1",
		c->charge_id);

	return of_refund ? of_refund : c->last_error;
}

/* --- retried ------------------------------------------------------------------------------------------------------ */

static void
retry_refunds(struct db *db, const struct charge *c, int64_t until_ms)
{
	struct refund *r;
	int n = refunds_waiting(db, c, &r);

	for (int i = 0; i < n && clock_ms() < until_ms; i++)
		if (refund_claim(db, &r[i]))
			refund_ask(db, r[i].refund_id, until_ms);
}

void
charge_retry(struct db *db, struct charge *c, int64_t actor_id, int64_t until_ms)
{
	int64_t since;
	int kind = charge_stuck_kind(db, c, &since);

	if (kind < 0)
		return;
	stuck_report_retried(db, EVENT_PAYMENT_RETRIED, c->subject_id, kind, actor_id);
	if (kind == STUCK_PAYBACK)
		retry_refunds(db, c, until_ms);
	else if (kind == STUCK_OUTSIDE)
		charge_compare(db, c->charge_id, until_ms);
	else if (charge_claim(db, c) && db_durable(db))
		charge_try(db, c, until_ms);
	charge_by_id(db, c->charge_id, c);
}

/* --- closed manually ---------------------------------------------------------------------------------------------- */

/* The provider is asked first: its answer takes precedence. */
static enum resolve_outcome
close_as_not_charged(
	struct db *db, struct charge *c, const struct stuck_report *report, int64_t actor_id, int64_t until_ms)
{
	bool closed;

	if (!charge_claim(db, c) || !db_durable(db))
		return RESOLVE_NOT_STUCK;
	charge_try(db, c, until_ms);
	charge_by_id(db, c->charge_id, c);
	if (c->state != CHARGE_REQUESTED && c->state != CHARGE_UNKNOWN)
		return RESOLVE_CONTRADICTED;
	db_begin(db);
	closed = charge_fail(db, c, "resolved", true);
	if (closed)
		stuck_report_resolved(db, EVENT_PAYMENT_RESOLVED, c->subject_id, report, actor_id);
	return db_commit(db) && closed ? RESOLVE_DONE : RESOLVE_NOT_STUCK;
}

static enum resolve_outcome
close_by_bank(struct db *db, const struct charge *c, struct stuck_report *report, int64_t actor_id, int64_t until_ms)
{
	enum resolve_outcome outcome = RESOLVE_NOT_STUCK;
	struct refund *r;
	int n = refunds_waiting(db, c, &r);

	for (int i = 0; i < n && (i == 0 || outcome == RESOLVE_DONE); i++)
		outcome = refund_by_bank(db, &r[i], report, actor_id, until_ms);
	return outcome;
}

static enum resolve_outcome
close_as_seen(struct db *db, const struct charge *c, struct stuck_report *report, int64_t actor_id)
{
	bool closed;

	db_begin(db);
	report->amount = charge_stuck_amount(db, c);
	closed = db_do(db, "UPDATE refund SET seen_at = $2 WHERE charge_id = $1 AND is_outside = 1 AND seen_at = 0",
			 c->charge_id, clock_now())
		> 0;
	if (closed)
		stuck_report_resolved(db, EVENT_PAYMENT_RESOLVED, c->subject_id, report, actor_id);
	return db_commit(db) && closed ? RESOLVE_DONE : RESOLVE_NOT_STUCK;
}

enum resolve_outcome
charge_resolve(struct db *db, struct charge *c, enum stuck_resolution way, const char *note, int64_t actor_id,
	int64_t until_ms)
{
	int64_t since;
	int kind = charge_stuck_kind(db, c, &since);
	struct stuck_report report = {
		.kind = words_code(&stuck_kind_words, kind),
		.way = words_code(&stuck_resolution_words, (int)way),
		.note = note,
		.charge_id = c->charge_id,
		.amount = c->amount,
		.currency = c->currency,
	};
	enum resolve_outcome outcome;

	if (kind < 0 || !(stuck_resolutions[kind] & 1u << way) || since > clock_now() - rental.stuck_after_s)
		return RESOLVE_NOT_STUCK;
	outcome = way == RESOLUTION_BY_BANK ? close_by_bank(db, c, &report, actor_id, until_ms)
		: way == RESOLUTION_SEEN    ? close_as_seen(db, c, &report, actor_id)
					    : close_as_not_charged(db, c, &report, actor_id, until_ms);
	charge_by_id(db, c->charge_id, c);
	return outcome;
}
