/*
 * fleet - the vehicles: what they are, which branch they belong to, whether they are in service.
 *
 * fleet owns the vehicle, booking owns the calendar. Whether a car is free for an interval is never decided here: fleet
 * learns of bookings from their events (policy.c) and shows what is true now. A car that was ever booked is never
 * deleted, only retired, and stays retired. Every change of a car is reported as an event and raises its rev.
 *
 *	car.c         one car: reading and reporting it       car_edit.c  register, change, delete
 *	retire.c      retiring it, which can be undone        concern.c   the bookings that this or a move concerns
 *	list.c        the list: search, filters, order, counts  model.c     the values new cars of a kind start with
 *	branch.c      the branches                            diary.c     one car's calendar, history, holders
 *	photo.c       a picture of it (photo/: the program that decodes pictures)
 *	reservation.c the bookings of its cars                events.c    what is reported
 *	policy.c      reactions to bookings
 */
#ifndef MP_FLEET_H
#define MP_FLEET_H

#include "lib/db/db.h"
#include "lib/event/event.h"
#include "domain/car_in_use.h"
#include "domain/cars.h"
#include "domain/event_types.h"
#include "domain/photo.h"

#define PLATE_MAX   20
#define FLEET_NAME_MAX 80          /* of cars, models and branches, in characters */
#define SEATS_MAX   15
#define PRICE_MAX   100000000

/* --- one car ------------------------------------------------------------------------------------------------------ */

struct car {
	int64_t car_id, model_id, branch_id; /* model_id 0: none; branch_id 0 when adding: the first open branch */
	const char *plate, *name, *name_ko;             /* name_ko "": the name serves both languages */
	int body, fuel, gearbox;                        /* domain/cars.h */
	int64_t seats, hourly_price, daily_price;       /* smallest unit of the currency, VAT included */
	int service;                                    /* enum service */
	int status;                                     /* enum car_status: what is true now; read only */
	const char *model_name, *model_name_ko, *branch_name, *branch_name_ko, *region;
	const char *photo_url;                          /* NULL: the drawn body */
	int64_t created_at, updated_at;
	int64_t retire_at;                              /* OUT_OF_SERVICE, and RETIRED from then on; 0: it stays */
	int64_t rev;                                    /* grows with every change of any car */
};
extern const struct shape car_shape;

enum car_outcome {
	CAR_OK,
	CAR_GONE,               /* no such car */
	CAR_PLATE_TAKEN,        /* another car has this plate */
	CAR_NO_BRANCH,          /* no such branch, or it is closed */
	CAR_NO_MODEL,           /* no such model, or it is off sale */
	CAR_CHANGED,            /* another user has changed it since it was read: nothing was written */
	CAR_IS_RETIRED,         /* retired cars stay as they were */
	CAR_IN_USE,             /* a customer or a courier has it (car_in_use), so it is not retired */
	CAR_CONCERNS,           /* bookings lose their car or their branch by it, and the consent is not about them */
	CAR_RETIRED_INSTEAD,    /* car_delete() only: it has been booked before, so it was retired */
};

/* That the bookings concerned (concern_read) are known. An empty one is enough when there are none. */
struct car_consent {
	bool is_given;                                  /* whatever they are */
	const char *seen;                               /* these and no others; NULL or "": not said */
};

/* One car with its status now. false: there is none. */
bool car_find(struct db *db, int64_t car_id, struct car *car);

/*
 * Registers a car; name_ko NULL: its model's, if that has the same name. OK: *car is the car as it is now
 * (car.registered). PLATE_TAKEN, NO_BRANCH, NO_MODEL: nothing was written.
 */
enum car_outcome car_add(struct db *db, struct car *car, int64_t actor_id);
/*
 * Gives the car the values of *car (car.modified; car.retired for service RETIRED). car->rev is the one it was read
 * with, or 0: any; name_ko NULL: unchanged. If it has the values already, this is OK and writes nothing: a double click
 * does no harm.
 */
