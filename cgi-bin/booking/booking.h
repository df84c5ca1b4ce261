/*
 * booking - a car booked for an interval, from the hold to the end.
 *
 * A booking is HELD (the car is held for hold_s) → PAID → CONFIRMED → OUT → RETURNED → COMPLETED; or it ends as
 * EXPIRED, REJECTED, CANCEL_REQUESTED → CANCELLED, or NO_SHOW (docs/domain.md 3). NO_SHOW and RETURNED can be
 * undone for rental.undo_window_s; what they lead to waits until then (undo.c). booking owns the calendar: whether a
 * car is free is decided here, in one write transaction, by the schema. Payment charges and refunds (payment_client.h),
 * never inside a transaction.
 */
#ifndef MP_BOOKING_H
#define MP_BOOKING_H

#include "domain/bookings.h"
#include "domain/stuck.h"
#include "domain/rental.h"
#include "lib/db/db.h"
#include "lib/event/event.h"

/* One of the cars of a booking, as it was when booked. */
struct booking_car { int64_t car_id; const char *car_name, *car_name_ko, *plate; };
extern const struct shape booking_car_shape;

/* A delivery, a collection or equipment booked with the car (extra.c). If it is not provided, its price is refunded;
 * the booking goes on. */
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
	/* booking_sum_up(): it ended because the booking did; and its part of the booking's refund */
	bool ended_with_booking;
	int64_t refund_share;
};
extern const struct shape booking_extra_shape;

/* Where the car is delivered, and collected. */
struct booking_delivery {
	const char *zone, *address, *place;
	int64_t window_from, window_to;
	bool collects;
};
extern const struct shape booking_delivery_shape;

/* A part of the price that a manager gave back; the booking stays as it is (part_refund.c). */
struct part_refund {
	int64_t refund_no, amount, asked_at, asked_by, refund_tries;
	const char *reason, *note;              /* reason: a code of refund_reason_words; note: to the customer */
	const char *asked_by_name, *last_error;
	int refund_state;                       /* enum refund_state */
};
extern const struct shape part_refund_shape;

struct booking {
	int64_t booking_id, customer_id, car_id, branch_id, card_id, charge_id;
	const char *code, *car_name, *car_name_ko, *plate, *body, *branch_name, *branch_name_ko, *currency, *end_reason;
	int state;                              /* enum booking_state */
	int64_t starts_at, ends_at;
	int64_t model_id;                       /* any car of this model was ordered; 0: a certain car */
	int64_t n_cars;                         /* 1 to 5; car_id, car_name and plate are those of the first */
	struct booking_car *cars, *more_cars;   /* all of them, and all but the first (model.c) */
	int n_all_cars, n_more_cars;
	int64_t amount, vat_amount;             /* smallest unit of currency, VAT included */
	int64_t held_at, hold_until, asked_at, paid_at, ended_at;
	/* which try to pay is next, under way or approved: charged under CODE, CODE-2 … (tries.c) */
	int64_t try_no, tries_left;             /* tries_left: this one and those after it */
	bool keeps_hold;                        /* a declined card leaves the hold */
	const char *asked_by;                   /* the process that waits for payment: proc_stamp() */
	const char *declined_reason;            /* HELD: payment's code for the last declined try; NULL: none */
	int refund_state;                       /* enum refund_state */
	int64_t refund_due, refunded_amount;
	int64_t kept_amount, kept_vat_amount;   /* booking_sum_up(): the price without all that was refunded; its VAT */
	const char *last_error;                 /* why the last try failed */
	int64_t ask_tries, refund_tries;        /* tries of the sweep: to get a lost answer, to get the refund */
	/* to be cancelled; delivery has not answered whether it can be */
	int64_t cancel_asked_at, cancel_asked_by, cancel_tries;
	int64_t cancel_full_before_s, cancel_grace_s, cancel_late_percent; /* the rule as it was booked */
	struct cancel_terms cancellation;       /* … as of now */
	int64_t terms_version;                  /* accepted (terms.h); 0: booked before there were any */
	int cancel_by;                          /* enum cancel_by: asked for, or done */
	const char *cancel_reason, *cancel_note; /* CANCEL_BY_FIRM: a code of firm_reason_words, and own words */
	int64_t compensation_due, compensation_tries;
	int compensation_state;                 /* enum refund_state: DONE when payment has the payout */
	struct booking_line *lines;
	int n_lines;
	struct booking_extra *extras;
	int n_extras;
	struct part_refund *refunds;
	int n_refunds;
	int64_t outside_amount;                 /* refunded in the provider's own dashboard */
	struct booking_delivery *delivery;      /* NULL: picked up at the branch */
	int64_t undo_until;     /* NO_SHOW, RETURNED: it can be undone before; 0: final */
	int64_t no_car_since; /* CONFIRMED, begun, and others have one of its cars: its start; 0: otherwise */
	int64_t taken_over_at; /* OUT: another booking has one of its cars since then, and no return is recorded */
	/* of an order refused because of one of its extras */
	struct refused_extra { int item_no; int64_t n_free; const char *label, *reason; } refused_extra;
};
extern const struct shape booking_shape;

