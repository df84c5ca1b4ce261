/*
 * shm - a small file in $VAR/run that many processes map and share: counters and states, read and changed with atomics
 * only, so that a dead process never holds a lock on them (lock.c puts robust mutexes into one).
 *
 * It is created under a temporary name, filled, and renamed, all under flock(), so a reader never sees half of it. A
 * file from before the last boot, of another kind or size, or a copy (its inode differs) is replaced, because the pids
 * in it no longer mean the same processes. But a file that a process has mapped is never replaced: two files of one
 * name could mean two writers' locks.
 */
#ifndef MP_SHM_H
#define MP_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first member of every shared struct. */
struct shm_header {
	char kind[24];                  /* "motorpool lock 1": raise the number when the struct changes */
	char boot[40];                  /* the id of the boot it was created in */
	uint64_t inode;
};

/*
 * Maps $VAR/run/NAME; creates it when it is missing or stale: the header, zeros, then init() if it is not NULL. kind:
 * below 24 characters. NULL: errno says why. ENOSYS: /proc does not show the boot's id. EBUSY: a process of another
 * version has it mapped.
 */
void *shm_map(const char *var_dir, const char *name, const char *kind, size_t size, bool (*init)(void *shm));
/* Maps it for reading. NULL: there is none, or it is stale. */
const void *shm_map_readonly(const char *var_dir, const char *name, const char *kind, size_t size);
void shm_unmap(const void *shm, size_t size);

#endif
