/* policy - what message does when others report something. */
#include "message.h"

const struct db_role message_role = { .name = "message", .owns = "message message_try message_preference position event_retry" };

static const struct policy policies[] = { { NULL, NULL } };

const struct consumer message_consumer = { .name = "message", .role = &message_role, .policy = policies };
