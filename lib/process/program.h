/*
 * program - what every FastCGI program is, declared in its main.c; and the ways it can be run.
 *
 *	build/bin/fleet                        once, as CGI, when REQUEST_METHOD is set (tests/page)
 *	build/bin/fleet --serve VAR            the prefork parent: owns $VAR/run/fleet.sock (and fleet.internal.sock), starts
 *	                                       workers, replaces those that die, never opens the database; SIGTERM drains and ends
 *	build/bin/fleet --worker VAR public    one worker on file descriptor 0
 *
 * MOTORPOOL_ROOT says where templates/, locale and motorpool.conf are (default: two folders above the program);
 * MOTORPOOL_VAR where the state is (CGI).
 */
#ifndef MP_PROGRAM_H
#define MP_PROGRAM_H

#include "jail.h"
#include "lib/web/web.h"

struct program {
	const char *name;               /* fleet: socket, log, metrics */
	const char *prefix;             /* "/fleet": where its healthz and readyz are; "" for booking */
	const struct route *routes;
	const struct db_role *role;
	bool (*open)(struct db *db);    /* made once per worker, after the database: caches, keys. false: not ready. May be NULL */
	void (*before)(struct web *w);  /* before each request's handler. May be NULL */
	bool internal;                  /* has an internal socket */
	int crew;                       /* so many times n_workers_max, when they wait for others more than they work. 0: once */
	int jail;                       /* enum jail_may: what its workers may beside serving (jail.h) */
	const char *(*executes)(struct arena *m);       /* with JAIL_EXECUTE: the program they may run */
	int patience_s;                 /* instead of request_limit_s, for one that is slow on purpose. 0: as settings say */
	const char *own_db;             /* the sandbox: $VAR/NAME.db with its own schema file; NULL: the shared one */
	const char *own_schema;         /* db/NAME.sql */
};

int program_main(const struct program *p, int argc, char **argv);

#endif
