/*
 * charge.c - taking money, once for each key. The story is in payment.h.
 *
 * Two small transactions and one call between them: the row; the provider; what the provider said with posting and event.
 * charge_settle() is the one place that writes the second: the request, the sweep and a repeated request may all come with
 * the provider's answer, and whoever is first has written it.
 */
#include "payment.h"

#include "lib/base/clock.h"
#include "lib/base/lang.h"
#include "lib/base/log.h"
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

static const struct member charge_members[] = {
	SHAPE_INT(charge, charge_id), SHAPE_TEXT(charge, key), SHAPE_TEXT(charge, subject_id), SHAPE_INT(charge, user_id),
	SHAPE_INT(charge, card_id), SHAPE_AMOUNT(charge, amount), SHAPE_AMOUNT(charge, vat_amount), SHAPE_TEXT(charge, currency),
	SHAPE_STATE(charge, state, charge_state_words), SHAPE_BOOL(charge, void_wanted), SHAPE_TEXT(charge, payment_key),
	SHAPE_TEXT(charge, brand), SHAPE_TEXT(charge, last4), SHAPE_TEXT(charge, reason), SHAPE_AMOUNT(charge, refunded_amount),
	SHAPE_TIME(charge, requested_at), SHAPE_TIME(charge, approved_at), SHAPE_TIME(charge, settled_at), SHAPE_INT(charge, tries),
	SHAPE_TIME(charge, next_at), SHAPE_TIME(charge, tried_at), SHAPE_TEXT(charge, last_error),
};
const struct shape charge_shape = SHAPE(charge, charge_members);

/* What we tell the others (docs/events.md). */
struct charge_report { int64_t charge_id, customer_id, amount; const char *currency, *brand, *last4, *reason; };
static const struct member approved_members[] = {
	SHAPE_INT(charge_report, charge_id), SHAPE_INT(charge_report, customer_id), SHAPE_AMOUNT(charge_report, amount),
	SHAPE_TEXT(charge_report, currency), SHAPE_TEXT(charge_report, brand), SHAPE_TEXT(charge_report, last4),
};
static const struct member failed_members[] = {
	SHAPE_INT(charge_report, charge_id), SHAPE_INT(charge_report, customer_id), SHAPE_AMOUNT(charge_report, amount),
	SHAPE_TEXT(charge_report, currency), SHAPE_TEXT(charge_report, reason),
};
static const struct shape approved_shape = SHAPE(charge_report, approved_members);
static const struct shape failed_shape = SHAPE(charge_report, failed_members);

/* --- reading ------------------------------------------------------------------------------------------------------ */

bool
charge_find(struct db *db, const char *key, struct charge *c)
{
	bool found = db_one(db, &charge_shape, c, "SELECT " CHARGE_COLUMNS " FROM charge WHERE key = $1", key);

	if (found)
		log_subject(c->subject_id);
	return found;
}

const char *
charge_reason(struct db *db, const struct charge *c)
{
	return arena_strndup(db_memory(db), c->reason, strcspn(c->reason, " "));
}

static bool
reason_is(const struct charge *c, const char *word)
{
	size_t n = strlen(word);

	return strncmp(c->reason, word, n) == 0 && (c->reason[n] == '\0' || c->reason[n] == ' ');
}

const char *
reason_label(const char *reason)
{
	static const struct word reasons[] = {
		{ "declined",           N_("The card was declined") },
		{ "insufficient_funds", N_("Insufficient funds or credit") },
		{ "expired_card",       N_("The card has expired") },
		{ "stopped_card",       N_("The card is blocked") },
		{ "bad_card",           N_("The card cannot be used") },
		{ "card_removed",       N_("The saved card was removed") },
		{ "limit",              N_("Above the card's limit") },
		{ "page_expired",       N_("The payment page had expired") },
		{ "not_prepared",       N_("No payment was prepared on the payment page") },
		{ "wrong_amount",       N_("The amount did not match") },
		{ "void",               N_("Cancelled before it was charged") },
		{ "never_arrived",      N_("The payment provider did not receive the request") },
		{ "provider_down",      N_("The payment provider could not be reached") },
		{ "provider",           N_("The payment provider refused our request") },
		{ "later",              N_("The payment provider was busy") },
		{ "no_answer",          N_("The payment provider did not respond") },
		{ "not_found",          N_("The payment provider does not know this payment") },
		{ "resolved",           N_("Closed manually: the payment provider has no record of this payment") },
	};
	size_t n = strcspn(reason, " ");

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strlen(reasons[i].code) == n && strncmp(reasons[i].code, reason, n) == 0)
			return reasons[i].label;
	return reason;
}

