/*
 * stock - how many pieces of an item can be had in an interval, for everyone who promises some: booking (with a car) and
 * equipment (alone). Both ask inside their write transaction, so two cannot promise the same piece.
 *
 * Owned are the pieces in the stock and those that orders have out of it. Of these are spoken for, at any moment, the live orders
 * that cover it and what bookings have promised and equipment has not heard of yet; free in an interval is what is left at its worst
 * moment. So pieces that come back before an interval are free in it.
 */
#ifndef MP_STOCK_H
#define MP_STOCK_H

#include "lib/db/db.h"

/* Pieces free in all of [starts_at, ends_at), by published views alone; may be below zero when pieces were lost. */
int64_t stock_free(struct db *db, int64_t item_id, int64_t starts_at, int64_t ends_at, int64_t now);

#endif
