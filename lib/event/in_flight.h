/*
 * in_flight - the event each consumer is handling, in shared memory that survives it: $VAR/run/relay.in_flight.
 *
 * A policy that crashes takes its process and its transaction with it. The next process would begin with the same event
 * and crash again, forever, and block all events behind it. So a consumer records each event before it handles it, and
 * its successor finds the record: if the event was one of a batch, the batch is handled one by one; if it was alone,
 * the crash counts as a failed try of that event, which is parked like any that fails (consumer.c). The relay's parent
 * adds how the process ended, and kills one that takes too long.
 *
 * The file is created again at each boot, so a power cut does not count as a crash.
 */
#ifndef MP_IN_FLIGHT_H
#define MP_IN_FLIGHT_H

#include "lib/base/shm.h"

#include <stdatomic.h>
#include <sys/types.h>

#define IN_FLIGHT_KIND  "motorpool in_flight 1"
#define IN_FLIGHT_SLOTS 16
#define IN_FLIGHT_SWEEP (-1)         /* instead of an event: the sweep */

#define IN_FLIGHT_UNKNOWN (-1)       /* instead of a wait status: it is not known how it ended */
#define IN_FLIGHT_HUNG    (-2)       /* it hung and was killed */

struct in_flight {
	char consumer[24];              /* "": a free slot */
	_Atomic int32_t pid;            /* of the process that wrote the record … */
	_Atomic int64_t started;        /* … and when that started (proc_started), since pids are reused */
	_Atomic int64_t event_id;       /* being handled; 0: none; IN_FLIGHT_SWEEP */
	_Atomic int64_t last_id;        /* the last event of the same transaction; 0: it is the only one */
	_Atomic int64_t since_ms;       /* clock_ms() when it began */
	_Atomic int64_t careful_upto;   /* up to this event one by one: one of them crashed */
	_Atomic int64_t sweep_at_ms;    /* no sweep before then: the last ones crashed */
	_Atomic int32_t n_sweep_crashes;
	_Atomic int32_t ended;          /* its wait status, or IN_FLIGHT_UNKNOWN, IN_FLIGHT_HUNG */
};

struct in_flight_table {
	struct shm_header shm;
	struct in_flight slot[IN_FLIGHT_SLOTS];
};

struct in_flight_table *in_flight_open(const char *var_dir);          /* NULL: errno; consumers work without it */
/* found or added; NULL: all are used */
struct in_flight *in_flight_slot(struct in_flight_table *t, const char *consumer);

/* The slot is this process's from now on. false: another living process works for the same consumer and keeps it. */
bool in_flight_claim(struct in_flight *f);
/* f may be NULL in both: nothing is recorded */
void in_flight_begin(struct in_flight *f, int64_t event_id, int64_t last_id);
void in_flight_end(struct in_flight *f);

#endif
