/*
 * log - one JSON line per occasion on stderr; control characters escaped; ids only, never secrets, cards or personal
 * data. docs/logs.md lists the lines; `motorpool trace` reads them again.
 *
 *	{"at":"2026-11-21T05:00:00.123456Z","level":"info","program":"booking","pid":811,"request":"3f9…",
 *	 "subject":"MP-7K3F9QXA","what":"event","event_id":41,"type":"booking.paid"}
 *
 * request ties together what one click led to, through all programs; subject, the correlation key of the events, what
 * one booking went through.
 */
#ifndef MP_LOG_H
#define MP_LOG_H

#include <stdarg.h>
#include <stdint.h>

enum log_level { LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

void log_open(const char *program);
void log_from(enum log_level least); /* what is less is not written: the motorpool command says only what went wrong */
void log_request(const char *request_id);       /* what following lines carry, with no subject yet; NULL: none */
const char *log_request_now(void);              /* "": none. Calls to other programs carry it on */
/* Work on one subject that no request caused: the request id is made from its name and the time. */
void log_task(const char *name, const char *subject_id);
/* What the current request is about. The first one is kept: a booking's car is part of the booking. */
void log_subject(const char *subject_id);
void log_info(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- a line with members of its own --- */

#define LOG_LINE_MAX 4000       /* below PIPE_BUF: one write is one piece, lines of many processes never mix */

struct log_line {
	enum log_level level;
	int n;
	char s[LOG_LINE_MAX];
};

void log_begin(struct log_line *l, enum log_level level, const char *what); /* when, who, which request, about what */
/* the same of level info, about this subject */
void log_begin_about(struct log_line *l, const char *subject_id, const char *what);
/* cut off when it is too long; the line stays JSON */
void log_text(struct log_line *l, const char *name, const char *value);
void log_int(struct log_line *l, const char *name, int64_t value);
void log_ms(struct log_line *l, const char *name, int64_t us);                  /* 12.345 */
void log_end(struct log_line *l);

/*
 * … whose content is only true once the current transaction has been committed. It is written then; a rollback or the
 * next transaction discards it.
 */
void log_hold(struct log_line *l);
void log_release(void);         /* db_write.c: committed */
void log_drop(void);            /* db_write.c: begun */

#endif
