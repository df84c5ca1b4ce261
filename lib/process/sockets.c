/*
 * sockets.c - a program's listening sockets, and the pid file beside them.
 *
 * The sockets are bound under temporary names and renamed when workers are ready, so a predecessor's socket is replaced
 * without a moment between, and they stay open in the parent while workers come and go: connections may have to wait,
 * but none is refused.
 */
#include "parent_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int names_fd;

/* Names in $VAR/run change only under this lock: a parent that ends must not unlink what its successor has put
 * there. */
static void
lock_names(bool on)
{
	while (flock(names_fd, on ? LOCK_EX : LOCK_UN) != 0 && errno == EINTR)
		;
}

static bool
run_path(char to[static 108], const char *suffix)
{
	return snprintf(to, 108, "%s/run/%s%s", parent.plan->var_dir, parent.plan->name, suffix) < 100
		|| (errno = ENAMETOOLONG, false);
}

bool
sockets_open(void)
{
	char path[108], internal[108];

	snprintf(path, sizeof(path), "%.90s/run", parent.plan->var_dir);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return false;
	if (!run_path(path, ".names") || !run_path(parent.pid_file, ".pid"))
		return false;
	names_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (names_fd < 0 || !run_path(path, ".sock") || !run_path(internal, ".internal.sock"))
		return false;
	return listener_open(&parent.listener[0], path)
		&& (!parent.plan->n_max[1] || listener_open(&parent.listener[1], internal));
}

void
sockets_publish(void)
{
	lock_names(true);
	listener_publish(&parent.listener[0]);
	listener_publish(&parent.listener[1]);
	lock_names(false);
}

static bool
pid_file_is_ours(void)
{
	FILE *f = fopen(parent.pid_file, "re");
	int pid = 0;

	if (!f)
		return false;
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid == (int)getpid();
}

void
sockets_close(void)
{
	lock_names(true);
	listener_close(&parent.listener[0]);
	listener_close(&parent.listener[1]);
	if (pid_file_is_ours())
		unlink(parent.pid_file);
	lock_names(false);
}
