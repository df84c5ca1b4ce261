/* test_relay - relays that take over, are killed, are woken by commits; checkpoints; --once. Each relay is a child
 * process. */
#include "test.h"

#include "relay_world.h"

/* --- active and standby ----------------------------------------------------------------------------------------- */

TEST(two_relays_at_once_and_each_event_takes_effect_once)
{
	relay_for(60000);
	relay_for(60000);
	emit_many("booking.paid", 300);
	each_once(300);
}

TEST(a_third_relay_ends_at_once)
{
	pid_t third;

	relay_for(60000);
	scratch_sleep_ms(100);
	relay_for(60000);
	scratch_sleep_ms(100);
	third = relay_for(60000);
	assert_int_equal(scratch_wait(third), 0);
	gone(third);
}

TEST(when_its_time_is_over_the_standby_takes_over_without_a_gap)
{
	pid_t first;

	first = relay_for(500);
	scratch_sleep_ms(150);
	relay_for(60000);
	for (int i = 0; i < 12; i++) {
		emit_many("booking.paid", 25);
		scratch_sleep_ms(60);
	}
	assert_int_equal(scratch_wait(first), 0);
	gone(first);
	each_once(300);
}

TEST(the_standby_takes_over_when_the_active_relay_is_killed)
{
	pid_t first;
	int status;

	first = relay_for(60000);
	scratch_sleep_ms(200);
	relay_for(60000);
	scratch_sleep_ms(100);
	emit_many("booking.paid", 100);
	kill(first, SIGKILL);
	waitpid(first, &status, 0);
	gone(first);
	emit_many("booking.paid", 200);
	each_once(300);
}

TEST(after_sigterm_it_finishes_the_work_in_progress_and_leaves_no_child)
{
	pid_t relay;

	relay = relay_for(60000);
	emit_many("booking.paid", 50);
	each_once(50);
	kill(relay, SIGTERM);
	assert_int_equal(scratch_wait(relay), 0);
	gone(relay);
	emit_many("booking.paid", 10);
	scratch_sleep_ms(200);
	assert_int_equal(count("t_effect", false), 50);
}

/* --- waking ----------------------------------------------------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

#define N_COMMITS 100

/* How long a reaction takes, in us: the median of many commits. */
static int64_t
reaction_us(int n_before)
{
	int64_t took[N_COMMITS];
	struct db *looker;

	for (int i = 0; i < N_COMMITS; i++) {
		took[i] = (int64_t)scratch_us();
		emit_many("booking.paid", 1);
		scratch_sleep_ms(15);
	}
	each_once(n_before + N_COMMITS);
	looker = scratch_open(&looker_role);
	for (int i = 0; i < N_COMMITS; i++)
		took[i] = db_int(looker, "SELECT at_us FROM t_effect WHERE n = $1", n_before + i + 1) - took[i];
	db_close(looker);
	qsort(took, N_COMMITS, sizeof(took[0]), by_size);
	printf("          commit to reaction: p50 %lld us, p90 %lld us, max %lld us\n", (long long)took[50],
		(long long)took[90], (long long)took[99]);
	return took[N_COMMITS / 2];
}

/* Without the wake-up it would take 50 ms on average. Repeated on a busy machine. */
TEST(a_commit_is_reacted_to_within_milliseconds)
{
	bool is_quick = false;

	relay_for(600000);
	emit_many("booking.paid", 1);
	assert_true(wait_until("t_seen", 1, 5000));
	for (int i = 0; i < 10 && !is_quick; i++)
		is_quick = reaction_us(1 + i * N_COMMITS) < 20000;
	assert_true(is_quick);
}

TEST(a_lost_wakeup_costs_a_tenth_of_a_second)
{
	relay_for(60000);
	emit_many("booking.paid", 1);
	assert_true(wait_until("t_seen", 1, 5000));
	assert_int_equal(unlink(scratch_path("run/relay.wake")), 0);
	emit_many("booking.paid", 1);
	assert_true(wait_until("t_seen", 2, 2000));
}

TEST(sweeps_come_every_second_without_any_event)
{
	relay_for(60000);
	assert_true(wait_until("t_swept", 3, 3500));
}

