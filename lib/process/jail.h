/*
 * jail - what a worker may do once it has all it needs: serve. Its memory may be turned against us by what people send, its process
 * then still cannot run programs, read or change files that are none of its business, or talk to the network.
 *
 *	seccomp    only the system calls on the list in jail.c; any other fails with EPERM
 *	Landlock   reads the release, the time zones, the certificates and what names are looked up with; writes in $VAR alone
 *
 * It holds for the process and all it starts, for good. What the kernel does not have is told and done without; what is forbidden and
 * then succeeds all the same ends the worker before anybody is let in.
 */
#ifndef MP_JAIL_H
#define MP_JAIL_H

#include <stdbool.h>

enum jail_may {
	JAIL_NETWORK = 1,               /* calls others outside the house, in threads of its own */
	JAIL_EXECUTE = 2,               /* runs the one program beside its own that is named below */
};

struct jail {
	int may;                        /* enum jail_may */
	const char *root, *var, *locale, *bin;  /* reads root, locale and bin, writes var */
	const char *execute;            /* NULL */
};

/* What is in force now is in *says, for the log: "seccomp, Landlock 7". false: something forbidden was possible; *says what. */
bool jail_enter(const struct jail *j, const char **says);

#endif
