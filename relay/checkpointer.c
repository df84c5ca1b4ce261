/*
 * checkpointer.c - the child that moves the WALs into the database files. It is the only process that does: SQLite
 * 3.40.1 can lose commits that restart a WAL during a checkpoint, so db_checkpoint() holds the writers' lock, which
 * every commit holds too.
 *
 * A WAL is moved when it has grown by about a thousand pages, and once a second if it is not empty. A WAL of more than
 * 16 MiB is logged: a reader keeps it from being reused.
 *
 * Every five seconds it records how far behind each consumer is and how long the WALs are (lag_history.h): it has the
 * files open anyway, and it also sees consumers that are paused, hung or dead.
 */
#include "relay.h"

#include "lib/base/clock.h"
#include "lib/event/lag_history.h"
#include "lib/base/log.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY_PAGES   1000
#define CHECK_MS     50
#define EACH_MS      1000
#define REST_FACTOR  10         /* all writers wait during a checkpoint, so it rests ten times as long afterwards … */
#define REST_MAX_MS  60         /* … at most so long, so that the WAL stays short */
#define TOO_LONG     (16 * 1024 * 1024 / 4096)  /* pages */
#define WARN_MS      60000

static const struct db_role main_role = { .name = "checkpointer", .owns = "" };
static const struct db_role view_role = { .name = "checkpointer", .owns = "", .on_view = true };
static const struct db_role sandbox_role = { .name = "checkpointer", .owns = "", .own_db = "sandbox" };

struct watched_wal {
	const char *name;
	const struct db_role *role;
	struct db *db;
	ino_t inode;
	int64_t moved_ms, took_ms, warned_ms;
};

#define N_FILES 3
#define FILES { \
	{ .name = "motorpool", .role = &main_role }, { .name = "view", .role = &view_role }, \
	{ .name = "sandbox", .role = &sandbox_role }, \
}

static ino_t
wal_file_inode(const struct relay *r, const struct watched_wal *f)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.db", r->var, f->name);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* Once a second: a file may have appeared, vanished or been replaced. */
static void
wal_file_open(const struct relay *r, struct watched_wal *f, struct arena *m)
{
	const char *why = NULL;
	ino_t inode = wal_file_inode(r, f);

	if (f->db && inode == f->inode && !db_failed(f->db))
		return;
	if (f->db)
		db_close(f->db);
	f->db = inode ? db_open(r->var, f->role, m, &why) : NULL;
	f->inode = inode;
}

static void
wal_checkpoint(struct watched_wal *f)
{
	int64_t began_ms = clock_ms();
	int n = db_checkpoint(f->db);

	f->moved_ms = clock_ms();
	f->took_ms = f->moved_ms - began_ms;
	if (n > TOO_LONG && clock_ms() - f->warned_ms > WARN_MS) {
		log_warn("checkpointer", "%s.db-wal has grown to %d MiB: a reader holds it", f->name, n / 256);
		f->warned_ms = clock_ms();
	}
	db_fresh(f->db);
}

static bool
wal_is_due(const struct watched_wal *f, int n_pages)
{
	int64_t rest_ms = REST_FACTOR * f->took_ms;

	if (!f->db || db_wal_pages(f->db) < n_pages)
		return false;
	return clock_ms() - f->moved_ms >= CHECK_MS + (rest_ms < REST_MAX_MS ? rest_ms : REST_MAX_MS);
}

/* --- the history ------------------------------------------------------------------------------------------------ */

static int64_t
wal_file_bytes(const struct relay *r, const struct watched_wal *f)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.db-wal", r->var, f->name);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* Without a schema name, position and event_retry are those of the connection's own file. */
static struct consumer_lag_now
lag_now(struct db *db, const struct consumer *c)
{
	struct consumer_lag_now lag = { .n_behind = -1 };
	int64_t at, oldest;

	if (!db || db_failed(db))
		return lag;
	if (!c->policy->type) /* it reacts to no events */
		return (struct consumer_lag_now){ 0 };
	at = db_int(db, "SELECT event_id FROM position WHERE consumer = $1", c->name);
	lag.n_waiting = db_int(db, "SELECT COUNT(*) FROM event_retry WHERE consumer = $1 AND dead = 0", c->name);
	lag.n_dead = db_int(db, "SELECT COUNT(*) FROM event_retry WHERE consumer = $1 AND dead = 1", c->name);
	oldest = db_int(db, "SELECT recorded_at FROM v_event WHERE event_id > $1 ORDER BY event_id LIMIT 1", at);
	lag.behind_s = oldest && clock_now() > oldest ? clock_now() - oldest : 0;
	lag.n_behind = db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event") - at + lag.n_waiting + lag.n_dead;
	if (db_failed(db))
		lag = (struct consumer_lag_now){ .n_behind = -1 };
	db_fresh(db);
	return lag;
}

static void
record_sample(const struct relay *r, const struct watched_wal file[N_FILES], struct lag_history_shm *history)
{
	struct lag_sample s = { .at = clock_now() };
	int column;

	for (int i = 0; i < N_FILES; i++)
		s.wal_bytes[i] = wal_file_bytes(r, &file[i]);
	for (int i = 0; r->consumers[i]; i++)
		if ((column = lag_history_column(history, r->consumers[i]->name)) >= 0)
			s.lag[column] = lag_now(file[r->consumers[i]->role->on_view ? 1 : 0].db, r->consumers[i]);
	lag_history_add(history, &s);
}

/* --- running ---------------------------------------------------------------------------------------------------- */

/* It does no last checkpoint when it stops: the next relay is already running. */
int
checkpointer_run(const struct relay *r, _Atomic int64_t *heartbeat)
{
	struct watched_wal file[N_FILES] = FILES;
	struct arena *m = arena_new((size_t)4 << 20);
	struct lag_history_shm *history = lag_history_open(r->var);
	int64_t checked_ms = 0, recorded_ms = -LAG_EVERY_S * 1000;

	while (!relay_is_stopping) {
		bool is_time = clock_ms() - checked_ms >= EACH_MS;

		atomic_store(heartbeat, clock_ms());
		for (int i = 0; i < N_FILES; i++) {
			if (is_time)
				wal_file_open(r, &file[i], m);
			if (wal_is_due(&file[i], is_time ? 1 : MANY_PAGES))
				wal_checkpoint(&file[i]);
		}
		if (is_time)
			checked_ms = clock_ms();
		if (history && clock_ms() - recorded_ms >= LAG_EVERY_S * 1000) {
			recorded_ms = clock_ms();
			record_sample(r, file, history);
			arena_reset(m);
		}
		usleep(CHECK_MS * 1000);
	}
	return 0;
}

void
checkpointer_run_once(const struct relay *r)
{
	struct watched_wal file[N_FILES] = FILES;
	struct arena *m = arena_new((size_t)4 << 20);

	for (int i = 0; i < N_FILES; i++) {
		wal_file_open(r, &file[i], m);
		if (!file[i].db)
			continue;
		wal_checkpoint(&file[i]);
		db_close(file[i].db);
	}
}
