/*
 * leader.c - at most one relay is active; the next one waits as the standby.
 *
 * Cron starts a relay every minute. It takes the standby lock, or ends at once if another one has it. Then it waits for
 * the active lock, releases the standby lock for the next relay, and works for its minute. The children inherit the
 * active lock, and it is free only when the last of them has ended, so two relays never work at once. Since the standby
 * already waits for the lock, it takes over within milliseconds, also when the active relay is killed.
 *
 * A child that hangs (stopped, or in a disk access that does not return) after its parent was killed would hold the
 * lock forever. So the active relay's processes are listed in shared memory, $VAR/run/relay.members, and the standby
 * kills them when their parent is gone or has had no heartbeat for long. A process is identified by its pid and its
 * start time. One in uninterruptible sleep (state D) ends when its system call returns.
 */
#include "relay.h"

#include "lib/base/proc.h"
#include "lib/base/shm.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_MEMBERS  32         /* the parent, the checkpointer, the consumers */
#define LEADER_CHECK_MS 500
#define ORPHANS_MS   3000 /* children may work on for so long after their parent has died; it takes them milliseconds */
/* a parent without a heartbeat for so long hangs; while it stops its children it has one too */
#define SILENT_MS    10000

struct relay_members {
	struct shm_header shm;
	_Atomic int64_t heartbeat_ms;   /* clock_ms() of the parent's last heartbeat */
	/* the parent first; pid 0: none */
	struct { _Atomic int32_t pid; _Atomic int64_t started; } member[MAX_MEMBERS];
};

static struct {
	int standby_fd, active_fd;
	struct relay_members *members;  /* NULL: cannot be mapped; then hung processes are waited for */
	int64_t abandoned_ms;           /* since when the active relay has looked abandoned; 0: it does not */
} leader = { .standby_fd = -1, .active_fd = -1 };

/* --- the two locks ---------------------------------------------------------------------------------------------- */

static int
lock_file_open(const char *var_dir, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/run", var_dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/run/%s", var_dir, name);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* Open file description locks: unlike flock() they can be tested without taking them. */
static bool
lock_file_take(int fd, bool wait)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l) == 0;
}

bool
leader_has_standby(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(leader.standby_fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

void
leader_close_standby(void)
{
	close(leader.standby_fd);
}

/* --- the active relay's processes ------------------------------------------------------------------------------- */

void
leader_set_member(int i, pid_t pid)
{
	if (!leader.members || i >= MAX_MEMBERS)
		return;
	atomic_store(&leader.members->member[i].started, proc_started(pid));
	atomic_store(&leader.members->member[i].pid, pid);
}

void
leader_heartbeat(void)
{
	if (leader.members)
		atomic_store(&leader.members->heartbeat_ms, clock_ms());
}

static bool
member_is_alive(int i)
{
	pid_t pid = atomic_load(&leader.members->member[i].pid);

	return pid > 0 && proc_started(pid) == atomic_load(&leader.members->member[i].started);
}

static void
kill_members(void)
{
	for (int i = 0; i < MAX_MEMBERS; i++)
		if (member_is_alive(i)) {
			pid_t pid = atomic_load(&leader.members->member[i].pid);

			log_error("leader", "process %d of an abandoned relay holds the active lock and is killed",
				(int)pid);
			kill(pid, SIGKILL);
		}
}

/* Called at intervals while waiting for the active lock. */
static void
check_members(void)
{
	int64_t now = clock_ms();
	bool has_parent = member_is_alive(0), is_silent = now - atomic_load(&leader.members->heartbeat_ms) > SILENT_MS;

	if (has_parent && !is_silent)
		leader.abandoned_ms = 0;
	else if (leader.abandoned_ms == 0)
		leader.abandoned_ms = now;
	if (leader.abandoned_ms && (is_silent || now - leader.abandoned_ms >= ORPHANS_MS)) {
		kill_members();
		leader.abandoned_ms = now;
	}
}

/* --- waiting ---------------------------------------------------------------------------------------------------- */

static void
on_alarm(int signo)
{
	(void)signo;
}

/* The alarm interrupts the blocking wait for the lock, which therefore can be a wait in the kernel that ends the moment
 * the lock is free. */
static void
alarm_every(int ms)
{
	struct itimerval t = { { ms / 1000, ms % 1000 * 1000 }, { ms / 1000, ms % 1000 * 1000 } };
	struct sigaction on = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &on, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

static bool
wait_for_active_lock(void)
{
	bool is_ours = lock_file_take(leader.active_fd, false);

	alarm_every(LEADER_CHECK_MS);
	while (!is_ours && !relay_is_stopping) {
		is_ours = lock_file_take(leader.active_fd, true);
		if (!is_ours && errno != EINTR)
			break;
		if (!is_ours && leader.members)
			check_members();
	}
	alarm_every(0);
	return is_ours;
}

/* A fault test lets two relays work at once (tests/fault/two_relays.test.mjs). */
static bool
is_unlocked_by_test(void)
{
#ifdef MOTORPOOL_FAULTS
	return getenv("MOTORPOOL_NO_TURNS") != NULL;
#else
	return false;
#endif
}

bool
leader_acquire(const struct relay *r)
{
	struct flock unlock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	leader.standby_fd = lock_file_open(r->var, "relay.standby");
	leader.active_fd = lock_file_open(r->var, "relay.active");
	if (leader.standby_fd < 0 || leader.active_fd < 0)
		return log_error("start", "%s/run: %s", r->var, strerror(errno)), false;
	if (is_unlocked_by_test())
		return true;
	leader.members = shm_map(r->var, "relay.members", "motorpool members 1", sizeof(struct relay_members), NULL);
	if (!leader.members)
		log_warn("start", "%s/run/relay.members: %s", r->var, strerror(errno));
	if (!lock_file_take(leader.standby_fd, false) || !wait_for_active_lock())
		return false;
	for (int i = 1; i < MAX_MEMBERS; i++)
		leader_set_member(i, 0);
	leader_heartbeat();
	leader_set_member(0, getpid());
	fcntl(leader.standby_fd, F_OFD_SETLK, &unlock);
	return true;
}
