/*
 * program.c - the ways a FastCGI program can be run; program.h tells which.
 *
 * A worker opens everything that can be wrong before it says it is ready: settings, words, templates, keys. Only the
 * database may be missing: it may be in the middle of an upgrade. Then every request gets a 503 with Retry-After, and
 * the database is tried again with the next request, at most once a second.
 */
#include "program.h"

#include "call.h"
#include "clock.h"
#include "event.h"
#include "folder.h"
#include "gateway.h"
#include "inside.h"
#include "log.h"
#include "parent.h"
#include "secret.h"
#include "settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>

extern char **environ;

#define DB_AGAIN_MS 1000
#define MAX_WORKERS 64

/* What a process of this program stands on, made once. */
struct base {
	const struct program *p;
	const char *root, *var;
	struct arena *forever, *m;      /* m: the request's */
	int64_t db_tried_ms;
	char why[200];
};

/* --- where things are --------------------------------------------------------------------------------------------- */

/* The catalogues lie beside the programs of the same build (build/bin, build/locale), else where they are installed. */
static const char *
find_locale(struct base *b)
{
	char *dir = arena_strdup(b->forever, folder_program(b->forever)), *slash;

	for (int i = 0; i < 2 && (slash = strrchr(dir, '/')); i++)
		*slash = '\0';
	if (folder_has(b->forever, dir, "locale"))
		return arena_printf(b->forever, "%s/locale", dir);
	if (folder_has(b->forever, b->root, "build/locale"))
		return arena_printf(b->forever, "%s/build/locale", b->root);
	return arena_printf(b->forever, "%s/locale", b->root);
}

/* --- start -------------------------------------------------------------------------------------------------------- */

static bool
open_settings(struct base *b)
{
	const char *why = NULL;

	if (settings_open(b->root, b->var, &why))
		return true;
	log_error("start", "%s", why ? why : "the settings cannot be read");
	return false;
}

static bool
open_base(struct base *b, bool internal)
{
	if (!open_settings(b))
		return false;
	clock_open(settings.zone);
	money_open(settings.currency);
	if (!lang_open(find_locale(b)))
		log_warn("start", "the catalogues of translations are missing: everything will be English");
	if (!secret_open(b->var))
		return log_error("start", "%s/secret.key cannot be made or read", b->var), false;
	call_open(b->var);
	web_open(b->p, b->forever, internal);
	return tpl_compile_pages(arena_printf(b->forever, "%s/templates", b->root), &chrome_shape);
}

/* A program with a file of its own makes it when it is not there; one process does, the others wait for it. */
static bool
make_own_db(const struct base *b, const char **why)
{
	char schema[PATH_MAX];

	if (!b->p->own_db || !b->p->own_schema)
		return true;
	snprintf(schema, sizeof(schema), "%s/%s", b->root, b->p->own_schema);
	return db_create_own(b->var, b->p->own_db, schema, why);
}

/* Tries to open the database, at most once a second. */
static void
open_db(struct base *b)
{
	const char *why = NULL;
	struct db *db = NULL;

	if (serving.db || (b->db_tried_ms && clock_ms() - b->db_tried_ms < DB_AGAIN_MS))
		return;
	b->db_tried_ms = clock_ms();
	if (make_own_db(b, &why))
		db = db_open(b->var, b->p->role, b->m, &why);
	if (db && !b->p->own_db)
		event_open(db, b->var);
	if (db && b->p->open && !b->p->open(db)) {
		db_close(db);
		db = NULL;
		why = "the program is not ready";
	}
	snprintf(b->why, sizeof(b->why), "%s", why ? why : "the database cannot be used");
	if (!db)
		log_warn("start", "%s", b->why);
	web_use_db(db, b->why);
}

static void
base_init(struct base *b, const struct program *p, const char *var)
{
	*b = (struct base){ .p = p, .forever = arena_new(ARENA_MAX), .m = arena_new(ARENA_MAX) };
	b->root = folder_root(b->forever);
	b->var = var;
	setenv("MOTORPOOL_VAR", var, 1);        /* for those who look at files: /ops, mypage */
	log_open(p->name);
}

/* --- the ways to run ---------------------------------------------------------------------------------------------- */

