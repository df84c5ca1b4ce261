/*
 * audit - the trail of every switch. There is no table of its own: whoever switches something emits an event about it, and the
 * event log can neither be changed nor cut. v_audit picks those events out (schema.sql).
 */
#include "ops.h"

#include "domain/event_words.h"
#include "domain/stuck.h"
#include "lib/base/json.h"
#include "lib/base/lang.h"

#include <string.h>

static const struct member act_members[] = {
	SHAPE_INT(ops_act, event_id), SHAPE_TIME(ops_act, occurred_at), SHAPE_INT(ops_act, actor_id), SHAPE_TEXT(ops_act, actor_name),
	SHAPE_STATE(ops_act, type, event_words), SHAPE_TEXT(ops_act, subject_id), SHAPE_TEXT(ops_act, payload), SHAPE_TEXT(ops_act, about),
	SHAPE_TEXT(ops_act, reason),
};
const struct shape ops_act_shape = SHAPE(ops_act, act_members);

/* What payloads of switches may hold; what each has stands in docs/events.md. */
struct told {
	const char *consumer, *type, *subject_id, *switches, *backup, *kind, *way, *reason;
	int64_t event_id;
};
static const struct member told_members[] = {
	SHAPE_TEXT(told, consumer), SHAPE_TEXT(told, type), SHAPE_TEXT(told, subject_id), SHAPE_TEXT(told, switches), SHAPE_TEXT(told, backup),
	SHAPE_TEXT(told, kind), SHAPE_TEXT(told, way), SHAPE_TEXT(told, reason), SHAPE_INT(told, event_id),
};
static const struct shape told_shape = SHAPE(told, told_members);

static void
put_word(struct buf *b, const char *word)
{
	if (word && *word)
		buf_printf(b, "%s%s", b->n ? " " : "", word);
}

/* What needed attention (domain/stuck.h). */
static const char *
kind_in_words(const char *kind)
{
	int i = words_find(&stuck_kind_words, kind);

	return i < 0 ? kind : _(stuck_kind_words.word[i].label);
}

static void
tell(struct arena *m, struct ops_act *a)
{
	struct told t = { .event_id = 0 };
	struct buf about = { .m = m };

	json_into(m, a->payload, &told_shape, &t);
	put_word(&about, t.consumer);
	if (t.event_id)
		put_word(&about, arena_printf(m, "%lld", (long long)t.event_id));
	put_word(&about, t.type);
	put_word(&about, t.subject_id);
	put_word(&about, t.switches);
	put_word(&about, t.backup);
	put_word(&about, kind_in_words(t.kind));
	put_word(&about, t.way);
	a->about = about.s ? about.s : "";
	a->reason = t.reason ? t.reason : "";
}

int
ops_audit(struct db *db, int64_t before, int64_t limit, struct ops_act **acts)
{
	int n = 0;

	db_list(db, &ops_act_shape, acts, &n,
		"SELECT a.event_id, a.occurred_at, a.actor_id, COALESCE(u.name, '') AS actor_name, a.type, a.subject_id, a.payload"
		" FROM v_audit a /*scan*/ LEFT JOIN v_user u ON u.user_id = a.actor_id"
		" WHERE a.event_id < $1 ORDER BY a.event_id DESC LIMIT $2", before > 0 ? before : INT64_MAX, limit);
	for (int i = 0; i < n; i++)
		tell(db_memory(db), &(*acts)[i]);
	return n;
}

/* --- the last proven restore ------------------------------------------------------------------------------------------ */

static const struct member proof_members[] = {
	SHAPE_TIME(ops_proof, proven_at), SHAPE_TIME(ops_proof, made_at), SHAPE_INT(ops_proof, n_events), SHAPE_INT(ops_proof, n_bookings),
	SHAPE_INT(ops_proof, took_ms), SHAPE_INT(ops_proof, failures), SHAPE_TEXT(ops_proof, backup), SHAPE_BOOL(ops_proof, ok),
};
const struct shape ops_proof_shape = SHAPE(ops_proof, proof_members);

bool
ops_proof(struct db *db, struct ops_proof *proof)
{
	struct event e = { .payload = NULL };

	*proof = (struct ops_proof){ .backup = "" };
	if (!db_one(db, &event_shape, &e, "SELECT occurred_at, payload FROM v_event WHERE subject_id = 'ops:backup' AND type = 'ops.rehearsed'"
	                                  " ORDER BY event_id DESC LIMIT 1"))
		return false;
	event_read(db_memory(db), &e, &ops_proof_shape, proof);
	proof->proven_at = e.occurred_at;
	return true;
}
