/* direct - described in direct.h. */
#include "direct.h"

#include "lib/base/clock.h"

static struct db *sandbox;

void
sandbox_direct_open(struct db *db)
{
	sandbox = db;
}

/*
 * Does not wait: an answer that would be too late is lost. Each request is committed, but not synced to disk; within a
 * transaction of the caller's it is committed with that.
 */
enum call_outcome
sandbox_direct(struct arena *m, struct provider_request *q)
{
	struct sandbox_request request = { .path = q->path, .body = q->body, .idempotency_key = q->idempotency_key };
	struct arena *was = db_memory(sandbox);
	struct sandbox_reply r;

	db_arena(sandbox, m);
	if (!db_in_transaction(sandbox))
		db_fresh(sandbox);
	sandbox_api(sandbox, &request, &r);
	db_arena(sandbox, was);
	if (db_failed(sandbox) || r.lost || r.hangs || r.delay_ms >= q->until_ms - clock_ms())
		return CALL_UNKNOWN;
	q->status = r.status;
	q->answer = r.json;
	return CALL_ANSWERED;
}
