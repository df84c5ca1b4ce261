/*
 * relay.c - the parent: its minute, and keeping the children alive.
 *
 * It opens no database. It takes the knocks of commits, passes them on, touches $VAR/run/relay.alive each second, and starts a
 * child again when it has died: at once the first time, after a growing pause when it dies young. One that died with an event in
 * hand (in_flight.h) is not to blame, and starts again at once: the event is.
 *
 * A child that gives no sign of life is killed, and much sooner one that is stuck in a policy, since it holds the writers' lock.
 */
#include "relay.h"

#include "lib/base/clock.h"
#include "lib/event/in_flight.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CHILDREN 16
#define FIRST_PAUSE_MS 50
#define LAST_PAUSE_MS  10000
#define GROWN_UP_MS    5000     /* a child that lived so long may start again without a pause */
#define HUNG_MS        60000    /* no sign of life for so long: killed */
#define HANDLER_MS     4000     /* one policy for so long: killed, before those who wait for the writers' lock give up (5 s) */
#define MEMORY_BYTES   ((rlim_t)1 << 30)        /* a child that wants more is refused it, and aborts */
#define LEAVE_MS       10000    /* to finish the work in hand */
#define ROUND_MS       5        /* between two rounds of knocks: under load one stands for many commits */

volatile sig_atomic_t relay_is_ending;

struct child {
	const struct consumer *c;       /* NULL: the keeper */
	const char *name;
	struct in_flight *hand;              /* what it has in hand; NULL: the keeper, or it cannot be known */
	int wake_fd;                    /* outlives the child: a knock in between is not lost */
	pid_t pid;                      /* 0: not running */
	int64_t started_ms, start_at_ms, pause_ms;
	_Atomic int64_t *beat;          /* shared with it */
};

static struct {
	const struct relay *r;
	struct child child[MAX_CHILDREN];
	int n;
	int wake, signals;
	int64_t alive_ms;
} the = { .wake = -1, .signals = -1 };

/* --- signals ------------------------------------------------------------------------------------------------------------ */

static void
on_term(int signo)
{
	(void)signo;
	relay_is_ending = 1;
}

void
relay_catch_term(void)
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

/* Out of memory is the end of one child, not of whoever the kernel picks. Sanitizers need an address space without bounds. */
static void
bound_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	struct rlimit l = { MEMORY_BYTES, MEMORY_BYTES };

	setrlimit(RLIMIT_AS, &l);
#endif
}

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
	relay_catch_term();
	signal(SIGINT, SIG_IGN);        /* Ctrl-C reaches us all; the parent decides */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (getppid() != parent)
		_exit(0);
	close(the.signals);
	turn_forget_standby();
	if (the.wake >= 0)
		close(the.wake);
	bound_memory();
	status = c->c ? child_run(the.r, c->c, c->hand, c->wake_fd, c->beat) : checkpointer_run(the.r, c->beat);
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
	if (c->pid > 0) {
		turn_has(1 + (int)(c - the.child), c->pid);
		return;
	}
	log_error("fork", "%s: %s", c->name, strerror(errno));
	c->pid = 0;
	c->start_at_ms = clock_ms() + LAST_PAUSE_MS;
}

/* It ended in the middle of something: its successor shall know how. */
static bool
had_in_hand(struct child *c, int status)
{
	if (!c->hand || atomic_load(&c->hand->pid) != c->pid || atomic_load(&c->hand->event_id) == 0)
		return false;
	if (atomic_load(&c->hand->ended) != IN_FLIGHT_HUNG)
		atomic_store(&c->hand->ended, status);
	return true;
}

static void
child_ended(struct child *c, int status)
{
	int64_t lived = clock_ms() - c->started_ms;
	bool in_hand = had_in_hand(c, status), is_fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	turn_has(1 + (int)(c - the.child), 0);
	c->pid = 0;
	if (relay_is_ending)
		return;
	if (in_hand || is_fine)
		c->pause_ms = 0;        /* the event, or the sweep, pauses; not those who wait behind it. Fine: its file was replaced */
	if (lived >= GROWN_UP_MS)
		c->pause_ms = 0;
	c->start_at_ms = clock_ms() + c->pause_ms;
	log_warn("child", "%s ended (%s %d) and starts again in %lld ms", c->name, WIFSIGNALED(status) ? "signal" : "status",
	         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), (long long)c->pause_ms);
	c->pause_ms = c->pause_ms == 0 ? FIRST_PAUSE_MS : c->pause_ms < LAST_PAUSE_MS / 2 ? 2 * c->pause_ms : LAST_PAUSE_MS;
}

static void
reap(void)
{
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0; )
		for (int i = 0; i < the.n; i++)
			if (the.child[i].pid == pid)
				child_ended(&the.child[i], status);
}

static bool
is_stuck_in_a_policy(const struct child *c, int64_t now)
{
	return c->hand && atomic_load(&c->hand->pid) == c->pid && atomic_load(&c->hand->event_id) > 0
	    && now - atomic_load(&c->hand->since_ms) > HANDLER_MS;
}

static void
kill_hung(struct child *c, int64_t now)
{
	bool is_policy = is_stuck_in_a_policy(c, now);

	if (!is_policy && now - atomic_load(c->beat) <= HUNG_MS)
		return;
	log_error("child", "%s has given no sign of life for %d s and is killed", c->name, (is_policy ? HANDLER_MS : HUNG_MS) / 1000);
	atomic_store(c->beat, now);
	if (c->hand && atomic_load(&c->hand->pid) == c->pid)
		atomic_store(&c->hand->ended, IN_FLIGHT_HUNG);
	kill(c->pid, SIGKILL);
}

static void
look_after(void)
{
	int64_t now = clock_ms();

	for (int i = 0; i < the.n; i++) {
		struct child *c = &the.child[i];

		if (c->pid == 0 && now >= c->start_at_ms)
			child_start(c);
		else if (c->pid > 0)
			kill_hung(c, now);
	}
}

static void
add_child(const struct consumer *c, _Atomic int64_t *beats, struct in_flight_table *hands)
{
	struct child *child = &the.child[the.n];

	*child = (struct child){ .c = c, .name = c ? c->name : "keeper", .beat = &beats[the.n] };
	child->hand = c ? in_flight_slot(hands, c->name) : NULL;
	child->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	the.n++;
}

static bool
make_children(const struct relay *r)
{
	struct in_flight_table *hands = in_flight_open(r->var);
	_Atomic int64_t *beats = mmap(NULL, MAX_CHILDREN * sizeof(*beats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (beats == MAP_FAILED)
		return false;
	if (!hands)
		log_warn("start", "%s/run/relay.in_flight: %s; a policy that crashes holds all others of its context", r->var, strerror(errno));
	add_child(NULL, beats, NULL);
	for (int i = 0; r->consumers[i] && the.n < MAX_CHILDREN; i++)
		add_child(r->consumers[i], beats, hands);
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
		turn_beat();
		reap();
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
	return worked >= the.r->work_ms + the.r->grace_ms || turn_is_wanted();
}

static void
work(void)
{
	struct pollfd p[2] = { { .fd = the.signals, .events = POLLIN }, { .fd = the.wake, .events = POLLIN } };
	int64_t began = clock_ms();

	while (!relay_is_ending && !is_time_to_leave(began)) {
		turn_beat();
		say_alive();
		look_after();
		poll(p, 2, 100);
		take_signals();
		reap();
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
	relay_catch_term();
	if (!turn_take(r))
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
