/*
 * lock - one page of shared memory for all processes: the writers' queue, and how far the WAL is synced.
 *
 * $VAR/run/NAME.lock is one page, allocated with posix_fallocate and mapped by every process, one for each database
 * file. It holds two robust, process-shared, priority-inheriting mutexes (a mutex held by a process that dies passes
 * to the next), the counters of commits and syncs, and whether a sync has failed.
 */
#ifndef MP_LOCK_H
#define MP_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct lock;

struct lock *lock_open(const char *var_dir, const char *name);  /* NULL: cannot be made or mapped; errno says why */
void lock_close(struct lock *l);

/* false: it was held for longer than that. If it is already overdue, a new waiter gives up after 100 ms. */
bool lock_writer(struct lock *l, int timeout_ms);
void unlock_writer(struct lock *l);

/* After a commit, still under the writers' lock: the ticket to wait for. */
uint64_t lock_committed(struct lock *l);
/* The newest ticket issued: waiting for it covers all that can be read now. */
uint64_t lock_latest(const struct lock *l);
/* Waits until everything up to the ticket is synced: one waiting process calls sync() for all. false: sync failed. */
bool lock_synced(struct lock *l, uint64_t ticket, bool (*sync)(void *arg), void *arg);

/*
 * After a failed sync it is unknown what is on disk, and the kernel reports the error only once per open file. So it is
 * recorded here for all processes: nothing counts as durable until the checkpointer has written the whole WAL again and
 * moved it into the main file, synced (db_checkpoint).
 */
void lock_break(struct lock *l);
bool lock_broken(const struct lock *l);
void lock_mended(struct lock *l);
/* Syncs although an earlier sync failed, after everything was written again; waiting processes are not released. */
bool lock_sync_again(struct lock *l, bool (*sync)(void *arg), void *arg);
/* How much of the WAL a sync has covered, as the caller encodes it. */
void lock_set_safe(struct lock *l, uint64_t safe);
uint64_t lock_safe(const struct lock *l);

/* The WAL's length after the last commit; 0 pages once all of it is in the main file, whatever its frames. */
void lock_set_pages(struct lock *l, int n_pages);
int  lock_pages(const struct lock *l);
int  lock_frames(const struct lock *l);

#endif
