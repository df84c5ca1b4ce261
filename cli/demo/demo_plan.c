/*
 * demo_plan.c - who rents which car when: twelve months back, two months ahead, decided by dice from a seed before
 * anything happens.
 *
 * The plan keeps what the schema would insist on (no car twice, turnaround included; no more open bookings than
 * allowed), so nothing in it is refused but the cards that are meant to be. What lies after now is left undone:
 * bookings that are placed but have not begun, cars that are still out.
 */
#include "demo.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAYS_BACK   365
#define DAYS_AHEAD  60
#define PER_DAY     19.5
#define MAX_PLANS   16000

/* --- cars --------------------------------------------------------------------------------------------------------- */

/* Rental cars carry 허, 하 or 호: "12하 3456", the newer ones three digits, "162호 3456". */
static void
make_plate(struct script *s, struct demo_car *car, struct dice *d)
{
	static const char *const letters[] = { "허", "하", "호" };
	bool is_taken;

	do {
		bool is_new = dice_percent(d, 70);

		snprintf(car->plate, sizeof(car->plate), "%lld%s %04lld",
			(long long)(is_new ? dice_between(d, 100, 299) : dice_between(d, 10, 69)),
			letters[dice_roll(d, 3)], (long long)dice_between(d, 1000, 9999));
		is_taken = false;
		for (const struct demo_car *o = s->cars; o < car; o++)
			is_taken = is_taken || strcmp(o->plate, car->plate) == 0;
	} while (is_taken);
}

/* Most have been there from the beginning, some were bought during the year; a few are in the workshop now, one was
 * sold. */
static void
make_cars(struct script *s, struct arena *m, struct dice *d)
{
	int of_model[DEMO_MODELS], at_branch[DEMO_BRANCHES];
	int64_t begin = s->now - (DAYS_BACK + 50) * DAY;

	for (int i = 0; i < DEMO_MODELS; i++)
		of_model[i] = demo_models[i].n_cars;
	for (int i = 0; i < DEMO_BRANCHES; i++)
		at_branch[i] = demo_branches[i].n_cars;
	s->cars = arena_array(m, struct demo_car, DEMO_CARS);
	s->n_cars = DEMO_CARS;
	for (int i = 0; i < DEMO_CARS; i++) {
		struct demo_car *car = &s->cars[i];

		car->model = dice_weighted(d, of_model, DEMO_MODELS);
		car->branch = dice_weighted(d, at_branch, DEMO_BRANCHES);
		of_model[car->model]--;
		at_branch[car->branch]--;
		car->since = i < DEMO_CARS - 36 ? begin + dice_between(d, 0, 600) * MINUTE
						: s->now - dice_between(d, 60, 330) * DAY;
		make_plate(s, car, d);
	}
	for (int i = 0; i < 4; i++) {
		s->cars[17 + 31 * i].service = SERVICE_OUT_OF_SERVICE;
		s->cars[17 + 31 * i].until = s->now - dice_between(d, 5, 70) * HOUR;
	}
	s->cars[9].service = SERVICE_RETIRED;
	s->cars[9].until = s->now - 47 * DAY;
}

/* --- when --------------------------------------------------------------------------------------------------------- */

/* How many rentals begin on a day: weekends, holidays, a business that grows. */
static double
demand(const struct script *s, int64_t day)
{
	static const double weekday_is[] = { 0.80, 0.90, 0.82, 0.86, 1.02, 1.34, 1.30 }; /* from Sunday on */
	static const double month_is[] = { 0, 0.80, 0.88, 0.93, 1.02, 1.14, 1.03, 1.30, 1.36, 1.04, 1.12, 0.92, 0.96 };
	int year, month, of_month, weekday;
	double age = (double)(s->now - day) / (DAYS_BACK * (double)DAY);

	day_split(day, &year, &month, &of_month, &weekday);
	return PER_DAY * weekday_is[weekday] * month_is[month] * (1.08 - 0.16 * age);
}

static int64_t
start_on(struct dice *d, int64_t day)
{
	static const int by_hour[] = { 0, 0, 0, 0, 0, 0, 1, 3, 8, 14, 13, 10, 7, 7, 7, 6, 5, 6, 6, 3, 1, 0, 0, 0 };

	return day + dice_weighted(d, by_hour, 24) * HOUR + (dice_percent(d, 35) ? HOUR / 2 : 0);
}

