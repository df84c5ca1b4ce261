/*
 * mypage - what people look at: a customer's bookings with their progress, and every car with its booking and payment.
 *
 * Read models only, in a database file of their own (db/view.sql) that is made from the event log and from nothing else.
 * So the pages go on when every other program is down, and the file can be thrown away and replayed. The price is that they
 * may be a moment behind: every page says how fresh it is.
 */
#ifndef MP_MYPAGE_H
#define MP_MYPAGE_H

#include "lib/db/db.h"
#include "lib/event/event.h"
#include "domain/bookings.h"
#include "domain/cars.h"
#include "domain/event_words.h"

/* What the customer's money has done. */
enum my_payment { PAYMENT_NONE, PAYMENT_APPROVED, PAYMENT_FAILED, PAYMENT_GOING_BACK, PAYMENT_BACK };
extern const struct words my_payment_words;

const char *my_reason_in_words(const char *code);       /* a translated sentence; "" for codes nobody has words for */

struct my_event {
	int type;                               /* customer_event_words; -1: not in it */
	int64_t event_id, occurred_at, amount;
	const char *reason;                     /* a code, a person's words, or "" */
	const char *label, *label_ko;           /* what it happened to: an item, a courier; or "" */
};
extern const struct shape my_event_shape;

/* A reason as people read it: a code in words, a person's as it was written, "" for a code nobody has words for. */
const char *my_reason_said(const char *reason);

/* A price line; an extra that will not be had says since when, why, and what becomes of its money. */
struct my_line {
	int rule;                               /* price_rule_words; -1: one we have no words for */
	const char *unit, *label, *label_ko, *end_reason;
	int64_t line_no, version, quantity, unit_amount, amount, ended_at, refund_due, refunded_amount;
};
extern const struct shape my_line_shape;

/* The second and further cars of a booking of several. */
struct my_car { int64_t car_id; const char *car_name, *car_name_ko, *plate; };
extern const struct shape my_car_shape;

/* --- what goes with a booking (desks.c) --- */

enum my_trip { TRIP_REQUESTED, TRIP_SCHEDULED, TRIP_SHIPPED, TRIP_DELIVERED, TRIP_CANCELLED };
enum my_direction { TRIP_TO_CUSTOMER, TRIP_FROM_CUSTOMER };
extern const struct words my_trip_words, my_direction_words;

struct my_delivery {
	int64_t delivery_id, window_from, window_to, odometer_km, fuel_percent, requested_at, scheduled_at, shipped_at, delivered_at, ended_at;
	int direction, state;                   /* enum my_direction, my_trip */
	const char *zone, *courier_name, *received_by, *reason, *ended_by;
};
extern const struct shape my_delivery_shape;

enum my_order_state { ORDER_ORDERED, ORDER_APPROVED, ORDER_HANDED_OUT, ORDER_RETURNED, ORDER_REJECTED, ORDER_CANCELLED };
extern const struct words my_order_words;

struct my_order {
	const char *order_code, *booking_code, *item_name, *item_name_ko, *category, *currency, *reason, *ended_by;
	int state;                              /* enum my_order_state */
	int64_t line_no, item_id, quantity, starts_at, ends_at, amount, lost, ordered_at, approved_at, handed_out_at, returned_at, ended_at;
};
extern const struct shape my_order_shape;

enum my_letter { LETTER_SENT, LETTER_DEAD };
extern const struct words my_message_words;

struct my_message {
	int64_t message_id, tries, updated_at;
	const char *kind, *channel;             /* booking_confirmed … · email, folder, inbox */
	int state;                              /* enum my_letter */
};
extern const struct shape my_message_shape;
/* What it told, translated, in the words of its event (event_words or customer_event_words); the kind itself when there are none. */
const char *my_message_in_words(const char *kind, const struct words *words);

int my_deliveries(struct db *db, const char *code, struct my_delivery **deliveries);            /* as they were asked for */
int my_orders(struct db *db, const char *code, struct my_order **orders);                       /* a booking's, by price line */
/* What its customer was told, newest first. */
int my_messages(struct db *db, const char *about, int64_t recipient_id, int64_t limit, struct my_message **messages);

/* Equipment ordered without a car, what begins last first. */
int64_t my_orders_alone_count(struct db *db, int64_t customer_id);
int my_orders_alone(struct db *db, int64_t customer_id, int64_t offset, int64_t limit, struct my_order **orders);

struct my_booking {
	const char *code, *car_name, *car_name_ko, *plate, *branch_name, *branch_name_ko, *currency, *brand, *last4, *end_reason;
	int state, payment_state, body;         /* enum booking_state, enum my_payment, enum body */
	int64_t car_id, branch_id, starts_at, ends_at, amount, vat_amount, hold_until, refund_due, refunded_amount;
	int64_t held_at, charged_at, paid_at, confirmed_at, out_at, returned_at, completed_at, ended_at, refunded_at, updated_at;
	int64_t n_cars, n_equipment;            /* n_equipment: pieces that were not refused or given up */
	bool is_brought;                        /* to the customer, as far as we know */
	struct my_line *lines;
	int n_lines;
	struct my_car *cars;                    /* the second and further ones */
	struct my_delivery *deliveries;
	struct my_order *orders;
	struct my_message *messages;            /* the last ones */
	int n_further, n_deliveries, n_orders, n_messages;
	struct my_event *events;                /* newest first */
	int n_events;
};
extern const struct shape my_booking_shape;     /* as it stands in the tables */

/* --- my bookings --- */

enum my_shelf { SHELF_UPCOMING, SHELF_PAST, SHELF_CANCELLED, SHELF_NONE, SHELF_ALL };
extern const struct words my_shelf_words;       /* the tabs; SHELF_NONE (not completed) has none of its own */

