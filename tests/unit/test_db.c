/* test_db - the interface over SQLite, one guarantee per test. */
#include "test.h"

#include "scratch.h"

#include "lib/db/db.c"

static const char more[] =
	"CREATE TABLE t_count (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
	"INSERT INTO t_count VALUES ('hits', 0);"
	"CREATE TABLE t_car (car_id INTEGER PRIMARY KEY, plate TEXT NOT NULL UNIQUE, price INTEGER NOT NULL CHECK"
	" (price > 0),"
	"  colour TEXT NOT NULL DEFAULT 'white', branch INTEGER REFERENCES t_branch (branch_id)) STRICT;"
	"CREATE UNIQUE INDEX t_one_red ON t_car (lower(colour)) WHERE colour = 'red';"
	"CREATE TABLE t_branch (branch_id INTEGER PRIMARY KEY) STRICT;"
	"CREATE TABLE t_secret (secret_id INTEGER PRIMARY KEY, word TEXT NOT NULL) STRICT;"
	"INSERT INTO t_secret VALUES (1, 'sesame');"
	"CREATE VIEW v_t_secret AS SELECT secret_id FROM t_secret;"
	"CREATE TRIGGER t_no_scrap BEFORE INSERT ON t_car WHEN NEW.plate = 'SCRAP' BEGIN SELECT RAISE(ABORT,"
	" 'scrapped'); END;";
static const char more_view[] = "CREATE TABLE t_seen (event_id INTEGER PRIMARY KEY) STRICT;";

static const struct db_role fleet = { .name = "fleet", .owns = "t_car t_branch t_count" };
static const struct db_role guest = { .name = "guest", .owns = "t_count" };
static const struct db_role mypage = { .name = "mypage", .owns = "t_seen", .on_view = true };
static const struct db_role command = { .name = "command", .owns = "*" };

static const struct word colour_words[] = { { "white", "White" }, { "red", "Red" } };
static const struct words colours = WORDS(colour_words);
struct t_car {
	int64_t car_id;
	const char *plate;
	int64_t price;
	int colour;
	bool is_dear;
	int64_t untouched;
};
static const struct member t_car_members[] = {
	SHAPE_INT(t_car, car_id), SHAPE_TEXT(t_car, plate), SHAPE_AMOUNT(t_car, price),
	SHAPE_STATE(t_car, colour, colours), SHAPE_BOOL(t_car, is_dear), SHAPE_INT(t_car, untouched),
};
static const struct shape t_car_shape = SHAPE(t_car, t_car_members);

TEST_SETUP(begin)
{
	if (scratch_begin(state) != 0)
		return -1;
	scratch_create(more, more_view);
	return 0;
}

static int64_t
add_car(struct db *db, const char *plate)
{
	return db_int(db, "INSERT INTO t_car (plate, price) VALUES ($1, $2) RETURNING car_id", plate, 50000);
}

static void
expect_failure(struct db *db, const char *part)
{
	assert_true(db_failed(db));
	if (!strstr(db_error(db), part))
		fail_msg("\"%s\" does not say \"%s\"", db_error(db), part);
	db_fresh(db);
	assert_false(db_failed(db));
}

/* --- reading and writing ------------------------------------------------------------------------------------------ */

