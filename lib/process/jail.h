/*
 * jail - restricts a worker, once it has opened all it needs, to serving requests: even if a request takes over its
 * process, it cannot execute programs, read or change other files, or use the network.
 *
 *	seccomp    only the system calls listed in jail.c; any other fails with EPERM
 *	Landlock   reads the release, time zones, certificates and the files of name resolution; writes below $VAR only
 *
 * It applies to the process and its children, permanently. What the kernel does not support is left out and logged.
 * Afterwards the worker tries what is forbidden; if any of it succeeds, it ends before it serves a request.
 */
#ifndef MP_JAIL_H
#define MP_JAIL_H

#include <stdbool.h>

enum jail_may {
	JAIL_NETWORK = 1,               /* makes outgoing connections, in threads */
	JAIL_EXECUTE = 2,               /* executes the program named below */
};

struct jail {
	int may;                        /* enum jail_may */
	const char *root, *var, *locale, *bin;  /* reads root, locale and bin, writes var */
	const char *execute;            /* NULL */
};

/* *says: for the log, what is in force ("seccomp, Landlock 7"). false: something forbidden was possible; *says what. */
bool jail_enter(const struct jail *j, const char **says);

#endif
