/* system - the machine: files, disk, the relay's heartbeat; mail that waits; the key for /metrics. */
#include "ops.h"

#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

static const char *
var_path(struct arena *m, const char *name)
{
	return arena_printf(m, "%s/%s", settings.var_dir, name);
}

static const struct member file_members[] = {
	SHAPE_TEXT(ops_file, name), SHAPE_INT(ops_file, bytes), SHAPE_INT(ops_file, wal_bytes),
};
const struct shape ops_file_shape = SHAPE(ops_file, file_members);

static const struct member system_members[] = {
	SHAPE_INT(ops_system, n_events), SHAPE_INT(ops_system, relay_age_s), SHAPE_INT(ops_system, disk_free),
	SHAPE_INT(ops_system, disk_total), SHAPE_LIST(ops_system, files, ops_file_shape),
};
const struct shape ops_system_shape = SHAPE(ops_system, system_members);

/* By stat() alone: opening and closing a database file would release the locks of this process on it. */
static int64_t
size_of(struct arena *m, const char *name)
{
	struct stat st;

	return stat(var_path(m, name), &st) == 0 ? (int64_t)st.st_size : -1;
}

static void
read_files(struct arena *m, struct ops_system *s)
{
	static const char *const names[] = { "motorpool.db", "view.db", "sandbox.db" };

	s->files = arena_array(m, struct ops_file, 3);
	for (int i = 0; i < 3; i++) {
		struct ops_file f = { .name = names[i], .bytes = size_of(m, names[i]) };

		if (f.bytes < 0)
			continue;
		f.wal_bytes = size_of(m, arena_printf(m, "%s-wal", names[i]));
		f.wal_bytes = f.wal_bytes < 0 ? 0 : f.wal_bytes;
		s->files[s->n_files++] = f;
	}
}

void
ops_system(struct db *db, struct ops_system *s)
{
	struct arena *m = db_memory(db);
	struct statvfs disk;
	struct stat alive;

	*s = (struct ops_system){ .relay_age_s = -1 };
	s->n_events = db_int(db, "SELECT COALESCE(MAX(event_id), 0) FROM v_event");
	if (stat(var_path(m, "run/relay.alive"), &alive) == 0)
		s->relay_age_s = clock_now() > alive.st_mtim.tv_sec ? clock_now() - alive.st_mtim.tv_sec : 0;
	if (statvfs(settings.var_dir, &disk) == 0) {
		s->disk_free = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
		s->disk_total = (int64_t)disk.f_blocks * (int64_t)disk.f_frsize;
	}
	read_files(m, s);
}

/* --- mail --------------------------------------------------------------------------------------------------------- */

struct ops_mail_counts
ops_mail_counts(struct db *db, int64_t now)
{
	struct ops_mail_counts mails = {
		.n_waiting =
			db_int(db, "SELECT COUNT(*) FROM v_message WHERE state IN ('QUEUED', 'RETRYING') /*scan*/"),
		.oldest_s = db_int(db,
			"SELECT COALESCE($1 - MIN(created_at), 0) FROM v_message"
			" WHERE state IN ('QUEUED', 'RETRYING') /*scan*/",
			now),
		.n_dead = db_int(db, "SELECT COUNT(*) FROM v_message WHERE state = 'DEAD' /*scan*/"),
	};

	mails.oldest_s = mails.oldest_s < 0 ? 0 : mails.oldest_s;
	return mails;
}

const char *
ops_metrics_key(struct arena *m)
{
	return secret_sign(m, "metrics", "scrape");
}