TEST(what_is_written_is_read_back)
{
	struct db *db = scratch_open(&fleet);
	struct t_car car = { .untouched = 7 }, *cars;
	int n, rows = 0;

	assert_int_equal(add_car(db, "12가 3456"), 1);
	assert_int_equal(db_do(db, "UPDATE t_car SET colour = $2 WHERE plate = $1", "12가 3456", "red"), 1);
	add_car(db, "99하 0001");
	assert_true(db_one(db, &t_car_shape, &car,
		"SELECT car_id, plate, price, colour, price > 1 AS is_dear FROM t_car WHERE car_id = $1", 1));
	assert_string_equal(car.plate, "12가 3456");
	assert_int_equal(car.price, 50000);
	assert_int_equal(car.colour, 1);
	assert_true(car.is_dear);
	assert_int_equal(car.untouched, 7);
	assert_false(db_one(db, &t_car_shape, &car, "SELECT car_id FROM t_car WHERE car_id = $1", 3));
	assert_int_equal(db_list(db, &t_car_shape, &cars, &n, "SELECT plate FROM t_car ORDER BY car_id"), 2);
	assert_string_equal(cars[1].plate, "99하 0001");
	assert_string_equal(db_text(db, "SELECT plate FROM t_car WHERE car_id = $1", 2), "99하 0001");
	assert_null(db_text(db, "SELECT plate FROM t_car WHERE car_id = $1", 9));
	assert_int_equal(db_int(db, "SELECT branch FROM t_car WHERE car_id = $1", 1), 0);
	assert_true(db_exists(db, "SELECT 1 FROM t_car WHERE plate = $1", "99하 0001"));
	assert_false(db_exists(db, "SELECT 1 FROM t_car WHERE plate = $1", "none"));
	for (struct rows *r = db_each(db, "SELECT car_id, plate FROM t_car ORDER BY car_id"); db_next(r);)
		rows += (int)row_int(r, 0);
	assert_int_equal(rows, 3);
	assert_false(db_failed(db));
	db_close(db);
}

TEST(a_list_of_thousands_is_whole)
{
	struct db *db = scratch_open(&fleet);
	struct t_car *cars;
	int n;

	db_begin(db);
	for (int i = 0; i < 3000; i++)
		add_car(db, arena_printf(scratch_memory, "%d", i));
	assert_true(db_commit(db));
	assert_int_equal(db_list(db, &t_car_shape, &cars, &n, "SELECT car_id, plate FROM t_car ORDER BY car_id"), 3000);
	for (int i = 0; i < n; i++)
		assert_int_equal(atoi(cars[i].plate), i);
	db_close(db);
}

TEST(placeholders_bind_by_their_number)
{
	struct db *db = scratch_open(&fleet);

	assert_string_equal(db_text(db, "SELECT $2 || $1 || $2", "a", "b"), "bab");
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_count WHERE $1 IS NULL", (const char *)NULL), 1);
	db_int(db, "SELECT $1", 1, 2);
	expect_failure(db, "2 values for 1");
	db_int(db, "SELECT $2", 1);
	expect_failure(db, "$1 is missing");
	db_close(db);
}

TEST(a_column_without_a_member_is_a_mistake)
{
	struct db *db = scratch_open(&fleet);
	struct t_car car;

	assert_false(db_one(db, &t_car_shape, &car, "SELECT 1 AS wheels"));
	expect_failure(db, "no member for column wheels");
	db_close(db);
}

TEST(after_a_mistake_nothing_is_done_until_fresh)
{
	struct db *db = scratch_open(&fleet);

	db_do(db, "DELETE FROM nowhere");
	assert_true(db_failed(db));
	add_car(db, "1");
	assert_int_equal(db_int(db, "SELECT 5"), 0);
	db_fresh(db);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 0);
	assert_int_equal(db_int(db, "SELECT 5"), 5);
	db_close(db);
}

TEST(a_statement_cannot_be_iterated_inside_itself)
{
	struct db *db = scratch_open(&fleet);

	for (int i = 0; i < 2; i++)
		assert_int_equal(db_next(db_each(db, "SELECT n FROM t_count")), i == 0);
	expect_failure(db, "walked already");
	assert_true(db_next(db_each(db, "SELECT n FROM t_count")));
	db_close(db);
}

/* --- refusals ----------------------------------------------------------------------------------------------------- */

TEST(a_refusal_is_a_value_with_a_name)
{
	struct db *db = scratch_open(&fleet);

	assert_true(db_try(db, "INSERT INTO t_car (plate, price, colour) VALUES ($1, 1, 'red')", "A"));
	assert_false(db_try(db, "INSERT INTO t_car (plate, price, colour) VALUES ($1, 1, 'blue')", "A"));
	assert_string_equal(db_refusal(db), "t_car.plate");
	assert_false(db_try(db, "INSERT INTO t_car (plate, price, colour) VALUES ($1, 1, 'red')", "B"));
	assert_string_equal(db_refusal(db), "t_one_red");
	assert_false(db_try(db, "INSERT INTO t_car (plate, price) VALUES ($1, $2)", "B", 0));
	assert_string_equal(db_refusal(db), "check");
	assert_false(db_try(db, "INSERT INTO t_car (plate, price) VALUES ($1, $2)", "SCRAP", 1));
	assert_string_equal(db_refusal(db), "scrapped");
	assert_false(db_try(db, "INSERT INTO t_car (plate, price, branch) VALUES ($1, 1, $2)", "B", 99));
	assert_string_equal(db_refusal(db), "foreign_key");
	assert_false(db_failed(db));
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 1);
	db_close(db);
}

