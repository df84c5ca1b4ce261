/*
 * listener - a listening unix socket that replaces an older one of the same name without a moment between.
 *
 * It is bound under a temporary name and renamed when workers are ready. It is unlinked only while the name still leads
 * to it.
 */
#ifndef MP_LISTENER_H
#define MP_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

struct listener {
	char name[108], path[108];      /* its final name, and where it is now */
	int fd;                         /* -1: there is none */
	dev_t dev;
	ino_t ino;
};

bool listener_open(struct listener *l, const char *name); /* binds and listens, under a temporary name. false: errno */
void listener_publish(struct listener *l); /* renames it; a predecessor stays open, without a name */
void listener_close(struct listener *l);

#endif
