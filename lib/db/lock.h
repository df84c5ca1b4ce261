/*
 * lock - the page of memory that all processes share: the writers' queue and who has synced how far.
 *
 * $VAR/run/NAME.lock is one page, allocated with posix_fallocate and mapped by every process, one for each database file.
 * It holds two robust, process-shared, priority-inheriting mutexes (a process that dies while holding one hands it on), the
 * counters of commits and syncs, and whether a sync has failed.
 */
#ifndef MP_LOCK_H
#define MP_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct lock;

struct lock *lock_open(const char *var_dir, const char *name);  /* NULL: cannot be made or mapped; errno says why */
void lock_close(struct lock *l);

/* false: somebody has held it longer than that. Who comes when it has been held so long already waits only for a moment. */
bool lock_writer(struct lock *l, int timeout_ms);
void unlock_writer(struct lock *l);

/* After a commit, still under the writers' lock: the ticket to wait for. */
uint64_t lock_committed(struct lock *l);
/* The newest ticket anybody was given: waiting for it covers all that can be seen now. */
uint64_t lock_latest(const struct lock *l);
/* Waits until everything up to the ticket is synced: one of those who wait calls sync() for all. false: sync failed. */
bool lock_synced(struct lock *l, uint64_t ticket, bool (*sync)(void *arg), void *arg);

/*
 * After a failed sync nobody knows what is on disk, and the kernel tells each only once: so all are told here that nothing
 * more may be promised, until the checkpointer has moved the whole WAL into the main file, synced (db_checkpoint).
 */
void lock_break(struct lock *l);
bool lock_broken(const struct lock *l);
void lock_mended(struct lock *l);
/* Syncs although it is broken, which after writing everything again proves something; those who wait hear nothing of it. */
bool lock_sync_again(struct lock *l, bool (*sync)(void *arg), void *arg);
/* What of the WAL a sync has covered, in the words of whoever syncs. */
void lock_set_safe(struct lock *l, uint64_t safe);
uint64_t lock_safe(const struct lock *l);

/* How long the WAL is, as the last who committed saw it; 0 pages once all of it is in the main file, whatever its frames. */
void lock_set_pages(struct lock *l, int n_pages);
int  lock_pages(const struct lock *l);
int  lock_frames(const struct lock *l);

#endif
