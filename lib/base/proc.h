/* proc - facts about processes from /proc. */
#ifndef MP_PROC_H
#define MP_PROC_H

#include <stdint.h>
#include <sys/types.h>

/* When a process started, in clock ticks since boot. Together with its pid it identifies the process even after the pid is
 * reused. 0: it does not exist, or is a zombie. */
int64_t proc_started(pid_t pid);

#endif