/* Nothing was taken, and it is nobody's card that is to blame. */
static bool
is_provider_away(const struct charge *c)
{
	return reason_is(c, "provider_down") || reason_is(c, "provider") || reason_is(c, "later") || reason_is(c, "never_arrived");
}

/* Money that was taken and is (being) given back whole is as good as never taken: the caller must not rely on it. */
static enum charge_outcome
given_back(struct db *db, struct charge *c)
{
	if (refund_left(db, c) > 0)
		return PAY_APPROVED;
	c->reason = "void";
	return PAY_DECLINED;
}

enum charge_outcome
charge_standing(struct db *db, struct charge *c)
{
	switch ((enum charge_state)c->state) {
	case CHARGE_APPROVED:
		return PAY_APPROVED;
	case CHARGE_CANCEL_REQUESTED:
	case CHARGE_CANCELLED:
		return given_back(db, c);
	case CHARGE_FAILED:
		return is_provider_away(c) ? PAY_LATER : PAY_DECLINED;
	case CHARGE_REQUESTED:
	case CHARGE_UNKNOWN:
		break;
	}
	return PAY_UNKNOWN;
}

/* --- the row ------------------------------------------------------------------------------------------------------ */

/* The provider takes 6 to 64 of these as an order's name; ours is the order's name there. */
static bool
key_is_good(const char *key)
{
	size_t n = key ? strlen(key) : 0;

	return n >= 6 && n <= 64
	    && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=") == n;
}

static bool
order_is_good(const struct charge_order *o)
{
	return key_is_good(o->key) && o->subject_id && *o->subject_id && strlen(o->subject_id) <= 80
	    && o->customer_id > 0 && o->amount > 0 && o->amount <= CHARGE_MAX_AMOUNT && o->vat_amount >= 0 && o->vat_amount <= o->amount
	    && o->currency && strcmp(o->currency, settings.currency) == 0
	    && (o->card_id > 0) != (o->payment_key && *o->payment_key) && (!o->payment_key || strlen(o->payment_key) <= 200)
	    && o->deadline_ms > 0 && o->deadline_ms <= 60000;
}

/* false: the key is taken. next_at is when the sweep may have a look: by then this process is done with it, or dead. */
static bool
insert(struct db *db, struct charge *c)
{
	c->charge_id = db_int(db,
		"INSERT INTO charge (key, subject_id, user_id, card_id, amount, vat_amount, currency, state, payment_key, brand, last4,"
		" reason, requested_at, settled_at, next_at, void_wanted)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15)"
		" ON CONFLICT (key) DO NOTHING RETURNING charge_id",
		c->key, c->subject_id, c->user_id, c->card_id, c->amount, c->vat_amount, c->currency,
		words_code(&charge_state_words, c->state), c->payment_key, c->brand, c->last4, c->reason, c->requested_at, c->next_at,
		c->void_wanted);
	return c->charge_id != 0;
}

static void
report(struct db *db, const struct charge *c, const char *type)
{
	struct charge_report r = {
		.charge_id = c->charge_id, .customer_id = c->user_id, .amount = c->amount, .currency = c->currency, .brand = c->brand,
		.last4 = c->last4, .reason = charge_reason(db, c),
	};

	event_emit(db, &(struct event){ .type = type, .subject_id = c->subject_id },
	           c->state == CHARGE_FAILED ? &failed_shape : &approved_shape, &r);
}

/* Writes the row, REQUESTED; FAILED at once when the card is gone. false: the key was there before. */
static bool
open_charge(struct db *db, const struct charge_order *o, struct card_source *s, struct charge *c)
{
	bool has_card, is_new;

	db_begin(db);
	has_card = o->card_id == 0 || card_source(db, o->customer_id, o->card_id, s);
	*c = (struct charge){
		.key = o->key, .subject_id = o->subject_id, .user_id = o->customer_id, .card_id = o->card_id, .amount = o->amount,
		.vat_amount = o->vat_amount, .currency = o->currency, .payment_key = o->payment_key ? o->payment_key : "",
		.brand = s->brand, .last4 = s->last4, .requested_at = clock_now(),
		.state = has_card ? CHARGE_REQUESTED : CHARGE_FAILED, .reason = has_card ? "" : "card_removed",
	};
	c->next_at = c->requested_at + o->deadline_ms / 1000 + LOOK_FIRST_S;
	is_new = insert(db, c);
	if (is_new && !has_card)
		report(db, c, "payment.failed");
	db_commit(db);
	return is_new;
}

