/* demo_script.c - the deeds of the plan in the order of time: what is done about each rental, each extra and each
 * errand. */
#include "demo.h"

#include "lib/base/clock.h"

#include <stdlib.h>

/* at most: placed, a courier assigned and sent both ways, handed over, fetched, decided about */
#define DEEDS_OF_A_PLAN 8

/* Only what lies before now happens. */
static void
script_deed(struct script *s, int64_t at, int plan, enum deed_kind kind)
{
	if (at < s->now)
		s->deeds[s->n_deeds++] = (struct deed){ at, plan, kind };
}

/* --- of a plan ------------------------------------------------------------------------------------------------- */

static void
trip_deeds(struct script *s, int i)
{
	const struct plan *p = &s->plans[i];
	const struct trip *t = &p->trip;

	if (p->fate == FATE_RENTED || t->assigned_at < p->over_at)
		script_deed(s, t->assigned_at, i, DEED_ASSIGN);
	if (p->fate != FATE_RENTED)
		return;
	if (t->is_called_off) {
		script_deed(s, t->called_off_at, i, DEED_CALL_OFF);
		return;
	}
	script_deed(s, t->shipped_at, i, DEED_SHIP);
	script_deed(s, p->out_at, i, DEED_DELIVER);
	if (!t->collects)
		return;
	script_deed(s, t->fetch_assigned_at, i, DEED_FETCH_ASSIGN);
	script_deed(s, t->fetch_shipped_at, i, DEED_FETCH_SHIP);
	script_deed(s, p->back_at, i, DEED_FETCH);
	script_deed(s, p->back_at + 25 * MINUTE, i, DEED_BRING_IN);
}

static void
extras_deeds(struct script *s, int i)
{
	if (s->plans[i].trip.is_wanted)
		trip_deeds(s, i);
	if (s->plans[i].decided_at)
		script_deed(s, s->plans[i].decided_at, i, DEED_DECIDE);
}

static void
add_deeds(struct script *s, int i)
{
	const struct plan *p = &s->plans[i];

	script_deed(s, p->placed_at, i, DEED_PLACE);
	switch (p->fate) {
	case FATE_CANCELLED: script_deed(s, p->over_at, i, DEED_CANCEL); break;
	case FATE_NO_SHOW: script_deed(s, p->over_at, i, DEED_NO_SHOW); break;
	case FATE_DECLINED: break;
	case FATE_RENTED:
		if (!trip_is_made(p))
			script_deed(s, p->out_at, i, DEED_HAND_OUT);
		if (!trip_is_made(p) || !p->trip.collects)
			script_deed(s, p->back_at, i, DEED_TAKE_BACK);
	}
	extras_deeds(s, i);
}

/* --- of an errand ---------------------------------------------------------------------------------------------- */

static void
errand_deeds(struct script *s, int i)
{
	const struct errand *e = &s->errands[i];

	script_deed(s, e->placed_at, i, DEED_ORDER);
	if (waits_for_a_person(e->lent.item, e->lent.quantity, e->starts_at, e->ends_at))
		script_deed(s, e->decided_at, i, DEED_ORDER_DECIDE);
	if (e->over_at)
		script_deed(s, e->over_at, i, DEED_ORDER_CANCEL);
	if (e->is_refused || e->over_at)
		return;
	if (e->out_at)
		script_deed(s, e->out_at, i, DEED_ORDER_OUT);
	if (e->back_at)
		script_deed(s, e->back_at, i, DEED_ORDER_BACK);
}

static void
errands_deeds(struct script *s)
{
	for (int i = 0; i < s->n_errands; i++)
		errand_deeds(s, i);
	for (int i = 0; i < DEMO_STOCKS; i++)
		script_deed(s, s->now - demo_stocks[i].days_ago * DAY, i, DEED_STOCK);
}

/* --- all of them ----------------------------------------------------------------------------------------------- */

static int
by_time(const void *a, const void *b)
{
	const struct deed *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->plan != y->plan ? x->plan - y->plan : (int)x->kind - (int)y->kind;
}

void
script_write(struct script *s, struct arena *m, struct dice *d, int64_t now)
{
	*s = (struct script){ .now = now };
	plan_rentals(s, m, d);
	plan_extras(s, m, d);
	plan_undoable(s);
	s->deeds = arena_array(m, struct deed, DEEDS_OF_A_PLAN * (s->n_plans + s->n_errands) + DEMO_STOCKS);
	for (int i = 0; i < s->n_plans; i++)
		add_deeds(s, i);
	errands_deeds(s);
	qsort(s->deeds, (size_t)s->n_deeds, sizeof(s->deeds[0]), by_time);
}