/* How many bookings stand on each shelf; SHELF_ALL is their sum. */
void my_count(struct db *db, int64_t customer_id, int64_t n[SHELF_ALL + 1]);
/* One page of a shelf: what comes next first, what is over newest first. */
int my_list(struct db *db, int64_t customer_id, enum my_shelf shelf, int64_t offset, int64_t limit, struct my_booking **bookings);

enum my_found {
	MY_FOUND,
	MY_PREPARING,           /* booked by this customer, but the news has not arrived here yet */
	MY_UNKNOWN,             /* no such booking of this customer's */
};
enum my_found my_find(struct db *db, const char *code, int64_t customer_id, struct my_booking *b);

/* --- how far a booking has come --- */

enum my_step {
	STEP_BOOKED, STEP_PAID, STEP_CONFIRMED, STEP_OUT, STEP_RETURNED, STEP_COMPLETED,
	STEP_EXPIRED, STEP_CANCELLED, STEP_REJECTED, STEP_NO_SHOW, STEP_REFUND,
	STEP_TRIP_ASKED, STEP_TRIP_COURIER, STEP_TRIP_UNDER_WAY, STEP_TRIP_BROUGHT, STEP_TRIP_FETCHED, STEP_TRIP_CANCELLED,
};
extern const struct words my_step_words;
const char *my_step_to_do(const struct my_booking *b, int step);        /* the words of the step that is due now */
enum my_mark { MARK_DONE, MARK_NOW, MARK_TODO, MARK_BAD };
extern const struct words my_mark_words;

#define MY_MAX_STEPS 8
struct my_progress {
	struct my_progress_step { int step, mark; int64_t at; } step[MY_MAX_STEPS];
	int n_steps;
	bool is_moving;         /* something is about to happen by itself: worth looking again in a moment */
};
extern const struct shape my_progress_step_shape;
void my_progress(const struct my_booking *b, struct my_progress *p);
/* How far a courier's trip has come. */
void my_trip_progress(const struct my_delivery *d, struct my_progress *p);

/* --- the car screen --- */

struct view_booking {
	const char *code;
	int state;                              /* booking_state_words */
	int64_t starts_at, ends_at;
};
struct view_payment { int state; };             /* my_payment_words */
struct view_delivery { int direction, state; int64_t window_from; };    /* the newest of its booking */
struct view_message { const char *kind; int state; };                   /* the last one its customer was sent */
extern const struct shape view_booking_shape, view_payment_shape, view_delivery_shape, view_message_shape;

struct view_car {
	int64_t car_id, branch_id;
	const char *plate, *name, *name_ko, *branch_name, *branch_name_ko;
	int body;                               /* enum body */
	int status;                             /* car_status_words: what is true now */
	struct view_booking *booking;           /* the one that runs, else the next; NULL: none is coming */
	struct view_payment *payment;           /* its payment */
	struct view_delivery *delivery;         /* NULL: it is not brought */
	int64_t n_equipment;                    /* pieces that go with it */
	struct view_message *message;           /* NULL: none was sent */
};
extern const struct shape view_car_shape;

enum view_order { ORDER_PLATE, ORDER_NAME, ORDER_BRANCH, ORDER_STATUS, ORDER_BOOKING, ORDER_NAME_KO };
struct view_query {
	const char *text;                       /* part of a plate, a name in either language or a booking's code; "": all */
	int status;                             /* -1: all */
	int64_t branch_id;                      /* 0: all */
	enum view_order order;
	bool down;
	int64_t now, offset, limit;
};

/* How many cars there are of each status (car_status_words), whatever status is asked for. Answers how many the query finds. */
int64_t view_count(struct db *db, const struct view_query *q, int64_t n[4]);
int view_list(struct db *db, const struct view_query *q, struct view_car **cars);

struct view_branch { int64_t branch_id; const char *branch_name, *branch_name_ko; };
int view_branches(struct db *db, struct view_branch **branches);

/* --- how fresh all this is --- */

struct my_fresh {
	int64_t n_behind;                       /* events that have not arrived here */
	int64_t as_of;                          /* what is shown was true then */
};
void my_fresh(struct db *db, int64_t now, struct my_fresh *f);

/* --- policy.c: how the rows are made --- */

extern const struct db_role mypage_role;
extern const struct consumer mypage_consumer;

/* --- replay.c: making them again --- */

typedef void view_progress_fn(void *arg, int64_t done, int64_t total);

/*
 * Makes all rows again from the log, in one transaction: readers see the old rows until the new ones are all there. Makes the
 * file first when it is missing (from db/view.sql below root_dir). Answers the events read, -1: *why says what went wrong.
 */
int64_t view_replay(const char *root_dir, const char *var_dir, view_progress_fn *progress, void *arg, const char **why);

/* The same on a connection that is open already. */
int64_t view_remake(struct db *db);

/* Does the file hold what a replay would make? */
struct view_comparison {
	int64_t n_events, n_rows, n_different;
	char first[200];                        /* where the first difference is */
};
bool view_compare(const char *root_dir, const char *var_dir, view_progress_fn *progress, void *arg,
                  struct view_comparison *c, const char **why);

/*
 * … and what a replay of another copy of the log would make: a restored backup's. That copy ends somewhere in the past, so while the
 * file is held still more() is asked to add to it what the real log has up to there.
 */
struct view_log {
	const char *var_dir;                    /* where the copy is */
	bool (*more)(void *arg, int64_t upto, const char **why);
	void *arg;
};
bool view_compare_log(const char *root_dir, const char *var_dir, const struct view_log *log, struct view_comparison *c, const char **why);

/* The read model has gone further than the log, or took what the log no longer has: the log was taken back (a restore, a power
 * cut). Only a replay helps. */
bool view_is_ahead(struct db *db);

#endif
