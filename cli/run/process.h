/*
 * process - the processes of `motorpool run`: lighttpd, each program's parent, the relays.
 *
 * Each leads a session of its own, so Ctrl-C in the terminal reaches `run` alone, which stops them in order. If `run`
 * dies, they get SIGTERM. Their output goes to $VAR/log/NAME.log.
 */
#ifndef MP_PROCESS_H
#define MP_PROCESS_H

#include "cli/cli.h"
#include "domain/contexts.h"
#include "lib/process/supervisor.h"

struct process {
	struct child child;
	const char *const *argv;        /* ends with NULL */
	const char *log;
	bool is_relay;                  /* not restarted: a relay is started each minute, as cron does */
};

/* --- process.c --- */

void process_start(struct child *c);                             /* a struct process */
void process_log_trim(const char *log, int64_t most_bytes);      /* a longer log is moved to NAME.log.1 */

/* --- setup.c: before anything is started. false: it has said why --- */

#define MAX_PROCESSES 16
#define MAX_RELAYS    3         /* the active one, the standby, and one that ends */

bool setup_folder(struct cli *c, int port);             /* locks the state folder: one `run` at a time */
bool setup_port(const char *bind, int port);            /* the port is free */
void setup_environment(struct cli *c, const char *bind, int port);      /* ours, the processes', and $VAR/run/env */
int  setup_processes(struct cli *c, struct process *to); /* lighttpd first; how many. 0: it has said what is missing */
struct process setup_relay(struct cli *c);

/* --- deploy.c --- */

/* …/current, if it points to the release this command belongs to; else NULL */
const char *cli_release_link(struct cli *c);

/* --- ready.c: the programs, and whether they answer --- */

/* the process that owns its sockets; 0: it does not run */
pid_t program_parent(struct cli *c, const struct context *p);
/* the status of its readyz; 0: no answer */
int  program_ready(struct cli *c, const struct context *p, const char **why);
int  http_get(const char *address, int port, const char *path, int deadline_ms);        /* the status; 0: no answer */

#endif
