/*
 * health.c - PREFIX/healthz: the process answers. PREFIX/readyz: it can do its work (database, schema, disk).
 */
#include "web_inside.h"

#include <string.h>

struct health {
	const char *status, *program, *why;
};
static const struct member health_members[] = {
	SHAPE_TEXT(health, status), SHAPE_TEXT(health, program), SHAPE_TEXT(health, why),
};
static const struct shape health_shape = SHAPE(health, health_members);
static const struct shape well_shape = { "health", sizeof(struct health), health_members, 2 }; /* no reason to report */

static bool
asks_for(const struct web *w, const char *name)
{
	size_t n = strlen(serving.p->prefix);

	return strncmp(w->path, serving.p->prefix, n) == 0 && strcmp(w->path + n, name) == 0;
}

/* What is wrong; NULL: ready. */
static const char *
why_not_ready(struct web *w)
{
	const char *why;

	if (serving.dead)
		return "the disk refused to keep what was written";
	if (!serving.db)
		return serving.why ? serving.why : "the database cannot be used";
	db_data_version(serving.db); /* reads the file; the schema version was checked when it was opened */
	if (!db_failed(serving.db))
		return NULL;
	why = arena_strdup(w->m, db_error(serving.db));
	db_fresh(serving.db);
	return why ? why : "the database cannot be read";
}

bool
health_answer(struct web *w, enum status *status)
{
	struct health h = { .status = "ok", .program = serving.p->name };
	bool ready = asks_for(w, "/readyz");

	if (w->method != GET || (!ready && !asks_for(w, "/healthz")))
		return false;
	w->in->is_health = true;
	h.why = ready ? why_not_ready(w) : NULL;
	if (h.why)
		h.status = "not ready";
	w->db = NULL; /* reported in the answer; not a failure of this request */
	*status = web_json(w, h.why ? HTTP_BUSY : HTTP_OK, h.why ? &health_shape : &well_shape, &h);
	return true;
}
