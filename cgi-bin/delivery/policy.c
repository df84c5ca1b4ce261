/* policy - what delivery does when others report something. */
#include "delivery.h"

const struct db_role delivery_role = { .name = "delivery", .owns = "delivery position event_retry" };

static const struct policy policies[] = { { NULL, NULL } };

const struct consumer delivery_consumer = { .name = "delivery", .role = &delivery_role, .policy = policies };
