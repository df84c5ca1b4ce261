/*
 * migrate.c - `motorpool migrate`: creates missing database files and upgrades older ones.
 *
 *	motorpool.db  created from db/schema.sql; upgraded by db/migrate/NNNN-*.sql in order (NNNN: the new version)
 *	view.db       created from db/view.sql; an older one is replaced and rebuilt from the event log
 *	sandbox.db    created from db/sandbox.sql
 *
 * Running programs answer "being upgraded" until the version is theirs. Each step is one transaction, committed under
 * the writers' lock and synced before the next.
 */
#include "cli.h"

#include "cgi-bin/mypage/mypage.h"
#include "domain/rental.h"
#include "lib/base/folder.h"
#include "lib/db/lock.h"

#include <errno.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
	"usage: motorpool migrate\n"
	"\n"
	"Creates the databases in the state directory if they are missing, or upgrades them to the schema version of"
	" these programs\n"
	"(db/migrate/NNNN-*.sql). Running it again has no effect. Programs may be running; they wait until it is"
	" done.\n";

#define WAIT_MS 5000

/* --- an older motorpool.db -------------------------------------------------------------------------------------- */

static int
schema_version(sqlite3 *sqlite)
{
	sqlite3_stmt *stmt = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(sqlite, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK
		&& sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return version;
}

static const char *
script_for(struct cli *c, int version)
{
	const char *pattern = arena_printf(c->m, "%s/db/migrate/%04d-*.sql", c->root, version);
	const char *path = NULL;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1)
		path = arena_strdup(c->m, found.gl_pathv[0]);
	globfree(&found);
	return path;
}

static int
found_orphan(void *arg, int n, char **value, char **name)
{
	(void)arg, (void)n, (void)value, (void)name;
	return 1;
}

