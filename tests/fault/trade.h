/*
 * trade - the business that goes on while something breaks: people book, pay and cancel through the real functions of booking and
 * payment, each program on a connection of its own, policies and checkpointer beside them, and a card company that remembers. Then the
 * question whether what is left on a disk is what people and the card company were told.
 */
#ifndef MP_TRADE_H
#define MP_TRADE_H

#include "cutvfs.h"

#include "lib/db/db.h"

/* What people heard: this booking is PAID, CANCELLED or (declined) EXPIRED. */
struct answer { char code[24]; int state; };
/* What the card company did: took money under a key, or gave some back. */
struct outside_deed { char key[40], refund_key[80]; int64_t amount; };

/* How the programs may be careless: what must not be survived. */
enum carelessness { CAREFUL, ANSWERS_EARLY /* before db_durable() */, NEVER_WAITS /* … nor before the card company is asked */ };

struct trade_plan {
	const char *dir;                /* holds the state the trade begins with, and then all of it */
	struct disk_log *h;
	enum carelessness carelessness;
	int n_workers;
	int n_deeds;                    /* each worker's */
	int64_t for_ms;                 /* 0: until the deeds are done; else this long, trouble coming and going, then 1 s without */
	uint64_t seed;
};

struct trade_end {
	int n_answers, n_refused;       /* deeds that were answered, and that were not */
	int n_recovered;                /* workers whose booking went through after the trouble */
	int n_crashed;                  /* processes that did not end well */
};

/* An empty state folder with branches, cars, customers and their cards; its WAL is in the file. */
void trade_found(const char *dir);
/* Does all of it, in processes of its own; returns when they have ended. */
struct trade_end trade_run(const struct trade_plan *plan);

/*
 * Opens what is in dir as after a power cut at that moment of the history, and looks: undamaged; everything told is there; the
 * invariants of `motorpool check`; with `to_the_end` also what becomes of it when the sweeps have done their work, and that a car
 * can be booked. NULL: all is well, else what is not; *is_lost: something told is missing.
 */
const char *trade_verdict(const char *dir, const struct disk_log *h, uint64_t at, bool to_the_end, bool *is_lost);

#endif