#define EXTRA_ITEMS_MAX 10                      /* kinds of equipment in one booking */
#define EXTRA_PIECES_MAX 50                     /* … pieces of each */

/* What is to be booked. */
struct booking_order {
	int64_t customer_id, car_id, starts_at, ends_at;
	/* instead of car_id: so many cars of a model, at this branch; 0: where most are free */
	int64_t model_id, qty, branch_id;
	int64_t card_id; /* a saved card, charged at once; 0: to be paid on the provider's page during the hold */
	const char *request_key;                /* the client's idempotency key; "" or NULL: none */
	const char *request_hash;               /* of the request's body */
	bool is_form;                           /* request_key is a page's, which may be changed and sent again */
	bool keeps_hold;                        /* a declined card leaves the hold, and another one can be tried */
	/* the total that the customer has seen; it is charged, or nothing is. A program may leave it out */
	bool has_agreed;
	int64_t agreed_amount;
	/* the version of the terms that the customer has accepted; left out: those in force */
	bool has_terms;
	int64_t terms_version;
	struct {
		bool is_wanted, collects;
		const char *zone, *address, *place;
		int64_t window_from;            /* 0: when the rental starts */
	} delivery;
	struct { int64_t item_id, quantity; int no /* index in the form */; } items[EXTRA_ITEMS_MAX];
	int n_items;
};

enum booking_outcome {
	BOOKING_OK,
	BOOKING_AGAIN,          /* this key has made a booking before: *b */
	BOOKING_OWN,            /* the customer has booked or holds it then: *b is that booking */
	BOOKING_TAKEN,          /* the car is booked in that interval */
	BOOKING_PRICE_CHANGED,  /* the total is not o->agreed_amount but b->amount: nothing is charged or held */
	BOOKING_TERMS_CHANGED,  /* in force is not o->terms_version but b->terms_version: nothing is charged or held */
	BOOKING_FEWER_CARS,     /* fewer cars of the model are free in that interval than ordered */
	BOOKING_QUOTA,          /* the customer has rental.max_bookings_per_person open ones */
	BOOKING_HOLDS,          /* the customer holds rental.max_holds_per_person unpaid cars */
	BOOKING_DECLINED,       /* the card was declined: nothing is charged or held */
	BOOKING_DECLINED_HELD,  /* the card was declined: nothing is charged; *b is still held for another card */
	BOOKING_LATER,          /* payment is not available: nothing is charged or held; booking_later_s() */
	BOOKING_UNANSWERED,     /* payment did not answer in time: the hold is released, a charge is refunded */
	BOOKING_NO_CAR,         /* no such car or model, or it is not for rent */
	BOOKING_BAD_INTERVAL,   /* past, reversed, too long, too far ahead, not on a half hour: interval_problem() */
	BOOKING_BAD_CARD,       /* not a card of this customer */
	BOOKING_BAD_DELIVERY,   /* no such zone or window: delivery_problem() */
	BOOKING_NO_ITEM,        /* an item that is not offered: refused_extra */
	BOOKING_OUT_OF_STOCK,   /* fewer pieces are free: refused_extra says of what, and how many there are */
	BOOKING_NOT_APPROVED,   /* review has rejected the equipment: refused_extra; nothing is charged or held */
	BOOKING_REVIEW_LATER,   /* review must approve first and is not available: nothing is charged or held */
	BOOKING_KEY_REUSED,     /* the key came before with another body, which made *b */
	BOOKING_IN_PROGRESS,    /* the first request with this key is being processed */
};

