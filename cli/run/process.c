/* process.c - starting the processes of `motorpool run`, and limiting the length of their logs. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_ROUNDS  4

/* In the child: its output goes to its log. */
static _Noreturn void
process_exec(const struct process *p)
{
	int log = open(p->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640),
	    null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	signal(SIGPIPE, SIG_DFL);
	if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	execv(p->argv[0], (char *const *)p->argv);
	fprintf(stderr, "%s: %s\n", p->argv[0], strerror(errno));
	_exit(127);
}

void
process_start(struct child *c)
{
	if (child_fork(c) == 0)
		process_exec((struct process *)c);
}

/* --- logs ------------------------------------------------------------------------------------------------------- */

/* A line may have been written while it was copied: then its end is in neither file, and the copy is cut before it. */
static void
cut_to_whole_lines(int fd)
{
	char tail[8192];
	off_t size = lseek(fd, 0, SEEK_END), from = size > (off_t)sizeof(tail) ? size - (off_t)sizeof(tail) : 0;
	ssize_t n = pread(fd, tail, sizeof(tail), from);
	const char *end = n > 0 ? memrchr(tail, '\n', (size_t)n) : NULL;

	if (end && ftruncate(fd, from + (end + 1 - tail)) != 0)
		fprintf(stderr, "cannot truncate a log: %s\n", strerror(errno));
}

/* Copies the log, then what has been added meanwhile, each time less; a fixed number of rounds, since a writer may be
 * faster. */
static void
log_move(const char *log, int from, int to)
{
	struct stat st;
	off_t at = 0;

	for (int round = 0; round < COPY_ROUNDS && fstat(from, &st) == 0 && at < st.st_size; round++)
		while (at < st.st_size && sendfile(to, from, &at, (size_t)(st.st_size - at)) > 0)
			;
	if (ftruncate(from, 0) != 0)
		fprintf(stderr, "%s: %s\n", log, strerror(errno));
	cut_to_whole_lines(to);
}

/*
 * The processes have the log open for appending, so it is copied and truncated, not renamed. Lines stay whole: the
 * kernel does not truncate a file during a write.
 */
void
process_log_trim(const char *log, int64_t most_bytes)
{
	char older[4200];
	struct stat st;
	int from, to;

	if (stat(log, &st) != 0 || st.st_size < most_bytes)
		return;
	snprintf(older, sizeof(older), "%.4090s.1", log);
	from = open(log, O_RDWR | O_CLOEXEC);
	to = open(older, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (from >= 0 && to >= 0)
		log_move(log, from, to);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
}
