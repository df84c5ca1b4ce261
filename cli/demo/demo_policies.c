/*
 * demo_policies.c - applies the contexts' policies to the demo's events as the relay does, but in the transaction of
 * the deeds: no other process takes part, nothing is paused, and an event that a policy refuses ends the demo instead
 * of being parked.
 */
#include "demo.h"

#include "cgi-bin/booking/booking.h"
#include "cgi-bin/delivery/delivery.h"
#include "cgi-bin/equipment/equipment.h"
#include "cgi-bin/fleet/fleet.h"
#include "cgi-bin/review/review.h"
#include "lib/base/clock.h"

/* The first two react to every rental. */
static const struct consumer *const consumers[DEMO_CONSUMERS] = {
	&fleet_consumer, &booking_consumer, &delivery_consumer, &equipment_consumer, &review_consumer,
};
#define OF_RENTALS 2

static void
react_to(struct world *w, const struct consumer *c, const struct policy *p, int64_t event_id)
{
	struct event e;

	if (!db_one(w->db, &event_shape, &e,
		    "SELECT event_id, type, subject_id, causation_id, actor_id, occurred_at, recorded_at, payload,"
		    " prev_hash, hash FROM event WHERE event_id = $1",
		    event_id)
		|| !p->react(w->db, &e) || db_failed(w->db))
		world_stop(w, "%s did not react to event %lld", c->name, (long long)event_id);
}

struct due_event { const struct policy *policy; int64_t event_id; };

/* Of the events that a consumer has not seen, up to the last, those that it reacts to. */
static int
find_due(struct world *w, int i, int64_t last, struct due_event *due)
{
	struct rows *r = db_each(w->db,
		"SELECT event_id, type FROM event WHERE event_id > $1 AND event_id <= $2 ORDER BY event_id",
		w->position[i], last);
	int n = 0;

	while (db_next(r)) {
		const struct policy *p = policy_for(consumers[i], row_peek(r, 1));

		if (p)
			due[n++] = (struct due_event){ p, row_int(r, 0) };
	}
	db_done(r);
	return n;
}

static void
catch_up(struct world *w, int i, int64_t last)
{
	struct due_event *due = arena_array(w->m, struct due_event, last - w->position[i]);
	int n = find_due(w, i, last, due);

	for (int k = 0; k < n && !w->why; k++)
		react_to(w, consumers[i], due[k].policy, due[k].event_id);
	w->position[i] = last;
}

static int64_t
last_event(struct world *w)
{
	return db_int(w->db, "SELECT COALESCE(MAX(event_id), 0) FROM event");
}

/* Some react to what others report: until there are no new events. */
static void
apply(struct world *w, int n_consumers)
{
	for (int64_t last = last_event(w), before = -1; last != before && !w->why; last = last_event(w)) {
		before = last;
		for (int i = 0; i < n_consumers; i++)
			if (w->position[i] < last)
				catch_up(w, i, last);
	}
}

void
world_policies(struct world *w)
{
	apply(w, OF_RENTALS);
}

/* The others find nothing to do about rentals without extras, and pass over many of those at once. */
void
world_desk_policies(struct world *w)
{
	apply(w, DEMO_CONSUMERS);
}

/* From here on the relay goes on. */
void
world_policies_end(struct world *w)
{
	for (int i = 0; i < DEMO_CONSUMERS; i++)
		db_do(w->db, "INSERT INTO position (consumer, event_id, moved_at) VALUES ($1, $2, $3)",
			consumers[i]->name, w->position[i], clock_now());
}
