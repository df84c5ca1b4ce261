/*
 * booking - the promise of a car for an interval, and its whole life.
 *
 * A booking is HELD (the calendar slot is taken for hold_s) → PAID → CONFIRMED → OUT → RETURNED → COMPLETED; it ends aside as
 * EXPIRED, REJECTED, CANCEL_REQUESTED → CANCELLED, or NO_SHOW (DOMAIN 3). booking owns the calendar: whether a car is free is
 * decided here, in one write transaction, by the schema. Money moves through payment (payments.h), never inside a transaction.
 */
#ifndef MP_BOOKING_H
#define MP_BOOKING_H

#include "../bookings.h"
#include "../stuck.h"
#include "../../lib/db.h"
#include "../../lib/event.h"

/* One of the cars of a booking, as it was promised. */
struct booking_car { int64_t car_id; const char *car_name, *plate; };
extern const struct shape booking_car_shape;

struct booking {
	int64_t booking_id, customer_id, car_id, branch_id, card_id, charge_id;
	const char *code, *car_name, *plate, *body, *branch_name, *branch_name_ko, *currency, *end_reason;
	int state;                              /* enum booking_state */
	int64_t starts_at, ends_at;
	int64_t model_id;                       /* any car of this model was asked for; 0: this very car */
	int64_t n_cars;                         /* 1–5; car_id, car_name and plate are the first one's */
	struct booking_car *cars, *more_cars;   /* all of them, and all but the first (model.c) */
	int n_all_cars, n_more_cars;
	int64_t amount, vat_amount;             /* smallest unit of currency, VAT included */
	int64_t held_at, hold_until, asked_at, paid_at, ended_at;
	int refund_state;                       /* enum refund_state */
	int64_t refund_due, refunded_amount;
	const char *last_error;                 /* why the last of these did not end it */
	int64_t ask_tries, refund_tries;        /* how often the sweep has asked payment: for a lost answer, for the refund */
	struct booking_line *lines;
	int n_lines;
};
extern const struct shape booking_shape;

/* What somebody asks for. */
struct booking_order {
	int64_t customer_id, car_id, starts_at, ends_at;
	int64_t model_id, qty, branch_id;       /* in place of car_id: so many cars of a model, at this branch; 0: where most are free */
	int64_t card_id;                        /* a saved card, charged at once; 0: pay on the provider's page within the hold */
	const char *request_key;                /* the client's idempotency key; "" or NULL: none */
	const char *request_hash;               /* of what was asked */
};

enum booking_outcome {
	BOOKING_OK,
	BOOKING_AGAIN,          /* this key was answered before: *b is that booking */
	BOOKING_TAKEN,          /* somebody has the car in those hours */
	BOOKING_FEWER_CARS,     /* fewer cars of the model are free in those hours than were asked for */
	BOOKING_QUOTA,          /* settings.max_bookings_per_person open ones already */
	BOOKING_HOLDS,          /* settings.max_holds_per_person cars held and not paid already */
	BOOKING_DECLINED,       /* the card was declined; nothing was charged, nothing is held */
	BOOKING_LATER,          /* payment is not to be asked now: nothing was charged, nothing is held; booking_later_s() */
	BOOKING_UNANSWERED,     /* payment was asked and has not said: the hold is released, whatever was taken goes back */
	BOOKING_NO_CAR,         /* no such car or model, or it is not for rent */
	BOOKING_BAD_INTERVAL,   /* past, reversed, too long, too far ahead, off the half hour: interval_problem() says which */
	BOOKING_BAD_CARD,       /* not a card of this customer */
	BOOKING_KEY_REUSED,     /* the key came before with another body */
	BOOKING_IN_PROGRESS,    /* the first request with this key is still running */
};

/* NULL when the interval can be booked at all, else a translated sentence for the field *field ("from"/"to" side: starts_at or ends_at). */
const char *interval_problem(int64_t starts_at, int64_t ends_at, int64_t now, const char **field);

/*
 * Promise the car and take the money for it, in one step: hold the interval (quota, overlap and price in one transaction),
 * charge the card, PAID. With card_id 0 it stops at HELD, to be paid on the provider's page. Emits booking.held and
 * booking.paid or booking.expired. *b is filled for OK and AGAIN.
 */
enum booking_outcome booking_place(struct db *db, const struct booking_order *o, struct booking *b);

/* The customer comes back from the provider's page: charges (confirms) payment_key for a HELD booking. OK, DECLINED, LATER, UNANSWERED,
 * TAKEN (hold is over). After LATER it may still be HELD: the same again works when payment does. */
enum booking_outcome booking_pay(struct db *db, struct booking *b, const char *payment_key);

/* In how many seconds it is worth trying again after LATER or UNANSWERED: when payment is asked again, as far as is known. */
int booking_later_s(void);

/* Reads one with its lines. customer_id 0: anybody's (managers). false: there is none of theirs. */
bool booking_find(struct db *db, const char *code, int64_t customer_id, struct booking *b);

/* --- cancel.c --- */
enum cancel_outcome { CANCEL_DONE, CANCEL_PENDING /* refund under way: CANCEL_REQUESTED */, CANCEL_NOT_POSSIBLE };

/* What cancelling now would give back, and why not all: full, grace, late. false: it cannot be cancelled (any more). */
struct cancel_preview { int64_t refund, fee, percent; const char *rule; };
bool cancel_preview(const struct booking *b, int64_t now, struct cancel_preview *p);
/* A HELD one is given up; a PAID or CONFIRMED one frees the car and refunds. Done already: CANCEL_DONE again. actor: who asked. */
enum cancel_outcome booking_cancel(struct db *db, struct booking *b, int64_t actor_id, const char *reason);

/* --- desk.c: what a manager does at the counter. false: not in a state for that. */
bool booking_hand_out(struct db *db, struct booking *b, int64_t actor_id);     /* CONFIRMED → OUT */
bool booking_take_back(struct db *db, struct booking *b, int64_t actor_id);    /* OUT → RETURNED → COMPLETED; frees the car from now + turnaround */
bool booking_no_show(struct db *db, struct booking *b, int64_t actor_id);      /* CONFIRMED and begun → NO_SHOW; no refund. The sweep does it too, actor 0 */

/*
 * --- stuck.c: what rests on its way (../stuck.h), tried at once or ended by hand. retry: whatever it is, now. resolve: in one of the
 * ways its kind allows, once it is older than settings.stuck_after_s; the reason is kept with the event. A second click is harmless. */
int booking_stuck_kind(const struct booking *b);        /* enum stuck_kind; -1: it rests nowhere */
int64_t booking_stuck_since(const struct booking *b);
void booking_retry(struct db *db, struct booking *b, int64_t actor_id);
enum stuck_outcome booking_resolve(struct db *db, struct booking *b, enum stuck_way way, const char *reason, int64_t actor_id);

/* --- sweep.c: what time brings; the relay calls it every second. Answers whether more waits. */
bool booking_sweep(struct db *db);

/* --- policy.c --- */
extern const struct consumer booking_consumer;
extern const struct db_role booking_role;

#endif
