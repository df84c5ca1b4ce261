/*
 * ops - how the house is doing: are the programs there, how far is every consumer of events, what waits or was given up, does the
 * relay live, how big are the files, what is stuck, when was a restore last proven. Looks at everything; what a person may do stands
 * in switch.h and faults.c, and each of it leaves its event about "ops:…": the audit trail.
 *
 * It must be the last to stop working. So whatever it looks at may be missing, the read models' file included, and is then
 * shown as missing.
 */
#ifndef MP_OPS_H
#define MP_OPS_H

#include "domain/contexts.h"
#include "lib/db/db.h"
#include "lib/event/event.h"

extern const struct db_role ops_role;

/* --- programs (programs.c) --- */

enum ops_health { PROGRAM_UP, PROGRAM_NOT_READY, PROGRAM_SILENT, PROGRAM_DOWN };
extern const struct words ops_health_words;

struct ops_program {
	const char *name, *why;
	int state;                      /* enum ops_health */
	int64_t took_ms;
	bool is_counted;                /* its gauge is there: what follows is known */
	int64_t generation, n_workers, n_busy;
	int64_t n_minute, n_failed, p50_us, p99_us;     /* in the last whole minute; failed: 5xx other than "busy" */
	int64_t n_shed, n_replaced;     /* since boot: answered "busy"; workers that died, hung or had too much memory */
};
extern const struct shape ops_program_shape;
/* Asks each on the socket that lighttpd uses, for a tenth of a second at most. */
int ops_programs(struct arena *m, struct ops_program **programs);

/* --- mail: what waits for the server, for how long, and what was given up (message's, as it publishes it) --- */
struct ops_mails { int64_t n_waiting, oldest_s, n_dead; };
struct ops_mails ops_mails(struct db *db, int64_t now);

struct breaker_view;
extern const struct words ops_breaker_words;
extern const struct shape ops_breaker_shape;
int ops_breakers(struct arena *m, struct breaker_view **breakers);      /* those that were ever asked since boot */

/* --- what is stuck (stuck.c) --- */

struct ops_stuck {
	int kind;                       /* enum stuck_kind */
	int64_t n, since, oldest_s, amount;
};
extern const struct shape ops_stuck_shape;
int ops_stuck(struct db *db, int64_t now, struct ops_stuck **stuck);    /* one a kind that there is, for longer than stuck_after_s */

/* --- who did what (audit.c) --- */

struct ops_act {
	int64_t event_id, occurred_at, actor_id;
	const char *actor_name;         /* "": the motorpool command, or the house itself */
	int type;                       /* event_words */
	const char *subject_id, *payload;
	const char *about, *reason;     /* out of the payload: which consumer, event, switch …; why */
};
extern const struct shape ops_act_shape;
/* Every switch, newest first, older than `before` (0: from the newest). */
int ops_audit(struct db *db, int64_t before, int64_t limit, struct ops_act **acts);

/* The last rehearsal of a restore (motorpool rehearse). false: there was none yet. */
struct ops_proof {
	int64_t proven_at, made_at, n_events, n_bookings, took_ms, failures;
	const char *backup;
	bool ok;
};
extern const struct shape ops_proof_shape;
bool ops_proof(struct db *db, struct ops_proof *proof);

/* --- the sandbox's switches (faults.c): what is broken on purpose at the card provider that is none --- */

struct ops_fault { const char *name; int64_t value; };
extern const struct shape ops_fault_shape;
/* false: the sandbox does not answer. */
bool ops_faults(struct arena *m, struct ops_fault **faults, int *n);
/* Sets them and records it (ops.faults_set about ops:sandbox). false: the sandbox does not answer, nothing is changed. */
bool ops_set_faults(struct db *db, int64_t actor_id, const struct ops_fault *faults, int n);

/* --- consumers of events --- */

struct ops_consumer {
	const char *name;
	bool is_known;                  /* its database file could be read */
	int64_t event_id, moved_at;     /* how far it is, and since when */
	int64_t n_behind;               /* events not yet handled */
	int64_t behind_s;               /* how old the oldest of those is */
	int64_t n_waiting, n_dead;      /* tried in vain, or held back behind such; given up */
	bool is_paused;                 /* by a person (switch.h): */
	int64_t paused_at, paused_by;
	const char *pause_reason;
};
extern const struct shape ops_consumer_shape;
int ops_consumers(struct db *db, int64_t now, struct ops_consumer **consumers);
bool ops_is_consumer(const char *name, bool *on_view);  /* on_view (may be NULL): its position and its waiting events are in view.db */
struct db *ops_view(struct db *db);                     /* view.db, with this request's memory; NULL: it is missing */

struct ops_retry {
	const char *consumer, *type, *subject_id, *error;
	int64_t event_id, tries, next_at;
	bool dead;
};
extern const struct shape ops_retry_shape;
/* The given-up first, then the oldest; at most limit of each file. */
int ops_retries(struct db *db, int64_t limit, struct ops_retry **retries);
bool ops_retry(struct db *db, const char *consumer, int64_t event_id, struct ops_retry *retry); /* false: it does not wait */

/* --- who may read /metrics besides admins --- */

const char *ops_metrics_key(struct arena *m);           /* the scraper's: made of secret.key, so it stands nowhere else */

/* --- small charts (charts.c) --- */

#define OPS_CHARTS 16
struct ops_chart {
	const char *points;             /* of an SVG polyline; "": nothing is known yet */
	int64_t most, minutes;          /* the highest value, in so many minutes */
	bool is_flat;                   /* nothing but noughts */
};
extern const struct shape ops_chart_shape;
struct ops_charts { struct arena *m; const char *name[OPS_CHARTS]; struct ops_chart chart[OPS_CHARTS]; int n; };
void ops_charts(struct arena *m, struct ops_charts *charts);
struct ops_chart ops_chart(const struct ops_charts *charts, const char *name);  /* of a consumer, or of a file's WAL */

/* --- the machine --- */

struct ops_file { const char *name; int64_t bytes, wal_bytes; };
struct ops_house {
	int64_t n_events;
	int64_t relay_age_s;            /* since the relay's last sign of life; -1: never seen */
	int64_t disk_free, disk_total;  /* bytes */
	struct ops_file *files;
	int n_files;
};
extern const struct shape ops_file_shape, ops_house_shape;
void ops_house(struct db *db, struct ops_house *h);

/* --- the mail folder (letters.c) --- */

struct ops_letter { int64_t message_id, written_at; const char *from, *to, *subject, *body, *letter_id, *lang; };
extern const struct shape ops_letter_shape;
/* The numbers of all letters in it, newest first. Answers how many. */
int ops_letters(struct arena *m, int64_t **numbers);
bool ops_letter(struct arena *m, int64_t message_id, struct ops_letter *letter);       /* false: there is none, or it is none of ours */

/* --- the log --- */

struct ops_query {
	const char *type;               /* the beginning of a type: "booking."; "": all */
	const char *subject;            /* exactly; "": all */
	int64_t before;                 /* older than this event; 0: from the newest */
	int64_t limit;
};
/* Newest first. *next_before: where older ones go on; 0: there are none. Looks at no more than 200,000 events at a time. */
int ops_events(struct db *db, const struct ops_query *q, struct event **events, int64_t *next_before);

#endif
