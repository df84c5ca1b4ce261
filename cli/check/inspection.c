/*
 * inspection.c - the databases that the checks read, and how a check counts the rows that are wrong.
 */
#include "check.h"

#include "lib/base/clock.h"

#include <stdio.h>

int64_t
check_count(struct inspection *in, struct rows *r)
{
	int64_t n = 0;

	while (db_next(r))
		if (n++ == 0) {
			const char *first = row_peek(r, 0);

			snprintf(in->detail, sizeof(in->detail), "%s", first ? first : "");
		}
	return n;
}

bool
check_open(struct inspection *in, struct cli *c)
{
	static const struct db_role view_role = { .name = "motorpool", .owns = "*", .on_view = true };
	const char *why = NULL;

	*in = (struct inspection){ .c = c, .db = cli_open(c), .now = clock_now(), .failures = { .m = c->m } };
	if (!in->db)
		return false;
	in->view = db_open(c->var, &view_role, c->m, &why);
	in->has_sandbox = db_beside(in->db, cli_path(c, c->var, "sandbox.db"), "sandbox");
	return true;
}

void
check_close(struct inspection *in)
{
	if (in->view)
		db_close(in->view);
	db_close(in->db);
}
