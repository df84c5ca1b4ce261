/* run_once.c - `relay VAR --once`: handles all events there are in one process, without waiting for more. */
#include "relay.h"

#include "lib/event/in_flight.h"

#define MAX_CONSUMERS 16

/* Handling events emits new ones for other consumers, so rounds are made until one finds nothing. */
int
relay_run_once(const struct relay *r)
{
	struct arena *m = arena_new((size_t)64 << 20);
	struct in_flight_table *table = in_flight_open(r->var);
	struct db *db[MAX_CONSUMERS];
	int n, n_events, failed = 0;

	relay_catch_term();
	if (!leader_acquire(r))
		return 0;
	for (n = 0; r->consumers[n] && n < MAX_CONSUMERS; n++)
		if (!(db[n] = consumer_db_open(r, r->consumers[n], m)))
			failed = 1;
	do {
		n_events = 0;
		for (int i = 0; i < n && !relay_is_stopping; i++) {
			bool is_sweep_done;

			if (!db[i])
				continue;
			consumer_watch(db[i], r->consumers[i], in_flight_slot(table, r->consumers[i]->name));
			n_events += consumer_catch_up(db[i], r->consumers[i], &is_sweep_done);
			n_events += !is_sweep_done;
			arena_reset(m);
		}
	} while (n_events > 0 && !relay_is_stopping);
	for (int i = 0; i < n; i++)
		if (db[i])
			db_close(db[i]);
	checkpointer_run_once(r);
	return failed;
}
