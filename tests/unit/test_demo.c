/* The demo's plan: whatever the seed and whenever it is made, it never asks for what a rule of the house would refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../cli/demo_plan.c"
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

/* Some seeds, around the clock. */
#define for_each_script(s) \
	for (int i_ = 0; i_ < 6; i_++) \
		for (struct script s = script_of((uint64_t)i_ + 1, NOON_IN_SEOUL + i_ * (4 * HOUR + 311)), *once_ = &s; once_; once_ = NULL)

static int
open_settings(void **state)
{
	const char *why = "";
	void *none;

	(void)state;
	assert_int_equal(scratch_begin(&none), 0);
	assert_true(settings_open(".", scratch, &why));
	clock_open(settings.zone);
	return 0;
}

static void
a_year_and_two_months_are_planned(void **state)
{
	(void)state;
	for_each_script(s) {
		int coming = 0;

		assert_in_range(s.n_plans, 6000, 9000);
		for (int i = 0; i < s.n_plans; i++)
			coming += s.plans[i].starts_at > s.now;
		assert_in_range(coming, 100, 500);
		assert_int_equal(s.n_cars, DEMO_CARS);
	}
}

static void
no_car_is_promised_twice(void **state)
{
	(void)state;
	for_each_script(s)
		for (int i = 0; i < s.n_plans; i++)
			for (int j = 0; j < i; j++) {
				const struct plan *a = &s.plans[i], *b = &s.plans[j];

				if (a->car != b->car || a->fate == FATE_DECLINED || b->fate == FATE_DECLINED)
					continue;
				assert_false(a->starts_at < b->ends_at + settings.turnaround_s && b->starts_at < a->ends_at + settings.turnaround_s);
			}
}

static void
nobody_has_more_open_bookings_than_allowed(void **state)
{
	(void)state;
	for_each_script(s) {
		int open[DEMO_CUSTOMERS] = { 0 };

		for (int i = 0; i < s.n_deeds; i++) {
			const struct plan *p = &s.plans[s.deeds[i].plan];

			if (p->fate == FATE_DECLINED)
				assert_true(open[p->customer] < settings.max_bookings_per_person);
			else if (s.deeds[i].kind == DEED_PLACE)
				assert_true(++open[p->customer] <= settings.max_bookings_per_person);
			else if (s.deeds[i].kind != DEED_HAND_OUT)
				open[p->customer]--;
		}
	}
}

static void
deeds_come_in_the_order_of_time_and_of_life(void **state)
{
	(void)state;
	for_each_script(s) {
		char *stage = arena_alloc(scratch_memory, (size_t)s.n_plans + 1);
		static const char after[] = { [DEED_PLACE] = 0, [DEED_CANCEL] = 1, [DEED_HAND_OUT] = 1, [DEED_TAKE_BACK] = 2, [DEED_NO_SHOW] = 1 };

		memset(stage, 0, (size_t)s.n_plans);
		for (int i = 0; i < s.n_deeds; i++) {
			const struct deed *deed = &s.deeds[i];

			assert_true(deed->at < s.now);
			assert_true(i == 0 || deed->at >= s.deeds[i - 1].at);
			assert_int_equal(stage[deed->plan], after[deed->kind]);
			stage[deed->plan]++;
		}
	}
}

static void
every_deed_is_allowed_at_its_time(void **state)
{
	(void)state;
	for_each_script(s)
		for (int i = 0; i < s.n_plans; i++) {
			const struct plan *p = &s.plans[i];

			assert_int_equal(p->starts_at % STEP, 0);
			assert_int_equal(p->ends_at % STEP, 0);
			assert_true(p->placed_at < p->starts_at && p->starts_at < p->ends_at);
			assert_true(p->starts_at - p->placed_at < settings.max_ahead_days * DAY);
			assert_true(p->ends_at - p->starts_at <= settings.max_rental_days * DAY);
			if (p->fate == FATE_RENTED)
				assert_true(p->out_at >= p->starts_at - settings.turnaround_s && p->out_at > p->placed_at && p->back_at > p->out_at);
			if (p->fate == FATE_CANCELLED)
				assert_true(p->placed_at < p->over_at && p->over_at < p->starts_at);
			if (p->fate == FATE_NO_SHOW)
				assert_true(p->over_at >= p->starts_at);
		}
}

static void
each_log_in_has_a_past_a_car_out_and_two_bookings_to_come(void **state)
{
	(void)state;
	for_each_script(s)
		for (int customer = 0; customer < DEMO_LOGINS; customer++) {
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

static void
plates_are_unique_and_look_like_rental_cars(void **state)
{
	(void)state;
	for_each_script(s)
		for (int i = 0; i < s.n_cars; i++) {
			assert_true(strstr(s.cars[i].plate, "허 ") || strstr(s.cars[i].plate, "하 ") || strstr(s.cars[i].plate, "호 "));
			for (int j = 0; j < i; j++)
				assert_string_not_equal(s.cars[i].plate, s.cars[j].plate);
		}
}

static void
the_same_seed_tells_the_same_story(void **state)
{
	struct plan first[200];
	int n;

	(void)state;
	struct script s = script_of(7, NOON_IN_SEOUL);
	n = s.n_plans;
	memcpy(first, s.plans, sizeof(first));
	s = script_of(7, NOON_IN_SEOUL);
	assert_int_equal(s.n_plans, n);
	assert_memory_equal(first, s.plans, sizeof(first));
	s = script_of(8, NOON_IN_SEOUL);
	assert_memory_not_equal(first, s.plans, sizeof(first));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_settings, scratch_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_year_and_two_months_are_planned),
		TEST(no_car_is_promised_twice),
		TEST(nobody_has_more_open_bookings_than_allowed),
		TEST(deeds_come_in_the_order_of_time_and_of_life),
		TEST(every_deed_is_allowed_at_its_time),
		TEST(each_log_in_has_a_past_a_car_out_and_two_bookings_to_come),
		TEST(plates_are_unique_and_look_like_rental_cars),
		TEST(the_same_seed_tells_the_same_story),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
