/*
 * lag_history - the relay's last twenty minutes, for charts: how far behind each consumer was, how long the WALs were.
 * A ring buffer in shared memory (shm.h), $VAR/run/relay.history, until the next boot; the relay's checkpointer adds a
 * sample every five seconds.
 */
#ifndef MP_LAG_HISTORY_H
#define MP_LAG_HISTORY_H

#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define LAG_SAMPLES   240
#define LAG_EVERY_S   5
#define LAG_CONSUMERS 12
#define LAG_FILES     3     /* motorpool.db, view.db, sandbox.db */

struct consumer_lag_now {
	int64_t n_behind;               /* events not handled yet, parked ones included; -1: not known */
	int64_t behind_s;               /* the age of the oldest of them */
	int64_t n_waiting, n_dead;      /* parked: failed, or behind one that failed; dead letters */
};

struct lag_sample {
	int64_t at;                     /* unix seconds */
	struct consumer_lag_now lag[LAG_CONSUMERS];
	int64_t wal_bytes[LAG_FILES];       /* -1: there is no such file */
};

struct lag_history {
	const char *consumer[LAG_CONSUMERS];        /* in the order of a sample's lags */
	int n_consumers;
	struct lag_sample *samples;     /* oldest first */
	int n_samples;
};

/* false: no relay has run since boot. */
bool lag_history_read(struct arena *m, const char *var_dir, struct lag_history *h);

/* For the checkpointer, which alone writes. */
struct lag_history_shm;
struct lag_history_shm *lag_history_open(const char *var_dir);        /* NULL: errno */
/* The index of a consumer's lag in a sample; -1: all are used. */
int lag_history_column(struct lag_history_shm *h, const char *consumer);
void lag_history_add(struct lag_history_shm *h, const struct lag_sample *s);
void lag_history_close(struct lag_history_shm *h);

#endif
