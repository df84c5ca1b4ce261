/*
 * trace - the history of one booking (or another subject of events) in all programs, from the event log, the tables and
 * the programs' logs.
 *
 *	trace.c       the command, and its output
 *	trace_log.c   finds the lines of the logs that belong to it
 */
#ifndef MP_TRACE_H
#define MP_TRACE_H

#include "cli.h"

#include <stdio.h>

/* One thing that happened. Its texts are safe to print on a terminal. */
struct trace_step {
	int64_t at_us;
	int64_t took_us;                /* -1: not known */
	bool is_coarse;                 /* only known to the second: from the event log, without a line in a log */
	const char *at;                 /* the same, RFC 3339 */
	const char *program, *what, *text;
	const char *request;            /* "": none */
	int64_t event_id, causation_id, actor_id;       /* 0: none */
};

struct trace {
	struct arena *m;
	const char *subject;
	struct trace_step *step;
	int n_step, step_room;
	const char **request;           /* ids of the requests it is part of */
	int n_requests, request_room;
	int n_files;                    /* logs read */
};

void trace_add(struct trace *t, const struct trace_step *s);

/* Add lines of a log. Each log is read twice: first for lines about the subject, then for other lines of the same
 * requests. */
void trace_read_subjects(struct trace *t, FILE *log);
void trace_read_requests(struct trace *t, FILE *log);

#endif
