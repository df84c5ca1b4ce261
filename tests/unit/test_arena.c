/* test_arena - memory of a request: pieces, growth, reset, texts, and the limit. */
#include "test.h"

#include "lib/base/arena.c"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1024 * 1024)

TEST(a_piece_is_zeroed_and_aligned)
{
	struct arena *m = arena_new(MIB);

	for (size_t n = 0; n < 300; n++) {
		char *p = arena_alloc(m, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
}

TEST(pieces_do_not_overlap)
{
	struct arena *m = arena_new(16 * MIB);
	char *piece[1000];

	for (int i = 0; i < 1000; i++)
		memset(piece[i] = arena_alloc(m, (size_t)i), i & 0x7f, (size_t)i);
	for (int i = 0; i < 1000; i++)
		for (int k = 0; k < i; k++)
			assert_int_equal(piece[i][k], i & 0x7f);
}

TEST(after_a_reset_the_same_memory_is_used_again_and_zeroed)
{
	struct arena *m = arena_new(MIB);
	char *first = arena_alloc(m, 100), *again;

	memset(first, 'x', 100);
	arena_reset(m);
	assert_int_equal(arena_used(m), 0);
	again = arena_alloc(m, 100);
	assert_ptr_equal(first, again);
	for (int i = 0; i < 100; i++)
		assert_int_equal(again[i], 0);
}

TEST(requests_of_the_same_kind_ask_for_no_more_memory)
{
	struct arena *m = arena_new(64 * MIB);
	int n_chunks[2] = { 0, 0 };

	for (int round = 0; round < 50; round++) {
		arena_reset(m);
		for (int i = 0; i < 40; i++)
			arena_alloc(m, 5000 * (size_t)(1 + (i * 7 + round) % 40));
		if (round != 1 && round != 49)
			continue;
		for (struct chunk *c = m->first; c; c = c->next)
			n_chunks[round == 49]++;
	}
	assert_in_range(n_chunks[1], 1, n_chunks[0] + 2);
}

TEST(the_newest_piece_grows_in_place)
{
	struct arena *m = arena_new(MIB);
	char *p = arena_alloc(m, 10), *q;

	memcpy(p, "0123456789", 10);
	q = arena_grow(m, p, 10, 1000);
	assert_ptr_equal(p, q);
	assert_memory_equal(q, "0123456789", 10);
	for (int i = 10; i < 1000; i++)
		assert_int_equal(q[i], 0);
}

TEST(an_older_piece_grows_by_moving_and_keeps_what_it_held)
{
	struct arena *m = arena_new(MIB);
	char *p = arena_strdup(m, "hello"), *q;

	arena_alloc(m, 1);
	q = arena_grow(m, p, 6, 60);
	assert_ptr_not_equal(p, q);
	assert_string_equal(q, "hello");
	assert_string_equal(p, "hello");
}

TEST(growing_nothing_makes_a_piece)
{
	struct arena *m = arena_new(MIB);
	char *p = arena_grow(m, NULL, 0, 8);

	assert_memory_equal(p, "\0\0\0\0\0\0\0\0", 8);
}

TEST(a_piece_larger_than_any_chunk_is_fine)
{
	struct arena *m = arena_new(64 * MIB);

	memset(arena_alloc(m, 20 * MIB), 'x', 20 * MIB);
	assert_true(arena_used(m) >= 20 * MIB);
}

TEST(texts_are_copied_and_NULL_stays_NULL)
{
	struct arena *m = arena_new(MIB);

	assert_null(arena_strdup(m, NULL));
	assert_string_equal(arena_strndup(m, "abcdef", 3), "abc");
	assert_string_equal(arena_printf(m, "%s-%d", "MP", 7), "MP-7");
	assert_string_equal(arena_printf(m, "%s", ""), "");
	assert_int_equal(strlen(arena_printf(m, "%5000d", 1)), 5000);
}

TEST(a_printed_text_takes_no_more_room_than_it_needs)
{
	struct arena *m = arena_new(MIB);

	arena_printf(m, "%s", "short");
	assert_int_equal(arena_used(m), 16);
}

TEST(a_buf_grows_and_always_ends_in_NUL)
{
	struct arena *m = arena_new(4 * MIB);
	struct buf b = { .m = m };

	for (int i = 0; i < 20000; i++) {
		buf_puts(&b, "ab");
		buf_printf(&b, "%d", i % 10);
		if (i % 500 == 0)
			arena_alloc(m, 1); /* not the newest any more: it has to move */
		assert_int_equal(b.s[b.n], 0);
	}
	assert_int_equal(b.n, 60000);
	assert_int_equal(strlen(b.s), 60000);
	assert_memory_equal(b.s + 59997, "ab9", 3);
}

TEST(an_empty_put_makes_an_empty_text)
{
	struct buf b = { .m = arena_new(MIB) };

	buf_put(&b, NULL, 0);
	assert_string_equal(b.s, "");
	buf_printf(&b, "%s", "");
	assert_int_equal(b.n, 0);
}

TEST(reserved_room_is_written_by_the_caller)
{
	struct buf b = { .m = arena_new(MIB) };

	memset(buf_reserve(&b, 1000), 'x', 1000);
	b.n += 1000;
	buf_puts(&b, "y");
	assert_int_equal(strlen(b.s), 1001);
}

/* How a child process that does it ends: the signal, or 0. */
static int
signal_of(void (*fn)(void))
{
	struct rlimit no_core = { 0, 0 };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void pass_the_limit_at_once(void) { arena_alloc(arena_new(MIB), 2 * MIB); }
static void ask_for_a_negative_number(void) { volatile long n = -1; arena_alloc(arena_new(MIB), (size_t)n); }
static void pass_the_limit_by_growing(void)
{
	struct buf b = { .m = arena_new(MIB) };

	for (;;)
		buf_puts(&b, "and so on ");
}
static void stay_within(void)
{
	struct arena *m = arena_new(MIB);

	for (int i = 0; i < 100; i++, arena_reset(m))
		arena_alloc(m, MIB - 1000);
}

TEST(passing_the_limit_ends_the_process)
{
	assert_int_equal(signal_of(pass_the_limit_at_once), SIGABRT);
	assert_int_equal(signal_of(ask_for_a_negative_number), SIGABRT);
	assert_int_equal(signal_of(pass_the_limit_by_growing), SIGABRT);
	assert_int_equal(signal_of(stay_within), 0);
}

TEST_MAIN("arena", NULL, NULL, NULL, NULL)
