/*
 * delivery - cars brought to customers and fetched from them.
 *
 * A job is one trip of one courier with the cars of one booking: to the customer at the start (delivery), or from there at the end
 * (collection). A confirmed booking with an address makes the first job by itself, its hand-over the second (policy.c). The
 * dispatcher gives it to a courier, the courier says when he leaves and writes down how the keys changed hands; the booking
 * follows that (delivery.delivered). Once on its way a job cannot be cancelled: the courier brings the car, or comes back with it.
 *
 *	job.c      where jobs come from and how they end: requested, cancelled by whom      delivery.c  one job's way to the customer
 *	board.c    many jobs: the dispatcher's board, a courier's day                       handover.c  the photo of a hand-over
 *	history.c  what has happened to a job                                               policy.c    what we do about bookings
 */
#ifndef MP_DELIVERY_H
#define MP_DELIVERY_H

#include "lib/db/db.h"
#include "lib/event/event.h"
#include "domain/photo.h"

#define ODOMETER_MAX_KM   2000000
#define RECEIVED_BY_MAX   80
#define DELIVERY_NOTE_MAX 300
#define DELIVERY_REASON_MAX 200

/* --- one job ------------------------------------------------------------------------------------------------------ */

enum delivery_state { JOB_REQUESTED, JOB_SCHEDULED, JOB_SHIPPED, JOB_DELIVERED, JOB_CANCELLED };
enum delivery_direction { JOB_DELIVERY, JOB_COLLECTION };
extern const struct words delivery_state_words, delivery_direction_words;

struct delivery {
	int64_t delivery_id;
	const char *code;                       /* its booking's */
	int direction, state;
	int64_t customer_id;
	const char *customer_name, *customer_phone;
	const char *car_name, *car_name_ko, *plates;
	const char *goods;                      /* what goes with the car: "2 × Child seat, 1 × Snow chains"; "": nothing */
	const char *zone, *zone_name, *address, *place;
	int64_t window_from, window_to;         /* the customer waits between these two */
	int64_t courier_id;                     /* 0: nobody yet */
	const char *courier_name;
	int64_t requested_at, scheduled_at, shipped_at, delivered_at, ended_at;
	const char *ended_by, *end_reason;      /* customer, dispatcher, booking; and why */
	int64_t odometer_km, fuel_percent;      /* the hand-over record */
	const char *received_by, *photo, *note;
	bool has_photo, is_open, is_late;       /* open, and its window is over */
	bool overlaps;                          /* its courier has another job in the same hours */
};
extern const struct shape delivery_shape;       /* for pages */
extern const struct shape delivery_json_shape;  /* for programs */

enum delivery_outcome {
	DELIVERY_OK,            /* done, or it was so already: a double click does no harm */
	DELIVERY_GONE,          /* no such job, or it is another courier's */
	DELIVERY_WRONG_STATE,   /* not in a state for that, or its booking is over */
	DELIVERY_NOT_NOW,       /* outside the booking's hours the car may be another customer's */
	DELIVERY_NO_COURIER,    /* who was chosen is no courier */
	DELIVERY_BAD_WINDOW,    /* outside the booking's hours, turnaround included */
};

/* Who acts: a manager sees to all jobs, a courier to his own. */
struct delivery_actor { int64_t user_id; bool is_manager; };

/* A job as this person may see it, with the names of who has to do with it. false: none for him. */
bool delivery_find(struct db *db, int64_t delivery_id, const struct delivery_actor *by, struct delivery *d);

/* Each of these ends with *d as the job then stands; GONE leaves it undefined. */

/* Gives the job to a courier, or to another one, and moves its window to begin at window_from (0: it stays). Managers. delivery.scheduled */
enum delivery_outcome delivery_assign(struct db *db, struct delivery *d, int64_t courier_id, int64_t window_from, const struct delivery_actor *by);
/* Takes it off its courier again, who has not left yet. Managers. delivery.requested */
enum delivery_outcome delivery_unassign(struct db *db, struct delivery *d, const struct delivery_actor *by);
/* The courier leaves with the car, or to fetch it. From now on nobody can cancel it. delivery.shipped */
enum delivery_outcome delivery_ship(struct db *db, struct delivery *d, const struct delivery_actor *by);
/* Nobody was there, the road was closed: the courier is back with the car, and another time can be found. delivery.scheduled */
enum delivery_outcome delivery_come_back(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by);

