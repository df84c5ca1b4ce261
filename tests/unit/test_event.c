/* test_event - the event log and its consumers. */
#include "test.h"

#include "scratch.h"
#include "listen.h"

#include "lib/event/event.c"
#include "lib/event/consumer.c"
#include "lib/event/consumer_park.c"
#include "lib/event/consumer_crash.c"

#include <sqlite3.h>

static const char more[] =
	"CREATE TABLE t_effect (n INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, subject_id TEXT NOT NULL) STRICT;"
	"CREATE TABLE t_leaf (id INTEGER REFERENCES t_root (id) DEFERRABLE INITIALLY DEFERRED) STRICT;"
	"CREATE TABLE t_root (id INTEGER PRIMARY KEY) STRICT;";
static const char more_view[] =
	"CREATE TABLE t_seen (n INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, subject_id TEXT NOT NULL) STRICT;";

static const struct db_role booking = { .name = "booking", .owns = "t_effect t_leaf t_root" };
static const struct db_role mypage = { .name = "mypage", .owns = "t_seen", .on_view = true };

struct paid {
	const char *code;
	int64_t amount;
};
static const struct member paid_members[] = { SHAPE_TEXT(paid, code), SHAPE_AMOUNT(paid, amount) };
static const struct shape paid_shape = SHAPE(paid, paid_members);

#define NOW 1795237200

TEST_SETUP(begin)
{
	if (scratch_begin(state) != 0)
		return -1;
	clock_open("Asia/Seoul");
	clock_set(NOW);
	scratch_create(more, more_view);
	return 0;
}

TEST_SETUP(end)
{
	clock_set(0);
	return scratch_end(state);
}

static int64_t
emit(struct db *db, const char *type, const char *subject)
{
	int64_t id;

	db_begin(db);
	id = event_emit(db, &(struct event){ .type = type, .subject_id = subject }, &paid_shape,
		&(struct paid){ subject, 207000 });
	assert_true(db_commit(db));
	return id;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

TEST(an_event_is_written_with_its_change_and_read_back)
{
	struct db *db = scratch_open(&booking);
	struct paid p = { NULL, 0 };
	struct event e;
	int64_t broken_n;

	db_begin(db);
	assert_int_equal(event_emit(db,
				 &(struct event){ .type = "booking.paid",
					 .subject_id = "MP-1",
					 .causation_id = 4,
					 .actor_id = 9,
					 .occurred_at = NOW - 5 },
				 &paid_shape, &(struct paid){ "MP-1", 207000 }),
		1);
	assert_true(db_commit(db));
	assert_true(db_one(db, &event_shape, &e,
		"SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at,"
		" payload, prev_hash, hash FROM event WHERE event_id = $1",
		1));
	assert_string_equal(e.payload, "{\"code\":\"MP-1\",\"amount\":207000}");
	assert_int_equal(e.occurred_at, NOW - 5);
	assert_int_equal(e.recorded_at, NOW);
	assert_int_equal(e.causation_id, 4);
	assert_int_equal(e.actor_id, 9);
	assert_string_equal(e.prev_hash, "");
	assert_true(event_read(scratch_memory, &e, &paid_shape, &p));
	assert_int_equal(p.amount, 207000);
	assert_int_equal(event_chain_broken(db, &broken_n), 0);
	db_close(db);
}

TEST(an_event_outside_a_transaction_is_a_mistake)
{
	struct db *db = scratch_open(&booking);

	assert_int_equal(event_emit(db, &(struct event){ .type = "a.bc", .subject_id = "s" }, NULL, NULL), 0);
	assert_true(db_failed(db));
	db_close(db);
}

TEST(a_change_rolled_back_leaves_no_event_and_no_gap)
{
	struct db *db = scratch_open(&booking);

	db_begin(db);
	event_emit(db, &(struct event){ .type = "a.bc", .subject_id = "s" }, NULL, NULL);
	db_rollback(db);
	assert_int_equal(emit(db, "a.bc", "s"), 1);
	assert_int_equal(emit(db, "a.bc", "s"), 2);
	db_close(db);
}

TEST(an_event_is_a_line_in_the_log_when_it_is_committed_and_only_then)
{
	struct db *db = scratch_open(&booking);
	const char *said;

	log_request("r-1");
	listen_in();
	db_begin(db);
	event_emit(db, &(struct event){ .type = "booking.held", .subject_id = "MP-1" }, NULL, NULL);
	db_rollback(db);
	emit(db, "booking.paid", "MP-1");
	emit(db, "booking.paid", "MP-2");
	log_info("answer", "x");
	said = heard();
	log_request(NULL);
	assert_null(strstr(said, "booking.held"));
	assert_int_equal(heard_times(said, "\"what\":\"event\""), 2);
	assert_non_null(strstr(said,
		"\"request\":\"r-1\",\"subject\":\"MP-1\",\"what\":\"event\",\"event_id\":1,"
		"\"type\":\"booking.paid\""));
	assert_non_null(strstr(said, "\"subject\":\"MP-2\",\"what\":\"event\",\"event_id\":2,"));
	assert_non_null(
		strstr(said, "\"subject\":\"MP-1\",\"what\":\"answer\"")); /* the first is what the request is about */
	assert_null(strstr(said, "207000"));                               /* no payload */
	db_close(db);
}

TEST(the_relay_is_woken_after_the_commit_and_only_then)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct db *db = scratch_open(&booking);
	char c;

	event_open(db, scratch);
	emit(db, "a.bc", "s"); /* without a relay the wake-up has no effect */
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/run/relay.wake", scratch);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	db_begin(db);
	event_emit(db, &(struct event){ .type = "a.bc", .subject_id = "s" }, NULL, NULL);
	assert_int_equal(recv(fd, &c, 1, 0), -1);
	assert_true(db_commit(db));
	assert_int_equal(recv(fd, &c, 1, 0), 1);
	db_do(db, "INSERT INTO t_root (id) VALUES (1)"); /* a change without events wakes no relay */
	assert_int_equal(recv(fd, &c, 1, 0), -1);
	close(fd);
	db_close(db);
}

