/*
 * booking - the promise of a car for an interval, and its whole life.
 *
 * A booking is HELD (the calendar slot is taken for hold_s) → PAID → CONFIRMED → OUT → RETURNED → COMPLETED; it ends aside as
 * EXPIRED, REJECTED, CANCEL_REQUESTED → CANCELLED, or NO_SHOW (docs/domain.md 3). booking owns the calendar: whether a car is free is
 * decided here, in one write transaction, by the schema. Money moves through payment (payment_client.h), never inside a transaction.
 */
#ifndef MP_BOOKING_H
#define MP_BOOKING_H

#include "domain/bookings.h"
#include "domain/stuck.h"
#include "domain/rental.h"
#include "lib/db/db.h"
#include "lib/event/event.h"

/* One of the cars of a booking, as it was promised. */
struct booking_car { int64_t car_id; const char *car_name, *car_name_ko, *plate; };
extern const struct shape booking_car_shape;

/* What was booked with the car that another program sees to (extra.c). When it cannot be had, its price goes back; the booking goes on. */
struct booking_extra {
	int64_t booking_id, line_no;            /* its price line */
	int kind, state;                        /* enum extra_kind, extra_state */
	int64_t ref_id;                         /* equipment: item_id */
	int64_t quantity, amount;
	const char *label, *label_ko, *category;
	const char *end_reason;
	int64_t ended_at;
	int refund_state;                       /* enum refund_state */
	int64_t refund_due, refunded_amount, refund_tries;
	const char *last_error;
};
extern const struct shape booking_extra_shape;

/* Where the car is brought to, and fetched from. */
struct booking_delivery {
	const char *zone, *address, *place;
	int64_t window_from, window_to;
	bool collects;
};
extern const struct shape booking_delivery_shape;

struct booking {
	int64_t booking_id, customer_id, car_id, branch_id, card_id, charge_id;
	const char *code, *car_name, *car_name_ko, *plate, *body, *branch_name, *branch_name_ko, *currency, *end_reason;
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
	int64_t cancel_asked_at, cancel_asked_by, cancel_tries; /* somebody wants it cancelled, and delivery has not said yet whether it can be */
	struct booking_line *lines;
	int n_lines;
	struct booking_extra *extras;
	int n_extras;
	struct booking_delivery *delivery;      /* NULL: fetched at the branch */
	struct { int item_no; int64_t n_free; const char *label, *reason; } refused_extra;    /* of an order refused for one of its extras: which, why */
};
extern const struct shape booking_shape;

#define EXTRA_ITEMS_MAX 10                      /* kinds of equipment with one booking */
#define EXTRA_PIECES_MAX 50                     /* … pieces of each */

/* What somebody asks for. */
struct booking_order {
	int64_t customer_id, car_id, starts_at, ends_at;
	int64_t model_id, qty, branch_id;       /* in place of car_id: so many cars of a model, at this branch; 0: where most are free */
	int64_t card_id;                        /* a saved card, charged at once; 0: pay on the provider's page within the hold */
	const char *request_key;                /* the client's idempotency key; "" or NULL: none */
	const char *request_hash;               /* of what was asked */
	struct {
		bool is_wanted, collects;
		const char *zone, *address, *place;
		int64_t window_from;            /* 0: when the rental starts */
	} delivery;
	struct { int64_t item_id, quantity; int no /* in the form */; } items[EXTRA_ITEMS_MAX];
	int n_items;
};

