/*
 * faults - the switches that break the sandbox on purpose. A switch works from the next request on, in every worker.
 */
#include "sandbox.h"

#include <sodium.h>
#include <string.h>

static const struct member faults_members[] = {
	SHAPE_INT(faults, slow_ms), SHAPE_INT(faults, slow_ms_max), SHAPE_INT(faults, down), SHAPE_INT(faults, hang_ms),
	SHAPE_INT(faults, lost_answers), SHAPE_INT(faults, webhooks), SHAPE_INT(faults, duplicate_webhooks),
};
const struct shape faults_shape = SHAPE(faults, faults_members);

const char *const fault_names[] = {
	"slow_ms", "slow_ms_max", "down", "hang_ms", "lost_answers", "webhooks", "duplicate_webhooks", NULL,
};

struct faults
faults_now(struct db *db)
{
	struct faults f = { .webhooks = 1 };
	struct rows *r = db_each(db, "SELECT name, value FROM fault /*scan*/");

	while (db_next(r)) {
		const struct member *mb = shape_member(&faults_shape, row_peek(r, 0), strlen(row_peek(r, 0)));

		if (mb)
			*(int64_t *)((char *)&f + mb->offset) = row_int(r, 1);
	}
	return f;
}

void
fault_set(struct db *db, const char *name, int64_t value)
{
	db_do(db,
		"INSERT INTO fault (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE"
		" SET value = excluded.value",
		name, value);
}

/* --- random ------------------------------------------------------------------------------------------------------- */

static uint64_t random_state;         /* 0: real randomness */

void
sandbox_seed(uint64_t seed)
{
	random_state = seed ? seed : 1;
}

/* xorshift64*: the same seed gives the same faults. */
uint32_t
sandbox_random(uint32_t below)
{
	if (!random_state)
		return randombytes_uniform(below);
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545F4914F6CDD1DULL) >> 32) % below;
}