/* --- the chain ---------------------------------------------------------------------------------------------------- */

static void
tamper(const char *sql)
{
	sqlite3 *raw;
	char *error = NULL;

	assert_int_equal(sqlite3_open(scratch_path("motorpool.db"), &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, "DROP TRIGGER event_never_changes; DROP TRIGGER event_never_goes;", NULL,
				 NULL, &error),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, &error), SQLITE_OK);
	sqlite3_close(raw);
}

static void
expect_broken_at(const char *sql, int64_t event_id)
{
	struct db *db;
	void *state = NULL;
	int64_t n;

	end(&state);
	begin(&state);
	db = scratch_open(&booking);
	for (int i = 0; i < 30; i++)
		emit(db, i % 2 ? "booking.paid" : "booking.held", i % 3 ? "MP-1" : "MP-2");
	assert_int_equal(event_chain_broken(db, &n), 0);
	assert_int_equal(n, 30);
	db_close(db);
	tamper(sql);
	db = scratch_open(&booking);
	assert_int_equal(event_chain_broken(db, &n), event_id);
	db_close(db);
}

TEST(a_tampered_log_is_detected)
{
	expect_broken_at("SELECT 1", 0);
	expect_broken_at("UPDATE event SET payload = replace(payload, '207000', '107000') WHERE event_id = 5", 5);
	expect_broken_at("UPDATE event SET occurred_at = occurred_at + 1 WHERE event_id = 17", 17);
	expect_broken_at("UPDATE event SET actor_id = 3 WHERE event_id = 30", 30);
	expect_broken_at("UPDATE event SET type = 'booking.held' WHERE event_id = 2", 2);
	expect_broken_at("DELETE FROM event WHERE event_id = 9", 10);
	/* two exchanged, each with its own hash */
	expect_broken_at(
		"UPDATE event SET event_id = -1 WHERE event_id = 4; UPDATE event SET event_id = 4 WHERE event_id = 6;"
		"UPDATE event SET event_id = 6 WHERE event_id = -1",
		4);
}

/* --- policies of the tests ---------------------------------------------------------------------------------------- */

static const char *poison;      /* the subject whose events fail */
static bool poison_is_sql;
static useconds_t reaction_us;

