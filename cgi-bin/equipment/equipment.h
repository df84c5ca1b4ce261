/*
 * equipment 장비 - things lent beside cars: what there is, how many pieces, who has them and who will.
 *
 * Two numbers, both true. **Stock** is the sum of the ledger: pieces in the house that nobody has a right to. It falls when an order
 * is approved and rises when its pieces come back; it is never below zero. **Free in an interval** (../stock.h) is what can still
 * be promised there. An order is taken iff so many are free, decided in one write transaction; so it may be promised while
 * all pieces are out, since they come back before. Such an order takes what there is when it is approved, and the rest as pieces come,
 * whoever starts first before the others. Handed out is only what has all its pieces: what it lacks then, it gets from orders that begin later.
 *
 *	item.c    what there is: add, change, offer or not        stock.c    the ledger: every piece that came or went, and why
 *	order.c   an order: place, find, list                     steps.c    what becomes of it: approved … returned, cancelled
 *	                                                          policy.c   what equipment does when others report something, what it says
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

/* --- item.c: what there is ------------------------------------------------------------------------------------------- */

struct item {
	int64_t item_id;
	const char *name, *name_ko, *category;          /* category: rental.equipment_categories */
	int64_t daily_price;                            /* for a piece and a started day, VAT included */
	int64_t low_stock;                              /* at this many and below managers are told; 0: never */
	bool is_low, is_offered, is_sync;               /* sync: an order waits for review's answer */
	int64_t stock, owned, n_out;                    /* pieces in the stock; with those that orders have; handed out now */
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
	ITEM_CHANGED,           /* somebody has changed it since the version was read */
};

bool item_find(struct db *db, int64_t item_id, struct item *item);
int64_t item_count(struct db *db);
int item_list(struct db *db, int64_t offset, int64_t limit, struct item **items, int *n);      /* offered ones first, by category and name */
int item_list_offered(struct db *db, struct item **items, int *n);                             /* for a choice: without counts */
/* A new kind of thing, with so many pieces (equipment.registered, stock.changed). The same again, as by a second click: OK, the one that is there. */
enum item_outcome item_add(struct db *db, struct item *item, int64_t n_pieces, int64_t actor_id);
/* Makes it what *item says (equipment.modified); version NULL: whatever it is now. Orders keep the price they were taken at. */
enum item_outcome item_change(struct db *db, struct item *item, int64_t actor_id);
enum item_outcome item_offer(struct db *db, int64_t item_id, bool is_offered, int64_t actor_id);       /* false: takes no new orders */

/* How many pieces are free on each of the coming days, at the day's worst moment. */
#define FREE_DAYS 14
struct free_day { int64_t starts_at, n_free, n_owned; bool is_today, is_weekend, is_none, is_some, is_all; const char *day; };
extern const struct shape free_day_shape;
void item_free_days(struct db *db, const struct item *item, int64_t now, struct free_day *days);       /* FREE_DAYS of them */

/* --- stock.c: the ledger ------------------------------------------------------------------------------------------------ */

struct stock_entry {
	int64_t entry_id, item_id, quantity, balance, entered_at;
	int kind;                                       /* enum stock_kind */
	int64_t order_id;                               /* 0: none */
	const char *order_code, *note, *actor_name;     /* actor_name "": by itself */
};
extern const struct shape stock_entry_shape;

int64_t stock_n_entries(struct db *db, int64_t item_id);
int stock_entries(struct db *db, int64_t item_id, int64_t offset, int64_t limit, struct stock_entry **entries, int *n);        /* newest first */
int stock_entries_of(struct db *db, int64_t order_id, struct stock_entry **entries, int *n);   /* one order's, newest first */

/* What a manager writes down: pieces received, lost or broken ones, or how many there are when they are counted. */
struct stock_deed {
	int64_t item_id, actor_id;
	int kind;                                       /* STOCK_RECEIVE, STOCK_LOSS: how many; STOCK_ADJUST: how many more or fewer (below 0) */
	int64_t quantity;
	const char *note, *request_key;                 /* the form's key: the second of two clicks is the first */
};
enum stock_outcome {
	STOCK_OK,
	STOCK_NO_ITEM,
	STOCK_TOO_FEW,          /* not so many are in the stock: nothing was written */
};
enum stock_outcome stock_do(struct db *db, const struct stock_deed *d);

/* --- order.c, steps.c: an order ------------------------------------------------------------------------------------------ */

