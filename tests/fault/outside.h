/* outside - a simulated card company whose charges and refunds are kept whatever our databases lose. */
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

/* Makes this one payment's provider. h: records its charges and refunds, or NULL. */
void outside_open(struct outside *outside, struct disk_log *h);
/* The company's records at a position of the history. */
void outside_at(struct outside *outside, const struct disk_log *h, uint64_t at);
/* Booking's calls are made to payment's functions directly, on payment's own connection. */
void outside_payments(struct db *payment_db);

#endif
