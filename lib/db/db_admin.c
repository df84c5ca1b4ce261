/*
 * db_admin.c - what the motorpool command asks of the engine itself: is the file whole, attach another, write in
 * bulk.
 *
 * These statements exist in SQLite only, so they are here and not in the programs, whose SQL PostgreSQL takes too
 * (tools/lint-pg).
 */
#include "db_inside.h"

#include <string.h>
#include <unistd.h>

/* Counts rows; *first is the first one's text. "ok" is what an undamaged file answers. */
static int64_t
count_faults(struct rows *r, const char **first)
{
	int64_t n = 0;

	while (db_next(r)) {
		const char *fault = row_text(r, 0);

		if (strcmp(fault, "ok") != 0 && n++ == 0)
			*first = fault;
	}
	return n;
}

int64_t
db_verify(struct db *db, const char **first)
{
	return count_faults(db_each(db, "PRAGMA main.integrity_check"), first);
}

int64_t
db_verify_references(struct db *db, const char **first)
{
	return count_faults(
		db_each(db, "SELECT \"table\" || ' row ' || COALESCE(rowid, 0) FROM pragma_foreign_key_check"), first);
}

bool
db_beside(struct db *db, const char *path, const char *name)
{
	if (access(path, F_OK) != 0)
		return false;
	db_do(db, "ATTACH $1 AS $2", path, name);
	return !db->failed;
}

void
db_bulk(struct db *db, bool on)
{
	const char *pragmas = on ? "PRAGMA synchronous=OFF; PRAGMA cache_size=-65536; PRAGMA locking_mode=EXCLUSIVE"
				 /* the lock is released by the next read */
				 : "PRAGMA locking_mode=NORMAL; SELECT COUNT(*) FROM sqlite_schema";
	int rc;

	if (db->failed)
		return;
	db->at = (struct db_at){ pragmas, "bulk", 0 };
	rc = sqlite3_exec(db->sqlite, pragmas, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		db_fail_sql(db, rc);
}
