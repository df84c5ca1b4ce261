/* policy - what review does when others report something. */
#include "review.h"

const struct db_role review_role = { .name = "review", .owns = "review_case position event_retry" };

static const struct policy policies[] = { { NULL, NULL } };

const struct consumer review_consumer = { .name = "review", .role = &review_role, .policy = policies };
