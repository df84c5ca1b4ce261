/*
 * world - what the worlds of several contexts share: a scratch state folder in which db is the context's own connection
 * and others writes what other contexts would write, and the events in it. Include it after test.h.
 */
#ifndef MP_WORLD_H
#define MP_WORLD_H

#include "scratch.h"

#include "lib/base/clock.h"
#include "lib/event/event.h"

#define NOW 1800000000          /* on a half hour */

static struct db *db, *others;

static inline int
world_begin(void **state, const struct db_role *role)
{
	static const struct db_role all = { .name = "test", .owns = "*" };

	if (scratch_begin(state) != 0)
		return -1;
	setenv("DB_LINT", "1", 1);
	scratch_create("", "");
	db = scratch_open(role);
	others = scratch_open(&all);
	clock_set(NOW);
	return 0;
}

static inline int
world_end(void **state)
{
	clock_set(0);
	db_close(db);
	db_close(others);
	return scratch_end(state);
}

/* An event as another context, or an older version, would write it. */
static inline void
report(const char *type, const char *subject_id, const char *payload)
{
	int64_t id;

	db_begin(others);
	id = 1 + db_int(others, "SELECT COALESCE(MAX(event_id), 0) FROM event");
	db_do(others,
		"INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)"
		" VALUES ($1, $2, $3, $4, $4, $5,"
		" COALESCE((SELECT e.hash FROM event e WHERE e.subject_id = $3 ORDER BY e.event_id DESC"
		" LIMIT 1), ''), $6)",
		id, type, subject_id, clock_now(), payload, arena_printf(scratch_memory, "test-%lld", (long long)id));
	assert_true(db_commit(others));
}

/* The context handles all events, and none fails. */
static inline void
handle_events(const struct consumer *c)
{
	while (consumer_step(db, c, 16) > 0)
		;
	assert_false(db_failed(db));
	assert_int_equal(consumer_lag(db, c), 0);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM event_retry /*scan*/"), 0);
}

static inline int64_t
n_events(const char *type)
{
	return db_int(db, "SELECT COUNT(*) FROM v_event WHERE type = $1 /*scan*/", type);
}

static inline const char *
last_payload(const char *type)
{
	return db_text(db, "SELECT payload FROM v_event WHERE type = $1 ORDER BY event_id DESC LIMIT 1 /*scan*/", type);
}

#endif
