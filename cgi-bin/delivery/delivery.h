/*
 * delivery - cars delivered to customers and collected from them.
 *
 * A job is one trip of one courier with the cars of one booking: to the customer at the start (delivery), or back from
 * there at the end (collection). A confirmed booking with an address makes the first job, its hand-over the second
 * (policy.c). The dispatcher assigns it to a courier; the courier reports leaving and records the hand-over, and the
 * booking follows (delivery.delivered). A job on the road cannot be cancelled: the courier delivers the car, or comes
 * back with it.
 *
 *	delivery.c  one job: words, shapes, reading      job.c       how jobs begin and end: requested, cancelled
 *	step.c      what moves a job on                  jobs.c      many jobs: the dispatcher's board, a courier's day
 *	history.c   the events of a job                  handover.c  the photo of a hand-over
 *	events.c    what is reported                     policy.c    reactions to bookings
 *	agree.c     steps that booking must agree to     booking_client.c  how it is asked
 *	give_up.c   cancelled by the dispatcher, which can be undone for a while
 */
#ifndef MP_DELIVERY_H
#define MP_DELIVERY_H

#include "lib/db/db.h"
#include "lib/event/event.h"
#include "domain/car_in_use.h"
#include "domain/photo.h"

#define ODOMETER_MAX_KM   2000000
#define RECEIVED_BY_MAX   80
#define DELIVERY_NOTE_MAX 300
#define DELIVERY_REASON_MAX 200

/* --- one job ------------------------------------------------------------------------------------------------------ */

enum delivery_state { JOB_REQUESTED, JOB_SCHEDULED, JOB_SHIPPED, JOB_DELIVERED, JOB_CANCELLED };
enum delivery_direction { JOB_DELIVERY, JOB_COLLECTION };
/* A step with the car: to leave with it, to hand it over, to collect it, to be back with it */
enum delivery_step { STEP_NONE, STEP_LEAVE, STEP_HAND_OVER, STEP_COLLECT, STEP_BACK };
extern const struct words delivery_state_words, delivery_direction_words, delivery_step_words;

struct delivery {
	int64_t delivery_id;
	const char *code;                       /* its booking's */
	int direction, state;
	int64_t customer_id;
	const char *customer_name, *customer_phone;
	const char *car_name, *car_name_ko, *plates;
	const char *goods;                      /* equipment in the car: "2 × Child seat, 1 × Snow chains"; "": none */
	const char *zone, *zone_name, *address, *place;
	int64_t window_from, window_to;         /* when the customer expects the courier */
	int64_t courier_id;                     /* 0: not assigned */
	const char *courier_name;
	int64_t requested_at, scheduled_at, shipped_at, delivered_at, ended_at;
	const char *ended_by, *end_reason; /* customer, dispatcher, booking; a code, or what the dispatcher typed */
	int64_t odometer_km, fuel_percent;      /* the hand-over record */
	/* note: the courier's, of the hand-over or why the job was not completed */
	const char *received_by, *photo, *note;
	int asked_step;                         /* enum delivery_step that waits for booking's answer */
	int64_t asked_by, ask_tries, trip_no;
	int64_t cancel_at;                      /* given up: CANCELLED from then on; 0: it is not */
	int64_t cancel_by;
	const char *cancel_reason;
	int64_t back_at;                        /* a collected car was back at the branch; 0: not yet */
	struct custody *in_use;                 /* with DELIVERY_CAR_IN_USE: who has it */
	bool has_photo, is_open, is_late;       /* is_late: open, and its window is over */
	bool overlaps;                          /* its courier has another job in the same hours */
};
extern const struct shape delivery_shape;       /* for pages */
extern const struct shape delivery_json_shape;  /* for programs */

