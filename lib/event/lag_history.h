/*
 * history - the last twenty minutes of the relay, for small charts: how far behind each consumer was, how long the WALs were. A ring
 * on a board (board.h), $VAR/run/relay.history; the relay's keeper adds a sample every five seconds. Gone with the next boot.
 */
#ifndef MP_HISTORY_H
#define MP_HISTORY_H

#include "lib/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_SAMPLES   240
#define HISTORY_EVERY_S   5
#define HISTORY_CONSUMERS 12
#define HISTORY_FILES     3     /* motorpool.db, view.db, sandbox.db */

struct history_lag {
	int64_t n_behind;               /* events not handled yet, those that wait included; -1: not known */
	int64_t behind_s;               /* how old the oldest of them is */
	int64_t n_waiting, n_dead;      /* tried in vain or held back; given up */
};

struct history_sample {
	int64_t at;                     /* unix seconds */
	struct history_lag lag[HISTORY_CONSUMERS];
	int64_t wal_bytes[HISTORY_FILES];       /* -1: there is no such file */
};

struct history {
	const char *consumer[HISTORY_CONSUMERS];        /* whose the lags are, in this order */
	int n_consumers;
	struct history_sample *samples; /* oldest first */
	int n_samples;
};

/* What there is. false: no relay has run since boot. */
bool history_read(struct arena *m, const char *var_dir, struct history *h);

/* The keeper's side. */
struct history_board;
struct history_board *history_open(const char *var_dir);        /* NULL: errno */
/* A consumer's place in the samples; -1: all are taken. */
int history_place(struct history_board *b, const char *consumer);
void history_add(struct history_board *b, const struct history_sample *s);
void history_close(struct history_board *b);

#endif
