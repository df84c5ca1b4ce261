/*
 * ops - the state of the system: programs, consumers of events, waiting events and dead letters, the relay, files, what
 * needs attention, the last restore test. What a person may change is in switch.h and faults.c; each change leaves an
 * event about "ops:…", the audit trail.
 *
 * It must work when other parts do not. So everything it reads may be missing, the read models' file included, and is
 * then shown as missing.
 */
#ifndef MP_OPS_H
#define MP_OPS_H

#include "domain/contexts.h"
#include "domain/event_types.h"
#include "lib/db/db.h"
#include "lib/event/event.h"

/* --- events.c ----------------------------------------------------------------------------------------------------- */

extern const struct db_role ops_role;

/* note: what the person typed, why. event_id 0: about the consumer, not about one event. */
struct switch_payload {
	const char *consumer, *type, *subject_id, *note, *error;
	int64_t event_id, tries;
};
void ops_report_switch(struct db *db, enum event_type_id type, int64_t actor_id, const struct switch_payload *p);
void ops_report_faults(struct db *db, int64_t actor_id, const char *switches);

/* --- programs (programs.c) --- */

enum ops_health { PROGRAM_UP, PROGRAM_NOT_READY, PROGRAM_SILENT, PROGRAM_DOWN };
extern const struct words ops_health_words;

struct ops_program {
	const char *name, *why;
	int state;                      /* enum ops_health */
	int64_t took_ms;
	bool is_counted;                /* its gauge exists: the members below are known */
	int64_t generation, n_workers, n_busy;
	int64_t n_minute, n_failed, p50_us, p99_us;     /* in the last whole minute; failed: 5xx other than "busy" */
	int64_t n_shed, n_replaced; /* since boot: answered "busy"; workers that died, hung or had too much memory */
};
extern const struct shape ops_program_shape;
/* Calls each on the socket that lighttpd uses, with a deadline of 0.1 s. */
int ops_programs(struct arena *m, struct ops_program **programs);

/* --- mail (system.c): waiting, the oldest of these, and dead letters, from v_message --- */
struct ops_mail_counts { int64_t n_waiting, oldest_s, n_dead; };
struct ops_mail_counts ops_mail_counts(struct db *db, int64_t now);

struct breaker_view;
extern const struct words ops_breaker_words;
extern const struct shape ops_breaker_shape;
int ops_breakers(struct arena *m, struct breaker_view **breakers);      /* those used since boot */

/* --- what needs attention (stuck.c) --- */

struct ops_stuck {
	int kind;                       /* enum stuck_kind */
	int64_t n, since, oldest_s, amount;
};
extern const struct shape ops_stuck_shape;
/* one for each kind, of what is older than stuck_after_s */
int ops_stuck(struct db *db, int64_t now, struct ops_stuck **stuck);

/* --- the audit trail (audit.c) --- */

struct ops_act {
	int64_t event_id, occurred_at, actor_id;
	const char *actor_name;         /* "": the motorpool command, or automatic */
	int type;                       /* event_words */
	const char *subject_id, *payload;
	const char *about, *reason;     /* from the payload: the consumer, event, switch …; the note */
};
extern const struct shape ops_act_shape;
/* Newest first, older than `before` (0: from the newest). */
int ops_audit(struct db *db, int64_t before, int64_t limit, struct ops_act **acts);

/* The last restore test (motorpool rehearse). false: none yet. */
struct ops_proof {
	int64_t proven_at, made_at, n_events, n_bookings, took_ms, failures;
	const char *backup;
	bool ok;
};
extern const struct shape ops_proof_shape;
bool ops_proof(struct db *db, struct ops_proof *proof);

/* --- the sandbox's faults (faults.c): what the simulated card provider does wrong on purpose --- */

struct ops_fault { const char *name; int64_t value; };
extern const struct shape ops_fault_shape;
/* false: the sandbox does not answer. */
bool ops_faults(struct arena *m, struct ops_fault **faults, int *n);
/* Sets and reports them (ops.faults_set). false: the sandbox does not answer, nothing is changed. */
bool ops_set_faults(struct db *db, int64_t actor_id, const struct ops_fault *faults, int n);

/* --- consumers of events (consumers.c) --- */

struct ops_consumer {
	const char *name;
	bool is_known;                  /* its database file could be read */
	int64_t event_id, moved_at;     /* its position, and since when */
	int64_t n_behind;               /* events not yet handled */
	int64_t behind_s;               /* how old the oldest of those is */
	int64_t n_waiting, n_dead;      /* failed, or blocked by a failed one; dead letters */
	bool is_paused;                 /* by a person (switch.h): */
	int64_t paused_at, paused_by;
	const char *pause_reason;
};
extern const struct shape ops_consumer_shape;
int ops_consumers(struct db *db, int64_t now, struct ops_consumer **consumers);
bool ops_is_consumer(const char *name, bool *on_view);  /* on_view (may be NULL): its tables are in view.db */
struct db *ops_view(struct db *db);                     /* view.db, with this request's memory; NULL: it is missing */

struct ops_retry {
	const char *consumer, *type, *subject_id, *error;
	int64_t event_id, tries, next_at;
	bool dead;
};
extern const struct shape ops_retry_shape;
/* Dead ones first, then the oldest; at most limit of each file. */
int ops_retries(struct db *db, int64_t limit, struct ops_retry **retries);
/* false: it does not wait */
bool ops_retry(struct db *db, const char *consumer, int64_t event_id, struct ops_retry *retry);

/* --- the key of the monitoring system for /metrics (system.c) --- */

const char *ops_metrics_key(struct arena *m);           /* derived from secret.key */

/* --- small charts (charts.c) --- */

#define OPS_CHARTS 16
struct ops_chart {
	const char *points;             /* of an SVG polyline; "": nothing known yet */
	int64_t most, minutes;          /* the highest value, in so many minutes */
	bool is_flat;                   /* all zero */
};
extern const struct shape ops_chart_shape;
struct ops_charts { struct arena *m; const char *name[OPS_CHARTS]; struct ops_chart chart[OPS_CHARTS]; int n; };
void ops_charts(struct arena *m, struct ops_charts *charts);
struct ops_chart ops_chart(const struct ops_charts *charts, const char *name);  /* of a consumer, or of a file's WAL */

/* --- the machine (system.c) --- */

struct ops_file { const char *name; int64_t bytes, wal_bytes; };
struct ops_system {
	int64_t n_events;
	int64_t relay_age_s;            /* since the relay's last heartbeat; -1: never */
	int64_t disk_free, disk_total;  /* bytes */
	struct ops_file *files;
	int n_files;
};
extern const struct shape ops_file_shape, ops_system_shape;
void ops_system(struct db *db, struct ops_system *s);

/* --- the mail folder (mail_folder.c) --- */

struct ops_mail { int64_t message_id, written_at; const char *from, *to, *subject, *body, *letter_id, *lang; };
extern const struct shape ops_mail_shape;
/* The message ids of all mails in it, newest first. Answers how many. */
int ops_mails(struct arena *m, int64_t **message_ids);
bool ops_mail(struct arena *m, int64_t message_id, struct ops_mail *mail);     /* false: none, or not readable */

/* --- the event log (log.c) --- */

struct ops_query {
	const char *type;               /* the beginning of a type: "booking."; "": all */
	const char *subject;            /* exactly; "": all */
	int64_t before;                 /* older than this event; 0: from the newest */
	int64_t limit;
};
/* Newest first. *next_before: where older ones continue; 0: none. Searches at most 200,000 events at a time. */
int ops_events(struct db *db, const struct ops_query *q, struct event **events, int64_t *next_before);

#endif
