/*
 * lag_history - the last twenty minutes of the relay, for small charts: how far behind each consumer was, how long the WALs were. A ring
 * on a board (shm.h), $VAR/run/relay.history; the relay's keeper adds a sample every five seconds. Gone with the next boot.
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
	int64_t n_behind;               /* events not handled yet, those that wait included; -1: not known */
	int64_t behind_s;               /* how old the oldest of them is */
	int64_t n_waiting, n_dead;      /* tried in vain or held back; given up */
};

struct lag_sample {
	int64_t at;                     /* unix seconds */
	struct consumer_lag_now lag[LAG_CONSUMERS];
	int64_t wal_bytes[LAG_FILES];       /* -1: there is no such file */
};

struct lag_history {
	const char *consumer[LAG_CONSUMERS];        /* whose the lags are, in this order */
	int n_consumers;
	struct lag_sample *samples; /* oldest first */
	int n_samples;
};

/* What there is. false: no relay has run since boot. */
bool lag_history_read(struct arena *m, const char *var_dir, struct lag_history *h);

/* The keeper's side. */
struct lag_history_shm;
struct lag_history_shm *lag_history_open(const char *var_dir);        /* NULL: errno */
/* A consumer's place in the samples; -1: all are taken. */
int lag_history_column(struct lag_history_shm *b, const char *consumer);
void lag_history_add(struct lag_history_shm *b, const struct lag_sample *s);
void lag_history_close(struct lag_history_shm *b);

#endif
