/*
 * stock - how many pieces of an item are free in an interval, for booking (with a car) and equipment (alone). Both ask
 * inside their write transaction, so that no piece is taken twice.
 *
 * Owned are the pieces in stock and those that orders have taken. At any moment, the open orders at that time take some
 * of them, and so do bookings whose events equipment has not processed yet. Free in an interval is what is left at the
 * moment of the highest demand: pieces that come back before the interval are free in it.
 */
#ifndef MP_STOCK_H
#define MP_STOCK_H

#include "lib/db/db.h"

/* Pieces free in all of [starts_at, ends_at), by published views alone; may be below zero when pieces were lost. */
int64_t stock_free(struct db *db, int64_t item_id, int64_t starts_at, int64_t ends_at, int64_t now);

#endif
