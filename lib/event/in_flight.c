/* in_flight.c - the records of what each consumer is handling; in_flight.h describes them. */
#include "in_flight.h"

#include "lib/base/clock.h"
#include "lib/base/proc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct in_flight_table *
in_flight_open(const char *var_dir)
{
	return shm_map(var_dir, "relay.in_flight", IN_FLIGHT_KIND, sizeof(struct in_flight_table), NULL);
}

/* Called only by the active relay, before it forks: no two processes add a slot at the same time. */
struct in_flight *
in_flight_slot(struct in_flight_table *t, const char *consumer)
{
	for (int i = 0; t && i < IN_FLIGHT_SLOTS; i++) {
		struct in_flight *slot = &t->slot[i];

		if (!slot->consumer[0]) {
			snprintf(slot->consumer, sizeof(slot->consumer), "%s", consumer);
			atomic_store(&slot->ended, IN_FLIGHT_UNKNOWN);
		}
		if (strcmp(slot->consumer, consumer) == 0)
			return slot;
	}
	return NULL;
}

bool
in_flight_claim(struct in_flight *f)
{
	pid_t pid = atomic_load(&f->pid);

	if (pid == getpid())
		return true;
	if (pid && proc_started(pid) == atomic_load(&f->started))
		return false;
	atomic_store(&f->event_id, 0);
	atomic_store(&f->ended, IN_FLIGHT_UNKNOWN);
	atomic_store(&f->started, proc_started(getpid()));
	atomic_store(&f->pid, getpid());
	return true;
}

void
in_flight_begin(struct in_flight *f, int64_t event_id, int64_t last_id)
{
	if (!f)
		return;
	atomic_store(&f->last_id, last_id);
	atomic_store(&f->since_ms, clock_ms());
	atomic_store(&f->event_id, event_id);
}

void
in_flight_end(struct in_flight *f)
{
	if (f)
		atomic_store(&f->event_id, 0);
}
