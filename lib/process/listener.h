/*
 * listener - a listening unix socket that takes the place of an older one without a moment in between.
 *
 * It is bound under a name of its own and renamed when somebody is there to answer. It is unlinked only while it is still
 * the one that people find under its name.
 */
#ifndef MP_LISTENER_H
#define MP_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

struct listener {
	char name[108], path[108];      /* where it is to be, and where it is */
	int fd;                         /* -1: there is none */
	dev_t dev;
	ino_t ino;
};

bool listener_open(struct listener *d, const char *name);       /* bound and listening, not yet under its name. false: errno */
void listener_publish(struct listener *d);                         /* from now on people come here; a predecessor's is not closed, only nameless */
void listener_close(struct listener *d);

#endif
