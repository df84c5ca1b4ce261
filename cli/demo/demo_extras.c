/*
 * demo_extras.c - what is booked with the cars of the plan: brought and fetched, child seats, tents; and what an
 * employee orders without one.
 *
 * Planned when all rentals are, and so that nothing of it is refused but what the examiner refuses: never more pieces
 * of an item are wanted at a time than there are at the worst time. As with rentals, what lies after now is left
 * undone.
 */
#include "demo.h"

#include "domain/rental.h"
#include "lib/base/clock.h"

#include <string.h>

#define PERCENT_TRIP   7
#define PERCENT_NOW    30               /* … of those that begin in these days: the board is what people look at */
#define PERCENT_LENT   11
#define N_ERRANDS      40
#define MARGIN         (6 * HOUR)       /* pieces come back late, too */

/* --- how many pieces there are ------------------------------------------------------------------------------------ */

/* Who has which pieces when: of plans and errands alike. */
struct claim { int item, quantity; int64_t from, to; };
struct inventory {
	struct claim *claims;
	int n, room;
	int n_pieces[DEMO_ITEMS];       /* fewest there ever are */
};

static void
count_pieces(struct inventory *inventory)
{
	for (int i = 0; i < DEMO_ITEMS; i++)
		inventory->n_pieces[i] = demo_items[i].n_pieces;
	for (int i = 0; i < DEMO_STOCKS; i++)
		if (strcmp(demo_stocks[i].kind, "receive") != 0)
			inventory->n_pieces[demo_stocks[i].item] -=
				demo_stocks[i].quantity < 0 ? -demo_stocks[i].quantity : demo_stocks[i].quantity;
}

/* Counts all overlapping claims as simultaneous, which may refuse too many but never too few. */
static bool
claim(struct inventory *inventory, int item, int quantity, int64_t from, int64_t to)
{
	int taken = 0;

	for (int i = 0; i < inventory->n; i++) {
		const struct claim *c = &inventory->claims[i];

		if (c->item == item && c->from < to + MARGIN && from < c->to + MARGIN)
			taken += c->quantity;
	}
	if (taken + quantity > inventory->n_pieces[item] || inventory->n == inventory->room)
		return false;
	inventory->claims[inventory->n++] = (struct claim){ item, quantity, from, to };
	return true;
}

/* --- brought and fetched ------------------------------------------------------------------------------------------ */

static bool
is_jeju(const struct script *s, const struct plan *p)
{
	return demo_branches[s->cars[p->car].branch].region[0] == 'J';
}

static int64_t
later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
sooner_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
plan_collection(struct dice *d, struct plan *p)
{
	p->trip.collects = true;
	p->back_at = p->ends_at - dice_between(d, 10, 100) * MINUTE - dice_roll(d, 60);
	p->trip.fetch_shipped_at = p->back_at - dice_between(d, 20, 45) * MINUTE;
	p->trip.fetch_assigned_at = sooner_of(p->trip.fetch_shipped_at - 5 * MINUTE,
		later_of(p->out_at + dice_between(d, 10, 40) * MINUTE, p->back_at - dice_between(d, 3, 26) * HOUR));
}

static void
plan_trip(const struct script *s, struct dice *d, struct plan *p, bool collects)
{
	struct trip *t = &p->trip;

	do
		t->place = (int)dice_roll(d, DEMO_PLACES);
	while (demo_places[t->place].is_jeju != is_jeju(s, p));
	t->is_wanted = true;
	t->courier = is_jeju(s, p) ? POST_COURIER_2 : POST_COURIER;
	t->window_from = p->starts_at + (dice_percent(d, 30) ? HOUR / 2 : 0);
	p->out_at = t->window_from + dice_between(d, 4, 95) * MINUTE + dice_roll(d, 60);
	t->shipped_at = p->out_at - dice_between(d, 20, 45) * MINUTE;
	t->assigned_at = sooner_of(t->shipped_at - 8 * MINUTE,
		later_of(p->placed_at + dice_between(d, 12, 90) * MINUTE,
			t->window_from - dice_between(d, 12, 60) * HOUR));
	if (collects)
		plan_collection(d, p);
	if (p->fate == FATE_RENTED && !collects
		&& dice_percent(d, 7)) { /* the car waits at the branch, the fee goes back */
		t->is_called_off = true;
		t->called_off_at = t->assigned_at + 4 * MINUTE;
		p->out_at = p->starts_at + dice_between(d, 20, 110) * MINUTE;
	}
}

