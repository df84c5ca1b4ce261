/* test_relay_crash - the relay when its children crash, hang, are stopped or killed, and when a consumer is paused. */
#include "test.h"

#include "relay_world.h"

/* Indexes of relay_members. */
enum { PARENT, CHECKPOINTER, EFFECT, OTHER, SEEN };

static pid_t
member_pid(int i)
{
	const struct relay_members *members = NULL;
	pid_t pid = 0;

	for (int n = 0; n < 500 * SCRATCH_PATIENCE && !pid; n++) {
		members = shm_map_readonly(scratch, "relay.members", "motorpool members 1", sizeof(*members));
		if (members) {
			pid = atomic_load(&members->member[i].pid);
			shm_unmap(members, sizeof(*members));
		}
		if (!pid)
			scratch_sleep_ms(10);
	}
	assert_true(pid > 0);
	return pid;
}

static bool
is_gone_in(pid_t pid, int64_t started, int ms)
{
	return scratch_until(proc_started(pid) != started, ms);
}

static int64_t
parked(void)
{
	return db_int(db, "SELECT COUNT(*) FROM event_retry");
}

static bool
wait_until_parked(int64_t n, int ms)
{
	return scratch_until(parked() == n, ms);
}

/* --- crashes ---------------------------------------------------------------------------------------------------- */

TEST(a_policy_that_crashes_blocks_only_its_own_subject_until_it_is_fixed)
{
	emit_many("booking.paid", 50);
	emit_many("test.deadly", 1); /* about MP-0, in one batch with other subjects' events */
	emit_many("booking.paid", 100);
	relay_for(60000);
	assert_true(wait_until("t_other", 148, 10000)); /* all but two, of MP-0 */
	assert_true(wait_until_parked(3, 5000));
	assert_int_equal(count("t_other", true), 148);
	assert_true(wait_until("t_effect", 150, 5000)); /* the other consumer is not affected */
	assert_true(wait_until("t_seen", 148, 5000));
	assert_string_equal(
		db_text(db, "SELECT error FROM event_retry WHERE event_id = 51"), "the handler crashed (signal 11)");
	assert_true(db_int(db, "SELECT tries FROM event_retry WHERE event_id = 51") >= 1);
	assert_int_equal(db_int(db, "SELECT SUM(tries) FROM event_retry WHERE event_id <> 51"), 0);
	scratch_write(scratch_path("healed"), "");
	assert_true(wait_until_parked(0, 15000));
	assert_int_equal(count("t_other", false), 151);
	assert_int_equal(count("t_other", true), 151);
	assert_true(wait_until("t_seen", 150, 5000));
}

TEST(a_policy_that_hangs_is_killed_before_writers_time_out_and_counts_as_a_failed_try)
{
	deadly = HANGS;
	relay_for(60000);
	emit_many("booking.paid", 10);
	assert_true(wait_until("t_other", 10, 5000));
	emit_many("test.deadly", 1);
	scratch_sleep_ms(300);
	emit_many("booking.paid", 1); /* waits for the writers' lock, which the hung policy holds, 5 s at most */
	assert_true(wait_until_parked(2, 10000)); /* that event, and the later one of its subject */
	assert_string_equal(
		db_text(db, "SELECT error FROM event_retry WHERE event_id = 21"), "the handler hung and was killed");
	assert_int_equal(db_int(db, "SELECT tries FROM event_retry WHERE event_id = 21"), 4);
	scratch_write(scratch_path("healed"), "");
	assert_true(wait_until_parked(0, 20000));
	assert_int_equal(count("t_other", false), 12);
}

TEST(kills_from_outside_make_no_event_a_dead_letter)
{
	int n = 0;

	srand(11);
	relay_for(60000);
	member_pid(SEEN);
	for (int i = 0; i < 20; i++) {
		emit_many("booking.paid", 20);
		n += 20;
		scratch_sleep_ms(rand() % 60);
		kill(member_pid(EFFECT + rand() % 3), SIGKILL);
		arena_reset(scratch_memory);
	}
	assert_true(wait_until("t_seen", n, 20000));
	assert_true(wait_until_parked(0, 10000));
	each_once(n);
}

