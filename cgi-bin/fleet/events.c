/*
 * events - what fleet reports (docs/events.md): its cars' changes under car:ID, and the answer to a paid booking under
 * the booking's code.
 */
#include "fleet.h"

const struct db_role fleet_role = { .name = "fleet", .owns = "branch car_model car reservation position event_retry" };

static const struct member changed_members[] = {
	SHAPE_INT(car, car_id), SHAPE_TEXT(car, plate), SHAPE_TEXT_KO(car, name), SHAPE_STATE(car, body, body_words),
	SHAPE_INT(car, seats), SHAPE_STATE(car, fuel, fuel_words), SHAPE_STATE(car, gearbox, gearbox_words),
	SHAPE_AMOUNT(car, daily_price), SHAPE_AMOUNT(car, hourly_price), SHAPE_INT(car, branch_id),
	SHAPE_TEXT_KO(car, branch_name), SHAPE_STATE(car, service, service_words), SHAPE_TIME(car, retire_at),
};
static const struct shape changed_shape = SHAPE(car, changed_members);
static const struct member ended_members[] = { SHAPE_INT(car, car_id), SHAPE_TEXT(car, plate) };
static const struct shape ended_shape = SHAPE(car, ended_members);

static const struct member reserved_members[] = {
	SHAPE_TEXT(reservation, code), SHAPE_INT(reservation, car_id), SHAPE_TEXT(reservation, plate),
	SHAPE_TIME(reservation, starts_at), SHAPE_TIME(reservation, ends_at), SHAPE_INT(reservation, n_cars),
};
static const struct shape reserved_shape = SHAPE(reservation, reserved_members);
static const struct member refused_members[] = {
	SHAPE_TEXT(reservation, code), SHAPE_INT(reservation, car_id), SHAPE_TEXT(reservation, reason),
};
static const struct shape refused_shape = SHAPE(reservation, refused_members);
static const struct member released_members[] = { SHAPE_TEXT(reservation, code), SHAPE_INT(reservation, car_id) };
static const struct shape released_shape = SHAPE(reservation, released_members);

static const struct shape *const payload_shape[N_EVENT_TYPES] = {
	[EVENT_CAR_REGISTERED] = &changed_shape,  [EVENT_CAR_MODIFIED] = &changed_shape,
		[EVENT_CAR_RETIRED] = &ended_shape,
	[EVENT_CAR_DELETED]    = &ended_shape,    [EVENT_CAR_RESERVED] = &reserved_shape,
		[EVENT_CAR_REFUSED] = &refused_shape,
	[EVENT_CAR_RELEASED]   = &released_shape,
};

const char *
car_subject(struct db *db, int64_t car_id)
{
	return arena_printf(db_memory(db), "car:%lld", (long long)car_id);
}

void
fleet_report_car(struct db *db, enum event_type_id type, const struct car *car, int64_t actor_id)
{
	event_report(db, type, &(struct event){ .subject_id = car_subject(db, car->car_id), .actor_id = actor_id },
		payload_shape[type], car);
}

void
fleet_report_reservation(struct db *db, enum event_type_id type, const struct reservation *r, int64_t causation_id)
{
	event_report(db, type, &(struct event){ .subject_id = r->code, .causation_id = causation_id },
		payload_shape[type], r);
}
