/*
 * db_guard.c - what a role may touch, and how long a statement may take.
 *
 * The authorizer is called while a statement is prepared, never while it runs. It is set once: setting it again would
 * prepare every statement again. It is the second check, after code review: the SQL is ours and literal, so it
 * catches our slips.
 */
#include "db_inside.h"

#include "lib/base/clock.h"

#include <string.h>

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
 * Without a column only rows are counted, and SQLite does not say whether through a view; the contents stay closed. A
 * CTE in a view is asked for by the CTE's name, so that name must begin with v_ too.
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
	case SQLITE_TRANSACTION: return true;
	case SQLITE_FUNCTION: return strcmp(b, "load_extension") != 0;
	case SQLITE_READ: return may_read(role, a, b, through);
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE: return may_write(role, action, a, file);
	case SQLITE_PRAGMA: return strcmp(a, "data_version") == 0 && !b;
	default: return false;
	}
}

static int
authorize(void *arg, int action, const char *a, const char *b, const char *file, const char *through)
{
	const struct db *db = arg;

	return may(db->role, action, a, b, file, through) ? SQLITE_OK : SQLITE_DENY;
}

/* --- the time limit ----------------------------------------------------------------------------------------------- */

/* Called after every 20,000 steps of SQLite's virtual machine, so short statements never read the clock. */
static int
statement_is_overdue(void *arg)
{
	struct db *db = arg;
	int64_t now = clock_ms();

	if (db->deadline == 0)
		db->deadline = now + DB_STATEMENT_MS;
	return now > db->deadline;
}

/* The motorpool command, which owns everything, builds indexes and reads for reports: no limit. */
void
db_guard(struct db *db)
{
	if (strcmp(db->role->owns, "*") == 0)
		return;
	sqlite3_set_authorizer(db->sqlite, authorize, db);
	sqlite3_progress_handler(db->sqlite, 20000, statement_is_overdue, db);
}
