/*
 * turn.c - taking turns.
 *
 * Cron starts a relay every minute. It takes the standby lock, or leaves at once: somebody waits already. Then it waits for
 * the active lock, gives the standby place to the next one, and works for its minute. The active lock is inherited by the
 * children and free only when the last of them is gone, so no two relays ever work at once; and since the next one waits
 * on it already, the gap between two is as long as a fork, also when this one is killed.
 *
 * A child that hangs (stopped, or a disk that does not answer) after its parent was killed would hold the lock for ever. So those at
 * work write their process numbers on a board, $VAR/run/relay.crew, and the one who waits kills what is left of a crew whose parent
 * is gone, or has not moved for long. A process is known by its number and the time it started. What the kernel itself does not let
 * go of (state D) ends with the system call it is in.
 */
#include "relay.h"

#include "lib/base/proc.h"
#include "lib/base/shm.h"
#include "lib/base/clock.h"
#include "lib/event/in_flight.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define CREW       32           /* the parent, the keeper, the consumers */
#define WATCH_MS    500
#define ORPHANS_MS 3000         /* so long children may finish after their parent has died: it takes them milliseconds */
#define SILENT_MS  10000        /* so long a parent that lives may stand still; dismissing its children it moves too */

struct crew {
	struct shm_header shm;
	_Atomic int64_t beat_ms;        /* clock_ms() when the parent last moved */
	struct { _Atomic int32_t pid; _Atomic int64_t born; } member[CREW];    /* the parent first; pid 0: nobody */
};

static struct {
	int standby, active;
	struct crew *crew;              /* NULL: cannot be mapped; then one who hangs is waited for */
	int64_t stale_ms;               /* the crew at work has looked deserted since then; 0: it does not */
} turn = { .standby = -1, .active = -1 };

/* --- the two locks ---------------------------------------------------------------------------------------------------- */

static int
lock_file(const char *var_dir, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/run", var_dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/run/%s", var_dir, name);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* Open file description locks: unlike flock they can be asked about without being taken. */
static bool
lock_take(int fd, bool wait)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l) == 0;
}

bool
turn_is_wanted(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(turn.standby, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

void
turn_forget_standby(void)
{
	close(turn.standby);
}

/* --- who is at work ----------------------------------------------------------------------------------------------------- */

void
turn_has(int place, pid_t pid)
{
	if (!turn.crew || place >= CREW)
		return;
	atomic_store(&turn.crew->member[place].born, proc_started(pid));
	atomic_store(&turn.crew->member[place].pid, pid);
}

void
turn_beat(void)
{
	if (turn.crew)
		atomic_store(&turn.crew->beat_ms, clock_ms());
}

static bool
is_there(int place)
{
	pid_t pid = atomic_load(&turn.crew->member[place].pid);

	return pid > 0 && proc_started(pid) == atomic_load(&turn.crew->member[place].born);
}

static void
kill_crew(void)
{
	for (int i = 0; i < CREW; i++)
		if (is_there(i)) {
			pid_t pid = atomic_load(&turn.crew->member[i].pid);

			log_error("turn", "process %d of a relay that is gone holds its place and is killed", (int)pid);
			kill(pid, SIGKILL);
		}
}

/* Now and then while waiting: does anybody see to those who are at work? */
static void
look_at_crew(void)
{
	int64_t now = clock_ms();
	bool has_parent = is_there(0), is_silent = now - atomic_load(&turn.crew->beat_ms) > SILENT_MS;

	if (has_parent && !is_silent)
		turn.stale_ms = 0;
	else if (turn.stale_ms == 0)
		turn.stale_ms = now;
	if (turn.stale_ms && (is_silent || now - turn.stale_ms >= ORPHANS_MS)) {
		kill_crew();
		turn.stale_ms = now;
	}
}

/* --- waiting -------------------------------------------------------------------------------------------------------------- */

static void
on_alarm(int signo)
{
	(void)signo;
}

/* The alarm interrupts the waiting, so that it is a waiting in the kernel, ended at once by the lock. */
static void
every(int ms)
{
	struct itimerval t = { { ms / 1000, ms % 1000 * 1000 }, { ms / 1000, ms % 1000 * 1000 } };
	struct sigaction ring = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &ring, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

static bool
wait_for_active(void)
{
	bool is_ours = lock_take(turn.active, false);

	every(WATCH_MS);
	while (!is_ours && !relay_is_ending) {
		is_ours = lock_take(turn.active, true);
		if (!is_ours && errno != EINTR)
			break;
		if (!is_ours && turn.crew)
			look_at_crew();
	}
	every(0);
	return is_ours;
}

static void
take_place(void)
{
	if (!turn.crew)
		return;
	for (int i = 1; i < CREW; i++)
		turn_has(i, 0);
	turn_beat();
	turn_has(0, getpid());
}

/* An experiment wants to know what becomes of two relays that do work at once. */
static bool
nobody_takes_turns(void)
{
#ifdef MOTORPOOL_FAULTS
	return getenv("MOTORPOOL_NO_TURNS") != NULL;
#else
	return false;
#endif
}

bool
turn_take(const struct relay *r)
{
	struct flock give = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	turn.standby = lock_file(r->var, "relay.standby");
	turn.active = lock_file(r->var, "relay.active");
	if (turn.standby < 0 || turn.active < 0)
		return log_error("start", "%s/run: %s", r->var, strerror(errno)), false;
	if (nobody_takes_turns())
		return true;
	turn.crew = shm_map(r->var, "relay.crew", "motorpool crew 1", sizeof(struct crew), NULL);
	if (!turn.crew)
		log_warn("start", "%s/run/relay.crew: %s", r->var, strerror(errno));
	if (!lock_take(turn.standby, false) || !wait_for_active())
		return false;
	take_place();
	fcntl(turn.standby, F_OFD_SETLK, &give);
	return true;
}
