/*
 * db_guard.c - what a role may touch, how long a statement may take, what a refusal is called, what becomes of a mistake.
 *
 * The authorizer is asked while a statement is prepared, never while it runs. It is set once: setting it again would prepare
 * every statement anew. It is the second lock, behind code review; SQL is ours and literal, so it stops slips, not attackers.
 */
#include "db_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- mistakes ----------------------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 0)))
remember(struct db *db, const char *fmt, va_list ap)
{
	const char *file = db->at.file ? db->at.file : "db";

	if (db->failed)
		return;
	db->failed = true;
	vsnprintf(db->error, sizeof(db->error), fmt, ap);
	log_error("db", "%s:%d: %s", file, db->at.line, db->error);
	db_abandon(db);
}

void
db_mistake(struct db *db, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	remember(db, fmt, ap);
	va_end(ap);
}

void
db_trouble(struct db *db, const char *fmt, ...)
{
	va_list ap;

	db->later |= !db->failed;
	va_start(ap, fmt);
	remember(db, fmt, ap);
	va_end(ap);
}

void
db_fail(struct db *db, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	remember(db, fmt, ap);
	va_end(ap);
}

/* The disk has failed: nothing more is promised by this process, nor by others when it was a sync that failed. */
void
db_die(struct db *db, const char *what)
{
	int rc = sqlite3_extended_errcode(db->sqlite);

	db->dead = true;
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		lock_break(db->lock);
	if ((rc & 0xFF) == SQLITE_IOERR)
		db_trouble(db, "%s; this process can go no further", what);
	else
		db_mistake(db, "%s; this process can go no further", what);
}

void
db_sql_mistake(struct db *db, int rc)
{
	switch (rc & 0xFF) {
	case SQLITE_NOMEM:
		abort();                /* the process is replaced */
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		db_die(db, sqlite3_errmsg(db->sqlite));
		break;
	case SQLITE_FULL:
	case SQLITE_BUSY:
		db_trouble(db, "%s (%d)", sqlite3_errmsg(db->sqlite), rc);
		break;
	case SQLITE_INTERRUPT:
		db_mistake(db, "the statement took longer than %d ms", DB_STATEMENT_MS);
		break;
	default:
		db_mistake(db, "%s (%d)", sqlite3_errmsg(db->sqlite), rc);
	}
}

/* --- refusals ----------------------------------------------------------------------------------------------------- */

/* "UNIQUE constraint failed: car.plate, car.branch_id" -> car.plate; "… failed: index 'one_open_job'" -> one_open_job */
static void
name_unique(struct db *db, const char *message)
{
	const char *name = strstr(message, "failed: ");

	name = name ? name + strlen("failed: ") : message;
	if (strncmp(name, "index '", 7) == 0)
		name += 7;
	snprintf(db->refusal, sizeof(db->refusal), "%.*s", (int)strcspn(name, ",'"), name);
}

bool
db_take_refusal(struct db *db, int rc)
{
	const char *message = sqlite3_errmsg(db->sqlite);

	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		name_unique(db, message);
		break;
	case SQLITE_CONSTRAINT_TRIGGER:
		snprintf(db->refusal, sizeof(db->refusal), "%s", message);
		break;
	case SQLITE_CONSTRAINT_CHECK:
		strcpy(db->refusal, "check");
		break;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		strcpy(db->refusal, "foreign_key");
		break;
	default:                        /* NOT NULL, a wrong type: nobody but us can have done that */
		return false;
	}
	return !db->is_open || !sqlite3_get_autocommit(db->sqlite);     /* a trigger's RAISE(ROLLBACK) is no refusal */
}

/* --- the authorizer ----------------------------------------------------------------------------------------------- */

static bool
is_among(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = names; (s = strstr(s, name)); s += n)
		if ((s == names || s[-1] == ' ') && (s[n] == ' ' || s[n] == '\0'))
			return true;
	return false;
}

static bool
is_view(const char *name)
{
	return name && strncmp(name, "v_", 2) == 0;
}

/* Tables every program shares. */
static bool
is_log(const char *table)
{
	return strcmp(table, "event") == 0 || strcmp(table, "position") == 0 || strcmp(table, "event_retry") == 0;
}

/*
 * No column: only rows are counted, and SQLite does not say whether through a view; what is in them stays closed. A CTE in
 * a view is asked for by the CTE's name, so it needs the v_ too.
 */
static bool
may_read(const struct db_role *role, const char *table, const char *column, const char *through)
{
	return !*column || is_among(role->owns, table) || is_log(table) || is_view(table) || is_view(through);
}

static bool
may_write(const struct db_role *role, int action, const char *table, const char *file)
{
	if (strcmp(file, "main") != 0)
		return false;
	if (strcmp(table, "event") == 0)
		return action == SQLITE_INSERT && role->owns[0];
	return is_among(role->owns, table) || (is_log(table) && role->owns[0]);
}

static bool
may(const struct db_role *role, int action, const char *a, const char *b, const char *file, const char *through)
{
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
		return true;
	case SQLITE_FUNCTION:
		return strcmp(b, "load_extension") != 0;
	case SQLITE_READ:
		return may_read(role, a, b, through);
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return may_write(role, action, a, file);
	case SQLITE_PRAGMA:
		return strcmp(a, "data_version") == 0 && !b;
	default:
		return false;
	}
}

static int
authorize(void *arg, int action, const char *a, const char *b, const char *file, const char *through)
{
	const struct db *db = arg;

	return may(db->role, action, a, b, file, through) ? SQLITE_OK : SQLITE_DENY;
}

/* --- the time limit ----------------------------------------------------------------------------------------------- */

/* Called every so many steps of SQLite's machine, so the clock is not asked for short statements at all. */
static int
is_too_long(void *arg)
{
	struct db *db = arg;
	int64_t now = clock_ms();

	if (db->deadline == 0)
		db->deadline = now + DB_STATEMENT_MS;
	return now > db->deadline;
}

/* Owners of everything (the motorpool command) build indexes and read for reports: no limit there. */
void
db_guard(struct db *db)
{
	if (strcmp(db->role->owns, "*") == 0)
		return;
	sqlite3_set_authorizer(db->sqlite, authorize, db);
	sqlite3_progress_handler(db->sqlite, 20000, is_too_long, db);
}
