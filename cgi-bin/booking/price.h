/*
 * price - what an interval costs: days × daily + remaining started hours × hourly, the hours never above one more day.
 * Prices include VAT; its share is part of every price shown. 2 days 3 hours at 90,000 and 9,000: 207,000.
 */
#ifndef MP_BOOKING_PRICE_H
#define MP_BOOKING_PRICE_H

#include "domain/rental.h"
#include "booking.h"

#define PRICE_VERSION 1

struct price *price_make(struct arena *m, int64_t starts_at, int64_t ends_at, int64_t daily_price,
	int64_t hourly_price);
/* the amount alone */
int64_t price_total(int64_t starts_at, int64_t ends_at, int64_t daily_price, int64_t hourly_price);

/* For many cars at once: the interval is split once. */
struct duration { int64_t days, hours; };       /* hours: the started ones beyond whole days */
struct duration duration_of(int64_t starts_at, int64_t ends_at);

static inline int64_t
duration_price(const struct duration *d, int64_t daily_price, int64_t hourly_price)
{
	int64_t rest = d->hours * hourly_price;

	return d->days * daily_price + (rest < daily_price ? rest : daily_price);
}

/* For n_cars instead of one: multiplies quantity and amount of each line, the cap too. */
void price_times(struct price *p, int64_t n_cars);

int64_t vat_share(int64_t amount);      /* rental.vat_percent, included: rounded half up */

#endif