enum booking_outcome {
	BOOKING_OK,
	BOOKING_AGAIN,          /* this key was answered before: *b is that booking */
	BOOKING_TAKEN,          /* somebody has the car in those hours */
	BOOKING_FEWER_CARS,     /* fewer cars of the model are free in those hours than were asked for */
	BOOKING_QUOTA,          /* rental.max_bookings_per_person open ones already */
	BOOKING_HOLDS,          /* rental.max_holds_per_person cars held and not paid already */
	BOOKING_DECLINED,       /* the card was declined; nothing was charged, nothing is held */
	BOOKING_LATER,          /* payment is not to be asked now: nothing was charged, nothing is held; booking_later_s() */
	BOOKING_UNANSWERED,     /* payment was asked and has not said: the hold is released, whatever was taken goes back */
	BOOKING_NO_CAR,         /* no such car or model, or it is not for rent */
	BOOKING_BAD_INTERVAL,   /* past, reversed, too long, too far ahead, off the half hour: interval_problem() says which */
	BOOKING_BAD_CARD,       /* not a card of this customer */
	BOOKING_BAD_DELIVERY,   /* there is no such zone or window: delivery_problem() says which */
	BOOKING_NO_ITEM,        /* an item that is not lent: trouble says which */
	BOOKING_OUT_OF_STOCK,   /* fewer pieces are free then: trouble says which, and how many there are */
	BOOKING_NOT_APPROVED,   /* review says no to the equipment: trouble says why; nothing was charged, nothing is held */
	BOOKING_REVIEW_LATER,   /* review must say yes first and cannot be asked: nothing was charged, nothing is held */
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

/* In how many seconds it is worth trying again: when the one that could not be asked is asked again, as far as is known. */
enum booking_callee { CALLEE_PAYMENT, CALLEE_REVIEW, CALLEE_DELIVERY };
int booking_later_s(enum booking_callee callee);

/* Reads one with its lines. customer_id 0: anybody's (managers). false: there is none of theirs. */
bool booking_find(struct db *db, const char *code, int64_t customer_id, struct booking *b);

/* --- cancel.c --- */
enum cancel_outcome {
	CANCEL_DONE,
	CANCEL_PENDING,         /* under way: the refund (CANCEL_REQUESTED), or delivery's answer (cancel_asked_at) */
	CANCEL_SHIPPED,         /* too late: the car is on its way to the customer. Nothing changed */
	CANCEL_LATER,           /* delivery cannot be asked now, and must say yes first. Nothing changed */
	CANCEL_NOT_POSSIBLE,
};

/* What cancelling now would give back, and why not all: full, grace, late. false: it cannot be cancelled (any more). */
struct cancel_preview { int64_t refund, fee, percent, gone /* back already, or on its way, for extras that ended */; const char *rule; };
bool cancel_preview(const struct booking *b, int64_t now, struct cancel_preview *p);
/*
 * A HELD one is given up; a PAID or CONFIRMED one frees the car and refunds, once delivery has said that no car is brought (docs/domain.md 5,
 * cancel). Done already: CANCEL_DONE again. actor: who asked. */
enum cancel_outcome booking_cancel(struct db *db, struct booking *b, int64_t actor_id, const char *reason);

/* --- handover.c: what a manager does at the counter. false: not in a state for that. */
bool booking_is_with_courier(struct db *db, const struct booking *b);      /* he has left with it, or has handed it over and we have not heard so yet */
bool booking_is_at_counter(struct db *db, const struct booking *b);        /* nobody is cancelling it, and no courier has left with it */
bool booking_hand_out(struct db *db, struct booking *b, int64_t actor_id);     /* CONFIRMED → OUT; a trip nobody makes is paid back */
bool booking_take_back(struct db *db, struct booking *b, int64_t actor_id);    /* OUT → RETURNED → COMPLETED; frees the car from now + turnaround */
bool booking_no_show(struct db *db, struct booking *b, int64_t actor_id);      /* CONFIRMED and begun → NO_SHOW; no refund. The sweep does it too, actor 0 */

/*
 * --- stuck.c: what rests on its way (../stuck.h), tried at once or ended by hand. retry: whatever it is, now. resolve: in one of the
 * ways its kind allows, once it is older than rental.stuck_after_s; the reason is kept with the event. A second click is harmless. */
int booking_stuck_kind(const struct booking *b);        /* enum stuck_kind; -1: it rests nowhere */
int64_t booking_stuck_since(const struct booking *b);
void booking_retry(struct db *db, struct booking *b, int64_t actor_id);
enum resolve_outcome booking_resolve(struct db *db, struct booking *b, enum stuck_resolution way, const char *note, int64_t actor_id);

/* --- extra.c: delivery and equipment that are booked with the car --- */

/* NULL when the car can be brought as asked, else a translated sentence for the field *field (delivery.zone …). */
const char *delivery_problem(const struct booking_order *o, const char **field);
/* What the order's extras cost, as further lines of b, which has those of the car: nothing is written. Else what is in the way. */
enum booking_outcome extra_quote(struct db *db, const struct booking_order *o, struct booking *b);

/* What can be had with a car: the items on offer, and how many pieces are free in the interval (0, 0: not asked). */
struct offered_item { int64_t item_id, daily_price, n_free; const char *name, *name_ko, *category; };
#define OFFERED_MAX 30
int items_offered(struct db *db, int64_t starts_at, int64_t ends_at, struct offered_item **items);

/* --- sweep.c: what time brings; the relay calls it every second. Answers whether more waits. */
bool booking_sweep(struct db *db);

/* --- policy.c --- */
extern const struct consumer booking_consumer;
extern const struct db_role booking_role;

#endif
