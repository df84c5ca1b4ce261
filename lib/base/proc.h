/* proc - facts about processes, from /proc. */
#ifndef MP_PROC_H
#define MP_PROC_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* When a process started, in clock ticks since boot. Together with its pid it identifies the process even after the pid
 * is reused. 0: it does not exist, or is a zombie. */
int64_t proc_started(pid_t pid);
int64_t proc_bytes(pid_t pid);                          /* its resident memory; 0: not known */
bool proc_is_named(pid_t pid, const char *name); /* the name of its program, of which the kernel keeps 15 characters */

/*
 * Names this process in a row, so that another process can tell that the one that began something has ended:
 * "HOST BOOT PID STARTED". Only ended when it certainly has: killed, exited, or its host was restarted. A process of
 * another host is never known to have ended, nor one that /proc hides once its pid is in use again: what it began is
 * left to the sweeps.
 */
const char *proc_stamp(struct arena *m);
bool proc_stamp_is_ended(const char *stamp);            /* "": it is not known who began it */

#endif
