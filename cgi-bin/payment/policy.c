/* policy - payment reacts to no event: other programs call it, and its sweep does what is due (sweep.c). */
#include "payment.h"

static const struct policy policies[] = { { NULL, NULL } };

const struct consumer payment_consumer = {
	.name = "payment", .role = &payment_role, .policy = policies, .sweep = payment_sweep,
};