TEST(a_refusal_leaves_the_enclosing_transaction_open)
{
	struct db *db = scratch_open(&fleet);

	db_begin(db);
	add_car(db, "A");
	assert_false(db_try(db, "INSERT INTO t_car (plate, price) VALUES ($1, $2)", "A", 1));
	add_car(db, "B");
	assert_true(db_commit(db));
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 2);
	db_close(db);
}

TEST(an_unexpected_constraint_violation_is_a_mistake)
{
	struct db *db = scratch_open(&fleet);

	add_car(db, "A");
	add_car(db, "A");
	expect_failure(db, "UNIQUE");
	db_try(db, "INSERT INTO t_car (plate, price) VALUES ($1, 1)", (const char *)NULL);
	expect_failure(db, "NOT NULL");
	db_close(db);
}

/* --- who may touch what ------------------------------------------------------------------------------------------- */

TEST(a_role_cannot_write_anothers_table)
{
	struct db *db = scratch_open(&guest);

	db_do(db, "UPDATE t_car SET price = 1");
	expect_failure(db, "not authorized");
	db_do(db, "DELETE FROM t_secret WHERE secret_id = 1");
	expect_failure(db, "not authorized");
	assert_int_equal(db_do(db, "UPDATE t_count SET n = n + 1 WHERE name = 'hits'"), 1);
	db_close(db);
}

TEST(a_role_reads_tables_of_others_only_through_published_views)
{
	struct db *db = scratch_open(&guest);

	db_text(db, "SELECT word FROM t_secret WHERE secret_id = 1");
	expect_failure(db, "prohibited");
	db_int(db, "SELECT count(*) FROM t_secret WHERE word > 'a'");
	expect_failure(db, "prohibited");
	db_do(db, "UPDATE t_count SET n = (SELECT secret_id FROM t_secret)");
	expect_failure(db, "prohibited");
	assert_int_equal(db_int(db, "SELECT secret_id FROM v_t_secret"), 1);
	assert_int_equal(db_int(db, "SELECT count(*) FROM v_t_secret s JOIN t_count c ON c.n < s.secret_id"), 1);
	assert_int_equal(db_int(db, "SELECT count(*) FROM v_t_secret"), 1);
	assert_false(db_failed(db));
	db_close(db);
}

TEST(only_the_command_changes_the_schema_or_attaches)
{
	struct db *db = scratch_open(&fleet);

	db_do(db, "DROP TABLE t_car");
	expect_failure(db, "not authorized");
	db_do(db, "ATTACH '/tmp/x.db' AS x");
	expect_failure(db, "not authorized");
	db_do(db, "PRAGMA synchronous=OFF");
	expect_failure(db, "not authorized");
	db_int(db, "SELECT max(name) FROM sqlite_schema");
	expect_failure(db, "prohibited");
	db_close(db);
	db = scratch_open(&command);
	assert_true(db_script(db, "CREATE TABLE t_new (x INTEGER) STRICT; INSERT INTO t_new VALUES (1), (2);"));
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_new"), 2);
	assert_false(db_script(db, "INSERT INTO t_new VALUES (3); INSERT INTO nowhere VALUES (1);"));
	db_fresh(db);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_new"), 2);
	db_close(db);
}

TEST(events_can_be_appended_and_never_changed_or_deleted)
{
	struct db *db = scratch_open(&guest);

	db_do(db,
		"INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)"
		" VALUES (1, 'a.b', 's', 1, 1, '{}', '', 'h')");
	assert_string_equal(db_text(db, "SELECT type FROM event WHERE event_id = $1", 1), "a.b");
	db_do(db, "UPDATE event SET type = 'x.y'");
	expect_failure(db, "not authorized");
	db_do(db, "DELETE FROM event");
	expect_failure(db, "not authorized");
	db_close(db);
	db = scratch_open(&command);
	db_do(db, "DELETE FROM event");
	expect_failure(db, "event_is_append_only");
	db_close(db);
}

