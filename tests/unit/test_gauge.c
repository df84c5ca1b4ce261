/* test_gauge - the workers' counters, written by many processes and read by others; and the length of a socket's
 * backlog. */
#include "test.h"

static int64_t fake_ms;
static int64_t test_clock_ms(void) { return fake_ms; }
#define clock_ms test_clock_ms
#define MP_CLOCK_H
#include "lib/base/gauge.c"
#undef MP_CLOCK_H
#undef clock_ms

#include "scratch.h"
#include "lib/process/backlog.h"

#include <sys/socket.h>
#include <sys/un.h>

TEST(what_one_process_counts_another_reads)
{
	struct gauge *g = gauge_open(scratch, "fleet");
	const struct gauge *reader = gauge_open_readonly(scratch, "fleet");

	assert_non_null(g);
	assert_non_null(reader);
	fake_ms = 1000000;
	gauge_begin(g, 3);
	assert_int_equal(atomic_load(&reader->worker[3].busy_since_ms), 1000000);
	gauge_end(g, 3, 200, 1500);
	gauge_end(g, 3, 503, 90);
	gauge_end(g, 3, 500, 9000000);
	assert_int_equal(atomic_load(&reader->worker[3].busy_since_ms), 0);
	assert_int_equal(atomic_load(&reader->worker[3].n_requests), 3);
	assert_int_equal(atomic_load(&reader->n_requests[2]), 1);
	assert_int_equal(atomic_load(&reader->n_requests[5]), 2);
	assert_int_equal(atomic_load(&reader->sum_us), 1500 + 90 + 9000000);
	assert_int_equal(atomic_load(&reader->bucket[0]), 1);
	assert_int_equal(atomic_load(&reader->bucket[4]), 1);
	assert_int_equal(atomic_load(&reader->bucket[GAUGE_BUCKETS]), 1);
	gauge_close(g);
	gauge_close(reader);
}

TEST(without_a_gauge_nothing_is_counted)
{
	gauge_begin(NULL, 0);
	gauge_end(NULL, 0, 200, 1);
	assert_null(gauge_open_readonly(scratch, "none"));
	assert_int_equal(gauge_minute(NULL).n, 0);
}

TEST(the_last_minute_is_six_whole_windows)
{
	struct gauge *g = gauge_open(scratch, "booking");
	struct gauge_minute m;

	for (fake_ms = 50 * GAUGE_WINDOW_MS; fake_ms < 60 * GAUGE_WINDOW_MS; fake_ms += 100)
		gauge_end(g, 0, 200, 3000);
	m = gauge_minute(g); /* the current window has just begun */
	assert_int_equal(m.n, 600);
	assert_true(m.per_s > 9.9 && m.per_s < 10.1);
	assert_int_equal(m.n_failed, 0);
	fake_ms += 30000; /* half of them are too long ago */
	assert_int_equal(gauge_minute(g).n, 300);
	fake_ms += 60000;
	assert_int_equal(gauge_minute(g).n, 0);
	gauge_close(g);
}

TEST(quantiles_are_those_of_the_requests)
{
	struct gauge *g = gauge_open(scratch, "payment");
	struct gauge_minute m;

	fake_ms = 100 * GAUGE_WINDOW_MS;
	for (int i = 0; i < 990; i++)
		gauge_end(g, 0, 200, 1500);
	for (int i = 0; i < 11; i++)
		gauge_end(g, 0, i ? 200 : 500, 400000);
	fake_ms += GAUGE_WINDOW_MS;
	m = gauge_minute(g);
	assert_true(m.p50_us > 1000 && m.p50_us <= 2000);
	assert_true(m.p99_us > 300000 && m.p99_us <= 500000);
	assert_int_equal(m.n_failed, 1);
	gauge_close(g);
}

TEST(counts_of_many_processes_are_not_lost)
{
	struct gauge *g = gauge_open(scratch, "mypage");

	fake_ms = 200 * GAUGE_WINDOW_MS;
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			for (int k = 0; k < 20000; k++)
				gauge_end(g, i, 200, 10);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	assert_int_equal(atomic_load(&g->n_requests[2]), 80000);
	assert_int_equal(atomic_load(&g->window[200 % GAUGE_WINDOWS].n), 80000);
	gauge_close(g);
}

TEST(only_public_workers_that_can_serve_are_counted)
{
	struct gauge *g = gauge_open(scratch, "ops");

	for (int i = 0; i < 6; i++) {
		atomic_store(&g->worker[i].pid, 100 + i);
		atomic_store(&g->worker[i].ready, i != 1);
		atomic_store(&g->worker[i].internal, i == 2);
		atomic_store(&g->worker[i].draining, i == 3);
	}
	gauge_begin(g, 0);
	assert_int_equal(gauge_minute(g).n_workers, 3);
	assert_int_equal(gauge_minute(g).n_busy, 1);
	gauge_close(g);
}

TEST(the_length_of_the_backlog_is_known)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c[5], n;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", scratch_path("backlog.sock"));
	assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s, 10), 0);
	assert_int_equal(backlog_length(s), 0);
	for (int i = 0; i < 5; i++) {
		c[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(c[i], (struct sockaddr *)&at, sizeof(at)), 0);
		assert_int_equal(backlog_length(s), backlog_open() ? i + 1 : 1);
	}
	n = accept(s, NULL, NULL);
	assert_int_equal(backlog_length(s), backlog_open() ? 4 : 1);
	for (int i = 0; i < 5; i++)
		close(c[i]);
	close(n);
	close(s);
}

TEST_MAIN("gauge", NULL, NULL, scratch_begin, scratch_end)
