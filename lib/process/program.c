/*
 * program.c - the ways a FastCGI program can be run; program.h lists them.
 *
 * A worker opens settings, catalogues, templates and keys before it reports that it is ready. Only the database may be
 * missing, during an upgrade. Then every request gets a 503 with Retry-After, and the database is tried again with the
 * next request, at most once a second.
 */
#include "program.h"

#include "load_shed.h"
#include "lib/call/call.h"
#include "lib/base/clock.h"
#include "lib/event/event.h"
#include "lib/base/folder.h"
#include "lib/web/gateway.h"
#include "lib/web/web_inside.h"
#include "lib/base/log.h"
#include "owner.h"
#include "parent.h"
#include "backlog.h"
#include "lib/base/secret.h"
#include "lib/base/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

#define DB_AGAIN_MS 1000
#define MAX_WORKERS 64

/* What a process of this program opens once. */
struct base {
	const struct program *p;
	const char *root, *var;
	struct arena *forever, *m;      /* m: the request's */
	int64_t db_tried_ms;
	char why[200];
};

/* --- start -------------------------------------------------------------------------------------------------------- */

static bool
open_settings(struct base *b)
{
	const char *why = NULL;

	if (settings_open(b->root, b->var, b->p->site ? b->p->site->settings : NULL, &why))
		return true;
	log_error("start", "%s", why ? why : "the settings cannot be read");
	return false;
}

static bool
base_open(struct base *b, bool internal)
{
	if (!open_settings(b))
		return false;
	clock_open(settings.zone);
	money_open(settings.currency);
	if (!lang_open(folder_locale(b->forever, b->root)))
		log_warn("start", "the catalogues of translations are missing: everything will be English");
	if (!secret_open(b->var))
		return log_error("start", "%s/secret.key cannot be made or read", b->var), false;
	call_open(b->var);
	web_open(b->p, b->forever, internal);
	return web_compile_pages(arena_printf(b->forever, "%s/templates", b->root));
}

/* A program with a database file of its own creates it when it is missing; one process does, the others wait. */
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
connect_db(struct base *b)
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
	setenv("MOTORPOOL_VAR", var, 1); /* for code that reads files there: /ops, mypage */
	log_open(p->name);
}

/* --- the ways to run ---------------------------------------------------------------------------------------------- */

/* One request from environment and stdin, the answer on stdout. MOTORPOOL_INTERNAL=1: as over the internal socket. */
static int
run_cgi(const struct program *p)
{
	const char *var = getenv("MOTORPOOL_VAR"), *internal = getenv("MOTORPOOL_INTERNAL");
	struct exchange x = { .env = NULL };
	struct base b;

	base_init(&b, p, var && *var ? var : "var");
	if (!base_open(&b, internal && strcmp(internal, "1") == 0))
		return 1;
	connect_db(&b);
	gateway_once(&x, environ);
	web_serve(&x, b.m);
	if (serving.db)
		db_close(serving.db);
	return 0;
}