static bool
is_near(const struct script *s, const struct plan *p)
{
	return p->starts_at > s->now - DAY && p->starts_at < s->now + 3 * DAY;
}

static bool
can_be_brought(const struct plan *p)
{
	return (p->fate == FATE_RENTED || p->fate == FATE_CANCELLED) && !p->is_late
		&& p->ends_at - p->starts_at >= 6 * HOUR && p->starts_at - p->placed_at >= 4 * HOUR;
}

/* --- lent --------------------------------------------------------------------------------------------------------- */

static int
likely_item(struct dice *d)
{
	int likely[DEMO_ITEMS];

	for (int i = 0; i < DEMO_ITEMS; i++)
		likely[i] = demo_items[i].likely;
	return dice_weighted(d, likely, DEMO_ITEMS);
}

static int64_t
worth_of(int item, int quantity, int64_t from, int64_t to)
{
	return demo_items[item].daily_price * quantity * ((to - from + DAY - 1) / DAY);
}

bool
waits_for_a_person(int item, int quantity, int64_t from, int64_t to)
{
	return quantity > rental.review_auto_quantity || worth_of(item, quantity, from, to) > rental.review_auto_amount;
}

static bool
add_lent(struct inventory *inventory, struct plan *p, int item, int quantity)
{
	for (int i = 0; i < p->n_lent; i++)
		if (p->lent[i].item == item)
			return false;
	if (p->n_lent == LENT_OF_A_PLAN || !claim(inventory, item, quantity, p->starts_at, p->ends_at))
		return false;
	p->lent[p->n_lent++] = (struct lent){ .item = item, .quantity = quantity };
	return true;
}

/* The examiner looks within a day, before the rental begins or is given up; in the last hours she has not come to it
 * yet. */
static void
plan_decision(struct dice *d, struct plan *p)
{
	int64_t last = p->fate == FATE_CANCELLED ? sooner_of(p->over_at, p->starts_at) : p->starts_at;

	for (int i = 0; i < p->n_lent; i++)
		if (waits_for_a_person(p->lent[i].item, p->lent[i].quantity, p->starts_at, p->ends_at))
			p->decided_at = sooner_of(
				p->placed_at + dice_between(d, 1, 20) * HOUR + dice_roll(d, 3600), last - 4 * MINUTE);
	p->is_refused = p->decided_at && dice_percent(d, 22);
}

static void
plan_lent(struct dice *d, struct inventory *inventory, struct plan *p)
{
	for (int i = dice_percent(d, 25) ? 2 : 1; i > 0; i--) {
		int item = likely_item(d);

		add_lent(inventory, p, item, (int)dice_between(d, 1, demo_items[item].most));
	}
	if (p->n_lent && dice_percent(d, 1.2))
		p->lent[0].lost = 1;
	plan_decision(d, p);
}

static bool
can_have_lent(const struct plan *p)
{
	return (p->fate == FATE_RENTED || p->fate == FATE_CANCELLED) && p->starts_at - p->placed_at >= HOUR
		&& (p->fate == FATE_RENTED || p->over_at - p->placed_at >= HOUR);
}

/* --- the two log-ins: a bit of everything to look at -------------------------------------------------------------- */

enum { ITEM_CHILD_SEAT = 1, ITEM_BOOSTER = 2, ITEM_CHAINS = 3, ITEM_TENT = 5, ITEM_CHAIR = 6, ITEM_PROJECTOR = 10,
	ITEM_RADIO = 11 };