TEST(a_get_cannot_write)
{
	struct db *db = scratch_open(&fleet);

	db_read_only(db, true);
	add_car(db, "A");
	expect_failure(db, "tried to write");
	db_begin(db);
	db_rollback(db);
	expect_failure(db, "began a transaction");
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 0);
	db_read_only(db, false);
	assert_int_equal(add_car(db, "A"), 1);
	db_close(db);
}

TEST(the_read_models_read_the_log_and_cannot_write_it)
{
	struct db *other = scratch_open(&guest), *db = scratch_open(&mypage);

	db_begin(db);
	db_do(db, "INSERT INTO t_seen (event_id) VALUES ($1)", 1);
	/* the main file is free meanwhile */
	db_do(other,
		"INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)"
		" VALUES (1, 'a.b', 's', 1, 1, '{}', '', 'h')");
	assert_false(db_failed(other));
	assert_int_equal(db_int(db, "SELECT count(*) FROM event"), 0);
	db_do(db, "INSERT INTO position (consumer, event_id, moved_at) VALUES ('mypage', 1, 1)");
	assert_true(db_commit(db));
	assert_true(db_durable(db));
	assert_int_equal(db_int(db, "SELECT count(*) FROM event"), 1);
	assert_int_equal(db_int(db, "SELECT event_id FROM position WHERE consumer = 'mypage'"), 1);
	assert_int_equal(db_int(other, "SELECT count(*) FROM position WHERE consumer = 'mypage'"), 0);
	db_do(db,
		"INSERT INTO event (event_id, type, subject_id, occurred_at, recorded_at, payload, prev_hash, hash)"
		" VALUES (2, 'a.b', 's', 1, 1, '{}', 'h', 'i')");
	expect_failure(db, "not authorized");
	db_text(db, "SELECT word FROM t_secret");
	expect_failure(db, "prohibited");
	assert_int_equal(db_int(db, "SELECT secret_id FROM v_t_secret"), 1);
	db_close(db);
	db_close(other);
}

TEST(the_log_opens_read_only_even_when_its_wal_must_be_recovered)
{
	struct db *db = scratch_open(&fleet);

	add_car(db, "A");
	assert_true(db_durable(db));
	db_close(db);
	assert_int_equal(access(scratch_path("motorpool.db-wal"), F_OK), 0); /* closing has not checkpointed */
	assert_int_equal(unlink(scratch_path("motorpool.db-shm")), 0);
	db = scratch_open(&mypage);
	assert_false(db_failed(db));
	db_close(db);
	db = scratch_open(&fleet);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 1);
	db_close(db);
}

/* --- transactions ------------------------------------------------------------------------------------------------- */

TEST(nested_transactions_commit_once_at_the_outermost)
{
	struct db *db = scratch_open(&fleet), *other = scratch_open(&guest);

	db_begin(db);
	db_begin(db);
	db_do(db, "UPDATE t_count SET n = 5 WHERE name = 'hits'");
	assert_true(db_commit(db));
	assert_true(db_in_transaction(db));
	assert_int_equal(db_int(other, "SELECT n FROM t_count WHERE name = 'hits'"), 0);
	assert_true(db_commit(db));
	assert_false(db_in_transaction(db));
	assert_int_equal(db_int(other, "SELECT n FROM t_count WHERE name = 'hits'"), 5);
	db_close(db);
	db_close(other);
}

TEST(a_rollback_inside_makes_the_outer_commit_refuse)
{
	struct db *db = scratch_open(&fleet);

	db_begin(db);
	add_car(db, "A");
	db_begin(db);
	add_car(db, "B");
	db_rollback(db);
	assert_false(db_failed(db));
	assert_false(db_commit(db));
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 0);
	db_begin(db);
	add_car(db, "C");
	assert_true(db_commit(db));
	db_close(db);
}

