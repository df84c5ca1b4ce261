/* test_lock - the page shared by all processes: the writers' lock and the synced position. */
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#include "scratch.h"

#include "lib/base/shm.c"
#include "lib/db/lock.c"

static struct lock *
open_lock(void)
{
	struct lock *l = lock_open(scratch, "test");

	assert_non_null(l);
	return l;
}

/* --- making it ---------------------------------------------------------------------------------------------------- */

static int
open_and_count(void *arg)
{
	struct lock *l = lock_open(scratch, "test");

	(void)arg;
	if (!l || !lock_writer(l, 5000))
		return 1;
	lock_committed(l);
	unlock_writer(l);
	return 0;
}

TEST(processes_that_start_together_share_one_page)
{
	pid_t pid[12];
	struct lock *l;

	for (int i = 0; i < 12; i++)
		pid[i] = scratch_fork(open_and_count, NULL);
	for (int i = 0; i < 12; i++)
		assert_int_equal(scratch_wait(pid[i]), 0);
	l = open_lock();
	assert_int_equal(lock_latest(l), 12);
	lock_close(l);
}

TEST(a_page_of_an_earlier_boot_is_replaced)
{
	struct lock *l = open_lock();

	assert_true(lock_writer(l, 100)); /* as if its holder had been lost with the machine */
	strcpy(l->shm.boot, "another boot");
	l->committed = 99;
	unlock_writer(l);
	lock_close(l);
	l = open_lock();
	assert_int_equal(lock_latest(l), 0);
	assert_true(lock_writer(l, 100));
	unlock_writer(l);
	lock_close(l);
}

/* As in a container that shows two boot ids: a file that is mapped is of this boot, whatever it says. */
TEST(a_page_in_use_is_never_replaced)
{
	struct lock *l = open_lock(), *other;

	strcpy(l->shm.boot, "another name of this boot");
	lock_committed(l);
	other = open_lock();
	assert_int_equal(lock_latest(other), lock_latest(l));
	assert_int_equal(other->shm.inode, l->shm.inode);
	lock_close(l);
	l = open_lock(); /* the second mapping keeps it */
	assert_int_equal(l->shm.inode, other->shm.inode);
	strcpy(l->shm.kind, "another version");
	assert_null(lock_open(scratch, "test"));
	assert_int_equal(errno, EBUSY);
	lock_close(l);
	lock_close(other);
	l = open_lock(); /* no longer mapped by anyone */
	assert_int_equal(lock_latest(l), 0);
	lock_close(l);
}

/* As with a /proc that shows processes only: a lock that other processes do not see would be worse than none. */
TEST(without_the_boot_id_there_is_no_page_and_existing_ones_stay)
{
	struct lock *l = open_lock();
	const char *was = boot_file;

	lock_committed(l);
	boot_file = "/nowhere";
	assert_null(lock_open(scratch, "test"));
	assert_int_equal(errno, ENOSYS);
	boot_file = was;
	lock_close(l);
	l = open_lock();
	assert_int_equal(lock_latest(l), 1);
	lock_close(l);
}

TEST(a_copied_or_broken_page_is_replaced)
{
	struct lock *l = open_lock();
	struct lock copy;

	lock_committed(l);
	memcpy(&copy, l, sizeof(copy));
	lock_close(l);
	scratch_write(scratch_path("run/test.lock"), "rubbish");
	l = open_lock();
	assert_int_equal(lock_latest(l), 0);
	copy.shm.inode = l->shm.inode + 1;
	memcpy(l, &copy, sizeof(copy));
	lock_close(l);
	l = open_lock();
	assert_int_equal(lock_latest(l), 0);
	lock_close(l);
}

/* --- the writers' queue ------------------------------------------------------------------------------------------- */

static int
hold_forever(void *arg)
{
	int *ready = arg;
	struct lock *l = lock_open(scratch, "test");

	if (!l || !lock_writer(l, 1000) || write(ready[1], "", 1) != 1)
		return 1;
	pause();
	return 0;
}

