/*
 * relay_world - what the tests of the relay share: a scratch state folder with three consumers of events, relays as
 * child processes, and counting what took effect. It includes the relay.
 */
#ifndef MP_RELAY_WORLD_H
#define MP_RELAY_WORLD_H

#include "scratch.h"

#include "relay/stop.c"
#include "relay/wakeup.c"
#include "relay/consumer_loop.c"
#include "relay/checkpointer.c"
#include "relay/leader.c"
#include "relay/relay.c"
#include "relay/run_once.c"

static const char more[] =
	"CREATE TABLE t_effect (n INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT;"
	"CREATE TABLE t_other (n INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT;"
	"CREATE TABLE t_swept (n INTEGER PRIMARY KEY, at_us INTEGER NOT NULL) STRICT;";
static const char more_view[] =
	"CREATE TABLE t_seen (n INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT;";

static const struct db_role writer_role = { .name = "writer", .owns = "t_none" };
static const struct db_role effect_role = { .name = "effect", .owns = "t_effect t_swept" };
static const struct db_role other_role = { .name = "other", .owns = "t_other" };
static const struct db_role seen_role = { .name = "seen", .owns = "t_seen", .on_view = true };

static bool
on_paid(struct db *db, const struct event *e)
{
	db_do(db, "INSERT INTO t_effect (event_id, at_us) VALUES ($1, $2)", e->event_id, (int64_t)scratch_us());
	return true;
}

/* Answers each booking.paid with another event, for the third consumer. */
static bool
other_on_paid(struct db *db, const struct event *e)
{
	db_do(db, "INSERT INTO t_other (event_id, at_us) VALUES ($1, $2)", e->event_id, (int64_t)scratch_us());
	event_emit(db,
		&(struct event){ .type = "car.reserved", .subject_id = e->subject_id, .causation_id = e->event_id },
		NULL, NULL);
	return true;
}

static enum { DIES, HANGS } deadly;     /* what the policy of test.deadly does until the file "healed" exists */
static bool sweep_is_deadly;

static bool
on_deadly(struct db *db, const struct event *e)
{
	char healed[96];

	snprintf(healed, sizeof(healed), "%s/healed", scratch);
	if (access(healed, F_OK) == 0)
		return db_do(db, "INSERT INTO t_other (event_id, at_us) VALUES ($1, $2)", e->event_id,
			       (int64_t)scratch_us())
			== 1;
	while (deadly == HANGS)
		pause();
	signal(SIGSEGV, SIG_DFL); /* not the sanitizer's handler, which would print a report */
	raise(SIGSEGV);
	return true;
}

static bool
on_reserved(struct db *db, const struct event *e)
{
	db_do(db, "INSERT INTO t_seen (event_id, at_us) VALUES ($1, $2)", e->event_id, (int64_t)scratch_us());
	return true;
}

static bool
sweep_notes(struct db *db)
{
	db_do(db, "INSERT INTO t_swept (at_us) VALUES ($1)", (int64_t)scratch_us());
	if (sweep_is_deadly)
		raise(SIGKILL);
	return false;
}

static const struct policy effect_policies[] = { { "booking.paid", on_paid }, { 0 } };
static const struct policy other_policies[] = { { "booking.paid", other_on_paid }, { "test.deadly", on_deadly },
	{ 0 } };
static const struct policy seen_policies[] = { { "car.reserved", on_reserved }, { 0 } };
static const struct consumer effect = { .name = "effect", .role = &effect_role, .policy = effect_policies,
	.sweep = sweep_notes };
static const struct consumer other = { .name = "other", .role = &other_role, .policy = other_policies };
static const struct consumer seen = { .name = "seen", .role = &seen_role, .policy = seen_policies };
static const struct consumer *const test_consumers[] = { &effect, &other, &seen, NULL };

static struct db *db;
static pid_t relays[8];
static int n_relays;

TEST_SETUP(begin)
{
	if (scratch_begin(state) != 0)
		return -1;
	scratch_create(more, more_view);
	db = scratch_open(&writer_role);
	event_open(db, scratch);
	n_relays = 0;
	deadly = DIES;
	sweep_is_deadly = false;
	return 0;
}

static int
end(void **state)
{
	for (int i = 0; i < n_relays; i++) {
		kill(relays[i], SIGTERM);
		waitpid(relays[i], NULL, 0);
	}
	db_close(db);
	scratch_sleep_ms(20);
	return scratch_end(state);
}

static int
be_relay(void *arg)
{
	struct relay r = { .root = ".", .var = scratch, .consumers = test_consumers, .work_ms = *(int *)arg };

	if (!getenv("RELAY_LOG") && !freopen("/dev/null", "w", stderr))
		return 99;
	return relay_run(&r);
}

static pid_t
relay_for(int ms)
{
	return relays[n_relays++] = scratch_fork(be_relay, &ms);
}

static void
gone(pid_t pid)
{
	for (int i = 0; i < n_relays; i++)
		if (relays[i] == pid)
			relays[i] = relays[--n_relays];
}

static void
emit_many(const char *type, int n)
{
	for (int i = 0; i < n; i++) {
		db_begin(db);
		event_emit(db,
			&(struct event){ .type = type, .subject_id = arena_printf(scratch_memory, "MP-%d", i % 50) },
			NULL, NULL);
		assert_true(db_commit(db));
	}
}

/* Reads from a connection of its own, as a page would. */
#define SEEN_ROLE_COUNT "SELECT COUNT(*) FROM t_seen /*scan*/"
static struct db_role looker_role = { .name = "looker", .owns = "t_effect t_other t_seen t_swept", .on_view = true };

static int64_t
count(const char *table, bool distinct)
{
	struct db *looker = scratch_open(&looker_role);
	int64_t n = -1;

	if (strcmp(table, "t_effect") == 0)
		n = distinct ? db_int(looker, "SELECT COUNT(DISTINCT event_id) FROM t_effect /*scan*/ /*sort*/")
			     : db_int(looker, "SELECT COUNT(*) FROM t_effect /*scan*/");
	else if (strcmp(table, "t_other") == 0)
		n = distinct ? db_int(looker, "SELECT COUNT(DISTINCT event_id) FROM t_other /*scan*/ /*sort*/")
			     : db_int(looker, "SELECT COUNT(*) FROM t_other /*scan*/");
	else if (strcmp(table, "t_seen") == 0)
		n = distinct ? db_int(looker, "SELECT COUNT(DISTINCT event_id) FROM t_seen /*scan*/ /*sort*/")
			     : db_int(looker, SEEN_ROLE_COUNT);
	else
		n = db_int(looker, "SELECT COUNT(*) FROM t_swept /*scan*/");
	db_close(looker);
	return n;
}

static bool
wait_until(const char *table, int64_t n, int ms)
{
	return scratch_until(count(table, false) >= n, ms);
}

static void
each_once(int n)
{
	/* the one killed most recently pauses longest */
	assert_true(
		wait_until("t_seen", n, 15000) && wait_until("t_effect", n, 15000) && wait_until("t_other", n, 15000));
	scratch_sleep_ms(150);
	assert_int_equal(count("t_effect", false), n);
	assert_int_equal(count("t_effect", true), n);
	assert_int_equal(count("t_other", false), n);
	assert_int_equal(count("t_other", true), n);
	assert_int_equal(count("t_seen", false), n);
	assert_int_equal(count("t_seen", true), n);
}


#endif
