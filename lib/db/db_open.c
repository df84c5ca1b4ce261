/*
 * db_open.c - opening a connection, with every PRAGMA and every hardening switch.
 *
 * WAL with synchronous=NORMAL on every connection: db_durable() (db_wal.c) makes commits durable. No connection
 * checkpoints by itself, not even the last one to close. The read-model role opens view.db as main and motorpool.db,
 * attached read-only, as "log": BEGIN IMMEDIATE then locks view.db alone.
 */
#include "db_inside.h"

#include "lib/base/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM   4200
#define PAGE_BYTES  4096
#define CACHE_PAGES 1024        /* more come from malloc; only used pages are touched */

static const char pragmas[] =
	"PRAGMA synchronous=NORMAL;"
	"PRAGMA wal_autocheckpoint=0;"
	"PRAGMA foreign_keys=ON;"
	"PRAGMA cell_size_check=ON;"
	"PRAGMA mmap_size=0;"
	"PRAGMA cache_size=-8192;"              /* KiB */
	"PRAGMA temp_store=MEMORY;";

static const char being_upgraded[] = "being upgraded";

/*
 * Once in a process, before SQLite's first use (a later call fails without harm): one thread only, no statistics of
 * its memory, and the pages of its cache come from one block. Each commit of another process empties the cache, so a
 * booking allocates a hundred pages.
 */
static void
sqlite_once(void)
{
	static char *pages;
	int header = 0;

	if (pages)
		return;
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_PCACHE_HDRSZ, &header);
	header = (header + 7) & ~7;
	pages = calloc(CACHE_PAGES, (size_t)(PAGE_BYTES + header)); /* never freed: SQLite keeps it */
	if (pages)
		sqlite3_config(SQLITE_CONFIG_PAGECACHE, pages, PAGE_BYTES + header, CACHE_PAGES);
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

static const char *
main_file(const struct db_role *role)
{
	if (role->own_db)
		return role->own_db;
	return role->on_view ? "view" : "motorpool";
}

static int
main_version(const struct db_role *role)
{
	if (role->own_db)
		return 1;
	return role->on_view ? VIEW_SCHEMA_VERSION : DB_SCHEMA_VERSION;
}

static void
harden(sqlite3 *sqlite)
{
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_busy_timeout(sqlite, DB_BUSY_MS);
}

