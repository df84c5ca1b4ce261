/* test_breaker - when a breaker opens, probes and closes; its permits among processes that race, hang and die. */
#include "test.h"

#include "lib/base/proc.h"
#include "lib/base/clock.h"

static int64_t test_ms(void);
#define clock_ms test_ms
#include "lib/call/breaker.c"
#undef clock_ms

static int64_t test_started(pid_t pid);
#define proc_started test_started
#include "lib/call/breaker_permit.c"
#undef proc_started

#include <stdlib.h>
#include <sys/mman.h>

#include "scratch.h"

/* Real time and what the test has added to it; shared with the processes it starts. */
static _Atomic int64_t *added_ms;

static int64_t
test_ms(void)
{
	return clock_ms() + atomic_load(added_ms);
}

/* Other processes are not visible in /proc. */
static bool are_hidden;

static int64_t
test_started(pid_t pid)
{
	return are_hidden && pid != getpid() ? 0 : proc_started(pid);
}

static void
wait_ms(int64_t ms)
{
	atomic_fetch_add(added_ms, ms);
}

static struct breaker *b;

TEST_SETUP(begin)
{
	if (scratch_begin(state) != 0)
		return -1;
	added_ms = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(opened, 0, sizeof(opened));
	settings = (struct settings){ .breaker = "default", .calls_at_once = 5, .call_deadline_ms = 610 };
	b = breaker_open(scratch, "payment");
	return b ? 0 : -1;
}

TEST_SETUP(end)
{
	shm_unmap(b, sizeof(*b));
	munmap(added_ms, 4096);
	return scratch_end(state);
}

static struct breaker_view
look(void)
{
	struct breaker_view v;

	assert_true(breaker_look(scratch, "payment", &v));
	return v;
}

static enum breaker_answer
call(bool is_good)
{
	int permit;
	enum breaker_answer answer = breaker_enter(b, 0, &permit);

	if (answer == BREAKER_GO)
		breaker_leave(b, permit, is_good);
	return answer;
}

static void
call_times(int n, bool is_good)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(call(is_good), BREAKER_GO);
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

TEST(five_failures_in_a_row_open_it_for_five_seconds)
{
	call_times(4, false);
	call_times(1, true); /* a good one resets the count */
	call_times(4, false);
	assert_int_equal(look().state, BREAKER_CLOSED);
	assert_int_equal(breaker_closed_for_s(b), 0);
	call_times(1, false);
	assert_int_equal(look().state, BREAKER_OPEN);
	assert_true(look().opened_at > 0 && look().again_in_ms > 4000 && look().again_in_ms <= 5000);
	assert_int_equal(breaker_closed_for_s(b), 5);
	assert_int_equal(call(true), BREAKER_IS_OPEN);
	wait_ms(3000);
	assert_int_equal(breaker_closed_for_s(b), 2);
	assert_int_equal(call(true), BREAKER_IS_OPEN);
	assert_int_equal(look().n_refused, 2);
	assert_int_equal(look().n_calls, 10);
	assert_int_equal(look().n_failed, 9);
	assert_int_equal(look().n_opened, 1);
}

/* Good and bad alternate, so there is never a row of failures. */
static void
mixed_calls(int n)
{
	for (int i = 0; i < n && look().state == BREAKER_CLOSED; i++)
		call_times(1, i % 2 == 0);
}

TEST(half_of_twenty_calls_open_it_but_not_half_of_nineteen)
{
	mixed_calls(18);
	call_times(1, false);
	assert_int_equal(look().state, BREAKER_CLOSED);
	call_times(1, false);
	assert_int_equal(look().state, BREAKER_OPEN);
}

TEST(what_failed_ten_seconds_ago_is_forgotten)
{
	mixed_calls(18);
	wait_ms(11000);
	mixed_calls(18);
	assert_int_equal(look().state, BREAKER_CLOSED);
}

TEST(a_tenth_that_fails_does_not_open_it)
{
	for (int i = 0; i < 300; i++)
		call_times(1, i % 10 != 0);
	assert_int_equal(look().state, BREAKER_CLOSED);
}

TEST(strict_opens_at_one_failure_for_ten_seconds_and_one_good_call_closes_it)
{
	settings.breaker = "strict";
	settings.calls_at_once = 50; /* strict: five */
	call_times(1, false);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(breaker_closed_for_s(b), 10);
		wait_ms(9000);
		assert_int_equal(call(true), BREAKER_IS_OPEN);
		wait_ms(1000);
		call_times(1, false); /* a bad probe: ten seconds again, not more */
	}
	wait_ms(10000);
	call_times(1, true);
	assert_int_equal(look().state, BREAKER_CLOSED);
	assert_int_equal(look().opened_at, 0);
	for (int i = 0; i < 5; i++) {
		int permit;

		assert_int_equal(breaker_enter(b, 0, &permit), BREAKER_GO);
	}
	assert_int_equal(call(true), BREAKER_IS_FULL);
}

