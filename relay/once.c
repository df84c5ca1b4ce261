/* once.c - `relay VAR --once`: everything that is there, in one process, without waiting for more. */
#include "relay.h"

#include "lib/event/in_flight.h"

#define MAX_CONSUMERS 16

/* One consumer's events are another's cause, so rounds are made until one brings nothing more. */
int
relay_once(const struct relay *r)
{
	struct arena *m = arena_new((size_t)64 << 20);
	struct in_flight_table *hands = in_flight_open(r->var);
	struct db *db[MAX_CONSUMERS];
	int n, n_events, failed = 0;

	relay_catch_term();
	if (!turn_take(r))
		return 0;
	for (n = 0; r->consumers[n] && n < MAX_CONSUMERS; n++)
		if (!(db[n] = child_open(r, r->consumers[n], m)))
			failed = 1;
	do {
		n_events = 0;
		for (int i = 0; i < n && !relay_is_ending; i++) {
			bool is_sweep_done;

			if (!db[i])
				continue;
			consumer_watch(db[i], r->consumers[i], in_flight_slot(hands, r->consumers[i]->name));
			n_events += child_catch_up(db[i], r->consumers[i], &is_sweep_done);
			n_events += !is_sweep_done;
			arena_reset(m);
		}
	} while (n_events > 0 && !relay_is_ending);
	for (int i = 0; i < n; i++)
		if (db[i])
			db_close(db[i]);
	checkpointer_once(r);
	return failed;
}
