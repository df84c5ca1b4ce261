/*
 * trace - the path of one booking (or whatever else events are about) through all programs, put together from the event log, the
 * tables and the programs' logs.
 *
 *	trace.c       the command: what is asked, and how it is shown
 *	trace_log.c   the lines of the logs that belong to it
 */
#ifndef MP_TRACE_H
#define MP_TRACE_H

#include "cli.h"

#include <stdio.h>

/* One thing that happened. Texts may stand on a terminal. */
struct step {
	int64_t at_us;
	int64_t took_us;                /* -1: nobody has measured it */
	bool is_coarse;                 /* known to the second only: from the event log, no line tells of it */
	const char *at;                 /* the same, RFC 3339 */
	const char *program, *what, *text;
	const char *request;            /* "": none */
	int64_t event_id, causation_id, actor_id;       /* 0: none */
};

struct trace {
	struct arena *m;
	const char *subject;
	struct step *step;
	int n_step, step_room;
	const char **request;           /* requests that had to do with it */
	int n_requests, request_room;
	int n_files;                    /* logs that were read */
};

void trace_add(struct trace *t, const struct step *s);

/* Adds what a log has to say. Each is read twice: first for the lines about the subject, then for all others of the same requests. */
void trace_read_subjects(struct trace *t, FILE *log);
void trace_read_requests(struct trace *t, FILE *log);

#endif