/* Errands of an afternoon, a day, a weekend, a holiday. */
static int64_t
length_of(struct dice *d, bool is_jeju)
{
	static const int seoul[] = { 34, 26, 19, 9, 6, 3, 3 }, jeju[] = { 8, 14, 27, 24, 15, 6, 6 };

	switch (dice_weighted(d, is_jeju ? jeju : seoul, 7)) {
	case 0: return dice_between(d, 6, 20) * (HOUR / 2);
	case 1: return DAY;
	case 2: return 2 * DAY + (dice_percent(d, 30) ? dice_between(d, 2, 8) * HOUR : 0);
	case 3: return 3 * DAY;
	case 4: return 4 * DAY + (dice_percent(d, 25) ? 6 * HOUR : 0);
	case 5: return 5 * DAY;
	default: return dice_between(d, 6, 10) * DAY;
	}
}

/* The time between booking and start: mostly days, sometimes weeks, at least an hour. */
static int64_t
lead_of(struct dice *d)
{
	double u = (1 + dice_roll(d, 999999)) / 1e6, mean = dice_percent(d, 50) ? 2.5 : 20;
	double days = -log(u) * mean;

	return HOUR + (int64_t)((days > 58 ? 58 : days) * DAY) + dice_roll(d, 1800);
}

/* --- who and which ------------------------------------------------------------------------------------------------ */

/* By car and by customer: the plans so far, so that looking through them stays short. */
struct index { int *plan; int n, room; };

struct desk {
	struct script *s;
	struct dice *d;
	struct arena *m;
	struct index of_car[DEMO_CARS], of_customer[DEMO_CUSTOMERS];
	int weight[DEMO_CUSTOMERS];
};

static void
index_add(struct arena *m, struct index *x, int plan)
{
	if (x->n == x->room) {
		int *more = arena_array(m, int, x->room ? 2 * x->room : 64);

		if (x->n)
			memcpy(more, x->plan, (size_t)x->n * sizeof(int));
		x->plan = more;
		x->room = x->room ? 2 * x->room : 64;
	}
	x->plan[x->n++] = plan;
}

static bool
car_is_free(const struct desk *k, int car, const struct plan *p)
{
	const struct demo_car *c = &k->s->cars[car];
	const struct index *x = &k->of_car[car];

	if (p->placed_at < c->since + DAY || (c->until && p->ends_at + DAY > c->until))
		return false;
	for (int i = x->n; i-- > 0;) {
		const struct plan *o = &k->s->plans[x->plan[i]];

		if (o->starts_at < p->ends_at + rental.turnaround_s && p->starts_at < o->ends_at + rental.turnaround_s)
			return false;
	}
	return true;
}

/* When a booking stops counting as open. */
static int64_t
closes_at(const struct plan *p)
{
	return p->fate == FATE_RENTED ? p->back_at : p->over_at;
}

/* Would another one, open from placed_at on, ever be one too many? Asked at each moment another begins. */
static bool
customer_has_room(const struct desk *k, int customer, const struct plan *p, bool may_overlap)
{
	const struct index *x = &k->of_customer[customer];
	int64_t closes = closes_at(p);

	for (int i = 0; i <= x->n; i++) {
		int64_t at = i < x->n ? k->s->plans[x->plan[i]].placed_at : p->placed_at;
		int open = 0;

		if (at < p->placed_at || at >= closes)
			continue;
		for (int j = 0; j < x->n; j++) {
			const struct plan *o = &k->s->plans[x->plan[j]];

			open += o->placed_at <= at && at < closes_at(o) + HOUR;
			if (!may_overlap && o->starts_at < p->ends_at && p->starts_at < o->ends_at)
				return false;
		}
		if (open >= rental.max_bookings_per_person - 1)
			return false;
	}
	return true;
}

/* The two who can be looked at have quiet years, and now only what was written for them. */
static bool
is_left_alone(const struct desk *k, int customer, const struct plan *p)
{
	return customer < DEMO_LOGINS && p->ends_at > k->s->now - 3 * DAY;
}

static bool
find_customer(struct desk *k, struct plan *p)
{
	for (int i = 0; i < 40; i++) {
		p->customer = dice_weighted(k->d, k->weight, DEMO_CUSTOMERS);
		if (!is_left_alone(k, p->customer, p) && customer_has_room(k, p->customer, p, i > 15))
			return true;
	}
	return false;
}

static bool
is_same_kind(const struct demo_car *a, const struct demo_car *b)
{
	return a->model == b->model && a->branch == b->branch;
}

/*
 * Two or three cars of a model at one branch. Which ones is not known before they are booked, so all cars of the model
 * there are kept free of other plans in that time.
 */
static bool
wants_several(struct desk *k, struct plan *p)
{
	int n_free = 0, n = 0;

	for (int i = 0; i < DEMO_CARS; i++)
		if (is_same_kind(&k->s->cars[i], &k->s->cars[p->car])) {
			n++;
			n_free += car_is_free(k, i, p);
		}
	if (n_free < n || n < 2)
		return false;
	p->n_cars = n > 2 && dice_percent(k->d, 40) ? 3 : 2;
	return true;
}

