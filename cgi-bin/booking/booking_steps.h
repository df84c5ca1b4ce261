/* booking_steps - the single steps of a booking's life, shared by booking.c, cancel.c, desk.c, sweep.c and policy.c only. */
#ifndef MP_BOOKING_STEPS_H
#define MP_BOOKING_STEPS_H

#include "booking.h"

/* Writes the event of this type about b, inside the caller's transaction; the payload is the one docs/events.md lists for it. */
void booking_emit(struct db *db, const struct booking *b, const char *type, int64_t causation_id, int64_t actor_id);

bool booking_reload(struct db *db, struct booking *b);

/* HELD → PAID with the approved charge. false: it was not HELD any more. */
bool booking_paid(struct db *db, struct booking *b, int64_t charge_id);
/* HELD → EXPIRED; the car is free. With money_may_have_moved the sweep sees to it that the charge is void. false: not HELD any
 * more, or payment was asked since b was read. */
bool booking_expire(struct db *db, struct booking *b, const char *reason, bool money_may_have_moved);

#define PAUSE_MAX_S 60                          /* the longest between two tries of the sweep */
#define ANSWER_S 10                             /* whoever asked payment longer ago than this is not coming back for the answer */
#define CLOCK_SLACK_S 60                        /* what happened further ahead than this was written before the clock was set back */

/* Why a try did not end it, for whoever looks at the stuck desk (../stuck.h): payment_down, no_answer … Nothing new: nothing written. */
void booking_note_error(struct db *db, const struct booking *b, const char *error);

/* One try of the sweep, written down before payment is asked: what became of a charge nobody heard the answer of; for a refund. */
void booking_sweep_asked(struct db *db, struct booking *b);
void booking_sweep_refund(struct db *db, struct booking *b);

/* PAID → CONFIRMED; PAID → REJECTED with all the money to go back. false: not PAID any more. Inside a transaction. */
bool booking_confirm(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);
bool booking_reject(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);
/* Fleet says that the car can be given: one of the two. Inside a transaction. */
void booking_reserved(struct db *db, struct booking *b, int64_t causation_id);

/* --- extra.c --- */
void booking_extras_write(struct db *db, struct booking *b);    /* with the booking, in its transaction */
void booking_extras_read(struct db *db, struct booking *b);     /* where its lines say that there are some */
/* Equipment that review must say yes to before it is taken: can review be asked at all; and what it says, OK when it all goes on. */
bool booking_reviews_closed(const struct booking *b);
enum booking_outcome booking_reviews_ask(struct db *db, struct booking *b);

/* --- extra_end.c --- */
/* It will not be had: its price goes back. Inside a transaction; once; nothing when the booking itself is given back. */
void booking_extra_end(struct db *db, struct booking *b, struct booking_extra *x, const char *reason, int64_t causation_id);
void booking_extras_end(struct db *db, struct booking *b, enum extra_kind kind, const char *reason, int64_t causation_id);
struct booking_extra *booking_extra_of_line(struct booking *b, int64_t line_no);                /* NULL: there is none */
struct booking_extra *booking_extra_of_refund(struct booking *b, const char *refund_key);       /* NULL: it is the booking's own refund */
int64_t booking_extras_gone(const struct booking *b);           /* what went, or goes, back for them */
bool booking_extra_refunded(struct db *db, struct booking *b, struct booking_extra *x, int64_t causation_id);
void booking_sweep_extra(struct db *db, struct booking *b, struct booking_extra *x);            /* one try, written down first */
int booking_sweep_extras(struct db *db, int64_t now);           /* the refunds of extras that are due: how many */

/* --- cancel.c --- */
/* Delivery was asked whether the booking can be cancelled and has not said: asked once more, and what follows from its answer. */
void booking_cancel_again(struct db *db, struct booking *b);

/* --- desk.c: the keys change hands, at the counter or at the customer's door. Inside a transaction --- */
bool booking_keys_given(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);
bool booking_keys_back(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);

/* Why payment has not given it back, for the stuck desk. */
const char *booking_refund_error(int refund_answer);

/* Asks payment for the refund that is due and writes down what it says. true: the money is back, the booking is at its end. */
bool booking_settle_refund(struct db *db, struct booking *b);
/* The refund is done: CANCEL_REQUESTED → CANCELLED, or a REJECTED / EXPIRED one's money is back. Once. */
bool booking_refund_done(struct db *db, struct booking *b, int64_t refunded_amount, int64_t causation_id);

#endif
