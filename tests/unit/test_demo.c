/*
 * test_demo - the demo's plan never violates a business rule, whatever the seed and the time of creation. A part of it
 * is executed: the desks of delivery, equipment, review and message have data to show.
 */
#include "test.h"

#include "domain/rental.h"
#include "cli/demo/demo_plan.c"
#include "scratch.h"

#define NOON_IN_SEOUL 1795834800        /* 28 November 2026, 12:00 */

static struct script
script_of(uint64_t seed, int64_t now)
{
	struct dice d = { .state = seed };
	struct script s;

	arena_reset(scratch_memory);
	script_write(&s, scratch_memory, &d, now);
	return s;
}

/* Several seeds, at several times of day. */
#define for_each_script(s) \
	for (int i_ = 0; i_ < 6; i_++) \
		for (struct script s = script_of((uint64_t)i_ + 1, NOON_IN_SEOUL + i_ * (4 * HOUR + 311)), \
			*once_ = &s; once_; once_ = NULL)

TEST_SETUP(open_settings)
{
	const char *why = "";
	void *none;

	assert_int_equal(scratch_begin(&none), 0);
	assert_true(rental_settings_open(".", scratch, &why));
	clock_open(settings.zone);
	return 0;
}

TEST(a_year_and_two_months_are_planned)
{
	for_each_script(s)
	{
		int coming = 0;

		assert_in_range(s.n_plans, 6000, 9000);
		for (int i = 0; i < s.n_plans; i++)
			coming += s.plans[i].starts_at > s.now;
		assert_in_range(coming, 100, 500);
		assert_int_equal(s.n_cars, DEMO_CARS);
	}
}

/* Could both get the same car? Which cars of a model are chosen is not known in advance. */
static bool
share_a_car(const struct script *s, const struct plan *a, const struct plan *b)
{
	return a->car == b->car
		|| ((a->n_cars > 1 || b->n_cars > 1) && is_same_kind(&s->cars[a->car], &s->cars[b->car]));
}

TEST(no_car_is_promised_twice)
{
	for_each_script(s) for (int i = 0; i < s.n_plans; i++) for (int j = 0; j < i; j++)
	{
		const struct plan *a = &s.plans[i], *b = &s.plans[j];

		if (!share_a_car(&s, a, b) || a->fate == FATE_DECLINED || b->fate == FATE_DECLINED)
			continue;
		assert_false(a->starts_at < b->ends_at + rental.turnaround_s
			&& b->starts_at < a->ends_at + rental.turnaround_s);
	}
}

static bool
moves_the_car(enum deed_kind kind)
{
	return kind <= DEED_NO_SHOW || kind == DEED_DELIVER || kind == DEED_FETCH;
}

TEST(no_customer_has_more_open_bookings_than_allowed)
{
	for_each_script(s)
	{
		int open[DEMO_CUSTOMERS] = { 0 };

		for (int i = 0; i < s.n_deeds; i++) {
			const struct plan *p = &s.plans[s.deeds[i].plan];

			if (s.deeds[i].kind >= DEED_ORDER || !moves_the_car(s.deeds[i].kind))
				continue;
			if (p->fate == FATE_DECLINED)
				assert_true(open[p->customer] < rental.max_bookings_per_person);
			else if (s.deeds[i].kind == DEED_PLACE)
				assert_true(++open[p->customer] <= rental.max_bookings_per_person);
			else if (s.deeds[i].kind != DEED_HAND_OUT && s.deeds[i].kind != DEED_DELIVER)
				open[p->customer]--;
		}
	}
}

TEST(steps_are_ordered_by_time_and_state)
{
	for_each_script(s)
	{
		char *stage = arena_alloc(scratch_memory, (size_t)s.n_plans + 1);
		static const char after[] = {
			[DEED_PLACE] = 0,
			[DEED_CANCEL] = 1,
			[DEED_HAND_OUT] = 1,
			[DEED_TAKE_BACK] = 2,
			[DEED_NO_SHOW] = 1,
			[DEED_DELIVER] = 1,
			[DEED_FETCH] = 2,
		};

		memset(stage, 0, (size_t)s.n_plans);
		for (int i = 0; i < s.n_deeds; i++) {
			const struct deed *deed = &s.deeds[i];

			assert_true(deed->at < s.now);
			assert_true(i == 0 || deed->at >= s.deeds[i - 1].at);
			if (deed->kind >= DEED_ORDER || !moves_the_car(deed->kind))
				continue;
			assert_int_equal(stage[deed->plan], after[deed->kind]);
			stage[deed->plan]++;
		}
	}
}

