/* outside.c - a card company in process, and booking's calls to payment without a socket; see outside.h. */
#include "outside.h"
#include "trade.h"

#include "cgi-bin/booking/payment_client.h"
#include "cgi-bin/payment/payment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 610

static struct outside *company;
static struct disk_log *history;
static struct db *payment_db;

/* --- its records -------------------------------------------------------------------------------------------------- */

static struct account *
find(const char *key)
{
	for (int i = company->n_accounts - 1; i >= 0; i--)
		if (strcmp(company->account[i].key, key) == 0)
			return &company->account[i];
	return NULL;
}

static struct account *
take(const char *key, int64_t amount)
{
	struct account *a = find(key);

	if (a)
		return a;
	if (company->n_accounts == ACCOUNTS)
		abort();
	a = &company->account[company->n_accounts++];
	snprintf(a->key, sizeof(a->key), "%s", key);
	a->amount = a->balance = amount;
	return a;
}

/* A repeated refund is made once. */
static bool
give_back(struct account *a, const char *refund_key, int64_t amount)
{
	for (int i = 0; i < company->n_refunds; i++)
		if (strcmp(company->refund[i], refund_key) == 0)
			return true;
	if (company->n_refunds == ACCOUNTS)
		abort();
	if (amount > a->balance)
		return false;
	snprintf(company->refund[company->n_refunds++], sizeof(company->refund[0]), "%s", refund_key);
	a->balance -= amount;
	return true;
}

static void
note(enum entry_kind kind, const char *key, const char *refund_key, int64_t amount)
{
	struct outside_deed deed = { .amount = amount };

	if (!history)
		return;
	snprintf(deed.key, sizeof(deed.key), "%s", key);
	snprintf(deed.refund_key, sizeof(deed.refund_key), "%s", refund_key);
	disk_log_note(history, kind, &deed, sizeof(deed));
}

/* --- its answers -------------------------------------------------------------------------------------------------- */

static struct provider_answer
says(struct arena *m, enum provider_outcome outcome, const struct account *a)
{
	struct provider_answer answer = {
		.outcome = outcome,
		.reason = outcome == PROVIDER_DECLINED ? "declined REJECT_CARD" : "",
		.payment_key = "",
		.billing_key = "",
		.brand = "Visa",
		.last4 = "4242",
		.key = "",
	};

	if (a) {
		answer.key = arena_strdup(m, a->key);
		answer.payment_key = arena_printf(m, "pay-%s", a->key);
		answer.amount = a->amount;
		answer.balance = a->balance;
	}
	return answer;
}

static void
enter(void)
{
	if (history)
		disk_log_lock(history);
}

static void
leave(void)
{
	if (history)
		disk_log_unlock(history);
}

static struct provider_answer
charge(struct arena *m, const struct provider_order *o, int64_t until_ms)
{
	struct account a;

	(void)until_ms;
	if (strncmp(o->billing_key, "bad", 3) == 0)
		return says(m, PROVIDER_DECLINED, NULL);
	note(ENTRY_CHARGE, o->key, "", o->amount);
	enter();
	a = *take(o->key, o->amount);
	leave();
	return says(m, PROVIDER_OK, &a);
}

static struct provider_answer
refund(struct arena *m, const struct provider_refund *r, int64_t until_ms)
{
	const char *key = strncmp(r->payment_key, "pay-", 4) == 0 ? r->payment_key + 4 : "";
	struct account *a, after = { .key = "" };
	bool done = false;

	(void)until_ms;
	note(ENTRY_REFUND, key, r->key, r->amount);
	enter();
	a = find(key);
	if (a) {
		done = give_back(a, r->key, r->amount);
		after = *a;
	}
	leave();
	return says(m, done ? PROVIDER_OK : PROVIDER_DECLINED, done ? &after : NULL);
}

static struct provider_answer
look_up(struct arena *m, const char *key, int64_t until_ms)
{
	struct account *a, found = { .key = "" };

	(void)until_ms;
	enter();
	a = find(key);
	if (a)
		found = *a;
	leave();
	return says(m, a ? PROVIDER_OK : PROVIDER_NOTHING, a ? &found : NULL);
}

static const struct provider company_provider = { .charge = charge, .refund = refund, .look_up = look_up };

void
outside_open(struct outside *outside, struct disk_log *h)
{
	company = outside;
	history = h;
	provider = &company_provider;
}

