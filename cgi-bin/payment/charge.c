/*
 * charge - a charge's row: how it is read, and the steps from one state to the next, with their postings and events.
 * capture.c asks the provider. Described in payment.h.
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
#include "lib/base/proc.h"
#include "lib/base/settings.h"

#include <string.h>

static const struct word charge_state[] = {
	[CHARGE_REQUESTED]        = { "REQUESTED",        N_("Payment requested") },
	[CHARGE_APPROVED]         = { "APPROVED",         N_("Paid") },
	[CHARGE_CANCEL_REQUESTED] = { "CANCEL_REQUESTED", N_("Refund in progress") },
	[CHARGE_CANCELLED]        = { "CANCELLED",        N_("Refunded") },
	[CHARGE_FAILED]           = { "FAILED",           N_("Not charged") },
	[CHARGE_UNKNOWN]          = { "UNKNOWN",          N_("Waiting for the payment provider") },
};
const struct words charge_state_words = WORDS(charge_state);

#define SHOWN_MEMBERS \
	SHAPE_INT(charge, charge_id), SHAPE_TEXT(charge, key), SHAPE_TEXT(charge, subject_id), \
	SHAPE_INT(charge, user_id), SHAPE_INT(charge, card_id), SHAPE_AMOUNT(charge, amount), \
	SHAPE_AMOUNT(charge, vat_amount), SHAPE_TEXT(charge, currency), \
	SHAPE_STATE(charge, state, charge_state_words), SHAPE_BOOL(charge, void_wanted), \
	SHAPE_TEXT(charge, payment_key), SHAPE_TEXT(charge, brand), SHAPE_TEXT(charge, last4), \
	SHAPE_TEXT(charge, reason), SHAPE_AMOUNT(charge, refunded_amount), SHAPE_TIME(charge, requested_at), \
	SHAPE_TIME(charge, approved_at), SHAPE_TIME(charge, settled_at), SHAPE_INT(charge, tries), \
	SHAPE_TIME(charge, next_at), SHAPE_TIME(charge, tried_at), SHAPE_TEXT(charge, last_error), \
	SHAPE_INT(charge, try_no)
static const struct member shown_charge_members[] = { SHOWN_MEMBERS };
const struct shape shown_charge_shape = SHAPE(charge, shown_charge_members);

static const struct member charge_members[] = {
	SHOWN_MEMBERS, SHAPE_TEXT(charge, asked_by), SHAPE_TEXT(charge, card_token),
};
const struct shape charge_shape = SHAPE(charge, charge_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

bool
charge_by_id(struct db *db, int64_t charge_id, struct charge *c)
{
	return db_one(db, &charge_shape, c, "SELECT " CHARGE_COLUMNS " FROM charge WHERE charge_id = $1", charge_id);
}

bool
charge_find(struct db *db, const char *key, struct charge *c)
{
	bool found = db_one(db, &charge_shape, c, "SELECT " CHARGE_COLUMNS " FROM charge WHERE key = $1", key);

	if (found)
		log_subject(c->subject_id);
	return found;
}

int64_t
charge_owed(struct db *db, const struct charge *c)
{
	return db_int(db, "SELECT COALESCE(SUM(amount - withheld), 0) FROM refund WHERE charge_id = $1", c->charge_id);
}

const char *
charge_reason(struct db *db, const struct charge *c)
{
	return arena_strndup(db_memory(db), c->reason, strcspn(c->reason, " "));
}

bool
charge_reason_is(const struct charge *c, const char *word)
{
	size_t n = strlen(word);

	return strncmp(c->reason, word, n) == 0 && (c->reason[n] == '\0' || c->reason[n] == ' ');
}

const char *
charge_reason_label(const char *reason)
{
	static const struct word reasons[] = {
		{ "declined", N_("The card was declined") },
		{ "insufficient_funds", N_("Insufficient funds or credit") },
		{ "expired_card", N_("The card has expired") },
		{ "stopped_card", N_("The card is blocked") },
		{ "bad_card", N_("The card cannot be used") },
		{ "card_removed", N_("The saved card was removed") },
		{ "limit", N_("Above the card's limit") },
		{ "page_expired", N_("The payment page had expired") },
		{ "not_prepared", N_("No payment was prepared on the payment page") },
		{ "wrong_amount", N_("The amount did not match") },
		{ "void", N_("Cancelled before it was charged") },
		{ "never_arrived", N_("The payment provider did not receive the request") },
		{ "provider_down", N_("The payment provider could not be reached") },
		{ "provider", N_("The payment provider refused our request") },
		{ "later", N_("The payment provider was busy") },
		{ "no_answer", N_("The payment provider did not respond") },
		{ "not_found", N_("The payment provider does not know this payment") },
		{ "resolved", N_("Closed manually: the payment provider has no record of this payment") },
	};
	size_t n = strcspn(reason, " ");

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strlen(reasons[i].code) == n && strncmp(reasons[i].code, reason, n) == 0)
			return reasons[i].label;
	return reason;
}

/* Nothing was charged, for a reason other than the card. */
static bool
is_provider_away(const struct charge *c)
{
	return charge_reason_is(c, "provider_down") || charge_reason_is(c, "provider") || charge_reason_is(c, "later")
		|| charge_reason_is(c, "never_arrived");
}

