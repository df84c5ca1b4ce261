/* outside - the card company, seen from outside: what it has taken and given back stays with it whatever we lose. */
#ifndef MP_OUTSIDE_H
#define MP_OUTSIDE_H

#include "cutvfs.h"

#include <stdint.h>

struct db;

#define ACCOUNTS 8192

struct account { char key[40]; int64_t amount, balance; };
struct outside {
	int n_accounts, n_refunds;
	struct account account[ACCOUNTS];
	char refund[ACCOUNTS][80];
};

/* Payment's provider is this one from now on. h: notes what it does; NULL: nobody writes it down. */
void outside_open(struct outside *outside, struct disk_log *h);
/* What the company knew at a moment of the history. */
void outside_at(struct outside *outside, const struct disk_log *h, uint64_t at);
/* Booking's calls lead to payment's own functions, on payment's own connection. */
void outside_payments(struct db *payment_db);

#endif