enum car_outcome car_change(struct db *db, struct car *car, const struct car_consent *consent, int64_t actor_id);
enum car_outcome car_set_service(struct db *db, int64_t car_id, enum service service,
	const struct car_consent *consent, int64_t actor_id);
/* Never booked: deleted (car.deleted), OK. Booked before: retired, CAR_RETIRED_INSTEAD. */
enum car_outcome car_delete(struct db *db, int64_t car_id, const struct car_consent *consent, int64_t actor_id);

/* --- retire.c --- */
/*
 * It takes no new bookings and is not handed over from now on (car.modified, OUT_OF_SERVICE); after
 * rental.undo_window_s the sweep makes it RETIRED, for good (car.retired). Retired already, or to be: OK.
 */
enum car_outcome car_retire(struct db *db, int64_t car_id, const struct car_consent *consent, int64_t actor_id);
/* Within the window: it has the service again that it had. Not to be retired: OK. CAR_IS_RETIRED: too late. */
enum car_outcome car_undo_retire(struct db *db, int64_t car_id, int64_t actor_id);
/* The two steps of car_retire() for car_edit.c: inside its transaction; and without the checks. */
enum car_outcome car_end(struct db *db, struct car *car, const struct car_consent *consent, int64_t actor_id);
void car_begin_retiring(struct db *db, struct car *car, int64_t actor_id);
bool fleet_sweep(struct db *db);                        /* what is to be retired now; is more due? */

bool car_was_booked(struct db *db, int64_t car_id);     /* ever; then it can only be retired */
bool car_was_deleted(struct db *db, int64_t car_id);    /* a car had this id */
int64_t car_n_coming(struct db *db, int64_t car_id);    /* reservations that have not ended yet */
/* The car registered in the last two minutes with exactly these values: the first of two clicks made it. 0: none. */
int64_t car_just_added(struct db *db, const struct car *car);
/* A plate as it is stored: runs of blanks become one. */
const char *car_plate(struct arena *m, const char *typed);
/* Something shown with the car has changed (its photo, its branch's name): a new rev, and car.modified. */
void car_touched(struct db *db, int64_t car_id, int64_t actor_id);
/* reads the car again and reports it */
void car_report(struct db *db, enum event_type_id type, struct car *car, int64_t actor_id);

/* --- concern.c ---------------------------------------------------------------------------------------------------- */

#define CONCERNED_SHOWN 20

/* A paid booking that is not handed over yet. */
struct concerned_booking {
	const char *code, *customer_name, *customer_phone, *branch_name, *branch_name_ko;
	int state;                                      /* enum booking_state */
	int64_t starts_at, ends_at, customer_id;
};
extern const struct shape concerned_booking_shape;
struct concern {
	int64_t branch_id;                              /* it moves there; 0: it leaves service */
	int64_t n_total, n_more;                        /* n_more: those that are not listed */
	const char *seen;                               /* for car_consent */
	struct concerned_booking *bookings;             /* the first CONCERNED_SHOWN by their start */
	int n_bookings;
};
extern const struct shape concern_shape;
void concern_read(struct db *db, int64_t car_id, int64_t branch_id, struct concern *c);
bool concern_is_agreed(struct db *db, int64_t car_id, int64_t branch_id, const struct car_consent *consent);
/* Who has it now. false: it is at its branch. */
bool car_in_use(struct db *db, int64_t car_id, struct custody *holder);

/* --- the list ----------------------------------------------------------------------------------------------------- */

enum fleet_order { CARS_BY_PLATE, CARS_BY_NAME, CARS_BY_PRICE, CARS_BY_STATUS, CARS_BY_NAME_KO };

struct car_filter {
	const char *q;                  /* part of a plate or a name in either language; "": all */
	int64_t branch_id, model_id;    /* 0: all */
	int body, status;               /* -1: all; without a status retired cars are left out */
	enum fleet_order order;
	bool down;
	int64_t offset, limit;
};