/* Settings that scripts read, in temp.setting (name, value). */
static bool
give_settings(struct cli *c, sqlite3 *sqlite)
{
	const char *sql = arena_printf(c->m,
		"CREATE TEMP TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
		"INSERT INTO temp.setting (name, value) VALUES ('refund_full_before_s', %lld),"
		" ('refund_grace_s', %lld), ('refund_late_percent', %lld)",
		(long long)rental.refund_full_before_s, (long long)rental.refund_grace_s,
		(long long)rental.refund_late_percent);

	return sqlite3_exec(sqlite, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Foreign keys are checked at the end, since a script may recreate tables. */
static bool
run_migration(struct cli *c, sqlite3 *sqlite, int version, const char **why)
{
	const char *path = script_for(c, version), *script = path ? cli_read_file(c->m, path) : NULL;
	char *version_is = arena_printf(c->m, "PRAGMA user_version=%d", version);
	bool ok;

	if (!script) {
		*why = arena_printf(c->m, "db/migrate/%04d-*.sql is missing", version);
		return false;
	}
	ok = sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK
		&& sqlite3_exec(sqlite, script, NULL, NULL, NULL) == SQLITE_OK
		&& sqlite3_exec(sqlite, "PRAGMA foreign_key_check", found_orphan, NULL, NULL) == SQLITE_OK
		&& sqlite3_exec(sqlite, version_is, NULL, NULL, NULL) == SQLITE_OK
		&& sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
	if (!ok)
		*why = arena_printf(c->m, "%s: %s", path, sqlite3_errmsg(sqlite));
	if (!ok && !sqlite3_get_autocommit(sqlite))
		sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
	return ok;
}

static bool
migrate_step(struct cli *c, sqlite3 *sqlite, struct lock *lock, const char **why)
{
	bool ok = false;

	if (!lock_writer(lock, WAIT_MS)) {
		*why = "timed out waiting for the write lock";
		return false;
	}
	if (schema_version(sqlite) < DB_SCHEMA_VERSION) /* another migrate may have done it */
		ok = run_migration(c, sqlite, schema_version(sqlite) + 1, why);
	else
		ok = true;
	if (ok)
		lock_committed(lock);
	unlock_writer(lock);
	return ok;
}

static bool
upgrade(struct cli *c, const char *path, const char **why)
{
	struct lock *lock = lock_open(c->var, "motorpool");
	sqlite3 *sqlite = NULL;
	bool ok =
		lock && sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK;

	if (ok) {
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_busy_timeout(sqlite, WAIT_MS);
		sqlite3_exec(sqlite, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL);
	} else {
		*why = arena_printf(c->m, "%s: %s", path, sqlite ? sqlite3_errmsg(sqlite) : strerror(errno));
	}
	if (ok && schema_version(sqlite) > DB_SCHEMA_VERSION) {
		*why = arena_printf(c->m, "%s has schema version %d, which is newer than these programs support (%d)",
			path, schema_version(sqlite), DB_SCHEMA_VERSION);
		ok = false;
	} else if (ok && schema_version(sqlite) < 1) {
		*why = arena_printf(c->m, "%s: schema version %d is unknown: these programs know 1 to %d", path,
			schema_version(sqlite), DB_SCHEMA_VERSION);
		ok = false;
	}
	if (ok && schema_version(sqlite) < DB_SCHEMA_VERSION && !give_settings(c, sqlite)) {
		*why = arena_printf(c->m, "%s: %s", path, sqlite3_errmsg(sqlite));
		ok = false;
	}
	while (ok && schema_version(sqlite) < DB_SCHEMA_VERSION)
		ok = migrate_step(c, sqlite, lock, why);
	sqlite3_close(sqlite);
	if (lock)
		lock_close(lock);
	return ok;
}

/* --- an older view.db ------------------------------------------------------------------------------------------- */

static bool
view_is_old(const char *path)
{
	sqlite3 *sqlite = NULL;
	bool old = sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
		&& (sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
			schema_version(sqlite) != VIEW_SCHEMA_VERSION);

	sqlite3_close(sqlite);
	return old;
}

static bool
rebuild_old_view(struct cli *c, const char *path, const char **why)
{
	if (access(path, F_OK) != 0 || !view_is_old(path))
		return true;
	if (rename(path, arena_printf(c->m, "%s.old", path)) != 0) {
		*why = arena_printf(c->m, "%s: %s", path, strerror(errno));
		return false;
	}
	return view_replay(c->root, c->var, NULL, NULL, why) >= 0;
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

static bool
make_folder(struct cli *c, const char *name, mode_t mode, const char **why)
{
	const char *path = *name ? cli_path(c, c->var, name) : c->var;

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return true;
	*why = arena_printf(c->m, "%s: %s", path, strerror(errno));
	return false;
}

bool
cli_migrate(struct cli *c, const char **why)
{
	const char *path = cli_path(c, c->var, "motorpool.db"), *view = cli_path(c, c->var, "view.db");

	return make_folder(c, "", 0755, why) && make_folder(c, "run", 0755, why) && make_folder(c, "photos", 0755, why)
		&& make_folder(c, "handover", 0700, why) && (access(path, F_OK) != 0 || upgrade(c, path, why))
		&& db_create(c->var, cli_path(c, c->root, "db/schema.sql"), NULL, why) && rebuild_old_view(c, view, why)
		&& db_create(c->var, cli_path(c, c->root, "db/schema.sql"), cli_path(c, c->root, "db/view.sql"), why)
		&& (!rental.sandbox || db_create_own(c->var, "sandbox", cli_path(c, c->root, "db/sandbox.sql"), why));
}

static int
migrate(struct cli *c, int argc, char **argv)
{
	const char *why = NULL;
	bool was_there = access(cli_path(c, c->var, "motorpool.db"), F_OK) == 0;

	(void)argv;
	if (argc != 1)
		return cli_usage(c);
	if (!make_folder(c, "", 0755, &why) || !cli_setup(c))
		return why ? cli_fail("%s", why) : 1;
	if (!cli_migrate(c, &why))
		return cli_fail("%s", why ? why : "cannot create the databases");
	printf("%s: %s, schema version %d\n", c->var, was_there ? "up to date" : "databases created",
		DB_SCHEMA_VERSION);
	return 0;
}

const struct command migrate_command = {
	.name = "migrate", .summary = "creates or upgrades the databases", .usage = usage, .run = migrate,
};