TEST(every_step_is_allowed_at_its_time)
{
	for_each_script(s) for (int i = 0; i < s.n_plans; i++)
	{
		const struct plan *p = &s.plans[i];

		assert_int_equal(p->starts_at % RENTAL_STEP_S, 0);
		assert_int_equal(p->ends_at % RENTAL_STEP_S, 0);
		assert_true(p->placed_at < p->starts_at && p->starts_at < p->ends_at);
		assert_true(p->starts_at - p->placed_at < rental.max_ahead_days * DAY);
		assert_true(p->ends_at - p->starts_at <= rental.max_rental_days * DAY);
		if (p->fate == FATE_RENTED)
			assert_true(p->out_at >= p->starts_at - rental.turnaround_s && p->out_at > p->placed_at
				&& p->back_at > p->out_at);
		if (p->fate == FATE_CANCELLED)
			assert_true(p->placed_at < p->over_at && p->over_at < p->starts_at);
		if (p->fate == FATE_NO_SHOW)
			assert_true(p->over_at >= p->starts_at);
	}
}

TEST(each_log_in_has_past_bookings_a_car_out_and_two_future_bookings)
{
	for_each_script(s) for (int customer = 0; customer < DEMO_LOGINS; customer++)
	{
		int past = 0, out = 0, coming = 0;

		for (int i = 0; i < s.n_plans; i++) {
			const struct plan *p = &s.plans[i];

			if (p->customer != customer || p->fate != FATE_RENTED || p->placed_at >= s.now)
				continue;
			past += p->back_at < s.now;
			out += p->out_at < s.now && p->back_at >= s.now;
			coming += p->starts_at > s.now;
		}
		assert_true(past >= 3);
		assert_int_equal(out, 1);
		assert_int_equal(coming, 2);
	}
}

/* The plan of the same car that begins next; NULL: none. */
static const struct plan *
plan_after(const struct script *s, const struct plan *p)
{
	const struct plan *next = NULL;

	for (int i = 0; i < s->n_plans; i++) {
		const struct plan *o = &s->plans[i];

		if (o->car == p->car && o->fate == FATE_RENTED && o->starts_at > p->starts_at
			&& (!next || o->starts_at < next->starts_at))
			next = o;
	}
	return next;
}

TEST(one_car_is_late_and_its_next_customer_is_expected_within_two_hours)
{
	for_each_script(s)
	{
		int late = 0;

		for (int i = 0; i < s.n_plans; i++) {
			const struct plan *p = &s.plans[i], *next = plan_after(&s, p);

			if (!p->is_late)
				continue;
			late++;
			assert_true(p->out_at < s.now && p->ends_at < s.now - HOUR && p->back_at > s.now);
			assert_true(next && next->placed_at < s.now && next->starts_at > s.now);
			assert_true(next->starts_at <= s.now + 2 * HOUR);
		}
		assert_int_equal(late, 1);
	}
}

TEST(plates_are_unique_and_look_like_rental_cars)
{
	for_each_script(s) for (int i = 0; i < s.n_cars; i++)
	{
		assert_true(strstr(s.cars[i].plate, "허 ") || strstr(s.cars[i].plate, "하 ")
			|| strstr(s.cars[i].plate, "호 "));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(s.cars[i].plate, s.cars[j].plate);
	}
}

/* --- extras ------------------------------------------------------------------------------------------------------- */

