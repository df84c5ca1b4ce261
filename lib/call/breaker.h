/*
 * breaker - what stands between a program and another one that is down, hung or overloaded.
 *
 * Every call by call_do() goes through the callee's breaker: a board (shm.h) in $VAR/run/NAME.breaker that all callers share,
 * atomics only. Closed: calls go through, at most `flying` at once (the bulkhead; places hold pids, those of the dead are taken
 * back). Too many failures and it opens: calls are refused at once, nothing is sent. After a pause one caller gets a lease to
 * probe; enough good probes close it, a bad one opens it for longer. A decline is a success of the call; only no answer, an answer
 * too late, or a 5xx are failures. Settings: breaker = strict | classic | default, calls_at_once.
 */
#ifndef MP_BREAKER_H
#define MP_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker;

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
enum breaker_answer { BREAKER_GO, BREAKER_IS_OPEN, BREAKER_IS_FULL };   /* the last two: refused, nothing was sent */

/* Opened once in a process, which keeps it. NULL: there can be none now; calls go unguarded, and it is tried again a second later. */
struct breaker *breaker_open(const char *var_dir, const char *callee);
/*
 * May this call go? Then *place is to be given back by breaker_leave(). With all places taken it waits for one, at most
 * patience_ms in all, and only where calls are quick and others come back: else it is full. While it is open nobody waits.
 */
enum breaker_answer breaker_enter(struct breaker *b, int patience_ms, int *permit);
void breaker_leave(struct breaker *b, int permit, bool is_good);

/* A call would be refused now, since it is open, or full of slow ones: in how many seconds one may go (1 or more). 0: at once. */
int breaker_closed_for_s(struct breaker *b);

/* How it stands, for /ops, /metrics and "try again in n seconds". */
struct breaker_view {
	const char *callee;
	int state;                      /* enum breaker_state */
	int64_t opened_at;              /* unix seconds: when it last left closed; 0: closed */
	int64_t again_in_ms;            /* open: until the next probe */
	int64_t n_in_flight, n_calls, n_failed, n_refused, n_full, n_opened;       /* since boot */
};
bool breaker_look(const char *var_dir, const char *callee, struct breaker_view *v);     /* false: never called since boot */

#endif