TEST(classic_opens_at_half_of_twenty_calls_for_five_seconds)
{
	settings.breaker = "classic";
	call_times(19, false); /* a row of failures is not enough */
	assert_int_equal(look().state, BREAKER_CLOSED);
	call_times(1, false);
	assert_int_equal(breaker_closed_for_s(b), 5);
	wait_ms(5000);
	call_times(1, true);
	assert_int_equal(look().state, BREAKER_CLOSED);
}

/* --- probing ---------------------------------------------------------------------------------------------------- */

static void
open_by_failures(void)
{
	call_times(5, false);
	assert_int_equal(look().state, BREAKER_OPEN);
}

TEST(one_probes_at_a_time_and_three_good_ones_close_it)
{
	int probe, other;

	open_by_failures();
	wait_ms(5000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(breaker_enter(b, 0, &probe), BREAKER_GO);
		assert_int_equal(look().state, BREAKER_HALF_OPEN);
		assert_int_equal(breaker_enter(b, 100, &other), BREAKER_IS_OPEN);
		assert_int_equal(breaker_closed_for_s(b), 1);
		breaker_leave(b, probe, true);
	}
	assert_int_equal(look().state, BREAKER_CLOSED);
	call_times(4, false); /* earlier failures do not count any more */
	assert_int_equal(look().state, BREAKER_CLOSED);
}

TEST(bad_probes_open_it_for_longer_up_to_a_minute_and_a_quiet_minute_makes_it_forget)
{
	open_by_failures();
	for (int s = 5; s <= 80; s += 5) {
		assert_int_equal(breaker_closed_for_s(b), s < 60 ? s : 60);
		wait_ms(60000);
		call_times(1, s % 10 == 0); /* two good ones do not close it */
		if (s % 10 == 0)
			call_times(1, false);
	}
	wait_ms(60000);
	call_times(3, true);
	wait_ms(30000);
	open_by_failures();
	assert_int_equal(breaker_closed_for_s(b), 60);
	wait_ms(60000);
	call_times(3, true);
	wait_ms(61000);
	open_by_failures();
	assert_int_equal(breaker_closed_for_s(b), 5);
	assert_int_equal(look().n_opened, 3);
}

TEST(a_probe_that_does_not_return_loses_its_lease_and_is_ignored_afterwards)
{
	int lost, next;

	open_by_failures();
	wait_ms(5000);
	assert_int_equal(breaker_enter(b, 0, &lost), BREAKER_GO);
	wait_ms(LEASE_MS - 100);
	assert_int_equal(call(true), BREAKER_IS_OPEN);
	wait_ms(200);
	assert_int_equal(breaker_enter(b, 0, &next), BREAKER_GO);
	breaker_leave(b, lost, false);
	assert_int_equal(look().state, BREAKER_HALF_OPEN);
	breaker_leave(b, next, true);
	call_times(2, true);
	assert_int_equal(look().state, BREAKER_CLOSED);
}

TEST(calls_sent_before_it_opened_change_nothing_when_they_return)
{
	int early[2];

	assert_int_equal(breaker_enter(b, 0, &early[0]), BREAKER_GO);
	assert_int_equal(breaker_enter(b, 0, &early[1]), BREAKER_GO);
	open_by_failures();
	breaker_leave(b, early[0], true);
	assert_int_equal(look().state, BREAKER_OPEN);
	wait_ms(5000);
	call_times(2, true);
	breaker_leave(b, early[1], false);
	assert_int_equal(look().state, BREAKER_HALF_OPEN);
	call_times(1, true);
	assert_int_equal(look().state, BREAKER_CLOSED);
}

#define STALL_US 40000          /* below breaker_permit.c's STALL_MS: less means that it did not wait */

/* --- permits ---------------------------------------------------------------------------------------------------- */

static void
take_all_permits(int permits[5])
{
	for (int i = 0; i < 5; i++)
		assert_int_equal(breaker_enter(b, 0, &permits[i]), BREAKER_GO);
	assert_int_equal(look().n_in_flight, 5);
}

