/* diary - one car's calendar and history, as a manager reads them. The story is in fleet.h. */
#include "fleet.h"

#include "lib/base/lang.h"

#include <string.h>

/* --- the calendar: booking's, read only --------------------------------------------------------------------------- */

static const struct word slot_kind[] = {
	[SLOT_HOLD]   = { "HOLD",   N_("Awaiting payment") },
	[SLOT_BOOKED] = { "BOOKED", N_("Booked") },
	[SLOT_BLOCK]  = { "BLOCK",  N_("Blocked") },
};
const struct words slot_kind_words = WORDS(slot_kind);

static const struct member car_slot_members[] = {
	SHAPE_TIME(car_slot, starts_at), SHAPE_TIME(car_slot, ends_at), SHAPE_TIME(car_slot, busy_until),
	SHAPE_STATE(car_slot, kind, slot_kind_words), SHAPE_TEXT(car_slot, code), SHAPE_TEXT(car_slot, customer_name),
};
const struct shape car_slot_shape = SHAPE(car_slot, car_slot_members);

int
car_slots(struct db *db, int64_t car_id, int64_t from, int64_t until, struct car_slot **slots, int *n_slots)
{
	return db_list(db, &car_slot_shape, slots, n_slots,
		"SELECT s.starts_at, s.ends_at, s.busy_until, s.kind, COALESCE(b.code, '') AS code, COALESCE(u.name, '') AS customer_name"
		" FROM v_slot s LEFT JOIN v_booking b ON b.booking_id = s.booking_id LEFT JOIN v_user u ON u.user_id = b.customer_id"
		" WHERE s.car_id = $1 AND s.kind <> 'RELEASED' AND s.busy_until > $2 AND s.starts_at < $3 ORDER BY s.busy_until LIMIT 500",
		car_id, from, until);
}

/* --- the history: its own events and those of its bookings -------------------------------------------------------- */

static const struct word event_word[] = {
	{ "car.registered",           N_("Registered") },
	{ "car.modified",             N_("Changed") },
	{ "car.retired",              N_("Retired") },
	{ "car.reserved",             N_("Reserved for the booking") },
	{ "car.refused",              N_("Could not be given to the booking") },
	{ "car.released",             N_("Released: the booking no longer needs it") },
	{ "booking.held",             N_("Held while the customer pays") },
	{ "booking.paid",             N_("Booking paid") },
	{ "booking.expired",          N_("Not paid in time: the hold ended") },
	{ "booking.confirmed",        N_("Booking confirmed") },
	{ "booking.cancel_requested", N_("Cancellation asked for") },
	{ "booking.cancelled",        N_("Booking cancelled") },
	{ "booking.rejected",         N_("Booking rejected") },
	{ "booking.refunded",         N_("Money given back") },
	{ "booking.handed_out",       N_("Handed out to the customer") },
	{ "booking.returned",         N_("Brought back") },
	{ "booking.completed",        N_("Booking completed") },
	{ "booking.no_show",          N_("Nobody came") },
	{ "payment.approved",         N_("Payment approved") },
	{ "payment.failed",           N_("Payment failed") },
	{ "payment.cancelled",        N_("Payment refunded") },
};
static const struct words event_words = WORDS(event_word);

static const struct member car_event_members[] = {
	SHAPE_INT(car_event, event_id), SHAPE_TIME(car_event, occurred_at), SHAPE_INT(car_event, actor_id), SHAPE_TEXT(car_event, type),
	SHAPE_TEXT(car_event, code), SHAPE_TEXT(car_event, words), SHAPE_TEXT(car_event, actor_name),
};
const struct shape car_event_shape = SHAPE(car_event, car_event_members);

#define ITS_SUBJECTS "(SELECT $1 UNION ALL SELECT booking_code FROM reservation WHERE car_id = $2)"

static const char *
subject_of(struct db *db, int64_t car_id)
{
	return arena_printf(db_memory(db), "car:%lld", (long long)car_id);
}

int64_t
car_n_events(struct db *db, int64_t car_id)
{
	return db_int(db, "SELECT COUNT(*) FROM v_event WHERE subject_id IN " ITS_SUBJECTS, subject_of(db, car_id), car_id);
}

/* A type we have no words for yet is shown as it is called. */
static const char *
words_of(const char *type)
{
	int i = words_find(&event_words, type);

	return i < 0 ? type : _(event_words.word[i].label);
}

int
car_events(struct db *db, int64_t car_id, int64_t offset, int64_t limit, struct car_event **events, int *n_events)
{
	const char *own = subject_of(db, car_id);

	db_list(db, &car_event_shape, events, n_events,
		"SELECT e.event_id, e.occurred_at, e.actor_id, e.type, CASE e.subject_id WHEN $1 THEN '' ELSE e.subject_id END AS code,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = e.actor_id), '') AS actor_name"
		" FROM v_event e WHERE e.subject_id IN " ITS_SUBJECTS " ORDER BY e.event_id DESC LIMIT $3 OFFSET $4 /*sort*/",
		own, car_id, limit, offset);
	for (int i = 0; i < *n_events; i++)
		(*events)[i].words = words_of((*events)[i].type);
	return *n_events;
}