/* What is wrong with the interval, as a translated sentence for *field (starts_at, ends_at); NULL: nothing. */
const char *interval_problem(int64_t starts_at, int64_t ends_at, int64_t now, const char **field);

/*
 * Books and pays in one step: the hold (quota, overlap and price in one transaction), the charge, PAID. With card_id 0
 * it stops at HELD, to be paid on the provider's page. Emits booking.held and booking.paid or booking.expired. *b is
 * filled for OK and AGAIN.
 */
enum booking_outcome booking_place(struct db *db, const struct booking_order *o, struct booking *b);

/* How a HELD booking is paid: with a saved card, or with what the provider's own page has prepared. */
struct booking_payment {
	int64_t card_id;
	const char *payment_key;                /* with card_id 0 */
	const char *card_token;                 /* … the card is to be saved once it has paid; NULL, "": no */
	int64_t try_no;                         /* the try that the customer saw; 0: the next one */
	const char *request_key;                /* the client's idempotency key; NULL, "": none */
};
/*
 * --- tries.c: pays for a HELD booking. OK, AGAIN, DECLINED, DECLINED_HELD, LATER, UNANSWERED, IN_PROGRESS, BAD_CARD,
 * KEY_REUSED, TAKEN (the hold is over). After LATER it may still be HELD, and the same call works again when payment is
 * available. The same try or key again charges nothing more; when the process that asked for it has ended, this one
 * asks in its place.
 */
enum booking_outcome booking_pay(struct db *db, struct booking *b, const struct booking_payment *p);
const char *booking_charge_key(struct arena *m, const struct booking *b);       /* of its current try */
int64_t booking_try_of_key(struct arena *m, const struct booking *b, const char *key);  /* 0: none of its tries */
int64_t booking_tries_left(const struct booking *b);

/* In how many seconds to try again: when calls to that program are let through again, as far as is known. */
enum booking_callee { CALLEE_PAYMENT, CALLEE_REVIEW, CALLEE_DELIVERY };
int booking_later_s(enum booking_callee callee);

/* customer_id 0: of any customer. false: no such booking of this customer. */
bool booking_find(struct db *db, const char *code, int64_t customer_id, struct booking *b);

/* The customer's own booking that is in the way of the order: of that car, or an unpaid hold of a car of that model. */
bool booking_find_own(struct db *db, const struct booking_order *o, struct booking *b);
bool booking_is_hold(const struct booking *b);          /* unpaid, and its customer can pay */
const char *own_booking_in_words(struct arena *m, const struct booking *own);

/* --- cancel.c --- */
enum cancel_outcome {
	CANCEL_DONE,
	CANCEL_PENDING,         /* under way: the refund (CANCEL_REQUESTED), or delivery's answer (cancel_asked_at) */
	CANCEL_SHIPPED,         /* too late: the courier has left with the car. Nothing changed */
	CANCEL_LATER,           /* delivery must agree first and is not available. Nothing changed */
	CANCEL_NOT_POSSIBLE,
};