static bool
find_car(struct desk *k, struct plan *p, bool is_jeju)
{
	for (int i = 0; i < 300; i++) {
		p->car = (int)dice_roll(k->d, DEMO_CARS);
		if ((demo_branches[k->s->cars[p->car].branch].region[0] == 'J') == is_jeju && car_is_free(k, p->car, p))
			return true;
	}
	return false;
}

/* --- the outcome -------------------------------------------------------------------------------------------------- */

/* Most are cancelled in good time, some on the last day, when it costs. */
static int64_t
cancelled_at(struct dice *d, const struct plan *p)
{
	int64_t last = p->starts_at - HOUR / 2, early = p->starts_at - DAY;

	if (early > p->placed_at + HOUR && dice_percent(d, 70))
		last = early;
	return p->placed_at + 5 * MINUTE
		+ (int64_t)((double)(last - p->placed_at - 5 * MINUTE) * dice_roll(d, 1000) / 1000);
}

static void
decide(struct dice *d, struct plan *p)
{
	p->fate = dice_percent(d, 6) ? FATE_CANCELLED : dice_percent(d, 1.1) ? FATE_NO_SHOW : FATE_RENTED;
	p->over_at = p->fate == FATE_CANCELLED ? cancelled_at(d, p) : p->starts_at + dice_between(d, 65, 115) * MINUTE;
	p->out_at = p->starts_at + dice_between(d, -600, 1500);
	p->back_at = p->ends_at + dice_between(d, -80, 20) * MINUTE - dice_roll(d, 60);
}

static void
add_plan(struct desk *k, const struct plan *p)
{
	struct script *s = k->s;

	if (s->n_plans == MAX_PLANS)
		return;
	s->plans[s->n_plans] = *p;
	if (p->fate != FATE_DECLINED) {
		for (int i = 0; i < DEMO_CARS; i++)
			if (i == p->car || (p->n_cars > 1 && is_same_kind(&s->cars[i], &s->cars[p->car])))
				index_add(k->m, &k->of_car[i], s->n_plans);
		index_add(k->m, &k->of_customer[p->customer], s->n_plans);
	}
	s->n_plans++;
}

static void
plan_one(struct desk *k, int64_t day)
{
	bool is_jeju = dice_percent(k->d, 46);
	struct plan p = { .starts_at = start_on(k->d, day), .n_cars = 1 }, declined;

	p.ends_at = p.starts_at + length_of(k->d, is_jeju);
	p.placed_at = p.starts_at - lead_of(k->d);
	decide(k->d, &p);
	if (p.placed_at >= k->s->now - 2 * MINUTE || !find_car(k, &p, is_jeju) || !find_customer(k, &p))
		return;
	if (p.customer >= DEMO_LOGINS && dice_percent(k->d, 4) && wants_several(k, &p))
		;
	else if (p.customer >= DEMO_LOGINS
		&& dice_percent(k->d, 1.8)) { /* the first card was declined, the other one pays */
		declined = p;
		declined.fate = FATE_DECLINED;
		declined.placed_at -= dice_between(k->d, 40, 200);
		add_plan(k, &declined);
	}
	add_plan(k, &p);
}

/* --- the two log-ins: each with a past, one car out now, and two bookings to come --------------------------------- */

struct scene { int from_hours, hours, lead_hours; enum fate fate; bool is_jeju; };

static const struct scene scenes[] = {
	{ -26, 51, 96, FATE_RENTED, false },            /* out now */
	{ 6 * 24 + 1, 50, 30, FATE_RENTED, true },
	{ 19 * 24, 8, 9, FATE_RENTED, false },
	{ -16 * 24, 27, 60, FATE_RENTED, false },
	{ -58 * 24, 74, 240, FATE_RENTED, true },
	{ -97 * 24, 24, 300, FATE_CANCELLED, false },
};

static int64_t
day_time(int64_t at, int hour)
{
	return day_start(at) + hour * HOUR;
}

static void
plan_scenes(struct desk *k)
{
	for (int customer = 0; customer < DEMO_LOGINS; customer++)
		for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
			const struct scene *scene = &scenes[i];
			int64_t now = k->s->now;
			struct plan p = { .customer = customer, .n_cars = 1, .fate = scene->fate };

			p.starts_at = day_time(now + scene->from_hours * HOUR, 10 + customer);
			p.ends_at = p.starts_at + scene->hours * HOUR;
			p.placed_at = scene->from_hours > 0 ? now - scene->lead_hours * HOUR - customer * 1741
							    : p.starts_at - scene->lead_hours * HOUR - 913;
			decide(k->d, &p);
			p.fate = scene->fate;
			p.over_at = p.starts_at - 3 * DAY - 1234;
			if (find_car(k, &p, scene->is_jeju))
				add_plan(k, &p);
		}
}