/* Plan number `scene` of a log-in, as demo_plan.c has them: 0 out now, 1 and 2 to come, 3 and 4 over. */
static void
dress_scene(struct script *s, struct dice *d, struct inventory *inventory, struct plan *p, int scene)
{
	bool is_first = p->customer == 0;

	if (is_first && scene == 0) { /* brought; to be fetched, and the courier knows */
		plan_trip(s, d, p, true);
		p->trip.fetch_assigned_at = p->out_at + 3 * HOUR;
		add_lent(inventory, p, ITEM_CHILD_SEAT, 1);
	} else if (is_first && scene == 1) { /* a delivery without a courier yet */
		plan_trip(s, d, p, false);
		p->trip.assigned_at = later_of(p->trip.assigned_at, s->now + 1);
		add_lent(inventory, p, ITEM_CHILD_SEAT, 1);
		add_lent(inventory, p, ITEM_BOOSTER, 1);
	} else if (is_first && scene == 2) { /* too many to be approved by itself: it waits */
		add_lent(inventory, p, ITEM_CHAINS, (int)rental.review_auto_quantity + 1);
		p->decided_at = s->now + DAY;
	} else if (is_first && scene == 3) {
		plan_trip(s, d, p, true);
		add_lent(inventory, p, ITEM_TENT, 1);
	} else if (!is_first && scene == 1) { /* refused, with a reason; what it cost is back */
		add_lent(inventory, p, ITEM_CHAIR, (int)rental.review_auto_quantity + 2);
		p->decided_at = p->placed_at + 5 * HOUR;
		p->is_refused = true;
	} else if (!is_first && scene == 0) {
		add_lent(inventory, p, ITEM_BOOSTER, 1);
	}
}

static void
dress_scenes(struct script *s, struct dice *d, struct inventory *inventory)
{
	int scene[DEMO_LOGINS] = { 0 };

	for (int i = 0; i < s->n_plans; i++) {
		struct plan *p = &s->plans[i];

		if (p->customer < DEMO_LOGINS && scene[p->customer] < 5)
			dress_scene(s, d, inventory, p, scene[p->customer]++);
	}
}

/* --- without a car ------------------------------------------------------------------------------------------------ */

struct errand_scene { int item, quantity, from_hours, hours, lead_hours, decided_hours; bool is_refused, is_out,
	is_given_up; int n_lost; };

static const struct errand_scene errand_scenes[] = {
	{ ITEM_PROJECTOR, 1,  -22, 46, 50,  0, false, true,  false, 0 },     /* out now */
	{ ITEM_RADIO,     4,  -75, 72, 90,  0, false, true,  false, 0 },     /* should have been back some hours ago */
	{ ITEM_RADIO,     6,   70, 10, 30, 20, false, false, false, 0 },     /* approved by a person */
	{ ITEM_CHAIR,    12,  9 * 24, 30, 5, 0, false, false, false, 0 },    /* waits */
	{ ITEM_PROJECTOR, 2, 12 * 24, 96, 26, 0, false, false, false, 0 },   /* … */
	{ ITEM_TENT,      4, -18 * 24, 50, 60, 9, true,  false, false, 0 },
	{ ITEM_CHAIR,     4, -33 * 24, 24, 40, 0, false, false, true,  0 },
	{ ITEM_CHAIR,     3, -47 * 24, 26, 44, 0, false, true,  false, 1 },     /* back without one of them */
};

static void
add_errand(struct script *s, struct inventory *inventory, struct errand e)
{
	if (claim(inventory, e.lent.item, e.lent.quantity, e.starts_at, e.ends_at))
		s->errands[s->n_errands++] = e;
}

