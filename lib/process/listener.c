/* listener.c - a listening unix socket that is never missing and never refuses; listener.h tells how. */
#include "listener.h"

#include "lib/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024            /* a full one is a 500 from lighttpd: as many as its max-connections */

bool
listener_open(struct listener *d, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;

	snprintf(d->name, sizeof(d->name), "%s", name);
	snprintf(d->path, sizeof(d->path), "%.96s.%d", d->name, (int)getpid());
	memcpy(at.sun_path, d->path, sizeof(at.sun_path));
	unlink(d->path);
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d->fd < 0 || bind(d->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return false;
	if (chmod(d->path, 0660) != 0 || listen(d->fd, BACKLOG) != 0 || stat(d->path, &st) != 0)
		return false;
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return true;
}

void
listener_publish(struct listener *d)
{
	if (d->fd < 0 || strcmp(d->path, d->name) == 0)
		return;
	if (rename(d->path, d->name) != 0)
		return log_error("parent", "%s: %s", d->name, strerror(errno));
	memcpy(d->path, d->name, sizeof(d->path));
}

void
listener_close(struct listener *d)
{
	struct stat st;

	if (d->fd < 0)
		return;
	if (stat(d->path, &st) == 0 && st.st_dev == d->dev && st.st_ino == d->ino)
		unlink(d->path);
	close(d->fd);
}
