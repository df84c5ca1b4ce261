/*
 * child - one consumer's life, in a process of its own: react to what is new, do what time brings, wait for a knock.
 *
 * Between knocks it asks ten times a second whether the database has changed (a microsecond), so a lost one costs 100 ms. When
 * its database has been replaced under it, or its disk has failed, it leaves and is started anew.
 */
#include "relay.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH      64           /* events in one transaction: others write to the same file between them */
#define VIEW_BATCH 500          /* … but nobody else writes the read models */
#define GATHER_MS  20           /* after a batch that met the log's end, a millisecond for each event in it, at most so long: under
                                 * load twenty events in one transaction cost hardly more than one, and every transaction less is
                                 * one less that bookings wait behind; on a quiet day nobody waits */
#define POLL_MS    100
#define SWEEP_MS   1000

struct life {
	const struct relay *r;
	const struct consumer *c;
	struct arena *m;
	struct db *db;
	_Atomic int64_t *beat;
	int64_t version, sweep_at;
	ino_t file;
};

static ino_t
file_of(const struct relay *r, const struct consumer *c)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.db", r->var, c->role->on_view ? "view" : "motorpool");
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* The read models can be made again from the log: a missing file is begun, and filled by the events from the first on. */
static bool
make_view(const struct relay *r, struct arena *m, const char **why)
{
	if (access(arena_printf(m, "%s/view.db", r->var), F_OK) == 0)
		return true;
	if (access(arena_printf(m, "%s/motorpool.db", r->var), F_OK) != 0)
		return *why = "there is no database yet", false;
	log_warn("view", "view.db is missing and made anew");
	return db_create(r->var, arena_printf(m, "%s/db/schema.sql", r->root), arena_printf(m, "%s/db/view.sql", r->root), why);
}

struct db *
child_open(const struct relay *r, const struct consumer *c, struct arena *m)
{
	const char *why = NULL;
	struct db *db = NULL;

	if (c->open && !c->open())
		why = "what it works with is missing";
	else if (!c->role->on_view || make_view(r, m, &why))
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

/* A full batch: more may be waiting. A short one has met the end of the log. */
static int
react(struct db *db, const struct consumer *c)
{
	return consumer_step(db, c, batch_of(c));
}

static void
sweep(struct life *l)
{
	bool again;

	arena_reset(l->m);
	db_fresh(l->db);
	again = consumer_sweep(l->db, l->c);
	if (db_failed(l->db))
		log_warn("sweep", "%s: %s", l->c->name, db_error(l->db));
	db_fresh(l->db);
	l->sweep_at = clock_ms() + (again && !db_failed(l->db) ? 0 : SWEEP_MS);
}

/*
 * What is new, until there is nothing; the first event at once, those that follow on its heels together. On a busy day there is
 * never nothing: holds run out all the same.
 */
static void
react_to_all(struct life *l)
{
	int n;

	while (!relay_is_ending && (n = react(l->db, l->c)) > 0) {
		atomic_store(l->beat, clock_ms());
		if (clock_ms() >= l->sweep_at)
			sweep(l);
		if (n < batch_of(l->c))
			usleep((useconds_t)(n < GATHER_MS ? n : GATHER_MS) * 1000);
	}
}

int
child_catch_up(struct db *db, const struct consumer *c, bool *is_sweep_done)
{
	int n, all = 0;

	while (!relay_is_ending && (n = react(db, c)) > 0)
		all += n;
	*is_sweep_done = relay_is_ending || !consumer_sweep(db, c);
	db_fresh(db);
	return all;
}

/* Sleeps until a knock, the next look or the next sweep. Answers whether there is reason to look at the log. */
static bool
wait_a_little(struct life *l, int wake_fd)
{
	struct pollfd p = { .fd = wake_fd, .events = POLLIN };
	int64_t left = l->sweep_at - clock_ms(), version, knocks;

	if (poll(&p, 1, left < 0 ? 0 : left < POLL_MS ? (int)left : POLL_MS) > 0 && read(wake_fd, &knocks, sizeof(knocks)) > 0)
		return true;
	version = db_data_version(l->db);
	if (version == l->version)
		return false;
	l->version = version;
	return true;
}

static bool
may_go_on(const struct life *l)
{
	if (db_failed(l->db))
		return log_error("child", "%s: %s", l->c->name, db_error(l->db)), false;
	return file_of(l->r, l->c) == l->file;
}

static void
beat_now(void *arg)
{
	_Atomic int64_t *beat = arg;

	atomic_store(beat, clock_ms());
}

int
child_run(const struct relay *r, const struct consumer *c, struct in_flight *hand, int wake_fd, _Atomic int64_t *beat)
{
	struct life l = { .r = r, .c = c, .m = arena_new((size_t)64 << 20), .beat = beat };
	bool go_on = true, has_failed;

	l.file = file_of(r, c);
	l.db = child_open(r, c, l.m);
	if (!l.db)
		return 1;
	if (!l.file)
		l.file = file_of(r, c);
	consumer_watch(l.db, c, hand);
	consumer_on_alive(beat_now, beat);
	while (!relay_is_ending && go_on) {
		atomic_store(l.beat, clock_ms());
		l.version = db_data_version(l.db);
		react_to_all(&l);
		do {
			if (clock_ms() < l.sweep_at)
				continue;
			atomic_store(l.beat, clock_ms());
			sweep(&l);
			go_on = may_go_on(&l);
			react(l.db, c);         /* parked events whose pause is over */
		} while (!relay_is_ending && go_on && !wait_a_little(&l, wake_fd));
	}
	has_failed = db_failed(l.db);
	db_close(l.db);
	return has_failed;
}