void
outside_at(struct outside *outside, const struct disk_log *h, uint64_t at)
{
	struct outside *was = company;

	outside->n_accounts = outside->n_refunds = 0;
	company = outside;
	for (uint64_t i = 0; i < at; i = disk_log_next(h, i)) {
		const struct entry *e = disk_log_entry(h, i);
		const struct outside_deed *deed = (const struct outside_deed *)e->data;

		if (e->kind == ENTRY_CHARGE)
			take(deed->key, deed->amount);
		else if (e->kind == ENTRY_REFUND && find(deed->key))
			give_back(find(deed->key), deed->refund_key, deed->amount);
	}
	company = was;
}

/* --- from booking to payment -------------------------------------------------------------------------------------- */

static enum charge_answer
charge_answer(enum charge_outcome outcome)
{
	switch (outcome) {
	case CHARGE_OUTCOME_APPROVED: return CHARGE_ANSWER_APPROVED;
	case CHARGE_OUTCOME_DECLINED: return CHARGE_ANSWER_DECLINED;
	case CHARGE_OUTCOME_LATER: return CHARGE_ANSWER_NOT_ASKED;
	case CHARGE_OUTCOME_UNKNOWN:
	case CHARGE_OUTCOME_KEY_REUSED:
	case CHARGE_OUTCOME_BAD_ORDER: break;
	}
	return CHARGE_ANSWER_UNKNOWN;
}

/* Payment's worker would answer 500 after a failure, which booking takes for unknown. */
static enum charge_answer
heard(enum charge_outcome outcome)
{
	return db_failed(payment_db) ? CHARGE_ANSWER_UNKNOWN : charge_answer(outcome);
}

static enum charge_answer
charge_here(struct db *db, const struct booking *b, const struct booking_payment *p, int64_t *charge_id,
	const char **reason)
{
	const char *payment_key = p ? text_or_empty(p->payment_key) : "";
	struct charge_order o = {
		.key = booking_charge_key(db_memory(db), b),
		.subject_id = b->code,
		.try_no = b->try_no,
		.currency = b->currency,
		.payment_key = payment_key,
		.customer_id = b->customer_id,
		.card_id = *payment_key ? 0 : b->card_id,
		.amount = b->amount,
		.vat_amount = b->vat_amount,
		.deadline_ms = PATIENCE_MS,
	};
	struct charge c = { .reason = "" };
	enum charge_outcome outcome;

	if (payment_db != db)
		db_fresh(payment_db);
	outcome = charge_make(payment_db, &o, &c);
	*charge_id = c.charge_id;
	*reason = c.reason;
	return heard(outcome);
}

static enum charge_answer
look_up_here(struct db *db, const struct booking *b, int64_t *charge_id, const char **reason)
{
	enum charge_outcome outcome;
	struct charge c;

	if (payment_db != db)
		db_fresh(payment_db);
	if (!charge_find(payment_db, booking_charge_key(db_memory(db), b), &c))
		return db_failed(payment_db) ? CHARGE_ANSWER_UNKNOWN : CHARGE_ANSWER_NEVER_SEEN;
	*charge_id = c.charge_id;
	*reason = c.reason;
	outcome = charge_outcome_now(payment_db, &c);
	return heard(outcome == CHARGE_OUTCOME_LATER ? CHARGE_OUTCOME_DECLINED
						     : outcome); /* as payment's GET of a charge answers it */
}

static enum refund_answer
refund_here(struct db *db, const struct booking *b, const struct booking_refund *p, int64_t *refunded_amount)
{
	struct refund_order o = {
		.key = p->charge_key,
		.subject_id = b->code,
		.refund_key = p->key,
		.amount = p->amount,
		.reason = p->reason,
		.deadline_ms = PATIENCE_MS,
	};
	struct charge c = { .refunded_amount = 0 };
	enum refund_outcome outcome;

	if (payment_db != db)
		db_fresh(payment_db);
	outcome = refund_make(payment_db, &o, &c);
	*refunded_amount = c.refunded_amount;
	if (db_failed(payment_db))
		return REFUND_ANSWER_LATER;
	return outcome == REFUND_OUTCOME_DONE       ? REFUND_ANSWER_DONE
		: outcome == REFUND_OUTCOME_PENDING ? REFUND_ANSWER_PENDING
						    : REFUND_ANSWER_LATER;
}

void
outside_payments(struct db *db)
{
	static const struct payment_client here = { charge_here, look_up_here, refund_here, NULL, NULL, NULL };

	payment_db = db;
	payment_client = &here;
}