void
charge_seal(struct db *db, const char *key, struct charge *c)
{
	*c = (struct charge){
		.key = key, .subject_id = key, .amount = 0, .currency = settings.currency, .state = CHARGE_FAILED, .payment_key = "",
		.brand = "", .last4 = "", .reason = "void", .requested_at = clock_now(),
	};
	insert(db, c);
}

/* --- what the provider said --------------------------------------------------------------------------------------- */

/* It must be our charge it speaks of. Anything else is nonsense, and nonsense decides nothing. */
static bool
is_about(const struct charge *c, const struct provider_answer *a)
{
	if (strcmp(a->key, c->key) == 0 && a->amount == c->amount)
		return true;
	log_error("charge", "%s: the provider speaks of %s and %lld", c->key, a->key, (long long)a->amount);
	return false;
}

/* false: it had been settled before. */
static bool
approve(struct db *db, struct charge *c, const struct provider_answer *a)
{
	int64_t now = clock_now();

	if (!db_do(db, "UPDATE charge SET state = 'APPROVED', payment_key = $2, brand = $3, last4 = $4, approved_at = $5, settled_at = $5,"
	               " void_wanted = 0, reason = '' WHERE charge_id = $1 AND state IN ('REQUESTED', 'UNKNOWN')",
	           c->charge_id, a->payment_key, *c->brand ? c->brand : a->brand, *c->last4 ? c->last4 : a->last4, now))
		return false;
	c->state = CHARGE_APPROVED;
	c->payment_key = a->payment_key;
	c->brand = *c->brand ? c->brand : a->brand;
	c->last4 = *c->last4 ? c->last4 : a->last4;
	c->approved_at = now;
	c->reason = "";
	ledger_capture(db, c);
	report(db, c, "payment.approved");
	return true;
}

/* one_more_look: the provider did not know it; should the request arrive after all, it is found and given back. */
static bool
give_up(struct db *db, struct charge *c, const char *reason, bool one_more_look)
{
	int64_t now = clock_now();

	if (!db_do(db, "UPDATE charge SET state = 'FAILED', reason = $2, settled_at = $3, void_wanted = $4, next_at = $5, tries = 0"
	               " WHERE charge_id = $1 AND state IN ('REQUESTED', 'UNKNOWN')",
	           c->charge_id, reason, now, one_more_look, one_more_look ? now + LAST_LOOK_S : 0))
		return false;
	c->state = CHARGE_FAILED;
	c->reason = reason;
	report(db, c, "payment.failed");
	return true;
}

bool
charge_close(struct db *db, struct charge *c)
{
	return give_up(db, c, "resolved", true);
}

static bool
stay_unknown(struct db *db, struct charge *c)
{
	if (!db_do(db, "UPDATE charge SET state = 'UNKNOWN' WHERE charge_id = $1 AND state = 'REQUESTED'", c->charge_id))
		return c->state == CHARGE_UNKNOWN;
	c->state = CHARGE_UNKNOWN;
	return true;
}

/*
 * The provider does not know it. That proves nothing while the request may still be on its way to it: a connection of ours
 * lives for seconds, a queue in between for less than a minute. Older than that, it never arrived.
 */
static bool
take_nothing(struct db *db, struct charge *c)
{
	if (clock_now() - c->requested_at <= NEVER_ARRIVED_S)
		return stay_unknown(db, c);
	return give_up(db, c, "never_arrived", true);
}

/* Inside the transaction. false: it had been settled before. */
static bool
take(struct db *db, struct charge *c, const struct provider_answer *a)
{
	switch (a->outcome) {
	case PROVIDER_OK:       return is_about(c, a) ? approve(db, c, a) : stay_unknown(db, c);
	case PROVIDER_DECLINED: return give_up(db, c, a->reason, false);
	case PROVIDER_NOTHING:  return take_nothing(db, c);
	case PROVIDER_LATER:    return give_up(db, c, a->reason, false);
	case PROVIDER_UNKNOWN:  break;
	}
	return stay_unknown(db, c);
}