static bool
on_paid(struct db *db, const struct event *e)
{
	struct paid p;

	if (!event_read(db_memory(db), e, &paid_shape, &p))
		return false;
	if (reaction_us)
		usleep(reaction_us);
	db_do(db, "INSERT INTO t_effect (event_id, subject_id) VALUES ($1, $2)", e->event_id, e->subject_id);
	if (poison && strcmp(poison, e->subject_id) == 0) {
		if (!poison_is_sql)
			return false;
		db_do(db, "INSERT INTO t_leaf (id) VALUES ($1)", 404); /* fails only at COMMIT */
	}
	return true;
}

static bool
on_view_paid(struct db *db, const struct event *e)
{
	db_do(db, "INSERT INTO t_seen (event_id, subject_id) VALUES ($1, $2)", e->event_id, e->subject_id);
	return true;
}

static const struct policy paid_policies[] = { { "booking.paid", on_paid }, { NULL, NULL } };
static const struct policy view_policies[] = { { "booking.paid", on_view_paid }, { NULL, NULL } };
static const struct consumer payment = { .name = "payment", .role = &booking, .policy = paid_policies };
static const struct consumer view = { .name = "mypage", .role = &mypage, .policy = view_policies };

static void
drain(struct db *db, const struct consumer *c)
{
	for (int i = 0; consumer_step(db, c, 16) > 0; i++)
		assert_true(i < 10000);
	assert_false(db_failed(db));
}

/* --- consuming ---------------------------------------------------------------------------------------------------- */

TEST(every_event_takes_effect_once_and_in_order)
{
	struct db *db = scratch_open(&booking);

	poison = NULL;
	for (int i = 0; i < 100; i++)
		emit(db, i % 4 ? "booking.held" : "booking.paid", "MP-1");
	assert_int_equal(consumer_lag(db, &payment), 100);
	drain(db, &payment);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_effect"), 25);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_effect WHERE event_id <> 4 * n - 3"), 0);
	assert_int_equal(consumer_lag(db, &payment), 0);
	assert_int_equal(consumer_step(db, &payment, 16), 0);
	db_close(db);
}

TEST(thousands_of_unhandled_events_are_skipped_in_one_step)
{
	struct db *db = scratch_open(&booking);
	int64_t pages;

	db_begin(db);
	for (int i = 0; i < 1500; i++)
		event_emit(db, &(struct event){ .type = "booking.held", .subject_id = "s" }, NULL, NULL);
	assert_true(db_commit(db));
	pages = db_wal_pages(db);
	assert_int_equal(consumer_step(db, &payment, 16), 1500);
	assert_true(db_wal_pages(db) - pages < 4);
	assert_int_equal(consumer_lag(db, &payment), 0);
	db_close(db);
}

static int64_t
effects(struct db *db, const char *subject)
{
	return db_int(db, "SELECT count(*) FROM t_effect WHERE subject_id = $1", subject);
}

TEST(a_failing_policy_holds_back_only_its_own_subject)
{
	struct db *db = scratch_open(&booking);

	for (int i = 0; i < 30; i++)
		emit(db, "booking.paid", i % 3 == 0 ? "MP-A" : i % 3 == 1 ? "MP-B" : "MP-C");
	for (int sql = 0; sql < 2; sql++) {
		poison = "MP-B";
		poison_is_sql = sql;
		drain(db, &payment);
		assert_int_equal(effects(db, "MP-A"), 10);
		assert_int_equal(effects(db, "MP-B"), 0);
		assert_int_equal(effects(db, "MP-C"), 10);
		assert_int_equal(db_int(db, "SELECT count(*) FROM event_retry WHERE consumer = 'payment'"), 10);
		assert_int_equal(db_int(db, "SELECT tries FROM event_retry WHERE event_id = 2"), 1 + sql);
		assert_int_equal(db_int(db, "SELECT sum(tries) FROM event_retry"), 1 + sql);
		assert_string_equal(db_text(db, "SELECT error FROM event_retry WHERE event_id = 2"),
			sql ? "FOREIGN KEY constraint failed (787)" : "the policy answered no");
		clock_set(NOW + 2 + sql);
	}
	poison = NULL;
	clock_set(NOW + 10);
	drain(db, &payment);
	assert_int_equal(effects(db, "MP-B"), 10);
	assert_int_equal(db_int(db,
				 "SELECT count(*) FROM t_effect e WHERE subject_id = 'MP-B' AND EXISTS"
				 " (SELECT 1 FROM t_effect o WHERE o.subject_id = 'MP-B' AND o.n < e.n"
				 " AND o.event_id > e.event_id)"),
		0);
	assert_int_equal(consumer_lag(db, &payment), 0);
	db_close(db);
}