TEST(the_sixth_is_refused_when_no_call_returns)
{
	int permits[5], permit, n_asked = 1;

	take_all_permits(permits);
	assert_int_equal(breaker_enter(b, 0, &permit), BREAKER_IS_FULL);
	/* less than patience_ms, and the next one does not wait at all */
	assert_true(scratch_is_quick(
		3000, (assert_int_equal(breaker_enter(b, 5000, &permit), BREAKER_IS_FULL), n_asked++)));
	assert_true(scratch_is_quick(
		STALL_US / 1000, (assert_int_equal(breaker_enter(b, 5000, &permit), BREAKER_IS_FULL), n_asked++)));
	assert_int_equal(look().n_full, n_asked);
	breaker_leave(b, permits[2], true);
	call_times(3, true);
}

TEST(where_calls_are_slow_none_waits_and_it_is_known_in_advance)
{
	int permits[5], permit;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(breaker_enter(b, 0, &permit), BREAKER_GO);
		wait_ms(500);
		breaker_leave(b, permit, true);
	}
	take_all_permits(permits);
	assert_int_equal(breaker_closed_for_s(b), 1);
	assert_true(
		scratch_is_quick(STALL_US / 1000, assert_int_equal(breaker_enter(b, 5000, &permit), BREAKER_IS_FULL)));
	breaker_leave(b, permits[4], true);
	assert_int_equal(breaker_closed_for_s(b), 0);
	call_times(100, true); /* quick ones: no longer slow on average */
	assert_int_equal(breaker_enter(b, 0, &permits[4]), BREAKER_GO);
	assert_int_equal(breaker_closed_for_s(b), 0);
}

enum { IDLE, HELD, REFUSED };

/* Holds the permit until another call waits for it (0), or was refused (1). */
static int
holds_until_awaited(void *arg)
{
	_Atomic int *stage = arg;
	int permit;

	if (breaker_enter(b, 0, &permit) != BREAKER_GO)
		return 2;
	atomic_store(stage, HELD);
	while (!atomic_load(&b->n_waiting) && atomic_load(stage) == HELD)
		usleep(200);
	breaker_leave(b, permit, true);
	return atomic_load(stage) == REFUSED;
}

/* A busy machine may take longer than STALL_MS to get this far: then it is tried again. */
TEST(the_sixth_waits_while_others_return)
{
	_Atomic int *stage = (_Atomic int *)(added_ms + 1);
	enum breaker_answer answer = BREAKER_IS_FULL;
	int permit;

	settings.calls_at_once = 1;
	for (int i = 0; i < 100 && answer == BREAKER_IS_FULL; i++) {
		pid_t pid;

		atomic_store(stage, IDLE);
		pid = scratch_fork(holds_until_awaited, (void *)stage);
		while (atomic_load(stage) == IDLE)
			usleep(200);
		answer = breaker_enter(b, 10000, &permit);
		if (answer == BREAKER_IS_FULL)
			atomic_store(stage, REFUSED);
		else
			breaker_leave(b, permit, true);
		assert_true(scratch_wait(pid) == 0 || answer == BREAKER_IS_FULL);
	}
	assert_int_equal(answer, BREAKER_GO);
}

static int
dies_in_its_call(void *arg)
{
	int permit;

	(void)arg;
	if (breaker_enter(b, 0, &permit) != BREAKER_GO)
		return 1;
	raise(SIGKILL);
	return 0;
}

TEST(permits_of_dead_processes_are_reclaimed)
{
	int status;

	for (int i = 0; i < 5; i++)
		waitpid(scratch_fork(dies_in_its_call, NULL), &status, 0);
	assert_int_equal(look().n_in_flight, 0);
	for (int i = 0; i < 5; i++)
		assert_int_not_equal(atomic_load(&b->permit[i].holder), 0);
	call_times(1, true);
}

static int
cannot_see_holders(void *arg)
{
	int permit;

	(void)arg;
	are_hidden = true;
	wait_ms(200);
	return breaker_enter(b, 0, &permit) != BREAKER_IS_FULL || look().n_in_flight != 5;
}

TEST(holders_that_are_not_visible_are_not_taken_for_dead)
{
	int permits[5], status;

	take_all_permits(permits);
	waitpid(scratch_fork(cannot_see_holders, NULL), &status, 0);
	assert_int_equal(status, 0);
}

TEST(a_later_process_with_the_same_pid_does_not_keep_the_permit_of_a_dead_one)
{
	for (int i = 0; i < 5; i++) /* our parent lives, but did not start at that time */
		atomic_store(&b->permit[i].holder, 7ULL << 22 | (uint64_t)getppid());
	call_times(1, true);
}

