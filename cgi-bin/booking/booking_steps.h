/* booking_steps - the single steps of a booking's life, shared by booking's own files only. */
#ifndef MP_BOOKING_STEPS_H
#define MP_BOOKING_STEPS_H

#include "booking.h"

#include "domain/event_types.h"

#define PAUSE_MAX_S 60          /* the longest pause between two tries of the sweep */
#define ANSWER_S 10             /* a process that asked payment longer ago than this no longer waits for the answer */
#define CLOCK_SLACK_S 60        /* a time further ahead than this was written before the clock was set back */
#define TRIES_AT_ONCE 20        /* of each kind in one round of the sweep … */
#define ROUND_MS 2000           /* … and so long at most: when payment or delivery hangs, each further call waits too */
#define OWN_TRY_S 5             /* how long the sweep leaves a new request to the process that wrote it */

/* --- events.c: the events, inside the caller's transaction --- */
void booking_report(struct db *db, enum event_type_id type, const struct booking *b, int64_t causation_id,
	int64_t actor_id);
void booking_report_extra_ended(struct db *db, const struct booking *b, const struct booking_extra *x,
	const char *reason, const char *note,
	int64_t causation_id);
void booking_report_extra_refunded(struct db *db, const struct booking *b, const struct booking_extra *x,
	int64_t causation_id);
void booking_report_terms(struct db *db, const char *kind, int64_t version, int64_t actor_id);
void booking_report_part(struct db *db, enum event_type_id type, const struct booking *b, const struct part_refund *r,
	int64_t causation_id, int64_t actor_id);

/* --- booking.c --- */
bool booking_reload(struct db *db, struct booking *b);
/* The booking that a customer's request with this key has made; an EXPIRED one does not count. */
bool booking_find_by_request(struct db *db, int64_t customer_id, const char *request_key, struct booking *b);
/* Why the last try failed, for the list of what needs attention (domain/stuck.h): payment_down, no_answer … */
void booking_note_error(struct db *db, const struct booking *b, const char *error);
/* HELD → PAID with the approved charge of this try. false: it was not HELD any more, or has another try. */
bool booking_mark_paid(struct db *db, struct booking *b, int64_t charge_id);
/* HELD → EXPIRED; the car is free. money_may_have_moved: the sweep has the charge voided. false: not HELD any more, or
 * payment was asked since b was read. */
bool booking_expire(struct db *db, struct booking *b, const char *reason, bool money_may_have_moved);
/* PAID → CONFIRMED; PAID → REJECTED with a full refund. false: not PAID any more. Inside a transaction. */
bool booking_confirm(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);
bool booking_reject(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);
/* After fleet's car.reserved: one of the two. Inside a transaction. */
void booking_confirm_or_reject(struct db *db, struct booking *b, int64_t causation_id);

/* --- place.c --- */
/* Asks payment to charge the current try, which this process has claimed (asked_at), and acts on the answer. p NULL:
 * the saved card. */
enum booking_outcome booking_charge(struct db *db, struct booking *b, const struct booking_payment *p);
/* Another process was faster: the booking's state is the answer. */
enum booking_outcome booking_outcome_by_state(struct db *db, struct booking *b);

/* --- tries.c --- */
const char *booking_try_key(struct arena *m, const struct booking *b, int64_t try_no);
/* Payment has said that the card was declined (reason: its code): the next try, or HELD → EXPIRED. */
enum booking_outcome booking_declined(struct db *db, struct booking *b, const char *reason);
const char *booking_last_decline(struct db *db, const struct booking *b);       /* NULL: none, or no next try */
/* The process that waits for payment was killed; this process asks in its place. false: another one does. */
bool booking_asker_has_ended(const struct booking *b);
bool booking_take_over(struct db *db, struct booking *b);

/* --- refund.c: the keys of refunds beside the booking's own: CODE-extra-LINE, CODE-refund-NUMBER --- */
const char *booking_refund_key(struct arena *m, const struct booking *b, const char *of, int64_t number);
int64_t booking_refund_number(const struct booking *b, const char *of, const char *key);        /* 0: of another one */

/* --- extra.c --- */
void booking_extras_write(struct db *db, struct booking *b);    /* with the booking, in its transaction */
void booking_extras_read(struct db *db, struct booking *b);     /* if its lines include any */
/* Equipment that review must approve first: whether review's breaker is open; and review's answer, OK when all may be
 * booked. */