/* What cancelling now would refund, and by which rule: full, grace, late, firm. false: it cannot be cancelled. */
struct cancel_preview {
	int64_t refund, fee, percent, compensation;
	int64_t gone;                   /* refunded, or to be refunded: for extras that ended, and in parts */
	const char *rule;
};
bool cancel_preview(const struct booking *b, int64_t now, struct cancel_preview *p);
/* What is refunded when it is not picked up: the firm keeps the late fee at most. */
void no_show_preview(const struct booking *b, struct cancel_preview *p);
/* HELD → EXPIRED; PAID or CONFIRMED → CANCEL_REQUESTED → CANCELLED with a refund, once delivery has confirmed that no
 * car is delivered (docs/domain.md 5). Cancelled before: CANCEL_DONE again. */
enum cancel_outcome booking_cancel(struct db *db, struct booking *b, int64_t actor_id, const char *reason);

/* --- firm.c: the firm cannot keep the booking: it is cancelled at any time before the car is handed over, and all is
 * refunded; beyond that the customer gets a compensation, as a payout (rental.firm_compensation_percent) --- */
#define FIRM_NOTE_MAX 500
struct firm_cancel {
	int64_t actor_id;                       /* 0: the sweep */
	const char *reason, *note;              /* a code of firm_reason_words; to the customer, in own words */
};
/* What the customer would get. false: it cannot be cancelled by the firm. */
bool firm_cancel_preview(const struct booking *b, struct cancel_preview *p);
enum cancel_outcome booking_cancel_by_firm(struct db *db, struct booking *b, const struct firm_cancel *f);
/* What such a booking is compensated with, by the settings. */
int64_t compensation_of(const struct booking *b);

/* --- part_refund.c: a manager gives back a part of the price; the booking stays as it is --- */
#define PART_NOTE_MAX 500
struct part_refund_order {
	int64_t actor_id, amount;
	const char *reason, *note;              /* a code of refund_reason_words; to the customer, in own words */
	const char *request_key;                /* the same again gives back once; "" or NULL: none */
};
enum part_refund_outcome {
	PART_REFUND_DONE,
	PART_REFUND_PENDING,                    /* payment has not made it; it is asked again until it is done */
	PART_REFUND_TOO_MUCH,                   /* more than what is left: part_refund_left() */
	PART_REFUND_WRONG_STATE,                /* it has not begun, or its own refund is under way */
	PART_REFUND_KEY_REUSED,                 /* the key came before with another refund */
};
/* What can still be given back; 0: nothing, or not in this state. */
int64_t part_refund_left(const struct booking *b);
enum part_refund_outcome booking_refund_part(struct db *db, struct booking *b, const struct part_refund_order *o);

/* --- kept.c: when a booking is shown, and after all that is done to it: kept_amount, kept_vat_amount, and what
 * became of its extras if the booking ended. Its extras are then a copy in m. */
void booking_sum_up(struct booking *b, struct arena *m);

/* --- handover.c: what a manager does at the counter. false: not in a state for that. */
/* on the way, or handed over and not reported yet */
bool booking_is_with_courier(struct db *db, const struct booking *b);
/* it is not being cancelled, and no courier has left with the car */
bool booking_is_at_counter(struct db *db, const struct booking *b);
/* CONFIRMED, at the counter, from the turnaround before its start until its end */
bool booking_may_hand_out(struct db *db, const struct booking *b);
/* CONFIRMED → OUT; a delivery that is no longer needed is refunded. Not while one of its cars is in use
 * (custody_in_use) or not in service (booking_car_gone) */
bool booking_hand_out(struct db *db, struct booking *b, int64_t actor_id);
/* OUT → RETURNED: the car is with staff from now on, and the next customer may have it at once. Completed when it can
 * no longer be undone: then the rest of its hours is free, from the return + turnaround */
bool booking_take_back(struct db *db, struct booking *b, int64_t actor_id);

