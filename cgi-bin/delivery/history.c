/* history - what has happened to a job, read from what was told of it. */
#include "delivery.h"

#include "domain/event_words.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct member job_event_members[] = {
	SHAPE_TIME(job_event, at), SHAPE_TEXT(job_event, title), SHAPE_TEXT(job_event, detail),
};
const struct shape job_event_shape = SHAPE(job_event, job_event_members);

/* As much of any of them as the page tells. */
struct told {
	int64_t delivery_id, window_from;
	const char *courier_name, *reason, *received_by, *note;      /* note: why he came back */
};
static const struct member told_members[] = {
	SHAPE_INT(told, delivery_id), SHAPE_TIME(told, window_from), SHAPE_TEXT(told, courier_name), SHAPE_TEXT(told, reason),
	SHAPE_TEXT(told, received_by), SHAPE_TEXT(told, note),
};
static const struct shape told_shape = SHAPE(told, told_members);

static void
add_word(struct buf *to, const char *word)
{
	if (word && *word)
		buf_printf(to, "%s%s", to->n ? " · " : "", word);
}

/* "Park Courier · Sat 21 Nov 2026, 14:00 KST · by Lee Manager"; that a courier does his own jobs goes without saying. */
static const char *
detail_of(struct db *db, const char *type, const struct told *told, const char *actor_name)
{
	struct buf detail = { .m = db_memory(db) }, when = { .m = db_memory(db) };

	buf_puts(&detail, "");
	add_word(&detail, told->courier_name);
	if (strcmp(type, "delivery.scheduled") == 0 && told->window_from) {
		time_put(&when, lang_now(), told->window_from);
		add_word(&detail, when.s);
	}
	add_word(&detail, told->received_by);
	add_word(&detail, told->reason);
	add_word(&detail, told->note);
	if (*actor_name && (!told->courier_name || strcmp(actor_name, told->courier_name) != 0))
		add_word(&detail, arena_printf(db_memory(db), _("by %s"), actor_name));
	return detail.s;
}

#define HISTORY_MAX 100

int
job_history(struct db *db, const struct delivery *d, struct job_event **events)
{
	struct rows *r = db_each(db,
		"SELECT e.type, e.payload, e.occurred_at, COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = e.actor_id), '')"
		" FROM v_event e WHERE e.subject_id = $1 AND e.type LIKE 'delivery.%' ORDER BY e.event_id DESC LIMIT $2 /*sort*/",
		d->code, HISTORY_MAX);
	int n = 0;

	*events = arena_array(db_memory(db), struct job_event, HISTORY_MAX);
	while (db_next(r)) {
		const struct event e = { .type = row_text(r, 0), .payload = row_text(r, 1) };
		struct told told = { 0 };

		if (event_read(db_memory(db), &e, &told_shape, &told) && told.delivery_id == d->delivery_id)
			(*events)[n++] = (struct job_event){
				.at = row_int(r, 2), .title = event_sentence(db_memory(db), &e),
				.detail = detail_of(db, e.type, &told, row_text(r, 3)),
			};
	}
	return n;
}
