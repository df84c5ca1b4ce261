/* price - what an interval costs. Described in price.h. */
#include "price.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

int64_t
vat_share(int64_t amount)
{
	int64_t whole = 100 + rental.vat_percent;

	return (amount * rental.vat_percent * 2 + whole) / (whole * 2);
}

/* Started hours count: half an hour over is an hour. */
struct duration
duration_of(int64_t starts_at, int64_t ends_at)
{
	return (struct duration){ (ends_at - starts_at) / DAY, ((ends_at - starts_at) % DAY + HOUR - 1) / HOUR };
}

int64_t
price_total(int64_t starts_at, int64_t ends_at, int64_t daily_price, int64_t hourly_price)
{
	struct duration d = duration_of(starts_at, ends_at);

	return duration_price(&d, daily_price, hourly_price);
}

static void
add_line(struct price *p, struct booking_line line)
{
	line.version = PRICE_VERSION;
	line.label = line.label_ko = "";
	p->lines[p->n_lines++] = line;
	p->amount += line.amount;
}

struct price *
price_make(struct arena *m, int64_t starts_at, int64_t ends_at, int64_t daily_price, int64_t hourly_price)
{
	struct duration d = duration_of(starts_at, ends_at);
	int64_t days = d.days, hours = d.hours;
	const struct cancel_rule rule = cancel_rule_now();
	struct price *p = arena_new_of(m, struct price);

	p->cancellation = cancel_terms_offered(&rule, starts_at, clock_now());
	p->lines = arena_array(m, struct booking_line, 2);
	if (days > 0)
		add_line(p,
			(struct booking_line){ .rule = PRICE_RULE_DAILY,
				.unit = "day",
				.quantity = days,
				.unit_amount = daily_price,
				.amount = days * daily_price });
	if (hours > 0 && hours * hourly_price <= daily_price)
		add_line(p,
			(struct booking_line){ .rule = PRICE_RULE_HOURLY,
				.unit = "hour",
				.quantity = hours,
				.unit_amount = hourly_price,
				.amount = hours * hourly_price });
	else if (hours > 0) /* the hours never cost more than one more day */
		add_line(p,
			(struct booking_line){ .rule = PRICE_RULE_HOURLY_CAP,
				.unit = "hour",
				.quantity = hours,
				.unit_amount = hourly_price,
				.amount = daily_price });
	p->vat_amount = vat_share(p->amount);
	return p;
}

void
price_times(struct price *p, int64_t n_cars)
{
	if (n_cars == 1)
		return;
	for (int i = 0; i < p->n_lines; i++) {
		p->lines[i].quantity *= n_cars;
		p->lines[i].amount *= n_cars;
	}
	p->amount *= n_cars;
	p->vat_amount = vat_share(p->amount);
}