static bool
open_main(struct db *db, const char *var_dir, const char **why)
{
	char path[PATH_ROOM];
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_URI
		| SQLITE_OPEN_EXRESCODE;
	int version;

	if (!db_path(path, sizeof(path), var_dir, main_file(db->role))) {
		*why = "the state folder's name is too long";
		return false;
	}
	if (sqlite3_open_v2(path, &db->sqlite, flags, NULL) != SQLITE_OK) {
		*why = access(path, F_OK) == 0 ? db_say("%s: %s", path, sqlite3_errmsg(db->sqlite))
					       : db_say("%s: not made yet", path);
		return false;
	}
	harden(db->sqlite);
	version = (int)db_pragma(db->sqlite, "PRAGMA user_version");
	if (version < 0)
		*why = db_say("%s: %s", path, sqlite3_errmsg(db->sqlite));
	else if (version != main_version(db->role))
		*why = being_upgraded;
	else if (sqlite3_exec(db->sqlite, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		*why = db_say("%s: %s", path, sqlite3_errmsg(db->sqlite));
	else
		return true;
	return false;
}

/* --- the log, attached to the read models ------------------------------------------------------------------------- */

/* A path as a URI, with its special characters as %XX. */
static char *
uri(const char *path)
{
	char *s = sqlite3_malloc64(3 * strlen(path) + 32), *end = s;

	if (!s)
		abort();
	end += sprintf(end, "file:");
	for (; *path; path++)
		end += sprintf(end, strchr("%?#", *path) ? "%%%02X" : "%c", (unsigned char)*path);
	strcpy(end, "?mode=ro");
	return s;
}

static bool
attach_log(struct db *db, const char *var_dir, const char **why)
{
	sqlite3_stmt *attach = NULL;
	char path[PATH_ROOM], *as_uri;
	bool ok;

	db_path(path, sizeof(path), var_dir, "motorpool");
	as_uri = uri(path);
	ok = sqlite3_prepare_v2(db->sqlite, "ATTACH $1 AS log", -1, &attach, NULL) == SQLITE_OK
		&& sqlite3_bind_text(attach, 1, as_uri, -1, SQLITE_STATIC) == SQLITE_OK
		&& sqlite3_step(attach) == SQLITE_DONE
		&& sqlite3_exec(db->sqlite, "PRAGMA log.mmap_size=0; PRAGMA log.cache_size=-8192", NULL, NULL, NULL)
			== SQLITE_OK;
	sqlite3_finalize(attach);
	sqlite3_free(as_uri);
	if (!ok || db_pragma(db->sqlite, "PRAGMA log.user_version") < 0)
		*why = db_say("%s: %s", path, sqlite3_errmsg(db->sqlite));
	else if (db_pragma(db->sqlite, "PRAGMA log.user_version") != DB_SCHEMA_VERSION)
		*why = being_upgraded;
	else
		return true;
	return false;
}

/* --- the connection ----------------------------------------------------------------------------------------------- */

static int
note_pages(void *arg, sqlite3 *sqlite, const char *name, int n_pages)
{
	struct db *db = arg;

	(void)sqlite;
	(void)name; /* "log" is never written here */
	lock_set_pages(db->lock, n_pages);
	return SQLITE_OK;
}

static bool
prepare_own(struct db *db)
{
	sqlite3 *s = db->sqlite;
	int lasting = SQLITE_PREPARE_PERSISTENT;

	return sqlite3_prepare_v3(s, "BEGIN IMMEDIATE", -1, lasting, &db->begin, NULL) == SQLITE_OK
		&& sqlite3_prepare_v3(s, "COMMIT", -1, lasting, &db->commit, NULL) == SQLITE_OK
		&& sqlite3_prepare_v3(s, "ROLLBACK", -1, lasting, &db->rollback, NULL) == SQLITE_OK
		&& sqlite3_prepare_v3(s, "PRAGMA main.data_version", -1, lasting, &db->version[0], NULL) == SQLITE_OK
		&& (!db->role->on_view
			|| sqlite3_prepare_v3(s, "PRAGMA log.data_version", -1, lasting, &db->version[1], NULL)
				== SQLITE_OK);
}

static bool
connection_set_up(struct db *db, const char *var_dir, const char **why)
{
	if (!open_main(db, var_dir, why) || (db->role->on_view && !attach_log(db, var_dir, why)))
		return false;
	db->lock = lock_open(var_dir, main_file(db->role));
	if (!db->lock) {
		*why = db_say("%s/run: %s", var_dir, strerror(errno));
		return false;
	}
	db_guard(db);
	sqlite3_wal_hook(db->sqlite, note_pages, db);
	if (!prepare_own(db) || db_pragma(db->sqlite, "PRAGMA data_version") < 0)
		*why = db_say("%s", sqlite3_errmsg(db->sqlite));
	else if (!folder_sync(var_dir)) /* the WAL's directory entry must be on disk before its contents are */
		*why = db_say("%s: %s", var_dir, strerror(errno));
	else
		return true;
	return false;
}

struct db *
db_open(const char *var_dir, const struct db_role *role, struct arena *m, const char **why)
{
	const char *lint = getenv("DB_LINT");
	struct db *db;

	sqlite_once();
	db = sqlite3_malloc64(sizeof(*db));
	if (!db)
		abort();
	memset(db, 0, sizeof(*db));
	db->role = role;
	db->m = m;
	db->pid = getpid();
	db->is_linted = lint && strcmp(lint, "1") == 0;
	if (connection_set_up(db, var_dir, why))
		return db;
	db_close(db);
	return NULL;
}

void
db_close(struct db *db)
{
	db_abandon(db);
	db_stmts_free(db);
	sqlite3_finalize(db->begin);
	sqlite3_finalize(db->commit);
	sqlite3_finalize(db->rollback);
	sqlite3_finalize(db->version[0]);
	sqlite3_finalize(db->version[1]);
	sqlite3_close(db->sqlite);
	if (db->lock)
		lock_close(db->lock);
	sqlite3_free(db);
}

/* --- for each request --------------------------------------------------------------------------------------------- */

void
db_arena(struct db *db, struct arena *m)
{
	db->m = m;
}

const struct db_role *
db_role_of(const struct db *db)
{
	return db->role;
}

struct arena *
db_memory(struct db *db)
{
	return db->m;
}

bool
db_failed(const struct db *db)
{
	return db->failed;
}

bool
db_is_later(const struct db *db)
{
	return db->failed && db->later;
}

const char *
db_error(const struct db *db)
{
	return db->error;
}

void
db_fresh(struct db *db)
{
	if (db->n_walks)
		db_stmts_reset(db);
	db_abandon(db);
	db->depth = 0;
	db->failed = db->dead;
	db->later &= db->dead;
	db->refusal[0] = '\0';
	if (!db->dead)
		db->error[0] = '\0';
}

void
db_read_only(struct db *db, bool on)
{
	db->is_read_only = on;
}
