/*
 * fleet - the vehicles: what they are, where they stand, whether they are in service.
 *
 * fleet owns the vehicle, booking owns the calendar. Whether a car is free for an interval is never decided here: fleet
 * learns of bookings from their events (policy.c) and shows what is true now. A car that was ever booked is never deleted,
 * only retired, and stays retired. Every change of a car is told as an event and moves its rev.
 *
 *	car.c    one car: register, change, retire, delete      list.c   the list: search, filters, order, counts
 *	model.c  what new cars of a kind start with             branch.c where cars stand
 *	diary.c  one car's calendar and its history             photo.c  a picture of it (and photo/: the program that decodes)
 *	policy.c what fleet does when bookings are paid, cancelled, handed out, returned
 */
#ifndef MP_FLEET_H
#define MP_FLEET_H

#include "lib/db/db.h"
#include "lib/event/event.h"
#include "domain/cars.h"
#include "domain/photo.h"

#define PLATE_MAX   20
#define NAME_MAX_   80          /* of cars, models and branches, in characters */
#define SEATS_MAX   15
#define PRICE_MAX   100000000

/* --- one car ------------------------------------------------------------------------------------------------------ */

struct car {
	int64_t car_id, model_id, branch_id;            /* model_id 0: none; branch_id 0 when adding: the first open branch */
	const char *plate, *name, *name_ko;             /* name_ko "": the name serves both languages */
	int body, fuel, gearbox;                        /* ../cars.h */
	int64_t seats, hourly_price, daily_price;       /* smallest unit of the currency, VAT included */
	int service;                                    /* enum service */
	int status;                                     /* enum car_status: what is true now; read only */
	const char *model_name, *model_name_ko, *branch_name, *branch_name_ko, *region;
	const char *photo_url;                          /* NULL: the drawn body */
	int64_t created_at, updated_at;
	int64_t rev;                                    /* grows with every change of any car */
};
extern const struct shape car_shape;

enum car_outcome {
	CAR_OK,
	CAR_GONE,               /* no such car */
	CAR_PLATE_TAKEN,        /* another car has this plate */
	CAR_NO_BRANCH,          /* no such branch, or it is closed */
	CAR_NO_MODEL,           /* no such model, or it is off sale */
	CAR_CHANGED,            /* somebody has changed it since it was read: nothing was written */
	CAR_IS_RETIRED,         /* retired cars stay as they were */
	CAR_RETIRED_INSTEAD,    /* car_delete() only: it has been booked before, so it was retired */
};

/* One car with what is true of it now. false: there is none. */
bool car_find(struct db *db, int64_t car_id, struct car *car);

/* Registers a car; name_ko NULL: its model's, if that has the same name. OK: *car is the car as it stands (car.registered). PLATE_TAKEN, NO_BRANCH, NO_MODEL: nothing was written. */
enum car_outcome car_add(struct db *db, struct car *car, int64_t actor_id);
/*
 * Makes the car what *car says (car.modified; car.retired when service says so). car->rev is the one it was read with, or 0:
 * whatever it is now; name_ko NULL: as it is. A change that is there already is OK and writes nothing, so a double click does no harm.
 */
enum car_outcome car_change(struct db *db, struct car *car, int64_t actor_id);
enum car_outcome car_set_service(struct db *db, int64_t car_id, enum service service, int64_t actor_id);        /* in and out of service */
/* For good (car.retired). It takes no new bookings; those it has stay. Retired already: OK. */
enum car_outcome car_retire(struct db *db, int64_t car_id, int64_t actor_id);
/* Never booked: gone (car.deleted), OK. Booked before: CAR_RETIRED_INSTEAD. */
enum car_outcome car_delete(struct db *db, int64_t car_id, int64_t actor_id);

bool car_was_booked(struct db *db, int64_t car_id);     /* ever; then it can only be retired */
bool car_was_deleted(struct db *db, int64_t car_id);    /* there was such a car once */
int64_t car_n_coming(struct db *db, int64_t car_id);    /* reservations that have not ended yet */
/* The car that was registered just now with exactly these facts: the second of two clicks. 0: none. */
int64_t car_just_added(struct db *db, const struct car *car);
/* A plate as it is kept: blanks folded. */
const char *car_plate(struct arena *m, const char *typed);
/* Something that shows with the car has changed (its photo, its branch's name): a new rev, and car.modified. */
void car_touched(struct db *db, int64_t car_id, int64_t actor_id);

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
	int state;                      /* enum model_state; OFF_SALE: no new cars of it */
	int64_t n_cars;                 /* its cars that are not retired; read only */
	int64_t n_in_service, n_free;   /* … of them: for rent; and standing free now */
	const char *version;            /* changes with every change of the model */
};
extern const struct shape model_shape;

enum model_outcome { MODEL_OK, MODEL_GONE, MODEL_NAME_TAKEN, MODEL_CHANGED };

bool model_find(struct db *db, int64_t model_id, struct model *model);
int64_t model_count(struct db *db);
int  model_list(struct db *db, int64_t offset, int64_t limit, struct model **models, int *n_models);    
int  model_list_on_sale(struct db *db, struct model **models, int *n_models);   /* at most 500, by name */
enum model_outcome model_add(struct db *db, struct model *model);
bool model_is_there(struct db *db, const struct model *model);   /* one exactly like this: the first of two clicks made it */
/* version NULL: whatever it is now; name_ko NULL: as it is. also_cars: its cars (but the retired) get its prices; *n_cars answers how many moved. */
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
/* The open ones and, when it is not 0, this one: what a car's form offers. At most 500. */
int  branch_list_open(struct db *db, int64_t and_branch_id, struct branch **branches, int *n_branches);
/* The first open branch; "Main branch" is made when there is none at all. 0: all are closed. */
int64_t branch_default(struct db *db);
enum branch_outcome branch_add(struct db *db, struct branch *branch);
bool branch_is_there(struct db *db, const struct branch *branch);        /* one exactly like this: the first of two clicks made it */
/* address_ko NULL: as it is. A change is reported for each of its cars (car.modified). */
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
/* What keeps the car from others and touches [from, until), oldest first; at most 500. */
int car_slots(struct db *db, int64_t car_id, int64_t from, int64_t until, struct car_slot **slots, int *n_slots);

struct car_event {
	int64_t at;
	const char *title, *detail;     /* what happened; what it was about and who did it, or "" */
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
int car_history(struct db *db, int64_t car_id, int64_t offset, int64_t limit, struct car_chapter **chapters, int *n_chapters);

/* --- photos ------------------------------------------------------------------------------------------------------- */

/* Says once where the state is: photos live in VAR/photos. */
void photo_open(const char *var_dir);
/* Makes an uploaded picture the car's (car.modified): resized, without its metadata, by a short-lived program. Takes up to PHOTO_DEADLINE_MS. */
enum photo_outcome photo_put(struct db *db, int64_t car_id, const char *bytes, size_t n, int64_t actor_id);
enum photo_outcome photo_remove(struct db *db, int64_t car_id, int64_t actor_id);
/* Deletes the file when no car shows it any more; name may be "". */
void photo_forget(struct db *db, const char *name);

/* --- policy.c --- */
extern const struct consumer fleet_consumer;
extern const struct db_role fleet_role;

#endif
