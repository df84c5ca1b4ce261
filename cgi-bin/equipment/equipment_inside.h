/*
 * equipment_inside - what equipment's files share. Each function that writes belongs inside one write transaction, with
 * its event. A step answers whether the order was in a state for it; otherwise it changes and reports nothing.
 */
#ifndef MP_EQUIPMENT_INSIDE_H
#define MP_EQUIPMENT_INSIDE_H

#include "equipment.h"

/* Who ended an order: in equipment.cancelled, where it decides whether the booking refunds it. */
enum ended_by {
	ENDED_BY_CUSTOMER,
	ENDED_BY_MANAGER,
	ENDED_BY_BOOKING,
	ENDED_BY_NONE,          /* review could not be asked, so it was never accepted */
};

/* A line of the ledger. */
struct stock_move {
	int64_t item_id, quantity;                      /* below 0: out of the stock */
	int kind;                                       /* enum stock_kind */
	int64_t order_id, causation_id, actor_id;
	const char *order_code, *note, *request_key;    /* NULL: none */
};

/* --- events.c --- */
extern const struct words ended_by_words;
const char *equipment_subject(const struct equipment_order *o);        /* the booking's code, or the order's own */
/* equipment.ordered, .approved … .cancelled, by the order's state. */
void order_report(struct db *db, const struct equipment_order *o, enum ended_by by, int64_t causation_id,
	int64_t actor_id);
void item_report_registered(struct db *db, const struct item *item, int64_t actor_id);
void item_report_modified(struct db *db, const struct item *item, int64_t actor_id);
void stock_report(struct db *db, const struct stock_move *m, int64_t balance);
void stock_report_low(struct db *db, const struct item *item);

/* --- stock.c --- */
void stock_enter(struct db *db, const struct stock_move *m);
int64_t stock_of(struct db *db, int64_t item_id);
/* n pieces leave the stock for it */
void order_takes(struct db *db, struct equipment_order *o, int64_t n, int64_t causation_id);
void order_gives_back(struct db *db, struct equipment_order *o, int64_t n, int64_t causation_id);
/* After pieces came back: approved orders that lack some take theirs, the earliest start first; then checks for low
 * stock. */
void stock_distribute(struct db *db, int64_t item_id, int64_t causation_id);
/* How many pieces approved orders hold that start after `after`, or whose time is over. */
int64_t stock_reclaimable(struct db *db, int64_t item_id, int64_t after);
/* Puts n of those back into the stock, the latest start first. */
void stock_reclaim(struct db *db, int64_t item_id, int64_t n, int64_t after, int64_t causation_id);
/* stock.low, once each time it falls to low_stock */
void stock_check_low(struct db *db, int64_t item_id, bool reports);

/* --- order.c --- */
void order_insert(struct db *db, struct equipment_order *o, const char *request_key, const char *request_hash,
	int64_t causation_id); /* ORDERED */
bool order_reload(struct db *db, struct equipment_order *o);
int orders_of_booking(struct db *db, const char *booking_code, struct equipment_order **orders);

/* --- steps.c --- */
/* equipment.ordered, unless it was reported before */
void order_report_late(struct db *db, struct equipment_order *o, int64_t causation_id);
bool order_approve(struct db *db, struct equipment_order *o, int64_t causation_id);
bool order_reject(struct db *db, struct equipment_order *o, const char *reason, int64_t causation_id);
bool order_end(struct db *db, struct equipment_order *o, enum ended_by by, const char *reason, int64_t causation_id,
	int64_t actor_id);

/* --- place.c --- */
/* A price line of a paid booking. false: there is no such item. */
struct booked_equipment { int64_t line_no, ref_id, quantity, amount; };
bool order_place_booked(struct db *db, const struct equipment_order *booking, const struct booked_equipment *x,
	int64_t causation_id);
/* ends orders without an answer of review, and those that were not collected in time */
bool equipment_sweep(struct db *db);

#endif
