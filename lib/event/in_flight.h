/*
 * hand - what each consumer of events has in hand, on a board (board.h) that outlives it: $VAR/run/relay.hand.
 *
 * A policy that crashes takes its process with it, transaction and all; the next process would begin with the same event, and crash
 * again, for ever, with everybody waiting behind. So a consumer notes each event before it handles it. Whoever comes after it finds
 * the note: was it one of many, they are taken one by one; was it alone, the crash counts as a try of that one event, which is
 * parked like any that fails (consumer.c). The relay's parent adds how the process ended, and kills one that takes too long.
 *
 * A board is made anew with each boot, so a power cut is nobody's crash.
 */
#ifndef MP_HAND_H
#define MP_HAND_H

#include "lib/base/shm.h"

#include <stdatomic.h>
#include <sys/types.h>

#define HAND_KIND  "motorpool hand 1"
#define HAND_SLOTS 16
#define HAND_SWEEP (-1)         /* in place of an event: what time brings */

#define HAND_UNKNOWN (-1)       /* in place of a wait status: nobody saw how it ended, … */
#define HAND_HUNG    (-2)       /* … it did not end and was killed */

struct hand {
	char consumer[24];              /* "": a free place */
	_Atomic int32_t pid;            /* who wrote the note … */
	_Atomic int64_t born;           /* … since numbers are used again: when it started (hand_born) */
	_Atomic int64_t event_id;       /* in hand; 0: nothing; HAND_SWEEP */
	_Atomic int64_t last_id;        /* the last of those in the same transaction; 0: it is alone in it */
	_Atomic int64_t since_ms;       /* clock_ms() when it was taken up */
	_Atomic int64_t careful_upto;   /* one by one up to this event: there was a crash among them */
	_Atomic int64_t sweep_at_ms;    /* not swept before: the last sweeps crashed */
	_Atomic int32_t n_sweep_crashes;
	_Atomic int32_t ended;          /* its wait status, or HAND_… */
};

struct hands {
	struct board board;
	struct hand hand[HAND_SLOTS];
};

struct hands *hands_open(const char *var_dir);          /* NULL: errno says why; everything goes on without */
struct hand *hand_of(struct hands *h, const char *consumer);    /* its place, made when there is none; NULL: all are taken */

/* Ours from now on, with nothing in hand. false: another living process works for the same consumer and keeps it. */
bool hand_claim(struct hand *h);
void hand_take(struct hand *h, int64_t event_id, int64_t last_id);     /* h may be NULL in both: nobody watches */
void hand_drop(struct hand *h);

/* When a process started, in the kernel's ticks since boot: with its number it is one process for sure. 0: it is gone. */
int64_t hand_born(pid_t pid);

#endif
