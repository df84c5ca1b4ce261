/*
 * call - a synchronous call to another program's internal socket, as a FastCGI client of our own: a web server in
 * between could not tell *certainly not sent* from *outcome unknown*. Calls to a program that is down or hangs are
 * refused at once by its breaker (breaker.h).
 */
#ifndef MP_CALL_H
#define MP_CALL_H

#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum call_outcome {
	CALL_ANSWERED,          /* status and answer are set */
	CALL_NOT_SENT,          /* no whole request reached the callee: it did nothing */
	CALL_UNKNOWN,           /* sent, but no whole answer before the deadline */
	CALL_REFUSED,           /* not sent: the callee's breaker is open, or too many calls are in flight */
};

struct call {
	const char *program;            /* "payment" */
	const char *path;               /* "/internal/charge" */
	const char *body;               /* JSON; NULL: GET */
	bool to_public;                 /* to the socket that lighttpd uses, without breaker and log: a health check */
	int deadline_ms;                /* for all of it: connect, send, answer */
	/* set when it was answered */
	int status;                     /* HTTP status */
	const char *answer;             /* the body */
};

void call_open(const char *var_dir);
/* If the program's breaker would refuse a call now: in how many seconds one may go. 0: now. */
int call_closed_for_s(const char *program);
/* The id of the current request (log.h) is passed on to the callee. Each call is a line in the log. */
enum call_outcome call_do(struct arena *m, struct call *c);
/* That line, for calls of other kinds. path: without secrets. */
void call_log(const char *to, const char *path, enum call_outcome outcome, int status, int64_t began_us);

#endif
