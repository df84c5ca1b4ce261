/* test_load_shed - which connections are refused: simulated backlogs, sampled every 4 ms. */
#include "test.h"

#include "lib/process/load_shed.c"

/* n_workers each serve per_s a second, per_s_in arrive. Counts the refused ones; longest: of the backlogs. */
struct burst { double served, waiting; int n_refused, longest; int64_t now_ms; };

static void
burst_for(struct burst *r, struct load_shed *s, int ms, double per_s_in, double per_s, int n_workers, int n_most)
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
		n = load_shed_excess(s, &l);
		assert_true(n >= 0 && n <= l.n_waiting);
		r->waiting -= n;
		r->n_refused += n;
	}
}

TEST(below_capacity_none_is_refused)
{
	struct load_shed b = { .limit_ms = 500 };
	struct burst r = { .now_ms = 1000 };

	burst_for(&r, &b, 20000, 380, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
}

TEST(a_short_burst_waits)
{
	struct load_shed b = { .limit_ms = 500 };
	struct burst r = { .now_ms = 1000 };

	burst_for(&r, &b, 100, 2000, 50, 8, 8); /* 200 arrivals: half a second's work, less what is done meanwhile */
	burst_for(&r, &b, 5000, 100, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
}

TEST(at_four_times_the_capacity_most_are_refused_soon_and_the_backlog_stays_short)
{
	struct load_shed b = { .limit_ms = 500 };
	struct burst r = { .now_ms = 1000 };

	burst_for(&r, &b, 1000, 1600, 50, 8, 8);
	assert_true(b.is_refusing);
	assert_true(r.longest < 450); /* 300 ms of measuring, at 1,200 a second above capacity */
	r.longest = 0;
	r.n_refused = 0;
	burst_for(&r, &b, 10000, 1600, 50, 8, 8);
	assert_true(r.longest <= 400 / 20 + 8); /* 50 ms of work */
	assert_true(r.n_refused > 11000 && r.n_refused < 13000);
}

TEST(when_the_burst_is_over_none_is_refused)
{
	struct load_shed b = { .limit_ms = 500 };
	struct burst r = { .now_ms = 1000 };

	burst_for(&r, &b, 3000, 1600, 50, 8, 8);
	burst_for(&r, &b, 1500, 100, 50, 8, 8);
	assert_false(b.is_refusing);
	r.n_refused = 0;
	burst_for(&r, &b, 100, 1500, 50, 8, 8);
	burst_for(&r, &b, 2000, 300, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
}

TEST(while_more_workers_can_be_started_the_backlog_has_a_second)
{
	struct load_shed b = { .limit_ms = 500 };
	struct burst r = { .now_ms = 1000 };

	burst_for(&r, &b, 800, 400, 50, 2, 8);
	assert_int_equal(r.n_refused, 0);
	burst_for(&r, &b, 1000, 400, 50, 2, 8); /* none was started */
	assert_true(r.n_refused > 0);
}

TEST(stopped_workers_are_noticed_and_a_short_pause_is_not)
{
	struct load_shed b = { .limit_ms = 500 };
	struct burst r = { .now_ms = 1000 };

	burst_for(&r, &b, 1000, 410, 50, 8, 8); /* a short backlog all the time */
	burst_for(&r, &b, 150, 380, 0, 8, 8);
	burst_for(&r, &b, 2000, 380, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
	burst_for(&r, &b, 3000, 380, 0, 8, 8);
	assert_true(r.n_refused > 500);
}

TEST(without_a_limit_all_wait)
{
	struct load_shed b = { .limit_ms = 0 };
	struct burst r = { .now_ms = 1000 };

	burst_for(&r, &b, 3000, 1600, 50, 8, 8);
	assert_int_equal(r.n_refused, 0);
}

TEST_MAIN("load shed", NULL, NULL, NULL, NULL)
