/*
 * equipment_steps - the steps that equipment's files share; each belongs inside one write transaction, with its event. They answer whether the
 * order was in a state for it: the same again changes nothing and says nothing.
 */
#ifndef MP_EQUIPMENT_STEPS_H
#define MP_EQUIPMENT_STEPS_H

#include "equipment.h"

/* --- order.c --- */
void equipment_write(struct db *db, struct equipment_order *o, const char *request_key, const char *request_hash, int64_t causation_id);       /* ORDERED */
bool equipment_reload(struct db *db, struct equipment_order *o);

/* --- steps.c --- */
void equipment_tell(struct db *db, struct equipment_order *o, int64_t causation_id);     /* equipment.ordered, unless it was told before */
bool equipment_approve(struct db *db, struct equipment_order *o, int64_t causation_id);
bool equipment_reject(struct db *db, struct equipment_order *o, const char *reason, int64_t causation_id);
bool equipment_end(struct db *db, struct equipment_order *o, enum ended_by by, const char *reason, int64_t causation_id, int64_t actor_id);
/* What review has decided about it already, before it was written here: a booking asks review first. */
void equipment_heed_review(struct db *db, struct equipment_order *o, int64_t causation_id);

/* --- stock.c --- */
/* One line of the ledger. */
struct stock_move {
	int64_t item_id, quantity;                      /* below 0: they leave the stock */
	int kind;
	int64_t order_id, causation_id, actor_id;
	const char *order_code, *note, *request_key;    /* NULL: none */
};
void stock_enter(struct db *db, const struct stock_move *m);
int64_t stock_of(struct db *db, int64_t item_id);
void order_takes(struct db *db, struct equipment_order *o, int64_t n, int64_t causation_id);           /* n pieces leave the stock for it */
void order_gives_back(struct db *db, struct equipment_order *o, int64_t n, int64_t causation_id);
/* Pieces have come: the approved orders that lack some take theirs, who starts first before the others; then is the stock low? */
void stock_settle(struct db *db, int64_t item_id, int64_t causation_id);
/* Takes n pieces out of the hands of approved orders that begin after `after`, who starts last first, and of those nobody came for. Answers how many there were. */
int64_t stock_reclaimable(struct db *db, int64_t item_id, int64_t after);
int64_t stock_reclaim(struct db *db, int64_t item_id, int64_t n, int64_t after, int64_t causation_id);
void stock_watch(struct db *db, int64_t item_id, bool tells);  /* stock.low, once each time it falls so far */

/* --- policy.c --- */
void equipment_emit(struct db *db, const struct equipment_order *o, const char *type, enum ended_by by, int64_t causation_id, int64_t actor_id);
const char *equipment_subject(const struct equipment_order *o);        /* the booking's code, or its own */
void item_emit(struct db *db, const struct item *item, const char *type, int64_t actor_id);
void stock_emit(struct db *db, const struct stock_move *m, int64_t balance);
void stock_emit_low(struct db *db, const struct item *item);

#endif
