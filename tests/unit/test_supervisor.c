/* test_supervisor - child processes are started, restarted with pauses, ended and killed. The supervisor's clock is the
 * test's. */
#include "test.h"

static int64_t fake_ms;
static int64_t test_clock_ms(void) { return fake_ms; }
#define clock_ms test_clock_ms
#define MP_CLOCK_H
#include "lib/process/supervisor.c"
#undef MP_CLOCK_H
#undef clock_ms

#include "scratch.h"
#include "lib/base/proc.h"

static struct test_child { struct child child; int n_ended, status; } one[2];
static void (*child_runs)(void);                /* what a child does; it ends with status 3 afterwards */
static enum child_restart answer;

static void
start_one(struct child *c)
{
	if (child_fork(c) == 0) {
		child_runs();
		_exit(3);
	}
}

static enum child_restart
one_ended(struct child *c, int status)
{
	struct test_child *o = (struct test_child *)c;

	o->n_ended++;
	o->status = status;
	return answer;
}

static void returns(void) { }
static void sleeps(void) { for (;;) pause(); }
static int ready_pipe[2];                       /* a child writes to it when it is set up */

static void
ignores_term(void)
{
	signal(SIGTERM, SIG_IGN);
	if (write(ready_pipe[1], "", 1) == 1)
		sleeps();
}

static struct supervisor supervisor;

/* One child, to be started; the second is off. */
TEST_SETUP(begin)
{
	if (scratch_begin(state) != 0)
		return -1;
	memset(one, 0, sizeof(one));
	one[0].child = (struct child){ .state = CHILD_DUE, .name = "first" };
	one[1].child.name = "second";
	answer = CHILD_RESTART;
	fake_ms = 1000000;
	if (pipe(ready_pipe) != 0)
		return -1;
	supervisor = (struct supervisor){
		.children = one,
		.size = sizeof(one[0]),
		.n = 2,
		.start = start_one,
		.ended = one_ended,
		.death_signal = SIGTERM,
	};
	return supervisor_open(&supervisor) ? 0 : -1;
}

TEST_SETUP(end)
{
	for (int i = 0; i < 2; i++)
		if (one[i].child.pid) {
			kill(one[i].child.pid, SIGKILL);
			waitpid(one[i].child.pid, NULL, 0);
		}
	close(supervisor.signal_fd);
	close(ready_pipe[0]);
	close(ready_pipe[1]);
	return scratch_end(state);
}

static void
reap_one(struct test_child *o)
{
	int n = o->n_ended;

	assert_true(scratch_until((supervisor_read_signals(), o->n_ended > n), 60000));
}

TEST(a_child_that_dies_young_is_restarted_at_once_and_then_after_pauses_that_double_to_10_s)
{
	static const int64_t pauses[] = { 0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };

	child_runs = returns;
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		supervisor_run(fake_ms);
		reap_one(&one[0]);
		assert_int_equal(WEXITSTATUS(one[0].status), 3);
		assert_string_equal(child_status(one[0].status), "status 3");
		assert_int_equal(one[0].child.due_ms - fake_ms, pauses[i]);
		if (pauses[i]) {
			assert_int_equal(supervisor_run(fake_ms), fake_ms + pauses[i]);
			assert_int_equal(one[0].child.pid, 0);
		}
		fake_ms += pauses[i];
	}
}

TEST(a_child_that_has_lived_for_5_s_or_is_excused_is_restarted_at_once)
{
	child_runs = returns;
	for (int i = 0; i < 3; i++) {
		supervisor_run(fake_ms);
		reap_one(&one[0]);
		fake_ms = one[0].child.due_ms;
	}
	child_runs = sleeps;
	supervisor_run(fake_ms);
	fake_ms += 5001;
	kill(one[0].child.pid, SIGKILL);
	reap_one(&one[0]);
	assert_string_equal(child_status(one[0].status), "signal 9");
	assert_int_equal(one[0].child.due_ms, fake_ms);
	supervisor_run(fake_ms);
	child_kill(&one[0].child); /* it hung */
	reap_one(&one[0]);
	assert_int_equal(one[0].child.due_ms, fake_ms);
	child_runs = returns;
	answer = CHILD_RESTART_NOW;
	supervisor_run(fake_ms);
	reap_one(&one[0]);
	assert_int_equal(one[0].child.due_ms, fake_ms);
	answer = CHILD_NO_RESTART;
	supervisor_run(fake_ms);
	reap_one(&one[0]);
	assert_int_equal(one[0].child.state, CHILD_OFF);
	assert_int_equal(supervisor_run(fake_ms), CHILD_NEVER);
}