static void
plan_errand_scenes(struct script *s, struct inventory *inventory)
{
	for (size_t i = 0; i < sizeof(errand_scenes) / sizeof(errand_scenes[0]); i++) {
		const struct errand_scene *from = &errand_scenes[i];
		struct errand e = {
			.lent = { .item = from->item, .quantity = from->quantity, .lost = from->n_lost },
			.starts_at = s->now - s->now % (HOUR / 2) + from->from_hours * HOUR,
			.is_refused = from->is_refused,
		};

		e.ends_at = e.starts_at + from->hours * HOUR;
		e.placed_at = from->from_hours > 0 ? s->now - from->lead_hours * HOUR - 771
						   : e.starts_at - from->lead_hours * HOUR - 771;
		e.decided_at = from->decided_hours ? e.placed_at + from->decided_hours * HOUR : s->now + DAY;
		e.out_at = from->is_out ? e.starts_at + 11 * MINUTE : 0;
		e.back_at = from->n_lost ? e.ends_at + 7 * MINUTE : 0;
		e.over_at = from->is_given_up ? e.placed_at + 20 * HOUR : 0;
		add_errand(s, inventory, e);
	}
}

static void
plan_errand(struct script *s, struct dice *d, struct inventory *inventory, int64_t day)
{
	static const int items[] = { ITEM_PROJECTOR, ITEM_PROJECTOR, ITEM_RADIO, ITEM_RADIO, ITEM_CHAIR };
	int item = items[dice_roll(d, 5)];
	struct errand e = { .lent = { .item = item, .quantity = (int)dice_between(d, 1, demo_items[item].most) } };

	e.starts_at = day + dice_between(d, 9, 15) * HOUR;
	e.ends_at = e.starts_at + dice_between(d, 4, 60) * HOUR;
	e.placed_at = e.starts_at - dice_between(d, 26, 200) * HOUR - dice_roll(d, 3600);
	e.decided_at = e.placed_at + dice_between(d, 1, 20) * HOUR;
	e.is_refused = waits_for_a_person(item, e.lent.quantity, e.starts_at, e.ends_at) && dice_percent(d, 25);
	e.out_at = e.starts_at + dice_between(d, 2, 50) * MINUTE;
	e.back_at = e.ends_at - dice_between(d, 0, 60) * MINUTE;
	e.lent.lost = dice_percent(d, 8);
	if (e.ends_at < s->now - 5 * DAY)
		add_errand(s, inventory, e);
}

static void
plan_errands(struct script *s, struct dice *d, struct inventory *inventory)
{
	int64_t today = day_start(s->now);

	plan_errand_scenes(s, inventory);
	while (s->n_errands < N_ERRANDS / 2)
		plan_errand(s, d, inventory, day_add(today, -(int)dice_between(d, 8, 330)));
	for (int i = s->n_errands; i-- > 0;) /* one comes back incomplete, whatever the dice say */
		if (s->errands[i].back_at && !s->errands[i].is_refused) {
			s->errands[i].lent.lost = 1;
			break;
		}
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

bool
plan_has_extras(const struct plan *p)
{
	return p->trip.is_wanted || p->n_lent;
}

bool
trip_is_made(const struct plan *p)
{
	return p->trip.is_wanted && !p->trip.is_called_off;
}

void
plan_extras(struct script *s, struct arena *m, struct dice *d)
{
	struct inventory inventory = { .claims = arena_array(m, struct claim, s->n_plans + N_ERRANDS),
		.room = s->n_plans + N_ERRANDS };

	count_pieces(&inventory);
	s->errands = arena_array(m, struct errand, N_ERRANDS);
	dress_scenes(s, d, &inventory);
	plan_errands(s, d, &inventory);
	for (int i = 0; i < s->n_plans; i++) {
		struct plan *p = &s->plans[i];

		if (p->customer < DEMO_LOGINS)
			continue;
		if (can_be_brought(p) && dice_percent(d, is_near(s, p) ? PERCENT_NOW : PERCENT_TRIP))
			plan_trip(s, d, p, dice_percent(d, 45));
		if (can_have_lent(p) && dice_percent(d, PERCENT_LENT))
			plan_lent(d, &inventory, p);
	}
}