TEST(a_mistake_in_a_transaction_releases_the_writers_lock_at_once)
{
	struct db *db = scratch_open(&fleet), *other = scratch_open(&guest);

	db_begin(db);
	add_car(db, "A");
	db_do(db, "DELETE FROM nowhere");
	db_do(other, "UPDATE t_count SET n = 1 WHERE name = 'hits'"); /* would wait 5 s and fail */
	assert_false(db_failed(other));
	assert_false(db_commit(db));
	db_fresh(db);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 0);
	db_close(db);
	db_close(other);
}

TEST(what_a_request_left_open_is_rolled_back_by_the_next)
{
	struct db *db = scratch_open(&fleet);

	db_begin(db);
	db_begin(db);
	add_car(db, "A");
	assert_false(db_durable(db)); /* an answer in the middle of a transaction is a bug: it is rolled back */
	expect_failure(db, "inside a transaction");
	assert_false(db_in_transaction(db));
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 0);
	db_close(db);
}

TEST(a_commit_that_fails_rolls_back_and_lets_others_write)
{
	struct db *db = scratch_open(&command), *other = scratch_open(&fleet);

	assert_true(db_script(db,
		"CREATE TABLE t_leaf (id INTEGER REFERENCES t_branch (branch_id) DEFERRABLE INITIALLY DEFERRED)"
		" STRICT;"));
	db_begin(db);
	db_do(db, "INSERT INTO t_leaf (id) VALUES (77)");
	assert_false(db_commit(db));
	expect_failure(db, "FOREIGN KEY");
	add_car(other, "A");
	assert_false(db_failed(other));
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_leaf"), 0);
	db_close(db);
	db_close(other);
}

static int
count_up(void *arg)
{
	struct db *db = scratch_open(&guest);
	int n = *(int *)arg;

	for (int i = 0; i < n; i++) {
		db_begin(db);
		db_do(db, "UPDATE t_count SET n = $1 WHERE name = 'hits'",
			db_int(db, "SELECT n FROM t_count WHERE name = 'hits'") + 1);
		if (!db_commit(db) || !db_durable(db))
			return 1;
	}
	db_close(db);
	return 0;
}

TEST(four_processes_keep_a_counter_exact)
{
	pid_t pid[4];
	int n = 300;
	struct db *db;

	for (int i = 0; i < 4; i++)
		pid[i] = scratch_fork(count_up, &n);
	for (int i = 0; i < 4; i++)
		assert_int_equal(scratch_wait(pid[i]), 0);
	db = scratch_open(&guest);
	assert_int_equal(db_int(db, "SELECT n FROM t_count WHERE name = 'hits'"), 4 * n);
	db_close(db);
}

static int
try_writers_lock(void *arg)
{
	struct lock *l = arg;
	bool ok = lock_writer(l, 20);

	if (ok)
		unlock_writer(l);
	return ok;
}

TEST(a_transaction_holds_the_writers_lock_from_begin_to_end)
{
	struct db *db = scratch_open(&guest);

	db_begin(db);
	assert_int_equal(scratch_wait(scratch_fork(try_writers_lock, db->lock)), false);
	db_commit(db);
	assert_int_equal(scratch_wait(scratch_fork(try_writers_lock, db->lock)), true);
	db_begin(db);
	db_rollback(db);
	assert_int_equal(scratch_wait(scratch_fork(try_writers_lock, db->lock)), true);
	db_close(db);
}

TEST(a_killed_writer_does_not_block_others)
{
	int forever = 1 << 30, ten = 10;
	struct db *db;

	for (int i = 0; i < 15; i++) {
		pid_t pid = scratch_fork(count_up, &forever);

		scratch_sleep_ms(20 + 3 * i);
		kill(pid, SIGKILL);
		assert_int_equal(scratch_wait(pid), -SIGKILL);
		assert_int_equal(scratch_wait(scratch_fork(count_up, &ten)), 0);
	}
	db = scratch_open(&guest);
	assert_true(db_int(db, "SELECT n FROM t_count WHERE name = 'hits'") >= 150);
	db_close(db);
}