/* Reports to the parent, if there is one, that the worker is up, and again when it has its database. */
static void
report_ready(bool has_all)
{
	static bool is_awaited = true;
	const char what = has_all ? PARENT_READY : PARENT_UP;

	if (!is_awaited || !getenv("MOTORPOOL_READY"))
		return;
	if (write(PARENT_READY_FD, &what, 1) < 0)
		log_warn("start", "cannot report to the parent: %s", strerror(errno));
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

/* The last resort, far above the size at which a worker is replaced (watchdog.c): a larger allocation fails and
 * aborts. */
static void
limit_memory(void)
{
	rlim_t most = (rlim_t)settings.worker_memory_mb * 4 << 20;

#ifdef __SANITIZE_ADDRESS__
	most = 0; /* AddressSanitizer reserves 20 TiB of address space */
#endif
	if (most)
		setrlimit(RLIMIT_AS, &(struct rlimit){ most, most });
}

/* The last step before serving. A sanitizer's own system calls would be forbidden too, so its builds go without. */
static bool
restrict_worker(const struct base *b)
{
	struct jail j = {
		.may = b->p->jail,
		.root = b->root,
		.var = b->var,
		.locale = folder_locale(b->forever, b->root),
		.bin = folder_above(b->forever, folder_program(b->forever)),
		.execute = b->p->executes ? b->p->executes(b->forever) : NULL,
	};
	const char *says = "switched off";
	bool ok = true;

#ifdef __SANITIZE_ADDRESS__
	says = "none in this build";
#else
	if (settings.jail)
		ok = jail_enter(&j, &says);
#endif
	(void)j;
	if (!ok)
		log_error("jail", "%s", says);
	else if (serving.slot == 0)
		log_info("jail", "%s", says);
	return ok;
}

static int
run_worker(const struct program *p, const char *var, enum duty duty)
{
	bool internal = duty == DUTY_SERVE_INTERNAL;
	struct exchange x = { .env = NULL };
	struct base b;

	signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole process group; the parent decides */
	base_init(&b, p, var);
	gateway_open(arena_printf(b.forever, "%s/run/%s%s.sock", var, p->name, internal ? ".internal" : ""), internal);
	if (!base_open(&b, internal))
		return 1;
	open_gauge(p, var);
	limit_memory();
	connect_db(&b);
	if (!restrict_worker(&b))
		return 1;
	report_ready(serving.db != NULL);
	while (!serving.dead && gateway_next(&x)) {
		if (!serving.db) {
			connect_db(&b);
			if (serving.db)
				report_ready(true);
		}
		web_serve(&x, b.m);
	}
	if (serving.db)
		db_close(serving.db);
	return serving.dead;
}

static int
int_min(int n, int limit)
{
	return n < limit ? n : limit;
}

static int
max_workers(const struct program *p, bool internal)
{
	if (internal)
		return p->internal ? (int)settings.n_internal_workers : 0;
	return int_min((int)settings.n_workers_max * (p->worker_factor ? p->worker_factor : 1), MAX_WORKERS);
}

/* The state of our queue: how many requests wait, how many workers serve it, how much they have served so far. */
static struct load_shed_sample
sample_queue(const struct program *p, bool internal)
{
	struct load_shed_sample sample = {
		.n_most = max_workers(p, internal),
		.n_waiting = backlog_length(STDIN_FILENO),
		.now_ms = clock_ms(),
	};
	static int64_t seen[GAUGE_SLOTS], n_done;

	for (int i = 0; i < GAUGE_SLOTS; i++) {
		const struct gauge_worker *w = &serving.gauge->worker[i];
		int64_t now = atomic_load_explicit(&w->n_requests, memory_order_relaxed);

		if (atomic_load_explicit(&w->internal, memory_order_relaxed) == internal) {
			n_done += now > seen[i] ? now - seen[i] : 0;
			sample.n_workers +=
				atomic_load(&w->pid) && atomic_load(&w->ready) && !atomic_load(&w->draining);
		}
		seen[i] = now; /* less than before: another worker has the slot */
	}
	sample.n_done = n_done;
	return sample;
}

static int
refuser_pause_ms(const struct load_shed *shed, const struct load_shed_sample *sample)
{
	if (!shed->limit_ms)
		return 60000;
	return sample->n_waiting || shed->is_refusing ? LOAD_SHED_ACTIVE_MS : LOAD_SHED_IDLE_MS;
}

/* Watches the queue and refuses requests that would wait too long in it (load_shed.h). Needs no database. */
static int
run_refuser(const struct program *p, const char *var, bool internal)
{
	struct load_shed shed = { .limit_ms = 0 };
	struct exchange x = { .env = NULL };
	struct base b;
	struct load_shed_sample sample = { .n_waiting = 0 };

	signal(SIGINT, SIG_IGN);
	base_init(&b, p, var);
	gateway_open(arena_printf(b.forever, "%s/run/%s%s.sock", var, p->name, internal ? ".internal" : ""), internal);
	gateway_stop_accepting();
	if (!base_open(&b, internal))
		return 1;
	open_gauge(p, var);
	shed.limit_ms = backlog_open() && serving.gauge ? settings.queue_limit_ms : 0;
	if (settings.queue_limit_ms && !shed.limit_ms)
		log_warn("start", "the kernel does not report the length of the queue: no request is refused early");
	if (!restrict_worker(&b))
		return 1;
	report_ready(true);
	while (gateway_pause(refuser_pause_ms(&shed, &sample))) {
		if (shed.limit_ms)
			sample = sample_queue(p, internal);
		for (int n = load_shed_excess(&shed, &sample); n > 0 && gateway_next_waiting(&x); n--)
			web_refuse_overload(&x, b.m);
	}
	return 0;
}

static int
run_parent(const struct program *p, const char *var, const char *argv0)
{
	struct parent_plan plan = { .name = p->name, .var_dir = var };
	struct base b;

	base_init(&b, p, var);
	if (!owner_become(var))
		return log_error("start", "%s: root cannot become its owner: %s", var, strerror(errno)), 1;
	if (geteuid() == 0)
		log_warn("start", "runs as root, because root owns %s", var);
	if (!open_settings(&b))
		return 1;
	plan.exe = strchr(argv0, '/') ? argv0 : folder_program(b.forever);
	/* twice as many internal workers, because internal callers have a deadline of milliseconds */
	for (int listener = 0; listener < 2; listener++) {
		plan.n_max[listener] = max_workers(p, listener);
		plan.n_min[listener] = int_min((int)settings.n_workers_min * (listener ? 2 : 1), plan.n_max[listener]);
	}
	if (p->worker_factor) /* so that some workers remain for searches while the others wait for calls */
		plan.n_min[0] = int_min((int)(settings.n_workers_min + settings.calls_at_once), plan.n_max[0]);
	plan.request_limit_ms = 1000 * (p->patience_s ? p->patience_s : settings.request_limit_s);
	plan.refuses = settings.queue_limit_ms > 0;
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
		"  %s --worker VAR DUTY              one worker on file descriptor 0: public, internal, refuse,"
		" refuse-internal\n"
		"  %s                                once, as CGI, when REQUEST_METHOD is set (MOTORPOOL_VAR says where"
		" the state is)\n\n"
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
		for (int duty = 0; duty < N_DUTIES; duty++)
			if (strcmp(argv[3], duty_words[duty]) == 0)
				return duty < DUTY_REFUSE_PUBLIC
					? run_worker(p, argv[2], duty)
					: run_refuser(p, argv[2], duty == DUTY_REFUSE_INTERNAL);
	return usage(p, strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0);
}