enum delivery_outcome {
	DELIVERY_OK,            /* done, or it was done before: a double click does no harm */
	DELIVERY_GONE,          /* no such job, or it is another courier's */
	DELIVERY_WRONG_STATE,   /* not in a state for that, or its booking is over */
	DELIVERY_NOT_NOW,       /* outside the booking's hours, when the car may be another customer's */
	DELIVERY_GIVEN_UP,      /* the dispatcher has given it up, which can still be undone */
	DELIVERY_TOO_LATE,      /* to undo that: it is cancelled, or its booking has ended it */
	DELIVERY_NO_COURIER,    /* the person chosen is not a courier */
	DELIVERY_CAR_IN_USE,    /* another person has the car: d->in_use. Nothing changed */
	DELIVERY_OUT_OF_SERVICE, /* one of its cars is not in service: d->in_use->plate. Nothing changed */
	DELIVERY_LATER,         /* booking must agree and is not available. Nothing changed */
	DELIVERY_PENDING,       /* booking was asked and has not answered: the sweep asks again */
	DELIVERY_BAD_WINDOW,    /* outside the booking's hours, turnaround included */
};

/* Who acts: a manager on all jobs, a courier on their own. */
struct delivery_actor { int64_t user_id; bool is_manager; };

/* For SQL: 0: all jobs; else only this courier's. */
static inline int64_t
delivery_courier_limit(const struct delivery_actor *by)
{
	return by->is_manager ? 0 : by->user_id;
}

/* A job with the names of its people. false: there is none, or this person may not see it. */
bool delivery_find(struct db *db, int64_t delivery_id, const struct delivery_actor *by, struct delivery *d);
bool delivery_read(struct db *db, int64_t delivery_id, struct delivery *d);     /* the same for the rules: any job */
/* Has the booking ended, so that the car need not be delivered or collected any more? */
bool delivery_booking_is_over(struct db *db, const struct delivery *d);
bool delivery_booking_is_final(struct db *db, const struct delivery *d);        /* … and that cannot be undone */

/* --- step.c: each of these ends with *d as the job then is; GONE leaves it undefined ------------------------------ */

/* Assigns the job to a courier, or to another one; its window begins at window_from (0: unchanged). Managers.
 * delivery.scheduled */
enum delivery_outcome delivery_assign(struct db *db, struct delivery *d, int64_t courier_id, int64_t window_from,
                                      const struct delivery_actor *by);
/* Unassigns a job whose courier has not left yet. Managers. delivery.requested */
enum delivery_outcome delivery_unassign(struct db *db, struct delivery *d, const struct delivery_actor *by);
/* The courier leaves, with the car or to collect it. From now on the job cannot be cancelled. delivery.shipped */
enum delivery_outcome delivery_ship(struct db *db, struct delivery *d, const struct delivery_actor *by);
/* The courier could not complete the job (customer absent, road closed) and is back; it can be rescheduled.
 * delivery.scheduled */
enum delivery_outcome delivery_come_back(struct db *db, struct delivery *d, const char *reason,
	const struct delivery_actor *by);

/* The courier is back at the branch with a collected car. */
enum delivery_outcome delivery_bring_in(struct db *db, struct delivery *d, const struct delivery_actor *by);

struct handover {
	int64_t odometer_km, fuel_percent;
	const char *received_by, *note;         /* the person who took, or gave, the keys; note may be "" */
	const char *photo;                      /* handover_photo()'s name; "" */
};
/* The keys have changed hands. delivery.delivered; a booked collection is requested with it. */
enum delivery_outcome delivery_deliver(struct db *db, struct delivery *d, const struct handover *h,
	const struct delivery_actor *by);

/* --- give_up.c ---------------------------------------------------------------------------------------------------- */

/*
 * The dispatcher cancels it: nothing else can be done with it from now on. After rental.undo_window_s the sweep makes
 * it CANCELLED: the fee is refunded and the car waits at the branch. Managers. delivery.cancelled
 */
enum delivery_outcome delivery_cancel(struct db *db, struct delivery *d, const char *reason,
	const struct delivery_actor *by);
/* Within that time it goes on as before. Not given up: OK. Managers. */
enum delivery_outcome delivery_undo_cancel(struct db *db, struct delivery *d, const struct delivery_actor *by);
/* Part of delivery_sweep(): what is to be cancelled now; is more due? */
bool delivery_give_up_due(struct db *db);

/* --- agree.c ------------------------------------------------------------------------------------------------------ */

/* Notes a step that booking must agree to; inside a transaction. false: another one is noted. */
bool delivery_note_step(struct db *db, const struct delivery *d, enum delivery_step step, int64_t actor_id);
/* Asks booking about the noted step and takes or withdraws it; outside a transaction. OK, CAR_IN_USE, WRONG_STATE,
 * LATER, PENDING */