TEST(a_sweep_that_crashes_does_not_block_events)
{
	double began = scratch_us();
	int64_t n, most = 2;

	sweep_is_deadly = true;
	relay_for(60000);
	for (int i = 0; i < 30; i++) {
		emit_many("booking.paid", 2);
		scratch_sleep_ms(100);
	}
	assert_true(wait_until("t_effect", 60, 2000));
	n = count("t_swept", false);
	for (double seconds = (scratch_us() - began) / 1e6; seconds >= 1;
		seconds /= 2) /* at 0, 1, 3, 7 s …: less and less often */
		most++;
	assert_true(n >= 1 && n <= most);
}

/* --- hung processes of a relay that is gone --------------------------------------------------------------------- */

TEST(the_standby_kills_a_stopped_child_of_a_killed_relay)
{
	pid_t first, child;
	int64_t started;

	first = relay_for(60000);
	child = member_pid(OTHER);
	started = proc_started(child);
	member_pid(SEEN);
	emit_many("booking.paid", 10);
	each_once(10);
	relay_for(60000);
	scratch_sleep_ms(100);
	kill(child, SIGSTOP);
	kill(first, SIGKILL);
	assert_int_equal(scratch_wait(first), -SIGKILL);
	gone(first);
	emit_many("booking.paid", 10);
	assert_true(is_gone_in(child, started, 15000));
	each_once(20);
}

TEST(the_standby_kills_a_stopped_relay)
{
	pid_t first;

	first = relay_for(60000);
	member_pid(SEEN);
	relay_for(60000);
	scratch_sleep_ms(100);
	kill(first, SIGSTOP);
	emit_many("booking.paid", 10);
	each_once(10); /* its children work on meanwhile */
	assert_int_equal(scratch_wait(first), -SIGKILL);
	gone(first);
	emit_many("booking.paid", 10);
	each_once(20);
}

TEST(a_reused_pid_is_not_taken_for_the_earlier_process)
{
	struct in_flight_table *table = in_flight_open(scratch);
	struct in_flight *f = in_flight_slot(table, "effect");
	pid_t stranger = fork();

	if (stranger == 0) {
		pause();
		_exit(0);
	}
	atomic_store(&f->pid, stranger);
	atomic_store(&f->started, proc_started(stranger));
	assert_false(in_flight_claim(f)); /* it lives and keeps its slot */
	atomic_store(&f->started, proc_started(stranger) - 1);
	assert_true(in_flight_claim(f)); /* another process had this pid */
	assert_int_equal(atomic_load(&f->pid), getpid());
	kill(stranger, SIGKILL);
	assert_int_equal(scratch_wait(stranger), -SIGKILL);
	assert_int_equal(proc_started(stranger), 0);
	shm_unmap(table, sizeof(*table));
}

/* --- pausing -------------------------------------------------------------------------------------------------- */

static const struct db_role pauser_role = { .name = "pauser", .owns = "relay_pause" };

TEST(a_paused_consumer_does_nothing_in_any_relay_until_it_is_resumed)
{
	struct db *pauser = scratch_open(&pauser_role);
	pid_t first = relay_for(60000);
	int64_t swept;

	emit_many("booking.paid", 10);
	each_once(10);
	db_do(pauser,
		"INSERT INTO relay_pause (consumer, paused_at, paused_by, reason) VALUES ('effect', 1, 0, 'a test')");
	db_do(pauser,
		"INSERT INTO relay_pause (consumer, paused_at, paused_by, reason) VALUES ('seen', 1, 0, 'a test')");
	emit_many("booking.paid", 10); /* committed after the pause: none is handled */
	scratch_sleep_ms(1100);        /* a sweep in progress has ended */
	swept = count("t_swept", false);
	kill(first, SIGTERM);
	assert_int_equal(scratch_wait(first), 0);
	gone(first);
	relay_for(60000);
	assert_true(wait_until("t_other", 20, 5000)); /* this one is not paused */
	scratch_sleep_ms(1300);
	assert_int_equal(count("t_effect", false), 10);
	assert_int_equal(count("t_seen", false), 10);
	assert_int_equal(count("t_swept", false), swept);
	db_do(pauser, "DELETE FROM relay_pause");
	each_once(20);
	assert_true(wait_until("t_swept", swept + 1, 3000));
	db_close(pauser);
}

TEST_MAIN("relay crash", NULL, NULL, begin, end)
