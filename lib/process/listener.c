/* listener.c - a listening unix socket; listener.h describes it. */
#include "listener.h"

#include "lib/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024            /* as many as lighttpd's max-connections: a full backlog is a 500 from lighttpd */

bool
listener_open(struct listener *l, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;

	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->path, sizeof(l->path), "%.96s.%d", l->name, (int)getpid());
	memcpy(at.sun_path, l->path, sizeof(at.sun_path));
	unlink(l->path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return false;
	if (chmod(l->path, 0660) != 0 || listen(l->fd, BACKLOG) != 0 || stat(l->path, &st) != 0)
		return false;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return true;
}

void
listener_publish(struct listener *l)
{
	if (l->fd < 0 || strcmp(l->path, l->name) == 0)
		return;
	if (rename(l->path, l->name) != 0)
		return log_error("parent", "%s: %s", l->name, strerror(errno));
	memcpy(l->path, l->name, sizeof(l->path));
}

void
listener_close(struct listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	if (stat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->path);
	close(l->fd);
}