TEST(couriers_are_assigned_leave_and_arrive_in_this_order)
{
	for_each_script(s) for (int i = 0; i < s.n_plans; i++)
	{
		const struct plan *p = &s.plans[i];
		const struct trip *t = &p->trip;

		if (!t->is_wanted)
			continue;
		assert_true(t->window_from >= p->starts_at && t->window_from + rental.delivery_window_s <= p->ends_at);
		assert_int_equal(t->window_from % RENTAL_STEP_S, 0);
		assert_true(p->placed_at < t->assigned_at);
		if (!trip_is_made(p) || p->fate != FATE_RENTED)
			continue;
		assert_true(t->assigned_at < t->shipped_at && t->shipped_at < p->out_at && p->out_at < p->back_at);
		if (t->collects)
			assert_true(p->out_at < t->fetch_assigned_at && t->fetch_assigned_at < t->fetch_shipped_at
				&& t->fetch_shipped_at < p->back_at);
	}
}

struct use { int item, quantity; int64_t from, to; };

static int
uses_of(const struct script *s, struct use *uses)
{
	int n = 0;

	for (int i = 0; i < s->n_plans; i++)
		for (int j = 0; j < s->plans[i].n_lent; j++)
			uses[n++] = (struct use){ s->plans[i].lent[j].item, s->plans[i].lent[j].quantity,
				s->plans[i].starts_at, s->plans[i].ends_at };
	for (int i = 0; i < s->n_errands; i++)
		uses[n++] = (struct use){ s->errands[i].lent.item, s->errands[i].lent.quantity, s->errands[i].starts_at,
			s->errands[i].ends_at };
	return n;
}

/* After all losses and before any purchase. */
static int
fewest_pieces(int item)
{
	int n = demo_items[item].n_pieces;

	for (int i = 0; i < DEMO_STOCKS; i++)
		if (demo_stocks[i].item == item && strcmp(demo_stocks[i].kind, "receive") != 0)
			n -= abs(demo_stocks[i].quantity);
	return n;
}

TEST(no_more_pieces_are_ordered_than_exist)
{
	for_each_script(s)
	{
		struct use *uses = arena_array(scratch_memory, struct use, LENT_OF_A_PLAN * s.n_plans + s.n_errands);
		int n = uses_of(&s, uses);

		for (int i = 0; i < n; i++) {
			int wanted = 0;

			for (int j = 0; j < n; j++)
				if (uses[j].item == uses[i].item && uses[j].from <= uses[i].from
					&& uses[i].from < uses[j].to)
					wanted += uses[j].quantity;
			assert_true(wanted <= fewest_pieces(uses[i].item));
		}
	}
}

TEST(a_return_and_a_no_show_are_a_few_minutes_old_at_any_hour)
{
	for_each_script(s)
	{
		int n_returned = 0, n_absent = 0;

		for (int i = 0; i < s.n_deeds; i++)
			if (s.deeds[i].at > s.now - 5 * MINUTE) {
				n_returned += s.deeds[i].kind == DEED_TAKE_BACK;
				n_absent += s.deeds[i].kind == DEED_NO_SHOW;
			}
		assert_true(n_returned >= 1 && n_absent >= 1);
	}
}

TEST(every_desk_has_history_and_open_work)
{
	for_each_script(s)
	{
		int brought = 0, fetched = 0, called_off = 0, to_come = 0, several = 0, lent = 0, refused = 0,
		    waits = 0;

		for (int i = 0; i < s.n_plans; i++) {
			const struct plan *p = &s.plans[i];
			bool is_made = trip_is_made(p) && p->fate == FATE_RENTED;

			brought += is_made && p->out_at < s.now;
			fetched += is_made && p->trip.collects && p->back_at < s.now;
			called_off += p->trip.is_called_off && p->trip.called_off_at < s.now;
			to_come += is_made && p->placed_at < s.now && p->starts_at > s.now;
			several += p->n_cars > 1;
			lent += p->n_lent > 0;
			refused += p->is_refused && p->decided_at < s.now;
			waits += p->decided_at > s.now && p->placed_at < s.now;
		}
		assert_true(brought > 200 && fetched > 80 && called_off > 5 && to_come > 5 && several > 50 && lent > 500
			&& refused > 0 && waits > 0);
		assert_true(s.n_errands > 15);
	}
}

/* --- executed: the year of the two log-ins and the employee ------------------------------------------------------- */

