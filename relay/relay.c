/*
 * relay.c - taking turns, and keeping the children alive.
 *
 * Cron starts a relay every minute. It takes the standby lock, or leaves at once: somebody waits already. Then it waits for
 * the active lock, gives the standby place to the next one, and works for its minute. The active lock is inherited by the
 * children and free only when the last of them is gone, so no two relays ever work at once; and since the next one waits
 * on it already, the gap between two is as long as a fork, also when this one is killed.
 *
 * The parent opens no database. It takes the knocks of commits, passes them on, touches $VAR/run/relay.alive each second,
 * and starts a child again when it has died: at once the first time, after a growing pause when it dies young.
 */
#include "relay.h"

#include "../lib/clock.h"
#include "../lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CHILDREN 16
#define FIRST_PAUSE_MS 50
#define LAST_PAUSE_MS  10000
#define GROWN_UP_MS    5000     /* a child that lived so long may start again without a pause */
#define HUNG_MS        60000    /* no sign of life for so long: killed */
#define LEAVE_MS       10000    /* to finish the work in hand */
#define ROUND_MS       5        /* between two rounds of knocks: under load one stands for many commits */

volatile sig_atomic_t relay_is_ending;

struct child {
	const struct consumer *c;       /* NULL: the keeper */
	const char *name;
	int wake_fd;                    /* outlives the child: a knock in between is not lost */
	pid_t pid;                      /* 0: not running */
	int64_t started_ms, start_at_ms, pause_ms;
	_Atomic int64_t *beat;          /* shared with it */
};

static struct {
	const struct relay *r;
	struct child child[MAX_CHILDREN];
	int n;
	int standby, active, wake, signals;
	int64_t alive_ms;
} the = { .standby = -1, .active = -1, .wake = -1, .signals = -1 };

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

static bool
lock_is_taken(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/* false: there is one waiting already, or SIGTERM came before our turn. */
static bool
wait_for_turn(const struct relay *r)
{
	struct flock give = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	the.standby = lock_file(r->var, "relay.standby");
	the.active = lock_file(r->var, "relay.active");
	if (the.standby < 0 || the.active < 0)
		return log_error("start", "%s/run: %s", r->var, strerror(errno)), false;
	if (!lock_take(the.standby, false) || !lock_take(the.active, true))
		return false;
	fcntl(the.standby, F_OFD_SETLK, &give);
	return true;
}

/* --- signals ------------------------------------------------------------------------------------------------------------ */

static void
on_term(int signo)
{
	(void)signo;
	relay_is_ending = 1;
}

static void
catch_term(void)
{
	struct sigaction term = { .sa_handler = on_term }, ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGINT, &term, NULL);
}

static void
signals_to_file(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	the.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
take_signals(void)
{
	struct signalfd_siginfo s;

	while (read(the.signals, &s, sizeof(s)) == sizeof(s))
		if (s.ssi_signo != SIGCHLD)
			relay_is_ending = 1;
}

/* --- children ------------------------------------------------------------------------------------------------------------- */

/* In the child: nothing of the parent's is used but the active lock, which it holds on to. */
static void
child_life(struct child *c, pid_t parent)
{
	char name[48];
	sigset_t none;
	int status;

	snprintf(name, sizeof(name), "relay.%s", c->name);
	log_open(name);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	relay_is_ending = 0;
	catch_term();
	signal(SIGINT, SIG_IGN);        /* Ctrl-C reaches us all; the parent decides */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (getppid() != parent)
		_exit(0);
	close(the.signals);
	close(the.standby);
	if (the.wake >= 0)
		close(the.wake);
	status = c->c ? child_run(the.r, c->c, c->wake_fd, c->beat) : keeper_run(the.r, c->beat);
	_exit(status);
}

static void
child_start(struct child *c)
{
	pid_t parent = getpid();

	atomic_store(c->beat, clock_ms());
	c->started_ms = clock_ms();
	c->pid = fork();
	if (c->pid == 0)
		child_life(c, parent);
	if (c->pid > 0)
		return;
	log_error("fork", "%s: %s", c->name, strerror(errno));
	c->pid = 0;
	c->start_at_ms = clock_ms() + LAST_PAUSE_MS;
}

static void
child_ended(struct child *c, int status)
{
	int64_t lived = clock_ms() - c->started_ms;

	c->pid = 0;
	if (relay_is_ending)
		return;
	if (lived >= GROWN_UP_MS)
		c->pause_ms = 0;
	c->start_at_ms = clock_ms() + c->pause_ms;
	log_warn("child", "%s ended (%s %d) and starts again in %lld ms", c->name, WIFSIGNALED(status) ? "signal" : "status",
	         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), (long long)c->pause_ms);
	c->pause_ms = c->pause_ms == 0 ? FIRST_PAUSE_MS : c->pause_ms < LAST_PAUSE_MS / 2 ? 2 * c->pause_ms : LAST_PAUSE_MS;
}

