/* history - what has happened to a job, from its events in the log. */
#include "delivery.h"

#include "domain/event_types.h"
#include "domain/event_words.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct member job_event_members[] = {
	SHAPE_TIME(job_event, at), SHAPE_TEXT(job_event, title), SHAPE_TEXT(job_event, detail),
};
const struct shape job_event_shape = SHAPE(job_event, job_event_members);

/*
 * What is shown of an event. Events of older versions hold the courier's name, the receiver's name and a typed reason;
 * newer ones the courier's id and a note, and the receiver is in the job's record.
 */
struct job_payload {
	int64_t delivery_id, window_from, courier_id;
	const char *courier_name, *received_by, *reason, *note;
};
static const struct member job_payload_members[] = {
	SHAPE_INT(job_payload, delivery_id), SHAPE_TIME(job_payload, window_from), SHAPE_INT(job_payload, courier_id),
	SHAPE_TEXT(job_payload, courier_name), SHAPE_TEXT(job_payload, received_by), SHAPE_TEXT(job_payload, reason),
	SHAPE_TEXT(job_payload, note),
};
static const struct shape job_payload_shape = SHAPE(job_payload, job_payload_members);

static bool
is_event(const struct event *e, enum event_type_id type)
{
	return strcmp(e->type, event_types[type].type) == 0;
}

static void
complete_payload(struct db *db, const struct event *e, const struct delivery *d, struct job_payload *p)
{
	if (!p->courier_name && p->courier_id)
		p->courier_name = db_text(db, "SELECT name FROM v_user WHERE user_id = $1", p->courier_id);
	if (!p->received_by && is_event(e, EVENT_DELIVERY_DELIVERED))
		p->received_by = d->received_by;
}

static void
add_word(struct buf *to, const char *word)
{
	if (word && *word)
		buf_printf(to, "%s%s", to->n ? " · " : "", word);
}

/* A name with what it is, FORMAT with one %s; nothing without a name. */
static void
add_labelled(struct buf *to, const char *format, const char *name)
{
	if (name && *name)
		add_word(to, arena_printf(to->m, format, name));
}

/* "courier: Park · Sat 21 Nov 2026, 14:00 · by Lee Manager"; the actor only when it is not the courier. */
static const char *
job_event_detail(struct db *db, const struct event *e, const struct delivery *d, const struct job_payload *p,
	const char *actor_name)
{
	struct buf detail = { .m = db_memory(db) }, when = { .m = db_memory(db) };

	buf_puts(&detail, "");
	add_labelled(&detail, _("courier: %s"), p->courier_name);
	if (is_event(e, EVENT_DELIVERY_SCHEDULED) && p->window_from) {
		time_put(&when, lang_now(), p->window_from);
		add_word(&detail, when.s);
	}
	add_labelled(&detail, d->direction == JOB_COLLECTION ? _("keys received from: %s") : _("keys handed to: %s"),
		p->received_by);
	add_word(&detail, p->reason);
	add_word(&detail, p->note);
	if (strcmp(actor_name, text_or_empty(p->courier_name)) != 0)
		add_labelled(&detail, _("by %s"), actor_name);
	return detail.s;
}

#define HISTORY_MAX 100

int
job_history(struct db *db, const struct delivery *d, struct job_event **events)
{
	struct rows *r = db_each(db,
		"SELECT e.type, e.payload, e.occurred_at, COALESCE((SELECT u.name FROM v_user u"
		" WHERE u.user_id = e.actor_id), '')"
		" FROM v_event e WHERE e.subject_id = $1 AND e.type LIKE 'delivery.%' ORDER BY e.event_id DESC"
		" LIMIT $2 /*sort*/",
		d->code, HISTORY_MAX);
	int n = 0;

	*events = arena_array(db_memory(db), struct job_event, HISTORY_MAX);
	while (db_next(r)) {
		const struct event e = { .type = row_text(r, 0), .payload = row_text(r, 1) };
		struct job_payload p = { 0 };

		if (!event_read(db_memory(db), &e, &job_payload_shape, &p) || p.delivery_id != d->delivery_id)
			continue;
		complete_payload(db, &e, d, &p);
		(*events)[n++] = (struct job_event){
			.at = row_int(r, 2),
			.title = event_sentence(db_memory(db), &e),
			.detail = job_event_detail(db, &e, d, &p, row_text(r, 3)),
		};
	}
	return n;
}