static int
use_parents_connection(void *arg)
{
	struct db *db = arg;

	db_begin(db);
	return strstr(db_error(db), "fork") ? 0 : 1;
}

TEST(a_connection_does_not_cross_fork)
{
	struct db *db = scratch_open(&guest);

	assert_int_equal(scratch_wait(scratch_fork(use_parents_connection, db)), 0);
	db_close(db);
}

/* --- limits and the lint ------------------------------------------------------------------------------------------ */

TEST(a_statement_that_runs_too_long_is_stopped)
{
	struct db *db = scratch_open(&guest);

	db_int(db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
	expect_failure(db, "longer than");
	db_close(db);
}

TEST(the_lint_finds_unmarked_scans_and_sorts)
{
	struct db *db;

	setenv("DB_LINT", "1", 1);
	db = scratch_open(&fleet);
	unsetenv("DB_LINT");
	db_int(db, "SELECT count(*) FROM t_car c WHERE c.price > 3");
	expect_failure(db, "/*scan*/");
	db_int(db, "SELECT /*scan*/ car_id FROM t_car ORDER BY price");
	expect_failure(db, "/*sort*/");
	db_int(db, "SELECT /*scan*/ /*sort*/ car_id FROM t_car ORDER BY price");
	db_int(db, "SELECT car_id FROM t_car WHERE plate = $1", "A");
	db_int(db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n");
	db_int(db,
		"WITH dear AS MATERIALIZED (SELECT car_id FROM t_car WHERE plate > $1) SELECT count(*) FROM dear AS d",
		"A");
	db_int(db, "SELECT 1");
	assert_false(db_failed(db));
	db_close(db);
}

/* --- the WAL ------------------------------------------------------------------------------------------------------ */

TEST(a_checkpoint_empties_the_wal_and_keeps_everything)
{
	struct db *db = scratch_open(&fleet);
	struct db *other = scratch_open(&guest);
	int64_t n;

	for (int i = 0; i < 50; i++)
		add_car(db, arena_printf(scratch_memory, "%d", i));
	n = db_wal_pages(db);
	assert_true(n >= 50);
	assert_int_equal(db_checkpoint(other), n);
	assert_int_equal(db_wal_pages(db), 0);
	add_car(db, "again");
	assert_true(db_wal_pages(db) < n); /* the WAL was restarted */
	assert_int_equal(db_int(other, "SELECT count(*) FROM v_t_secret"), 1);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 51);
	db_close(db);
	db_close(other);
}

/* Past 16 MiB a checkpoint waits up to 100 ms for readers, and all writers wait with it: not repeatedly for the same
 * reader. */
TEST(a_long_reader_is_waited_for_at_most_twice)
{
	struct db *db = scratch_open(&fleet), *reader = scratch_open(&fleet), *checkpointer = scratch_open(&command);
	char *long_text = arena_alloc(scratch_memory, 6 << 20);
	struct rows *r;

	memset(long_text, 'x', (6 << 20) - 1);
	add_car(db, "A");
	add_car(db, "B");
	r = db_each(reader, "SELECT plate FROM t_car");
	assert_true(db_next(r));
	for (int i = 0; i < 3; i++)
		add_car(db, arena_printf(scratch_memory, "%d%s", i, long_text));
	assert_true(db_wal_pages(db) > 4096);
	db_checkpoint(checkpointer);
	db_checkpoint(checkpointer);
	assert_true(scratch_is_quick(500,
		for (int i = 0; i < 10; i++)
			assert_true(db_checkpoint(checkpointer) > 4096))); /* a second if each call waited */
	db_done(r);
	db_checkpoint(checkpointer); /* notices progress */
	db_checkpoint(checkpointer);
	assert_int_equal(db_wal_pages(db), 0);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 5);
	db_close(db);
	db_close(reader);
	db_close(checkpointer);
}

