/*
 * db_make.c - creating the database files, and running whole scripts, for the motorpool command.
 *
 * A file is created under a temporary name, filled in one transaction, closed, and linked to its name: it exists
 * complete or not at all. A WAL left by an earlier file of that name is removed first, or SQLite would apply it to
 * the new one.
 */
#include "db_inside.h"

#include "lib/base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 4200

/* --- small things shared with db_open.c --------------------------------------------------------------------------- */

const char *
db_say(const char *fmt, ...)
{
	static char said[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	return said;
}

bool
db_path(char *path, size_t room, const char *var_dir, const char *name)
{
	return snprintf(path, room, "%s/%s.db", var_dir, name) < (int)room - 64;
}

int64_t
db_pragma(sqlite3 *sqlite, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

/* --- one file ----------------------------------------------------------------------------------------------------- */

static char *
read_script(const char *path)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char *text = NULL;

	if (!f)
		return NULL;
	if (fstat(fileno(f), &st) == 0)
		text = sqlite3_malloc64((sqlite3_uint64)st.st_size + 1);
	if (text)
		text[fread(text, 1, (size_t)st.st_size, f)] = '\0';
	fclose(f);
	return text;
}

static int
run_script(sqlite3 *sqlite, const char *script)
{
	int rc = sqlite3_exec(sqlite, "PRAGMA synchronous=FULL; BEGIN", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(sqlite, script, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(sqlite, "COMMIT; PRAGMA journal_mode=WAL", NULL, NULL, NULL);
	return rc;
}

static bool
fill_file(const char *path, const char *script_file, int version, const char **why)
{
	char *script = read_script(script_file);
	sqlite3 *sqlite = NULL;
	bool ok = false;

	if (!script) {
		*why = db_say("%s: %s", script_file, strerror(errno));
		return false;
	}
	if (sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL)
			!= SQLITE_OK
		|| run_script(sqlite, script) != SQLITE_OK)
		*why = db_say("%s: %s", script_file, sqlite3_errmsg(sqlite));
	else if (db_pragma(sqlite, "PRAGMA user_version") != version)
		*why = db_say("%s: PRAGMA user_version must be %d", script_file, version);
	else
		ok = true;
	if (sqlite3_close(sqlite) != SQLITE_OK)
		ok = false;
	sqlite3_free(script);
	return ok && chmod(path, 0600) == 0;
}

static void
remove_with(const char *path, const char *suffix)
{
	char other[PATH_ROOM + 16];

	snprintf(other, sizeof(other), "%s%s", path, suffix);
	unlink(other);
}

static bool
make_file(const char *var_dir, const char *path, const char *script_file, int version, const char **why)
{
	char temp[PATH_ROOM + 8];
	bool ok;

	if (access(path, F_OK) == 0)
		return true;
	snprintf(temp, sizeof(temp), "%s.new", path);
	remove_with(temp, "");
	remove_with(temp, "-wal");
	remove_with(temp, "-shm");
	remove_with(temp, "-journal");
	ok = fill_file(temp, script_file, version, why);
	if (ok) {
		remove_with(path, "-wal");
		remove_with(path, "-shm");
		ok = link(temp, path) == 0 && folder_sync(var_dir);
		if (!ok)
			*why = db_say("%s: %s", path, strerror(errno));
	}
	unlink(temp);
	return ok;
}

/* One process at a time checks and creates. */
static bool
make_guarded(const char *var_dir, const char *name, const char *script_file, int version, const char **why)
{
	char path[PATH_ROOM], guard[PATH_ROOM + 16];
	bool ok;
	int fd;

	if (!db_path(path, sizeof(path), var_dir, name)) {
		*why = "the state folder's name is too long";
		return false;
	}
	snprintf(guard, sizeof(guard), "%s/run", var_dir);
	mkdir(guard, 0755);
	snprintf(guard, sizeof(guard), "%s/run/%s.create", var_dir, name);
	fd = open(guard, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		*why = db_say("%s: %s", guard, strerror(errno));
		ok = false;
	} else {
		ok = make_file(var_dir, path, script_file, version, why);
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

bool
db_create(const char *var_dir, const char *schema_file, const char *view_file, const char **why)
{
	if (mkdir(var_dir, 0755) != 0 && errno != EEXIST) {
		*why = db_say("%s: %s", var_dir, strerror(errno));
		return false;
	}
	return make_guarded(var_dir, "motorpool", schema_file, DB_SCHEMA_VERSION, why)
		&& (!view_file || make_guarded(var_dir, "view", view_file, VIEW_SCHEMA_VERSION, why));
}

bool
db_create_own(const char *var_dir, const char *name, const char *schema_file, const char **why)
{
	return make_guarded(var_dir, name, schema_file, 1, why);
}

/* --- scripts ------------------------------------------------------------------------------------------------------ */

/* One transaction, unless the caller has begun one. */
bool
db_script(struct db *db, const char *sql)
{
	int rc;

	db_begin(db);
	if (!db->failed) {
		db->at = (struct db_at){ sql, "script", 0 };
		rc = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			db_fail_sql(db, rc);
	}
	return db_commit(db);
}
