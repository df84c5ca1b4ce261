/*
 * demo - a year of business that never was, made through the same functions the programs use.
 *
 *	demo.c           the command: a folder of its own, filled, then moved into place whole
 *	demo_dice.c      chance, from a seed
 *	demo_data.c      the tables: branches, models, people, equipment, places cars are delivered to
 *	demo_plan.c      what will happen: who rents which car when; knows no database
 *	demo_extras.c    … what is booked with the cars, and what employees order without one
 *	demo_script.c    … as a list of deeds in the order of time
 *	demo_world.c     the databases; what went wrong first
 *	demo_fleet.c     branches, models, cars
 *	demo_people.c    customers, licences, cards, log-ins
 *	demo_deeds.c     does the deeds, each at its time: books, charges, hands over, takes back, cancels
 *	demo_desks.c     … those of couriers, of the equipment desk and of the examiner
 *	demo_policies.c  what the contexts do about each other's events
 *	demo_message.c   the messages of all that, last
 *	demo_ports.c     booking's calls to other programs, answered by their functions in this process
 */
#ifndef MP_DEMO_H
#define MP_DEMO_H

#include "cli/cli.h"

#include "domain/cars.h"

/* --- demo_data.c -------------------------------------------------------------------------------------------------- */

struct demo_branch { const char *name, *name_ko, *region, *address, *address_ko, *phone; int n_cars; };
struct demo_model { const char *name, *name_ko; enum body body; int seats; enum fuel fuel; int64_t daily_price,
	hourly_price; int n_cars; };
struct demo_person { const char *name, *email; };

struct demo_item { const char *name, *name_ko, *category; int64_t daily_price; int n_pieces, low_stock, most, likely; };
/* Where people have cars brought to; zone: the how-manieth of settings.delivery_zones. */
struct demo_place { bool is_jeju; int zone; const char *address, *place; };
/* What happens to the stock but for orders. */
struct demo_stock { int item; const char *kind; int quantity, days_ago; const char *note; };

#define DEMO_BRANCHES  8
#define DEMO_MODELS    24
#define DEMO_CARS      200
#define DEMO_CUSTOMERS 40
#define DEMO_ITEMS     12
#define DEMO_PLACES    12
#define DEMO_STOCKS    7
#define DEMO_REASONS   4
#define DEMO_CONSUMERS 5        /* whose policies run while the demo is made */
#define DEMO_LOGINS    2        /* the first customers, who have passwords, and a story that is easy to look at */
enum demo_post { POST_MANAGER, POST_ADMIN, POST_COURIER, POST_COURIER_2, POST_EXAMINER, POST_EMPLOYEE, DEMO_STAFF };

extern const struct demo_branch demo_branches[DEMO_BRANCHES];
extern const struct demo_model demo_models[DEMO_MODELS];
extern const struct demo_person demo_customers[DEMO_CUSTOMERS];
extern const struct demo_item demo_items[DEMO_ITEMS];
extern const struct demo_place demo_places[DEMO_PLACES];
extern const struct demo_stock demo_stocks[DEMO_STOCKS];
/* why an order was not approved, a car not brought */
extern const char *const demo_refusals[DEMO_REASONS], *const demo_call_offs[DEMO_REASONS];
/* In this order their log-ins are written down. */
struct demo_worker { const char *role; struct demo_person person; int roles; };
extern const struct demo_worker demo_staff[DEMO_STAFF];

/* --- demo_dice.c: the same seed, the same plan (but codes, keys and passwords, which must be unpredictable) ------- */

struct dice { uint64_t state; };
uint32_t dice_roll(struct dice *d, uint32_t below);
int64_t dice_between(struct dice *d, int64_t from, int64_t to);         /* both may come */
bool dice_percent(struct dice *d, double percent);
int dice_weighted(struct dice *d, const int *weight, int n);            /* an index, as likely as its weight says */

/* --- demo_plan.c -------------------------------------------------------------------------------------------------- */

struct demo_car {
	int model, branch;
	char plate[24];
	int64_t since, until;           /* may be rented in this time; until 0: for ever */
	enum service service;           /* from `until` on */
	int64_t car_id;                 /* demo_fleet.c's */
};

enum fate { FATE_RENTED, FATE_CANCELLED, FATE_NO_SHOW, FATE_DECLINED };

/* The car is brought, by whom and when; and fetched. */
struct trip {
	bool is_wanted, collects, is_called_off;
	int place, courier;             /* courier: POST_COURIER or POST_COURIER_2 */
	int64_t window_from, called_off_at;
	/* handed over at the plan's out_at, fetched at its back_at */
	int64_t assigned_at, shipped_at, fetch_assigned_at, fetch_shipped_at;
};
struct lent { int item, quantity, lost; };
#define LENT_OF_A_PLAN 2