enum delivery_outcome delivery_ask(struct db *db, struct delivery *d);
/* The noted steps that booking has not answered, and the jobs given up; is more due? */
bool delivery_sweep(struct db *db);

/* --- job.c: how jobs begin and end -------------------------------------------------------------------------------- */

/* The delivery of a confirmed booking; none when it ever had one, cancelled or not. delivery.requested */
void job_request(struct db *db, const char *code, int64_t causation_id);
/* The collection at its end, when that was booked. Once. delivery.requested */
void job_request_collection(struct db *db, const char *code, int64_t causation_id);
/* The booking ended otherwise: cancels its job of this direction unless it has left. delivery.cancelled */
void job_not_needed(struct db *db, const char *code, enum delivery_direction direction, const char *why,
	int64_t causation_id);

enum job_cancelled { JOB_IS_CANCELLED, JOB_HAS_LEFT };
/*
 * Before its booking is cancelled. CANCELLED: no car is delivered, and none will be, also when the booking's events
 * come later; the same again gives the same. HAS_LEFT: the courier is on the way or was there; nothing changed.
 */
enum job_cancelled job_cancel(struct db *db, const char *code, const char *reason);

/* Cancels a job that has not left; by: customer, dispatcher, booking. false: it has left, or has ended.
 * delivery.cancelled */
bool job_end(struct db *db, int64_t delivery_id, const char *by, const char *reason, int64_t causation_id,
	int64_t actor_id);

/* --- events.c ----------------------------------------------------------------------------------------------------- */

/* Reports the state of the job under its booking's code (docs/events.md). Answers event_id. */
int64_t delivery_report(struct db *db, const struct delivery *d, int64_t causation_id, int64_t actor_id);
extern const struct db_role delivery_role;

/* --- jobs.c: many jobs -------------------------------------------------------------------------------------------- */

enum jobs_view { JOBS_OPEN, JOBS_TODAY, JOBS_TOMORROW, JOBS_FINISHED, JOBS_ALL };
extern const struct words jobs_view_words;

struct jobs_query {
	enum jobs_view view;                    /* TODAY: with the late ones of earlier days */
	int64_t courier_id;                     /* 0: all couriers */
	const char *text;                       /* part of a code, a plate or an address; "": all */
	int64_t today, tomorrow;                /* midnights */
	bool courier_first; /* a courier's order: the job under way first, not the unassigned ones */
};

/* How many the query finds, by state. */
struct jobs_counts { int64_t n_requested, n_scheduled, n_shipped, n_finished, n_total; };
extern const struct shape jobs_counts_shape;
void jobs_count(struct db *db, const struct jobs_query *q, struct jobs_counts *n);
int  jobs_list(struct db *db, const struct jobs_query *q, int64_t offset, int64_t limit, struct delivery **deliveries);

/* A courier's day in order of time: scheduled, under way and done. At most 200. */
int  jobs_of_day(struct db *db, int64_t courier_id, int64_t from, int64_t until, struct delivery **deliveries);

struct courier { int64_t courier_id; const char *name; };
int  courier_list(struct db *db, struct courier **couriers);    /* at most 500, by name */
const char *courier_name(struct db *db, int64_t courier_id);    /* NULL: no courier has this id */

/* --- history.c ---------------------------------------------------------------------------------------------------- */

struct job_event { int64_t at; const char *title, *detail; };
extern const struct shape job_event_shape;
int job_history(struct db *db, const struct delivery *d, struct job_event **events);    /* newest first */

/* --- handover.c --------------------------------------------------------------------------------------------------- */

/* Redraws a photo and keeps it in $VAR/handover, on disk. OK: *name is its name in the record. */
enum photo_outcome handover_photo(struct db *db, const char *bytes, size_t n, const char **name);
/* Deletes the file unless a record names it: the hand-over was refused. name may be "". */
void handover_forget(struct db *db, const char *name);
/* The photo of a job, for its customer, its courier and the managers alone. NULL: none, or not for this person. */
const char *handover_read(struct db *db, int64_t delivery_id, const struct delivery_actor *by, size_t *n);

/* --- policy.c ----------------------------------------------------------------------------------------------------- */
extern const struct consumer delivery_consumer;

#endif
