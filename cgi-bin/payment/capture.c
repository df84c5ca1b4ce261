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
#include "lib/base/proc.h"
#include "lib/base/settings.h"

#include <string.h>
#include <unistd.h>

#define TRIES_MAX 99            /* as in the schema */
#define WAIT_STEP_US 20000      /* how often it is checked whether another process has the provider's answer */

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

/* The schema allows one approved charge for each subject, unless it is to be voided. */
static void
want_void_if_superseded(struct db *db, struct charge *c)
{
	if (charge_is_superseded(db, c))
		db_do(db,
			"UPDATE charge SET void_wanted = 1 WHERE charge_id = $1 AND state IN ('REQUESTED', 'UNKNOWN')",
			c->charge_id);
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

/* It was approved after it was no longer wanted. */
static int64_t
void_approved(struct db *db, struct charge *c)
{
	int64_t refund_id = refund_open(
		db, c, arena_printf(db_memory(db), "%s-void", c->key), c->amount - charge_owed(db, c), "void");

	db_do(db, "UPDATE charge SET void_wanted = 0, card_token = '' WHERE charge_id = $1", c->charge_id);
	c->state = CHARGE_CANCEL_REQUESTED;
	return refund_id;
}

void
charge_settle(struct db *db, struct charge *c, const struct provider_answer *a)
{
	int64_t refund_id = 0;
	bool was_void;

	db_begin(db);
	want_void_if_superseded(db, c);
	was_void = db_int(db, "SELECT void_wanted FROM charge WHERE charge_id = $1", c->charge_id) != 0;
	if (!write_answer(db, c, a))
		charge_find(db, c->key, c);
	else if (c->state == CHARGE_APPROVED && was_void)
		refund_id = void_approved(db, c);
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
		&& (!o->payment_key || strlen(o->payment_key) <= 200)
		&& (!o->card_token || strlen(o->card_token) <= 300) && o->try_no >= 1 && o->try_no <= TRIES_MAX
		&& o->deadline_ms > 0 && o->deadline_ms <= 60000;
}

/*
 * Earlier tries to charge for the same subject: what is approved is refunded, what has no outcome yet will be if it
 * turns out approved. The last ones were declined as far as the caller knows. Their refunds are left to the sweep.
 */
static void
void_earlier_tries(struct db *db, const struct charge *c)
{
	struct charge *earlier = NULL;
	int n = 0;

	db_do(db,
		"UPDATE charge SET void_wanted = 1 WHERE subject_id = $1 AND try_no < $2"
		" AND state IN ('REQUESTED', 'UNKNOWN')",
		c->subject_id, c->try_no);
	db_list(db, &charge_shape, &earlier, &n,
		"SELECT " CHARGE_COLUMNS " FROM charge WHERE subject_id = $1 AND try_no < $2"
		" AND state IN ('APPROVED', 'CANCEL_REQUESTED', 'CANCELLED') ORDER BY charge_id /*sort*/",
		c->subject_id, c->try_no);
	for (int i = 0; i < n; i++)
		if (charge_owed(db, &earlier[i]) < earlier[i].amount)
			void_approved(db, &earlier[i]);
}

/* Why it fails at once; NULL: the provider is asked. */
static const char *
refused_at_once(struct db *db, const struct charge_order *o, const struct charge *c, struct card_source *s)
{
	if (charge_is_superseded(db, c))
		return "void";
	if (o->card_id && !card_source(db, o->customer_id, o->card_id, s))
		return "card_removed";
	return NULL;
}

/* Writes the row, REQUESTED; FAILED at once when the card was removed, or when a later try came before this one. false:
 * the key came before. */
static bool
open_charge(struct db *db, const struct charge_order *o, struct card_source *s, struct charge *c)
{
	const char *refused;
	bool is_new;

	db_begin(db);
	*c = (struct charge){
		.key = o->key,
		.subject_id = o->subject_id,
		.user_id = o->customer_id,
		.card_id = o->card_id,
		.amount = o->amount,
		.vat_amount = o->vat_amount,
		.currency = o->currency,
		.payment_key = o->payment_key ? o->payment_key : "",
		.requested_at = clock_now(),
		.try_no = o->try_no,
		.asked_by = proc_stamp(db_memory(db)),
	};
	refused = refused_at_once(db, o, c, s);
	c->brand = s->brand;
	c->last4 = s->last4;
	c->state = refused ? CHARGE_FAILED : CHARGE_REQUESTED;
	c->reason = text_or_empty(refused);
	c->card_token = refused ? "" : text_or_empty(o->card_token);
	c->next_at = c->requested_at + o->deadline_ms / 1000 + LOOK_FIRST_S;
	is_new = charge_insert(db, c);
	if (is_new && refused)
		payment_report_failed(db, c, c->reason);
	else if (is_new)
		void_earlier_tries(db, c);
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
		&& c->try_no == o->try_no && strcmp(c->currency, o->currency) == 0
		&& strcmp(c->subject_id, o->subject_id) == 0;
}

/* A process handles one request at a time: when this one has asked, it no longer does. */
static bool
asking_has_ended(struct db *db, const struct charge *c)
{
	return strcmp(c->asked_by, proc_stamp(db_memory(db))) == 0 || proc_stamp_is_ended(c->asked_by);
}

/* The process that asks the provider under this key is left to finish, as long as the caller waits. Answers whether it
 * has ended instead. */
static bool
wait_for_process(struct db *db, struct charge *c, int64_t until_ms)
{
	while (c->state == CHARGE_REQUESTED && clock_ms() + PROVIDER_AGAIN_MS < until_ms && *c->asked_by) {
		if (asking_has_ended(db, c))
			return charge_by_id(db, c->charge_id, c) && c->state == CHARGE_REQUESTED;
		usleep(WAIT_STEP_US);
		charge_by_id(db, c->charge_id, c);
	}
	return false;
}

/* The process that asked has ended: this one asks again, under the same key, which the provider charges once. */
static enum charge_outcome
ask_instead(struct db *db, struct charge *c, int64_t until_ms)
{
	struct card_source s = { .billing_key = "", .customer_key = "", .brand = "", .last4 = "" };
	struct provider_answer a;

	if ((c->card_id && !card_source(db, c->user_id, c->card_id, &s)) || !charge_take_over(db, c) || !db_durable(db))
		return CHARGE_OUTCOME_UNKNOWN;
	a = ask_for_charge(db, c, &s, until_ms);
	if (a.outcome == PROVIDER_LATER) /* of this request; the first one may have arrived */
		a.outcome = PROVIDER_UNKNOWN;
	charge_settle(db, c, &a);
	return charge_outcome_now(db, c);
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
	if (wait_for_process(db, c, until_ms))
		return ask_instead(db, c, until_ms);
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