void
charge_settle(struct db *db, struct charge *c, const struct provider_answer *a)
{
	int64_t refund_id = 0;
	bool was_void;

	db_begin(db);
	was_void = db_int(db, "SELECT void_wanted FROM charge WHERE charge_id = $1", c->charge_id) != 0;
	if (!take(db, c, a))
		charge_find(db, c->key, c);
	else if (c->state == CHARGE_APPROVED && was_void) {
		refund_id = refund_open(db, c, arena_printf(db_memory(db), "%s-void", c->key), c->amount, "void");
		c->state = CHARGE_CANCEL_REQUESTED;
	}
	if (db_commit(db) && refund_id)
		refund_ask(db, refund_id, clock_ms() + settings.call_deadline_ms);
}

/* Not reaching it for a look says nothing of what was asked before. */
struct provider_answer
charge_look_up(struct db *db, const struct charge *c, int64_t until_ms)
{
	struct provider_answer a = provider->look_up(db_memory(db), c->key, until_ms);

	if (a.outcome == PROVIDER_LATER)
		a.outcome = PROVIDER_UNKNOWN;
	return a;
}

/* --- taking the money --------------------------------------------------------------------------------------------- */

static struct provider_answer
ask(struct db *db, const struct charge *c, const struct card_source *s, int64_t until_ms)
{
	struct arena *m = db_memory(db);
	struct provider_order q = {
		.key = c->key, .name = arena_printf(m, "motorpool %s", c->subject_id), .customer_key = s->customer_key,
		.billing_key = s->billing_key, .payment_key = c->payment_key, .currency = c->currency, .amount = c->amount,
	};
	struct provider_answer a = c->card_id ? provider->charge(m, &q, until_ms) : provider->confirm(m, &q, until_ms);

	/* the answer was lost on its way: in good health a look tells at once what became of it */
	if (a.outcome == PROVIDER_UNKNOWN && clock_ms() + PROVIDER_AGAIN_MS < until_ms)
		a = charge_look_up(db, c, until_ms);
	return a;
}

static bool
is_same_order(const struct charge_order *o, const struct charge *c)
{
	return c->user_id == o->customer_id && c->amount == o->amount && c->card_id == o->card_id
	    && strcmp(c->currency, o->currency) == 0 && strcmp(c->subject_id, o->subject_id) == 0;
}

/* The key was there before: the same answer again, and when there is none yet, the provider is asked what became of it. */
static enum charge_outcome
answer_again(struct db *db, const struct charge_order *o, struct charge *c, int64_t until_ms)
{
	struct provider_answer a;

	if (!charge_find(db, o->key, c))
		return PAY_UNKNOWN;
	if (c->state == CHARGE_FAILED && reason_is(c, "void"))
		return PAY_DECLINED;
	if (!is_same_order(o, c))
		return PAY_KEY_REUSED;
	if (c->state != CHARGE_REQUESTED && c->state != CHARGE_UNKNOWN)
		return charge_standing(db, c);
	if (!db_durable(db))
		return PAY_UNKNOWN;
	a = charge_look_up(db, c, until_ms);
	if (a.outcome == PROVIDER_OK || a.outcome == PROVIDER_DECLINED)
		charge_settle(db, c, &a);
	return charge_standing(db, c);
}

enum charge_outcome
charge_make(struct db *db, const struct charge_order *o, struct charge *c)
{
	int64_t until_ms = clock_ms() + o->deadline_ms - PROVIDER_MARGIN_MS;
	struct card_source s = { .billing_key = "", .customer_key = "", .brand = "", .last4 = "" };
	struct provider_answer a;

	if (!order_is_good(o))
		return PAY_BAD_ORDER;
	if (!open_charge(db, o, &s, c))
		return answer_again(db, o, c, until_ms);
	if (c->state == CHARGE_FAILED)
		return PAY_DECLINED;
	if (!db_durable(db))
		return PAY_UNKNOWN;
	a = ask(db, c, &s, until_ms);
	charge_settle(db, c, &a);
	return charge_standing(db, c);
}