TEST(sweeps_come_every_second_under_a_steady_stream_of_events)
{
	int64_t before;

	relay_for(60000);
	emit_many("booking.paid", 1);
	assert_true(wait_until("t_effect", 1, 5000));
	scratch_sleep_ms(300);
	before = count("t_swept", false);
	for (int i = 0; i < 400 || (i < 400 * SCRATCH_PATIENCE && count("t_swept", false) < before + 3); i++) {
		emit_many("booking.paid", 1);
		scratch_sleep_ms(10);
	}
	assert_true(count("t_swept", false) >= before + 3);
}

TEST(relay_alive_is_touched_each_second)
{
	const char *path = scratch_path("run/relay.alive");
	struct stat before, after;

	relay_for(60000);
	assert_true(scratch_until(stat(path, &before) == 0, 1000));
	assert_true(scratch_until(stat(path, &after) == 0 && after.st_mtim.tv_sec > before.st_mtim.tv_sec, 1300));
}

/* --- children --------------------------------------------------------------------------------------------------- */

TEST(a_read_model_file_that_is_deleted_is_made_again_while_the_relay_runs)
{
	char root[512];

	/* the real view.sql has no tables of this test; what matters is that the file is created and the relay lives */
	assert_non_null(getcwd(root, sizeof(root)));
	relay_for(60000);
	emit_many("booking.paid", 5);
	each_once(5);
	assert_int_equal(unlink(scratch_path("view.db")), 0);
	assert_true(scratch_until(access(scratch_path("view.db"), F_OK) == 0, 5000));
	emit_many("booking.paid", 5);
	assert_int_equal(db_failed(db), false);
}

/* --- the checkpointer ------------------------------------------------------------------------------------------- */

TEST(the_wal_is_moved_into_the_file_while_writers_write)
{
	relay_for(60000);
	for (int i = 0; i < 20; i++) {
		emit_many("booking.paid", 100);
		arena_reset(scratch_memory);
	}
	assert_true(wait_until("t_seen", 2000, 20000));
	assert_true(scratch_until(db_wal_pages(db) < 1000, 2500));
	each_once(2000);
}

TEST(the_checkpointer_records_how_far_behind_each_consumer_is)
{
	struct lag_history h = { 0 };

	emit_many("booking.paid", 20);
	relay_for(60000);
	each_once(20);
	db_begin(db);
	db_do(db,
		"INSERT INTO event_retry (consumer, event_id, subject_id, tries, next_at, dead)"
		" VALUES ('other', 1, 'MP-0', 12, 0, 1)");
	assert_true(db_commit(db));
	for (int i = 0; i < 130 * SCRATCH_PATIENCE && h.n_samples < 2; i++, scratch_sleep_ms(50))
		lag_history_read(scratch_memory, scratch, &h);
	assert_int_equal(h.n_samples, 2);
	assert_int_equal(h.n_consumers, 3);
	assert_string_equal(h.consumer[1], "other");
	assert_int_equal(h.samples[1].lag[0].n_behind, 0);
	assert_int_equal(h.samples[1].lag[1].n_behind, 1);
	assert_int_equal(h.samples[1].lag[1].n_dead, 1);
	assert_int_equal(h.samples[1].lag[2].n_behind, 0);
	assert_true(h.samples[1].wal_bytes[0] > 0 && h.samples[1].wal_bytes[1] > 0);
	assert_int_equal(h.samples[1].wal_bytes[2], -1);
}

/* --- once ------------------------------------------------------------------------------------------------------- */

static int
be_once(void *arg)
{
	struct relay r = { .root = ".", .var = scratch, .consumers = test_consumers };

	(void)arg;
	return relay_run_once(&r);
}

TEST(once_handles_all_events_and_those_they_cause_and_ends)
{
	pid_t relay;

	emit_many("booking.paid", 30);
	relay = scratch_fork(be_once, NULL);
	assert_int_equal(scratch_wait(relay), 0);
	each_once(30);
}

TEST_MAIN("relay", NULL, NULL, begin, end)
