/* equipment - things lent beside cars: items, their stock, orders of them. */
#ifndef MP_EQUIPMENT_H
#define MP_EQUIPMENT_H

#include "../../lib/db.h"
#include "../../lib/event.h"

/* --- policy.c --- */
extern const struct consumer equipment_consumer;
extern const struct db_role equipment_role;

#endif
