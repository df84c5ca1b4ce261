/* test_process - the logs of `motorpool run` are bounded, and their lines stay whole while many write. */
#include "test.h"

#include "scratch.h"

#include "cli/run/process.c"

/* "N.N.N…\n": a line is whole when it begins and ends with the same number, and nothing else is in it. */
static void
write_line(int fd, int who, int i, size_t n)
{
	char line[4000];
	int at = snprintf(line, sizeof(line), "%d:%d", who, i), end = at;

	while ((size_t)at + (size_t)end + 2 < n)
		line[at++] = '.';
	memcpy(line + at, line, (size_t)end);
	at += end;
	line[at++] = '\n';
	assert_int_equal(write(fd, line, (size_t)at), at);
}

/* Until it is killed, 100 s at most. */
static int __attribute__((noreturn)) writer(void *arg)
{
	int who = *(int *)arg, fd = open(scratch_path("x.log"), O_WRONLY | O_APPEND);

	alarm(100);
	for (int i = 0;; i++) {
		write_line(fd, who, i, (size_t)(200 + (i * 37) % 3000));
		if (i % 10 == 0)
			scratch_sleep_ms(1);
	}
}

static bool
is_whole(const char *line, size_t n)
{
	size_t end = strspn(line, "0123456789:");

	return end > 2 && n >= 2 * end && memcmp(line, line + n - end, end) == 0
		&& strspn(line + end, ".") == n - 2 * end;
}

/* The number of lines in a file, all of which must be whole. */
static int
whole_lines(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[4096];
	int n = 0;

	assert_non_null(f);
	for (; fgets(line, sizeof(line), f); n++)
		if (!strchr(line, '\n') || !is_whole(line, strcspn(line, "\n")))
			fail_msg("%s: not whole: %.200s", path, line);
	fclose(f);
	return n;
}

#define MOST (256 << 10)

TEST(a_log_that_is_too_long_is_rotated_and_every_line_stays_whole)
{
	const char *log = scratch_path("x.log"), *older = scratch_path("x.log.1");
	int who[2] = { 1, 2 };
	pid_t pid[2];
	struct stat st;

	scratch_write(log, "");
	for (int i = 0; i < 2; i++)
		pid[i] = scratch_fork(writer, &who[i]);
	for (int n_trims = 0; n_trims < 8; scratch_sleep_ms(1)) {
		if (stat(log, &st) != 0 || st.st_size < MOST)
			continue;
		process_log_trim(log, MOST);
		assert_true(whole_lines(older) > 50);
		n_trims++;
	}
	for (int i = 0; i < 2; i++)
		kill(pid[i], SIGKILL);
	for (int i = 0; i < 2; i++)
		waitpid(pid[i], NULL, 0);
	whole_lines(log);
	assert_true(stat(older, &st) == 0 && st.st_size >= MOST / 2);
}

TEST(a_copy_that_ends_within_a_line_is_cut_before_that_line)
{
	const char *path = scratch_path("cut");
	int fd;

	scratch_write(path, "one\ntwo\nthr");
	fd = open(path, O_RDWR);
	cut_to_whole_lines(fd);
	close(fd);
	assert_string_equal(scratch_read(path), "one\ntwo\n");
}

TEST_MAIN("process", NULL, NULL, scratch_begin, scratch_end)
