/* events - what ops reports (the audit trail), and the tables it may write. */
#include "ops.h"

#include "domain/event_types.h"

const struct db_role ops_role = { .name = "ops", .owns = "event_retry relay_pause" };

static const struct member pause_members[] = { SHAPE_TEXT(switch_payload, consumer), SHAPE_TEXT(switch_payload, note) };
static const struct shape pause_shape = SHAPE(switch_payload, pause_members);
static const struct member retry_members[] = {
	SHAPE_TEXT(switch_payload, consumer), SHAPE_INT(switch_payload, event_id), SHAPE_TEXT(switch_payload, type),
	SHAPE_TEXT(switch_payload, subject_id), SHAPE_INT(switch_payload, tries), SHAPE_TEXT(switch_payload, error),
	SHAPE_TEXT(switch_payload, note),
};
static const struct shape retry_shape = SHAPE(switch_payload, retry_members);

void
ops_report_switch(struct db *db, enum event_type_id type, int64_t actor_id, const struct switch_payload *p)
{
	event_report(db, type, &(struct event){ .subject_id = "ops:relay", .actor_id = actor_id },
		p->event_id ? &retry_shape : &pause_shape, p);
}

struct faults_payload { const char *switches; };
static const struct member faults_payload_members[] = { SHAPE_TEXT(faults_payload, switches) };
static const struct shape faults_payload_shape = SHAPE(faults_payload, faults_payload_members);

void
ops_report_faults(struct db *db, int64_t actor_id, const char *switches)
{
	event_report(db, EVENT_OPS_FAULTS_SET, &(struct event){ .subject_id = "ops:sandbox", .actor_id = actor_id },
		&faults_payload_shape, &(struct faults_payload){ switches });
}
