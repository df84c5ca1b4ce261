/*
 * relay.c - the parent process: runs for its minute and supervises the children.
 *
 * It opens no database. It receives the wake-ups of commits and passes them on, touches $VAR/run/relay.alive each
 * second, and restarts children that die (supervisor.h). One that died with an event in flight (in_flight.h) is
 * restarted at once: the event is at fault, and is retried with pauses of its own.
 *
 * A child without a heartbeat is killed; one that is stuck in a policy is killed much sooner, since it holds the
 * writers' lock.
 */
#include "relay.h"

#include "lib/base/clock.h"
#include "lib/event/in_flight.h"
#include "lib/base/log.h"
#include "lib/process/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CHILDREN 16
#define HUNG_MS      60000      /* without a heartbeat for so long: killed */
/* in one policy for so long: killed, before others give up waiting for the writers' lock (5 s) */
#define POLICY_MS    4000
#define MEMORY_BYTES ((rlim_t)1 << 30)          /* a child's limit; beyond it allocation fails and the child aborts */
#define STOP_MS      10000      /* to finish the work in progress */
#define ROUND_MS    5          /* between two rounds of wake-ups: under load one round serves many commits */

struct relay_child {
	struct child child;
	const struct consumer *consumer;        /* NULL: the checkpointer */
	struct in_flight *in_flight;            /* NULL: the checkpointer, or there is no record */
	int wakeup_fd;                          /* outlives the child, so no wake-up is lost between two */
	_Atomic int64_t *heartbeat;             /* shared with it */
};

static struct {
	const struct relay *r;
	struct supervisor supervisor;
	struct relay_child child[MAX_CHILDREN];
	int wakeup_fd;
	int64_t alive_ms;
} the;

#define for_each_child(c) for (struct relay_child *c = the.child; c < the.child + the.supervisor.n; c++)

/* --- children --------------------------------------------------------------------------------------------------- */

/* Running out of memory ends one child only. Sanitizers need an unlimited address space. */
static void
limit_child_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	struct rlimit l = { MEMORY_BYTES, MEMORY_BYTES };

	setrlimit(RLIMIT_AS, &l);
#endif
}

/* In the child. It inherits the handlers of stop.c and the active lock; Ctrl-C reaches it too, but the parent
 * decides. */
static _Noreturn void
child_main(struct relay_child *c)
{
	char name[48];

	signal(SIGINT, SIG_IGN);
	snprintf(name, sizeof(name), "relay.%s", c->child.name);
	log_open(name);
	leader_close_standby();
	if (the.wakeup_fd >= 0)
		close(the.wakeup_fd);
	limit_child_memory();
	_exit(c->consumer ? consumer_loop(the.r, c->consumer, c->in_flight, c->wakeup_fd, c->heartbeat)
			  : checkpointer_run(the.r, c->heartbeat));
}

static int
member_of(const struct child *c)
{
	return 1 + (int)((const struct relay_child *)c - the.child);
}

static void
relay_child_start(struct child *c)
{
	struct relay_child *rc = (struct relay_child *)c;

	atomic_store(rc->heartbeat, clock_ms());
	if (child_fork(c) == 0)
		child_main(rc);
	leader_set_member(member_of(c), c->pid);
}

/* Whether it died with an event in flight; then its successor is told how. */
static bool
note_crash(struct relay_child *c, int status)
{
	struct in_flight *f = c->in_flight;

	if (!f || atomic_load(&f->pid) != c->child.pid || atomic_load(&f->event_id) == 0)
		return false;
	if (atomic_load(&f->ended) != IN_FLIGHT_HUNG)
		atomic_store(&f->ended, status);
	return true;
}

/* Status 0: its database file was replaced. */
static enum child_restart
relay_child_ended(struct child *c, int status)
{
	bool at_once = note_crash((struct relay_child *)c, status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0);

	leader_set_member(member_of(c), 0);
	if (!the.supervisor.is_stopping)
		log_warn("child", "%s ended (%s) and is restarted", c->name, child_status(status));
	return at_once ? CHILD_RESTART_NOW : CHILD_RESTART;
}

static bool
is_stuck_in_policy(const struct relay_child *c, int64_t now)
{
	const struct in_flight *f = c->in_flight;

	return f && atomic_load(&f->pid) == c->child.pid && atomic_load(&f->event_id) > 0
		&& now - atomic_load(&f->since_ms) > POLICY_MS;
}