static struct cli cli = { .root = ".", .bin = ".", .usage = "" };

/* Steps of other customers are skipped: they would take a minute. */
static void
play_log_ins(struct world *w, struct script *s)
{
	struct dice d = { .state = 20260101 };

	script_write(s, scratch_memory, &d, clock_now());
	assert_true(world_open(w, &cli, scratch));
	world_fleet(w, s);
	world_people(w, s->deeds[0].at - 3 * DAY);
	world_cards(w);
	for (int i = 0; i < s->n_deeds; i++)
		if (s->deeds[i].kind >= DEED_ORDER || s->plans[s->deeds[i].plan].customer < DEMO_LOGINS)
			world_do(w, s, &s->deeds[i]);
	world_end(w, s);
	if (w->why)
		fail_msg("%s", w->why);
}

TEST(the_log_ins_and_the_employee_have_every_kind_of_data)
{
	struct script s;
	struct world w;
	struct db *db;

	cli.m = arena_new(64 << 20);
	cli.var = scratch;
	assert_true(cli_setup(&cli));
	play_log_ins(&w, &s);
	db = w.db;
	assert_true(db_exists(db,
		"SELECT 1 FROM delivery WHERE direction = 'delivery' AND state = 'DELIVERED' AND odometer_km > 0"
		" AND received_by <> ''"));
	assert_true(db_exists(db, "SELECT 1 FROM delivery WHERE direction = 'collection' AND state = 'DELIVERED'"));
	assert_true(db_exists(db, "SELECT 1 FROM delivery WHERE direction = 'collection' AND state = 'SCHEDULED'"));
	assert_true(db_exists(db, "SELECT 1 FROM delivery WHERE direction = 'delivery' AND state = 'REQUESTED'"));
	assert_true(db_exists(db,
		"SELECT 1 FROM booking b JOIN delivery d ON d.booking_code = b.code WHERE b.state = 'OUT'"
		" AND d.state = 'DELIVERED'"));
	assert_true(db_exists(db, "SELECT 1 FROM review_case WHERE state = 'APPROVED' AND rule = 'auto'"));
	assert_true(db_exists(db, "SELECT 1 FROM review_case WHERE state = 'APPROVED' AND reviewer_id <> 0"));
	assert_true(db_exists(db, "SELECT 1 FROM review_case WHERE state = 'REJECTED' AND reason <> ''"));
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM review_case WHERE state = 'ASSIGNED'"), 3);
	assert_true(db_exists(db,
		"SELECT 1 FROM booking_extra WHERE state = 'ENDED' AND refund_state = 'DONE'"
		" AND refunded_amount = amount"));
	assert_true(db_exists(db, "SELECT 1 FROM equipment_order WHERE booking_code = '' AND state = 'HANDED_OUT'"));
	assert_true(db_exists(db, "SELECT 1 FROM equipment_order WHERE booking_code = '' AND state = 'CANCELLED'"));
	assert_true(db_exists(db, "SELECT 1 FROM stock_entry WHERE kind = 'loss' AND order_id IS NOT NULL"));
	assert_true(db_exists(db, "SELECT 1 FROM stock_entry WHERE kind = 'receive'"));
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM item WHERE is_low = 1"), 1);
	assert_int_equal(db_int(db, "SELECT COUNT(*) FROM item"), DEMO_ITEMS);
	assert_false(db_exists(db, "SELECT 1 FROM event_retry"));
	assert_true(world_close(&w));
}

TEST(the_same_seed_makes_the_same_plan)
{
	struct plan first[200];
	int n;

	struct script s = script_of(7, NOON_IN_SEOUL);
	n = s.n_plans;
	memcpy(first, s.plans, sizeof(first));
	s = script_of(7, NOON_IN_SEOUL);
	assert_int_equal(s.n_plans, n);
	assert_memory_equal(first, s.plans, sizeof(first));
	s = script_of(8, NOON_IN_SEOUL);
	assert_memory_not_equal(first, s.plans, sizeof(first));
}

TEST_MAIN("demo", NULL, NULL, open_settings, scratch_end)
