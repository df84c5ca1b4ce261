/*
 * scratch - a state folder of its own for a test: the real schema and a few tables of the test's, gone at the end.
 * Tests run from the top of the tree. Include it after cmocka.h.
 */
#ifndef MP_SCRATCH_H
#define MP_SCRATCH_H

#include "lib/db/db.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char scratch[64];
static struct arena *scratch_memory;

static int
scratch_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline int
scratch_begin(void **state __attribute__((unused)))
{
	snprintf(scratch, sizeof(scratch), "%s/motorpool-unit-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!scratch_memory)
		scratch_memory = arena_new(256 << 20);
	arena_reset(scratch_memory);
	return mkdtemp(scratch) ? 0 : -1;
}

static inline int
scratch_end(void **state __attribute__((unused)))
{
	if (getenv("KEEP"))
		return printf("the state folder is kept: %s\n", scratch) < 0;
	return nftw(scratch, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *
scratch_path(const char *name)
{
	return arena_printf(scratch_memory, "%s/%s", scratch, name);
}

static inline void
scratch_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
}

static inline const char *
scratch_read(const char *path)
{
	struct buf b = { .m = scratch_memory };
	FILE *f = fopen(path, "r");
	char part[4096];
	size_t n;

	assert_non_null(f);
	buf_puts(&b, "");
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(&b, part, n);
	fclose(f);
	return b.s;
}

/* db/schema.sql and db/view.sql with more tables behind them. */
static inline void
scratch_create(const char *more, const char *more_view)
{
	const char *schema = scratch_path("schema.sql"), *view = scratch_path("view.sql"), *why = "";

	scratch_write(schema, arena_printf(scratch_memory, "%s\n%s", scratch_read("db/schema.sql"), more));
	scratch_write(view, arena_printf(scratch_memory, "%s\n%s", scratch_read("db/view.sql"), more_view));
	if (!db_create(scratch, schema, view, &why))
		fail_msg("%s", why);
}

static inline struct db *
scratch_open(const struct db_role *role)
{
	const char *why = "";
	struct db *db = db_open(scratch, role, scratch_memory, &why);

	if (!db)
		fail_msg("%s", why);
	return db;
}

/* Runs a function in a process of its own, which ends with what it answers. */
static inline pid_t
scratch_fork(int (*fn)(void *arg), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(arg));
	return pid;
}

static inline int
scratch_wait(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void
scratch_sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static inline double
scratch_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Waits until the condition holds, 15 times as long as a quiet machine may take at most; answers whether it does. */
#define SCRATCH_PATIENCE 15
#define scratch_until(condition, ms) ({ \
	bool holds_ = false; \
	double began_ = scratch_us(); \
	while (!(holds_ = (condition)) && scratch_us() - began_ < (ms) * 1e3 * SCRATCH_PATIENCE) \
		scratch_sleep_ms(10); \
	holds_; \
})

/* Whether something takes less than so many ms, at least once in twenty times: on a busy machine not every time. */
#define scratch_is_quick(ms, what) ({ \
	bool is_quick_ = false; \
	for (int try_ = 0; try_ < 20 && !is_quick_; try_++) { \
		double began_ = scratch_us(); \
		what; \
		is_quick_ = scratch_us() - began_ < (ms) * 1e3; \
	} \
	is_quick_; \
})

#endif
