/*
 * equipment 장비 - things lent beside cars: items, their pieces, and the orders that reserve them.
 *
 * There are two numbers. **Stock** is the sum of the ledger: pieces in store that no order has taken. It falls when an
 * order is approved, rises when its pieces come back, and is never below zero. **Free in an interval** (domain/stock.h)
 * is what can still be promised then. An order is accepted if enough pieces are free, decided in one write transaction;
 * so it may be accepted while all pieces are out, when they are due back before it starts. Such an order takes what is
 * in stock when it is approved, and the rest as pieces come back, the earliest start first. It is handed out with all
 * its pieces only; those it lacks then are taken from orders that start later.
 *
 *	item.c    items: add, change, offer or not        stock.c   the ledger of pieces, and which order takes them
 *	order.c   an order's row: write, find, list       place.c   accepting an order, after review if needed
 *	steps.c   approve, hand out, take back, end       events.c  what equipment reports
 *	policy.c  reactions to bookings and reviews
 */
#ifndef MP_EQUIPMENT_H
#define MP_EQUIPMENT_H

#include "domain/equipment_words.h"
#include "domain/stock.h"
#include "domain/rental.h"
#include "lib/db/db.h"
#include "lib/event/event.h"

#define ITEM_NAME_MAX  80
#define ITEM_PRICE_MAX 100000000
#define PIECES_MAX     100000           /* in one order, one delivery of new ones, one count */
#define NOTE_MAX       200

/* --- item.c ------------------------------------------------------------------------------------------------------- */

struct item {
	int64_t item_id;
	const char *name, *name_ko, *category;          /* category: rental.equipment_categories */
	int64_t daily_price;                            /* for a piece and a started day, VAT included */
	int64_t low_stock;                              /* at this many and below managers are notified; 0: never */
	bool is_low, is_offered, is_sync;               /* sync: an order waits for review's answer */
	int64_t stock, owned, n_out; /* pieces in stock; those and the ones that orders have; handed out now */
	int64_t free_now, free_today;                   /* at this moment; in all of what is left of today */
	int64_t created_at, updated_at;
	const char *label, *category_label;             /* in the reader's language */
	const char *version;                            /* of what a person changes */
};
extern const struct shape item_shape;                   /* for pages */
extern const struct shape item_json_shape;

enum item_outcome {
	ITEM_OK,
	ITEM_GONE,
	ITEM_NAME_TAKEN,
	ITEM_CHANGED,           /* by another user since the version was read */
};

bool item_find(struct db *db, int64_t item_id, struct item *item);
int64_t item_count(struct db *db);
/* Offered ones first, by category and name. */
int item_list(struct db *db, int64_t offset, int64_t limit, struct item **items, int *n);
int item_list_offered(struct db *db, struct item **items, int *n);
/* A new item with so many pieces (equipment.registered, stock.changed). The same again, as by a double click: OK, the
 * one that is there. */
enum item_outcome item_add(struct db *db, struct item *item, int64_t n_pieces, int64_t actor_id);
/* equipment.modified; version NULL: whatever it is now. Orders keep the price they were accepted at. */
enum item_outcome item_change(struct db *db, struct item *item, int64_t actor_id);
/* false: no new orders */
enum item_outcome item_offer(struct db *db, int64_t item_id, bool is_offered, int64_t actor_id);

/* How many pieces are free on each of the coming days, at the day's worst moment. */
#define FREE_DAYS 14
struct free_day {
	int64_t starts_at, n_free, n_owned;
	bool is_today, is_weekend, is_none, is_some, is_all;
	const char *day;
};
extern const struct shape free_day_shape;
void item_free_days(struct db *db, const struct item *item, int64_t now, struct free_day *days); /* FREE_DAYS of them */

/* --- stock.c: the ledger ------------------------------------------------------------------------------------------ */

struct stock_entry {
	int64_t entry_id, item_id, quantity, balance, entered_at;
	int kind;                                       /* enum stock_kind */
	int64_t order_id;                               /* 0: none */
	const char *order_code, *note, *actor_name;     /* actor_name "": automatic */
};
extern const struct shape stock_entry_shape;

int64_t stock_n_entries(struct db *db, int64_t item_id);
/* Newest first; of an item, of an order. */
int stock_entries(struct db *db, int64_t item_id, int64_t offset, int64_t limit, struct stock_entry **entries, int *n);
int stock_entries_of(struct db *db, int64_t order_id, struct stock_entry **entries, int *n);

/* What a manager enters: pieces received, lost or broken ones, or how the count differs. */
struct stock_change {
	int64_t item_id, actor_id;
	int kind; /* STOCK_RECEIVE, STOCK_LOSS: how many; STOCK_ADJUST: the difference, signed */
	int64_t quantity;
	const char *note, *request_key;                 /* the form's key, against double clicks */
};
enum stock_change_outcome {
	STOCK_CHANGE_DONE,
	STOCK_CHANGE_NO_ITEM,
	STOCK_CHANGE_TOO_FEW,   /* fewer are in stock: nothing was written */
};
enum stock_change_outcome stock_change(struct db *db, const struct stock_change *c);

