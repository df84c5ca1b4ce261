/*
 * events - what delivery reports (docs/events.md). A payload holds ids and facts; who the courier is and who received
 * the keys is read where it is shown, by courier_id in v_user and by delivery_id in v_delivery.
 */
#include "delivery.h"

#include "domain/event_types.h"

#include <string.h>

const struct db_role delivery_role = { .name = "delivery", .owns = "delivery position event_retry" };

#define REQUESTED_MEMBERS \
	SHAPE_INT(delivery, delivery_id), SHAPE_TEXT(delivery, code), \
	SHAPE_STATE(delivery, direction, delivery_direction_words), \
	SHAPE_INT(delivery, customer_id), SHAPE_TEXT(delivery, zone), SHAPE_TIME(delivery, window_from), \
	SHAPE_TIME(delivery, window_to)
#define COURIER_MEMBERS REQUESTED_MEMBERS, SHAPE_INT(delivery, courier_id)

static const struct member requested_members[] = { REQUESTED_MEMBERS };
static const struct shape requested_shape = SHAPE(delivery, requested_members);
static const struct member scheduled_members[] = { COURIER_MEMBERS, SHAPE_TEXT(delivery, note) };
static const struct shape scheduled_shape = SHAPE(delivery, scheduled_members);
static const struct member shipped_members[] = { COURIER_MEMBERS };
static const struct shape shipped_shape = SHAPE(delivery, shipped_members);
static const struct member delivered_members[] = { COURIER_MEMBERS, SHAPE_INT(delivery, odometer_km),
	SHAPE_INT(delivery, fuel_percent) };
static const struct shape delivered_shape = SHAPE(delivery, delivered_members);
/* .note is what the dispatcher typed; .end_reason a code. */
static const struct member cancelled_members[] = {
	COURIER_MEMBERS, SHAPE_TEXT(delivery, note), { .name = "reason", .kind = KIND_TEXT,
		.offset = offsetof(struct delivery, end_reason) },
	{ .name = "by", .kind = KIND_TEXT, .offset = offsetof(struct delivery, ended_by) },
};
static const struct shape cancelled_shape = SHAPE(delivery, cancelled_members);

/* A job that reaches a state reports it, also when it comes back to that state. */
static const struct { enum event_type_id type; const struct shape *shape; } report_of_state[] = {
	[JOB_REQUESTED] = { EVENT_DELIVERY_REQUESTED, &requested_shape },
	[JOB_SCHEDULED] = { EVENT_DELIVERY_SCHEDULED, &scheduled_shape },
	[JOB_SHIPPED]   = { EVENT_DELIVERY_SHIPPED,   &shipped_shape },
	[JOB_DELIVERED] = { EVENT_DELIVERY_DELIVERED, &delivered_shape },
	[JOB_CANCELLED] = { EVENT_DELIVERY_CANCELLED, &cancelled_shape },
};

int64_t
delivery_report(struct db *db, const struct delivery *d, int64_t causation_id, int64_t actor_id)
{
	const struct event e = { .subject_id = d->code, .causation_id = causation_id, .actor_id = actor_id };
	struct delivery payload = *d;

	if (d->state == JOB_CANCELLED) {
		bool is_typed = strcmp(d->ended_by, "dispatcher") == 0;

		payload.note = is_typed ? d->end_reason : "";
		payload.end_reason = is_typed ? "" : d->end_reason;
	}
	return event_report(db, report_of_state[d->state].type, &e, report_of_state[d->state].shape, &payload);
}