static pid_t
holder(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = scratch_fork(hold_forever, ready);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

TEST(a_waiter_gives_up_after_its_time_limit)
{
	struct lock *l = open_lock();
	pid_t pid = holder();
	double t = scratch_us();

	assert_false(lock_writer(l, 80));
	assert_int_equal(errno, ETIMEDOUT);
	assert_true(scratch_us() - t > 70e3);
	kill(pid, SIGKILL);
	scratch_wait(pid);
	lock_close(l);
}

/* The first has waited its time limit; later waiters need not. */
TEST(behind_a_hung_holder_later_waiters_give_up_quickly)
{
	struct lock *l = open_lock();
	pid_t pid = holder();

	assert_false(lock_writer(l, 1500));
	assert_true(scratch_is_quick(1000, assert_false(lock_writer(l, 1500))));
	kill(pid, SIGKILL);
	scratch_wait(pid);
	assert_true(lock_writer(l, 1500));
	unlock_writer(l);
	lock_close(l);
}

TEST(the_lock_of_a_killed_holder_passes_on)
{
	struct lock *l = open_lock();

	for (int i = 0; i < 5; i++) {
		pid_t pid = holder();

		kill(pid, SIGKILL);
		assert_int_equal(scratch_wait(pid), -SIGKILL);
		assert_true(lock_writer(l, 1000));
		unlock_writer(l);
	}
	assert_true(lock_writer(l, 1000));
	unlock_writer(l);
	lock_close(l);
}

struct turns {
	int log[2];
	double from;
};

/* Sleeps a little with the lock held, so that the others are in the queue even on a busy machine. */
static int
take_turns(void *arg)
{
	struct turns *t = arg;
	struct lock *l = lock_open(scratch, "test");
	int n = 0;

	while (l && scratch_us() < t->from + 400e3) {
		if (!lock_writer(l, 5000))
			return 1;
		usleep(100);
		n += scratch_us() > t->from;
		unlock_writer(l);
	}
	return write(t->log[1], &n, sizeof(n)) == sizeof(n) ? 0 : 1;
}

static bool
all_have_as_many_turns(void)
{
	struct turns t = { .from = scratch_us() + 100e3 }; /* all have started by then */
	int n, least = 1 << 30, most = 0;
	pid_t pid[4];

	assert_int_equal(pipe(t.log), 0);
	for (int i = 0; i < 4; i++)
		pid[i] = scratch_fork(take_turns, &t);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(scratch_wait(pid[i]), 0);
		assert_int_equal(read(t.log[0], &n, sizeof(n)), sizeof(n));
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	print_message("turns in 400 ms: %d to %d\n", least, most);
	close(t.log[0]);
	close(t.log[1]);
	return most - least <= most / 12; /* a plain mutex: a fifth and more */
}

/* Repeated on a busy machine, where the scheduler may be unfair. */
TEST(no_waiter_starves_in_the_queue)
{
	bool is_fair = false;

	for (int i = 0; i < 20 && !is_fair; i++)
		is_fair = all_have_as_many_turns();
	assert_true(is_fair);
}

/* --- syncing for all ---------------------------------------------------------------------------------------------- */

static int n_syncs;

static bool
good_sync(void *arg)
{
	(void)arg;
	n_syncs++;
	return true;
}

static bool
bad_sync(void *arg)
{
	(void)arg;
	n_syncs++;
	return false;
}

TEST(one_sync_serves_every_ticket_given_before_it)
{
	struct lock *l = open_lock();
	uint64_t a = lock_committed(l), b = lock_committed(l), c;

	n_syncs = 0;
	assert_true(lock_synced(l, a, good_sync, NULL));
	assert_true(lock_synced(l, b, good_sync, NULL));
	assert_int_equal(n_syncs, 1);
	c = lock_committed(l);
	assert_int_equal(c, b + 1);
	assert_true(lock_synced(l, c, good_sync, NULL));
	assert_int_equal(n_syncs, 2);
	lock_close(l);
}

TEST(a_failed_sync_fails_all_processes_until_it_is_repaired)
{
	struct lock *l = open_lock(), *other = open_lock();
	uint64_t good = lock_committed(l), bad;

	assert_true(lock_synced(l, good, good_sync, NULL));
	bad = lock_committed(l);
	assert_false(lock_synced(l, bad, bad_sync, NULL));
	assert_true(lock_broken(other));
	n_syncs = 0;
	assert_false(lock_synced(
		other, bad, good_sync, NULL)); /* the kernel reports an error once: a second sync proves nothing */
	assert_int_equal(n_syncs, 0);
	assert_true(lock_synced(other, good, good_sync, NULL));
	lock_mended(l);
	assert_false(lock_broken(other));
	assert_true(lock_synced(other, bad, bad_sync, NULL));
	lock_close(l);
	lock_close(other);
}

static bool
slow_sync(void *arg)
{
	int *log = arg;

	scratch_sleep_ms(20);
	return write(log[1], "", 1) == 1;
}

static int
commit_and_wait(void *arg)
{
	struct lock *l = lock_open(scratch, "test");

	for (int i = 0; i < 10; i++) {
		uint64_t ticket;

		if (!lock_writer(l, 5000))
			return 1;
		ticket = lock_committed(l);
		unlock_writer(l);
		if (!lock_synced(l, ticket, slow_sync, arg))
			return 1;
	}
	return 0;
}

TEST(concurrent_waiters_share_a_sync)
{
	int log[2], n = 0;
	pid_t pid[6];
	char c;

	assert_int_equal(pipe2(log, O_NONBLOCK), 0);
	for (int i = 0; i < 6; i++)
		pid[i] = scratch_fork(commit_and_wait, log);
	for (int i = 0; i < 6; i++)
		assert_int_equal(scratch_wait(pid[i]), 0);
	while (read(log[0], &c, 1) == 1)
		n++;
	print_message("60 commits of 6 processes took %d syncs\n", n);
	assert_true(n >= 10 && n <= 30);
	close(log[0]);
	close(log[1]);
}

TEST_MAIN("lock", NULL, NULL, scratch_begin, scratch_end)
