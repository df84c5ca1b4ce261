/*
 * app - what a FastCGI program is, declared in its main.c, and what the product adds to each of its programs.
 */
#ifndef MP_APP_H
#define MP_APP_H

#include "web.h"

struct settings_group;

/* The same for all programs of a product. */
struct site {
	const struct settings_group *settings;
	const struct shape *shape;      /* of the struct in chrome.product: its names are in reach of every template */
	void (*fill)(struct web *w);    /* fills it before a page is rendered; no SQL here */
	const char *(*form_target)(void);       /* an address elsewhere that forms may lead to; our own or NULL: none */
};

struct program {
	const char *name;               /* fleet: socket, log, metrics */
	const struct site *site;        /* what the product adds; NULL in tests */
	const char *prefix;             /* "/fleet": where its healthz and readyz are; "" for booking */
	const struct route *routes;
	const struct db_role *role;
	/* made once per worker, after the database: caches, keys. false: not ready. May be NULL */
	bool (*open)(struct db *db);
	void (*before)(struct web *w);  /* before each request's handler. May be NULL */
	bool internal;                  /* has an internal socket */
	int worker_factor; /* public workers at most: n_workers_max times this; for programs that mostly wait. 0: 1 */
	int jail; /* bits of enum jail_may (lib/process/jail.h): what its workers may do beside serving */
	const char *(*executes)(struct arena *m);       /* with JAIL_EXECUTE: the one program they may run */
	int patience_s; /* instead of request_limit_s, for one that is slow by design. 0: request_limit_s */
	const char *own_db;             /* the sandbox: $VAR/NAME.db with its own schema file; NULL: the shared one */
	const char *own_schema;         /* db/NAME.sql */
};

#endif
