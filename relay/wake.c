/*
 * wake - the socket that a commit knocks on: $VAR/run/relay.wake, a unix datagram socket. Each datagram says only "look".
 *
 * It is bound under a name of its own and renamed into place, so that there is never a moment without a socket when the
 * next relay takes over. A knock that goes astray is no loss: the children look for themselves ten times a second.
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
bind_to(int fd, const char *path)
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
	before = umask(0117);           /* our user and group */
	rc = bind(fd, (struct sockaddr *)&at, sizeof(at));
	umask(before);
	return rc == 0;
}

int
wake_open(const char *var_dir)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char path[4096], own[4120];

	snprintf(path, sizeof(path), "%s/run/relay.wake", var_dir);
	snprintf(own, sizeof(own), "%s.%d", path, (int)getpid());
	if (fd >= 0 && bind_to(fd, own) && rename(own, path) == 0)
		return fd;
	log_warn("wake", "%s: %s; the children look for themselves", path, strerror(errno));
	unlink(own);
	if (fd >= 0)
		close(fd);
	return -1;
}

bool
wake_drain(int fd)
{
	char byte;
	bool any = false;

	while (fd >= 0 && recv(fd, &byte, 1, MSG_DONTWAIT) >= 0)
		any = true;
	return any;
}