TEST(later_events_of_a_parked_subject_wait_behind_it)
{
	struct db *db = scratch_open(&booking);

	poison = "MP-B";
	poison_is_sql = false;
	emit(db, "booking.paid", "MP-B");
	drain(db, &payment);
	poison = NULL;
	emit(db, "booking.paid", "MP-B"); /* would succeed, but must not overtake */
	emit(db, "booking.held", "MP-B");
	drain(db, &payment);
	assert_int_equal(effects(db, "MP-B"), 0);
	assert_int_equal(db_int(db, "SELECT count(*) FROM event_retry WHERE tries = 0"), 1);
	assert_int_equal(consumer_lag(db, &payment), 2);
	clock_set(NOW + 1);
	drain(db, &payment);
	assert_int_equal(db_int(db, "SELECT event_id FROM t_effect WHERE n = 1"), 1);
	assert_int_equal(db_int(db, "SELECT event_id FROM t_effect WHERE n = 2"), 2);
	db_close(db);
}

TEST(pauses_grow_and_after_the_last_try_a_person_decides)
{
	static const int pauses[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };
	struct db *db = scratch_open(&booking);
	int64_t now = NOW;

	poison = "MP-B";
	poison_is_sql = false;
	emit(db, "booking.paid", "MP-B");
	drain(db, &payment);
	for (int i = 0; i < 11; i++) {
		assert_int_equal(db_int(db, "SELECT tries FROM event_retry"), i + 1);
		assert_int_equal(db_int(db, "SELECT next_at FROM event_retry"), now + pauses[i]);
		clock_set(now + pauses[i] - 1);
		assert_int_equal(consumer_step(db, &payment, 16), 0);
		assert_int_equal(db_int(db, "SELECT tries FROM event_retry"), i + 1);
		clock_set(now += pauses[i]);
		drain(db, &payment);
	}
	assert_int_equal(db_int(db, "SELECT tries FROM event_retry"), 12);
	assert_int_equal(db_int(db, "SELECT dead FROM event_retry"), 1);
	poison = NULL;
	clock_set(now + 100000);
	emit(db, "booking.paid", "MP-B");
	drain(db, &payment);
	assert_int_equal(effects(db, "MP-B"), 0);
	db_do(db, "UPDATE event_retry SET dead = 0, tries = 0, next_at = 0 WHERE dead = 1"); /* redrive */
	drain(db, &payment);
	assert_int_equal(effects(db, "MP-B"), 2);
	db_close(db);
}

TEST(a_clock_set_back_leaves_nothing_stuck)
{
	struct db *db = scratch_open(&booking);

	poison = "MP-B";
	poison_is_sql = false;
	emit(db, "booking.paid", "MP-B");
	drain(db, &payment);
	poison = NULL;
	clock_set(NOW - 200); /* a little: the pause is kept */
	drain(db, &payment);
	assert_int_equal(effects(db, "MP-B"), 0);
	clock_set(NOW - 3600);
	drain(db, &payment);
	assert_int_equal(effects(db, "MP-B"), 1);
	db_close(db);
}

TEST(the_read_models_keep_their_own_position)
{
	struct db *db = scratch_open(&booking), *v = scratch_open(&mypage);

	poison = NULL;
	for (int i = 0; i < 20; i++)
		emit(db, "booking.paid", "MP-A");
	drain(v, &view);
	assert_int_equal(db_int(v, "SELECT count(*) FROM t_seen"), 20);
	assert_int_equal(consumer_lag(v, &view), 0);
	assert_int_equal(db_int(db, "SELECT count(*) FROM position"), 0);
	assert_int_equal(consumer_lag(db, &payment), 20);
	db_close(db);
	db_close(v);
}

/* --- many processes, and killed ones ------------------------------------------------------------------------------ */

