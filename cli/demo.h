/*
 * demo - a year of business that never was, made through the same functions the programs use.
 *
 *	demo.c        the command: a folder of its own, filled, then moved into place whole
 *	demo_data.c   the tables: branches, models, people
 *	demo_plan.c   what will happen: who rents which car when, from a seed; knows no database
 *	demo_people.c  customers, licences, log-ins
 *	demo_models.c  bookings of several cars of a model
 *	demo_world.c  makes it happen, each deed at its time: books, charges, hands out, takes back, cancels
 */
#ifndef MP_DEMO_H
#define MP_DEMO_H

#include "cli.h"

#include "../cgi-bin/cars.h"

/* --- demo_data.c ------------------------------------------------------------------------------------------------------- */

struct demo_branch { const char *name, *name_ko, *region, *address, *phone; int n_cars; };
struct demo_model { const char *name; enum body body; int seats; enum fuel fuel; int64_t daily_price, hourly_price; int n_cars; };
struct demo_person { const char *name, *email; };

#define DEMO_BRANCHES  8
#define DEMO_MODELS    24
#define DEMO_CARS      200
#define DEMO_CUSTOMERS 40
#define DEMO_LOGINS    2        /* the first customers, who have passwords, and a story that is easy to look at */
enum demo_post { POST_MANAGER, POST_ADMIN, POST_COURIER, POST_COURIER_2, POST_EXAMINER, POST_EMPLOYEE, DEMO_STAFF };

extern const struct demo_branch demo_branches[DEMO_BRANCHES];
extern const struct demo_model demo_models[DEMO_MODELS];
extern const struct demo_person demo_customers[DEMO_CUSTOMERS];
/* In this order their log-ins are written down. */
struct demo_worker { const char *role; struct demo_person person; int roles; };
extern const struct demo_worker demo_staff[DEMO_STAFF];

/* --- chance: the same seed, the same story (but codes, keys and passwords, which nobody may foresee) -------------------------- */

struct dice { uint64_t state; };
uint32_t dice_roll(struct dice *d, uint32_t below);
int64_t dice_between(struct dice *d, int64_t from, int64_t to);         /* both may come */
bool dice_percent(struct dice *d, double percent);

/* --- demo_plan.c ------------------------------------------------------------------------------------------------------- */

struct demo_car {
	int model, branch;
	char plate[24];
	int64_t since, until;           /* may be rented in this time; until 0: for ever */
	enum service service;           /* what becomes of it at `until` */
	int64_t car_id;                 /* demo_world.c's */
};

enum fate { FATE_RENTED, FATE_CANCELLED, FATE_NO_SHOW, FATE_DECLINED };

struct plan {
	int customer, car;
	int64_t placed_at, starts_at, ends_at;
	int64_t out_at, back_at;        /* picked up, brought back … */
	int64_t over_at;                /* … or cancelled, or known not to come */
	enum fate fate;
	char code[24];                  /* demo_world.c's, once it is placed */
};

enum deed_kind { DEED_PLACE, DEED_CANCEL, DEED_HAND_OUT, DEED_TAKE_BACK, DEED_NO_SHOW };
struct deed { int64_t at; int plan; enum deed_kind kind; };

struct script {
	int64_t now;
	struct demo_car *cars;
	int n_cars;
	struct plan *plans;
	int n_plans;
	struct deed *deeds;             /* by time; all before now */
	int n_deeds;
};

void script_write(struct script *s, struct arena *m, struct dice *d, int64_t now);

/* --- demo_world.c ------------------------------------------------------------------------------------------------------ */

struct world {
	struct cli *c;
	const char *dir;                /* where the files are being made */
	struct arena *m;                /* of one deed */
	struct db *db, *sandbox;
	int64_t customer_id[DEMO_CUSTOMERS], staff_id[DEMO_STAFF], manager_id, branch_id[DEMO_BRANCHES], model_id[DEMO_MODELS];
	int64_t good_card[DEMO_CUSTOMERS], bad_card[DEMO_CUSTOMERS];
	const char *password[DEMO_LOGINS + DEMO_STAFF];         /* customers, then the staff */
	const char *why;                /* what went wrong first; NULL: nothing */
};

bool world_open(struct world *w, struct cli *c, const char *dir);
void world_stop(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_people(struct world *w, int64_t at);         /* demo_people.c */
void world_cards(struct world *w);
void world_fleet(struct world *w, struct script *s, struct dice *d);
void world_do(struct world *w, struct script *s, const struct deed *deed);
void world_models(struct world *w, int64_t now);        /* demo_models.c: after all deeds, with the cars there are then */
void world_policies(struct world *w);           /* all consumers but mypage, until nothing is left to react to */
void world_end(struct world *w, struct script *s);
bool world_close(struct world *w);
bool world_finish(struct db *db);               /* everything is in the file; the connection is closed */

#endif