static void
child_kill_if_hung(struct relay_child *c, int64_t now)
{
	bool is_stuck = is_stuck_in_policy(c, now);

	if (!c->child.pid || c->child.is_killed || (!is_stuck && now - atomic_load(c->heartbeat) <= HUNG_MS))
		return;
	log_error("child", "%s has %s for %d s and is killed", c->child.name,
		is_stuck ? "been in one policy" : "had no heartbeat", (is_stuck ? POLICY_MS : HUNG_MS) / 1000);
	if (c->in_flight && atomic_load(&c->in_flight->pid) == c->child.pid)
		atomic_store(&c->in_flight->ended, IN_FLIGHT_HUNG);
	child_kill(&c->child);
}

static void
add_child(const struct consumer *c, _Atomic int64_t *heartbeats, struct in_flight_table *table)
{
	int i = the.supervisor.n++;

	the.child[i] = (struct relay_child){
		.child = { .state = CHILD_DUE, .name = c ? c->name : "checkpointer" },
		.consumer = c,
		.heartbeat = &heartbeats[i],
		.in_flight = c ? in_flight_slot(table, c->name) : NULL,
		.wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
}

static bool
add_children(const struct relay *r)
{
	struct in_flight_table *table = in_flight_open(r->var);
	_Atomic int64_t *heartbeats = mmap(
		NULL, MAX_CHILDREN * sizeof(*heartbeats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (heartbeats == MAP_FAILED)
		return false;
	if (!table)
		log_warn("start", "%s/run/relay.in_flight: %s; an event whose policy crashes blocks its consumer",
			r->var, strerror(errno));
	add_child(NULL, heartbeats, NULL);
	for (int i = 0; r->consumers[i] && the.supervisor.n < MAX_CHILDREN; i++)
		add_child(r->consumers[i], heartbeats, table);
	return true;
}

static void
wake_children(void)
{
	const uint64_t one = 1;

	for_each_child(c) if (c->consumer && write(c->wakeup_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("wakeup", "%s: %s", c->child.name, strerror(errno));
}

/* Children that do not finish in time are killed: their transaction is rolled back, and the next relay repeats it. */
static void
stop_children(void)
{
	struct pollfd signals = { .fd = the.supervisor.signal_fd, .events = POLLIN };

	the.supervisor.is_stopping = true;
	for_each_child(c) child_end(&c->child, SIGTERM, STOP_MS);
	while (supervisor_n_running() > 0) {
		leader_heartbeat();
		poll(&signals, 1, 5);
		supervisor_read_signals();
		supervisor_run(clock_ms());
	}
}

/* --- the parent's minute ---------------------------------------------------------------------------------------- */

/* Its modification time is when the relay was last seen, for /ops and `motorpool status`. */
static void
touch_alive_file(void)
{
	char path[4096];
	int fd;

	if (clock_ms() - the.alive_ms < 1000)
		return;
	the.alive_ms = clock_ms();
	snprintf(path, sizeof(path), "%s/run/relay.alive", the.r->var);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0) {
		futimens(fd, NULL);
		close(fd);
	}
}

/* The minute is over and a standby waits, or the grace period is over too. */
static bool
is_time_over(int64_t began_ms)
{
	int64_t worked_ms = clock_ms() - began_ms;

	if (worked_ms < the.r->work_ms)
		return false;
	return worked_ms >= the.r->work_ms + the.r->grace_ms || leader_has_standby();
}

static void
run_minute(void)
{
	struct pollfd p[2] = { { .fd = the.supervisor.signal_fd, .events = POLLIN },
		{ .fd = the.wakeup_fd, .events = POLLIN } };
	int64_t began_ms = clock_ms();

	while (!the.supervisor.is_stopping && !is_time_over(began_ms)) {
		leader_heartbeat();
		touch_alive_file();
		for_each_child(c) child_kill_if_hung(c, clock_ms());
		supervisor_run(clock_ms());
		poll(p, 2, 100);
		supervisor_read_signals();
		if (wakeup_drain(the.wakeup_fd)) {
			wake_children();
			usleep(ROUND_MS * 1000);
		}
	}
}

int
relay_run(const struct relay *r)
{
	the.r = r;
	the.supervisor = (struct supervisor){
		.children = the.child,
		.size = sizeof(the.child[0]),
		.start = relay_child_start,
		.ended = relay_child_ended,
		.death_signal = SIGTERM,
	};
	relay_catch_term();
	if (!leader_acquire(r))
		return 0;
	if (!supervisor_open(&the.supervisor) || !add_children(r))
		return log_error("start", "the relay's children: %s", strerror(errno)), 1;
	the.supervisor.is_stopping = relay_is_stopping;
	the.wakeup_fd = wakeup_open(r->var);
	log_info("relay", "started");
	run_minute();
	stop_children();
	log_info("relay", "done");
	return 0;
}