/* A charge that is or will be refunded in full counts as declined: the caller must not rely on it. */
static enum charge_outcome
unless_refunded(struct db *db, struct charge *c)
{
	if (charge_owed(db, c) < c->amount)
		return CHARGE_OUTCOME_APPROVED;
	c->reason = "void";
	return CHARGE_OUTCOME_DECLINED;
}

enum charge_outcome
charge_outcome_now(struct db *db, struct charge *c)
{
	switch ((enum charge_state)c->state) {
	case CHARGE_APPROVED: return CHARGE_OUTCOME_APPROVED;
	case CHARGE_CANCEL_REQUESTED:
	case CHARGE_CANCELLED: return unless_refunded(db, c);
	case CHARGE_FAILED: return is_provider_away(c) ? CHARGE_OUTCOME_LATER : CHARGE_OUTCOME_DECLINED;
	case CHARGE_REQUESTED:
	case CHARGE_UNKNOWN: break;
	}
	return CHARGE_OUTCOME_UNKNOWN;
}

/* --- the row ------------------------------------------------------------------------------------------------------ */

bool
charge_insert(struct db *db, struct charge *c)
{
	c->charge_id = db_int(db,
		"INSERT INTO charge (key, subject_id, user_id, card_id, amount, vat_amount, currency, state,"
		" payment_key, brand, last4,"
		" reason, requested_at, settled_at, next_at, void_wanted, try_no, asked_by, card_token)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15, $16, $17, $18)"
		" ON CONFLICT (key) DO NOTHING RETURNING charge_id",
		c->key, c->subject_id, c->user_id, c->card_id, c->amount, c->vat_amount, c->currency,
		words_code(&charge_state_words, c->state), c->payment_key, c->brand, c->last4, c->reason,
		c->requested_at, c->next_at, c->void_wanted, c->try_no, c->asked_by, c->card_token);
	return c->charge_id != 0;
}

void
charge_seal(struct db *db, const char *key, const char *subject_id, struct charge *c)
{
	*c = (struct charge){
		.key = key,
		.subject_id = *text_or_empty(subject_id) ? subject_id : key,
		.try_no = 1,
		.asked_by = "",
		.card_token = "",
		.amount = 0,
		.currency = settings.currency,
		.state = CHARGE_FAILED,
		.payment_key = "",
		.brand = "",
		.last4 = "",
		.reason = "void",
		.requested_at = clock_now(),
	};
	charge_insert(db, c);
}

bool
charge_is_superseded(struct db *db, const struct charge *c)
{
	return db_exists(db, "SELECT 1 FROM charge WHERE subject_id = $1 AND try_no > $2", c->subject_id, c->try_no);
}

bool
charge_take_over(struct db *db, struct charge *c)
{
	int64_t now = clock_now();
	const char *stamp = proc_stamp(db_memory(db));

	/* requested_at: the provider gets the request later than the first process would have sent it */
	if (!db_do(db,
		    "UPDATE charge SET asked_by = $3, requested_at = $4, next_at = $5 WHERE charge_id = $1"
		    " AND state = 'REQUESTED' AND void_wanted = 0 AND asked_by = $2",
		    c->charge_id, c->asked_by, stamp, now, now + settings.call_deadline_ms / 1000 + LOOK_FIRST_S))
		return false;
	c->asked_by = stamp;
	c->requested_at = now;
	return true;
}

/* --- from one state to the next ----------------------------------------------------------------------------------- */

