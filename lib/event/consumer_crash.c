/*
 * consumer_crash.c - a policy that crashed its process: how the next process treats the record it finds (in_flight.h).
 *
 * After a crash within a batch the cause is unknown: the event being handled, an earlier one that corrupted memory, or
 * a kill from outside. So the batch is handled again one by one. An event that is alone in its transaction when the
 * process ends is parked and that counts as a try; after twelve a person decides. A kill from outside delays an event
 * by a second at most, and its next try succeeds. A hang counts as four tries, since it blocked all writers: the third
 * is the last.
 */
#include "consumer_inside.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <sys/wait.h>

#define HANG_TRIES         4
#define SWEEP_PAUSE_MS     1000
#define SWEEP_PAUSE_MAX_MS 300000

struct in_flight *consumer_in_flight;

int64_t
consumer_careful_upto(void)
{
	return consumer_in_flight ? atomic_load(&consumer_in_flight->careful_upto) : 0;
}

static const char *
how_it_ended(struct arena *m, int ended)
{
	if (ended == IN_FLIGHT_HUNG)
		return "the handler hung and was killed";
	if (ended == IN_FLIGHT_UNKNOWN)
		return "the handler's process ended in the middle";
	if (WIFSIGNALED(ended))
		return arena_printf(m, "the handler crashed (signal %d)", WTERMSIG(ended));
	return arena_printf(m, "the handler ended its process (status %d)", WEXITSTATUS(ended));
}

/* Counts as a normal try: a new event is parked, a parked one waits longer. If it is neither, its effect was already
 * committed. */
static void
blame(struct db *db, const struct consumer *c, int64_t event_id, int ended)
{
	const char *why = how_it_ended(db_memory(db), ended);
	int n_tries = ended == IN_FLIGHT_HUNG ? HANG_TRIES : 1;
	struct parked was;
	struct batch b;

	log_warn("consumer", "%s: event %lld: %s", c->name, (long long)event_id, why);
	db_begin(db);
	b = consumer_events_after(db, event_id - 1, 1);
	if (db_one(db, &parked_shape, &was,
		    "SELECT event_id, tries FROM event_retry WHERE consumer = $1 AND event_id = $2 AND dead = 0",
		    c->name, event_id)) {
		consumer_park_again(db, c, &was, n_tries, why);
	} else if (b.n == 1 && b.event[0].event_id == event_id && consumer_position(db, c) < event_id) {
		consumer_park(db, c, &b.event[0], n_tries, why);
		consumer_move(db, c, event_id);
	}
	db_commit(db);
}

/* Sweeps that crash are repeated at growing intervals; events are handled in between. */
static void
sweep_later(const struct consumer *c, struct in_flight *h, const char *why)
{
	int n = atomic_fetch_add(&h->n_sweep_crashes, 1);
	int64_t pause_ms = n > 8 ? SWEEP_PAUSE_MAX_MS : (int64_t)SWEEP_PAUSE_MS << n;

	atomic_store(&h->sweep_at_ms, clock_ms() + pause_ms);
	log_error("sweep", "%s: %s; the next one in %lld s", c->name, why, (long long)pause_ms / 1000);
}

void
consumer_watch(struct db *db, const struct consumer *c, struct in_flight *h)
{
	int64_t event_id, last_id;
	int ended;

	consumer_in_flight = NULL;
	if (!h)
		return;
	event_id = atomic_load(&h->event_id);
	last_id = atomic_load(&h->last_id);
	ended = atomic_load(&h->ended);
	if (!in_flight_claim(h))
		return;
	consumer_in_flight = h;
	if (event_id == IN_FLIGHT_SWEEP) {
		sweep_later(c, h, how_it_ended(db_memory(db), ended));
	} else if (event_id && last_id) {
		atomic_store(&h->careful_upto, last_id);
	} else if (event_id) {
		blame(db, c, event_id, ended);
	}
	db_fresh(db);
}

bool
consumer_sweep(struct db *db, const struct consumer *c)
{
	struct in_flight *h = consumer_in_flight;
	bool again;

	if (!c->sweep || consumer_is_paused(db, c) || (h && clock_ms() < atomic_load(&h->sweep_at_ms)))
		return false;
	in_flight_begin(h, IN_FLIGHT_SWEEP, 0);
	again = c->sweep(db);
	log_request(NULL);
	in_flight_end(h);
	if (h)
		atomic_store(&h->n_sweep_crashes, 0);
	return again;
}
