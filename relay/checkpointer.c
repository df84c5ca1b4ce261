/*
 * keeper - the child that moves the WALs into the database files. Nobody else does, ever: SQLite 3.40.1 can lose commits that
 * restart a WAL beside a checkpoint, so db_checkpoint() holds the writers' lock, which every commit holds too (GROUND SQLite 1).
 *
 * A WAL is moved when it has grown by about a thousand pages, and once a second when it has anything in it. A WAL past 16 MiB
 * means that a reader keeps it from being used again: that is told.
 *
 * Every five seconds it writes down how far behind everybody is and how long the WALs are (history.h): it has both files open
 * anyway, and sees also those consumers that are paused, hung or gone.
 */
#include "relay.h"

#include "lib/base/clock.h"
#include "lib/event/lag_history.h"
#include "lib/base/log.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENOUGH_PAGES 1000
#define LOOK_MS      50
#define EACH_MS      1000
#define REST         10         /* all writers wait meanwhile, on a slow disk for long: about a tenth of the time … */
#define REST_MAX_MS  60         /* … as long as the WAL stays short */
#define TOO_LONG     (16 * 1024 * 1024 / 4096)
#define TELL_MS      60000

static const struct db_role main_role = { .name = "keeper", .owns = "" };
static const struct db_role view_role = { .name = "keeper", .owns = "", .on_view = true };
static const struct db_role sandbox_role = { .name = "keeper", .owns = "", .own_db = "sandbox" };

struct kept {
	const char *name;
	const struct db_role *role;
	struct db *db;
	ino_t file;
	int64_t moved_ms, took_ms, told_ms;
};

#define N_FILES 3
#define FILES { \
	{ .name = "motorpool", .role = &main_role }, { .name = "view", .role = &view_role }, { .name = "sandbox", .role = &sandbox_role }, \
}

static ino_t
kept_file(const struct relay *r, const struct kept *k)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.db", r->var, k->name);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* Once a second: a file may have come, gone or been replaced. */
static void
keep_open(const struct relay *r, struct kept *k, struct arena *m)
{
	const char *why = NULL;
	ino_t file = kept_file(r, k);

	if (k->db && file == k->file && !db_failed(k->db))
		return;
	if (k->db)
		db_close(k->db);
	k->db = file ? db_open(r->var, k->role, m, &why) : NULL;
	k->file = file;
}

static void
move(struct kept *k)
{
	int64_t began_ms = clock_ms();
	int n = db_checkpoint(k->db);

	k->moved_ms = clock_ms();
	k->took_ms = k->moved_ms - began_ms;
	if (n > TOO_LONG && clock_ms() - k->told_ms > TELL_MS) {
		log_warn("keeper", "%s.db-wal has grown to %d MiB: a reader holds it", k->name, n / 256);
		k->told_ms = clock_ms();
	}
	db_fresh(k->db);
}

static bool
is_due(const struct kept *k, int enough_pages)
{
	int64_t rest = REST * k->took_ms;

	if (!k->db || db_wal_pages(k->db) < enough_pages)
		return false;
	return clock_ms() - k->moved_ms >= LOOK_MS + (rest < REST_MAX_MS ? rest : REST_MAX_MS);
}

/* --- the history -------------------------------------------------------------------------------------------------------- */

static int64_t
wal_bytes(const struct relay *r, const struct kept *k)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.db-wal", r->var, k->name);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* Unqualified, position and event_retry are those of the file the connection is on. */
static struct consumer_lag_now
lag_of(struct db *db, const struct consumer *c)
{
	struct consumer_lag_now lag = { .n_behind = -1 };
	int64_t at, oldest;

	if (!db || db_failed(db))
		return lag;
	if (!c->policy->type)           /* it follows no events */
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
write_down(const struct relay *r, const struct kept kept[N_FILES], struct lag_history_shm *history)
{
	struct lag_sample s = { .at = clock_now() };
	int place;

	for (int i = 0; i < N_FILES; i++)
		s.wal_bytes[i] = wal_bytes(r, &kept[i]);
	for (int i = 0; r->consumers[i]; i++)
		if ((place = lag_history_column(history, r->consumers[i]->name)) >= 0)
			s.lag[place] = lag_of(kept[r->consumers[i]->role->on_view ? 1 : 0].db, r->consumers[i]);
	lag_history_add(history, &s);
}

/* --- its life ----------------------------------------------------------------------------------------------------------- */

/* The last look of a relay that ends is left to the next one, which is there already. */
int
checkpointer_run(const struct relay *r, _Atomic int64_t *beat)
{
	struct kept kept[N_FILES] = FILES;
	struct arena *m = arena_new((size_t)4 << 20);
	struct lag_history_shm *history = lag_history_open(r->var);
	int64_t looked = 0, written = -LAG_EVERY_S * 1000;

	while (!relay_is_ending) {
		bool is_time = clock_ms() - looked >= EACH_MS;

		atomic_store(beat, clock_ms());
		for (int i = 0; i < N_FILES; i++) {
			if (is_time)
				keep_open(r, &kept[i], m);
			if (is_due(&kept[i], is_time ? 1 : ENOUGH_PAGES))
				move(&kept[i]);
		}
		if (is_time)
			looked = clock_ms();
		if (history && clock_ms() - written >= LAG_EVERY_S * 1000) {
			written = clock_ms();
			write_down(r, kept, history);
			arena_reset(m);
		}
		usleep(LOOK_MS * 1000);
	}
	return 0;
}

void
checkpointer_once(const struct relay *r)
{
	struct kept kept[N_FILES] = FILES;
	struct arena *m = arena_new((size_t)4 << 20);

	for (int i = 0; i < N_FILES; i++) {
		keep_open(r, &kept[i], m);
		if (!kept[i].db)
			continue;
		move(&kept[i]);
		db_close(kept[i].db);
	}
}
