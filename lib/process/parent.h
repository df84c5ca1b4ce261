/*
 * parent - the prefork parent of one program: owns its sockets and keeps its workers running. Knows processes and sockets, nothing
 * of requests or data. docs/processes.md tells the whole story.
 */
#ifndef MP_PARENT_H
#define MP_PARENT_H

#include <stdbool.h>
#include <stdint.h>

/* Why a worker is there. The two that refuse are one process each: they answer only those who would wait too long (load_shed.h). */
enum duty { DUTY_SERVE_PUBLIC, DUTY_SERVE_INTERNAL, DUTY_REFUSE_PUBLIC, DUTY_REFUSE_INTERNAL, N_DUTIES };
extern const char *const duty_words[N_DUTIES + 1];      /* "public", "internal", … as a worker's argument; NULL at the end */

struct parent_plan {
	const char *name;               /* fleet: $VAR/run/fleet.sock */
	const char *var_dir;
	const char *exe;                /* started anew for each worker; a symlink is followed at the start of each generation */
	int n_min[2], n_max[2];         /* workers, public and internal; n_max 0: no such socket */
	int64_t request_limit_ms;       /* a worker busy for longer hangs: killed and replaced. 0: no limit */
	int64_t worker_requests;        /* one that has served about so many is replaced. 0: never */
	int64_t worker_bytes;           /* one that has more memory in use is replaced between two requests. 0: never */
	bool refuses;                   /* says "busy" to those who would wait too long */
};

/*
 * A worker is told by its environment: MOTORPOOL_READY=1, MOTORPOOL_SLOT (its place on the gauge), MOTORPOOL_DOOR ("dev inode" of
 * its socket), MOTORPOOL_ROOT (its own release) when the parent has one. On PARENT_READY_FD it writes one byte when it can serve:
 */
#define PARENT_READY_FD 3
#define PARENT_READY 'R'        /* everything is there */
#define PARENT_UP    'U'        /* it answers, but only that the database cannot be used; 'R' may follow */

int parent_run(const struct parent_plan *plan);         /* the exit status; returns when all workers are gone */

#endif
