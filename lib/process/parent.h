/*
 * parent - the prefork parent of one program: owns its listening sockets and keeps its workers running. It opens no
 * database and reads no request. docs/processes.md describes all of it.
 */
#ifndef MP_PARENT_H
#define MP_PARENT_H

#include <stdbool.h>
#include <stdint.h>

/* What a worker is for. One process for each socket only refuses: it answers 503 to requests that would wait too long
 * (load_shed.h). */
enum duty { DUTY_SERVE_PUBLIC, DUTY_SERVE_INTERNAL, DUTY_REFUSE_PUBLIC, DUTY_REFUSE_INTERNAL, N_DUTIES };
extern const char *const duty_words[N_DUTIES + 1]; /* "public", "internal" …: a worker's argument; ends with NULL */

struct parent_plan {
	const char *name;               /* fleet: $VAR/run/fleet.sock */
	const char *var_dir;
	const char *exe; /* the workers' program; a symlink is resolved at the start of each generation */
	int n_min[2], n_max[2];         /* workers, public and internal; n_max 0: no such socket */
	int64_t request_limit_ms;       /* a worker busy for longer is killed and replaced. 0: no limit */
	int64_t worker_requests;        /* a worker that has served about so many is replaced. 0: never */
	int64_t worker_bytes; /* a worker with more memory in use is replaced between two requests. 0: never */
	bool refuses;                   /* starts the refusing processes */
};

/*
 * A worker's environment: MOTORPOOL_READY=1, MOTORPOOL_SLOT (its slot in the gauge), MOTORPOOL_LISTENER ("DEV INODE" of
 * its socket), and MOTORPOOL_ROOT (its own release) when the parent has one. On PARENT_READY_FD it writes one byte when
 * it can serve:
 */
#define PARENT_READY_FD 3
#define PARENT_READY 'R'        /* it has everything it needs */
#define PARENT_UP    'U'        /* it answers, but cannot use the database; 'R' may follow */

int parent_run(const struct parent_plan *plan);         /* returns the exit status when all workers are gone */

#endif
