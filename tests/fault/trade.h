/*
 * trade - the load of the disk experiments: customers book, pay and cancel through the real functions of booking and
 * payment, each program on its own connection, with policies, a checkpointer and a simulated card company. Afterwards
 * the database is compared with the answers to the customers and with the card company's records.
 */
#ifndef MP_TRADE_H
#define MP_TRADE_H

#include "cutvfs.h"

#include "lib/db/db.h"

/* An answer to a customer: this booking is PAID, CANCELLED or (declined) EXPIRED. */
struct answer { char code[24]; int state; };
/* An action of the card company: a charge or a refund of a key. */
struct outside_deed { char key[40], refund_key[80]; int64_t amount; };

/* Faults in the programs: the test must fail with each. */
enum carelessness {
	CAREFUL,
	ANSWERS_EARLY,                  /* before db_durable() */
	NEVER_WAITS,                    /* … nor before calling the card company */
};

struct trade_plan {
	const char *dir;                /* the state folder, with the initial state */
	struct disk_log *h;
	enum carelessness carelessness;
	int n_workers;
	int n_deeds;                    /* each worker's */
	/* 0: until the requests are done; else this long with temporary errors, and until n_answers requests were
	 * answered, a minute more at most; then without errors until each worker has booked */
	int64_t for_ms;
	int n_answers;
	uint64_t seed;
};

struct trade_end {
	int n_answers, n_refused;       /* requests that were answered, and that were not */
	int n_recovered;                /* workers whose booking succeeded after the errors */
	int n_crashed;                  /* processes that crashed */
};

/* An empty state folder with branches, cars, customers and their cards; its WAL is in the file. */
void trade_found(const char *dir);
/* Runs the processes of the plan; returns when they have ended. */
struct trade_end trade_run(const struct trade_plan *plan);

/*
 * Checks the database in dir, left by a power cut at that position of the history: it is undamaged, everything
 * acknowledged is there, and the invariants of `motorpool check` hold; with `to_the_end` also that the sweeps finish
 * every saga and that a car can be booked. NULL: correct, else the failure; *is_lost: something acknowledged is
 * missing.
 */
const char *trade_verdict(const char *dir, const struct disk_log *h, uint64_t at, bool to_the_end, bool *is_lost);

#endif