struct plan {
	int customer, car;
	int n_cars;                     /* 2 and more: any of car's model at its branch */
	int64_t placed_at, starts_at, ends_at;
	int64_t out_at, back_at;        /* picked up, brought back … */
	int64_t over_at;                /* … or cancelled, or known not to come */
	bool is_late;                   /* now it is past its end, and the car is not back */
	enum fate fate;
	struct trip trip;
	struct lent lent[LENT_OF_A_PLAN];
	int n_lent;
	int64_t decided_at; /* when the examiner decided about what the rule leaves to people; 0: nothing of that */
	bool is_refused;
	char code[24];                  /* demo_deeds.c's, once it is placed */
};

/* Ordered without a car, by the employee. */
struct errand {
	struct lent lent;
	int64_t placed_at, starts_at, ends_at, decided_at, out_at, back_at, over_at; /* 0: never; over_at: given up */
	bool is_refused;
	int64_t order_id;               /* demo_desks.c's */
};

enum deed_kind {
	DEED_PLACE, DEED_CANCEL, DEED_HAND_OUT, DEED_TAKE_BACK, DEED_NO_SHOW,
	/* of a plan's extras */
	DEED_ASSIGN, DEED_SHIP, DEED_DELIVER, DEED_CALL_OFF, DEED_FETCH_ASSIGN, DEED_FETCH_SHIP, DEED_FETCH,
	DEED_BRING_IN,
	DEED_DECIDE,
	/* of an errand: plan is its number */
	DEED_ORDER, DEED_ORDER_DECIDE, DEED_ORDER_OUT, DEED_ORDER_BACK, DEED_ORDER_CANCEL,
	DEED_STOCK, /* plan is the number in demo_stocks */
};
struct deed { int64_t at; int plan; enum deed_kind kind; };

struct script {
	int64_t now;
	struct demo_car *cars;
	int n_cars;
	struct plan *plans;
	int n_plans;
	struct errand *errands;
	int n_errands;
	struct deed *deeds;             /* by time; all before now */
	int n_deeds;
};

void plan_rentals(struct script *s, struct arena *m, struct dice *d);
void plan_undoable(struct script *s);           /* last: a return and a no-show of a moment ago */

/* --- demo_extras.c: once the rentals are planned ------------------------------------------------------------------ */

void plan_extras(struct script *s, struct arena *m, struct dice *d);
bool plan_has_extras(const struct plan *p);
bool trip_is_made(const struct plan *p);                /* a courier hands it over, not the branch */
bool waits_for_a_person(int item, int quantity, int64_t from, int64_t to); /* the order is not approved by the rule */

/* --- demo_script.c ------------------------------------------------------------------------------------------------ */

void script_write(struct script *s, struct arena *m, struct dice *d, int64_t now);

/* --- demo_world.c ------------------------------------------------------------------------------------------------- */

struct world {
	struct cli *c;
	const char *dir;                /* where the files are being made */
	struct arena *m;                /* of one deed */
	struct db *db, *sandbox;
	int64_t customer_id[DEMO_CUSTOMERS], staff_id[DEMO_STAFF], manager_id, branch_id[DEMO_BRANCHES],
		model_id[DEMO_MODELS];
	int64_t item_id[DEMO_ITEMS], good_card[DEMO_CUSTOMERS], bad_card[DEMO_CUSTOMERS];
	const char *password[DEMO_LOGINS + DEMO_STAFF];         /* customers, then the staff */
	int64_t position[DEMO_CONSUMERS];       /* the last event each consumer has seen */
	int n_uncommitted;              /* deeds of the transaction that is open; 0: none is */
	const char *why;                /* what went wrong first; NULL: nothing */
};

bool world_open(struct world *w, struct cli *c, const char *dir);
void world_stop(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool world_finish(struct db *db);               /* everything is in the file; the connection is closed */
bool world_close(struct world *w);

/* --- demo_fleet.c, demo_people.c ---------------------------------------------------------------------------------- */

void world_fleet(struct world *w, struct script *s);
void world_fleet_end(struct world *w, const struct script *s);
void world_people(struct world *w, int64_t at);
void world_cards(struct world *w);

/* --- demo_policies.c: inside a transaction, until no policy has anything to react to ------------------------------ */

void world_policies(struct world *w);           /* fleet's and booking's */
void world_desk_policies(struct world *w);      /* … and those of delivery, equipment and review */
void world_policies_end(struct world *w);       /* notes how far each has come, for the relay */

/* --- demo_ports.c: booking's calls to other programs, and payment's to the provider, answered in this process until
 * they are closed --- */

void ports_open(struct db *sandbox);
void ports_close(void);

/* --- demo_desks.c ------------------------------------------------------------------------------------------------- */

void world_items(struct world *w);
bool world_desk(struct world *w, struct script *s, const struct deed *deed);    /* false: it was refused */
bool world_lose(struct world *w, const struct plan *p);         /* what does not come back with the car */

/* --- demo_deeds.c ------------------------------------------------------------------------------------------------- */

void world_do(struct world *w, struct script *s, const struct deed *deed);
void world_end(struct world *w, struct script *s);

/* --- demo_message.c: last of all, the messages -------------------------------------------------------------------- */

void world_messages(struct world *w, int64_t now);

#endif