static void
bury(void)
{
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0; )
		for (int i = 0; i < the.n; i++)
			if (the.child[i].pid == pid)
				child_ended(&the.child[i], status);
}

static void
look_after(void)
{
	int64_t now = clock_ms();

	for (int i = 0; i < the.n; i++) {
		struct child *c = &the.child[i];

		if (c->pid == 0 && now >= c->start_at_ms)
			child_start(c);
		else if (c->pid > 0 && now - atomic_load(c->beat) > HUNG_MS) {
			log_error("child", "%s has given no sign of life for %d s and is killed", c->name, HUNG_MS / 1000);
			atomic_store(c->beat, now);
			kill(c->pid, SIGKILL);
		}
	}
}

static void
add_child(const struct consumer *c, _Atomic int64_t *beats)
{
	struct child *child = &the.child[the.n];

	*child = (struct child){ .c = c, .name = c ? c->name : "keeper", .beat = &beats[the.n] };
	child->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	the.n++;
}

static bool
make_children(const struct relay *r)
{
	_Atomic int64_t *beats = mmap(NULL, MAX_CHILDREN * sizeof(*beats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (beats == MAP_FAILED)
		return false;
	add_child(NULL, beats);
	for (int i = 0; r->consumers[i] && the.n < MAX_CHILDREN; i++)
		add_child(r->consumers[i], beats);
	return true;
}

static void
pass_on(void)
{
	const uint64_t one = 1;

	for (int i = 0; i < the.n; i++)
		if (the.child[i].c && write(the.child[i].wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
			log_warn("wake", "%s: %s", the.child[i].name, strerror(errno));
}

/* Those that do not finish in time are killed: what they had begun is rolled back and done again by the next. */
static void
dismiss(void)
{
	int64_t until = clock_ms() + LEAVE_MS;
	bool some = true, killed = false;

	for (int i = 0; i < the.n; i++)
		if (the.child[i].pid > 0)
			kill(the.child[i].pid, SIGTERM);
	while (some) {
		bury();
		some = false;
		for (int i = 0; i < the.n; i++) {
			some = some || the.child[i].pid > 0;
			if (the.child[i].pid > 0 && !killed && clock_ms() > until)
				kill(the.child[i].pid, SIGKILL);
		}
		killed = killed || clock_ms() > until;
		if (some)
			poll(&(struct pollfd){ .fd = the.signals, .events = POLLIN }, 1, 5);
		take_signals();
	}
}

/* --- its minute ------------------------------------------------------------------------------------------------------------ */

/* For /ops, and for people: this is how long ago the relay was last seen. */
static void
say_alive(void)
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

/* The minute is over and the next one waits; or the grace is over too. */
static bool
is_time_to_leave(int64_t began)
{
	int64_t worked = clock_ms() - began;

	if (worked < the.r->work_ms)
		return false;
	return worked >= the.r->work_ms + the.r->grace_ms || lock_is_taken(the.standby);
}

static void
work(void)
{
	struct pollfd p[2] = { { .fd = the.signals, .events = POLLIN }, { .fd = the.wake, .events = POLLIN } };
	int64_t began = clock_ms();

	while (!relay_is_ending && !is_time_to_leave(began)) {
		say_alive();
		look_after();
		poll(p, 2, 100);
		take_signals();
		bury();
		if (wake_drain(the.wake)) {
			pass_on();
			usleep(ROUND_MS * 1000);
		}
	}
	relay_is_ending = 1;
}

int
relay_run(const struct relay *r)
{
	the.r = r;
	catch_term();
	if (!wait_for_turn(r))
		return 0;
	signals_to_file();
	the.wake = wake_open(r->var);
	if (!make_children(r))
		return 1;
	log_info("relay", "at work");
	work();
	dismiss();
	log_info("relay", "done");
	return 0;
}

/* --- once ------------------------------------------------------------------------------------------------------------------- */

/* One consumer's events are another's cause, so rounds are made until one brings nothing more. */
int
relay_once(const struct relay *r)
{
	struct arena *m = arena_new((size_t)64 << 20);
	struct db *db[MAX_CHILDREN];
	int n, n_events, failed = 0;

	the.r = r;
	catch_term();
	if (!wait_for_turn(r))
		return 0;
	for (n = 0; r->consumers[n] && n < MAX_CHILDREN; n++)
		if (!(db[n] = child_open(r, r->consumers[n], m)))
			failed = 1;
	do {
		n_events = 0;
		for (int i = 0; i < n && !relay_is_ending; i++) {
			bool is_sweep_done;

			if (!db[i])
				continue;
			n_events += child_catch_up(db[i], r->consumers[i], &is_sweep_done);
			n_events += !is_sweep_done;
			arena_reset(m);
		}
	} while (n_events > 0 && !relay_is_ending);
	for (int i = 0; i < n; i++)
		if (db[i])
			db_close(db[i]);
	keeper_once(r);
	return failed;
}
