/*
 * cuts - one history of bookings with many simulated power cuts: shared by the disk experiments.
 */
#ifndef MP_CUTS_H
#define MP_CUTS_H

#include "trade.h"

struct tally { int n_cuts, n_damaged, n_lost; char first[700]; };

void cuts_begin(void);          /* a scratch folder with a new state folder */
void cuts_end(void);

/*
 * Runs the processes of a plan (whose folder, history and seed are set here) on a disk that may lie, then simulates
 * n_cuts power cuts, or fewer once `enough` failures are found. *t: the failures. Then the final folder is checked
 * without a cut: *at_the_end, NULL: correct.
 */
struct trade_end cuts_experience(struct tally *t, enum lie lie, struct trade_plan plan, int n_cuts, int enough,
	uint64_t *dice,
                                 const char **at_the_end);

#endif
