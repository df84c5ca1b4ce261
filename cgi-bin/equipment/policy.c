/* policy - what equipment does when others report something. */
#include "equipment.h"

const struct db_role equipment_role = { .name = "equipment", .owns = "item equipment_order stock_entry position event_retry" };

static const struct policy policies[] = { { NULL, NULL } };

const struct consumer equipment_consumer = { .name = "equipment", .role = &equipment_role, .policy = policies };
