/*
 * consumer_loop.c - a child's work: one consumer reacts to new events, sweeps, and waits.
 *
 * Between wake-ups it asks ten times a second whether the database has changed (which takes a microsecond), so a lost
 * wake-up costs at most 100 ms. When its database file has been replaced or its disk has failed, it ends and is
 * restarted.
 */
#include "relay.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH      64           /* events in one transaction: others write to the same file between two */
#define VIEW_BATCH 500          /* … but only this consumer writes the read models */
/* The longest pause after a batch that reached the log's end, 1 ms for each event in it: under load twenty events in
 * one transaction cost hardly more than one, and bookings wait for fewer transactions. */
#define GATHER_MS  20
#define POLL_MS    100
#define SWEEP_MS   1000

struct consumer_loop {
	const struct relay *r;
	const struct consumer *c;
	struct arena *m;
	struct db *db;
	_Atomic int64_t *heartbeat;
	int64_t data_version, sweep_at_ms;
	ino_t file;
};

static ino_t
consumer_db_file(const struct relay *r, const struct consumer *c)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.db", r->var, c->role->on_view ? "view" : "motorpool");
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* The read models can be rebuilt: a missing file is created empty, and events are handled from the first on. */
static bool
view_db_create(const struct relay *r, struct arena *m, const char **why)
{
	if (access(arena_printf(m, "%s/view.db", r->var), F_OK) == 0)
		return true;
	if (access(arena_printf(m, "%s/motorpool.db", r->var), F_OK) != 0)
		return *why = "there is no database yet", false;
	log_warn("view", "view.db is missing and is created again");
	return db_create(
		r->var, arena_printf(m, "%s/db/schema.sql", r->root), arena_printf(m, "%s/db/view.sql", r->root), why);
}

struct db *
consumer_db_open(const struct relay *r, const struct consumer *c, struct arena *m)
{
	const char *why = NULL;
	struct db *db = NULL;

	if (c->open && !c->open())
		why = "what it needs at its start is missing";
	else if (!c->role->on_view || view_db_create(r, m, &why))
		db = db_open(r->var, c->role, m, &why);
	if (db)
		event_open(db, r->var);
	else
		log_warn("start", "%s: %s", c->name, why ? why : "the database cannot be used");
	return db;
}

static int
batch_of(const struct consumer *c)
{
	return c->role->on_view ? VIEW_BATCH : BATCH;
}

static void
heartbeat_now(void *heartbeat)
{
	atomic_store((_Atomic int64_t *)heartbeat, clock_ms());
}

static void
loop_sweep(struct consumer_loop *l)
{
	bool again;

	arena_reset(l->m);
	db_fresh(l->db);
	again = consumer_sweep(l->db, l->c);
	if (db_failed(l->db))
		log_warn("sweep", "%s: %s", l->c->name, db_error(l->db));
	db_fresh(l->db);
	l->sweep_at_ms = clock_ms() + (again && !db_failed(l->db) ? 0 : SWEEP_MS);
}

/*
 * Handles new events until there are none: the first at once, those that follow shortly after together. Under steady
 * load there are always more, so sweeps happen in between.
 */
static void
loop_react(struct consumer_loop *l)
{
	int n;

	while (!relay_is_stopping && (n = consumer_step(l->db, l->c, batch_of(l->c))) > 0) {
		heartbeat_now(l->heartbeat);
		if (clock_ms() >= l->sweep_at_ms)
			loop_sweep(l);
		if (n < batch_of(l->c))
			usleep((useconds_t)(n < GATHER_MS ? n : GATHER_MS) * 1000);
	}
}

int
consumer_catch_up(struct db *db, const struct consumer *c, bool *is_sweep_done)
{
	int n, n_all = 0;

	while (!relay_is_stopping && (n = consumer_step(db, c, batch_of(c))) > 0)
		n_all += n;
	*is_sweep_done = relay_is_stopping || !consumer_sweep(db, c);
	db_fresh(db);
	return n_all;
}

/* Sleeps until a wake-up, the next poll or the next sweep. Returns whether the log may have new events. */
static bool
loop_wait(struct consumer_loop *l, int wakeup_fd)
{
	struct pollfd p = { .fd = wakeup_fd, .events = POLLIN };
	int64_t left_ms = l->sweep_at_ms - clock_ms(), data_version, n_wakeups;

	if (poll(&p, 1,
		    left_ms < 0                 ? 0
			    : left_ms < POLL_MS ? (int)left_ms
						: POLL_MS)
			> 0
		&& read(wakeup_fd, &n_wakeups, sizeof(n_wakeups)) > 0)
		return true;
	data_version = db_data_version(l->db);
	if (data_version == l->data_version)
		return false;
	l->data_version = data_version;
	return true;
}

static bool
loop_may_go_on(const struct consumer_loop *l)
{
	if (db_failed(l->db))
		return log_error("child", "%s: %s", l->c->name, db_error(l->db)), false;
	return consumer_db_file(l->r, l->c) == l->file;
}

int
consumer_loop(const struct relay *r, const struct consumer *c, struct in_flight *in_flight, int wakeup_fd,
	_Atomic int64_t *heartbeat)
{
	struct consumer_loop l = { .r = r, .c = c, .m = arena_new((size_t)64 << 20), .heartbeat = heartbeat };
	bool go_on = true, has_failed;

	l.file = consumer_db_file(r, c);
	l.db = consumer_db_open(r, c, l.m);
	if (!l.db)
		return 1;
	if (!l.file)
		l.file = consumer_db_file(r, c);
	consumer_watch(l.db, c, in_flight);
	consumer_on_alive(heartbeat_now, heartbeat);
	while (!relay_is_stopping && go_on) {
		heartbeat_now(heartbeat);
		l.data_version = db_data_version(l.db);
		loop_react(&l);
		do {
			if (clock_ms() < l.sweep_at_ms)
				continue;
			heartbeat_now(heartbeat);
			loop_sweep(&l);
			go_on = loop_may_go_on(&l);
			consumer_step(l.db, l.c, batch_of(l.c)); /* parked events whose pause is over */
		} while (!relay_is_stopping && go_on && !loop_wait(&l, wakeup_fd));
	}
	has_failed = db_failed(l.db);
	db_close(l.db);
	return has_failed;
}
