/*
 * capture - taking the money, once for each key: the provider is asked, and its answer is written down.
 *
 * Two small transactions and one call between them: the row; the provider; the answer with its posting and event.
 * charge_settle() alone writes the second: the request, a repeated request and the sweep may each get the provider's
 * answer, and the first of them writes it.
 */
#include "payment_steps.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/settings.h"

#include <string.h>

/* --- the answer --------------------------------------------------------------------------------------------------- */

/* An answer about another payment is not believed. */
static bool
is_about(const struct charge *c, const struct provider_answer *a)
{
	if (strcmp(a->key, c->key) == 0 && a->amount == c->amount)
		return true;
	log_error("charge", "%s: the provider answered about %s and %lld", c->key, a->key, (long long)a->amount);
	return false;
}

/*
 * The provider does not know it. That proves nothing while the request may still be on its way: our connection lives
 * for seconds, a queue in between for less than a minute. After that it never arrived.
 */
static bool
write_not_found(struct db *db, struct charge *c)
{
	if (clock_now() - c->requested_at <= NEVER_ARRIVED_S)
		return charge_stay_unknown(db, c);
	return charge_fail(db, c, "never_arrived", true);
}

/* Inside the transaction. false: it was settled before. */
static bool
write_answer(struct db *db, struct charge *c, const struct provider_answer *a)
{
	switch (a->outcome) {
	case PROVIDER_OK: return is_about(c, a) ? charge_approve(db, c, a) : charge_stay_unknown(db, c);
	case PROVIDER_DECLINED: return charge_fail(db, c, a->reason, false);
	case PROVIDER_NOTHING: return write_not_found(db, c);
	case PROVIDER_LATER: return charge_fail(db, c, a->reason, false);
	case PROVIDER_UNKNOWN: break;
	}
	return charge_stay_unknown(db, c);
}

void
charge_settle(struct db *db, struct charge *c, const struct provider_answer *a)
{
	int64_t refund_id = 0;
	bool was_void;

	db_begin(db);
	was_void = db_int(db, "SELECT void_wanted FROM charge WHERE charge_id = $1", c->charge_id) != 0;
	if (!write_answer(db, c, a))
		charge_find(db, c->key, c);
	else if (c->state == CHARGE_APPROVED && was_void) {
		refund_id = refund_open(db, c, arena_printf(db_memory(db), "%s-void", c->key), c->amount, "void");
		c->state = CHARGE_CANCEL_REQUESTED;
	}
	if (db_commit(db) && refund_id)
		refund_ask(db, refund_id, clock_ms() + settings.call_deadline_ms);
}

/* A look-up that did not reach the provider says nothing about the charge. */
struct provider_answer
charge_look_up(struct db *db, const struct charge *c, int64_t until_ms)
{
	struct provider_answer a = provider->look_up(db_memory(db), c->key, until_ms);

	if (a.outcome == PROVIDER_LATER)
		a.outcome = PROVIDER_UNKNOWN;
	return a;
}

/* The last look at a charge that never arrived, or whose key was closed: what the provider has charged after all is
 * refunded. */
static void
refund_if_charged(struct db *db, const struct charge *c, const struct provider_answer *a, int64_t until_ms)
{
	struct arena *m = db_memory(db);
	struct provider_refund q = {
		.payment_key = a->payment_key,
		.key = arena_printf(m, "%s-late", c->key),
		.reason = "late",
		.amount = a->balance,
	};

	if (a->outcome == PROVIDER_UNKNOWN)
		return;
	if (a->outcome == PROVIDER_OK && a->balance > 0) {
		log_warn("sweep", "%s: charged although it was recorded as failed; it is refunded", c->key);
		if (provider->refund(m, &q, until_ms).outcome != PROVIDER_OK)
			return;
	}
	db_do(db, "UPDATE charge SET void_wanted = 0 WHERE charge_id = $1 AND state = 'FAILED'", c->charge_id);
}

static const char *
look_error(const struct provider_answer *a)
{
	return a->outcome == PROVIDER_NOTHING ? "not_found" : *a->reason ? a->reason : "no_answer";
}

void
charge_try(struct db *db, struct charge *c, int64_t until_ms)
{
	struct provider_answer a = charge_look_up(db, c, until_ms);

	if (c->state == CHARGE_FAILED)
		refund_if_charged(db, c, &a, until_ms);
	else
		charge_settle(db, c, &a);
	db_do(db,
		"UPDATE charge SET last_error = $2 WHERE charge_id = $1 AND last_error <> $2"
		" AND (state IN ('REQUESTED', 'UNKNOWN') OR void_wanted = 1)",
		c->charge_id, look_error(&a));
}