TEST(the_data_version_counts_all_commits_and_nothing_else)
{
	struct db *db = scratch_open(&fleet), *other = scratch_open(&guest), *view = scratch_open(&mypage);
	int64_t before = db_data_version(db), view_before = db_data_version(view);

	db_begin(other);
	db_do(other, "UPDATE t_count SET n = 3 WHERE name = 'hits'");
	assert_int_equal(db_data_version(db), before);
	db_commit(other);
	assert_true(db_data_version(db) > before);
	assert_true(db_data_version(view) > view_before);
	before = db_data_version(db);
	db_begin(db);
	add_car(db, "A");
	db_rollback(db);
	assert_int_equal(db_data_version(db), before);
	add_car(db, "A");
	assert_true(db_data_version(db) > before);
	db_close(db);
	db_close(other);
	db_close(view);
}

static sqlite3_io_methods broken_methods;

static int
broken_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return SQLITE_IOERR_FSYNC;
}

/* The WAL's sync fails in this connection, as on a failing disk. */
static const sqlite3_io_methods *
break_sync(struct db *db)
{
	const sqlite3_io_methods *was;
	sqlite3_file *f;

	sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f);
	was = f->pMethods;
	broken_methods = *was;
	broken_methods.xSync = broken_sync;
	f->pMethods = &broken_methods;
	return was;
}

static void
mend_sync(struct db *db, const sqlite3_io_methods *was)
{
	sqlite3_file *f;

	sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f);
	f->pMethods = was;
}

TEST(after_a_failed_sync_nothing_is_durable_until_the_wal_is_checkpointed)
{
	struct db *db = scratch_open(&fleet), *other = scratch_open(&fleet), *checkpointer = scratch_open(&command);
	const sqlite3_io_methods *was;

	add_car(db, "A");
	add_car(other, "B");
	was = break_sync(db);
	assert_false(db_durable(db));
	assert_false(db_durable(other));
	db_fresh(db);
	assert_true(db_failed(db)); /* this process must be replaced */
	mend_sync(db, was);
	db_close(db);
	db_close(other);
	db = scratch_open(&fleet);
	add_car(db, "C");
	expect_failure(db, "nothing is written");
	assert_true(db_checkpoint(checkpointer) > 0);
	assert_int_equal(add_car(db, "C"), 3);
	assert_true(db_durable(db));
	db_close(db);
	db_close(checkpointer);
}