/* One request from environment and stdin, its answer on stdout. MOTORPOOL_INTERNAL=1: as over the internal socket. */
static int
run_cgi(const struct program *p)
{
	const char *var = getenv("MOTORPOOL_VAR"), *internal = getenv("MOTORPOOL_INTERNAL");
	struct exchange x = { .env = NULL };
	struct base b;

	base_init(&b, p, var && *var ? var : "var");
	if (!open_base(&b, internal && strcmp(internal, "1") == 0))
		return 1;
	open_db(&b);
	gateway_once(&x, environ);
	web_serve(&x, b.m);
	if (serving.db)
		db_close(serving.db);
	return 0;
}

/* The parent is told, when there is one: that the worker is there, and again when it has its database too. */
static void
say_ready(bool has_all)
{
	static bool is_awaited = true;
	const char what = has_all ? PARENT_READY : PARENT_UP;

	if (!is_awaited || !getenv("MOTORPOOL_READY"))
		return;
	if (write(PARENT_READY_FD, &what, 1) < 0)
		log_warn("start", "nobody heard that this worker is ready");
	if (has_all) {
		is_awaited = false;
		close(PARENT_READY_FD);
	}
}

static void
open_gauge(const struct program *p, const char *var)
{
	const char *slot = getenv("MOTORPOOL_SLOT");

	serving.slot = slot ? atoi(slot) : -1;
	serving.gauge = slot ? gauge_open(var, p->name) : NULL;
}

static int
run_worker(const struct program *p, const char *var, enum duty duty)
{
	bool internal = duty == SERVE_INTERNAL;
	struct exchange x = { .env = NULL };
	struct base b;

	signal(SIGINT, SIG_IGN);        /* Ctrl-C reaches the whole terminal; the parent decides */
	base_init(&b, p, var);
	gateway_open(arena_printf(b.forever, "%s/run/%s%s.sock", var, p->name, internal ? ".internal" : ""), internal);
	if (!open_base(&b, internal))
		return 1;
	open_gauge(p, var);
	open_db(&b);
	say_ready(serving.db != NULL);
	while (!serving.dead && gateway_next(&x)) {
		if (!serving.db) {
			open_db(&b);
			if (serving.db)
				say_ready(true);
		}
		web_serve(&x, b.m);
	}
	if (serving.db)
		db_close(serving.db);
	return serving.dead;
}

static int
at_most(int n, int limit)
{
	return n < limit ? n : limit;
}

static int
run_parent(const struct program *p, const char *var, const char *argv0)
{
	struct parent_plan plan = { .name = p->name, .var_dir = var };
	struct base b;

	base_init(&b, p, var);
	if (!open_settings(&b))
		return 1;
	plan.exe = strchr(argv0, '/') ? argv0 : folder_program(b.forever);
	plan.n_max[0] = at_most((int)settings.n_workers_max * (p->crew ? p->crew : 1), MAX_WORKERS);
	plan.n_max[1] = p->internal ? (int)settings.n_internal_workers : 0;
	plan.n_min[0] = at_most((int)settings.n_workers_min, plan.n_max[0]);
	plan.n_min[1] = at_most((int)settings.n_workers_min, plan.n_max[1]);
	plan.request_limit_ms = 1000 * (p->patience_s ? p->patience_s : settings.request_limit_s);
	plan.worker_requests = settings.worker_requests;
	plan.worker_bytes = settings.worker_memory_mb << 20;
	return parent_run(&plan);
}

static int
usage(const struct program *p, bool asked)
{
	fprintf(asked ? stdout : stderr,
	        "%s - motorpool's program for %s\n\n"
	        "  %s --serve VAR                    the parent: owns VAR/run/%s.sock and keeps workers running\n"
	        "  %s --worker VAR public|internal   one FastCGI worker on file descriptor 0\n"
	        "  %s                                once, as CGI, when REQUEST_METHOD is set (MOTORPOOL_VAR says where the state is)\n\n"
	        "MOTORPOOL_ROOT: where templates/ and motorpool.conf are.\n",
	        p->name, *p->prefix ? p->prefix : "/", p->name, p->name, p->name, p->name);
	return asked ? 0 : 2;
}

int
program_main(const struct program *p, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 1 && getenv("REQUEST_METHOD"))
		return run_cgi(p);
	if (strcmp(what, "--serve") == 0 && argc == 3)
		return run_parent(p, argv[2], argv[0]);
	if (strcmp(what, "--worker") == 0 && argc == 4)
		return run_worker(p, argv[2], strcmp(argv[3], "internal") == 0 ? SERVE_INTERNAL : SERVE_PUBLIC);
	return usage(p, strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0);
}
