/* review - what somebody must say yes to. */
#ifndef MP_REVIEW_H
#define MP_REVIEW_H

#include "../../lib/db.h"
#include "../../lib/event.h"

/* --- policy.c --- */
extern const struct consumer review_consumer;
extern const struct db_role review_role;

#endif