bool booking_reviews_closed(const struct booking *b);
enum booking_outcome booking_reviews_ask(struct db *db, struct booking *b);

/* --- extra_end.c --- */
/* The extra is not provided and its price is refunded. reason: a code; note: what a person typed, or "". Inside a
 * transaction; once; nothing when the booking itself is refunded. */
void booking_extra_end(struct db *db, struct booking *b, struct booking_extra *x, const char *reason, const char *note,
	int64_t causation_id);
void booking_extras_end(struct db *db, struct booking *b, enum extra_kind kind, const char *reason, const char *note,
	int64_t causation_id);
struct booking_extra *booking_extra_of_line(struct booking *b, int64_t line_no); /* NULL: there is none */
int64_t booking_extras_refund(const struct booking *b);         /* what is or will be refunded for extras that ended */

/* --- refund.c --- */
/* One try each, recorded before payment is asked. */
void booking_try_refund(struct db *db, struct booking *b);
void booking_try_extra_refund(struct db *db, struct booking *b, struct booking_extra *x);
/* Asks payment for the refund that is due and records the answer. true: it is done, the booking has ended. */
bool booking_ask_refund(struct db *db, struct booking *b);
/* The refund is done: CANCEL_REQUESTED → CANCELLED, or that of a REJECTED or EXPIRED one. Once. */
bool booking_refund_done(struct db *db, struct booking *b, int64_t refunded_amount, int64_t causation_id);
bool booking_extra_refund_done(struct db *db, struct booking *b, struct booking_extra *x, int64_t causation_id);
/* NULL: it is the booking's own refund */
struct booking_extra *booking_extra_of_refund(struct booking *b, const char *refund_key);

/* --- part_refund.c --- */
void booking_refunds_read(struct db *db, struct booking *b);
int64_t booking_refunds_due(const struct booking *b);  /* of extras that ended, and in parts; done or not */
void booking_try_part_refund(struct db *db, struct booking *b, struct part_refund *r);
bool booking_part_refund_done(struct db *db, struct booking *b, struct part_refund *r, int64_t causation_id);
/* NULL: it is another refund */
struct part_refund *booking_part_of_refund(struct booking *b, const char *refund_key);
struct part_refund *booking_part_of_number(struct booking *b, int64_t refund_no);
int sweep_part_refunds(struct db *db, int64_t now);

/* --- firm.c --- */
/* Asks payment for the payout once, recorded first. */
void booking_try_compensation(struct db *db, struct booking *b);
int sweep_compensations(struct db *db, int64_t now);
/* Confirmed bookings whose car others still have too long after their start, or had until their end; or whose car is
 * not in service then. */
void sweep_late_cars(struct db *db, int64_t now);

/* --- cancel.c --- */
/* Who cancels it. The sweep repeats what is in the row. */
struct cancel_wish {
	int64_t actor_id;
	const char *end_reason;                 /* customer, manager (for the customer), firm */
	int by;                                 /* enum cancel_by */
	const char *reason, *note;              /* CANCEL_BY_FIRM */
};
enum cancel_outcome booking_cancel_as(struct db *db, struct booking *b, const struct cancel_wish *wish);
/* Delivery was asked whether the booking can be cancelled and has not answered: asks again, and goes on from its
 * answer. */
void booking_cancel_again(struct db *db, struct booking *b);

/* --- handover.c: the car is handed over or returned, at the counter or at the customer's address. Inside a transaction
 * --- */
bool booking_mark_out(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);
/* CONFIRMED → OUT, when the custodies have begun */
bool booking_set_out(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);
bool booking_mark_returned(struct db *db, struct booking *b, int64_t causation_id, int64_t actor_id);
/* RETURNED → COMPLETED, when it can no longer be undone */
bool booking_complete(struct db *db, struct booking *b);

/* --- no_show.c --- */
/* How long the car must have been there until a booking can be recorded as not picked up; actor 0: the sweep. */
int64_t booking_no_show_wait_s(int64_t actor_id);
/* It can no longer be undone. Inside a transaction. */
bool booking_no_show_end(struct db *db, struct booking *b);

/* --- sweep.c --- */
/* One try, recorded first: asks payment for the outcome of a charge whose answer was lost. */
void booking_look_up_charge(struct db *db, struct booking *b);

#endif
