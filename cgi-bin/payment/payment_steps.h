/* payment_steps - the single steps of charges and refunds, shared by payment's own files only. */
#ifndef MP_PAYMENT_STEPS_H
#define MP_PAYMENT_STEPS_H

#include "payment.h"

#include "domain/event_types.h"

#define LOOK_FIRST_S 5          /* after its deadline a charge is left this long to the process that asks for it */
#define NEVER_ARRIVED_S 60      /* what the provider does not know after this long never reached it … */
#define LAST_LOOK_S 300         /* … and is looked up once more after this */
/* the longest pause between two tries: all ends at most this long after the provider is available again */
#define PAUSE_MAX_S 60
/* how long a refund is left alone after a manager said that it is paid by transfer and it was too soon to tell */
#define BY_HAND_S 180
/* how long after a notice the provider's cancellations are compared: a refund of ours is in our books by then … */
#define COMPARE_AFTER_S 3
#define COMPARE_AGAIN_S 60      /* … and after a comparison without an answer */
/* the provider forgets an Idempotency-Key after 15 days: from then on it is asked first what it did */
#define KEY_LIVES_S (14 * 86400)

#define PROVIDER_MARGIN_MS 60   /* of the caller's deadline, kept for writing down the provider's answer */
#define PROVIDER_AGAIN_MS 30    /* with less left it is not asked a second time */

/* --- events.c: inside the caller's transaction --- */
void payment_report_approved(struct db *db, const struct charge *c);
void payment_report_failed(struct db *db, const struct charge *c, const char *reason);
/* c->refunded_amount includes this refund. paid_by: its code */
void payment_report_refunded(struct db *db, const struct charge *c, const struct refund *r, const char *paid_by);

/* c->refunded_amount includes it */
void payment_report_outside(struct db *db, const struct charge *c, const struct refund *r);
/* note: what a person typed */
void payment_report_payout(struct db *db, enum event_type_id type, const struct payout *p, const char *note,
	int64_t actor_id);

/* --- charge.c --- */
int64_t charge_owed(struct db *db, const struct charge *c); /* the sum of its refunds, done or not, less withheld */
bool charge_reason_is(const struct charge *c, const char *word);
bool charge_insert(struct db *db, struct charge *c);            /* false: the key is taken */
/* A key that was never used is closed for good: a charge that arrives later is refused. Inside a transaction. */
void charge_seal(struct db *db, const char *key, const char *subject_id, struct charge *c);
/* A later try to charge for the same subject was opened: this one must not be kept. */
bool charge_is_superseded(struct db *db, const struct charge *c);
/* REQUESTED or UNKNOWN → APPROVED, FAILED, UNKNOWN, inside a transaction. false: another process has settled it
 * before. */
bool charge_approve(struct db *db, struct charge *c, const struct provider_answer *a);
/* one_more_look: the provider did not know it; should the request arrive after all, it is found by a last look and
 * refunded. */
bool charge_fail(struct db *db, struct charge *c, const char *reason, bool one_more_look);
bool charge_stay_unknown(struct db *db, struct charge *c);
/* Of an unsettled one whose process has ended: this process asks the provider from now on. false: another one has
 * claimed it, or it is settled. */
bool charge_take_over(struct db *db, struct charge *c);
/* Writes down that it is looked up now, and when next. false: another process has just done so. */
bool charge_claim(struct db *db, const struct charge *c);

/* --- capture.c --- */
/* Asks the provider for the outcome; LATER is not among the answers. Outside a transaction, the row synced to disk. */
struct provider_answer charge_look_up(struct db *db, const struct charge *c, int64_t until_ms);
/* Writes down the provider's answer for a charge that is not settled; then *c is as it is in the table. */
void charge_settle(struct db *db, struct charge *c, const struct provider_answer *a);
void charge_try(struct db *db, struct charge *c, int64_t until_ms);     /* one claimed look, and what follows from it */

/* --- refund.c --- */
/* Owes the customer that much of an approved charge: row, posting, CANCEL_REQUESTED. Inside a transaction. Answers
 * refund_id. */
int64_t refund_open(struct db *db, const struct charge *c, const char *refund_key, int64_t amount, const char *reason);
bool refund_claim(struct db *db, const struct refund *r);               /* as charge_claim() */
/* The provider has made this pending refund of ours. */
void refund_found(struct db *db, int64_t refund_id);
/* That much of a pending refund will not be made. Inside a transaction. */
void refund_withhold(struct db *db, const struct charge *c, const struct refund *r, int64_t amount);
/* It was made in the provider's dashboard. Inside a transaction; there is room for it. */
void refund_outside(struct db *db, struct charge *c, const struct provider_cancel *cancel, const char *key);
/* Asks the provider for it and writes down that it is done. true: done. */
bool refund_ask(struct db *db, int64_t refund_id, int64_t until_ms);
/* A manager has paid it by bank transfer. Only when the provider says that it has not done it and cannot be doing it;
 * when the provider has done it, that is written down instead. Emits payment.cancelled, payment.resolved. */
enum resolve_outcome refund_by_bank(struct db *db, const struct refund *r, struct stuck_report *report,
	int64_t actor_id, int64_t until_ms);

/* --- ledger.c: postings, inside the caller's transaction --- */
void ledger_capture(struct db *db, const struct charge *c);
void ledger_refund_owed(struct db *db, const struct charge *c, int64_t refund_id, int64_t amount, int64_t owed_before);
/* owed_before: with the amount that is now withheld */
void ledger_refund_withheld(struct db *db, const struct charge *c, int64_t refund_id, int64_t amount,
	int64_t owed_before);
void ledger_refund_paid(struct db *db, const struct charge *c, int64_t refund_id, int64_t amount, enum paid_by paid_by);

/* Moves the payout's amount to debit, from credit. */
void ledger_payout(struct db *db, enum posting_kind kind, const struct payout *p, enum ledger_account debit,
	enum ledger_account credit);

/* --- card.c: what a charge needs to know of a card. false: not a card of this customer --- */
struct card_source { const char *billing_key, *customer_key, *brand, *last4; };
bool card_source(struct db *db, int64_t user_id, int64_t card_id, struct card_source *s);

#endif
