/*
 * keeper - the child that moves the WALs into the database files. Nobody else does, ever: SQLite 3.40.1 can lose commits that
 * restart a WAL beside a checkpoint, so db_checkpoint() holds the writers' lock, which every commit holds too (GROUND SQLite 1).
 *
 * A WAL is moved when it has grown by about a thousand pages, and once a second when it has anything in it. A WAL past 16 MiB
 * means that a reader keeps it from being used again: that is told.
 */
#include "relay.h"

#include "../lib/clock.h"
#include "../lib/log.h"

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

/* The last look of a relay that ends is left to the next one, which is there already. */
int
keeper_run(const struct relay *r, _Atomic int64_t *beat)
{
	struct kept kept[N_FILES] = FILES;
	struct arena *m = arena_new((size_t)4 << 20);
	int64_t looked = 0;

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
		usleep(LOOK_MS * 1000);
	}
	return 0;
}

void
keeper_once(const struct relay *r)
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
