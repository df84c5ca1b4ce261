/* message - what people are told, in their language, once. */
#ifndef MP_MESSAGE_H
#define MP_MESSAGE_H

#include "../../lib/db.h"
#include "../../lib/event.h"

/* --- policy.c --- */
extern const struct consumer message_consumer;
extern const struct db_role message_role;

#endif