TEST(a_living_holder_keeps_its_permit_only_as_long_as_any_call_can_last)
{
	int permits[5];

	take_all_permits(permits);
	assert_int_equal(call(true), BREAKER_IS_FULL);
	wait_ms(71000);
	call_times(1, true);
	breaker_leave(b, permits[1], false); /* returning late, it does not release another's permit */
	call_times(1, true);
}

/* --- everything at once ----------------------------------------------------------------------------------------- */

#define RACERS 8
#define ROUNDS 1000

struct race {
	_Atomic int n_in_flight, n_probing, n_wrong, n_done;
	_Atomic int64_t n_go, n_left, n_bad, n_open, n_full;
};

static void
race_once(struct race *r, unsigned *seed)
{
	int permit, n = rand_r(seed);
	enum breaker_answer answer = breaker_enter(b, 0, &permit);
	bool is_good = n % 100 < 75, is_probe;

	if (answer != BREAKER_GO) {
		atomic_fetch_add(answer == BREAKER_IS_OPEN ? &r->n_open : &r->n_full, 1);
		usleep(50);
		return;
	}
	is_probe = atomic_load(&b->permit[permit].lease_ms) != 0;
	r->n_wrong += atomic_fetch_add(&r->n_in_flight, 1) >= 5;
	r->n_wrong += is_probe && atomic_fetch_add(&r->n_probing, 1) >= 1;
	atomic_fetch_add(&r->n_go, 1);
	if (n % 7 == 0)
		usleep(20);
	if (is_probe)
		atomic_fetch_sub(&r->n_probing, 1);
	atomic_fetch_sub(&r->n_in_flight, 1);
	if (!is_probe && n % 300 == 1)
		raise(SIGKILL); /* with its permit */
	atomic_fetch_add(&r->n_left, 1);
	atomic_fetch_add(&r->n_bad, !is_good);
	breaker_leave(b, permit, is_good);
}

static int
races(void *arg)
{
	struct race *r = arg;
	unsigned seed = (unsigned)getpid();

	for (int i = 0; i < ROUNDS; i++)
		race_once(r, &seed);
	atomic_fetch_add(&r->n_done, 1);
	return 0;
}

/*
 * Keeps eight running, and advances the time only when the breaker is open and no call is in flight: otherwise a
 * process that is not scheduled for a moment would seem to have held its permit for minutes, and lose it.
 */
TEST(at_most_five_calls_and_one_probe_in_flight_in_a_race_of_eight_that_die)
{
	struct race *r = (struct race *)(added_ms + 8);
	struct breaker_view v;
	int n_running = 0, n_started = 0, status;

	settings.call_deadline_ms =
		90000; /* a probe that read the clock before the time was advanced keeps its lease */
	while (n_started < 60 || n_running) {
		while (n_running < RACERS && n_started < 60) {
			scratch_fork(races, r);
			n_running++;
			n_started++;
		}
		while (n_running && waitpid(-1, &status, WNOHANG) > 0)
			n_running--;
		v = look();
		if (v.state == BREAKER_OPEN && v.n_in_flight == 0)
			wait_ms(v.again_in_ms);
		usleep(300);
	}
	v = look();
	print_message("# %d of %d died; %lld went, %lld refused, %lld full, opened %lld times\n", n_started - r->n_done,
		n_started, (long long)r->n_go, (long long)r->n_open, (long long)r->n_full, (long long)v.n_opened);
	assert_int_equal(r->n_wrong, 0);
	assert_int_equal(v.n_in_flight, 0);
	assert_int_equal(v.n_calls, r->n_left);
	assert_int_equal(v.n_failed, r->n_bad);
	assert_int_equal(v.n_refused, r->n_open);
	assert_int_equal(v.n_full, r->n_full);
	assert_true(v.n_opened > 3 && r->n_done < n_started && r->n_go > 1000);
}

TEST(it_adds_less_than_20_us_to_a_call)
{
	enum { N = 200000 };
	clock_t began = clock(); /* processor time: other processes do not count */
	double ns;

	call_times(N, true);
	ns = (double)(clock() - began) * (1e9 / CLOCKS_PER_SEC) / N;
	print_message("# %.0f ns a call\n", ns);
	assert_true(ns < 20000);
}

TEST(without_shared_memory_there_is_no_breaker)
{
	struct breaker_view v;

	assert_null(breaker_open("/proc", "payment"));
	assert_false(breaker_look(scratch, "none", &v));
	assert_ptr_equal(breaker_open(scratch, "payment"), b);
}

TEST_MAIN("breaker", NULL, NULL, begin, end)
