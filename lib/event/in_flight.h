/*
 * in_flight - the events each consumer is working on, in shared memory that outlives it: $VAR/run/relay.in_flight.
 *
 * A policy that crashes takes its process and its transaction with it. The next process would begin with the same event and crash
 * again, forever, holding up everything behind it. So a consumer records each event before it handles it, and its successor finds
 * the record: if the event was one of a batch, the batch is handled one by one; if it was alone, the crash counts as a failed try
 * of that event, which is parked like any that fails (consumer.c). The relay's parent adds how the process ended, and kills one
 * that takes too long.
 *
 * The file is recreated at each boot, so a power cut does not count as a crash.
 */
#ifndef MP_IN_FLIGHT_H
#define MP_IN_FLIGHT_H

#include "lib/base/shm.h"

#include <stdatomic.h>
#include <sys/types.h>

#define IN_FLIGHT_KIND  "motorpool in_flight 1"
#define IN_FLIGHT_SLOTS 16
#define IN_FLIGHT_SWEEP (-1)         /* in place of an event: what time brings */

#define IN_FLIGHT_UNKNOWN (-1)       /* in place of a wait status: nobody saw how it ended, … */
#define IN_FLIGHT_HUNG    (-2)       /* … it did not end and was killed */

struct in_flight {
	char consumer[24];              /* "": a free slot */
	_Atomic int32_t pid;            /* of the process that wrote the record … */
	_Atomic int64_t born;           /* … and when it started, since pids are reused (proc_started) */
	_Atomic int64_t event_id;       /* being handled; 0: none; IN_FLIGHT_SWEEP */
	_Atomic int64_t last_id;        /* the last event of the same transaction; 0: it is alone in it */
	_Atomic int64_t since_ms;       /* clock_ms() when it began */
	_Atomic int64_t careful_upto;   /* one by one up to this event: there was a crash among them */
	_Atomic int64_t sweep_at_ms;    /* not swept before: the last sweeps crashed */
	_Atomic int32_t n_sweep_crashes;
	_Atomic int32_t ended;          /* its wait status, or HAND_… */
};

struct in_flight_table {
	struct shm_header shm;
	struct in_flight slot[IN_FLIGHT_SLOTS];
};

struct in_flight_table *in_flight_open(const char *var_dir);          /* NULL: errno says why; everything goes on without */
struct in_flight *in_flight_slot(struct in_flight_table *h, const char *consumer);    /* its place, made when there is none; NULL: all are taken */

/* Ours from now on, with nothing in hand. false: another living process works for the same consumer and keeps it. */
bool in_flight_claim(struct in_flight *h);
void in_flight_begin(struct in_flight *h, int64_t event_id, int64_t last_id);     /* h may be NULL in both: nobody watches */
void in_flight_end(struct in_flight *h);

#endif