struct equipment_order {
	int64_t order_id, customer_id, item_id, line_no, quantity, starts_at, ends_at, daily_price, amount;
	const char *code, *booking_code, *item_name, *item_name_ko, *category, *currency;
	int state;                                      /* enum equipment_state */
	int64_t taken, lost;
	const char *end_reason;
	int64_t ordered_at, approved_at, handed_out_at, returned_at, ended_at;
	int64_t asked_at;                               /* review is being asked about it: nobody else has heard of it; 0: they have */
	const char *label, *customer_name;              /* the item in the reader's language */
	bool is_late, lacks;                            /* not back in time; approved, and pieces of it are still out with others */
};
extern const struct shape equipment_order_shape;        /* for pages */
extern const struct shape equipment_order_json_shape;

enum order_outcome {
	ORDER_OK,               /* taken: ORDERED, or APPROVED when review has said so already */
	ORDER_AGAIN,            /* the same request was taken before */
	ORDER_KEY_REUSED,       /* … with another body */
	ORDER_IN_PROGRESS,      /* … and review has not answered it yet */
	ORDER_BAD_INTERVAL,     /* order_interval_problem() says what is wrong */
	ORDER_NO_ITEM,          /* there is no such item, or it is not offered */
	ORDER_OUT_OF_STOCK,     /* fewer are free then: n_free */
	ORDER_REFUSED,          /* review has said no: end_reason */
	ORDER_LATER,            /* review cannot be asked: nothing was taken, and the key is free again */
};

struct equipment_wish {
	int64_t customer_id, item_id, quantity, starts_at, ends_at;
	const char *request_key, *request_hash;         /* the client's idempotency key and what came with it */
};

/* What is wrong with such an interval (a translated sentence) and in which field; NULL: nothing. */
const char *order_interval_problem(int64_t starts_at, int64_t ends_at, int64_t now, const char **field);

/*
 * An order alone, without a car; nothing is charged. Where review is asked first (sync), the row is written, review asked, and its
 * answer decides; else the order stands as ORDERED and review hears of it by event (equipment.ordered).
 */
enum order_outcome equipment_place(struct db *db, const struct equipment_wish *wish, struct equipment_order *o, int64_t *n_free);
int equipment_later_s(void);                            /* ORDER_LATER, CANCEL_LATER: in how many seconds to try again */

/* customer_id 0: anybody's. */
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
int orders_list(struct db *db, const struct orders_query *q, int64_t offset, int64_t limit, struct equipment_order **orders, int *n);

int item_orders(struct db *db, int64_t item_id, int limit, struct equipment_order **orders, int *n);    /* who has it and who will, by time */

/* Who ended it: goes with equipment.cancelled, and decides whether its booking refunds it. */
enum ended_by { ENDED_BY_CUSTOMER, ENDED_BY_MANAGER, ENDED_BY_BOOKING, ENDED_BY_NONE };      /* nobody: review could not be asked, it was never taken */
extern const struct words ended_by_words;

enum order_cancel_outcome {
	ORDER_CANCEL_DONE,               /* CANCELLED, now or before; its pieces are back */
	ORDER_CANCEL_NOT_POSSIBLE,        /* handed out or on its way, ended otherwise, or its booking has begun */
	ORDER_CANCEL_LATER,          /* review must hear of it first and cannot be reached: nothing has changed */
};
/* May this person cancel it now? A customer's own, with a booking until that begins or a courier has left with it; a manager until it is handed out. */
bool equipment_may_cancel(struct db *db, const struct equipment_order *o, int64_t now, bool is_manager);
enum order_cancel_outcome equipment_give_up(struct db *db, struct equipment_order *o, int64_t actor_id, bool is_manager);

bool equipment_may_go(struct db *db, const struct equipment_order *o);  /* false: with a car that is not out */
bool equipment_hand_out(struct db *db, struct equipment_order *o, int64_t causation_id, int64_t actor_id);     /* false: not APPROVED, its time is over, its car is not out, or its pieces are not in the house yet or somebody else's until it begins */
bool equipment_take_back(struct db *db, struct equipment_order *o, int64_t lost, int64_t causation_id, int64_t actor_id);     /* false: it is not out */

/* --- policy.c --- */
extern const struct consumer equipment_consumer;
extern const struct db_role equipment_role;
bool equipment_sweep(struct db *db);                    /* order.c: what time brings: questions nobody waits for any more, orders nobody came for */

#endif