/* --- a late car: due back two hours ago, still with its customer, and the next one has booked it ------------------ */

static int64_t
half_hour_of(int64_t at)
{
	return at - at % RENTAL_STEP_S;
}

static void
plan_late_car(struct desk *k)
{
	int64_t now = half_hour_of(k->s->now);
	struct plan late = { .starts_at = now - 26 * HOUR, .ends_at = now - 2 * HOUR, .n_cars = 1 }, next = late, both;

	next.starts_at = now + HOUR;
	next.ends_at = now + 25 * HOUR;
	late.placed_at = late.starts_at - 50 * HOUR - 321;
	next.placed_at = late.starts_at - 9 * HOUR - 654;
	both = late;
	both.ends_at = next.ends_at;
	if (!find_car(k, &both, false))
		return;
	late.car = next.car = both.car;
	decide(k->d, &late);
	decide(k->d, &next);
	late.fate = next.fate = FATE_RENTED;
	late.is_late = true;
	late.back_at = k->s->now + DAY;
	if (find_customer(k, &late))
		add_plan(k, &late);
	if (find_customer(k, &next))
		add_plan(k, &next);
}

/* --- all of them ----------------------------------------------------------------------------------------------- */

void
plan_rentals(struct script *s, struct arena *m, struct dice *d)
{
	struct desk k = { .s = s, .d = d, .m = m };
	int64_t today = day_start(s->now);

	s->plans = arena_array(m, struct plan, MAX_PLANS);
	make_cars(s, m, d);
	for (int i = 0; i < DEMO_CUSTOMERS; i++)
		k.weight[i] = i < DEMO_LOGINS ? 1 : (int)dice_between(d, 20, 60);
	plan_scenes(&k);
	plan_late_car(&k);
	for (int day = -DAYS_BACK; day <= DAYS_AHEAD; day++) {
		double wanted = demand(s, day_add(today, day));
		int n = (int)wanted + dice_percent(d, (wanted - (int)wanted) * 100);

		for (int i = (int)dice_between(d, -3, 3); i < n; i++)
			plan_one(&k, day_add(today, day));
	}
}

/* --- recorded a few minutes ago, so that it can still be undone --------------------------------------------------- */

static bool
overlaps(const struct plan *o, const struct plan *p, int64_t gap_s)
{
	return o->starts_at < p->ends_at + gap_s && p->starts_at < o->ends_at + gap_s;
}

static bool
is_taken(const struct script *s, const struct plan *p)
{
	const struct demo_car *c = &s->cars[p->car];
	bool taken = p->placed_at < c->since + DAY || (c->until && p->ends_at + DAY > c->until);

	for (int i = 0; i < s->n_plans && !taken; i++)
		taken = is_same_kind(&s->cars[s->plans[i].car], c)
			&& (s->plans[i].car == p->car || s->plans[i].n_cars > 1)
			&& overlaps(&s->plans[i], p, rental.turnaround_s);
	return taken;
}

/* Too many bookings that were open meanwhile. */
static bool
is_busy(const struct script *s, const struct plan *p)
{
	int n_open = 0;

	for (int i = 0; i < s->n_plans; i++) {
		const struct plan *o = &s->plans[i];

		n_open += o->customer == p->customer && o->placed_at < s->now && closes_at(o) + HOUR > p->placed_at;
	}
	return n_open > rental.max_bookings_per_person - 2;
}

/* The first car that is free then, and the first customer who has time. */
static bool
find_both(const struct script *s, struct plan *p)
{
	p->car = 0;
	p->customer = DEMO_LOGINS;
	while (p->car < DEMO_CARS && is_taken(s, p))
		p->car++;
	while (p->customer < DEMO_CUSTOMERS && is_busy(s, p))
		p->customer++;
	return p->car < DEMO_CARS && p->customer < DEMO_CUSTOMERS && s->n_plans < MAX_PLANS;
}

void
plan_undoable(struct script *s)
{
	int64_t now = s->now, half = now - now % RENTAL_STEP_S;
	struct plan plans[] = {
		{ .fate = FATE_RENTED,
			.starts_at = half - 6 * HOUR,
			.ends_at = half + HOUR,
			.out_at = half - 6 * HOUR + 9 * MINUTE,
			.back_at = now - 3 * MINUTE },
		{ .fate = FATE_NO_SHOW,
			.starts_at = half - 3 * RENTAL_STEP_S,
			.ends_at = half + 5 * HOUR,
			.over_at = now - 2 * MINUTE },
	};

	for (int i = 0; i < 2; i++) {
		plans[i].n_cars = 1;
		plans[i].placed_at = plans[i].starts_at - 9 * HOUR - 41;
		if (find_both(s, &plans[i]))
			s->plans[s->n_plans++] = plans[i];
	}
}
