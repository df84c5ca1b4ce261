/*
 * fault - what the fault experiments in C share: their two forms, their seed, their sentences and their figures (fault.mjs for C).
 *
 *	quick (in `make test`)     LONG=1 (`make test-fault`)     SEED=n repeats a run
 */
#ifndef MP_FAULT_H
#define MP_FAULT_H

#include <stdbool.h>
#include <stdint.h>

bool fault_is_long(void);
uint64_t fault_seed(void);              /* SEED, or one of its own; printed */

/* The same numbers again from the same state (splitmix64). */
uint64_t dice_next(uint64_t *state);
int dice_below(uint64_t *state, int n); /* 0 … n - 1 */

/* One line for a sentence that holds, or does not and why. */
bool holds(bool ok, const char *sentence, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void skipped(const char *sentence, const char *why);
int fault_end(void);                    /* "N passed, N failed"; the exit status */

/* Notes a figure beside its limit, at most `limit` (least: at least). The long form holds it to that. */
void figure_most(const char *experiment, const char *name, double value, const char *unit, double limit);
void figure_least(const char *experiment, const char *name, double value, const char *unit, double least);

#endif
