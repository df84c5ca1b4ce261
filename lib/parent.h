/* parent - the prefork parent of one program (parent.c). Knows processes and sockets, nothing of requests or data. */
#ifndef MP_PARENT_H
#define MP_PARENT_H

#include <stdbool.h>

struct parent_plan {
	const char *name;               /* fleet: $VAR/run/fleet.sock */
	const char *var_dir;
	const char *exe;                /* started anew for each worker; a symlink is followed anew each time */
	int n_public, n_internal;       /* internal 0: no internal socket */
};

#define PARENT_READY_FD 3       /* a worker writes one byte here when it can serve */

int parent_run(const struct parent_plan *plan);         /* the exit status; returns when all workers are gone */

#endif
