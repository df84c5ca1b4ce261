/*
 * check - the invariants, each recomputed straight from the tables, none believed from a column that says so.
 *
 *	check.c          the command: runs them, prints the table      check_booking.c  calendar, bookings, cars
 *	check_money.c    charges, refunds, the ledger, the provider    check_log.c      events, read models, the files
 *	check_desks.c    deliveries, equipment
 */
#ifndef MP_CHECK_H
#define MP_CHECK_H

#include "cli/cli.h"

#include <stdio.h>

struct inspection {
	struct cli *c;
	struct db *db;                  /* motorpool.db, all of it; sandbox.db is attached as "sandbox" when it is there */
	struct db *view;                /* view.db; NULL: not there */
	bool has_sandbox;
	int64_t now;
	int64_t as_of;                  /* a copy of then is looked at (a rehearsal); 0: what is now */
	struct buf failures;            /* what did not hold, in one line */
	int64_t n_failures;
	int64_t seen;                   /* what the check looked at, when that is worth a figure */
	char detail[240];               /* the first that is wrong, or what else there is to say */
};

enum check_kind {
	CHECK_FAST,
	CHECK_SLOW,                     /* left out by --quick */
	CHECK_WORK,                     /* fails when somebody has not got round to it: no fault of a copy, so a rehearsal only shows it */
};

struct check {
	const char *holds;              /* what must hold */
	enum check_kind kind;
	int64_t (*wrong)(struct inspection *in);        /* how many are wrong; -1: there is nothing to look at */
};

/* Ends in empty ones. */
extern const struct check booking_checks[], money_checks[], desk_checks[], message_checks[], log_checks[];

/* How many rows there are; the first one's text becomes the detail. */
int64_t check_count(struct inspection *in, struct rows *r);

/* A check that is one statement: each row is something wrong, and says which. */
#define CHECK(name, sql, ...) \
	static int64_t name(struct inspection *in) { return check_count(in, db_each(in->db, sql __VA_OPT__(,) __VA_ARGS__)); }

/* true: all hold. */
bool check_all(struct inspection *in, bool quick, FILE *out);
bool check_open(struct inspection *in, struct cli *c);  /* false: said why */
void check_close(struct inspection *in);

#endif
