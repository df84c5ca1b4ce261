/*
 * fault - shared by the fault experiments in C: the two forms, the seed, results and figures (like fault.mjs).
 *
 *	quick (in `make test`)     LONG=1 (`make test-fault`)     SEED=n repeats a run
 */
#ifndef MP_FAULT_H
#define MP_FAULT_H

#include <stdbool.h>
#include <stdint.h>

bool fault_is_long(void);
uint64_t fault_seed(void);              /* SEED, or a random one; printed */

/* Pseudorandom, reproducible by the state (splitmix64). */
uint64_t dice_next(uint64_t *state);
int dice_below(uint64_t *state, int n); /* 0 … n - 1 */

/* Prints one line: the sentence, and if it does not hold, the reason. */
bool holds(bool ok, const char *sentence, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void skipped(const char *sentence, const char *why);
int fault_end(void);                    /* "N passed, N failed"; the exit status */

/* Records a figure with its limit, at most `limit` (least: at least). In the long form a figure beyond its limit is a
 * failure. */
void figure_most(const char *experiment, const char *name, double value, const char *unit, double limit);
void figure_least(const char *experiment, const char *name, double value, const char *unit, double least);

#endif