TEST(a_repeated_request_waits_until_the_first_commit_is_durable)
{
	struct db *first = scratch_open(&fleet), *second = scratch_open(&fleet);
	const sqlite3_io_methods *was;

	add_car(first, "A"); /* committed, not synced */
	was = break_sync(second);
	db_read_only(second, true);
	assert_true(db_durable(second)); /* a page that only reads does not wait */
	db_read_only(second, false);
	assert_false(db_durable(second));
	mend_sync(second, was);
	db_close(first);
	db_close(second);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

TEST(a_wrong_schema_version_is_reported_as_an_upgrade)
{
	struct db *db = scratch_open(&command);
	const char *why = "";

	db_do(db, "PRAGMA user_version = 99");
	db_close(db);
	assert_null(db_open(scratch, &fleet, scratch_memory, &why));
	assert_string_equal(why, "being upgraded");
	assert_null(db_open(scratch, &mypage, scratch_memory, &why));
	assert_string_equal(why, "being upgraded");
	assert_null(db_open("/nowhere", &fleet, scratch_memory, &why));
	assert_non_null(strstr(why, "not made yet"));
}

TEST(making_the_files_again_changes_nothing_and_a_bad_script_leaves_none)
{
	struct db *db = scratch_open(&fleet);
	const char *why = "";

	add_car(db, "A");
	db_close(db);
	assert_true(db_create(scratch, scratch_path("schema.sql"), scratch_path("view.sql"), &why));
	db = scratch_open(&fleet);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_car"), 1);
	db_close(db);
	scratch_write(scratch_path("bad.sql"),
		"PRAGMA user_version = 1; CREATE TABLE x (y INTEGER); CREATE TABLE x (y INTEGER);");
	assert_false(db_create_own(scratch, "sandbox", scratch_path("bad.sql"), &why));
	assert_non_null(strstr(why, "already exists"));
	assert_int_not_equal(access(scratch_path("sandbox.db"), F_OK), 0);
}

TEST(a_rebuilt_read_model_does_not_inherit_the_old_wal)
{
	struct db *db = scratch_open(&mypage);
	const char *why = "";

	db_do(db, "INSERT INTO t_seen (event_id) VALUES (1)");
	db_close(db);
	assert_int_equal(unlink(scratch_path("view.db")), 0);
	assert_true(db_create(scratch, scratch_path("schema.sql"), scratch_path("view.sql"), &why));
	db = scratch_open(&mypage);
	assert_int_equal(db_int(db, "SELECT count(*) FROM t_seen"), 0);
	db_close(db);
}

TEST(a_separate_database_has_its_own_queue)
{
	static const struct db_role sandbox = { .name = "sandbox", .owns = "t_x", .own_db = "sandbox" };
	const char *why = "";
	struct db *db, *main_db = scratch_open(&fleet);

	scratch_write(
		scratch_path("own.sql"), "PRAGMA user_version = 1; CREATE TABLE t_x (y INTEGER NOT NULL) STRICT;");
	assert_true(db_create_own(scratch, "sandbox", scratch_path("own.sql"), &why));
	db = scratch_open(&sandbox);
	db_begin(main_db);
	db_do(db, "INSERT INTO t_x (y) VALUES (1)");
	assert_false(db_failed(db));
	assert_true(db_durable(db));
	db_rollback(main_db);
	db_close(db);
	db_close(main_db);
}

/* --- for the command ---------------------------------------------------------------------------------------------- */

TEST(an_undamaged_file_has_no_faults_and_an_orphan_is_named)
{
	struct db *db = scratch_open(&command);
	const char *first = NULL;

	assert_int_equal(db_verify(db, &first), 0);
	assert_int_equal(db_verify_references(db, &first), 0);
	assert_null(first);
	sqlite3_exec(db->sqlite, "PRAGMA foreign_keys = OFF", NULL, NULL, NULL);
	db_script(db, "CREATE TABLE t_of (car_id INTEGER REFERENCES t_car (car_id)); INSERT INTO t_of VALUES (77)");
	assert_int_equal(db_verify_references(db, &first), 1);
	assert_string_equal(first, "t_of row 1");
	assert_false(db_failed(db));
	db_close(db);
}

TEST(another_database_can_be_attached_and_a_missing_one_is_not_created)
{
	struct db *db = scratch_open(&command);

	assert_false(db_beside(db, scratch_path("nosuch.db"), "other"));
	assert_int_not_equal(access(scratch_path("nosuch.db"), F_OK), 0);
	assert_true(db_beside(db, scratch_path("view.db"), "other"));
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM other.t_seen"), 0);
	assert_false(db_failed(db));
	db_close(db);
}

TEST(bulk_writes_are_visible_to_others_afterwards)
{
	struct db *db = scratch_open(&command), *other;

	db_bulk(db, true);
	add_car(db, "A");
	db_bulk(db, false);
	other = scratch_open(&command);
	assert_true(db_exists(other, "SELECT 1 FROM t_car WHERE plate = 'A'"));
	assert_false(db_failed(db));
	db_close(other);
	db_close(db);
}

/* --- how long it takes -------------------------------------------------------------------------------------------- */

TEST(figures)
{
	struct db *db = scratch_open(&fleet);
	struct t_car car;
	double t;

	add_car(db, "A");
	t = scratch_us();
	for (int i = 0; i < 500; i++) {
		db_begin(db);
		db_do(db, "UPDATE t_count SET n = n + 1 WHERE name = $1", "hits");
		db_do(db, "UPDATE t_car SET price = price + 1 WHERE car_id = $1", 1);
		db_commit(db);
		db_durable(db);
	}
	print_message("a transaction of two changes, durable: %.1f us\n", (scratch_us() - t) / 500);
	t = scratch_us();
	for (int i = 0; i < 20000; i++) {
		db_one(db, &t_car_shape, &car, "SELECT car_id, plate, price, colour FROM t_car WHERE car_id = $1", 1);
		if (i % 1000 == 0)
			arena_reset(scratch_memory);
	}
	print_message("db_one of four columns by key: %.2f us\n", (scratch_us() - t) / 20000);
	assert_false(db_failed(db));
	db_close(db);
}

TEST_MAIN("db", NULL, NULL, begin, scratch_end)
