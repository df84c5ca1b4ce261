/*
 * payment - charges, refunds, and the double-entry ledger that proves them.
 *
 * A charge is requested under the caller's key and is REQUESTED → APPROVED → CANCEL_REQUESTED → CANCELLED, or FAILED,
 * or UNKNOWN until the provider answers (docs/domain.md). The row is on disk before the provider is asked; the
 * provider's answer, the ledger's posting and the event follow in one transaction. When a process dies in between, the
 * sweep finds the row and asks the provider for the outcome: no money is charged twice, lost, or refunded twice.
 */
#ifndef MP_PAYMENT_H
#define MP_PAYMENT_H

#include "domain/provider.h"

#include "domain/stuck.h"
#include "lib/db/db.h"
#include "lib/event/event.h"

enum charge_state { CHARGE_REQUESTED, CHARGE_APPROVED, CHARGE_CANCEL_REQUESTED, CHARGE_CANCELLED, CHARGE_FAILED,
	CHARGE_UNKNOWN };
extern const struct words charge_state_words;

struct charge {
	int64_t charge_id, user_id, card_id;
	const char *key;                        /* the caller's: CODE, CODE-2 … */
	const char *subject_id, *currency;
	int64_t try_no; /* which try to charge for its subject: when a later one is opened, an earlier one is voided */
	int64_t amount, vat_amount, refunded_amount;
	int state;                              /* enum charge_state */
	bool void_wanted;                       /* if it turns out approved, it is refunded */
	const char *payment_key, *brand, *last4;
	const char *reason;                     /* of a FAILED one: our code, then the provider's */
	int64_t requested_at, approved_at, settled_at, tries, next_at, tried_at;
	const char *last_error;                 /* why the last look-up failed: our code, then the provider's */
	const char *asked_by;                   /* the process that asks the provider: proc_stamp() */
	const char *card_token;                 /* once it has paid, its card is saved by this; "": no */
};
extern const struct shape charge_shape; /* its row */
extern const struct shape shown_charge_shape; /* what managers see of it */

#define CHARGE_COLUMNS \
	"charge_id, key, subject_id, user_id, card_id, amount, vat_amount, currency, state, void_wanted, payment_key," \
	" brand, last4, reason, refunded_amount, requested_at, approved_at, settled_at, tries, next_at, tried_at," \
	" last_error, try_no, asked_by, card_token"

/* --- charge.c ----------------------------------------------------------------------------------------------------- */

struct charge_order {
	const char *key, *subject_id, *currency;
	const char *payment_key;                /* from the provider's page, with card_id 0 */
	const char *card_token;                 /* … with which the card is saved once it has paid; NULL, "": no */
	int64_t customer_id, card_id, amount, vat_amount;
	int64_t try_no;                         /* 1, 2 … of this subject */
	int64_t deadline_ms;                    /* of the whole call */
};

enum charge_outcome {
	CHARGE_OUTCOME_APPROVED,                /* charged */
	CHARGE_OUTCOME_DECLINED,                /* nothing was charged: c->reason */
	CHARGE_OUTCOME_UNKNOWN,                 /* the provider has not answered; the sweep goes on asking */
	CHARGE_OUTCOME_LATER,                   /* nothing was charged: the provider could not be reached */
	CHARGE_OUTCOME_KEY_REUSED,              /* the key came before with another body */
	CHARGE_OUTCOME_BAD_ORDER,               /* no valid charge: amount, currency, key */
};

#define CHARGE_MAX_AMOUNT 1000000000000

bool charge_find(struct db *db, const char *key, struct charge *c);     /* false: the key was never used */
bool charge_by_id(struct db *db, int64_t charge_id, struct charge *c);
enum charge_outcome charge_outcome_now(struct db *db, struct charge *c); /* by its row; does not ask the provider */
const char *charge_reason(struct db *db, const struct charge *c); /* our code alone: declined, expired_card, void … */
const char *charge_reason_label(const char *reason);                    /* for people: N_("The card was declined") … */
/* A webhook names this charge: look it up soon. A webhook proves nothing, anyone can send one. */
void charge_hint(struct db *db, const char *key);