struct handover {
	int64_t odometer_km, fuel_percent;
	const char *received_by, *note;         /* who took, or gave, the keys; note may be "" */
	const char *photo;                      /* handover_photo()'s name; "" */
};
/* The keys have changed hands. delivery.delivered; and when the car is to be fetched as well, the collection is requested with it. */
enum delivery_outcome delivery_deliver(struct db *db, struct delivery *d, const struct handover *h, const struct delivery_actor *by);
/* The dispatcher gives it up: it will not be brought, the fee goes back and the car waits at the branch. Managers. delivery.cancelled */
enum delivery_outcome delivery_cancel(struct db *db, struct delivery *d, const char *reason, const struct delivery_actor *by);

/* --- job.c: where jobs come from and how they end ------------------------------------------------------------------ */

/* A job for a confirmed booking that is to be brought; none when there was one ever, cancelled or not. delivery.requested */
void job_request(struct db *db, const char *code, int64_t causation_id);
/* Its cars are fetched there at the end, when that was booked. Once. delivery.requested */
void job_request_collection(struct db *db, const char *code, int64_t causation_id);
/* The booking went another way: its jobs of this direction that have not left are not needed. delivery.cancelled */
void job_not_needed(struct db *db, const char *code, enum delivery_direction direction, const char *why, int64_t causation_id);

enum job_cancelled { JOB_IS_CANCELLED, JOB_HAS_LEFT };
/*
 * Before its booking is cancelled. CANCELLED: no car is brought, and none will be, also when delivery has not heard of the booking yet; the
 * same again gives the same. HAS_LEFT: the courier is on his way, or was there; nothing changed.
 */
enum job_cancelled job_cancel(struct db *db, const char *code, const char *reason);

/* Has its booking come to an end, so that nobody waits for this car any more? */
bool job_booking_is_over(struct db *db, const struct delivery *d);
/* What has become of a job, told under its booking's code (docs/events.md). Answers event_id. */
int64_t job_tell(struct db *db, const struct delivery *d, const char *type, int64_t causation_id, int64_t actor_id);
/* Ends one that has not left: a fact of the row, checked in its WHERE clause. false: it has, or has ended. */
bool job_end(struct db *db, int64_t delivery_id, const char *by, const char *reason, int64_t causation_id, int64_t actor_id);
/* As it stands, without asking who wants to know. */
bool job_read(struct db *db, int64_t delivery_id, struct delivery *d);

/* --- board.c: many jobs -------------------------------------------------------------------------------------------- */

enum board_view { BOARD_OPEN, BOARD_TODAY, BOARD_TOMORROW, BOARD_FINISHED, BOARD_ALL };
extern const struct words board_view_words;

struct board_query {
	enum board_view view;                   /* TODAY: and what is late from before */
	int64_t courier_id;                     /* 0: everybody's */
	const char *text;                       /* part of a code, a plate or an address; "": all */
	int64_t today, tomorrow;                /* midnights */
	bool courier_first;                     /* a courier's order: what he is on first, not what nobody has */
};

/* How many the query finds, by state. */
struct board_counts { int64_t n_requested, n_scheduled, n_shipped, n_finished, n_total; };
extern const struct shape board_counts_shape;
void board_count(struct db *db, const struct board_query *q, struct board_counts *n);
int  board_list(struct db *db, const struct board_query *q, int64_t offset, int64_t limit, struct delivery **deliveries);

/* A courier's day, by the hour: what is scheduled, under way and done. At most 200. */
int  board_sheet(struct db *db, int64_t courier_id, int64_t from, int64_t until, struct delivery **deliveries);

struct courier { int64_t courier_id; const char *name; };
int  courier_list(struct db *db, struct courier **couriers);    /* at most 500, by name */
const char *courier_name(struct db *db, int64_t courier_id);    /* NULL: nobody of that number is a courier */

/* --- history.c ----------------------------------------------------------------------------------------------------- */

struct job_event { int64_t at; const char *title, *detail; };
extern const struct shape job_event_shape;
int job_history(struct db *db, const struct delivery *d, struct job_event **events);    /* newest first */

/* --- handover.c ---------------------------------------------------------------------------------------------------- */

/* Redraws and keeps a photo in $VAR/handover, on disk. OK: *name is what the record shows it by. */
enum photo_outcome handover_photo(struct db *db, const char *bytes, size_t n, const char **name);
/* The file goes when no record shows it: the hand-over was refused. name may be "". */
void handover_forget(struct db *db, const char *name);
/* The photo of a job, for its customer, its courier and the managers alone. NULL: none for him. */
const char *handover_read(struct db *db, int64_t delivery_id, const struct delivery_actor *by, size_t *n);

/* --- policy.c ------------------------------------------------------------------------------------------------------ */
extern const struct consumer delivery_consumer;
extern const struct db_role delivery_role;

#endif