TEST(a_child_that_does_not_end_is_killed_after_its_grace_and_not_restarted)
{
	char ready;

	child_runs = ignores_term;
	supervisor_run(fake_ms);
	assert_int_equal(read(ready_pipe[0], &ready, 1), 1);
	child_end(&one[0].child, SIGTERM, 7000);
	assert_int_equal(supervisor_run(fake_ms), fake_ms + 7000);
	fake_ms += 6999;
	supervisor_run(fake_ms);
	assert_int_equal(one[0].child.state, CHILD_ENDING);
	fake_ms += 1;
	supervisor_run(fake_ms);
	reap_one(&one[0]);
	assert_int_equal(WTERMSIG(one[0].status), SIGKILL);
	assert_int_equal(one[0].child.state, CHILD_OFF);
	assert_int_equal(supervisor_n_running(), 0);
}

TEST(once_it_stops_no_child_is_started)
{
	child_runs = sleeps;
	supervisor_run(fake_ms);
	one[1].child.state = CHILD_DUE;
	raise(SIGTERM);
	supervisor_read_signals();
	assert_true(supervisor.is_stopping && !supervisor.is_hurried);
	assert_int_equal(supervisor_run(fake_ms), CHILD_NEVER);
	assert_int_equal(one[1].child.state, CHILD_OFF);
	raise(SIGINT);
	supervisor_read_signals();
	assert_true(supervisor.is_hurried);
	kill(one[0].child.pid, SIGKILL);
	reap_one(&one[0]);
	assert_int_equal(one[0].child.state, CHILD_OFF);
}

TEST(sighup_asks_for_a_reload_where_there_is_one)
{
	supervisor.reloads = true;
	raise(SIGHUP);
	supervisor_read_signals();
	assert_true(supervisor.is_reload_asked && !supervisor.is_stopping);
	supervisor.reloads = false;
	raise(SIGHUP);
	supervisor_read_signals();
	assert_true(supervisor.is_stopping);
}

TEST(the_pid_file_lists_the_children_that_run)
{
	const char *expected;

	child_runs = sleeps;
	supervisor.pid_file = scratch_path("test.pid");
	one[1].child.state = CHILD_DUE;
	supervisor_run(fake_ms);
	expected = arena_printf(scratch_memory, "%d\n%d first\n%d second\n", (int)getpid(), (int)one[0].child.pid,
		(int)one[1].child.pid);
	assert_string_equal(scratch_read(scratch_path("test.pid")), expected);
	child_end(&one[1].child, SIGTERM, 1000);
	reap_one(&one[1]);
	supervisor_run(fake_ms);
	expected = arena_printf(scratch_memory, "%d\n%d first\n", (int)getpid(), (int)one[0].child.pid);
	assert_string_equal(scratch_read(scratch_path("test.pid")), expected);
}

static void
has_a_child(void)
{
	pid_t pid = fork();

	if (pid > 0 && write(ready_pipe[1], &pid, sizeof(pid)) != sizeof(pid))
		_exit(9);
	sleeps();
}

static bool
is_gone(pid_t pid)
{
	return proc_started(pid) == 0;
}

TEST(a_child_with_a_session_is_killed_with_all_its_processes)
{
	pid_t grandchild;

	supervisor.has_sessions = true;
	child_runs = has_a_child;
	supervisor_run(fake_ms);
	assert_int_equal(read(ready_pipe[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	child_kill(&one[0].child);
	assert_true(scratch_until(is_gone(grandchild), 60000));
	reap_one(&one[0]);
}

static int
supervises(void *arg)
{
	(void)arg;
	child_runs = sleeps;
	supervisor_open(&supervisor);
	supervisor_run(fake_ms);
	if (write(ready_pipe[1], &one[0].child.pid, sizeof(pid_t)) != sizeof(pid_t))
		return 1;
	for (;;)
		pause();
}

TEST(when_the_supervising_process_is_killed_its_children_end)
{
	pid_t parent = scratch_fork(supervises, NULL), child;

	assert_int_equal(read(ready_pipe[0], &child, sizeof(child)), sizeof(child));
	assert_false(is_gone(child));
	kill(parent, SIGKILL);
	assert_int_equal(scratch_wait(parent), -SIGKILL);
	assert_true(scratch_until(is_gone(child), 60000));
}

TEST_MAIN("supervisor", NULL, NULL, begin, end)
