/*
 * demo_world.c - the databases in which the plan is made real, and what went wrong first.
 */
#include "demo.h"

#include "lib/base/clock.h"

#include <stdio.h>

/* --- what went wrong ---------------------------------------------------------------------------------------------- */

void
world_stop(struct world *w, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	if (w->why)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (db_failed(w->db))
		w->why = arena_printf(w->c->m, "%s: %s", text, db_error(w->db));
	else
		w->why = arena_strdup(w->c->m, text);
}

/* --- the files ---------------------------------------------------------------------------------------------------- */

/* A power cut in the middle leaves an unfinished folder that the next start throws away, so nothing is synced before
 * the end. */
static struct db *
open_db(struct world *w, const struct db_role *role)
{
	const char *why = NULL;
	struct db *db = db_open(w->dir, role, w->m, &why);

	if (!db) {
		w->why = why ? why : "cannot open a database";
		return NULL;
	}
	db_offline(db);
	db_bulk(db, true);
	return db;
}

bool
world_open(struct world *w, struct cli *c, const char *dir)
{
	static const struct db_role own_sandbox = { .name = "motorpool", .owns = "*", .own_db = "sandbox" };
	const char *schema = cli_path(c, c->root, "db/schema.sql"), *view = cli_path(c, c->root, "db/view.sql");

	*w = (struct world){ .c = c, .dir = dir, .m = arena_new((size_t)256 << 20) };
	if (!db_create(dir, schema, view, &w->why)
		|| !db_create_own(dir, "sandbox", cli_path(c, c->root, "db/sandbox.sql"), &w->why))
		return false;
	w->db = open_db(w, &cli_role);
	w->sandbox = open_db(w, &own_sandbox);
	if (!w->db || !w->sandbox)
		return false;
	ports_open(w->sandbox);
	return true;
}

/* Everything into the file itself: the WAL is left behind. */
bool
world_finish(struct db *db)
{
	bool ok = db && !db_failed(db) && db_checkpoint(db) >= 0 && db_wal_pages(db) == 0;

	if (db)
		db_close(db);
	return ok;
}

bool
world_close(struct world *w)
{
	bool ok = world_finish(w->sandbox);

	ok = world_finish(w->db) && ok;
	ports_close();
	clock_set(0);
	return ok && !w->why;
}