/* --- capture.c ---------------------------------------------------------------------------------------------------- */

/* Charges, once for each key. Emits payment.approved or payment.failed. *c is the charge (KEY_REUSED: the first
 * one). */
enum charge_outcome charge_make(struct db *db, const struct charge_order *o, struct charge *c);

/* --- refund.c ----------------------------------------------------------------------------------------------------- */

enum refund_stage { REFUND_STAGE_REQUESTED, REFUND_STAGE_DONE };
enum paid_by { PAID_BY_CARD, PAID_BY_BANK /* by bank transfer, as a manager reported */ };
extern const struct words refund_stage_words, paid_by_words;

struct refund {
	int64_t refund_id, charge_id, amount;
	const char *key, *reason;
	int state;                              /* enum refund_stage */
	int paid_by;                            /* enum paid_by */
	int64_t withheld;                       /* of amount: had been refunded outside, so it is not refunded */
	bool is_outside;                        /* made in the provider's own dashboard */
	int64_t seen_at;                        /* is_outside: when a manager closed it; 0: needs attention */
	int64_t requested_at, done_at, tries, next_at, tried_at;
	const char *last_error;
};
extern const struct shape refund_shape;

#define REFUND_COLUMNS \
	"refund_id, key, charge_id, amount, state, reason, requested_at, done_at, tries, next_at, tried_at," \
	" last_error, paid_by, withheld, is_outside, seen_at"

struct refund_order {
	const char *key;                        /* the charge's */
	const char *subject_id;                 /* of a key that was never used; NULL, "": the key itself */
	const char *refund_key, *reason;
	int64_t amount;                         /* 0: all that is left, whatever its state */
	int64_t deadline_ms;
};

enum refund_outcome {
	REFUND_OUTCOME_DONE,                    /* refunded, or nothing was ever charged */
	REFUND_OUTCOME_PENDING,                 /* the sweep retries until it is refunded */
	REFUND_OUTCOME_TOO_MUCH,                /* more than is left of the charge */
	REFUND_OUTCOME_NO_CHARGE,               /* there is no approved charge under this key */
	REFUND_OUTCOME_KEY_REUSED,              /* the refund's key came before for another refund */
};

enum refund_outcome refund_make(struct db *db, const struct refund_order *o, struct charge *c);
void refunds_of(struct db *db, int64_t charge_id, struct refund **refunds, int *n);
const char *refund_reason_label(const char *reason);                    /* for people; an unknown one as it is */

/* --- outside.c: refunds made in the provider's own dashboard ------------------------------------------------------ */

enum compare_outcome {
	COMPARE_SAME,                           /* all of the provider's cancellations are in our books */
	COMPARE_BOOKED,                         /* … now */
	COMPARE_TOO_MUCH, /* more was given back than was charged: a bank transfer, and the dashboard too */
	COMPARE_UNKNOWN,                        /* the provider does not answer, or the charge is not settled */
};
/* Asks the provider for the cancellations of a charge, and books those that are not ours. Emits
 * payment.refunded_outside; and payment.cancelled for a refund of ours of which nothing is left to make. */
enum compare_outcome charge_compare(struct db *db, int64_t charge_id, int64_t until_ms);

struct reconciliation {
	int64_t n_transactions;                 /* in the provider's list */
	int64_t n_compared, n_booked;           /* charges with a cancellation; with one that was not in our books */
	int64_t n_too_much;
	int64_t n_unknown;                      /* payments under a key of which we have no charge */
	int64_t n_unanswered;                   /* charges that were not compared; 1 when the list was not answered */
};
/* Compares all that the provider did in [from, until) with our books. */
struct reconciliation payment_reconcile(struct db *db, int64_t from, int64_t until);

/* --- ledger.c ----------------------------------------------------------------------------------------------------- */

