/* process.c - starting, ending and watching the processes of `motorpool run`. The story is in process.h. */
#include "process.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 10000
#define ROUNDS       4
#define SETTLED_MS   5000               /* whoever lived so long did not die of its start */

/* --- starting ------------------------------------------------------------------------------------------------------- */

static _Noreturn void
become(const struct process *s, pid_t parent)
{
	int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	execv(s->argv[0], (char *const *)s->argv);
	fprintf(stderr, "%s: %s\n", s->argv[0], strerror(errno));
	_exit(127);
}

bool
process_start(struct process *s)
{
	pid_t parent = getpid();

	fflush(NULL);
	s->started_ms = clock_ms();
	s->pid = fork();
	if (s->pid == 0)
		become(s, parent);
	if (s->pid > 0)
		return true;
	s->pid = 0;
	s->start_at_ms = s->started_ms + PAUSE_MAX_MS;
	return false;
}

void
process_ended(struct process *s, int status)
{
	int64_t now = clock_ms();

	(void)status;
	s->pid = 0;
	if (now - s->started_ms > SETTLED_MS)
		s->pause_ms = 0;
	s->start_at_ms = now + s->pause_ms;
	s->pause_ms = s->pause_ms == 0 ? PAUSE_MIN_MS : s->pause_ms < PAUSE_MAX_MS / 2 ? 2 * s->pause_ms : PAUSE_MAX_MS;
}

/* --- ending --------------------------------------------------------------------------------------------------------- */

void
process_end(struct process *s)
{
	if (s->pid)
		kill(s->pid, s->ending);
}

/* Its session is its process group: workers whose parent was killed are in it still. */
void
process_kill(struct process *s)
{
	if (s->pid)
		kill(-s->pid, SIGKILL);
}

bool
process_is_alive(const struct process *s)
{
	return s->pid && (kill(-s->pid, 0) == 0 || errno == EPERM);
}

/* --- logs ----------------------------------------------------------------------------------------------------------- */

/* Copying may have met a line that was just being written: its end is in neither file, so the copy ends before it. */
static void
end_with_whole_line(int fd)
{
	char tail[8192];
	off_t size = lseek(fd, 0, SEEK_END), from = size > (off_t)sizeof(tail) ? size - (off_t)sizeof(tail) : 0;
	ssize_t n = pread(fd, tail, sizeof(tail), from);
	const char *end = n > 0 ? memrchr(tail, '\n', (size_t)n) : NULL;

	if (end && ftruncate(fd, from + (end + 1 - tail)) != 0)
		fprintf(stderr, "cannot truncate a log: %s\n", strerror(errno));
}

/* Copies what is there, and then what has come meanwhile, each time less; but runs after nobody who writes faster than that. */
static void
move_log(const char *log, int from, int to)
{
	struct stat st;
	off_t at = 0;

	for (int round = 0; round < ROUNDS && fstat(from, &st) == 0 && at < st.st_size; round++)
		while (at < st.st_size && sendfile(to, from, &at, (size_t)(st.st_size - at)) > 0)
			;
	if (ftruncate(from, 0) != 0)
		fprintf(stderr, "%s: %s\n", log, strerror(errno));
	end_with_whole_line(to);
}

/*
 * Too long: what is there becomes NAME.log.1, and the file, which the processes hold open for appending, begins anew. Lines stay
 * whole: a write and the cut wait for each other.
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
		move_log(log, from, to);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
}
