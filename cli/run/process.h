/*
 * process - the processes of `motorpool run`: lighttpd, each program's parent, the relay (process.c); and who is ready (ready.c).
 *
 * Each is the head of a session of its own, so Ctrl-C in the terminal reaches `run` alone, which ends them in order; and each
 * gets SIGTERM when `run` dies, however it dies. What they say goes to $VAR/log/NAME.log.
 */
#ifndef MP_PROCESS_H
#define MP_PROCESS_H

#include "cli/cli.h"
#include "domain/contexts.h"

#include <sys/types.h>

struct process {
	const char *name;
	const char *const *argv;        /* ends in NULL */
	const char *log;
	bool is_once;                   /* not started again when it ends: the relay, which cron starts each minute */
	int ending;                     /* the signal that ends it in an orderly way */
	pid_t pid;                      /* 0: not running */
	int64_t started_ms, start_at_ms, pause_ms;
};

bool process_start(struct process *s);          /* false: no process could be made */
void process_ended(struct process *s, int status);      /* it has: when it is due again, after a pause that grows */
void process_end(struct process *s);            /* asks it to end */
void process_kill(struct process *s);           /* it and all that belong to it */
bool process_is_alive(const struct process *s); /* it, or any that belong to it */
void process_log_trim(const char *log, int64_t most_bytes);      /* NAME.log.1 takes what is there when it is longer */

/* --- setup.c: before anything is started; false: said why --- */

#define MAX_PROCESSES 16

bool setup_folder(struct cli *c, int port);             /* one `run` on a state folder */
bool setup_port(const char *bind, int port);            /* nobody else listens there */
void setup_environment(struct cli *c, const char *bind, int port);      /* ours, the processes', and $VAR/run/env */
int  setup_processes(struct cli *c, struct process *to);        /* lighttpd first; how many there are, 0: said what is missing */
struct process setup_relay(struct cli *c);

/* --- deploy.c --- */

const char *cli_release_link(struct cli *c);       /* …/current, when this command is of the release that it names; NULL */

/* --- ready.c: the programs and whether they answer --- */

pid_t program_parent(struct cli *c, const struct context *p);     /* the process that owns its sockets; 0: it does not run */
int  program_ready(struct cli *c, const struct context *p, const char **why);     /* the status of its readyz; 0: no answer */
int  http_get(const char *address, int port, const char *path, int deadline_ms);        /* the status; 0: no answer */

/* Makes the state folder and goes on with a name of it short enough for sockets. */
bool cli_enter(struct cli *c, const char **why);

#endif