/* The rows of posting_kind and ledger_account. */
enum posting_kind { POSTING_CAPTURE, POSTING_REFUND_OWED, POSTING_REFUND_PAID, POSTING_REFUND_WITHHELD,
	POSTING_PAYOUT_DUE, POSTING_PAYOUT_PAID, POSTING_PAYOUT_REVERSED };
extern const struct words posting_kind_words;
enum ledger_account { LEDGER_CARD_CLEARING, LEDGER_RENTAL_INCOME, LEDGER_VAT_PAYABLE, LEDGER_REFUNDS_PAYABLE,
	LEDGER_PAYOUTS_PAYABLE, LEDGER_COMPENSATION, LEDGER_BANK };
extern const struct words account_words;

struct posting_line { int account; int64_t amount; };
struct posting_row {
	int64_t posting_id, posted_at;
	int64_t charge_id, payout_id;           /* 0: it is about none */
	const char *subject_id, *currency;
	int kind;                               /* enum posting_kind */
	struct posting_line *lines;
	int n_lines;
};
extern const struct shape posting_row_shape;

struct balance { int account; int64_t amount; };
extern const struct shape balance_shape;

void postings_of(struct db *db, int64_t charge_id, struct posting_row **rows, int *n);
void postings_of_payout(struct db *db, int64_t payout_id, struct posting_row **rows, int *n);
void postings_page(struct db *db, int64_t offset, int64_t limit, struct posting_row **rows, int *n);
int64_t posting_count(struct db *db);
void ledger_balances(struct db *db, struct balance **balances, int *n);

/* --- payout.c: what we owe a person beyond refunds ---------------------------------------------------------------- */

enum payout_state { PAYOUT_ASSIGNED, PAYOUT_COMPLETED, PAYOUT_FAILED };
enum payout_kind { PAYOUT_COMPENSATION };
enum payout_way { PAYOUT_BY_CARD, PAYOUT_BY_BANK };
extern const struct words payout_state_words, payout_kind_words, payout_way_words;

struct payout {
	int64_t payout_id, payee_id, charge_id, amount;
	const char *key;                        /* the caller's idempotency key */
	const char *subject_id, *currency;
	const char *payee_name, *payee_email, *done_by_name;
	int kind, way, state;                   /* enum payout_kind, payout_way, payout_state */
	const char *note;                       /* COMPLETED: the transfer's reference; FAILED: why */
	int64_t requested_at, done_at, done_by;
};
extern const struct shape payout_shape;

#define PAYOUT_NOTE_MAX 200

struct payout_order {
	const char *key, *subject_id, *currency;
	int64_t payee_id, amount;
	int kind, way;                          /* -1: unknown */
};

enum payout_outcome {
	PAYOUT_OUTCOME_DONE,
	PAYOUT_OUTCOME_NONE,                    /* there is no such payout */
	PAYOUT_OUTCOME_CLOSED,                  /* it was completed or failed before, otherwise */
	PAYOUT_OUTCOME_KEY_REUSED,              /* the key came before with another order */
	PAYOUT_OUTCOME_BAD_ORDER,               /* no valid payout: amount, currency, key, payee, way */
	PAYOUT_OUTCOME_NOT_TO_CARD,             /* a card is only given back what was charged to it: that is a refund */
};

/* Owes it, once for each key; the same key again answers the same payout. Emits payout.assigned. */
enum payout_outcome payout_assign(struct db *db, const struct payout_order *o, struct payout *p);
/* A manager has transferred it (note: the transfer's reference), or it will not be paid (note: why). The same again is
 * harmless. Emits payout.completed, payout.failed. *p is the payout afterwards. */
enum payout_outcome payout_complete(struct db *db, int64_t payout_id, const char *note, int64_t actor_id,
	struct payout *p);
enum payout_outcome payout_fail(struct db *db, int64_t payout_id, const char *note, int64_t actor_id, struct payout *p);
bool payout_find(struct db *db, int64_t payout_id, struct payout *p);

