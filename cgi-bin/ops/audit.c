/* audit - the audit trail: the events of what people changed, read from the event log by v_audit (schema.sql). */
#include "ops.h"

#include "domain/event_words.h"
#include "domain/stuck.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct member act_members[] = {
	SHAPE_INT(ops_act, event_id), SHAPE_TIME(ops_act, occurred_at), SHAPE_INT(ops_act, actor_id),
	SHAPE_TEXT(ops_act, actor_name), SHAPE_STATE(ops_act, type, event_words), SHAPE_TEXT(ops_act, subject_id),
	SHAPE_TEXT(ops_act, payload), SHAPE_TEXT(ops_act, about), SHAPE_TEXT(ops_act, reason),
};
const struct shape ops_act_shape = SHAPE(ops_act, act_members);

/* Members of any of their payloads (docs/events.md). Older events have in `reason` what was typed. */
struct audit_payload {
	const char *consumer, *type, *subject_id, *switches, *backup, *kind, *way, *reason, *note;
	int64_t event_id;
};
static const struct member audit_payload_members[] = {
	SHAPE_TEXT(audit_payload, consumer), SHAPE_TEXT(audit_payload, type), SHAPE_TEXT(audit_payload, subject_id),
	SHAPE_TEXT(audit_payload, switches), SHAPE_TEXT(audit_payload, backup), SHAPE_TEXT(audit_payload, kind),
	SHAPE_TEXT(audit_payload, way), SHAPE_TEXT(audit_payload, reason), SHAPE_TEXT(audit_payload, note),
	SHAPE_INT(audit_payload, event_id),
};
static const struct shape audit_payload_shape = SHAPE(audit_payload, audit_payload_members);

static void
add_part(struct buf *b, const char *word)
{
	if (word && *word)
		buf_printf(b, "%s%s", b->n ? " " : "", word);
}

/* Of what needed attention (domain/stuck.h). */
static const char *
kind_in_words(const char *kind)
{
	int i = words_find(&stuck_kind_words, kind);

	return i < 0 ? kind : _(stuck_kind_words.word[i].label);
}

static void
read_payload(struct arena *m, struct ops_act *a)
{
	struct audit_payload t = { .event_id = 0 };
	struct buf about = { .m = m };

	json_into(m, a->payload, &audit_payload_shape, &t);
	add_part(&about, t.consumer);
	if (t.event_id)
		add_part(&about, arena_printf(m, "%lld", (long long)t.event_id));
	add_part(&about, t.type);
	add_part(&about, t.subject_id);
	add_part(&about, t.switches);
	add_part(&about, t.backup);
	add_part(&about, kind_in_words(t.kind));
	add_part(&about, t.way);
	a->about = text_or_empty(about.s);
	a->reason = t.note && *t.note ? t.note : text_or_empty(t.reason);
}

int
ops_audit(struct db *db, int64_t before, int64_t limit, struct ops_act **acts)
{
	int n = 0;

	db_list(db, &ops_act_shape, acts, &n,
		"SELECT a.event_id, a.occurred_at, a.actor_id, COALESCE(u.name, '') AS actor_name, a.type,"
		" a.subject_id, a.payload"
		" FROM v_audit a /*scan*/ LEFT JOIN v_user u ON u.user_id = a.actor_id"
		" WHERE a.event_id < $1 ORDER BY a.event_id DESC LIMIT $2",
		before > 0 ? before : INT64_MAX, limit);
	for (int i = 0; i < n; i++)
		read_payload(db_memory(db), &(*acts)[i]);
	return n;
}

/* --- the last restore test ---------------------------------------------------------------------------------------- */

static const struct member proof_members[] = {
	SHAPE_TIME(ops_proof, proven_at), SHAPE_TIME(ops_proof, made_at), SHAPE_INT(ops_proof, n_events),
	SHAPE_INT(ops_proof, n_bookings), SHAPE_INT(ops_proof, took_ms), SHAPE_INT(ops_proof, failures),
	SHAPE_TEXT(ops_proof, backup), SHAPE_BOOL(ops_proof, ok),
};
const struct shape ops_proof_shape = SHAPE(ops_proof, proof_members);

bool
ops_proof(struct db *db, struct ops_proof *proof)
{
	struct event e = { .payload = NULL };

	*proof = (struct ops_proof){ .backup = "" };
	if (!db_one(db, &event_shape, &e,
		    "SELECT occurred_at, payload FROM v_event WHERE subject_id = 'ops:backup'"
		    " AND type = 'ops.rehearsed'"
		    " ORDER BY event_id DESC LIMIT 1"))
		return false;
	event_read(db_memory(db), &e, &ops_proof_shape, proof);
	proof->proven_at = e.occurred_at;
	return true;
}
