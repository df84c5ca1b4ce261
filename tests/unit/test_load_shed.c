/* test_busy - whom a program turns away: lines of made-up lengths and speeds, a look every 4 ms. */
#include "test.h"

#include "lib/process/load_shed.c"

/* A line at n_workers that each serve per_s; per_s_in come. Answers how many were turned away; *longest: the longest line. */
struct rush { double served, came, waiting; int n_refused, longest; int64_t now_ms; };

static void
rush_for(struct rush *r, struct load_shed *b, int ms, double per_s_in, double per_s, int n_workers, int n_most)
{
	for (int t = 0; t < ms; t += 4, r->now_ms += 4) {
		struct load_shed_sample l = { .now_ms = r->now_ms, .n_workers = n_workers, .n_most = n_most };
		double done = per_s * n_workers * 0.004;
		int n;

		r->waiting += per_s_in * 0.004;
		r->served += done < r->waiting ? done : r->waiting;
		r->waiting -= done < r->waiting ? done : r->waiting;
		l.n_done = (int64_t)r->served;
		l.n_waiting = (int)r->waiting;
		if (l.n_waiting > r->longest)
			r->longest = l.n_waiting;
		n = load_shed_excess(b, &l);
		assert_true(n >= 0 && n <= l.n_waiting);
		r->waiting -= n;
		r->n_refused += n;
	}
}

TEST(as_many_as_can_be_served_are_served)
{
	struct load_shed b = { .limit_ms = 500 };
	struct rush r = { .now_ms = 1000 };

	rush_for(&r, &b, 20000, 380, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
}

TEST(a_short_rush_waits)
{
	struct load_shed b = { .limit_ms = 500 };
	struct rush r = { .now_ms = 1000 };

	rush_for(&r, &b, 100, 2000, 50, 8, 8);          /* 200 at once: half a second's work, less what is done meanwhile */
	rush_for(&r, &b, 5000, 100, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
}

TEST(four_times_too_many_are_turned_away_soon_and_the_line_stays_short)
{
	struct load_shed b = { .limit_ms = 500 };
	struct rush r = { .now_ms = 1000 };

	rush_for(&r, &b, 1000, 1600, 50, 8, 8);
	assert_true(b.is_refusing);
	assert_true(r.longest < 450);                   /* 300 ms to be sure, at 1,200 a second more than can be served */
	r.longest = 0;
	r.n_refused = 0;
	rush_for(&r, &b, 10000, 1600, 50, 8, 8);
	assert_true(r.longest <= 400 / 20 + 8);         /* 50 ms of work */
	assert_true(r.n_refused > 11000 && r.n_refused < 13000);
}

TEST(when_the_rush_is_over_nobody_is_turned_away)
{
	struct load_shed b = { .limit_ms = 500 };
	struct rush r = { .now_ms = 1000 };

	rush_for(&r, &b, 3000, 1600, 50, 8, 8);
	rush_for(&r, &b, 1500, 100, 50, 8, 8);
	assert_false(b.is_refusing);
	r.n_refused = 0;
	rush_for(&r, &b, 100, 1500, 50, 8, 8);
	rush_for(&r, &b, 2000, 300, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
}

TEST(while_more_workers_may_come_a_line_has_a_second)
{
	struct load_shed b = { .limit_ms = 500 };
	struct rush r = { .now_ms = 1000 };

	rush_for(&r, &b, 800, 400, 50, 2, 8);
	assert_int_equal(r.n_refused, 0);
	rush_for(&r, &b, 1000, 400, 50, 2, 8);          /* nobody came */
	assert_true(r.n_refused > 0);
}

TEST(workers_that_stopped_are_noticed_and_a_moments_pause_is_not)
{
	struct load_shed b = { .limit_ms = 500 };
	struct rush r = { .now_ms = 1000 };

	rush_for(&r, &b, 1000, 410, 50, 8, 8);          /* a line all the time, a short one */
	rush_for(&r, &b, 150, 380, 0, 8, 8);
	rush_for(&r, &b, 2000, 380, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
	rush_for(&r, &b, 3000, 380, 0, 8, 8);
	assert_true(r.n_refused > 500);
}

TEST(without_a_limit_everybody_waits)
{
	struct load_shed b = { .limit_ms = 0 };
	struct rush r = { .now_ms = 1000 };

	rush_for(&r, &b, 3000, 1600, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
}

TEST_MAIN("load shed", NULL, NULL, NULL, NULL)
