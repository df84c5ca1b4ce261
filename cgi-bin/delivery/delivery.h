/* delivery - cars brought to customers and fetched from them. */
#ifndef MP_DELIVERY_H
#define MP_DELIVERY_H

#include "../../lib/db.h"
#include "../../lib/event.h"

/* --- policy.c --- */
extern const struct consumer delivery_consumer;
extern const struct db_role delivery_role;

#endif