/* How many the filter finds (its status left aside). in_fleet: all but the retired. */
struct car_counts { int64_t in_fleet, available, rented, out_of_service, retired; };
extern const struct shape car_counts_shape;
void car_count(struct db *db, const struct car_filter *f, struct car_counts *counts);
int  car_list(struct db *db, const struct car_filter *f, struct car **cars, int *n_cars);

/* --- models ------------------------------------------------------------------------------------------------------- */

enum model_state { MODEL_ON_SALE, MODEL_OFF_SALE };
extern const struct words model_state_words;

struct model {
	int64_t model_id;
	const char *name, *name_ko;     /* name_ko "": the name serves both languages */
	int body, fuel, gearbox;
	int64_t seats, hourly_price, daily_price;
	int state;                      /* enum model_state; OFF_SALE: takes no new cars */
	int64_t n_cars;                 /* its cars that are not retired; read only */
	int64_t n_in_service, n_free;   /* … in service; … available now */
	const char *version;            /* changes with every change of the model */
};
extern const struct shape model_shape;

enum model_outcome { MODEL_OK, MODEL_GONE, MODEL_NAME_TAKEN, MODEL_CHANGED };

bool model_find(struct db *db, int64_t model_id, struct model *model);
int64_t model_count(struct db *db);
int  model_list(struct db *db, int64_t offset, int64_t limit, struct model **models, int *n_models);
int  model_list_on_sale(struct db *db, struct model **models, int *n_models);   /* at most 500, by name */
enum model_outcome model_add(struct db *db, struct model *model);
/* one with exactly these values: the first of two clicks made it */
bool model_is_there(struct db *db, const struct model *model);
/*
 * version NULL: any; name_ko NULL: unchanged. A new name_ko is given to its cars of the same name that have none.
 * also_cars: its cars (except the retired) get its prices; *n_cars: how many changed.
 */
enum model_outcome model_change(struct db *db, struct model *model, bool also_cars, int64_t *n_cars, int64_t actor_id);
enum model_outcome model_set_state(struct db *db, int64_t model_id, enum model_state state);

/* --- branches ----------------------------------------------------------------------------------------------------- */

struct branch {
	int64_t branch_id;
	const char *name, *name_ko, *region, *address, *address_ko, *phone;
	bool is_open;                   /* closed branches take no new cars */
	int64_t n_cars;                 /* its cars that are not retired; read only */
	const char *version;            /* changes with every change of the branch */
};
extern const struct shape branch_shape;

enum branch_outcome { BRANCH_OK, BRANCH_GONE, BRANCH_NAME_TAKEN, BRANCH_CHANGED };

bool branch_find(struct db *db, int64_t branch_id, struct branch *branch);
int64_t branch_count(struct db *db);
int  branch_list(struct db *db, int64_t offset, int64_t limit, struct branch **branches, int *n_branches);
/* The open ones and and_branch_id (0: none), for a car's form. At most 500. */
int  branch_list_open(struct db *db, int64_t and_branch_id, struct branch **branches, int *n_branches);
/* The first open branch; "Main branch" is created when there is none at all. 0: all are closed. */
int64_t branch_default(struct db *db);
enum branch_outcome branch_add(struct db *db, struct branch *branch);
/* one with exactly these values: the first of two clicks made it */
bool branch_is_there(struct db *db, const struct branch *branch);
/* address_ko NULL: unchanged. A change is reported for each of its cars (car.modified). */
enum branch_outcome branch_change(struct db *db, struct branch *branch, int64_t actor_id);
enum branch_outcome branch_set_open(struct db *db, int64_t branch_id, bool is_open);

/* --- diary: one car's calendar and history ------------------------------------------------------------------------ */

enum slot_kind { SLOT_HOLD, SLOT_BOOKED, SLOT_BLOCK };
extern const struct words slot_kind_words;

