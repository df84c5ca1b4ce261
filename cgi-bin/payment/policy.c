/*
 * policy.c - payment reacts to no event: it is asked, and what time brings is its sweep's (sweep.c).
 */
#include "payment.h"

const struct db_role payment_role = { .name = "payment", .owns = "payer card charge refund ledger_line posting" };

static const struct policy policies[] = { { NULL, NULL } };

const struct consumer payment_consumer = {
	.name = "payment", .role = &payment_role, .policy = policies, .sweep = payment_sweep,
};
