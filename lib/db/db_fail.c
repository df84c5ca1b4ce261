/*
 * db_fail.c - failures, and refusals by a constraint.
 *
 * The first failure is logged with the file and line of the call and kept: it rolls the transaction back and releases
 * the writers' lock at once, and the calls that follow do nothing until db_fresh().
 */
#include "db_inside.h"

#include "lib/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
db_abandon(struct db *db)
{
	if (!db->is_open)
		return;
	db->is_open = false;
	if (!sqlite3_get_autocommit(db->sqlite)) /* some errors have rolled back already */
		sqlite3_step(db->rollback), sqlite3_reset(db->rollback);
	unlock_writer(db->lock);
}

/* --- failures ----------------------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 0))) record_failure(struct db *db, const char *fmt, va_list ap)
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
	record_failure(db, fmt, ap);
	va_end(ap);
}

void
db_fail_for_now(struct db *db, const char *fmt, ...)
{
	va_list ap;

	db->later |= !db->failed;
	va_start(ap, fmt);
	record_failure(db, fmt, ap);
	va_end(ap);
}

void
db_fail(struct db *db, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_failure(db, fmt, ap);
	va_end(ap);
}

/* The disk has failed: this process reports nothing as durable any more, and after a failed sync no process does. */
void
db_fail_for_good(struct db *db, const char *what)
{
	int rc = sqlite3_extended_errcode(db->sqlite);

	db->dead = true;
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		lock_break(db->lock);
	if ((rc & 0xFF) == SQLITE_IOERR)
		db_fail_for_now(db, "%s; the process must be replaced", what);
	else
		db_mistake(db, "%s; the process must be replaced", what);
}

void
db_fail_sql(struct db *db, int rc)
{
	switch (rc & 0xFF) {
	case SQLITE_NOMEM: abort(); /* the process is replaced */
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: db_fail_for_good(db, sqlite3_errmsg(db->sqlite)); break;
	case SQLITE_FULL:
	case SQLITE_BUSY: db_fail_for_now(db, "%s (%d)", sqlite3_errmsg(db->sqlite), rc); break;
	case SQLITE_INTERRUPT: db_mistake(db, "the statement took longer than %d ms", DB_STATEMENT_MS); break;
	default: db_mistake(db, "%s (%d)", sqlite3_errmsg(db->sqlite), rc);
	}
}

/* --- refusals ----------------------------------------------------------------------------------------------------- */

/* "UNIQUE constraint failed: car.plate, car.branch_id" -> car.plate; "… failed: index 'one_open_job'" ->
 * one_open_job */
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
	case SQLITE_CONSTRAINT_ROWID: name_unique(db, message); break;
	case SQLITE_CONSTRAINT_TRIGGER: snprintf(db->refusal, sizeof(db->refusal), "%s", message); break;
	case SQLITE_CONSTRAINT_CHECK: strcpy(db->refusal, "check"); break;
	case SQLITE_CONSTRAINT_FOREIGNKEY: strcpy(db->refusal, "foreign_key"); break;
	default: /* NOT NULL, a wrong type: a defect of the program */ return false;
	}
	return !db->is_open || !sqlite3_get_autocommit(db->sqlite); /* a trigger's RAISE(ROLLBACK) is a failure */
}
