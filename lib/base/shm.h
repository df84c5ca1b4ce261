/*
 * shm - a small file in $VAR/run that many processes map and share: counters and states for all to see, without a lock that
 * a dead process could hold (lock.c puts robust mutexes on one, the others use atomics only).
 *
 * It is made under a temporary name, filled, then renamed into place, all under a flock: nobody ever sees half a board. One
 * from before the last boot, of another kind or size, or a copy (another inode) is replaced, since a process number in it means
 * somebody else now; but never one that somebody has mapped: two boards of one name would be two writers' locks.
 */
#ifndef MP_SHM_H
#define MP_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first member of whatever is shared. */
struct shm_header {
	char kind[24];                  /* "motorpool lock 1": raise the number when the struct changes */
	char boot[40];                  /* the boot it was made in */
	uint64_t inode;
};

/*
 * Maps $VAR/run/NAME, made when it is missing or stale: zeros after the head, then begin() (may be NULL). kind: below 24 characters.
 * NULL: cannot be made or mapped; errno says why. ENOSYS: /proc does not tell which boot this is. EBUSY: another
 * version of the programs has it in use.
 */
void *shm_map(const char *var_dir, const char *name, const char *kind, size_t size, bool (*begin)(void *board));
/* Maps it for looking only, as it is. NULL: there is none. */
const void *shm_map_readonly(const char *var_dir, const char *name, const char *kind, size_t size);
void shm_unmap(const void *board, size_t size);

#endif
