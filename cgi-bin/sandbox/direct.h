/*
 * direct - the provider without a network: the sandbox's API called in process, on its own database. For unit tests and
 * the demo generator, which make thousands of charges through the functions that the programs use.
 *
 *	struct db *sandbox = db_open(var_dir, &sandbox_role, m, &why);
 *	sandbox_direct_open(sandbox);
 *	toss_ask = sandbox_direct;
 *
 * The sandbox's faults work here too: a lost or late answer is CALL_UNKNOWN, without a delay.
 */
#ifndef MP_SANDBOX_DIRECT_H
#define MP_SANDBOX_DIRECT_H

#include "sandbox.h"
#include "domain/provider.h"

void sandbox_direct_open(struct db *sandbox);
provider_ask sandbox_direct;

#endif