enum payout_tab { PAYOUT_TAB_WAITING, PAYOUT_TAB_COMPLETED, PAYOUT_TAB_FAILED, PAYOUT_TAB_ALL, N_PAYOUT_TABS };
extern const struct words payout_tab_words;
void payout_count(struct db *db, int64_t n[N_PAYOUT_TABS]);
/* The waiting ones oldest first, otherwise newest first. */
int payout_list(struct db *db, enum payout_tab tab, int64_t offset, int64_t limit, struct payout **payouts);

/* --- card.c ------------------------------------------------------------------------------------------------------- */

struct card {
	int64_t card_id, created_at;
	const char *brand, *last4;
};
extern const struct shape card_shape;

#define MAX_CARDS 20

enum card_outcome {
	CARD_SAVED,
	CARD_REFUSED,                           /* the provider does not know this token, or it was used before */
	CARD_LATER,                             /* the provider does not answer */
	CARD_TOO_MANY,                          /* MAX_CARDS already */
};

/* Turns the provider's one-time token into a card that can be charged again. request_key: the same again saves it
 * once. */
enum card_outcome card_save(struct db *db, int64_t user_id, const char *token, const char *request_key,
	struct card *card);
int card_list(struct db *db, int64_t user_id, struct card **cards, int *n_cards);
bool card_find(struct db *db, int64_t user_id, int64_t card_id, struct card *card);
bool card_remove(struct db *db, int64_t user_id, int64_t card_id);      /* false: not a card of this customer */
/* Saves the card of an approved charge by its card_token; the token is forgotten when that has worked or cannot. */
void card_save_of_charge(struct db *db, int64_t charge_id);
const char *payer_key(struct db *db, int64_t user_id); /* the customer's key at the provider; NULL: none yet */
const char *payer_make(struct db *db, int64_t user_id);                 /* … which is made if there is none */

/* --- sweep.c, policy.c, events.c ---------------------------------------------------------------------------------- */

bool payment_sweep(struct db *db);
extern const struct consumer payment_consumer;
extern const struct db_role payment_role;

/* --- stuck.c: what has been pending for too long (domain/stuck.h) ------------------------------------------------- */

/* enum stuck_kind: no answer, a pending refund, a last look. -1: nothing is pending. */
int charge_stuck_kind(struct db *db, const struct charge *c, int64_t *since);
/* The pending refunds, else the whole charge; and why the last try failed. */
int64_t charge_stuck_amount(struct db *db, const struct charge *c);
const char *charge_stuck_error(struct db *db, const struct charge *c);
/* Looks the charge up at the provider, or asks for its refunds again. *c is read again. */
void charge_retry(struct db *db, struct charge *c, int64_t actor_id, int64_t until_ms);
/* Emits payment.resolved, and payment.failed or payment.cancelled. */
enum resolve_outcome charge_resolve(struct db *db, struct charge *c, enum stuck_resolution way, const char *note,
	int64_t actor_id, int64_t until_ms);

/* --- charge_list.c: what managers look at ------------------------------------------------------------------------- */

struct charge_row {
	int64_t charge_id, user_id, amount, refunded_amount, requested_at;
	const char *subject_id, *customer_name, *brand, *last4, *reason, *currency;
	int state;
};
extern const struct shape charge_row_shape;

enum charge_order_by { CHARGES_NEWEST, CHARGES_OLDEST, CHARGES_BY_AMOUNT, CHARGES_BY_AMOUNT_DOWN };
struct charge_query {
	int state;                              /* enum charge_state; -1: all */
	int64_t from, until;                    /* requested in [from, until); 0: open */
	const char *subject_id;                 /* "": all */
	enum charge_order_by order;
	int64_t offset, limit;
};
struct charge_totals { int64_t n, captured, refunded; };

struct charge_totals charge_count(struct db *db, const struct charge_query *q);
void charge_page(struct db *db, const struct charge_query *q, struct charge_row **rows, int *n_rows);

/* An event about a charge; title is its type. */
struct charge_event { int64_t at; const char *title, *detail; };
extern const struct shape charge_event_shape;

const char *charge_customer_name(struct db *db, const struct charge *c);
void charge_events(struct db *db, const struct charge *c, struct charge_event **events, int *n);

#endif
