/*
 * wakeup.c - the socket that tells of new events: $VAR/run/relay.wake, a unix datagram socket that event.c sends to
 * after each commit. A datagram's content does not matter.
 *
 * It is bound under a temporary name and renamed, so that there is always a socket when the next relay takes over. A
 * lost datagram does no harm: the children poll ten times a second.
 */
#include "relay.h"

#include "lib/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool
wakeup_bind(int fd, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	mode_t before;
	int rc;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(at.sun_path, path);
	unlink(path);
	before = umask(0117); /* for our user and group */
	rc = bind(fd, (struct sockaddr *)&at, sizeof(at));
	umask(before);
	return rc == 0;
}

int
wakeup_open(const char *var_dir)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char path[4096], temp[4120];

	snprintf(path, sizeof(path), "%s/run/relay.wake", var_dir);
	snprintf(temp, sizeof(temp), "%s.%d", path, (int)getpid());
	if (fd >= 0 && wakeup_bind(fd, temp) && rename(temp, path) == 0)
		return fd;
	log_warn("wakeup", "%s: %s; new events are found by polling", path, strerror(errno));
	unlink(temp);
	if (fd >= 0)
		close(fd);
	return -1;
}

bool
wakeup_drain(int fd)
{
	char byte;
	bool any = false;

	while (fd >= 0 && recv(fd, &byte, 1, MSG_DONTWAIT) >= 0)
		any = true;
	return any;
}
