/* photo - runs the program that redraws pictures, and keeps the result. The overview is in photo.h. */
#include "photo.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "fleet-photo"

/* --- running the program ------------------------------------------------------------------------------------------ */

/* In the folder of this program, since both are of one build. */
const char *
photo_program(struct arena *m)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *given = getenv("MOTORPOOL_FLEET_PHOTO");

	if (given && *given)
		return given;
	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	return arena_printf(m, "%s/%s", self, PROGRAM);
}

/* -1: it could not be started. */
static pid_t
start_redraw(const char *path, int in, int out)
{
	char *argv[] = { (char *)PROGRAM, NULL }, *env[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	pid_t pid = -1;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	errno = posix_spawn(&pid, path, &files, &how, argv, env);
	if (errno) {
		log_error("photo", "%s cannot be run: %s", path, strerror(errno));
		pid = -1;
	}
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	return pid;
}

/* Its exit status; -1: it was killed, by the deadline or a limit. */
static int
wait_redraw(pid_t pid)
{
	int64_t until = clock_ms() + PHOTO_DEADLINE_MS;
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int status = 0, left;

	while (end.fd >= 0 && (left = (int)(until - clock_ms())) > 0 && poll(&end, 1, left) < 0 && errno == EINTR)
		;
	if (!(end.revents & POLLIN))
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (end.fd >= 0)
		close(end.fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
write_bytes(int fd, const char *s, size_t n)
{
	ssize_t put;

	for (; n; s += put, n -= (size_t)put)
		if ((put = write(fd, s, n)) <= 0)
			return false;
	return true;
}

/* What was written to fd; NULL: nothing, or too much. */
static char *
read_back(struct arena *m, int fd, size_t *n)
{
	struct stat st;
	char *s;

	if (fstat(fd, &st) != 0 || st.st_size <= 0 || (size_t)st.st_size > PHOTO_JPEG_MAX)
		return NULL;
	*n = (size_t)st.st_size;
	s = arena_alloc(m, *n);
	return pread(fd, s, *n, 0) == (ssize_t)*n ? s : NULL;
}

static enum photo_outcome
redraw_outcome(int exit_status)
{
	switch (exit_status) {
	case PICTURE_DONE: return PHOTO_OK;
	case PICTURE_TOO_LARGE: return PHOTO_TOO_LARGE;
	case 127: return PHOTO_LATER; /* the program is missing */
	}
	return PHOTO_UNREADABLE;
}

/* Input and output are files in memory: no pipe that could fill up, nothing on disk. */
enum photo_outcome
photo_redraw(struct arena *m, const char *bytes, size_t n, char **jpeg, size_t *jpeg_n)
{
	int in = memfd_create("photo-in", MFD_CLOEXEC), out = memfd_create("photo-out", MFD_CLOEXEC);
	enum photo_outcome outcome = PHOTO_LATER;
	pid_t pid;

	if (in < 0 || out < 0 || !write_bytes(in, bytes, n) || lseek(in, 0, SEEK_SET) != 0)
		goto out;
	pid = start_redraw(photo_program(m), in, out);
	if (pid < 0)
		goto out;
	outcome = redraw_outcome(wait_redraw(pid));
	if (outcome == PHOTO_OK && !(*jpeg = read_back(m, out, jpeg_n)))
		outcome = PHOTO_UNREADABLE;
out:
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return outcome;
}

/* --- keeping the file --------------------------------------------------------------------------------------------- */

const char *
photo_name(struct arena *m, const char *jpeg, size_t n)
{
	unsigned char hash[32];
	char hex[2 * sizeof(hash) + 1];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)jpeg, n, NULL, 0);
	return arena_printf(m, "%s.jpg", sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
}

const char *
photo_write_aside(struct arena *m, const char *dir, mode_t mode, const char *jpeg, size_t n)
{
	char *path = arena_printf(m, "%s/.new-XXXXXX", dir);
	bool ok;
	int fd;

	if (mkdir(dir, mode | (mode & 0444) >> 2) != 0 && errno != EEXIST)
		log_error("photo", "%s cannot be made: %s", dir, strerror(errno));
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		log_error("photo", "%s: %s", path, strerror(errno));
		return NULL;
	}
	ok = write_bytes(fd, jpeg, n) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
	close(fd);
	if (ok)
		return path;
	log_error("photo", "%s cannot be written: %s", path, strerror(errno));
	unlink(path);
	return NULL;
}
