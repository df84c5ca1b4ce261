/*
 * check - the invariants, each recomputed from the tables, never read from a stored total.
 *
 *	check.c          the command: runs them, prints the table      inspection.c     opens the databases
 *	check_booking.c  calendar, bookings, cars                      check_money.c    charges, refunds, ledger
 *	check_desks.c    deliveries, equipment                         check_message.c  messages
 *	check_log.c      events, read models, the files
 */
#ifndef MP_CHECK_H
#define MP_CHECK_H

#include "cli/cli.h"

#include <stdio.h>

struct inspection {
	struct cli *c;
	struct db *db;                  /* motorpool.db, all tables; sandbox.db is attached as "sandbox" if it exists */
	struct db *view;                /* view.db; NULL: missing */
	bool has_sandbox;
	int64_t now;
	int64_t as_of;                  /* the data is a copy made at that time (a rehearsal); 0: it is live */
	struct buf failures;            /* what failed, in one line */
	int64_t n_failures;
	int64_t seen;                   /* how many rows the check read; -1: not counted */
	char detail[240];               /* the first row that is wrong, or an error */
};

enum check_kind {
	CHECK_FAST,
	CHECK_SLOW,                     /* left out by --quick */
	CHECK_WORK, /* work that is overdue: in a copy that is no fault, so a rehearsal only shows it */
};

struct check {
	const char *holds;              /* what must hold */
	enum check_kind kind;
	int64_t (*wrong)(struct inspection *in);        /* how many are wrong; -1: there is nothing to check */
};

/* Each ends with an empty one. */
extern const struct check booking_checks[], money_checks[], desk_checks[], message_checks[], log_checks[];

/* --- inspection.c ------------------------------------------------------------------------------------------------- */

bool check_open(struct inspection *in, struct cli *c);  /* false: the error was printed */
void check_close(struct inspection *in);

/* How many rows there are; the first one's text becomes the detail. */
int64_t check_count(struct inspection *in, struct rows *r);

/* A check that is one statement: each row it finds is wrong and names itself. */
#define CHECK(name, sql, ...) \
	static int64_t name(struct inspection *in) { return check_count(in, \
		db_each(in->db, sql __VA_OPT__(,) __VA_ARGS__)); }

/* --- check.c ------------------------------------------------------------------------------------------------------ */

/* true: all invariants hold. */
bool check_all(struct inspection *in, bool quick, FILE *out);

#endif