static int
consume_until_done(void *arg)
{
	struct db *db = scratch_open(&booking);
	int idle = 0, *ready = arg;

	clock_set(0);
	if (ready && write(ready[1], "", 1) != 1)
		return 1;
	while (idle < 20) {
		if (consumer_step(db, &payment, 3) > 0)
			idle = 0;
		else if (idle++, !db_failed(db))
			scratch_sleep_ms(2);
		else
			return 1;
	}
	db_close(db);
	return 0;
}

static int
emit_many(void *arg)
{
	struct db *db = scratch_open(&booking);

	clock_set(0);
	for (int i = 0; i < *(int *)arg; i++)
		emit(db, "booking.paid", i % 5 ? "MP-A" : "MP-B");
	db_close(db);
	return 0;
}

static void
expect_each_once(struct db *db, int64_t n)
{
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_effect"), n);
	assert_int_equal(db_int(db, "SELECT count(DISTINCT event_id) FROM t_effect"), n);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_effect WHERE n <> event_id"), 0); /* in order too */
}

TEST(two_consumers_at_once_apply_each_event_once)
{
	pid_t pid[4];
	int n = 300;
	struct db *db;

	poison = NULL;
	pid[0] = scratch_fork(emit_many, &n);
	for (int i = 1; i < 4; i++)
		pid[i] = scratch_fork(consume_until_done, NULL);
	for (int i = 0; i < 4; i++)
		assert_int_equal(scratch_wait(pid[i]), 0);
	db = scratch_open(&booking);
	clock_set(0);
	drain(db, &payment);
	expect_each_once(db, n);
	db_close(db);
}

TEST(a_crash_between_effect_and_position_is_impossible)
{
	struct db *db;
	int killed = 0, n = 2000, ready[2];
	char c;

	poison = NULL;
	srand(7);
	assert_int_equal(pipe(ready), 0);
	db = scratch_open(&booking);
	db_begin(db);
	for (int i = 0; i < n; i++)
		event_emit(db, &(struct event){ .type = "booking.paid", .subject_id = i % 5 ? "MP-A" : "MP-B" }, NULL,
			NULL);
	assert_true(db_commit(db));
	db_close(db);
	reaction_us = 20;
	for (int i = 0; i < 60; i++) {
		pid_t pid = scratch_fork(consume_until_done, ready);

		assert_int_equal(read(ready[0], &c, 1), 1);
		usleep((useconds_t)(rand() % 4000));
		kill(pid, SIGKILL);
		killed += scratch_wait(pid) == -SIGKILL;
	}
	reaction_us = 0;
	db = scratch_open(&booking);
	clock_set(0);
	print_message("%d killed, %lld of %d events were done by then\n", killed,
		(long long)db_int(db, "SELECT count(*) FROM t_effect"), n);
	drain(db, &payment);
	expect_each_once(db, n);
	close(ready[0]);
	close(ready[1]);
	db_close(db);
}

/* --- how long it takes -------------------------------------------------------------------------------------------- */

TEST(figures)
{
	struct db *db = scratch_open(&booking);
	double t = scratch_us();
	int n = 300;

	poison = NULL;
	for (int i = 0; i < n; i++) {
		db_begin(db);
		for (int k = 0; k < 3; k++)
			db_do(db, "INSERT INTO t_root (id) VALUES ($1)", 1000 + 3 * i + k);
		event_emit(db, &(struct event){ .type = "booking.paid", .subject_id = "MP-1" }, &paid_shape,
			&(struct paid){ "MP-1", 207000 });
		db_commit(db);
		db_durable(db);
	}
	print_message("a transaction of three changes and an event, durable: %.1f us\n", (scratch_us() - t) / n);
	t = scratch_us();
	for (int i = 0; i < n; i++)
		emit(db, "booking.paid", "MP-2");
	print_message("an event alone, committed, not synced: %.1f us\n", (scratch_us() - t) / n);
	t = scratch_us();
	while (consumer_step(db, &payment, 64) > 0)
		;
	print_message("consuming %d events with one effect each, 64 at a time: %.1f us each\n", 2 * n,
		(scratch_us() - t) / n / 2);
	t = scratch_us();
	for (int i = 0; i < 1000; i++)
		consumer_step(db, &payment, 64);
	print_message("looking for events when there are none: %.1f us\n", (scratch_us() - t) / 1000);
	assert_false(db_failed(db));
	db_close(db);
}

TEST_MAIN("event", NULL, NULL, begin, end)
