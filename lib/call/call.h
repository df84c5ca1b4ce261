/*
 * call - a synchronous call to another program's internal socket: FastCGI, spoken by ~60 lines of our own, because only the
 * direct way can tell *certainly not sent* from *outcome unknown*. Between us and a program that is
 * down or hangs stands its breaker: callers of it wait for nothing, and it gets its breath back.
 */
#ifndef MP_CALL_H
#define MP_CALL_H

#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum call_outcome {
	CALL_ANSWERED,          /* status and body are there */
	CALL_NOT_SENT,          /* nobody listened: the callee did nothing */
	CALL_UNKNOWN,           /* sent, but no whole answer before the deadline */
	CALL_REFUSED,           /* not sent: the callee's breaker is open, or too many are under way (breaker.h) */
};

struct call {
	const char *program;            /* "payment" */
	const char *path;               /* "/internal/charge" */
	const char *body;               /* JSON; NULL: GET */
	bool to_public;                 /* to the socket that lighttpd uses instead: /ops asks each program for its health */
	int deadline_ms;                /* all told: connect, send, answer */
	int status;                     /* answered: HTTP status */
	const char *answer;             /* answered: the body */
};

void call_open(const char *var_dir);
/* In how many seconds a call to this program would be tried at all: its breaker is open, or full of slow calls. 0: now. */
int call_closed_for_s(const char *program);
/* The request in hand (log.h) is carried on to the callee. Each call is a line in the log. */
enum call_outcome call_do(struct arena *m, struct call *c);
/* That line, for calls of other kinds: to whom, what without anything secret, how it ended. */
void call_log(const char *to, const char *path, enum call_outcome outcome, int status, int64_t began_us);

#endif
