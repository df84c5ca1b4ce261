/* test_lag_history - the ring buffer of samples behind the charts of /ops. */
#include "test.h"

#include "scratch.h"

#include "lib/event/lag_history.c"

static void
add_sample(struct lag_history_shm *b, int64_t at)
{
	struct lag_sample s = { .at = at, .wal_bytes = { at * 10, -1, 0 } };

	s.lag[1] = (struct consumer_lag_now){ .n_behind = at + 1, .behind_s = 2, .n_waiting = 3, .n_dead = 4 };
	lag_history_add(b, &s);
}

TEST(without_a_relay_there_is_no_history)
{
	struct lag_history h;

	assert_false(lag_history_read(scratch_memory, scratch, &h));
	assert_int_equal(h.n_samples, 0);
}

TEST(samples_are_read_whole_and_oldest_first)
{
	struct lag_history_shm *b = lag_history_open(scratch);
	struct lag_history h;

	assert_int_equal(lag_history_column(b, "booking"), 0);
	assert_int_equal(lag_history_column(b, "fleet"), 1);
	assert_int_equal(lag_history_column(b, "booking"), 0);
	for (int i = 1; i <= 3; i++)
		add_sample(b, i);
	lag_history_close(b);
	assert_true(lag_history_read(scratch_memory, scratch, &h));
	assert_int_equal(h.n_consumers, 2);
	assert_string_equal(h.consumer[1], "fleet");
	assert_int_equal(h.n_samples, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(h.samples[i].at, i + 1);
		assert_int_equal(h.samples[i].lag[1].n_behind, i + 2);
		assert_int_equal(h.samples[i].lag[1].n_dead, 4);
		assert_int_equal(h.samples[i].wal_bytes[0], 10 * (i + 1));
		assert_int_equal(h.samples[i].wal_bytes[1], -1);
	}
}

TEST(the_oldest_are_overwritten_and_another_relay_continues_the_same_ring)
{
	struct lag_history_shm *b;
	struct lag_history h;

	for (int64_t at = 1; at <= LAG_SAMPLES + 50; at++) {
		b = lag_history_open(scratch);
		add_sample(b, at);
		lag_history_close(b);
	}
	assert_true(lag_history_read(scratch_memory, scratch, &h));
	assert_int_equal(h.n_samples, LAG_SAMPLES);
	assert_int_equal(h.samples[0].at, 51);
	assert_int_equal(h.samples[LAG_SAMPLES - 1].at, LAG_SAMPLES + 50);
}

TEST(more_consumers_than_columns_are_left_out)
{
	struct lag_history_shm *b = lag_history_open(scratch);

	for (int i = 0; i < LAG_CONSUMERS; i++)
		assert_int_equal(lag_history_column(b, arena_printf(scratch_memory, "c%d", i)), i);
	assert_int_equal(lag_history_column(b, "one too many"), -1);
	lag_history_close(b);
}

static int
write_without_end(void *arg)
{
	struct lag_history_shm *b = lag_history_open(scratch);

	(void)arg;
	for (int64_t at = 1;; at++)
		add_sample(b, at);
	return 0;
}

TEST(a_sample_read_while_it_is_written_is_whole_or_skipped)
{
	pid_t writer = scratch_fork(write_without_end, NULL);
	int64_t n = 0;

	scratch_sleep_ms(50);
	for (int i = 0; i < 200; i++) {
		struct lag_history h;

		arena_reset(scratch_memory);
		assert_true(lag_history_read(scratch_memory, scratch, &h));
		for (int k = 0; k < h.n_samples; k++, n++)
			assert_true(h.samples[k].wal_bytes[0] == 10 * h.samples[k].at
				&& h.samples[k].lag[1].n_behind == h.samples[k].at + 1);
	}
	kill(writer, SIGKILL);
	scratch_wait(writer);
	assert_true(n > 1000);
}

TEST_MAIN("lag history", NULL, NULL, scratch_begin, scratch_end)