/*
 * --- no_show.c: CONFIRMED → NO_SHOW, from rental.no_show_grace_s after the car was there for the customer, which is
 * the start, or later if fleet confirmed it later or another person had one of its cars until later. The sweep: actor
 * 0, rental.no_show_after_s. When it can no longer be undone it is final: the car is free, and all but the late fee is
 * refunded.
 */
bool booking_no_show(struct db *db, struct booking *b, int64_t actor_id);
enum no_show {
	NO_SHOW_MAY,
	NO_SHOW_TOO_EARLY,                      /* *from: when a manager may record it */
	NO_SHOW_CAR_AWAY,                       /* *other: another person still has one of its cars */
	NO_SHOW_NEVER_THERE,                    /* one of its cars came back only after its end */
	NO_SHOW_CAR_GONE,                       /* one of its cars is not in service */
	NO_SHOW_WRONG_STATE,
};
struct custody;
enum no_show booking_may_no_show(struct db *db, const struct booking *b, int64_t *from, struct custody *other);

/* --- undo.c: taking back that it was not picked up (NO_SHOW → CONFIRMED) or returned (RETURNED → OUT, with its cars in
 * the customer's custody as before) --- */
enum undo_outcome {
	UNDO_DONE,              /* as a question: it can be undone */
	UNDO_OVER,              /* b->undo_until has passed */
	UNDO_CAR_MOVED,         /* another custody of one of its cars began since: *since (plate "": not known) */
	UNDO_CAR_GONE,          /* a return: one of its cars was taken out of service since */
	UNDO_NOTHING,           /* the booking is in another state */
};
enum undo_outcome booking_may_undo(struct db *db, const struct booking *b, struct custody *since);
/* act: BOOKING_NO_SHOW or BOOKING_RETURNED, which is undone. Emits booking.no_show_undone or booking.return_undone. */
enum undo_outcome booking_undo(struct db *db, struct booking *b, enum booking_state act, int64_t actor_id,
	struct custody *since);
/* Those whose time has passed become final: booking.no_show_final, booking.completed. Answers how many. */
int booking_end_windows(struct db *db, int64_t now);
int64_t booking_next_window(struct db *db);     /* when the first of them ends; 0: there is none */

/* --- stuck.c: what has been pending for too long (domain/stuck.h). retry: now, whatever it is. resolve: close it
 * manually, once it is older than rental.stuck_after_s; the note is in the event. A second click is harmless. */
int booking_stuck_kind(const struct booking *b);        /* enum stuck_kind; -1: nothing is pending */
int64_t booking_stuck_since(const struct booking *b);
void booking_retry(struct db *db, struct booking *b, int64_t actor_id);
enum resolve_outcome booking_resolve(struct db *db, struct booking *b, enum stuck_resolution way, const char *note,
	int64_t actor_id);

/* --- extra.c: delivery and equipment that are booked with the car --- */

/* What is wrong with the delivery, as a translated sentence for *field (delivery.zone …); NULL: nothing. */
const char *delivery_problem(const struct booking_order *o, const char **field);
/* Adds the lines of the order's extras to b, which has those of the car: each one that can be had. Nothing is written.
 * OK, or why the first of the others can't be had. */
enum booking_outcome extra_quote(struct db *db, const struct booking_order *o, struct booking *b);

/* The items on offer, and how many pieces of each are free in the interval (0, 0: not counted). */
struct offered_item { int64_t item_id, daily_price, n_free; const char *name, *name_ko, *category; };
#define OFFERED_MAX 30
int items_offered(struct db *db, int64_t starts_at, int64_t ends_at, struct offered_item **items);

/* --- sweep.c: what is due; the relay calls it every second. Answers whether more is due. */
bool booking_sweep(struct db *db);

/* --- policy.c, events.c --- */
extern const struct consumer booking_consumer;
extern const struct db_role booking_role;

#endif
