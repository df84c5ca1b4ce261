/*
 * mypage - what people look at: a customer's bookings with their progress, and every car with its booking and payment.
 *
 * Only read models, in a database file of their own (db/view.sql) that is made from the event log alone. So the pages
 * work while every other program is down, and the file can be deleted and replayed. They may be a moment behind: every
 * page shows how far. The names of couriers and receivers are not in events; they are read from v_user and v_delivery
 * when a booking is shown.
 *
 *	words.c    codes and their words            booking.c  a customer's bookings
 *	progress.c how far a booking is             extras.c   deliveries, equipment, messages
 *	consumer.c mypage as a consumer of events   cars.c     the managers' car screen
 *	replay.c   making all rows again            compare.c  do the rows equal a replay's?
 *	policy.c, policy_extras.c, reactions.c      one reaction for each event, which changes the row it is about
 */
#ifndef MP_MYPAGE_H
#define MP_MYPAGE_H

#include "lib/db/db.h"
#include "lib/event/event.h"
#include "domain/bookings.h"
#include "domain/cars.h"
#include "domain/equipment_words.h"
#include "domain/event_words.h"

/* --- words.c ------------------------------------------------------------------------------------------------------ */

enum my_payment { MY_PAYMENT_NONE, MY_PAYMENT_APPROVED, MY_PAYMENT_FAILED, MY_PAYMENT_REFUND_DUE, MY_PAYMENT_REFUNDED };
enum my_delivery_state {
	MY_DELIVERY_REQUESTED, MY_DELIVERY_SCHEDULED, MY_DELIVERY_SHIPPED, MY_DELIVERY_DELIVERED, MY_DELIVERY_CANCELLED,
};
enum my_direction { MY_DIRECTION_DELIVERY, MY_DIRECTION_COLLECTION };
enum my_message_state { MY_MESSAGE_SENT, MY_MESSAGE_DEAD };
/* The tabs of the list; "none" (not completed) is shown under "all" only. */
enum my_tab { MY_TAB_UPCOMING, MY_TAB_PAST, MY_TAB_CANCELLED, MY_TAB_ALL, MY_TAB_NONE, N_MY_TABS };
extern const struct words my_payment_words, my_delivery_words, my_direction_words, my_message_words, my_tab_words;

const char *my_code_in_words(const char *code); /* why it ended: a translated sentence; "" for a code without words */
const char *my_reason_in_words(const char *reason);     /* the same; what a person typed comes back as it is */
/* What a message is about, in the words of its event (event_words or customer_event_words); the kind itself when there
 * are none. */
const char *my_message_in_words(const char *kind, const struct words *words);

/* --- extras.c: what goes with a booking --------------------------------------------------------------------------- */

struct my_delivery {
	int64_t delivery_id, window_from, window_to, odometer_km, fuel_percent, requested_at, scheduled_at, shipped_at,
		delivered_at, ended_at;
	int direction, state;                   /* enum my_direction, my_delivery_state */
	const char *zone, *courier_name, *received_by, *reason, *ended_by;
};
extern const struct shape my_delivery_shape;

struct my_order {
	const char *order_code, *booking_code, *item_name, *item_name_ko, *category, *currency, *reason, *ended_by;
	int state;                              /* enum equipment_state */
	int64_t line_no, item_id, quantity, starts_at, ends_at, amount, lost, ordered_at, approved_at, handed_out_at,
		returned_at, ended_at;
};
extern const struct shape my_order_shape;

struct my_message {
	int64_t message_id, tries, updated_at;
	const char *kind, *channel;             /* booking_confirmed … · email, folder, inbox */
	int state;                              /* enum my_message_state */
};
extern const struct shape my_message_shape;

/* in the order they were requested */
int my_deliveries(struct db *db, const char *code, struct my_delivery **deliveries);
int my_orders(struct db *db, const char *code, struct my_order **orders); /* a booking's, by price line */
/* Messages to its customer, newest first. */
int my_messages(struct db *db, const char *about, int64_t recipient_id, int64_t limit, struct my_message **messages);