/* --- the request -------------------------------------------------------------------------------------------------- */

/* Our key is the provider's order id, which has 6 to 64 of these characters. */
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
		&& o->customer_id > 0 && o->amount > 0 && o->amount <= CHARGE_MAX_AMOUNT && o->vat_amount >= 0
		&& o->vat_amount <= o->amount && o->currency && strcmp(o->currency, settings.currency) == 0
		&& (o->card_id > 0) != (o->payment_key && *o->payment_key)
		&& (!o->payment_key || strlen(o->payment_key) <= 200) && o->deadline_ms > 0 && o->deadline_ms <= 60000;
}

/* Writes the row, REQUESTED; FAILED at once when the card was removed. false: the key came before. */
static bool
open_charge(struct db *db, const struct charge_order *o, struct card_source *s, struct charge *c)
{
	bool has_card, is_new;

	db_begin(db);
	has_card = o->card_id == 0 || card_source(db, o->customer_id, o->card_id, s);
	*c = (struct charge){
		.key = o->key,
		.subject_id = o->subject_id,
		.user_id = o->customer_id,
		.card_id = o->card_id,
		.amount = o->amount,
		.vat_amount = o->vat_amount,
		.currency = o->currency,
		.payment_key = o->payment_key ? o->payment_key : "",
		.brand = s->brand,
		.last4 = s->last4,
		.requested_at = clock_now(),
		.state = has_card ? CHARGE_REQUESTED : CHARGE_FAILED,
		.reason = has_card ? "" : "card_removed",
	};
	c->next_at = c->requested_at + o->deadline_ms / 1000 + LOOK_FIRST_S;
	is_new = charge_insert(db, c);
	if (is_new && !has_card)
		payment_report_failed(db, c, c->reason);
	db_commit(db);
	return is_new;
}

static struct provider_answer
ask_for_charge(struct db *db, const struct charge *c, const struct card_source *s, int64_t until_ms)
{
	struct arena *m = db_memory(db);
	struct provider_order q = {
		.key = c->key,
		.name = arena_printf(m, "motorpool %s", c->subject_id),
		.customer_key = s->customer_key,
		.billing_key = s->billing_key,
		.payment_key = c->payment_key,
		.currency = c->currency,
		.amount = c->amount,
	};
	struct provider_answer a = c->card_id ? provider->charge(m, &q, until_ms) : provider->confirm(m, &q, until_ms);

	/* the answer was lost: usually a look-up finds the outcome at once */
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

/* The key came before: the same answer again; when there is none yet, the provider is asked for the outcome. */
static enum charge_outcome
answer_again(struct db *db, const struct charge_order *o, struct charge *c, int64_t until_ms)
{
	struct provider_answer a;

	if (!charge_find(db, o->key, c))
		return CHARGE_OUTCOME_UNKNOWN;
	if (c->state == CHARGE_FAILED && charge_reason_is(c, "void"))
		return CHARGE_OUTCOME_DECLINED;
	if (!is_same_order(o, c))
		return CHARGE_OUTCOME_KEY_REUSED;
	if (c->state != CHARGE_REQUESTED && c->state != CHARGE_UNKNOWN)
		return charge_outcome_now(db, c);
	if (!db_durable(db))
		return CHARGE_OUTCOME_UNKNOWN;
	a = charge_look_up(db, c, until_ms);
	if (a.outcome == PROVIDER_OK || a.outcome == PROVIDER_DECLINED)
		charge_settle(db, c, &a);
	return charge_outcome_now(db, c);
}

enum charge_outcome
charge_make(struct db *db, const struct charge_order *o, struct charge *c)
{
	int64_t until_ms = clock_ms() + o->deadline_ms - PROVIDER_MARGIN_MS;
	struct card_source s = { .billing_key = "", .customer_key = "", .brand = "", .last4 = "" };
	struct provider_answer a;

	if (!order_is_good(o))
		return CHARGE_OUTCOME_BAD_ORDER;
	if (!open_charge(db, o, &s, c))
		return answer_again(db, o, c, until_ms);
	if (c->state == CHARGE_FAILED)
		return CHARGE_OUTCOME_DECLINED;
	if (!db_durable(db))
		return CHARGE_OUTCOME_UNKNOWN;
	a = ask_for_charge(db, c, &s, until_ms);
	charge_settle(db, c, &a);
	return charge_outcome_now(db, c);
}