/* void_wanted stays: who wanted it opens the refund in the same transaction. */
bool
charge_approve(struct db *db, struct charge *c, const struct provider_answer *a)
{
	int64_t now = clock_now();

	if (!db_do(db,
		    "UPDATE charge SET state = 'APPROVED', payment_key = $2, brand = $3, last4 = $4, approved_at = $5,"
		    " settled_at = $5,"
		    " reason = '', compare_at = $6"
		    " WHERE charge_id = $1 AND state IN ('REQUESTED', 'UNKNOWN')",
		    c->charge_id, a->payment_key, *c->brand ? c->brand : a->brand, *c->last4 ? c->last4 : a->last4, now,
		    a->balance < a->amount ? now : (int64_t)0)) /* part of it was refunded already */
		return false;
	c->state = CHARGE_APPROVED;
	c->payment_key = a->payment_key;
	c->brand = *c->brand ? c->brand : a->brand;
	c->last4 = *c->last4 ? c->last4 : a->last4;
	c->approved_at = now;
	c->reason = "";
	ledger_capture(db, c);
	payment_report_approved(db, c);
	return true;
}

bool
charge_fail(struct db *db, struct charge *c, const char *reason, bool one_more_look)
{
	int64_t now = clock_now();

	if (!db_do(db,
		    "UPDATE charge SET state = 'FAILED', reason = $2, settled_at = $3, void_wanted = $4, next_at = $5,"
		    " tries = 0, card_token = ''"
		    " WHERE charge_id = $1 AND state IN ('REQUESTED', 'UNKNOWN')",
		    c->charge_id, reason, now, one_more_look, one_more_look ? now + LAST_LOOK_S : 0))
		return false;
	c->state = CHARGE_FAILED;
	c->reason = reason;
	payment_report_failed(db, c, charge_reason(db, c));
	return true;
}

bool
charge_stay_unknown(struct db *db, struct charge *c)
{
	if (!db_do(db, "UPDATE charge SET state = 'UNKNOWN' WHERE charge_id = $1 AND state = 'REQUESTED'",
		    c->charge_id))
		return c->state == CHARGE_UNKNOWN;
	c->state = CHARGE_UNKNOWN;
	return true;
}

/* After the pause; but no later than the moment from which "not found" at the provider means that it was never
 * charged. */
static int64_t
next_look(const struct charge *c, int64_t now)
{
	int64_t after = now + pause_s(c->tries + 1, PAUSE_MAX_S);
	int64_t decides = (c->requested_at < now ? c->requested_at : now) + NEVER_ARRIVED_S + 1;

	return c->state != CHARGE_FAILED && now < decides && decides < after ? decides : after;
}

bool
charge_claim(struct db *db, const struct charge *c)
{
	int64_t now = clock_now();

	return db_do(db,
		       "UPDATE charge SET tries = tries + 1, tried_at = $4, next_at = $2,"
		       " requested_at = CASE WHEN requested_at > $4 THEN $4 ELSE requested_at END WHERE charge_id = $1"
		       " AND tries = $3",
		       c->charge_id, next_look(c, now), c->tries, now)
		== 1;
}

/* Brings a look-up forward; for a failed charge it asks for one more, for one that was charged for a comparison of its
 * refunds. The provider's answer decides, not the webhook. */
void
charge_hint(struct db *db, const char *key)
{
	int64_t now = clock_now();
	struct charge c;

	if (!charge_find(db, key, &c))
		return;
	if (c.state == CHARGE_APPROVED || c.state == CHARGE_CANCEL_REQUESTED || c.state == CHARGE_CANCELLED)
		db_do(db,
			"UPDATE charge SET compare_at = $2 WHERE charge_id = $1"
			" AND (compare_at = 0 OR compare_at > $2)",
			c.charge_id, now + COMPARE_AFTER_S);
	else if (c.state == CHARGE_UNKNOWN && c.next_at > now)
		db_do(db, "UPDATE charge SET next_at = $2 WHERE charge_id = $1 AND state = 'UNKNOWN'", c.charge_id,
			now);
	else if (c.state == CHARGE_FAILED && !c.void_wanted && now - c.settled_at < DAY
		&& now - c.next_at > LOOK_FIRST_S)
		db_do(db,
			"UPDATE charge SET void_wanted = 1, next_at = $2, tries = 0 WHERE charge_id = $1"
			" AND state = 'FAILED'",
			c.charge_id, now);
}