/* Equipment ordered without a car; the latest start first. */
int64_t my_orders_alone_count(struct db *db, int64_t customer_id);
int my_orders_alone(struct db *db, int64_t customer_id, int64_t offset, int64_t limit, struct my_order **orders);

/* --- booking.c: a customer's bookings ----------------------------------------------------------------------------- */

struct my_event {
	int type;                               /* customer_event_words; -1: not in it */
	int64_t event_id, occurred_at, amount;
	const char *reason;                     /* a code, what a person typed, or "" */
	const char *label, *label_ko;           /* an item, a courier; or "" */
};

/* A price line; an extra that ended has the time, the reason and its refund. */
struct my_line {
	int rule;                               /* price_rule_words; -1: one without words */
	const char *unit, *label, *label_ko, *end_reason;
	int64_t line_no, version, quantity, unit_amount, amount, ended_at, refund_due, refunded_amount;
};

/* The second and further cars of a booking of several. */
struct my_car { int64_t car_id; const char *car_name, *car_name_ko, *plate; };

struct my_booking {
	const char *code, *car_name, *car_name_ko, *plate, *branch_name, *branch_name_ko, *currency, *brand, *last4,
		*end_reason;
	int state, payment_state, body;         /* enum booking_state, enum my_payment, enum body */
	int64_t car_id, branch_id, starts_at, ends_at, amount, vat_amount, hold_until, refund_due, refunded_amount;
	int64_t held_at, charged_at, paid_at, confirmed_at, out_at, returned_at, completed_at, ended_at, undo_until,
		refunded_at, updated_at;
	int64_t n_cars, n_equipment;            /* n_equipment: pieces that were not rejected or cancelled */
	bool is_brought;                        /* delivered to the customer, as far as known */
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
extern const struct shape my_booking_shape, my_listed_shape;    /* with all its members; with those of the list */

void my_count(struct db *db, int64_t customer_id, int64_t n[N_MY_TABS]);        /* bookings under each tab */
/* One page of a tab: upcoming ones by start, others with the latest start first. */
int my_list(struct db *db, int64_t customer_id, enum my_tab tab, int64_t offset, int64_t limit,
	struct my_booking **bookings);

enum my_found {
	MY_FOUND,
	MY_PREPARING,           /* booked by this customer, but the event has not been handled here yet */
	MY_UNKNOWN,             /* this customer has no such booking */
};
enum my_found my_find(struct db *db, const char *code, int64_t customer_id, struct my_booking *b);

/* --- progress.c: how far a booking is ----------------------------------------------------------------------------- */

enum my_step {
	MY_STEP_BOOKED, MY_STEP_PAID, MY_STEP_CONFIRMED, MY_STEP_OUT, MY_STEP_RETURNED, MY_STEP_COMPLETED,
	MY_STEP_EXPIRED, MY_STEP_CANCELLED, MY_STEP_REJECTED, MY_STEP_NO_SHOW, MY_STEP_REFUND,
	MY_STEP_DELIVERY_REQUESTED, MY_STEP_COURIER_ASSIGNED, MY_STEP_COURIER_ON_THE_WAY, MY_STEP_DELIVERED,
	MY_STEP_COLLECTED,
	MY_STEP_DELIVERY_CANCELLED,
};
extern const struct words my_step_words;
const char *my_step_to_do(const struct my_booking *b, int step);        /* the words of the step that is due now */
enum my_mark { MARK_DONE, MARK_NOW, MARK_TODO, MARK_BAD };
extern const struct words my_mark_words;

#define MY_MAX_STEPS 8
struct my_progress {
	struct my_progress_step { int step, mark; int64_t at; } step[MY_MAX_STEPS];
	int n_steps;
	bool is_moving;         /* a step happens by itself within moments: the page reloads */
};
void my_progress(const struct my_booking *b, struct my_progress *p);
void my_delivery_progress(const struct my_delivery *d, struct my_progress *p);

/* --- cars.c: the car screen --------------------------------------------------------------------------------------- */

struct view_booking {
	const char *code;
	int state;                              /* booking_state_words */
	int64_t starts_at, ends_at;
};
struct view_payment { int state; };             /* my_payment_words */
struct view_delivery { int direction, state; int64_t window_from; };    /* the newest of its booking */
struct view_message { const char *kind; int state; };                   /* the last one to its customer */

struct view_car {
	int64_t car_id, branch_id;
	const char *plate, *name, *name_ko, *branch_name, *branch_name_ko;
	int body;                               /* enum body */
	int status;                             /* car_status_words: what is true now */
	struct view_booking *booking;           /* the running one, else the next; NULL: none */
	struct view_payment *payment;           /* its payment */
	struct view_delivery *delivery;         /* NULL: none */
	int64_t n_equipment;                    /* pieces that go with it */
	struct view_message *message;           /* NULL: none */
};
extern const struct shape view_car_shape;

enum view_order { VIEW_BY_PLATE, VIEW_BY_NAME, VIEW_BY_BRANCH, VIEW_BY_STATUS, VIEW_BY_BOOKING, VIEW_BY_NAME_KO };
struct view_query {
	const char *text; /* part of a plate, a name in either language or a booking's code; "": all */
	int status;                             /* -1: all */
	int64_t branch_id;                      /* 0: all */
	enum view_order order;
	bool down;
	int64_t now, offset, limit;
};

/* How many cars have each status (car_status_words), whatever status is asked for. Answers how many the query finds. */
int64_t view_count(struct db *db, const struct view_query *q, int64_t n[4]);
int view_list(struct db *db, const struct view_query *q, struct view_car **cars);

struct view_branch { int64_t branch_id; const char *branch_name, *branch_name_ko; };
int view_branches(struct db *db, struct view_branch **branches);

/* --- policy.c, consumer.c ----------------------------------------------------------------------------------------- */

extern const struct db_role mypage_role;
extern const struct policy mypage_policies[];
extern const struct consumer mypage_consumer;

struct my_fresh {
	int64_t n_behind;                       /* events not handled yet */
	int64_t as_of;                          /* the rows are as they were then */
};
void my_fresh(struct db *db, int64_t now, struct my_fresh *f);

/* --- replay.c: making the rows again ------------------------------------------------------------------------------ */

typedef void view_progress_fn(void *arg, int64_t done, int64_t total);

/*
 * Makes all rows again from the log, in one transaction: readers see the old rows until all new ones are there. Makes
 * the file first when it is missing (from db/view.sql below root_dir). Answers the number of events read; -1: *why is
 * the error.
 */
int64_t view_replay(const char *root_dir, const char *var_dir, view_progress_fn *progress, void *arg, const char **why);

/* The same on a connection that is open already. */
int64_t view_remake(struct db *db);

/* The read models are further than the log, or took an event that the log no longer has: the log was taken back (a
 * restore, a power cut). Only a replay helps. */
bool view_is_ahead(struct db *db);

/* --- compare.c: does the file hold what a replay would make? ------------------------------------------------------ */

struct view_comparison {
	int64_t n_events, n_rows, n_different;
	char first[200];                        /* the first difference */
};
bool view_compare(const char *root_dir, const char *var_dir, view_progress_fn *progress, void *arg,
                  struct view_comparison *c, const char **why);

/*
 * The same against a replay of another copy of the log: a restored backup's. That copy ends somewhere in the past, so
 * while the file is locked more() is called to add to the copy what the real log has up to event upto.
 */
struct view_log {
	const char *var_dir;                    /* where the copy is */
	bool (*more)(void *arg, int64_t upto, const char **why);
	void *arg;
};
bool view_compare_log(const char *root_dir, const char *var_dir, const struct view_log *log, struct view_comparison *c,
	const char **why);

#endif