/* --- order.c: an order -------------------------------------------------------------------------------------------- */

struct equipment_order {
	int64_t order_id, customer_id, item_id, line_no, quantity, starts_at, ends_at, daily_price, amount;
	const char *code, *booking_code, *item_name, *item_name_ko, *category, *currency;
	int state;                                      /* enum equipment_state */
	int64_t taken, lost;                            /* pieces it has out of the stock; that did not come back */
	const char *end_reason;
	int64_t ordered_at, approved_at, handed_out_at, returned_at, ended_at;
	int64_t asked_at; /* since when review is being asked: no event has reported it yet; 0: reported */
	const char *label, *customer_name;              /* label: the item in the reader's language */
	bool is_late, lacks; /* overdue; approved, but other orders still have some of its pieces */
};
extern const struct shape equipment_order_shape;        /* for pages */
extern const struct shape equipment_order_json_shape;

/* customer_id 0: anyone's. */
bool equipment_find(struct db *db, int64_t order_id, int64_t customer_id, struct equipment_order *o);
bool equipment_find_code(struct db *db, const char *code, int64_t customer_id, struct equipment_order *o);

enum orders_view { ORDERS_ALL, ORDERS_HAND_OUT, ORDERS_DUE, ORDERS_LATE, ORDERS_OUT, ORDERS_WAITING };
extern const struct words orders_view_words;
struct orders_query {
	int view, state;                                /* state -1: any */
	int64_t customer_id, item_id;                   /* 0: any */
	const char *text;                               /* part of a code, an item, a name or e-mail; "" for all */
	int64_t today, tomorrow, now;
};
int64_t orders_count(struct db *db, const struct orders_query *q);
int orders_list(struct db *db, const struct orders_query *q, int64_t offset, int64_t limit,
	struct equipment_order **orders, int *n);
/* An item's live orders, by start. */
int item_orders(struct db *db, int64_t item_id, int limit, struct equipment_order **orders, int *n);

/* --- place.c: accepting an order ---------------------------------------------------------------------------------- */

enum order_outcome {
	ORDER_OK,               /* ORDERED, or APPROVED when review has approved it already */
	ORDER_AGAIN,            /* the same request was accepted before */
	ORDER_KEY_REUSED,       /* … with another body */
	ORDER_IN_PROGRESS,      /* … and review has not answered it yet */
	ORDER_BAD_INTERVAL,     /* order_interval_problem() has the reason */
	ORDER_NO_ITEM,          /* there is no such item, or it is not offered */
	ORDER_OUT_OF_STOCK,     /* fewer are free then: n_free */
	ORDER_REFUSED,          /* review has rejected it: end_reason */
	ORDER_LATER,            /* review cannot be asked: nothing was ordered, and the key may be used again */
};

struct equipment_request {
	int64_t customer_id, item_id, quantity, starts_at, ends_at;
	const char *request_key, *request_hash;         /* the client's idempotency key, and the hash of its body */
};

/* What is wrong with such an interval (a translated sentence) and in which field; NULL: nothing. */
const char *order_interval_problem(int64_t starts_at, int64_t ends_at, int64_t now, const char **field);

/*
 * An order without a car; nothing is charged. Where review is asked first (sync), the row is written, review called,
 * and its answer decides; otherwise the order is ORDERED and review reacts to equipment.ordered.
 */
enum order_outcome equipment_place(struct db *db, const struct equipment_request *q, struct equipment_order *o,
	int64_t *n_free);
int equipment_later_s(void); /* seconds until a retry makes sense, for the two LATER outcomes */

/* --- steps.c ------------------------------------------------------------------------------------------------------ */

enum order_cancel_outcome {
	ORDER_CANCEL_DONE,              /* CANCELLED, now or before; its pieces are back */
	ORDER_CANCEL_NOT_POSSIBLE,      /* handed out or on its way, ended otherwise, or its booking has begun */
	ORDER_CANCEL_LATER, /* review must close its case first and cannot be reached: nothing has changed */
};
/* A customer's own: with a booking until that begins or a courier has left with it. A manager: until it is handed
 * out. */
bool equipment_may_cancel(struct db *db, const struct equipment_order *o, int64_t now, bool is_manager);
enum order_cancel_outcome equipment_cancel(struct db *db, struct equipment_order *o, int64_t actor_id, bool is_manager);

bool equipment_car_is_out(struct db *db, const struct equipment_order *o);      /* true also without a booking */
/* false: not APPROVED, its time is over, its car is not out, or too few pieces are in stock or only promised to others
 * before it starts. */
bool equipment_hand_out(struct db *db, struct equipment_order *o, int64_t causation_id, int64_t actor_id);
/* false: not HANDED_OUT, or more lost than it had. */
bool equipment_take_back(struct db *db, struct equipment_order *o, int64_t lost, int64_t causation_id,
	int64_t actor_id);

/* --- events.c, policy.c ------------------------------------------------------------------------------------------- */

extern const struct db_role equipment_role;
extern const struct consumer equipment_consumer;

#endif