struct car_slot {
	int64_t starts_at, ends_at, busy_until;
	int kind;                       /* enum slot_kind */
	const char *code;               /* of its booking; "" for a block */
	const char *customer_name;
};
extern const struct shape car_slot_shape;
/* Who had the car from when to when, really (v_custody). */
struct car_holder {
	int kind;                       /* enum custody_kind (domain/car_in_use.h) */
	const char *code;               /* of the booking; "": none */
	int64_t user_id;
	const char *user_name;
	int64_t from_at, to_at;         /* [from_at, to_at); to_at 0: still */
};
extern const struct shape car_holder_shape;
/* false: it was at the branch */
bool car_holder_at(struct db *db, int64_t car_id, int64_t at, struct car_holder *holder);
int64_t car_n_holders(struct db *db, int64_t car_id);
/* newest first */
int car_holders(struct db *db, int64_t car_id, int64_t offset, int64_t limit, struct car_holder **holders);

/* The slots that block the car within [from, until), oldest first; at most 500. */
int car_slots(struct db *db, int64_t car_id, int64_t from, int64_t until, struct car_slot **slots, int *n_slots);

struct car_event {
	int64_t at;
	const char *title, *detail;     /* what happened; what it was about and the actor, or "" */
	const char *type, *payload, *actor_name;
};

/* An event of the car's own, or a booking with all that happened to it. */
struct car_chapter {
	int64_t event_id, at;           /* the last one */
	const char *code;               /* the booking's; "": the car's own event */
	int state;                      /* enum booking_state */
	int64_t starts_at, ends_at;
	const char *customer_name;
	struct car_event *events;       /* newest first */
	int n_events;
	int64_t n;                      /* n_events, for the plural */
};
extern const struct shape car_chapter_shape;
int64_t car_n_chapters(struct db *db, int64_t car_id);
/* Newest first. */
int car_history(struct db *db, int64_t car_id, int64_t offset, int64_t limit, struct car_chapter **chapters,
	int *n_chapters);

/* --- photos ------------------------------------------------------------------------------------------------------- */

/* Once at start-up: photos are kept in VAR/photos. */
void photo_open(const char *var_dir);
/* Gives the car an uploaded picture (car.modified): resized, without metadata, by a short-lived program. Up to
 * PHOTO_DEADLINE_MS. */
enum photo_outcome photo_put(struct db *db, int64_t car_id, const char *bytes, size_t n, int64_t actor_id);
enum photo_outcome photo_remove(struct db *db, int64_t car_id, int64_t actor_id);
/* Deletes the file unless a car still shows it; name may be "". */
void photo_forget(struct db *db, const char *name);

/* --- reservation.c: the bookings of its cars ---------------------------------------------------------------------- */

struct car_of_booking { int64_t car_id; };
struct reservation {
	const char *code;                       /* of the booking */
	int64_t car_id, starts_at, ends_at;
	struct car_of_booking *more_cars;       /* the second and further ones */
	int n_more_cars;
	int64_t n_cars;                         /* reported: all of them */
	const char *plate, *reason;             /* reported: the first car's plate; why a car cannot be given */
};

/* Reserves all the cars of a paid booking (car.reserved), or none (car.refused: one is retired, out of service or
 * gone). */
void reservation_make(struct db *db, struct reservation *r, int64_t causation_id);
/* The booking is over before its end: its cars are available again (car.released, once). */
void reservation_release(struct db *db, struct reservation *r, int64_t causation_id);
void reservation_hand_out(struct db *db, const char *code);
void reservation_end(struct db *db, const char *code);

/* --- events.c, policy.c ------------------------------------------------------------------------------------------- */

const char *car_subject(struct db *db, int64_t car_id); /* car:12 */
void fleet_report_car(struct db *db, enum event_type_id type, const struct car *car, int64_t actor_id);
void fleet_report_reservation(struct db *db, enum event_type_id type, const struct reservation *r,
	int64_t causation_id);
extern const struct db_role fleet_role;
extern const struct consumer fleet_consumer;

#endif
