/*
 * ops - how the house is doing: are the programs there, how far is every consumer of events, what waits or was given up, does the
 * relay live, how big are the files. Looks at everything; what a person may do to the relay stands in switch.h.
 *
 * It must be the last to stop working. So whatever it looks at may be missing, the read models' file included, and is then
 * shown as missing.
 */
#ifndef MP_OPS_H
#define MP_OPS_H

#include "../../lib/db.h"
#include "../../lib/event.h"

extern const struct db_role ops_role;

/* --- programs --- */

enum ops_health { PROGRAM_UP, PROGRAM_NOT_READY, PROGRAM_SILENT, PROGRAM_DOWN };
extern const struct words ops_health_words;

struct ops_program {
	const char *name, *why;
	int state;                      /* enum ops_health */
	int64_t took_ms;
};
extern const struct shape ops_program_shape;
/* Asks each on the socket that lighttpd uses, for a tenth of a second at most. */
int ops_programs(struct arena *m, struct ops_program **programs);

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
bool ops_is_consumer(const char *name, bool *on_view);  /* on_view: its position and its waiting events are in view.db */
struct db *ops_view(struct db *db);                     /* view.db, with this request's memory; NULL: it is missing */

struct ops_retry {
	const char *consumer, *type, *subject_id, *error;
	int64_t event_id, tries, next_at;
	bool dead;
};
extern const struct shape ops_retry_shape;
/* The given-up first, then the oldest; at most limit of each file. */
int ops_retries(struct db *db, int64_t limit, struct ops_retry **retries);

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
