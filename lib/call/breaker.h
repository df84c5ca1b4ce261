/*
 * breaker - a circuit breaker for each callee: calls to a program that is down, hung or overloaded are refused at once,
 * so callers do not wait and the callee can recover.
 *
 * call_do() uses the callee's breaker: shared memory (shm.h), $VAR/run/NAME.breaker, common to all callers. Closed,
 * calls go through, up to a limit of concurrent ones (the bulkhead; a permit holds its caller's pid, and the permits of
 * dead callers are reclaimed). Too many failures open it: calls are refused and nothing is sent. After a pause it is
 * half-open: one caller at a time has a lease to probe; enough successful probes close it, a failed one opens it for
 * longer. No answer, one after the deadline and a 5xx are failures; a declined charge is not. Settings: breaker =
 * strict | classic | default, calls_at_once.
 */
#ifndef MP_BREAKER_H
#define MP_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker;

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
enum breaker_answer { BREAKER_GO, BREAKER_IS_OPEN, BREAKER_IS_FULL };   /* the last two: refused, nothing was sent */

/* Opened once in a process, and kept. NULL: it cannot be mapped now; calls go without it, and it is tried again a
 * second later. */
struct breaker *breaker_open(const char *var_dir, const char *callee);
/*
 * May this call go? Then *permit must be returned by breaker_leave(). If all permits are taken it waits for one,
 * patience_ms at most, and only while calls are quick and others return; otherwise BREAKER_IS_FULL. It never waits
 * while the breaker is open.
 */
enum breaker_answer breaker_enter(struct breaker *b, int patience_ms, int *permit);
void breaker_leave(struct breaker *b, int permit, bool is_good);

/* If a call would be refused now (open, or full of slow calls): in how many seconds one may go, at least 1. 0: now. */
int breaker_closed_for_s(struct breaker *b);

/* For /ops, /metrics and Retry-After. */
struct breaker_view {
	const char *callee;
	int state;                      /* enum breaker_state */
	int64_t opened_at;              /* unix seconds of the last opening; 0: closed */
	int64_t again_in_ms;            /* open: until the next probe */
	int64_t n_in_flight, n_calls, n_failed, n_refused, n_full, n_opened;       /* since boot */
};
bool breaker_look(const char *var_dir, const char *callee, struct breaker_view *v); /* false: never called since boot */

#endif
