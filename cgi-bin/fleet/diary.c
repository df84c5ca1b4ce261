/* diary - one car's calendar and history for managers. The overview is in fleet.h. */
#include "fleet.h"

#include "domain/bookings.h"
#include "domain/car_in_use.h"
#include "domain/event_words.h"
#include "lib/base/clock.h"
#include "lib/base/lang.h"

/* --- the calendar, which booking owns ----------------------------------------------------------------------------- */

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
		"SELECT s.starts_at, s.ends_at, s.busy_until, s.kind, COALESCE(b.code, '') AS code,"
		" COALESCE(u.name, '') AS customer_name"
		" FROM v_slot s LEFT JOIN v_booking b ON b.booking_id = s.booking_id LEFT JOIN v_user u"
		" ON u.user_id = b.customer_id"
		" WHERE s.car_id = $1 AND s.kind <> 'RELEASED' AND s.busy_until > $2 AND s.starts_at < $3"
		" ORDER BY s.busy_until LIMIT 500",
		car_id, from, until);
}

/* --- who had it, which booking owns ------------------------------------------------------------------------------- */

static const struct member car_holder_members[] = {
	SHAPE_STATE(car_holder, kind, custody_kind_words), { .name = "booking_code", .kind = KIND_TEXT,
		.offset = SHAPE_AT(car_holder, code, const char *) },
	SHAPE_INT(car_holder, user_id), SHAPE_TEXT(car_holder, user_name), SHAPE_TIME(car_holder, from_at),
	SHAPE_TIME(car_holder, to_at),
};
const struct shape car_holder_shape = SHAPE(car_holder, car_holder_members);

#define HOLDERS \
	"SELECT c.kind, c.booking_code, c.user_id, COALESCE((SELECT u.name FROM v_user u" \
	" WHERE u.user_id = c.user_id), '') AS user_name, c.from_at, COALESCE(c.to_at, 0) AS to_at" \
	" FROM v_custody c WHERE c.car_id = $1"

/* In the minute that begins at that second: who had it then, or the first who got it within it. */
bool
car_holder_at(struct db *db, int64_t car_id, int64_t at, struct car_holder *holder)
{
	*holder = (struct car_holder){ 0 };
	return db_one(db, &car_holder_shape, holder,
		HOLDERS " AND c.from_at < $3 AND (c.to_at IS NULL OR c.to_at > $2) ORDER BY c.from_at LIMIT 1", car_id,
		at, at + MINUTE);
}

int64_t
car_n_holders(struct db *db, int64_t car_id)
{
	return db_int(db, "SELECT COUNT(*) FROM v_custody WHERE car_id = $1", car_id);
}

int
car_holders(struct db *db, int64_t car_id, int64_t offset, int64_t limit, struct car_holder **holders)
{
	int n = 0;

	return db_list(db, &car_holder_shape, holders, &n,
		HOLDERS " ORDER BY c.from_at DESC, c.custody_id DESC LIMIT $2 OFFSET $3", car_id, limit, offset);
}

/* --- the history: its own events, and its bookings with theirs --------------------------------------------------- */

static const struct member car_event_members[] = {
	SHAPE_TIME(car_event, at), SHAPE_TEXT(car_event, title), SHAPE_TEXT(car_event, detail),
	SHAPE_TEXT(car_event, type), SHAPE_TEXT(car_event, payload), SHAPE_TEXT(car_event, actor_name),
};
static const struct shape car_event_shape = SHAPE(car_event, car_event_members);

static const struct member car_chapter_members[] = {
	SHAPE_INT(car_chapter, event_id), SHAPE_TIME(car_chapter, at), SHAPE_TEXT(car_chapter, code),
	SHAPE_STATE(car_chapter, state, booking_state_words),
	SHAPE_TIME(car_chapter, starts_at), SHAPE_TIME(car_chapter, ends_at), SHAPE_TEXT(car_chapter, customer_name),
	SHAPE_LIST(car_chapter, events, car_event_shape), SHAPE_INT(car_chapter, n),
};
const struct shape car_chapter_shape = SHAPE(car_chapter, car_chapter_members);

#define ITS_BOOKINGS "(SELECT booking_code FROM reservation WHERE car_id = $2)"

int64_t
car_n_chapters(struct db *db, int64_t car_id)
{
	return db_int(db,
		"SELECT COUNT(*) + (SELECT COUNT(DISTINCT b.subject_id) FROM v_event b"
		" WHERE b.subject_id IN " ITS_BOOKINGS ")"
		" FROM v_event e WHERE e.subject_id = $1",
		car_subject(db, car_id), car_id);
}

/* "2 × Child seat · Lee Manager" */
static const char *
car_event_detail(struct arena *m, const struct event *e, const char *actor_name)
{
	const char *about = event_about(m, e);

	if (*about && *actor_name)
		return arena_printf(m, "%s · %s", about, actor_name);
	return *about ? about : actor_name;
}

/* One event of the car itself, or all events of a booking. */
static void
read_events(struct db *db, const char *own, struct car_chapter *c)
{
	const char *subject_id = *c->code ? c->code : own;

	db_list(db, &car_event_shape, &c->events, &c->n_events,
		"SELECT e.occurred_at AS at, e.type, e.payload,"
		" COALESCE((SELECT u.name FROM v_user u WHERE u.user_id = e.actor_id), '') AS actor_name"
		" FROM v_event e WHERE e.subject_id = $1 AND e.event_id BETWEEN $2 AND $3"
		" ORDER BY e.event_id DESC /*sort*/",
		subject_id, *c->code ? 0 : c->event_id, c->event_id);
	c->n = c->n_events;
	for (int i = 0; i < c->n_events; i++) {
		struct car_event *e = &c->events[i];
		const struct event event = { .type = e->type, .payload = e->payload };

		e->title = event_sentence(db_memory(db), &event);
		e->detail = car_event_detail(db_memory(db), &event, e->actor_name);
	}
}

int
car_history(
	struct db *db, int64_t car_id, int64_t offset, int64_t limit, struct car_chapter **chapters, int *n_chapters)
{
	const char *own = car_subject(db, car_id);

	db_list(db, &car_chapter_shape, chapters, n_chapters,
		"SELECT h.event_id, h.at, h.code, b.state, COALESCE(b.starts_at, 0) AS starts_at,"
		" COALESCE(b.ends_at, 0) AS ends_at,"
		" COALESCE(u.name, '') AS customer_name FROM ("
		"  SELECT e.event_id, e.occurred_at AS at, '' AS code FROM v_event e WHERE e.subject_id = $1"
		"  UNION ALL"
		"  SELECT MAX(e.event_id), MAX(e.occurred_at), e.subject_id FROM v_event e"
		" WHERE e.subject_id IN " ITS_BOOKINGS "   GROUP BY e.subject_id) h /*scan*/"
		" LEFT JOIN v_booking b ON b.code = h.code LEFT JOIN v_user u ON u.user_id = b.customer_id"
		" ORDER BY h.event_id DESC LIMIT $3 OFFSET $4 /*sort*/",
		own, car_id, limit, offset);
	for (int i = 0; i < *n_chapters; i++)
		read_events(db, own, &(*chapters)[i]);
	return *n_chapters;
}
